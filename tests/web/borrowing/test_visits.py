"""Signing in: codes wrong, old, used, asked for too often; visits that run out; devices; numbers that change hands."""

from __future__ import annotations

from datetime import date

from tests.apps.servicing import loans
from tests.web.borrowing.visitor import ABOUT, ANSWERS, Visitor
from usance.apps.customers import devices
from usance.apps.customers import selectors as customers
from usance.apps.customers import services as parties
from usance.apps.customers.models import Device, OneTimeCode, Party
from usance.apps.origination import selectors as applications
from usance.ports.actor import SYSTEM

LONG_AGO = 61 * 86400


def test_the_phone_form_sent_twice_sends_one_code(visitor: Visitor) -> None:
    visitor.open("/sign-in/")
    first, second = (visitor.send("/sign-in/", phone=visitor.phone) for _ in range(2))
    assert first.path == second.path == "/sign-in/code/"
    assert len(visitor.messages()) == 1
    assert visitor.send("/sign-in/code/", code=visitor.code()).path == "/account/"


def test_codes_that_are_wrong_old_or_used_say_so_and_the_newest_one_counts(visitor: Visitor) -> None:
    visitor.send("/sign-in/", phone=visitor.phone)
    old = visitor.code()
    shown = visitor.send("/sign-in/code/", code=visitor.wrong_code())
    assert "4 tries are left" in shown.text
    assert "Send a new code" in shown.text
    assert "has 6 digits" in visitor.send("/sign-in/code/", code="1" * 40).text
    too_soon = visitor.send("/sign-in/again/")
    assert (too_soon.path, "A code was just sent" in too_soon.text) == ("/sign-in/code/", True)
    assert "A code was just sent" not in visitor.open("/sign-in/again/").text  # reloaded: the page with the field
    visitor.money.pass_time(60)
    assert "Only the newest one counts" in visitor.send("/sign-in/again/").text
    assert visitor.code() != old
    assert "This code is wrong. Look at the newest message" in visitor.send("/sign-in/code/", code=old).text
    right = visitor.code()
    assert visitor.send("/sign-in/code/", code=f" {right[:3]}-{right[3:]} ").path == "/account/"
    assert visitor.send("/sign-in/code/", code=right).path == "/account/"  # the same form sent twice
    assert Device.objects.count() == 1


def test_a_code_is_tried_five_times_and_ends_with_its_ten_minutes(visitor: Visitor) -> None:
    visitor.send("/sign-in/", phone=visitor.phone)
    for _ in range(5):
        shown = visitor.send("/sign-in/code/", code=visitor.wrong_code())
    assert "too many wrong tries" in shown.text
    assert "too many wrong tries" in visitor.send("/sign-in/code/", code=visitor.code()).text
    visitor.money.pass_time(601)
    visitor.send("/sign-in/again/")
    visitor.money.pass_time(601)
    shown = visitor.send("/sign-in/code/", code=visitor.code())
    assert "too old or was used before. Ask for a new one" in shown.text
    assert "Send a new code" in shown.text
    assert Party.objects.count() == 0


