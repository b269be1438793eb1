"""What colleagues change about a loan reaches its borrower in writing: once, with the figures that count then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.utils import translation

from tests.apps.servicing import loans
from tests.web.staff.lending import AT, ON, Lender
from tests.web.staff.test_course_acts import WHY, approve, lent
from tests.web.staff.test_loan_acts import RECEIPT, confirm
from usance.apps.institutions import formats
from usance.apps.messaging import catalogue
from usance.apps.messaging import selectors as messages
from usance.apps.messaging import services as messaging
from usance.apps.servicing import selectors, services
from usance.core.loan import events
from usance.core.loan.terms import Tax
from usance.ports.actor import SYSTEM, staff
from usance.web.staff import vocabulary
from usance.workflows import loan_course, protect_customer, serve_loan


def written(lender: Lender, loan: Any) -> list[str]:
    """The templates of what was written about the loan so far, oldest first, all jobs done; reminders left out."""
    lender.jobs.run_pending(at=AT)
    rows = list(messages.messages(subject_id=loan.pk))[::-1]
    return [row.template for row in rows if catalogue.TEMPLATES[row.template].purpose == catalogue.SERVICE]


def says(loan: Any, *amounts: int, on: date | None = None) -> bool:
    """Whether the last message names these amounts, and the day."""
    found = messages.messages(subject_id=loan.pk).first()
    assert found is not None
    body = messaging.read(message_id=found.pk, actor=SYSTEM).body
    with translation.override(found.language):
        wanted = [formats.money(amount, loan.currency, 0) for amount in amounts]
        wanted += [formats.day(on, "medium")] if on else []
    return all(word in body for word in wanted)


BY_ONE: list[tuple[str, dict[str, str], str]] = [
    ("fee", {"balance": "penalty", "amount": "15000", "due_on": ""}, "charge_added"),
    ("credit", {"credit": "goodwill", "amount": "100000"}, "debt_reduced"),
    ("waive", {"balance": "principal", "amount": "100000"}, "debt_reduced"),
    ("penalty", {}, "penalties_paused"),
]
BY_TWO: list[tuple[str, dict[str, str], str, str]] = [
    ("rest-interest", {"since": "2026-03-06", "until": "2026-03-14"}, loan_course.REST, "interest_paused"),
    ("reschedule", {"moved_from": "2026-03-16", "moved_to": "2026-03-20", "more": "2"}, loan_course.DATES,
     "dates_changed"),
    ("respread", {"how": "levelled", "start_on": "2026-03-20", "count": "6", "every": "1", "unit": "months"},
     loan_course.SPREAD, "dates_changed"),
    ("terminate", {}, loan_course.END, "contract_ended"),
    ("income", {"owed_by": "borrower", "amount": "50000"}, loan_course.INCOME, "charge_added"),
    ("income", {"owed_by": "third_party", "amount": "50000"}, loan_course.INCOME, ""),
    ("non-accrual", {}, loan_course.SUSPEND, ""),
    ("charge-off", {}, loan_course.LOST, ""),
]  # fmt: skip


@pytest.mark.parametrize(("act", "answers", "template"), BY_ONE, ids=[act for act, _, _ in BY_ONE])
def test_what_one_colleague_changes_is_told_once(
    lender: Lender, act: str, answers: dict[str, str], template: str
) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    before = written(lender, loan)
    assert confirm(accountant, loan, act, **answers, **WHY).status_code == 302
    assert written(lender, loan) == [*before, template]
    standing = selectors.loan_view(loan_id=loan.pk).standing
    assert says(loan, *([int(answers["amount"]), standing.payoff_minor] if answers else [standing.due_now_minor]))
    assert written(lender, loan) == [*before, template]


@pytest.mark.parametrize(("act", "answers", "kind", "template"), BY_TWO, ids=[f"{a}-{t}" for a, _, _, t in BY_TWO])
def test_what_two_colleagues_change_is_told_when_it_counts(
    lender: Lender, act: str, answers: dict[str, str], kind: str, template: str
) -> None:
    income = replace(loans.instalments(), income_share=Fraction(1))
    loan, accountant = lent(lender, income) if act == "income" else lent(lender), lender.browser("accountant")
    before = written(lender, loan)
    confirm(accountant, loan, act, **answers, **WHY)
    assert written(lender, loan) == before
    approve(lender, kind, loan)
    assert written(lender, loan) == [*before, *([template] if template else [])]


def test_who_is_late_is_told_what_is_due_and_not_the_next_instalment(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    confirm(accountant, loan, "rest-interest", **BY_TWO[0][1], **WHY)
    approve(lender, loan_course.REST, loan)
    written(lender, loan)
    standing = selectors.loan_view(loan_id=loan.pk).standing
    assert standing.past_due_minor
    assert says(loan, standing.due_now_minor, on=lender.today)


def test_who_has_other_dates_is_told_the_next_payment(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    confirm(accountant, loan, "respread", **BY_TWO[2][1], **WHY)
    approve(lender, loan_course.SPREAD, loan)
    written(lender, loan)
    assert says(loan, selectors.loan_view(loan_id=loan.pk).standing.next_due_minor, on=date(2026, 3, 20))


def test_a_charge_is_told_with_its_tax(lender: Lender) -> None:
    vat = Tax(kind="vat", share=Fraction("0.2"), on=("fee",))
    loan = lender.loan(agreed=replace(loans.single_payment(), taxes=(vat,)))
    confirm(lender.browser("accountant"), loan, "fee", balance="fee:service", amount="15000", due_on="", **WHY)
    assert written(lender, loan)[-1] == "charge_added"
    assert says(loan, 18_000)


def test_a_loan_that_is_taken_for_lost_and_falls_due_whole_is_told(lender: Lender) -> None:
    loan, accountant = lent(lender, replace(loans.instalments(), charge_off="all_due")), lender.browser("accountant")
    confirm(accountant, loan, "charge-off", **WHY)
    approve(lender, loan_course.LOST, loan)
    assert written(lender, loan)[-1] == "contract_ended"
    assert says(loan, selectors.loan_view(loan_id=loan.pk).standing.payoff_minor, on=lender.today)


def test_money_at_the_counter_is_confirmed_and_its_undoing_told(lender: Lender) -> None:
    loan, cashier = lent(lender), lender.browser("cashier")
    before = written(lender, loan)
    confirm(cashier, loan, "receive", **RECEIPT)
    assert written(lender, loan) == [*before, "payment_received"]
    entry = selectors.events_of(loan_id=loan.pk).filter(kind="PaymentReceived").get().source
    confirm(lender.browser("accountant"), loan, "reverse", key="e" * 32, entry=entry, **WHY)
    assert written(lender, loan) == [*before, "payment_received", "loan_corrected"]
    assert says(loan, selectors.loan_view(loan_id=loan.pk).standing.payoff_minor)


def test_too_much_money_at_the_counter_is_told_as_too_much(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    confirm(cashier, loan, "receive", **RECEIPT | {"amount": "3100000"})
    assert sorted(written(lender, loan)[-2:]) == ["loan_closed", "payment_too_much"]


def test_what_was_undone_before_its_message_was_written_is_not_told(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    before = written(lender, loan)
    confirm(accountant, loan, "fee", **BY_ONE[0][1], **WHY)
    entry = selectors.events_of(loan_id=loan.pk).last().source
    confirm(accountant, loan, "reverse", key="e" * 32, entry=entry, **WHY)
    assert written(lender, loan) == before


def test_of_what_the_borrower_never_knew_its_undoing_is_not_told(lender: Lender) -> None:
    loan, accountant = lent(lender), lender.browser("accountant")
    before = written(lender, loan)
    confirm(accountant, loan, "charge-off", **WHY)
    approve(lender, loan_course.LOST, loan)
    entry = selectors.events_of(loan_id=loan.pk).last().source
    confirm(accountant, loan, "reverse", key="e" * 32, entry=entry, **WHY)
    assert written(lender, loan) == before


def test_what_the_law_makes_of_a_protected_status_is_not_told_as_an_act(lender: Lender) -> None:
    loan = lent(lender)
    before = written(lender, loan)
    by_colleague = staff(lender.staff("compliance").pk)
    rest = events.InterestPaused(
        effective_on=lender.today, source=f"{protect_customer.SOURCE}x:interest", since=lender.today, until=date.max
    )
    services.record(loan_id=loan.pk, event=rest, actor=by_colleague)
    undone = {"source": "protection-over:x", "undoes": rest.source, "reason": "", "actor": by_colleague}
    services.reverse(loan_id=loan.pk, **undone)
    assert written(lender, loan) == before


def test_another_rate_is_told_with_its_first_day(lender: Lender) -> None:
    loan, accountant = lender.loan(), lender.browser("accountant")
    lender.live_until(ON + timedelta(days=10))
    confirm(accountant, loan, "rate", share="0.5", value_on="2026-03-07", reason="promised by letter")
    approve(lender, serve_loan.CHANGE_RATE, loan)
    assert written(lender, loan)[-1] == "rate_changed"
    assert says(loan, selectors.loan_view(loan_id=loan.pk).standing.next_due_minor, on=date(2026, 3, 7))


def test_an_extension_by_a_colleague_is_told_with_its_date_and_what_it_costs(lender: Lender) -> None:
    loan = lender.loan()
    confirm(lender.browser("customer_service"), loan, "extend", days="7")
    assert written(lender, loan)[-1] == "date_moved"
    view = selectors.loan_view(loan_id=loan.pk)
    assert says(loan, view.standing.due_now_minor, on=view.state.due_dates[0])


def test_every_message_has_a_name_for_the_desk() -> None:
    assert vocabulary.MESSAGE.keys() == catalogue.TEMPLATES.keys()
