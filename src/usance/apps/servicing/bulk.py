"""Many loans through the passing of days at once: those with something on their agenda are read in one query, folded in
memory and written by COPY; all others earn by their lines, in one statement (see `earnings`).

The fold is the engine's own, loan by loan; only reading and writing are in bulk. Bulk rows go by COPY into temporary
tables first, because PostgreSQL refuses COPY into tables with row-level security.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import Q

from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.ledger import services as ledger
from usance.apps.servicing import classing, earnings, folding, recording, statuses
from usance.apps.servicing.models import CloseProblem, CloseRun, EarnedDay, Earning, Loan, StatusChange
from usance.core.accounting import books
from usance.core.calendar import ONE_DAY
from usance.core.classes import Scheme
from usance.core.loan import close, state
from usance.core.loan.state import Movement

log = structlog.get_logger(__name__)

COLUMNS = (
    "id", "org_path", "product", "merchant", "funder", "owner_id", "terms", "corrected_terms", "checkpoint",
    "checkpoint_on",
    "next_due_on", "next_due_minor", "due_now_minor", "max_days_past_due", "close_problem", "loan_class",
    "days_past_due",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How far to go, on which day to book it, and the beginning of the entries' keys."""

    to: date
    booked_on: date
    key: str
    description: str
    at: datetime


def close_range(first: UUID, end: UUID | None, batch: Batch) -> list[Left]:
    """Carries the running loans with ids in [first, end) to the start of the day `batch.to`, in the caller's
    transaction: those with something on their agenda one by one, all others at once. Lists those that did not go
    through. Payments wait for the second part only, which is short."""
    mine = Q(id__gte=first) & (Q(id__lt=end) if end else Q())
    behind = mine & Q(closed_until__lt=batch.to)
    on_agenda = Q(agenda_on__lte=batch.to) | ~Q(closed_until=batch.to - ONE_DAY)
    folding_now = _Folding(batch)
    folding_now.run(behind if folding_now.is_new_scheme else behind & on_agenda)
    _book_earned(first, end, earnings.pass_day(first, end, batch.to), batch)
    folding_now.run(behind)  # to which something happened meanwhile
    return folding_now.left


def close_one(loan_id: UUID, batch: Batch) -> list[Left]:
    """The same for one loan that was left behind."""
    folding_now = _Folding(batch)
    folding_now.run(Q(id=loan_id, closed_until__lt=batch.to))
    return folding_now.left


class _Folding:
    """Loans that are folded one by one, some hundred at a time."""

    def __init__(self, batch: Batch) -> None:
        day = batch.to - ONE_DAY
        self.batch, self.times = batch, 0
        self.scheme, self.is_new_scheme = classing.scheme_and_news(day)
        self.ages = sorted(
            {*earnings.EDGES, *(known.from_days for known in (self.scheme.classes if self.scheme else ()))}
        )
        self.left: list[Left] = []

    def run(self, behind: Q) -> None:
        tried: list[UUID] = [one.row.pk for one in self.left]
        found = list(Earning.objects.filter(behind).order_by("id").values_list("id", flat=True))
        waiting = sorted(set(found) - set(tried))
        for start in range(0, len(waiting), AT_ONCE):
            self._fold_some(waiting[start : start + AT_ONCE])

    def _fold_some(self, ids: Sequence[UUID]) -> None:
        earned = earnings.lock(ids)
        rows = list(Loan.rows.select_for_update(no_key=True).filter(pk__in=ids).only(*COLUMNS).order_by("id"))
        closed: list[Closed] = []
        for row in rows:
            if row.pk not in earned or row.checkpoint_on >= self.batch.to:
                continue  # somebody else saw to it meanwhile
            earnings.carry(row, earned[row.pk])
            outcome = _fold(row, earned[row.pk], self.batch.to, self.scheme)
            (closed if isinstance(outcome, Closed) else self.left).append(outcome)  # type: ignore[arg-type]
        if closed:
            self._write(closed)

    def _write(self, closed: Sequence[Closed]) -> None:
        self.times += 1
        day = self.batch.to - ONE_DAY
        _write_books(closed, self.batch, self.times)
        _write_loans(closed)
        _write_statuses(closed, self.batch)
        earnings.replace([earnings.Folded(done.row, done.after, done.columns) for done in closed], self.ages)
        classing.record(((done.row, done.columns, done.classes) for done in closed), day)
        _mark_solved([done.row.pk for done in closed if done.row.close_problem], self.batch.at)
        recording.announce_all((done.row.pk, done.before, done.after) for done in closed)


