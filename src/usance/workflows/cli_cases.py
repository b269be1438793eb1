"""`usance cases`: published numbers, reproduced by the engine."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from usance.workflows import cases
from usance.workflows.cases import files
from usance.workflows.cases.verdicts import Verdict

OUTCOMES = ("matched", "mismatched", "unsupported")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", type=Path, help="a file of cases, or a folder of such files"
    )
    parser.add_argument("--family", default="", metavar="F", help="only the cases of this family")
    parser.add_argument("--show", default="", metavar="ID", help="one case: expected beside actual")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--strict", action="store_true", help="a case that is not supported counts as mismatched")


def main(args: argparse.Namespace) -> int:
    """0 when nothing mismatched, 1 otherwise, 2 when a file cannot be read or nothing was found."""
    try:
        found = list(cases.verdicts(args.paths, family=args.family, show=args.show))
    except files.UnreadableFile as unreadable:
        sys.stderr.write(f"usance: {unreadable}\n")
        return 2
    if not found:
        sys.stderr.write("usance: no such case; without --family and --show all cases of the files are run\n")
        return 2
    if args.show:
        for verdict in found:
            _show(verdict)
    elif args.json:
        print(json.dumps(summary(found)))
    else:
        _table(found)
    wrong = ("mismatched", "unsupported") if args.strict else ("mismatched",)
    return 1 if any(verdict.outcome in wrong for verdict in found) else 0


def summary(found: Sequence[Verdict]) -> dict[str, object]:
    """The counts by family, and their total."""
    families = []
    for family in sorted({verdict.family for verdict in found}):
        mine = [verdict for verdict in found if verdict.family == family]
        ids = [verdict.id for verdict in mine if verdict.outcome == "mismatched"]
        families.append({"family": family, **_counts(mine), "ids_mismatched": ids})
    return {"families": families, "total": _counts(found)}


def _counts(found: Sequence[Verdict]) -> dict[str, int]:
    return {"cases": len(found)} | {name: sum(v.outcome == name for v in found) for name in OUTCOMES}


def _table(found: Sequence[Verdict]) -> None:
    told = summary(found)
    print(f"{'family':48} {'cases':>7} {'matched':>9} {'mismatched':>11} {'not supported':>14}")
    for row in [*told["families"], {"family": "total", **told["total"]}]:  # type: ignore[misc, dict-item]
        print(
            f"{row['family']:48} {row['cases']:>7} {row['matched']:>9} {row['mismatched']:>11} {row['unsupported']:>14}"
        )


def _show(verdict: Verdict) -> None:
    print(f"{verdict.id} ({verdict.family}): {verdict.outcome} {verdict.unsupported}".rstrip())
    for cell in verdict.cells:
        print(f"{' ' if cell.agrees else '!'} {cell.where:32} expected {cell.expected:>16}   actual {cell.actual:>16}")
