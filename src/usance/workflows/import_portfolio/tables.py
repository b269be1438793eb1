"""Files into lines, and cells into values; whatever cannot be read is a problem of its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from usance.apps.imports.selectors import File
from usance.core.money import Currency
from usance.workflows.import_portfolio import formats
from usance.workflows.import_portfolio.problems import Problems

SEPARATORS = (",", ";", "\t")
AMOUNT = re.compile(r"-?\d{1,15}(?:[.,]\d{1,18})?")

NOT_PERSONAL = ("kind", "language", "branch", "reference", "sex", "employment", "housing", "education")


class Line:
    """One line of a file: its cells by column, read with a word about each that cannot be."""

    def __init__(self, kind: str, file: str, number: int, cells: dict[str, str], problems: Problems) -> None:
        self.kind, self.file, self.number, self.cells, self._problems = kind, file, number, cells, problems

    def wrong(self, column: str, code: str, **details: object) -> None:
        if "value" in details and self.kind == "customers" and column not in NOT_PERSONAL:
            details["value"] = "…"  # problems are kept and shown to many; the file says what stands there
        self._problems.add(self.file, self.number, column, code, **details)

    @property
    def is_wrong(self) -> bool:
        return self._problems.has(self.file, self.number)

    @property
    def essence(self) -> str:
        """All that it says, whatever the order of its columns."""
        return "|".join(f"{name}={self.cells[name]}" for name in sorted(self.cells) if self.cells[name])

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def choice(self, column: str, choices: Sequence[str], default: str = "") -> str:
        value = self.text(column).lower()
        if not value:
            return default
        if value not in choices:
            self.wrong(column, "not_one_of", value=value[:40], choices=", ".join(choices))
            return default
        return value

    def day(self, column: str) -> date | None:
        value = self.text(column)
        if not value:
            return None
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.wrong(column, "not_a_date", value=value[:40])
        return None

    def amount(self, column: str, currency: Currency) -> int | None:
        """Minor units; None where nothing stands."""
        value = self.text(column)
        if not value:
            return None
        if not AMOUNT.fullmatch(value):
            self.wrong(column, "not_an_amount", value=value[:40])
            return None
        exact = Fraction(value.replace(",", "."))
        if exact < 0:
            self.wrong(column, "below_zero", value=value)
            return None
        try:
            return currency.minor(exact)
        except ValueError:
            self.wrong(column, "too_fine", value=value, currency=currency.code)
            return None

    def count(self, column: str, least: int, most: int) -> int | None:
        value = self.text(column)
        if not value:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
            self.wrong(column, "not_a_number", value=value[:40], least=least, most=most)
            return None
        return int(value)

    def share(self, column: str) -> Fraction | None:
        """A rate in per cent as a share of 1."""
        value = self.text(column)
        if not value:
            return None
        if not AMOUNT.fullmatch(value) or value.startswith("-"):
            self.wrong(column, "not_a_rate", value=value[:40])
            return None
        return Fraction(value.replace(",", ".")) / 100


def read(files: Sequence[File], problems: Problems) -> dict[str, list[Line]]:
    """Kind of file -> its lines, of all files of that kind in their order."""
    found: dict[str, list[Line]] = {kind: [] for kind in formats.KINDS}
    for file in files:
        for line in _lines(file, problems):
            found[line.kind].append(line)
    return found


def _lines(file: File, problems: Problems) -> Iterator[Line]:
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.add(file.name, 1, "", "not_utf8")
        return
    head, _, _ = text.partition("\n")
    separator = max(SEPARATORS, key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = [name.strip().lower() for name in next(rows, [])]
        kind = _kind(file.name, columns, problems)
        if kind:
            yield from _body(kind, file.name, columns, rows, problems)
    except csv.Error:
        problems.add(file.name, max(rows.line_num, 1), "", "not_a_table")


def _kind(name: str, columns: list[str], problems: Problems) -> str:
    """Which kind of file has these columns; "" when that is not clear, and a problem says so."""
    if not any(columns):
        problems.add(name, 1, "", "not_a_table")
        return ""
    fitting = [kind for kind in formats.KINDS if formats.needed(kind) <= set(columns)]
    named = next((k for k in fitting if k in name.lower()), "")
    kind = named or max(fitting, key=lambda k: len(formats.needed(k)), default="")
    if not kind:
        near = next((k for k in formats.KINDS if k in name.lower()), None) or min(
            formats.KINDS, key=lambda k: len(formats.needed(k) - set(columns))
        )
        missing = ", ".join(column for column in formats.names(near) if column in formats.needed(near) - set(columns))
        problems.add(name, 1, "", "unknown_file", kind=near, missing=missing)
        return ""
    for column in dict.fromkeys(columns):
        if column and not formats.is_column(kind, column):
            problems.add(name, 1, column[:40], "unknown_column")
        elif column and columns.count(column) > 1:
            problems.add(name, 1, column, "column_twice")
    return kind


def _body(kind: str, name: str, columns: list[str], rows: Iterator[list[str]], problems: Problems) -> Iterator[Line]:
    reader = rows
    for count, cells in enumerate(reader, 1):
        number = reader.line_num  # type: ignore[attr-defined]
        if count > formats.MOST_LINES:
            problems.add(name, number, "", "too_many_lines", most=formats.MOST_LINES)
            return
        if not any(cell.strip() for cell in cells):
            continue
        line = Line(
            kind, name, number, {c: cell.strip() for c, cell in zip(columns, cells, strict=False) if c}, problems
        )
        if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
            line.wrong("", "not_a_table")
        for column in formats.names(kind):
            if column in formats.needed(kind) and not line.text(column):
                line.wrong(column, "missing")
        for column, cell in line.cells.items():
            if len(cell) > formats.MOST_SIGNS:
                line.wrong(column, "cell_too_long", most=formats.MOST_SIGNS)
        yield line
