"""The supervising process: starts services, restarts those that fall, ends them all when it ends, however it ends."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from usance.config.obstacles import Obstacle, writing_to
from usance.config.processes import Keeper, end_groups, spawn

LOG_BYTES = 20 * 1024 * 1024
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0


@dataclass(frozen=True)
class Service:
    """One part of the whole: its command, and how to see that it answers (`port`: it listens there)."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None

    def with_environment(self, extra: Mapping[str, str]) -> Service:
        return replace(self, environment={**self.environment, **extra})


@dataclass
class _Running:
    service: Service
    process: subprocess.Popen[bytes]
    began: float
    falls: int = 0
    again_at: float | None = None


class Supervisor:
    """Use as a context: everything it started is gone when the block ends.

    `say` gets one line for a person when something falls or is restarted; `longest_pause_s`: how long something that
    falls again and again may have to wait.
    """

    def __init__(
        self, *, log_folder: Path, say: Callable[[str], None], longest_pause_s: float = LONGEST_PAUSE_S
    ) -> None:
        self.log_folder = log_folder
        self.say = say
        self.longest_pause_s = longest_pause_s
        self._all: list[_Running] = []

    def __enter__(self) -> Supervisor:
        self._keeper = Keeper()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._keeper.close()

    def log_of(self, service: Service) -> Path:
        return self.log_folder / f"{service.name}.log"

    def start(self, service: Service) -> None:
        self._all.append(_Running(service, self._spawn(service), time.monotonic()))

    def _spawn(self, service: Service) -> subprocess.Popen[bytes]:
        path = self.log_of(service)
        with writing_to(self.log_folder):
            if path.exists() and path.stat().st_size > LOG_BYTES:
                path.replace(path.with_suffix(".log.1"))
            log = path.open("ab")
        with log:
            environment = {**os.environ, **service.environment, "USANCE_PROCESS": service.name}
            process = spawn(service.command, env=environment, output=log)
        self._keeper.watch(process.pid)
        return process

    def wait_until_answering(self, *, seconds: float) -> None:
        """Until every service with a port listens on it. Raises Obstacle with the last words of one that fell."""
        deadline = time.monotonic() + seconds
        waiting = [running for running in self._all if running.service.port]
        while waiting:
            waiting = [running for running in waiting if not _listens(running.service.port)]
            for running in self._all:
                if running.process.poll() is not None:
                    raise self._fell_at_start(running.service)
            if time.monotonic() > deadline:
                raise Obstacle(
                    f"The {waiting[0].service.name} does not answer after {seconds:.0f} seconds.",
                    f"Its log is {self.log_of(waiting[0].service)}.",
                )
            time.sleep(0.05)

    def _fell_at_start(self, service: Service) -> Obstacle:
        path = self.log_of(service)
        lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
        return Obstacle(
            f"The {service.name} stopped at its start: {lines[-1] if lines else 'it said nothing'}",
            f"Its log is {path}.",
        )

    def tend(self) -> None:
        """Look after the services once: restart those that fell, later each time if it fell soon after its start."""
        now = time.monotonic()
        for running in self._all:
            if running.again_at is not None:
                if now >= running.again_at:
                    running.process, running.began, running.again_at = self._spawn(running.service), now, None
            elif running.process.poll() is not None:
                self._bury(running, now)

    def _bury(self, running: _Running, now: float) -> None:
        end_groups([running.process.pid], patience_s=2.0)  # what the fallen one left behind
        self._keeper.forget(running.process.pid)
        running.falls = 1 if now - running.began > STEADY_AFTER_S else running.falls + 1
        pause = min(2.0 ** (running.falls - 1), self.longest_pause_s)
        running.again_at = now + pause
        status = running.process.returncode
        name, log = running.service.name, self.log_of(running.service)
        self.say(f"The {name} stopped (status {status}); starting it again in {pause:.0f} s. Log: {log}")

    def stop(self) -> None:
        """End every service and everything that they started."""
        groups = [running.process.pid for running in self._all if running.again_at is None]
        end_groups(groups)
        for running in self._all:
            running.process.poll()
            self._keeper.forget(running.process.pid)
        self._all.clear()


def _listens(port: int | None) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port or 0)) == 0
