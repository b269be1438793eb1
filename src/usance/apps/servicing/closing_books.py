"""What one part of a close books: movements as rows, and one entry for all that share day, product and branch; for what
loans earn by their lines one entry for each product and branch. Written together, at the end of the part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.ledger import services as ledger
from usance.apps.servicing import earnings, folding
from usance.apps.servicing.models import EarnedDay
from usance.apps.servicing.passing import Passed
from usance.core.accounting import books

EARNS = (("interest_accrued", "interest"), ("penalty_charged", "penalty"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How far to go, on which day to book it, and the beginning of the entries' keys."""

    to: date
    booked_on: date
    key: str
    description: str
    at: datetime


class Alike(NamedTuple):
    """What the movements of one entry share; days as ISO text."""

    booked_on: str
    effective_on: str
    product: str
    org_path: str


@dataclass(slots=True)
class Carried:
    """What one entry carries: the texts of movements, and what the books see of them together."""

    texts: list[str] = field(default_factory=list)
    sums: dict[tuple[str, str, str, str], int] = field(default_factory=dict)  # debit, credit, merchant, funder


class Books:
    """Collects what is to be booked, and writes it."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.moved: dict[Alike, Carried] = {}
        self.entries: list[ledger.NewEntry] = []
        self.days: list[EarnedDay] = []

    def add(self, passed: Passed) -> None:
        """What a loan moved."""
        for text, booked_on, effective_on, debit, credit, amount_minor in passed.moved:
            alike = Alike(booked_on, effective_on, passed.product, passed.org_path)
            carried = self.moved.get(alike) or self.moved.setdefault(alike, Carried())
            carried.texts.append(text)
            where = (debit, credit, passed.merchant, passed.funder)
            carried.sums[where] = carried.sums.get(where, 0) + amount_minor

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
        lines: list[str] = []
        for number, (alike, carried) in enumerate(sorted(self.moved.items(), key=lambda item: item[0])):
            entry = _entry(self.batch, f"{self.batch.key}:{number}", alike, carried)
            self.entries.append(entry)
            lines += [f"{text}|{entry.id}" for text in carried.texts]
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


def _entry(batch: Batch, key: str, alike: Alike, carried: Carried) -> ledger.NewEntry:
    booked_on, effective_on = map(date.fromisoformat, alike[:2])
    transfers = [
        ledger.NewTransfer(debit=debit, credit=credit, amount_minor=amount, branch=alike.org_path,
                           product=alike.product, merchant=merchant, funder=funder)
        for (debit, credit, merchant, funder), amount in sorted(carried.sums.items())
    ]  # fmt: skip
    return ledger.NewEntry(
        id=new_id(),
        key=key,
        booked_on=booked_on,
        effective_on=effective_on,
        description=batch.description,
        transfers=transfers,
        cites=f"date:{effective_on}" if effective_on < batch.booked_on else "",
        details_digest=folding.digest_of(carried.texts),
    )


COLUMNS = {**folding.FROM_MOVEMENT_TEXT, "entry_id": "m[11]::uuid"}


def _write_movements(lines: Sequence[str]) -> None:
    """As the very text that their entries are hashed over, each with the id of its entry."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO servicing_loanmovement (institution_id, {', '.join(COLUMNS)}) "  # noqa: S608 (our own)
            f"SELECT %(institution)s, {', '.join(COLUMNS.values())} "
            "FROM string_to_table(%(lines)s, E'\\n') AS line, string_to_array(line, '|') AS m",
            {"lines": "\n".join(lines), "institution": tenancy.current_id()},
        )
