"""The borrower of a loan that was sold: whom to pay, what becomes of what is paid here, what is not asked any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.apps.servicing import loans
from tests.web.borrower.owing import Phone, events, told
from tests.web.borrower.test_owing_later import due, late_and_announced
from usance.apps.institutions.models import DatedItem
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors, services
from usance.core.loan import events as happenings
from usance.ports.actor import SYSTEM
from usance.workflows import loan_life, remind
from usance.workflows.audit_books import audit_books

if TYPE_CHECKING:
    from tests.apps.payments.money import Money


def sell(money: Money, loan: Any, days_ago: int = 0) -> None:
    event = happenings.Sold(
        effective_on=money.today - timedelta(days=days_ago), source="staff:sale", buyer="Debtco",
        contact="1 Quay Street, +84 24 1234", price_minor=2_000_000,
    )  # fmt: skip
    services.record(loan_id=loan.pk, event=event, actor=SYSTEM)
    money.settle()


def balances(loan: Any) -> dict[str, int]:
    return dict(selectors.state_on(selectors.loan(loan.pk)).balances)


def test_the_page_says_whom_to_pay_and_neither_price_nor_what_the_buyer_paid(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    money.settle()
    sell(money, loan)
    assert told(loan)[-1] == "loan_sold"
    paid = happenings.BuyerPaid(effective_on=money.today, source="staff:price", amount_minor=1_500_000)
    services.record(loan_id=loan.pk, event=paid, actor=SYSTEM)
    page = person.reads(f"/loans/{loan.pk}/")
    assert "we sold this debt to Debtco" in page
    assert "1 Quay Street" in page
    assert f"/loans/{loan.pk}/pay/" not in page
    everything = page + person.reads(f"/loans/{loan.pk}/explain/") + person.reads("/account/")
    assert "2,000,000" not in everything
    assert "1,500,000" not in everything
    assert "Paid by the buyer" not in everything


def test_a_new_loan_is_not_hindered(money: Money, person: Phone) -> None:
    sell(money, money.loan(person.party_id))
    assert money.loan(person.party_id).status == "active"
    history = selectors.history_of_party(party_id=person.party_id)
    assert (history.open_count, history.written_off_count) == (1, 0)


def test_nothing_is_debited_or_reminded_of_after_the_sale(money: Money, person: Phone) -> None:
    loan = late_and_announced(money, person)
    sell(money, loan)
    page = person.get(f"/loans/{loan.pk}/")
    assert [str(row.tag.text) for row in page.context["schedule"]] == ["Sold"]  # it was never paid
    assert due(money, loan) == "nothing_past_due"
    waiting = DatedItem.objects.filter(subject_id=loan.pk, done_at=None, kind__in=(*remind.KINDS, loan_life.TRY))
    assert not waiting.exists()
    assert person.orders(loan) == []


def test_money_that_comes_after_the_sale_is_kept_for_the_buyer_and_its_return_takes_it_back(
    money: Money, person: Phone
) -> None:
    loan = money.loan(person.party_id)
    money.pass_days(2)
    given = person.order(person.choose(loan, "other", "500,000", card="new"))  # its page stays open meanwhile
    money.settle()
    sell(money, loan, days_ago=1)
    person.pays_on_the_page(given)
    money.settle()
    assert (events(loan), told(loan)[-1]) == (["Sold", "PaymentReceived"], "payment_for_buyer")
    assert balances(loan) == {"from_buyer": 2_000_000, "to_buyer": 500_000}
    sent_on = happenings.Forwarded(effective_on=money.today, source="staff:on", amount_minor=500_000)
    services.record(loan_id=loan.pk, event=sent_on, actor=SYSTEM)
    assert "Sent on to the buyer" in person.reads(f"/loans/{loan.pk}/")
    services.return_payment(
        loan_id=loan.pk, source=f"return:{given.pk}:1", undoes=f"instruction:{given.pk}", reason="bank", actor=SYSTEM
    )
    assert balances(loan) == {"from_buyer": 2_500_000}
    assert selectors.loan(loan.pk).outstanding_minor == 0
    assert audit_books(full=True).differences == ()


def test_what_is_paid_on_the_day_of_the_sale_makes_the_debt_smaller(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id)
    given = person.order(person.choose(loan, "other", "500,000", card="new"))
    money.settle()
    sell(money, loan)
    person.pays_on_the_page(given)
    money.settle()
    assert (balances(loan), told(loan)[-1]) == ({"from_buyer": 2_000_000}, "payment_before_sale")
    assert audit_books(full=True).differences == ()


def test_what_was_paid_in_advance_goes_back(money: Money, person: Phone) -> None:
    loan = money.loan(person.party_id, agreed=replace(loans.single_payment(), early_payment="hold_until_due"))
    person.order(person.choose(loan, "other", "500,000"))
    money.settle()
    sell(money, loan)
    assert balances(loan) == {"from_buyer": 2_000_000, "unapplied": 500_000}
    assert "You had paid ₫500,000 in advance" in person.reads(f"/loans/{loan.pk}/")
    assert person.client.post(f"/loans/{loan.pk}/send-back/", {}).status_code == 302
    money.settle()
    assert balances(loan) == {"from_buyer": 2_000_000}
    assert payments.for_subject(loan.pk).filter(kind="refund", state="succeeded").count() == 1
    assert audit_books(full=True).differences == ()
