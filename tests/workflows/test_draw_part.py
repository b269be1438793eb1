"""A further part of a loan, through the rail's twin: ordered once, booked when it arrived, never beyond what was
agreed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
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


def in_parts(**more: Any) -> Any:
    """Twelve million in twelve months, half of it at once, the rest in at most two further parts."""
    from tests.apps.servicing.loans import instalments
    from usance.core.loan.terms import Drawdowns, Part

    half = Fraction(1, 2)
    parts = (Part(after_days=0, share=half), Part(after_days=30, share=half))
    return replace(instalments(), drawdowns=Drawdowns(parts=parts, most=3, until_days=60), **more)


def order(money: Money, loan: Any, amount: int, key: str = "k") -> None:
    """As the second person's yes does it."""
    from usance.apps.payments import selectors
    from usance.ports.actor import SYSTEM
    from usance.workflows import draw_part

    card = selectors.cards_of(loan.party_id).first()
    assert card is not None
    after = {"amount_minor": amount, "card_id": str(card.pk), "key": key}
    draw_part.apply(subject_id=str(loan.pk), after=after, actor=SYSTEM, maker_id=card.pk, at=money.now.at)


def drawn(loan: Any) -> tuple[list[int], int]:
    from usance.apps.servicing.drawn import drawing

    found = drawing(loan.pk)
    assert found is not None
    return sorted((amount for _on, amount in found.parts), reverse=True), found.left_minor


def payout(loan: Any) -> Any:
    from usance.apps.payments import selectors

    return selectors.for_subject(loan.pk).filter(kind="payout").first()


def test_a_part_is_owed_from_the_day_it_arrived(money: Money) -> None:
    from usance.apps.messaging import selectors as messages
    from usance.apps.servicing import selectors as loans

    loan = money.loan(agreed=in_parts())
    assert drawn(loan) == ([6_000_000], 6_000_000)
    before = loans.owed(loan.pk).next_due_minor
    money.pass_days(10)
    order(money, loan, 4_000_000)
    assert money.standing(loan).principal_minor == 6_000_000  # nothing is booked before the rail says so
    money.settle()
    row = money.standing(loan)
    assert (row.principal_minor, drawn(loan)) == (10_000_000, ([6_000_000, 4_000_000], 2_000_000))
    assert loans.owed(row.pk).next_due_minor > before * 3 // 2
    assert money.calls(payout(loan)) == 1
    assert "money_sent" in [one.template for one in messages.messages(subject_id=loan.pk)]


def test_the_first_part_alone_is_sent_at_first(money: Money) -> None:
    from usance.core.loan import quote

    assert quote.net_disbursement(in_parts()) == 6_000_000
    loan = money.loan(agreed=in_parts())
    assert (loan.amount_minor, loan.principal_minor) == (12_000_000, 6_000_000)


def test_a_deducted_share_is_kept_back_of_each_part(money: Money) -> None:
    from usance.core.loan.terms import Fee

    fee = Fee(kind="service", when="deducted", flat_minor=100_000, share=Fraction("0.01"))
    loan = money.loan(agreed=in_parts(fees=(fee,)))
    order(money, loan, 4_000_000)
    money.settle()
    assert (payout(loan).amount_minor, money.standing(loan).principal_minor) == (3_960_000, 10_000_000)


def test_told_twice_it_is_booked_once_and_ordered_once(money: Money) -> None:
    from usance.ports.queue import enqueue

    loan = money.loan(agreed=in_parts())
    order(money, loan, 1_000_000)
    money.settle()
    enqueue("draw_part.settled", instruction_id=str(payout(loan).pk))
    money.settle()
    assert drawn(loan) == ([6_000_000, 1_000_000], 5_000_000)


def test_while_a_part_is_on_its_way_no_other_is_ordered(money: Money) -> None:
    from usance.workflows import draw_part

    loan = money.loan(agreed=in_parts())
    order(money, loan, 6_000_000)
    with pytest.raises(draw_part.PayoutUnderWay):
        order(money, loan, 6_000_000, key="other")
    money.settle()
    assert drawn(loan) == ([6_000_000, 6_000_000], 0)


