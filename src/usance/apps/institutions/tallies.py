"""Sums that are kept: what a page would otherwise have to count over a whole table.

A tally says, for each combination of its keys, how many rows of another table there are and what they add up to. A
trigger adds what a statement changed, as new rows and in the same transaction: a tally is never behind or ahead, and
two writers never wait for each other over it. Readers sum what stands there; `merge` makes one row of all with the same
keys. `apply` lays the triggers after each migration, and counts anew what has none yet; `differing` is for the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from usance.apps.institutions import tenancy


@dataclass(frozen=True, slots=True)
class Rule:
    """How rows become sums. `rows`: SQL that makes of {rows} (the source's rows) the columns institution_id, `keys` and
    `sums`, once or more for each row; `joins`: other tables that it reads, whose part in it never changes."""

    source: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    rows: str
    joins: tuple[str, ...] = field(default=())

    def summed(self, parts: Sequence[tuple[str, str]]) -> str:
        """A query of the sums by keys over parts (sign, name of the rows); sums that are all zero are left out."""
        made = [
            f"SELECT institution_id, {_named(self.keys)}, {_named(self.sums, sign)} "  # noqa: S608 (our own names)
            f"FROM ({self.rows.format(rows=rows)}) AS of_{number}"
            for number, (sign, rows) in enumerate(parts)
        ]
        return self.grouped(f"({' UNION ALL '.join(made)}) AS parts")

    def grouped(self, rows: str) -> str:
        """The sums by keys of rows that have these columns."""
        totals = [f"sum({_name(one)})" for one in self.sums]
        return (
            f"SELECT uuidv7(), institution_id, {_named(self.keys)}, {', '.join(totals)} FROM {rows} "  # noqa: S608
            f"GROUP BY institution_id, {_named(self.keys)} HAVING {' OR '.join(f'{one} <> 0' for one in totals)}"
        )


def _name(column: str) -> str:
    return f'"{column}"'


def _named(columns: Sequence[str], sign: str = "") -> str:
    """Columns in a list, each with a sign before it."""
    return ", ".join(f"{sign}{_name(column)} AS {_name(column)}" if sign else _name(column) for column in columns)


def known() -> list[Any]:
    """Every model that is a tally."""
    return [model for model in apps.get_models() if isinstance(getattr(model, "rule", None), Rule)]


def _insert(model: type[models.Model], rule: Rule) -> str:
    columns = ["id", "institution_id", *rule.keys, *rule.sums]
    return f"INSERT INTO public.{model._meta.db_table} ({_named(columns)})"


# --- by the tables' owner ----------------------------------------------------------------------------------------


def apply() -> None:
    """Lays the triggers where they are missing or of another rule, and counts there anew. Runs as the owner."""
    with transaction.atomic(), connection.cursor() as cursor:
        for model in known():
            mark = sha256((repr(model.rule) + TRIGGER).encode()).hexdigest()[:16]
            name = f"usance.keep_{model._meta.db_table}()"
            cursor.execute("SELECT obj_description(to_regprocedure(%s), 'pg_proc')", [name])
            if cursor.fetchone() != (mark,):
                for statement in [*_triggers(model, model.rule), *recounting(model)]:
                    cursor.execute(statement)
                cursor.execute(f"COMMENT ON FUNCTION {name} IS '{mark}'")


TRIGGER = """
CREATE OR REPLACE FUNCTION usance.keep_{table}() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {insert} {added};
    ELSIF TG_OP = 'DELETE' THEN
        {insert} {removed};
    ELSE
        {insert} {changed};
    END IF;
    RETURN NULL;
END
$$
"""
SEEN = {"INSERT": "NEW TABLE AS now", "DELETE": "OLD TABLE AS before", "UPDATE": "OLD TABLE AS before NEW TABLE AS now"}


def _triggers(model: type[models.Model], rule: Rule) -> Iterator[str]:
    table = model._meta.db_table
    yield TRIGGER.format(
        table=table,
        insert=_insert(model, rule),
        added=rule.summed([("", "now")]),
        removed=rule.summed([("-", "before")]),
        changed=rule.summed([("", "now"), ("-", "before")]),
    )
    for act, seen in SEEN.items():
        name = f"keep_{table}_{act.lower()}"
        yield f"DROP TRIGGER IF EXISTS {name} ON {rule.source}"
        yield (
            f"CREATE TRIGGER {name} AFTER {act} ON {rule.source} REFERENCING {seen} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION usance.keep_{table}()"
        )


def recounting(model: Any) -> Iterator[str]:
    """Statements that count a tally anew, of all institutions: the owner steps out of row-level security for them."""
    touched = [model._meta.db_table, model.rule.source, *model.rule.joins]
    for table in touched:
        yield f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"
    yield f"DELETE FROM {model._meta.db_table}"  # noqa: S608
    yield f"{_insert(model, model.rule)} {model.rule.summed([('', model.rule.source)])}"
    yield "SET CONSTRAINTS ALL IMMEDIATE"  # a table with checks that wait cannot be altered
    yield "SET CONSTRAINTS ALL DEFERRED"
    for table in touched:
        yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"


# --- by the application ------------------------------------------------------------------------------------------


def merge() -> int:
    """One row of all with the same keys, in every tally of the bound institution, by one statement; says how many rows
    that saved. What others add meanwhile stays beside it until the next time."""
    parts = [part for number, model in enumerate(known()) for part in _merging(model, model.rule, number)]
    saved = " + ".join(
        f"(SELECT count(*) FROM gone_{number}) - (SELECT count(*) FROM made_{number})"  # noqa: S608 (our own names)
        for number in range(len(known()))
    )
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(parts)} SELECT {saved}", {"institution": tenancy.current_id()})
        return int(cursor.fetchone()[0])


def _merging(model: type[models.Model], rule: Rule, number: int) -> Iterator[str]:
    table = model._meta.db_table
    yield (
        # an array is made once; of a subquery the planner, which thinks the table small, would make a nested loop
        f"gone_{number} AS (DELETE FROM {table} WHERE institution_id = %(institution)s AND id = ANY(ARRAY("  # noqa: S608
        f"SELECT unnest(array_agg(id)) FROM {table} WHERE institution_id = %(institution)s "
        f"GROUP BY {_named(rule.keys)} HAVING count(*) > 1)) RETURNING *)"
    )
    yield f"made_{number} AS ({_insert(model, rule)} {rule.grouped(f'gone_{number}')} RETURNING 1)"


def differing(model: Any) -> list[tuple[Any, ...]]:
    """Keys and sums by which a tally differs from its rows, in the bound institution: none, unless somebody wrote past
    the triggers."""
    rule = model.rule
    counted = rule.rows.format(rows=rule.source)
    both = (
        f"(SELECT institution_id, {_named((*rule.keys, *rule.sums))} FROM ({counted}) AS counted UNION ALL "  # noqa: S608
        f"SELECT institution_id, {_named(rule.keys)}, {_named(rule.sums, '-')} FROM {model._meta.db_table}) AS sides"
    )
    asked = f"SELECT * FROM ({rule.grouped(both)}) AS found WHERE institution_id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(asked, [tenancy.current_id()])
        return [row[2:] for row in cursor.fetchall()]
