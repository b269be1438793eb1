"""What is in the catalogues reaches the pages: compiled, in the reader's language, with figures and dates as there."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.utils import translation

from tests.support import institutions
from tools import messages
from usance.apps.customers import consent_texts
from usance.apps.institutions import formats
from usance.apps.messaging import catalogue

LANGUAGES = sorted(messages.PLURALS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_says_what_the_written_one_says(language: str) -> None:
    entries = messages.read(language)
    with translation.override(language):
        stale = [
            entry.msgid
            for entry in entries
            if not entry.msgid_plural and not entry.msgctxt and translation.gettext(entry.msgid) != entry.msgstr
        ]
    assert not stale, f"run `make messages` or `make setup`: {stale[:5]}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_and_consents_speak_every_language(language: str) -> None:
    for template in catalogue.TEMPLATES:
        english, theirs = catalogue.words(template, "en"), catalogue.words(template, language)
        assert catalogue.placeholders(theirs) == catalogue.placeholders(english), template
        assert tuple(theirs) != tuple(english), template
    assert set(consent_texts.TEXTS[language]) == set(consent_texts.TEXTS["en"])


def test_counted_words_have_the_form_of_their_number() -> None:
    said = {}
    for language in ("uk", "vi"):
        with translation.override(language):
            said[language] = [
                translation.ngettext("%(count)s day", "%(count)s days", n) % {"count": n} for n in (1, 3, 5, 11, 22)
            ]
    assert said["uk"] == ["1 день", "3 дні", "5 днів", "11 днів", "22 дні"]
    assert said["vi"] == ["1 ngày", "3 ngày", "5 ngày", "11 ngày", "22 ngày"]


@pytest.mark.parametrize(
    ("language", "day", "amount"),
    [
        ("vi", "2 tháng 3, 2026 · 02/03/2026", "1.500.000 ₫"),
        ("uk", "2 березня 2026 · 2 бер. 2026", "1 500 000 ₫"),
        ("en", "2 March 2026 · 2 Mar 2026", "₫1,500,000"),
    ],
)
def test_dates_and_amounts_are_written_as_people_there_write_them(language: str, day: str, amount: str) -> None:
    on = date(2026, 3, 2)
    with translation.override(language):
        assert f"{formats.day(on)} · {formats.day(on, 'medium')}" == day
        assert formats.money(1_500_000, "VND", 0).replace("\xa0", " ") == amount


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("code", "language", "words"), [("vn", "vi", "Số di động"), ("ua", "uk", "Номер мобільного")])
def test_an_institution_speaks_its_own_language_first_and_another_on_demand(
    code: str, language: str, words: str
) -> None:
    institutions.found(code, host=f"{code}.localhost")
    client = Client(HTTP_HOST=f"{code}.localhost")
    for asked in (f"{language}-XX,en;q=0.5", "fr-FR, de;q=0.7", f"fr, {language};q=0.1"):
        page = client.get("/sign-in/", headers={"Accept-Language": asked})
        assert page.headers["Content-Language"] == language
        assert words in page.text
    assert client.get("/sign-in/", headers={"Accept-Language": "en-GB"}).headers["Content-Language"] == "en"
    chosen = client.post("/language/", {"language": "en", "next": "/sign-in/"})
    assert chosen.status_code == 302
    page = client.get("/sign-in/", headers={"Accept-Language": language})
    assert "Mobile phone number" in page.text
    assert client.post("/language/", {"language": "xx", "next": "https://elsewhere.example/"}).status_code in (302, 404)
