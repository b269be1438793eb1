"""Writing rows by one statement each where the ORM needs two or three."""

from __future__ import annotations

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
