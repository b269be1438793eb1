"""The clock of a case: it runs only while the institution's desks are staffed. Pure arithmetic on local time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_DAYS = 1100  # a calendar without a working day is a mistake, not a reason to count for ever


class NoDeskHours(RuntimeError):
    """The institution's desks never open: its settings are wrong."""


@dataclass(frozen=True, slots=True)
class DeskHours:
    """`weekdays` in ISO numbers; `marked` are the days that differ from them: day -> is it a working day."""

    opens_at: time
    closes_at: time
    weekdays: frozenset[int]
    zone: ZoneInfo
    marked: Mapping[date, bool] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        return self.marked.get(day, day.isoweekday() in self.weekdays)

    def window(self, day: date) -> tuple[datetime, datetime] | None:
        """When the desks open and close on a day; None on a day of rest."""
        if not self.is_working(day) or self.closes_at <= self.opens_at:
            return None
        return (
            datetime.combine(day, self.opens_at, tzinfo=self.zone),
            datetime.combine(day, self.closes_at, tzinfo=self.zone),
        )

    def due(self, start: datetime, minutes: int) -> datetime:
        """The instant at which so many desk minutes have passed since `start`; before it for a negative number."""
        if minutes <= 0:
            return start + timedelta(minutes=minutes)
        left = timedelta(minutes=minutes)
        local = start.astimezone(self.zone)
        for offset in range(LONGEST_DAYS):
            window = self.window(local.date() + timedelta(days=offset))
            if window is None:
                continue
            begins = max(window[0], local)
            if begins + left <= window[1]:
                return begins + left
            left -= max(timedelta(0), window[1] - begins)
        raise NoDeskHours(f"{minutes} desk minutes do not pass within {LONGEST_DAYS} days")

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Desk minutes from `start` to `end`; negative when `end` comes first."""
        if end < start:
            return -self.minutes_between(end, start)
        begin, finish = start.astimezone(self.zone), end.astimezone(self.zone)
        passed, day = timedelta(0), begin.date()
        while day <= finish.date():
            window = self.window(day)
            if window is not None:
                passed += max(timedelta(0), min(window[1], finish) - max(window[0], begin))
            day += timedelta(days=1)
        return int(passed.total_seconds() // 60)
