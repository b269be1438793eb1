"""No institution sees, touches or refers to another's rows, and the database itself sees to that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connection, models, transaction

from tests.support import database, institutions
from usance.apps.access.models import Role, RoleGrant, User
from usance.apps.audit.models import AuditEntry
from usance.apps.institutions import guard, tenancy
from usance.apps.institutions.models import CountryRule, DatedItem, Host, Institution, OrgUnit, TenantForeignKey
from usance.config import jobs
from usance.config.database import APP, OWNER
from usance.ports import queue


@dataclass(frozen=True)
class Two:
    """The ids of two institutions, each with a unit, a person and a role; and the database's name."""

    here: UUID
    there: UUID
    name: str


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: Any) -> Iterator[Two]:
    with database.own_database() as name, database.pointed_to(name), django_db_blocker.unblock():
        found = [institutions.found(code).pk for code in ("vn", "ua")]
        for institution_id in found:
            with tenancy.bound(institution_id), transaction.atomic():
                user = User.objects.create(email="one@lender.example", name="One")
                role = Role.objects.create(code="auditor", name="Auditor")
                RoleGrant.objects.create(user=user, role=role, reach="root")
        yield Two(*found, name)


@pytest.fixture
def owner(two: Two) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.address(OWNER, two.name), autocommit=True) as opened:
        yield opened


@pytest.fixture
def app(two: Two) -> Iterator[psycopg.Connection]:
    """What an attacker has who can run any SQL as the application."""
    with psycopg.connect(database.address(APP, two.name)) as opened:
        yield opened


def bind(raw: psycopg.Connection, institution_id: UUID) -> None:
    token = tenancy.token(institution_id, raw.info.backend_pid)
    raw.execute("SELECT usance.bind_institution(%s, %s)", (institution_id, token))


# --- every table -----------------------------------------------------------------------------------------


def test_every_table_is_forced_under_a_policy_or_exempt_with_a_reason(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, "
        "(SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polqual IS NOT NULL "
        " AND p.polwithcheck IS NOT NULL AND p.polcmd = '*') = 1 "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'f', 'm')"
    ).fetchall()
    assert len(rows) > 20
    naked = {name for name, forced, policy in rows if not (forced and policy)}
    assert naked <= set(guard.EXEMPT), naked - set(guard.EXEMPT)
    assert all(len(reason) > 10 for reason in guard.EXEMPT.values())


def test_no_exempt_table_belongs_to_an_institution() -> None:
    """An exemption for a table with an institution in it would be a hole; host names are the one known door."""
    with_institution = {table for table in guard.EXEMPT if table in guard.tenant_models()}
    assert with_institution == set()


def test_every_model_of_an_institution_is_found_by_the_guard() -> None:
    ours = {model for model in apps.get_models() if model.__module__.startswith("usance.") and model._meta.managed}
    free = {Institution, Host, CountryRule}
    assert {model for model in ours if model._meta.db_table not in guard.tenant_models()} - free == set()


def test_a_new_table_without_a_rule_stops_the_migration(two: Two, owner: psycopg.Connection) -> None:
    owner.execute("CREATE TABLE forgotten (id int)")
    try:
        with pytest.raises(guard.Unguarded, match="forgotten"):
            list(guard._statements(APP))
    finally:
        owner.execute("DROP TABLE forgotten")


def test_every_check_is_named(owner: psycopg.Connection) -> None:
    """PostgreSQL numbers the names that it makes up."""
    rows = owner.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace "
        "WHERE n.nspname = 'public' AND contype = 'c' AND conname ~ '_check[0-9]+$'"
    ).fetchall()
    assert rows == []


# --- unbound ---------------------------------------------------------------------------------------------


def tenant_tables() -> list[str]:
    return sorted({*guard.tenant_models(), Institution._meta.db_table})


def test_an_unbound_connection_sees_no_row_of_any_table(two: Two, app: psycopg.Connection) -> None:
    for table in tenant_tables():
        (count,) = app.execute(f'SELECT count(*) FROM "{table}"').fetchone() or (None,)
        assert count == 0, table


def test_an_unbound_connection_writes_nothing(two: Two) -> None:
    with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic():
        OrgUnit.objects.create(institution_id=two.here, path="root.x", name="x", kind="team")
    with transaction.atomic():
        assert User.objects.update(name="taken over") == 0
        assert User.objects.all().delete()[0] == 0


