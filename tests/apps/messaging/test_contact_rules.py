"""The law of contact: open hours, days, holidays; the next opening is always open, and the first one."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.apps.messaging.contact_rules import FAR, ContactRule, is_open, next_opening, parse

UA = parse({"from": "09:00", "to": "20:00", "days": [1, 2, 3, 4, 5], "holidays": False, "per_day": 2})
VN = parse({"from": "07:00", "to": "21:00", "days": [1, 2, 3, 4, 5, 6, 7], "holidays": True, "per_day": 5})
ZONES = [ZoneInfo(name) for name in ("Europe/Kyiv", "Asia/Ho_Chi_Minh", "Europe/Berlin", "America/New_York")]
KYIV = ZONES[0]
HOLIDAY = date(2026, 3, 9)  # a Monday


def holiday(day: date) -> bool:
    return day == HOLIDAY


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=KYIV)


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        (at(2, 9), at(2, 9)),
        (at(2, 19, 59, 59), at(2, 19, 59, 59)),
        (at(2, 8, 59, 59), at(2, 9)),
        (at(2, 20), at(3, 9)),  # the end of the hours is not in them
        (at(2, 23), at(3, 9)),
        (at(6, 20), at(10, 9)),  # Friday evening: over the weekend and a holiday on Monday
        (at(7, 12), at(10, 9)),
        (at(9, 12), at(10, 9)),
    ],
)
def test_ukraine(moment: datetime, opening: datetime) -> None:
    assert next_opening(UA, moment, holiday) == opening


def test_vietnam_may_be_written_to_on_sunday_and_holidays() -> None:
    assert is_open(VN, at(8, 7), holiday)
    assert is_open(VN, at(9, 20, 59), holiday)
    assert next_opening(VN, at(8, 21), holiday) == at(9, 7)


rules = st.builds(
    lambda opens, minutes, days, holidays: ContactRule(
        opens=time(opens // 60, opens % 60),
        closes=time(min(opens + minutes, 1439) // 60, min(opens + minutes, 1439) % 60),
        days=frozenset(days),
        holidays=holidays,
        per_day=2,
    ),
    st.integers(0, 1380),
    st.integers(0, 900),
    st.sets(st.integers(1, 7)),
    st.booleans(),
)
moments = st.builds(
    lambda naive, zone: naive.replace(tzinfo=zone),
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)),
    st.sampled_from(ZONES),
)


@given(rule=rules, moment=moments, holidays=st.sets(st.integers(0, 40)))
def test_the_next_opening_is_open_and_nothing_before_it_is(
    rule: ContactRule, moment: datetime, holidays: set[int]
) -> None:
    marked = {moment.date() + timedelta(days=days) for days in holidays}
    opening = next_opening(rule, moment, marked.__contains__)
    step = timedelta(hours=1)
    if opening is None:
        checked = [moment + n * step for n in range(24 * FAR)]
    else:
        assert opening >= moment
        assert is_open(rule, opening, marked.__contains__)
        assert next_opening(rule, opening, marked.__contains__) == opening
        checked = [moment + n * step for n in range(int((opening - moment) / step))]
    for earlier in checked:
        local = earlier.astimezone(moment.tzinfo)
        # clocks that go back repeat an hour: only wall clocks that come once are compared
        if local < (opening or local + step) and local.utcoffset() == moment.utcoffset():
            assert not is_open(rule, local, marked.__contains__)


@pytest.mark.parametrize("value", [{}, {"from": "25:00", "to": "20:00", "days": [], "holidays": False, "per_day": 1}])
def test_a_broken_row_is_noticed(value: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        parse(value)
