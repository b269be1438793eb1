"""From a signed application to money on the card, through the rail's twin: never twice, and never less than known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.servicing.test_services import assert_books_agree

if TYPE_CHECKING:
    from tests.apps.payments.money import Money


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
def signed(money: Money) -> Any:
    """A signed application with its agreement, and the customer's card."""
    return make_signed(money)


def make_signed(money: Money, card: str = "good") -> Any:
    """As the borrower's pages leave it: offer accepted, agreement signed. Deciding and signing have tests of their
    own; here the rows are put where they would be."""
    from tests.apps.payments.money import AT, ON
    from tests.apps.servicing.loans import single_payment
    from usance.apps.agreements.models import Document, Signature
    from usance.apps.institutions.models import new_id
    from usance.apps.origination.models import Application
    from usance.apps.products import services as products
    from usance.ports.actor import borrower
    from usance.workflows import take_application

    products.found_demo_products(on=ON)
    party_id = money.customer(card=card)
    application = take_application.start(
        party_id=party_id, product_code="short", amount_minor=3_000_000, term=30, language="en", at=AT,
        actor=borrower(party_id),
    ).application  # fmt: skip
    terms = single_payment().to_json()
    Application.objects.filter(pk=application.pk).update(
        state="signed", terms=terms, submitted_on=ON, submitted_at=AT, decided_on=ON, decided_at=AT
    )
    document = Document.objects.create(
        kind="agreement", state="sealed", key=f"agreement:{application.pk}", party_id=party_id,
        subject_type="origination.application", subject_id=application.pk, language="en", reference="A-1",
        issued_on=ON, content={"terms": terms}, template_version="1", content_sha256="0" * 64,
    )  # fmt: skip
    Signature.objects.create(
        document=document, party_id=party_id, content_sha256="0" * 64, amount_minor=3_000_000, code_id=new_id(),
        signed_at=AT, signed_on=ON,
    )  # fmt: skip
    return application


def fund(money: Money, application: Any) -> Any:
    from usance.apps.payments import selectors
    from usance.ports.actor import borrower
    from usance.workflows import fund_loan

    card = selectors.cards_of(application.party_id).first()
    return fund_loan.fund(
        application_id=application.pk, card_id=card.pk, at=money.now.at, actor=borrower(application.party_id)
    )


def state_of(application: Any) -> str:
    from usance.apps.origination import selectors

    return str(selectors.application(application_id=application.pk).state)


def payouts(loan_id: Any) -> list[Any]:
    from usance.apps.payments import selectors

    return list(selectors.for_subject(loan_id).filter(kind="payout"))


def loan_of(loan_id: Any) -> Any:
    from usance.apps.servicing import selectors

    return selectors.loan(loan_id)


def sent(loan_id: Any) -> list[str]:
    from usance.apps.messaging import selectors

    return sorted(row.template for row in selectors.messages(subject_id=loan_id))


def test_money_arrives_and_interest_begins_that_day(money: Money, signed: Any) -> None:
    loan_id = fund(money, signed)
    assert (loan_of(loan_id).status, state_of(signed)) == ("approved", "funding")
    money.settle()
    loan = loan_of(loan_id)
    assert (loan.status, loan.disbursed_on, loan.principal_minor) == ("active", money.today, 3_000_000)
    assert state_of(signed) == "funded"
    assert "money_sent" in sent(loan_id)
    (payout,) = payouts(loan_id)
    assert money.calls(payout) == 1


def test_while_money_is_on_its_way_or_has_arrived_nothing_more_is_sent(money: Money, signed: Any) -> None:
    from usance.workflows import fund_loan

    fund(money, signed)
    with pytest.raises(fund_loan.NothingToFund):
        fund(money, signed)  # the application has moved on
    from usance.apps.origination.models import Application

    Application.objects.filter(pk=signed.pk).update(state="signed")  # as if a job had run twice
    with pytest.raises(fund_loan.PayoutUnderWay):
        fund(money, signed)
    with pytest.raises(fund_loan.PayoutUnderWay):
        leave(money, signed)
    money.settle()
    Application.objects.filter(pk=signed.pk).update(state="signed")
    with pytest.raises(fund_loan.NothingToFund):
        fund(money, signed)


