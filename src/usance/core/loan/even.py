"""Interest that is spread evenly over a plan: each of its periods brings the same."""

from __future__ import annotations

from fractions import Fraction

from usance.core.loan import plan
from usance.core.loan.state import Loan
from usance.core.rates import Period


def parts(loan: Loan, period: Period) -> Fraction:
    """How many periods of the plan this one counts for: one; where its due date was moved, its days over the average
    days of an agreed period."""
    begun = loan.disbursed_on
    if period.ends_on not in loan.moved_to or begun is None:
        return Fraction(1)
    agreed = plan.due_dates(loan.terms, begun)
    return Fraction((period.ends_on - period.starts_on).days * len(agreed), (agreed[-1] - begun).days)


def share(loan: Loan, period: Period) -> Fraction:
    """What one unit of balance earns in the whole of a period."""
    return (loan.even_factor or Fraction(0)) * parts(loan, period)
