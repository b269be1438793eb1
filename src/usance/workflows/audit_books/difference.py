"""What an audit finds, and how it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not fit: the invariant (I1..I7 as in docs/reliability), what it is about, and the fact."""

    invariant: str
    subject: str
    fact: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.fact}"


def rows(sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """The answer of a query over the bound institution: row-level security keeps it there."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
