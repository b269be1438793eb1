"""Figures, dates and numbers as people of each language write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from usance.web.components import Money
from usance.web.templatetags import formats
from usance.web.widgets import parse_number

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("language", "minor", "currency", "shown"),
    [
        ("en", 123_456_789, "VND", "₫123,456,789"),
        ("vi", 123_456_789, "VND", "123.456.789 ₫"),
        ("uk", -123_456, "UAH", "−1 234,56 ₴"),
        ("en", 5, "EUR", "€0.05"),
        ("vi", 123_456, "UAH", "1.234,56 ₴"),
        ("hi", 123_456_789, "VND", "₫12,34,56,789"),
        ("uk", 0, "UAH", "0,00 ₴"),
    ],
)
def test_money_is_written_in_the_readers_way_with_the_currencys_digits(
    language: str, minor: int, currency: str, shown: str
) -> None:
    with translation.override(language):
        assert formats.money(minor, currency).replace(NBSP, " ") == shown


def test_money_takes_a_value_an_object_or_an_institution() -> None:
    with translation.override("en"):
        assert formats.money(Money(1_50, "EUR")) == "€1.50"
        assert formats.money(1_50, SimpleNamespace(code="EUR", digits=2)) == "€1.50"
        assert formats.money(1_500, SimpleNamespace(currency="EUR", currency_digits=3)) == "€1.500"
        assert formats.money(None, "EUR") == "–"
        with pytest.raises(TypeError):
            formats.money(1, object())


@pytest.mark.parametrize("language", ["en", "vi", "uk", "es", "zh-hans", "hi"])
@given(minor=st.integers(-(10**15), 10**15), digits=st.integers(0, 3))
def test_a_written_amount_reads_back_as_the_same_amount(language: str, minor: int, digits: int) -> None:
    with translation.override(language):
        written = formats.number(formats.as_decimal(minor, digits), digits)
        assert parse_number(written).scaleb(digits) == minor


def test_a_rate_is_rounded_half_up_for_the_eye_only() -> None:
    with translation.override("en"):
        assert formats.percent(Decimal("0.12345")) == "12.35%"
        assert formats.percent(Fraction(1, 3), 3) == "33.333%"
        assert formats.percent("0.5") == "50%"
    with translation.override("uk"):
        assert formats.percent("0.1234") == "12,34%"


def test_dates_follow_the_language_and_instants_the_active_time_zone() -> None:
    at = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    with translation.override("en"), timezone.override("Europe/Kyiv"):
        assert formats.date_l(date(2026, 3, 2)) == "2 March 2026"
        assert formats.date_l(at) == "2 March 2026"
        assert formats.time_l(at) == "00:30"
        assert formats.any_value(at) == "2 Mar 2026, 00:30"
    with translation.override("uk"):
        assert formats.date_l(date(2026, 3, 2)).replace("\u202f", " ") == "2 березня 2026"


def test_personal_data_is_masked_so_that_only_its_owner_knows_it() -> None:
    assert formats.mask_phone("+84912345678") == "+84 ••• ••• 678"
    assert formats.mask_phone("123") == "•••"
    assert formats.mask_card("4444555566661111") == "•••• 1111"
    assert formats.mask_name("Anna Maria") == "A. M."


def test_spans_are_said_in_words() -> None:
    with translation.override("en"):
        assert formats.days(1) == "1 day"
        assert formats.days(1_200) == "1,200 days"
        assert formats.minutes(200) == "3 h 20 min"
        assert formats.minutes(0) == "0 min"
