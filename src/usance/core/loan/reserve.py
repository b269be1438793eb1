"""Reserved interest: where an instalment paid early owes the interest that it would have borne, the money for what is
not earned yet stays among the unapplied funds. Here it is set apart, and here it is used or free again."""

from __future__ import annotations

from collections.abc import Sequence

from usance.core.loan import charges, state, to_come
from usance.core.loan.book import Book
from usance.core.loan.movements import change
from usance.core.loan.state import Loan
from usance.core.loan.waterfall import Slot


def unearned(loan: Loan) -> int:
    """The interest of instalments to come that is owed already and not settled, beyond what is earned."""
    if loan.terms.early_interest != "owed" or loan.status not in state.LIVE or loan.matured_on is not None:
        return 0
    settled = (state.regular_ahead(loan, index, ("interest",)) for index in range(len(loan.due_dates)))
    left = sum(max(0, asked - there) for asked, there in zip(to_come.interest_to_come(loan), settled, strict=True))
    return max(0, left - state.regular(loan).get("interest", 0))


def interest_there(loan: Loan) -> dict[int, int]:
    """The interest that each instalment to come asks for and that is owed already, by its index after the bills."""
    dates, start = state.coming_dates(loan), len(loan.bills)
    there = {start + i: state.left_of_dated(loan, i, dates).get("interest", 0) for i in range(len(dates))}
    asking = start + to_come.asks_for_today(loan)
    return there | {asking: there.get(asking, 0) + state.regular(loan).get("interest", 0)}


def reserve(loan: Loan, taken: Sequence[Slot], there: dict[int, int]) -> tuple[Loan, list[Slot]]:
    """What was taken for interest that is not earned yet is not posted, but reserved."""
    start, ahead, found = len(loan.bills), list(loan.ahead), []
    for slot in taken:
        if slot.bill >= start and slot.balance == "interest":
            now = min(slot.amount, there[slot.bill])
            there[slot.bill] -= now
            one = ahead[slot.bill - start]
            ahead[slot.bill - start] = one._replace(reserved_minor=one.reserved_minor + slot.amount - now)
            found.append(slot._replace(amount=now))
        else:
            found.append(slot)
    return loan._replace(ahead=tuple(ahead)), found


def release(loan: Loan, book: Book, amount: int) -> Loan:
    """Reserved money meets the interest that the instalments to come have earned, the next first. What one needed less
    in the end is free again."""
    ahead = list(loan.ahead)
    for index, one in enumerate(ahead):
        used = min(amount, one.reserved_minor)
        amount -= used
        left = one.reserved_minor - used
        ahead[index] = one._replace(reserved_minor=left)
        loan = book.post(
            loan, change("allocated", "interest", -used, loan.at), "allocation.reserved", lambda: ("paid early", {})
        )
    return loan._replace(ahead=tuple(ahead))


def release_for_bill(loan: Loan, book: Book) -> Loan:
    """The instalment falls due: what was reserved for its interest pays what of that is earned; the rest is free."""
    if not loan.ahead or not loan.ahead[0].reserved_minor:
        return loan
    first = loan.ahead[0]
    used = min(first.reserved_minor, state.regular(loan).get("interest", 0))
    loan = release(loan, book, used)
    paid = {**first.paid, "interest": first.paid.get("interest", 0) - (first.reserved_minor - used)}
    return loan._replace(ahead=(loan.ahead[0]._replace(paid=paid, reserved_minor=0), *loan.ahead[1:]))


def free(loan: Loan) -> Loan:
    """What was kept for interest that will not be earned any more is free."""
    ahead = []
    for one in loan.ahead:
        left = one.paid.get("interest", 0) - one.reserved_minor
        ahead.append(one._replace(paid={**one.paid, "interest": left}, reserved_minor=0) if one.reserved_minor else one)
    return loan._replace(ahead=tuple(ahead))


def earn_when_all_is_paid(loan: Loan, book: Book) -> Loan:
    """Nothing is owed any more: what was reserved for interest to come is earned at once."""
    kept, before = state.reserved(loan), loan.interest.posted
    if not kept:
        return loan
    loan = charges.earn_at_once(loan, book, kept)
    return release(loan, book, loan.interest.posted - before)
