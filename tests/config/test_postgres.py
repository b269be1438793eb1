"""The embedded PostgreSQL: made once, shared, restarted after a crash, gone with its last holder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.config.test_processes import lives, until
from usance.config import database, home, postgres
from usance.config.obstacles import Obstacle

HOLDER = """
import pathlib, sys, time
from usance.config import postgres
claim = postgres.hold(postgres.Cluster(pathlib.Path(sys.argv[1]), for_tests=True), "secret")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    with tempfile.TemporaryDirectory(prefix="usance-pg-") as folder:
        Path(folder).chmod(0o755)
        yield postgres.Cluster(Path(folder), for_tests=True)


def state(cluster: postgres.Cluster) -> dict[str, int]:
    told: dict[str, int] = json.loads(cluster.state_file.read_text())
    return told


def postmaster(cluster: postgres.Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split("\n")[0])


def ask(
    port: int, question: str, *, user: str = postgres.SUPERUSER, password: str = "secret", name: str = "postgres"
) -> object:
    address = database.url(role=user, password=password, host="127.0.0.1", port=port, database=name)
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(question.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_the_server_takes_an_eighth_of_the_memory_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [postgres.room(memory * postgres.GB)["shared_buffers"] for memory in (1, 8, 64)]
    assert sizes == ["256MB", "1024MB", "2048MB"]
    of_the_machine = postgres.memory()
    for told, known in (("max", of_the_machine), ("1048576", 1048576), (str(10**15), of_the_machine)):
        limit = tmp_path / "memory.max"
        limit.write_text(told + "\n")
        monkeypatch.setattr(postgres, "LIMIT", limit)
        assert postgres.memory() == known


def test_the_server_is_made_as_reliability_asks(cluster: postgres.Cluster) -> None:
    with postgres.held(cluster, "secret") as claim:
        assert ask(claim.port, "SHOW data_checksums") == "on"
        assert ask(claim.port, "SELECT datlocale FROM pg_database WHERE datname = 'template0'") == "C.UTF-8"
        assert (
            ask(claim.port, "SELECT rolpassword LIKE 'SCRAM-SHA-256%' FROM pg_authid WHERE rolname = current_user")
            is True
        )
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(claim.port, "SELECT 1", password="wrong")
    assert until(lambda: not postgres.is_running(cluster))


def test_holders_share_one_server_and_the_last_one_ends_it(cluster: postgres.Cluster) -> None:
    first = postgres.hold(cluster, "secret")
    second = postgres.hold(cluster, "secret")
    assert first.port == second.port
    server, keeper = postmaster(cluster), state(cluster)["keeper"]
    first.close()
    assert ask(second.port, "SELECT 1") == 1
    second.close()
    assert until(lambda: not lives(server) and not lives(keeper))


def test_kill_9_of_the_only_holder_stops_the_server_cleanly(cluster: postgres.Cluster) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(cluster.home)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    server, keeper = postmaster(cluster), state(cluster)["keeper"]
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert until(lambda: not lives(server) and not lives(keeper))
    assert not (cluster.data / "postmaster.pid").exists(), "the server did not shut down cleanly"


def test_kill_9_of_the_keeper_takes_the_server_along(cluster: postgres.Cluster) -> None:
    with postgres.held(cluster, "secret"):
        server, keeper = postmaster(cluster), state(cluster)["keeper"]
        os.kill(keeper, signal.SIGKILL)
        assert until(lambda: not lives(server)) or sys.platform != "linux"
    with postgres.held(cluster, "secret") as again:
        assert ask(again.port, "SELECT 1") == 1


def test_a_killed_server_recovers_without_hands(cluster: postgres.Cluster) -> None:
    with postgres.held(cluster, "secret") as claim:
        ask(claim.port, "SET synchronous_commit = on; CREATE TABLE IF NOT EXISTS kept (n int)")
        before = postmaster(cluster)
        os.kill(before, signal.SIGKILL)

        def answers() -> bool:
            try:
                return ask(claim.port, "SELECT count(*) FROM kept") == 0 and postmaster(cluster) != before
            except (psycopg.OperationalError, FileNotFoundError):
                return False

        assert until(answers)


def test_roles_own_and_work(cluster: postgres.Cluster) -> None:
    with postgres.held(cluster, "secret") as claim:
        address = database.url(
            role=postgres.SUPERUSER, password="secret", host="127.0.0.1", port=claim.port, database="postgres"
        )
        for _ in range(2):  # safe to repeat
            with database.connect(address) as admin:
                database.bootstrap(admin, database="usance", owner_password="o", app_password="a")
        app = {"user": database.APP, "password": "a", "name": "usance"}
        assert (
            ask(
                claim.port,
                "SELECT rolbypassrls OR rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user",
                **app,
            )
            is False
        )
        assert ask(claim.port, "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole", **app) == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(claim.port, "CREATE TABLE mine (n int)", **app)
        owner = {"user": database.OWNER, "password": "o", "name": "usance"}
        assert (
            ask(claim.port, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'usance'", **owner)
            == database.OWNER
        )


def test_a_server_of_ones_own_is_bootstrapped_by_a_role_that_is_no_superuser(
    cluster: postgres.Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("USANCE_HOME", str(tmp_path))
    with postgres.held(cluster, "secret") as claim:
        ask(claim.port, "DROP DATABASE IF EXISTS usance")
        for role in (database.APP, database.OWNER):
            ask(claim.port, f"DROP ROLE IF EXISTS {role}")
        ask(claim.port, "CREATE ROLE builder LOGIN CREATEROLE CREATEDB PASSWORD 'b'")
        monkeypatch.setenv("DATABASE_URL", f"postgresql://builder:b@127.0.0.1:{claim.port}/lender")
        monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
        for _ in range(2):
            with database.available(), psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
                row = owner.execute("SELECT current_user, current_database()").fetchone()
                assert row == (database.OWNER, "lender")
                with psycopg.connect(os.environ["DATABASE_URL"]) as app:
                    assert app.info.user == database.APP
        ask(claim.port, "CREATE ROLE weak LOGIN PASSWORD 'w'")
        monkeypatch.setenv("DATABASE_URL", f"postgresql://weak:w@127.0.0.1:{claim.port}/other")
        with pytest.raises(Obstacle, match="The role weak may not create roles or databases"), database.available():
            pass


def test_an_unreachable_database_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("USANCE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:hidden@127.0.0.1:1/x")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    with pytest.raises(Obstacle) as stopped, database.available():
        pass
    assert "The database postgresql://someone@127.0.0.1:1/postgres cannot be reached" in stopped.value.fact
    assert "hidden" not in str(stopped.value)


def test_secrets_are_made_once_and_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = (
        "SECRET_KEY",
        "USANCE_KEYS",
        "USANCE_TENANCY_SECRET",
        "WEBPUSH_PRIVATE_KEY",
        home.SUPER_PASSWORD,
        home.OWNER_PASSWORD,
        home.APP_PASSWORD,
    )
    for name in names:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("SECRET_KEY", "given by the environment")
    home.prepare(tmp_path)
    made = home.load_secrets(tmp_path)
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert "SECRET_KEY" not in made
    assert os.environ["SECRET_KEY"] == "given by the environment"
    assert home.load_secrets(tmp_path) == made
    assert set(made) == set(names) - {"SECRET_KEY"}
