"""The published cases one by one: facts that others computed, each reproduced by the core alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.test_published_cases import PUBLISHED
from usance.workflows import cases


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case["id"])
def test_a_published_case(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps([case]), encoding="utf-8")
    (judged,) = cases.verdicts([path])
    assert judged.outcome == "matched", [cell for cell in judged.cells if not cell.agrees]
