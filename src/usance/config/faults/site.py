"""The running product for a storm: a database made for it and for nothing else, and real processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from usance.config import database, postgres, schema, services
from usance.config import home as homes
from usance.config.faults import points
from usance.config.faults.storm import PATIENCE_S, Storm
from usance.config.faults.tally import Tally
from usance.config.obstacles import Obstacle
from usance.config.processes import free_port
from usance.config.shifted_clock import ShiftedClock
from usance.config.supervisor import Service, Supervisor

NAME = "usance_faults"
WORKERS = 2
FOREIGN = ("FONDY_", "ESPUTNIK_", "USANCE_TLS", "USANCE_DB_POOL", "USANCE_DB_ROLE")


class NotHere(Obstacle):
    """Faults are injected into nothing but a database that this command has made itself."""


@dataclass
class Site:
    """A running site. `database`: its name; `admin`: the address of a superuser in it."""

    home: Path
    database: str
    admin: str
    book: Path
    clock: ShiftedClock
    tripwires: Path
    storm: Storm
    supervisor: Supervisor
    web_port: int

    def superuser(self) -> psycopg.Connection:
        """A connection that sees everything, whatever the product thinks of it."""
        return psycopg.connect(self.admin, autocommit=True)

    def lay(self, point: str) -> None:
        """The next worker that comes by this point dies there."""
        (self.tripwires / point).touch()

    def lies(self, point: str) -> bool:
        return (self.tripwires / point).exists()


def refuse_elsewhere(server: str) -> None:
    """Raises NotHere where something could be hit that is not ours."""
    if os.environ.get("DATABASE_URL") and not server:
        raise NotHere(
            "DATABASE_URL names a database, and faults are injected only into one that `usance faults` makes itself.",
            "Unset DATABASE_URL and run it again; it starts a database of its own.",
        )
    if server and urlsplit(server).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise NotHere(
            "Faults are injected on this machine only, and the server is on another one.",
            "Leave --server out; `usance faults` starts a database of its own.",
        )


@contextmanager
def server_of(folder: Path, given: str) -> Iterator[str]:
    """The address of a superuser of a database server: the given one, or our own."""
    if given:
        yield given
        return
    with postgres.held(postgres.Cluster(folder), os.environ[homes.SUPER_PASSWORD]) as claim:
        yield database.url(
            role=postgres.SUPERUSER,
            password=os.environ[homes.SUPER_PASSWORD],
            host="127.0.0.1",
            port=claim.port,
            database="postgres",
        )


@contextmanager
def own_database(server: str, template: str, keep: bool) -> Iterator[str]:
    """A new database, empty or cloned from a template; gone at the end unless it is to be kept. Yields its name."""
    name = f"{NAME}_{os.getpid()}_{time.monotonic_ns() % 10**9}"
    owner, app = os.environ[homes.OWNER_PASSWORD], os.environ[homes.APP_PASSWORD]
    with database.connect(server) as admin:
        if template:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(template), sql.Identifier(database.OWNER)
                )
            )
            database.grant_connect(admin, name)
        else:
            database.bootstrap(admin, database=name, owner_password=owner, app_password=app)
    try:
        yield name
    finally:
        if not keep:
            with database.connect(server) as admin:
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def point_to(server: str, name: str, *, storm_port: int, web_port: int, folder: Path) -> None:
    """Our own environment, and that of all processes that we start, names this site and nothing else."""
    for variable in list(os.environ):
        if variable.startswith(FOREIGN):
            del os.environ[variable]
    where = urlsplit(server)
    for variable, role, password in (
        ("DATABASE_URL", database.APP, os.environ[homes.APP_PASSWORD]),
        ("DATABASE_OWNER_URL", database.OWNER, os.environ[homes.OWNER_PASSWORD]),
    ):
        os.environ[variable] = database.url(
            role=role, password=password, host=where.hostname or "127.0.0.1", port=where.port or 5432, database=name
        )
    os.environ |= services.addresses(web_port=web_port, sandbox_port=storm_port) | {
        "USANCE_CALLBACK_URL": f"http://127.0.0.1:{storm_port}",
        "USANCE_DEMO": "1",
        "USANCE_HOME": str(folder),
        "USANCE_CLOCK_FILE": str(folder / "clock"),
        "FONDY_READ_TIMEOUT_S": str(PATIENCE_S),
        points.TRIPWIRES: str(folder / "tripwires"),
    }


def migrate(name: str) -> None:
    """The tables, unless they came with a template."""
    with database.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        if schema.is_current(owner) or owner.execute("SELECT to_regnamespace('usance') IS NOT NULL").fetchone() == (
            True,
        ):
            return
    done = subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--no-input", "-v0"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "usance.config.settings", "USANCE_DB_ROLE": "owner"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Obstacle(f"The tables of {name} could not be made: {done.stderr.strip()[-300:]}", "See above.")


def processes(sandbox_port: int, web_port: int, folder: Path) -> list[Service]:
    """What `usance run` starts, but for the workers' tripwires."""
    worker = [sys.executable, "-m", "usance.config.faults.points"]
    return [
        services.sandbox(port=sandbox_port, home=folder),
        services.web(host="127.0.0.1", port=web_port),
        *(Service(f"worker-{number}", worker) for number in range(1, WORKERS + 1)),
    ]


@contextmanager
def prepared(*, folder: Path, server: str, template: str, keep: bool, tally: Tally) -> Iterator[Site]:
    """Database, proxy and environment; the processes are started by `start`, once the lenders are founded."""
    shutil.rmtree(folder / "tripwires", ignore_errors=True)
    shutil.rmtree(folder / "sandbox", ignore_errors=True)
    (folder / "tripwires").mkdir()
    (folder / "sandbox").mkdir()
    (folder / "clock").write_text("0")
    web_port, sandbox_port, storm_port = free_port(), free_port(), free_port()
    with server_of(folder, server) as address, own_database(address, template, keep) as name:
        point_to(address, name, storm_port=storm_port, web_port=web_port, folder=folder)
        migrate(name)
        storm = Storm(port=storm_port, provider_port=sandbox_port, product_port=web_port, tally=tally)
        with Supervisor(log_folder=folder / "log", say=lambda line: None, longest_pause_s=0.2) as supervisor:
            site = Site(
                home=folder, database=name, admin=database.with_database(address, name),
                book=folder / "sandbox" / "book.sqlite3", clock=ShiftedClock(folder / "clock"),
                tripwires=folder / "tripwires", storm=storm, supervisor=supervisor, web_port=web_port,
            )  # fmt: skip
            try:
                yield site
            finally:
                storm.close()


def start(site: Site) -> None:
    """Starts the processes and waits until they answer."""
    for service in processes(site.storm.provider_port, site.web_port, site.home):
        site.supervisor.start(service)
    site.supervisor.wait_until_answering(seconds=90)
