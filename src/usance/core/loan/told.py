"""What a step of the fold tells: balance changes, facts, and lines of an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from usance.core.loan.records import Accrued
from usance.core.loan.terms import Terms
from usance.core.values import ratio_text


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


# What does not count any more, or is no income yet, changes with the debt that it is about, by what the books call the
# one for the other. A price for time is no income while the loan is on non-accrual; a fee is for something done, and a
# tax was never ours.
NOT_INCOME = frozenset({"interest", "penalty"})
LOST: Mapping[str, str] = {
    "interest_accrued": "interest_suspended",
    "fee_charged": "fee_suspended",
    "fee_capitalised": "fee_suspended",
    "penalty_charged": "penalty_suspended",
    "allocated": "loss_recovered",
    "sold": "sold",  # the debt and what of it does not count meet: all of the price is gained
}
# where what is given up, or sold, was no income
NO_EXPENSE = frozenset({"waived", "remainder_forgiven", "written_off", "sold"})


def beside(movement: Movement, balance: str) -> Movement | None:
    """The movement of the balance `charged_off` or `suspended` that goes with one of the debt; None where that is not
    about it, or where nothing stands beside the debt."""
    if balance == CHARGED_OFF and movement.component not in NOT_OWED:
        kind = LOST.get(movement.kind, "charged_off")
    elif balance == SUSPENDED and movement.component in NOT_INCOME:
        kind = movement.kind if movement.kind in NO_EXPENSE else f"{movement.component}_suspended"
    else:
        return None
    return change(kind, balance, movement.amount_minor, movement.effective_on)


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


Told = tuple[str, dict[str, Any]]  # a formula, and its inputs


class Price(NamedTuple):
    """`share` of a balance for each `per`."""

    share: Fraction
    per: str


def accrual_told(
    terms: Terms, since: date, until: date, base: int, price: Price, before: Accrued, after: Accrued, earned: Fraction
) -> Told:
    """Formula and inputs of a span of days."""
    text, days = terms.currency.text, (until - since).days
    capped = before.exact + earned != after.exact
    formula = f"{text(base)} x {ratio_text(price.share)} per {price.per} x {days} days"
    if capped:
        formula += f", up to the cap of {text(after.posted - before.posted)}"
    return formula, {
        "base_minor": base,
        "share": price.share,
        "per": price.per,
        "days": days,
        "day_count": terms.day_count,
        "earned": earned,
        "rounding": terms.rounding,
        "carried_before": before.exact,
        "carried_after": after.exact,
        "posted_before": before.posted,
        "capped": capped,
    }
