"""What a loan loses without money: forgiven, written off, sold; and what passes between a buyer and us."""

from __future__ import annotations

from typing import Any

from tests.laws.slow.loan import SlowLoan
from tests.laws.slow.nights import nothing_to_come
from tests.laws.slow.spreading import makes_smaller, settle, targets


def forgive(loan: SlowLoan, what: str, amount: int) -> None:
    """The oldest first: bills of the past, what is as old as they are, the bill of today, what no bill asks for."""
    beyond = 0
    for target in targets(loan, only_earned=True):
        part = min(amount, target.asks.get(what, 0))
        if part:
            amount -= settle(loan, target, what, part, paid=False)
            beyond += part if target.demand is None and target.age == "in_advance" else 0
    if beyond and what == "principal" and loan.makes_smaller:
        makes_smaller(loan, beyond)
    loan.charges = [charge for charge in loan.charges if charge.left]


def waived(loan: SlowLoan, told: Any) -> None:
    forgive(loan, told.balance, told.amount_minor)


def written_off(loan: SlowLoan, told: Any) -> None:
    if not loan.live:
        return
    loan.claim = loan.owes()
    _all_goes(loan)
    loan.status = "written_off"


def _all_goes(loan: SlowLoan) -> None:
    for what, amount in loan.owed().items():
        forgive(loan, what, amount)
    nothing_to_come(loan, loan.all_to_come())
    loan.matured, loan.bears_on = loan.today, 0


def sold(loan: SlowLoan, told: Any) -> None:
    if loan.live:
        _all_goes(loan)
        loan.status = "sold"
        loan.buyer_owes += told.price_minor


def buyer_paid(loan: SlowLoan, told: Any) -> None:
    used = min(told.amount_minor, loan.buyer_owes)
    loan.buyer_owes -= used
    loan.buyers_money += told.amount_minor - used


def forwarded(loan: SlowLoan, told: Any) -> None:
    used = min(told.amount_minor, loan.buyers_money)
    loan.buyers_money -= used
    loan.buyer_owes += told.amount_minor - used