def test_more_than_agreed_too_late_or_to_whom_nothing_is_lent_is_refused(money: Money) -> None:
    from usance.apps.customers import blacklist, protections
    from usance.core.loan import refused
    from usance.ports.actor import SYSTEM
    from usance.workflows import served

    loan = money.loan(agreed=in_parts())
    with pytest.raises(refused.MoreThanAgreed):
        order(money, loan, 6_000_001)
    blacklist.add_party(party_id=loan.party_id, reason="fraud", starts_on=money.today, actor=SYSTEM)
    with pytest.raises(served.CustomerIsBlocked):
        order(money, loan, 1_000_000)
    protected = money.loan(agreed=in_parts())
    protections.begin(
        party_id=protected.party_id, kind="deceased", starts_on=money.today, evidence="certificate", actor=SYSTEM
    )
    with pytest.raises(served.CustomerIsProtected):
        order(money, protected, 1_000_000)
    other = money.loan(agreed=in_parts())
    money.pass_days(61)
    with pytest.raises(refused.DrawingIsOver):
        order(money, other, 1_000_000)
    assert payout(loan) is None
    assert payout(protected) is None
    assert payout(other) is None


def test_a_refused_part_changes_nothing_and_waits_for_a_person(money: Money) -> None:
    from usance.apps.desk import selectors as desk
    from usance.apps.payments import services

    loan = money.loan(party_id=money.customer(card="refuses_payouts"), agreed=in_parts())
    order(money, loan, 1_000_000)
    money.settle()
    assert drawn(loan) == ([6_000_000], 6_000_000)
    assert desk.item_of(services.RECONCILIATION, payout(loan).pk) is not None
    order(money, loan, 1_000_000, key="again")  # a refused one is not on its way


def test_a_part_that_comes_back_never_arrived(money: Money) -> None:
    money.dial("p2pcredit", "reversed_later", str(2 * 86400))
    loan = money.loan(agreed=in_parts())
    order(money, loan, 2_000_000)
    money.settle()
    assert money.standing(loan).principal_minor == 8_000_000
    money.pass_days(3)
    assert drawn(loan) == ([6_000_000], 6_000_000)


def test_a_part_that_arrives_on_a_loan_that_is_paid_off_is_set_aside(money: Money) -> None:
    from tests.apps.servicing import loans
    from usance.apps.desk import selectors as desk
    from usance.apps.payments import services

    loan = money.loan(agreed=in_parts())
    order(money, loan, 2_000_000)
    loans.pay(loan, 6_000_000, money.today)
    assert money.standing(loan).status == "closed"
    money.pass_days(1)
    assert (payout(loan).state, money.standing(loan).outstanding_minor) == ("mismatch", 0)
    assert desk.item_of(services.RECONCILIATION, payout(loan).pk) is not None


def test_the_last_day_counts_from_the_first_money(money: Money) -> None:
    from usance.apps.servicing.drawn import drawing

    loan = money.loan(agreed=in_parts())
    found = drawing(loan.pk)
    assert found is not None
    assert (found.until, found.left_count, found.drawn_minor) == (money.today + timedelta(days=60), 2, 6_000_000)
    assert drawing(money.loan().pk) is None


def test_who_stepped_back_draws_no_further_part(money: Money) -> None:
    from usance.apps.servicing import services
    from usance.core.loan import refused
    from usance.core.loan.terms import CoolingOff
    from usance.ports.actor import SYSTEM

    loan = money.loan(agreed=in_parts(cooling_off=CoolingOff(days=14, pay_days=7)))
    assert drawn(loan) == ([6_000_000], 6_000_000)
    services.step_back(loan_id=loan.pk, source="back", actor=SYSTEM)
    assert drawn(loan) == ([6_000_000], 0)
    with pytest.raises(refused.DrawingIsOver):
        order(money, loan, 1_000_000)
    assert payout(loan) is None
