"""T8: payments, extensions and several workers of one close at the same time; in the end every loan is the fold of its
events, and the books agree."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from tests.apps.servicing import loans
from tests.support import institutions as founding
from tests.support.database import superuser
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as books_of
from usance.apps.servicing import closing, services
from usance.apps.servicing.models import CloseRun, Loan
from usance.ports import clock
from usance.ports.actor import SYSTEM
from usance.workflows import close_day
from usance.workflows.audit_books import audit_books

D = date(2026, 3, 2)
AT = datetime(2026, 3, 3, 0, 5, tzinfo=UTC)


def work(institution_id: UUID, run_id: UUID) -> int:
    """A worker: takes every chunk that it can get, and ends the day when it was the last."""
    taken = 0
    try:
        with tenancy.bound(institution_id):
            with transaction.atomic():
                waiting = closing.waiting_chunks(run_id)
            for chunk_id in waiting:
                with transaction.atomic():
                    last = closing.close_chunk(chunk_id=chunk_id, at=AT)
                taken += 1
                if last:
                    with transaction.atomic():
                        closing.finish(run_id=run_id, at=AT, actor=SYSTEM)
    finally:
        connection.close()
    return taken


def pay_all(institution_id: UUID, loan_ids: list[UUID], day: int) -> int:
    """A payer's bank: a payment and an extension for each loan, as fast as it goes."""
    paid = 0
    try:
        with tenancy.bound(institution_id):
            for loan_id in loan_ids:
                with transaction.atomic():
                    services.receive_payment(
                        loan_id=loan_id,
                        source=f"instruction:{loan_id}:{day}",
                        amount_minor=10_000,
                        value_on=D,
                        actor=SYSTEM,
                    )
                    if day == 1:
                        services.extend(loan_id=loan_id, source=f"staff:{loan_id}", days=7, actor=SYSTEM)
                paid += 1
    finally:
        connection.close()
    return paid


def test_payments_race_with_a_close_of_two_workers(fresh_db: str) -> None:
    founded = founding.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            books_of.open_books()
            ids = [loans.lend(on=D).pk for _ in range(12)]
        for day in range(3):
            with transaction.atomic():
                run = closing.start(actor=SYSTEM, at=AT, chunk_size=1)
            with ThreadPoolExecutor(4) as pool:
                workers = [pool.submit(work, founded.pk, run.pk) for _ in range(2)]
                payers = [pool.submit(pay_all, founded.pk, ids[half::2], day) for half in (0, 1)]
                assert sum(payer.result() for payer in payers) == 12
                # on the first day all are folded one by one, later they earn by their lines, many in a chunk
                assert sum(worker.result() for worker in workers) >= (1 if day else 4)
            with transaction.atomic():
                tenancy.forget_row()
                assert tenancy.current().business_date == D + timedelta(days=day + 1)
        close_day.run_close_inline(at=AT)
        assert [str(difference) for difference in audit_books(full=True).differences] == []
        with transaction.atomic():
            assert {row.checkpoint_on for row in Loan.objects.all()} == {D + timedelta(days=4)}
            assert {row.principal_minor + row.interest_minor + row.fee_minor for row in Loan.objects.all()} != {0}


@pytest.fixture
def lender(fresh_db: str) -> Iterator[UUID]:
    founded = founding.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            books_of.open_books()
        yield founded.pk


def in_a_worker(institution_id: UUID, act: Callable[..., Any], *given: Any) -> Any:
    try:
        with tenancy.bound(institution_id):
            return act(*given)
    finally:
        connection.close()


def until(question: str, *values: Any) -> None:
    """Until the server says yes."""
    with superuser(connection.settings_dict["NAME"]) as watching:
        for _ in range(500):
            if watching.execute(question.encode(), values).fetchone() == (True,):
                return
            time.sleep(0.02)
    pytest.fail(question)


DATE_LOCKS_WAIT = "SELECT count(*) = %s FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def test_a_timer_that_comes_while_a_day_ends_ends_no_second_one(lender: UUID) -> None:
    """Somebody still books on the day; its close waits for that, and the timer behind it looks at the day."""
    before = clock.install(clock.FrozenClock(AT))
    try:
        with transaction.atomic():
            run = closing.start(actor=SYSTEM, at=AT)
        with ThreadPoolExecutor(2) as pool:
            with transaction.atomic():
                institutions.hold_business_date()
                ending = pool.submit(in_a_worker, lender, close_day.finish, str(run.pk))
                until(DATE_LOCKS_WAIT, 1)
                timer = pool.submit(in_a_worker, lender, close_day.catch_up)
                until(DATE_LOCKS_WAIT, 2)
            ending.result(timeout=10)
            timer.result(timeout=10)
        with transaction.atomic():
            tenancy.forget_row()
            assert tenancy.current().business_date == D + timedelta(days=1)
            assert CloseRun.objects.count() == 1
    finally:
        clock.install(before)


def test_whoever_closes_here_waits_for_what_a_worker_holds(lender: UUID) -> None:
    """The day is ended, whoever does its last part, and is said to be ended only then."""
    with transaction.atomic():
        loans.lend(on=D)
        run = closing.start(actor=SYSTEM, at=AT, chunk_size=1)
        (chunk_id,) = closing.waiting_chunks(run.pk)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            closing.close_chunk(chunk_id=chunk_id, at=AT)
            here = pool.submit(in_a_worker, lender, lambda: close_day.run_close_inline(at=AT))
            time.sleep(2 * close_day.POLL_S)
            assert not here.done()
        (ended,) = here.result(timeout=10)
    assert (ended.state, ended.total_count, ended.done_count) == ("done", 1, 1)
