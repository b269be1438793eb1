"""Income that is deferred when it is agreed, and what of it is taken back: what that does to the debt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from usance.core.loan import allocate, charges, events, income, levelling, reshape, state, status
from usance.core.loan.book import Book
from usance.core.loan.movements import UNAPPLIED, change
from usance.core.loan.state import Loan


def income_deferred(loan: Loan, event: events.IncomeDeferred, book: Book) -> Loan:
    if loan.disbursed_on is None:
        return loan
    return OWED_BY[event.owed_by](loan, event.amount_minor, book)


def _by_the_borrower(loan: Loan, amount: int, book: Book) -> Loan:
    """Principal that nobody is paid: the instalments to come repay it with the rest. It is a cost of the loan."""
    room = charges.cost_room(loan)
    amount = amount if room is None else min(amount, room)
    if loan.status not in {*state.LIVE, "closed"} or not amount:
        return loan
    loan = reshape.to_come_again(loan)
    posting = change("income_capitalised", "principal", amount, loan.at)
    loan = book.post(loan, posting, "income.added", lambda: ("lent, and paid to nobody", {}))
    loan = loan._replace(
        disbursed_minor=loan.disbursed_minor + amount,
        drawn_later=(*loan.drawn_later, (loan.at, amount)),
        charged_minor=loan.charged_minor + amount,
    )
    loan = income.deferred(loan, book, amount, "borrower")
    if not loan.due_dates:
        return allocate.allocate(status.derive(loan, book), book, loan.at)
    loan = levelling.as_listed(levelling.anew(loan, amount))
    return allocate.allocate(loan, book, loan.at, ("past_due", "due"))


OWED_BY: dict[str, Callable[[Loan, int, Book], Loan]] = {
    "borrower": _by_the_borrower,
    "third_party": lambda loan, amount, book: income.deferred(loan, book, amount, "third_party"),
}


def taken_back(loan: Loan, event: events.IncomeTakenBack, book: Book) -> Loan:
    """No more than there is of it. What the borrower owed is free to pay something else."""
    amount = min(event.amount_minor, loan.incomes.get(event.owed_by, 0))
    if not amount:
        return loan
    loan = income.deferred(loan, book, -amount, event.owed_by)
    return _returned(loan, book, amount, loan.at) if event.owed_by == "borrower" else loan


def _returned(loan: Loan, book: Book, amount: int, on: date) -> Loan:
    posting = change("income_returned", UNAPPLIED, amount, on)
    return book.post(loan, posting, "income.returned", lambda: ("given back", {}))


def given_back(loan: Loan, book: Book) -> Loan:
    """All that the borrower owed of it, by who steps back from the loan: it is no principal any more; what of it was
    paid is free."""
    amount, on = loan.incomes.get("borrower", 0), loan.at
    there = min(amount, max(0, state.regular(loan).get("principal", 0)))
    loan = income.deferred(loan, book, -amount, "borrower")
    posting = change("income_capitalised", "principal", -there, on)
    loan = book.post(loan, posting, "withdrawal", lambda: ("given back", {}))
    return _returned(loan, book, amount - there, on)
