"""Whether what a loan bears is income as it comes up, or only when it is paid."""

from __future__ import annotations

from typing import Any

from tests.laws.slow.loan import SlowLoan


def see_whether_income(loan: SlowLoan) -> None:
    """Not any more once it is late by so many days, or by decision; again when it is late no more, or never."""
    rule, late = loan.agreed.non_accrual, loan.days_late()
    if not loan.live or loan.lost_on:
        loan.no_income = loan.by_decision = False
    elif rule is not None and not loan.by_decision:
        if late >= rule.after_days:
            loan.no_income = True
        elif rule.until == "current" and not late:
            loan.no_income = False


def suspended(loan: SlowLoan) -> int:
    """What is owed and no income yet."""
    owed = loan.owed()
    return owed.get("interest", 0) + owed.get("penalty", 0) if loan.no_income else 0


def put_on_non_accrual(loan: SlowLoan, told: Any) -> None:
    if loan.live and not loan.lost_on:
        loan.no_income = loan.by_decision = True


def restored_to_accrual(loan: SlowLoan, told: Any) -> None:
    loan.no_income = loan.by_decision = False