def test_the_owner_sees_nothing_either(two: Two, owner: psycopg.Connection) -> None:
    """Row-level security is forced: owning a table is no way around it."""
    assert owner.execute("SELECT count(*) FROM access_user").fetchone() == (0,)


# --- bound -----------------------------------------------------------------------------------------------


def test_bound_code_sees_its_own_rows_only(two: Two) -> None:
    for mine in (two.here, two.there):
        with tenancy.bound(mine), transaction.atomic():
            assert {row.institution_id for row in User.objects.all()} == {mine}
            assert [row.pk for row in Institution.objects.all()] == [mine]


def test_another_s_row_cannot_be_written_changed_or_removed(two: Two) -> None:
    with tenancy.bound(two.there), transaction.atomic():
        foreign = User.objects.get()
    with tenancy.bound(two.here):
        with transaction.atomic():
            assert User.objects.filter(pk=foreign.pk).update(name="x") == 0
            assert User.objects.filter(pk=foreign.pk).delete()[0] == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            OrgUnit.objects.create(institution_id=two.there, path="root.y", name="y", kind="team")
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            User.objects.update(institution_id=two.there)


def test_one_transaction_serves_one_institution(two: Two) -> None:
    def rebind() -> None:
        with tenancy.bound(two.there):
            raise AssertionError("the second binding was accepted")

    with tenancy.bound(two.here), transaction.atomic(), pytest.raises(psycopg.errors.InsufficientPrivilege):
        rebind()


def test_binding_again_to_the_same_institution_is_harmless(two: Two) -> None:
    with tenancy.bound(two.here), transaction.atomic(), tenancy.bound(two.here):
        assert User.objects.count() == 1


def test_the_binding_ends_with_its_transaction(two: Two, app: psycopg.Connection) -> None:
    for end in (app.commit, app.rollback):
        bind(app, two.here)
        assert app.execute("SELECT count(*) FROM access_user").fetchone() == (1,)
        end()
        assert app.execute("SELECT count(*) FROM access_user").fetchone() == (0,)
        app.rollback()


def test_a_connection_that_serves_the_next_institution_has_forgotten_the_first(two: Two) -> None:
    """As a pool does it: one connection, one transaction after the other."""
    seen = []
    for mine in (two.here, two.there, two.here):
        with tenancy.bound(mine), transaction.atomic():
            seen.append((connection.connection.info.backend_pid, Institution.objects.get().pk))
    assert len({pid for pid, _ in seen}) == 1
    assert [pk for _, pk in seen] == [two.here, two.there, two.here]
    with transaction.atomic():
        assert not Institution.objects.exists()


def test_a_query_in_autocommit_sees_nothing(two: Two) -> None:
    """Binding needs a transaction: a query outside one is unbound, even inside `bound`."""
    with tenancy.bound(two.here):
        assert not User.objects.exists()


def test_threads_do_not_share_a_binding(two: Two) -> None:
    seen: list[bool] = []
    with tenancy.bound(two.here):
        thread = threading.Thread(target=lambda: seen.append(tenancy.is_bound()))
        thread.start()
        thread.join()
    assert seen == [False]


# --- forging ---------------------------------------------------------------------------------------------


def test_a_forged_token_is_refused(two: Two, app: psycopg.Connection) -> None:
    pid = app.info.backend_pid
    for token in (b"", b"x" * 32, tenancy.token(two.there, pid), tenancy.token(two.here, pid + 1), None):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("SELECT usance.bind_institution(%s, %s)", (two.here, token))
        app.rollback()


@pytest.mark.parametrize("local", [True, False])
def test_injected_sql_cannot_bind_by_setting_the_variable(two: Two, app: psycopg.Connection, local: bool) -> None:
    for mark in (str(two.here), f"{two.here}|{'0' * 64}", "x" * 101, f"{'z' * 36}|{'0' * 64}", ""):
        app.execute("SELECT set_config('usance.binding', %s, %s)", (mark, local))
        assert app.execute("SELECT count(*) FROM access_user").fetchone() == (0,)
        app.rollback()


def test_the_mark_of_one_transaction_is_worth_nothing_in_the_next(two: Two, app: psycopg.Connection) -> None:
    bind(app, two.here)
    (mark,) = app.execute("SELECT current_setting('usance.binding')").fetchone() or ("",)
    app.rollback()
    app.execute("SELECT set_config('usance.binding', %s, false)", (mark,))
    app.commit()
    assert app.execute("SELECT count(*) FROM access_user").fetchone() == (0,)


