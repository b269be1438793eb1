"""A changed payout card or phone number waits a day, tells the channels of before, and can be stopped by its owner."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from tests.support import visits
from tests.web import samples
from usance.apps.access import services as people
from usance.apps.audit import selectors as trail
from usance.apps.customers import channels, devices, selectors
from usance.apps.customers import services as customers
from usance.apps.desk import selectors as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.institutions import tenancy
from usance.apps.messaging import selectors as message_view
from usance.apps.messaging import services as messaging
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.apps.payments.refusals import CardWaits
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import changed_channels, close_day

if TYPE_CHECKING:
    from tests.apps.payments.money import Money

BORN, NEW = date(1990, 5, 17), "+84912345678"
FIRST_CARD, OTHER_CARD = "4444555511116666", "4444555566661111"
DAY = timedelta(hours=24)


@pytest.fixture
def money(institution: Any) -> Iterator[Money]:
    from tests.apps.payments.money import opened

    with opened(institution) as made:
        yield made


@pytest.fixture
def party_id(money: Money) -> Any:
    """Somebody with a card to which money went, a phone and an e-mail address."""
    from tests.workflows.test_fund_loan import fund, make_signed

    application = make_signed(money)
    fund(money, application)
    money.settle()
    known = {"birth_date": BORN, "family_name": "Tran", "given_name": "Binh"}
    at, on = money.now.at, money.today
    customers.state_facts(party_id=application.party_id, facts=known, source="applicant", actor=SYSTEM, at=at, on=on)
    customers.add_contact(
        party_id=application.party_id, kind="email", value="binh@example.com", actor=SYSTEM, at=at, verified=True
    )
    return application.party_id


@pytest.fixture
def world(money: Money, party_id: Any) -> samples.World:
    made = samples.World(money.institution, "vn.localhost")
    made.made["party_id"] = party_id
    for name, role in (("anna", "customer_service"), ("berta", "customer_service"), ("carl", "collector")):
        made.staff[name] = people.hire(email=f"{name}@lender.example", name=name.title(), actor=SYSTEM)
        people.grant_role(user=made.staff[name], role=role, actor=SYSTEM)
    return made


@pytest.fixture
def binh(world: samples.World) -> Client:
    return english(samples.borrower_client(world))


def english(browser: Client) -> Client:
    browser.cookies["language"] = "en"
    return browser


def at_desk(world: samples.World, name: str) -> Client:
    return english(samples.staff_client(world, name))


def stranger() -> Client:
    return english(Client(headers={"host": "vn.localhost"}))


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def link(money: Money, party_id: Any, number: str = OTHER_CARD, **more: Any) -> Any:
    """A card linked on the provider's page, as the borrower's pages order it."""
    from usance.ports import payment_rail

    given = money.give("card_link", party_id=party_id, amount_minor=10_000, then="changed_channels.card_linked", **more)
    money.settle()
    given.refresh_from_db()
    opened = payment_rail.Opened(order_id=given.order_id, url=given.page_url, reference="")
    money.provider.be_the_customer(opened, "good", held="10000", number=number)
    money.ask(given)
    return money.fresh(given).card


def told(party_id: Any, template: str) -> dict[str, str]:
    """To whom, and the words."""
    rows = message_view.messages(party_id=party_id).filter(template=template)
    return {opened.to: opened.body for opened in map(messaging.open_words, rows)}


def link_in(words: str) -> str:
    found = re.search(r"/not-me/[\w-]+/", words)
    assert found, words
    return found.group()


def pay_out(money: Money, party_id: Any, card: Any) -> Any:
    return money.give("payout", party_id=party_id, card_id=card.pk)


def moment(money: Money) -> Any:
    tenancy.forget_row()
    return institutions.moment(tenancy.current(), money.now.at)


def acts(party_id: Any) -> list[str]:
    return [entry.action for entry in trail.trail(("customers.party", party_id))]


def last_code(party_id: Any) -> str:
    message = message_view.messages(party_id=party_id).filter(template="code_contact").first()
    assert message is not None
    return re.findall(r"\b\d{6}\b", messaging.open_words(message).body)[0]


def ask_for_phone(binh: Client, phone: str = "0912 345 678") -> Any:
    return binh.post("/account/contacts/phone/", {"value": phone})


def prove(binh: Client, code: str, born: date | None = BORN) -> Any:
    form = {"code": code}
    if born:
        form |= {
            "birth_date_day": str(born.day),
            "birth_date_month": str(born.month),
            "birth_date_year": str(born.year),
        }
    return binh.post("/account/contacts/phone/code/", form)


def changed_phone(money: Money, binh: Client, party_id: Any) -> Any:
    """A change of number that waits."""
    assert ask_for_phone(binh)["Location"] == "/account/contacts/phone/code/"
    assert prove(binh, last_code(party_id))["Location"] == "/account/me/"
    change = channels.waiting_phone_of(party_id)
    assert change is not None
    return change


# --- cards ---------------------------------------------------------------------------------------------------------


def test_another_card_waits_and_tells_the_channels_of_before(money: Money, party_id: Any, binh: Client) -> None:
    old = payments.cards_of(party_id).get()
    card = link(money, party_id)
    money.settle()
    assert card.payout_from == moment(money) + DAY
    with pytest.raises(CardWaits):
        pay_out(money, party_id, card)
    assert payments.payable_cards(party_id, moment(money)) == [old]
    words = told(party_id, "card_changed")
    assert set(words) == {selectors.profile(party_id).phone, "binh@example.com"}
    assert all("1111" in body for body in words.values())
    page = text(binh.get("/account/settings/"))
    assert "Money can go to it from 3 Mar 2026, 10:00" in page
    assert rails.give(  # money coming in does not wait
        kind="debit", key="d", amount_minor=1, party_id=party_id, subject_type="t", subject_id=party_id, then="",
        description="", at=money.now.at, actor=SYSTEM, card_id=card.pk,
    )  # fmt: skip
    money.pass_time(DAY.total_seconds())
    assert pay_out(money, party_id, card).state == "created"


def test_a_card_that_somebody_else_linked_is_stopped_in_the_account(money: Money, party_id: Any, binh: Client) -> None:
    card = link(money, party_id)
    money.settle()
    address = f"/account/changes/{channels.changes_of(party_id).get().pk}/stop/"
    assert address in text(binh.get("/account/settings/"))
    assert "changed my mind" not in text(binh.get(address))
    assert binh.post(address)["Location"] == "/account/settings/"
    card.refresh_from_db()
    assert (card.state, desk.queue([changed_channels.SECURITY]).count()) == ("blocked", 1)


def test_pushing_the_clock_a_day_ends_the_wait(money: Money, party_id: Any) -> None:
    card = link(money, party_id)
    agenda.move_business_date(to=money.today + timedelta(days=1), ahead_days=1)
    assert pay_out(money, party_id, card).state == "created"


def test_cards_of_a_first_application_do_not_wait(money: Money) -> None:
    from tests.workflows.test_fund_loan import make_signed

    application = make_signed(money, card="")
    for number in (FIRST_CARD, OTHER_CARD):
        card = link(money, application.party_id, number, subject_id=application.pk)
        assert card.payout_from is None
    money.settle()
    assert not channels.changes_of(application.party_id).exists()
    assert link(money, application.party_id, "5555666644441111").payout_from  # for another matter: a change


def test_the_known_card_linked_again_does_not_wait_and_a_waiting_one_not_longer(money: Money, party_id: Any) -> None:
    again = link(money, party_id, FIRST_CARD)
    assert (again.payout_from, again.pk) == (None, payments.cards_of(party_id).get().pk)
    first = link(money, party_id).payout_from
    money.pass_time(3600)
    assert link(money, party_id).payout_from == first
    money.settle()
    assert channels.changes_of(party_id).count() == 1
    assert len(told(party_id, "card_changed")) == 2


def test_a_removed_card_waits_anew_and_is_told_anew(money: Money, party_id: Any) -> None:
    card = link(money, party_id)
    rails.remove_card(card_id=card.pk, party_id=party_id, actor=borrower(party_id))
    money.pass_time(2 * DAY.total_seconds())
    assert link(money, party_id).payout_from == moment(money) + DAY
    money.settle()
    assert message_view.messages(party_id=party_id).filter(template="card_changed").count() == 4


def test_this_was_not_me_blocks_the_card_and_calls_staff(money: Money, party_id: Any, world: samples.World) -> None:
    card = link(money, party_id)
    money.settle()
    address = link_in(told(party_id, "card_changed")["binh@example.com"])
    visitor = stranger()
    asked = text(visitor.get(address))
    assert "Card ending in 1111" in asked
    assert "Binh" not in asked
    card.refresh_from_db()
    assert card.state == "active"  # looking at the link does nothing
    assert visitor.post(address).status_code == 302
    card.refresh_from_db()
    assert card.state == "blocked"
    assert "A person at our desk looks into it" in text(visitor.get(address))
    visitor.post(address)  # twice is once
    item = desk.queue([changed_channels.SECURITY]).get()
    assert (item.state, item.due_at is not None) == ("open", True)
    assert not devices.of_party(party_id).exists()
    assert {"customer.change_waits", "customer.change_stopped", "customer.change_reported"} <= set(acts(party_id))
    assert link(money, party_id).state == "blocked"  # whoever has the account cannot link it back
    assert stranger().get("/not-me/nonsense/").status_code == 404


def test_a_payout_that_has_not_left_is_taken_back_with_the_card(money: Money, party_id: Any) -> None:
    card = link(money, party_id)
    money.settle()
    money.now.at += DAY
    given = pay_out(money, party_id, card)
    address = link_in(told(party_id, "card_changed")["binh@example.com"])
    stranger().post(address)  # a day later it still helps
    assert money.fresh(given).state == "cancelled"
    money.settle()
    assert money.calls(given) == 0


def test_the_link_ends_one_day(money: Money, party_id: Any) -> None:
    link(money, party_id)
    money.settle()
    address = link_in(told(party_id, "card_changed")["binh@example.com"])
    money.now.at += channels.LINK_LIFE
    ended = stranger().post(address)
    assert (ended.status_code, "too old" in text(ended)) == (404, True)


def test_a_replaced_e_mail_address_is_told_for_a_week(money: Money, party_id: Any) -> None:
    """Or whoever got in would first replace what would be told."""
    at = money.now.at
    email = selectors.current_contact(party_id, "email")
    assert email is not None
    customers.end_contact(contact_id=email.contact_id, because="replaced", actor=SYSTEM, at=at)
    customers.add_contact(party_id=party_id, kind="email", value="new@example.com", actor=SYSTEM, at=at, verified=True)
    assert {one.value for one in channels.told_before(party_id, at=at)} >= {"binh@example.com", "new@example.com"}
    later = at + channels.TOLD_AFTER_END
    assert "binh@example.com" not in {one.value for one in channels.told_before(party_id, at=later)}


def test_the_offer_names_the_hour_and_takes_the_card_of_before(money: Money, party_id: Any, binh: Client) -> None:
    from usance.apps.origination import selectors as applications
    from usance.apps.origination.models import Application

    old = payments.cards_of(party_id).get()
    link(money, party_id)
    row = applications.applications_of(party_id=party_id).get()
    Application.objects.filter(pk=row.pk).update(state="signed")
    page = text(binh.get(f"/application/{row.pk}/card/"))
    assert "money can go to it from 3 Mar 2026, 10:00" in page
    assert str(old.pk) in page
    new = payments.waiting_cards(party_id, moment(money))[0]
    assert f'value="{new.pk}"' not in page
    mandate = binh.get(f"/application/{row.pk}/card/").context["mandate"].pk
    tampered = binh.post(f"/application/{row.pk}/card/", {"card": str(new.pk), "mandate": str(mandate)})
    assert (tampered.status_code, list(tampered.context["form"].errors)) == (200, ["card"])


# --- phone numbers, by the customer --------------------------------------------------------------------------------


def test_a_new_number_waits_tells_the_old_one_and_then_counts(money: Money, party_id: Any, binh: Client) -> None:
    old = selectors.profile(party_id).phone
    change = changed_phone(money, binh, party_id)
    assert change.counts_from == moment(money) + DAY
    assert selectors.party_with_phone(old) == party_id
    assert selectors.party_with_phone(NEW) is None
    words = told(party_id, "phone_changed")
    assert set(words) == {old, "binh@example.com"}
    assert all(NEW not in body for body in words.values())  # masked
    page = text(binh.get("/account/me/"))
    assert "From 3 Mar 2026, 10:00 your number is +84 912 345 678" in page
    money.pass_time(DAY.total_seconds() - 60)
    assert selectors.party_with_phone(NEW) is None
    money.pass_time(60)
    assert selectors.party_with_phone(NEW) == party_id
    assert selectors.party_with_phone(old) is None
    assert set(told(party_id, "phone_counts")) == {NEW}
    assert selectors.current_contact(party_id, "phone").value == NEW  # type: ignore[union-attr] # reminders go there
    assert "customer.phone_changed" in acts(party_id)
    assert "your number is" not in text(binh.get("/account/me/"))


def test_pushing_the_clock_makes_the_number_count(money: Money, party_id: Any, binh: Client) -> None:
    changed_phone(money, binh, party_id)
    close_day.run_close_inline(at=money.now.at)
    assert selectors.party_with_phone(NEW) == party_id
    money.pass_time(2 * DAY.total_seconds())  # the job of real time comes later, and finds it done
    assert len(told(party_id, "phone_counts")) == 1


def test_a_close_before_the_hour_changes_nothing(money: Money, party_id: Any, binh: Client) -> None:
    """A lender that lives in real time ends the day at midnight: the wait goes on until its hour."""
    change = changed_phone(money, binh, party_id)
    agenda.move_business_date(to=money.today + timedelta(days=1), ahead_days=0)
    money.now.at += timedelta(hours=14)
    assert changed_channels._count(change.pk, money.now.at) == "too early"
    assert selectors.party_with_phone(NEW) is None


def test_the_new_number_neither_signs_in_nor_signs_up_before_its_hour(
    money: Money, party_id: Any, binh: Client
) -> None:
    changed_phone(money, binh, party_id)
    visitor = stranger()
    visitor.post("/sign-in/", {"phone": "0912345678"})
    message = message_view.messages().filter(template="code_sign_in").first()
    assert message is not None
    code = re.findall(r"\b\d{6}\b", messaging.open_words(message).body)[0]
    page = text(visitor.post("/sign-in/code/", {"code": code}))
    assert "This number signs you in from 3 Mar 2026, 10:00" in page
    assert selectors.party_with_phone(NEW) is None


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("12", "Enter a phone number"), ("+380501234567", "another country"), ("", "Please answer"), ("own", "already")],
)
def test_a_number_that_will_not_do(money: Money, party_id: Any, binh: Client, typed: str, wanted: str) -> None:
    refused = ask_for_phone(binh, selectors.profile(party_id).phone if typed == "own" else typed)
    assert refused.status_code == 200
    assert wanted in str(refused.context["form"].errors["value"])
    assert typed in (refused.context["form"]["value"].value() or "") or typed == "own"


def test_the_number_alone_is_not_enough(money: Money, party_id: Any, binh: Client) -> None:
    ask_for_phone(binh)
    code = last_code(party_id)
    nothing = prove(binh, code, born=None)
    assert "birth_date" in nothing.context["form"].errors
    for left in (4, 3, 2, 1):
        wrong = prove(binh, code, born=date(1980, 1, 1))
        assert f"{left} tr" in str(wrong.context["form"].errors["birth_date"])
    locked = prove(binh, code, born=date(1980, 1, 1))
    assert "Try again tomorrow" in str(locked.context["form"].errors["birth_date"])
    assert "Try again tomorrow" in str(prove(binh, code).context["form"].errors["birth_date"])
    assert channels.waiting_phone_of(party_id) is None


def test_a_wrong_code_is_counted_and_beside_its_field(money: Money, party_id: Any, binh: Client) -> None:
    ask_for_phone(binh)
    wrong = prove(binh, "000000")
    assert list(wrong.context["form"].errors) == ["code"]
    assert prove(binh, last_code(party_id))["Location"] == "/account/me/"


def test_somebody_else_s_number_is_refused_and_one_change_at_a_time(money: Money, party_id: Any, binh: Client) -> None:
    other = money.customer(card="")
    theirs = selectors.profile(other).phone
    ask_for_phone(binh, theirs)
    assert "another customer" in str(prove(binh, last_code(party_id)).context["form"].errors["code"])
    changed_phone(money, binh, party_id)
    second = ask_for_phone(binh, "0987 654 321")
    assert "Stop that change first" in str(second.context["form"].errors["value"])


def test_whoever_gets_the_number_meanwhile_keeps_it(money: Money, party_id: Any, binh: Client) -> None:
    old = selectors.profile(party_id).phone
    change = changed_phone(money, binh, party_id)
    other = money.customer(card="")
    customers.add_contact(party_id=other, kind="phone", value=NEW, actor=SYSTEM, at=money.now.at, verified=True)
    money.pass_time(DAY.total_seconds())
    change.refresh_from_db()
    assert (change.state, selectors.party_with_phone(NEW), selectors.party_with_phone(old)) == (
        "failed",
        other,
        party_id,
    )


@pytest.mark.parametrize("reported", [False, True])
def test_the_owner_stops_the_change_in_the_account(money: Money, party_id: Any, binh: Client, reported: bool) -> None:
    change = changed_phone(money, binh, party_id)
    address = f"/account/changes/{change.pk}/stop/"
    assert "Stop: this was not me" in text(binh.get(address))
    assert binh.post(address, {"not_mine": "1"} if reported else {})["Location"] == "/account/me/"
    money.pass_time(DAY.total_seconds())
    visits.renew(binh)
    assert selectors.party_with_phone(NEW) is None
    assert desk.queue([changed_channels.SECURITY]).exists() is reported
    assert binh.get(address)["Location"] == "/account/me/"
    assert not told(party_id, "phone_counts")
    if reported:
        return
    ask_for_phone(binh)  # and may be asked for once more
    money.pass_time(60)
    assert ask_for_phone(binh)["Location"] == "/account/contacts/phone/code/"


def test_whoever_reports_in_the_account_stays_in_and_everybody_else_is_out(
    money: Money, party_id: Any, binh: Client, world: samples.World
) -> None:
    intruder = english(samples.borrower_client(world))
    change = changed_phone(money, intruder, party_id)
    address = f"/account/changes/{change.pk}/stop/"
    assert "stay signed in here" in text(binh.get(address))
    page = binh.post(address, {"not_mine": "1"}, follow=True)
    assert (page.status_code, page.redirect_chain[-1][0]) == (200, "/account/me/")
    assert "you are signed out everywhere but here" in text(page)
    assert devices.of_party(party_id).count() == 1
    assert intruder.get("/account/me/")["Location"].startswith("/sign-in/")
    intruder.post(address, {"not_mine": "1"})  # too late to turn it round
    assert binh.get("/account/me/").status_code == 200


def test_the_old_number_stops_the_change_by_its_link(money: Money, party_id: Any, binh: Client) -> None:
    change = changed_phone(money, binh, party_id)
    old = selectors.profile(party_id).phone
    visitor, address = stranger(), link_in(told(party_id, "phone_changed")[old])
    assert NEW not in text(visitor.get(address))
    visitor.post(address)
    change.refresh_from_db()
    assert (change.state, change.reported_at is not None) == ("stopped", True)


def test_a_number_that_counts_already_is_reported_but_not_taken_away(money: Money, party_id: Any, binh: Client) -> None:
    changed_phone(money, binh, party_id)
    address = link_in(told(party_id, "phone_changed")["binh@example.com"])
    money.pass_time(DAY.total_seconds())
    visitor = stranger()
    assert "It counts since" in text(visitor.get(address))
    visitor.post(address)
    assert selectors.party_with_phone(NEW) == party_id
    assert desk.queue([changed_channels.SECURITY]).count() == 1


# --- staff ---------------------------------------------------------------------------------------------------------


def test_staff_change_a_number_with_a_second_person_and_the_same_wait(
    money: Money, party_id: Any, world: samples.World
) -> None:
    anna, berta, carl = (at_desk(world, name) for name in ("anna", "berta", "carl"))
    page, old = f"/staff/customers/{party_id}/", selectors.profile(party_id).phone
    assert carl.get(f"{page}phone/").status_code == 403
    assert anna.post(f"{page}phone/", {"value": "12"}).status_code == 422
    assert anna.post(f"{page}phone/", {"value": "0912345678"})["Location"] == f"{page}code/"
    code, why = last_code(party_id), "Lost phone; knew the last payment."
    assert anna.post(f"{page}code/", {"code": "000000", "reason": why}).status_code == 422
    assert list(anna.post(f"{page}code/", {"code": code, "reason": ""}).context["form"].errors) == ["reason"]
    assert anna.post(f"{page}code/", {"code": code, "reason": why})["Location"] == page
    proposal = desk.open_approval(changed_channels.PHONE_BY_STAFF, party_id)
    assert proposal is not None
    assert NEW not in str(proposal.after)
    assert channels.waiting_phone_of(party_id) is None
    address = f"/staff/approvals/{proposal.pk}/"
    shown = text(berta.get(address))
    assert why in shown
    assert NEW not in shown
    assert anna.post(address, {"verdict": "approve"}).status_code == 422  # not the own proposal
    assert berta.post(address, {"verdict": "approve"})["Location"] == "/staff/approvals/"
    change = channels.waiting_phone_of(party_id)
    assert change is not None
    assert change.asked_by == "staff"
    assert set(told(party_id, "phone_changed")) == {old, "binh@example.com"}
    assert "Changed phones and cards" in text(anna.get(page))
    assert text(anna.get("/staff/changes/?view=waiting")).count(f"/staff/changes/{change.pk}/") == 1
    money.pass_time(DAY.total_seconds())
    assert selectors.party_with_phone(NEW) == party_id


def test_a_rejected_number_never_waits(money: Money, party_id: Any, world: samples.World) -> None:
    anna, berta, page = at_desk(world, "anna"), at_desk(world, "berta"), f"/staff/customers/{party_id}/"
    anna.post(f"{page}phone/", {"value": "0912345678"})
    anna.post(f"{page}code/", {"code": last_code(party_id), "reason": "asked by phone"})
    proposal = desk.open_approval(changed_channels.PHONE_BY_STAFF, party_id)
    assert proposal is not None
    berta.post(f"/staff/approvals/{proposal.pk}/", {"verdict": "reject", "note": "Call back first."})
    assert channels.changes_of(party_id).count() == 0
    assert [one.value for one in selectors.contacts(party_id, "phone")] == [selectors.profile(party_id).phone]


@pytest.mark.parametrize(("verdict", "state"), [("mistake", "active"), ("theft", "blocked")])
def test_staff_look_into_a_reported_card(
    money: Money, party_id: Any, world: samples.World, verdict: str, state: str
) -> None:
    anna, berta = at_desk(world, "anna"), at_desk(world, "berta")
    assert "Nobody complains" in text(anna.get("/staff/changes/"))
    card = link(money, party_id)
    money.settle()
    stranger().post(link_in(told(party_id, "card_changed")["binh@example.com"]))
    change = channels.changes_of(party_id).get()
    page = f"/staff/changes/{change.pk}/"
    assert page in text(anna.get("/staff/changes/"))
    assert "Take the case" in text(anna.get(page))
    early = anna.post(f"{page}review/", {"verdict": verdict, "note": "Called."})
    assert early.status_code == 422  # take it first
    assert anna.post(f"{page}take/")["Location"] == page
    assert "Who has it" in text(berta.get(page))
    assert list(anna.post(f"{page}review/", {"verdict": "", "note": ""}).context["form"].errors) == ["verdict", "note"]
    done = anna.post(f"{page}review/", {"verdict": verdict, "note": "Called the number of before."})
    assert done["Location"] == "/staff/changes/"
    card.refresh_from_db()
    assert card.state == state
    assert "Nobody complains" in text(anna.get("/staff/changes/"))
    assert anna.post(f"{page}review/", {"verdict": verdict, "note": "Again."}).status_code == 422
    assert "customer.change_reviewed" in acts(party_id)
