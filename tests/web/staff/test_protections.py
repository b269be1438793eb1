"""Protected statuses: what they stop is stopped, also for days that have passed, and goes on when they are over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.apps.servicing import loans
from tests.web.staff.lending import AT, ON, Lender
from usance.apps.audit import selectors as trail
from usance.apps.customers import consents, protections
from usance.apps.institutions import selectors as institutions
from usance.apps.messaging import services as messaging
from usance.apps.servicing import selectors, services
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import protect_customer, take_payment
from usance.workflows.audit_books import audit_books

LATE = ON + timedelta(days=20)  # the loan was due on the seventh day


@pytest.fixture
def late(lender: Lender) -> Any:
    """A loan of seven days, thirteen days past due, with penalties."""
    loan = lender.loan(agreed=loans.single_payment(days=7))
    lender.live_until(LATE)
    return selectors.loan(loan.pk)


def begin(loan: Any, kind: str = "in_service", since: date = ON + timedelta(days=10), **more: Any) -> Any:
    return protect_customer.begin(
        party_id=loan.party_id, kind=kind, starts_on=since, evidence="call-up 17 of 12 March", actor=SYSTEM, **more
    )


def remind(loan: Any, key: str) -> Any:
    (message, *_more) = messaging.tell(
        party_id=loan.party_id, template="past_due", key=key, moment=AT.replace(hour=8),
        context={"reference": "L", "link": "x", "amount_minor": 1, "due_on": ON, "as_of": ON},
        subject=("servicing.loan", loan.pk),
    )  # fmt: skip
    return message


def test_what_a_status_stops_is_stopped_since_its_day_and_goes_on_after_it(lender: Lender, late: Any) -> None:
    card = lender.card(late.party_id)
    text = consents.text_in_force("card_debit", "en", ON)
    consents.give(
        party_id=late.party_id, purpose="card_debit", text_id=text.pk, actor=borrower(late.party_id), at=AT, on=ON,
        subject_id=card.pk,
    )  # fmt: skip
    assert take_payment.card_for_debit(party_id=late.party_id, on=LATE) == card
    row = begin(late, since=ON)
    assert selectors.loan(late.pk).penalty_minor == 0  # all thirteen days of it are taken back
    assert take_payment.card_for_debit(party_id=late.party_id, on=LATE) is None
    assert (remind(late, "a").state, remind(late, "a").reason) == ("refused", "protected")
    lender.live_until(LATE + timedelta(days=3))
    assert selectors.loan(late.pk).penalty_minor == 0
    protect_customer.end(protection_id=row.pk, ends_on=LATE + timedelta(days=5), actor=SYSTEM)  # a day to come
    lender.live_until(LATE + timedelta(days=7))
    assert selectors.loan(late.pk).penalty_minor > 0
    assert take_payment.card_for_debit(party_id=late.party_id, on=lender.today) == card
    assert audit_books(full=True).differences == ()


def test_a_mistake_leaves_the_loan_as_it_was_and_another_status_stays(lender: Lender, late: Any) -> None:
    owed = selectors.loan(late.pk).outstanding_minor
    first, second = begin(late), begin(late, kind="insolvent", since=ON + timedelta(days=15))
    between = selectors.loan(late.pk).penalty_minor
    assert 0 < between < late.penalty_minor
    protect_customer.withdraw(protection_id=first.pk, actor=SYSTEM, at=AT)
    assert between < selectors.loan(late.pk).penalty_minor < late.penalty_minor  # since its own day, the later one
    protect_customer.withdraw(protection_id=second.pk, actor=SYSTEM, at=AT)
    assert selectors.loan(late.pk).outstanding_minor == owed


def test_a_pause_by_hand_is_its_own_and_a_day_to_come_begins_by_itself(lender: Lender, late: Any) -> None:
    accountant = lender.browser("accountant")
    key = {"key": "e" * 32}
    page = accountant.post(f"/staff/loans/{late.pk}/penalty/", key | {"reason": "in hospital"})
    carried = {name: field.initial for name, field in page.context["carried"].fields.items()}
    assert accountant.post(f"/staff/loans/{late.pk}/penalty/", carried).status_code == 302
    row = begin(late, since=LATE + timedelta(days=2), ends_on=LATE + timedelta(days=4))
    assert remind(late, "b").reason != "protected"
    lender.live_until(LATE + timedelta(days=2))
    assert protections.stops(party_id=late.party_id, what="debit", on=lender.today)
    refused = accountant.post(f"/staff/loans/{late.pk}/penalty/", {"key": "f" * 32})
    assert "The law protects this customer" in refused.content.decode()
    lender.live_until(LATE + timedelta(days=6))
    assert selectors.state_on(selectors.loan(late.pk)).penalty_paused  # whoever paused lets go on
    assert [one.kind for one in protections.of_party(late.party_id)] == [row.kind]


def test_the_country_says_what_is_stopped(lender: Lender, late: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    law, rule = {"deceased": ["collection"]}, institutions.rule
    monkeypatch.setattr(institutions, "rule", lambda *asked: law if asked[1] == "protection" else rule(*asked))
    begin(late, kind="deceased", since=ON)
    assert selectors.loan(late.pk).penalty_minor == late.penalty_minor
    assert protections.stops(party_id=late.party_id, what="collection", on=LATE)
    assert not protections.stops(party_id=late.party_id, what="debit", on=LATE)


@pytest.fixture
def for_soldiers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law of a country in which soldiers owe neither penalties nor interest while they serve."""
    law, rule = institutions.rule("UA", protections.RULE, LATE), institutions.rule
    assert law == {"in_service": [*protections.ASKING, "interest"]}
    monkeypatch.setattr(institutions, "rule", lambda *asked: law if asked[1] == protections.RULE else rule(*asked))


