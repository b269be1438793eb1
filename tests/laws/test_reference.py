"""The engine against the slow reference, to the minor unit, on histories told in any order. Half of them; the other
half is in a file of its own, so that two workers share them."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import pytest

from tests.laws import histories, slow
from tests.laws.slow import happenings
from tests.laws.slow.loan import SlowLoan

# of the ten thousand histories of `make test`; fewer elsewhere, as with the property tests
HALF = 5_000 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 250
FIRST = range(0, HALF, HALF // 10)  # in ten parts: the first that does not agree is told soon
REFERENCE = sorted(Path(slow.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("first", FIRST)
def test_engine_equals_the_slow_reference(first: int) -> None:
    found = histories.differing(first, FIRST.step)
    assert not found, "\n".join(found[:5])


def test_a_calculator_that_is_off_by_one_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison would see it: a reference that forgets a minor unit of one payment differs."""
    real = happenings.HAPPENINGS["PaymentReceived"]

    def one_less(loan: SlowLoan, told: Any) -> None:
        told.amount_minor -= 1
        real(loan, told)

    monkeypatch.setitem(happenings.HAPPENINGS, "PaymentReceived", one_less)
    assert histories.differing(0, 40)


@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.name)
def test_the_reference_shares_no_code_with_the_engine(path: Path) -> None:
    """The standard library and its own parts, nothing else; its fractions too are others."""
    imported = {
        name.split(".")[0] if not name.startswith("tests.laws.slow") else "itself"
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    allowed = {"__future__", "calendar", "collections", "copy", "dataclasses", "datetime", "fractions", "functools"}
    assert imported <= allowed | {"types", "typing", "itself"}
