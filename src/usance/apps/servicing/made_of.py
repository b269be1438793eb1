"""From an entry of the books to the loans that made it up: the sums of its movements, by what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Case, Count, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Abs, Cast

from usance.apps.servicing.models import MovementLine
from usance.core.accounting import books


@dataclass(frozen=True, slots=True)
class Part:
    """The movements of one kind, balance and direction in an entry. `amount_minor` is above zero, as in the transfer
    from `credit` to `debit` (roles of core.accounting) that carries it."""

    kind: str
    component: str
    fee_kind: str
    tax_kind: str
    product: str
    lowers: bool  # the loans' balance became smaller
    loan_count: int
    movement_count: int
    amount_minor: int

    @property
    def code(self) -> str:
        """What stands for it in an address."""
        return ".".join((self.kind, self.component, self.fee_kind, self.tax_kind, "-" if self.lowers else "+"))

    @property
    def balance(self) -> str:
        kind = self.fee_kind or self.tax_kind
        return f"{self.component}:{kind}" if kind else self.component

    @property
    def roles(self) -> tuple[str, str]:
        """(debit, credit)."""
        debit, credit = books.posting(self.kind, self.component)
        return (credit, debit) if self.lowers else (debit, credit)


def parts_of_entry(*, entry_id: UUID, within: Q | None = None) -> list[Part]:
    """What an entry is made of: the amounts of the parts sum to its transfers, account by account. `within`: a
    condition on the movements."""
    names = ("kind", "component", "fee_kind", "tax_kind", "loan__product", "lowers")
    rows: Any = (
        MovementLine.objects.filter(within or Q(), entry_id=entry_id)
        .annotate(lowers=Case(When(amount_minor__lt=0, then=Value(True)), default=Value(False)))
        .values_list(*names)
        .annotate(
            loans=Count("loan_id", distinct=True),
            movements=Count("id"),
            total=Cast(Sum(Abs("amount_minor")), BigIntegerField()),
        )
        .order_by(*names)
    )
    return [Part(*row) for row in rows]


def movements_of_entry(*, entry_id: UUID, within: Q | None = None, part: str = "") -> QuerySet[MovementLine]:
    """The movements that an entry was made of, by loan; of one part, if it is named. Of an unknown part all."""
    found = MovementLine.objects.filter(within or Q(), entry_id=entry_id)
    named = part.split(".")
    if len(named) == 5 and named[4] in "+-":
        sign = Q(amount_minor__lt=0) if named[4] == "-" else Q(amount_minor__gt=0)
        found = found.filter(sign, **dict(zip(("kind", "component", "fee_kind", "tax_kind"), named, strict=False)))
    return found.select_related("loan").defer("loan__terms", "loan__checkpoint").order_by("loan__number", "id")
