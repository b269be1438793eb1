"""No process outlives its parent: not after a clean stop, not after kill -9. With real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from usance.config import processes
from usance.config.obstacles import Obstacle
from usance.config.supervisor import Service, Supervisor

# A service that starts a grandchild; both write their pid. `deaf`: neither listens to SIGTERM.
FAMILY = """
import os, signal, subprocess, sys, time
folder, deaf = sys.argv[1], sys.argv[2] == "deaf"
if deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], preexec_fn=None)
open(f"{folder}/child.pid", "w").write(str(child.pid))
open(f"{folder}/parent.pid.new", "w").write(str(os.getpid()))
os.rename(f"{folder}/parent.pid.new", f"{folder}/parent.pid")
time.sleep(600)
"""
# A supervisor in a process of its own, to be killed.
PARENT = """
import pathlib, sys, time
from usance.config.supervisor import Service, Supervisor
folder, manner = pathlib.Path(sys.argv[1]), sys.argv[2]
with Supervisor(log_folder=folder, say=print) as supervisor:
    supervisor.start(Service("family", [sys.executable, "-c", sys.argv[3], str(folder), manner]))
    while True:
        supervisor.tend()
        time.sleep(0.05)
"""


def until(condition: Callable[[], bool], *, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def lives(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be reaped by somebody else."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def family(folder: Path) -> list[int]:
    assert until((folder / "parent.pid").exists)
    return [int((folder / name).read_text()) for name in ("parent.pid", "child.pid")]


@pytest.mark.parametrize("manner", ["meek", "deaf"])
def test_kill_9_of_the_supervisor_leaves_nothing_running(tmp_path: Path, manner: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), manner, FAMILY])
    pids = family(tmp_path)
    assert all(lives(pid) for pid in pids)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert until(lambda: not any(lives(pid) for pid in pids))


@pytest.mark.parametrize("manner", ["meek", "deaf"])
def test_a_clean_stop_ends_grandchildren_too(tmp_path: Path, manner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes.end_groups, "__kwdefaults__", {"first": signal.SIGTERM, "patience_s": 0.5})
    with Supervisor(log_folder=tmp_path, say=print) as supervisor:
        supervisor.start(Service("family", [sys.executable, "-c", FAMILY, str(tmp_path), manner]))
        pids = family(tmp_path)
    assert until(lambda: not any(lives(pid) for pid in pids), seconds=2)


def test_the_keeper_alone_suffices_where_the_kernel_sends_no_signal(tmp_path: Path) -> None:
    without_kernel = PARENT.replace(
        "import pathlib", "import usance.config.processes as p; p._dies_with_parent = lambda *_: int\nimport pathlib", 1
    )
    parent = subprocess.Popen([sys.executable, "-c", without_kernel, str(tmp_path), "deaf", FAMILY])
    pids = family(tmp_path)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert until(lambda: not any(lives(pid) for pid in pids))


def test_a_fallen_service_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    counting = (
        "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.write_text(p.read_text() + 'x' if p.exists() else 'x')"
    )
    with Supervisor(log_folder=tmp_path, say=said.append) as supervisor:
        supervisor.start(Service("brief", [sys.executable, "-c", counting, str(tmp_path / "runs")]))

        def twice() -> bool:
            supervisor.tend()
            return (tmp_path / "runs").exists() and (tmp_path / "runs").read_text() == "xx"

        assert until(twice)
    assert said[0].startswith("The brief stopped (status 0); starting it again in 1 s.")


def test_a_service_that_falls_at_its_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    with Supervisor(log_folder=tmp_path, say=print) as supervisor:
        supervisor.start(
            Service("web", [sys.executable, "-c", "raise SystemExit('the sky fell')"], port=processes.free_port())
        )
        with pytest.raises(Obstacle, match="The web stopped at its start: the sky fell"):
            supervisor.wait_until_answering(seconds=10)


def test_a_service_that_never_listens_is_named(tmp_path: Path) -> None:
    with Supervisor(log_folder=tmp_path, say=print) as supervisor:
        supervisor.start(
            Service("web", [sys.executable, "-c", "import time; time.sleep(60)"], port=processes.free_port())
        )
        with pytest.raises(Obstacle, match="The web does not answer after 0 seconds"):
            supervisor.wait_until_answering(seconds=0.3)


def test_a_taken_port_is_seen() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not processes.port_is_free("127.0.0.1", other.getsockname()[1])
    assert processes.port_is_free("127.0.0.1", processes.free_port())


def test_services_get_their_environment_and_name(tmp_path: Path) -> None:
    show = """
        import json, os, time
        print(json.dumps({k: os.environ.get(k) for k in ('A', 'USANCE_PROCESS')}), flush=True)
        time.sleep(60)
    """
    with Supervisor(log_folder=tmp_path, say=print) as supervisor:
        service = Service("worker-1", [sys.executable, "-c", textwrap.dedent(show)], {"A": "b"})
        supervisor.start(service)
        log = supervisor.log_of(service)
        assert until(lambda: log.exists() and log.read_text().endswith("\n"))
        assert json.loads(log.read_text()) == {"A": "b", "USANCE_PROCESS": "worker-1"}
