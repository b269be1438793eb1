"""What an applicant is asked: the questions, and the pages that group them by product and country.

The questions are code, because each has its kind, its check and its words; which of them are asked, on which page and
whether they must be answered is data (`data/pages.json`).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
LONGEST_TEXT = 200
LONGEST_REPLY = 2000
LONGEST_NUMBER = 40  # signs, spaces included: more is no number of anybody's
LARGEST_WHOLE = 10**15

MISSING = _("Answer this question.")
TOO_LONG = _("Write at most 200 characters.")
NOT_A_DATE = _("Give the date as day, month and year, for example 27 3 1990.")
NOT_A_NUMBER = _("Write a whole number, for example 24.")
NOT_AN_AMOUNT = _("Write an amount in digits, for example 12000.")
NOT_A_CHOICE = _("Choose one of the answers.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`kind`: text, date, whole, money (minor units), choice, email, identity. `fact`: it is also a fact about the
    customer, kept with them. `choices`: code -> words. An answer is stored as text: a date as ISO, money in minor
    units, a choice as its code."""

    code: str
    label: Text
    kind: str
    hint: Text = ""
    choices: Mapping[str, Text] | None = None
    autocomplete: str = ""
    sensitive: bool = False
    fact: bool = True
    largest: int = LARGEST_WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as a page asks it."""

    question: Question
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of an application. `kind`: questions, consents, card or check."""

    code: str
    title: Text
    kind: str
    questions: tuple[Asked, ...] = ()


class AnswerRefused(ValueError):
    """An answer that cannot be stored; its argument is the sentence beside the field."""


EMPLOYMENT = {
    "employed": _("Employed"),
    "public_sector": _("In public service"),
    "self_employed": _("Self-employed"),
    "retired": _("Retired"),
    "student": _("Student"),
    "homemaker": _("At home with the family"),
    "unemployed": _("Without work"),
    "other": _("Something else"),
}
HOUSING = {
    "own": _("My own"),
    "rent": _("Rented"),
    "with_family": _("With the family"),
    "free": _("Free of charge"),
    "other": _("Something else"),
}
PURPOSE = {
    "household": _("Things for the home"),
    "car": _("Car"),
    "repairs": _("Repairs"),
    "education": _("Education"),
    "health": _("Health"),
    "travel": _("Travel"),
    "business": _("Own business"),
    "other": _("Something else"),
}
NONE, UNKNOWN = _("None"), _("I do not know")

