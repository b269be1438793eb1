"""The clock of a demonstration that may be pushed: every process that reads the file jumps, and the queue's time with
it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from usance.config.shifted_clock import ShiftedClock


def test_it_is_real_time_until_it_is_pushed_forward_or_back(tmp_path: Path) -> None:
    clock, other = ShiftedClock(tmp_path / "clock"), ShiftedClock(tmp_path / "clock")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    clock.push(3600)
    clock.push(-60)
    assert other.shift() == timedelta(seconds=3540)
    assert abs(other.now() - datetime.now(UTC) - timedelta(seconds=3540)) < timedelta(seconds=5)


def test_a_job_for_later_waits_as_long_by_the_clock_of_the_database(institution: Any) -> None:
    from django.db import connection, transaction
    from procrastinate.contrib.django import app

    from usance.adapters.procrastinate_queue import ProcrastinateQueue
    from usance.apps.institutions import tenancy

    ahead = timedelta(days=3)
    queue = ProcrastinateQueue(app, whose=tenancy.current_id, savepoint=transaction.atomic, ahead=lambda: ahead)
    at = datetime(2026, 3, 2, 3, tzinfo=UTC)
    queue.put("payments.sweep", {}, key=None, run_at=at + ahead)
    with connection.cursor() as cursor:
        cursor.execute("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'payments.sweep'")
        assert cursor.fetchall() == [(at,)]
