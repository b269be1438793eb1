"""A plain loan for tests that are about something else."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from usance.core.loan import events, replay, state
from usance.core.loan.terms import Extension, Fee, Penalty, Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate

START = date(2026, 1, 1)


def terms(**more: Any) -> Terms:
    """1,000.00 UAH for 30 days at 1 % a day, unless said otherwise."""
    said: dict[str, Any] = {
        "currency": Currency("UAH", 2),
        "principal_minor": 100_000,
        "plan": Plan(kind="single_payment", every=30, unit="days"),
        "rates": (RateStep(from_day=0, rate=Rate(Fraction("0.01"), "day")),),
        "fees": (Fee(kind="service", when="on_request", flat_minor=1000),),
        "penalty": Penalty(rule="daily_on_past_due_principal", share=Fraction("0.01")),
        "extension": Extension(days_allowed=(7, 14), max_count=1),
    }
    return Terms(**said | more)


APPROVED = events.Approved(effective_on=START, source="approved")
DISBURSED = events.Disbursed(effective_on=START, source="disbursed", amount_minor=100_000)


def after(days: int, *more: events.Event, **changed: Any) -> state.Loan:
    """The loan so many days after its disbursement, with further events."""
    return replay.replay(terms(**changed), [APPROVED, DISBURSED, *more], START + timedelta(days=days)).loan


def on(day: int, source: str = "x") -> dict[str, Any]:
    return {"effective_on": START + timedelta(days=day), "source": source}
