"""The short form of `usance faults`: the command itself, on a database of its own, with real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import database
from usance.config import postgres

SEED = 1
FAULTS = 500


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_five_hundred_faults_and_nothing_is_lost_double_or_stuck(django_db_setup: None, tmp_path: Path) -> None:
    """`usance faults --seed 1 --keep` shows a failure again."""
    figures = tmp_path / "figures.json"
    told = _faults(
        tmp_path,
        *("--seed", str(SEED), "--faults", str(FAULTS), "--json", str(figures)),
        *("--server", database.address(postgres.SUPERUSER, "postgres"), "--template", database.template()),
    )
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-3000:]
    found = json.loads(figures.read_text())
    assert found["total"] >= FAULTS
    assert found["audit_clean"]
    kinds = {name: row for name, row in found.items() if isinstance(row, dict)}
    assert len(kinds) == 29
    for name, row in kinds.items():
        assert row["injected"] >= 0.02 * found["total"], name
        assert (row["lost"], row["double"], row["stuck"], row["wrong"]) == (0, 0, 0, 0), name
        assert row["points"] >= 2, name


def test_no_database_but_its_own_is_ever_touched(tmp_path: Path) -> None:
    refused = _faults(tmp_path, DATABASE_URL="postgresql://lender@db.example/production")
    assert refused.returncode == 1
    assert "faults are injected only into one that `usance faults` makes itself" in refused.stderr
    elsewhere = _faults(tmp_path, "--server", "postgresql://postgres@db.example/postgres")
    assert elsewhere.returncode == 1
    assert "on this machine only" in elsewhere.stderr
    assert "Traceback" not in refused.stderr + elsewhere.stderr


def _faults(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "DATABASE_OWNER_URL", "USANCE_SANDBOX_URL")
    }
    return subprocess.run(
        [sys.executable, "-m", "usance.config.cli", "faults", *words],
        env=environment | {"USANCE_HOME": str(home)} | more,
        capture_output=True,
        text=True,
    )
