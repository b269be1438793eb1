"""Starting and ending child processes so that none ever outlives its parent.

Three nets, one under the other:
1. each child leads a process group of its own, and a clean stop ends the whole group, grandchildren included;
2. on Linux the kernel signals a child when its parent dies (PR_SET_PDEATHSIG), however the parent dies;
3. a keeper process holds the reading end of a pipe from the parent; when the pipe closes, however the parent died,
   it ends every group it was told of. It needs nothing from Linux, so it is what macOS relies on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
NOBODY = 65534


def _dies_with_parent(sig: int, parent: int) -> Callable[[], None]:
    """A function for the child, between fork and exec: ask the kernel for `sig` when the parent is gone."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def ask() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return ask


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | int | None = None,
    as_nobody: bool = False,
    death_signal: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child that leads its own session and dies with us. Call from the main thread only: the kernel ties
    the death signal to the thread that forked."""
    ask = _dies_with_parent(death_signal, os.getpid())

    def in_child() -> None:
        if as_nobody:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        ask()  # after setuid, which would clear it

    return subprocess.Popen(
        list(command),
        env=dict(env) if env is not None else None,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        preexec_fn=in_child,  # noqa: PLW1509 - only from the main thread, see above
    )


def group_lives(group: int) -> bool:
    """Whether any process of the group is there (a zombie counts until it is reaped)."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_groups(groups: Sequence[int], *, first: int = signal.SIGTERM, patience_s: float = 8.0) -> None:
    """Ask the groups to stop, wait up to `patience_s` seconds, then kill what is left."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, first)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and any(group_lives(g) for g in groups):
        _reap(groups)
        time.sleep(0.02)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    _reap(groups)


def _reap(groups: Sequence[int]) -> None:
    """Collect our own dead children of these groups, so that the groups can vanish."""
    for group in groups:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-group, os.WNOHANG)[0]:
                pass


class Keeper:
    """The watching process of net 3: `watch(group)` when it is started, `forget(group)` when it is gone."""

    def __init__(self) -> None:
        reading, self._pipe = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "usance.config.keeper"],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(reading)

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, line.encode())

    def watch(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Let the keeper go; it ends whatever it still watches."""
        os.close(self._pipe)
        self._process.wait(timeout=30)


def port_is_free(host: str, port: int) -> bool:
    """Whether we could listen on that port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
