"""Real applicants of a public file: their answers in our words, and never what became of them."""

from __future__ import annotations

import csv
from importlib import resources

import pytest

from usance.apps.decisioning import facts, statlog
from usance.apps.origination import questions

FILE = resources.files("usance.workflows.simulate") / "data" / "statlog_german_credit.csv"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(FILE.read_text(encoding="utf-8").splitlines()))


def test_every_answer_is_one_of_ours(rows: list[dict[str, str]]) -> None:
    assert len(rows) == 1000
    for row in rows:
        for question, answer in statlog.answers(row).items():
            choices = questions.QUESTIONS[question].choices
            assert choices is None or answer in choices, (question, answer)
            assert question in facts.FACTS


def test_what_the_file_does_not_know_stays_missing(rows: list[dict[str, str]]) -> None:
    unknown = [row for row in rows if "unknown" in row["savings_account_and_bonds"]]
    assert unknown
    assert all("savings" not in statlog.answers(row) for row in unknown)
    known = len(rows) - len(unknown)
    assert sum("savings" in statlog.answers(row) for row in rows) == known


def test_the_share_of_the_income_is_counted_from_the_smallest_up(rows: list[dict[str, str]]) -> None:
    """The file's 1 is its largest share (35 % or more), our question's 1 the smallest."""
    column = "installment_rate_in_percentage_of_disposable_income"
    for row in rows:
        assert int(statlog.answers(row)["disposable_share_band"]) == 5 - int(row[column])


def test_outcome_sex_and_origin_are_never_read(rows: list[dict[str, str]]) -> None:
    for row in rows[:50]:
        without = {column: text for column, text in row.items() if column not in statlog.NEVER_READ}
        assert statlog.answers(without) == statlog.answers(row)
    assert facts.FACTS.keys().isdisjoint({"creditability", "sex", "personal_status", "foreign_worker", "name"})
