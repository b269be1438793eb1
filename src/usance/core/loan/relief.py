"""What leaves a loan without money of the borrower: debt that is forgiven, written off or sold; and what is settled
with who bought it."""

from __future__ import annotations

from usance.core.loan import allocate, events, reserve, smaller, state
from usance.core.loan.bills import nothing_to_come
from usance.core.loan.book import Book
from usance.core.loan.movements import FROM_BUYER, NOT_OWED, TO_BUYER, change
from usance.core.loan.state import Loan
from usance.core.loan.waterfall import UNBILLED, Slot


def waived(loan: Loan, event: events.Waived, book: Book) -> Loan:
    return relieve(loan, book, event.balance, event.amount_minor, "waived", "waiver")


def relieve(loan: Loan, book: Book, balance: str, amount: int, kind: str, rule: str, formula: str = "forgiven") -> Loan:
    """Takes up to `amount` off a balance without money: the oldest bill first."""
    if balance in NOT_OWED:
        return loan
    slots = [
        Slot(target.age, target.bill, balance, target.remaining[balance])
        for target in allocate.targets(loan, earned_only=True)
        if balance in target.remaining
    ]
    loan, taken = allocate.settle(loan, slots, amount, "relieved")
    total = sum(slot.amount for slot in taken)
    loan = book.post(loan, change(kind, balance, -total, loan.at), rule, lambda: (formula, {}))
    beyond = sum(slot.amount for slot in taken if slot.age == "in_advance" and slot.bill == UNBILLED)
    lowers = loan.terms.early_payment == smaller.LOWERS and balance == "principal"
    return smaller.those_after(loan, beyond, "relieved") if lowers and beyond else loan


def forgive_remainder(loan: Loan, book: Book) -> Loan:
    left = state.owed(loan)
    if loan.status in state.LIVE and 0 < sum(left.values()) <= loan.terms.forgive_under_minor:
        for key in sorted(left):
            loan = relieve(loan, book, key, left[key], "remainder_forgiven", "tolerance")
    return loan


# --- out of the books --------------------------------------------------------------------------------------------


def _leaves(loan: Loan, book: Book, status: str, rule: str) -> Loan:
    """All that is owed leaves the books by movements of the status's name; nothing falls due any more."""
    loan, left = reserve.free(loan), state.owed(loan)
    for key in sorted(left):
        loan = relieve(loan, book, key, left[key], status, rule, status.replace("_", " "))
    loan = nothing_to_come(loan, state.coming_dates(loan))
    return loan._replace(status=status, matured_on=loan.at, still_bearing_minor=0)


def written_off(loan: Loan, event: events.WrittenOff, book: Book) -> Loan:
    if loan.status not in state.LIVE:
        return loan
    claim = state.outstanding(loan)
    book.fact("written_off", loan.at, amount_minor=claim)
    return _leaves(loan, book, "written_off", "write_off")._replace(claim_minor=claim)


def sold(loan: Loan, event: events.Sold, book: Book) -> Loan:
    """The debt goes and the price comes; the difference is won or lost. What the borrower had too much stays theirs.
    A debt that was paid off by then (as we learned later) could not be sold: who paid for it gets the money back."""
    if loan.status not in state.LIVE:
        return loan
    owed, price = state.outstanding(loan), event.price_minor
    book.fact("sold", loan.at, buyer=event.buyer, price_minor=price, amount_minor=owed)
    loan = _leaves(loan, book, "sold", "sale")
    return book.post(
        loan, change("sold", FROM_BUYER, price, loan.at), "sale", lambda: ("the price", {"debt_minor": owed})
    )


# --- between the buyer and us ------------------------------------------------------------------------------------


def buyer_paid(loan: Loan, event: events.BuyerPaid, book: Book) -> Loan:
    """What the buyer does not owe us is to be sent back."""
    return _settled(loan, book, event.amount_minor, "buyer_paid", (FROM_BUYER, TO_BUYER))


def forwarded(loan: Loan, event: events.Forwarded, book: Book) -> Loan:
    """What was not the buyer's (a payment was returned since) is owed to us."""
    return _settled(loan, book, event.amount_minor, "forwarded", (TO_BUYER, FROM_BUYER))


def _settled(loan: Loan, book: Book, amount: int, kind: str, sides: tuple[str, str]) -> Loan:
    """So much less of the first side, as far as there is; the rest is more of the other."""
    down, up = sides
    used = min(amount, loan.balances.get(down, 0))
    for balance, part in ((down, -used), (up, amount - used)):
        loan = book.post(loan, change(kind, balance, part, loan.at), "sale", lambda: ("settled with the buyer", {}))
    return loan
