"""Payments are measured by several workers over loans that are made once; the audit finds nothing afterwards."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest


def test_a_few_payments_are_measured_and_leave_the_books_whole(
    fresh_db: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support import database
    from usance.config.database import APP, OWNER
    from usance.workflows import cli_bench, cli_bench_payments, herd

    monkeypatch.setenv("USANCE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.address(APP, fresh_db))
    monkeypatch.setenv("DATABASE_OWNER_URL", database.address(OWNER, fresh_db))
    monkeypatch.setattr(herd, "LIVES", 20)
    monkeypatch.setattr(cli_bench_payments, "SECONDS", 0.5)
    parser = argparse.ArgumentParser()
    cli_bench.add_arguments(parser)
    words = ["payments", "--loans", "40", "--workers", "2", "--json"]
    assert cli_bench.main(parser.parse_args(words)) in (0, 1)  # how long it takes here says nothing
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert figures["payments"] > 0
    assert figures["refused"] == figures["differences"] == 0
    rows = figures["rows_of_one"]
    assert rows["servicing_loanevent"] == rows["servicing_loan"] == rows["ledger_journalentry"] == 1
    assert rows["ledger_transfer"] >= 1
    assert rows["audit_auditentry"] >= 1
    assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    assert figures["ratio"] > 1
    assert "rows of one payment" in cli_bench_payments.as_text(figures)


def test_goals_that_were_missed_are_named() -> None:
    from usance.workflows import cli_bench_payments

    good = {"differences": 0, "refused": 0, "per_second": 1_200}
    assert cli_bench_payments.breaches(good) == []
    assert cli_bench_payments.breaches({"differences": 1, "refused": 2, "per_second": 900}) == [
        "audit",
        "refused",
        "per_second",
    ]
