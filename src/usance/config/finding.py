"""A line of the report of `usance doctor`."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, NOTE, FAULT = "good", "note", "FAULT"


@dataclass(frozen=True)
class Finding:
    """A FAULT has a remedy and makes the exit status 1; a note is worth knowing."""

    level: str
    subject: str
    text: str
    remedy: str = ""