def test_a_bound_transaction_cannot_move_its_binding(two: Two, app: psycopg.Connection) -> None:
    bind(app, two.here)
    (mark,) = app.execute("SELECT current_setting('usance.binding')").fetchone() or ("",)
    app.execute("SELECT set_config('usance.binding', %s, true)", (f"{two.there}{mark[36:]}",))
    assert app.execute("SELECT count(*) FROM access_user").fetchone() == (0,)


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT * FROM usance.tenancy_key",
        "UPDATE usance.tenancy_key SET binding_key = ''",
        "SELECT usance.binding_mark('{here}')",
        "SET ROLE usance_owner",
        "SET SESSION AUTHORIZATION usance_owner",
        "ALTER TABLE access_user DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE access_user NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY own_institution ON access_user",
        "CREATE POLICY mine ON access_user USING (true)",
        "ALTER TABLE audit_auditentry DISABLE TRIGGER ALL",
        "CREATE OR REPLACE FUNCTION usance.current_institution() RETURNS uuid LANGUAGE sql AS 'SELECT null::uuid'",
        "CREATE FUNCTION usance.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE public.mine (id int)",
        "TRUNCATE access_user",
        "SET session_replication_role = replica",
        "COPY access_user TO PROGRAM 'cat'",
    ],
)
def test_the_application_s_role_cannot_widen_its_rights(two: Two, app: psycopg.Connection, attack: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(attack.format(here=two.here))


def test_row_security_cannot_be_turned_off(two: Two, app: psycopg.Connection) -> None:
    app.execute("SET LOCAL row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("SELECT count(*) FROM access_user")


def test_a_look_alike_function_on_the_search_path_is_not_called(two: Two, app: psycopg.Connection) -> None:
    """Policies name the function by its schema, and the function fixes its own search path."""
    app.execute("SET LOCAL search_path = pg_temp, public")
    body = f"$$ SELECT '{two.here}'::uuid $$"
    app.execute(f"CREATE FUNCTION pg_temp.current_institution() RETURNS uuid LANGUAGE sql AS {body}")
    assert app.execute("SELECT count(*) FROM access_user").fetchone() == (0,)


def test_the_application_s_role_owns_nothing_and_bypasses_nothing(two: Two) -> None:
    with database.superuser(two.name) as admin:
        row = admin.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication "
            "FROM pg_roles WHERE rolname = %s",
            [APP],
        ).fetchone()
        assert row == (False,) * 5
        owned = (
            "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid "
            "WHERE r.rolname = %s AND d.deptype = 'o' "
            "AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        assert admin.execute(owned, [APP]).fetchone() == (0,)
        member = "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = %s"
        assert admin.execute(member, [APP]).fetchone() == (0,)
    assert settings.USANCE_APP_ROLE == APP


def test_partitions_are_reached_through_their_parent_only(two: Two) -> None:
    with database.superuser(two.name) as admin:
        rows = admin.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relispartition AND c.relkind IN ('r', 'p') AND n.nspname = 'public' "
            "AND has_table_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')",
            [APP],
        ).fetchall()
    assert rows == []


def test_definer_functions_fix_their_search_path(two: Two) -> None:
    """A function with its owner's rights and the caller's search path would run the caller's code."""
    with database.superuser(two.name) as admin:
        rows = admin.execute(
            "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE p.prosecdef AND n.nspname IN ('public', 'usance') "
            "AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%')"
        ).fetchall()
    assert rows == []


# --- references ------------------------------------------------------------------------------------------


def test_a_reference_across_institutions_is_refused(two: Two) -> None:
    with tenancy.bound(two.there), transaction.atomic():
        foreign = User.objects.get()
    with tenancy.bound(two.here), pytest.raises(IntegrityError, match="inside"), transaction.atomic():
        RoleGrant.objects.create(user_id=foreign.pk, role=Role.objects.get(), reach="root", org_path="root.z")


def test_a_reference_to_nothing_is_refused(two: Two) -> None:
    with tenancy.bound(two.here), pytest.raises(IntegrityError, match="inside"), transaction.atomic():
        RoleGrant.objects.create(user_id=uuid4(), role=Role.objects.get(), reach="root", org_path="root.z")


def references() -> list[Any]:
    return [
        field
        for model in guard.tenant_models().values()
        if model.__module__.startswith("usance.") and model._meta.managed
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.name != "institution"
    ]


def test_every_reference_between_tables_of_institutions_includes_the_institution(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        "SELECT conrelid::regclass::text, conname, cardinality(conkey) FROM pg_constraint WHERE contype = 'f'"
    ).fetchall()
    pairs = {name for _, name, width in rows if width == 2}
    assert references()
    for field in references():
        assert isinstance(field, TenantForeignKey), field
        assert f"{field.model._meta.db_table}_{field.column}_inside"[:63] in pairs, field


# --- history ---------------------------------------------------------------------------------------------


def history() -> list[str]:
    return [table for table, model in guard.tenant_models().items() if getattr(model, "append_only", False)]


def test_history_tables_refuse_change_even_for_the_owner(two: Two, owner: psycopg.Connection) -> None:
    """By a trigger on each, and the application's role lacks the right as well."""
    assert {"audit_auditentry", "audit_auditlink"} <= set(history())
    for table in history():
        rows = owner.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [f'"{table}"']
        ).fetchall()
        assert {("history_stays", "O"), ("history_stays_whole", "O")} <= set(rows), table
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(f'TRUNCATE "{table}" CASCADE')
        for right in ("UPDATE", "DELETE", "TRUNCATE"):
            allowed = owner.execute("SELECT has_table_privilege(%s, %s, %s)", [APP, f'"{table}"', right]).fetchone()
            assert allowed == (False,), (table, right)


