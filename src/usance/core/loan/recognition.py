"""Whether what a loan costs is income as it accrues, or only when it is paid: non-accrual.

The borrower's debt does not know of it. The contra balance `suspended` says how much of the interest and penalties owed
is no income yet; until it ends, each movement of these is followed by one of it (Book.move).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from usance.core.loan import events, state
from usance.core.loan.book import Book
from usance.core.loan.movements import NOT_INCOME, SUSPENDED, change
from usance.core.loan.state import Loan


def derive(loan: Loan, book: Book) -> Loan:
    """Derived after every event and every close: what is owed is suspended on the day non-accrual begins, and what is
    left of that is income on the day it ends."""
    if _is_on(loan) == (loan.non_accrual_on is not None):
        return loan
    if loan.non_accrual_on is not None:
        return _ended(loan, book)
    loan = _suspended(loan, book, 1, "what is owed and was not paid")
    book.fact("non_accrual_began", loan.at, suspended_minor=loan.balances.get(SUSPENDED, 0))
    return loan._replace(non_accrual_on=loan.at)


def _is_on(loan: Loan) -> bool:
    """By our decision, or by the agreed age, from when on the agreed rule says how long. What is paid off, written off
    or charged off has nothing to suspend."""
    if loan.status not in state.LIVE or loan.charged_off_on is not None:
        return False
    agreed, late = loan.terms.non_accrual, state.days_past_due(loan)
    if loan.non_accrual_by_hand or agreed is None:
        return loan.non_accrual_by_hand
    return late >= agreed.after_days or (loan.non_accrual_on is not None and LASTS[agreed.until](late))


LASTS: dict[str, Callable[[int], bool]] = {  # once it has begun, so many days past due
    "current": lambda late: late > 0,
    "closed": lambda late: True,
}


def _ended(loan: Loan, book: Book) -> Loan:
    if loan.status in state.LIVE:
        book.fact("non_accrual_ended", loan.at, recognised_minor=loan.balances.get(SUSPENDED, 0))
    loan = _suspended(loan, book, -1, "income again")
    return loan._replace(non_accrual_on=None, non_accrual_by_hand=False)


def _suspended(loan: Loan, book: Book, sign: int, why: str) -> Loan:
    """All interest and penalties owed, into the suspended balance or out of it."""

    def explained() -> tuple[str, Mapping[str, Any]]:
        return why, {}

    for component in sorted(NOT_INCOME):
        amount = sign * loan.balances.get(component, 0)
        posting = change(f"{component}_suspended", SUSPENDED, amount, loan.at)
        loan = book.post(loan, posting, "non_accrual", explained)
    return loan


def lost(loan: Loan, book: Book) -> Loan:
    """A loan on non-accrual is charged off: what never was income is no loss, and has nothing to be suspended."""
    amount = loan.balances.get(SUSPENDED, 0)
    posting = change("charged_off", SUSPENDED, -amount, loan.at)
    loan = book.post(loan, posting, "charge_off", lambda: ("was no income", {"suspended_minor": amount}))
    return loan._replace(non_accrual_on=None, non_accrual_by_hand=False)


def put_on_non_accrual(loan: Loan, event: events.PutOnNonAccrual, book: Book) -> Loan:
    if loan.status not in state.LIVE or loan.charged_off_on is not None:
        return loan
    return derive(loan._replace(non_accrual_by_hand=True), book)


def restored_to_accrual(loan: Loan, event: events.RestoredToAccrual, book: Book) -> Loan:
    """Where the agreed age is still reached, it begins again at once."""
    return loan if loan.non_accrual_on is None else _ended(loan, book)