def owed(loan: Any) -> tuple[int, int]:
    row = selectors.loan(loan.pk)
    return row.interest_minor, row.penalty_minor


@pytest.mark.usefixtures("for_soldiers")
def test_a_soldier_owes_no_interest_since_the_first_day_of_service_until_its_last(lender: Lender, late: Any) -> None:
    a_day = owed(late)[0] // 20
    row = begin(late, since=ON + timedelta(days=5))  # learned fifteen days later
    assert owed(late) == (5 * a_day, 0)
    lender.live_until(LATE + timedelta(days=10))
    assert owed(late) == (5 * a_day, 0)
    text = lender.browser("accountant").get(f"/staff/loans/{late.pk}/?tab=timeline").content.decode()
    assert ("protected:" in text, text.count("In military service") >= 2) == (False, True)
    protect_customer.end(protection_id=row.pk, ends_on=LATE + timedelta(days=8), actor=SYSTEM)  # two days ago
    interest, penalty = owed(late)
    assert (interest, penalty > 0) == (7 * a_day, True)
    lender.live_until(LATE + timedelta(days=11))
    assert owed(late)[0] == 8 * a_day
    assert audit_books(full=True).differences == ()


@pytest.mark.usefixtures("for_soldiers")
def test_service_that_is_over_or_has_a_last_day_or_never_was(lender: Lender, late: Any) -> None:
    whole = owed(late)
    a_day = whole[0] // 20
    begin(late, since=ON + timedelta(days=1), ends_on=ON + timedelta(days=4))  # it is over
    assert owed(late)[0] == 17 * a_day
    row = begin(late, since=ON + timedelta(days=10), ends_on=LATE + timedelta(days=3))  # its end is known
    assert owed(late)[0] == 7 * a_day
    protect_customer.end(protection_id=row.pk, ends_on=LATE + timedelta(days=1), actor=SYSTEM)  # and is another
    lender.live_until(LATE + timedelta(days=5))
    assert owed(late)[0] == 11 * a_day
    mistaken = begin(late, since=LATE + timedelta(days=2))  # three nights ago
    assert owed(late)[0] == 8 * a_day
    protect_customer.withdraw(protection_id=mistaken.pk, actor=SYSTEM, at=AT)
    assert owed(late)[0] == 11 * a_day
    assert audit_books(full=True).differences == ()


@pytest.mark.usefixtures("for_soldiers")
def test_who_borrowed_together_protects_the_loan_and_who_only_answers_for_it_is_named(
    lender: Lender, late: Any
) -> None:
    other, surety = lender.customer("Lan"), lender.customer("Minh")
    joint = services.book_loan(
        party_id=late.party_id, product="payday", terms=selectors.terms_of(late), source="application:joint",
        parties=[(other, "co_borrower"), (surety, "guarantor")], actor=SYSTEM,
    )  # fmt: skip
    for party_id in (surety, other):
        protect_customer.begin(party_id=party_id, kind="in_service", starts_on=LATE, evidence="call-up", actor=SYSTEM)
    services.disburse(loan_id=joint.pk, source="instruction:joint", value_on=LATE, actor=SYSTEM)
    protect_customer.protect_loan(loan_id=joint.pk)
    lender.live_until(LATE + timedelta(days=9))
    assert owed(joint) == (0, 0)
    assert owed(late)[0] > 0  # of that one nobody else has a part
    text = lender.browser("accountant").get(f"/staff/loans/{joint.pk}/").content.decode()
    assert "Guarantor: In military service" in text
    assert "Co-borrower: In military service" in text


def test_staff_record_it_end_it_and_see_it(lender: Lender, late: Any) -> None:
    anna, page = lender.browser("customer_service"), f"/staff/customers/{late.party_id}/"
    good = {"kind": "deceased", "starts_on": "2026-03-05", "evidence": "certificate 5 of 6 March"}
    for wrong in ({"kind": "asleep"}, {"starts_on": "soon"}, {"evidence": ""}, {"ends_on": "2026-03-05"}):
        refused = anna.post(f"{page}protect/", good | wrong)
        assert (refused.status_code, list(refused.context["form"].errors)) == (422, list(wrong))
    assert anna.post(f"{page}protect/", good).status_code == 302
    assert "recorded already" in anna.post(f"{page}protect/", good).content.decode()
    shown = anna.get(page).content.decode()
    assert "The law protects this customer" in shown
    assert "certificate" not in shown
    assert "certificate" in anna.get(f"{page}?show=1").content.decode()
    assert "The law protects this customer" in anna.get(f"/staff/loans/{late.pk}/").content.decode()
    assert "certificate" not in str([one.details for one in trail.trail(("customers.party", late.party_id))])
    (row,) = protections.of_party(late.party_id)
    over = f"/staff/customers/protections/{row.pk}/"
    for wrong in ({}, {"how": "over"}, {"how": "over", "ends_on": "2026-03-01"}):
        assert anna.post(over, wrong).status_code == 422
    assert anna.post(over, {"how": "mistake"}).status_code == 302
    assert "ended already" in anna.post(over, {"how": "mistake"}).content.decode()
    assert "The law protects this customer" not in anna.get(page).content.decode()
    assert [one.action for one in trail.trail(("customers.party", late.party_id)).exclude(action=trail.VIEWED)][:2] == [
        "customer.protection_withdrawn", "customer.protected",
    ]  # fmt: skip
    assert lender.browser("cashier").get(f"{page}protect/").status_code == 403
