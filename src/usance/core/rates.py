"""What a span of days earns, by a convention's name, and the yearly cost of a set of payments (APR)."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from math import lcm
from typing import NamedTuple

from usance.core import calendar, money


@dataclass(frozen=True, slots=True)
class Rate:
    """A price of money: `share` of the balance per `per` ("day", "month" or "year"). "0.01", "day" is 1 % a day."""

    share: Fraction
    per: str

    def __post_init__(self) -> None:
        if self.per not in PER_YEAR:
            raise ValueError(f"a rate is per day, month or year, not {self.per!r}")
        if not isinstance(self.share, Fraction):
            object.__setattr__(self, "share", Fraction(self.share))

    @property
    def yearly(self) -> Fraction:
        """The nominal fraction per year."""
        return self.share * PER_YEAR[self.per]


PER_YEAR = {"day": 365, "month": 12, "year": 1}


class Period(NamedTuple):
    """A half-open span of a schedule, [starts_on, ends_on), and its planned length."""

    starts_on: date
    ends_on: date
    every: int  # so many ...
    unit: str  # ... units of the schedule (1, "months")


# --- accrual conventions: the factor that [start, end) inside `period` earns -------------------------------------


def _by_days(day_count: str) -> Callable[[Rate, date, date, Period], Fraction]:
    """Each day on its own. A daily rate needs no year."""
    year_fraction = calendar.DAY_COUNTS[day_count]

    def earned(rate: Rate, start: date, end: date, period: Period) -> Fraction:
        if rate.per == "day":
            return rate.share * (end - start).days
        return rate.yearly * year_fraction(start, end)

    return earned


def _by_period(whole: Callable[[Rate, Period], Fraction]) -> Callable[[Rate, date, date, Period], Fraction]:
    """The period has one factor; a day earns that factor divided by the period's days."""

    def earned(rate: Rate, start: date, end: date, period: Period) -> Fraction:
        if rate.per == "day":
            return rate.share * (end - start).days
        return whole(rate, period) * Fraction((end - start).days, (period.ends_on - period.starts_on).days)

    return earned


def _thirty_360(rate: Rate, period: Period) -> Fraction:
    return rate.yearly * calendar.DAY_COUNTS["30/360"](period.starts_on, period.ends_on)


DAYS_PER_UNIT = {"days": 1, "weeks": 7, "half_months": 15, "months": 30, "years": 360}


def _months_of_30(year_days: int) -> Callable[[Rate, Period], Fraction]:
    """Every month of the schedule counts 30 days, February and January alike, over a year of a fixed length. The factor
    of a period is kept to 19 decimals, as calculators with decimal arithmetic do: it decides where halves of a minor
    unit go."""

    def factor(rate: Rate, period: Period) -> Fraction:
        exact = rate.yearly * Fraction(period.every * DAYS_PER_UNIT[period.unit], year_days)
        return Fraction(money.rounded(exact * 10**19, "half_even"), 10**19)

    return factor


def _leap_day_periods(rate: Rate, period: Period) -> Fraction:
    """Actual days; the year has 366 only for a period in which a 29 February ends a night."""
    days = (period.ends_on - period.starts_on).days
    first, last = period.starts_on + calendar.ONE_DAY, period.ends_on
    leap = any(isleap(y) and first <= date(y, 2, 29) <= last for y in range(first.year, last.year + 1))
    return rate.yearly * Fraction(days, 366 if leap else 365)


UNITS_PER_YEAR = {"days": 365, "weeks": 52, "half_months": 24, "months": 12, "years": 1}


def _same_as_period(rate: Rate, period: Period) -> Fraction:
    """A month is 1/12 of a year and a week 1/52, however many days they have."""
    return rate.yearly * Fraction(period.every, UNITS_PER_YEAR[period.unit])


ACCRUALS: dict[str, Callable[[Rate, date, date, Period], Fraction]] = {
    **{name: _by_days(name) for name in sorted(calendar.DAY_BY_DAY)},
    "30/360": _by_period(_thirty_360),
    "months_of_30/360": _by_period(_months_of_30(360)),
    "months_of_30/364": _by_period(_months_of_30(364)),
    "months_of_30/365": _by_period(_months_of_30(365)),
    "actual/leap_day_period": _by_period(_leap_day_periods),
    "same_as_period": _by_period(_same_as_period),
}


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
    "months/12": _months_over_12,  # Directive 2008/48/EC where the schedule is in months
}

_EXACT = Context(prec=34)


class AprUndefined(ValueError):
    """The flows never change sign, or no rate in the bracket makes them equal."""


def apr(flows: Sequence[Flow], *, times: str = "days/365", places: int = 4, rounding: str = "half_up") -> Fraction:
    """The yearly rate X that makes sum(amount / (1 + X) ** t) zero, rounded to `places` decimals of the fraction
    (4 places are 0.01 %). AprUndefined when there is none between -99 % and 10^12."""
    if not flows or min(f.amount_minor for f in flows) >= 0 or max(f.amount_minor for f in flows) <= 0:
        raise AprUndefined("an APR needs money going out and coming back")
    start = min(flow.on for flow in flows)
    year = APR_TIMES[times]
    terms = [(Decimal(flow.amount_minor), year(start, flow.on)) for flow in flows]
    common = lcm(*(t.denominator for _, t in terms))
    powers = [(amount, int(t * common)) for amount, t in terms]
    growth = _EXACT.power(_EXACT.divide(Decimal(1), _solve(powers, common)), Decimal(common))
    exact = Fraction(growth) - 1
    return Fraction(money.rounded(exact * 10**places, rounding), 10**places)


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
        step = _EXACT.divide(value, slope) if slope else Decimal(0)
        nearer = _EXACT.subtract(v, step)
        if not slope or not low < nearer < high:
            nearer = _EXACT.divide(_EXACT.add(low, high), Decimal(2))
        if abs(_EXACT.subtract(nearer, v)) < Decimal("1e-28"):
            break
        v = nearer
    return v


@cache
def _bracket(common: int) -> tuple[Decimal, Decimal]:
    """The discounts of a yearly rate of 10^12 and of -99 %."""
    root = _EXACT.divide(Decimal(1), Decimal(common))
    return _EXACT.power(Decimal("1e-12"), root), _EXACT.power(Decimal(100), root)


def _value_and_slope(powers: list[tuple[Decimal, int]], v: Decimal) -> tuple[Decimal, Decimal]:
    value = slope = Decimal(0)
    for amount, k in powers:
        if k:
            term = _EXACT.multiply(amount, _EXACT.power(v, k - 1))
            slope = _EXACT.fma(term, k, slope)
            value = _EXACT.fma(term, v, value)
        else:
            value = _EXACT.add(value, amount)
    return value, slope