def test_what_was_typed_when_the_visit_ran_out_is_there_after_signing_in(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about")
    page = visitor.open("/apply/contact/").hidden
    visitor.lose_session()
    typed = {"address": "Số 5, đường Trần Phú", "city": "Hà Nội", "email": "not an address"}
    shown = visitor.send("/apply/contact/", **page, **typed)
    assert shown.path == "/sign-in/"
    shown = visitor.sign_in(then="/apply/contact/")
    assert (shown.path, "Send what I typed" in shown.text) == ("/apply/contact/", True)
    assert typed.items() <= shown.hidden.items()
    shown = visitor.send("/apply/contact/", **shown.hidden)
    assert shown.holds("email", "not an address")  # what is wrong is told as ever, and stays
    visitor.send("/apply/contact/", **shown.hidden | typed | {"email": "b@example.com"})
    assert applications.answers(visitor.application)["city"] == "Hà Nội"


def test_what_was_typed_is_not_given_to_the_next_person_at_the_browser(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about")
    page = visitor.open("/apply/contact/").hidden
    visitor.lose_session()
    visitor.send("/apply/contact/", **page, address="My secret street", city="Huế", email="")
    next_one = Visitor(visitor.money, browser=visitor.browser)
    next_one.sign_in("/apply/contact/")
    next_one.wish()
    next_one.answer("about")
    shown = next_one.open("/apply/contact/")
    assert "secret" not in shown.source
    assert "Send what I typed" not in shown.text


def test_a_form_sent_after_the_visit_ran_out_leads_to_its_page_not_to_an_error(visitor: Visitor) -> None:
    visitor.begin()
    device = devices.of_party(visitor.party_id).get()
    for path in ("/offer/sign/again/", f"/account/devices/{device.pk}/forget/", "/sign-out/", "/wish/"):
        assert visitor.open(path).status == 200
    visitor.lose_session()
    shown = visitor.send("/offer/sign/again/")
    assert shown.path == "/sign-in/"
    visitor.money.pass_time(3600)
    visitor.send("/sign-in/", phone=visitor.phone)
    shown = visitor.send("/sign-in/code/", code=visitor.code())
    assert "Send what I typed" in shown.text
    shown = visitor.send(shown.path, **shown.hidden)
    assert shown.path == "/apply/about/"  # there is no offer yet: to where the application stands


def test_forgetting_a_device_ends_the_visits_on_it(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about")
    other = visitor.other_device()
    shown = other.sign_in("/account/")
    assert shown.path == "/sign-in/question/"
    born = {name: ABOUT[name] for name in ABOUT if name.startswith("birth_date")}
    assert other.send("/sign-in/question/", **born, last_four="").path == "/account/"
    theirs = devices.of_party(visitor.party_id).latest("id")
    shown = visitor.send(f"/account/devices/{theirs.pk}/forget/")
    assert "Whoever was signed in there no longer is" in shown.text
    assert visitor.send(f"/account/devices/{theirs.pk}/forget/").status == 200  # twice
    assert other.open("/account/").path == "/sign-in/"
    assert visitor.open("/account/").path == "/account/"
    mine = devices.of_party(visitor.party_id).get()
    assert "you are signed out" in visitor.send(f"/account/devices/{mine.pk}/forget/").text
    assert visitor.open("/account/").path == "/sign-in/"
    assert visitor.sign_in().path == "/sign-in/question/"


def test_the_second_question_after_its_time_begins_again(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about")
    other = visitor.other_device()
    other.sign_in()
    other.money.pass_time(601)
    shown = other.send("/sign-in/question/", birth_date_day="8", birth_date_month="5", birth_date_year="1984")
    assert (shown.path, "ask for a new code" in shown.text) == ("/sign-in/", True)


def test_a_new_owner_of_a_number_begins_anew_and_sees_nothing_of_the_old_one(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer()
    visitor.fill("/application/withdraw/")
    before = visitor.party_id
    visitor.money.pass_time(LONG_AGO)
    newcomer = visitor.other_device()
    assert newcomer.sign_in().path == "/sign-in/question/"
    assert "new to me" in newcomer.open("/sign-in/question/").text
    shown = newcomer.fill("/sign-in/newcomer/")
    assert shown.path == "/account/"
    assert newcomer.party_id != before
    for path in ("/account/", "/account/me/", "/account/settings/", "/application/"):
        source = newcomer.open(path).source
        assert not any(word in source for word in ("Trần", "binh@", "Cao Lãnh", "A-0", "known since"))
    newcomer.wish()
    assert not newcomer.open("/apply/about/").holds("family_name", "Trần")
    assert customers.current_contact(before, "phone") is None  # nothing about the old customer is sent there any more
    assert newcomer.fill("/sign-in/newcomer/").path == "/account/"  # the same form sent twice


def test_a_number_that_is_in_use_is_not_handed_over(visitor: Visitor) -> None:
    """Somebody who got hold of a phone cannot take it from a customer who owes, applies or signs in."""
    visitor.begin()
    visitor.answer("about")
    before = visitor.party_id
    stranger = visitor.other_device()
    stranger.sign_in()
    assert "Call us" in stranger.fill("/sign-in/newcomer/").text  # an application is under way
    visitor.fill("/application/withdraw/")
    assert "Call us" in stranger.fill("/sign-in/newcomer/").text  # the customer signed in an hour ago
    loans.lend(on=visitor.money.today, party_id=before)
    visitor.money.pass_time(LONG_AGO)
    stranger.sign_in()
    assert "Call us" in stranger.fill("/sign-in/newcomer/").text  # a loan runs
    assert visitor.party_id == before
    assert Party.objects.count() == 1
    visitor.money.pass_time(601)
    assert stranger.fill("/sign-in/newcomer/").path == "/sign-in/"  # the code's time is over


def test_somebody_of_whom_nothing_but_an_address_is_known_is_somebody_new(visitor: Visitor) -> None:
    visitor.sign_in()
    before = visitor.party_id
    parties.add_contact(party_id=before, kind="email", value="old@example.com", actor=SYSTEM, at=visitor.money.now.at)
    newcomer = visitor.other_device()
    assert newcomer.sign_in().path == "/account/"
    assert newcomer.party_id != before
    assert "old@" not in newcomer.open("/account/me/").source


def test_two_people_with_one_phone_are_told_that_each_needs_their_own(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about", "identity")
    on, at = visitor.money.today, visitor.money.now.at
    parties.set_identity_number(
        party_id=visitor.party_id, number="087084000999", source="applicant", actor=SYSTEM, at=at, on=on
    )
    loans.lend(on=on, party_id=visitor.party_id)
    shown = visitor.fill("/apply/identity/", identity_number="087084000998")
    assert "another identity number" in shown.text
    assert "phone number of their own" in shown.text
    assert shown.holds("identity_number", "087084000998")
    assert customers.profile(visitor.party_id).identity_number == "087084000999"
    spouse = visitor.other_device()
    assert spouse.sign_in().path == "/sign-in/question/"
    shown = spouse.send("/sign-in/question/", birth_date_day="1", birth_date_month="1", birth_date_year="1990")
    assert "That is not what we know of you" in shown.text
    assert customers.profile(visitor.party_id).birth_date == date(1984, 5, 8)


def test_a_changed_number_signs_in_and_one_of_somebody_else_leaves_no_trace(visitor: Visitor) -> None:
    neighbour = Visitor(visitor.money)
    neighbour.sign_in()
    visitor.sign_in()
    visitor.send("/account/contacts/phone/", value=neighbour.phone)
    taken = neighbour.code()
    shown = visitor.send("/account/contacts/phone/code/", code=taken)
    assert "belongs to another customer" in shown.text
    assert [contact.value[-4:] for contact in customers.contacts(visitor.party_id, "phone")] == [visitor.phone[-4:]]
    after = Visitor(visitor.money)
    party_id = visitor.party_id
    visitor.send("/account/contacts/phone/", value=after.phone)
    assert "Confirmed" in visitor.send("/account/contacts/phone/code/", code=after.code()).text
    assert [code for code in visitor.messages()[0]["codes"] if len(code) == 6] == []  # the number before is told
    visitor.money.pass_time(24 * 3600 + 1)  # it waits a day
    assert after.party_id == party_id
    assert after.browser is not visitor.browser
    assert OneTimeCode.objects.filter(purpose="verify_contact", used_at=None).count() == 1


def test_answers_stay_where_a_page_was_sent_from_two_tabs(visitor: Visitor) -> None:
    visitor.begin()
    visitor.answer("about")
    one, two = visitor.open("/apply/work/").hidden, visitor.other_tab().open("/apply/income/").hidden
    visitor.send("/apply/work/", **one, **ANSWERS["work"])
    visitor.other_tab().send("/apply/income/", **two, **ANSWERS["income"])
    again = visitor.send("/apply/work/", **one, **ANSWERS["work"])
    assert again.status == 200
    known = applications.answers(visitor.application)
    assert (known["employment"], known["income_minor"]) == ("employed", "15000000")
