"""A simulation that is killed leaves its book, and whoever comes next hands it over to the served sandbox."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

from usance.adapters.sandbox import in_process

DYING = """
import os, signal, sys
from datetime import date
from pathlib import Path
from usance.adapters.sandbox.in_process import InProcess

twins = InProcess(Path(sys.argv[1]), lambda path, body, headers: 200)
card = twins.new_card(merchant="1396424", on=date(2026, 3, 2))
print(card.token, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def known_cards(book: Path) -> set[str]:
    with sqlite3.connect(book) as served:
        return {row[0] for row in served.execute("SELECT token FROM cards")}


def test_the_book_of_a_killed_simulation_is_handed_over(tmp_path: Path) -> None:
    served = tmp_path / "book.sqlite3"
    died = subprocess.run([sys.executable, "-c", DYING, str(served)], capture_output=True, text=True, env=os.environ)
    assert died.returncode == -signal.SIGKILL
    assert known_cards(served) == set()
    assert in_process.adopt(served) == 1
    assert known_cards(served) == {died.stdout.strip()}
    assert in_process.adopt(served) == 0
    assert [path.name for path in tmp_path.iterdir() if in_process.LEFT in path.name] == []


def test_the_book_of_one_that_lives_is_left_alone(tmp_path: Path) -> None:
    served = tmp_path / "book.sqlite3"
    living = in_process.InProcess(served, lambda path, body, headers: 200)
    card = living.new_card(merchant="1396424", on=date(2026, 3, 2))
    assert in_process.adopt(served) == 0
    other = in_process.InProcess(served, lambda path, body, headers: 200)
    other.close()
    living.close()
    assert known_cards(served) == {card.token}
