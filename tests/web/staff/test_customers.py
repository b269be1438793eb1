"""Customers and messages on the desk: found, masked, shown with a trace, changed by those who may."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.apps.origination.people import AT
from tests.web.staff.desk_world import Desk
from usance.apps.audit import selectors as trail
from usance.apps.customers import consents, selectors
from usance.apps.desk import selectors as approvals
from usance.apps.messaging import selectors as message_view
from usance.apps.messaging import services as messaging
from usance.apps.origination import services as origination
from usance.ports.actor import SYSTEM
from usance.workflows import customer_care

CUSTOMERS, MESSAGES = "/staff/customers/", "/staff/messages/"


def text(response: Any) -> str:
    return str(response.content.decode())


def page(party_id: Any, act: str = "") -> str:
    return f"{CUSTOMERS}{party_id}/{act}"


def looked(party_id: Any) -> set[str]:
    return set(trail.who_looked(("customers.party", party_id))[0].details["fields"])


def code_in_last_message(party_id: Any) -> str:
    message = message_view.messages(party_id=party_id).filter(template="code_contact").first()
    words = messaging.open_words(message).body  # type: ignore[arg-type]
    return next(
        word.strip(".,:") for word in words.split() if word.strip(".,:").isdigit() and len(word.strip(".,:")) == 6
    )


def test_a_customer_is_found_by_whatever_they_are_known_by(desk: Desk) -> None:
    anna = desk.person("anna", "customer_service")
    assert "No customers yet" in text(anna.get(CUSTOMERS))
    row = desk.referred()
    reference = selectors.party_row(row.party_id).reference
    phone = selectors.profile(row.party_id).phone
    for asked in (reference, phone, "087084000999", "binh tran", "binh@example.com", row.reference):
        assert anna.get(CUSTOMERS, {"q": asked})["Location"] == page(row.party_id), asked
    nobody = text(anna.get(CUSTOMERS, {"q": "nobody here"}))
    assert "Nobody fits \u201cnobody here\u201d" in nobody
    assert anna.get(CUSTOMERS, {"q": "x" * 200}).status_code == 200
    assert "Trần" not in text(anna.get(CUSTOMERS))


def test_a_search_that_shows_several_people_stands_in_the_trail_of_each(desk: Desk) -> None:
    anna = desk.person("anna", "customer_service")
    shown = [desk.referred(card).party_id for card in ("one", "two")]
    for _look in range(2):
        assert anna.get(CUSTOMERS, {"q": "TRAN"}).status_code == 200
    for party_id in shown:
        seen = trail.who_looked(("customers.party", party_id))
        assert [entry.details for entry in seen] == [{"fields": ["name", "phone"]}] * 2


def test_registers_ask_the_database_no_more_for_more_rows(desk: Desk) -> None:
    anna = desk.person("anna", "customer_service")
    counted: dict[str, list[int]] = {CUSTOMERS: [], MESSAGES: []}
    for card in ("one", "two", "three"):
        desk.referred(card)
        for address, found in counted.items():
            anna.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert anna.get(address).status_code == 200
            found.append(len(queries))
    assert {address: len(set(found)) for address, found in counted.items()} == {CUSTOMERS: 1, MESSAGES: 1}, counted


def test_the_page_is_masked_until_somebody_who_may_asks(desk: Desk) -> None:
    anna, carl = desk.person("anna", "customer_service"), desk.person("carl", "cashier")
    row = desk.referred()
    masked = text(anna.get(page(row.party_id)))
    for secret in ("Trần", "087084000999", "binh@example.com", "+8490123"):
        assert secret not in masked, secret
    assert "family_name" not in looked(row.party_id)
    assert "Trần" in text(anna.get(f"{page(row.party_id)}?show=1"))
    assert {"family_name", "identity_number", "phone"} <= looked(row.party_id)
    assert "Trần" not in text(carl.get(f"{page(row.party_id)}?show=1"))
    for words in (row.reference, "No loans with us yet", "Who looked", "anna"):
        assert words in masked or words in text(anna.get(page(row.party_id))), words
    assert "Another phone" not in text(carl.get(page(row.party_id)))


def test_another_address_without_a_phone_s_rules(desk: Desk) -> None:
    anna = desk.person("anna", "customer_service")
    row = desk.referred()
    assert anna.post(page(row.party_id, "email/"), {"value": "no address"}).status_code == 422
    assert anna.post(page(row.party_id, "email/"), {"value": "new@example.com"}).status_code == 302
    anna.post(page(row.party_id, "code/"), {"code": code_in_last_message(row.party_id)})
    assert selectors.profile(row.party_id).email == "new@example.com"


def test_blocked_and_served_again(desk: Desk) -> None:
    chief = desk.person("chief", "compliance")
    row = desk.referred()
    for wrong in ({}, {"reason": "nonsense"}, {"reason": "fraud", "ends_on": "2020-01-01"}):
        assert chief.post(page(row.party_id, "block/"), wrong).status_code == 422
    assert customer_care.blocks_of(party_id=row.party_id) == []
    assert chief.post(page(row.party_id, "block/"), {"reason": "fraud", "ends_on": "2027-01-01"}).status_code == 302
    assert {hit.kind for hit in customer_care.blocks_of(party_id=row.party_id)} >= {"phone", "identity_number", "card"}
    assert "Not served" in text(chief.get(page(row.party_id)))
    assert chief.post(page(row.party_id, "block/"), {"reason": "fraud"}).status_code == 422
    assert chief.post(page(row.party_id, "unblock/"), {"reason": "mistake"}).status_code == 302
    assert customer_care.blocks_of(party_id=row.party_id) == []
    assert chief.post(page(row.party_id, "unblock/"), {"reason": "mistake"}).status_code == 422


def test_erased_only_when_nothing_is_under_way_and_for_good(desk: Desk) -> None:
    chief = desk.person("chief", "compliance")
    row = desk.referred()
    reference = selectors.party_row(row.party_id).reference
    sure = {"reason": "own_wish", "reference": reference.lower()}
    assert "An application of this customer is under way" in text(chief.post(page(row.party_id, "erase/"), sure))
    origination.withdraw(application_id=row.pk, actor=SYSTEM, on=row.started_on, at=AT)
    assert "not the number" in text(chief.post(page(row.party_id, "erase/"), sure | {"reference": "X"}))
    assert not selectors.profile(row.party_id).is_erased
    assert chief.post(page(row.party_id, "erase/"), sure).status_code == 302
    assert not selectors.profile(row.party_id).is_erased  # a second person must agree
    proposal = approvals.open_approval(customer_care.ERASE, row.party_id)
    assert proposal is not None
    boss = desk.person("boss", "administrator")
    assert boss.post(f"/staff/approvals/{proposal.pk}/", {"verdict": "approve", "note": ""}).status_code == 302
    assert selectors.profile(row.party_id).is_erased
    for address in (
        page(row.party_id),
        f"{page(row.party_id)}?show=1",
        f"/staff/applications/{row.pk}/",
        CUSTOMERS,
        MESSAGES,
    ):
        assert chief.get(address).status_code == 200, address
    assert desk.person("anna").get(page(row.party_id, "erase/")).status_code == 403


def test_a_consent_is_withdrawn_for_the_customer(desk: Desk) -> None:
    anna = desk.person("anna", "customer_service")
    row = desk.referred()
    given = consents.consents_of(row.party_id).filter(purpose="credit_check").get()
    address = f"{CUSTOMERS}consents/{given.pk}/"
    assert "no longer rely on" in text(anna.get(address))
    assert anna.post(address, {"reason": ""}).status_code == 422
    assert anna.post(address, {"reason": "by_phone"})["Location"] == page(row.party_id)
    assert not consents.has_consent(party_id=row.party_id, purpose="credit_check", on=row.started_on)
    assert anna.get(address)["Location"] == page(row.party_id)


def test_messages_are_listed_without_their_words_and_reading_leaves_a_trace(desk: Desk) -> None:
    anna, carl = desk.person("anna", "customer_service"), desk.person("carl", "auditor")
    assert "No messages yet" in text(anna.get(MESSAGES))
    row = desk.referred()
    message = message_view.messages(party_id=row.party_id).filter(template="application_received", channel="sms").get()
    shown = text(anna.get(MESSAGES))
    assert "Application received" in shown
    assert "Trần" not in shown
    views = (("state=refused", False), ("view=refused", False), ("channel=sms", True), ("view=odd", True))
    for asked, there in (*views, (f"state={message.state}", True), ("template=offer", False)):
        assert (f"{MESSAGES}{message.pk}/" in text(anna.get(f"{MESSAGES}?{asked}"))) is there, asked
    assert "Enter a valid date" in text(anna.get(f"{MESSAGES}?since=today"))
    assert anna.get(f"{MESSAGES}?party=odd").status_code == 200
    assert f"{MESSAGES}{message.pk}/" in text(anna.get(f"{MESSAGES}?party={row.party_id}"))
    closed = text(anna.get(f"{MESSAGES}{message.pk}/"))
    assert row.reference not in closed
    assert trail.who_looked(message).count() == 0
    read = text(anna.get(f"{MESSAGES}{message.pk}/?read=1"))
    assert row.reference in read
    assert trail.who_looked(message).count() == 1
    phone = selectors.profile(row.party_id).phone
    assert phone in read
    assert phone not in text(carl.get(f"{MESSAGES}{message.pk}/?read=1"))
