"""`usance import`: a portfolio from another system, from files, here and now."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from usance.apps.imports import services
from usance.apps.imports.selectors import CHECKED, File
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.core.money import Currency
from usance.ports import clock
from usance.ports.actor import Actor
from usance.workflows import import_portfolio
from usance.workflows.import_portfolio.checking import Checked

OPERATOR = Actor(kind="system", label="usance import")
MOST_SHOWN = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="CSV files, or folders with them (docs/import.md)")
    parser.add_argument("--institution", metavar="CODE", required=True, help="whose portfolio it becomes")
    parser.add_argument("--check", action="store_true", help="say what is wrong and what would come in; take nothing")


def main(args: argparse.Namespace) -> int:
    """0 when all is in (or, with --check, could come in), 1 when a line is wrong, 2 for wrong arguments."""
    try:
        files = list(_files(args.paths))
        ((institution_id, name),) = institutions.chosen(args.institution)
    except (OSError, institutions.NoSuchInstitution) as wrong:
        sys.stderr.write(f"usance: {wrong}\n")
        return 2
    if not files:
        sys.stderr.write("usance: there is no .csv file in these places\n")
        return 2
    with tenancy.bound(institution_id):
        started = time.monotonic()
        checked = import_portfolio.check(files, tell=_progress)
        _show(name, checked, time.monotonic() - started)
        if not checked.is_good:
            print(f"{name}: nothing was taken in")
            return 1
        if args.check:
            return 0
        return _take(name, files, checked)


def _files(paths: list[str]) -> Iterator[File]:
    for text in paths:
        path = Path(text)
        for file in sorted(path.glob("*.csv")) if path.is_dir() else [path]:
            yield File(file.name, file.read_bytes())


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {total} loans checked" + ("\n" if done == total else ""))
        sys.stderr.flush()


def _show(name: str, checked: Checked, seconds: float) -> None:
    for problem in checked.problems[:MOST_SHOWN]:
        print(f"{name}: WRONG {problem}")
    if len(checked.problems) > MOST_SHOWN:
        print(f"{name}: and {len(checked.problems) - MOST_SHOWN} more")
    for difference in checked.differences[:MOST_SHOWN]:
        print(f"{name}: DIFFERENCE loan {difference.loan}, {difference.what}: "
              f"the file says {difference.theirs}, the engine {difference.ours}")  # fmt: skip
    found: Mapping[str, Any] = checked.summary
    print(
        f"{name}: {checked.line_count} lines, {len(checked.problems)} problems, "
        f"{len(checked.differences)} differences; "
        f"new: {found['customers']} customers, {found['loans']} loans; here already: {found['customers_known']} "
        f"customers, {found['loans_known']} loans; checked in {seconds:.1f} s"
    )
    digits = tenancy.current().currency_digits
    currency = Currency(found["currency"], digits)
    for group in found["groups"]:
        sums = ", ".join(
            f"{part} {currency.text(group[f'{part}_minor'])}"
            for part in ("principal", "interest", "fee", "penalty", "tax", "unapplied")
            if group[f"{part}_minor"]
        )
        print(f"{name}: {group['product']}: {group['loans']} loans ({group['past_due']} past due, {group['closed']} "
              f"closed), {currency.code} {sums}")  # fmt: skip


def _take(name: str, files: list[File], checked: Checked) -> int:
    if not checked.summary["loans"] and not checked.summary["customers"]:
        print(f"{name}: all of it is here already, nothing was taken in")
        return 0
    started = time.monotonic()
    with transaction.atomic():
        row = services.hand_in(files=files, asked_by="usance import", actor=OPERATOR)
        services.note_check(
            import_id=row.pk, on=checked.on, lines=checked.line_count, summary=checked.summary, problems=[],
            differences=[difference.to_json() for difference in checked.differences], actor=OPERATOR,
        )  # fmt: skip
        assert services.hold(row.pk).state == CHECKED
        import_portfolio.take(import_id=row.pk, checked=checked, actor=OPERATOR, at=clock.now())
    took = max(time.monotonic() - started, 1e-6)
    count = len(checked.loans)
    print(f"{name}: {count} loans taken in, in {took:.1f} s ({count / took:.0f} a second), import {row.pk}")
    return 0
