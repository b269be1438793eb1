"""Income that is earned over what is left of a loan."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.laws.slow import anew, charging, plan
from tests.laws.slow.loan import SlowLoan
from tests.laws.slow.nights import NOW, see_whether_over
from tests.laws.slow.spreading import spread


def put_in(loan: SlowLoan, amount: int, owed_by: str) -> None:
    loan.unearned += amount
    loan.incomes[owed_by] = loan.incomes.get(owed_by, 0) + amount


def take_out(loan: SlowLoan, amount: int, owed_by: str) -> None:
    """What of it was earned is given up again."""
    loan.unearned = max(Fraction(0), loan.unearned - amount)
    loan.incomes[owed_by] = loan.incomes.get(owed_by, 0) - amount


def deferred(loan: SlowLoan, told: Any) -> None:
    """By the borrower it is owed as principal that nobody was paid."""
    if loan.began is None:
        return
    amount = told.amount_minor
    if told.owed_by == "borrower":
        amount = charging.within(amount, charging.room_under_cost_cap(loan))
        if loan.status not in ("live", "closed") or not amount:
            return
        anew.goes_on(loan)
        loan.owe("principal", amount)
        loan.drawn += amount
        loan.charged += amount
    put_in(loan, amount, told.owed_by)
    if told.owed_by != "borrower":
        return
    if loan.coming:
        plan.plan_anew(loan, amount)
        plan.as_listed(loan)
        spread(loan, NOW)
    else:
        see_whether_over(loan)
        spread(loan)
