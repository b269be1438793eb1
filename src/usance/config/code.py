"""`usance code`: the second factor's code of this minute, for the demo staff."""

from __future__ import annotations

import argparse
import re
import sys

from usance.apps.access import totp
from usance.config import home
from usance.config.obstacles import Obstacle
from usance.ports import clock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("secret", nargs="?", help="the secret (default: the demo staff's, from the state folder)")


def main(args: argparse.Namespace) -> int:
    """Print six digits."""
    sys.stdout.write(totp.code(args.secret or _demo_secret(), clock.now()) + "\n")
    return 0


def _demo_secret() -> str:
    path = home.home() / "demo-logins.txt"
    found = re.search(r"secret ([A-Z2-7]{16,})", path.read_text(encoding="utf-8")) if path.exists() else None
    if found is None:
        raise Obstacle("There are no demo logins here.", "Start the demo once with `make run`, or give the secret.")
    return found.group(1)
