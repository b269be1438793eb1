"""Figures agree with the rows they are made of; a period's slots lose no day and count none twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.servicing import loans
from usance.apps.desk import services as desk
from usance.apps.ledger import services as ledger
from usance.apps.payments.models import Instruction
from usance.apps.reporting import selectors
from usance.apps.reporting.selectors import Period
from usance.ports.actor import SYSTEM

D = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # ten in the morning in Ho Chi Minh City, a Monday
WEEK = Period(D - timedelta(days=6), D + timedelta(days=1))


def everything(path: str) -> Q:
    return Q()


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 400))
def test_slots_take_in_every_day_once(starts_on: date, days: int) -> None:
    period = Period(starts_on, starts_on + timedelta(days=days))
    each_day = [(starts_on + timedelta(days=offset), 1) for offset in range(days)]
    assert sum(period.folded(each_day)) == days
    assert period.slots == sorted(set(period.slots))
    assert period.slots[0] == starts_on


@pytest.mark.parametrize(
    ("days", "unit", "slots"), [(7, "day", 7), (30, "day", 30), (90, "week", 14), (365, "month", 13)]
)
def test_charts_have_as_many_slots_as_eyes_can_take(days: int, unit: str, slots: int) -> None:
    period = Period(D + timedelta(days=1 - days), D + timedelta(days=1))
    assert (period.unit, len(period.slots)) == (unit, slots)


def test_lending_portfolio_and_cash_agree_with_the_loans(institution: Any) -> None:
    ledger.open_books()
    short = loans.lend(on=D)
    loans.lend(on=D, agreed=loans.instalments(), product="instalments")
    loans.pay(short, 3_000_000, D)
    lent, owed, flows = (
        selectors.lending(WEEK, everything),
        selectors.portfolio(everything),
        selectors.cash(WEEK, everything),
    )
    assert (lent.count, lent.amount_minor, lent.closed_count) == (2, 15_000_000, 1)
    assert (owed.count, owed.outstanding_minor) == (1, 12_000_000)
    assert owed.by_product == {"instalments": (1, 12_000_000)}
    assert (owed.share_at_risk, sum(bucket.count for bucket in owed.buckets)) == (0, 0)
    assert (flows.in_minor, flows.out_minor) == (3_000_000, 15_000_000)
    assert (sum(flows.in_by_slot), sum(flows.out_by_slot)) == (flows.in_minor, flows.out_minor)


def test_a_payment_that_came_back_is_money_out_and_leaves_the_sum_at_nought(institution: Any) -> None:
    from usance.apps.servicing import services

    ledger.open_books()
    loan = loans.lend(on=D)
    loans.pay(loan, 1_000_000, D, source="instruction:back")
    services.return_payment(
        loan_id=loan.pk, source="return:1", undoes="instruction:back", reason="charged back", actor=SYSTEM
    )
    flows = selectors.cash(WEEK, everything)
    assert flows.in_minor - flows.out_minor == -3_000_000


def test_a_case_counts_by_desk_minutes_without_its_pauses(institution: Any) -> None:
    def minutes(count: int) -> datetime:
        return AT + timedelta(minutes=count)

    quick = desk.open_item(queue="underwriting", subject=("x", uuid4()), budget_minutes=15, at=AT, actor=SYSTEM)
    desk.finish(item_id=quick.pk, outcome="approve", actor=SYSTEM, at=minutes(5))
    asked = desk.open_item(queue="underwriting", subject=("x", uuid4()), budget_minutes=15, at=AT, actor=SYSTEM)
    desk.pause(item_id=asked.pk, waiting_for="applicant", wake_on=D + timedelta(days=2), actor=SYSTEM, at=minutes(4))
    desk.resume(item_id=asked.pk, actor=SYSTEM, at=minutes(64))
    desk.finish(item_id=asked.pk, outcome="approve", actor=SYSTEM, at=minutes(67))
    late = desk.open_item(queue="underwriting", subject=("x", uuid4()), budget_minutes=15, at=AT, actor=SYSTEM)
    desk.finish(item_id=late.pk, outcome="decline", actor=SYSTEM, at=minutes(90))
    found = selectors.reviews(WEEK, everything)
    assert (found.count, found.median_minutes, found.promised_minutes, found.in_time) == (3, 7, 15, 2)


def test_no_case_has_no_median(institution: Any) -> None:
    found = selectors.reviews(WEEK, everything)
    assert (found.count, found.median_minutes) == (0, None)


def test_orders_of_the_period_and_every_open_one_are_counted(institution: Any) -> None:
    from usance.apps.customers import services as customers

    party_id = customers.add_party(kind="person", language="vi", on=D, actor=SYSTEM)

    def order(state: str, given_at: datetime, ahead_days: int = 0) -> None:
        Instruction.objects.create(
            kind="payout",
            state=state,
            key=uuid4().hex,
            order_id=uuid4().hex,
            party_id=party_id,
            subject_type="x",
            subject_id=uuid4(),
            amount_minor=100,
            currency="VND",
            description="x",
            given_at=given_at,
            settled_at=given_at if state == "succeeded" else None,
            ahead_days=ahead_days,
        )

    order("succeeded", AT)
    order("succeeded", AT - timedelta(days=30))  # before the period
    order("succeeded", AT - timedelta(days=30), ahead_days=30)  # the clock was pushed: within it after all
    order("pending", AT - timedelta(days=30))
    found = {(line.state, line.count, line.amount_minor) for line in selectors.instructions(WEEK, everything)}
    assert found == {("succeeded", 2, 200), ("pending", 1, 100)}
    assert selectors.queues(everything) == []
