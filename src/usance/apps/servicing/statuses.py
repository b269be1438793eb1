"""Which loan was in which status on which date, by what was known when: kept as changes, like money as movements.

A loan that comes into a status counts +1 there from that date on, and -1 where it was. A late truth adds what leads
from the old timeline to the new, with the old dates, booked today. So the loans of a status on a date, by what was
known on another, are a sum over changes, as balances are a sum over movements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

from usance.apps.institutions import rows
from usance.apps.servicing import folding
from usance.apps.servicing.models import Loan, LoanEvent, StatusChange
from usance.core.calendar import ONE_DAY
from usance.core.loan import apply, close, events, replay, state
from usance.core.loan.terms import Terms


class Mark(NamedTuple):
    """What is counted of a loan: its status, and since which due date it is past due."""

    status: str
    past_due_since: date | None


class Change(NamedTuple):
    """So many loans more (or fewer) bear a mark from a date on."""

    on: date
    mark: Mark
    by: int


def mark_of(loan: state.Loan) -> Mark | None:
    """None before anything happened."""
    if loan.status == "new":
        return None
    return Mark(loan.status, state.oldest_past_due_on(loan) if loan.status in state.LIVE else None)


def between(before: state.Loan, after: state.Loan) -> list[Change]:
    """What changed when days passed and nothing else happened, or something happened on one day."""
    old, new = mark_of(before), mark_of(after)
    if old == new:
        return []
    if before.at == after.at or after.at == before.at + ONE_DAY:
        return _change(after.at, old, new)
    marks: dict[date, Mark | None] = {before.at: old}
    _pass_days(before, after.at, marks)
    return _changes(marks)[1 if old else 0 :]


def timeline(agreed: Terms, history: Iterable[events.Event], to: date) -> list[Change]:
    """Every change of a loan with this history to a date: from its birth, or since it came into our books."""
    told = list(history)
    loan = replay.begin(agreed, told, to)
    marks: dict[date, Mark | None] = {}
    past: list[events.Event] = []
    for event in replay.in_force(told):
        if event.effective_on > to:
            break
        loan = apply.apply(_pass_days(loan, event.effective_on, marks), event, past).loan
        past.append(event)
        if isinstance(event, events.TakenOver):
            marks.clear()  # until then another system counted it
        marks[loan.at] = mark_of(loan)
    _pass_days(loan, to, marks)
    return _changes(marks)


def difference(old: Iterable[Change], new: Iterable[Change]) -> list[Change]:
    """What leads from one timeline to another."""
    sums: Counter[tuple[date, Mark]] = Counter()
    for sign, changes in ((-1, old), (1, new)):
        for change in changes:
            sums[change.on, change.mark] += sign * change.by
    return [Change(on, mark, count) for (on, mark), count in sorted(sums.items(), key=str) if count]


def _pass_days(loan: state.Loan, to: date, marks: dict[date, Mark | None]) -> state.Loan:
    while loan.at < to:
        until = close.quiet_until(loan, to) if loan.status in state.LIVE else to
        loan = close.advance(loan, until, daily=False).loan
        marks[loan.at] = mark_of(loan)
    return loan


def _changes(marks: dict[date, Mark | None]) -> list[Change]:
    found: list[Change] = []
    last: Mark | None = None
    for on in sorted(marks):
        if marks[on] != last:
            found += _change(on, last, marks[on])
        last = marks[on]
    return found


def _change(on: date, old: Mark | None, new: Mark | None) -> list[Change]:
    return [Change(on, mark, count) for mark, count in ((old, -1), (new, 1)) if mark is not None]


# --- rows --------------------------------------------------------------------------------------------------------


def rows_of(row: Loan, changes: Iterable[Change], booked_on: date) -> list[StatusChange]:
    """As rows, booked on a day or on their own if that comes later."""
    return [
        StatusChange(
            loan=row,
            booked_on=max(booked_on, change.on),
            effective_on=change.on,
            status=change.mark.status,
            past_due_since=change.mark.past_due_since,
            count=change.by,
        )
        for change in changes
    ]


LINE = ("id", "loan_id", "booked_on", "effective_on", "status", "past_due_since", "count")


def lines(changed: Iterable[StatusChange]) -> list[list[rows.Plain]]:
    """Rows as lines of LINE, for `write`."""
    return [rows.plain(one, LINE) for one in changed]


def write(told: Sequence[Sequence[rows.Plain]]) -> None:
    """Keeps changes of many loans, as lines of LINE."""
    rows.insert_plain(StatusChange, LINE, told)


def kept(stored: Iterable[StatusChange]) -> list[Change]:
    """Rows as changes, whenever they were booked."""
    return [Change(one.effective_on, Mark(one.status, one.past_due_since), one.count) for one in stored]


def lacking(row: Loan, told: Sequence[LoanEvent], stored: Iterable[StatusChange], to: date) -> list[StatusChange]:
    """The changes that a loan's events make until `to`, day of telling after day of telling, less those stored."""
    agreed, history, known = folding.terms_of(row), list[events.Event](), list[Change]()
    sums: Counter[tuple[date, date, Mark]] = Counter()
    for booked_on, heard in groupby(sorted(told, key=lambda event: event.seq), key=lambda event: event.booked_on):
        history += folding.history_of(heard)
        now = timeline(agreed, history, to)
        for change in difference(known, now):
            sums[max(booked_on, change.on), change.on, change.mark] += change.by
        known = now
    for one in stored:
        sums[one.booked_on, one.effective_on, Mark(one.status, one.past_due_since)] -= one.count
    left = [(key, count) for key, count in sorted(sums.items(), key=str) if count]
    return [
        made for (booked_on, on, mark), count in left for made in rows_of(row, [Change(on, mark, count)], booked_on)
    ]
