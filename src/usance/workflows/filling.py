"""Millions of rows at once, for measuring: as the tables' owner, with their secondary indexes, references and triggers
laid aside, and put back as they were before anybody sees a row. All or nothing: it is one transaction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from usance.apps.institutions import tenancy

Tell = Callable[[str], None]

# foreign keys of these tables, and every index of theirs that no other table's foreign key rests on
REFERENCES = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY(%(tables)s::regclass[])
ORDER BY conrelid, conname
"""
INDEXES = """
SELECT CASE WHEN c.oid IS NULL THEN format('DROP INDEX %%s', i.indexrelid::regclass)
            ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', i.indrelid::regclass, c.conname) END,
       CASE WHEN c.oid IS NULL THEN replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
            ELSE format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', i.indrelid::regclass, c.conname,
                        pg_get_constraintdef(c.oid)) END
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
WHERE i.indrelid = ANY(%(tables)s::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid)
ORDER BY i.indrelid, i.indexrelid
"""


class OtherData(RuntimeError):
    """The database holds an institution that is somebody's: nothing is added to it."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Something of a table that is taken away, and the statement that makes it again."""

    drop: str
    make: str


@contextmanager
def opened(tables: Sequence[str], tell: Tell) -> Iterator[psycopg.Cursor]:
    """A cursor of the owner, bound to the institution at hand, that may fill these tables. Afterwards everything stands
    again, and the planner knows the tables. Everything is undone when the block fails."""
    address = os.environ["DATABASE_OWNER_URL"]
    with psycopg.connect(address) as owner, owner.cursor() as cursor:
        bind(owner)
        cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL maintenance_work_mem = '512MB'")
        aside = [*_aside(cursor, REFERENCES, tables), *_aside(cursor, INDEXES, tables)]
        for table in tables:
            cursor.execute(words(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for one in aside:
            cursor.execute(words(one.drop))
        yield cursor
        tell("indexes and references")
        for one in reversed(aside):  # indexes first: references look up by them
            cursor.execute(words(one.make))
        for table in tables:
            cursor.execute(words(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    tell("statistics")
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute(words(f"VACUUM (ANALYZE, FREEZE) {', '.join(tables)}"))


def bind(owner: psycopg.Connection) -> None:
    """Lets the owner of the tables see the rows of the institution at hand, until the transaction ends."""
    token = tenancy.token(tenancy.current_id(), owner.info.backend_pid).hex()
    owner.execute(words(tenancy.BIND.format(institution=tenancy.current_id(), token=token)))


def _aside(cursor: psycopg.Cursor, asked: str, tables: Sequence[str]) -> list[Aside]:
    cursor.execute(words(asked), {"tables": list(tables)})
    return [Aside(drop, make) for drop, make in cursor.fetchall()]


def words(text: str) -> sql.SQL:
    """A statement that consists of our own names."""
    return sql.SQL(text)
