"""The keeper of one embedded PostgreSQL: starts it, restarts it when it dies, stops it when its last holder is gone.

Started by `usance.config.postgres.hold`, in a session of its own, so that Ctrl-C in a terminal does not reach it.
Writes one line of JSON: "ready", or [fact, remedy].
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from pathlib import Path

from usance.config import home as homes
from usance.config.obstacles import Obstacle
from usance.config.postgres import Cluster, Server, choose_port


class _Asked(Exception):
    """Somebody sent us SIGTERM."""


def _on_term(*_: object) -> None:
    raise _Asked


def _start(cluster: Cluster) -> Server:
    """Start on a free port; another one when that was taken in the meantime."""
    for attempt in range(3):
        try:
            return Server(cluster, choose_port())
        except Obstacle as obstacle:
            if attempt == 2 or "could not create any TCP/IP sockets" not in obstacle.fact:
                raise
    raise AssertionError("unreachable")


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _all_gone(pipe: int) -> bool:
    """Whether no holder has the pipe open, and nothing is left unread in it."""
    try:
        return os.read(pipe, 1) == b""
    except BlockingIOError:
        return False


def _wait_for_first(pipe: int) -> None:
    """Give the process that started us time to come: a pipe not yet opened looks like one that was let go."""
    deadline = time.monotonic() + 10
    while _all_gone(pipe) and time.monotonic() < deadline:
        time.sleep(0.02)


def keep(cluster: Cluster) -> None:
    """Serve until the last holder is gone or SIGTERM asks us to stop."""
    server = _start(cluster)
    cluster.fifo.unlink(missing_ok=True)
    os.mkfifo(cluster.fifo, 0o600)
    pipe = os.open(cluster.fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    cluster.state_file.write_text(json.dumps({"port": server.port, "keeper": os.getpid()}))
    _say("ready")
    try:
        _wait_for_first(pipe)
        while True:
            select.select([pipe], [], [], 0.5)
            if _all_gone(pipe):
                with homes.locked(cluster.lock):
                    if _all_gone(pipe):
                        cluster.fifo.unlink(missing_ok=True)
                        server.stop()
                        return
            server.mend()
    except (_Asked, Obstacle):
        with homes.locked(cluster.lock):
            cluster.fifo.unlink(missing_ok=True)
            server.stop()


def main() -> None:
    if os.fork():
        os._exit(0)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _on_term)
    try:
        keep(Cluster(Path(sys.argv[1]), for_tests="--for-tests" in sys.argv))
    except Obstacle as obstacle:
        _say([obstacle.fact, obstacle.remedy])


if __name__ == "__main__":
    main()
