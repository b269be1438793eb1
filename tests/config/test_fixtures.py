"""The tests' own ground: what they stand on is what production stands on."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from tests.support import database
from usance.config import schema
from usance.config.database import APP


def ask(question: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
        return row[0] if row else None


@pytest.mark.django_db
def test_tests_connect_as_the_application_not_as_the_owner() -> None:
    assert ask("SELECT current_user") == APP
    assert ask("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole") == 0


@pytest.mark.django_db
def test_an_unbound_test_sees_no_institution() -> None:
    assert ask("SELECT count(*) FROM institutions_institution") == 0


@pytest.mark.django_db
def test_the_institution_fixture_is_bound(institution) -> None:  # type: ignore[no-untyped-def]
    assert ask("SELECT usance.current_institution()") == institution.pk


def test_a_fresh_database_is_the_tests_own(fresh_db: str, django_db_blocker) -> None:  # type: ignore[no-untyped-def]
    assert ask("SELECT current_database()") == fresh_db
    assert ask("SELECT current_user") == APP


def test_the_template_is_named_after_what_makes_the_schema() -> None:
    assert database.template().endswith(schema.mark())


def test_other_country_rules_want_a_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are loaded after the migrations: an upgrade that changes nothing else must not pass them by."""
    before, read = schema.mark(), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b" " * (path.name == "country_rules.json"))
    assert schema.mark() != before


def test_the_mark_of_the_schema_is_kept_in_the_database(fresh_db: str) -> None:
    with database.superuser(fresh_db) as admin:
        assert not schema.is_current(admin)
        schema.write(admin, schema.mark())
        assert schema.is_current(admin)
        schema.write(admin, None)
        assert not schema.is_current(admin)
