"""The parts that a loan is made of: small immutable records."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

Record = TypeVar("Record", bound=tuple[Any, ...])


def quick(kind: type[Record]) -> type[Record]:
    """A NamedTuple whose `_replace` takes half the time: the fold makes some dozen of its records anew for each day on
    which something happens."""
    places = {name: place for place, name in enumerate(kind._fields)}  # type: ignore[attr-defined]

    def replaced(record: Record, **changes: Any) -> Record:
        fields = list(record)
        for name, item in changes.items():
            fields[places[name]] = item
        return tuple.__new__(kind, fields)

    kind._replace = replaced  # type: ignore[attr-defined]
    return kind


class Accrued(NamedTuple):
    """Earned since birth: exactly, and as far as posted in whole minor units."""

    exact: Fraction = Fraction(0)
    posted: int = 0


@quick
class Bill(NamedTuple):
    """An instalment that has fallen due, or that was paid whole before. `relieved` is what was forgiven, written off or
    sold."""

    number: int
    starts_on: date
    due_on: date
    due: Mapping[str, int]
    paid: Mapping[str, int] = {}
    relieved: Mapping[str, int] = {}
    early_minor: int = 0  # of what was paid, so much before the due date
    late_minor: int = 0  # and so much after it
    down_minor: int = 0  # of the principal asked for, what fell due as money was drawn

    @property
    def asked_minor(self) -> int:
        """What was still to be paid when it fell due."""
        return sum(self.due.values()) - self.early_minor

    @property
    def remaining(self) -> dict[str, int]:
        paid, relieved, left = self.paid, self.relieved, {}
        for key, amount in self.due.items():
            settled = paid.get(key, 0) + relieved.get(key, 0) if paid or relieved else 0
            if amount != settled:
                left[key] = amount - settled
        return left


@quick
class Ahead(NamedTuple):
    """What was paid, or forgiven, of an instalment before it fell due. Interest paid before it was earned is reserved:
    it stays among the unapplied funds until then."""

    paid: Mapping[str, int] = {}
    relieved: Mapping[str, int] = {}
    reserved_minor: int = 0

    def of(self, keys: Container[str]) -> int:
        """In all, of some balances."""
        return sum(amount for part in (self.paid, self.relieved) for key, amount in part.items() if key in keys)

    def there(self, key: str) -> int:
        """Of one balance, what is more than reserved: it counts for dated amounts."""
        return self.of((key,)) - (self.reserved_minor if key == "interest" else 0)


class Dated(NamedTuple):
    """A charge, or principal owed again, that falls due with the instalment of its day."""

    due_on: date
    balance: str
    amount_minor: int


# --- a loan in another system -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """So much of one balance ("principal", "fee:service", "unapplied", ...)."""

    balance: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OldBill:
    """An instalment that fell due in another system: what it asked for, and what of it was paid there."""

    due_on: date
    due: tuple[Held, ...]
    paid: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How a loan stood in another system. `level_minor`: its regular instalment, 0 where we are to compute it;
    `charged_minor`: all interest, fees and penalties charged so far, for a cap on the cost."""

    disbursed_on: date
    balances: tuple[Held, ...]
    bills: tuple[OldBill, ...] = ()
    level_minor: int = 0
    charged_minor: int = 0
