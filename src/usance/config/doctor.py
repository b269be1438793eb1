"""`usance doctor`: what is configured, what answers, what does not, and what to do about it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg

from usance.config import database, home, outside, postgres, services
from usance.config.finding import FAULT, GOOD, NOTE, Finding
from usance.config.obstacles import Obstacle

TIMEOUT_S = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("PORT", services.WEB_PORT)),
        help="where the web server should answer",
    )
    parser.add_argument("--sandbox-port", type=int, help="where the sandboxes should answer (default: the next port)")


def main(args: argparse.Namespace) -> int:
    """Print the report; 1 when anything is at fault."""
    faults = 0
    for finding in examine(args.port, args.sandbox_port or args.port + 1):
        faults += finding.level == FAULT
        print(f"{finding.level:5}  {finding.subject}: {finding.text}")
        if finding.remedy:
            print(f"       -> {finding.remedy}")
    print("\nNothing is at fault." if not faults else f"\n{faults} at fault.")
    return 1 if faults else 0


def examine(port: int, sandbox_port: int) -> Iterator[Finding]:
    """All findings, from the ground up; what stands on something broken is not examined."""
    yield python()
    folder = home.home()
    try:
        services.recall(home.prepare(folder))
        yield Finding(GOOD, "state folder", f"{folder}, {shutil.disk_usage(folder).free // 2**20} MB free")
        yield from secrets(folder)
        yield from front_end()
        with database.available():
            yield from the_database()
            yield from the_queue()
            yield from outside.findings()
    except Obstacle as obstacle:
        yield Finding(FAULT, "start", obstacle.fact, obstacle.remedy)
    yield address("web server", f"http://127.0.0.1:{port}/health/ready", "Start it with `make run`.")
    yield address(
        "sandboxes", f"http://127.0.0.1:{sandbox_port}/", "`make run` starts them too; a real installation needs none."
    )


def python() -> Finding:
    text = f"{sys.version.split()[0]} in {sys.prefix}"
    return Finding(GOOD, "Python", text)


def secrets(folder: Path) -> Iterator[Finding]:
    """Where each secret comes from; never the secret."""
    path = folder / "secrets.env"
    known = home.read_env_file(path)
    given = [name for name in home.secret_names() if os.environ.get(name) and name not in known]
    if path.exists() and path.stat().st_mode & 0o077:
        yield Finding(FAULT, "secrets", f"{path} can be read by others", f"chmod 600 {path}")
    elif known:
        yield Finding(
            GOOD,
            "secrets",
            f"{len(known)} from {path}" + (f", {', '.join(given)} from the environment" if given else ""),
        )
    elif given:
        yield Finding(GOOD, "secrets", f"{', '.join(given)} from the environment")
    else:
        yield Finding(NOTE, "secrets", "none yet", "The first start makes them.")


def front_end() -> Iterator[Finding]:
    package = Path(__file__).resolve().parents[1]
    if (package / "web" / "static" / "dist" / "manifest.json").exists():
        yield Finding(GOOD, "front end", "built")
    else:
        yield Finding(FAULT, "front end", "not built", "Run `make setup`.")
    missing = [path for path in (package / "locale").glob("*/LC_MESSAGES/*.po") if not path.with_suffix(".mo").exists()]
    if missing:
        yield Finding(FAULT, "translations", f"{len(missing)} not compiled", "Run `make setup`.")


# --- database ----------------------------------------------------------------------------------------


def the_database() -> Iterator[Finding]:
    """Inside `database.available()`: it answers; look at version, roles, tables and their guard."""
    embedded = postgres.Cluster(home.home())
    kind = "embedded" if str(embedded.home) and postgres.is_running(embedded) else "outside"
    with closing(database.connect(os.environ["DATABASE_URL"])) as app:
        version = app.info.server_version // 10000
        shown = database.without_password(os.environ["DATABASE_URL"])
        if version < 18:
            yield Finding(FAULT, "database", f"{shown} is PostgreSQL {version}", "usance needs 18 or newer.")
        else:
            yield Finding(GOOD, "database", f"{kind} PostgreSQL {version} answers at {shown}")
        yield from _role(app)
    yield _migrations()
    with closing(database.connect(os.environ["DATABASE_OWNER_URL"])) as owner:
        yield _guard(owner)


def _role(app: psycopg.Connection) -> Iterator[Finding]:
    row = app.execute(
        "SELECT rolname, rolsuper, rolbypassrls, (SELECT count(*) FROM pg_class WHERE relowner = r.oid) "
        "FROM pg_roles r WHERE rolname = current_user"
    ).fetchone()
    assert row is not None
    name, superuser, bypasses, owns = row
    if superuser or bypasses or owns:
        yield Finding(
            FAULT,
            "application's role",
            f"{name} could see every row (superuser: {superuser}, bypassrls: {bypasses}, owns {owns} tables)",
            "DATABASE_URL must be that of usance_app when DATABASE_OWNER_URL is given; or give DATABASE_URL alone.",
        )
    else:
        yield Finding(GOOD, "application's role", f"{name} owns nothing and cannot bypass row-level security")


def _migrations() -> Finding:
    done = subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--check"],
        env=os.environ
        | {"USANCE_DB_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "usance.config.settings", "USANCE_LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return Finding(GOOD, "tables", "as this version wants them")
    words = [line for line in done.stderr.splitlines() if line.strip()]
    detail = f" ({words[-1][:200]})" if words else ""
    return Finding(
        FAULT,
        "tables",
        f"older than this version{detail}",
        "Run `usance manage migrate`, or `make run`, which does it too.",
    )


def _guard(owner: psycopg.Connection) -> Finding:
    row = owner.execute(
        "SELECT count(*) FILTER (WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity)), count(*) FROM pg_class c "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'institution_id' "
        "WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'institutions_host'"
    ).fetchone()
    open_tables, all_tables = row if row else (0, 0)
    if not all_tables:
        return Finding(NOTE, "row-level security", "there are no tables yet")
    if open_tables:
        return Finding(
            FAULT,
            "row-level security",
            f"{open_tables} of {all_tables} tables are unguarded",
            "Run `usance manage migrate`.",
        )
    return Finding(GOOD, "row-level security", f"forced on all {all_tables} tables of institutions")


def the_queue() -> Iterator[Finding]:
    """Workers that show signs of life, and what waits."""
    with closing(database.connect(os.environ["DATABASE_URL"])) as app:
        try:
            alive = app.execute(
                "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 s'"
            ).fetchone()
            rows = app.execute(
                "SELECT count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()), "
                "count(*) FILTER (WHERE status = 'failed') FROM procrastinate_jobs"
            ).fetchone()
        except psycopg.errors.UndefinedTable:
            yield Finding(NOTE, "queue", "its tables are not there yet", "Run `usance manage migrate`.")
            return
    workers = alive[0] if alive else 0
    waiting, failed = rows if rows else (0, 0)
    if workers:
        yield Finding(GOOD, "workers", f"{workers} alive, {waiting} jobs due")
    else:
        level = FAULT if waiting else NOTE
        yield Finding(
            level, "workers", f"none alive, {waiting} jobs due", "`make run` starts them; alone: `usance worker`."
        )
    if failed:
        yield Finding(
            NOTE,
            "failed jobs",
            f"{failed} gave up",
            "The staff site lists them with their reasons and can run them again.",
        )


def address(subject: str, url: str, remedy: str) -> Finding:
    """Whether an HTTP address answers with success."""
    try:
        status = httpx.get(url, timeout=TIMEOUT_S).status_code
    except httpx.HTTPError:
        return Finding(NOTE, subject, f"nothing answers at {url}", remedy)
    if status >= 500:
        return Finding(FAULT, subject, f"{url} answers with status {status}", f"See the logs in {home.home() / 'log'}.")
    return Finding(GOOD, subject, f"{url} answers")
