"""Writing rows by one statement each where the ORM needs two or three."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.constants import OnConflict
from django.db.models.expressions import DatabaseDefault
from django.db.models.sql import InsertQuery


def insert_new(row: models.Model) -> bool:
    """Adds a row and says True, with what the database filled in; False, adding nothing, when a row with one of its
    unique keys is there already. Waits for whoever is adding the same key at this moment."""
    meta = row._meta
    fields = [field for field in meta.concrete_fields if not field.generated]
    filled = [field for field in fields if isinstance(getattr(row, field.attname), DatabaseDefault)]
    wanted = filled or [meta.pk]
    query = InsertQuery(type(row), on_conflict=OnConflict.IGNORE)
    query.insert_values(fields, [row])
    compiler = query.get_compiler(DEFAULT_DB_ALIAS)
    compiler.returning_fields = wanted
    ((sql, values),) = compiler.as_sql()
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        got = cursor.fetchone()
    if got is None:
        return False
    for field, value in zip(wanted, got, strict=True):
        setattr(row, field.attname, value)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return True


def copy_new(rows: Sequence[models.Model]) -> None:
    """Adds many rows of one table by COPY: a third of the time that the ORM takes. Through a temporary table, because
    PostgreSQL refuses COPY into one with row-level security. What the database fills in is not read back."""
    if not rows:
        return
    meta = rows[0]._meta
    fields = [
        field
        for field in meta.concrete_fields
        if not field.generated and not isinstance(getattr(rows[0], field.attname), DatabaseDefault)
    ]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE incoming AS SELECT {names} FROM {meta.db_table} WHERE false")  # noqa: S608
        with cursor.copy(f"COPY pg_temp.incoming ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([_plain(field, getattr(row, field.attname)) for field in fields])
        cursor.execute(f"INSERT INTO {meta.db_table} ({names}) SELECT {names} FROM pg_temp.incoming")  # noqa: S608
        cursor.execute("DROP TABLE pg_temp.incoming")


def insert_many(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Adds some hundred rows of one table by one statement, a third of the ORM's time and without a table in between.
    What the database fills in is not read back. With `ignore_conflicts` rows that are there already stay as they are.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields = [f for f in meta.concrete_fields if not isinstance(getattr(rows[0], f.attname), DatabaseDefault)]
    types = {str(field.column): str(field.db_type(connection)) for field in fields}
    names = ", ".join(map(connection.ops.quote_name, types))
    unless = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    lines = ([getattr(row, field.attname) for field in fields] for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {meta.db_table} ({names}) SELECT {names} FROM {recordset(types)}{unless}",  # noqa: S608
            {"rows": json_rows(types, lines)},
        )


def recordset(types: Mapping[str, str]) -> str:
    """A table `t` in SQL of what `json_rows` makes for the parameter `rows`: column -> type."""
    return f"jsonb_to_recordset(%(rows)s::jsonb) AS t ({', '.join(f'{name} {kind}' for name, kind in types.items())})"


def json_rows(names: Iterable[str], lines: Iterable[Sequence[Any]]) -> str:
    """Lines of values as JSON for `recordset`."""
    keys = list(names)
    return json.dumps([dict(zip(keys, line, strict=True)) for line in lines], default=str, ensure_ascii=False)


def _plain(field: Any, value: Any) -> Any:
    """As the database reads it."""
    if isinstance(field, models.JSONField) and value is not None:
        return json.dumps(value, cls=field.encoder, ensure_ascii=False)
    return bytes(value) if isinstance(value, memoryview) else value