def _fold(row: Loan, earned: Earning, to: date, scheme: Scheme | None) -> Closed | Left:
    """The bulkhead of the close: whatever is wrong with one loan stays with that loan."""
    try:
        before = folding.state_of(row, earnings.lines_of(earned))
        step = close.advance(before, to)
        due_before = (row.next_due_on, row.next_due_minor) if row.next_due_on and not row.due_now_minor else None
        columns = folding.columns_of(step.loan, next_due=due_before)
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


# --- the books ---------------------------------------------------------------------------------------------------

EARNS = (("interest_accrued", "interest"), ("penalty_charged", "penalty"))


def _book_earned(first: UUID, end: UUID | None, groups: Sequence[earnings.Group], batch: Batch) -> None:
    """One entry for what all loans of a product and unit earned on the day by their lines."""
    entries, days = [], []
    groups = [group for group in groups if group.interest_minor or group.penalty_minor]
    for number, ((product, org_path), alike) in enumerate(
        groupby(groups, key=lambda group: (group.product, group.org_path))
    ):
        members = list(alike)
        day = EarnedDay(
            entry_id=new_id(), day=batch.booked_on, first_id=first, end_id=end, product=product, org_path=org_path,
            count=sum(group.count for group in members),
            interest_minor=sum(group.interest_minor for group in members),
            penalty_minor=sum(group.penalty_minor for group in members),
        )  # fmt: skip
        days.append(day)
        entries.append(
            ledger.NewEntry(
                id=day.entry_id,
                key=f"{batch.key}:earned:{number}",
                booked_on=batch.booked_on,
                effective_on=batch.booked_on,
                description=batch.description,
                transfers=ledger.merged(transfer for group in members for transfer in _transfers(group)),
                details_digest=folding.digest_of([folding.earned_day_text_of(day)]),
            )
        )
    if entries:
        ledger.post_many(entries=entries)
        EarnedDay.objects.bulk_create(days)


def _transfers(group: earnings.Group) -> Iterator[ledger.NewTransfer]:
    for (kind, component), amount in zip(EARNS, (group.interest_minor, group.penalty_minor), strict=True):
        if amount:
            debit, credit = books.posting(kind, component)
            yield ledger.NewTransfer(
                debit=debit, credit=credit, amount_minor=amount, branch=group.org_path, product=group.product,
                merchant=group.merchant, funder=group.funder,
            )  # fmt: skip


def _write_books(closed: Sequence[Closed], batch: Batch, times: int) -> None:
    """Movements as rows, and one entry for all that share day, product and branch."""
    groups: dict[tuple[date, date, str, str], list[tuple[Closed, Movement]]] = {}
    for done in closed:
        for movement in done.movements:
            booked_on = max(batch.booked_on, movement.effective_on)
            group = (booked_on, movement.effective_on, done.row.product, done.row.org_path)
            groups.setdefault(group, []).append((done, movement))
    entries, lines = [], []
    for number, (group, members) in enumerate(sorted(groups.items(), key=lambda item: item[0])):
        entry_id = new_id()
        rows = [(new_id(), done.row.pk, None, group[0], m.effective_on, *m[:5]) for done, m in members]
        digest = folding.digest_of([folding.movement_text(*row) for row in rows])
        entries.append(_entry(batch, f"{times}.{number}", group, members, entry_id, digest))
        lines += [(*row, entry_id) for row in rows]
    if entries:
        ledger.post_many(entries=entries)
        _copy_movements(lines)


def _entry(
    batch: Batch, number: str, group: tuple[date, date, str, str], members: Iterable[tuple[Closed, Movement]],
    entry_id: UUID, digest: str,
) -> ledger.NewEntry:  # fmt: skip
    sums: dict[tuple[str, ...], int] = {}
    for done, movement in members:
        alike = books.entry(movement)
        where = (alike.debit, alike.credit, done.row.org_path, done.row.product, done.row.merchant, done.row.funder)
        sums[where] = sums.get(where, 0) + alike.amount_minor
    transfers = [
        ledger.NewTransfer(debit=debit, credit=credit, amount_minor=amount, branch=branch, product=product,
                           merchant=merchant, funder=funder)
        for (debit, credit, branch, product, merchant, funder), amount in sorted(sums.items())
    ]  # fmt: skip
    return ledger.NewEntry(
        id=entry_id,
        key=f"{batch.key}:{number}",
        booked_on=group[0],
        effective_on=group[1],
        description=batch.description,
        transfers=transfers,
        cites=f"date:{group[1]}" if group[1] < batch.booked_on else "",
        details_digest=digest,
    )


