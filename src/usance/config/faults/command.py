"""`usance faults`: attacks a product of its own from every side, and prints what was lost, doubled or stuck."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from pathlib import Path

from usance.config import home as homes
from usance.config.faults import site as sites
from usance.config.faults.site import Site
from usance.config.faults.tally import LEAST_SHARE, Tally
from usance.config.progress import say, step

SHORT = 500  # faults of the short form
INSTITUTIONS = ("vn", "ua", "eu")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed plans the same faults (default: %(default)s)"
    )
    parser.add_argument("--minutes", type=float, help="go on for so long (default: until --faults are injected)")
    parser.add_argument(
        "--faults", type=int, default=SHORT, metavar="N", help="inject at least so many (default: %(default)s)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the database afterwards, and say where it is, to look at a failure"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file, too")
    parser.add_argument(
        "--server", default="", metavar="URL",
        help="a superuser of another database server on this machine, for tests (default: a server of its own)",
    )  # fmt: skip
    parser.add_argument("--template", default="", help="a database of that server with the tables, to be cloned")


def main(args: argparse.Namespace) -> int:
    """0: nothing lost, double, stuck or wrong, every kind had its share, the audit is clean. 1: something was."""
    sites.refuse_elsewhere(args.server)
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("DATABASE_OWNER_URL", None)
    folder = homes.prepare(Path(os.environ.get("USANCE_HOME") or homes.home()).resolve() / "faults")
    homes.load_secrets(folder)
    tally, began = Tally(), time.monotonic()
    say(f"Faults by seed {args.seed}. Nothing of yours is touched: database and processes are made for it.")
    with sites.prepared(folder=folder, server=args.server, template=args.template, keep=args.keep, tally=tally) as site:
        storm_s, audit_clean = _storm(args, site, tally)
        if args.keep:
            say(f"The database is kept: {site.database} on the server of {folder}.")
    _report(args, tally, storm_s=storm_s, whole_s=time.monotonic() - began, audit_clean=audit_clean)
    return 0 if tally.is_clean and audit_clean and not tally.too_rare else 1


def _storm(args: argparse.Namespace, site: Site, tally: Tally) -> tuple[float, bool]:
    """Founds, starts, storms, judges. Gives the seconds of the storm and whether the audit was clean."""
    _set_up_django(site)
    from usance.config.faults import lenders as people
    from usance.config.faults.judge import judge
    from usance.config.faults.weather import HANDFUL, Weather

    with step("lenders, people, loans"):
        from usance.adapters.sandbox.book import Book

        Book(site.book).close()
        lenders = people.found(site.book, INSTITUTIONS)
    with step("sandbox, web server, workers"):
        sites.start(site)
    weather, began, number = Weather(site, lenders, args.seed), time.monotonic(), 0
    weather.prepare()
    ends = began + 60 * args.minutes if args.minutes else None
    while (time.monotonic() < ends) if ends else (tally.total < args.faults):
        number += 1
        weather.scale = 1.0 if ends else min(1.0, (args.faults - tally.total) / HANDFUL)
        weather.round(number)
        say(
            f"  round {number}: {tally.total} faults in {time.monotonic() - began:.0f} s, {len(tally.stories)} troubles"
        )
    judge(site, lenders)
    storm_s = time.monotonic() - began
    return storm_s, _audit()


def _set_up_django(site: Site) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usance.config.settings")
    import django

    django.setup()
    logging.getLogger("usance").setLevel(logging.ERROR)
    logging.getLogger("procrastinate").setLevel(logging.ERROR)


def _audit() -> bool:
    """`usance audit --full` over all of them."""
    from usance.workflows import cli_audit

    parser = argparse.ArgumentParser()
    cli_audit.add_arguments(parser)
    return cli_audit.main(parser.parse_args(["--full", "--quiet"])) == 0


def _report(args: argparse.Namespace, tally: Tally, *, storm_s: float, whole_s: float, audit_clean: bool) -> None:
    say("\n" + tally.table() + "\n")
    for story in tally.stories[:40]:
        say(f"  {story}")
    if tally.too_rare:
        say(f"Below {LEAST_SHARE:.0%} of the faults, so that the run proves less: {', '.join(tally.too_rare)}.")
    good = tally.is_clean and audit_clean and not tally.too_rare
    say(
        f"{tally.total} faults in {storm_s:.0f} s ({3600 * tally.total / storm_s:,.0f} an hour), {whole_s:.0f} s with "
        f"the start; the audit is {'clean' if audit_clean else 'NOT clean'}. {'All held.' if good else 'NOT all held.'}"
    )
    if not good:
        say(f"Again: usance faults --seed {args.seed} --keep" + (f" --minutes {args.minutes}" if args.minutes else ""))
    if args.json:
        figures = tally.as_json() | {
            "seed": args.seed, "total": tally.total, "seconds": round(storm_s, 1), "whole_seconds": round(whole_s, 1),
            "audit_clean": audit_clean, "too_rare": tally.too_rare,
        }  # fmt: skip
        args.json.write_text(json.dumps(figures, indent=1))
    sys.stdout.flush()
