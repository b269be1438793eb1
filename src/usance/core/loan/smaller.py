"""Money in advance that is more than the instalment of its period: it is repaid on its day, and those after it are
smaller."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from usance.core.loan import charges, plan, state, to_come
from usance.core.loan.bills import new_bill
from usance.core.loan.state import Loan

LOWERS = "next_then_smaller"  # the early_payment of which this is the effect


def bill_of_today(loan: Loan) -> int | None:
    """The index of the bill of the plan that fell due today: who pays today pays this one, not the next in advance."""
    for index in range(len(loan.bills) - 1, -1, -1):
        if loan.bills[index].due_on != loan.at:
            return None
        if loan.bills[index].starts_on < loan.at:
            return index
    return None


def those_after(loan: Loan, amount: int, column: str) -> Loan:
    """So much principal is settled beyond the instalment of its period: a bill of today asks for it and notes it in
    `column` ("paid" or "relieved"), and those after that instalment are levelled anew."""
    index = bill_of_today(loan)
    loan = _asked_for_today(loan, index, amount, column)
    if not loan.due_dates:
        return loan
    kept = 0 if index is not None else 1  # the instalment of the running period stays as it is
    return _levelled_from(loan, kept, amount)


def _asked_for_today(loan: Loan, index: int | None, amount: int, column: str) -> Loan:
    bills = list(loan.bills)
    if index is None:
        index = len(bills)
        bills.append(new_bill(bills, loan.at, loan.at, {}))
    there: dict[str, Any] = {}
    for name in ("due", column):
        noted = getattr(bills[index], name)
        there[name] = {**noted, "principal": noted.get("principal", 0) + amount}
    bills[index] = bills[index]._replace(**there)
    return state.recounted(loan._replace(bills=tuple(bills)))


def _levelled_from(loan: Loan, kept: int, amount: int) -> Loan:
    """Those after the first `kept` repay what the plan had left, less what was settled beyond."""
    terms, before = loan.terms, list(state.levels(loan))
    rungs = to_come.rungs(loan)[kept:]
    if not rungs:
        return loan._replace(planned=tuple(max(0, part - amount) for part in loan.planned))
    asked = list(loan.planned[:kept]) or [state.regular_ahead(loan, index, ("principal",)) for index in range(kept)]
    whole = sum(loan.planned) - amount if loan.planned else state.scheduled_principal(loan)
    owed = plan.Owed(Fraction(max(0, whole - sum(asked))), Fraction(charges.INTEREST_BASES[terms.interest_base](loan)))
    level = plan.level(terms, owed, rungs)
    shares = plan.shares(terms, [level] * len(rungs), owed, rungs)
    planned = (*asked, *(int(share.principal) for share in shares)) if loan.planned else ()
    levels = (*before[:kept], *[level] * len(rungs)) if kept else ()
    return loan._replace(level_minor=level, levels=levels, planned=planned)
