"""The one clock. Only edges read it; everything below receives the time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the clock


class FrozenClock:
    """A clock for simulation and tests: it stands still until it is told otherwise."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


_clock: Clock = RealClock()


def now() -> datetime:
    """The instant by the installed clock."""
    return _clock.now()


def install(clock: Clock) -> Clock:
    """Puts a clock in place and returns the one before it."""
    global _clock
    before, _clock = _clock, clock
    return before
