"""The interest that goes back with a part of the money: each night counts once, the last one too, and never more than
was borne."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from usance.core.loan import replay
from usance.core.loan.events import Approved, Credited, Disbursed, Event, Respread
from usance.core.loan.terms import Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate

START, DUE, LATER = date(2024, 1, 1), date(2024, 2, 1), date(2024, 2, 20)
TERMS = Terms(
    currency=Currency("EUR", 2),
    principal_minor=100_000,
    plan=Plan(kind="equal_instalments", count=6, every=1, unit="months"),
    rates=(RateStep(from_day=0, rate=Rate(Fraction("0.365"), "year")),),  # a thousandth of a day
)
BEGUN = (
    Approved(effective_on=START, source="approved"),
    Disbursed(effective_on=START, source="disbursed", amount_minor=100_000),
)
SPREAD = Respread(effective_on=date(2024, 1, 16), source="spread", start_on=date(2024, 3, 1), count=4)


@pytest.mark.parametrize(
    ("between", "on", "amount", "back"),
    [
        ((), date(2024, 1, 11), 40_000, 400),  # ten nights
        ((), DUE, 40_000, 31 * 40),  # until the due date
        ((SPREAD,), LATER, 40_000, 50 * 40),  # the first half of January is in a bill and in the running period
        ((), date(2024, 1, 11), 250_000, 1_000),  # more than there ever was
    ],
)
def test_so_much_interest_goes_back(between: tuple[Event, ...], on: date, amount: int, back: int) -> None:
    credit = Credited(effective_on=on, source="z", amount_minor=amount, reason="merchant_refund", interest_too=True)
    step = replay.replay(TERMS, [*BEGUN, *between, credit], on)
    given = [move.amount_minor for move in step.movements if move.kind == "credit_given"]
    assert given == [back]
