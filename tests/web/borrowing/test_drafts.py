"""From the calculator to the sent application: odd input, hand-made forms, two tabs, drafts that end, new prices."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.borrowing.visitor import ABOUT, ANSWERS, CONSENTS, Shown, Visitor
from usance.apps.customers import consents
from usance.apps.institutions import tenancy
from usance.apps.origination import selectors as applications
from usance.apps.origination.models import Application
from usance.apps.products import selectors as products
from usance.apps.products import services as product_services
from usance.apps.products import template
from usance.ports import clock
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import customer_care, protect_customer, served, take_application

PASTED = {  # page, field, what was pasted: each is refused in words, or taken
    "a name without end": ("about", "family_name", "x" * 5000),
    "an amount without end": ("income", "income_minor", "9" * 5000),
    "a number without end": ("work", "employment_months", "9" * 5000),
    "an amount below zero": ("income", "income_minor", "-5"),
    "an amount in words": ("income", "income_minor", "fifteen million"),
    "markup": ("income", "other_debt_minor", "<script>alert(1)</script>"),
    "a nothing": ("identity", "identity_number", "\x00\u200b"),
    "digits of another script": ("identity", "identity_number", "٠٨٧٠٨٤٠٠٠٩٩٩٩"),
    "no address": ("contact", "email", "name at example"),
}


def publish(code: str, **changed: Any) -> Any:
    """From today on the product is another one."""
    today = tenancy.current().business_date
    before = products.version_in_force(product_code=code, on=today)
    version = product_services.draft_version(
        product_id=before.product_id, config={**before.config, **changed}, actor=SYSTEM
    )
    return product_services.publish(version_id=version.pk, starts_on=today, actor=SYSTEM)


# --- what is typed -----------------------------------------------------------------------------------------------


def test_whatever_is_pasted_is_answered_beside_its_field_and_stays_there(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about")
    for what, (page, name, pasted) in PASTED.items():
        shown = visitor.fill(f"/apply/{page}/", **ANSWERS[page] | {name: pasted})
        if "\x00" in pasted:  # what no keyboard writes is turned away whole
            assert shown.status == 400, what
            continue
        assert (shown.status, shown.path) == (200, f"/apply/{page}/"), what
        assert "data-errors" in shown.source, what
        assert shown.holds(name, pasted[:100]), what
    assert applications.answers(visitor.application).keys() <= {*ABOUT, "birth_date", *ANSWERS["work"],
                                                                *ANSWERS["income"], *ANSWERS["contact"]}  # fmt: skip


@pytest.mark.parametrize(("day", "month", "year"), [("9" * 5000, "5", "1984"), ("31", "2", "1984"), ("8", "5", "2084")])
def test_a_day_on_which_nobody_was_born_is_refused(visitor: Visitor, day: str, month: str, year: str) -> None:
    visitor.begin()
    typed = ABOUT | {"birth_date_day": day, "birth_date_month": month, "birth_date_year": year}
    shown = visitor.fill("/apply/about/", **typed)
    assert (shown.path, "data-errors" in shown.source) == ("/apply/about/", True)
    assert shown.holds("family_name", "Trần")
    assert shown.holds("birth_date_year", year)


def test_a_name_is_kept_as_it_can_be_printed(visitor: Visitor) -> None:
    """Pasted from a chat: letters in two parts, invisible and turning signs, line ends, a smile."""
    visitor.begin()
    visitor.fill(
        "/apply/about/", **ABOUT | {"family_name": " Tra\u0302\u0300n\u200b \n 🙂", "given_name": "\u202eBình"}
    )
    known = applications.answers(visitor.application)
    assert (known["family_name"], known["given_name"]) == ("Trần 🙂", "Bình")


def test_amounts_and_products_that_are_not_offered_begin_nothing(visitor: Visitor) -> None:
    for amount in ("0", "-1", "1", "999999999", "9" * 400, "1e9", "3000001", "abc", "\u0663\u0660"):
        shown = visitor.wish(amount=amount)
        assert (shown.path, "data-errors" in shown.source) == ("/wish/", True), amount
        assert shown.holds("amount", amount)
    for term in ("0", "-5", "999", "9" * 400, ""):
        assert "data-errors" in visitor.wish(term=term).source, term
    shown = visitor.wish(product="nothing")
    assert (shown.path, "not offered at present" in shown.text) == ("/", True)
    assert visitor.sign_in("/apply/").path == "/"  # nothing was wished for: to the calculator
    assert not Application.objects.exists()


# --- twice, and in two tabs --------------------------------------------------------------------------------------


def test_the_form_of_the_calculator_sent_twice_begins_one_draft(visitor: Visitor) -> None:
    visitor.begin()
    for _ in range(2):
        assert visitor.wish("4000000").path == "/apply/about/"
    assert Application.objects.get().amount_minor == 4_000_000
    assert take_application.start(
        party_id=visitor.party_id, product_code="short", amount_minor=3_000_000, term=30, language="vi",
        at=visitor.money.now.at, actor=borrower(visitor.party_id),
    ).application.pk == Application.objects.get().pk  # fmt: skip


def test_the_check_page_sent_twice_sends_one_application(visitor: Visitor) -> None:
    page = visitor.ready().hidden
    first, second = (visitor.send("/apply/check/", **page) for _ in range(2))
    assert {first.path, second.path} <= {"/application/", "/offer/"}
    assert visitor.send("/apply/check/", key="another tab", shown="").path in ("/application/", "/offer/")
    states = [row.to_state for row in applications.transitions(visitor.application)]
    assert states.count("submitted") == 1


def test_an_answer_changed_in_another_tab_is_shown_before_it_is_sent(visitor: Visitor) -> None:
    ready = visitor.ready()
    page = ready.hidden
    assert "shown" in page, ready.source
    visitor.other_tab().fill("/apply/income/", **ANSWERS["income"] | {"income_minor": "16000000"})
    shown = visitor.send("/apply/check/", **page)
    assert "Something was changed since you opened this page" in shown.text
    assert "16,000,000" in shown.text
    assert visitor.application.state == "draft"
    visitor.send("/apply/check/", **shown.hidden)
    assert visitor.application.state == "approved"


def test_a_page_sent_after_the_application_leads_to_where_it_stands(visitor: Visitor) -> None:
    visitor.ready()
    late = visitor.open("/apply/income/").hidden
    visitor.fill("/apply/check/")
    shown = visitor.send("/apply/income/", **late, **ANSWERS["income"] | {"income_minor": "99000000"})
    assert (shown.path, "no longer open for changes" in shown.text) == ("/offer/", True)
    assert applications.answers(visitor.application)["income_minor"] == "15000000"
    visitor.wish("5000000")
    shown = visitor.open("/apply/")
    assert (shown.path, "You have an application under way" in shown.text) == ("/offer/", True)


def test_an_application_withdrawn_in_another_tab_says_so_and_its_answers_come_back(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about", "work")
    late = visitor.open("/apply/income/").hidden
    gone = visitor.other_tab().fill("/application/withdraw/")
    assert "You withdrew the application. Nothing is owed." in gone.text
    assert visitor.fill("/application/withdraw/").path == "/application/"  # twice
    shown = visitor.send("/apply/income/", **late, **ANSWERS["income"])
    assert "You withdrew this application" in shown.text
    shown = visitor.wish()
    assert shown.path == "/apply/income/"  # what was told is kept, and even what could not be saved any more
    assert shown.holds("income_minor", "15.000.000")
    assert visitor.open("/apply/work/").holds("employment_months", "60")
    assert Application.objects.count() == 2


# --- time --------------------------------------------------------------------------------------------------------


def test_a_draft_whose_time_ran_out_says_so_and_its_answers_come_back(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about", "work")
    late = visitor.open("/apply/income/").hidden
    visitor.later(days=15)
    assert visitor.application.state == "expired"
    shown = visitor.send("/apply/income/", **late, **ANSWERS["income"])
    assert "This application has ended" in shown.text
    assert "Apply again" in shown.text
    shown = visitor.wish()
    assert (shown.path, shown.holds("income_minor", "15.000.000")) == ("/apply/income/", True)
    assert visitor.open("/apply/about/").holds("family_name", "Trần")


def test_a_link_to_go_on_works_twice_on_any_device_and_an_old_one_says_so(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about")
    wish: dict[str, Any] = {"product_code": "short", "amount_minor": 3_000_000, "term": 30, "language": "vi"}
    who: dict[str, Any] = {"party_id": visitor.party_id, "at": visitor.money.now.at, "actor": SYSTEM}
    old = take_application.start(**wish, **who).resume_token
    new = take_application.start(**wish, **who).resume_token
    for _ in range(2):
        assert visitor.open(f"/apply/resume/{new}/").path == "/apply/work/"
    other = visitor.other_device()
    assert other.open(f"/apply/resume/{new}/").path == "/sign-in/"
    assert "Trần" not in other.open(f"/apply/resume/{new}/").source
    shown = visitor.open(f"/apply/resume/{old}/")
    assert (shown.status, "no longer good" in shown.text, "Go on" in shown.text) == (404, True, True)


# --- what changed at the lender's --------------------------------------------------------------------------------


def test_prices_that_changed_since_the_draft_are_shown_before_it_is_sent(visitor: Visitor) -> None:
    visitor.later(days=1)
    page = visitor.ready().hidden
    dearer = publish(
        "short", prices={kind: {"rate": {"share": "0.19", "per": "year"}} for kind in template.CUSTOMER_KINDS}
    )
    shown = visitor.send("/apply/check/", **page)
    assert "The prices have changed" in shown.text
    assert "You pay back in all" in shown.text
    assert visitor.application.state == "draft"
    visitor.send("/apply/check/", **shown.hidden)
    assert (visitor.application.state, visitor.application.product_version_id) == ("approved", dearer.pk)
    offer = applications.standing_offer(application_id=visitor.application.pk)
    assert offer is not None
    assert f"{offer.figures['total_minor']:,}" in shown.text


def test_a_product_withdrawn_since_the_draft_leads_to_the_others(visitor: Visitor) -> None:
    page = visitor.ready().hidden
    product_services.retire(product_id=visitor.application.product.pk, from_on=visitor.money.today, actor=SYSTEM)
    shown = visitor.send("/apply/check/", **page)
    assert "not offered at present" in shown.text
    assert "Choose another amount or loan" in shown.text
    assert "Send the application" not in shown.text
    assert visitor.wish().path == "/"
    shown = visitor.wish("9000000", "6", product="instalments")
    assert shown.path == "/apply/check/"
    assert visitor.application.amount_minor == 9_000_000
    assert applications.answers(visitor.application)["family_name"] == "Trần"


def test_a_card_removed_in_another_tab_is_asked_for_before_sending(visitor: Visitor) -> None:
    page = visitor.ready().hidden
    card = visitor.cards()[0]
    visitor.other_tab().send(f"/account/cards/{card.pk}/remove/")
    assert visitor.other_tab().send(f"/account/cards/{card.pk}/remove/").path == "/account/settings/"  # twice
    shown = visitor.send("/apply/check/", **page)
    assert (shown.path, "still open" in shown.text) == ("/apply/card/", True)
    assert visitor.application.state == "draft"


def test_permissions_are_given_to_the_words_that_were_shown(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about")
    page = visitor.open("/apply/consents/").hidden
    for language in ("vi", "en"):
        consents.add_text(
            purpose="credit_check", version=2, language=language, title="New", body="New words", on=visitor.money.today
        )
    shown = visitor.send("/apply/consents/", **page, **dict.fromkeys(CONSENTS, "on"))
    assert ("The text has changed" in shown.text, "New words" in shown.text) == (True, True)
    assert not consents.consents_of(visitor.party_id).exists()
    visitor.consent()
    given = {row.purpose: row.text.version for row in consents.consents_of(visitor.party_id)}
    assert given == dict.fromkeys(CONSENTS, 1) | {"credit_check": 2}


def papers(visitor: Visitor) -> list[Any]:
    from usance.apps.agreements.models import Document

    return list(Document.objects.filter(subject_id=visitor.application.pk))


def block(visitor: Visitor) -> None:
    customer_care.block(party_id=visitor.party_id, reason="fraud", actor=SYSTEM)
    visitor.money.settle()


def declined(shown: Shown) -> bool:
    return "We cannot lend to you now" in shown.text and "could not confirm everything" in shown.text


def protect(visitor: Visitor, kind: str = "insolvent") -> None:
    protect_customer.begin(
        party_id=visitor.party_id, kind=kind, starts_on=visitor.money.today, evidence="court 5", actor=SYSTEM
    )
    visitor.money.settle()


def test_nobody_begins_or_sends_while_a_status_stops_new_loans(visitor: Visitor) -> None:
    visitor.ready()
    protect(visitor, "in_service")  # which stops none
    row = visitor.application
    assert take_application.page_states(application_id=row.pk)
    protect(visitor)
    assert "We cannot lend to you at present" in visitor.fill("/apply/check/").text
    assert visitor.application.state == "draft"
    with pytest.raises(served.NoLongerServed):
        take_application.start(
            party_id=visitor.party_id, product_code=row.product.code, amount_minor=row.amount_minor, term=row.term,
            language="en", at=clock.now(), actor=borrower(visitor.party_id),
        )  # fmt: skip


def test_what_was_asked_for_and_not_received_ends_when_a_status_stops_new_loans(visitor: Visitor) -> None:
    visitor.apply()
    page = visitor.ask_for_code()
    code = visitor.code()
    protect(visitor)
    shown = visitor.send("/offer/sign/", **page.hidden, code=code)
    assert "We cannot lend to you now" in shown.text
    assert "keeps us from lending to you for now" in shown.text
    assert visitor.loan() is None
    assert [offer.state for offer in visitor.application.offers.all()] == ["withdrawn"]
    assert [paper.state for paper in papers(visitor)] == ["void"]


def test_somebody_blocked_before_sending_gets_an_honest_no(visitor: Visitor) -> None:
    visitor.ready()
    block(visitor)
    visitor.fill("/apply/check/")
    assert declined(visitor.open("/application/"))


def test_somebody_blocked_before_signing_gets_no_money_and_an_honest_no(visitor: Visitor) -> None:
    visitor.apply()
    page = visitor.ask_for_code()
    code = visitor.code()
    block(visitor)
    assert declined(visitor.send("/offer/sign/", **page.hidden, code=code))
    assert visitor.loan() is None
    assert [offer.state for offer in visitor.application.offers.all()] == ["withdrawn"]
    assert [paper.state for paper in papers(visitor)] == ["void"]
    assert any("confirm" in message["text"] for message in visitor.messages()[:1])