MOVEMENT_COLUMNS = (
    "id, loan_id, event_id, booked_on, effective_on, kind, component, fee_kind, tax_kind, amount_minor, entry_id"
)
MOVEMENT_TABLE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS close_movement (id uuid, loan_id uuid, event_id uuid, booked_on date, "
    "effective_on date, kind text, component text, fee_kind text, tax_kind text, amount_minor bigint, entry_id uuid) "
    "ON COMMIT DELETE ROWS"
)


def _copy_movements(lines: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MOVEMENT_TABLE)
        cursor.execute("DELETE FROM pg_temp.close_movement")  # a second time in one transaction
        with cursor.copy(f"COPY pg_temp.close_movement ({MOVEMENT_COLUMNS}) FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)
        cursor.execute(
            f"INSERT INTO servicing_loanmovement (institution_id, {MOVEMENT_COLUMNS}) "  # noqa: S608 (our own names)
            f"SELECT %s, {MOVEMENT_COLUMNS} FROM pg_temp.close_movement",
            [tenancy.current_id()],
        )


# --- the loans ---------------------------------------------------------------------------------------------------

# standing column -> its type in the temporary table
UPDATED = {
    "checkpoint": "jsonb", "checkpoint_on": "date", "status": "text", "principal_minor": "bigint",
    "interest_minor": "bigint", "fee_minor": "bigint", "penalty_minor": "bigint", "tax_minor": "bigint",
    "unapplied_minor": "bigint", "due_now_minor": "bigint", "past_due_minor": "bigint", "next_due_on": "date",
    "next_due_minor": "bigint", "days_past_due": "integer", "bucket": "text", "extension_count": "integer",
    "loan_class": "text", "disbursed_on": "date", "closed_on": "date", "max_days_past_due": "integer",
}  # fmt: skip


WORTH_ANALYZING = 200  # loans; for fewer any plan is good, and statistics cost more than they bring


def _write_loans(closed: Sequence[Closed]) -> None:
    if not closed:
        return
    names, values = ", ".join(UPDATED), ", ".join(f"t.{name}" for name in UPDATED)
    with connection.cursor() as cursor:
        columns = ", ".join(f"{name} {kind}" for name, kind in UPDATED.items())
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS close_loan (id uuid, {columns}) ON COMMIT DELETE ROWS")
        cursor.execute("DELETE FROM pg_temp.close_loan")  # a second time in one transaction
        with cursor.copy(f"COPY pg_temp.close_loan (id, {names}) FROM STDIN") as copy:
            for line in _loan_lines(closed):
                copy.write_row(line)
        if len(closed) >= WORTH_ANALYZING:
            cursor.execute("ANALYZE pg_temp.close_loan")
        cursor.execute(
            f"UPDATE servicing_loan AS l SET ({names}, close_problem) = ({values}, '') "  # noqa: S608 (our own names)
            "FROM pg_temp.close_loan AS t WHERE l.institution_id = %s AND l.id = t.id",
            [tenancy.current_id()],
        )


def _loan_lines(closed: Iterable[Closed]) -> Iterator[tuple[Any, ...]]:
    for done in closed:
        values = done.columns | {
            "checkpoint": json.dumps(done.columns["checkpoint"], ensure_ascii=False),
            "max_days_past_due": max(done.row.max_days_past_due, done.columns["days_past_due"]),
        }
        yield (done.row.pk, *(values[name] for name in UPDATED))


def _write_statuses(closed: Iterable[Closed], batch: Batch) -> None:
    """Few loans come into another status on a day."""
    StatusChange.objects.bulk_create(
        [
            row
            for done in closed
            for row in statuses.rows_of(done.row, statuses.between(done.before, done.after), batch.booked_on)
        ]
    )


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
