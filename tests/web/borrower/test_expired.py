"""A session that ends in the middle: nothing typed is lost, nobody else is shown it, and no money moves unseen."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings

from tests.support import visits
from tests.web.borrower.owing import Phone, events
from usance.apps.access.models import Session
from usance.apps.customers import selectors as customers
from usance.web import cookies
from usance.web.borrower import identity

if TYPE_CHECKING:
    from tests.apps.payments.money import Money


def end_session(person: Phone) -> None:
    Session.objects.filter(session_key=person.client.cookies[settings.SESSION_COOKIE_NAME].value).delete()


def sign_in_again(person: Phone, sent: Any) -> Any:
    """By phone and code, as the pages ask; gives where they lead."""
    assert sent.headers["Location"].startswith("/sign-in/?next=")
    person.client.get(sent.headers["Location"])
    (contact,) = customers.contacts(person.party_id, "phone")
    assert person.client.post("/sign-in/", {"phone": contact.value}).status_code == 302
    person.money.settle()
    code = person.money.provider.inbox(contact.value.lstrip("+"))[0]["codes"][0]
    answer = person.client.post("/sign-in/code/", {"code": code})
    assert answer.status_code == 302, answer.content.decode()
    return answer


def test_what_was_typed_is_sent_with_one_press_after_signing_in(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    page = f"/loans/{loan.pk}/pay/"
    end_session(person)
    sent = person.client.post(page, {"choice": "other", "amount": "123,456", "card": person.card})
    back = sign_in_again(person, sent)
    assert back.headers["Location"] == page
    kept = person.get(page)
    assert "What you typed is here" in kept.content.decode()
    assert kept.context["form"].initial == {"choice": ["other"], "amount": ["123,456"], "card": [person.card]}
    again = person.get(page)  # a reload loses nothing
    answers = {name: values[0] for name, values in again.context["form"].initial.items()}
    confirm = person.client.post(page, answers)
    assert "/confirm/?order=" in confirm.headers["Location"]
    assert person.get(page).context["form"].fields.keys() == {"choice", "amount", "card"}  # and it is offered once
    person.order(confirm.headers["Location"])
    money.settle()
    assert [one.amount_minor for one in person.orders(loan)] == [123_456]


def test_whoever_wants_to_begins_afresh(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    page = f"/loans/{loan.pk}/pay/"
    end_session(person)
    sign_in_again(person, person.client.post(page, {"choice": "other", "amount": "1"}))
    assert person.get(f"{page}?afresh=1").headers["Location"] == page
    assert "What you typed is here" not in person.reads(page)


def test_a_confirmation_is_looked_at_again_before_it_pays(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    address = person.choose(loan)
    seen = person.look(address)
    end_session(person)
    back = sign_in_again(person, person.confirm(address, seen))
    assert person.orders(loan) == []
    assert back.headers["Location"] == address  # the order itself is in the address, and still good
    person.order(address)
    money.settle()
    assert events(loan) == ["PaymentReceived"]


def test_a_press_on_a_page_that_takes_only_presses_leads_back_to_where_it_was_made(money: Money, person: Phone) -> None:
    from usance.apps.customers import consents

    (given,) = consents.consents_of(person.party_id)
    end_session(person)
    del person.client.cookies[cookies.DEVICE]  # of an unknown browser nothing is kept
    referer = {"referer": "http://vn.localhost/account/settings/"}
    sent = person.client.post(f"/account/consents/{given.pk}/withdraw/", headers=referer)
    assert sent.headers["Location"] == "/sign-in/?next=%2Faccount%2Fsettings%2F"
    elsewhere = person.client.post(
        f"/account/consents/{given.pk}/withdraw/", headers={"referer": "https://evil.example/x"}
    )
    assert elsewhere.headers["Location"] == "/sign-in/?next=%2Faccount%2F"


def test_nobody_else_at_this_browser_is_shown_what_was_typed(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    page = f"/loans/{loan.pk}/pay/"
    end_session(person)
    person.client.post(page, {"choice": "other", "amount": "777", "card": "new"})
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(person.client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert "777" not in str(dict(session))  # sealed
    other = money.customer()
    theirs = visits.session_of(other)
    session[identity.VISIT] = {**theirs[identity.VISIT], "party": str(other)}
    session.save()
    assert person.get(page).status_code == 404
    assert person.get("/account/").status_code == 200
    assert "kept_answers" not in store(session.session_key)


def test_a_browser_that_nobody_signed_in_at_fills_no_session(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    end_session(person)
    for made_up in ("", "x" * 40):
        person.client.cookies[cookies.DEVICE] = made_up
        sent = person.client.post(f"/loans/{loan.pk}/pay/", {"choice": "other", "amount": "1"})
        assert sent.status_code == 302
        assert "kept_answers" not in person.client.session


def test_answers_are_not_kept_for_ever(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    page = f"/loans/{loan.pk}/pay/"
    end_session(person)
    sent = person.client.post(page, {"choice": "other", "amount": "777"})
    sign_in_again(person, sent)
    money.now.at += timedelta(hours=3)
    assert "What you typed is here" not in person.reads(page)
