"""Fields understand what people type, and say in plain words what they do not."""

from __future__ import annotations

from datetime import date

import pytest
from django import forms
from django.utils import translation

from usance.web import forms as house


class Form(house.Form):
    """One of each field, none required."""

    name = forms.CharField(label="Full name", required=False)
    phone = house.PhoneField(country="VN", required=False)
    amount = house.MoneyField(label="Amount", currency="UAH", min_minor=100, max_minor=1_000_000, required=False)
    born = house.DateBoxesField(label="Born", birthday=True, no_later_than=date(2026, 3, 2), required=False)
    code = house.CodeField(required=False)
    wish = house.MoneySliderField(
        label="Wish", min_minor=1_000_000, max_minor=9_000_000, step_minor=500_000, currency="VND", required=False
    )
    days = house.CountSliderField(label="Days", low=7, high=30, required=False)
    rate = house.PercentField(label="Rate", required=False)


def cleaned(name: str, typed: str, language: str = "en") -> object:
    with translation.override(language):
        form = Form({name: typed})
        assert form.is_valid(), form.errors
        return form.cleaned_data[name]


def refused(name: str, typed: str, language: str = "en") -> str:
    with translation.override(language):
        form = Form({name: typed})
        assert not form.is_valid()
        return str(form.errors[name][0])


@pytest.mark.parametrize(
    ("language", "typed", "minor"),
    [
        ("en", "1,500.50", 150_050),
        ("en", "1500.5", 150_050),
        ("en", "1 500", 150_000),
        ("uk", "1 500,50", 150_050),
        ("uk", "1\u00a0500,50", 150_050),
        ("uk", "1500.50", 150_050),
        ("vi", "1.500,50", 150_050),
        ("vi", "1.500", 150_000),
    ],
)
def test_an_amount_is_read_in_the_languages_way_of_writing(language: str, typed: str, minor: int) -> None:
    assert cleaned("amount", typed, language) == minor


@pytest.mark.parametrize("typed", ["many", "1.2.x", "--1", "1e5", ""])
def test_what_is_not_a_number_is_not_guessed(typed: str) -> None:
    if typed:
        assert "Enter a number" in refused("amount", typed)
    else:
        assert cleaned("amount", typed) is None


def test_an_amount_outside_its_bounds_is_told_the_bound() -> None:
    assert refused("amount", "0.50") == "Enter ₴1.00 or more."
    assert refused("amount", "10000.01") == "Enter ₴10,000.00 or less."
    assert "smaller than" in refused("amount", "1.005")


def test_a_national_number_becomes_an_international_one() -> None:
    assert cleaned("phone", "0912 345 678") == "+84912345678"
    assert cleaned("phone", "+84 91 234-5678") == "+84912345678"
    assert cleaned("phone", "+380 67 123 45 67") == "+380671234567"
    assert "for example" in refused("phone", "12")


def test_a_code_may_be_pasted_with_spaces_and_dashes() -> None:
    assert cleaned("code", " 12 34-56 ") == "123456"
    assert refused("code", "12345") == "The code has 6 digits."
    assert refused("code", "12345a") == "The code has 6 digits."


def test_a_date_in_three_boxes_is_a_real_day_not_in_the_future() -> None:
    def form(day: str, month: str, year: str) -> Form:
        return Form({"born_day": day, "born_month": month, "born_year": year})

    assert form("27", "3", "1994").is_valid()
    whole = form("27", "3", "1994")
    whole.is_valid()
    assert whole.cleaned_data["born"] == date(1994, 3, 27)
    for parts in (("31", "2", "2001"), ("1", "", "2001"), ("a", "2", "2001")):
        wrong = form(*parts)
        assert wrong.errors["born"] == ["Enter a real date: day, month and year."], parts
    assert "not after 2 March 2026" in form("3", "3", "2026").errors["born"][0]


def test_a_slider_holds_its_bounds_and_steps_however_it_is_typed() -> None:
    assert cleaned("wish", "2,500,000") == 2_500_000
    assert cleaned("wish", "2.500.000", "vi") == 2_500_000
    assert "steps of" in refused("wish", "2,600,000")
    assert "or more" in refused("wish", "900,000")
    assert cleaned("days", "21") == 21
    assert refused("days", "31") == "Enter a number from 7 to 30."
    assert refused("days", "7.5") == "Enter a whole number."


def test_a_rate_typed_in_per_cent_is_an_exact_fraction() -> None:
    assert str(cleaned("rate", "12.5")) == "0.125"


class Needed(house.Form):
    name = forms.CharField(label="Full name")
    agree = house.ConsentField(label="You may ask the bureau.")
    kind = house.CardChoiceField(label="Kind", choices=[("a", "A"), ("b", "B")], notes={"a": ("Hint of A", "12 %")})


def test_a_missing_answer_is_named_in_the_message() -> None:
    with translation.override("en"):
        errors = Needed({}).errors
        assert errors["name"] == ["Please answer: Full name"]
        assert errors["kind"] == ["Please answer: Kind"]
        assert "Tick the box" in errors["agree"][0]


def test_a_field_is_tied_to_its_label_its_hint_and_its_error() -> None:
    with translation.override("en"):
        html = str(Needed({}))
    assert '<label class="u-field__label" for="id_name">Full name</label>' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name_error"' in html
    assert 'id="id_name_error"' in html
    assert "<legend" in html
    assert "Hint of A" in html
    assert "12 %" in html


def test_a_stored_amount_is_shown_in_the_languages_way() -> None:
    with translation.override("uk"):
        html = str(Form(initial={"amount": 150_050})["amount"])
    assert 'value="1\u00a0500,50"' in html
