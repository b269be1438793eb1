"""docs/laws.md and the tests name the same laws."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "laws.md"


def named_here() -> set[str]:
    return {
        node.name
        for path in HERE.glob("test_*.py")
        if path != Path(__file__)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_law_has_its_test_and_every_test_its_law() -> None:
    assert set(re.findall(r"`(test_\w+)`", PAGE.read_text())) == named_here()


def test_the_ten_laws_are_all_there() -> None:
    page = PAGE.read_text()
    assert re.findall(r"^## (\d+)\. ", page, re.M) == [str(number) for number in range(1, 11)]
    for number in range(1, 11):
        assert any(name.startswith(f"test_law_{number:02d}_") for name in named_here())
