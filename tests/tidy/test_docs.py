"""What the documents say is there: links, commands, environment variables."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tidy.source import PROJECT, tracked

DOCUMENTS = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (PROJECT / "docs").rglob("*.md")
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"(?:environ(?:\.get)?[\[(]|required\(|flag\()\s*\"([A-Z][A-Z_]+)\"")
# what a person never sets: Django's own, and what parts of a running site tell each other
INNER = {"PATH", "DJANGO_SETTINGS_MODULE", "USANCE_PROCESS", "USANCE_DB_ROLE", "USANCE_APP_ROLE", "USANCE_CHROMIUM"}


def test_links_lead_somewhere() -> None:
    dead = [
        f"{path.relative_to(PROJECT)}: {link}"
        for path in DOCUMENTS
        for link in LINK.findall(path.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:|#", link) and not (path.parent / link.split("#")[0]).exists()
    ]
    assert not dead, "\n".join(dead)


def test_commands_that_are_named_exist() -> None:
    """`make x` is a target, `usance x` a command, and a path in backticks a file or folder."""
    targets = set(re.findall(r"(?m)^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8")))
    cli = (PROJECT / "src" / "usance" / "config" / "cli.py").read_text(encoding="utf-8")
    commands = set(re.findall(r"Command\(\s*\"(\w+)\"", cli))
    unknown = []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        named = [f"make {t}" for t in re.findall(r"(?m)(?:`|^)make ([a-z-]+)", text) if t not in targets]
        named += [f"usance {c}" for c in re.findall(r"(?:`|bin/)usance ([a-z]+)", text) if c not in commands]
        named += [f for f in re.findall(r"`((?:src|tests|tools|docs|frontend)/[\w./-]+)`", text) if not _exists(f)]
        unknown += [f"{path.relative_to(PROJECT)}: {name}" for name in named]
    assert commands
    assert not unknown, "\n".join(unknown)


def _exists(path: str) -> bool:
    return (PROJECT / path).exists()


def test_architecture_names_places_that_are_there() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = text.split("## To change X, open Y")[1].split("## ")[0]
    places = re.findall(r"`((?:core|ports|adapters|apps|workflows|web|config|locale)/[\w./-]*|[a-z]+\.py)`", rows)
    missing = [place for place in places if "/" in place and not (PROJECT / "src" / "usance" / place).exists()]
    assert len(places) > 10
    assert not missing, "\n".join(missing)


def test_every_environment_variable_is_in_the_operations_manual() -> None:
    manual = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    read = {
        name
        for path in tracked()
        if path.suffix == ".py" and path.is_relative_to(Path("src/usance"))
        for name in VARIABLE.findall((PROJECT / path).read_text(encoding="utf-8"))
    }
    assert len(read) > 10
    missing = sorted(name for name in read - INNER if name not in manual)
    assert not missing, ", ".join(missing)
