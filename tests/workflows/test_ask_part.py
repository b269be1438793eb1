"""A further part that the borrower asks for: confirmed by a code, answered by one colleague, paid once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.apps.servicing.test_services import assert_books_agree
from tests.workflows.test_draw_part import drawn, in_parts, order, payout

if TYPE_CHECKING:
    from tests.apps.payments.money import Money

ASKED = 4_000_000


@pytest.fixture
def money(institution: Any) -> Iterator[Money]:
    from tests.apps.payments.money import opened

    with opened(institution) as made:
        yield made


@pytest.fixture(autouse=True)
def books_agree(money: Money) -> Iterator[None]:
    yield
    assert_books_agree()


@pytest.fixture
def loan(money: Money) -> Any:
    return money.loan(agreed=in_parts())


@pytest.fixture
def chief(money: Money) -> Any:
    return colleague()


def colleague(role: str = "cashier") -> Any:
    from usance.apps.access import services
    from usance.ports.actor import SYSTEM

    user = services.hire(email=f"{role}@lender.example", name=role.title(), actor=SYSTEM)
    services.grant_role(user=user, role=role, actor=SYSTEM)
    return user


def card_of(loan: Any) -> Any:
    from usance.apps.payments import selectors

    found = selectors.cards_of(loan.party_id).first()
    assert found is not None
    return found


def what(money: Money, loan: Any, amount: int = ASKED, key: str = "k") -> dict[str, Any]:
    return {"loan_id": loan.pk, "amount_minor": amount, "card_id": card_of(loan).pk, "key": key, "at": money.now.at}


def coded(money: Money, loan: Any, amount: int = ASKED, key: str = "k") -> tuple[UUID, str]:
    """A code for this request, as it came to the borrower's phone."""
    from usance.workflows import ask_part

    sent = ask_part.send_code(**what(money, loan, amount, key), address="")
    money.settle()
    return sent.code_id, code_to(money, loan)


def code_to(money: Money, loan: Any) -> str:
    import re

    from usance.apps.customers import selectors

    phone = selectors.current_contact(loan.party_id, "phone")
    assert phone is not None
    said = next(one["text"] for one in money.provider.inbox(phone.value.lstrip("+")) if "another" in one["text"])
    found = re.search(r"\d{6}", said)
    assert found
    return found[0]


def ask(money: Money, loan: Any, amount: int = ASKED, key: str = "k") -> Any:
    from usance.core.refusals import Refusal
    from usance.workflows import ask_part

    code_id, code = coded(money, loan, amount, key)
    made = ask_part.ask(**what(money, loan, amount, key), code_id=code_id, code=code)
    assert not isinstance(made, Refusal)
    return made


def approve(money: Money, row: Any, checker: Any) -> None:
    from usance.apps.desk import services as desk

    desk.approve(approval_id=row.pk, checker=checker, at=money.now.at)


def acts(row: Any) -> list[tuple[str, str]]:
    """What the audit trail says happened to a proposal, and the kind of who did it."""
    from usance.apps.audit.models import AuditEntry

    found = AuditEntry.objects.filter(subject_id=str(row.pk)).order_by("id")
    return [(one.action, one.actor_kind) for one in found]


def told(loan: Any) -> list[str]:
    from usance.apps.messaging import selectors

    return [one.template for one in selectors.messages(subject_id=loan.pk).order_by("id")]


def test_what_the_borrower_asks_for_is_paid_when_one_colleague_agrees(money: Money, loan: Any, chief: Any) -> None:
    from usance.apps.customers.models import OneTimeCode
    from usance.apps.desk import selectors as desk

    row = ask(money, loan)
    assert (row.maker, row.asked_by, payout(loan)) == (None, loan.party_id, None)
    assert OneTimeCode.objects.get(pk=row.after["code_id"]).used_at is not None
    assert list(desk.approvals_for(chief)) == [row]
    approve(money, row, chief)
    money.settle()
    assert drawn(loan) == ([6_000_000, ASKED], 2_000_000)
    assert (money.calls(payout(loan)), payout(loan).details["drawn_minor"]) == (1, ASKED)
    assert acts(row) == [("desk.proposed", "borrower"), ("desk.approved", "staff")]


