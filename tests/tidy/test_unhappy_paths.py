"""The table of unhappy paths tells nothing that no test shows."""

from __future__ import annotations

import re

from tests.tidy.source import PROJECT

TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_row_names_a_test_that_exists() -> None:
    lines = (PROJECT / "docs" / "unhappy.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith(("| Path |", "|---"))]
    assert len(rows) > 50
    wrong = []
    for row in rows:
        named = TEST.findall(row)
        there = [(PROJECT / path).exists() and f"def {name}(" in (PROJECT / path).read_text() for path, name in named]
        if not named or not all(there):
            wrong.append(row)
    assert not wrong, "\n".join(wrong)
