"""What the instalments to come will ask for, and the interest that is owed before it is earned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from usance.core import calendar, money, rates
from usance.core.loan import charges, even, plan, state
from usance.core.loan.state import Loan
from usance.core.loan.terms import Terms
from usance.core.rates import Period, Rate


def interest_to_come(loan: Loan) -> list[int]:
    """What each instalment to come asks for as interest, settled in advance or not, if all is paid when due."""
    return [int(share.interest) for share in shares_to_come(loan)]


def interest_not_settled(loan: Loan) -> int:
    """So much of it nobody has settled yet, or is only reserved."""
    asked = enumerate(interest_to_come(loan))
    settled = (amount - state.regular_ahead(loan, index, ("interest",)) for index, amount in asked)
    return sum(settled) + state.reserved(loan)


def shares_to_come(loan: Loan, periods: Sequence[Period] = ()) -> list[plan.Share]:
    """What each instalment to come asks for if all is paid when due, in whole minor units. If only the first so many
    periods are given, that of all but the last of these."""
    if not loan.due_dates or loan.period is None:
        return []
    terms, owed = loan.terms, owed_to_come(loan)
    periods = periods or periods_to_come(loan)
    coming = rungs(loan, periods)
    if loan.even_factor is not None:
        coming = each_alike(loan, periods, coming)
    owed = owed._replace(earned=owed.earned + loan.still_bearing_minor * coming[0].earns)
    *shares, last = plan.shares(terms, state.levels(loan), owed, coming)
    if len(periods) < len(loan.due_dates):
        return shares
    asked = owed.asked + sum(int(share.interest) for share in shares)
    whole = money.rounded(last.interest + asked, terms.rounding) - asked
    return [*shares, last._replace(interest=whole)]


def rungs(loan: Loan, periods: Sequence[Period] = (), spans: plan.RateSpans = ()) -> list[plan.Rung]:
    """The instalments to come, for their level: these or all, at these rates or those that are agreed."""
    return plan.rungs(
        loan.terms,
        periods or periods_to_come(loan),
        spans or rate_spans(loan),
        loan.at,
        charges.pauses(loan),
        first=state.instalment_number(loan),
    )


def periods_to_come(loan: Loan, most: int = 0) -> list[Period]:
    """The running period as it is (a due date that was moved made it longer or shorter), and those after it; the first
    so many."""
    starts_on = loan.period.starts_on if loan.period else loan.at
    periods = plan.periods(loan.terms, starts_on, loan.due_dates[: most or None], state.pace(loan))
    if loan.moved_to:
        periods = [_as_moved(period) if period.ends_on in loan.moved_to else period for period in periods]
    if loan.period and periods and loan.period.ends_on == periods[0].ends_on:
        periods[0] = loan.period
    return periods


def _as_moved(period: Period) -> Period:
    """A due date that was moved gives its period another length, as the close will have it."""
    return period._replace(every=calendar.steps_between(period.starts_on, period.ends_on, period.unit))


def each_alike(loan: Loan, periods: Sequence[Period], coming: Sequence[plan.Rung]) -> list[plan.Rung]:
    """Where interest is spread evenly, each period earns the same, the running one what is left of that; and counts
    whole, unless interest is flat."""
    each, flat, found = loan.even_factor or Fraction(0), loan.terms.interest_base in plan.FLAT, list[plan.Rung]()
    for rung, period, part in zip(coming, periods, bearing_parts(loan, periods), strict=True):
        whole = even.parts(loan, period) * (rung.number > loan.terms.grace.interest_free)
        found.append(rung._replace(earns=each * part, counts=each * (part if flat else whole)))
    return found


def bearing_parts(loan: Loan, periods: Sequence[Period]) -> list[Fraction]:
    """Of each period to come, the part of its nights that bears interest from today on; more or less where one has more
    or fewer nights than agreed."""
    numbers = range(state.instalment_number(loan), state.instalment_number(loan) + len(periods))
    bears = [number > loan.terms.grace.interest_free for number in numbers]
    return [
        _bearing_nights(loan, period) * even.parts(loan, period) * part
        for period, part in zip(periods, bears, strict=True)
    ]


def _bearing_nights(loan: Loan, period: Period) -> Fraction:
    """The part of a period's nights, from today on, that bears interest."""
    start, pauses = max(period.starts_on, loan.at), charges.pauses(loan)
    nights = (start + timedelta(days=k) for k in range((period.ends_on - start).days))
    bearing = sum(not any(since <= night < until for since, until in pauses) for night in nights)
    return Fraction(bearing, (period.ends_on - period.starts_on).days)


def rate_spans(loan: Loan) -> list[tuple[date, Rate]]:
    """The rates from the start of the running period on."""
    return [(loan.period.starts_on if loan.period else loan.at, loan.rate), *loan.rate_changes]


