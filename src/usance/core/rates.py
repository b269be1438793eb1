"""What a span of days earns, by a convention's name."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from usance.core import calendar, money
from usance.core.day_counts import DAY_BY_DAY, DAY_COUNTS, YEARS


@dataclass(frozen=True, slots=True)
class Rate:
    """A price of money: `share` of the balance per `per` ("day", "month" or "year"). "0.01", "day" is 1 % a day."""

    share: Fraction
    per: str
    yearly: Fraction = field(init=False, repr=False, compare=False)  # the nominal fraction per year

    def __post_init__(self) -> None:
        if self.per not in PER_YEAR:
            raise ValueError(f"a rate is per day, month or year, not {self.per!r}")
        if not isinstance(self.share, Fraction):
            object.__setattr__(self, "share", Fraction(self.share))
        object.__setattr__(self, "yearly", self.share * PER_YEAR[self.per])


PER_YEAR = {"day": 365, "month": 12, "year": 1}


class Period(NamedTuple):
    """A half-open span of a schedule, [starts_on, ends_on), and its planned length."""

    starts_on: date
    ends_on: date
    every: int | Fraction  # so many ...
    unit: str  # ... units of the schedule (1, "months")


# --- accrual conventions: the factor that [start, end) inside `period` earns -------------------------------------


@lru_cache(4096)  # few rates and spans come again and again; whole numbers are found faster than fractions
def _of_days(numerator: int, denominator: int, days: int, year: int) -> Fraction:
    return Fraction(numerator * days, denominator * year)


def _by_days(day_count: str) -> Callable[[Rate, date, date, Period], Fraction]:
    """Each day on its own. A daily rate needs no year."""
    year_fraction, year = DAY_COUNTS[day_count], YEARS.get(day_count, 0)

    def earned(rate: Rate, start: date, end: date, period: Period) -> Fraction:
        if rate.per == "day":
            return _of_days(rate.share.numerator, rate.share.denominator, (end - start).days, 1)
        if year:
            return _of_days(rate.yearly.numerator, rate.yearly.denominator, (end - start).days, year)
        return rate.yearly * year_fraction(start, end)

    return earned


def _by_period(whole: Callable[[Rate, Period], Fraction]) -> Callable[[Rate, date, date, Period], Fraction]:
    """The period has one factor; a day earns that factor divided by the period's days."""

    def earned(rate: Rate, start: date, end: date, period: Period) -> Fraction:
        if rate.per == "day":
            return rate.share * (end - start).days
        return whole(rate, period) * Fraction((end - start).days, (period.ends_on - period.starts_on).days)

    return earned


def _whole_period(day_count: str) -> Callable[[Rate, Period], Fraction]:
    year_fraction = DAY_COUNTS[day_count]
    return lambda rate, period: rate.yearly * year_fraction(period.starts_on, period.ends_on)


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
    **{name: _by_days(name) for name in sorted(DAY_BY_DAY)},
    **{name: _by_period(_whole_period(name)) for name in DAY_COUNTS if name not in DAY_BY_DAY},
    "months_of_30/360": _by_period(_months_of_30(360)),
    "months_of_30/364": _by_period(_months_of_30(364)),
    "months_of_30/365": _by_period(_months_of_30(365)),
    "actual/leap_day_period": _by_period(_leap_day_periods),
    "same_as_period": _by_period(_same_as_period),
}
