"""Every line of an explanation is told in words of the reader's language, never in the engine's own."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from django.utils import translation

from tests.core.loans import APPROVED, DISBURSED, START, on, terms
from tests.stories import accounts, telling
from usance.core.loan import events, quote
from usance.core.loan.terms import Fee, Penalty, Tax
from usance.web import reckoning

LATIN = re.compile(r"[A-Za-z]{3,}")
LIFE = [
    APPROVED,
    DISBURSED,
    events.FeeAdded(**on(3, "fee"), fee_kind="service", amount_minor=1000),
    events.Waived(**on(4, "waived"), balance="fee:service", amount_minor=500),
    events.PaymentReceived(**on(5, "early"), amount_minor=5000),
    events.Extended(**on(28, "extended"), days=7),
    events.PaymentReceived(**on(50, "late"), amount_minor=20_000),
    events.WrittenOff(**on(100, "written_off")),
    events.PaymentReceived(**on(101, "recovered"), amount_minor=700),
]


def lines() -> tuple[object, ...]:
    agreed = terms(
        fees=(
            Fee(kind="origination", when="deducted", flat_minor=2000),
            Fee(kind="service", when="on_request", flat_minor=1000),
        ),
        taxes=(Tax(kind="vat", share=Fraction(1, 10), on=("interest", "fee", "penalty")),),
        penalty=Penalty(rule="daily_on_past_due_principal", share=Fraction("0.01"), cap_share=Fraction(1, 10)),
    )
    return quote.explain(agreed, LIFE, START + timedelta(days=110))


@pytest.mark.parametrize("language", ["vi", "uk"])
def test_no_line_speaks_the_language_of_the_engine(language: str) -> None:
    with translation.override(language):
        told = {line.rule: reckoning.reckoned(line, "UAH") for line in lines()}
    assert {rule.split(".")[0] for rule in told} >= {"disbursement", "payment", "interest", "penalty", "fee", "tax"}
    assert {rule.split(".")[0] for rule in told} >= {"allocation", "waiver", "write_off", "recovery"}
    assert {"tolerance", "sale"} <= reckoning.PLAIN.keys()
    with translation.override("en"):
        english = {line.rule: reckoning.reckoned(line, "UAH") for line in lines()}
    same = [rule for rule in told if told[rule] == english[rule]]
    assert not same, same
    if language == "uk":
        assert not [text for text in told.values() if LATIN.search(text)]


@pytest.mark.parametrize("path", accounts.stories(), ids=lambda path: path.stem)
def test_every_line_of_every_story_has_words(path: Path) -> None:
    story, told = telling.lived(path)
    found = quote.explain(story.terms, told[-1].history, told[-1].loan.at)
    with translation.override("uk"):
        spoken = {line.rule: reckoning.reckoned(line, story.terms.currency.code) for line in found}
    assert all(spoken.values())
    assert {rule.partition(".")[0] for rule in spoken} <= reckoning.PLAIN.keys() | reckoning.TOLD.keys()


def test_a_span_of_interest_shows_its_reckoning() -> None:
    with translation.override("uk"):
        told = [reckoning.reckoned(line, "UAH") for line in lines() if line.rule.startswith("interest")]
    assert told[0].replace("\xa0", " ") == "1 000,00 ₴ × 1% на день × 3 дні"