@pytest.mark.parametrize("change", ["UPDATE audit_auditentry SET action = 'x'", "DELETE FROM audit_auditentry"])
def test_a_row_of_history_stays_as_it_was_written(two: Two, change: str) -> None:
    with tenancy.bound(two.here), transaction.atomic():
        AuditEntry.objects.create(
            action="a", actor_kind="system", subject_type="t", subject_id="1", business_date="2026-03-02", digest="d"
        )
    with psycopg.connect(database.address(OWNER, two.name)) as as_owner:
        bind(as_owner, two.here)
        with pytest.raises(psycopg.errors.RestrictViolation):
            as_owner.execute(change)
    with psycopg.connect(database.address(APP, two.name)) as as_app:
        bind(as_app, two.here)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_app.execute(change)


# --- jobs ------------------------------------------------------------------------------------------------


def test_a_job_is_bound_to_the_institution_it_is_for(two: Two) -> None:
    seen: list[Any] = []

    def look() -> None:
        with transaction.atomic():
            seen.append([row.pk for row in Institution.objects.all()])

    task = queue.TaskOptions("test.look", look)
    for mine in (two.here, two.there):
        jobs.run_job(task, {"institution_id": str(mine)}, 0)
    assert seen == [[two.here], [two.there]]
    assert not tenancy.is_bound()


def test_a_job_that_crashes_leaves_nothing_bound(two: Two) -> None:
    def crash() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        jobs.run_job(queue.TaskOptions("test.crash", crash), {"institution_id": str(two.here)}, 0)
    assert not tenancy.is_bound()
    with transaction.atomic():
        assert not Institution.objects.exists()


def test_a_job_is_enqueued_for_the_bound_institution_only(two: Two) -> None:
    """Whoever enqueues does not choose the institution: the queue adds the one that is bound."""
    with pytest.raises(tenancy.Unbound), transaction.atomic():
        queue.enqueue("audit.link")
    with tenancy.bound(two.here), transaction.atomic():
        queue.enqueue("audit.link", key="audit.link")
        with connection.cursor() as cursor:
            cursor.execute("SELECT args->>'institution_id' FROM procrastinate_jobs ORDER BY id DESC LIMIT 1")
            assert cursor.fetchone() == (str(two.here),)


def test_what_falls_due_for_one_does_not_fall_due_for_another(two: Two) -> None:
    with tenancy.bound(two.here), transaction.atomic():
        DatedItem.objects.create(kind="t", key="only here", due_on="2026-03-02", subject_id=uuid4())
    with tenancy.bound(two.there), transaction.atomic():
        assert not DatedItem.objects.filter(key="only here").exists()
        DatedItem.objects.create(kind="t", key="only here", due_on="2026-03-02", subject_id=uuid4())
