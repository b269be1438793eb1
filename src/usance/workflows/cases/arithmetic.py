"""Small sums written out, such as "8%/12" or "1/12+3/365", read exactly; nothing else is."""

from __future__ import annotations

import re
from fractions import Fraction

from usance.workflows.cases.verdicts import Unsupported

TERM = re.compile(r"(-?\d+(?:\.\d+)?)(%?)((?:/\d+)?)")


def value(text: str) -> Fraction:
    """A sum of numbers, each with a per cent sign or a divisor where it has one. Raises Unsupported."""
    total = Fraction(0)
    for part in text.replace(" ", "").split("+"):
        read = TERM.fullmatch(part)
        if not read or read[3] == "/0":
            raise Unsupported(f"{text!r} is not a sum that is understood")
        total += Fraction(read[1]) / (100 if read[2] else 1) / int(read[3].removeprefix("/") or 1)
    return total


def values(text: str) -> list[Fraction]:
    """Several with commas between them; one left out is zero, a name before it ("type=1") only reminds."""
    return [value(part.partition("=")[2] or part) if part.strip() else Fraction(0) for part in text.split(",")]
