"""Steps, days off, rounding, and what one night earns."""

from __future__ import annotations

from calendar import isleap, monthrange
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

NIGHT = timedelta(days=1)
OF_A_YEAR = {"days": 365, "weeks": 52, "half_months": 24, "months": 12, "years": 1}
OF_30 = {"days": 1, "weeks": 7, "half_months": 15, "months": 30, "years": 360}
YEARLY = {"day": 365, "month": 12, "year": 1}


def whole(exact: Fraction | int, rule: str) -> int:
    """A whole number of minor units."""
    exact = Fraction(exact)
    below = exact.numerator // exact.denominator
    rest = exact - below
    if not rest:
        return below
    if rule in ("down", "up"):
        return below + ((rule == "up") == (exact > 0))
    if rest == Fraction(1, 2):
        return below + (below % 2 if rule == "half_even" else exact > 0)
    return below + (rest > Fraction(1, 2))


def multiple(exact: Fraction | int, of: int, rule: str) -> int:
    return whole(Fraction(exact) / of, rule) * of


def month_later(start: date, months: int) -> date:
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def later(start: date, times: int, unit: str) -> date:
    """So many steps after a day. Two steps of half a month are a month; one is 15 days of the month's day number."""
    if unit in ("days", "weeks"):
        return start + timedelta(days=times * (7 if unit == "weeks" else 1))
    if unit == "half_months":
        if times % 2 == 0:
            return month_later(start, times // 2)
        number, month = start.day + 15, month_later(start.replace(day=1), times // 2)
        if number > 30:
            number, month = number - 30, month_later(month, 1)
        return month.replace(day=min(number, monthrange(month.year, month.month)[1]))
    return month_later(start, times * (12 if unit == "years" else 1))


def off(day: date, calendar: Any) -> bool:
    return day.weekday() in calendar.days_off or day in calendar.holidays


def worked(day: date, roll: str, calendar: Any) -> date:
    """Where a due date goes that nobody works on."""
    if roll == "keep" or not off(day, calendar):
        return day
    after = before = day
    while off(after, calendar):
        after += NIGHT
    while off(before, calendar):
        before -= NIGHT
    if roll == "next_in_month" and after.month != day.month:
        return before
    if roll == "previous_in_month" and before.month != day.month:
        return after
    return after if roll.startswith("next") else before


class Span(NamedTuple):
    """A period of the schedule, and how long it is in units."""

    first: date
    last: date
    steps: int | Fraction
    unit: str

    def nights(self) -> list[date]:
        first = self.first.toordinal()
        return [date.fromordinal(k) for k in range(first, self.last.toordinal())]


def steps_in(first: date, last: date, unit: str) -> Fraction:
    """Whole steps, and the part of one that is left."""
    count = 0
    while later(first, count + 1, unit) <= last:
        count += 1
    begins, ends = later(first, count, unit), later(first, count + 1, unit)
    return count + Fraction((last - begins).days, (ends - begins).days)


@lru_cache(maxsize=20_000)
def thirty(start: date, end: date, variant: str) -> int:
    """The days between two dates where months have 30."""
    first, last = min(start.day, 30), end.day
    start_ends, end_ends = ((d.month, (d + NIGHT).month) == (2, 3) for d in (start, end))
    if variant in ("_us", "_psa") and start_ends:
        first = 30
    if variant == "_us" and start_ends and end_ends:
        last = 30
    if last == 31 and (not variant or first == 30):
        last = 30
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


@lru_cache(maxsize=10_000)
def kind_of_night(day: date) -> tuple[bool, bool, bool]:
    """All that a rule may ask about one night of a period."""
    tomorrow = day + NIGHT
    return isleap(day.year), isleap(tomorrow.year), (tomorrow.month, tomorrow.day) == (2, 29)


@lru_cache(maxsize=50_000)
def earns(day: date, span: Span, rule: str, price: Fraction, per: str) -> Fraction:
    """What the night after `day` brings for one unit of balance."""
    if per == "day":
        return price
    price, tomorrow = price * YEARLY[per], day + NIGHT
    length = (span.last - span.first).days
    if rule in ("actual/365", "actual/360", "actual/364"):
        return price / int(rule[-3:])
    if rule in ("actual/actual", "actual/actual_by_morning"):
        return price / (366 if isleap((day if rule == "actual/actual" else tomorrow).year) else 365)
    if rule == "actual/leap_day_period":
        mornings = [night + NIGHT for night in span.nights()]
        return price / (366 if any((d.month, d.day) == (2, 29) for d in mornings) else 365)
    if rule == "no_leap/365":
        return Fraction(0) if (tomorrow.month, tomorrow.day) == (2, 29) else price / 365
    if rule.startswith("30/360"):
        return price * thirty(span.first, span.last, rule[6:]) / 360 / length
    if rule == "same_as_period":
        return price * span.steps / OF_A_YEAR[span.unit] / length
    exact = price * span.steps * OF_30[span.unit] / int(rule[-3:])  # months_of_30/360 and its like: 19 decimals
    return Fraction(whole(exact * 10**19, "half_even"), 10**19) / length
