"""What an application, a payment and a quiet day cost stays within a budget of queries."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

STARTS_ON = date(2026, 3, 2)
# queries of one; they may become fewer
BUDGET = {"application": 352, "payment": 58, "day": 35}


@pytest.fixture
def put_back() -> Any:
    """The rails and messengers of the other tests stay theirs."""
    from usance.ports import registry

    before = registry.install(registry.Registry())
    yield
    registry.install(before)


def test_the_figures_are_printed_and_within_the_budget(
    fresh_db: str, tmp_path: Path, settings: Any, put_back: None, capsys: pytest.CaptureFixture[str]
) -> None:
    from usance.config import wiring
    from usance.workflows import cli_bench, demo

    settings.HOME, settings.USANCE_DEMO = tmp_path, True
    settings.USANCE_SANDBOX_URL = "http://127.0.0.1:1"
    wiring.choose_providers()
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    demo.found(code="ua", starts_on=STARTS_ON, at=at, keys=demo.Secrets.new())
    parser = argparse.ArgumentParser()
    cli_bench.add_arguments(parser)
    assert cli_bench.main(parser.parse_args(["life", "--institution", "nowhere"])) == 2
    assert cli_bench.main(parser.parse_args(["life", "--institution", "ua", "--customers", "0"])) == 2
    capsys.readouterr()
    words = ["life", "--institution", "ua", "--customers", "4", "--seed", "7"]
    assert cli_bench.main(parser.parse_args([*words, "--json"])) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["floor_ms_a_query"] > 0
    for name, most in BUDGET.items():
        assert figures[name]["runs"] >= 1
        assert figures[name]["queries"] <= most
        assert figures[name]["floor_ms"] < figures[name]["wall_ms"]
    assert "floor: as many trivial queries" in cli_bench.as_text(figures)
