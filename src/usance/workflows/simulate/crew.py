"""Several processes that live the same days of one institution, as a lender has several web servers and workers: each
brings its own share of the people, all of them close the day, and nobody begins the next one before the others.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BrokenBarrierError
from typing import Any, TypeVar

from django.db import connections

from usance.apps.institutions import tenancy

Thing = TypeVar("Thing")


class CrewBroken(RuntimeError):
    """One of the processes stopped in the middle; its own words are above."""


@dataclass(frozen=True)
class Crew:
    """This process's place among them. The first one leads: it does what only one may do. `book`: the file by which
    they share their sandbox; in memory when there is only one of them."""

    number: int = 0
    size: int = 1
    barrier: Any = None
    book: Path | None = None

    @property
    def leads(self) -> bool:
        return self.number == 0

    def meet(self) -> None:
        """Waits until all have come this far; what the institution's row said before may have changed since."""
        if self.barrier is not None:
            self.barrier.wait()
        tenancy.forget_row()

    def share(self, things: Sequence[Thing]) -> Sequence[Thing]:
        """What falls to this process of things that all of them see in the same order."""
        return things[self.number :: self.size]


ALONE = Crew()


def together(size: int, work: Callable[[Crew], Any]) -> list[Any]:
    """What `work` gives in each of `size` processes, the leader's (this one's) first. The others are copies of this
    one: call it before anything here has started threads. Raises CrewBroken."""
    if size == 1:
        return [work(ALONE)]
    connections.close_all()  # a connection belongs to one process
    here = multiprocessing.get_context("fork")
    barrier = here.Barrier(size)
    with TemporaryDirectory(prefix="usance-simulation-") as folder:
        crews = [Crew(number, size, barrier, Path(folder) / "sandbox.sqlite3") for number in range(size)]
        ears, others = [], []
        for crew in crews[1:]:
            ear, mouth = here.Pipe(duplex=False)
            others.append(here.Process(target=_follow, args=(work, crew, mouth), daemon=True))
            others[-1].start()
            mouth.close()  # theirs alone: when they stop, the ear hears the end
            ears.append(ear)
        try:
            return [work(crews[0]), *(ear.recv() for ear in ears)]
        except (BrokenBarrierError, EOFError):
            raise CrewBroken("one of the simulation's processes stopped in the middle") from None
        finally:
            barrier.abort()  # whoever still waits has nothing to wait for
            for other in others:
                other.join()


def _follow(work: Callable[[Crew], Any], crew: Crew, mouth: Any) -> None:
    done = False
    try:
        mouth.send(work(crew))
        done = True
    except BrokenBarrierError:
        sys.exit(1)
    finally:
        if not done:
            crew.barrier.abort()