def leave(money: Money, application: Any) -> None:
    from usance.ports.actor import borrower
    from usance.workflows import fund_loan

    fund_loan.leave(application_id=application.pk, at=money.now.at, actor=borrower(application.party_id))


def test_a_refused_payout_costs_nothing_and_another_card_gets_the_money(money: Money) -> None:
    application = make_signed(money, card="refuses_payouts")
    loan_id = fund(money, application)
    money.settle()
    assert (loan_of(loan_id).status, loan_of(loan_id).outstanding_minor) == ("approved", 0)
    assert state_of(application) == "signed"
    assert "payout_failed" in sent(loan_id)
    money.pass_time(60)
    money.link(application.party_id, "good")
    assert fund(money, application) == loan_id
    money.settle()
    assert (loan_of(loan_id).status, state_of(application)) == ("active", "funded")
    assert [one.state for one in payouts(loan_id)] == ["succeeded", "failed"]


def test_a_refusal_told_twice_does_not_undo_the_next_payout(money: Money) -> None:
    from usance.ports.queue import enqueue

    application = make_signed(money, card="refuses_payouts")
    loan_id = fund(money, application)
    money.settle()
    (first,) = payouts(loan_id)
    money.pass_time(60)
    money.link(application.party_id, "good")
    fund(money, application)
    enqueue("fund_loan.payout_settled", instruction_id=str(first.pk))
    money.settle()
    assert (loan_of(loan_id).status, state_of(application)) == ("active", "funded")


def test_an_unknown_payout_is_resolved_by_status_and_never_sent_twice(money: Money, signed: Any) -> None:
    money.dial("p2pcredit", "timeout_after")
    money.dial("p2pcredit", "lose_callbacks", left=9)
    loan_id = fund(money, signed)
    money.jobs.run_pending()
    (payout,) = payouts(loan_id)
    assert (payout.state, loan_of(loan_id).status) == ("unknown", "approved")
    for _minute in range(3):
        money.pass_time(60)
    (payout,) = payouts(loan_id)
    assert (payout.state, money.calls(payout), loan_of(loan_id).status) == ("succeeded", 1, "active")


def test_a_payout_that_comes_back_never_arrived_and_may_go_to_another_card(money: Money, signed: Any) -> None:
    money.dial("p2pcredit", "reversed_later", str(2 * 86400))
    loan_id = fund(money, signed)
    money.settle()
    assert loan_of(loan_id).status == "active"
    money.pass_days(3)
    loan = loan_of(loan_id)
    assert (loan.status, loan.outstanding_minor, state_of(signed)) == ("approved", 0, "signed")
    assert "payout_failed" in sent(loan_id)
    (first,) = payouts(loan_id)
    fund(money, signed)
    money.settle()
    assert (loan_of(loan_id).status, state_of(signed)) == ("active", "funded")
    money.ask(first)  # told once more that the first came back
    from usance.ports.queue import enqueue

    enqueue("fund_loan.payout_settled", instruction_id=str(first.pk))
    money.settle()
    assert (loan_of(loan_id).status, state_of(signed)) == ("active", "funded")


def test_success_and_return_told_at_once_leave_the_loan_without_money(money: Money, signed: Any) -> None:
    from usance.apps.payments.models import Instruction

    loan_id = fund(money, signed)
    (payout,) = payouts(loan_id)
    from usance.apps.payments import services
    from usance.ports.payment_rail import Accepted

    services.claim(instruction_id=payout.pk, provider="fondy", merchant="1700002", at=money.now.at)
    money.jobs.waiting.clear()
    answer = Accepted(
        order_id=payout.order_id, reference="r", amount_minor=payout.amount_minor, currency="VND",
        value_at=money.now.at, reversed_minor=payout.amount_minor,
    )  # fmt: skip
    services.settle(instruction_id=payout.pk, answer=answer, at=money.now.at)
    money.settle()
    assert Instruction.objects.get(pk=payout.pk).returned_minor == payout.amount_minor
    assert (loan_of(loan_id).status, state_of(signed)) == ("approved", "signed")


