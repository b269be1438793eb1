"""Late truths: each is booked by one entry of today that says what it corrects; what is closed stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.apps.servicing import loans
from usance.apps.institutions import tenancy
from usance.apps.ledger import selectors as ledger
from usance.apps.ledger import services as books_of
from usance.apps.ledger.models import JournalEntry
from usance.apps.servicing import corrections, folding, selectors, services
from usance.apps.servicing.models import Loan, LoanMovement
from usance.core.loan import refused, replay
from usance.core.loan.terms import RateStep
from usance.core.rates import Rate
from usance.ports.actor import SYSTEM
from usance.workflows import close_day
from usance.workflows.audit_books import audit_books

D = date(2026, 3, 2)
OLD = D + timedelta(days=10)
HALF = (RateStep(from_day=0, rate=Rate(Fraction("0.005"), "day")),)
AT = datetime(2026, 3, 3, 0, 5, tzinfo=UTC)

CORRECTIONS: dict[str, tuple[Callable[[Loan], Any], str]] = {
    "a back-dated payment": (
        lambda loan: loans.pay(loan, 400_000, OLD, "bank:late"), f"date:{OLD}"
    ),
    "a return known late": (
        lambda loan: services.return_payment(loan_id=loan.pk, source="bank:back", undoes="bank:1",
                                              reason="", actor=SYSTEM),
        "event:bank:1",
    ),
    "a reversal": (
        lambda loan: services.reverse(loan_id=loan.pk, source="staff:undo", undoes="bank:1", reason="", actor=SYSTEM),
        "event:bank:1",
    ),
    "a waiver of an earlier day": (
        lambda loan: services.waive(
            loan_id=loan.pk, source="staff:w", balance="interest", amount_minor=20_000, reason="", actor=SYSTEM, on=OLD
        ),
        f"date:{OLD}",
    ),
    "another rate since an earlier day": (
        lambda loan: services.change_rate(
            loan_id=loan.pk, source="staff:rate", rate=Rate(Fraction("0.004"), "day"), actor=SYSTEM, on=OLD
        ),
        f"date:{OLD}",
    ),
    "terms that were wrong": (
        lambda loan: corrections.correct_terms(
            loan_id=loan.pk, source="staff:terms", before=selectors.terms_of(loan),
            after=replace(selectors.terms_of(loan), rates=HALF), reason="", actor=SYSTEM
        ),
        f"date:{D}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CORRECTIONS)
def test_a_correction_is_one_entry_of_today_and_closed_days_stay_closed(books: Any, what: str) -> None:
    correct, cites = CORRECTIONS[what]
    loan = loans.lend(on=D, agreed=loans.single_payment(days=15))
    close_day.run_close_inline(at=AT, days=8)
    loans.pay(loan, 250_000, D + timedelta(days=8), "bank:1")
    close_day.run_close_inline(at=AT, days=22)
    tenancy.forget_row()
    today = tenancy.current().business_date
    books_of.lock_period(starts_on=D, ends_on=today, actor=SYSTEM, at=AT)
    days = [D + timedelta(days=number) for number in range((today - D).days)]
    before = {on: ledger.totals(on=on) for on in days}
    entries, moved = set(JournalEntry.objects.values_list("pk", flat=True)), LoanMovement.objects.count()
    stood = selectors.loan_view(loan_id=loan.pk).balances

    correct(loan)

    (entry,) = JournalEntry.objects.exclude(pk__in=entries)
    assert (entry.booked_on, entry.cites, entry.loan_id) == (today, cites, loan.pk)
    fresh = LoanMovement.objects.filter(entry=entry)
    assert fresh.count() == LoanMovement.objects.count() - moved > 0
    assert {row.booked_on for row in fresh} == {today}
    assert min(row.effective_on for row in fresh) < today  # the old dates are told
    assert {on: ledger.totals(on=on) for on in days} == before
    row = Loan.objects.get(pk=loan.pk)
    told = folding.history_of(selectors.events_of(loan_id=loan.pk))
    refolded = replay.replay(folding.terms_of(row), told, today)
    assert folding.state_of(row) == refolded.loan
    assert refolded.loan.balances != stood
    (kept,) = selectors.kept([loan.pk])
    assert replay.adjustments(kept.movements, refolded.movements) == ()


def test_corrected_terms_bind_the_days_to_come_and_are_undone_again(books: Any) -> None:
    loan = loans.lend(on=D, agreed=loans.single_payment(days=15))
    close_day.run_close_inline(at=AT, days=4)
    agreed = selectors.terms_of(loan)
    right = replace(agreed, rates=HALF)
    told = {"loan_id": loan.pk, "source": "staff:terms", "before": agreed, "after": right, "reason": ""}
    for _twice in range(2):
        row = corrections.correct_terms(**told, actor=SYSTEM)
    assert (row.last_event_seq, row.terms, selectors.terms_of(row)) == (3, agreed.to_json(), right)
    assert row.interest_minor == 4 * loan.amount_minor // 200
    with pytest.raises(refused.CorrectionOutdated):  # another one, made against the terms as they were
        corrections.correct_terms(**told | {"source": "staff:other"}, actor=SYSTEM)
    close_day.run_close_inline(at=AT, days=2)
    row = selectors.loan(loan.pk)
    assert row.interest_minor == 6 * loan.amount_minor // 200
    then = selectors.loan_view(loan_id=loan.pk, on=D + timedelta(days=4), known_on=D + timedelta(days=3))
    assert then.balances["interest"] == 4 * loan.amount_minor // 100  # as we had seen it coming
    services.reverse(loan_id=loan.pk, source="staff:undo", undoes="staff:terms", reason="", actor=SYSTEM)
    row = selectors.loan(loan.pk)
    assert (row.corrected_terms, row.interest_minor) == (None, 6 * loan.amount_minor // 100)
    assert audit_books(full=True).differences == ()
