"""The instalment of loans that a marketplace lender made: amount, yearly rate and months; rounded up to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from usance.core.loan import quote
from usance.core.loan.terms import Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.workflows.cases.verdicts import Cell

DOLLAR = Currency("USD", 2)


def judge(row: Mapping[str, Any]) -> list[Cell]:
    """The regular instalment. That of a loan with a balance below the level at its end is not in the register."""
    terms = Terms(
        currency=DOLLAR,
        principal_minor=DOLLAR.minor(row["loan_amount"]),
        plan=Plan(kind="equal_instalments", count=int(row["term"]), every=1, unit="months"),
        rates=(RateStep(from_day=0, rate=Rate(Fraction(row["interest_rate"]) / 100, "year")),),
        day_count="same_as_period",
        rounding="up",
        levelling="none",
    )
    expected = DOLLAR.text(DOLLAR.minor(row["installment"]))
    return [Cell("installment", expected, DOLLAR.text(quote.level(terms, date(2018, 1, 1))))]
