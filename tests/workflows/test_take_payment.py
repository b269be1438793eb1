"""Money coming in and going back, through the rail's twin: each payment has one effect on its loan, on its own day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.servicing import loans
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


def told(loan: Any) -> list[str]:
    """What the loan's history says, in order."""
    from usance.apps.servicing import selectors

    return [row.kind for row in selectors.events_of(loan_id=loan.pk)]


def sent(money: Money, loan: Any) -> list[str]:
    """The messages about a loan, by template."""
    from usance.apps.messaging import selectors

    return sorted(row.template for row in selectors.messages(subject_id=loan.pk))


def pay(money: Money, loan: Any, amount_minor: int, **more: Any) -> Any:
    from usance.apps.payments import selectors
    from usance.ports.actor import borrower
    from usance.workflows import take_payment

    card = selectors.cards_of(loan.party_id).first()
    more.setdefault("card_id", card.pk if card else None)
    return take_payment.pay(
        loan_id=loan.pk, amount_minor=amount_minor, key=more.pop("key", "form"), at=money.now.at,
        actor=borrower(loan.party_id), **more,
    )  # fmt: skip


def test_a_payment_by_saved_card_is_booked_on_its_own_day_and_told(money: Money) -> None:
    loan = money.loan()
    given = pay(money, loan, 1_000_000)
    money.settle()
    row = money.standing(loan)
    assert (money.fresh(given).state, row.principal_minor) == ("succeeded", 2_000_000)
    assert told(loan) == ["Approved", "Disbursed", "PaymentReceived"]
    assert sent(money, loan) == ["payment_received"]


def test_a_payment_on_the_rails_page(money: Money) -> None:
    from usance.ports.payment_rail import Opened

    loan = money.loan()
    given = pay(money, loan, 1_000_000, card_id=None)
    money.settle()
    opened = money.fresh(given)
    assert opened.state == "pending"
    assert opened.page_url
    page = Opened(order_id=given.order_id, url=opened.page_url, reference="")
    money.provider.be_the_customer(page, "good_3ds")
    money.settle()
    assert money.fresh(given).state == "succeeded"
    assert money.standing(loan).principal_minor == 2_000_000


def test_the_same_form_twice_pays_once(money: Money) -> None:
    loan = money.loan()
    first, again = pay(money, loan, 500_000), pay(money, loan, 500_000)
    money.settle()
    assert first.pk == again.pk
    assert money.standing(loan).principal_minor == 2_500_000


def test_while_a_debit_is_on_its_way_no_other_payment_starts(money: Money) -> None:
    from usance.workflows import take_payment

    loan = money.loan()
    pay(money, loan, 500_000)
    with pytest.raises(take_payment.PaymentUnderWay):
        pay(money, loan, 500_000, key="other")
    assert take_payment.debit(loan_id=loan.pk, amount_minor=1, key="k", at=money.now.at) is None


def test_a_refused_payment_changes_nothing_but_is_told(money: Money) -> None:
    loan = money.loan(money.customer(card="no_funds_at_debit"))
    pay(money, loan, 500_000)
    money.settle()
    assert told(loan) == ["Approved", "Disbursed"]
    assert sent(money, loan) == ["payment_failed"]


def test_an_unknown_debit_is_resolved_by_status_and_booked_on_the_day_of_the_card_payment(money: Money) -> None:
    loan = money.loan()
    money.dial("recurring", "timeout_after")
    money.dial("recurring", "lose_callbacks", left=9)
    given = pay(money, loan, 1_000_000)
    money.jobs.run_pending()
    assert (money.fresh(given).state, told(loan)) == ("unknown", ["Approved", "Disbursed"])
    money.jobs.waiting.clear()  # the worker was away for two days
    money.pass_days(2)
    money.ask(given)
    assert (money.fresh(given).state, money.calls(given)) == ("succeeded", 1)
    row = money.standing(loan)
    assert row.principal_minor == 2_000_000
    assert row.interest_minor == 2 * 20_000  # of the rest only: the payment counts from its own day
    assert told(loan)[-1] == "PaymentReceived"


def test_debits_need_a_mandate_in_force(money: Money) -> None:
    from usance.workflows import take_payment

    party = money.customer(card="")
    money.link(party)
    loan = money.loan(party)
    assert take_payment.debit(loan_id=loan.pk, amount_minor=100_000, key="k", at=money.now.at) is None


