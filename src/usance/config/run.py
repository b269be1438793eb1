"""`usance run`: the whole product from one command."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from usance.config import database, home, schema, services
from usance.config.obstacles import Obstacle, writing_to
from usance.config.processes import Keeper, end_groups, port_is_free, spawn
from usance.config.progress import say, step
from usance.config.supervisor import Supervisor

SITES = ("vn", "ua", "eu")
SEEDING, SEEDED = "usance demo: seeding", "usance demo: seeded"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    number = int(os.environ.get("PORT", services.WEB_PORT))
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)"
    )
    parser.add_argument(
        "--port", type=int, default=number, help="port of the web server (default: PORT, or %(default)s)"
    )
    parser.add_argument("--sandbox-port", type=int, help="port of the provider sandboxes (default: the next one)")
    parser.add_argument(
        "--workers",
        type=int,
        default=int(os.environ.get("USANCE_WORKERS", "2")),
        help="worker processes (default: %(default)s)",
    )
    parser.add_argument("--no-demo", action="store_true", help="no demo institutions and no sandboxes")


def main(args: argparse.Namespace) -> int:
    """Start, say where everything is, tend until Ctrl-C. Returns 0 after a clean stop."""
    sandbox_port = args.sandbox_port or args.port + 1
    began = time.monotonic()
    with suppress(_Stop), _stopping_on_signals(), _only_one():
        folder = home.prepare(home.home())
        _check_ports(args.host, [args.port] + ([] if args.no_demo else [sandbox_port]))
        site = services.addresses(web_port=args.port, sandbox_port=sandbox_port) | {
            "USANCE_DEMO": "0" if args.no_demo else "1"
        }
        if args.no_demo:
            site["USANCE_SANDBOX_URL"] = ""  # no sandbox, so no keys of one either
        services.remember(folder, site)
        os.environ.update(site)
        os.environ["USANCE_HOME"] = str(folder)
        with _database(), Supervisor(log_folder=folder / "log", say=say) as supervisor:
            if not args.no_demo:
                supervisor.start(services.sandbox(port=sandbox_port, home=folder))
            _migrate()
            if not args.no_demo:
                supervisor.wait_until_answering(seconds=30)
                _seed()
            with step("web server and workers"):
                supervisor.start(services.web(host=args.host, port=args.port))
                for number in range(1, args.workers + 1):
                    supervisor.start(services.worker(number))
                supervisor.wait_until_answering(seconds=60)
            _welcome(folder, args.port, sandbox_port, demo=not args.no_demo, seconds=time.monotonic() - began)
            while True:
                supervisor.tend()
                time.sleep(0.5)
    say("\nStopped. The data is kept.")
    return 0


# --- stopping and starting cleanly -------------------------------------------------------------------


class _Stop(BaseException):
    """Ctrl-C, SIGTERM, or the terminal is gone."""


@contextmanager
def _stopping_on_signals() -> Iterator[None]:
    def stop(*_: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # once is enough; the end takes a few seconds
        raise _Stop

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    yield


@contextmanager
def _only_one() -> Iterator[None]:
    """One `usance run` for one state folder. The operating system frees the lock when we die."""
    path = home.prepare(home.home()) / "run" / "run.lock"
    with writing_to(path.parent):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise Obstacle(
                "usance is already running on this data.",
                "Use that one, stop it with Ctrl-C, or set USANCE_HOME to another folder.",
            ) from None
        yield
    finally:
        os.close(handle)


def _check_ports(host: str, ports: Sequence[int]) -> None:
    for port in ports:
        if not port_is_free(host, port):
            raise Obstacle(
                f"Port {port} is taken by another program.",
                f"Stop that program, or choose other ports: `make run PORT={port + 100}`.",
            )


@contextmanager
def _database() -> Iterator[None]:
    context = database.available()
    with step("database"):
        context.__enter__()
    try:
        yield
    finally:
        context.__exit__(None, None, None)


# --- preparing the data ------------------------------------------------------------------------------


def _migrate() -> None:
    with database.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        if schema.is_current(owner):
            return
        with step("tables"):
            _django("migrate", "--no-input", "-v0", owner=True)
            _django("upgrade")
            schema.write(owner, schema.mark())


def _django(*words: str, owner: bool = False, show: bool = False) -> None:
    """One of Django's commands in a process of its own; ended with us. Raises Obstacle when it fails."""
    log_path = home.home() / "log" / f"{words[0]}.log"
    keeper = Keeper()
    with log_path.open("wb") as log:
        process = spawn(
            [sys.executable, "-m", "django", *words],
            env=os.environ
            | {"DJANGO_SETTINGS_MODULE": "usance.config.settings"}
            | ({"USANCE_DB_ROLE": "owner"} if owner else {}),
            output=None if show else log,
        )
        keeper.watch(process.pid)
        try:
            status = process.wait()
        finally:
            end_groups([process.pid])
            keeper.forget(process.pid)
            keeper.close()
    if status != 0:
        where = "Its words are above." if show else f"The whole output is in {log_path}."
        raise Obstacle(f"`usance manage {' '.join(words)}` failed: {_last_line(log_path) or f'status {status}'}", where)


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _seed() -> None:
    """Demo institutions, when there is no institution at all. A seeding that was cut off is begun anew."""
    with database.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        mark = owner.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        )
        row = mark.fetchone()
        state = row[0] if row else None
        hosts = owner.execute("SELECT count(*) FROM institutions_host").fetchone()
    if state == SEEDING:
        raise Obstacle(
            "The making of the demo institutions was cut off the last time, so they are half made.",
            "Run `make reset` and start again (on a database of your own: drop and create it).",
        )
    if state == SEEDED or (hosts and hosts[0]):
        return
    _mark(SEEDING)
    with step("demo institutions and their first months"):
        _django("seed_demo", show=True)
    _mark(SEEDED)


def _mark(state: str) -> None:
    with database.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        name = owner.info.dbname
        owner.execute(f"COMMENT ON DATABASE \"{name}\" IS '{state}'")


def _welcome(folder: Path, port: int, sandbox_port: int, *, demo: bool, seconds: float) -> None:
    say(f"\nusance is running (started in {seconds:.0f} s).\n")
    if demo:
        for code in SITES:
            say(
                f"  {code}.localhost   borrowers http://{code}.localhost:{port}/   staff http://{code}.localhost:{port}/staff/"
            )
        say(f"\n  provider sandboxes (inbox, cards, faults)   http://127.0.0.1:{sandbox_port}/")
        logins = folder / "demo-logins.txt"
        if logins.exists():
            say("\n" + logins.read_text(encoding="utf-8").rstrip())
    else:
        say(f"  http://127.0.0.1:{port}/")
    say(f"\n  data {folder}   logs {folder / 'log'}\n\nCtrl-C stops everything.")
