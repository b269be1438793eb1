"""Loans after what happened to them, as another system saw them at certain moments: its events told to ours, its rows
beside ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from usance.core import calendar
from usance.core.loan import quote, replay, state
from usance.core.loan.events import Charged, WrittenOff
from usance.core.loan.state import Loan
from usance.workflows.cases import charging, schedules, tellings
from usance.workflows.cases.tellings import Telling
from usance.workflows.cases.verdicts import Cell

Told = Mapping[str, Any]
SETTLED = {"paid": "paid_minor", "in_advance": "early_minor", "late": "late_minor", "waived": "relieved_minor",
           "outstanding": "remaining_minor"}  # fmt: skip


def judge(case: Told) -> list[Cell]:
    """At each moment every stated cell of the schedule, and what is owed in all."""
    cells: list[Cell] = []
    given = _calculation(case) if "principal" not in case["input"] else case["input"]
    telling = tellings.begun(given, case["events"])
    heard, on = 0, telling.starts_on
    today = date.fromisoformat(given.get("business_date_at_creation") or on.isoformat())
    for moment in case["checkpoints"]:
        for item in case["events"][heard : moment["after_event"]]:
            today = date.fromisoformat(item["date"]) if item["type"] == "set_business_date" else today
            on = _seen_on(item, today) or on
            tellings.tell(telling, item)
        heard = max(heard, moment["after_event"])
        on = on if "as_of" in moment else max(event.effective_on for event in telling.history)
        for cell in _cells(moment, telling, on, today):
            cells.append(cell._replace(where=f"after {moment['after_event']}: {cell.where}"))
    return cells


def _calculation(case: Told) -> Told:
    """Where only a calculator was asked, without a loan: as if all were paid when due, whatever day it is."""
    drawn = next(item for item in case["events"] if item["type"] == "disbursement")
    follows = {"interest_on_past_due_principal": False}
    return {**case["input"], "principal": drawn["amount"], "recalculation": follows}


def _seen_on(item: Told, today: date) -> date | None:
    """The other system looks at a loan when it closes a day, or when something happens to the loan: not when only its
    clock is set, or something is charged."""
    if item["type"] in ("set_business_date", "fee", "penalty"):
        return None
    return max(today, date.fromisoformat(item["run_on"])) if "run_on" in item else today


def judge_schedule(case: Told) -> list[Cell]:
    """A whole schedule: projected, or, where money is drawn several times, as it stands after the last drawdown."""
    drawn = [event for event in case.get("events", ()) if event["type"] == "disbursement"]
    if len(drawn) < 2:
        return schedules.judge(case)
    telling = tellings.begun(case["input"], ())
    for item in case["events"]:
        tellings.tell(telling, item)
    loan = telling.loan(date.fromisoformat(drawn[-1]["date"]))
    return schedules.compare_rows(case["expected_schedule"], quote.schedule(loan), telling.terms)


Added = Sequence[tuple[date, int]]  # principal that was owed again, by day


def _at_its_time(row: quote.Row, added: Added, *, is_last: bool, counted: Added) -> quote.Row:
    """The row with what is left after it when principal that is owed again is not yet so. What comes on a due date
    belongs to the next period, though a calculator counts it in."""
    belongs = row.starts_on == row.due_on or is_last
    later = sum(amount for on, amount in added if on > row.due_on or (on == row.due_on and not belongs))
    there = 0 if belongs else sum(amount for on, amount in counted if on == row.due_on)
    return row._replace(principal_after_minor=row.principal_after_minor - later + there)


def _counts_from(loan: Loan) -> Iterator[tuple[date, int]]:
    """Money after the first, by the day from which it counts: the beginning of its period, where it bears interest for
    the whole of that."""
    agreed, ends = loan.terms.drawdowns, sorted({*(bill.due_on for bill in loan.bills), *loan.due_dates})
    whole = agreed is not None and agreed.interest == "whole_period"
    for on, amount in loan.drawn_later:
        yield max((day for day in ends if day <= on), default=on) if whole else on, amount


def _beside(rows: Sequence[quote.Row], added: Added) -> dict[date, int]:
    """What is asked for beside the level: principal that is owed again."""
    return {
        row.due_on: sum(amount for on, amount in added if row.starts_on <= on < row.due_on)
        for row in rows
        if row.starts_on < row.due_on
    }


def _with_what_is_known(telling: Telling, loan: Loan) -> Sequence[quote.Row]:
    """The schedule, with what was told already of days to come (charges aside), if all is paid as agreed until then.
    What is settled is what is settled today."""
    today = quote.schedule(loan)
    told = [event for event in telling.history if event.effective_on <= loan.at or not isinstance(event, Charged)]
    later = sorted({event.effective_on for event in replay.in_force(told) if event.effective_on > loan.at})
    if not later:
        return today
    for day in later:
        told += quote.payments_to_come(loan, day - calendar.ONE_DAY)
        loan = replay.replay(telling.terms, told, day, daily=False).loan
    rows = []
    for index, row in enumerate(quote.schedule(loan)):
        now = today[index] if index < len(today) else None
        settled: dict[str, Any] = {
            name: getattr(now, name) if now else 0 for name in SETTLED.values() if name != "remaining_minor"
        }
        left = row.total_minor - settled["paid_minor"] - settled["relieved_minor"]
        rows.append(row._replace(**settled, remaining_minor=left))
    return rows


def _as_written_off(telling: Telling, loan: Loan) -> list[quote.Row]:
    """The other system takes its instalments off the books as they stood, with the interest that they would have borne;
    ours takes what is owed that day, and the rest never comes. So its rows are those of the moment before, with
    nothing left."""
    before = [event for event in telling.history if not isinstance(event, WrittenOff)]
    rows = quote.schedule(replay.replay(telling.terms, before, loan.matured_on or loan.at).loan)
    return [row._replace(remaining_minor=0, relieved_minor=row.relieved_minor + row.remaining_minor) for row in rows]


def _cells(moment: Told, telling: Telling, on: date, today: date) -> Iterator[Cell]:
    expected, currency = moment.get("schedule") or [], telling.terms.currency
    loan, rows, beside = _looked_at(moment, telling, on, today)
    if expected:
        yield from schedules.compare_rows(expected, rows, telling.terms, beside)
    for index, told in enumerate(expected):
        row = rows[index] if index < len(rows) else None
        for name, field in SETTLED.items():
            if told.get(name) is not None:
                where, actual = f"row {told.get('n', index + 1)} {name}", getattr(row, field) if row else 0
                yield Cell(where, schedules.plain(told[name], currency), currency.text(actual))
    for name, amount in _totals(loan, rows).items():
        if moment.get(name) is not None:
            yield Cell(name, schedules.plain(moment[name], currency), currency.text(amount))


def _looked_at(
    moment: Told, telling: Telling, on: date, today: date
) -> tuple[Loan | None, list[quote.Row], dict[date, int]]:
    """The loan, once there is money; the rows as the other system saw them that day; what they ask for beside the
    level."""
    if not telling.runs():
        rows = charging.expected_rows(telling, today)
        return None, rows, _beside(rows, ())
    step = telling.step(on)
    loan, again = step.loan, [move for move in step.movements if move.kind == "charged_back"]
    added = [(move.effective_on, move.amount_minor) for move in again if move.component == "principal"]
    counted = () if "as_of" in moment else (*added, *_counts_from(loan))
    is_written_off = loan.status == "written_off"
    found = _as_written_off(telling, loan) if is_written_off else _with_what_is_known(telling, loan)
    rows = [_at_its_time(row, added, is_last=row is found[-1], counted=counted) for row in found]
    return loan, charging.with_later(telling, rows, on), _beside(rows, added)


def _totals(loan: Loan | None, rows: Sequence[quote.Row]) -> dict[str, int]:
    left = sum(row.remaining_minor for row in rows)
    return {"loan_outstanding": left if loan else 0, "loan_overpaid": state.unapplied(loan) if loan else 0}