_ALL = (
    Question(code="family_name", label=_("Family name"), kind="text", autocomplete="family-name", sensitive=True),
    Question(code="given_name", label=_("Given name"), kind="text", autocomplete="given-name", sensitive=True),
    Question(
        code="middle_name",
        label=_("Middle name or patronymic"),
        kind="text",
        autocomplete="additional-name",
        sensitive=True,
    ),
    Question(code="birth_date", label=_("Date of birth"), kind="date", autocomplete="bday", sensitive=True),
    Question(
        code="identity_number",
        label=_("Identity number"),
        kind="identity",
        hint=_("As it is printed on your card or certificate."),
        sensitive=True,
        fact=False,
    ),
    Question(
        code="email",
        label=_("E-mail address"),
        kind="email",
        hint=_("We send your documents there as well."),
        autocomplete="email",
        sensitive=True,
        fact=False,
    ),
    Question(code="address", label=_("Street and house"), kind="text", autocomplete="street-address", sensitive=True),
    Question(code="city", label=_("City or village"), kind="text", autocomplete="address-level2"),
    Question(code="postal_code", label=_("Postal code"), kind="text", autocomplete="postal-code"),
    Question(code="employment", label=_("What is your work?"), kind="choice", choices=EMPLOYMENT),
    Question(
        code="employment_months", label=_("For how many months have you had this work?"), kind="whole", largest=720
    ),
    Question(code="income_minor", label=_("Your income a month, after taxes"), kind="money"),
    Question(code="expenses_minor", label=_("Your expenses a month"), kind="money"),
    Question(
        code="other_debt_minor",
        label=_("What you pay on other loans a month"),
        kind="money",
        hint=_("Write 0 when there are none."),
    ),
    Question(code="housing", label=_("Your home is"), kind="choice", choices=HOUSING),
    Question(code="dependants", label=_("How many people live on your income besides you?"), kind="whole", largest=30),
    Question(code="purpose", label=_("What is the loan for?"), kind="choice", choices=PURPOSE, fact=False),
    Question(
        code="checking_status",
        label=_("How much is on your current account?"),
        kind="choice",
        choices={
            "overdrawn": _("It is overdrawn"),
            "below_200": _("Less than 200"),
            "from_200": _("200 or more"),
            "none": _("I have no such account"),
        },
        fact=False,
    ),
    Question(
        code="savings",
        label=_("How much have you saved?"),
        kind="choice",
        choices={
            "below_100": _("Less than 100"),
            "below_500": _("From 100 to 499"),
            "below_1000": _("From 500 to 999"),
            "from_1000": _("1000 or more"),
        },
        fact=False,
    ),
    Question(
        code="credit_history",
        label=_("How did earlier loans go?"),
        kind="choice",
        choices={
            "none_or_all_paid": _("There were none, or all are repaid"),
            "all_paid_here": _("All loans with this bank are repaid"),
            "existing_paid": _("I am repaying one as agreed"),
            "delayed": _("Payments were late"),
            "critical": _("There are other loans elsewhere, or some were not repaid as agreed"),
        },
        fact=False,
    ),
    Question(
        code="employment_since",
        label=_("For how long have you had your work?"),
        kind="choice",
        choices={
            "unemployed": _("I have no work"),
            "below_1_year": _("Less than a year"),
            "below_4_years": _("From 1 to 4 years"),
            "below_7_years": _("From 4 to 7 years"),
            "from_7_years": _("7 years or longer"),
        },
        fact=False,
    ),
    Question(
        code="job",
        label=_("What kind of work is it?"),
        kind="choice",
        choices={
            "unemployed_or_unskilled": _("None, or now and then"),
            "unskilled": _("Without training"),
            "skilled": _("With training, or in public service"),
            "management": _("Managing, self-employed or highly qualified"),
        },
        fact=False,
    ),
    Question(
        code="disposable_share_band",
        label=_("What part of your free income would the payments take?"),
        kind="choice",
        choices={
            "1": _("Less than 20 %"),
            "2": _("From 20 to 25 %"),
            "3": _("From 25 to 35 %"),
            "4": _("35 % or more"),
        },
        fact=False,
    ),
    Question(
        code="other_debtors",
        label=_("Does somebody answer for the loan with you?"),
        kind="choice",
        choices={"none": _("Nobody"), "co_applicant": _("Somebody borrows with me"), "guarantor": _("A guarantor")},
        fact=False,
    ),
    Question(
        code="property",
        label=_("What do you own?"),
        kind="choice",
        choices={
            "real_estate": _("A house, a flat or land"),
            "savings_or_insurance": _("Building savings or life insurance"),
            "car_or_other": _("A car or something else"),
            "none_or_unknown": _("Nothing of these"),
        },
        fact=False,
    ),
    Question(
        code="other_plans",
        label=_("Are you paying in instalments elsewhere?"),
        kind="choice",
        choices={"none": _("No"), "bank": _("At a bank"), "stores": _("In shops")},
        fact=False,
    ),
    Question(
        code="existing_credits",
        label=_("How many loans have you with this bank?"),
        kind="whole",
        largest=99,
        fact=False,
    ),
    Question(code="reply", label=_("Your answer"), kind="text", sensitive=True, fact=False),
)
QUESTIONS: dict[str, Question] = {question.code: question for question in _ALL}

TITLES: dict[str, Text] = {
    "about": _("About you"),
    "identity": _("Your identity number"),
    "contact": _("Where you live"),
    "work": _("Your work"),
    "income": _("Your income and expenses"),
    "household": _("Your home and your plan"),
    "bank": _("Your money"),
    "history": _("Your loans and belongings"),
    "card": _("Your card"),
    "consents": _("What you agree to"),
    "check": _("Check your answers"),
}


