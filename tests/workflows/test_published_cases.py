"""Published numbers and the engine: a few cases of each family as facts (their source and licence stand in the file),
read by the very command that is run on whole folders of them."""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from usance.workflows import cases, cli_cases
from usance.workflows.cases import arithmetic
from usance.workflows.cases.verdicts import Unsupported, Verdict

FACTS = json.loads((Path(__file__).parent / "published" / "cases.json").read_text(encoding="utf-8"))["cases"]


def whole(case: dict[str, Any]) -> dict[str, Any]:
    """The case as files of cases hold it: tables are lists of named cells."""
    made = copy.deepcopy(case)
    for name, table in case.items():
        if isinstance(table, dict) and set(table) == {"columns", "rows"}:
            made[name] = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return made


PUBLISHED = [whole(case) for case in FACTS]


def written(folder: Path, told: list[dict[str, Any]]) -> Path:
    path = folder / "facts.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def judged(folder: Path, told: list[dict[str, Any]]) -> list[Verdict]:
    return list(cases.verdicts([written(folder, told)]))


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli_cases.add_arguments(parser)
    return cli_cases.main(parser.parse_args(words))


def test_every_published_cell_is_reproduced(tmp_path: Path) -> None:
    found = judged(tmp_path, PUBLISHED)
    wrong = {verdict.id: [cell for cell in verdict.cells if not cell.agrees] for verdict in found}
    assert {verdict.outcome for verdict in found} == {"matched"}, {k: v for k, v in wrong.items() if v}
    assert len(found) == len(FACTS) > 80
    assert len({verdict.family for verdict in found}) > 25


def altered(case: dict[str, Any]) -> dict[str, Any]:
    """The same with one expected number a little off."""
    made = copy.deepcopy(case)
    if "expected_schedule" in made:
        row = made["expected_schedule"][-1]
        name = next(name for name in ("principal_due", "interest_due", "total_due", "balance_after") if row.get(name))
        row[name] = f"{float(row[name]) + 0.01:.2f}"
    elif "checkpoints" in made:
        row = made["checkpoints"][-1]["schedule"][0]
        row["outstanding" if "outstanding" in row else "principal_due"] += "1"  # no amount of the currency
    elif "expected_payments" in made:
        made["expected_payments"][100]["expectedBalance"] += "1"
    elif "expected_pct" in made:
        made["expected_pct"] += "1"
    elif isinstance(made["expected"], list):
        made["expected"][0][1] = "0.01"
    elif isinstance(made["expected"], dict):
        made["expected"]["NPA"] = "2021-06-28"
    else:
        # the last digit that is told, of an amount, a fraction, a number of days or a date
        text = str(made["expected"])
        made["expected"] = f"{text[:-1]}{9 - int(text[-1])}"
    return made


def test_each_altered_number_is_a_mismatch(tmp_path: Path) -> None:
    found = judged(tmp_path, [altered(case) for case in PUBLISHED])
    assert [verdict.id for verdict in found if verdict.outcome != "mismatched"] == []


def test_expected_values_are_read_for_nothing_else(tmp_path: Path) -> None:
    """What the engine says does not move with what is expected of it (how many decimals of it are shown may)."""
    as_told, off = judged(tmp_path, PUBLISHED), judged(tmp_path, [altered(case) for case in PUBLISHED])
    for one, other in zip(as_told, off, strict=True):
        assert [cell.actual[:10] for cell in one.cells] == [cell.actual[:10] for cell in other.cells], one.id


def test_the_command_counts_by_family_and_its_status_says_whether_all_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {"id": "odd", "family": "apr", "method": "effective", "rounding": "as one likes", "input": {}}
    path = str(written(tmp_path, [*PUBLISHED[:3], altered(PUBLISHED[3]), odd]))
    assert run(path, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["total"] == {"cases": 5, "matched": 3, "mismatched": 1, "unsupported": 1}
    assert [row["ids_mismatched"] for row in told["families"] if row["mismatched"]] == [[PUBLISHED[3]["id"]]]
    assert run(path, "--family", PUBLISHED[0]["family"]) == 0
    assert run(path, "--family", "apr") == 0
    assert run(path, "--family", "apr", "--strict") == 1
    capsys.readouterr()
    assert run(path, "--show", PUBLISHED[3]["id"]) == 1
    assert "\n! row" in capsys.readouterr().out
    assert run(path, "--show", "nobody") == 2
    assert run(str(tmp_path / "nowhere.json")) == 2


def test_a_register_of_instalments_is_read_by_its_columns(tmp_path: Path) -> None:
    """10,000.00 at 12 % in 36 months is 332.143...: a lender that rounds up asks for 332.15."""
    path = tmp_path / "register.csv"
    head = "loan_amount,term,interest_rate,installment\n"
    path.write_text(f"{head}10000,36,12,332.15\n10000,36,12,332.14\n", encoding="utf-8")
    assert [verdict.outcome for verdict in cases.verdicts([path])] == ["matched", "mismatched"]


@pytest.mark.parametrize("text", ["", "1/0", "__import__('os')", "8%%", "1e9", "2*3"])
def test_only_plain_sums_are_read(text: str) -> None:
    with pytest.raises(Unsupported):
        arithmetic.value(text)
