"""`usance sandbox`: the provider sandboxes alone, in the foreground."""

from __future__ import annotations

import argparse
import os
import sys

from usance.config import home, services
from usance.config.obstacles import Obstacle
from usance.config.processes import port_is_free


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8001, help="port to listen on (default: %(default)s)")


def main(args: argparse.Namespace) -> int:
    """Becomes the sandbox process."""
    if not port_is_free("127.0.0.1", args.port):
        raise Obstacle(f"Port {args.port} is taken by another program.", "Choose another with --port.")
    service = services.sandbox(port=args.port, home=home.prepare(home.home()))
    sys.stdout.write(f"Sandboxes: http://127.0.0.1:{args.port}/  (Ctrl-C stops them)\n")
    sys.stdout.flush()
    os.execv(service.command[0], list(service.command))  # noqa: S606
