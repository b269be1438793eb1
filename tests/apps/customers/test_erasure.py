"""Erasure: after a person's key is destroyed nothing in the database tells who they were; what is owed stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction

from tests.apps.customers.conftest import AT, NAMES, ON, PHONE
from tests.support import institutions
from tests.support.database import superuser
from usance.apps.customers import selectors, services, sign_in, vault
from usance.apps.customers.models import BlindIndex, Party
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.ports.actor import SYSTEM
from usance.workflows import one_time_codes

NUMBER, MAIL, STREET, EMPLOYER = "087084000999", "nguyen.mau@example.com", "12 Example Lane", "Example Works"
IDENTIFIERS = [
    *(str(NAMES[name]) for name in ("family_name", "middle_name", "given_name")),
    "1984-05-17",
    PHONE,
    PHONE[1:],
    NUMBER,
    MAIL,
    STREET,
    EMPLOYER,
]
SHORT = 5  # shorter ones occur by chance


def dump() -> str:
    """Every row of every table, as PostgreSQL prints it, read past row-level security; bytes in hexadecimal."""
    lines = []
    with superuser(connection.settings_dict["NAME"]) as behind:
        tables = behind.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in tables.fetchall():
            lines += [row[0] for row in behind.execute(f'SELECT t::text FROM "{table}" t').fetchall()]
    return "\n".join(lines)


def assert_tells_nothing(text: str) -> None:
    for identifier in IDENTIFIERS:
        assert identifier.encode().hex() not in text
        if len(identifier) >= SHORT:
            assert identifier not in text


@pytest.fixture
def bound(fresh_db: str) -> Iterator[None]:
    with tenancy.bound(institutions.found("vn").pk):
        yield


def seed() -> UUID:
    """A customer who signed up by code and told everything; messages were sent to them before and after."""
    with transaction.atomic():
        sent = one_time_codes.send_sign_in_code(phone=PHONE, language="vi", address="203.0.113.7", at=AT)
    with transaction.atomic():
        issued = sign_in.issue_code(purpose="sign_in", to=PHONE, at=AT + timedelta(minutes=1))
        answer = sign_in.begin(code_id=issued.code_id, code=issued.code, device_token="", language="vi", at=AT, on=ON)
        assert isinstance(answer, sign_in.SignedIn)
        assert issued.code_id != sent.code_id
    party_id = answer.party_id
    facts = {**NAMES, "address": STREET, "employer": EMPLOYER, "income_minor": 9_000_000}
    said = {"party_id": party_id, "source": "applicant", "actor": SYSTEM, "at": AT, "on": ON}
    with transaction.atomic():
        services.state_facts(facts=facts, **said)
        services.set_identity_number(number=NUMBER, **said)
        services.add_contact(party_id=party_id, kind="email", value=MAIL, actor=SYSTEM, at=AT, verified=True)
        messaging.tell(party_id=party_id, template="email_changed", key="told", moment=AT, context={"reference": "x"})
    return party_id


def test_plain_values_are_nowhere_in_the_database_and_erasure_takes_the_rest(bound: None) -> None:
    party_id = seed()
    assert_tells_nothing(dump())  # not even while the person is a customer
    with transaction.atomic():
        assert selectors.profile(party_id).email == MAIL
        sealed = vault.seal(NUMBER, party_id=party_id, field="tests_row.value")
        macs = [bytes(mac).hex() for mac in BlindIndex.objects.filter(party_id=party_id).values_list("mac", flat=True)]
        before = dump()
        assert all(mac in before for mac in macs)
        services.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=AT)
        services.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=AT)
    after = dump()
    assert_tells_nothing(after)
    assert len(macs) >= 8
    assert not any(mac in after for mac in macs)
    with transaction.atomic():
        _nothing_can_be_read(party_id, sealed)


def _nothing_can_be_read(party_id: UUID, sealed: bytes) -> None:
    known = selectors.profile(party_id)
    assert (known.is_erased, known.values, known.phone, known.email, known.identity_number) == (True, {}, "", "", "")
    assert selectors.summaries([party_id], masked=False)[party_id].name == ""
    assert all(contact.value == "" and not contact.is_usable for contact in selectors.contacts(party_id))
    assert selectors.party_with_phone(PHONE) is None
    for text in (PHONE, NUMBER, MAIL, "Nguyen Mau", "5678"):
        assert not selectors.search(text).exists()
    for attempt in (
        lambda: vault.unseal(sealed, party_id=party_id, field="tests_row.value"),
        lambda: services.state_facts(
            party_id=party_id, facts={"city": "Huế"}, source="staff", actor=SYSTEM, at=AT, on=ON
        ),
    ):
        with pytest.raises(vault.PersonErased):
            attempt()
    assert messaging.send(template="email_changed", key="after", moment=AT, party_id=party_id) is None
    assert Party.objects.get(pk=party_id).erased_at == AT


def test_messages_of_an_erased_person_cannot_be_opened(bound: None) -> None:
    party_id = seed()
    with transaction.atomic():
        ordered = messaging.send(template="email_changed", key="told", moment=AT, party_id=party_id)
        assert ordered is not None
        services.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=AT)
        with pytest.raises(vault.PersonErased):
            messaging.read(message_id=ordered.pk, actor=SYSTEM)
