"""Founds the demo institutions and lives their first months, so that every page has something true to show."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.ports import clock
from usance.workflows import demo
from usance.workflows.simulate import living, outside, people, report

DAYS = 60
PEOPLE = {"vn": 26, "ua": 28, "eu": 22}
DOUBLES, LEFT_OPEN_DAYS = 3, 6  # cases that wait for the one who looks at the demo
SECONDS = 40  # on a slow machine fewer people come, so that the start is never held up for long


class Command(BaseCommand):
    help = "Found the demo institutions (once, on an empty database) and simulate their first months."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--bare", action="store_true", help="no simulated life")
        parser.add_argument("--days", type=int, default=DAYS, help="days of life (default: %(default)s)")
        parser.add_argument("--live", metavar="CODE", help="only live the months of this institution, founded before")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["live"]:
            self._live(options["live"], options["days"])
            return
        keys, now = demo.Secrets.new(), clock.now()
        days = 0 if options["bare"] else options["days"]
        logins = []
        for code in demo.described():
            _, mine = demo.found(code=code, starts_on=now.date() - timedelta(days=days), at=now, keys=keys)
            logins += mine
        self._write_logins(logins, keys)
        if days:
            self._live_all(days)

    def _write_logins(self, logins: list[demo.Login], keys: demo.Secrets) -> None:
        """For the end of `usance run` and for `usance code`; readable by their owner only."""
        home = Path(os.environ.get("USANCE_HOME", "var"))
        for name, text in (
            ("demo-logins.txt", demo.logins_text(logins, keys)),
            ("demo-logins.json", json.dumps({"password": keys.password, "totp": keys.totp})),
        ):
            path = home / name
            path.touch(mode=0o600)
            path.write_text(text)

    def _live_all(self, days: int) -> None:
        """Each institution in a process of its own, side by side. Raises CommandError when one of them failed."""
        command = [sys.executable, "-m", "django", "seed_demo", "--days", str(days), "--live"]
        running = {code: subprocess.Popen([*command, code]) for code in demo.described()}  # noqa: S603
        failed = [code for code, process in running.items() if process.wait() != 0]
        if failed:
            raise CommandError(f"The first months of {', '.join(failed)} could not be lived; see the log above.")

    def _live(self, code: str, days: int) -> None:
        with tenancy.bound(institutions.institution_id_of(code)):
            zone, today, ahead = living.institution_zone()
            plan = living.Plan(
                people=_people(code, today),
                days=days,
                arrive_days=days - 1,
                seed=7,
                seconds=SECONDS,
                left_open_days=LEFT_OPEN_DAYS,
            )
            with outside.opened(zone, today, ahead) as world:
                tally = living.live(world, plan)
            self.stdout.write(f"    {code}: {tally.counts['applied']} applications, {tally.days} days")


def _people(code: str, today: date) -> list[people.Applicant]:
    country, language = report.institution_facts()
    if code == "eu":
        real = people.of_file(people.STATLOG, country=country, language=language, seed=7, on=today)
        found = [one for one in real if one.months and one.months <= 24][: PEOPLE[code]]
    else:
        found = people.generated(country=country, language=language, count=PEOPLE[code], seed=7, on=today)
    return found + people.doubles(found, country=country, seed=7, count=DOUBLES)
