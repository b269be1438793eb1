"""Dates of a loan: steps that keep their anchor day, rolls off non-working days, and fractions of a year by name."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

ONE_DAY = timedelta(days=1)


# --- steps from an anchor ----------------------------------------------------------------------------------------


def add_days(anchor: date, count: int) -> date:
    return anchor + timedelta(days=count)


def add_weeks(anchor: date, count: int) -> date:
    return anchor + timedelta(weeks=count)


def add_months(anchor: date, count: int) -> date:
    """The same day of a later month, or that month's last day: 31 January + 1 is 28 or 29 February. Always count from
    the anchor, never from a shortened date, and 31 January + 2 is 31 March again."""
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + count, 12)
    return date(year, month0 + 1, min(anchor.day, monthrange(year, month0 + 1)[1]))


def add_half_months(anchor: date, count: int) -> date:
    """Two dates a month: the anchor's day and the day 15 later (or earlier), each clamped to its month."""
    months, odd = divmod(count, 2)
    if not odd:
        return add_months(anchor, months)
    if anchor.day > 15:
        return add_months(anchor.replace(day=anchor.day - 15), months + 1)
    start = add_months(anchor, months)
    return start.replace(day=min(anchor.day + 15, monthrange(start.year, start.month)[1]))


def add_years(anchor: date, count: int) -> date:
    return add_months(anchor, 12 * count)


STEPS: dict[str, Callable[[date, int], date]] = {
    "days": add_days,
    "weeks": add_weeks,
    "half_months": add_half_months,
    "months": add_months,
    "years": add_years,
}


# --- working days and rolls --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Non-working days as data: weekdays off (Monday is 0) and dated holidays. The default has none."""

    days_off: tuple[int, ...] = ()
    holidays: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        return day.weekday() not in self.days_off and day not in self.holidays


def _keep(day: date, calendar: WorkCalendar) -> date:
    return day


def _next(day: date, calendar: WorkCalendar) -> date:
    while not calendar.works(day):
        day += ONE_DAY
    return day


def _previous(day: date, calendar: WorkCalendar) -> date:
    while not calendar.works(day):
        day -= ONE_DAY
    return day


def _next_in_month(day: date, calendar: WorkCalendar) -> date:
    """The next working day, unless that is in another month: then the one before."""
    later = _next(day, calendar)
    return later if later.month == day.month else _previous(day, calendar)


ROLLS: dict[str, Callable[[date, WorkCalendar], date]] = {
    "keep": _keep,
    "next": _next,
    "previous": _previous,
    "next_in_month": _next_in_month,
}


# --- day counts: the fraction of a year between two dates --------------------------------------------------------


def _actual_over(length: int) -> Callable[[date, date], Fraction]:
    return lambda start, end: Fraction((end - start).days, length)


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
    return _actual_actual(start + ONE_DAY, end + ONE_DAY)


def _thirty_360(start: date, end: date) -> Fraction:
    """30E/360: every month has 30 days; the 31st counts as the 30th."""
    first, last = min(start.day, 30), min(end.day, 30)
    return Fraction(360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first, 360)


DAY_COUNTS: dict[str, Callable[[date, date], Fraction]] = {
    "actual/365": _actual_over(365),
    "actual/360": _actual_over(360),
    "actual/364": _actual_over(364),
    "actual/actual": _actual_actual,
    "actual/actual_by_morning": _actual_actual_by_morning,
    "30/360": _thirty_360,
}
# In these a day is worth the same whatever period it lies in; in the others a period has one factor and a day earns
# its share of it.
DAY_BY_DAY = frozenset(DAY_COUNTS) - {"30/360"}


def age_on(born_on: date, on: date) -> int:
    """Full years of age; someone born on 29 February comes of age on 1 March in other years."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
