"""Whether a loan runs, is late or is paid off: derived from what it owes, after every event and on every morning, and
never told. (That it was written off, sold or cancelled is told by events.)"""

from __future__ import annotations

from usance.core.loan import income, reserve, state
from usance.core.loan.bills import next_period, nothing_to_come
from usance.core.loan.book import Book
from usance.core.loan.state import Loan


def derive(loan: Loan, book: Book) -> Loan:
    """Paid off or not, late or not; and what has no days left to be earned over is earned."""
    loan = _closed_or_open(loan, book)
    return income.earn_when_over(loan, book) if loan.deferred else loan


def _closed_or_open(loan: Loan, book: Book) -> Loan:
    """A live loan that owes nothing is paid off; a closed one that owes again, since a payment was returned or a charge
    came late, is reopened."""
    owes = state.outstanding(loan)
    if not owes and loan.due_dates:
        owes = reserve.unearned(loan)
    if loan.status in state.LIVE and not owes:
        loan = reserve.earn_when_all_is_paid(loan, book)
        book.fact("paid_off", loan.at)
        if state.unapplied(loan):
            book.fact("unapplied_left", loan.at, amount_minor=state.unapplied(loan))
        return nothing_to_come(loan, state.coming_dates(loan))._replace(
            status="closed", closed_on=loan.at, credit_minor=0, still_bearing_minor=0,
            matured_on=loan.matured_on or loan.at,
        )  # fmt: skip
    if loan.status == "closed" and owes:
        book.fact("reopened", loan.at, outstanding_minor=owes)
        matured_on = loan.at if loan.matured_on is not None else None  # what no bill asks for is due today, not then
        loan = loan._replace(status="active", closed_on=None, matured_on=matured_on, period=next_period(loan))
    if loan.status in state.LIVE:
        late = state.days_past_due(loan) > 0
        if loan.status == "past_due" and not late:
            book.fact("cured", loan.at)
        if late != (loan.status == "past_due"):
            return loan._replace(status="past_due" if late else "active")
    return loan
