"""Income that is earned evenly over what is left of a loan: each day of it an equal part of what is not earned yet,
until the last due date. Where no days are left, it is earned at once."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from usance.core import money
from usance.core.calendar import ONE_DAY
from usance.core.loan import state
from usance.core.loan.book import Book, Explained
from usance.core.loan.movements import DEFERRED, change
from usance.core.loan.state import Loan


def days_left(loan: Loan) -> int:
    """Until the last due date; none of a loan that is over, or taken for lost."""
    if loan.status not in state.LIVE or not loan.due_dates or loan.charged_off_on is not None:
        return 0
    return max(0, (loan.due_dates[-1] - loan.at).days)


def deferred(loan: Loan, book: Book, amount: int, owed_by: str) -> Loan:
    """So much more is to be earned, or less: what was earned of that already is given up again."""
    posting = change("income_deferred", DEFERRED, amount, loan.at)
    loan = book.post(loan, posting, "income.deferred", lambda: (f"{amount}", {"owed_by": owed_by}))
    incomes = {**loan.incomes, owed_by: loan.incomes.get(owed_by, 0) + amount}
    loan = loan._replace(incomes={key: total for key, total in incomes.items() if total})
    left = max(Fraction(0), loan.deferred + amount)
    return _left(loan, book, left, loan.at, "income.given_up", ("what of it had been earned", {"owed_by": owed_by}))


def earn(loan: Loan, book: Book, until: date) -> Loan:
    """The part of the days [loan.at, until)."""
    days, left = (until - loan.at).days, days_left(loan)
    after = loan.deferred * Fraction(left - days, left)
    why = "before x days / days left", {"days": days, "days_left": left, "before": loan.deferred}
    return _left(loan, book, after, until - ONE_DAY, "income.earned", why, since=loan.at)


def earn_when_over(loan: Loan, book: Book) -> Loan:
    """What has no days left to be earned over is earned."""
    if days_left(loan):
        return loan
    return _left(loan, book, Fraction(0), loan.at, "income.earned_at_once", ("all that was left", {}))


def _left(
    loan: Loan, book: Book, after: Fraction, on: date, rule: str, why: Explained, *, since: date | None = None
) -> Loan:
    """With so much that is not earned yet; its balance is that in whole minor units."""
    change_by = money.rounded(after, loan.terms.rounding) - loan.balances.get(DEFERRED, 0)
    posting = change("income_earned", DEFERRED, change_by, on)
    loan = book.post(loan, posting, rule, lambda: why, since=since)
    return loan._replace(deferred=after)
