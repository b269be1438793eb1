"""The parts that `usance run` starts, as commands: web server, workers, provider sandboxes."""

from __future__ import annotations

import sys
from pathlib import Path

from usance.config.supervisor import Service

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
    return Service(
        "sandbox",
        [sys.executable, "-m", "usance.adapters.sandbox", "--port", str(port), "--home", str(home / "sandbox")],
        port=port,
    )


def addresses(*, web_port: int, sandbox_port: int) -> dict[str, str]:
    """What the parts need to know of each other's addresses, as environment."""
    return {
        "USANCE_BASE_URL": f"http://{{host}}:{web_port}",
        "USANCE_SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
    }
