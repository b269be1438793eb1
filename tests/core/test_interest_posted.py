"""All interest that is ever charged is posted by one function: inside the cap on the cost, counted, and taxed."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

from tests.core.loans import APPROVED, DISBURSED, START, on, terms
from usance.core.loan import close, events, quiet, replay
from usance.core.loan.book import Step
from usance.core.loan.records import Accrued
from usance.core.loan.terms import Penalty, Plan, RateStep, Tax
from usance.core.rates import Rate


def monthly(count: int, rate: str = "0.12", **more: Any) -> dict[str, Any]:
    """1,000.00 in equal instalments by the month, with neither fees nor penalties."""
    said: dict[str, Any] = {
        "plan": Plan(kind="equal_instalments", count=count, every=1, unit="months"),
        "rates": (RateStep(from_day=0, rate=Rate(Fraction(rate), "year")),),
        "fees": (),
        "penalty": None,
    }
    return said | more


def lived(days: int, *more: events.Event, **agreed: Any) -> Step:
    return replay.replay(terms(**agreed), [APPROVED, DISBURSED, *more], START + timedelta(days=days))


def interest_of(step: Step) -> int:
    return sum(one.amount_minor for one in step.movements if one.kind == "interest_accrued")


def test_interest_that_is_owed_at_once_stays_inside_the_cap_on_the_cost() -> None:
    told = events.Respread(**on(5), interest="equal_full")
    step = lived(120, told, **monthly(3, "0.36", cost_cap_share=Fraction("0.01")))
    assert interest_of(step) == step.loan.charged_minor == 1000
    assert [fact.on for fact in step.facts if fact.kind == "cost_capped"] == [START + timedelta(days=5)]
    assert step.loan.balances == {"principal": 100_000, "interest": 1000}
    asked = [(bill.due.get("interest", 0), bill.due.get("principal", 0)) for bill in step.loan.bills[-3:]]
    assert asked == [(333, 33_333), (333, 33_333), (334, 33_334)]


def spread_on_day_60(**more: Any) -> Step:
    told = events.Respread(**on(60), start_on=START + timedelta(days=70), count=7, interest="equal_past")
    return lived(60, told, **monthly(7, "0.36", rounding="up", **more))


def test_what_equal_shares_round_up_is_interest_like_any_other() -> None:
    step = spread_on_day_60()
    assert interest_of(step) == step.loan.interest.posted == step.loan.charged_minor == 5922
    assert 0 <= step.loan.interest.posted - step.loan.interest.exact < 1


def test_what_equal_shares_round_up_bears_its_tax() -> None:
    step = spread_on_day_60(taxes=(Tax(kind="vat", share=Fraction("0.20"), on=("interest",)),))
    assert step.loan.balances["tax:vat"] == 1185  # 20 % of 59.22, rounded up


def test_what_equal_shares_round_up_stays_inside_the_cap_on_the_cost() -> None:
    step = spread_on_day_60(cost_cap_share=Fraction("0.0592"))
    assert interest_of(step) == step.loan.charged_minor == 5920


def test_nothing_is_earned_once_the_cap_is_used_up() -> None:
    """A cap of 0.01 at 0.109 % a year: reached on day 3, be the days closed one by one or at once."""
    low = {
        "plan": Plan(kind="single_payment", every=300, unit="days"),
        "rates": (RateStep(from_day=0, rate=Rate(Fraction("0.00109"), "year")),),
        "cost_cap_share": Fraction(1, 100_000),
    }
    step = lived(0, **monthly(1) | low)
    for day in (2, 3, 199, 299, 300):
        daily = close.advance(step.loan, START + timedelta(days=day)).loan
        assert close.advance(step.loan, daily.at, daily=False).loan == daily
        assert daily.interest == Accrued(Fraction(109 * min(day, 2), 365), min(day, 2) // 2)
        earned = quiet.earning(daily)
        rested = quiet.advance_by_lines(daily, earned.until - timedelta(days=1), earned.interest, earned.penalty)
        assert rested == close.advance(daily, earned.until - timedelta(days=1)).loan


def test_no_penalty_is_earned_once_its_cap_is_used_up() -> None:
    low = Penalty(rule="daily_on_past_due_principal", share=Fraction("0.000004"), cap_share=Fraction(1, 100_000))
    step = lived(32, **monthly(3) | {"penalty": low})
    for day in range(40, 59):
        daily = close.advance(step.loan, START + timedelta(days=day))
        assert close.advance(step.loan, daily.loan.at, daily=False).loan == daily.loan
        assert daily.loan.penalty.posted == 1
        assert daily.loan.penalty.exact < 2
