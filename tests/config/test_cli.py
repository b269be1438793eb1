"""The command line: what a newcomer reads, and the one clear sentence when something is in the way."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from usance.config import cli, database, home, obstacles

USANCE = [sys.executable, "-m", "usance.config.cli"]


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("USANCE_HOME", str(tmp_path))
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def usance(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*USANCE, *words], env=os.environ | environment, capture_output=True, text=True, timeout=120)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for name in ("run", "manage", "close", "simulate", "audit", "explain", "doctor"):
        assert f"    {name} " in shown


@pytest.mark.parametrize("name", ["run", "doctor", "db", "sandbox", "code"])
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: usance {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["close", "simulate", "bench", "audit", "explain", "worker"])
def test_the_commands_on_data_explain_themselves_without_a_database(name: str, at_home: Path) -> None:
    shown = usance(name, "--help")
    assert shown.returncode == 0, shown.stderr
    assert f"usage: usance {name}" in shown.stdout
    assert not (at_home / "postgres").exists()


def test_a_command_that_is_not_there_is_said_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "COMMANDS", (cli.Command("close", "usance.workflows.cli_nowhere", "x", "y"),))
    assert cli.main(["close"]) == 1
    assert "The command `usance close` is not part of this version." in capsys.readouterr().err


def test_a_taken_port(at_home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = usance("run", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"usance: Port {port} is taken by another program.")
    assert "make run PORT=" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_database(at_home: Path) -> None:
    done = usance("run", "--port", "0", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert done.returncode == 1
    assert "usance: The database postgresql://nobody@127.0.0.1:1/postgres cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli.sys, "version_info", (3, 9, 2))
    assert cli.main(["doctor"]) == 1
    assert "This is Python 3.9; usance needs 3.11 or newer." in capsys.readouterr().err


def test_a_nearly_full_disk(at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 10**6, 10**6))
    assert cli.main(["run", "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert "is nearly full: 0 MB are free, 300 are needed." in said


@pytest.mark.parametrize(
    ("number", "fact"),
    [(errno.ENOSPC, "is full."), (errno.EACCES, "cannot be written."), (errno.EROFS, "cannot be written.")],
)
def test_the_operating_systems_refusals_become_sentences(number: int, fact: str, tmp_path: Path) -> None:
    with pytest.raises(obstacles.Obstacle) as stopped, obstacles.writing_to(tmp_path):
        raise OSError(number, "no")
    assert stopped.value.fact.endswith(fact)
    with pytest.raises(FileExistsError), obstacles.writing_to(tmp_path):  # a defect stays what it is
        raise FileExistsError(errno.EEXIST, "no")


def test_an_unwritable_folder(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USANCE_HOME", "/proc/usance")  # nobody, root included, can make a folder there
    assert cli.main(["db"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("usance: ")
    assert "/proc/usance" in said


def test_reset_is_refused_while_running_and_thorough_when_not(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(tempfile.mkdtemp(prefix="usance-home-"))
    monkeypatch.setenv("USANCE_HOME", str(folder))
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", *home.secret_names()):
        monkeypatch.delenv(name, raising=False)
    server = subprocess.Popen([*USANCE, "db"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline().startswith("application:")
    refused = usance("db", "reset")
    assert refused.returncode == 1
    assert "usance is running on this data." in refused.stderr
    assert usance("db", "url").stdout.startswith("postgresql://usance_app:")
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=30) == 0
    server.stdout.close()
    for _ in range(50):
        done = usance("db", "reset")
        if done.returncode == 0:
            break
    assert done.stdout == "The demo data is gone; the next start makes new data.\n"
    assert list(folder.iterdir()) == []
    folder.rmdir()
    assert usance("db", "reset").stdout == "There is no demo data.\n"


def test_the_code_of_the_minute(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["code"]) == 1
    assert "There are no demo logins here." in capsys.readouterr().err
    (at_home / "demo-logins.txt").write_text("second factor (secret GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ).")
    assert cli.main(["code"]) == 0
    assert re.fullmatch(r"\d{6}\n", capsys.readouterr().out)


def test_passwords_are_never_shown() -> None:
    assert database.without_password("postgresql://a:secret@h:1/d?password=x") == "postgresql://a@h:1/d"
