"""Decision, offer and signature: people and days that come in between, codes for something else, forms sent twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.web.borrowing.visitor import CONSENTS, Visitor
from usance.apps.access import services as access
from usance.apps.agreements.models import Signature
from usance.apps.customers import consents
from usance.apps.origination import selectors as applications
from usance.apps.payments.services import keep_card
from usance.apps.products import services as product_services
from usance.core.refusals import Refusal
from usance.ports import payment_rail
from usance.ports.actor import SYSTEM
from usance.workflows import decide_application, review_cases, take_application

# --- signing -----------------------------------------------------------------------------------------------------


def test_the_signature_sent_twice_is_one_loan_and_one_payout(visitor: Visitor) -> None:
    visitor.apply()
    page, code = visitor.ask_for_code(), visitor.code()
    first, second = (visitor.send("/offer/sign/", **page.hidden, code=code) for _ in range(2))
    assert first.path == second.path == f"/loans/{visitor.loan().pk}/"
    assert visitor.open("/offer/").path == first.path  # the back button
    assert visitor.open("/offer/sign/").path == first.path
    assert (Signature.objects.count(), visitor.sent_to_card()) == (1, 1)
    assert visitor.fill("/application/withdraw/").path == first.path


def test_a_code_that_is_wrong_old_used_or_for_something_else_signs_nothing(visitor: Visitor) -> None:
    visitor.apply()
    visitor.ask_for_code()
    old = visitor.code()
    assert "4 tries are left" in visitor.send("/offer/sign/", code=visitor.wrong_code()).text
    assert "A code was just sent" in visitor.send("/offer/sign/again/").text
    visitor.money.pass_time(60)
    visitor.send("/offer/sign/again/")
    assert "wrong" in visitor.send("/offer/sign/", code=old).text
    elsewhere = visitor.other_device()
    elsewhere.send("/sign-in/", phone=visitor.phone)
    assert "wrong" in visitor.send("/offer/sign/", code=visitor.code()).text  # a code to sign in with
    visitor.money.pass_time(601)
    shown = visitor.send("/offer/sign/", code=visitor.code())
    assert "too old or was used before. Ask for a new one" in shown.text
    assert "Send a new code" in shown.text
    assert (visitor.loan(), Signature.objects.count()) == (None, 0)
    assert visitor.sign().path.startswith("/loans/")


def test_two_tabs_that_ask_for_the_code_share_it(visitor: Visitor) -> None:
    visitor.apply()
    visitor.ask_for_code()
    code = visitor.code()
    shown = visitor.other_tab().fill("/offer/", card=str(visitor.cards()[0].pk))
    assert (shown.path, "A code was just sent" in shown.text) == ("/offer/sign/", True)
    assert visitor.send("/offer/sign/", code=code).path.startswith("/loans/")


def test_a_day_that_ends_between_code_and_signature_brings_a_new_paper(visitor: Visitor) -> None:
    visitor.apply()
    page, code = visitor.ask_for_code(), visitor.code()
    visitor.later(days=1)
    shown = visitor.send("/offer/sign/", **page.hidden, code=code)
    assert (shown.path, "The paper has changed" in shown.text) == ("/offer/", True)
    assert visitor.loan() is None
    assert visitor.sign().path.startswith("/loans/")
    (signature,) = Signature.objects.all()
    assert signature.document.issued_on == signature.signed_on == visitor.money.today


def test_an_offer_whose_days_are_over_says_so_and_its_paper_is_void(visitor: Visitor) -> None:
    visitor.apply()
    page, code = visitor.ask_for_code(), visitor.code()
    visitor.later(days=4)
    for path in ("/offer/", "/application/", "/offer/sign/"):
        shown = visitor.open(path)
        assert "Its time ran out, and nothing is owed" in shown.text
        assert "Apply again" in shown.text
    shown = visitor.send("/offer/sign/", **page.hidden, code=code)
    assert ("Its time ran out" in shown.text, visitor.loan()) == (True, None)
    assert [document.state for document in documents(visitor)] == ["void"]
    visitor.wish()
    assert visitor.open("/apply/about/").holds("family_name", "Trần")  # what was told is kept


def documents(visitor: Visitor) -> list[Any]:
    from usance.apps.agreements.models import Document

    return list(Document.objects.filter(subject_id=visitor.application.pk))


def test_a_product_that_changed_after_the_offer_leaves_it_as_it_was(visitor: Visitor) -> None:
    visitor.apply()
    visitor.ask_for_code()
    offered = visitor.open("/offer/").text
    product_services.retire(product_id=visitor.application.product.pk, from_on=visitor.money.today, actor=SYSTEM)
    assert visitor.open("/offer/").text == offered
    assert visitor.send("/offer/sign/", code=visitor.code()).path.startswith("/loans/")
    offer = applications.accepted_offer(application_id=visitor.application.pk)
    assert visitor.loan().amount_minor == offer.amount_minor


def test_an_offer_withdrawn_in_another_tab_cannot_be_signed(visitor: Visitor) -> None:
    visitor.apply()
    page, code = visitor.ask_for_code(), visitor.code()
    visitor.other_tab().fill("/application/withdraw/")
    shown = visitor.send("/offer/sign/", **page.hidden, code=code)
    assert "You withdrew this application" in shown.text
    assert visitor.loan() is None
    assert [document.state for document in documents(visitor)] == ["void"]


def test_permission_to_sign_by_code_that_was_taken_back_is_asked_for_again(visitor: Visitor) -> None:
    visitor.apply()
    given = consents.consents_of(visitor.party_id).get(purpose="electronic_signature")
    page = visitor.ask_for_code()
    code = visitor.code()
    visitor.send(f"/account/consents/{given.pk}/withdraw/")
    shown = visitor.send("/offer/sign/", **page.hidden, code=code)
    assert (shown.path, "You took back the permission" in shown.text) == ("/offer/", True)
    visitor.money.pass_time(3600)
    card = str(visitor.cards()[0].pk)
    assert visitor.fill("/offer/", card=card).path == "/offer/"
    assert visitor.fill("/offer/", card=card, electronic_signature="on").path == "/offer/sign/"
    assert visitor.send("/offer/sign/", code=visitor.code()).path.startswith("/loans/")


def test_the_mandate_is_given_in_the_words_that_were_shown(visitor: Visitor) -> None:
    visitor.apply()
    page, card = visitor.open("/offer/").hidden, str(visitor.cards()[0].pk)
    for language in ("vi", "en"):
        consents.add_text(
            purpose="card_debit", version=2, language=language, title="New", body="New words", on=visitor.money.today
        )
    shown = visitor.send("/offer/", **page | {"card": card})
    assert ("The text has changed" in shown.text, "New words" in shown.text) == (True, True)
    assert visitor.send("/offer/", **shown.hidden | {"card": card}).path == "/offer/sign/"
    visitor.send("/offer/sign/", code=visitor.code())
    mandate = consents.consents_of(visitor.party_id).get(purpose="card_debit")
    assert (mandate.text.version, str(mandate.subject_id)) == (2, card)
    assert set(CONSENTS) <= {row.purpose for row in consents.consents_of(visitor.party_id)}


# --- a person decides --------------------------------------------------------------------------------------------


@pytest.fixture
def reviewer(money: Any) -> Any:
    user = access.hire(email="reviewer@example.com", name="Reviewer", actor=SYSTEM)
    access.grant_role(user=user, role="underwriter", org_path="root", scope="institution", actor=SYSTEM)
    return user


@pytest.fixture
def referred(visitor: Visitor, reviewer: Any) -> Visitor:
    """A person must look, because somebody else linked the same card before; the reviewer has taken the case."""
    neighbour = Visitor(visitor.money)
    neighbour.sign_in()
    visitor.ready()
    told = payment_rail.Card(token="shared", last4="1111", brand="VISA")
    for party_id in (neighbour.party_id, visitor.party_id):
        keep_card(
            party_id=party_id, provider="fondy", merchant="1700002", told=told, org_path="root", at=visitor.money.now.at
        )
    visitor.fill("/apply/check/")
    assert visitor.application.state == "referred"
    review_cases.take_case(application_id=visitor.application.pk, reviewer=reviewer, at=visitor.money.now.at)
    return visitor


def decide(visitor: Visitor, reviewer: Any, how: Any, **more: Any) -> None:
    how(application_id=visitor.application.pk, reviewer=reviewer, at=visitor.money.now.at, **more)
    visitor.money.settle()


def test_an_answer_to_a_question_is_kept_whole_and_counted_once(referred: Visitor, reviewer: Any) -> None:
    assert "A person is looking" in referred.open("/application/").text
    decide(referred, reviewer, decide_application.ask, question="Which card?", reasons=["documents_unclear"])
    page = referred.open("/application/")
    assert "Which card?" in page.text
    shown = referred.send("/application/", **page.hidden, reply="x" * 2001)
    assert "at most 2000" in shown.text
    referred.lose_session()
    reply = "My wife's, she agrees. " * 80
    referred.send("/application/", **page.hidden, reply=reply)
    shown = referred.sign_in("/application/")
    assert shown.hidden["reply"] == reply
    first, second = (referred.send("/application/", **page.hidden, reply=reply) for _ in range(2))
    assert "A person is looking" in first.text
    assert "A person is looking" in second.text
    assert applications.answers(referred.application)["reply"] == reply.strip()
    states = [row.to_state for row in applications.transitions(referred.application)]
    assert states[-2:] == ["asked", "referred"]


def test_an_answer_after_the_time_for_it_says_that_it_is_over(referred: Visitor, reviewer: Any) -> None:
    decide(referred, reviewer, decide_application.ask, question="Which card?", reasons=["documents_unclear"])
    page = referred.open("/application/")
    referred.later(days=6)
    assert "Its time ran out" in referred.send("/application/", **page.hidden, reply="Mine").text


def test_a_decision_and_a_withdrawal_at_once_leave_one_of_them(referred: Visitor, reviewer: Any) -> None:
    page = referred.fill("/application/withdraw/")
    assert "Nothing is owed" in page.text
    with pytest.raises(Refusal):
        decide(referred, reviewer, decide_application.approve, reasons=["identity_shown"])
    assert referred.application.state == "withdrawn"
    assert not referred.application.offers.exists()


def test_a_decision_while_the_applicant_looks_leads_on_by_itself(referred: Visitor, reviewer: Any) -> None:
    late = referred.open("/apply/income/")
    assert late.path == "/application/"
    decide(referred, reviewer, decide_application.approve, reasons=["identity_shown"], amount_minor=2_000_000)
    shown = referred.open("/application/")
    assert (shown.path, "a part of what you asked for" in shown.text) == ("/offer/", True)
    assert referred.sign().path.startswith("/loans/")  # a person looked at the card that two people use
    assert referred.loan().amount_minor == 2_000_000


def test_a_decision_that_takes_long_says_so(visitor: Visitor) -> None:
    visitor.ready()
    take_application.submit(application_id=visitor.application.pk, key="k", at=visitor.money.now.at, actor=SYSTEM)
    visitor.money.jobs.waiting.clear()
    assert "a few seconds" in visitor.open("/application/").text
    visitor.money.now.at += timedelta(minutes=3)
    shown = visitor.open("/application/")
    assert "This takes longer than usual" in shown.text
    assert "You may close it: nothing is lost" in shown.text
