"""What a killed worker left behind runs again, and one job that need not does not hold up the others."""

from __future__ import annotations

import asyncio
from typing import Any

from django.db import connection

from usance.config import worker


def _left_doing(app: Any, task: str, key: str | None) -> int:
    """A job in the hands of a worker that is gone."""
    job_id = int(app.configure_task(task, queueing_lock=key, allow_unknown=True).defer())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job_id])
    return job_id


def _statuses() -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, status::text FROM procrastinate_jobs")
        return dict(cursor.fetchall())


def test_a_job_whose_successor_waits_already_does_not_keep_the_others_from_running_again(fresh_db: str) -> None:
    from procrastinate.contrib.django import app

    worker._add_housekeeping(app)
    superseded = _left_doing(app, "payments.ask_status", "ask:7")
    waiting = int(app.configure_task("payments.ask_status", queueing_lock="ask:7", allow_unknown=True).defer())
    stalled = _left_doing(app, "payments.send_instruction", None)

    async def retry() -> None:
        async with app.open_async():
            await app.tasks["queue.retry_stalled"](timestamp=0)

    with app.replace_connector(app.connector.get_worker_connector()):
        asyncio.run(retry())
    assert _statuses() == {superseded: "failed", waiting: "todo", stalled: "todo"}