def test_too_much_waits_for_the_borrower_and_can_be_sent_back(money: Money) -> None:
    from usance.workflows import take_payment

    loan = money.loan()
    given = pay(money, loan, 3_100_000)
    money.settle()
    assert (money.standing(loan).status, money.standing(loan).unapplied_minor) == ("closed", 100_000)
    by = _cashier(money)
    refund = take_payment.send_back(instruction_id=given.pk, amount_minor=100_000, key="k", at=money.now.at, actor=by)
    assert money.standing(loan).unapplied_minor == 0  # nothing else may use it from now on
    assert take_payment.send_back(
        instruction_id=given.pk, amount_minor=100_000, key="k", at=money.now.at, actor=by
    ).pk == refund.pk  # fmt: skip
    money.settle()
    assert money.fresh(refund).state == "succeeded"
    money.ask(given)  # the rail now says of the payment itself that a part went back: our own doing, no loss
    assert money.fresh(given).returned_minor == 0
    assert told(loan)[-1] == "Refunded"
    assert money.provider.book(given.order_id)["reversed_minor"] == 100_000  # type: ignore[index]


def test_more_than_waits_or_more_than_came_is_not_sent_back(money: Money) -> None:
    from usance.apps.payments.refusals import RefundTooLarge
    from usance.core.loan.refused import MoreThanUnapplied
    from usance.workflows import take_payment

    loan = money.loan()
    first = pay(money, loan, 60_000, key="a")
    money.settle()
    pay(money, loan, 3_100_000, key="b")
    money.settle()
    by = _cashier(money)
    assert money.standing(loan).unapplied_minor == 160_000
    with pytest.raises(MoreThanUnapplied):
        take_payment.send_back(instruction_id=first.pk, amount_minor=160_001, key="x", at=money.now.at, actor=by)
    with pytest.raises(RefundTooLarge):
        take_payment.send_back(instruction_id=first.pk, amount_minor=60_001, key="y", at=money.now.at, actor=by)
    take_payment.send_back(instruction_id=first.pk, amount_minor=60_000, key="z", at=money.now.at, actor=by)
    with pytest.raises(RefundTooLarge):
        take_payment.send_back(instruction_id=first.pk, amount_minor=1, key="w", at=money.now.at, actor=by)


def test_a_refused_refund_is_the_borrowers_money_again(money: Money) -> None:
    from usance.workflows import take_payment

    loan = money.loan()
    given = pay(money, loan, 3_100_000)
    money.settle()
    money.dial("reverse", "decline", "1000")
    refund = take_payment.send_back(
        instruction_id=given.pk, amount_minor=100_000, key="k", at=money.now.at, actor=_cashier(money)
    )
    money.settle()
    assert money.fresh(refund).state == "failed"
    assert money.standing(loan).unapplied_minor == 100_000
    assert told(loan)[-2:] == ["Refunded", "Reversed"]


def test_a_payment_that_the_bank_takes_back_weeks_later_is_owed_again_with_its_interest(money: Money) -> None:
    loan = money.loan()
    given = pay(money, loan, 3_000_000)
    money.dial("recurring", "reversed_later", str(20 * 86400))
    money.jobs.run_pending(at=money.now.at)
    money.settle()
    assert money.standing(loan).status == "closed"
    money.pass_days(21)
    assert money.fresh(given).returned_minor == 3_000_000
    row = money.standing(loan)
    assert (row.status, row.principal_minor, row.interest_minor) == ("active", 3_000_000, 21 * 30_000)
    assert told(loan)[-1] == "PaymentReturned"
    assert "payment_taken_back" in sent(money, loan)
    money.ask(given)
    assert told(loan).count("PaymentReturned") == 1


def test_a_payment_that_the_bank_takes_back_in_two_parts_counts_for_what_stayed_each_time(money: Money) -> None:
    from usance.apps.payments import services
    from usance.ports.payment_rail import Accepted

    loan = money.loan()
    given = pay(money, loan, 1_000_000)
    money.settle()
    for returned, owed in ((300_000, 2_300_000), (300_000, 2_300_000), (1_000_000, 3_000_000)):
        answer = Accepted(
            order_id=given.order_id, reference=money.fresh(given).reference, amount_minor=1_000_000, currency="VND",
            value_at=money.now.at, reversed_minor=returned,
        )  # fmt: skip
        services.settle(instruction_id=given.pk, answer=answer, at=money.now.at)
        money.jobs.run_pending(at=money.now.at)
        assert money.standing(loan).principal_minor == owed


