"""The core is pure: standard library only, no clock and no chance; modules in layers, each of them on a few screens."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import usance.core

ROOT = Path(usance.core.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
FORBIDDEN = {"os", "time", "random", "uuid", "logging", "secrets", "io", "pathlib", "socket", "threading", "asyncio"}
LAYERS = [
    "refusals",
    "values",
    "money calendar",
    "day_counts present_value",
    "rates apr",
    "loan underwriting",
    "accounting",
]
LOAN = [
    "names",
    "terms_parts refused records",
    "terms",
    "movements",
    "events plan",
    "state",
    "book",
    "checkpoint even income precedents recognition",
    "charges",
    "to_come",
    "forecast waterfall",
    "reserve",
    "bills",
    "smaller status",
    "allocate",
    "levelling close",
    "quiet carry relief reshape",
    "draw defer never_drawn",
    "apply",
    "admit",
    "replay",
    "quote",
]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_nothing_but_the_standard_library_and_itself(path: Path) -> None:
    for name in imports(path):
        top = name.split(".")[0]
        assert name.startswith("usance.core") or (top in sys.stdlib_module_names and top not in FORBIDDEN), name


def _level(layers: list[str], part: str) -> int | None:
    return next((index for index, layer in enumerate(layers) if part in layer.split()), None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_module_stands_above_what_it_uses(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    for name in imports(path):
        if not name.startswith("usance.core."):
            continue
        used = name.split(".")[2:]
        if used[0] != parts[0]:
            mine, theirs = _level(LAYERS, parts[0]), _level(LAYERS, used[0])
            assert mine is not None
            assert theirs is not None
            assert mine > theirs, f"{parts} uses {name}"
        elif parts[0] == "loan" and used[1] != parts[1]:
            mine, theirs = _level(LOAN, parts[1]), _level(LOAN, used[1])
            assert mine is not None
            assert theirs is not None
            assert mine > theirs, f"{parts} uses {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_floats_and_functions_fit_on_a_screen(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"line {node.lineno}"
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name
