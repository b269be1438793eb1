"""The engine against the slow reference, to the minor unit, on histories told in any order. Half of them; the other
half is in a file of its own, so that two workers share them."""

from __future__ import annotations

import ast
import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.laws import histories, slow_reference

# of the ten thousand histories of `make test`; fewer elsewhere, as with the property tests
HALF = 5_000 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 250
FIRST = range(0, HALF, HALF // 10)  # in ten parts: the first that does not agree is told soon


@pytest.mark.parametrize("first", FIRST)
def test_engine_equals_the_slow_reference(first: int) -> None:
    found = histories.differing(first, FIRST.step)
    assert not found, "\n".join(found[:5])


def test_the_histories_hold_every_kind_of_event_and_many_are_told_late() -> None:
    kinds: Counter[str] = Counter()
    late = 0
    for number in range(500):
        chance = Random(f"history {number}")
        agreed = histories.agreement(chance)
        told = histories.tale(chance, agreed, chance.choice(histories.REACHES))
        kinds.update(item.what for item in told)
        late += any(a.day > b.day for a, b in zip(told, told[1:], strict=False))
    assert set(kinds) == set(slow_reference.RANKS)
    assert min(kinds.values()) > 20
    assert late > 250


def test_a_calculator_that_is_off_by_one_is_noticed() -> None:
    """The comparison would see it: a reference that forgets a minor unit of one payment differs."""
    real = slow_reference.SlowLoan.pay
    try:
        slow_reference.SlowLoan.pay = lambda loan, amount: real(loan, amount - 1)  # type: ignore[method-assign]
        assert histories.differing(0, 40)
    finally:
        slow_reference.SlowLoan.pay = real  # type: ignore[method-assign]


def test_the_reference_shares_no_code_with_the_engine() -> None:
    tree = ast.parse(Path(slow_reference.__file__).read_text())
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert imported == {"__future__", "calendar", "dataclasses", "datetime", "fractions"}
