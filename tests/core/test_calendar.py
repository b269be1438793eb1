"""Steps, rolls, ages."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from usance.core import calendar, day_counts

DATES = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@given(DATES, st.integers(0, 400), st.sampled_from(sorted(calendar.STEPS)))
def test_steps_go_forward_from_the_anchor(anchor: date, count: int, unit: str) -> None:
    step = calendar.STEPS[unit]
    assert step(anchor, 0) == anchor
    assert step(anchor, count) < step(anchor, count + 1)


@given(DATES, st.integers(-60, 60))
def test_months_keep_the_anchor_day(anchor: date, count: int) -> None:
    later = calendar.add_months(anchor, count)
    assert later.day == anchor.day or (later + timedelta(days=1)).day == 1
    assert (later.year - anchor.year) * 12 + later.month - anchor.month == count


@given(DATES, DATES, DATES, st.sampled_from(sorted(day_counts.DAY_BY_DAY)))
def test_day_by_day_counts_add_up(a: date, b: date, c: date, name: str) -> None:
    a, b, c = sorted((a, b, c))
    count = day_counts.DAY_COUNTS[name]
    assert count(a, b) + count(b, c) == count(a, c)


@given(DATES, st.sampled_from(sorted(set(calendar.ROLLS) - {"keep"})))
def test_a_rolled_day_is_a_working_day(day: date, roll: str) -> None:
    week = calendar.WorkCalendar(days_off=(5, 6), holidays=frozenset({day}))
    assert week.works(calendar.ROLLS[roll](day, week))


def test_age_counts_full_years() -> None:
    assert calendar.age_on(date(2000, 2, 29), date(2018, 2, 28)) == 17
    assert calendar.age_on(date(2000, 2, 29), date(2018, 3, 1)) == 18
    assert calendar.age_on(date(2000, 5, 1), date(2026, 5, 1)) == 26


def test_a_roll_that_would_leave_its_month_goes_the_other_way() -> None:
    weekend = calendar.WorkCalendar(days_off=(5, 6))
    first, last = date(2024, 6, 1), date(2024, 6, 30)  # a Saturday, a Sunday
    rolled = {roll: (calendar.ROLLS[roll](first, weekend).day, calendar.ROLLS[roll](last, weekend).day)
              for roll in calendar.ROLLS}  # fmt: skip
    assert rolled == {
        "keep": (1, 30), "next": (3, 1), "previous": (31, 28), "next_in_month": (3, 28), "previous_in_month": (3, 28),
    }  # fmt: skip


def test_steps_between_two_dates_are_whole_steps_and_a_part_of_the_next() -> None:
    assert calendar.steps_between(date(2024, 1, 31), date(2024, 3, 31), "months") == 2
    assert calendar.steps_between(date(2024, 1, 31), date(2024, 3, 15), "months") == 1 + Fraction(15, 31)
    assert calendar.steps_between(date(2024, 1, 1), date(2024, 1, 1), "weeks") == 0
    assert calendar.steps_between(date(2024, 1, 1), date(2024, 1, 10), "weeks") == 1 + Fraction(2, 7)


def test_half_months_before_and_after_the_fifteenth() -> None:
    dates = [calendar.add_half_months(date(2024, 1, day), count) for day in (1, 15, 16, 31) for count in range(-1, 4)]
    assert [(on.month, on.day) for on in dates] == [
        (12, 16), (1, 1), (1, 16), (2, 1), (2, 16),
        (12, 30), (1, 15), (1, 30), (2, 15), (2, 29),
        (1, 1), (1, 16), (2, 1), (2, 16), (3, 1),
        (1, 16), (1, 31), (2, 16), (2, 29), (3, 16),
    ]  # fmt: skip
