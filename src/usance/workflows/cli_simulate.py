"""`usance simulate`: months of an institution's life, by seed."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tqdm import tqdm

from usance.apps.agreements import sealing
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.core.calendar import add_months
from usance.ports.sandbox import NoSandbox
from usance.workflows.simulate import crew, living, outside, people, report

LONGEST_MONTHS = 72
LAST_DEFAULT_DAYS = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--institution", default="eu", help="host name or code of the institution (default: %(default)s)"
    )
    parser.add_argument(
        "--customers", type=int, help="how many people apply (default: 50 generated ones, or all of the file)"
    )
    parser.add_argument(
        "--months", type=int, help="how many months are lived (default: 3; with --applicants, to the end)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same lives (default: %(default)s)")
    parser.add_argument(
        "--applicants",
        type=Path,
        help="a file of real applicants in the shape of Statlog German Credit; `shipped`: ours",
    )
    parser.add_argument("--arrive-days", type=int, help="days over which the applications arrive")
    parser.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="how many processes live it together (default: %(default)s, one for each processor)",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def main(args: argparse.Namespace) -> int:
    """0 when it was lived; 2 when the institution, the file, the sandboxes or the seal are not there."""
    try:
        sealing.require_key()
        institution_id = institutions.institution_id_of(args.institution)
        with tenancy.bound(institution_id):
            summary = simulate(args)
    except (
        institutions.NoSuchInstitution,
        people.FileRefused,
        NoSandbox,
        crew.CrewBroken,
        sealing.SealMissing,
    ) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(json.dumps(summary, indent=1) + "\n" if args.json else report.as_text(summary))
    return 0


def simulate(args: argparse.Namespace) -> dict[str, object]:
    """Lives the plan in the bound institution; gives the summary. Raises CrewBroken."""
    zone, today, ahead = living.institution_zone()
    plan = _plan(args, today)
    began = time.perf_counter()

    def live(mine: crew.Crew) -> living.Tally:
        bar = tqdm(total=plan.days, unit="day", disable=args.json or not (mine.leads and sys.stderr.isatty()))

        def progress(done: int, tally: living.Tally) -> None:
            seconds = max(0.001, time.perf_counter() - began)
            bar.update(1)
            bar.set_postfix_str(f"{tally.loan_days / seconds:,.0f} loan-days/s")

        with bar, outside.not_waiting_for_the_disk(), outside.opened(zone, today, ahead, mine) as world:
            return living.live(world, plan, progress=progress)

    tallies = crew.together(max(1, min(args.processes, len(plan.people))), live)
    return report.summary(plan, living.sum_of(tallies), seconds=time.perf_counter() - began)


def _plan(args: argparse.Namespace, today: object) -> living.Plan:
    country, language = report.institution_facts()
    until_done = args.applicants is not None and args.months is None
    months = args.months or (LONGEST_MONTHS if until_done else 3)
    days = (add_months(today, months) - today).days  # type: ignore[arg-type,operator]
    if args.applicants:
        path = people.STATLOG if str(args.applicants) == "shipped" else args.applicants
        found = people.of_file(path, country=country, language=language, seed=args.seed, on=today)  # type: ignore[arg-type]
        found = found[: args.customers]
    else:
        found = people.generated(
            country=country,
            language=language,
            count=args.customers or 50,
            seed=args.seed,
            on=today,  # type: ignore[arg-type]
        )
    arrive = args.arrive_days or (60 if until_done else max(1, days * 2 // 3))
    extra = arrive + LAST_DEFAULT_DAYS if until_done else 0
    return living.Plan(people=found, days=days + extra, arrive_days=arrive, seed=args.seed, until_done=until_done)