def test_a_payout_of_another_amount_waits_for_a_person_and_blocks_a_second_one(money: Money, signed: Any) -> None:
    from usance.apps.origination.models import Application
    from usance.apps.payments import services
    from usance.ports.actor import SYSTEM
    from usance.workflows import fund_loan

    money.dial("p2pcredit", "wrong_amount", "-1")
    loan_id = fund(money, signed)
    money.settle()
    (payout,) = payouts(loan_id)
    assert (payout.state, loan_of(loan_id).status) == ("mismatch", "approved")
    Application.objects.filter(pk=signed.pk).update(state="signed")
    with pytest.raises(fund_loan.PayoutUnderWay):
        fund(money, signed)
    Application.objects.filter(pk=signed.pk).update(state="funding")
    services.reconcile(instruction_id=payout.pk, amount_minor=payout.amount_minor, at=money.now.at, actor=SYSTEM)
    money.settle()
    assert (loan_of(loan_id).status, state_of(signed)) == ("active", "funded")


def test_whoever_leaves_before_the_money_owes_nothing(money: Money) -> None:
    application = make_signed(money, card="refuses_payouts")
    loan_id = fund(money, application)
    money.settle()
    leave(money, application)
    assert (loan_of(loan_id).status, state_of(application)) == ("cancelled", "withdrawn")


def test_a_part_of_a_payout_that_came_back_stands_on_the_loan_and_waits_for_a_person(money: Money, signed: Any) -> None:
    from usance.apps.desk import selectors as desk
    from usance.apps.payments import services
    from usance.ports.payment_rail import Accepted

    loan_id = fund(money, signed)
    money.settle()
    (payout,) = payouts(loan_id)
    part = Accepted(
        order_id=payout.order_id, reference=payout.reference, amount_minor=payout.amount_minor, currency="VND",
        value_at=money.now.at, reversed_minor=payout.amount_minor // 3,
    )  # fmt: skip
    for _ in range(2):  # told twice, it is one case
        services.settle(instruction_id=payout.pk, answer=part, at=money.now.at)
        money.jobs.run_pending(at=money.now.at)
    loan = loan_of(loan_id)
    assert (loan.status, loan.principal_minor, state_of(signed)) == ("active", 3_000_000, "funded")
    case = desk.item_of(services.RECONCILIATION, payout.pk)
    assert case is not None
    assert case.state == "open"


def test_a_first_payout_that_arrives_after_a_second_one_is_set_aside_for_a_person(money: Money, signed: Any) -> None:
    from usance.apps.desk import selectors as desk
    from usance.apps.payments import services
    from usance.ports.payment_rail import Accepted, Declined, Hint, Reason

    loan_id = fund(money, signed)
    (first,) = payouts(loan_id)
    services.claim(instruction_id=first.pk, provider="fondy", merchant="1700002", at=money.now.at)
    money.jobs.waiting.clear()
    never = Declined(order_id=first.order_id, reason=Reason.NEVER_ARRIVED, hint=Hint.RETRY_LATER)
    services.settle(instruction_id=first.pk, answer=never, at=money.now.at)
    money.settle()
    fund(money, signed)
    money.settle()
    assert (loan_of(loan_id).status, loan_of(loan_id).principal_minor) == ("active", 3_000_000)
    late = Accepted(
        order_id=first.order_id, reference="late", amount_minor=first.amount_minor, currency="VND",
        value_at=money.now.at,
    )  # fmt: skip
    services.settle(instruction_id=first.pk, answer=late, at=money.now.at)
    money.settle()
    assert {row.state for row in payouts(loan_id)} == {"succeeded", "mismatch"}
    assert loan_of(loan_id).principal_minor == 3_000_000
    assert desk.item_of(services.RECONCILIATION, first.pk) is not None
