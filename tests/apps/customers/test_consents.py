"""Consents are given to words in force, hold from their day, can be taken back; the blacklist matches hashes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import Error, transaction

from tests.apps.customers.conftest import AT, NAMES, ON, PHONE
from usance.apps.customers import blacklist, consent_texts, consents, services, vault, words
from usance.apps.customers.models import ConsentText
from usance.apps.customers.refusals import ConsentMissing, ConsentTextOutdated
from usance.ports.actor import SYSTEM

LATER = ON + timedelta(days=10)


@pytest.fixture(autouse=True)
def texts(institution: Any) -> None:
    consents.install_texts(on=ON)
    consents.install_texts(on=ON)


def give(party_id: UUID, purpose: str, on: date = ON, **more: Any) -> UUID:
    text = more.pop("text", None) or consents.text_in_force(purpose, "vi", on)
    return consents.give(party_id=party_id, purpose=purpose, text_id=text.pk, actor=SYSTEM, at=AT, on=on, **more)


def test_every_purpose_has_words_in_every_language() -> None:
    for texts in consent_texts.TEXTS.values():
        assert texts.keys() == consents.PURPOSES.keys()
        assert all(title and len(body) > 80 for title, body in texts.values())


def test_a_consent_is_required_until_given_and_after_withdrawal(party_id: UUID) -> None:
    with pytest.raises(ConsentMissing) as refused:
        consents.require_consent(party_id=party_id, purpose="credit_check", on=ON)
    assert refused.value.purpose == "credit_check"
    given = give(party_id, "credit_check", evidence=consents.evidence_of("203.0.113.7", "Browser/1", application="x"))
    found = consents.require_consent(party_id=party_id, purpose="credit_check", on=ON)
    assert found.pk == given == give(party_id, "credit_check")
    assert found.text.language == "vi"
    assert "203.0.113.7" not in str(found.evidence)
    with pytest.raises(ConsentMissing):
        consents.require_consent(party_id=party_id, purpose="credit_check", on=ON - timedelta(days=1))
    order = {"party_id": party_id, "purpose": "credit_check", "because": "asked", "actor": SYSTEM, "at": AT}
    assert consents.withdraw(**order, on=LATER)
    assert not consents.withdraw(**order, on=LATER)
    assert consents.has_consent(party_id=party_id, purpose="credit_check", on=LATER - timedelta(days=1))
    assert not consents.has_consent(party_id=party_id, purpose="credit_check", on=LATER)
    assert consents.consents_of(party_id).count() == 1


def test_a_mandate_is_about_one_card(party_id: UUID) -> None:
    card, other = uuid4(), uuid4()
    give(party_id, "card_debit", subject_id=card)
    consents.require_consent(party_id=party_id, purpose="card_debit", on=ON, subject_id=card)
    for subject in (other, None):
        with pytest.raises(ConsentMissing):
            consents.require_consent(party_id=party_id, purpose="card_debit", on=ON, subject_id=subject)


def test_new_words_are_a_new_version_and_old_ones_cannot_be_agreed_to(party_id: UUID) -> None:
    old = consents.text_in_force("marketing", "vi", ON)
    first = give(party_id, "marketing")
    consents.add_text(purpose="marketing", version=2, language="vi", title="Mới", body="…", on=LATER)
    assert consents.text_in_force("marketing", "vi", ON).version == 1
    assert consents.text_in_force("marketing", "en", LATER).language == "vi"  # not translated yet: the first language
    with pytest.raises(ConsentTextOutdated):
        give(party_id, "marketing", on=LATER, text=old)
    second = give(party_id, "marketing", on=LATER)
    assert first != second
    assert [c.withdrawn_because for c in consents.consents_of(party_id).order_by("given_on")] == ["replaced", ""]


def test_words_cannot_be_edited() -> None:
    with pytest.raises(Error), transaction.atomic():
        ConsentText.objects.update(body="other words")


def test_the_blacklist_matches_what_a_party_is_known_by_while_it_lasts(party_id: UUID) -> None:
    names = [str(NAMES["family_name"]), str(NAMES["given_name"])]
    whole = words.name_and_birth(names, date(1984, 5, 17))
    phone = blacklist.add(kind="phone", value=PHONE, reason="fraud", starts_on=ON, actor=SYSTEM, note="seen twice")
    blacklist.add(kind="name_birth", value=whole, reason="default", starts_on=ON, ends_on=LATER, actor=SYSTEM)
    blacklist.add(kind="card", value="token-1", reason="stolen", starts_on=ON, actor=SYSTEM)
    blacklist.add(kind="phone", value="+84900000000", reason="fraud", starts_on=ON, actor=SYSTEM)

    def kinds(on: date, *cards: str) -> list[str]:
        fingerprints = [vault.blind(card, kind="card") for card in cards]
        return sorted(hit.kind for hit in blacklist.hits(party_id=party_id, on=on, card_fingerprints=fingerprints))

    assert kinds(ON) == ["name_birth", "phone"]
    assert kinds(ON, "token-1", "token-2") == ["card", "name_birth", "phone"]
    assert kinds(LATER) == ["phone"]
    assert kinds(ON - timedelta(days=1)) == []
    blacklist.lift(entry_id=phone, actor=SYSTEM, at=AT)
    assert kinds(LATER) == []


def test_a_party_can_be_blacklisted_by_all_it_is_known_by(party_id: UUID) -> None:
    assert blacklist.add_party(party_id=party_id, reason="fraud", starts_on=ON, actor=SYSTEM) == 2
    twin = services.add_party(language="vi", on=ON, actor=SYSTEM)
    services.state_facts(party_id=twin, facts=NAMES, source="applicant", actor=SYSTEM, at=AT, on=ON)
    assert [hit.reason for hit in blacklist.hits(party_id=twin, on=ON)] == ["fraud"]
