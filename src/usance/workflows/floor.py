"""The floor of bulk work: what a server takes to read, change and add one row for each loan, when nothing is thought
about. Measured on a reference table of as many rows, in one session, by plain SQL."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psycopg

ROUNDS = 3
TABLE = """
DROP TABLE IF EXISTS bench_reference, bench_appended;
CREATE TABLE bench_reference (
    id uuid NOT NULL, owner uuid NOT NULL, number text NOT NULL, kind text NOT NULL, state text NOT NULL,
    starts_on date NOT NULL, next_on date NOT NULL, closed_until date NOT NULL, days integer NOT NULL,
    amount_1 bigint NOT NULL, amount_2 bigint NOT NULL, amount_3 bigint NOT NULL, amount_4 bigint NOT NULL,
    amount_5 bigint NOT NULL, amount_6 bigint NOT NULL, amount_7 bigint NOT NULL, amount_8 bigint NOT NULL,
    carried numeric NOT NULL, slope numeric NOT NULL, bucket text NOT NULL, note text NOT NULL
) WITH (fillfactor = 45);
INSERT INTO bench_reference SELECT gen_random_uuid(), gen_random_uuid(), 'L-' || n, 'short', 'active',
    current_date - 20, current_date + 10, current_date, 0, n, n, n, n, n, n, n, n, n / 365.0, n / 36500.0, '', ''
    FROM generate_series(1, %s) AS n;
ALTER TABLE bench_reference ADD PRIMARY KEY (id);
CREATE TABLE bench_appended (id uuid, owner uuid, day date, kind text, amount bigint, entry uuid);
"""
READ = """
SELECT id, kind, state, starts_on, next_on, closed_until, days, amount_1, amount_2, amount_3, amount_4, bucket
FROM bench_reference
"""
CHANGE = """
UPDATE bench_reference SET closed_until = closed_until + 1, days = days + 1, amount_1 = amount_1 + 1,
    amount_2 = amount_2 + 1, amount_3 = amount_3 + 1
"""
APPEND = "INSERT INTO bench_appended SELECT id, owner, closed_until, kind, amount_1, owner FROM bench_reference"
GONE = "DROP TABLE IF EXISTS bench_reference, bench_appended"


def measure(rows: int) -> dict[str, float]:
    """Seconds of each part for so many rows, the best of some rounds."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        for statement in TABLE.split(";")[:-1]:
            owner.execute(statement.encode() if "%s" not in statement else (statement % rows).encode())
        owner.execute("VACUUM (FREEZE, ANALYZE) bench_reference")
        try:
            parts: dict[str, Callable[[psycopg.Connection], None]] = {
                "read": _read,
                "change": _change,
                "append": _append,
            }
            return {name: round(min(_took(part, owner) for _ in range(ROUNDS)), 3) for name, part in parts.items()}
        finally:
            owner.execute(GONE)


def _took(part: Callable[[psycopg.Connection], None], owner: psycopg.Connection) -> float:
    owner.execute("VACUUM bench_reference")
    owner.execute("TRUNCATE bench_appended")
    began = time.perf_counter()
    part(owner)
    return time.perf_counter() - began


def _read(owner: psycopg.Connection) -> None:
    with owner.transaction(), owner.cursor("rows", binary=True) as cursor:
        cursor.execute(READ)
        while cursor.fetchmany(50_000):
            pass


def _change(owner: psycopg.Connection) -> None:
    owner.execute(CHANGE)


def _append(owner: psycopg.Connection) -> None:
    owner.execute(APPEND)