def test_the_code_names_amount_and_card_and_is_good_for_these_alone(money: Money, loan: Any) -> None:
    from usance.apps.customers.refusals import CodeExpired, CodeForSomethingElse, CodeWrong
    from usance.apps.desk import selectors as desk
    from usance.apps.messaging.models import Message
    from usance.workflows import ask_part, draw_part

    code_id, code = coded(money, loan)
    assert Message.objects.filter(template="code_part", party_id=loan.party_id).count() == 1
    other = what(money, loan, ASKED + 1)
    assert isinstance(ask_part.ask(**other, code_id=code_id, code=code), CodeForSomethingElse)
    mine = what(money, loan)
    assert isinstance(ask_part.ask(**mine, code_id=code_id, code="x"), CodeWrong)
    late = mine | {"at": money.now.at + timedelta(minutes=11)}
    assert isinstance(ask_part.ask(**late, code_id=code_id, code=code), CodeExpired)
    assert desk.open_approval(draw_part.DRAW, loan.pk) is None
    assert ask_part.ask(**mine, code_id=code_id, code=code).asked_by == loan.party_id


def test_the_same_form_twice_asks_once_and_another_one_waits_its_turn(money: Money, loan: Any) -> None:
    from usance.apps.desk.models import Approval
    from usance.workflows import ask_part

    row = ask(money, loan)
    again = ask_part.ask(**what(money, loan), code_id=row.pk, code="000000")  # its code is used up
    assert again.pk == row.pk
    with pytest.raises(ask_part.PartAskedAlready):
        ask_part.look(**what(money, loan, 1_000_000, "other tab"))
    assert Approval.objects.filter(kind="loan.draw").count() == 1


def test_while_a_part_is_on_its_way_none_can_be_asked_for(money: Money, loan: Any, chief: Any) -> None:
    from usance.workflows import ask_part, draw_part

    approve(money, ask(money, loan, 1_000_000), chief)
    with pytest.raises(draw_part.PayoutUnderWay):
        ask_part.look(**what(money, loan, 1_000_000, "next"))
    money.settle()
    ask_part.look(**what(money, loan, 1_000_000, "next"))


def test_the_borrower_takes_it_back_and_nobody_else_does(money: Money, loan: Any, chief: Any) -> None:
    from usance.apps.desk.refusals import AlreadyDecided, NotYourProposal
    from usance.ports.actor import borrower, staff
    from usance.workflows import ask_part

    row = ask(money, loan)
    for other in (borrower(money.customer()), staff(chief.pk), staff(loan.party_id)):
        with pytest.raises(NotYourProposal):
            ask_part.take_back(approval_id=row.pk, actor=other, at=money.now.at)
    ask_part.take_back(approval_id=row.pk, actor=borrower(loan.party_id), at=money.now.at)
    assert acts(row) == [("desk.proposed", "borrower"), ("desk.withdrawn", "borrower")]
    with pytest.raises(AlreadyDecided):
        approve(money, row, chief)
    with pytest.raises(AlreadyDecided):
        ask_part.take_back(approval_id=row.pk, actor=borrower(loan.party_id), at=money.now.at)
    assert payout(loan) is None
    assert "part_not_paid_out" not in told(loan)


def test_a_no_and_no_answer_are_told_to_who_asked(money: Money, loan: Any, chief: Any) -> None:
    from usance.apps.desk import services as desk

    row = ask(money, loan)
    desk.reject(approval_id=row.pk, checker=chief, at=money.now.at, note="First send us the plan.")
    assert acts(row)[-1] == ("desk.rejected", "staff")
    assert told(loan).count("part_not_paid_out") == 1  # they have a phone and no e-mail address
    money.now.at += timedelta(hours=2)
    late = ask(money, loan, key="again")
    assert desk.expire(late.pk, money.now.at + timedelta(days=15)) == "expired"
    assert told(loan).count("part_not_paid_out") == 2
    assert payout(loan) is None


def test_what_the_bank_did_not_take_is_told_to_who_asked(money: Money, chief: Any) -> None:
    loan = money.loan(party_id=money.customer(card="refuses_payouts"), agreed=in_parts())
    approve(money, ask(money, loan), chief)
    money.settle()
    assert (drawn(loan), payout(loan).state) == (([6_000_000], 6_000_000), "failed")
    assert told(loan) == ["part_not_paid_out"]


def test_what_a_colleague_proposed_in_vain_is_not_told_to_the_borrower(money: Money, loan: Any, chief: Any) -> None:
    from usance.apps.desk import services as desk
    from usance.workflows import draw_part

    row = draw_part.propose(**what(money, loan), reason="the roof", maker=colleague("underwriter"))
    desk.reject(approval_id=row.pk, checker=chief, at=money.now.at, note="no")
    assert told(loan) == []


def _card_removed(money: Money, loan: Any) -> None:
    from usance.apps.payments import services
    from usance.ports.actor import borrower

    services.remove_card(card_id=card_of(loan).pk, party_id=loan.party_id, actor=borrower(loan.party_id))


