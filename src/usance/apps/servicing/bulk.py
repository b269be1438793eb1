"""Many loans through the passing of days at once: those with something on their agenda are read in one query, folded in
memory and written by one statement for each table; all others earn by their lines, in one statement (see `earnings`).

The fold is the engine's own, loan by loan; only reading and writing are in bulk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import connection

from usance.apps.institutions import tenancy
from usance.apps.institutions.rows import insert_many, json_rows, recordset
from usance.apps.servicing import classing, earnings, folding, recording, statuses
from usance.apps.servicing.closing_books import Batch, Books
from usance.apps.servicing.models import CloseProblem, CloseRun, Loan
from usance.core.accounting import books
from usance.core.calendar import ONE_DAY
from usance.core.classes import Scheme
from usance.core.loan import close, state
from usance.core.loan.movements import Movement

log = structlog.get_logger(__name__)

COLUMNS = (
    "id", "org_path", "product", "merchant", "funder", "owner_id", "corrected_terms", "checkpoint", "checkpoint_on",
    "max_days_past_due", "close_problem", "loan_class", "days_past_due",
)  # fmt: skip
AT_ONCE = 500  # loans that are folded and written together: so many states fit into little memory


class BalanceBelowZero(ArithmeticError):
    """The fold gave a balance that cannot be: the loan is left out and listed."""


@dataclass(frozen=True, slots=True)
class Closed:
    """One loan that went through: its row as read, before and after, what moved, and the classes it came into."""

    row: Loan
    before: state.Loan
    after: state.Loan
    movements: tuple[Movement, ...]
    columns: dict[str, Any]
    classes: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """One loan that did not, and why."""

    row: Loan
    reason: str


def close_range(first: UUID, end: UUID | None, batch: Batch) -> list[Left]:
    """Carries the running loans with ids in [first, end) to the start of the day `batch.to`, in the caller's
    transaction: those with something on their agenda one by one, all others at once. Lists those that did not go
    through. Payments wait for the second part only, which is short."""
    folding_now = _Folding(batch)
    folding_now.run(first, end, all_of_them=folding_now.is_new_scheme)
    folding_now.books.add_earned(first, end, earnings.pass_day(first, end, batch.to))
    folding_now.run(first, end)  # to which something happened meanwhile
    return folding_now.finish()


def close_one(loan_id: UUID, batch: Batch) -> list[Left]:
    """The same for one loan that was left behind."""
    folding_now = _Folding(batch)
    folding_now.run(loan_id, UUID(int=loan_id.int + 1))
    return folding_now.finish()


class _Folding:
    """Loans that are folded one by one, some hundred at a time; books and jobs are written for all of them at last."""

    def __init__(self, batch: Batch) -> None:
        day = batch.to - ONE_DAY
        self.batch, self.books, self.jobs = batch, Books(batch), recording.Jobs()
        self.scheme, self.is_new_scheme = classing.scheme_and_news(day)
        self.ages = sorted(
            {*earnings.EDGES, *(known.from_days for known in (self.scheme.classes if self.scheme else ()))}
        )
        self.left: list[Left] = []

    def run(self, first: UUID, end: UUID | None, *, all_of_them: bool = True) -> None:
        while True:
            found = earnings.lock_behind(
                COLUMNS, first=first, end=end, to=self.batch.to, all_of_them=all_of_them,
                left_out=[one.row.pk for one in self.left], most=AT_ONCE,
            )  # fmt: skip
            self._fold_some(found)
            if len(found) < AT_ONCE:
                break
            first = found[-1][0].pk

    def finish(self) -> list[Left]:
        """Those that did not go through."""
        self.books.write()
        recording.announce_all(self.jobs)
        return self.left

    def _fold_some(self, found: Iterable[tuple[Loan, earnings.Span]]) -> None:
        closed: list[Closed] = []
        for row, earned in found:
            outcome = _fold(row, earned, self.batch.to, self.scheme)
            (closed if isinstance(outcome, Closed) else self.left).append(outcome)  # type: ignore[arg-type]
        if closed:
            self._write(closed)

    def _write(self, closed: Sequence[Closed]) -> None:
        day = self.batch.to - ONE_DAY
        _write_loans(closed)
        _write_statuses(closed, self.batch)
        earnings.replace([earnings.Folded(done.row, done.after, done.columns) for done in closed], self.ages)
        classing.record(((done.row, done.columns, done.classes) for done in closed), day)
        _mark_solved([done.row.pk for done in closed if done.row.close_problem], self.batch.at)
        for done in closed:
            self.books.add(done)
            recording.collect(self.jobs, done.row.pk, done.before, done.after)


def _fold(row: Loan, earned: earnings.Span, to: date, scheme: Scheme | None) -> Closed | Left:
    """The bulkhead of the close: whatever is wrong with one loan stays with that loan."""
    try:
        before = folding.state_of(row, earnings.lines_of(earned))
        step = close.advance(before, to)
        columns = folding.columns_of(step.loan)
        classes = classing.changes(scheme, row, columns)
        columns["loan_class"] = classes[-1][1] if classes else row.loan_class
        if min(step.loan.balances.values(), default=0) < 0:
            raise BalanceBelowZero(str(dict(step.loan.balances)))
        for movement in step.movements:
            books.entry(movement)  # whatever cannot be booked stays out, too
        return Closed(row, before, step.loan, step.movements, columns, classes)
    except Exception as crash:  # the bulkhead around one loan in the close
        log.warning("close.loan_left_out", loan_id=str(row.pk), error=type(crash).__name__, exc_info=True)
        return Left(row, f"{type(crash).__name__}: {crash}"[:300])


# --- the loans ---------------------------------------------------------------------------------------------------

# standing column -> its type in the temporary table
UPDATED = {
    "checkpoint": "jsonb", "checkpoint_on": "date", "status": "text", "principal_minor": "bigint",
    "interest_minor": "bigint", "fee_minor": "bigint", "penalty_minor": "bigint", "tax_minor": "bigint",
    "unapplied_minor": "bigint", "due_now_minor": "bigint", "past_due_minor": "bigint", "next_due_on": "date",
    "days_past_due": "integer", "bucket": "text", "extension_count": "integer",
    "loan_class": "text", "disbursed_on": "date", "closed_on": "date", "max_days_past_due": "integer",
}  # fmt: skip


def _write_loans(closed: Sequence[Closed]) -> None:
    names, values = ", ".join(UPDATED), ", ".join(f"t.{name}" for name in UPDATED)
    lines = json_rows(["id", *UPDATED], ((done.row.pk, *map(_values(done).get, UPDATED)) for done in closed))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE servicing_loan AS l SET ({names}, close_problem) = ({values}, '') "  # noqa: S608 (our own names)
            f"FROM {recordset({'id': 'uuid', **UPDATED})} WHERE l.institution_id = %(institution)s AND l.id = t.id",
            {"rows": lines, "institution": tenancy.current_id()},
        )


def _values(done: Closed) -> dict[str, Any]:
    return done.columns | {"max_days_past_due": max(done.row.max_days_past_due, done.columns["days_past_due"])}


def _write_statuses(closed: Iterable[Closed], batch: Batch) -> None:
    insert_many([
        row
        for done in closed
        for row in statuses.rows_of(done.row, statuses.between(done.before, done.after), batch.booked_on)
    ])  # fmt: skip


# --- problems ----------------------------------------------------------------------------------------------------


def list_problems(run: CloseRun, left: Sequence[Left]) -> None:
    """Puts the loans that were left out on the staff's list, with their reasons."""
    CloseProblem.objects.bulk_create(
        [CloseProblem(run=run, loan=one.row, business_date=run.business_date, reason=one.reason) for one in left],
        ignore_conflicts=True,
    )
    for one in left:
        Loan.rows.filter(pk=one.row.pk).update(close_problem=one.reason)


def _mark_solved(loan_ids: Sequence[UUID], at: datetime) -> None:
    if loan_ids:
        CloseProblem.objects.filter(loan_id__in=loan_ids, solved_at__isnull=True).update(solved_at=at)
