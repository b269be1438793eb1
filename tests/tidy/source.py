"""The repository as the tidy tests see it: tracked files (outside git: the files that are there), syntax trees."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "src" / "usance"
TEXTS = {
    ".py",
    ".html",
    ".ts",
    ".js",
    ".css",
    ".sql",
    ".md",
    ".toml",
    ".txt",
    ".json",
    ".in",
    ".yml",
    ".yaml",
    ".sh",
    ".po",
    ".typ",
    ".csv",
}
NAMES = {"Makefile", "run", ".gitignore", ".npmrc", ".editorconfig"}


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository that git tracks and that is still there."""
    told = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        skipped = {".venv", ".cache", "var", "node_modules", "__pycache__", ".git"}
        found = [p.relative_to(PROJECT) for p in PROJECT.rglob("*") if p.is_file()]
        return tuple(sorted(p for p in found if not skipped & set(p.parts)))
    return tuple(sorted(Path(name) for name in told.stdout.split("\0") if name and (PROJECT / name).is_file()))


def texts() -> Iterator[tuple[Path, str]]:
    """Tracked text files with their contents."""
    for path in tracked():
        if path.suffix in TEXTS or path.name in NAMES:
            yield path, (PROJECT / path).read_text(encoding="utf-8", errors="replace")


@functools.cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    """Our own Python modules (not the tests, not migrations), parsed once for all who ask."""
    return tuple(
        (path, ast.parse((PROJECT / path).read_text(encoding="utf-8")))
        for path in tracked()
        if path.suffix == ".py" and path.parts[0] in ("src", "tools") and "migrations" not in path.parts
    )


def dotted(path: Path) -> str:
    """`src/usance/apps/desk/models.py` -> `usance.apps.desk.models`."""
    parts = list(path.with_suffix("").parts[1:])
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports; `from a import b` gives a.b."""
    package = dotted(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module or ""]))
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
