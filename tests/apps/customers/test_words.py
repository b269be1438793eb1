"""Phones, addresses and names have one form; what is masked cannot be used."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.apps.customers import masking, words
from usance.apps.customers.refusals import EmailNotValid, PhoneNotValid


@pytest.mark.parametrize(
    ("text", "country", "normal"),
    [
        ("0912 345 678", "VN", "+84912345678"),
        ("+84 (912) 345-678", "VN", "+84912345678"),
        ("067 123 45 67", "UA", "+380671234567"),
        ("380671234567", "UA", "+380671234567"),
        ("01511 1234567", "DE", "+4915111234567"),
    ],
)
def test_a_phone_is_stored_in_one_form_however_it_was_typed(text: str, country: str, normal: str) -> None:
    assert words.phone(text, country) == normal
    assert words.phone(normal, country) == normal


@pytest.mark.parametrize(
    ("text", "why"),
    [("12", "format"), ("abc", "format"), ("+380671234567", "foreign"), ("024 3825 1234", "not_mobile")],
)
def test_a_phone_to_which_no_code_can_go_is_refused(text: str, why: str) -> None:
    with pytest.raises(PhoneNotValid) as refused:
        words.phone(text, "VN")
    assert refused.value.why == why


def test_email_addresses() -> None:
    assert words.email("  Name@Example.COM ") == "name@example.com"
    for wrong in ("", "name", "name@", "@example.com", "a b@example.com"):
        with pytest.raises(EmailNotValid):
            words.email(wrong)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nguyễn Văn Đức", "NGUYEN  VAN DUC"),
        ("Nguyễn Thị Hà", "Ha Nguyen Thi"),
        ("Мар’яна Вʼюн", "МАРЯНА В'ЮН"),
        ("Müller-Lüdenscheid", "muller ludenscheid"),
    ],
)
def test_a_name_is_found_however_it_was_typed(one: str, other: str) -> None:
    assert words.name_parts(one) == words.name_parts(other)
    born = date(1990, 1, 2)
    assert words.name_and_birth([one], born) == words.name_and_birth([other], born)


def test_letters_of_their_own_are_not_taken_for_accents() -> None:
    assert words.plain("Їжак Йосип") == "їжак йосип"


@given(st.text())
def test_plain_is_stable(text: str) -> None:
    assert words.plain(words.plain(text)) == words.plain(text)


def test_masks() -> None:
    assert masking.phone("+380671234567") == "+380 •••• 4567"
    assert masking.email("name@example.com") == "n••••@example.com"
    assert masking.number("087084000999") == "••••••••0999"
    assert masking.name("Nguyễn Văn Mẫu") == "N••• V••• M•••"
    assert masking.birth_date(date(1984, 5, 17)) == "••.••.1984"
    assert masking.code("123456 is your code") == "•••••• is your code"
