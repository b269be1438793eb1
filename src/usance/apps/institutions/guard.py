"""What the database itself enforces, laid over the tables after each migration, and safe to repeat.

Row-level security forced on every table of an institution; references that cannot leave it; no UPDATE or DELETE on
rows that are history; the least rights for the application's role. A table without an institution needs a reason in
EXEMPT or a rule in THROUGH_USER, or `apply` refuses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.db import connection, models

from usance.apps.institutions.models import Host, Institution, TenantForeignKey, TenantModel

BLOCK = 64

EXEMPT = {
    "institutions_host": "read before anyone is bound, to find out whose site a host name is; holds nothing else",
    "institutions_countryrule": "law of a country, the same for all its institutions, no one's data",
    "django_migrations": "bookkeeping of the schema",
    "django_content_type": "names of models",
    "auth_permission": "names of permissions, the same for all",
    "auth_group": "not used: roles are our own rows",
    "auth_group_permissions": "not used: roles are our own rows",
    "procrastinate_jobs": "the queue's own table: arguments are ids only, the worker binds before it reads anything",
    "procrastinate_events": "the queue's own table",
    "procrastinate_periodic_defers": "the queue's own table",
    "procrastinate_workers": "the queue's own table",
}
# tables of libraries that hang on a user: visible where their user is
THROUGH_USER = {
    "account_emailaddress": "user_id",
    "mfa_authenticator": "user_id",
    "access_user_groups": "user_id",
    "access_user_user_permissions": "user_id",
}
READ_ONLY = {"django_migrations", "institutions_countryrule", "django_content_type", "auth_permission"}

FUNCTIONS = """
CREATE SCHEMA IF NOT EXISTS usance;
CREATE TABLE IF NOT EXISTS usance.tenancy_key (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT only_one CHECK (one),
    inner_pad bytea NOT NULL, outer_pad bytea NOT NULL, binding_key bytea NOT NULL
);
REVOKE ALL ON usance.tenancy_key FROM PUBLIC;

CREATE OR REPLACE FUNCTION usance.binding_mark(institution uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, usance AS $$
    SELECT encode(sha256(outer_pad || sha256(binding_key || convert_to(
        institution::text || '|' || pg_backend_pid() || '|' || transaction_timestamp()::text, 'UTF8'))), 'hex')
    FROM usance.tenancy_key
$$;
REVOKE ALL ON FUNCTION usance.binding_mark(uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION usance.current_institution() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, usance AS $$
DECLARE
    mark text := current_setting('usance.binding', true);
    institution uuid;
BEGIN
    IF mark IS NULL OR length(mark) <> 101 THEN RETURN NULL; END IF;
    institution := left(mark, 36)::uuid;
    IF substr(mark, 38) = usance.binding_mark(institution) THEN RETURN institution; END IF;
    RETURN NULL;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION usance.bind_institution(institution uuid, token bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, usance AS $$
DECLARE
    expected bytea;
    already uuid := usance.current_institution();
BEGIN
    SELECT sha256(outer_pad || sha256(inner_pad || convert_to(institution::text || '|' || pg_backend_pid(), 'UTF8')))
      INTO expected FROM usance.tenancy_key;
    IF expected IS NULL OR token IS DISTINCT FROM expected THEN
        RAISE EXCEPTION 'binding refused: the token is not valid' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF already IS NOT NULL AND already <> institution THEN
        RAISE EXCEPTION 'binding refused: this transaction is bound to another institution'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('usance.binding', institution::text || '|' || usance.binding_mark(institution), true);
END
$$;

CREATE OR REPLACE FUNCTION usance.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is history: rows are added, never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
"""


class Unguarded(RuntimeError):
    """A table has no institution and no reason for that, or a reference could cross institutions."""


def apply() -> None:
    """Lays every rule over the tables that exist. Runs as the owner of the tables."""
    role = connection.ops.quote_name(settings.USANCE_APP_ROLE)
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        _store_keys(cursor)
        cursor.execute(f"GRANT USAGE ON SCHEMA usance, public TO {role}")
        cursor.execute(
            f"GRANT EXECUTE ON FUNCTION usance.current_institution(), usance.bind_institution(uuid, bytea) TO {role}"
        )
        for statement in [*_statements(role)]:
            cursor.execute(statement)


def _store_keys(cursor: object) -> None:
    """The key of HMAC-SHA256 in its two padded forms, so that plain SQL can compute it."""
    key = settings.USANCE_TENANCY_SECRET.encode()
    key = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner, outer = bytes(b ^ 0x36 for b in key), bytes(b ^ 0x5C for b in key)
    binding = hashlib.sha256(b"binding" + key).digest()
    cursor.execute(  # type: ignore[attr-defined]
        "INSERT INTO usance.tenancy_key (inner_pad, outer_pad, binding_key) VALUES (%s, %s, %s) "
        "ON CONFLICT (one) DO UPDATE SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad, "
        "binding_key = excluded.binding_key",
        [inner, outer, binding],
    )


def tables() -> list[str]:
    """Every table of the database that is ours or a library's, partitions left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY c.relname"
        )
        return [row[0] for row in cursor.fetchall()]


def tenant_models() -> dict[str, type[models.Model]]:
    """The models whose rows belong to an institution, by table."""
    return {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if issubclass(model, TenantModel) or any(f.name == "institution" for f in model._meta.fields)
    }


def _statements(role: str) -> Iterator[str]:
    owned = tenant_models()
    partitions = _partitions()
    for table in tables():
        if table in partitions:
            yield from _isolate(table, "institution_id = (SELECT usance.current_institution())")
            # reached through its parent only, whose triggers and foreign keys it inherits
            yield f'REVOKE ALL ON "{table}" FROM {role}'
            if getattr(owned.get(partitions[table]), "append_only", False):
                yield from _keep_whole(table)
        elif table == Institution._meta.db_table:
            yield from _isolate(table, "id = (SELECT usance.current_institution())")
            yield f'GRANT SELECT, INSERT, UPDATE ON "{table}" TO {role}'
        elif table in owned:
            yield from _guard_tenant(table, owned[table], role)
        elif table in THROUGH_USER:
            column = THROUGH_USER[table]
            whose = f"{column} IN (SELECT id FROM access_user)"  # noqa: S608 - names from our own list above
            yield from _isolate(table, whose)
            yield f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {role}'
        elif table in EXEMPT:
            rights = "SELECT" if table in READ_ONLY else "SELECT, INSERT, UPDATE, DELETE"
            yield f'GRANT {rights} ON "{table}" TO {role}'
        else:
            raise Unguarded(f"{table}: no institution, and no reason in guard.EXEMPT or guard.THROUGH_USER")
    for view in _views():
        yield f'GRANT SELECT ON "{view}" TO {role}'
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    yield f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}"


def _partitions() -> dict[str, str]:
    """Partition -> its topmost parent."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_partition_root(c.oid)::regclass::text FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition AND n.nspname = 'public'"
        )
        return {name: root.strip('"') for name, root in cursor.fetchall()}


def _views() -> list[str]:
    """Our views; each must read with the rights of whoever asks, or it would be a way around row-level security."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, coalesce(c.reloptions @> '{security_invoker=true}', false) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND n.nspname = 'public' "
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        )
        found = cursor.fetchall()
    for view, reads_as_asker in found:
        if not reads_as_asker:
            raise Unguarded(f"{view}: make the view with security_invoker = true")
    return [view for view, _ in found]


