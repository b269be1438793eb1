"""What happens to a loan through the services, and how it shows in its rows and in the books."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.apps.servicing import loans
from usance.apps.audit import selectors as trail
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.ledger import selectors as ledger
from usance.apps.ledger import services as books_of
from usance.apps.ledger.models import JournalEntry
from usance.apps.servicing import folding, refusals, selectors, services
from usance.apps.servicing.models import Loan, LoanEvent, LoanMovement
from usance.core.loan import events, refused
from usance.core.loan.movements import TAKES_FROM_UNAPPLIED
from usance.core.refusals import Refusal
from usance.ports import queue
from usance.ports.actor import SYSTEM, Actor, staff

D = date(2026, 3, 2)


def live_until(to: date) -> None:
    """Business time passes without a close: loans are brought up by whoever touches them."""
    institutions.move_business_date(to=to, ahead_days=0)
    books_of.ensure_partitions(since=to)


def add_fee(loan_id: UUID, source: str, amount_minor: int, actor: Actor = SYSTEM) -> Loan:
    """A fee that the agreement knows, as another system told it."""
    on = tenancy.current().business_date
    event = events.FeeAdded(effective_on=on, source=source, fee_kind="service", amount_minor=amount_minor)
    return services.record(loan_id=loan_id, event=event, actor=actor)


def booked(loan: Loan) -> dict[str, int]:
    """The balances as the stored movements make them."""
    sums: dict[str, int] = {}
    for row in LoanMovement.objects.filter(loan=loan):
        sums[row.component] = sums.get(row.component, 0) + row.amount_minor
        if row.kind in TAKES_FROM_UNAPPLIED:
            sums["unapplied"] = sums.get("unapplied", 0) + row.amount_minor
    return {name: amount for name, amount in sums.items() if amount}


def standing(loan: Loan) -> dict[str, int]:
    row = Loan.objects.get(pk=loan.pk)
    names = ("principal", "interest", "fee", "penalty", "tax", "unapplied")
    return {name: getattr(row, f"{name}_minor") for name in names if getattr(row, f"{name}_minor")}


def assert_books_agree() -> None:
    """Control accounts equal the sums over all loans, and the trial balance balances."""
    on = date(2099, 1, 1)
    totals = {role: amount for role, amount in ledger.control_totals(on=on).items() if amount}
    sums: dict[str, int] = {}
    for loan in Loan.objects.all():
        assert booked(loan) == standing(loan)
        for name, amount in standing(loan).items():
            role, sign = ("unapplied_funds", -1) if name == "unapplied" else (f"{name}_receivable", 1)
            sums[role] = sums.get(role, 0) + sign * amount
    assert totals == sums
    assert sum(line.balance_minor for line in ledger.trial_balance(on=on)) == 0


def test_a_booked_loan_is_numbered_approved_and_has_nothing_in_the_books(books: Any) -> None:
    party = new_id()
    guarantor = new_id()
    loan = services.book_loan(
        party_id=party, product="short", terms=loans.single_payment(), source="application:a", actor=SYSTEM,
        parties=[(guarantor, "guarantor")],
    )  # fmt: skip
    assert (loan.number, loan.status, loan.outstanding_minor) == ("L-000001", "approved", 0)
    assert {(p.party_id, p.role) for p in loan.parties.all()} == {(party, "borrower"), (guarantor, "guarantor")}
    assert JournalEntry.objects.count() == 0
    again = services.book_loan(
        party_id=party, product="short", terms=loans.single_payment(), source="application:a", actor=SYSTEM
    )
    assert again.pk == loan.pk


def test_a_disbursed_loan_owes_its_principal(books: Any) -> None:
    loan = loans.lend(on=D)
    assert (loan.status, loan.principal_minor, loan.interest_minor) == ("active", 3_000_000, 0)
    assert loan.next_due_on == D + timedelta(days=30)
    assert selectors.owed(loan.pk).next_due_minor == 3_900_000
    assert selectors.payoff(loan_id=loan.pk, on=date(2026, 3, 12)).total_minor == 3_300_000
    assert_books_agree()


def test_a_payment_takes_no_more_statements_than_it_must(books: Any, django_assert_max_num_queries: Any) -> None:
    """Nothing is waited for by so many: the day is held, the loan read with its events, rows written by one statement
    for each of books, loan and trail."""
    loan = loans.lend(on=D)
    live_until(D + timedelta(days=5))
    with django_assert_max_num_queries(12):
        services.receive_payment(
            loan_id=loan.pk, source="instruction:p", amount_minor=100_000, value_on=D + timedelta(days=5), actor=SYSTEM
        )
    assert_books_agree()


def test_interest_begins_when_the_money_arrived_even_if_we_learn_it_later(books: Any) -> None:
    booked_loan = services.book_loan(
        party_id=new_id(), product="short", terms=loans.single_payment(), source="application:b", actor=SYSTEM
    )
    live_until(D + timedelta(days=3))
    loan = services.disburse(
        loan_id=booked_loan.pk, source="instruction:1", value_on=D + timedelta(days=1), actor=SYSTEM
    )
    assert loan.disbursed_on == D + timedelta(days=1)
    assert loan.interest_minor == 60_000
    assert_books_agree()


def test_a_payment_counts_from_the_payers_own_date(books: Any) -> None:
    on_time, late_known = loans.lend(on=D), loans.lend(on=D)
    live_until(D + timedelta(days=10))
    loans.pay(on_time, 1_000_000, D + timedelta(days=10))
    loans.pay(late_known, 1, D + timedelta(days=10))
    live_until(D + timedelta(days=12))
    late = loans.pay(late_known, 999_999, D + timedelta(days=10))
    assert late.interest_minor == loans.pay(on_time, 1, D + timedelta(days=12)).interest_minor + 1
    entry = JournalEntry.objects.filter(loan_id=late.pk).latest("id")
    assert (entry.booked_on, entry.effective_on) == (D + timedelta(days=12), D + timedelta(days=10))
    assert entry.cites == f"date:{D + timedelta(days=10)}"
    assert_books_agree()


def test_the_same_payment_told_twice_is_booked_once(books: Any) -> None:
    loan = loans.lend(on=D)
    loans.pay(loan, 1_000_000, D, source="instruction:x")
    before = LoanMovement.objects.count()
    again = loans.pay(loan, 1_000_000, D, source="instruction:x")
    assert again.principal_minor == 2_000_000
    assert LoanMovement.objects.count() == before
    with pytest.raises(refusals.SourceUsedOtherwise):
        loans.pay(loan, 2_000_000, D, source="instruction:x")


def test_paying_the_payoff_quote_closes_the_loan_to_exactly_zero(books: Any) -> None:
    loan = loans.lend(on=D)
    live_until(D + timedelta(days=7))
    quote = selectors.payoff(loan_id=loan.pk)
    closed = loans.pay(loan, quote.total_minor, D + timedelta(days=7))
    assert (closed.status, closed.outstanding_minor, closed.unapplied_minor) == ("closed", 0, 0)
    assert closed.closed_on == D + timedelta(days=7)
    assert_books_agree()


def test_what_is_paid_too_much_waits_and_can_be_sent_back(books: Any) -> None:
    loan = loans.lend(on=D)
    over = loans.pay(loan, 3_500_000, D)
    assert (over.status, over.unapplied_minor) == ("closed", 500_000)
    with pytest.raises(refused.MoreThanUnapplied):
        services.refund_unapplied(loan_id=loan.pk, source="instruction:r", amount_minor=500_001, actor=SYSTEM)
    back = services.refund_unapplied(loan_id=loan.pk, source="instruction:r", amount_minor=500_000, actor=SYSTEM)
    assert back.unapplied_minor == 0
    assert_books_agree()


def test_a_returned_payment_reopens_the_loan_as_if_it_had_never_come(books: Any) -> None:
    paid, never = loans.lend(on=D), loans.lend(on=D)
    live_until(D + timedelta(days=5))
    loans.pay(paid, 3_150_000, D + timedelta(days=5), source="instruction:p")
    live_until(D + timedelta(days=40))
    back = services.return_payment(
        loan_id=paid.pk, source="instruction:p:returned", undoes="instruction:p", reason="insufficient", actor=SYSTEM
    )
    untouched = add_fee(never.pk, "staff:f", 1)
    assert back.status == untouched.status == "past_due"
    assert (back.interest_minor, back.penalty_minor) == (untouched.interest_minor, untouched.penalty_minor)
    assert back.max_days_past_due == 10
    assert_books_agree()


def test_an_extension_and_its_price_move_the_due_date(books: Any) -> None:
    loan = loans.lend(on=D)
    live_until(D + timedelta(days=30))
    offer = selectors.extension_quote(loan_id=loan.pk, days=14)
    preview = selectors.extension_preview(loan_id=loan.pk, days=14)
    assert offer.price_minor == 920_000
    moved = services.extend(
        loan_id=loan.pk, source="instruction:e", days=14, actor=SYSTEM,
        payment=("instruction:e:paid", offer.price_minor, D + timedelta(days=30)),
    )  # fmt: skip
    assert moved.next_due_on == offer.new_due_on == D + timedelta(days=44)
    assert (moved.extension_count, moved.interest_minor, moved.fee_minor) == (1, 0, 0)
    assert selectors.owed(loan.pk).next_due_minor == preview.after.next_due_minor == 3_420_000
    assert [option.days for option in selectors.extension_options(loan_id=loan.pk)] == [7, 14, 30]
    assert_books_agree()


def test_staff_acts_change_balances_and_are_named_in_the_trail(books: Any) -> None:
    loan = loans.lend(on=D)
    clerk = staff("u-1")
    live_until(D + timedelta(days=4))
    add_fee(loan.pk, "staff:1", 50_000, actor=clerk)
    services.waive(
        loan_id=loan.pk, source="staff:2", balance="fee:service", amount_minor=20_000, reason="goodwill", actor=clerk
    )
    reversed_ = services.reverse(loan_id=loan.pk, source="staff:3", undoes="staff:1", reason="mistake", actor=clerk)
    assert reversed_.fee_minor == 0
    assert JournalEntry.objects.filter(source="staff:3").get().cites == "event:staff:1"
    actions = [entry.action for entry in trail.trail(loan) if entry.actor_id == "u-1"]
    assert set(actions) == {"loan.fee_added", "loan.waived", "loan.reversed"}
    assert_books_agree()


def test_a_written_off_loan_leaves_the_books_and_may_still_bring_money(books: Any) -> None:
    loan = loans.lend(on=D)
    live_until(D + timedelta(days=130))
    services.write_off(loan_id=loan.pk, source="staff:w", reason="gone", actor=SYSTEM)
    assert standing(loan) == {}
    got = services.recover(
        loan_id=loan.pk, source="instruction:c", amount_minor=100_000, value_on=D + timedelta(days=130), actor=SYSTEM
    )
    assert (got.status, got.unapplied_minor) == ("written_off", 0)
    assert_books_agree()


REFUSED = {
    "a payment from the future": (
        refusals.ValueDateInTheFuture,
        lambda loan: loans.pay(loan, 5, D + timedelta(days=1)),
    ),
    "nothing paid": (refused.AmountNotPositive, lambda loan: loans.pay(loan, 0, D)),
    "a second disbursement": (
        refused.LoanNotApproved,
        lambda loan: services.disburse(loan_id=loan.pk, source="again", value_on=D, actor=SYSTEM),
    ),
    "an extension of odd length": (
        refused.ExtensionDaysNotAllowed,
        lambda loan: services.extend(loan_id=loan.pk, source="odd", days=8, actor=SYSTEM),
    ),
    "undoing what never was": (
        refused.NothingToUndo,
        lambda loan: services.reverse(loan_id=loan.pk, source="u", undoes="nothing", reason="", actor=SYSTEM),
    ),
    "recovery of a running loan": (
        refused.LoanNotWrittenOff,
        lambda loan: services.recover(loan_id=loan.pk, source="r", amount_minor=1, value_on=D, actor=SYSTEM),
    ),
    "no such loan": (
        refusals.NoSuchLoan,
        lambda loan: add_fee(new_id(), "f", 1),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_call_changes_nothing(books: Any, case: str) -> None:
    loan = loans.lend(on=D)
    refusal, call = REFUSED[case]
    before = Loan.objects.values().get(pk=loan.pk), LoanEvent.objects.count(), LoanMovement.objects.count()
    with pytest.raises(refusal) as refused:
        call(loan)
    assert isinstance(refused.value, Refusal)
    assert (Loan.objects.values().get(pk=loan.pk), LoanEvent.objects.count(), LoanMovement.objects.count()) == before


def test_the_hash_of_an_event_is_the_same_in_python_and_in_the_database(books: Any) -> None:
    from django.db import connection

    loan = loans.lend(on=D)
    services.waive(
        loan_id=loan.pk, source="staff:ü", balance="principal", amount_minor=1, reason='"\\\n\t\x01 Ж', actor=SYSTEM
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT hash, encode(sha256(convert_to({folding.EVENT_TEXT}, 'UTF8')), 'hex') FROM servicing_loanevent e"
        )
        rows = cursor.fetchall()
    assert len(rows) == 3
    assert all(stored == computed for stored, computed in rows)


def test_jobs_that_somebody_declared_follow_from_what_changed(books: Any, monkeypatch: Any) -> None:
    told: list[str] = []
    monkeypatch.setattr(queue, "declared", lambda: dict.fromkeys(["loans.closed", "loans.disbursed", "loans.reopened"]))
    monkeypatch.setattr(queue, "enqueue", lambda name, **ids: told.append(name) if name.startswith("loans") else None)
    loan = loans.lend(on=D)
    loans.pay(loan, 3_000_000, D, source="instruction:all")
    services.return_payment(
        loan_id=loan.pk, source="instruction:all:returned", undoes="instruction:all", reason="", actor=SYSTEM
    )
    assert told == ["loans.disbursed", "loans.closed", "loans.reopened"]


def test_a_borrowers_history_counts_loans_lateness_and_exposure(books: Any) -> None:
    party = new_id()
    first, second = loans.lend(on=D, party_id=party), loans.lend(on=D, party_id=party)
    live_until(D + timedelta(days=35))
    loans.pay(first, selectors.payoff(loan_id=first.pk).total_minor, D + timedelta(days=35))
    loans.pay(second, 1, D + timedelta(days=35))
    third = loans.lend(on=D + timedelta(days=35), party_id=party)
    history = selectors.history_of_party(party_id=party, on=D + timedelta(days=35))
    assert (history.loan_count, history.closed_count, history.open_count) == (3, 1, 2)
    assert (history.max_days_past_due, history.repaid_on_time_count) == (5, 0)
    second.refresh_from_db()
    assert history.open_exposure_minor == second.outstanding_minor + third.outstanding_minor


def test_a_payment_that_was_in_time_takes_the_lateness_back(books: Any) -> None:
    loan = loans.lend(on=D)
    live_until(D + timedelta(days=32))
    assert loans.pay(loan, 1, D + timedelta(days=32)).max_days_past_due == 2
    closed = loans.pay(loan, 3_900_000, D + timedelta(days=30))
    assert closed.status == "closed"
    assert closed.max_days_past_due == 0


def test_a_loan_can_be_seen_as_it_was_and_as_it_was_known(books: Any) -> None:
    loan = loans.lend(on=D)
    live_until(D + timedelta(days=10))
    loans.pay(loan, 1_000_000, D + timedelta(days=5))
    then = selectors.loan_view(loan_id=loan.pk, on=D + timedelta(days=5))
    unknowing = selectors.loan_view(loan_id=loan.pk, on=D + timedelta(days=5), known_on=D + timedelta(days=5))
    assert then.balances == {"principal": 2_150_000}
    assert unknowing.balances == {"principal": 3_000_000, "interest": 150_000}
    assert [line.kind for line in then.timeline][:2] == ["payment_received", "disbursed"]
    assert then.schedule[-1].due_on == D + timedelta(days=30)


def test_every_balance_is_the_sum_of_its_lines(books: Any) -> None:
    loan = loans.lend(on=D)
    live_until(D + timedelta(days=40))
    row = loans.pay(loan, 500_000, D + timedelta(days=33))
    sums: dict[str, int] = {}
    for line in selectors.explain(loan_id=loan.pk):
        sums[line.balance] = sums.get(line.balance, 0) + line.amount_minor
    assert {name: amount for name, amount in sums.items() if amount} == folding.state_of(row).balances


def test_the_business_date_is_read_afresh(books: Any) -> None:
    live_until(D + timedelta(days=1))
    assert tenancy.current().business_date == D + timedelta(days=1)
