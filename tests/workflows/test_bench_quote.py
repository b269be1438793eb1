"""The bench of the engine measures whole lives, and says which goals it met."""

from __future__ import annotations

import json

import pytest

from usance.core.loan import quote, replay
from usance.workflows import cli_bench, cli_bench_quote


def test_the_life_that_is_replayed_is_paid_to_the_end() -> None:
    agreed = cli_bench_quote.terms(60, rich=True)
    told, until = cli_bench_quote.lived(agreed)
    loan = replay.replay(agreed, told, until, daily=False).loan
    assert (len(told), loan.status) == (62, "closed")
    assert len(quote.schedule(cli_bench_quote.begun(cli_bench_quote.terms(12)))) == 12


def test_the_figures_are_printed_as_text_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli_bench_quote.main(as_json=True, seconds=0.01)
    figures = json.loads(capsys.readouterr().out)
    assert status == (0 if all(figures["goals_met"].values()) else 1)
    assert figures["schedule_12_us"] > figures["floor_12_us"] > 0
    assert "goal: replay under 5 ms" in cli_bench_quote.as_text(figures)


def test_bench_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    cli_bench.add_arguments(parser)
    monkeypatch.setattr(cli_bench_quote, "main", lambda **given: 7 if given == {"as_json": True} else 0)
    assert cli_bench.main(parser.parse_args(["quote", "--json"])) == 7
