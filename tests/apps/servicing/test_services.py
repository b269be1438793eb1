"""What happens to a loan through the services, and how it shows in rows and books."""

from __future__ import annotations

from datetime import date, timedelta

from tests.apps.servicing import loans
from usance.apps.servicing import selectors


def test_a_disbursed_loan_owes_its_principal(books):
    on = books.business_date
    loan = loans.lend(on=on)
    assert (loan.status, loan.principal_minor, loan.interest_minor) == ("active", 3_000_000, 0)
    assert loan.next_due_on == on + timedelta(days=30)
    assert loan.next_due_minor == 3_900_000
    assert selectors.payoff(loan_id=loan.pk, on=date(2026, 3, 12)).total_minor == 3_300_000
