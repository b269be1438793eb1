"""Movements: changes of one balance each, in loan words; the balances that are no debt, and the contra balances, which
move with the debt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import NamedTuple


class Movement(NamedTuple):
    """A change of one balance, in loan words. A positive amount makes the balance larger."""

    kind: str
    component: str  # principal, interest, fee, penalty, tax, or one of NOT_OWED
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
SUSPENDED = "suspended"  # so much of what is owed is not income yet: the loan is on non-accrual
FROM_BUYER = "from_buyer"  # who bought the debt owes us: its price, or money that we sent on and that was returned
TO_BUYER = "to_buyer"  # we owe who bought the debt: money that came for it since
DEFERRED = "deferred"  # ours, but not earned yet
NOT_OWED = frozenset({UNAPPLIED, CHARGED_OFF, SUSPENDED, DEFERRED, FROM_BUYER, TO_BUYER})
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


# --- contra balances: so much of the debt does not count as ours any more, or is no income yet ----------------------

CONTRA_RULES = {CHARGED_OFF: "charge_off", SUSPENDED: "non_accrual"}  # and the rule by which each moves

# A price for time is no income while the loan is on non-accrual; a fee is for something done, and a tax was never ours.
NOT_INCOME = frozenset({"interest", "penalty"})
LOST: Mapping[str, str] = {  # what the contra movement is called, where the debt moves by this
    "interest_accrued": "interest_suspended",
    "fee_charged": "fee_suspended",
    "fee_capitalised": "fee_suspended",
    "penalty_charged": "penalty_suspended",
    "allocated": "loss_recovered",
    "sold": "sold",  # the debt and what of it does not count meet: all of the price is gained
}
# where what is given up, or sold, was no income
NO_EXPENSE = frozenset({"waived", "remainder_forgiven", "written_off", "sold"})


def contra_movement(movement: Movement, balance: str) -> Movement | None:
    """The movement of a contra balance that goes with one of the debt; None where it is not about that part of the
    debt, or where there is no contra balance ("")."""
    if balance == CHARGED_OFF and movement.component not in NOT_OWED:
        kind = LOST.get(movement.kind, "charged_off")
    elif balance == SUSPENDED and movement.component in NOT_INCOME:
        kind = movement.kind if movement.kind in NO_EXPENSE else f"{movement.component}_suspended"
    else:
        return None
    return change(kind, balance, movement.amount_minor, movement.effective_on)
