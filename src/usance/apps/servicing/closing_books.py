"""What one part of a close books: movements as rows, and one entry for all that share day, product and branch; for what
loans earn by their lines one entry for each product and branch. Written together, at the end of the part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.institutions.rows import json_rows, recordset
from usance.apps.ledger import services as ledger
from usance.apps.servicing import earnings, folding
from usance.apps.servicing.models import EarnedDay, Loan
from usance.core.accounting import books
from usance.core.loan.movements import Movement

EARNS = (("interest_accrued", "interest"), ("penalty_charged", "penalty"))
MOVED = {
    "id": "uuid", "loan_id": "uuid", "event_id": "uuid", "booked_on": "date", "effective_on": "date", "kind": "text",
    "component": "text", "fee_kind": "text", "tax_kind": "text", "amount_minor": "bigint", "entry_id": "uuid",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How far to go, on which day to book it, and the beginning of the entries' keys."""

    to: date
    booked_on: date
    key: str
    description: str
    at: datetime


class Folded(Protocol):
    """A loan that was folded: its row, and what moved."""

    @property
    def row(self) -> Loan: ...

    @property
    def movements(self) -> tuple[Movement, ...]: ...


Alike = tuple[date, date, str, str]  # booked on, effective on, product, branch


class Books:
    """Collects what is to be booked, and writes it."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.moved: dict[Alike, list[tuple[Loan, Movement]]] = {}
        self.entries: list[ledger.NewEntry] = []
        self.days: list[EarnedDay] = []

    def add(self, folded: Folded) -> None:
        """What a loan moved."""
        for movement in folded.movements:
            booked_on = max(self.batch.booked_on, movement.effective_on)
            alike = (booked_on, movement.effective_on, folded.row.product, folded.row.org_path)
            self.moved.setdefault(alike, []).append((folded.row, movement))

    def add_earned(self, first: UUID, end: UUID | None, groups: Sequence[earnings.Group]) -> None:
        """What all loans of a product and unit earned on the day by their lines, with ids in [first, end)."""
        earning = [group for group in groups if group.interest_minor or group.penalty_minor]
        for (product, org_path), alike in groupby(earning, key=lambda group: (group.product, group.org_path)):
            members = list(alike)
            day = EarnedDay(
                entry_id=new_id(), day=self.batch.booked_on, first_id=first, end_id=end, product=product,
                org_path=org_path, count=sum(group.count for group in members),
                interest_minor=sum(group.interest_minor for group in members),
                penalty_minor=sum(group.penalty_minor for group in members),
            )  # fmt: skip
            self.entries.append(
                ledger.NewEntry(
                    id=day.entry_id,
                    key=f"{self.batch.key}:earned:{len(self.days)}",
                    booked_on=self.batch.booked_on,
                    effective_on=self.batch.booked_on,
                    description=self.batch.description,
                    transfers=ledger.merged(transfer for group in members for transfer in _earned(group)),
                    details_digest=folding.digest_of([folding.earned_day_text_of(day)]),
                )
            )
            self.days.append(day)

    def write(self) -> None:
        """Entries first: the rows that they carry refer to them."""
        lines: list[tuple[Any, ...]] = []
        for number, (alike, members) in enumerate(sorted(self.moved.items(), key=lambda item: item[0])):
            entry_id, (booked_on, effective_on) = new_id(), map(date.isoformat, alike[:2])
            # ids and dates as text, as they are told: a close writes these by the million
            rows = [(str(new_id()), str(row.pk), None, booked_on, effective_on, *m[:5]) for row, m in members]
            digest = folding.digest_of([folding.movement_text(*row) for row in rows])
            self.entries.append(_entry(self.batch, number, alike, members, entry_id, digest))
            entry = str(entry_id)
            lines += [(*row, entry) for row in rows]
        if self.entries:
            ledger.post_many(entries=self.entries)
            EarnedDay.objects.bulk_create(self.days)
            _write_movements(lines)


def _earned(group: earnings.Group) -> Iterator[ledger.NewTransfer]:
    for (kind, component), amount in zip(EARNS, (group.interest_minor, group.penalty_minor), strict=True):
        if amount:
            debit, credit = books.posting(kind, component)
            yield ledger.NewTransfer(
                debit=debit, credit=credit, amount_minor=amount, branch=group.org_path, product=group.product,
                merchant=group.merchant, funder=group.funder,
            )  # fmt: skip


def _entry(
    batch: Batch, number: int, alike: Alike, members: Sequence[tuple[Loan, Movement]], entry_id: UUID, digest: str
) -> ledger.NewEntry:
    sums: dict[tuple[str, ...], int] = {}
    for row, movement in members:
        posted = books.entry(movement)
        where = (posted.debit, posted.credit, row.org_path, row.product, row.merchant, row.funder)
        sums[where] = sums.get(where, 0) + posted.amount_minor
    transfers = [
        ledger.NewTransfer(debit=debit, credit=credit, amount_minor=amount, branch=branch, product=product,
                           merchant=merchant, funder=funder)
        for (debit, credit, branch, product, merchant, funder), amount in sorted(sums.items())
    ]  # fmt: skip
    booked_on, effective_on = alike[:2]
    return ledger.NewEntry(
        id=entry_id,
        key=f"{batch.key}:{number}",
        booked_on=booked_on,
        effective_on=effective_on,
        description=batch.description,
        transfers=transfers,
        cites=f"date:{effective_on}" if effective_on < batch.booked_on else "",
        details_digest=digest,
    )


def _write_movements(lines: Sequence[tuple[Any, ...]]) -> None:
    names = ", ".join(MOVED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO servicing_loanmovement (institution_id, {names}) "  # noqa: S608 (our own names)
            f"SELECT %(institution)s, {names} FROM {recordset(MOVED)}",
            {"rows": json_rows(MOVED, lines), "institution": tenancy.current_id()},
        )
