"""The desk's pages are measured over a crowd that is made once, and every page of it opens."""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def put_back() -> Any:
    """The rails and messengers of the other tests stay theirs."""
    from usance.ports import registry

    before = registry.install(registry.Registry())
    yield
    registry.install(before)


def test_a_small_crowd_is_made_once_and_every_page_of_it_opens(
    fresh_db: str,
    tmp_path: Path,
    settings: Any,
    put_back: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.support import database
    from usance.config import wiring
    from usance.config.database import OWNER
    from usance.workflows import cli_bench, cli_bench_pages, crowd

    settings.HOME, settings.USANCE_DEMO = tmp_path, True
    monkeypatch.setenv("DATABASE_OWNER_URL", database.address(OWNER, fresh_db))
    settings.USANCE_SANDBOX_URL = "http://127.0.0.1:1"
    wiring.choose_providers()
    monkeypatch.setattr(crowd, "LIVES", 5)
    monkeypatch.setattr(crowd, "DAYS", 12)
    monkeypatch.setattr(crowd, "WAITING", 3)
    monkeypatch.setattr(cli_bench_pages, "ROUNDS", 2)
    parser = argparse.ArgumentParser()
    cli_bench.add_arguments(parser)
    words = parser.parse_args(["pages", "--customers", "60", "--json"])
    assert cli_bench.main(words) in (0, 1)  # how long it takes here says nothing
    first = json.loads(capsys.readouterr().out)
    assert 60 <= first["loans"] <= first["customers"]
    again = crowd.present(customers=60)
    assert (again.customers, again.loans) == (first["customers"], first["loans"])
    pages = first["pages"]
    assert {name for name, one in pages.items() if one["status"] >= 400} == set()
    found = {name: one["status"] for name, one in pages.items() if name.startswith("search: ")}
    for name in ("phone as people write it", "loan number without zeros", "identity number"):
        assert found[f"search: {name}"] == 302, name  # exactly one: their page opens
    assert "one row by its key" in cli_bench_pages.as_text(first)
    assert cli_bench.main(parser.parse_args(["pages", "--customers", "90"])) == 2
    assert "another folder" in capsys.readouterr().err


def test_nothing_is_added_to_the_data_of_others(fresh_db: str) -> None:
    from tests.support import institutions
    from usance.workflows import crowd, filling

    institutions.found("ua", business_date=date(2026, 3, 2))
    with pytest.raises(filling.OtherData):
        crowd.present(customers=10)
