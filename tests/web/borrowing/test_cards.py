"""Linking a card: declined, left, lost on the way, sent twice, somebody else's, expired, removed while in use."""

from __future__ import annotations

from datetime import timedelta

from tests.web.borrowing.visitor import Visitor
from usance.apps.payments.models import Card, Instruction
from usance.apps.payments.services import keep_card
from usance.ports import payment_rail
from usance.workflows import link_cards


def at_the_card_page(visitor: Visitor) -> Visitor:
    visitor.told()
    return visitor


def orders() -> int:
    return Instruction.objects.filter(kind="card_link").count()


def test_a_declined_card_says_why_and_another_can_be_linked(visitor: Visitor) -> None:
    at_the_card_page(visitor)
    shown = visitor.link_card("declined")
    assert ("The card was not linked" in shown.text, "Nothing was charged" in shown.text) == (True, True)
    assert visitor.open("/apply/").path == "/apply/card/"
    assert visitor.link_card("good").path == "/apply/check/"
    assert [card.last4 for card in visitor.cards()] == ["6666"]


def test_a_card_page_that_was_left_ends_and_says_how_to_go_on(visitor: Visitor) -> None:
    at_the_card_page(visitor)
    waiting = visitor.fill("/apply/card/").path
    visitor.open(f"{waiting}?back=1")
    shown = visitor.open(f"{waiting}?back=1")  # the back button, and a reload
    assert "Open it again" in shown.text
    for _ in range(8):
        visitor.money.pass_time(600)
    shown = visitor.open(waiting)
    assert "The card page was closed or its time ran out" in shown.text
    assert "Go on" in shown.text
    assert visitor.link_card().path == "/apply/check/"


def test_a_card_is_linked_though_neither_the_browser_nor_the_callback_came_back(visitor: Visitor) -> None:
    at_the_card_page(visitor)
    waiting = visitor.fill("/apply/card/").path
    visitor.money.dial("pay", "lose_callbacks", left=9)
    visitor.money.deaf = True
    visitor.use_card(waiting, come_back=False)
    visitor.money.pass_time(120)
    assert len(visitor.cards()) == 1
    assert visitor.open("/apply/").path == "/apply/check/"
    assert visitor.open(waiting).path == "/apply/check/"  # the old tab leads on too
    assert visitor.open(f"{waiting}?go=1").path == "/apply/check/"


def test_the_card_form_sent_twice_is_one_order_and_belongs_to_one_customer(visitor: Visitor) -> None:
    at_the_card_page(visitor)
    page = visitor.open("/apply/card/").hidden
    first, second = (visitor.send("/apply/card/", **page).path for _ in range(2))
    assert (first, orders()) == (second, 1)
    neighbour = Visitor(visitor.money)
    neighbour.begin()
    neighbour.answer("about", "work", "income", "household", "contact", identity_number="")
    assert neighbour.open(first).status == 404
    theirs = neighbour.send("/apply/card/", **page)  # the same key, by hand: an order of their own
    assert (theirs.status, theirs.path == first, orders()) == (200, False, 2)
    for _ in range(2):
        assert neighbour.send("/apply/card/").status == 200  # without any key
    assert orders() == 4


def test_cards_cannot_be_tried_without_end(visitor: Visitor) -> None:
    at_the_card_page(visitor)
    for _ in range(link_cards.LINKS_A_DAY):
        visitor.fill("/apply/card/")
    shown = visitor.fill("/apply/card/")
    assert (shown.path, "Many cards were tried today" in shown.text) == ("/apply/card/", True)
    assert orders() == link_cards.LINKS_A_DAY
    visitor.money.now.at += timedelta(days=1, seconds=1)
    assert visitor.fill("/apply/card/").path.startswith("/payments/")


def test_a_card_whose_last_day_is_over_gets_no_money(visitor: Visitor) -> None:
    visitor.apply()
    Card.objects.filter(party_id=visitor.party_id).update(expires_on=visitor.money.today)
    page = visitor.ask_for_code()
    visitor.later(days=1)
    shown = visitor.send("/offer/sign/", **page.hidden, code=visitor.code())
    assert shown.path == "/offer/"
    assert "Link a card for the money" in shown.text
    assert visitor.loan() is None


def test_a_card_removed_before_signing_is_asked_for_again_and_one_in_use_stays(visitor: Visitor) -> None:
    visitor.apply()
    page, first = visitor.ask_for_code(), visitor.cards()[0]
    code = visitor.code()
    visitor.send(f"/account/cards/{first.pk}/remove/")
    shown = visitor.send("/offer/sign/", **page.hidden, code=code)
    assert (shown.path, "Link a card first" in shown.text) == ("/offer/", True)
    assert visitor.loan() is None
    visitor.link_card()
    visitor.money.dial("p2pcredit", "processing", "600")
    assert visitor.sign().path.startswith("/loans/")
    second = visitor.cards()[0]
    shown = visitor.send(f"/account/cards/{second.pk}/remove/")
    assert "Money is on its way by this card" in shown.text
    assert visitor.cards() == [second]
    for _ in range(12):
        visitor.money.pass_time(60)
    assert visitor.loan().status == "active"
    visitor.send(f"/account/cards/{second.pk}/remove/")
    assert visitor.cards() == []


def test_a_card_that_another_customer_uses_gets_no_money_unless_a_person_looked(visitor: Visitor) -> None:
    visitor.apply()
    visitor.money.pass_time(60)
    told = payment_rail.Card(token="another's", last4="1111", brand="VISA")
    both = {"provider": "fondy", "merchant": "1700002", "told": told, "org_path": "root", "at": visitor.money.now.at}
    neighbour = Visitor(visitor.money)
    neighbour.sign_in()
    keep_card(party_id=neighbour.party_id, **both)
    shared = keep_card(party_id=visitor.party_id, **both)
    visitor.money.pass_time(3600)
    visitor.open("/offer/")
    page = visitor.fill("/offer/", card=str(shared.pk))
    shown = visitor.send("/offer/sign/", **page.hidden, code=visitor.code())
    assert (shown.path, "Another customer uses this card" in shown.text) == ("/offer/", True)
    assert visitor.loan() is None
