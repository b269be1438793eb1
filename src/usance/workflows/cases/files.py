"""Reading files of cases: JSON lists of one family each, and the register of a marketplace as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class UnreadableFile(ValueError):
    """A path that holds no cases; the message says which and why."""


class Case(NamedTuple):
    """`shape` says who judges it."""

    id: str
    family: str
    shape: str
    data: Mapping[str, Any]


def cases(paths: Sequence[Path]) -> Iterator[Case]:
    """The cases of all files, in the order of their names. Raises UnreadableFile."""
    for path in paths:
        for file in _files(path):
            yield from _register(file) if file.suffix == ".csv" else _lists(file)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix in (".json", ".csv"))
        if not found:
            raise UnreadableFile(f"{path} holds no file of cases (.json or .csv)")
        return found
    if not path.is_file():
        raise UnreadableFile(f"{path} does not exist")
    return [path]


def _lists(file: Path) -> Iterator[Case]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UnreadableFile(f"{file} is not a JSON file: {error}") from error
    lists = content.items() if isinstance(content, dict) else [(file.stem, content)]
    for name, rows in lists:
        if not isinstance(rows, list):
            raise UnreadableFile(f"{file}: {name} is not a list of cases")
        for index, row in enumerate(rows):
            if isinstance(row, dict):
                given = str(row.get("id") or f"{file.name}:{index}")
                yield Case(given, str(row.get("family") or name), _shape(row), row)


def _shape(row: Mapping[str, Any]) -> str:
    """Told by what the case states."""
    if "expected_schedule" in row:
        return "schedule"
    if "checkpoints" in row:
        return "history"
    if "expected_payments" in row:
        return "working_capital"
    for key, shape in (
        ("method", "apr"),
        ("function", "annuity"),
        ("convention", "day_count"),
        ("rule", "date_roll"),
        ("due", "classes"),
    ):
        if key in row:
            return shape
    return "unknown"


def _register(file: Path) -> Iterator[Case]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        wanted = {"loan_amount", "term", "interest_rate", "installment"}
        if not wanted <= set(rows.fieldnames or ()):
            raise UnreadableFile(f"{file} lacks the columns {', '.join(sorted(wanted - set(rows.fieldnames or ())))}")
        for index, row in enumerate(rows):
            yield Case(f"{file.name}:{index}", file.stem, "instalment", row)