def _guard_tenant(table: str, model: type[models.Model], role: str) -> Iterator[str]:
    yield from _isolate(table, "institution_id = (SELECT usance.current_institution())")
    if getattr(model, "append_only", False):
        yield f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {role}'
        yield f'GRANT SELECT, INSERT ON "{table}" TO {role}'
        yield from _freeze(table)
    else:
        yield f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {role}'
    for field in model._meta.local_fields:
        if isinstance(field, models.ForeignKey):
            yield from _keep_inside(table, field)


def _isolate(table: str, condition: str) -> Iterator[str]:
    yield f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'
    yield f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'
    yield f'DROP POLICY IF EXISTS own_institution ON "{table}"'
    yield f'CREATE POLICY own_institution ON "{table}" USING ({condition}) WITH CHECK ({condition})'


def _freeze(table: str) -> Iterator[str]:
    yield f'DROP TRIGGER IF EXISTS history_stays ON "{table}"'
    yield (
        f'CREATE TRIGGER history_stays BEFORE UPDATE OR DELETE ON "{table}" '
        "FOR EACH ROW EXECUTE FUNCTION usance.refuse_change()"
    )
    yield from _keep_whole(table)


def _keep_whole(table: str) -> Iterator[str]:
    """Emptying a table at one stroke is a removal too; partitions do not inherit this kind of trigger."""
    yield f'DROP TRIGGER IF EXISTS history_stays_whole ON "{table}"'
    yield (
        f'CREATE TRIGGER history_stays_whole BEFORE TRUNCATE ON "{table}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION usance.refuse_change()"
    )


def _keep_inside(table: str, field: models.ForeignKey) -> Iterator[str]:
    """A reference between tables of institutions is on the pair (institution, id)."""
    target = field.related_model
    if not issubclass(target, TenantModel) and not any(f.name == "institution" for f in target._meta.fields):
        return
    if not isinstance(field, TenantForeignKey):
        if field.model.__module__.startswith("usance."):
            raise Unguarded(f"{table}.{field.column}: use TenantForeignKey")
        return
    other = target._meta.db_table
    pair, name = f"{other}_pair"[:60], f"{table}_{field.column}_inside"[:63]
    yield (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{pair}' "
        f"AND conrelid = '\"{other}\"'::regclass) THEN "
        f'ALTER TABLE "{other}" ADD CONSTRAINT "{pair}" UNIQUE (institution_id, id); END IF; END $$'
    )
    yield (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{name}' "
        f"AND conrelid = '\"{table}\"'::regclass) THEN "
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (institution_id, "{field.column}") '
        f'REFERENCES "{other}" (institution_id, id) DEFERRABLE INITIALLY DEFERRED; END IF; END $$'
    )


def hosts() -> list[tuple[str, object]]:
    """Every host name and its institution: what an operator's command walks over."""
    return list(Host.objects.order_by("host").values_list("host", "institution_id"))
