"""Acts that change the course of a loan: one person or two, each with its exact effect, its words and its bad input."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.apps.servicing import loans
from tests.web.staff.lending import ON, Lender
from tests.web.staff.test_loan_acts import confirm, show, told
from usance.apps.audit import selectors as trail
from usance.apps.desk import selectors as desk
from usance.apps.ledger import selectors as ledger
from usance.apps.servicing import portfolio, selectors
from usance.core.loan.terms import CoolingOff, Fee, NonAccrual, Plan, Terms
from usance.web import components as ui
from usance.web import words
from usance.workflows import loan_course
from usance.workflows.audit_books import audit_books

WHY = {"reason": "lost the job"}


def lent(lender: Lender, agreed: Terms | None = None) -> Any:
    """Twelve million in four weekly instalments, the first of them missed two days ago."""
    weekly = Plan(kind="equal_instalments", count=4, every=1, unit="weeks")
    loan = lender.loan(agreed=replace(agreed or loans.instalments(), plan=weekly))
    lender.live_until(ON + timedelta(days=9))
    return loan


def approve(lender: Lender, kind: str, loan: Any) -> str:
    """Nothing has happened; the maker may not, a second person does. Gives the page that they saw."""
    before = told(loan)
    waiting = desk.open_approval(kind, loan.pk)
    assert waiting is not None
    address = f"/staff/approvals/{waiting.pk}/"
    assert "waits for a second person" in lender.browser("accountant").get(f"/staff/loans/{loan.pk}/").content.decode()
    assert lender.browser("accountant").post(address, {"verdict": "approve"}).status_code == 422
    assert told(loan) == before
    text = lender.browser("compliance").get(address).content.decode()
    assert lender.browser("compliance").post(address, {"verdict": "approve"}).status_code == 302
    return str(text)


def test_a_charge_is_asked_for_with_the_instalment_of_its_day(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    before = selectors.loan(loan.pk)
    late = {"balance": "penalty", "amount": "15000", "due_on": "2026-03-05", **WHY}
    assert confirm(accountant, loan, "fee", **late).status_code == 302
    row = selectors.loan(loan.pk)
    assert told(loan) == ["Charged"]
    assert row.past_due_minor - before.past_due_minor == row.penalty_minor - before.penalty_minor == 15_000
    later = {"balance": "penalty", "amount": "7000", "due_on": "", "key": "d" * 32, **WHY}
    assert confirm(accountant, loan, "fee", **later).status_code == 302
    assert selectors.loan(loan.pk).past_due_minor == row.past_due_minor
    entry = trail.trail(("servicing.loan", loan.pk)).filter(action="loan.charged").first()
    assert entry is not None
    assert "reason" not in entry.details
    text = accountant.get(f"/staff/loans/{loan.pk}/?tab=timeline&show=changes").content.decode()
    assert text.count("Charge added") == 2
    assert [str(item.body) for item in words.timeline(selectors.loan_view(loan_id=loan.pk).timeline, "VND")
            if item.title == "Charge added"] == ["Penalty", "Penalty"]  # fmt: skip


def test_a_fee_that_the_agreement_knows_and_no_other(lender: Lender) -> None:
    loan, accountant = lender.loan(), lender.browser("accountant")
    known = {"balance": "fee:service", "amount": "15000", "due_on": "", **WHY}
    assert confirm(accountant, loan, "fee", **known).status_code == 302
    assert selectors.loan(loan.pk).fee_minor == 15_000
    for wrong in (
        {"balance": "fee:invented"},
        {"amount": "0"},
        {"due_on": "2026-03-01"},
        {"due_on": "x"},
        {"reason": ""},
    ):
        page = show(accountant, loan, "fee", **(known | {"key": "b" * 32} | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    assert told(loan) == ["Charged"]


def test_a_small_credit_is_given_at_once_and_a_large_one_by_two(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    before = selectors.loan(loan.pk).outstanding_minor
    small = {"credit": "goodwill", "amount": "100000", **WHY}
    assert confirm(accountant, loan, "credit", **small).status_code == 302
    assert told(loan) == ["Credited"]
    assert selectors.loan(loan.pk).outstanding_minor == before - 100_000
    again = small | {"key": "c" * 32, "credit": "merchant_refund", "amount": "500000", "interest_too": "on"}
    page = show(accountant, loan, "credit", **again)
    assert any("second person" in str(effect.text) for effect in page.context["effects"])
    confirm(accountant, loan, "credit", **again)
    assert "returned by the merchant" in approve(lender, loan_course.CREDIT, loan)
    assert told(loan) == ["Credited", "Credited"]
    assert selectors.loan(loan.pk).outstanding_minor < before - 600_000
    page = show(accountant, loan, "credit", **(small | {"key": "f" * 32, "amount": "99999999"}))
    assert list(page.context["form"].errors) == ["amount"]


def test_a_credit_that_waits_is_refused_when_less_is_owed_by_then(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    confirm(accountant, loan, "credit", credit="goodwill", amount="2000000", **WHY)
    loans.pay(loan, 11_500_000, lender.today)
    waiting = desk.open_approval(loan_course.CREDIT, loan.pk)
    assert waiting is not None
    answer = lender.browser("compliance").post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"})
    assert answer.status_code == 422
    assert told(loan) == ["PaymentReceived"]


def test_days_without_interest_may_be_past(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    before = selectors.loan(loan.pk).interest_minor
    answers = {"since": "2026-03-06", "until": "2026-03-14", **WHY}
    for wrong in ({"since": "2026-03-01"}, {"until": "2026-03-06"}, {"until": ""}, {"reason": ""}):
        page = show(accountant, loan, "rest-interest", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    assert confirm(accountant, loan, "rest-interest", **answers).status_code == 302
    approve(lender, loan_course.REST, loan)
    assert told(loan) == ["InterestPaused"]
    less = selectors.loan(loan.pk).interest_minor
    assert less < before
    lender.live_until(lender.today + timedelta(days=3))
    assert selectors.loan(loan.pk).interest_minor == less
    assert "Days without interest" in accountant.get(f"/staff/loans/{loan.pk}/").content.decode()


def test_due_dates_move_and_more_instalments_follow(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    answers = {"moved_from": "2026-03-16", "moved_to": "2026-03-20", "more": "2", **WHY}
    for wrong, field in (
        ({"moved_to": "2026-03-11"}, "moved_to"),
        ({"moved_to": ""}, "moved_to"),
        ({"moved_from": ""}, "moved_from"),
        ({"moved_from": "2026-03-17"}, "moved_from"),
        ({"moved_from": "", "moved_to": "", "more": "0"}, "moved_from"),
        ({"more": "-1"}, "more"),
    ):
        page = show(accountant, loan, "reschedule", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, [field]), wrong
    confirm(accountant, loan, "reschedule", **answers)
    assert "More instalments" in approve(lender, loan_course.DATES, loan)
    assert told(loan) == ["Rescheduled"]
    dates = selectors.state_on(selectors.loan(loan.pk)).due_dates
    assert [str(day) for day in dates[:2]] == ["2026-03-20", "2026-03-27"]
    assert len(dates) == 5


def test_a_debt_is_spread_anew(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    answers = {"how": "levelled", "start_on": "2026-03-20", "count": "6", "every": "1", "unit": "months", **WHY}
    for wrong in ({"start_on": "2026-03-11"}, {"count": ""}, {"every": "0"}, {"how": "x"}, {"unit": "years"}):
        page = show(accountant, loan, "respread", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    assert selectors.loan(loan.pk).status == "past_due"
    confirm(accountant, loan, "respread", **answers)
    assert "As equal instalments" in approve(lender, loan_course.SPREAD, loan)
    row = selectors.loan(loan.pk)
    assert (told(loan), row.status, row.past_due_minor) == (["Respread"], "active", 0)
    assert len(selectors.state_on(row).due_dates) == 6


def test_a_contract_ends_and_the_loan_is_taken_for_lost(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    confirm(accountant, loan, "terminate", **WHY)
    approve(lender, loan_course.END, loan)
    row = selectors.loan(loan.pk)
    assert row.due_now_minor == row.outstanding_minor > 11_000_000
    assert show(accountant, loan, "terminate", key="a" * 32, **WHY).status_code == 422
    confirm(accountant, loan, "charge-off", key="9" * 32, **WHY)
    approve(lender, loan_course.LOST, loan)
    assert told(loan) == ["Terminated", "ChargedOff"]
    text = accountant.get(f"/staff/loans/{loan.pk}/").content.decode()
    assert "Taken for lost" in text
    again = show(accountant, loan, "charge-off", key="f" * 32, **WHY)
    assert "taken for lost already" in again.content.decode()


def carried(role: str) -> int:
    """Debits less credits of the account that plays a role."""
    rule = next(rule for rule in ledger.posting_rules() if rule.role == role)
    return ledger.account_balance(account_id=rule.account_id, on=date(2099, 1, 1))


def test_what_is_taken_for_lost_is_a_loss_and_what_is_paid_after_it_is_recovered(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    page = show(accountant, loan, "charge-off", **WHY)
    assert any("No longer counted as ours" in str(effect.text) for effect in page.context["effects"])
    confirm(accountant, loan, "charge-off", **WHY)
    lost = selectors.loan(loan.pk).outstanding_minor
    text = approve(lender, loan_course.LOST, loan)
    assert ("Taken for lost" in text, "ChargedOff" in text) == (True, False)
    assert selectors.loan(loan.pk).outstanding_minor == lost == carried("loan_loss") == -carried("charged_off_loans")
    earned = carried("interest_income"), carried("penalty_income")
    lender.live_until(lender.today + timedelta(days=9))  # nights, and another due date
    owed = selectors.loan(loan.pk).outstanding_minor
    assert owed > lost
    assert (carried("interest_income"), carried("penalty_income")) == earned
    assert carried("charged_off_loans") == -owed
    loans.pay(loan, 3_000_000, lender.today)
    assert (carried("recovery_income"), carried("charged_off_loans")) == (-3_000_000, 3_000_000 - owed)
    assert audit_books(full=True).differences == ()
    summary = accountant.get(f"/staff/loans/{loan.pk}/").content.decode()
    assert "Taken for lost" in summary
    entry = next(line.source for line in selectors.loan_view(loan_id=loan.pk).timeline if line.kind == "charged_off")
    assert confirm(accountant, loan, "reverse", key="e" * 32, entry=entry, **WHY).status_code == 302
    assert (carried("charged_off_loans"), carried("loan_loss"), carried("recovery_income")) == (0, 0, 0)
    assert selectors.loan(loan.pk).outstanding_minor == owed - 3_000_000
    lender.live_until(lender.today + timedelta(days=2))
    assert audit_books(full=True).differences == ()


def test_a_loan_put_on_non_accrual_earns_income_only_by_what_is_paid(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    assert show(accountant, loan, "accrual", **WHY).status_code == 422
    owed = selectors.loan(loan.pk)
    page = show(accountant, loan, "non-accrual", **WHY)
    assert any("Interest not taken as income" in str(effect.text) for effect in page.context["effects"])
    assert any(row.after == ui.Money(owed.interest_minor + owed.penalty_minor, "VND") for row in
               page.context["difference"])  # fmt: skip
    confirm(accountant, loan, "non-accrual", **WHY)
    text = approve(lender, loan_course.SUSPEND, loan)
    assert ("Not income until it is paid" in text, "PutOnNonAccrual" in text) == (True, False)
    assert carried("suspended_interest") == -(owed.interest_minor + owed.penalty_minor) < 0
    assert (carried("interest_income"), carried("penalty_income")) == (0, 0)
    assert trail.trail(("servicing.loan", loan.pk)).filter(action="loan.put_on_non_accrual").exists()
    lender.live_until(lender.today + timedelta(days=9))  # nights, and another due date
    row = selectors.loan(loan.pk)
    assert (row.outstanding_minor > owed.outstanding_minor, carried("interest_income")) == (True, 0)
    assert carried("suspended_interest") == -(row.interest_minor + row.penalty_minor)
    before = portfolio.on_date(on=lender.today).money()["suspended"].now
    loans.pay(loan, row.penalty_minor + 5_000, lender.today)
    assert -carried("interest_income") - carried("penalty_income") == row.penalty_minor + 5_000
    after = portfolio.on_date(on=lender.today).money()["suspended"].now
    assert before - after == row.penalty_minor + 5_000
    summary = accountant.get(f"/staff/loans/{loan.pk}/").content.decode()
    assert "On non-accrual since" in summary
    assert "Not income until it is paid" in summary
    assert "On non-accrual by decision" in accountant.get(f"/staff/loans/{loan.pk}/?tab=timeline").content.decode()
    assert audit_books(full=True).differences == ()
    again = show(accountant, loan, "non-accrual", key="f" * 32, **WHY)
    assert "put on non-accrual already" in again.content.decode()
    confirm(accountant, loan, "accrual", key="d" * 32, **WHY)
    approve(lender, loan_course.RESTORE, loan)
    assert (carried("suspended_interest"), -carried("interest_income") > 5_000) == (0, True)
    assert told(loan) == ["PutOnNonAccrual", "PaymentReceived", "RestoredToAccrual"]
    entry = next(line.source for line in selectors.loan_view(loan_id=loan.pk).timeline
                 if line.kind == "put_on_non_accrual")  # fmt: skip
    assert confirm(accountant, loan, "reverse", key="e" * 32, entry=entry, **WHY).status_code == 302
    lender.live_until(lender.today + timedelta(days=2))
    assert (carried("suspended_interest"), audit_books(full=True).differences) == (0, ())


def test_by_its_agreement_a_loan_is_on_non_accrual_while_it_is_late(lender: Lender) -> None:
    weekly = Plan(kind="equal_instalments", count=4, every=1, unit="weeks")
    agreed = replace(loans.instalments(), plan=weekly, non_accrual=NonAccrual(after_days=5))
    loan, accountant = lender.loan(agreed=agreed), lender.browser("accountant")
    lender.live_until(ON + timedelta(days=7 + 4))
    assert carried("suspended_interest") == 0
    lender.live_until(ON + timedelta(days=7 + 6))
    row = selectors.loan(loan.pk)
    assert carried("suspended_interest") == -(row.interest_minor + row.penalty_minor)
    assert selectors.state_on(row).non_accrual_on == ON + timedelta(days=7 + 5)
    assert "stays on non-accrual" in show(accountant, loan, "accrual", **WHY).content.decode()
    assert "Interest is income only" in accountant.get(f"/staff/loans/{loan.pk}/?tab=timeline").content.decode()
    assert audit_books(full=True).differences == ()
    loans.pay(loan, row.past_due_minor, lender.today)
    assert (selectors.state_on(selectors.loan(loan.pk)).non_accrual_on, carried("suspended_interest")) == (None, 0)
    assert audit_books(full=True).differences == ()


def test_a_payment_that_was_disputed_is_owed_again(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    assert show(accountant, loan, "charge-back").context["impossible"]
    loans.pay(loan, 2_000_000, lender.today - timedelta(days=1))
    before = selectors.loan(loan.pk)
    (paid,) = [line.source for line in selectors.loan_view(loan_id=loan.pk).timeline if line.kind == "payment_received"]
    answers = {"payment": paid, "amount": "1500000", "balance": "principal", "value_on": "2026-03-11", **WHY}
    for wrong in (
        {"payment": "x"},
        {"amount": "2000001"},
        {"balance": "gold"},
        {"value_on": "2026-03-09"},
        {"value_on": "2026-03-12"},
        {"reason": ""},
    ):
        page = show(accountant, loan, "charge-back", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    confirm(accountant, loan, "charge-back", **answers)
    text = approve(lender, loan_course.DISPUTE, loan)
    assert "owed again" in text
    assert "Day of this payment" in text
    row = selectors.loan(loan.pk)
    assert (told(loan), row.principal_minor - before.principal_minor) == (["PaymentReceived", "ChargedBack"], 1_500_000)
    page = show(accountant, loan, "charge-back", **(answers | {"key": "b" * 32, "amount": "500001"}))
    assert list(page.context["form"].errors) == ["amount"]
    assert "Payment disputed" in accountant.get(f"/staff/loans/{loan.pk}/?tab=timeline").content.decode()
    entry = trail.trail(("servicing.loan", loan.pk)).filter(action="loan.charged_back").first()
    assert entry is not None
    assert entry.details["payment"] == paid
    assert audit_books(full=True).differences == ()
    lender.live_until(lender.today + timedelta(days=8))
    assert audit_books(full=True).differences == ()


def test_a_charge_is_added_to_the_debt_and_earned_over_the_term(lender: Lender) -> None:
    weekly = Plan(kind="equal_instalments", count=4, every=1, unit="weeks")
    agreed = replace(loans.instalments(), plan=weekly, income_share=Fraction("0.1"))
    loan, accountant = lender.loan(agreed=agreed), lender.browser("accountant")
    lender.live_until(ON + timedelta(days=3))
    before = selectors.loan(loan.pk).principal_minor
    answers = {"owed_by": "borrower", "amount": "500000", **WHY}
    for wrong in ({"owed_by": "x"}, {"amount": "0"}, {"reason": ""}):
        page = show(accountant, loan, "income", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    too_much = str(agreed.principal_minor)
    assert (
        "to be added to the debt"
        in show(accountant, loan, "income", **(answers | {"amount": too_much})).content.decode()
    )
    assert "Each day until the last due date" in show(accountant, loan, "income", **answers).content.decode()
    confirm(accountant, loan, "income", **answers)
    assert "it is added to the debt" in approve(lender, loan_course.INCOME, loan)
    assert selectors.loan(loan.pk).principal_minor == before + 500_000
    confirm(accountant, loan, "income", **(answers | {"owed_by": "third_party", "key": "b" * 32}))
    approve(lender, loan_course.INCOME, loan)
    assert selectors.loan(loan.pk).principal_minor == before + 500_000
    assert (carried("deferred_income"), carried("income_clearing")) == (-1_000_000, 500_000)
    assert audit_books(full=True).differences == ()
    lender.live_until(lender.today + timedelta(days=5))  # of 25
    assert carried("deferred_income") == -800_000 == -1_000_000 - carried("deferred_income_earned")
    assert audit_books(full=True).differences == ()
    text = accountant.get(f"/staff/loans/{loan.pk}/").content.decode()
    assert "Income not earned yet" in text
    assert "a third party, for a lower rate" in accountant.get(f"/staff/loans/{loan.pk}/?tab=timeline").content.decode()


def test_a_part_of_it_is_taken_back(lender: Lender) -> None:
    agreed = replace(loans.instalments(), income_share=Fraction("0.1"))
    loan, accountant = lender.loan(agreed=agreed), lender.browser("accountant")
    lender.live_until(ON + timedelta(days=3))
    assert show(accountant, loan, "income-back").context["impossible"]
    confirm(accountant, loan, "income", owed_by="borrower", amount="500000", **WHY)
    approve(lender, loan_course.INCOME, loan)
    owed = selectors.loan(loan.pk).outstanding_minor
    (added,) = [line.source for line in selectors.loan_view(loan_id=loan.pk).timeline if line.kind == "income_deferred"]
    answers = {"income": added, "amount": "200000", "key": "b" * 32, **WHY}
    for wrong in ({"income": "x"}, {"amount": "500001"}, {"reason": ""}):
        page = show(accountant, loan, "income-back", **(answers | wrong))
        assert (page.status_code, list(page.context["form"].errors)) == (422, list(wrong))
    confirm(accountant, loan, "income-back", **answers)
    approve(lender, loan_course.INCOME_BACK, loan)
    assert told(loan) == ["IncomeDeferred", "IncomeTakenBack"]
    assert selectors.loan(loan.pk).outstanding_minor == owed - 200_000
    assert (carried("deferred_income"), carried("income_clearing")) == (-300_000, 0)
    assert confirm(accountant, loan, "reverse", key="e" * 32, entry=added, **WHY).status_code == 302
    assert (carried("deferred_income"), selectors.loan(loan.pk).outstanding_minor) == (0, owed - 500_000)
    lender.live_until(lender.today + timedelta(days=2))
    assert audit_books(full=True).differences == ()


def test_a_borrower_who_steps_back_on_the_phone_gets_the_fees_back(lender: Lender) -> None:
    fee = Fee(kind="service", when="deducted", share=Fraction("0.05"))
    agreed = replace(loans.single_payment(), fees=(fee,), cooling_off=CoolingOff(days=14, pay_days=7))
    loan, accountant = lender.loan(agreed=agreed), lender.browser("accountant")
    lender.live_until(ON + timedelta(days=4))
    page = show(accountant, loan, "step-back", **WHY).content.decode()
    assert "Fees are given back" in page
    assert confirm(accountant, loan, "step-back", **WHY).status_code == 302
    assert told(loan) == ["Withdrawn"]
    row = selectors.loan(loan.pk)
    assert row.principal_minor == agreed.principal_minor * 95 // 100
    assert row.next_due_on == lender.today + timedelta(days=7)
    assert "step-back" not in accountant.get(f"/staff/loans/{loan.pk}/").content.decode()
    assert show(accountant, loan, "step-back", key="b" * 32, **WHY).status_code == 422
    assert trail.trail(("servicing.loan", loan.pk)).filter(action="loan.withdrawn").exists()
    lender.live_until(lender.today + timedelta(days=9))
    assert selectors.loan(loan.pk).status == "past_due"
    assert audit_books(full=True).differences == ()


def test_a_loan_that_was_repaid_is_due_on_the_day_on_which_its_last_payment_is_disputed(lender: Lender) -> None:
    loan, accountant = lender.loan(agreed=loans.single_payment(days=7)), lender.browser("accountant")
    lender.live_until(ON + timedelta(days=7))
    loans.pay(loan, selectors.loan(loan.pk).outstanding_minor, lender.today)
    assert selectors.loan(loan.pk).status == "closed"
    lender.live_until(lender.today + timedelta(days=30))
    (paid,) = [line.source for line in selectors.loan_view(loan_id=loan.pk).timeline if line.kind == "payment_received"]
    answers = {"payment": paid, "amount": "10000", "balance": "principal", "value_on": str(lender.today), **WHY}
    confirm(accountant, loan, "charge-back", **answers)
    approve(lender, loan_course.DISPUTE, loan)
    row = selectors.loan(loan.pk)
    assert (row.status, row.due_now_minor, row.days_past_due, row.max_days_past_due) == ("active", 10_000, 0, 0)
    lender.live_until(lender.today + timedelta(days=2))
    row = selectors.loan(loan.pk)
    assert (row.status, row.days_past_due, row.max_days_past_due) == ("past_due", 2, 2)
    loans.pay(loan, row.outstanding_minor, lender.today)
    assert selectors.loan(loan.pk).status == "closed"
    assert audit_books(full=True).differences == ()
    lender.live_until(lender.today + timedelta(days=2))
    assert audit_books(full=True).differences == ()


@pytest.mark.parametrize(
    "act",
    [
        "fee",
        "credit",
        "rest-interest",
        "reschedule",
        "respread",
        "terminate",
        "charge-off",
        "charge-back",
        "step-back",
        "non-accrual",
        "accrual",
        "income",
        "income-back",
    ],
)
def test_whoever_collects_does_none_of_it(lender: Lender, act: str) -> None:
    loan = lender.loan()
    assert lender.browser("collector").get(f"/staff/loans/{loan.pk}/{act}/").status_code == 403
    assert lender.browser("accountant").get(f"/staff/loans/{loan.pk}/{act}/").status_code == 200
