"""The underwriter's desk in the browser: queue, case, decision, register."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.apps.origination.people import AT
from tests.web.staff.desk_world import Desk
from usance.apps.audit import selectors as trail
from usance.apps.customers import protections
from usance.apps.desk import selectors as cases
from usance.apps.origination import selectors
from usance.ports.actor import SYSTEM, staff
from usance.workflows import protect_customer, review_cases, take_application

QUEUE, REGISTER = "/staff/queue/", "/staff/applications/"


def text(response: Any) -> str:
    return str(response.content.decode())


def page(row: Any, act: str = "") -> str:
    return f"{REGISTER}{row.pk}/{act}"


def state(row: Any) -> str:
    return str(selectors.application(application_id=row.pk).state)


def item(row: Any) -> Any:
    return cases.item_of("underwriting", row.pk)


def test_next_case_takes_the_first_and_opens_it(desk: Desk) -> None:
    anna, berta = desk.person("anna"), desk.person("berta")
    empty = anna.get(QUEUE)
    assert empty.status_code == 200
    assert "The queue is empty" in text(empty)
    assert anna.post(f"{QUEUE}next/")["Location"] == QUEUE
    row = desk.referred()
    shown = text(anna.get(QUEUE))
    assert row.reference in shown
    assert "On time" in shown
    assert "Card linked by another customer" in shown
    assert "Trần" not in shown  # names are masked in lists
    assert anna.post(f"{QUEUE}next/")["Location"] == page(row)
    assert item(row).owner == desk.user("anna")
    assert berta.post(f"{QUEUE}next/")["Location"] == QUEUE
    assert anna.post(f"{QUEUE}next/")["Location"] == page(row)  # nobody else waits: back to her own
    for view, there in (("mine", True), ("free", False), ("waiting", False), ("nonsense", True)):
        assert (row.reference in text(anna.get(f"{QUEUE}?view={view}"))) is there, view
    assert "Select a valid choice" in text(anna.get(f"{QUEUE}?product=none"))


def test_lists_ask_the_database_no_more_for_more_rows(desk: Desk) -> None:
    anna = desk.person("anna")
    counted: dict[str, list[int]] = {QUEUE: [], REGISTER: []}
    for card in ("one", "two", "three"):
        desk.referred(card)
        for address, found in counted.items():
            anna.get(address)  # the session's row is touched once a minute
            with CaptureQueriesContext(connection) as queries:
                assert anna.get(address).status_code == 200
            found.append(len(queries))
    assert {address: len(set(found)) for address, found in counted.items()} == {QUEUE: 1, REGISTER: 1}, counted


def test_a_case_shows_its_evidence_and_hides_who_it_is_until_asked(desk: Desk) -> None:
    anna, carl = desk.person("anna"), desk.person("carl", "auditor")
    row = desk.referred()
    masked = text(anna.get(page(row)))
    for words in (
        "Said by the applicant",
        "1 other has it",
        "Needs a person",
        "Others with the same card",
        "Take the case",
    ):
        assert words in masked, words
    for secret in ("Trần", "087084000999", "binh@example.com", "+8490123"):
        assert secret not in masked, secret
    seen = trail.who_looked(row)[0].details["fields"]
    assert "income_minor" in seen
    assert not {"family_name", "identity_number"} & set(seen)
    opened = text(anna.get(f"{page(row)}?show=1"))
    assert "Trần" in opened
    assert "087084000999" in opened
    assert {"family_name", "identity_number"} <= set(trail.who_looked(row)[0].details["fields"])
    assert "Trần" not in text(carl.get(f"{page(row)}?show=1"))  # an auditor sees masked data only
    assert "Take the case" not in text(carl.get(page(row)))


def test_whoever_holds_the_case_decides_and_nothing_typed_is_lost(desk: Desk) -> None:
    anna, berta = desk.person("anna"), desk.person("berta")
    row = desk.referred()
    good = {"verdict": "approve", "amount_minor": "2,500,000", "approve_reasons": ["identity_shown"], "note": "called"}
    refused = berta.post(page(row), good)
    assert refused.status_code == 422
    assert "Take the case before you decide it." in text(refused)
    assert anna.post(page(row, "take/")).status_code == 302
    for wrong, words in (
        (good | {"verdict": "marry"}, "Choose whether to approve"),
        (good | {"approve_reasons": []}, "Choose at least one reason."),
        (good | {"approve_reasons": ["nonsense"]}, "Select a valid choice"),
        (good | {"decline_reasons": ["score_low"]}, "Take the ticks away"),
        (good | {"amount_minor": "9,000,000"}, "Offer at most what was asked for"),
        (good | {"amount_minor": "2,050,000"}, "in steps of"),
        (good | {"amount_minor": ""}, "Say how much to offer."),
        (
            good | {"verdict": "ask", "approve_reasons": [], "ask_reasons": ["income_not_shown"]},
            "Write what the applicant",
        ),
    ):
        answer = anna.post(page(row), wrong)
        assert answer.status_code == 422
        assert words in text(answer), words
        assert "called" in text(answer)
    assert state(row) == "referred"
    assert selectors.case(application_id=row.pk).reviews == []
    assert anna.post(page(row), good).status_code == 302
    case = selectors.case(application_id=row.pk)
    assert (case.application.state, case.offers[0].amount_minor) == ("approved", 2_500_000)
    assert (case.reviews[0].reviewer_id, case.reviews[0].seconds) == (desk.user("anna").pk, 0)
    shown = text(berta.get(page(row)))
    assert "called" in shown
    assert "looked for 0 seconds" in shown
    assert anna.post(page(row), good).status_code == 422


def test_nobody_makes_an_offer_to_whom_the_law_lets_nobody_lend(desk: Desk) -> None:
    anna = desk.person("anna")
    row = desk.referred()
    anna.post(page(row, "take/"))
    protections.begin(party_id=row.party_id, kind="deceased", starts_on=AT.date(), evidence="certificate", actor=SYSTEM)
    good = {"verdict": "approve", "amount_minor": "2,500,000", "approve_reasons": ["identity_shown"], "note": "called"}
    refused = anna.post(page(row), good)
    assert (refused.status_code, state(row)) == (422, "referred")
    assert "stops new loans to this customer" in text(refused)
    assert "No new loans" in text(anna.get(page(row)))
    assert desk.referred("two").state == "referred"  # of somebody else
    protect_customer.begin(
        party_id=row.party_id, kind="insolvent", starts_on=AT.date(), evidence="court 5", actor=SYSTEM
    )
    assert state(row) == "declined"


def test_a_decline_and_a_question(desk: Desk) -> None:
    anna = desk.person("anna")
    first, second = desk.referred("one"), desk.referred("two")
    for row in (first, second):
        anna.post(page(row, "take/"))
    assert anna.post(page(first), {"verdict": "decline", "decline_reasons": ["income_not_shown"]}).status_code == 302
    assert state(first) == "declined"
    asked = {"verdict": "ask", "question": "Where do you work?", "ask_reasons": ["income_not_shown"]}
    assert anna.post(page(second), asked).status_code == 302
    assert state(second) == "asked"
    assert "Waits for the applicant" in text(anna.get(f"{QUEUE}?view=waiting"))
    assert "Where do you work?" in text(anna.get(page(second)))


def test_a_case_is_put_back_and_given_away(desk: Desk) -> None:
    anna, berta, chief = desk.person("anna"), desk.person("berta"), desk.person("chief", "compliance")
    row = desk.referred()
    anna.post(page(row, "take/"))
    berta.post(page(row, "take/"))  # a colleague has it: nothing changes
    assert item(row).owner == desk.user("anna")
    assert "anna has this case." in text(berta.get(page(row)))
    berta.post(page(row, "put-back/"))
    assert item(row).owner == desk.user("anna")
    anna.post(page(row, "put-back/"))
    assert item(row).owner is None
    assert anna.post(page(row, "give/"), {"user_id": "x"}).status_code == 403
    chief.post(page(row, "give/"), {"user_id": "nobody"})
    assert item(row).owner is None
    chief.post(page(row, "give/"), {"user_id": str(desk.user("berta").pk)})
    assert item(row).owner == desk.user("berta")


def test_nobody_decides_the_case_they_entered(desk: Desk) -> None:
    anna, berta = desk.person("anna"), desk.person("berta")
    party_id = desk.lender.person()
    desk.lender.card(desk.lender.person(), token="shared")
    began = take_application.start(
        party_id=party_id,
        product_code="short",
        amount_minor=3_000_000,
        term=30,
        language="vi",
        at=AT,
        actor=staff(desk.user("anna").pk),
        channel="staff",
    )
    desk.lender.answer(began.application)
    desk.lender.card(party_id, token="shared")
    row = desk.decided(began.application)
    assert anna.post(f"{QUEUE}next/")["Location"] == QUEUE
    anna.post(page(row, "take/"))
    assert item(row).owner is None
    shown = text(anna.get(page(row)))
    assert "so a colleague decides it" in shown
    assert "Take the case" not in shown
    assert review_cases.next_case(reviewer=desk.user("berta"), at=AT) is not None
    assert "so a colleague decides it" not in text(berta.get(page(row)))


def test_the_register_finds_by_number_phone_and_name_and_says_what_is_wrong(desk: Desk) -> None:
    anna = desk.person("anna")
    row = desk.referred()
    for asked in (f"q={row.reference}", f"q={row.number}", "q=trần", "q=tran+binh", "state=referred", "product=short"):
        assert row.reference in text(anna.get(f"{REGISTER}?{asked}")), asked
    for asked in ("q=nobody", "state=funded", "since=2027-01-01", "product=instalments", "until=2020-01-01"):
        found = text(anna.get(f"{REGISTER}?{asked}"))
        assert row.reference not in found, asked
        assert "Nothing fits" in found
    for asked, words in (("since=yesterday", "Enter a valid date"), ("state=odd", "Select a valid choice")):
        assert words in text(anna.get(f"{REGISTER}?{asked}")), asked
    for order in ("number", "-amount_minor", "password", "-"):
        assert anna.get(f"{REGISTER}?order={order}&page=99").status_code == 200
    assert desk.person("tom", "administrator").get(REGISTER).status_code == 403
