"""Currencies, rounding and splits."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.core import money
from usance.core.money import Currency


@pytest.mark.parametrize(
    ("code", "digits", "major", "minor", "text"),
    [
        ("VND", 0, "5000000", 5_000_000, "5000000"),
        ("UAH", 2, "12.5", 1250, "12.50"),
        ("UAH", 2, "-0.05", -5, "-0.05"),
        ("KWD", 3, "0.001", 1, "0.001"),
    ],
)
def test_minor_units_and_text(code: str, digits: int, major: str, minor: int, text: str) -> None:
    currency = Currency(code, digits)
    assert currency.minor(major) == minor
    assert currency.text(minor) == text


def test_more_digits_than_the_currency_has_are_refused() -> None:
    with pytest.raises(ValueError, match="more digits"):
        Currency("VND", 0).minor("0.5")


@pytest.mark.parametrize(("code", "digits"), [("uah", 2), ("UA", 2), ("UAH", 4), ("UAH", -1)])
def test_no_such_currency(code: str, digits: int) -> None:
    with pytest.raises(ValueError, match="currency"):
        Currency(code, digits)


@given(st.fractions(), st.sampled_from(sorted(money.ROUNDINGS)))
def test_rounding_stays_within_one(exact: Fraction, rule: str) -> None:
    assert abs(money.rounded(exact, rule) - exact) < 1
    assert money.rounded(-exact, rule) == -money.rounded(exact, rule)


def test_rounding_to_a_multiple() -> None:
    assert money.rounded_to(Fraction(1_234_567), 1000, "half_up") == 1_235_000


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_a_split_loses_nothing(amount: int, weights: list[int]) -> None:
    if sum(weights) == 0:
        with pytest.raises(ValueError, match="weights"):
            money.split(amount, weights)
        return
    parts = money.split(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1


def test_the_earlier_part_gets_the_odd_unit() -> None:
    assert money.split(100, [1, 1, 1]) == [34, 33, 33]
