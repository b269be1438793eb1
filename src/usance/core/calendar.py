"""Dates of a loan: steps that keep their anchor day, and rolls off non-working days, by name."""

from __future__ import annotations

from calendar import monthrange
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


def month_end(day: date) -> date:
    """The last day of the month that `day` is in."""
    return day.replace(day=monthrange(day.year, day.month)[1])


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


def steps_between(start: date, end: date, unit: str) -> Fraction:
    """How many steps from one date to a later one; the days left over count as a part of the step they are in."""
    step, whole = STEPS[unit], 0
    while step(start, whole + 1) <= end:
        whole += 1
    last, following = step(start, whole), step(start, whole + 1)
    return whole + Fraction((end - last).days, (following - last).days)


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


def _previous_in_month(day: date, calendar: WorkCalendar) -> date:
    """The working day before, unless that is in another month: then the next one."""
    earlier = _previous(day, calendar)
    return earlier if earlier.month == day.month else _next(day, calendar)


ROLLS: dict[str, Callable[[date, WorkCalendar], date]] = {
    "keep": _keep,
    "next": _next,
    "previous": _previous,
    "next_in_month": _next_in_month,
    "previous_in_month": _previous_in_month,
}


def age_on(born_on: date, on: date) -> int:
    """Full years of age; someone born on 29 February comes of age on 1 March in other years."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
