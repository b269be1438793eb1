"""`usance audit`: the books, the loans and the audit trail against each other."""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.workflows.audit_books import audit_books


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--institution", metavar="CODE", help="one institution, by its code or host name; otherwise all"
    )
    parser.add_argument("--full", action="store_true", help="recompute every loan from its events, not a sample")
    parser.add_argument("--seed", type=int, default=0, help="which sample of loans is recomputed (default 0)")
    parser.add_argument(
        "--sample", type=int, default=200, metavar="N", help="how many loans the sample has (default 200)"
    )
    parser.add_argument("--quiet", action="store_true", help="print differences only")


def _tell(name: str, line: str) -> None:
    print(f"{name}: {line}")


def _nothing(line: str) -> None:
    """Heard and forgotten."""


def main(args: argparse.Namespace) -> int:
    """0 when nothing differs, 1 when something does, 2 when the institution is unknown."""
    try:
        chosen = institutions.chosen(args.institution)
    except institutions.NoSuchInstitution as unknown:
        sys.stderr.write(f"usance: {unknown}\n")
        return 2
    clean = True
    for institution_id, name in chosen:
        started = time.monotonic()
        with tenancy.bound(institution_id):
            report = audit_books(
                full=args.full, seed=args.seed, sample=args.sample,
                tell=_nothing if args.quiet else partial(_tell, name),
            )  # fmt: skip
        for difference in report.differences:
            print(f"{name}: DIFFERENCE {difference}")
        words = "clean" if report.is_clean else f"{len(report.differences)} differences"
        print(
            f"{name}: {words}; {len(report.checks)} checks over all rows, {report.refolded_count} of "
            f"{report.loan_count} loans recomputed, {time.monotonic() - started:.1f} s",
            flush=True,
        )
        clean = clean and report.is_clean
    return 0 if clean else 1
