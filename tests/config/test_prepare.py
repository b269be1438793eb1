"""`tools/prepare.py`: what it says when something is in the way, and that what stands is not made again."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.environment import PROJECT

PREPARE = PROJECT / "tools" / "prepare.py"


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with a checkout of its own."""
    spec = importlib.util.spec_from_file_location("prepare", PREPARE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, part in {
        "PROJECT": "",
        "VENV": ".venv",
        "BIN": ".venv/bin",
        "CACHE": ".cache",
        "LOG": ".cache/prepare.log",
    }.items():
        monkeypatch.setattr(module, name, str(tmp_path / part))
    (tmp_path / ".cache").mkdir()
    (tmp_path / "requirements").mkdir()
    return module


def stopped(module: ModuleType, run: Any, *arguments: Any) -> tuple[str, str]:
    with pytest.raises(module.Stop) as told:
        run(*arguments)
    fact, remedy = told.value.args
    assert "\n" not in fact + remedy
    return fact, remedy


def test_an_old_python_can_read_it_and_is_told(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = ast.parse(PREPARE.read_text(), feature_version=(3, 5))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    monkeypatch.setattr(prepare.sys, "version_info", (3, 7, 3))
    monkeypatch.setattr(prepare.shutil, "which", lambda _: None)
    assert stopped(prepare, prepare.suitable_python)[0] == "This is Python 3.7; usance needs 3.11 or newer."
    monkeypatch.setattr(prepare.shutil, "which", lambda name: "/bin/python3.12" if name == "python3.12" else None)
    assert prepare.suitable_python() == "/bin/python3.12"


def test_a_missing_venv_is_told(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "works", lambda command: False)
    assert stopped(prepare, prepare.make_environment, sys.executable) == (
        "Python's venv module is missing.",
        "Install it (Debian and Ubuntu: apt-get install python3-venv) and run make again.",
    )


def test_a_full_disk_is_told(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(prepare.shutil, "disk_usage", lambda _: usage(1, 1, 0))
    assert "is full or nearly so" in stopped(prepare, prepare.check_folder)[0]
    full = [sys.executable, "-c", "import sys; sys.exit('OSError: [Errno 28] No space left on device')"]
    assert "is full or nearly so" in stopped(prepare, prepare.run, full)[0]


def test_an_unwritable_folder_is_told(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(prepare.os, "makedirs", refuse)
    assert "cannot be written" in stopped(prepare, prepare.check_folder)[0]


def test_an_unreachable_registry_is_told(prepare: ModuleType) -> None:
    offline = [sys.executable, "-c", "import sys; sys.exit('NewConnectionError: name resolution')"]
    fact, remedy = stopped(prepare, prepare.run, offline)
    assert fact.startswith("The packages could not be fetched")
    assert "goes on where it stopped" in remedy


def test_a_package_that_is_not_the_pinned_one_is_refused(prepare: ModuleType) -> None:
    other = [sys.executable, "-c", "import sys; sys.exit('ERROR: THESE PACKAGES DO NOT MATCH THE HASHES')"]
    assert stopped(prepare, prepare.run, other)[0] == "A fetched package is not the one that was pinned."


def test_requirements_are_installed_once_and_again_when_they_change(
    prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(prepare, "run", lambda command, *_: commands.append(command))
    (tmp_path / ".venv").mkdir()
    pinned = tmp_path / "requirements" / "main.txt"
    pinned.write_text("a==1 --hash=sha256:0\n")
    for _ in range(2):
        prepare.install("main", ["main.txt"], "packages")
    assert len(commands) == 1
    assert {"--require-hashes", "--only-binary=:all:"} < set(commands[0])
    pinned.write_text("a==2 --hash=sha256:0\n")
    prepare.install("main", ["main.txt"], "packages")
    assert len(commands) == 2


def test_an_interrupted_installation_is_done_again(
    prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / "requirements" / "main.txt").write_text("a==1 --hash=sha256:0\n")

    def cut_off(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "run", cut_off)
    with pytest.raises(KeyboardInterrupt):
        prepare.install("main", ["main.txt"], "packages")
    commands: list[list[str]] = []
    monkeypatch.setattr(prepare, "run", lambda command, *_: commands.append(command))
    prepare.install("main", ["main.txt"], "packages")
    assert len(commands) == 1


def test_node_comes_from_path_only_when_new_enough(
    prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(prepare, "install", lambda name, *_: asked.append(name))
    monkeypatch.setattr(prepare, "version", lambda program: {"node": (20, 19), "npm": (11, 0)}[program])
    assert prepare.find_npm() == ["npm"]
    assert asked == []
    monkeypatch.setattr(prepare, "version", lambda program: (0, 0))
    monkeypatch.setenv("PATH", "/usr/bin")
    assert prepare.find_npm() == [str(tmp_path / ".venv/bin/npm")]
    assert asked == ["node"]


def test_no_lock_file_names_a_registry_and_every_pin_is_hashed() -> None:
    for name in ("main", "dev", "node"):
        text = (PROJECT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text
        pins = [block for block in text.split("\n") if "==" in block and not block.startswith((" ", "#"))]
        assert pins
        assert all(pin.endswith("\\") for pin in pins), "a pin without a hash"


def test_this_checkout_is_prepared_again_in_seconds() -> None:
    done = subprocess.run([sys.executable, str(PREPARE), "run"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
