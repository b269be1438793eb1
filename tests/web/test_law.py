"""The rules of countries are told in words: nothing of how they are stored is left on the page."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest

from usance.web import law

STORED = json.loads(resources.files("usance.apps.institutions").joinpath("data/country_rules.json").read_text("utf-8"))
SERVED = ("VN", "UA", "DE")  # where an institution of the demo is


def rules(*countries: str) -> list[Any]:
    return [one for one in (STORED if isinstance(STORED, list) else STORED["rules"]) if one["country"] in countries]


@pytest.mark.parametrize("rule", rules(*SERVED), ids=lambda rule: f"{rule['country']}-{rule['code']}")
def test_a_rule_reads_as_words(rule: Any) -> None:
    assert rule["code"] in law.RULES
    assert set(rule["value"]) <= set(law.SAID)
    said = law.said(rule["value"], "UAH")
    assert said
    assert not {"_", "{", "["} & set(said), said


def test_what_a_cap_says() -> None:
    value = {"limit": "0.31", "measure": "penalty_a_year", "above_minor": 800_000}
    assert law.said(value, "UAH") == (
        "At most 31% (penalty a year, as a share of what is past due); for loans above ₴8,000.00"
    )


def test_what_contact_hours_say() -> None:
    value = {"to": "20:00", "days": [1, 2, 3, 4, 5], "from": "09:00", "per_day": 2, "holidays": False}
    assert law.said(value, "UAH") == (
        "Monday to Friday; from 09:00 to 20:00; not on public holidays; at most 2 times a day"
    )


def test_what_has_no_words_is_shown_as_stored() -> None:
    assert law.said({"years": 18, "moon_phase": ["full", True]}, "UAH") == "18 years; moon phase: full, yes"
