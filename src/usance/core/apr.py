"""The yearly cost of a set of payments: effective (Europe, Ukraine and most others) and nominal (United States)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import lcm
from typing import NamedTuple

from usance.core import calendar, money
from usance.core.day_counts import units_back
from usance.core.present_value import EXACT, nearest_zero

# --- APR: the effective yearly rate of the European formula ------------------------------------------------------


class Flow(NamedTuple):
    """Money on a date: what the lender pays out is negative, what comes back positive."""

    on: date
    amount_minor: int


def _days_over_365(start: date, on: date) -> Fraction:
    return Fraction((on - start).days, 365)


def _months_over_12(start: date, on: date) -> Fraction:
    """Equal months where the dates are whole months apart, and days/365 for what is left over."""
    months = (on.year - start.year) * 12 + on.month - start.month
    if calendar.add_months(start, months) > on:
        months -= 1
    return Fraction(months, 12) + Fraction((on - calendar.add_months(start, months)).days, 365)


APR_TIMES: dict[str, Callable[[date, date], Fraction]] = {
    "days/365": _days_over_365,  # Ukraine, and spreadsheets' XIRR
    "months/12": _months_over_12,  # whole months from the start, the days left over 365
    "months_back/12": lambda start, on: units_back(start, on, "month"),  # Directive 2008/48/EC to the letter
}


class AprUndefined(ValueError):
    """The flows never change sign, or no rate in the bracket makes them equal."""


def apr(flows: Sequence[Flow], *, times: str = "days/365", places: int = 4, rounding: str = "half_up") -> Fraction:
    """The yearly rate X that makes sum(amount / (1 + X) ** t) zero, rounded to `places` decimals of the fraction
    (4 places are 0.01 %). AprUndefined when there is none between -99 % and 10^12."""
    if not flows:
        raise AprUndefined("an APR needs payments")
    start, year = min(flow.on for flow in flows), APR_TIMES[times]
    exact = effective([Timed(year(start, flow.on), flow.amount_minor) for flow in flows])
    return Fraction(money.rounded(exact * 10**places, rounding), 10**places)


class Timed(NamedTuple):
    """Money so many years (or other units) after the first."""

    after: Fraction
    amount_minor: int


def effective(flows: Sequence[Timed]) -> Fraction:
    """The rate X per unit of time that makes sum(amount / (1 + X) ** after) zero, to 30 digits."""
    if not flows or min(f.amount_minor for f in flows) >= 0 or max(f.amount_minor for f in flows) <= 0:
        raise AprUndefined("an APR needs money going out and coming back")
    common = lcm(*(flow.after.denominator for flow in flows))
    powers = [(Decimal(flow.amount_minor), int(flow.after * common)) for flow in flows]
    return Fraction(EXACT.power(EXACT.divide(Decimal(1), _solve(powers, common)), Decimal(common))) - 1


NEAR = Decimal("1e-28")  # two discounts are one


def _solve(powers: list[tuple[Decimal, int]], common: int) -> Decimal:
    """The discount v = (1 + X) ** (-1 / common) where sum(amount * v ** k) is zero: Newton's steps, kept inside a
    bracket that halves whenever a step would leave it."""
    low, high = _bracket(common)
    at_low, _ = _value_and_slope(powers, low)
    at_high, _ = _value_and_slope(powers, high)
    if (at_low > 0) == (at_high > 0):
        raise AprUndefined("no yearly rate between -99 % and 10^12 explains these payments")
    v = Decimal(1)
    for _ in range(200):
        value, slope = _value_and_slope(powers, v)
        if value == 0:
            break
        low, high = (v, high) if (value > 0) == (at_low > 0) else (low, v)
        step = EXACT.divide(value, slope) if slope else Decimal(0)
        nearer = EXACT.subtract(v, step)
        arrived = slope and abs(step) < NEAR  # v itself may be an edge of the bracket by now
        if not arrived and not (slope and low < nearer < high):
            nearer = EXACT.divide(EXACT.add(low, high), Decimal(2))
        if abs(EXACT.subtract(nearer, v)) < NEAR:
            break
        v = nearer
    return v


@cache
def _bracket(common: int) -> tuple[Decimal, Decimal]:
    """The discounts of a yearly rate of 10^12 and of -99 %."""
    root = EXACT.divide(Decimal(1), Decimal(common))
    return EXACT.power(Decimal("1e-12"), root), EXACT.power(Decimal(100), root)


def _value_and_slope(powers: list[tuple[Decimal, int]], v: Decimal) -> tuple[Decimal, Decimal]:
    value = slope = Decimal(0)
    for amount, k in powers:
        if k:
            term = EXACT.multiply(amount, EXACT.power(v, k - 1))
            slope = EXACT.fma(term, k, slope)
            value = EXACT.fma(term, v, value)
        else:
            value = EXACT.add(value, amount)
    return value, slope


# --- APR: the nominal yearly rate of Regulation Z ----------------------------------------------------------------


class Counted(NamedTuple):
    """Money after so many whole unit-periods and a fraction of one."""

    periods: int
    odd: Fraction
    amount_minor: int


def actuarial(flows: Sequence[Counted], per_year: Fraction) -> Fraction:
    """Appendix J: the rate i per unit-period that makes sum(amount / ((1 + odd i) (1 + i) ** periods)) zero, times the
    unit-periods of a year. Of several roots the one nearest to zero."""

    def worth(i: Decimal) -> Decimal:
        total = Decimal(0)
        for periods, odd, amount in flows:
            simple = EXACT.add(1, EXACT.divide(EXACT.multiply(i, odd.numerator), odd.denominator))
            growth = EXACT.multiply(simple, EXACT.power(EXACT.add(1, i), periods))
            total = EXACT.add(total, EXACT.divide(amount, growth))
        return total

    root = nearest_zero(worth)
    if root is None:
        raise AprUndefined("no rate explains these payments")
    return Fraction(root) * per_year
