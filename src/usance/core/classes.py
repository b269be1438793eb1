"""Classes of loans by how long they are past due, as a country's regulator draws them.

A class is found at the end of a business day, from the days past due that the next morning shows and from the class of
the evening before: some classes are left only when everything past due has been paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class LoanClass:
    """One class: from how many days past due it holds. `stays`: until nothing is past due any more."""

    code: str
    from_days: int
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Scheme:
    """All classes, best first. `extended`: the class that a loan has at least after its first, second, ... extension;
    the last one holds for all that follow."""

    classes: tuple[LoanClass, ...]
    extended: tuple[str, ...] = ()

    def rank(self, code: str) -> int:
        """The place of a class, 0 for the best; -1 for one that this scheme does not know."""
        return next((place for place, known in enumerate(self.classes) if known.code == code), -1)


def scheme_of(value: Mapping[str, Any]) -> Scheme:
    """The scheme of a country's rule: {"classes": [{"code", "from", "stays"?}], "extended": [code]}."""
    classes = tuple(LoanClass(row["code"], row["from"], row.get("stays", False)) for row in value["classes"])
    return Scheme(classes, tuple(value.get("extended", ())))


def class_of(scheme: Scheme, *, days_past_due: int, extension_count: int = 0, before: str = "") -> str:
    """The class at the end of a day; `before` is that of the day before, "" for a loan that had none."""
    place = max(place for place, known in enumerate(scheme.classes) if known.from_days <= days_past_due)
    if extension_count and scheme.extended:
        least = scheme.extended[min(extension_count, len(scheme.extended)) - 1]
        place = max(place, scheme.rank(least))
    was = scheme.rank(before)
    if days_past_due and was > place and scheme.classes[was].stays:
        place = was
    return scheme.classes[place].code


@lru_cache(maxsize=10_000)  # a close asks for few different ones, for each of many loans
def changes(
    scheme: Scheme, *, days_past_due: tuple[int, int], extension_count: int = 0, before: str = ""
) -> tuple[tuple[int, str], ...]:
    """Every change of class while days pass and nothing else happens: (days past due when it came, class). Nothing
    happens to an age but that it grows, so only the first day and the edges of the classes need be looked at.
    `days_past_due`: as it was, and as it is."""
    was, is_now = days_past_due
    edges = {known.from_days for known in scheme.classes if was < known.from_days <= is_now}
    found, code = [], before
    for days in sorted({min(was + 1, is_now), *edges, is_now}):
        then = class_of(scheme, days_past_due=days, extension_count=extension_count, before=code)
        if then != code:
            found.append((days, then))
        code = then
    return tuple(found)