def test_an_amount_off_by_one_is_booked_as_it_came_once_a_person_has_looked(money: Money) -> None:
    from usance.apps.payments import services

    loan = money.loan()
    money.dial("recurring", "wrong_amount", "-1")
    given = pay(money, loan, 1_000_000)
    money.settle()
    assert (money.fresh(given).state, told(loan)) == ("mismatch", ["Approved", "Disbursed"])
    services.reconcile(instruction_id=given.pk, amount_minor=999_999, at=money.now.at, actor=_cashier(money))
    money.settle()
    assert money.standing(loan).principal_minor == 2_000_001


def test_an_extension_is_made_with_its_price_paid(money: Money) -> None:
    from usance.apps.servicing import selectors

    loan = money.loan()
    money.pass_days(10)
    price = selectors.extension_quote(loan_id=loan.pk, days=7).price_minor
    due_before = money.standing(loan).next_due_on
    pay(money, loan, price, extend_days=7)
    money.settle()
    row = money.standing(loan)
    assert (row.next_due_on > due_before, row.extension_count, row.due_now_minor) == (True, 1, 0)
    assert told(loan)[-2:] == ["Extended", "PaymentReceived"]
    assert "extension_made" in sent(money, loan)


def test_an_extension_whose_price_the_bank_takes_back_falls_away(money: Money) -> None:
    from usance.apps.payments import services
    from usance.apps.servicing import selectors
    from usance.ports.payment_rail import Accepted

    loan = money.loan()

    def due() -> Any:
        return selectors.due_dates(loan_id=loan.pk)

    money.pass_days(10)
    due_before, price = due(), selectors.extension_quote(loan_id=loan.pk, days=7).price_minor
    given = pay(money, loan, price, extend_days=7)
    money.settle()
    extended = due()
    assert extended != due_before

    def taken_back(returned_minor: int) -> None:
        answer = Accepted(
            order_id=given.order_id, reference=money.fresh(given).reference, amount_minor=price, currency="VND",
            value_at=money.now.at, reversed_minor=returned_minor,
        )  # fmt: skip
        services.settle(instruction_id=given.pk, answer=answer, at=money.now.at)
        money.settle()

    taken_back(price // 2)
    row = money.standing(loan)
    assert (due(), row.due_now_minor) == (extended, price - price // 2)  # the rest of its price is owed
    taken_back(price)
    row = money.standing(loan)
    assert (due(), row.extension_count, row.fee_minor) == (due_before, 0, 0)
    assert told(loan)[-2:] == ["PaymentReturned", "Reversed"]
    taken_back(price)
    assert told(loan).count("Reversed") == 1


def test_the_price_of_an_extension_that_came_too_late_is_an_ordinary_payment(money: Money) -> None:
    from usance.apps.institutions import services as institutions
    from usance.apps.servicing import selectors
    from usance.ports.payment_rail import Opened

    loan = money.loan()
    money.pass_days(10)
    money.pass_time(13 * 3600 + 50 * 60)  # ten to midnight
    price = selectors.extension_quote(loan_id=loan.pk, days=7).price_minor
    given = pay(money, loan, price, extend_days=7, card_id=None)
    money.settle()
    page = Opened(order_id=given.order_id, url=money.fresh(given).page_url, reference="")
    institutions.move_business_date(to=money.today + timedelta(days=1), ahead_days=0)
    money.pass_time(20 * 60)
    money.provider.be_the_customer(page, "good")  # after midnight: the price has grown by a day's interest
    money.ask(given)
    row = money.standing(loan)
    assert (money.fresh(given).state, row.extension_count) == ("succeeded", 0)
    assert told(loan)[-1] == "PaymentReceived"
    assert sent(money, loan) == ["extension_not_made"]


def test_what_comes_after_a_write_off_is_collected_on_the_claim(money: Money) -> None:
    from usance.apps.servicing import services

    loan = money.loan()
    given = pay(money, loan, 500_000)
    services.write_off(loan_id=loan.pk, source="staff:off", reason="gone", actor=_cashier(money))
    money.settle()
    assert money.fresh(given).state == "succeeded"
    assert told(loan)[-1] == "Recovered"


def test_nothing_is_asked_for_when_nothing_is_owed(money: Money) -> None:
    from usance.workflows import take_payment

    loan = money.loan()
    loans.pay(loan, 3_000_000, money.today)
    with pytest.raises(take_payment.NothingToPay):
        pay(money, loan, 1)


def _cashier(money: Money) -> Any:
    from usance.ports.actor import staff

    return staff("7d0f0000-0000-7000-8000-000000000001")
