"""Writing rows by one statement each where the ORM needs two or three."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState
from django.db.models.constants import OnConflict
from django.db.models.expressions import DatabaseDefault
from django.db.models.sql import InsertQuery

from usance.apps.institutions import tenancy

Row = TypeVar("Row", bound=models.Model)


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
    if rows:
        statement, values = _insert(rows, "rows")
        with connection.cursor() as cursor:
            cursor.execute(statement + (" ON CONFLICT DO NOTHING" if ignore_conflicts else ""), values)


def insert_together(*tables: Sequence[models.Model]) -> None:
    """`insert_many` for rows of several tables that belong together, by one statement: whoever does one thing at a time
    spends more on statements than on rows. References among the rows are checked as the transaction ends."""
    parts = [_insert(rows, f"rows_{number}") for number, rows in enumerate(tables) if rows]
    if not parts:
        return
    *before, (last, _) = parts
    inner = ", ".join(f"part_{number} AS ({statement})" for number, (statement, _) in enumerate(before))
    with connection.cursor() as cursor:
        values = {name: rows for _, own in parts for name, rows in own.items()}
        cursor.execute(f"WITH {inner} {last}" if inner else last, values)


Plain = str | int | None


def plain(row: models.Model, names: Iterable[str]) -> list[Plain]:
    """These attributes of a row as JSON knows them; an id or a day as its text."""
    values = (getattr(row, name) for name in names)
    return [value if value is None or isinstance(value, str | int) else str(value) for value in values]


def insert_plain(
    model: type[models.Model], names: Sequence[str], lines: Sequence[Sequence[Plain]], *, ignore_conflicts: bool = False
) -> None:
    """`insert_many` for lines of plain values, the attributes of these names of rows of the bound institution."""
    if not lines:
        return
    types = _types(model, tuple(names))
    columns = ", ".join(map(connection.ops.quote_name, types))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} (institution_id, {columns}) "  # noqa: S608 (our own names)
            f"SELECT %(institution)s, {columns} FROM {recordset(types)}"
            + (" ON CONFLICT DO NOTHING" if ignore_conflicts else ""),
            {"rows": json_rows(names, lines), "institution": tenancy.current_id()},
        )


def _insert(rows: Sequence[models.Model], parameter: str) -> tuple[str, dict[str, str]]:
    """The statement that adds rows of one table, and the value of its parameter."""
    first = rows[0]
    told = tuple(
        field.attname
        for field in first._meta.concrete_fields
        if not isinstance(getattr(first, field.attname), DatabaseDefault)
    )
    types = _types(type(first), told)
    names = ", ".join(map(connection.ops.quote_name, types))
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    lines = ([getattr(row, name) for name in told] for row in rows)
    into = f"INSERT INTO {first._meta.db_table} ({names}) SELECT {names} FROM {recordset(types, parameter)}"  # noqa: S608
    return into, {parameter: json_rows(types, lines)}


@cache
def _types(model: type[models.Model], told: tuple[str, ...]) -> dict[str, str]:
    """Column -> type, of these attributes."""
    fields = (field for field in model._meta.concrete_fields if field.attname in told)
    return {str(field.column): str(field.db_type(connection)) for field in fields}


def read(model: type[Row], names: Sequence[str], lines: Iterable[Sequence[Any]]) -> Iterator[Row]:
    """Rows of which these columns were read, as `only` gives them, without what the ORM does for every row besides (its
    signals, a look at every other field): a third of the time, for whoever reads some hundred thousand."""
    wanted = [(place, name) for place, name in enumerate(names) if _is_json(model, name)]
    for line in lines:
        row = model.__new__(model)
        values = dict(zip(names, line, strict=True))
        for place, name in wanted:
            values[name] = json.loads(line[place]) if line[place] is not None else None
        row._state = ModelState()
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
        row.__dict__.update(values)
        yield row


@cache
def _is_json(model: type[models.Model], name: str) -> bool:
    return isinstance(model._meta.get_field(name), models.JSONField)


def recordset(types: Mapping[str, str], parameter: str = "rows") -> str:
    """A table `t` in SQL of what `json_rows` makes for the parameter: column -> type."""
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return f"jsonb_to_recordset(%({parameter})s::jsonb) AS t ({columns})"


def json_rows(names: Iterable[str], lines: Iterable[Sequence[Any]]) -> str:
    """Lines of values as JSON for `recordset`."""
    keys = list(names)
    return _encoder.encode([dict(zip(keys, line, strict=True)) for line in lines])


def json_row(names: Iterable[str], line: Sequence[Any]) -> str:
    """One line of values as JSON; `json_list` puts such lines together."""
    return _encoder.encode(dict(zip(names, line, strict=True)))


def json_list(lines: Iterable[str]) -> str:
    return f"[{','.join(lines)}]"


def array(ids: Iterable[str]) -> str:
    """Ids as PostgreSQL reads an array of them: the driver takes its time over each."""
    return f"{{{','.join(ids)}}}"


_encoder = json.JSONEncoder(default=str, ensure_ascii=False)


def _plain(field: Any, value: Any) -> Any:
    """As the database reads it."""
    if isinstance(field, models.JSONField) and value is not None:
        return json.dumps(value, cls=field.encoder, ensure_ascii=False)
    return bytes(value) if isinstance(value, memoryview) else value
