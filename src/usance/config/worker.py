"""`usance worker`: does the queue's jobs in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
from typing import Any

import structlog
from django.db import close_old_connections
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from usance.config import timers

HEARTBEAT_S = 5.0
STALLED_AFTER_S = 30.0  # well above the heartbeat: closer, and a job that is merely slow runs twice
POLL_S = 0.5  # jobs that wait for a time, a lock or a retry start only at a poll
KEEP_FINISHED_HOURS = 24 * 14


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lane", action="append", help="take only jobs of this lane (may be repeated; default: all)")
    parser.add_argument(
        "--concurrency", type=int, default=4, help="jobs done side by side in this process (default: %(default)s)"
    )
    parser.add_argument("--once", action="store_true", help="stop when nothing waits")


def main(args: argparse.Namespace) -> int:
    """Work until SIGTERM or Ctrl-C; running jobs get some seconds to finish, and run again later if they do not."""
    from procrastinate.contrib.django import app

    _add_housekeeping(app)
    gc.collect()
    gc.freeze()  # what was loaded by now stays: no collection need look through it again
    with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined]
        asyncio.run(_work(app, args))
    return 0


async def _work(app: Any, args: argparse.Namespace) -> None:
    async with app.open_async():
        await app.run_worker_async(
            queues=args.lane,
            concurrency=args.concurrency,
            wait=not args.once,
            fetch_job_polling_interval=POLL_S,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=STALLED_AFTER_S,
            shutdown_graceful_timeout=5,
            task_middleware=[_with_job_id],
        )


def _with_job_id(call: Any, context: Any, worker: Any) -> Any:
    """Every line that a job logs carries the job's id."""
    with structlog.contextvars.bound_contextvars(job_id=context.job.id, task=context.job.task_name):
        return call()


def _add_housekeeping(app: Any) -> None:
    """Jobs that belong to the queue itself: run again what a killed worker left, forget what is long done, and hand out
    what every institution does by the clock."""
    if "queue.retry_stalled" in app.tasks:
        return

    async def retry_stalled(timestamp: int) -> None:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
            try:
                await app.job_manager.retry_job(job)
            except UniqueViolation:  # one with the same key waits already and does the work
                await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=False)

    async def forget_finished(timestamp: int) -> None:
        await app.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS)

    def every(cron: str, name: str, run: Any) -> None:
        app.periodic(cron=cron, periodic_id=name)(app.task(name=name, queueing_lock=name, pass_context=False)(run))

    every("* * * * *", "queue.retry_stalled", retry_stalled)
    every("17 3 * * *", "queue.forget_finished", forget_finished)
    for timer in timers.TIMERS:
        every(timer.cron, f"timer.{timer.task}", functools.partial(_hand_out, timer))


def _hand_out(timer: timers.Timer, timestamp: int) -> None:
    """In a thread of the worker, over Django's connection: Procrastinate's own is asynchronous."""
    close_old_connections()
    try:
        timers.hand_out(timer)
    finally:
        close_old_connections()
