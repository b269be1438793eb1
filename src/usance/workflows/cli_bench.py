"""`usance bench`: what an application, a payment and a quiet day cost, in queries and milliseconds; the desk's pages,
the nightly close and the engine alone are in modules of their own."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from datetime import time as clock_time
from statistics import median
from typing import Any

from django.db import connection, transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.servicing import selectors as loans
from usance.ports.sandbox import NoSandbox
from usance.workflows import (
    cli_bench_close,
    cli_bench_history,
    cli_bench_pages,
    cli_bench_payments,
    cli_bench_quote,
    close_day,
    take_payment,
)
from usance.workflows.simulate import borrowers, living, outside, people, report

CUSTOMERS = 10
FLOOR_QUERIES = 500
QUIET_DAYS = 5
LIVE = ("active", "past_due")
NAMES = {
    "application": "application, sign-up to payout",
    "payment": "payment by card",
    "day": "quiet day of the institution",
}


@dataclass
class Cost:
    """What some runs of one thing cost: queries, and seconds on the wall, of this process, and in the database."""

    runs: int = 0
    queries: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    database: float = 0.0

    def of_one(self, floor_ms: float) -> dict[str, float | int]:
        """Per run; `floor_ms`: what as many trivial queries take on this machine."""
        runs = max(1, self.runs)
        return {
            "runs": self.runs,
            "queries": round(self.queries / runs, 1),
            "wall_ms": round(1000 * self.wall / runs, 1),
            "python_ms": round(1000 * self.cpu / runs, 1),
            "database_ms": round(1000 * self.database / runs, 1),
            "floor_ms": round(floor_ms * self.queries / runs, 1),
        }


@dataclass
class Meter:
    """Counts what runs inside `measured`; what runs outside costs nothing."""

    costs: dict[str, Cost] = field(default_factory=dict)
    now: Cost | None = None

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, values, many, context)
        finally:
            if self.now is not None:
                self.now.queries += 1
                self.now.database += time.perf_counter() - began

    @contextmanager
    def measured(self, name: str, *, runs: int = 1) -> Iterator[None]:
        self.now = cost = self.costs.setdefault(name, Cost())
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            cost.wall += time.perf_counter() - wall
            cost.cpu += time.process_time() - cpu
            cost.runs += runs
            self.now = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("life", "pages", "close", "payments", "history", "quote"),
        help="life: applications, payments and quiet days; pages: the desk's searches, lists and pages at a hundred "
        "thousand customers; close: the nightly close; payments: payments by several workers, both against what the "
        "server takes at least; history: the portfolio of a past date (all four in a database that holds nothing else: "
        "set USANCE_HOME to a folder of its own); "
        "quote: the engine alone",
    )
    parser.add_argument(
        "--institution",
        default="eu",
        help="host name or code of the institution that lives it; what it lives stays there (default: %(default)s)",
    )
    parser.add_argument(
        "--customers", type=int, metavar="N", help="how many apply (default: 10), or are there (pages: 100,000)"
    )
    parser.add_argument("--seed", type=int, help="the people who apply; drawn anew unless given")
    parser.add_argument(
        "--loans", type=int, metavar="N", help="how many loans run (close: 10,000) or are there (history: 100,000)"
    )
    parser.add_argument("--workers", type=int, metavar="W", help="close: worker processes (default: 2)")
    parser.add_argument("--days", type=int, metavar="D", help="close: days ended one after another (default: 3)")
    parser.add_argument("--unprepared", action="store_true", help="close: nothing of it is done by day")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")


def main(args: argparse.Namespace) -> int:
    """0 when it was measured; 2 when the institution or the sandboxes are not there, or the number is wrong."""
    for name in ("customers", "loans", "workers", "days"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            sys.stderr.write(f"usance: --{name} takes a number from 1\n")
            return 2
    if args.what == "close":
        return cli_bench_close.main(
            wanted=args.loans or cli_bench_close.LOANS,
            workers=args.workers or cli_bench_close.WORKERS,
            days=args.days or cli_bench_close.DAYS,
            is_prepared=not args.unprepared,
            as_json=args.json,
        )
    if args.what == "payments":
        return cli_bench_payments.main(
            wanted=args.loans or cli_bench_payments.LOANS,
            workers=args.workers or cli_bench_payments.WORKERS,
            as_json=args.json,
        )
    if args.what == "quote":
        return cli_bench_quote.main(as_json=args.json)
    if args.what == "history":
        return cli_bench_history.main(loans_wanted=args.loans or cli_bench_history.LOANS, as_json=args.json)
    if args.what == "pages":
        return cli_bench_pages.main(customers_wanted=args.customers or cli_bench_pages.CUSTOMERS, as_json=args.json)
    try:
        with tenancy.bound(institutions.institution_id_of(args.institution)):
            figures = measure(customers=args.customers or CUSTOMERS, seed=args.seed or time.time_ns() % 1_000_000)
    except (institutions.NoSuchInstitution, NoSandbox) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(json.dumps(figures, indent=1) + "\n" if args.json else as_text(figures))
    return 0


def measure(*, customers: int, seed: int) -> dict[str, Any]:
    """Lives it in the bound institution; gives the figures of one of each. A database of its own gives the clearest
    ones: a day also does what falls due for the loans that are there already."""
    zone, today, ahead = living.institution_zone()
    country, language = report.institution_facts()
    who = people.generated(country=country, language=language, count=customers, seed=seed, on=today)
    lives = [borrowers.Life(who=one, random=borrowers.seeded(seed, one.number), apply_on=today) for one in who]
    meter = Meter()
    with outside.opened(zone, today, ahead) as world, connection.execute_wrapper(meter):
        _quiet_days(world, meter)
        signed = [life for life in lives if _apply(world, life, meter)]
        _pay(world, signed, meter)
    floor_ms = floor()
    return {
        "floor_ms_a_query": round(floor_ms, 3),
        "share_signed": round(len(signed) / len(lives), 2),
        **{name: meter.costs.get(name, Cost()).of_one(floor_ms) for name in NAMES},
    }


def _quiet_days(world: outside.World, meter: Meter) -> None:
    """Days on which nobody comes."""
    for _ in range(QUIET_DAYS):
        world.wake(_tomorrow(), clock_time(0, 10))
        with meter.measured("day"):
            close_day.run_close_inline(at=world.clock.at)
            world.settle()
    world.wake(living.institution_zone()[1], clock_time(9))


def _tomorrow() -> date:
    return living.institution_zone()[1] + timedelta(days=1)


def _apply(world: outside.World, life: borrowers.Life, meter: Meter) -> bool:
    """As far as it goes. Only those whose money was paid out count as a run; the work for the others is in the figure
    too, as a lender has it."""
    with meter.measured("application", runs=0):
        borrowers.sign_up(world, life)
        borrowers.apply(world, life)
        signed = borrowers.decided(world, life) == "approved" and borrowers.sign(world, life)
        world.chain()
    meter.costs["application"].runs += signed
    return signed


def _pay(world: outside.World, lives: list[borrowers.Life], meter: Meter) -> None:
    """A third of what everybody owes, by their saved card."""
    for life in lives:
        with transaction.atomic():
            row = loans.loan(life.loan_id)  # type: ignore[arg-type]
            owed = loans.payoff(loan_id=row.pk).total_minor
        if row.status not in LIVE:
            continue
        with meter.measured("payment"):
            with transaction.atomic():
                take_payment.pay(
                    loan_id=row.pk,
                    amount_minor=max(1, owed // 3),
                    key=f"bench:{row.pk}",
                    at=world.tick(5),
                    actor=life.actor,
                    card_id=life.card_id,
                    language=life.who.language,
                )
            world.settle()
            world.chain()


def floor() -> float:
    """Milliseconds that one trivial bound query takes: the median of some hundred, in one transaction."""
    took = []
    with transaction.atomic(), connection.cursor() as cursor:
        for number in range(FLOOR_QUERIES):
            began = time.perf_counter()
            cursor.execute("SELECT %s::int", [number])
            cursor.fetchone()
            took.append(time.perf_counter() - began)
    return 1000 * median(took)


def as_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    lines = [f"{'':32}{'runs':>6}{'queries':>9}{'ms':>9}{'Python':>9}{'database':>9}{'floor':>9}"]
    for name, label in NAMES.items():
        one = figures[name]
        lines.append(
            f"{label:32}{one['runs']:>6}{one['queries']:>9}{one['wall_ms']:>9}{one['python_ms']:>9}"
            f"{one['database_ms']:>9}{one['floor_ms']:>9}"
        )
    lines.append(f"floor: as many trivial queries, {figures['floor_ms_a_query']} ms each on this machine")
    return "\n".join(lines) + "\n"
