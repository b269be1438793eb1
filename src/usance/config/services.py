"""The parts that `usance run` starts, as commands: web server, workers, provider sandboxes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from usance.config.obstacles import writing_to
from usance.config.supervisor import Service

WEB_PORT = 8000
WEB_THREADS = 8


def web(*, host: str, port: int) -> Service:
    """The pages and the API: granian, one process with threads (the pages wait for the database, not for Python)."""
    command = [
        sys.executable, "-m", "granian", "usance.config.wsgi:application", "--interface", "wsgi",
        "--host", host, "--port", str(port), "--workers", "1", "--blocking-threads", str(WEB_THREADS),
        "--respawn-failed-workers", "--no-ws", "--http", "1", "--log-level", "warning",
    ]  # fmt: skip
    return Service("web", command, port=port)


def worker(number: int) -> Service:
    """One process that does jobs."""
    return Service(f"worker-{number}", [sys.executable, "-m", "usance.config.cli", "worker"])


def sandbox(*, port: int, home: Path) -> Service:
    """The twins of the providers, in a process of their own with books of their own."""
    (home / "sandbox").mkdir(exist_ok=True)
    return Service(
        "sandbox",
        [
            sys.executable,
            "-m",
            "usance.adapters.sandbox",
            "--port",
            str(port),
            "--book",
            str(home / "sandbox" / "book.sqlite3"),
        ],
        port=port,
    )


def remember(folder: Path, environment: Mapping[str, str]) -> None:
    """Write down with which addresses this installation runs, for the other commands."""
    with writing_to(folder):
        (folder / "run" / "site.json").write_text(json.dumps(dict(environment)))


def recall(folder: Path) -> None:
    """Give the other commands the addresses of the last `usance run`, unless the environment names others."""
    path = folder / "run" / "site.json"
    known = json.loads(path.read_text()) if path.exists() else addresses(web_port=WEB_PORT, sandbox_port=WEB_PORT + 1)
    for name, value in known.items():
        os.environ.setdefault(name, value)


def addresses(*, web_port: int, sandbox_port: int) -> dict[str, str]:
    """What the parts need to know of each other's addresses, as environment."""
    return {
        "USANCE_BASE_URL": f"http://{{host}}:{web_port}",
        "USANCE_SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
    }
