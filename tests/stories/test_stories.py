"""Every story in this folder, line by line."""

from __future__ import annotations

import difflib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stories import accounts, telling
from usance.core.loan import checkpoint, close, events, quiet, state
from usance.core.loan.terms import Terms

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    story, told = telling.lived(path)
    wrong = [
        f"{path.name}:{line.number}: {difference}"
        for line, loan, refused, _ in told
        for difference in telling.differences(line, loan, refused)
    ]
    assert not wrong, "\n".join([story.title, *wrong])


@pytest.mark.parametrize("path", sorted(accounts.FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_the_account_of_a_story(path: Path) -> None:
    """After a wanted change: `.venv/bin/python -m tests.stories.accounts`, and read what it changed."""
    written, now = path.read_text(), accounts.account(*telling.lived(path.parents[1] / path.name))
    assert written == now, "\n".join(difflib.unified_diff(written.splitlines(), now.splitlines(), lineterm="", n=1))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_story_may_be_put_away_and_taken_up_after_any_line(path: Path) -> None:
    story, lines = telling.lived(path)
    terms = Terms.from_json(json.loads(json.dumps(story.terms.to_json())))
    assert terms == story.terms
    for _, loan, _, history in lines:
        stored = json.loads(json.dumps(checkpoint.to_json(loan)))
        assert checkpoint.from_json(stored, loan.terms) == loan
        told = [events.from_json(json.loads(json.dumps(event.to_json()))) for event in history]
        assert told == history


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_days_between_the_lines_are_alike_or_close_one_by_one(path: Path) -> None:
    """However the days after a line pass, the loan and the sums are the same; what `quiet` says of them, comes."""
    for _, loan, _, _ in telling.lived(path)[1]:
        if loan.status not in state.LIVE:
            continue
        later = loan.at + timedelta(days=45)
        one_by_one = close.advance(loan, later)
        assert close.advance(loan, later, daily=False).loan == one_by_one.loan
        earned = quiet.earning(loan)
        last = min(earned.until - timedelta(days=1), later)
        told = [movement for movement in one_by_one.movements if movement.effective_on < last]
        assert told == list(quiet.daily(loan.at, last, earned.interest, earned.penalty))


def test_there_are_stories_and_each_expects_something() -> None:
    assert len(FILES) >= 14
    for path in FILES:
        assert sum(len(line.expected) for line in telling.read(path.read_text()).lines) >= 4, path.name
