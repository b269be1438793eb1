"""`usance close`: end business days of an institution here and now, in this process."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.servicing.closing import DayEndedAlready
from usance.ports import clock
from usance.workflows import close_day


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--institution", metavar="CODE", help="one institution, by its code or host name; otherwise all"
    )
    parser.add_argument(
        "--days", type=int, metavar="N", help="end N business days, one after another (default: every day that is over)"
    )


def main(args: argparse.Namespace) -> int:
    """0 when all days were ended, 1 when loans were left out, 2 for wrong arguments."""
    if args.days is not None and not 1 <= args.days <= 366:
        sys.stderr.write("usance: --days takes a number from 1 to 366\n")
        return 2
    try:
        chosen = institutions.chosen(args.institution)
    except institutions.NoSuchInstitution as unknown:
        sys.stderr.write(f"usance: {unknown}\n")
        return 2
    return max([_close(institution_id, name, args.days) for institution_id, name in chosen], default=0)


def _close(institution_id: UUID, name: str, days: int | None) -> int:
    left_out = 0
    with tenancy.bound(institution_id):
        wanted = close_day.days_over(clock.now()) if days is None else _from_today(days)
        if not wanted:
            print(f"{name}: no day is over")
        for day in wanted:
            started = time.monotonic()
            try:
                (run,) = close_day.run_close_inline(at=clock.now(), do_items=False, day=day)
            except DayEndedAlready:
                print(f"{name}: {day} was ended by a worker", flush=True)
                continue
            took = max(time.monotonic() - started, 1e-6)
            print(
                f"{name}: {run.business_date} ended, {run.total_count} loans in {took:.1f} s "
                f"({run.total_count / took:.0f} a second), {run.problem_count} left out",
                flush=True,
            )
            left_out += run.problem_count
    return 1 if left_out else 0


def _from_today(days: int) -> Sequence[date]:
    with transaction.atomic():
        today = tenancy.current().business_date
    return [today + timedelta(days=number) for number in range(days)]