def last_as_planned(loan: Loan) -> int:
    """What the last instalment was planned to amount to, where they stay: what the levels leave over, it takes."""
    if not loan.planned or loan.terms.interest_base in plan.FLAT:
        return 0
    principal, interest = loan.planned[-1], 0
    if "interest" in plan.LEVEL_PARTS[loan.terms.plan.kind]:
        factor = plan.factor(loan.terms, periods_to_come(loan)[-1], rate_spans(loan))
        interest = money.rounded(principal * factor, loan.terms.rounding)
    return principal + interest


def asks_for_today(loan: Loan) -> int:
    """The index of the coming instalment that asks for the interest of these days: the next, unless interest waits; at
    the latest the last."""
    waits = loan.terms.grace.interest + 1 - state.instalment_number(loan)
    return max(0, min(waits, len(loan.due_dates) - 1))


def owed_to_come(loan: Loan) -> plan.Owed:
    """What the instalments to come repay, settled in advance or not."""
    asking = asks_for_today(loan)
    kept = state.settled_ahead(loan, asking).reserved_minor
    there = state.regular(loan).get("interest", 0) + state.regular_ahead(loan, asking, ("interest",)) - kept
    bearing = Fraction(charges.INTEREST_BASES[loan.terms.interest_base](loan))
    asked = loan.interest.posted - there
    return plan.Owed(Fraction(state.scheduled_principal(loan)), bearing, loan.interest.exact, asked)


def follows_payments(terms: Terms) -> bool:
    """Whether paying early or late changes the interest."""
    return terms.interest_base in ("actual_balance", "undue_balance") and terms.interest_spread == "as_earned"


def interest_waits(loan: Loan) -> bool:
    """Whether the plan itself leaves interest of earlier periods to the next instalment, or to one after it."""
    grace = loan.terms.grace.interest
    return bool(grace) and state.instalment_number(loan) <= grace + 1


def earned_as_planned(loan: Loan, period: Period, spans: plan.RateSpans) -> Fraction:
    """What the plan's own balance earned in the running period until today, whatever was paid early or late: interest
    that was saved, or is owed for lateness, is no reason for another level."""
    since, earned = loan.planned_so_far or (period.starts_on, Fraction(0))
    if since <= period.starts_on:
        since, earned = period.starts_on, Fraction(0)
    bearing = plan.with_pauses(spans, charges.pauses(loan))
    whole, left = (plan.factor(loan.terms, period, bearing, start) for start in (since, loan.at))
    return earned + sum(loan.planned) * (whole - left)


def saved(loan: Loan) -> list[int]:
    """The principal of each instalment to come that was settled in advance, where that saves interest."""
    if loan.terms.early_interest != "saved":
        return []
    return [state.regular_ahead(loan, index, ("principal",)) for index in range(len(loan.due_dates))]


class LeftOpen(NamedTuple):
    """What the instalments to come repay that are not paid yet, these instalments, and the principal of each that was
    settled in advance."""

    owed: plan.Owed
    coming: Sequence[plan.Rung]
    saved: Sequence[int] = ()


def left_open(loan: Loan, owed: plan.Owed, coming: Sequence[plan.Rung]) -> LeftOpen:
    """Without the next ones as far as they are paid in advance: what is earned until these fall due is asked for by
    those after."""
    terms, parts, early = loan.terms, plan.LEVEL_PARTS[loan.terms.plan.kind], saved(loan)
    if not any(early) or terms.interest_spread == "evenly":
        return LeftOpen(owed, coming)
    paid, earned = 0, owed.earned
    bearing = owed.bearing if terms.interest_base in plan.FLAT else owed.principal - sum(early)
    for index, (rung, level) in enumerate(zip(coming[:-1], state.levels(loan), strict=False)):
        if state.regular_ahead(loan, index, parts) < max(1, level):
            break
        paid, earned = index + 1, earned + bearing * rung.earns
        if terms.residue == "drop_when_due":
            earned = Fraction(money.rounded(earned, terms.rounding))
    asking = asks_for_today(loan)
    asked = owed.asked + (state.regular_ahead(loan, asking, ("interest",)) if asking < paid else 0)
    rest = plan.Owed(owed.principal - sum(early[:paid]), owed.bearing, earned, asked)
    return LeftOpen(rest, coming[paid:], early[paid:])


def interest_since(loan: Loan, amount: int) -> int:
    """What so much of the money has borne since it was drawn, at today's rate; no more than all of it has."""
    spans = [(bill.starts_on, bill.due_on) for bill in loan.bills if bill.starts_on < bill.due_on <= loan.at]
    spans += [(loan.period.starts_on, loan.period.ends_on)] if loan.period else []
    every, unit = loan.terms.plan.every, loan.terms.plan.unit
    earns, borne, until = rates.ACCRUALS[loan.terms.day_count], Fraction(0), date.min
    for starts_on, ends_on in sorted(spans):  # where instalments were spread anew, one may hold days of another
        since, until = max(starts_on, until), max(ends_on, until)
        if since < min(ends_on, loan.at):
            borne += earns(loan.rate, since, min(ends_on, loan.at), Period(starts_on, ends_on, every, unit))
    without = loan.interest.exact - amount * borne
    return max(0, loan.interest.posted - max(0, money.rounded(without, loan.terms.rounding)))
