"""Stored terms and events, read as plain things with names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

SHARES = {"share", "cap_share", "yearly_cap_share", "cost_cap_share"}
DAYS = {"dates", "holidays", "since", "until", "moved_from", "moved_to", "start_on"}
UNTIL_THEN = {"current", "closed"}  # no days, but something that happens


def thing(stored: Mapping[str, Any]) -> Any:
    """An object whose fields are the stored ones: shares exact, days as dates."""
    return SimpleNamespace(**{name: _read(name, item) for name, item in stored.items()})


def _read(name: str, item: Any) -> Any:
    if isinstance(item, dict):
        return thing(item)
    if isinstance(item, list):
        return [_read(name, one) for one in item]
    if item is not None and name in SHARES:
        return Fraction(item)
    if item is not None and (name in DAYS or name.endswith("_on")):
        return item if item in UNTIL_THEN else date.fromisoformat(item) if item else None
    return item
