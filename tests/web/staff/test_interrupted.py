"""Colleagues who are interrupted: sessions that end, roles that go, proposals that grow old, clocks pushed by two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from tests.apps.servicing import loans
from tests.web.staff.lending import AT, ON, Lender
from tests.web.staff.test_loan_acts import RECEIPT, confirm, show, told
from usance.apps.access import selectors as access
from usance.apps.access import services as people
from usance.apps.access import sign_in, totp
from usance.apps.access.models import StaffSession
from usance.apps.desk import selectors as desk
from usance.apps.ledger import services as ledger
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors
from usance.ports import clock
from usance.ports.actor import SYSTEM
from usance.web import cookies
from usance.workflows import serve_loan
from usance.workflows.audit_books import audit_books

if TYPE_CHECKING:
    from usance.apps.desk.models import Approval

PASSWORD, SECRET = "a quiet lake at noon", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def audited(lender: Lender) -> Iterator[None]:
    """Whatever was interrupted, the whole audit is clean afterwards."""
    yield
    assert [str(one) for one in audit_books(full=True).differences] == []


def end_sessions(lender: Lender, name: str) -> None:
    """The person was away for longer than a session lasts."""
    StaffSession.objects.filter(user=lender.staff(name)).update(
        started_at=clock.now() - timedelta(days=2), seen_at=clock.now() - timedelta(days=2)
    )


def at_a_known_browser(lender: Lender, role: str) -> Client:
    """A colleague who can really sign in, at a browser where they did so before."""
    user = lender.staff(role)
    sign_in.set_password(user=user, password=PASSWORD, at=AT)
    sign_in.enrol_totp(user=user, at=AT, actor=SYSTEM, secret=SECRET)
    browser = lender.browser(role)
    browser.cookies[cookies.STAFF_DEVICE] = sign_in.device_mark(user)
    return browser


def sign_in_again(browser: Client, role: str, sent: Any) -> str:
    """Password and code, as the pages ask; gives where they lead."""
    address = sent.headers["Location"]
    assert address.startswith("/staff/sign-in/?next=")
    browser.post(address, {"email": f"{role}@lender.example", "password": PASSWORD})
    answer = browser.post("/staff/sign-in/code/", {"code": totp.code(SECRET, clock.now())})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"])


# --- sessions and roles ---------------------------------------------------------------------------------------------


def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(lender: Lender, quick_passwords: None) -> None:
    loan, cashier = lender.loan(), at_a_known_browser(lender, "cashier")
    page = f"/staff/loans/{loan.pk}/receive/"
    end_sessions(lender, "cashier")
    sent = cashier.post(page, {"key": "0" * 32, **RECEIPT})
    assert sign_in_again(cashier, "cashier", sent) == page
    kept = cashier.get(page)
    assert "What you typed is here" in kept.content.decode()
    answers = {name: values[0] for name, values in kept.context["form"].initial.items()}
    assert answers == {"key": "0" * 32, **RECEIPT}
    effect = cashier.post(page, answers)
    carried = {name: field.initial for name, field in effect.context["carried"].fields.items()}
    assert cashier.post(page, carried).status_code == 302
    assert told(loan) == ["PaymentReceived"]


def test_whoever_signs_in_next_at_that_browser_is_not_shown_it(lender: Lender, quick_passwords: None) -> None:
    loan, browser = lender.loan(), at_a_known_browser(lender, "cashier")
    at_a_known_browser(lender, "accountant")
    page = f"/staff/loans/{loan.pk}/receive/"
    end_sessions(lender, "cashier")
    sent = browser.post(page, {"key": "0" * 32, **RECEIPT})
    sign_in_again(browser, "accountant", sent)
    assert browser.get(page).status_code == 403
    assert "What you typed is here" not in browser.get("/staff/account/").content.decode()
    assert told(loan) == []


def test_a_password_is_never_kept(lender: Lender, quick_passwords: None) -> None:
    browser = at_a_known_browser(lender, "cashier")
    end_sessions(lender, "cashier")
    browser.post("/staff/account/password/", {"old_password": PASSWORD, "password": "another quiet lake"})
    assert "kept_answers" not in browser.session


def test_a_role_that_is_taken_away_in_the_middle_books_nothing(lender: Lender) -> None:
    loan, cashier = lender.loan(), lender.browser("cashier")
    page = show(cashier, loan, "receive", **RECEIPT)
    carried = {name: field.initial for name, field in page.context["carried"].fields.items()}
    for grant in access.grants_of(lender.staff("cashier")):
        people.revoke_grant(grant_id=grant.pk, actor=SYSTEM)
    refused = cashier.post(f"/staff/loans/{loan.pk}/receive/", carried)
    assert refused.status_code == 403
    assert "without the right" in refused.content.decode()
    assert told(loan) == []
    assert not payments.receipts_of(loan.pk).exists()


# --- two people, and what changed between them ------------------------------------------------------------------------


def proposed_waiver(lender: Lender, amount: str = "250000") -> tuple[Any, Approval]:
    """Interest of 300,000, most of which the accountant wants to forgive."""
    loan = lender.loan()
    lender.live_until(ON + timedelta(days=10))
    answers = {"balance": "interest", "amount": amount, "reason": "our mistake"}
    assert confirm(lender.browser("accountant"), loan, "waive", **answers).status_code == 302
    waiting = desk.open_approval(serve_loan.WAIVE, loan.pk)
    assert waiting is not None
    return loan, waiting


def test_a_waiver_of_what_was_paid_meanwhile_is_refused_in_words_and_can_be_rejected(lender: Lender) -> None:
    loan, waiting = proposed_waiver(lender)
    second, address = lender.browser("compliance"), f"/staff/approvals/{waiting.pk}/"
    loans.pay(loan, selectors.payoff(loan_id=loan.pk).total_minor, lender.today)
    page = second.post(address, {"verdict": "approve"})
    assert page.status_code == 422
    assert "only while money is owed" in page.content.decode()
    assert told(loan) == ["PaymentReceived"]
    assert second.post(address, {"verdict": "reject", "note": "it was paid"}).status_code == 302
    assert desk.open_approval(serve_loan.WAIVE, loan.pk) is None


def test_the_second_person_sees_that_the_debt_has_changed_since(lender: Lender) -> None:
    loan, waiting = proposed_waiver(lender)
    second, address = lender.browser("compliance"), f"/staff/approvals/{waiting.pk}/"
    rows = [(row.before.minor, row.after.minor) for row in second.get(address).context["difference"]]
    assert rows == [(300_000, 50_000)]
    servicing_waive(loan, 100_000)
    rows = [(row.before.minor, row.after.minor) for row in second.get(address).context["difference"]]
    assert rows == [(300_000, 50_000), (300_000, 200_000)]
    refused = second.post(address, {"verdict": "approve"})
    assert refused.status_code == 422
    assert "₫200,000" in refused.content.decode()
    assert told(loan) == ["Waived"]


def servicing_waive(loan: Any, minor: int) -> None:
    from usance.apps.servicing import services

    services.waive(
        loan_id=loan.pk, source="staff:other", balance="interest", amount_minor=minor, reason="x", actor=SYSTEM
    )


def test_a_write_off_of_a_loan_that_was_paid_meanwhile_is_refused(lender: Lender) -> None:
    loan = lender.loan(agreed=loans.single_payment(days=7))
    lender.live_until(ON + timedelta(days=20))
    confirm(lender.browser("accountant"), loan, "write-off", reason="cannot be found")
    waiting = desk.open_approval(serve_loan.WRITE_OFF, loan.pk)
    assert waiting is not None
    second, address = lender.browser("compliance"), f"/staff/approvals/{waiting.pk}/"
    loans.pay(loan, 1_000_000, lender.today)
    shown = second.get(address).context["difference"]
    assert shown[-1].after.minor == selectors.loan(loan.pk).outstanding_minor
    loans.pay(loan, selectors.payoff(loan_id=loan.pk).total_minor, lender.today)
    page = second.post(address, {"verdict": "approve"})
    assert (page.status_code, selectors.loan(loan.pk).status) == (422, "closed")


# --- receipts ----------------------------------------------------------------------------------------------------


def test_a_receipt_for_a_day_in_a_locked_month_is_booked_today_and_counts_from_its_day(lender: Lender) -> None:
    loan = lender.loan()
    lender.live_until(ON + timedelta(days=40))
    ledger.lock_period(starts_on=ON - timedelta(days=1), ends_on=ON + timedelta(days=30), actor=SYSTEM, at=AT)
    early = RECEIPT | {"value_on": (ON + timedelta(days=5)).isoformat()}
    assert confirm(lender.browser("cashier"), loan, "receive", **early).status_code == 302
    (event,) = selectors.events_of(loan_id=loan.pk).filter(kind="PaymentReceived")
    assert (event.effective_on, event.booked_on) == (ON + timedelta(days=5), lender.today)


def test_what_was_undone_cannot_be_undone_again(lender: Lender) -> None:
    loan, accountant = lender.loan(), lender.browser("accountant")
    confirm(lender.browser("cashier"), loan, "receive", **RECEIPT)
    entry = serve_loan.source_of("0123456789abcdef0123456789abcdef")
    answers = {"entry": entry, "reason": "wrong loan"}
    page = show(accountant, loan, "reverse", key="a" * 32, **answers)
    carried = {name: field.initial for name, field in page.context["carried"].fields.items()}
    address = f"/staff/loans/{loan.pk}/reverse/"
    for _click in range(2):
        assert accountant.post(address, carried).status_code == 302
    late = accountant.post(address, carried | {"key": "b" * 32})  # a second tab that still shows it
    assert late.status_code == 422
    assert told(loan) == ["PaymentReceived", "Reversed"]
    undo_the_undo = show(accountant, loan, "reverse", key="c" * 32, entry=f"staff:{'a' * 32}", reason="x")
    assert undo_the_undo.status_code == 422


# --- the clock ---------------------------------------------------------------------------------------------------


def test_two_colleagues_who_push_the_clock_at_once_push_it_once(lender: Lender) -> None:
    lender.loan()
    one, other = lender.browser("accountant"), lender.browser("accountant", "second accountant")
    form = {"business_date": ON.isoformat()}
    for browser in (one, other):  # both pages showed the same day, and no job has run yet
        assert browser.post("/staff/clock/advance-week/", form).status_code == 302
    lender.jobs.run_pending(at=AT + timedelta(days=1))
    assert lender.today == ON + timedelta(days=7)
    late = other.post("/staff/clock/advance-week/", form, follow=True)
    assert "That day has been ended already" in late.content.decode()
    lender.jobs.run_pending(at=AT + timedelta(days=1))
    assert lender.today == ON + timedelta(days=7)
