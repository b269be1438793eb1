"""What the code imports is what it says it needs: a package that comes along with another may leave with it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def declared(name: str) -> set[str]:
    """The packages that a requirements file names itself."""
    lines = (PROJECT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    words = (re.split(r"[\[<>=!~;# ]", line.strip())[0] for line in lines)
    return {normal(word) for word in words if word and not word.startswith("-")}


def normal(name: str) -> str:
    return name.lower().replace("_", "-")


def imported(folder: str) -> dict[str, Path]:
    """Top-level modules from elsewhere, each with a file that imports it."""
    found: dict[str, Path] = {}
    for path in sorted((PROJECT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                found.setdefault(name.split(".")[0], path)
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names and name != "usance"}


def test_every_import_of_the_product_is_a_requirement() -> None:
    ours, known = packages_distributions(), declared("main.in")
    missing = [
        f"{path.relative_to(PROJECT)}: {name}"
        for name, path in imported("src").items()
        if not known & {normal(package) for package in ours.get(name, [])}
    ]
    assert not missing, "\n".join(missing)
