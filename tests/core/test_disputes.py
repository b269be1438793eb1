"""Payments that were disputed, and loans that were charged off: what is owed, and what the books still count on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.core import loans
from usance.core.accounting import books
from usance.core.loan import close, events, refused, replay, state
from usance.core.loan.movements import Movement

PAID = events.PaymentReceived(amount_minor=60_000, **loans.on(10, "paid"))
HISTORY = [loans.APPROVED, loans.DISBURSED, PAID]


def disputed(amount: int, source: str = "dispute", payment: str = "paid", day: int = 12) -> events.ChargedBack:
    return events.ChargedBack(balance="principal", amount_minor=amount, payment=payment, **loans.on(day, source))


def test_a_dispute_takes_back_at_most_what_its_payment_brought() -> None:
    loan = loans.after(12, PAID)
    first = disputed(40_000)
    step = replay.append(loan, HISTORY, first)
    assert state.outstanding(step.loan) == state.outstanding(loan) + 40_000
    with pytest.raises(refused.MoreThanPaid) as caught:
        replay.append(step.loan, [*HISTORY, first], disputed(20_001, "more"))
    assert (caught.value.amount_minor, caught.value.left_minor) == (20_001, 20_000)
    undone = events.Reversed(undoes="dispute", **loans.on(12, "undone"))
    back = replay.append(step.loan, [*HISTORY, first], undone).loan
    again = replay.append(back, [*HISTORY, first, undone], disputed(60_000, "all")).loan
    assert state.outstanding(again) == state.outstanding(back) + 60_000


@pytest.mark.parametrize(
    "event", [disputed(1, payment="nothing"), disputed(1, payment="disbursed"), disputed(1, day=9)]
)
def test_a_dispute_is_of_a_payment_that_came_before(event: events.ChargedBack) -> None:
    with pytest.raises(refused.NothingToUndo):
        replay.append(loans.after(12, PAID), HISTORY, event)


def test_a_payment_that_never_came_was_never_disputed() -> None:
    returned = events.PaymentReturned(undoes="paid", **loans.on(13, "returned"))
    told = [*HISTORY, disputed(40_000), returned]
    assert replay.in_force(told) == [loans.APPROVED, loans.DISBURSED]
    loan = replay.append(loans.after(13, PAID, disputed(40_000)), told[:-1], returned).loan
    assert loan.balances == loans.after(13).balances
    with pytest.raises(refused.NothingToUndo):
        replay.append(loan, told, disputed(1, "late"))


LOST = events.ChargedOff(**loans.on(40, "lost"))


def net(movements: tuple[Movement, ...]) -> dict[str, int]:
    """Debits less credits by role, zeros left out."""
    sums: dict[str, int] = {}
    for entry in map(books.entry, movements):
        sums[entry.debit] = sums.get(entry.debit, 0) + entry.amount_minor
        sums[entry.credit] = sums.get(entry.credit, 0) - entry.amount_minor
    return {role: amount for role, amount in sums.items() if amount}


def test_a_charge_off_moves_all_that_is_owed_to_the_losses_and_nothing_of_it_away() -> None:
    before = loans.after(40)
    step = replay.append(before, [loans.APPROVED, loans.DISBURSED], LOST)
    owed = state.outstanding(before)
    assert state.owed(step.loan) == state.owed(before)
    assert net(step.movements) == {"loan_loss": owed, "charged_off_loans": -owed}


def test_what_a_charged_off_loan_earns_is_no_income_and_what_it_pays_is_recovered() -> None:
    lost = loans.after(40, LOST)
    night = close.advance(lost, lost.at + timedelta(days=1))
    earned = state.outstanding(night.loan) - state.outstanding(lost)
    assert earned > 0
    assert sum(net(night.movements).get(role, 0) for role in ("interest_income", "penalty_income")) == 0
    assert night.loan.balances["charged_off"] == state.outstanding(night.loan)
    paid = events.PaymentReceived(amount_minor=30_000, **loans.on(41, "late"))
    step = replay.append(night.loan, [loans.APPROVED, loans.DISBURSED, LOST], paid)
    booked = net(step.movements)
    assert (booked["receipts_clearing"], booked["charged_off_loans"], booked["recovery_income"]) == (
        30_000, 30_000, -30_000,
    )  # fmt: skip


def test_charge_off_undone_leaves_the_books_as_if_it_had_not_been() -> None:
    told = [loans.APPROVED, loans.DISBURSED, LOST]
    undone = events.Reversed(undoes="lost", **loans.on(45, "undone"))
    step = replay.append(loans.after(45, LOST), told, undone)
    assert step.loan.balances == loans.after(45).balances
    booked = net(step.movements)
    assert booked.pop("charged_off_loans") == state.outstanding(loans.after(45))
    assert booked.pop("loan_loss") == -state.outstanding(loans.after(40))
    assert set(booked) == {"interest_income", "penalty_income"}


@pytest.mark.parametrize(
    "event",
    [
        events.WrittenOff(**loans.on(50)),
        events.Waived(balance="penalty", amount_minor=100, **loans.on(50)),
        events.Terminated(**loans.on(50)),
    ],
)
def test_whatever_follows_what_is_charged_off_is_what_is_owed(event: events.Event) -> None:
    loan = loans.after(60, LOST, event)
    assert loan.balances.get("charged_off", 0) == state.outstanding(loan)
