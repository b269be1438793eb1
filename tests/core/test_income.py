"""Income that is earned over what is left of a loan: what its explanation says, line by line."""

from __future__ import annotations

from fractions import Fraction

from tests.core.loans import APPROVED, DISBURSED, on, terms
from usance.core.loan import events, quote

DEFERRED = events.IncomeDeferred(amount_minor=1_000, owed_by="third_party", **on(0, "income"))


def _lines(*more: events.Event, until: int) -> list[tuple[int, str]]:
    """Amount and rule of every line of the deferred balance but its beginning."""
    history = [APPROVED, DISBURSED, DEFERRED, *more]
    explained = quote.explain(terms(penalty=None), history, on(until)["effective_on"])
    return [(line.amount_minor, line.rule) for line in explained if line.balance == "deferred"][1:]


def test_income_that_had_been_earned_is_given_up_when_it_is_taken_back() -> None:
    """Of 1,000 half is earned in 15 of 30 days; taken back are 900, so of that half 400 were never earned."""
    back = events.IncomeTakenBack(amount_minor=900, income="income", owed_by="third_party", **on(15, "back"))
    assert _lines(back, until=16) == [(-500, "income.earned"), (-900, "income.deferred"), (400, "income.given_up")]


def test_what_has_no_days_left_is_earned_at_once() -> None:
    paid = events.PaymentReceived(amount_minor=200_000, **on(15, "paid"))
    assert _lines(paid, until=16) == [(-500, "income.earned"), (-500, "income.earned_at_once")]


def test_its_days_are_told_with_what_was_left() -> None:
    history = [APPROVED, DISBURSED, DEFERRED]
    explained = quote.explain(terms(penalty=None), history, on(12)["effective_on"])
    (earned,) = [line for line in explained if line.rule == "income.earned"]
    assert earned.inputs == {"days": 12, "days_left": 30, "before": Fraction(1_000)}
