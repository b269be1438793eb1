"""Day counts: the fraction of a year between two dates, by a convention's name."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from functools import lru_cache

from usance.core import calendar

DayCount = Callable[[date, date], Fraction]

# --- true days ---------------------------------------------------------------------------------------------------


def _actual_over(length: int) -> Callable[[date, date], Fraction]:
    part = lru_cache(1024)(lambda days: Fraction(days, length))  # the same few spans come again and again
    return lambda start, end: part((end - start).days)


def _actual_actual(start: date, end: date) -> Fraction:
    """Each day counts 1/365, or 1/366 in a leap year; the boundary is 1 January."""
    if start.year == end.year:
        return Fraction((end - start).days, 366 if isleap(start.year) else 365)
    total = Fraction(0)
    for year in range(start.year, end.year + 1):
        first, last = max(start, date(year, 1, 1)), min(end, date(year + 1, 1, 1))
        total += Fraction((last - first).days, 366 if isleap(year) else 365)
    return total


def _actual_actual_by_morning(start: date, end: date) -> Fraction:
    """The same, but a night counts in the year in which it ends: the boundary is 31 December."""
    return _actual_actual(start + calendar.ONE_DAY, end + calendar.ONE_DAY)


def _no_leap_365(start: date, end: date) -> Fraction:
    """A 29 February is no day: the night that ends in it does not count."""
    leap_days = sum(start < date(year, 2, 29) <= end for year in range(start.year, end.year + 1) if isleap(year))
    return Fraction((end - start).days - leap_days, 365)


def whole_years_back(start: date, end: date) -> Fraction:
    """ACT/ACT AFB: whole years counted back from the end; what is left over 366 where it holds a 29 February."""

    def back(count: int) -> date:
        on = calendar.add_years(end, -count)
        return calendar.month_end(on) if count and (end.month, end.day) == (2, 28) else on

    years = end.year - start.year
    while back(years) < start:
        years -= 1
    rest_end = back(years)
    return years + Fraction((rest_end - start).days, 366 if _holds_leap_day(start, rest_end) else 365)


def _holds_leap_day(start: date, end: date) -> bool:
    """Whether a 29 February is among the days of [start, end)."""
    return any(start <= date(year, 2, 29) < end for year in range(start.year, end.year + 1) if isleap(year))


def of_reference(start: date, end: date, ref_start: date, ref_end: date, per_year: int) -> Fraction:
    """ACT/ACT ICMA: in each regular period, of which there are so many a year, the share of its days. The regular
    periods before and after the given one are stepped from its ends."""
    months, total = 12 // per_year, Fraction(0)
    first, last = ref_start, ref_end
    while first > start or last < end:
        if first > start:
            earlier = calendar.add_months(first, -months)
            total += _share_of(start, end, earlier, first)
            first = earlier
        else:
            later = calendar.add_months(last, months)
            total += _share_of(start, end, last, later)
            last = later
    return (total + _share_of(start, end, ref_start, ref_end)) / per_year


def _share_of(start: date, end: date, first: date, last: date) -> Fraction:
    """How much of the days of [first, last) lie in [start, end)."""
    return Fraction(max(0, (min(end, last) - max(start, first)).days), (last - first).days)


# units of a year -> one that lasts so many months, and how many a year has
MONTHS_BACK = {"month": 1, "year": 12}
PER_YEAR = {"week": 52, "month": 12, "year": 1}


def units_back(start: date, end: date, unit: str) -> Fraction:
    """Directive 2008/48/EC: whole units counted back from the payment; the days left over 365, or 366 where the year
    before their end holds a 29 February. From the last day of a month to that of another, months are whole."""
    both_last = start == calendar.month_end(start) and end == calendar.month_end(end)

    def back(count: int) -> date:
        if unit == "week":
            return calendar.add_weeks(end, -count)
        on = calendar.add_months(end, -count * MONTHS_BACK[unit])
        return calendar.month_end(on) if both_last else on

    count = 0
    while back(count + 1) >= start:
        count += 1
    rest_end = back(count)
    year = 366 if _holds_leap_day(calendar.add_years(rest_end, -1), rest_end) else 365
    return Fraction(count, PER_YEAR[unit]) + Fraction((rest_end - start).days, year)


# --- months of 30 days -------------------------------------------------------------------------------------------


def _thirty(start: date, end: date, first: int, last: int) -> Fraction:
    return Fraction(360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first, 360)


def _ends_february(day: date) -> bool:
    return day.month == 2 and day == calendar.month_end(day)


def _thirty_360(start: date, end: date) -> Fraction:
    """30E/360: every month has 30 days; the 31st counts as the 30th."""
    return _thirty(start, end, min(start.day, 30), min(end.day, 30))


def _thirty_360_bond(start: date, end: date) -> Fraction:
    """30/360 bond basis: an end on the 31st counts as the 30th only if the start is on the 30th or 31st."""
    first = min(start.day, 30)
    return _thirty(start, end, first, 30 if end.day == 31 and first == 30 else end.day)


def _thirty_360_us(start: date, end: date) -> Fraction:
    """30/360 US: as bond basis, and the end of February counts as the 30th."""
    first = 30 if _ends_february(start) else min(start.day, 30)
    if _ends_february(start) and _ends_february(end):
        return _thirty(start, end, first, 30)
    return _thirty(start, end, first, 30 if end.day == 31 and first == 30 else end.day)


def _thirty_360_psa(start: date, end: date) -> Fraction:
    """30/360 PSA: as bond basis, and a start at the end of February counts as the 30th."""
    first = 30 if _ends_february(start) else min(start.day, 30)
    return _thirty(start, end, first, 30 if end.day == 31 and first == 30 else end.day)


def thirty_360_isda(start: date, end: date, matures_on: date | None = None) -> Fraction:
    """30E/360 ISDA: the last day of any month counts as the 30th, except the end of February on which all ends."""
    first = 30 if start == calendar.month_end(start) else start.day
    ends = end == calendar.month_end(end) and not (end.month == 2 and end == matures_on)
    return _thirty(start, end, first, 30 if ends else end.day)


# --- by name -----------------------------------------------------------------------------------------------------

YEARS = {"actual/365": 365, "actual/360": 360, "actual/364": 364}  # of one length, whatever the calendar says
DAY_COUNTS: dict[str, DayCount] = {
    **{name: _actual_over(length) for name, length in YEARS.items()},
    "actual/actual": _actual_actual,
    "actual/actual_by_morning": _actual_actual_by_morning,
    "no_leap/365": _no_leap_365,
    "30/360": _thirty_360,
    "30/360_bond": _thirty_360_bond,
    "30/360_us": _thirty_360_us,
    "30/360_psa": _thirty_360_psa,
}
# In these a day is worth the same whatever period it lies in; in the others a period has one factor and a day earns
# its share of it.
DAY_BY_DAY = frozenset(name for name in DAY_COUNTS if not name.startswith("30/360"))
