"""Databases for tests: one embedded server, one migrated template, a clone of it in milliseconds.

The server is shared by all workers of all runs of this checkout and ends with the last of them (also after a kill).
The template is named after a hash of what makes the schema, so that the next run finds it made.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psycopg
from django.db import connections
from psycopg import sql

from tests.support.environment import ENVIRONMENT, PASSWORD, PROJECT
from usance.config import database, home, postgres, schema

KEPT_TEMPLATES = 4
ROOM = 3 * 1024**3  # bytes; a whole run takes about one third of it
_numbers = itertools.count()


@functools.cache
def cluster() -> postgres.Cluster:
    """In memory where there is room. Databases come and go by the hundred, each of more than a thousand files, and a
    disk's file system is slow to give out anew what was just deleted: ext4 makes a clone in 0.7 s, memory in 0.05 s."""
    name = f"usance-tests-{sha256(f'{PROJECT} {os.getuid()}'.encode()).hexdigest()[:10]}"
    memory = Path("/dev/shm")
    is_there = memory.is_dir() and os.access(memory, os.W_OK) and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    fits = is_there and ((memory / name).exists() or shutil.disk_usage(memory).free > ROOM)
    return postgres.Cluster((memory if fits else Path(tempfile.gettempdir())) / name, for_tests=True)


@functools.cache
def port() -> int:
    """Start or join the server; it is let go when this process ends."""
    claim = postgres.hold(cluster(), PASSWORD)
    atexit.register(claim.close)
    return claim.port


def address(role: str, name: str) -> str:
    return database.url(role=role, password=PASSWORD, host="127.0.0.1", port=port(), database=name)


def superuser(name: str = "postgres") -> psycopg.Connection:
    """A connection that row-level security does not bind: for looking behind the application's back, and tampering."""
    return psycopg.connect(address(postgres.SUPERUSER, name), autocommit=True)


@functools.cache
def template() -> str:
    """The name of the migrated, empty template; made when no earlier run has made it."""
    mark = schema.mark()
    with home.locked(cluster().home / "run" / f"template-{mark}.lock"), superuser() as admin:
        known = _templates(admin)
        found = [name for name in known if name.endswith(mark)]
        if found:
            return found[0]
        _sweep(admin, known)
        name = f"template_{int(time.time())}_{mark}"
        _make_template(admin, name)
        return name


def _templates(admin: psycopg.Connection) -> list[str]:
    rows = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%\\_%' ORDER BY datname DESC")
    return [row[0] for row in rows]


def _sweep(admin: psycopg.Connection, templates: list[str]) -> None:
    """Drop old templates, and clones of runs that died."""
    for name in templates[KEPT_TEMPLATES:]:
        drop_if_unused(name)
    for (name,) in admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^(test|making)_[0-9]+'").fetchall():
        owner = int(re.findall(r"[0-9]+", name)[0])
        if not _alive(owner):
            drop(name)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _make_template(admin: psycopg.Connection, name: str) -> None:
    making = f"making_{os.getpid()}"
    drop(making)
    database.bootstrap(admin, database=making, owner_password=PASSWORD, app_password=PASSWORD)
    done = subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--no-input", "-v0"],
        env=os.environ
        | ENVIRONMENT
        | {"USANCE_DB_ROLE": "owner", "DATABASE_OWNER_URL": address(database.OWNER, making)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The migrations failed:\n{done.stdout}\n{done.stderr}")
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name)))


def clone(source: str | None = None) -> str:
    """A new database, a copy of the template (or of another database that nobody is connected to). Returns its name."""
    origin = source or template()
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with superuser() as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER {}").format(
                sql.Identifier(name), sql.Identifier(origin), sql.Identifier(database.OWNER)
            )
        )
        database.grant_connect(admin, name)
    return name


def drop(name: str) -> None:
    with superuser() as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_if_unused(name: str) -> None:
    """Drop it unless somebody is connected to it or copies it at this moment."""
    with superuser() as admin, contextlib.suppress(psycopg.errors.ObjectInUse):
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


@contextlib.contextmanager
def pointed_to(name: str) -> Iterator[str]:
    """Point Django's connection to that database, as `usance_app`, for the length of the block. Yields the address."""
    target = {"NAME": name, "USER": database.APP, "PASSWORD": PASSWORD, "HOST": "127.0.0.1", "PORT": str(port())}
    settings = connections.settings["default"]
    before = {key: settings[key] for key in target}
    connections["default"].close()
    settings.update(target)
    connections["default"].settings_dict.update(target)
    try:
        yield address(database.APP, name)
    finally:
        connections["default"].close()
        settings.update(before)
        connections["default"].settings_dict.update(before)


@contextlib.contextmanager
def own_database(source: str | None = None) -> Iterator[str]:
    """A clone for the length of the block. Yields its name."""
    name = clone(source)
    try:
        yield name
    finally:
        drop(name)
