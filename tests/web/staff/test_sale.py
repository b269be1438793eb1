"""A loan is sold: by two people, with its exact effect in the books; then money passes between its buyer and us."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.apps.servicing import loans
from tests.web.staff.lending import AT, Lender
from tests.web.staff.test_course_acts import WHY, approve, carried, lent
from tests.web.staff.test_loan_acts import confirm, show, told
from usance.apps.audit import selectors as trail
from usance.apps.messaging import selectors as messages
from usance.apps.servicing import portfolio, selectors
from usance.workflows import loan_course
from usance.workflows.audit_books import audit_books

PRICE = 9_000_000
OFFER = {"buyer": "Debtco", "contact": "1 Quay Street, +84 24 1234", "amount": str(PRICE), "value_on": "2026-03-11"}


def sold(lender: Lender, **more: Any) -> Any:
    """A past-due loan that was sold today; gives also what was owed."""
    loan = lent(lender)
    confirm(lender.browser("accountant"), loan, "sell", **OFFER | WHY | more)
    approve(lender, loan_course.SALE, loan)
    return loan


def balances(loan: Any) -> dict[str, int]:
    return dict(selectors.state_on(selectors.loan(loan.pk)).balances)


def test_a_loan_is_sold_by_two_and_its_debt_leaves_against_the_price(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    before = selectors.loan(loan.pk)
    for wrong in (
        {"buyer": ""},
        {"contact": ""},
        {"amount": "0"},
        {"value_on": "2026-03-12"},
        {"value_on": "2026-03-01"},
        {"reason": ""},
    ):
        page = show(accountant, loan, "sell", **(OFFER | WHY | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    page = show(accountant, loan, "sell", **OFFER, **WHY)
    effects = " ".join(str(effect.text) for effect in page.context["effects"])
    assert "Sold · Principal" in effects
    assert "Loss on the sale" in effects
    assert "second person" in effects
    confirm(accountant, loan, "sell", **OFFER, **WHY)
    text = approve(lender, loan_course.SALE, loan)
    assert all(
        word in text for word in ("Debtco", "Quay Street", "Price", "Principal", "Gain, or loss", "lost the job")
    )

    row = selectors.loan(loan.pk)
    assert (told(loan), row.status, row.outstanding_minor, row.bucket) == (["Sold"], "sold", 0, "")
    assert (row.next_due_on, row.past_due_minor, row.days_past_due) == (None, 0, 0)
    assert carried("due_from_buyers") == PRICE
    assert carried("sale_result") == before.outstanding_minor - PRICE
    assert audit_books(full=True).differences == ()
    entry = trail.trail(("servicing.loan", loan.pk)).filter(action="loan.sold").get()
    assert (entry.details["buyer"], entry.details["price_minor"]) == ("Debtco", PRICE)
    lender.live_until(lender.today + timedelta(days=40))
    assert selectors.loan(loan.pk).outstanding_minor == 0
    lender.jobs.run_pending(at=AT)
    assert [message.template for message in messages.messages(subject_id=loan.pk)].count("loan_sold") == 1
    assert audit_books(full=True).differences == ()


def test_a_sold_loan_shows_to_whom_and_takes_part_in_no_sum(lender: Lender) -> None:
    loan, accountant = sold(lender), lender.browser("accountant")
    page = accountant.get(f"/staff/loans/{loan.pk}/").content.decode()
    assert all(word in page for word in ("Sold on", "Debtco", "Quay Street", "Owed by the buyer"))
    for act in ("waive", "extend", "write-off", "charge-off", "sell"):
        assert f"/staff/loans/{loan.pk}/{act}/" not in page
    assert "Debt sold" in accountant.get(f"/staff/loans/{loan.pk}/?tab=timeline&show=changes").content.decode()
    assert loan.number in accountant.get("/staff/loans/?status=sold").content.decode()
    assert loan.number not in accountant.get("/staff/loans/?status=live").content.decode()
    sums = portfolio.on_date(on=lender.today).money()
    assert [sums[name].then for name in (*portfolio.OWED, "from_buyer")] == [0] * 5 + [PRICE]
    assert accountant.get("/staff/books/portfolio/").context["off_by"] == 0
    history = selectors.history_of_party(party_id=loan.party_id)
    assert (history.open_count, history.open_exposure_minor, history.written_off_count) == (0, 0, 0)


def test_money_after_the_sale_is_sent_on_and_the_price_comes_in(lender: Lender) -> None:
    loan, accountant = sold(lender), lender.browser("accountant")
    lender.live_until(lender.today + timedelta(days=2))
    today = str(lender.today)
    receipt = {"key": "9" * 32, "amount": "1000000", "how": "bank", "value_on": today, "reference": "FT-9"}
    shown = show(lender.browser("cashier"), loan, "receive", **receipt).context["effects"]
    assert [str(effect.text) for effect in shown] == ["Payment received · Money of the buyer: ₫1,000,000"]
    assert confirm(lender.browser("cashier"), loan, "receive", **receipt).status_code == 302
    assert balances(loan) == {"from_buyer": PRICE, "to_buyer": 1_000_000}
    assert carried("due_to_buyers") == -1_000_000

    onward = {"key": "a" * 32, "amount": "1000000", "value_on": today, "reason": "UNC-1"}
    page = show(accountant, loan, "forward", **(onward | {"amount": "1000001"}))
    assert (page.status_code, "came for the buyer" in page.content.decode()) == (422, True)
    confirm(accountant, loan, "forward", **onward)
    approve(lender, loan_course.FORWARD, loan)
    price = {"key": "b" * 32, "amount": str(PRICE), "value_on": today, "reason": "FT-10"}
    assert confirm(accountant, loan, "buyer-paid", **price).status_code == 302
    assert told(loan) == ["Sold", "PaymentReceived", "Forwarded", "BuyerPaid"]
    assert (balances(loan), carried("due_from_buyers"), carried("due_to_buyers")) == ({}, 0, 0)
    page = accountant.get(f"/staff/loans/{loan.pk}/")
    assert "buyer-paid" not in page.content.decode()
    assert show(accountant, loan, "buyer-paid", **(price | {"key": "c" * 32})).status_code == 422
    assert audit_books(full=True).differences == ()


def test_a_sale_told_late_leaves_what_was_paid_since_to_the_buyer(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    loans.pay(loan, 2_000_000, lender.today)
    confirm(accountant, loan, "sell", **OFFER | {"value_on": "2026-03-10"}, **WHY)
    approve(lender, loan_course.SALE, loan)
    assert balances(loan) == {"from_buyer": PRICE, "to_buyer": 2_000_000}
    assert audit_books(full=True).differences == ()


def test_a_sale_by_mistake_is_undone_and_the_loan_goes_on(lender: Lender) -> None:
    loan, accountant = sold(lender), lender.browser("accountant")
    owed = carried("sale_result") + PRICE
    (sale,) = [line.source for line in selectors.loan_view(loan_id=loan.pk).timeline if line.kind == "sold"]
    assert confirm(accountant, loan, "reverse", key="e" * 32, entry=sale, **WHY).status_code == 302
    row = selectors.loan(loan.pk)
    assert (row.status, row.outstanding_minor, balances(loan).get("from_buyer")) == ("past_due", owed, None)
    assert (carried("sale_result"), carried("due_from_buyers")) == (0, 0)
    lender.jobs.run_pending(at=AT)
    assert "sale_undone" in [message.template for message in messages.messages(subject_id=loan.pk)]
    assert audit_books(full=True).differences == ()


def test_a_loan_taken_for_lost_is_sold_and_all_of_the_price_is_gained(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    confirm(accountant, loan, "charge-off", **WHY)
    approve(lender, loan_course.LOST, loan)
    page = show(accountant, loan, "sell", key="d" * 32, **OFFER, **WHY)
    assert any("Gain on the sale: ₫9,000,000" in str(effect.text) for effect in page.context["effects"])
    confirm(accountant, loan, "sell", key="d" * 32, **OFFER, **WHY)
    approve(lender, loan_course.SALE, loan)
    assert (carried("sale_result"), carried("charged_off_loans")) == (-PRICE, 0)
    assert audit_books(full=True).differences == ()


def test_a_sale_that_waits_is_refused_when_the_loan_was_paid_off_by_then(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    confirm(accountant, loan, "sell", **OFFER, **WHY)
    loans.pay(loan, selectors.loan(loan.pk).outstanding_minor, lender.today)
    from usance.apps.desk import selectors as desk

    waiting = desk.open_approval(loan_course.SALE, loan.pk)
    assert waiting is not None
    answer = lender.browser("compliance").post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"})
    assert answer.status_code == 422
    assert (told(loan), selectors.loan(loan.pk).status) == (["PaymentReceived"], "closed")


@pytest.mark.parametrize("act", ["sell", "buyer-paid", "forward"])
def test_who_may_not_sell(lender: Lender, act: str) -> None:
    loan = lender.loan()
    assert lender.browser("collector").get(f"/staff/loans/{loan.pk}/{act}/").status_code == 403
    assert lender.browser("accountant").get(f"/staff/loans/{loan.pk}/{act}/").status_code == 200
