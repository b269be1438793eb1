"""When a lender may contact a person on its own initiative: hours, days, holidays, counts. Pure.

The rule is a dated row of the country (`CountryRule` with code `contact`):
`{"from": "09:00", "to": "20:00", "days": [1, 2, 3, 4, 5], "holidays": false, "per_day": 2}`; `days` are ISO weekdays,
`to` is exclusive, `holidays` says whether contact is allowed on holidays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

IsHoliday = Callable[[date], bool]
FAR = 60  # days after which we stop looking for an opening


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRule:
    """[opens, closes) on `days`, at most `per_day` contacts to one person on one day."""

    opens: time
    closes: time
    days: frozenset[int]
    holidays: bool
    per_day: int


def parse(value: Mapping[str, Any]) -> ContactRule:
    """From the row's JSON; raises KeyError or ValueError for one that is not complete."""
    return ContactRule(
        opens=time.fromisoformat(value["from"]),
        closes=time.fromisoformat(value["to"]),
        days=frozenset(value["days"]),
        holidays=bool(value["holidays"]),
        per_day=int(value["per_day"]),
    )


def is_day_open(rule: ContactRule, day: date, is_holiday: IsHoliday) -> bool:
    return day.isoweekday() in rule.days and (rule.holidays or not is_holiday(day))


def is_open(rule: ContactRule, local: datetime, is_holiday: IsHoliday) -> bool:
    """Whether a person may be contacted at this moment of their own wall clock."""
    return is_day_open(rule, local.date(), is_holiday) and rule.opens <= local.time() < rule.closes


def next_opening(rule: ContactRule, local: datetime, is_holiday: IsHoliday) -> datetime | None:
    """The first moment at or after `local` at which contact is allowed; None when there is none within 60 days."""
    if is_open(rule, local, is_holiday):
        return local
    for days in range(FAR + 1):
        opening = datetime.combine(local.date() + timedelta(days=days), rule.opens, local.tzinfo)
        if isinstance(local.tzinfo, ZoneInfo):
            # an hour that daylight saving skips becomes the hour that exists
            opening = opening.astimezone(UTC).astimezone(local.tzinfo)
        if opening >= local and is_open(rule, opening, is_holiday):
            return opening
    return None
