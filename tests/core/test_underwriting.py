"""Findings to a decision."""

from __future__ import annotations

from fractions import Fraction

from usance.core.underwriting import decision
from usance.core.underwriting.decision import Finding, Reason

YOUNG, BLACKLISTED, UNCLEAR = (
    Reason(code="too_young"),
    Reason(code="blacklisted", may_tell=False),
    Reason(code="unclear"),
)


def test_nothing_found_approves_what_was_asked() -> None:
    made = decision.decide([], requested_minor=500)
    assert (made.outcome, made.limit_minor, made.reasons) == ("approve", 500, ())


def test_the_severest_finding_decides_and_its_reasons_are_given() -> None:
    made = decision.decide(
        [
            Finding(outcome="refer", reason=UNCLEAR),
            Finding(outcome="decline", reason=YOUNG),
            Finding(outcome="decline", reason=BLACKLISTED),
            Finding(outcome="decline", reason=YOUNG),
        ],
        requested_minor=500,
    )
    assert made.outcome == "decline"
    assert made.limit_minor == 0
    assert made.reasons == (YOUNG, BLACKLISTED)
    assert made.told == (YOUNG,)


def test_the_lowest_limit_holds() -> None:
    found = [Finding(outcome="approve", limit_minor=300), Finding(outcome="refer", reason=UNCLEAR, limit_minor=400)]
    made = decision.decide(found, requested_minor=500)
    assert (made.outcome, made.limit_minor) == ("refer", 300)


def test_features() -> None:
    assert decision.instalment_to_income(250, 1000) == Fraction(1, 4)
    assert decision.instalment_to_income(250, None) is None
    assert decision.instalment_to_income(250, 0) is None
    assert decision.share_of_limit_used(50, 200) == Fraction(1, 4)
    assert decision.share_of_limit_used(50, 0) is None
