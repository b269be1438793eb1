"""A case's clock runs in the desk hours of the institution's calendar."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.apps.desk.clock import DeskHours, NoDeskHours

KYIV = ZoneInfo("Europe/Kyiv")
HOURS = DeskHours(
    opens_at=time(9),
    closes_at=time(18),
    weekdays=frozenset({1, 2, 3, 4, 5}),
    zone=KYIV,
    marked={date(2026, 3, 9): False, date(2026, 3, 14): True},
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=KYIV)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        (at(2, 10), 60, at(2, 11)),  # within one Monday
        (at(2, 17, 30), 60, at(3, 9, 30)),  # over night
        (at(2, 3), 30, at(2, 9, 30)),  # before the desks open
        (at(6, 17), 120, at(10, 10)),  # Friday evening over a weekend and a holiday on Monday the 9th
        (at(13, 17), 120, at(14, 10)),  # into a working Saturday
        (at(2, 10), 9 * 60, at(3, 10)),  # a whole day's worth
        (at(2, 17), 60, at(2, 18)),  # to the last minute
        (at(2, 10), 0, at(2, 10)),
        (at(2, 10), -15, at(2, 9, 45)),  # late already
    ],
)
def test_due(start: datetime, minutes: int, due: datetime) -> None:
    assert HOURS.due(start, minutes) == due


def test_monday_morning_after_a_night_of_applications_is_calm() -> None:
    """Sixty cases that came in over the weekend have their whole time left when the desks open."""
    for hour in range(24):
        due = HOURS.due(at(7, hour), 120)
        assert HOURS.minutes_between(at(10, 9), due) == 120


moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 1), timezones=st.just(KYIV))


@given(start=moments, minutes=st.integers(min_value=1, max_value=5000))
def test_the_minutes_until_due_are_the_minutes_given(start: datetime, minutes: int) -> None:
    start = start.replace(second=0, microsecond=0)
    assert HOURS.minutes_between(start, HOURS.due(start, minutes)) == minutes


@given(start=moments, first=st.integers(min_value=1, max_value=2000), second=st.integers(min_value=1, max_value=2000))
def test_a_pause_in_between_costs_nothing(start: datetime, first: int, second: int) -> None:
    start = start.replace(second=0, microsecond=0)
    assert HOURS.due(HOURS.due(start, first), second) == HOURS.due(start, first + second)


@given(start=moments, days=st.integers(min_value=0, max_value=60))
def test_minutes_back_are_minus_the_minutes_forth(start: datetime, days: int) -> None:
    end = start + timedelta(days=days)
    assert HOURS.minutes_between(start, end) == -HOURS.minutes_between(end, start)


def test_desks_that_never_open_are_a_loud_mistake() -> None:
    with pytest.raises(NoDeskHours):
        DeskHours(opens_at=time(9), closes_at=time(18), weekdays=frozenset(), zone=KYIV).due(at(2, 10), 1)
