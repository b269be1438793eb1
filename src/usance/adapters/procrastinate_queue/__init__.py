"""The queue port on Procrastinate: jobs are rows in our own database, written in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from procrastinate import App, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from usance.ports.queue import Plain, TaskOptions, declared, options

FIRST_PAUSE = 2  # seconds; each further pause is twice as long

Run = Callable[[TaskOptions, Mapping[str, Plain], int], None]


class ProcrastinateQueue:
    """`whose` names the institution that a job is for; `savepoint` opens one, so that a refused duplicate does not
    spoil the caller's transaction; `ahead`: how far our clock runs before that of the database."""

    def __init__(
        self,
        app: App,
        *,
        whose: Callable[[], Any],
        savepoint: Callable[[], Any],
        ahead: Callable[[], timedelta] = timedelta,
    ) -> None:
        self.whose, self.savepoint, self.ahead = whose, savepoint, ahead
        # a manager of our own over the transaction's connection: a worker gives the app another connector, by which a
        # job would be there before, or without, the data that it is about
        self.jobs = JobManager(app.connector)

    def put(self, name: str, arguments: Mapping[str, Plain], *, key: str | None, run_at: datetime | None) -> None:
        task = options(name)
        institution_id = str(self.whose())
        lock = f"{institution_id}:{key}" if key else None
        if lock and self.jobs.list_jobs(queueing_lock=lock, status="todo"):
            return  # as most often, and cheaper to see than to be refused
        job = configure_task(
            name=name,
            job_manager=self.jobs,
            queue=task.lane,
            priority=task.priority,
            schedule_at=run_at - self.ahead() if run_at else None,
            queueing_lock=lock,
        )
        try:
            with self.savepoint():
                job.defer(institution_id=institution_id, **arguments)
        except AlreadyEnqueued:
            if key is None:
                raise

    def put_all(self, name: str, each: Sequence[Mapping[str, Plain]]) -> None:
        task, whose = options(name), {"institution_id": str(self.whose())}
        job = configure_task(name=name, job_manager=self.jobs, queue=task.lane, priority=task.priority)
        kwargs: list[dict[str, Any]] = [{**arguments, **whose} for arguments in each]
        job.batch_defer(*kwargs)


def register(app: App, run: Run) -> None:
    """Makes a Procrastinate task of every declared task; `run(task, arguments, attempts)` carries one out."""
    for task in declared().values():
        if task.name not in app.tasks:
            _register(app, task, run)


def _register(app: App, task: TaskOptions, run: Run) -> None:
    def carry_out(context: Any, /, **arguments: Plain) -> None:
        run(task, arguments, context.job.attempts)

    app.task(
        name=task.name,
        queue=task.lane,
        pass_context=True,
        retry=RetryStrategy(max_attempts=task.retries, exponential_wait=FIRST_PAUSE),
    )(carry_out)
