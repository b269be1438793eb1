"""The close is measured by real workers over loans that are made once, and the audit finds nothing in either."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

WANTED = ("loans", "workers", "seconds", "loans_per_second", "floor_seconds", "ratio", "peak_rss_mb", "wal_mb",
          "per_loan_us")  # fmt: skip


def test_a_worker_that_ended_spoils_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    from usance.workflows import cli_bench_close, measuring

    monkeypatch.setattr(cli_bench_close, "WORKER", [sys.executable, "-c", "import sys; sys.exit('lost its way')"])
    with cli_bench_close._workers(1) as (worker,):
        worker.process.wait(timeout=60)
        with pytest.raises(measuring.Spoilt, match="ended with status 1, before it was over:\nlost its way"):
            worker.must_live()


def test_a_small_close_is_measured_and_leaves_the_books_whole(
    fresh_db: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support import database
    from usance.config.database import APP, OWNER
    from usance.workflows import cli_bench, cli_bench_close, herd

    monkeypatch.setenv("USANCE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.address(APP, fresh_db))
    monkeypatch.setenv("DATABASE_OWNER_URL", database.address(OWNER, fresh_db))
    monkeypatch.setattr(herd, "LIVES", 20)
    monkeypatch.setattr(cli_bench_close, "PAY_EVERY_S", 0.02)
    monkeypatch.setattr(cli_bench_close, "PATIENCE_S", 60)
    parser = argparse.ArgumentParser()
    cli_bench.add_arguments(parser)
    words = ["close", "--loans", "60", "--workers", "1", "--days", "1"]
    assert cli_bench.main(parser.parse_args([*words, "--json"])) in (0, 1)  # how long it takes here says nothing
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(WANTED) <= set(figures)
    assert figures["loans"] == 60
    assert figures["differences"] == 0
    assert figures["payments"]["refused"] == 0
    assert sum(figures["mix"]["products"].values()) == 60
    assert set(figures["per_loan_us"]) == {"1", "6", "60"}
    assert figures["ratio"] == pytest.approx(figures["seconds"] / figures["floor_seconds"], rel=0.2)
    assert "close/floor" in cli_bench_close.as_text(figures)
    assert cli_bench.main(parser.parse_args(["close", "--loans", "0"])) == 2
    assert "from 1" in capsys.readouterr().err


def test_goals_that_were_missed_are_named() -> None:
    from usance.workflows import cli_bench_close

    good = {
        "differences": 0, "payments": {"refused": 0, "longest_ms": 20.0}, "peak_rss_mb": 200, "loans": 1_000_000,
        "ratio": 1.4, "per_loan_us": {10_000: 9.0, 100_000: 7.0, 1_000_000: 8.0},
    }  # fmt: skip
    assert cli_bench_close.breaches(good) == []
    bad = {
        "differences": 1, "payments": {"refused": 0, "longest_ms": 700.0}, "peak_rss_mb": 501, "loans": 1_000_000,
        "ratio": 1.6, "per_loan_us": {10_000: 9.0, 100_000: 7.0, 1_000_000: 10.0},
    }  # fmt: skip
    assert cli_bench_close.breaches(bad) == ["audit", "payments", "memory", "ratio", "growth"]
    assert "ratio" in cli_bench_close.breaches(bad | {"loans": 99_720})  # what whole copies make of a hundred thousand
    assert cli_bench_close.breaches(bad | {"loans": 1000}) == ["audit", "payments", "memory"]


def test_nothing_is_added_to_the_loans_of_others(fresh_db: str) -> None:
    from tests.support import institutions
    from usance.ports import clock
    from usance.workflows import filling, herd

    institutions.found("ua", business_date=date(2026, 3, 2))
    with pytest.raises(filling.OtherData):
        herd.present(loans=10, at=clock.now(), tell=lambda step: None)
