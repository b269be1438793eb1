"""The queue as services see it: they name a task and pass ids; they never import the task.

A job is part of the caller's transaction: it commits or vanishes with the data that it is about. Every task is
idempotent, because a job of a killed worker runs again. Arguments are ids and plain values, never personal data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

Plain = str | int | bool | None
Handler = Callable[..., None]


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """`retries`: how often a crash is tried again, with growing pauses; `lane`: which workers take it; `priority`: the
    higher, the sooner it is taken."""

    name: str
    run: Handler
    lane: str = "default"
    retries: int = 5
    priority: int = 0


_tasks: dict[str, TaskOptions] = {}


class UnknownTask(LookupError):
    """A service named a task that no module declared."""


def task(name: str, *, lane: str = "default", retries: int = 5, priority: int = 0) -> Callable[[Handler], Handler]:
    """Declares the function that carries a task out: bound to the job's institution, outside any transaction."""

    def declare(run: Handler) -> Handler:
        if name in _tasks and _tasks[name].run.__qualname__ != run.__qualname__:
            raise ValueError(f"two functions declare the task {name}")
        _tasks[name] = TaskOptions(name=name, run=run, lane=lane, retries=retries, priority=priority)
        return run

    return declare


def options(name: str) -> TaskOptions:
    try:
        return _tasks[name]
    except KeyError:
        raise UnknownTask(name) from None


def declared() -> Mapping[str, TaskOptions]:
    return dict(_tasks)


class Queue(Protocol):
    def put(self, name: str, arguments: Mapping[str, Plain], *, key: str | None, run_at: datetime | None) -> None:
        """Adds a job in the caller's transaction; with `key`, one waiting job at most carries that key."""
        ...

    def put_all(self, name: str, each: Sequence[Mapping[str, Plain]]) -> None:
        """Adds a job for each of the arguments, in the caller's transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job of an InlineQueue."""

    name: str
    arguments: Mapping[str, Plain]
    key: str | None
    run_at: datetime | None

    @property
    def lock(self) -> tuple[Plain, str | None]:
        """Whose job it is, and which."""
        return self.arguments.get("institution_id"), self.key


@dataclass
class InlineQueue:
    """Keeps jobs in memory until `run_pending`: for tests and simulation. `run` executes one job, bound as a worker
    would; `whose` names the institution a job is for; `on_commit` puts off adding until the transaction ends."""

    run: Callable[[str, Mapping[str, Plain]], None]
    whose: Callable[[], object]
    on_commit: Callable[[Callable[[], None]], None] = lambda then: then()
    waiting: deque[Waiting] = field(default_factory=deque)

    def put(self, name: str, arguments: Mapping[str, Plain], *, key: str | None, run_at: datetime | None) -> None:
        options(name)
        job = Waiting(name, {"institution_id": str(self.whose()), **arguments}, key, run_at)
        self.on_commit(lambda: self._add(job))

    def put_all(self, name: str, each: Sequence[Mapping[str, Plain]]) -> None:
        for arguments in each:
            self.put(name, arguments, key=None, run_at=None)

    def _add(self, job: Waiting) -> None:
        if job.key is None or all(job.lock != other.lock for other in self.waiting):
            self.waiting.append(job)

    def run_pending(self, at: datetime | None = None, limit: int = 100_000) -> int:
        """Runs the jobs that are due (those without a time; with `at`, those up to then too), and the jobs that they
        add, until none is left; says how many ran."""
        count = 0
        while (job := self._next(at)) is not None:
            if count >= limit:
                raise RuntimeError(f"jobs still waiting after {limit}: {job.name}")
            self.run(job.name, job.arguments)
            count += 1
        return count

    def _next(self, at: datetime | None) -> Waiting | None:
        for job in self.waiting:
            if job.run_at is None or (at is not None and job.run_at <= at):
                self.waiting.remove(job)
                return job
        return None


_queue: Queue | None = None


def install(queue: Queue) -> Queue | None:
    global _queue
    before, _queue = _queue, queue
    return before


def enqueue_all(name: str, each: Sequence[Mapping[str, Plain]]) -> None:
    """Adds the job `name` for each of the arguments, by one query."""
    if _queue is None:
        raise RuntimeError("no queue is installed; config.wiring installs one")
    if each:
        _queue.put_all(name, each)


def enqueue(name: str, *, key: str | None = None, run_at: datetime | None = None, **arguments: Plain) -> None:
    """Adds the job `name` to the installed queue, inside the caller's transaction."""
    if _queue is None:
        raise RuntimeError("no queue is installed; config.wiring installs one")
    _queue.put(name, arguments, key=key, run_at=run_at)
