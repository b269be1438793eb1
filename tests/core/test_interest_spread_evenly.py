"""Interest that is the same in each instalment, when the rate or the debt changes within a period."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.core.loans import APPROVED, DISBURSED, START, on, terms
from usance.core.loan import events, replay, state
from usance.core.loan.terms import Drawdowns, Grace, Part, Plan, RateStep, Terms
from usance.core.rates import Rate

FLAT = {"interest_base": "original_principal"}
STANDS = {"early_payment": "in_turn"}
NO_INTEREST_IN_LEVEL = {"plan": Plan(kind="equal_principal", count=3, every=1, unit="months")}
DUE = (31, 59, 90)  # days after the money


def evenly(**more: Any) -> Terms:
    """1,000.00 over three months at 12 % a year, with neither fees nor penalties."""
    said: dict[str, Any] = {
        "plan": Plan(kind="equal_instalments", count=3, every=1, unit="months"),
        "rates": (RateStep(from_day=0, rate=Rate(Fraction("0.12"), "year")),),
        "fees": (),
        "penalty": None,
        "interest_spread": "evenly",
    }
    return terms(**said | more)


def rate(share: str, day: int) -> events.RateChanged:
    return events.RateChanged(**on(day, "rate"), rate=Rate(Fraction(share), "year"))


def asked(agreed: Terms, *more: events.Event) -> list[int]:
    """The interest of each instalment, all of them paid when due."""
    told: list[events.Event] = [APPROVED, DISBURSED, *more]
    for day in DUE:
        due = state.due_now(replay.replay(agreed, told, START + timedelta(days=day)).loan)
        told.append(events.PaymentReceived(**on(day, f"paid {day}"), amount_minor=due))
    loan = replay.replay(agreed, told, START + timedelta(days=90)).loan
    assert loan.status == "closed"
    return [bill.due.get("interest", 0) for bill in loan.bills]


ABOUT_NOTHING = {
    "another rate": rate("0.120001", 28),
    "another rate in the second month": rate("0.120001", 45),
    "a little more money": events.Disbursed(**on(28, "more"), amount_minor=100),
    "income that the borrower owes": events.IncomeDeferred(**on(28, "income"), amount_minor=100, owed_by="borrower"),
}


@pytest.mark.parametrize("kind", [{}, FLAT, NO_INTEREST_IN_LEVEL], ids=["on the balance", "flat", "equal principal"])
@pytest.mark.parametrize("early", [{}, STANDS], ids=["do not stand", "stand"])
@pytest.mark.parametrize("told", ABOUT_NOTHING.values(), ids=ABOUT_NOTHING)
def test_a_change_of_about_nothing_changes_about_nothing(
    told: events.Event, early: dict[str, Any], kind: dict[str, Any]
) -> None:
    agreed = evenly(**kind, **early)
    for before, after in zip(asked(agreed), asked(agreed, told), strict=True):
        assert abs(after - before) <= 2


@pytest.mark.parametrize("early", [{}, STANDS], ids=["do not stand", "stand"])
def test_another_rate_counts_from_its_day_on(early: dict[str, Any]) -> None:
    """Flat interest is what each night bears at its own rate, whenever it is asked for."""
    of_day = Fraction(100_000, 365)
    agreed = evenly(**FLAT, **early)
    assert abs(sum(asked(agreed, rate("0.24", 28))) - of_day * (28 * Fraction("0.12") + 62 * Fraction("0.24"))) < 1
    assert abs(sum(asked(agreed, rate("0.06", 45))) - of_day * (45 * Fraction("0.12") + 45 * Fraction("0.06"))) < 1
    assert abs(sum(asked(agreed, rate("0", 5))) - of_day * 5 * Fraction("0.12")) < 1


@pytest.mark.parametrize("kind", [{}, NO_INTEREST_IN_LEVEL], ids=["on the balance", "equal principal"])
def test_without_a_rate_no_more_is_asked_for_than_was_put_off(kind: dict[str, Any]) -> None:
    assert asked(evenly(**kind), rate("0", 5))[:2] == [161, 1]
    assert asked(evenly(**kind), rate("0", 50))[2] == 0  # the first two have asked for more than their nights


def test_a_promotion_that_is_over_is_paid_for_evenly() -> None:
    """A month for nothing, then two at 12 %: another rate as high changes nothing in what is still to come."""
    dear = RateStep(from_day=31, rate=Rate(Fraction("0.12"), "year"))
    agreed = evenly(**FLAT, rates=(RateStep(from_day=0, rate=Rate(Fraction(0), "year")), dear))
    assert asked(agreed) == asked(agreed, rate("0.120001", 40)) == [647, 646, 647]


def test_nights_without_interest_lower_it_once() -> None:
    """Where they are known before more money comes, and where it comes after them."""
    pause = events.InterestPaused(**on(10, "pause"), since=START + timedelta(days=40), until=START + timedelta(days=50))
    more = events.Disbursed(**on(15, "more"), amount_minor=100)
    alone, both = (sum(asked(evenly(**FLAT), pause, *others)) for others in ((), (more,)))
    assert abs(both - alone) <= 2


def test_an_interest_free_beginning_is_not_spread_over() -> None:
    """Two of three months bear interest: theirs is asked for, and no third of it lost."""
    agreed = evenly(**FLAT, grace=Grace(interest_free=1))
    assert asked(agreed) == [0, 970, 970]  # 59 days at 12 %


@pytest.mark.parametrize("kind", [FLAT, {}], ids=["flat", "on the balance"])
def test_money_that_counts_from_the_beginning_of_its_period_is_as_if_it_had_come_then(kind: dict[str, Any]) -> None:
    """The first month has 31 nights of 90, and asks for a third of the interest all the same: of later money too."""
    parts = Drawdowns(parts=(Part(after_days=0, share=Fraction(1)),), most=2, until_days=60, interest="whole_period")
    agreed = evenly(**kind, drawdowns=parts, principal_minor=150_000)
    later, at_once = (events.Disbursed(**on(day, "more"), amount_minor=50_000) for day in (14, 0))
    assert asked(agreed, later) == asked(agreed, at_once)


FREE = {"grace": Grace(interest_free=1)}
PAUSED = events.InterestPaused(since=START, until=START + timedelta(days=31), **on(0, "pause"))


@pytest.mark.parametrize("spread", ["evenly", "as_earned"])
@pytest.mark.parametrize(("agreed", "told"), [(FREE, []), ({}, [PAUSED])], ids=["free", "paused"])
def test_nor_does_it_bear_what_the_period_does_not(
    spread: str, agreed: dict[str, Any], told: list[events.Event]
) -> None:
    parts = Drawdowns(parts=(Part(after_days=0, share=Fraction(1)),), most=2, until_days=60, interest="whole_period")
    terms_ = evenly(**FLAT, **agreed, drawdowns=parts, principal_minor=150_000, interest_spread=spread)
    more = events.Disbursed(**on(14, "more"), amount_minor=50_000)
    assert asked(terms_, *told, more)[0] == 0
