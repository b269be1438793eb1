"""What a step of the fold tells: balance changes, facts, and lines of an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, NamedTuple


class Movement(NamedTuple):
    """A change of one balance, in loan words. A positive amount makes the balance larger."""

    kind: str
    component: str  # principal, interest, fee, penalty, tax, unapplied
    fee_kind: str
    tax_kind: str
    amount_minor: int
    effective_on: date

    @property
    def balance(self) -> str:
        """The name of the balance it changes."""
        if self.component == "fee":
            return f"fee:{self.fee_kind}"
        return f"tax:{self.tax_kind}" if self.component == "tax" else self.component


UNAPPLIED = "unapplied"
CHARGED_OFF = "charged_off"  # so much of what is owed does not count as an asset of ours any more
DEFERRED = "deferred"  # ours, but not earned yet
NOT_OWED = frozenset({UNAPPLIED, CHARGED_OFF, DEFERRED})
TAKES_FROM_UNAPPLIED = frozenset({"allocated"})


def effects(movement: Movement) -> tuple[tuple[str, int], ...]:
    """Every balance that a movement changes, and by how much: an allocation also takes its amount out of the unapplied
    funds."""
    changed = movement.balance, movement.amount_minor
    if movement.kind in TAKES_FROM_UNAPPLIED:
        return changed, (UNAPPLIED, movement.amount_minor)
    return (changed,)


def change(kind: str, balance: str, amount_minor: int, on: date) -> Movement:
    """The movement of `balance` ("fee:service") by an amount."""
    component, fee_kind, tax_kind = _parts_of(balance)
    return Movement(kind, component, fee_kind, tax_kind, amount_minor, on)


@cache  # there are as many as kinds of fees and taxes
def _parts_of(balance: str) -> tuple[str, str, str]:
    component, _, name = balance.partition(":")
    return component, name if component == "fee" else "", name if component == "tax" else ""


# what is owed and does not count any more changes with the debt itself: by what the books call the one for the other
BESIDE: Mapping[str, str] = {
    "interest_accrued": "interest_suspended",
    "fee_charged": "fee_suspended",
    "fee_capitalised": "fee_suspended",
    "penalty_charged": "penalty_suspended",
    "allocated": "loss_recovered",
}


def beside(movement: Movement) -> Movement:
    """The movement of the balance `charged_off` that goes with one of a debt that was charged off."""
    kind = BESIDE.get(movement.kind, "charged_off")
    return change(kind, CHARGED_OFF, movement.amount_minor, movement.effective_on)


class Fact(NamedTuple):
    """Something that became true, derived by the engine and worth telling (a message, a task, a status)."""

    kind: str
    on: date
    details: Mapping[str, Any] = {}


class Line(NamedTuple):
    """One line of an explanation: how so much of a balance came about."""

    balance: str
    starts_on: date
    ends_on: date  # exclusive for accruals; equal to starts_on for what happened at one moment
    amount_minor: int
    rule: str
    formula: str
    inputs: Mapping[str, Any]
    event: str  # the source of the event, "" for what follows from a date
