"""Income that is earned over what is left of a loan."""

from __future__ import annotations

from fractions import Fraction

from tests.laws.slow.loan import SlowLoan


def put_in(loan: SlowLoan, amount: int, owed_by: str) -> None:
    loan.unearned += amount
    loan.incomes[owed_by] = loan.incomes.get(owed_by, 0) + amount


def take_out(loan: SlowLoan, amount: int, owed_by: str) -> None:
    """What of it was earned is given up again."""
    loan.unearned = max(Fraction(0), loan.unearned - amount)
    loan.incomes[owed_by] = loan.incomes.get(owed_by, 0) - amount
