"""Every refusal of the engine, and that a refused event changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.loans import APPROVED, DISBURSED, START, after, on, terms
from usance.core.exact import Fraction
from usance.core.loan import admit, events, refused, replay, state
from usance.core.loan.terms import CoolingOff, Drawdowns, Part, Plan, RateStep
from usance.core.rates import Rate
from usance.core.refusals import Refusal

NEW = state.new(terms(), APPROVED.effective_on)
BEFORE = replay.append(NEW, [], APPROVED).loan
RUNNING = after(5)
LATE = after(40)
CLOSED = after(10, events.PaymentReceived(amount_minor=200_000, **on(10, "paid")))
GONE = after(50, events.WrittenOff(**on(50, "gone")))
PAUSED = after(6, events.PenaltyPaused(**on(6, "pause")))
LOST = after(6, events.ChargedOff(**on(6, "lost")))
EVEN = after(5, interest_spread="evenly", interest_base="original_principal")
STRETCHED = after(6, events.Extended(days=7, **on(6, "first")))


def taken_over(*bills: events.OldBill, **more: Any) -> events.TakenOver:
    said = {"disbursed_on": on(-5)["effective_on"], "balances": (held("principal", 50_000),), "bills": bills} | more
    return events.TakenOver(standing=events.Carried(**said), **on(0, "over"))


def held(balance: str, amount: int) -> events.Held:
    return events.Held(balance=balance, amount_minor=amount)


def old_bill(day: int, due: int, paid: int) -> events.OldBill:
    return events.OldBill(
        due_on=on(day)["effective_on"], due=(held("principal", due),), paid=(held("principal", paid),)
    )


def corrected(number: int = 1, before: dict[str, Any] | None = None, **after: Any) -> events.TermsCorrected:
    return events.TermsCorrected(
        number=number, before=terms(**before or {}), after=terms(**after), **on(0, f"corrected-{number}")
    )


IN_PARTS = Drawdowns(parts=(Part(after_days=0, share=Fraction(1, 2)),), most=3, until_days=20)
HALF = (RateStep(from_day=0, rate=Rate(Fraction("0.005"), "day")),)
REFUSED = [
    (NEW, corrected(rates=HALF), "loan_not_yet_approved"),
    (RUNNING, corrected(), "nothing_corrected"),
    (RUNNING, corrected(before={"rates": HALF}), "correction_outdated"),
    (RUNNING, corrected(principal_minor=100_001), "amount_not_correctable"),
    (BEFORE, events.TakenOver(**on(0)), "loan_not_running"),
    (RUNNING, events.TakenOver(standing=taken_over().standing, **on(5)), "loan_not_approved"),
    (BEFORE, taken_over(old_bill(-1, 60_001, 10_000)), "standing_does_not_add_up"),
    (BEFORE, taken_over(old_bill(-1, 100, 101)), "standing_not_possible"),
    (BEFORE, taken_over(old_bill(1, 100, 0)), "standing_not_possible"),
    (BEFORE, taken_over(old_bill(-1, 100, 0), old_bill(-2, 100, 0)), "standing_not_possible"),
    (BEFORE, taken_over(level_minor=-1), "standing_not_possible"),
    (BEFORE, taken_over(disbursed_on=on(0)["effective_on"]), "standing_not_possible"),
    (BEFORE, events.Approved(**on(0)), "loan_already_approved"),
    (NEW, events.PaymentReceived(amount_minor=1, **on(0)), "loan_not_yet_approved"),
    (NEW, events.Disbursed(amount_minor=100_000, **on(0)), "loan_not_approved"),
    (RUNNING, events.Disbursed(amount_minor=100_000, **on(5)), "loan_not_approved"),
    (after(40, drawdowns=IN_PARTS), events.Disbursed(amount_minor=1, **on(40)), "drawing_is_over"),
    (RUNNING, events.Cancelled(**on(5)), "loan_not_approved"),
    (RUNNING, events.DisbursementFailed(**on(5)), "loan_not_approved"),
    (BEFORE, events.Disbursed(amount_minor=0, **on(0)), "amount_not_positive"),
    (BEFORE, events.Disbursed(amount_minor=99_999, **on(0)), "amount_differs_from_terms"),
    (RUNNING, events.PaymentReceived(amount_minor=0, **on(5)), "amount_not_positive"),
    (RUNNING, events.PaymentReceived(amount_minor=-5, **on(5)), "amount_not_positive"),
    (RUNNING, events.FeeAdded(fee_kind="courtesy", amount_minor=5, **on(5)), "fee_not_agreed"),
    (CLOSED, events.FeeAdded(fee_kind="service", amount_minor=5, **on(10)), "loan_not_running"),
    (RUNNING, events.RateChanged(rate=Rate(Fraction(-1), "year"), **on(5)), "rate_below_zero"),
    (BEFORE, events.Extended(days=7, **on(0)), "loan_not_running"),
    (RUNNING, events.Extended(days=8, **on(5)), "extension_days_not_allowed"),
    (STRETCHED, events.Extended(days=7, **on(6)), "extension_limit_reached"),
    (after(5, extension=None), events.Extended(days=7, **on(5)), "extension_not_offered"),
    (RUNNING, events.Withdrawn(**on(5)), "no_cooling_off"),
    (after(5, cooling_off=CoolingOff(days=4)), events.Withdrawn(**on(5)), "cooling_off_over"),
    (RUNNING, events.Waived(balance="interest", amount_minor=5001, **on(5)), "more_than_owed"),
    (RUNNING, events.Waived(balance="unapplied", amount_minor=1, **on(5)), "more_than_owed"),
    (RUNNING, events.Refunded(amount_minor=1, **on(5)), "more_than_unapplied"),
    (RUNNING, events.Recovered(amount_minor=1, **on(5)), "loan_not_written_off"),
    (GONE, events.WrittenOff(**on(50)), "loan_not_running"),
    (RUNNING, events.Credited(amount_minor=5, reason="luck", **on(5)), "credit_not_known"),
    (RUNNING, events.Charged(balance="fee:courtesy", amount_minor=5, due_on=START, **on(5)), "fee_not_agreed"),
    (GONE, events.Charged(balance="penalty", amount_minor=5, due_on=START, **on(50)), "loan_not_running"),
    (EVEN, events.Rescheduled(more=1, **on(5)), "dates_are_fixed"),
    (EVEN, events.Respread(**on(5)), "dates_are_fixed"),
    (RUNNING, events.Rescheduled(**on(5)), "dates_not_possible"),
    (RUNNING, events.Rescheduled(moved_from=START, **on(5)), "dates_not_possible"),
    (RUNNING, events.Rescheduled(moved_from=START, moved_to=on(5)["effective_on"], **on(5)), "dates_not_possible"),
    (RUNNING, events.Rescheduled(more=-1, **on(5)), "dates_not_possible"),
    (LATE, events.Rescheduled(more=1, **on(40)), "dates_not_possible"),
    (LATE, events.Respread(**on(40)), "dates_not_possible"),
    (RUNNING, events.Respread(start_on=on(9)["effective_on"], **on(5)), "dates_not_possible"),
    (RUNNING, events.Respread(interest="luck", **on(5)), "dates_not_possible"),
    (RUNNING, events.InterestPaused(since=START, until=START, **on(5)), "dates_not_possible"),
    (LATE, events.Terminated(**on(40)), "dates_not_possible"),
    (LOST, events.ChargedOff(**on(6)), "already_charged_off"),
    (PAUSED, events.PenaltyPaused(**on(6)), "penalty_already_paused"),
    (RUNNING, events.PenaltyResumed(**on(5)), "penalty_not_paused"),
]


@pytest.mark.parametrize(("loan", "event", "code"), REFUSED, ids=lambda item: item if isinstance(item, str) else "")
def test_refused(loan: state.Loan, event: events.Event, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        admit.admit(loan, event)
    assert refusal.value.code == code


def test_every_refusal_of_the_engine_is_tried() -> None:
    written = {
        kind.code
        for kind in vars(refused).values()
        if isinstance(kind, type) and issubclass(kind, Refusal) and kind.code
    }
    by_history = {
        "event_already_recorded",
        "nothing_to_undo",
        "before_take_over",
        "terms_contradicted",
        "more_than_agreed",
        "more_than_paid",
    }
    assert written == {code for _, _, code in REFUSED} | by_history


PAID = events.PaymentReceived(amount_minor=100, **on(3, "paid"))
OVER = events.TakenOver(**on(4, "over"))
HISTORY = [APPROVED, DISBURSED, PAID]


@pytest.mark.parametrize(
    ("more", "event", "code"),
    [
        ([], PAID, "event_already_recorded"),
        ([], events.Reversed(undoes="nobody", **on(5)), "nothing_to_undo"),
        ([], events.Reversed(undoes="approved", **on(5)), "nothing_to_undo"),
        ([], events.PaymentReturned(undoes="disbursed", **on(5)), "nothing_to_undo"),
        ([events.Reversed(undoes="paid", **on(4, "r"))], events.Reversed(undoes="paid", **on(5)), "nothing_to_undo"),
        ([events.Reversed(undoes="paid", **on(4, "r"))], events.Reversed(undoes="r", **on(5)), "nothing_to_undo"),
        ([], events.Extended(days=7, **on(-1)), "loan_not_running"),
        ([OVER], events.PaymentReceived(amount_minor=1, **on(3)), "before_take_over"),
        ([OVER], events.TakenOver(**on(5)), "loan_not_approved"),
        ([OVER], events.Reversed(undoes="over", **on(5)), "nothing_to_undo"),
        ([], corrected(number=2, rates=HALF), "correction_outdated"),
        ([corrected(rates=HALF)], corrected(rates=HALF), "event_already_recorded"),
        ([events.Extended(days=7, **on(2, "e"))], corrected(extension=None), "terms_contradicted"),
        ([], events.Disbursed(amount_minor=100_000, **on(0, "a")), "loan_not_approved"),
        ([], events.Approved(**on(-2)), "loan_already_approved"),
        (
            [
                events.PaymentReceived(amount_minor=200_000, **on(3, "rich")),
                events.Refunded(amount_minor=97_100, **on(4, "back")),
            ],
            events.Refunded(amount_minor=1, **on(3, "early")),
            "more_than_unapplied",
        ),
    ],
)
def test_refused_by_what_was_told_before(more: list[events.Event], event: events.Event, code: str) -> None:
    history = [*HISTORY, *more]
    loan = replay.replay(terms(), history, on(5)["effective_on"]).loan
    with pytest.raises(Refusal) as refusal:
        replay.append(loan, history, event)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("more", "amount", "day", "code"),
    [
        ([], 40_001, 3, "more_than_agreed"),
        ([events.Reversed(undoes="disbursed", **on(3, "r"))], 100_001, 3, "more_than_agreed"),
        ([], 1, 21, "drawing_is_over"),
        ([events.Disbursed(amount_minor=n, **on(n, f"d{n}")) for n in (1, 2)], 1, 4, "drawing_is_over"),
    ],
)
def test_parts_stay_within_what_was_agreed(more: list[events.Event], amount: int, day: int, code: str) -> None:
    first = events.Disbursed(amount_minor=60_000, **on(0, "disbursed"))
    history: list[events.Event] = [APPROVED, first, *more]
    plan = Plan(kind="equal_instalments", count=3, every=1, unit="months")
    loan = replay.replay(terms(plan=plan, drawdowns=IN_PARTS), history, on(4)["effective_on"]).loan
    with pytest.raises(Refusal) as refusal:
        replay.append(loan, history, events.Disbursed(amount_minor=amount, **on(day, "late")))
    assert refusal.value.code == code


def test_the_checks_cover_every_kind_of_event() -> None:
    assert set(admit.CHECKS) == set(events.KINDS.values())


def test_money_that_came_is_never_sent_away() -> None:
    for loan in (BEFORE, RUNNING, LATE, CLOSED, GONE):
        payment = events.PaymentReceived(effective_on=loan.at, source="new", amount_minor=1)
        admit.admit(loan, payment)
