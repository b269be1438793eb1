"""Days that are alike: what a loan earns on each of them, as whole numbers, so that a million loans can be closed at
once by the very figures that closing each of them would give.

Until the next date on its agenda a loan only earns: so much interest and penalty a day, exactly, of which the rounded
total is posted. `earning` gives that line; `Line.total` says what `advance` would have posted after so many days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from usance.core.calendar import ONE_DAY
from usance.core.loan import charges, close, state
from usance.core.loan.movements import Movement, change
from usance.core.loan.records import Accrued
from usance.core.loan.state import Loan

MOST_DAYS = 300  # a line is looked at again before a year is over


class Line(NamedTuple):
    """An accrual over days that are alike: after n days the rounded total is the whole part of
    (carried + daily * n) / parts; with `to_even` an odd one that divides without rest is one too many."""

    carried: int = 0
    daily: int = 0
    parts: int = 1
    to_even: bool = False
    posted: int = 0

    def total(self, days: int) -> int:
        """What is posted in the first so many days."""
        whole, rest = divmod(self.carried + self.daily * days, self.parts)
        return whole - (self.to_even and not rest and whole % 2) - self.posted


class Earning(NamedTuple):
    """Each day before `until` is like the first: what it earns. On the morning of `until` something else happens."""

    until: date
    interest: Line = Line()
    penalty: Line = Line()
    interest_is_late: bool = False  # it is payable as it accrues, and past due the next morning


def earning(loan: Loan, ages: Iterable[int] = ()) -> Earning:
    """What a running loan earns from the day that it is at. `ages`: days past due at which something else changes, that
    the loan does not know of. Where the days are not alike, `until` is tomorrow and nothing is said."""
    until = _alike_until(loan, ages)
    if until - loan.at <= ONE_DAY or _is_taxed(loan) or loan.deferred:
        return Earning(loan.at + ONE_DAY)
    interest, penalty = charges.interest_between(loan, loan.at + ONE_DAY), _fined(loan)
    while not _is_even(loan, until, interest):
        until = loan.at + (until - loan.at) // 2
    rounding = ROUNDED[loan.terms.rounding]
    found = Earning(
        until,
        rounding(loan.interest, interest) if interest else Line(),
        rounding(loan.penalty, penalty) if penalty else Line(),
        loan.matured_on is not None and loan.matured_on < loan.at,
    )
    earns = (found.interest, found.penalty) != (Line(), Line())
    return Earning(loan.at + ONE_DAY) if earns and state.contra_of(loan) else found  # it moves a contra balance too


def advance_by_lines(loan: Loan, to: date, interest: Line, penalty: Line) -> Loan:
    """The loan on a later morning of days that are alike, by its lines: what `advance` would give."""
    days = (to - loan.at).days
    if days <= 0:
        return close.advance(loan, to, daily=False).loan
    more = {"interest": interest.total(days), "penalty": penalty.total(days)}
    grown = {key: loan.balances.get(key, 0) + amount for key, amount in more.items() if amount}
    yearly = loan.terms.penalty is not None and loan.terms.penalty.yearly_cap_share is not None
    return loan._replace(
        at=to,
        balances={**loan.balances, **grown},
        interest=_carried_on(loan.interest, interest, days),
        penalty=_carried_on(loan.penalty, penalty, days),
        penalty_in_year=loan.penalty_in_year + more["penalty"] if yearly else loan.penalty_in_year,
        charged_minor=loan.charged_minor + sum(more.values()),
    )


def _carried_on(accrued: Accrued, line: Line, days: int) -> Accrued:
    return Accrued(accrued.exact + Fraction(line.daily * days, line.parts), accrued.posted + line.total(days))


def _alike_until(loan: Loan, ages: Iterable[int]) -> date:
    since = state.oldest_past_due_on(loan)
    edges = [since + timedelta(days=age) for age in ages] if since else []
    return close.quiet_until(loan, min([loan.at + timedelta(days=MOST_DAYS), *(on for on in edges if on > loan.at)]))


def _is_taxed(loan: Loan) -> bool:
    """A tax on what accrues is rounded by itself: such a loan is closed day by day."""
    return any(tax.share and {"interest", "penalty"} & set(tax.on) for tax in loan.terms.taxes)


def _is_even(loan: Loan, until: date, daily: Fraction) -> bool:
    """Whether every day until then earns as much as the first: where a year of another length begins, it does not."""
    return charges.interest_between(loan, until) == (until - loan.at).days * daily


def _fined(loan: Loan) -> Fraction:
    """What lateness costs a day; it costs nothing while no bill is open."""
    open_bills = loan.settled_count < len(loan.bills)
    return charges.penalty_between(loan, loan.at + ONE_DAY) if open_bills else Fraction(0)


# --- roundings, as whole parts -----------------------------------------------------------------------------------


def _scaled(accrued: Accrued, daily: Fraction) -> tuple[int, int, int]:
    parts = lcm(accrued.exact.denominator, daily.denominator)
    return int(accrued.exact * parts), int(daily * parts), parts


def _down(accrued: Accrued, daily: Fraction) -> Line:
    return Line(*_scaled(accrued, daily), posted=accrued.posted)


def _up(accrued: Accrued, daily: Fraction) -> Line:
    carried, each, parts = _scaled(accrued, daily)
    return Line(carried + parts - 1, each, parts, posted=accrued.posted)


def _half_up(accrued: Accrued, daily: Fraction) -> Line:
    carried, each, parts = _scaled(accrued, daily)
    return Line(2 * carried + parts, 2 * each, 2 * parts, posted=accrued.posted)


def _half_even(accrued: Accrued, daily: Fraction) -> Line:
    return _half_up(accrued, daily)._replace(to_even=True)


ROUNDED: dict[str, Callable[[Accrued, Fraction], Line]] = {
    "down": _down,
    "up": _up,
    "half_up": _half_up,
    "half_even": _half_even,
}


# --- the days again, one by one ----------------------------------------------------------------------------------


def daily(starts_on: date, ends_on: date, interest: Line, penalty: Line) -> Iterator[Movement]:
    """The movements of the days [starts_on, ends_on), as closing each of them would have told."""
    for number in range((ends_on - starts_on).days):
        on = starts_on + timedelta(days=number)
        for kind, balance, line in (
            ("interest_accrued", "interest", interest),
            ("penalty_charged", "penalty", penalty),
        ):
            amount = line.total(number + 1) - line.total(number)
            if amount:
                yield change(kind, balance, amount, on)
