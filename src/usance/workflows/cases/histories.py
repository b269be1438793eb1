"""Loans after what happened to them, as another system saw them at certain moments: its events told to ours, its rows
beside ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from usance.core.loan import quote, replay, state
from usance.core.loan.events import Disbursed
from usance.core.loan.state import Loan
from usance.workflows.cases import schedules, tellings
from usance.workflows.cases.tellings import Telling
from usance.workflows.cases.verdicts import Cell, Unsupported

Told = Mapping[str, Any]
SETTLED = {"paid": "paid_minor", "in_advance": "early_minor", "late": "late_minor", "waived": "relieved_minor",
           "outstanding": "remaining_minor"}  # fmt: skip


def judge(case: Told) -> list[Cell]:
    """At each moment every stated cell of the schedule, and what is owed in all."""
    if case["input"].get("full_term_for_tranche"):
        raise Unsupported("each drawdown with a schedule of its own")
    cells: list[Cell] = []
    telling = tellings.begun(case["input"], case["events"])
    heard, on = 0, telling.starts_on
    for moment in case["checkpoints"]:
        on = date.fromisoformat(moment["as_of"]) if moment.get("as_of") else on
        for item in case["events"][heard : moment["after_event"]]:
            tellings.tell(telling, item)
        heard = max(heard, moment["after_event"])
        for cell in _cells(moment, telling, on):
            cells.append(cell._replace(where=f"after {moment['after_event']}: {cell.where}"))
    return cells


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


def _at_its_time(row: quote.Row, drawn: Sequence[Disbursed]) -> quote.Row:
    """The row with what is left after it when money that was drawn later is not yet there. What is drawn on a due date
    belongs to the next period."""
    is_at_once = row.starts_on == row.due_on
    later = sum(
        event.amount_minor
        for event in drawn
        if event.effective_on > row.due_on or (event.effective_on == row.due_on and not is_at_once)
    )
    return row._replace(principal_after_minor=row.principal_after_minor - later)


def _cells(moment: Told, telling: Telling, on: date) -> Iterator[Cell]:
    drawn = [event for event in replay.in_force(telling.history) if isinstance(event, Disbursed)]
    expected, currency = moment.get("schedule") or [], telling.terms.currency
    loan = telling.loan(on) if drawn else None
    rows = [_at_its_time(row, drawn) for row in quote.schedule(loan)] if loan else telling.expected_rows()
    if expected:
        yield from schedules.compare_rows(expected, rows, telling.terms)
    for index, told in enumerate(expected):
        row = rows[index] if index < len(rows) else None
        for name, field in SETTLED.items():
            if told.get(name) is not None:
                where, actual = f"row {told.get('n', index + 1)} {name}", getattr(row, field) if row else 0
                yield Cell(where, schedules.plain(told[name], currency), currency.text(actual))
    for name, amount in _totals(loan, rows).items():
        if moment.get(name) is not None:
            yield Cell(name, schedules.plain(moment[name], currency), currency.text(amount))


def _totals(loan: Loan | None, rows: Sequence[quote.Row]) -> dict[str, int]:
    left = sum(row.remaining_minor for row in rows)
    return {"loan_outstanding": left if loan else 0, "loan_overpaid": state.unapplied(loan) if loan else 0}
