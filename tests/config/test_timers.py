"""What runs by the clock on the wall, and what Prometheus is told, for every institution by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import RequestFactory

from tests.support.institutions import found
from usance.apps.institutions import services, tenancy
from usance.apps.institutions.models import Institution
from usance.apps.messaging.models import Message
from usance.apps.servicing.models import CloseRun
from usance.config import metrics, timers, worker
from usance.ports import clock, queue

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def jobs() -> Iterator[queue.InlineQueue]:
    waiting = queue.InlineQueue(run=lambda *_: None, whose=tenancy.current_id, on_commit=transaction.on_commit)
    before, time_before = queue.install(waiting), clock.install(clock.FrozenClock(NOON))
    yield waiting
    clock.install(time_before)
    if before is not None:
        queue.install(before)


@pytest.fixture
def lenders(fresh_db: str) -> tuple[Institution, Institution]:
    return found("vn"), found("ua")


def test_every_timer_names_a_task_that_takes_no_arguments() -> None:
    for timer in timers.TIMERS:
        arguments = queue.options(timer.task).run.__code__.co_argcount
        assert arguments == 0, timer.task


def test_every_institution_gets_each_timers_job_once(
    lenders: tuple[Institution, Institution], jobs: queue.InlineQueue
) -> None:
    for timer in timers.TIMERS:
        assert timers.hand_out(timer) == 2
    wanted = {(timer.task, str(lender.pk)) for timer in timers.TIMERS for lender in lenders}
    assert {(job.name, job.arguments["institution_id"]) for job in jobs.waiting} == wanted
    assert len(jobs.waiting) == len(wanted)
    assert all(job.key == job.name for job in jobs.waiting)


@pytest.mark.parametrize(
    ("is_demo", "ahead_days", "ends_by_itself"), [(False, 0, True), (False, 3, True), (True, 0, True), (True, 3, False)]
)
def test_a_demonstrations_pushed_clock_stays_where_it_was_pushed(
    is_demo: bool, ahead_days: int, ends_by_itself: bool
) -> None:
    lender: Any = SimpleNamespace(is_demo=is_demo, ahead_days=ahead_days)
    assert timers.keeps_time(lender) is ends_by_itself
    assert [timer.task for timer in timers.TIMERS if timer.whose is timers.keeps_time] == ["close.catch_up"]


def test_the_worker_knows_every_timer_and_hands_it_out(
    lenders: tuple[Institution, Institution], jobs: queue.InlineQueue
) -> None:
    from procrastinate import App, testing

    app = App(connector=testing.InMemoryConnector())
    worker._add_housekeeping(app)
    worker._add_housekeeping(app)
    crons = {str(known.task.name): known.cron for known in app.periodic_registry.periodic_tasks.values()}
    assert {f"timer.{timer.task}": timer.cron for timer in timers.TIMERS}.items() <= crons.items()
    app.tasks["timer.audit.link"](timestamp=0)
    assert [job.name for job in jobs.waiting] == ["audit.link", "audit.link"]


def test_the_metrics_page_tells_of_each_institution_by_its_code(
    lenders: tuple[Institution, Institution], jobs: queue.InlineQueue
) -> None:
    vietnam, ukraine = lenders
    with tenancy.bound(vietnam.pk), transaction.atomic():
        services.list_failed_job(task="payments.ask_status", arguments={"instruction_id": "7"}, reason="Timeout in x")
        CloseRun.objects.create(
            business_date=date(2026, 3, 1),
            state="done",
            total_count=12,
            done_count=12,
            started_at=NOON,
            finished_at=NOON + timedelta(seconds=90),
        )
    with tenancy.bound(ukraine.pk), transaction.atomic():
        _message("a")
        _message("b")
    text = metrics.view(RequestFactory().get("/metrics")).content.decode()
    for line in (
        'usance_failed_jobs{institution="vn",task="payments.ask_status"} 1.0',
        'usance_close_seconds{institution="vn"} 90.0',
        'usance_close_loans{institution="vn"} 12.0',
        'usance_close_problems{institution="ua"} 0.0',
        'usance_business_date_lag_days{institution="vn"} 2.0',
        'usance_business_date_lag_days{institution="ua"} 2.0',
        'usance_messages{channel="sms",institution="ua",state="sent"} 2.0',
        "usance_metrics_sources_failed 0.0",
    ):
        assert line in text, line
    assert text.count("# HELP usance_business_date_lag_days ") == 1
    assert 'usance_messages{channel="sms",institution="vn"' not in text


def _message(key: str) -> None:
    Message.objects.create(
        channel="sms",
        template="reminder",
        version=1,
        language="uk",
        purpose="reminder",
        key=f"{key}{uuid4()}",
        sealed_to=b"",
        sealed_body=b"",
        state="sent",
        moment=NOON,
        contact_on=date(2026, 3, 2),
    )
