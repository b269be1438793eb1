"""Asking for a further part of a loan: what the pages say, what they refuse, and that whatever is pressed twice asks
once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.apps.servicing import loans
from tests.web.borrower.owing import Phone, told
from tests.web.samples import World, staff_client
from tests.workflows.test_ask_part import colleague
from tests.workflows.test_draw_part import drawn, in_parts, order, payout
from usance.apps.customers import selectors as customers
from usance.apps.desk import selectors as desk
from usance.apps.desk import services as approvals
from usance.apps.desk.models import Approval
from usance.apps.payments import services as rails
from usance.apps.payments.models import Card
from usance.core.loan.terms import Drawdowns, Fee
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import draw_part

if TYPE_CHECKING:
    from tests.apps.payments.money import Money

ASKED = 4_000_000


@pytest.fixture
def loan(money: Money, person: Phone) -> Any:
    return money.loan(person.party_id, agreed=in_parts())


def answers(person: Phone, **other: str) -> dict[str, str]:
    return {"amount": "4,000,000", "card": person.card} | other


def chosen(person: Phone, loan: Any, **other: str) -> str:
    """The address of the page that shows the effect."""
    sent = person.client.post(f"/loans/{loan.pk}/part/", answers(person, **other))
    assert sent.status_code == 302, sent.context["form"].errors
    return str(sent.headers["Location"])


def coded(money: Money, person: Phone, address: str) -> tuple[str, str]:
    """The address of the page that asks for the code, and the code that came."""
    sent = person.confirm(address)
    assert sent.status_code == 302, sent.context["form"].errors
    return str(sent.headers["Location"]), newest_code(money, person)


def newest_code(money: Money, person: Phone) -> str:
    money.settle()
    phone = customers.current_contact(person.party_id, "phone")
    assert phone is not None
    said = [one["text"] for one in money.provider.inbox(phone.value.lstrip("+"))]
    return next(found[0] for text in said if "another" in text and (found := re.search(r"\d{6}", text)))


def ask(money: Money, person: Phone, loan: Any, **other: str) -> Approval:
    page, code = coded(money, person, chosen(person, loan, **other))
    sent = person.client.post(page, {"code": code})
    assert (sent.status_code, sent.headers["Location"]) == (302, f"/loans/{loan.pk}/")
    found = desk.open_approval(draw_part.DRAW, loan.pk)
    assert found is not None
    return found


def at_the_desk(money: Money, role: str = "cashier") -> Any:
    """A colleague in front of the pages of staff."""
    world = World(money.institution, "vn.localhost", {role: colleague(role)})
    return staff_client(world, role)


def requests_of(loan: Any) -> int:
    return Approval.objects.filter(kind=draw_part.DRAW, subject_id=str(loan.pk)).count()


# --- the way through ---------------------------------------------------------------------------------------------


def test_from_the_loans_page_to_the_money(money: Money, person: Phone, loan: Any) -> None:
    page = person.reads(f"/loans/{loan.pk}/")
    assert f"/loans/{loan.pk}/part/" in page
    assert "Up to ₫6,000,000 more can be paid out" in page
    assert "Up to ₫6,000,000" in person.reads(f"/loans/{loan.pk}/part/")

    address = chosen(person, loan)
    page = person.reads(address)
    assert "₫4,000,000 goes to your card" in page
    assert "Interest on it begins when it arrives" in page
    assert "After that you owe ₫10,000,000" in page
    assert re.search(r"Next payment: ₫[\d,]+ on 2 April 2026; it was ₫[\d,]+", page)
    code_page, code = coded(money, person, address)
    assert requests_of(loan) == 0  # a code was sent, and nothing was asked for
    page = person.reads(code_page)
    assert "It asks for ₫4,000,000 to your card" in page
    assert person.client.post(code_page, {"code": code}).status_code == 302

    page = person.reads(f"/loans/{loan.pk}/")
    assert "you asked for ₫4,000,000 more" in page
    assert f"/loans/{loan.pk}/part/take-back/" in page
    assert "Get another part" not in page
    waiting = desk.open_approval(draw_part.DRAW, loan.pk)
    assert waiting is not None
    cashier = at_the_desk(money)
    seen = cashier.get(f"/staff/approvals/{waiting.pk}/").content.decode()
    assert "Asked for by the customer" in seen
    assert "the borrower, with a code to their phone" in seen
    assert "The customer" in cashier.get("/staff/approvals/").content.decode()
    assert "The borrower asks for a further part" in cashier.get(f"/staff/loans/{loan.pk}/").content.decode()
    assert cashier.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 302

    page = person.reads(f"/loans/{loan.pk}/")
    assert "₫4,000,000 more of your loan is on its way to your card" in page
    assert "Get another part" not in page
    money.settle()
    page = person.reads(f"/loans/{loan.pk}/")
    assert "on its way" not in page
    assert "Get another part" in page
    assert drawn(loan) == ([6_000_000, ASKED], 2_000_000)
    assert money.calls(payout(loan)) == 1
    assert told(loan).count("money_sent") == 1


def test_what_is_kept_back_and_from_when_it_costs_is_said_before(money: Money, person: Phone) -> None:
    fee = Fee(kind="service", when="deducted", share=Fraction("0.01"))
    agreed = in_parts(fees=(fee,))
    assert agreed.drawdowns is not None
    whole: Drawdowns = replace(agreed.drawdowns, interest="whole_period")
    loan = money.loan(person.party_id, agreed=replace(agreed, drawdowns=whole))
    page = person.reads(chosen(person, loan))
    assert "₫3,960,000 goes to your card" in page
    assert "₫40,000 of the ₫4,000,000 is kept back as a fee" in page
    assert "as if it had come on the first day of the running period" in page
    assert "Interest on it begins when it arrives" not in page


# --- what is typed wrong -----------------------------------------------------------------------------------------


def test_bad_answers_are_told_beside_their_field_and_kept(money: Money, person: Phone, loan: Any) -> None:
    other = Phone(money, money.customer())
    for wrong, place in (
        ({"amount": ""}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "much"}, "amount"),
        ({"amount": "6000001"}, "amount"),
        ({"card": ""}, "card"),
        ({"card": "x"}, "card"),
        ({"card": other.card}, "card"),
    ):
        page = person.client.post(f"/loans/{loan.pk}/part/", answers(person, **wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, [place])
    page = person.client.post(f"/loans/{loan.pk}/part/", answers(person, amount="6,000,001"))
    assert 'value="6,000,001"' in page.content.decode()
    assert "Enter ₫6,000,000 or less." in page.content.decode()
    assert requests_of(loan) == 0


def test_a_card_that_must_wait_is_shown_with_its_moment_and_not_offered(money: Money, person: Phone, loan: Any) -> None:
    first = person.card
    new = Card.objects.create(
        party_id=person.party_id, provider="fondy", merchant="x", token=b"x", last4="2222", token_index="2" * 64,
        linked_at=money.now.at, payout_from=money.now.at + timedelta(days=1),
    )  # fmt: skip
    page = person.get(f"/loans/{loan.pk}/part/")
    offered = [value for value, _words in page.context["form"].fields["card"].choices]
    assert (offered, "money can go to it from" in page.content.decode()) == ([first], True)
    sent = person.client.post(f"/loans/{loan.pk}/part/", answers(person, card=str(new.pk)))
    assert list(sent.context["form"].errors) == ["card"]


def test_without_a_card_the_page_says_what_to_do(money: Money, person: Phone, loan: Any) -> None:
    rails.remove_card(card_id=UUID(person.card), party_id=person.party_id, actor=borrower(person.party_id))
    page = person.get(f"/loans/{loan.pk}/part/")
    assert "There is no card of yours to which we could send money" in page.content.decode()
    assert 'name="amount"' not in page.content.decode()
    sent = person.client.post(f"/loans/{loan.pk}/part/", {"amount": "4000000", "card": ""})
    assert sent.status_code == 422


def test_wrong_codes_ask_for_nothing_and_are_counted(money: Money, person: Phone, loan: Any) -> None:
    page, code = coded(money, person, chosen(person, loan))
    for number in range(5):
        sent = person.client.post(page, {"code": "000000"})
        assert (sent.status_code, list(sent.context["form"].errors)) == (422, ["code"]), number
    assert person.client.post(page, {"code": code}).status_code == 422  # the right one, too late
    assert requests_of(loan) == 0
    assert person.client.post(page, {"again": "1"}).status_code == 200  # too soon: it says in how many seconds
    money.now.at += timedelta(minutes=6)
    assert person.client.post(page, {"again": "1"}).status_code == 200
    assert person.client.post(page, {"code": newest_code(money, person)}).status_code == 302
    assert requests_of(loan) == 1


# --- twice, in two tabs, too late --------------------------------------------------------------------------------


def test_pressed_twice_reloaded_and_in_two_tabs_it_asks_once(money: Money, person: Phone, loan: Any) -> None:
    first, second = chosen(person, loan), chosen(person, loan, amount="1,000,000")
    page, code = coded(money, person, first)
    assert person.confirm(first).status_code == 302  # pressed twice: the code that is out is good
    money.settle()
    assert newest_code(money, person) == code
    for _twice in range(2):
        sent = person.client.post(page, {"code": code})
        assert (sent.status_code, sent.headers["Location"]) == (302, f"/loans/{loan.pk}/")
    for old in (first, page):
        assert person.get(old).headers["Location"] == f"/loans/{loan.pk}/"
    sent = person.client.get(second, follow=True)
    assert "waits for an answer already" in sent.content.decode()
    assert "waits for an answer already" in person.reads(f"/loans/{loan.pk}/part/")
    assert requests_of(loan) == 1


def test_a_code_of_one_tab_confirms_nothing_in_another(money: Money, person: Phone, loan: Any) -> None:
    first, second = chosen(person, loan), chosen(person, loan, amount="1,000,000")
    page, _code = coded(money, person, first)
    money.now.at += timedelta(minutes=2)
    other, code = coded(money, person, second)
    sent = person.client.post(page, {"code": code})
    assert (sent.status_code, sent.headers["Location"].split("?")[0]) == (302, first.split("?")[0])
    assert person.client.post(other, {"code": code}).status_code == 302
    assert [row.after["amount_minor"] for row in Approval.objects.filter(kind=draw_part.DRAW)] == [1_000_000]


def test_figures_that_changed_are_shown_again_before_anything_is_asked(money: Money, person: Phone, loan: Any) -> None:
    address = chosen(person, loan)
    seen = person.look(address)
    loans.pay(loan, 1_000_000, money.today)
    page = person.confirm(address, seen)
    assert "these are the figures of now" in page.content.decode()
    code_page, code = coded(money, person, address)
    loans.pay(loan, 500_000, money.today)
    sent = person.client.post(code_page, {"code": code})
    assert sent.headers["Location"].startswith(f"/loans/{loan.pk}/part/confirm/")
    assert "these are the figures of now" in person.reads(address)
    assert requests_of(loan) == 0


def test_what_cannot_be_any_more_leads_back_with_a_sentence(money: Money, person: Phone, loan: Any) -> None:
    page, code = coded(money, person, chosen(person, loan))
    order(money, loan, 1_000_000, "at the counter")
    back = person.client.post(page, {"code": code}, follow=True)
    assert "already on its way" in back.content.decode()
    money.settle()
    loans.pay(loan, 7_000_000, money.today)
    assert "No further part can be paid out" in person.reads(f"/loans/{loan.pk}/part/")
    assert requests_of(loan) == 0


def test_whom_nothing_is_lent_to_is_told_so_kindly(money: Money, person: Phone, loan: Any) -> None:
    from usance.workflows import customer_care

    customer_care.block(party_id=person.party_id, reason="fraud", actor=SYSTEM)
    page = person.reads(f"/loans/{loan.pk}/part/")
    assert "We cannot pay out more to you at present" in page


# --- the answer --------------------------------------------------------------------------------------------------


def test_a_no_reaches_the_borrower_in_the_colleagues_words(money: Money, person: Phone, loan: Any) -> None:
    waiting = ask(money, person, loan)
    cashier = at_the_desk(money)
    address = f"/staff/approvals/{waiting.pk}/"
    assert "the customer reads this" in cashier.get(address).content.decode()
    assert cashier.post(address, {"verdict": "reject", "note": ""}).status_code == 422
    why = "Show us the bill for the roof first & call."
    assert cashier.post(address, {"verdict": "reject", "note": why}).status_code == 302
    page = person.reads(f"/loans/{loan.pk}/")
    assert "We do not pay out the ₫4,000,000 that you asked for" in page
    assert "Show us the bill for the roof first &amp; call." in page
    assert "Get another part" in page
    assert told(loan) == ["part_not_paid_out"]
    assert payout(loan) is None
    money.now.at += timedelta(hours=2)
    ask(money, person, loan, amount="1000000")
    assert "We do not pay out" not in person.reads(f"/loans/{loan.pk}/")


def test_no_answer_in_time_is_said_and_one_may_ask_again(money: Money, person: Phone, loan: Any) -> None:
    waiting = ask(money, person, loan)
    assert approvals.expire(waiting.pk, money.now.at + timedelta(days=15)) == "expired"
    page = person.reads(f"/loans/{loan.pk}/")
    assert "Nobody here answered in time" in page
    assert "Get another part" in page


def test_the_borrower_takes_it_back_once(money: Money, person: Phone, loan: Any) -> None:
    waiting, path = ask(money, person, loan), f"/loans/{loan.pk}/part/take-back/"
    assert "₫4,000,000" in person.reads(path)
    done = person.client.post(path, follow=True)
    assert "You took your request back" in done.content.decode()
    assert person.client.post(path).status_code == 302
    waiting.refresh_from_db()
    assert (waiting.state, payout(loan)) == ("withdrawn", None)
    assert at_the_desk(money).post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 422


def test_answered_while_the_page_was_open_it_is_not_taken_back(
    money: Money, person: Phone, loan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from usance.workflows import ask_part

    waiting, path = ask(money, person, loan), f"/loans/{loan.pk}/part/take-back/"
    monkeypatch.setattr(ask_part, "waiting_of", lambda **_asked: waiting)
    approvals.approve(approval_id=waiting.pk, checker=colleague(), at=money.now.at)
    assert "decided in the meantime" in person.client.post(path, follow=True).content.decode()
    money.settle()
    assert drawn(loan) == ([6_000_000, ASKED], 2_000_000)


def test_a_part_of_a_colleague_is_shown_and_not_the_borrowers_to_take_back(
    money: Money, person: Phone, loan: Any
) -> None:
    draw_part.propose(
        loan_id=loan.pk, key="k", amount_minor=ASKED, card_id=UUID(person.card), reason="by phone",
        maker=colleague("underwriter"), at=money.now.at,
    )  # fmt: skip
    page = person.reads(f"/loans/{loan.pk}/")
    assert "We are about to send ₫4,000,000 more" in page
    assert "take-back" not in page
    assert "Get another part" not in page
    assert person.client.post(f"/loans/{loan.pk}/part/take-back/").status_code == 302
    assert desk.open_approval(draw_part.DRAW, loan.pk) is not None


def test_a_part_that_the_bank_did_not_take_is_said(money: Money) -> None:
    person = Phone(money, money.customer(card="refuses_payouts"))
    loan = money.loan(person.party_id, agreed=in_parts())
    order(money, loan, 1_000_000)
    money.settle()
    page = person.reads(f"/loans/{loan.pk}/")
    assert "₫1,000,000 more of your loan could not be sent" in page
    assert "Get another part" in page


# --- whose it is -------------------------------------------------------------------------------------------------


def test_another_borrowers_loan_does_not_exist(money: Money, person: Phone, loan: Any) -> None:
    address = chosen(person, loan)
    stranger = Phone(money, money.customer(card=""))
    own = money.loan(stranger.party_id, agreed=in_parts())
    moved = address.replace(str(loan.pk), str(own.pk))  # our own signature, of another loan
    assert stranger.get(moved).status_code == 302
    assert stranger.client.post(moved.replace("confirm", "code"), {"code": "000000"}).status_code == 302
    ask(money, person, loan)
    for path in ("part/", "part/confirm/", "part/code/", "part/take-back/"):
        for sent in (stranger.get(f"/loans/{loan.pk}/{path}"), stranger.client.post(f"/loans/{loan.pk}/{path}", {})):
            assert sent.status_code == 404
    assert stranger.get(address).status_code == 404
    assert (requests_of(loan), requests_of(own)) == (1, 0)


def test_a_loan_that_comes_at_once_offers_no_part(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    assert "/part/" not in person.reads(f"/loans/{loan.pk}/")
    sent = person.client.post(f"/loans/{loan.pk}/part/", answers(person), follow=True)
    assert "No further part can be paid out" in sent.content.decode()
    assert requests_of(loan) == 0
