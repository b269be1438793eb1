"""Every message has words in every language, with the same things to fill in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

import pytest

from usance.apps.institutions.models import Institution
from usance.apps.messaging import catalogue

PAIRS = list(product(catalogue.TEMPLATES, catalogue.LANGUAGES))
CONTEXT = {
    "code": "123456",
    "minutes": 10,
    "reference": "L-000123",
    "amount_minor": 1_234_500,
    "outstanding_minor": 9_876_500,
    "over_minor": 100_000,
    "due_on": date(2026, 3, 5),
    "since": date(2026, 3, 1),
    "until": date(2026, 4, 1),
    "debit_on": date(2026, 3, 6),
    "as_of": date(2026, 3, 7),
    "reason": "—",
    "card": "•••• 1111",
    "last4": "1111",
    "buyer": "Debtco",
    "contact": "1 Quay Street",
    "sold_on": date(2026, 3, 4),
    "phone": "+84 ••• 678",
    "counts_from": datetime(2026, 3, 5, 3, 0, tzinfo=UTC),
    "link": "https://vn.example/account/",
}
LENDER = Institution(
    name="Demo",
    time_zone="Asia/Ho_Chi_Minh",
    support_phone="+84000000000",
    support_email="help@example.com",
    currency="VND",
    currency_digits=0,
)


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_no_text_without_template_and_none_missing(language: str) -> None:
    assert catalogue.LANGUAGES[language].TEXTS.keys() == catalogue.TEMPLATES.keys()


@pytest.mark.parametrize("template", catalogue.TEMPLATES)
def test_all_languages_want_the_same_context(template: str) -> None:
    wanted = {frozenset(catalogue.placeholders(catalogue.words(template, lang))) for lang in catalogue.LANGUAGES}
    assert len(wanted) == 1


@pytest.mark.parametrize(("template", "language"), PAIRS)
def test_every_text_can_be_written(template: str, language: str) -> None:
    for channel in ("sms", "email"):
        made = catalogue.render(
            template=template, channel=channel, language=language, context=CONTEXT, institution=LENDER
        )
        assert "{" not in made.body + made.subject
        assert bool(made.subject) == (channel == "email")
        assert "Demo" in made.body
    assert len(catalogue.words(template, language).sms) <= 250


def test_a_signing_code_names_the_amount() -> None:
    for language in catalogue.LANGUAGES:
        made = catalogue.render(
            template="code_signing", channel="sms", language=language, context=CONTEXT, institution=LENDER
        )
        assert "₫" in made.body
        assert "123456" in made.body


def test_a_context_that_lacks_something_is_a_defect() -> None:
    with pytest.raises(KeyError):
        catalogue.render(template="due_today", channel="sms", language="en", context={}, institution=LENDER)
