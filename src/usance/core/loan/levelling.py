"""The level of the instalments to come, when what they repay has changed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from usance.core.loan import allocate, plan, to_come
from usance.core.loan.state import Loan
from usance.core.rates import Period, Rate


def anew(
    loan: Loan,
    financed_minor: int,
    rate_before: Rate | None = None,
    level_minor: int = 0,
    brought: Fraction = Fraction(0),
    *,
    as_paid: bool = False,
) -> Loan:
    """The level (unless it is known) that repays what is not billed yet, as if it had been there since the running
    period began. Where the instalments stay, that is what the plan had left, whatever was paid early or late, and what
    is new of it, of which the running period `brought` interest already; `as_paid`: those that are paid in advance stay
    as they are, and the level is that of the others."""
    terms = loan.terms
    starts_on = loan.period.starts_on if loan.period else loan.at
    spans = to_come.rate_spans(loan)
    if rate_before and starts_on < loan.at:
        spans = [(starts_on, rate_before), (loan.at, loan.rate)]
    periods = to_come.periods_to_come(loan)
    coming = to_come.rungs(loan, periods, spans)
    owed = to_come.owed_to_come(loan)
    if terms.instalments_stay and loan.planned:
        owed = owed._replace(principal=Fraction(sum(loan.planned) + financed_minor))
        if to_come.follows_payments(terms) and not to_come.interest_waits(loan):
            earned = to_come.earned_as_planned(loan, periods[0], spans) + brought
            loan = loan._replace(planned_so_far=(loan.at, earned) if loan.at > starts_on else None)
            if not (as_paid and any(to_come.saved(loan))):  # then what was really earned counts
                owed = owed._replace(earned=earned, asked=0)
    if terms.interest_spread == "evenly":
        loan = loan if loan.even_factor is not None else spread_evenly(loan, [])
        coming = to_come.each_alike(loan, periods, coming)
    left = to_come.left_open(loan, owed, coming) if as_paid else to_come.LeftOpen(owed, coming)
    level = level_minor or plan.level(terms, *left)
    shares = plan.shares(terms, [level] * len(coming), owed, coming) if terms.instalments_stay else ()
    return at_level(loan._replace(levels=(), planned=tuple(int(share.principal) for share in shares)), level)


def spread_evenly(loan: Loan, spans_before: plan.RateSpans) -> Loan:
    """Interest that is the same in each instalment: what the nights to come bear, or how much more or less they bear
    than at the rates before, is spread over what is left of their periods. So a change of nothing changes nothing, and
    what evenness has put off until later is still to come."""
    periods = to_come.periods_to_come(loan)
    left = sum(to_come.bearing_parts(loan, periods), Fraction(0))
    more = _bear(loan, periods, to_come.rate_spans(loan)) - _bear(loan, periods, spans_before)
    even = (loan.even_factor or Fraction(0)) + (more / left if left else Fraction(0))
    return loan._replace(even_factor=max(Fraction(0), even))


def _bear(loan: Loan, periods: Sequence[Period], spans: plan.RateSpans) -> Fraction:
    """What one unit of balance bears from today on, at these rates."""
    if not spans:
        return Fraction(0)
    return sum((rung.earns for rung in to_come.rungs(loan, periods, spans)), Fraction(0))


def at_level(loan: Loan, level: int) -> Loan:
    """With instalments of this level. What was paid early lowers one of them at most, where it did before."""
    return allocate.within_one(loan._replace(level_minor=level))


def as_listed(loan: Loan) -> Loan:
    """With the principal that a listed plan says for each of its dates, unless there are more or fewer now."""
    listed = loan.terms.plan.principals
    fits = not loan.more and len(listed) >= len(loan.due_dates)
    return loan._replace(planned=listed[-len(loan.due_dates) :]) if fits else loan
