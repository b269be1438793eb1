"""Roles and databases: who owns, who works. The bootstrap of any server, embedded or given by DATABASE_URL.

Two roles. `usance_owner` owns the database and everything in it and runs the migrations; `usance_app` owns nothing,
cannot bypass row-level security, and is what web server and workers connect as.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from usance.config import home as homes
from usance.config import postgres
from usance.config.obstacles import Obstacle

OWNER = "usance_owner"
APP = "usance_app"
DATABASE = "usance"
LEAST_VERSION = 180000


def url(*, role: str, password: str, host: str, port: int, database: str = DATABASE) -> str:
    return f"postgresql://{quote(role)}:{quote(password, safe='')}@{host}:{port}/{database}"


def with_database(address: str, name: str) -> str:
    """The same address, another database."""
    return urlunsplit(urlsplit(address)._replace(path=f"/{name}"))


def _with_role(address: str, role: str, password: str, database: str) -> str:
    parts = urlsplit(address)
    where = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password, safe='')}@{where}", path=f"/{database}"))


def without_password(address: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(address)
    where = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{where}" if parts.username else where, query=""))


def connect(address: str) -> psycopg.Connection:
    """An autocommit connection, or an Obstacle that says in one sentence why there is none."""
    try:
        return psycopg.connect(address, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        shown = without_password(address)
        reason = " ".join(str(error).split())
        if "password authentication failed" in reason:
            raise Obstacle(
                f"The database {shown} refuses the password.",
                "Check DATABASE_URL; for the embedded database, put back its secrets.env, or run `make reset`.",
            ) from error
        raise Obstacle(
            f"The database {shown} cannot be reached ({reason}).",
            "Start that server or correct DATABASE_URL; without DATABASE_URL usance starts a database of its own.",
        ) from error


def bootstrap(admin: psycopg.Connection, *, database: str, owner_password: str, app_password: str) -> None:
    """Create or correct the two roles and the database; safe to repeat. `admin` may create roles and databases."""
    if admin.info.server_version < LEAST_VERSION:
        raise Obstacle(
            f"The database server is PostgreSQL {admin.info.server_version // 10000}; usance needs 18 or newer.",
            "Point DATABASE_URL to a newer server, or unset it to use the embedded one.",
        )
    try:
        for role, password in ((OWNER, owner_password), (APP, app_password)):
            _ensure_role(admin, role, password)
        _ensure_database(admin, database)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Obstacle(
            f"The role {admin.info.user} may not create roles or databases.",
            "Give DATABASE_URL a role that may (CREATEROLE CREATEDB), or create both roles yourself and set "
            "DATABASE_OWNER_URL (usance_owner) and DATABASE_URL (usance_app).",
        ) from error


def _ensure_role(admin: psycopg.Connection, role: str, password: str) -> None:
    known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    admin.execute(
        sql.SQL("{verb} ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD {password}").format(
            verb=sql.SQL("ALTER" if known else "CREATE"), role=sql.Identifier(role), password=sql.Literal(password)
        )
        if not known or _is_superuser(admin)
        else sql.SQL("ALTER ROLE {role} LOGIN PASSWORD {password}").format(
            role=sql.Identifier(role), password=sql.Literal(password)
        )
    )


def _is_superuser(admin: psycopg.Connection) -> bool:
    row = admin.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def _ensure_database(admin: psycopg.Connection, database: str) -> None:
    if not _is_superuser(admin):
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH SET TRUE").format(sql.Identifier(OWNER)))
    if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                sql.Identifier(database), sql.Identifier(OWNER)
            )
        )
    grant_connect(admin, database)


def grant_connect(admin: psycopg.Connection, database: str) -> None:
    """Nobody but our two roles may enter the database."""
    name = sql.Identifier(database)
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    # temporary tables: bulk work goes by COPY into one, then INSERT ... SELECT under row-level security
    admin.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, sql.Identifier(APP)))


@contextmanager
def available() -> Iterator[None]:
    """Have a bootstrapped database for the length of the block, its addresses in the environment.

    DATABASE_URL and DATABASE_OWNER_URL both given: taken as they are (our two roles exist). DATABASE_URL alone: a role
    that may create roles and databases; we bootstrap there. None: the embedded server, started when it does not run.
    Sets DATABASE_URL (usance_app) and DATABASE_OWNER_URL (usance_owner). Raises Obstacle.
    """
    folder = homes.prepare(homes.home())
    homes.load_secrets(folder)
    before = {key: os.environ.get(key) for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    try:
        if before["DATABASE_URL"] and before["DATABASE_OWNER_URL"]:
            connect(before["DATABASE_URL"]).close()
            yield
        elif before["DATABASE_URL"]:
            _bootstrap_outside(before["DATABASE_URL"])
            yield
        else:
            with postgres.held(postgres.Cluster(folder), os.environ[homes.SUPER_PASSWORD]) as claim:
                _bootstrap_embedded(claim.port, os.environ[homes.SUPER_PASSWORD])
                yield
    finally:
        for key, value in before.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value


def _bootstrap_outside(address: str) -> None:
    database = urlsplit(address).path.strip("/") or DATABASE
    if database in ("postgres", "template1"):
        database = DATABASE
    owner, app = os.environ[homes.OWNER_PASSWORD], os.environ[homes.APP_PASSWORD]
    with connect(with_database(address, "postgres")) as admin:
        bootstrap(admin, database=database, owner_password=owner, app_password=app)
    os.environ["DATABASE_URL"] = _with_role(address, APP, app, database)
    os.environ["DATABASE_OWNER_URL"] = _with_role(address, OWNER, owner, database)


def _bootstrap_embedded(port: int, super_password: str) -> None:
    owner, app = os.environ[homes.OWNER_PASSWORD], os.environ[homes.APP_PASSWORD]
    address = url(role=postgres.SUPERUSER, password=super_password, host="127.0.0.1", port=port, database="postgres")
    with connect(address) as admin:
        bootstrap(admin, database=DATABASE, owner_password=owner, app_password=app)
    os.environ["DATABASE_URL"] = url(role=APP, password=app, host="127.0.0.1", port=port)
    os.environ["DATABASE_OWNER_URL"] = url(role=OWNER, password=owner, host="127.0.0.1", port=port)
