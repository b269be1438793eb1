"""Frozen values to JSON and back, or refused."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.loans import APPROVED, on, terms
from usance.core import values
from usance.core.loan import checkpoint, events, state
from usance.core.loan.terms import Fee, Penalty, Plan, Terms, TermsRefused
from usance.core.rates import Rate
from usance.core.values import UnreadableValue


@given(st.fractions())
def test_ratio_text_is_exact(exact: Fraction) -> None:
    assert Fraction(values.ratio_text(exact)) == exact


@pytest.mark.parametrize(
    ("exact", "text"),
    [
        ("1/100", "0.01"),
        ("1/3", "1/3"),
        ("-5/2", "-2.5"),
        ("7", "7"),
        ("0", "0"),
        ("1/8", "0.125"),
        ("-1/40", "-0.025"),
    ],
)
def test_ratio_text_is_plain(exact: str, text: str) -> None:
    assert values.ratio_text(Fraction(exact)) == text


def test_an_event_in_json() -> None:
    event = events.RateChanged(rate=Rate(Fraction("0.005"), "day"), **on(3, "desk:17"))
    assert event.to_json() == {
        "kind": "RateChanged",
        "version": 1,
        "effective_on": "2026-01-04",
        "source": "desk:17",
        "rate": {"share": "0.005", "per": "day"},
    }
    assert events.from_json(event.to_json()) == event


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "Teleported"},
        {"version": 2},
        {"version": None},
        {"amount_minor": 5},
        {"effective_on": 20260101},
        {"effective_on": "yesterday"},
    ],
)
def test_an_unknown_event_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(UnreadableValue):
        events.from_json({**APPROVED.to_json(), **changed})


def test_a_missing_field_is_refused() -> None:
    with pytest.raises(UnreadableValue, match="missing"):
        events.from_json({"kind": "Approved", "version": 1, "source": "a"})


def test_true_is_not_a_number() -> None:
    with pytest.raises(UnreadableValue):
        values.decode(int, True)


def test_a_checkpoint_of_another_version_is_refused() -> None:
    stored = checkpoint.to_json(state.new(terms(), date(2026, 1, 1)))
    assert json.loads(json.dumps(stored)) == stored
    with pytest.raises(UnreadableValue, match="^loan of schema version 1$"):
        checkpoint.from_json({**stored, "version": 1}, terms())
    with pytest.raises(UnreadableValue, match="^terms of schema version None$"):
        Terms.from_json({})
    with pytest.raises(UnreadableValue, match="^event of kind 'Approved', version 2$"):
        events.from_json({**APPROVED.to_json(), "version": 2})


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"principal_minor": 0}, "principal_minor"),
        ({"day_count": "lunar"}, "day_count"),
        ({"rates": ()}, "rates"),
        ({"level_multiple_minor": 0}, "level_multiple_minor"),
        ({"apr_times": "moons"}, "apr_times"),
        ({"default_after_days": 0}, "default_after_days"),
        ({"forgive_under_minor": -1}, "forgive_under_minor"),
        ({"fees": (Fee(kind="a", when="deducted", share=Fraction(1)),)}, "fees"),
        ({"fees": (Fee(kind="a", when="deducted"), Fee(kind="a", when="on_request"))}, "fees"),
    ],
)
def test_terms_that_cannot_be_are_refused(changed: dict[str, object], field: str) -> None:
    with pytest.raises(TermsRefused) as refusal:
        terms(**changed)
    assert refusal.value.field == field


def test_parts_of_terms_that_cannot_be_are_refused() -> None:
    for make in (
        lambda: Plan(kind="single_payment", count=2, every=1),
        lambda: Plan(kind="equal_instalments", count=0, every=1),
        lambda: Plan(kind="equal_instalments", count=1, every=0),
        lambda: Plan(kind="equal_instalments", count=1, every=1, unit="fortnights"),
        lambda: Fee(kind="no good", when="deducted"),
        lambda: Fee(kind="good", when="whenever"),
        lambda: Fee(kind="good", when="deducted", flat_minor=-1),
        lambda: Penalty(rule="harsh"),
        lambda: Penalty(rule="flat_per_miss", grace_days=-1),
    ):
        with pytest.raises(TermsRefused):
            make()


def test_terms_survive_storage_as_text() -> None:
    stored = json.dumps(terms().to_json())
    assert Terms.from_json(json.loads(stored)) == terms()
    assert '"share": "0.01"' in stored
