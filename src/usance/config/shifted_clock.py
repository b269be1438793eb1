"""A clock that a harness may push: real time, and the seconds that a file says. For demonstrations only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


class ShiftedClock:
    """Real time plus the number of seconds in a file, read anew each time: all processes of a site jump together."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def shift(self) -> timedelta:
        try:
            return timedelta(seconds=float(self.path.read_text() or 0))
        except FileNotFoundError:
            return timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift()

    def push(self, seconds: float) -> None:
        """Jumps, for every process that reads the file; negative: back."""
        told = self.path.with_suffix(".new")
        told.write_text(str(self.shift().total_seconds() + seconds))
        told.replace(self.path)
