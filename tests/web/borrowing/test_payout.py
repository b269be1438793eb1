"""From the signature to the money: refused, lost, late, back, in part, or never there. It is sent once."""

from __future__ import annotations

from typing import Any

from tests.web.borrowing.visitor import Visitor
from usance.apps.payments.models import Instruction
from usance.apps.servicing import selectors as loans


def signed(visitor: Visitor, operation: str = "", value: str = "", card: str = "good") -> Any:
    """The loan page after the signature, in that weather."""
    visitor.told()
    visitor.link_card(card)
    visitor.fill("/apply/check/")
    visitor.ask_for_code()
    if operation:
        visitor.money.dial("p2pcredit", operation, value)
    if operation == "timeout_after":
        visitor.money.dial("p2pcredit", "lose_callbacks", left=9)
    visitor.send("/offer/sign/", code=visitor.code())
    return visitor.open(f"/loans/{visitor.loan().pk}/")


def owed(visitor: Visitor) -> int:
    return int(loans.payoff(loan_id=visitor.loan().pk).total_minor)


def test_a_refused_payout_goes_to_another_card_once_however_often_it_is_asked_for(visitor: Visitor) -> None:
    shown = signed(visitor, card="refuses_payouts")
    assert "Your bank did not accept the money. Nothing is owed." in shown.text
    assert "Choose another card" in shown.text
    loan = visitor.loan()
    assert (loan.status, owed(visitor)) == ("approved", 0)
    visitor.money.pass_time(60)
    visitor.link_card("good")
    page = visitor.open("/application/")
    assert page.path == f"/application/{visitor.application.pk}/card/"
    chosen = {**page.hidden, "card": str(visitor.cards()[0].pk)}
    first, second = (visitor.send(page.path, **chosen) for _ in range(2))
    assert first.path == second.path == f"/loans/{loan.pk}/"
    assert "You owe today" in visitor.open(first.path).text
    assert [order.state for order in visitor.payouts()] == ["succeeded", "failed"]
    assert visitor.sent_to_card() == 2  # to each card once


def test_whoever_leaves_after_a_refused_payout_owes_nothing(visitor: Visitor) -> None:
    signed(visitor, card="refuses_payouts")
    page = visitor.open("/application/")
    late = {**page.hidden, "card": str(visitor.cards()[0].pk)}
    assert "I do not want this loan any more" in page.text
    shown = visitor.fill(f"/application/{visitor.application.pk}/withdraw/")
    assert ("Nothing is owed" in shown.text, "You owe us nothing today" in shown.text) == (True, True)
    assert (visitor.loan().status, visitor.application.state) == ("cancelled", "withdrawn")
    assert visitor.send(page.path, **late).path == f"/loans/{visitor.loan().pk}/"  # the page in another tab
    assert visitor.sent_to_card() == 1


def test_a_payout_whose_answer_was_lost_is_asked_about_and_sent_once(visitor: Visitor) -> None:
    shown = signed(visitor, "timeout_after")
    assert "We wait for its word" in shown.text
    assert "on its way" in visitor.fill("/application/withdraw/").text
    assert visitor.application.state == "funding"
    for _minute in range(3):
        visitor.money.pass_time(60)
    assert "You owe today" in visitor.open(shown.path).text
    assert (visitor.loan().status, visitor.sent_to_card()) == ("active", 1)


def test_a_payout_that_takes_long_says_so_also_over_the_end_of_a_day(visitor: Visitor) -> None:
    shown = signed(visitor, "processing", "100000")
    visitor.money.pass_time(360)
    shown = visitor.open(shown.path)
    assert "It is never sent twice, and nothing is owed before it arrives" in shown.text
    visitor.later(days=1)
    assert "on its way" in visitor.open(shown.path).text
    for _hour in range(40):
        visitor.money.pass_time(3600)
    assert (visitor.loan().status, visitor.sent_to_card()) == ("active", 1)
    assert "You owe today" in visitor.open(shown.path).text


def test_a_payout_that_never_reached_the_provider_is_our_fault_and_may_be_tried_again(visitor: Visitor) -> None:
    shown = signed(visitor, "timeout_before")
    for _minute in range(12):
        visitor.money.pass_time(60)
    assert "Nothing is owed" in visitor.open(shown.path).text
    page = visitor.open("/application/")
    assert "that is not the fault of your card" in page.text
    visitor.send(page.path, **page.hidden | {"card": str(visitor.cards()[0].pk)})
    assert visitor.loan().status == "active"
    assert [order.reason for order in visitor.payouts()] == ["", "never_arrived"]
    assert visitor.sent_to_card() == 1


def test_money_that_came_back_was_never_owed_and_may_go_to_another_card(visitor: Visitor) -> None:
    shown = signed(visitor, "reversed_later", str(2 * 86400))
    assert "You owe today" in shown.text
    visitor.later(days=3)
    visitor.money.pass_time(3 * 86400)
    shown = visitor.open(shown.path)
    assert "The money did not reach your card. Nothing is owed." in shown.text
    assert owed(visitor) == 0
    page = visitor.open(f"/application/{visitor.application.pk}/card/")
    assert "Nothing is owed and no interest runs" in page.text
    visitor.send(page.path, **page.hidden | {"card": str(visitor.cards()[0].pk)})
    assert "You owe today" in visitor.open(shown.path).text
    assert visitor.loan().status == "active"


def test_money_that_came_back_after_the_next_request_can_still_be_had(visitor: Visitor) -> None:
    signed(visitor, "reversed_later", str(2 * 86400))
    first, loan = visitor.application, visitor.loan()
    visitor.wish()
    visitor.open("/apply/")
    assert visitor.application.pk != first.pk
    visitor.later(days=3)
    visitor.money.pass_time(3 * 86400)
    page = visitor.open(f"/application/{first.pk}/card/")
    assert page.status == 200
    visitor.send(page.path, **page.hidden | {"card": str(visitor.cards()[0].pk)})
    assert loans.loan(loan.pk).status == "active"
    assert visitor.open(f"/application/{first.pk}/withdraw/").path == f"/loans/{loan.pk}/"
    assert visitor.application.state == "draft"  # the next request is as it was


def test_a_part_that_came_back_is_told_and_left_to_a_person(visitor: Visitor) -> None:
    shown = signed(visitor)
    (payout,) = visitor.payouts()
    Instruction.objects.filter(pk=payout.pk).update(returned_minor=1_000_000)
    shown = visitor.open(shown.path)
    assert "1,000,000" in shown.text
    assert "you need not do anything" in shown.text
    Instruction.objects.filter(pk=payout.pk).update(returned_minor=0)


def test_a_payout_of_another_amount_is_told_and_sent_no_second_time(visitor: Visitor) -> None:
    shown = signed(visitor, "wrong_amount", "-1")
    assert "Your bank told us another amount than we sent" in shown.text
    assert visitor.open(f"/application/{visitor.application.pk}/card/").path == shown.path
    assert "on its way" in visitor.fill("/application/withdraw/").text
    assert (visitor.loan().status, visitor.sent_to_card()) == ("approved", 1)
