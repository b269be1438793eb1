"""Money that left again: it is owed, from the day on which it left, and what comes meets it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.core.loans import APPROVED, DISBURSED, START, after, on, terms
from usance.core.loan import events, quote, refused, replay, state
from usance.core.loan.names import TermsRefused
from usance.core.loan.terms import Drawdowns, Fee, Part, Plan, Tax

MONTHLY: dict[str, Any] = {"plan": Plan(kind="equal_instalments", count=3, every=1, unit="months"), "penalty": None}
OWED_EARLY = {**MONTHLY, "early_payment": "in_turn", "early_interest": "owed"}


def lived(*told: events.Event, days: int, disbursed: bool = True, **changed: Any) -> state.Loan:
    begun = [APPROVED, DISBURSED] if disbursed else [APPROVED]
    return replay.replay(terms(**changed), [*begun, *told], on(days)["effective_on"]).loan


def paid(day: int, amount: int, source: str = "paid") -> events.PaymentReceived:
    return events.PaymentReceived(amount_minor=amount, **on(day, source))


def test_money_meets_what_a_loan_that_was_cancelled_owes_again() -> None:
    told: list[events.Event] = [
        events.Cancelled(**on(1, "cancelled")), paid(2, 10_000, "bad"), events.Refunded(amount_minor=10_000, **on(3)),
        events.PaymentReturned(undoes="bad", **on(4, "returned")),
    ]  # fmt: skip
    assert dict(lived(*told, days=5, disbursed=False).balances) == {"principal": 10_000}
    loan = lived(*told, paid(5, 12_000, "good"), days=5, disbursed=False)
    assert (loan.status, dict(loan.balances)) == ("cancelled", {"unapplied": 2_000})


def test_money_meets_what_was_sent_back_wrongly_before_the_claim_that_was_written_off() -> None:
    told: list[events.Event] = [
        events.WrittenOff(**on(50, "gone")), paid(51, 200_000, "bad"), events.Refunded(amount_minor=30_000, **on(52)),
        events.PaymentReturned(undoes="bad", **on(53, "returned")),
    ]  # fmt: skip
    claim = lived(told[0], days=50).claim_minor
    before = lived(*told, days=54)
    assert (before.claim_minor, dict(before.balances)) == (claim, {"principal": 30_000})
    loan = lived(*told, paid(54, 40_000, "good"), days=54)
    assert (loan.claim_minor, dict(loan.balances)) == (claim - 10_000, {})


def test_a_dispute_after_the_end_is_due_on_its_day_and_late_from_the_next_on() -> None:
    told = paid(10, 200_000), events.ChargedBack(balance="principal", amount_minor=150_000, **on(100, "dispute"))
    loan = lived(*told, days=100, **MONTHLY)
    owed = state.outstanding(loan)
    assert (loan.status, state.days_past_due(loan), state.due_now(loan), state.past_due(loan)) == ("active", 0, owed, 0)
    loan = lived(*told, days=103, **MONTHLY)
    assert (loan.status, state.days_past_due(loan)) == ("past_due", 3)


@pytest.mark.parametrize(
    "end", [events.Terminated(**on(6)), events.Respread(start_on=on(20)["effective_on"], count=2, **on(6)),
            events.WrittenOff(**on(6))], ids=lambda event: event.kind
)  # fmt: skip
def test_no_instalment_says_that_interest_was_paid_which_will_never_be_earned(end: events.Event) -> None:
    loan = lived(paid(5, 40_000), end, days=6, **OWED_EARLY)
    noted = sum(sum(part.paid.values()) for part in (*loan.bills, *loan.ahead))
    assert noted + state.unapplied(loan) == 40_000
    assert sum(row.paid_minor for row in quote.schedule(loan)) == noted


def test_no_money_is_sent_of_which_nothing_arrives() -> None:
    vat = (Tax(kind="vat", share=Fraction("0.2"), on=("fee",)),)
    fee = Fee(kind="start", when="deducted", share=Fraction("0.9"))
    with pytest.raises(TermsRefused) as dear:
        terms(fees=(fee,), taxes=vat)
    assert dear.value.why == "less than the principal may be deducted"
    flat = Fee(kind="start", when="deducted", flat_minor=20_000)
    parts = Drawdowns(parts=(Part(after_days=0, share=Fraction(1, 2)),), most=3, until_days=20)
    agreed = terms(fees=(flat,), taxes=vat, drawdowns=parts)
    loan = replay.replay(agreed, [APPROVED], START).loan
    with pytest.raises(refused.NothingLeftToSend):
        replay.append(loan, [APPROVED], events.Disbursed(amount_minor=24_000, **on(0)))
    first = events.Disbursed(amount_minor=24_001, **on(0))
    step = replay.append(loan, [APPROVED], first)
    assert sum(quote.withheld(step.movements).values()) == 24_000
    # of a later part only the share is kept back
    loan = replay.append(step.loan, [APPROVED, first], events.Disbursed(amount_minor=1, **on(0, "y"))).loan
    assert loan.disbursed_minor == 24_002


@pytest.mark.parametrize("balance", ["deferred", "unapplied", "suspended", "gold", "fee:invented", "tax:vat"])
def test_a_dispute_is_of_what_the_loan_may_owe(balance: str) -> None:
    event = events.ChargedBack(balance=balance, amount_minor=1, **on(12, "dispute"))
    with pytest.raises(refused.FeeNotAgreed):
        replay.append(after(12, paid(10, 60_000)), [APPROVED, DISBURSED, paid(10, 60_000)], event)
