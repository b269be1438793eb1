"""The whole product on ports of its own, for browser tests: web server, worker, sandboxes, a demo database."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from psycopg import sql

from tests.support import database
from tests.support.environment import PROJECT
from usance.config import home, schema, services
from usance.config.database import APP, OWNER
from usance.config.processes import free_port
from usance.config.supervisor import Supervisor

# in the clear, on this machine: else each question reads the certificates of the whole world first
PLAINLY: dict[str, Any] = {"timeout": 30, "verify": False}


@dataclass(frozen=True)
class Site:
    """A running site. `database`: the name of its database, to which the test's own Django connection points too."""

    web_port: int
    sandbox_port: int
    database: str
    home: Path

    @property
    def logins(self) -> str:
        """Whom the demo staff sign in as: the text that `usance run` prints."""
        return (self.home / "demo-logins.txt").read_text(encoding="utf-8")

    def url(self, code: str, path: str = "/") -> str:
        """An address of the institution `code` (vn, ua, eu)."""
        return f"http://{code}.localhost:{self.web_port}{path}"

    def sandbox(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.sandbox_port}{path}"

    def messages(self, *, to: str = "", channel: str = "", after: int = 0) -> list[dict[str, Any]]:
        """What the sandbox's inbox holds, newest first. `to`: a part of the phone number or address."""
        asked: dict[str, str | int] = {"to": to.lstrip("+"), "channel": channel, "after": after}
        found: list[dict[str, Any]] = httpx.get(self.sandbox("/inbox/api"), params=asked, **PLAINLY).json()
        return found

    def dial(self, **fault: Any) -> None:
        """Make the sandbox provider misbehave: see the faults of usance.adapters.sandbox."""
        httpx.post(self.sandbox("/dials/api"), json={"add": [fault]}, **PLAINLY).raise_for_status()

    def calm(self) -> None:
        """Fair weather again."""
        httpx.post(self.sandbox("/dials/api"), json={"faults": []}, **PLAINLY).raise_for_status()


def _source_mark() -> str:
    """A hash of everything that could change what the demo institutions are: pages cannot."""
    digest = sha256(schema.mark().encode())
    package = PROJECT / "src" / "usance"
    for path in sorted(package.glob("**/*")):
        if path.is_relative_to(package / "web"):
            continue
        if path.suffix in {".py", ".json", ".csv", ".typ"} and path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def demo_template() -> str:
    """The name of a database with the demo institutions, their products and staff, and no life yet."""
    name = f"demo_{_source_mark()}"
    with home.locked(database.cluster().home / "run" / "demo.lock"), database.superuser() as admin:
        known = [
            row[0] for row in admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^demo_[0-9a-f]{16}$'")
        ]
        if name in known:
            return name
        making = database.clone()
        _logins(name).parent.mkdir(exist_ok=True)
        seed = [sys.executable, "-m", "django", "seed_demo", "--bare"]
        environment = _environment(making) | {"USANCE_HOME": str(_logins(name).parent)}
        done = subprocess.run(seed, env=environment, cwd=PROJECT, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"seed_demo failed:\n{done.stdout}\n{done.stderr}")
        for old in known:
            database.drop_if_unused(old)
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name)))
    return name


def _logins(name: str) -> Path:
    """Where seed_demo wrote whom the staff of that database sign in as."""
    return database.cluster().home / name / "demo-logins.txt"


def _environment(name: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database.address(APP, name),
        "DATABASE_OWNER_URL": database.address(OWNER, name),
    }


@contextmanager
def looked_into(site: Site) -> Iterator[Site]:
    """The test's own Django connection, files, queue and clock are those of the site, whatever other tests put there:
    a job that the test orders is done by the site's worker."""
    from django.db import transaction
    from django.test import override_settings
    from procrastinate.contrib.django import app

    from usance.adapters.procrastinate_queue import ProcrastinateQueue
    from usance.apps.institutions import tenancy
    from usance.ports import clock, queue

    was_queue = queue.install(ProcrastinateQueue(app, whose=tenancy.current_id, savepoint=transaction.atomic))
    was_clock = clock.install(clock.RealClock())
    try:
        with override_settings(MEDIA_ROOT=site.home / "documents"), database.pointed_to(site.database):
            yield site
    finally:
        clock.install(was_clock)
        if was_queue:
            queue.install(was_queue)


@contextmanager
def running() -> Iterator[Site]:
    """Start everything on a fresh clone of the demo template; all of it is gone at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="usance-site-") as folder,
        database.own_database(demo_template()) as name,
        Supervisor(log_folder=Path(folder), say=print) as supervisor,
    ):
        site = Site(free_port(), free_port(), name, Path(folder))
        extra = _environment(name) | services.addresses(web_port=site.web_port, sandbox_port=site.sandbox_port)
        extra["USANCE_HOME"] = folder
        shutil.copy(_logins(demo_template()), folder)
        for part in (
            services.sandbox(port=site.sandbox_port, home=site.home),
            services.web(host="127.0.0.1", port=site.web_port),
            services.worker(1),
        ):
            supervisor.start(part.with_environment(extra))
        supervisor.wait_until_answering(seconds=60)
        yield site
