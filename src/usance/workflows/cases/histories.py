"""Loans after what happened to them, as another system saw them at certain moments: its events told to ours, its rows
beside ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from usance.core.loan import events, quote, replay, state
from usance.core.loan.state import Loan
from usance.core.loan.terms import Terms
from usance.workflows.cases import schedules
from usance.workflows.cases.verdicts import Cell, Unsupported

Told = Mapping[str, Any]
# what only moves the other system's clock: ours is told the day with each look
CLOCK = frozenset({"set_business_date", "close_of_business_for_loan"})
PAID = {"paid": "paid_minor", "outstanding": "remaining_minor"}


def judge(case: Mapping[str, Any]) -> list[Cell]:
    """At each moment every stated cell of the schedule, and what is owed in all."""
    if case["input"].get("full_term_for_tranche"):
        raise Unsupported("each drawdown with a schedule of its own")
    terms, cells = schedules.terms_of(case["input"]), []
    pays_at_once = bool((case["input"].get("down_payment") or {}).get("auto_repayment"))
    for moment in case["checkpoints"]:
        told = case["events"][: moment["after_event"]]
        loan = lived(terms, told, date.fromisoformat(moment["as_of"]), pays_at_once=pays_at_once)
        drawn = [
            (date.fromisoformat(item["date"]), terms.currency.minor(item["amount"]))
            for item in told
            if item["type"] == "disbursement"
        ]
        for cell in _cells(moment, loan, drawn):
            cells.append(cell._replace(where=f"after {moment['after_event']}: {cell.where}"))
    return cells


def judge_schedule(case: Mapping[str, Any]) -> list[Cell]:
    """A whole schedule: projected, or, where money is drawn several times, as it stands after the last drawdown."""
    drawn = [event for event in case.get("events", ()) if event["type"] == "disbursement"]
    if len(drawn) < 2:
        return schedules.judge(case)
    terms = schedules.terms_of(case["input"])
    loan = lived(terms, case["events"], date.fromisoformat(drawn[-1]["date"]), pays_at_once=False)
    return schedules.compare_rows(case["expected_schedule"], quote.schedule(loan), terms)


def lived(terms: Terms, told: list[Told], on: date, *, pays_at_once: bool) -> Loan:
    """The loan on a day after these events. `pays_at_once`: a down payment is taken from the money itself."""
    history: list[events.Event] = []
    for number, item in enumerate(told):
        if item["type"] in CLOCK:
            continue
        if item["type"] not in EVENTS:
            raise Unsupported(f"the event {item['type']}")
        event = EVENTS[item["type"]](terms, item, f"e{number:03d}")
        if not history:
            history.append(events.Approved(effective_on=event.effective_on, source="approved"))
        history.append(event)
        due = state.due_now(replay.replay(terms, history, event.effective_on).loan) if pays_at_once else 0
        if due:
            history.append(
                events.PaymentReceived(effective_on=event.effective_on, source=f"e{number:03d}p", amount_minor=due)
            )
    if not history:
        raise Unsupported("a schedule before the first money")
    return replay.replay(terms, history, on).loan


def _drawn(terms: Terms, item: Told, source: str) -> events.Event:
    amount = terms.currency.minor(item["amount"])
    return events.Disbursed(effective_on=date.fromisoformat(item["date"]), source=source, amount_minor=amount)


EVENTS: dict[str, Callable[[Terms, Told, str], events.Event]] = {"disbursement": _drawn}


def _at_its_time(row: quote.Row, drawn: list[tuple[date, int]]) -> quote.Row:
    """The row with what is left after it when money that was drawn later is not yet there. What is drawn on a due date
    belongs to the next period."""
    is_at_once = row.starts_on == row.due_on
    later = sum(amount for on, amount in drawn if on > row.due_on or (on == row.due_on and not is_at_once))
    return row._replace(principal_after_minor=row.principal_after_minor - later)


def _cells(moment: Mapping[str, Any], loan: Loan, drawn: list[tuple[date, int]]) -> Iterator[Cell]:
    rows, text = quote.schedule(loan), loan.terms.currency.text
    expected = moment.get("schedule") or []
    if expected:
        yield from schedules.compare_rows(expected, [_at_its_time(row, drawn) for row in rows], loan.terms)
    for index, (told, row) in enumerate(zip(expected, rows, strict=False)):
        # nothing is paid but on its day, so nothing in advance, late or waived
        ours = {name: text(getattr(row, field)) for name, field in PAID.items()}
        for name, actual in (ours | dict.fromkeys(("in_advance", "late", "waived"), text(0))).items():
            if told.get(name) is not None:
                where = f"row {told.get('n', index + 1)} {name}"
                yield Cell(where, schedules.plain(told[name], loan.terms.currency), actual)
    totals = {"loan_outstanding": sum(row.remaining_minor for row in rows), "loan_overpaid": state.unapplied(loan)}
    for name, amount in totals.items():
        if moment.get(name) is not None:
            yield Cell(name, schedules.plain(moment[name], loan.terms.currency), text(amount))
