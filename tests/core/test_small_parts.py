"""Small parts of the fold by themselves, where stories pass them by."""

from __future__ import annotations

from datetime import date

import pytest

from tests.core.test_interest_given_back import BEGUN, TERMS
from usance.core.accounting import books
from usance.core.loan import bills, replay, to_come
from usance.core.loan.records import Ahead
from usance.core.loan.waterfall import equal_parts


def test_interest_since_the_money_was_drawn_is_that_of_all_periods() -> None:
    loan = replay.replay(TERMS, BEGUN, date(2024, 3, 11), daily=False).loan
    assert len(loan.bills) == 2
    assert to_come.interest_since(loan, 40_000) == (31 + 29 + 10) * 40


@pytest.mark.parametrize(
    ("pool", "rooms", "parts"),
    [
        (100, {0: 10, 1: 100, 2: 100}, {0: 10, 1: 45, 2: 45}),  # what the first has no room for is shared again
        (1, {0: 5, 1: 5}, {0: 0, 1: 1}),  # half a unit is rounded to nothing: the last one takes it
        (50, {0: 10, 1: 20}, {0: 10, 1: 20}),  # more than there is room for
        (0, {0: 10}, {0: 0}),
    ],
)
def test_equal_parts_leave_nothing_while_there_is_room(pool: int, rooms: dict[int, int], parts: dict[int, int]) -> None:
    assert equal_parts(pool, rooms, "half_even") == parts


def test_two_bills_of_one_day_are_one_with_all_that_was_paid_of_both() -> None:
    on, starts_on = date(2024, 2, 1), date(2024, 1, 1)
    one = bills.new_bill((), starts_on, on, {"principal": 500}, Ahead({"principal": 200}), down_minor=100)
    other = bills.new_bill(
        (one,), on, on, {"principal": 300, "fee:service": 50}, Ahead({"fee:service": 50}, {"principal": 30})
    )
    whole = bills._merged(one, other)
    assert (whole.number, whole.starts_on, whole.due_on) == (1, starts_on, on)
    assert (whole.due, whole.paid) == ({"principal": 800, "fee:service": 50}, {"principal": 200, "fee:service": 50})
    assert (whole.relieved, whole.early_minor, whole.down_minor) == ({"principal": 30}, 250, 100)
    assert (whole.asked_minor, whole.remaining) == (600, {"principal": 570})


def test_each_account_of_a_balance_grows_on_one_side() -> None:
    assert {books.side(role) for role in books.CONTROL.values()} == {1, -1}