@cache
def _stated() -> list[dict[str, Any]]:
    text = (resources.files(__package__) / "data" / "pages.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def pages_for(*, product_kind: str, country: str) -> list[Page]:
    """The pages of an application for a kind of loan in a country, in order."""
    return [
        Page(code=row["code"], title=TITLES[row["code"]], kind=row["kind"], questions=tuple(_asked(row, country)))
        for row in _stated()
        if country in row.get("countries", [country]) and product_kind in row.get("products", [product_kind])
    ]


def _asked(row: Mapping[str, Any], country: str) -> Iterable[Asked]:
    for item in row.get("questions", []):
        if country in item.get("countries", [country]):
            yield Asked(question=QUESTIONS[item["code"]], required=country in item.get("required_in", [country]))


# --- reading answers ---------------------------------------------------------------------------------------------


def _text(question: Question, given: str, digits: int) -> str:
    if len(given) > LONGEST_TEXT:
        raise AnswerRefused(TOO_LONG)
    return given


def printable(given: str, *, lines: bool = False) -> str:
    """The text as it can stand on paper: composed letters, single spaces, nothing invisible. `lines`: these stay."""
    kept = unicodedata.normalize("NFC", given.replace("\r\n", "\n"))
    spaced = "".join(sign if sign == "\n" and lines else " " if sign.isspace() else sign for sign in kept)
    seen = "".join(sign for sign in spaced if sign == "\n" or unicodedata.category(sign)[0] != "C")
    return re.sub(r" {2,}", " ", seen).strip()


def _date(question: Question, given: str, digits: int) -> str:
    """ISO, or day, month and year with any separators, as three boxes give them."""
    found = re.findall(r"\d+", given)
    if len(given) > LONGEST_NUMBER or len(found) != 3:
        raise AnswerRefused(NOT_A_DATE)
    parts = [int(part) for part in found]
    year, month, day = parts if re.match(r"\s*\d{4}", given) else reversed(parts)
    try:
        return date(year, month, day).isoformat()
    except (ValueError, OverflowError):
        raise AnswerRefused(NOT_A_DATE) from None


def _whole(question: Question, given: str, digits: int) -> str:
    plain = re.sub(r"[\s\u00a0\u202f]", "", given)
    if not re.fullmatch(r"[0-9]{1,15}", plain) or int(plain) > question.largest:
        raise AnswerRefused(NOT_A_NUMBER)
    return str(int(plain))


def _money(question: Question, given: str, digits: int) -> str:
    """Major units as people write them, "12 000", "12.000" or "12,000.50", to minor units. A last separator that is
    followed by one or two digits is the decimal one, where the currency has decimals."""
    plain = re.sub(r"[\s\u00a0\u202f'’]", "", given)
    found = re.fullmatch(r"([0-9]{1,3}(?:[.,]?[0-9]{3})*|[0-9]+)(?:[.,]([0-9]{1,3}))?", plain[: LONGEST_NUMBER + 1])
    if found is None or len(plain) > LONGEST_NUMBER or (found[2] and len(found[2]) > digits):
        raise AnswerRefused(NOT_AN_AMOUNT)
    whole = int(re.sub(r"[.,]", "", found[1]))
    minor = whole * 10**digits + int((found[2] or "").ljust(digits, "0") or 0)
    if minor > question.largest:
        raise AnswerRefused(NOT_AN_AMOUNT)
    return str(minor)


def _choice(question: Question, given: str, digits: int) -> str:
    if given not in (question.choices or {}):
        raise AnswerRefused(NOT_A_CHOICE)
    return given


READERS: dict[str, Callable[[Question, str, int], str]] = {
    "text": _text,
    "date": _date,
    "whole": _whole,
    "money": _money,
    "choice": _choice,
    "email": _text,
    "identity": _text,
}


def read(*, page: Page, data: Mapping[str, str], currency_digits: int) -> tuple[dict[str, str], dict[str, Any]]:
    """What a page's form brought: (question -> answer to store, question -> sentence of what is wrong). A question
    that may stay open and was left empty is an empty answer: it takes back an earlier one."""
    good: dict[str, str] = {}
    wrong: dict[str, Any] = {}
    for asked in page.questions:
        code, given = asked.question.code, printable(data.get(asked.question.code, ""))
        if not given:
            if asked.required:
                wrong[code] = MISSING
            else:
                good[code] = ""
            continue
        try:
            good[code] = READERS[asked.question.kind](asked.question, given, currency_digits)
        except AnswerRefused as refused:
            wrong[code] = refused.args[0]
    return good, wrong