def _blocked(money: Money, loan: Any) -> None:
    from usance.apps.customers import blacklist
    from usance.ports.actor import SYSTEM

    blacklist.add_party(party_id=loan.party_id, reason="fraud", starts_on=money.today, actor=SYSTEM)


def _protected(money: Money, loan: Any) -> None:
    from usance.apps.customers import protections
    from usance.ports.actor import SYSTEM

    protections.begin(
        party_id=loan.party_id, kind="deceased", starts_on=money.today, evidence="certificate", actor=SYSTEM
    )


def _paid_off(money: Money, loan: Any) -> None:
    from tests.apps.servicing import loans

    loans.pay(loan, 6_000_000, money.today)


def _linked_by_another(money: Money, loan: Any) -> None:
    from usance.apps.payments.models import Card

    own = card_of(loan)
    Card.objects.create(
        party_id=money.customer(card=""), provider=own.provider, merchant=own.merchant, token=b"x", last4=own.last4,
        token_index=own.token_index, linked_at=money.now.at,
    )  # fmt: skip


def _on_its_way(money: Money, loan: Any) -> None:
    order(money, loan, 1_000_000, key="at the counter")


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (_card_removed, "card_not_usable"),
        (_blocked, "customer_is_blocked"),
        (_protected, "customer_is_protected"),
        (_paid_off, "drawing_is_over"),
        (_linked_by_another, "card_of_somebody_else"),
        (_on_its_way, "payout_under_way"),
    ],
)
def test_what_cannot_be_paid_any_more_is_refused_and_nothing_goes_out(
    money: Money, loan: Any, chief: Any, happens: Any, why: str
) -> None:
    from usance.apps.payments import selectors
    from usance.core.refusals import Refusal

    row = ask(money, loan)
    happens(money, loan)
    before = selectors.for_subject(loan.pk).filter(kind="payout").count()
    with pytest.raises(Refusal) as refused:
        approve(money, row, chief)
    row.refresh_from_db()
    assert (refused.value.code, row.state, row.checker) == (why, "proposed", None)
    assert selectors.for_subject(loan.pk).filter(kind="payout").count() == before


def test_whom_nothing_is_lent_to_cannot_ask(money: Money, loan: Any) -> None:
    from usance.apps.customers import blacklist
    from usance.ports.actor import SYSTEM
    from usance.workflows import ask_part

    code_id, code = coded(money, loan)
    blacklist.add_party(party_id=loan.party_id, reason="fraud", starts_on=money.today, actor=SYSTEM)
    with pytest.raises(ask_part.NoFurtherPart):
        ask_part.ask(**what(money, loan), code_id=code_id, code=code)
    assert ask_part.standing(loan=loan, payouts=[], moment=money.now.at).waiting is None  # type: ignore[union-attr]


def test_a_part_of_which_fees_leave_nothing_is_refused(money: Money) -> None:
    from usance.core.loan import refused
    from usance.core.loan.terms import Fee

    fee = Fee(kind="service", when="deducted", share=Fraction(3, 5))
    loan = money.loan(agreed=in_parts(fees=(fee,)))
    with pytest.raises(refused.NothingLeftToSend):
        order(money, loan, 1)
    order(money, loan, 100)
    assert payout(loan).amount_minor == 40


def test_money_goes_to_no_card_that_is_another_customers_too(money: Money, loan: Any) -> None:
    from usance.workflows import ask_part, served

    _linked_by_another(money, loan)
    with pytest.raises(served.CardOfSomebodyElse):
        ask_part.look(**what(money, loan))


def test_a_new_card_waits_by_the_clock_of_the_business_however_it_was_pushed(money: Money, loan: Any) -> None:
    """Approved on a pushed clock, the days pushed count once."""
    from usance.apps.institutions import selectors as institutions
    from usance.apps.institutions import tenancy
    from usance.apps.payments.refusals import CardWaits
    from usance.workflows import draw_part

    institution = tenancy.current()
    institution.ahead_days = 30
    institution.save(update_fields=["ahead_days"])
    tenancy.forget_row()
    card = card_of(loan)
    card.payout_from = institutions.moment(tenancy.current(), money.now.at) + timedelta(days=1)
    card.save(update_fields=["payout_from"])
    after = {"amount_minor": 1_000_000, "card_id": str(card.pk), "key": "k"}
    moment = institutions.moment(tenancy.current(), money.now.at)
    from usance.ports.actor import SYSTEM

    with pytest.raises(CardWaits):
        draw_part.apply(subject_id=str(loan.pk), after=after, actor=SYSTEM, maker_id=card.pk, at=moment)
