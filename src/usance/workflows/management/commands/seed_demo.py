"""Founds the demo institutions and lives their first months, so that every page has something true to show."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from usance.ports import clock
from usance.workflows import demo

MONTHS = 4


class Command(BaseCommand):
    help = "Found the demo institutions (once, on an empty database) and simulate their first months."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--months", type=int, default=MONTHS, help="months of life (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        keys, now = demo.Secrets.new(), clock.now()
        starts_on = now.date() - timedelta(days=options["months"] * 30)
        logins = []
        for code in demo.described():
            _, mine = demo.found(code=code, starts_on=starts_on, at=now, keys=keys)
            logins += mine
        home = Path(os.environ.get("USANCE_HOME", "var"))
        path = home / "demo-logins.txt"
        path.touch(mode=0o600)
        path.write_text(demo.logins_text(logins, keys))
