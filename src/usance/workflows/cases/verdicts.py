"""What came of a case: its cells, expected beside actual."""

from __future__ import annotations

from typing import NamedTuple


class Unsupported(Exception):
    """The case asks for something that the engine does not have; the message says what."""


class Cell(NamedTuple):
    """One published value and ours, as texts that are equal when they agree."""

    where: str
    expected: str
    actual: str

    @property
    def agrees(self) -> bool:
        return self.expected == self.actual


class Verdict(NamedTuple):
    """One judged case. `unsupported`: why it could not be, else empty."""

    id: str
    family: str
    cells: tuple[Cell, ...]
    unsupported: str = ""

    @property
    def outcome(self) -> str:
        """matched, mismatched or unsupported."""
        if self.unsupported:
            return "unsupported"
        return "matched" if all(cell.agrees for cell in self.cells) else "mismatched"
