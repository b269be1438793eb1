"""Many loans through the passing of days at once: those with something on their agenda are read in one query, folded in
memory and written by one statement for each table; all others earn by their lines, in one statement (see `earnings`).

The fold is the engine's own, loan by loan; only reading and writing are in bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DataError, IntegrityError, connection, transaction

from usance.apps.institutions import tenancy
from usance.apps.institutions.rows import array, json_list, recordset
from usance.apps.servicing import classing, earnings, passing, prepared, recording, statuses
from usance.apps.servicing.closing_books import Batch, Books
from usance.apps.servicing.models import CloseProblem, CloseRun, Loan
from usance.apps.servicing.passing import Left, Passed, ToWrite

log = structlog.get_logger(__name__)

AT_ONCE = 500  # loans that are folded and written together: so many states fit into little memory


UNWRITABLE = (DataError, IntegrityError)  # what a value can be to blame for


class NotAllWritten(RuntimeError):
    """Rows are gone that were locked: the part of the close is taken back, and tried again."""


FEW = 20  # loans that may be folded while payments to all others wait


@dataclass(slots=True)
class Outcome:
    """Loans that did not go through, and the jobs that follow of those that did."""

    left: list[Left] = field(default_factory=list)
    jobs: recording.Jobs = field(default_factory=dict)


def close_range(first: UUID, end: UUID | None, batch: Batch, *, to_fold: int) -> Outcome:
    """Carries the running loans with ids in [first, end) to the start of the day `batch.to`, in the caller's
    transaction: those with something on their agenda (some `to_fold`) one by one, as far as that was not prepared, all
    others at once. Payments wait for the second part only, which is short."""
    passing_now = _Passing(batch)
    were_prepared = passing_now.write_prepared(first, end)
    if passing_now.rules.is_new or to_fold - were_prepared > FEW:  # they need not be looked for twice
        passing_now.fold(first, end, all_of_them=passing_now.rules.is_new)
    passing_now.books.add_earned(first, end, earnings.pass_day(first, end, batch.to))
    passing_now.fold(first, end, all_of_them=True)  # to which something happened meanwhile
    return passing_now.finish()


def close_one(loan_id: UUID, batch: Batch) -> Outcome:
    """The same for one loan that was left behind."""
    passing_now = _Passing(batch)
    passing_now.fold(loan_id, UUID(int=loan_id.int + 1), all_of_them=True)
    return passing_now.finish()


class _Passing:
    """Loans that are carried one by one, some hundred at a time; the books are written for all of them at last."""

    def __init__(self, batch: Batch) -> None:
        self.batch, self.books, self.outcome = batch, Books(batch), Outcome()
        self.rules = passing.rules(batch.to, batch.booked_on)

    def write_prepared(self, first: UUID, end: UUID | None) -> int:
        """Says for how many loans all was prepared."""

        def some(after: UUID) -> list[str]:
            found = prepared.take(earnings.Range(after, end, self.batch.to), self.rules, most=AT_ONCE)
            if not found:
                return []
            ids = array(one.loan_id for one in found)
            from_there = prepared.recordset("loan", LOAN), prepared.recordset("earning", earnings.COLUMNS)
            try:
                with transaction.atomic():
                    self._write(found, from_there, (ids, ids))
            except UNWRITABLE:  # whichever it is, the fold finds it
                log.warning("close.prepared_not_written", loans=len(found), exc_info=True)
            return [one.loan_id for one in found]

        return self._range(first, some)

    def fold(self, first: UUID, end: UUID | None, *, all_of_them: bool) -> None:
        def some(after: UUID) -> list[str]:
            found = earnings.read_behind(
                passing.COLUMNS, earnings.Range(after, end, self.batch.to), most=AT_ONCE, all_of_them=all_of_them,
                left_out=[one.row.pk for one in self.outcome.left],
            )  # fmt: skip
            folded: list[tuple[Loan, ToWrite]] = []
            for row, earned in found:
                one = passing.fold(row, earned, self.rules)
                if isinstance(one, Left):
                    self.outcome.left.append(one)
                else:
                    folded.append((row, one))
            self._write_folded(folded)
            return [str(row.pk) for row, _ in found]

        self._range(first, some)

    def _write_folded(self, folded: Sequence[tuple[Loan, ToWrite]]) -> None:
        """What the database refuses of one loan stays with that loan, too: it is found by halves."""
        if not folded:
            return
        new = [one for _, one in folded]
        lines = json_list(one.loan for one in new), json_list(one.earning for one in new if one.earning)
        try:
            with transaction.atomic():
                self._write([one.passed for one in new], (recordset(LOAN), recordset(earnings.COLUMNS)), lines)
                return
        except UNWRITABLE as refused:
            if len(folded) == 1:
                self.outcome.left.append(passing.left(folded[0][0], refused))
                return
        half = len(folded) // 2
        self._write_folded(folded[:half])
        self._write_folded(folded[half:])

    def _range(self, first: UUID, some: Callable[[UUID], Sequence[str]]) -> int:
        """Does some loans after another, from the first id on; says how many."""
        done = some(UUID(int=max(0, first.int - 1)))
        count = len(done)
        while len(done) == AT_ONCE:
            done = some(UUID(done[-1]))
            count += len(done)
        return count

    def finish(self) -> Outcome:
        self.books.write()
        return self.outcome

    def _write(self, passed: Sequence[Passed], sources: tuple[str, str], told: tuple[str, str]) -> None:
        """Loans, the lines of those that go on earning, and what follows. `sources`: of both, a table in SQL made of a
        parameter `rows`, which is `told`."""
        _write_loans(sources[0], told[0], len(passed))
        earnings.replace_from(sources[1], told[1], ended=[one.loan_id for one in passed if not one.earns])
        statuses.write([line for one in passed for line in one.statuses])
        classing.record([line for one in passed for line in one.classes])
        _mark_solved([one.loan_id for one in passed if one.had_problem], self.batch.at)
        for one in passed:
            self.books.add(one)
            for name in one.jobs:
                self.outcome.jobs.setdefault(name, []).append(one.loan_id)


# --- the loans ---------------------------------------------------------------------------------------------------


LOAN = {"id": "uuid", **passing.UPDATED}


def _write_loans(source: str, told: str, count: int) -> None:
    """So many, from a source in SQL, a table `t` of the columns LOAN, made of the parameter `rows`. What is booked for
    a loan must stand in its row: else nothing of this part is. Raises NotAllWritten."""
    names, values = ", ".join(passing.UPDATED), ", ".join(f"t.{name}" for name in passing.UPDATED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE servicing_loan AS l SET ({names}, close_problem) = ({values}, '') FROM {source} "  # noqa: S608
            "WHERE l.institution_id = %(institution)s AND l.id = t.id",
            {"rows": told, "institution": tenancy.current_id()},
        )
        if cursor.rowcount != count:
            raise NotAllWritten(f"{cursor.rowcount} of {count} loans")


# --- problems ----------------------------------------------------------------------------------------------------


def list_problems(run: CloseRun, left: Sequence[Left]) -> None:
    """Puts the loans that were left out on the staff's list, with their reasons."""
    CloseProblem.objects.bulk_create(
        [CloseProblem(run=run, loan=one.row, business_date=run.business_date, reason=one.reason) for one in left],
        ignore_conflicts=True,
    )
    for one in left:
        Loan.rows.filter(pk=one.row.pk).update(close_problem=one.reason)


def _mark_solved(loan_ids: Sequence[str], at: datetime) -> None:
    if loan_ids:
        CloseProblem.objects.filter(loan_id__in=loan_ids, solved_at__isnull=True).update(solved_at=at)
