"""Corrections show their effect first, wait for a second person, and then are booked today with the old date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.apps.servicing import loans
from usance.apps.access import services as access
from usance.apps.desk import services as desk
from usance.apps.institutions import services as institutions
from usance.apps.ledger import selectors as books
from usance.apps.ledger import services as ledger
from usance.apps.servicing import selectors
from usance.core.loan import admit
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM
from usance.workflows import correct_history

D = date(2026, 3, 2)
AT = datetime(2026, 3, 12, 9, tzinfo=UTC)


@pytest.fixture
def accountants(institution: Any) -> tuple[Any, Any]:
    """Two people who may correct; the institution lives ten days after its loans began."""
    ledger.open_books()
    access.install_roles()
    correct_history.register_kinds()
    made = []
    for number in (1, 2):
        user = access.hire(email=f"accountant{number}@vn.example", name=f"Accountant {number}", actor=SYSTEM)
        access.grant_role(user=user, role="accountant", actor=SYSTEM)
        made.append(user)
    return made[0], made[1]


def ten_days_later() -> None:
    institutions.move_business_date(to=D + timedelta(days=10), ahead_days=0)


def test_a_payment_learned_of_late_is_previewed_proposed_and_booked_by_a_second_person(accountants: Any) -> None:
    maker, checker = accountants
    loan = loans.lend(on=D)
    ten_days_later()
    event = correct_history.late_payment(amount_minor=1_000_000, value_on=D + timedelta(days=5))
    effect = correct_history.preview(loan_id=loan.pk, event=event)
    approval = correct_history.propose(loan_id=loan.pk, event=event, maker=maker, reason="bank told late", at=AT)
    assert selectors.loan(loan.pk).principal_minor == 3_000_000
    with pytest.raises(Refusal):
        desk.approve(approval_id=approval.pk, checker=maker, at=AT)
    desk.approve(approval_id=approval.pk, checker=checker, at=AT)
    after = selectors.loan(loan.pk)
    assert after.outstanding_minor == effect.after.outstanding_minor
    assert approval.after["outstanding_minor"] == effect.after.outstanding_minor
    entry = books.entries_of_loan(loan_id=loan.pk).first()
    assert entry is not None
    assert (entry.booked_on, entry.effective_on) == (D + timedelta(days=10), D + timedelta(days=5))


def test_what_the_loan_does_not_admit_is_not_even_proposed(accountants: Any) -> None:
    maker, _ = accountants
    loan = loans.lend(on=D)
    with pytest.raises(admit.MoreThanOwed):
        correct_history.propose(
            loan_id=loan.pk,
            event=correct_history.waiver(balance="interest", amount_minor=1),
            maker=maker,
            reason="",
            at=AT,
        )
    with pytest.raises(admit.NothingToUndo):
        correct_history.preview(loan_id=loan.pk, event=correct_history.reversal(undoes="nothing"))


def test_a_write_off_and_its_reversal_each_need_two_people(accountants: Any) -> None:
    maker, checker = accountants
    loan = loans.lend(on=D)
    ten_days_later()
    event = correct_history.write_off()
    for told in (event, correct_history.reversal(undoes=event.source)):
        approval = correct_history.propose(loan_id=loan.pk, event=told, maker=maker, reason="test", at=AT)
        desk.approve(approval_id=approval.pk, checker=checker, at=AT)
    after = selectors.loan(loan.pk)
    assert (after.status, after.outstanding_minor) == ("active", 3_300_000)
