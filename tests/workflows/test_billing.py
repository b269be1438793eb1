"""Bills are made on their days, once for each due date, and not for a date that asks for nothing any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from tests.apps.messaging.conftest import new_party
from tests.apps.servicing import loans
from tests.support import institutions as founding
from usance.apps.agreements import selectors as papers
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as books
from usance.apps.messaging.models import Message
from usance.apps.servicing import services as servicing
from usance.config import jobs
from usance.ports import clock, queue
from usance.ports.actor import SYSTEM
from usance.workflows import close_day

D = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
def lender(fresh_db: str) -> Iterator[queue.InlineQueue]:
    """An institution whose jobs wait in memory; the clock stands."""
    waiting = queue.InlineQueue(run=jobs.run_inline, whose=tenancy.current_id, on_commit=transaction.on_commit)
    before, time_before = queue.install(waiting), clock.install(clock.FrozenClock(AT))
    founded = founding.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            books.open_books()
        yield waiting
    clock.install(time_before)
    if before is not None:
        queue.install(before)


def live(waiting: queue.InlineQueue, days: int) -> None:
    """So many days, with what falls due on them; words to people stay in the queue."""
    waiting.run_pending()
    for _ in range(days):
        close_day.run_close_inline(at=AT)
        waiting.waiting = type(waiting.waiting)(job for job in waiting.waiting if job.name.startswith("loans."))
        waiting.run_pending()


def lent(bill_days: int | None, phone: str = "+84901234567") -> Any:
    with transaction.atomic():
        agreed = replace(loans.instalments(count=3), bill_days=bill_days)
        return loans.lend(on=D, agreed=agreed, party_id=new_party(phone=phone))


def bills_of(loan_id: UUID) -> list[tuple[str, date, str, int]]:
    with transaction.atomic():
        found = [one for one in papers.documents_of(loan_id) if one.kind == "bill"]
        return sorted(
            (one.reference, one.issued_on, one.content["due_on"], one.content["total_minor"]) for one in found
        )


def test_each_due_date_has_its_bill_on_its_day(lender: queue.InlineQueue) -> None:
    loan = lent(7)
    live(lender, 25)
    (first,) = bills_of(loan.pk)
    assert first[:3] == (f"{loan.number}/1", date(2026, 3, 26), "2026-04-02")
    with transaction.atomic():
        assert Message.objects.filter(template="bill_ready", subject_id=loan.pk).count() >= 1
        loans.pay(loan, first[3], date(2026, 3, 26))
    live(lender, 31)
    assert [one[2] for one in bills_of(loan.pk)] == ["2026-04-02", "2026-05-02"]


def test_a_missed_payment_stands_on_the_next_bill(lender: queue.InlineQueue) -> None:
    loan = lent(7)
    live(lender, 56)
    with transaction.atomic():
        second = next(one for one in papers.documents_of(loan.pk) if one.reference.endswith("/2"))
    carried, new = second.content["carried"], second.content["new"]
    assert carried["principal"] > 0
    assert carried["penalty"] > 0
    assert second.content["total_minor"] == sum(carried.values()) + sum(new.values())


def test_what_is_paid_is_not_billed_and_without_the_term_nothing_is(lender: queue.InlineQueue) -> None:
    paid, plain = lent(7), lent(None, "+84907654321")
    with transaction.atomic():
        owed = servicing.hold(loan_id=paid.pk).amount_minor
        loans.pay(paid, owed, D)
    live(lender, 40)
    assert bills_of(paid.pk) == bills_of(plain.pk) == []


def test_a_loan_that_is_owed_again_is_billed_again(lender: queue.InlineQueue) -> None:
    """Closing struck its bills off; a payment that came back puts them on the calendar anew."""
    loan = lent(7)
    with transaction.atomic():
        loans.pay(loan, loan.amount_minor, D, "rail:1")
    live(lender, 3)
    with transaction.atomic():
        servicing.return_payment(
            loan_id=loan.pk, source="rail:1-back", undoes="rail:1", reason="no money", actor=SYSTEM
        )
    live(lender, 22)
    assert [one[2] for one in bills_of(loan.pk)] == ["2026-04-02"]
