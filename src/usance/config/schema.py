"""Whether the tables are those of this version, told without asking Django: so that a second start is quick.

After a migration a mark is written on the schema `usance`: a hash of everything that decides what the tables and their
guard look like. `usance manage migrate`, which may also go backwards, rubs it out first.
"""

from __future__ import annotations

import os
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql

PACKAGE = Path(__file__).resolve().parents[1]
WITH_TABLES = ("django", "procrastinate")  # libraries that bring migrations


def mark() -> str:
    """A hash of the migrations, the models, the guard, the rules that are loaded after them, the versions of libraries
    and the tenancy secret."""
    files = {
        *PACKAGE.glob("**/migrations/*.py"),
        *PACKAGE.glob("apps/**/models*.py"),
        *PACKAGE.glob("apps/**/models/*.py"),
        PACKAGE / "apps" / "institutions" / "guard.py",
        PACKAGE / "apps" / "institutions" / "tallies.py",
        PACKAGE / "apps" / "institutions" / "data" / "country_rules.json",  # loaded after the migrations
        PACKAGE / "apps" / "access" / "permissions.py",  # as these, which institutions get then
        PACKAGE / "apps" / "ledger" / "chart.py",
        PACKAGE / "core" / "accounting" / "books.py",
        PACKAGE / "config" / "database.py",
    }
    digest = sha256()
    for path in sorted(files):
        digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    for library in WITH_TABLES:
        digest.update(f"{library} {version(library)}\0".encode())
    digest.update(os.environ.get("USANCE_TENANCY_SECRET", "").encode())
    return digest.hexdigest()[:16]


def is_current(owner: psycopg.Connection) -> bool:
    """Whether the database carries the mark of this version."""
    row = owner.execute("SELECT obj_description(to_regnamespace('usance'), 'pg_namespace')").fetchone()
    return row is not None and row[0] == mark()


def write(owner: psycopg.Connection, text: str | None) -> None:
    """Put the mark on the schema, or rub it out (None). Nothing happens before the first migration."""
    if owner.execute("SELECT to_regnamespace('usance') IS NOT NULL").fetchone() == (True,):
        owner.execute(sql.SQL("COMMENT ON SCHEMA usance IS {}").format(sql.Literal(text)))
