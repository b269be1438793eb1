"""Every story in this folder, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories import telling

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    story = telling.read(path.read_text())
    wrong = [
        f"{path.name}:{line.number}: {difference}"
        for line, loan, refused in telling.tell(story)
        for difference in telling.differences(line, loan, refused)
    ]
    assert not wrong, "\n".join([story.title, *wrong])


def test_there_are_stories_and_each_expects_something() -> None:
    assert len(FILES) >= 14
    for path in FILES:
        assert sum(len(line.expected) for line in telling.read(path.read_text()).lines) >= 4, path.name
