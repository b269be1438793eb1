"""Whoever locks a loan locks its Earning first: the close, which holds the Earnings that it has passed when it comes to
a loan to which something happened meanwhile, and a payment of that loan never wait for each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from tests.apps.servicing import loans
from tests.support import institutions as founding
from tests.support.database import superuser
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.ledger import services as ledger
from usance.apps.servicing import bulk, earnings, services
from usance.apps.servicing.models import Loan
from usance.ports.actor import SYSTEM

ON = date(2026, 3, 2)
AT = datetime(2026, 3, 3, 0, 5, tzinfo=UTC)


def _pay(loan: Loan) -> Any:
    return services.receive_payment(loan_id=loan.pk, source="p1", amount_minor=1_000, value_on=ON, actor=SYSTEM)


def _close(loan: Loan) -> Any:
    to = ON + timedelta(days=1)
    return bulk.close_one(loan.pk, bulk.Batch(to=to, booked_on=ON, key="c", description="", at=AT))


@pytest.mark.parametrize("act", [_pay, _close])
def test_whoever_waits_for_an_earning_does_not_hold_its_loan(fresh_db: str, act: Callable[[Loan], Any]) -> None:
    lender = founding.found().pk
    with tenancy.bound(lender), transaction.atomic():
        ledger.open_books()
        loan = loans.lend(on=ON)

    def do() -> Any:
        try:
            with tenancy.bound(lender), transaction.atomic():
                return act(loan)
        finally:
            connection.close()

    with superuser(connection.settings_dict["NAME"]) as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute("SELECT 1 FROM servicing_earning WHERE id = %s FOR UPDATE", [loan.pk])
            doing = pool.submit(do)
            _until_somebody_waits_for(other)
            other.execute("SET LOCAL lock_timeout = '2s'")
            other.execute("SELECT 1 FROM servicing_loan WHERE id = %s FOR NO KEY UPDATE", [loan.pk])
        doing.result(timeout=10)


def test_whoever_waited_for_a_loan_that_began_to_run_lets_it_go_before_its_earning(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment told to a loan whose money arrives at this moment: a close may hold the new Earning by then."""
    lender = founding.found().pk
    with tenancy.bound(lender), transaction.atomic():
        ledger.open_books()
        loan = services.book_loan(
            party_id=new_id(), product="short", terms=loans.single_payment(), source="a1", actor=SYSTEM
        )
    was_free: list[bool] = []
    lock_running = earnings.lock_running

    def noted(loan_id: UUID) -> Loan | None:
        with superuser(connection.settings_dict["NAME"]) as other:
            free = "SELECT 1 FROM servicing_loan WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED"
            was_free.append(other.execute(free, [loan_id]).fetchone() is not None)
        return lock_running(loan_id)

    def pay() -> Any:
        try:
            with tenancy.bound(lender), transaction.atomic():
                return _pay(loan)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with tenancy.bound(lender), transaction.atomic():
            services.disburse(loan_id=loan.pk, source="d1", value_on=ON, actor=SYSTEM)
            monkeypatch.setattr(earnings, "lock_running", noted)
            doing = pool.submit(pay)
            _until_somebody_waits_for(connection.connection)
        assert doing.result(timeout=10).outstanding_minor == loan.amount_minor - 1_000
    assert was_free == [False, True]


def _until_somebody_waits_for(other: psycopg.Connection) -> None:
    """Another connection waits for this one, as the server sees it."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
    with superuser(connection.settings_dict["NAME"]) as watching:
        for _ in range(200):
            if watching.execute(asked, [other.info.backend_pid]).fetchone() != (0,):
                return
            time.sleep(0.02)
    pytest.fail("nobody waits")
