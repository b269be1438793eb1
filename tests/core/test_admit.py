"""Every refusal of the engine, and that a refused event changes nothing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from tests.core.loans import APPROVED, DISBURSED, START, after, on, terms
from usance.core.loan import admit, events, refused, replay, state
from usance.core.loan.terms import CoolingOff, Drawdowns, Fee, NonAccrual, Part, Plan, RateStep
from usance.core.rates import Rate
from usance.core.refusals import Refusal

NEW = state.new(terms(), APPROVED.effective_on)
BEFORE = replay.append(NEW, [], APPROVED).loan
RUNNING = after(5)
LATE = after(40)
CLOSED = after(10, events.PaymentReceived(amount_minor=200_000, **on(10, "paid")))
GONE = after(50, events.WrittenOff(**on(50, "gone")))
SALE = events.Sold(buyer="Debtco", price_minor=700, **on(50, "sale"))
SOLD = after(50, SALE)
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


TWO_WEEKS, BACK = CoolingOff(days=14, pay_days=7), events.Withdrawn(**on(5, "back"))
STEPPED_BACK = after(6, BACK, cooling_off=TWO_WEEKS)
BY_HAND = events.PutOnNonAccrual(**on(4, "by-hand"))
WEEK = {"non_accrual": NonAccrual(after_days=7, until="closed")}
MORE = events.Disbursed(amount_minor=1, **on(6))
SUBSIDY = events.IncomeDeferred(amount_minor=500, owed_by="third_party", **on(5, "subsidy"))
ADDED = events.IncomeDeferred(amount_minor=501, owed_by="borrower", **on(6))
IN_PARTS = Drawdowns(parts=(Part(after_days=0, share=Fraction(1, 2)),), most=3, until_days=20)
HALF = (RateStep(from_day=0, rate=Rate(Fraction("0.005"), "day")),)
KEEPS_BACK = terms(fees=(Fee(kind="start", when="deducted", flat_minor=500),), drawdowns=IN_PARTS)
REFUSED = [  # with the refusal as the log shows it: its code, and what it is about
    (NEW, corrected(rates=HALF), "loan_not_yet_approved()"),
    (RUNNING, corrected(), "nothing_corrected()"),
    (RUNNING, corrected(before={"rates": HALF}), "correction_outdated()"),
    (RUNNING, corrected(principal_minor=100_001), "amount_not_correctable()"),
    (BEFORE, events.TakenOver(**on(0)), "loan_not_running(status='approved')"),
    (RUNNING, events.TakenOver(standing=taken_over().standing, **on(5)), "loan_not_approved(status='active')"),
    (
        BEFORE,
        taken_over(old_bill(-1, 60_001, 10_000)),
        "standing_does_not_add_up(balance='principal', owed_minor=50000, open_minor=50001)",
    ),
    (
        BEFORE,
        taken_over(old_bill(-1, 100, 101)),
        "standing_not_possible(why='an instalment was paid beyond what it asked for')",
    ),
    (
        BEFORE,
        taken_over(old_bill(1, 100, 0)),
        "standing_not_possible(why='old instalments are in order, after the money and not after the take-over')",
    ),
    (
        BEFORE,
        taken_over(old_bill(-1, 100, 0), old_bill(-2, 100, 0)),
        "standing_not_possible(why='old instalments are in order, after the money and not after the take-over')",
    ),
    (BEFORE, taken_over(level_minor=-1), "standing_not_possible(why='an amount is below zero')"),
    (
        BEFORE,
        taken_over(disbursed_on=on(0)["effective_on"]),
        "standing_not_possible(why='the money was given before the take-over')",
    ),
    (BEFORE, events.Approved(**on(0)), "loan_already_approved()"),
    (NEW, events.PaymentReceived(amount_minor=1, **on(0)), "loan_not_yet_approved()"),
    (NEW, events.Disbursed(amount_minor=100_000, **on(0)), "loan_not_approved(status='new')"),
    (RUNNING, events.Disbursed(amount_minor=100_000, **on(5)), "loan_not_approved(status='active')"),
    (
        replay.append(state.new(KEEPS_BACK, START), [], APPROVED).loan,
        events.Disbursed(amount_minor=500, **on(0)),
        "nothing_left_to_send()",
    ),
    (after(40, drawdowns=IN_PARTS), events.Disbursed(amount_minor=1, **on(40)), "drawing_is_over()"),
    (after(6, BACK, drawdowns=IN_PARTS, cooling_off=TWO_WEEKS), MORE, "drawing_is_over()"),
    (after(6, events.ChargedOff(**on(6, "lost")), drawdowns=IN_PARTS), MORE, "drawing_is_over()"),
    (RUNNING, events.Cancelled(**on(5)), "loan_not_approved(status='active')"),
    (BEFORE, SUBSIDY, "loan_not_running(status='approved')"),
    (RUNNING, replace(SUBSIDY, amount_minor=0), "amount_not_positive(amount_minor=0)"),
    (RUNNING, replace(SUBSIDY, owed_by="nobody"), "nothing_to_earn_over()"),
    (after(30), replace(SUBSIDY, **on(30)), "nothing_to_earn_over()"),
    (LOST, replace(SUBSIDY, **on(6)), "nothing_to_earn_over()"),
    (STEPPED_BACK, replace(SUBSIDY, **on(6)), "nothing_to_earn_over()"),
    (
        after(6, income_share=Fraction(1), cost_cap_share=Fraction("0.065")),
        ADDED,
        "more_added_than_agreed(amount_minor=501, left_minor=500)",
    ),
    (
        BEFORE,
        events.IncomeTakenBack(amount_minor=0, owed_by="borrower", income="x", **on(0)),
        "amount_not_positive(amount_minor=0)",
    ),
    (RUNNING, events.DisbursementFailed(**on(5)), "loan_not_approved(status='active')"),
    (BEFORE, events.Disbursed(amount_minor=0, **on(0)), "amount_not_positive(amount_minor=0)"),
    (
        BEFORE,
        events.Disbursed(amount_minor=99_999, **on(0)),
        "amount_differs_from_terms(amount_minor=99999, agreed_minor=100000)",
    ),
    (RUNNING, events.PaymentReceived(amount_minor=0, **on(5)), "amount_not_positive(amount_minor=0)"),
    (RUNNING, events.PaymentReceived(amount_minor=-5, **on(5)), "amount_not_positive(amount_minor=-5)"),
    (RUNNING, events.FeeAdded(fee_kind="courtesy", amount_minor=5, **on(5)), "fee_not_agreed(fee_kind='courtesy')"),
    (CLOSED, events.FeeAdded(fee_kind="service", amount_minor=5, **on(10)), "loan_not_running(status='closed')"),
    (RUNNING, events.RateChanged(rate=Rate(Fraction(-1), "year"), **on(5)), "rate_below_zero()"),
    (BEFORE, events.Extended(days=7, **on(0)), "loan_not_running(status='approved')"),
    (RUNNING, events.Extended(days=8, **on(5)), "extension_days_not_allowed(days=8, allowed=(7, 14))"),
    (STRETCHED, events.Extended(days=7, **on(6)), "extension_limit_reached(max_count=1)"),
    (after(5, extension=None), events.Extended(days=7, **on(5)), "extension_not_offered()"),
    (RUNNING, events.Withdrawn(**on(5)), "no_cooling_off()"),
    (STEPPED_BACK, events.Withdrawn(**on(6)), "cooling_off_over(last_on=datetime.date(2026, 1, 6))"),
    (STEPPED_BACK, events.Extended(days=7, **on(6)), "extension_not_offered()"),
    (after(5, BY_HAND), events.PutOnNonAccrual(**on(5)), "already_on_non_accrual()"),
    (CLOSED, events.PutOnNonAccrual(**on(10)), "loan_not_running(status='closed')"),
    (after(5, events.ChargedOff(**on(4))), events.PutOnNonAccrual(**on(5)), "already_charged_off()"),
    (RUNNING, events.RestoredToAccrual(**on(5)), "not_on_non_accrual()"),
    (
        after(50, BY_HAND, **WEEK),
        events.RestoredToAccrual(**on(50)),
        "too_late_to_accrue(days_past_due=20, after_days=7)",
    ),
    (
        after(5, cooling_off=CoolingOff(days=4)),
        events.Withdrawn(**on(5)),
        "cooling_off_over(last_on=datetime.date(2026, 1, 5))",
    ),
    (
        RUNNING,
        events.Waived(balance="interest", amount_minor=5001, **on(5)),
        "more_than_owed(balance='interest', amount_minor=5001, owed_minor=5000)",
    ),
    (
        RUNNING,
        events.Waived(balance="unapplied", amount_minor=1, **on(5)),
        "more_than_owed(balance='unapplied', amount_minor=1, owed_minor=0)",
    ),
    (RUNNING, events.Refunded(amount_minor=1, **on(5)), "more_than_unapplied(amount_minor=1, unapplied_minor=0)"),
    (RUNNING, events.Recovered(amount_minor=1, **on(5)), "loan_not_written_off(status='active')"),
    (GONE, events.WrittenOff(**on(50)), "loan_not_running(status='written_off')"),
    (RUNNING, events.Sold(buyer="Debtco", price_minor=0, **on(5)), "amount_not_positive(amount_minor=0)"),
    (SOLD, events.WrittenOff(**on(50)), "loan_not_running(status='sold')"),
    (SOLD, events.Sold(buyer="Fund", price_minor=1, **on(50)), "loan_not_running(status='sold')"),
    (SOLD, events.BuyerPaid(amount_minor=701, **on(50)), "more_than_buyer_owes(amount_minor=701, owed_minor=700)"),
    (SOLD, events.Forwarded(amount_minor=1, **on(50)), "more_than_the_buyers(amount_minor=1, kept_minor=0)"),
    (RUNNING, events.Credited(amount_minor=5, reason="luck", **on(5)), "credit_not_known(reason='luck')"),
    (
        RUNNING,
        events.Charged(balance="fee:courtesy", amount_minor=5, due_on=START, **on(5)),
        "fee_not_agreed(fee_kind='courtesy')",
    ),
    (
        GONE,
        events.Charged(balance="penalty", amount_minor=5, due_on=START, **on(50)),
        "loan_not_running(status='written_off')",
    ),
    (EVEN, events.Rescheduled(more=1, **on(5)), "dates_are_fixed()"),
    (EVEN, events.Respread(**on(5)), "dates_are_fixed()"),
    (RUNNING, events.Rescheduled(**on(5)), "dates_not_possible()"),
    (RUNNING, events.Rescheduled(moved_from=START, **on(5)), "dates_not_possible()"),
    (RUNNING, events.Rescheduled(moved_from=START, moved_to=on(5)["effective_on"], **on(5)), "dates_not_possible()"),
    (RUNNING, events.Rescheduled(more=-1, **on(5)), "dates_not_possible()"),
    (RUNNING, events.Rescheduled(moved_from=START, more=1, **on(5)), "dates_not_possible()"),
    (RUNNING, events.Rescheduled(moved_to=on(9)["effective_on"], more=1, **on(5)), "dates_not_possible()"),
    (LATE, events.Rescheduled(more=1, **on(40)), "dates_not_possible()"),
    (LATE, events.Respread(**on(40)), "dates_not_possible()"),
    (RUNNING, events.Respread(start_on=on(9)["effective_on"], **on(5)), "dates_not_possible()"),
    (RUNNING, events.Respread(interest="luck", **on(5)), "dates_not_possible()"),
    (RUNNING, events.InterestPaused(since=START, until=START, **on(5)), "dates_not_possible()"),
    (RUNNING, events.Rescheduled(moved_to=on(9)["effective_on"], **on(5)), "dates_not_possible()"),
    (
        RUNNING,
        events.Rescheduled(moved_from=on(31)["effective_on"], moved_to=on(40)["effective_on"], **on(5)),
        "dates_not_possible()",
    ),
    *(
        (
            RUNNING,
            events.Respread(**{"start_on": on(9)["effective_on"], "count": 2} | wrong, **on(5)),
            "dates_not_possible()",
        )
        for wrong in ({"count": 0}, {"every": 0}, {"unit": "moons"})
    ),
    (LATE, events.Terminated(**on(40)), "dates_not_possible()"),
    (LOST, events.ChargedOff(**on(6)), "already_charged_off()"),
    (PAUSED, events.PenaltyPaused(**on(6)), "penalty_already_paused()"),
    (RUNNING, events.PenaltyResumed(**on(5)), "penalty_not_paused()"),
]


@pytest.mark.parametrize(("loan", "event", "told"), REFUSED, ids=lambda item: item if isinstance(item, str) else "")
def test_refused(loan: state.Loan, event: events.Event, told: str) -> None:
    with pytest.raises(Refusal) as refusal:
        admit.admit(loan, event)
    assert str(refusal.value) == told


ADMITTED = [  # the last that may be
    (NEW, APPROVED),
    (BEFORE, DISBURSED),
    (BEFORE, events.DisbursementFailed(**on(0))),
    (BEFORE, events.Cancelled(**on(0))),
    (BEFORE, taken_over(old_bill(-1, 60_000, 10_000), level_minor=0, charged_minor=0)),
    (BEFORE, taken_over(old_bill(-2, 100, 100), old_bill(-1, 100, 0))),
    (RUNNING, corrected(rates=HALF)),
    (RUNNING, events.RateChanged(rate=Rate(Fraction(0), "year"), **on(5))),
    (RUNNING, events.Extended(days=14, **on(5))),
    (RUNNING, events.FeeAdded(fee_kind="service", amount_minor=1, **on(5))),
    (RUNNING, events.Waived(balance="interest", amount_minor=5000, **on(5))),
    (after(10, events.PaymentReceived(amount_minor=110_001, **on(10, "p"))), events.Refunded(amount_minor=1, **on(10))),
    (GONE, events.Recovered(amount_minor=1, **on(50))),
    (GONE, events.PaymentReceived(amount_minor=1, **on(50))),
    (RUNNING, events.Credited(amount_minor=1, reason="goodwill", **on(5))),
    (RUNNING, events.Charged(balance="fee:service", amount_minor=1, due_on=START, **on(5))),
    (CLOSED, events.Charged(balance="penalty", amount_minor=1, due_on=START, **on(10))),
    (CLOSED, events.ChargedBack(balance="principal", amount_minor=1, **on(10))),
    (RUNNING, events.Rescheduled(more=1, **on(5))),
    (RUNNING, events.Rescheduled(moved_from=RUNNING.due_dates[0], moved_to=on(6)["effective_on"], **on(5))),
    (RUNNING, events.Respread(**on(5))),
    (LATE, events.Respread(start_on=on(41)["effective_on"], count=1, every=1, unit="days", **on(40))),
    (RUNNING, events.InterestPaused(since=START, until=on(1)["effective_on"], **on(5))),
    (RUNNING, events.Terminated(**on(5))),
    (RUNNING, events.ChargedOff(**on(5))),
    (LATE, events.WrittenOff(**on(40))),
    (LATE, events.Sold(buyer="Debtco", price_minor=1, **on(40))),
    (LOST, events.Sold(buyer="Debtco", price_minor=1, **on(6))),
    (SOLD, events.BuyerPaid(amount_minor=700, **on(50))),
    (SOLD, events.PaymentReceived(amount_minor=1, **on(50))),
    (
        after(60, SALE, events.PaymentReceived(amount_minor=9, **on(55, "p"))),
        events.Forwarded(amount_minor=9, **on(60)),
    ),
    (RUNNING, events.PenaltyPaused(**on(5))),
    (PAUSED, events.PenaltyResumed(**on(6))),
]


@pytest.mark.parametrize(("loan", "event"), ADMITTED, ids=lambda item: getattr(item, "kind", ""))
def test_admitted(loan: state.Loan, event: events.Event) -> None:
    admit.admit(loan, event)


def test_every_refusal_of_the_engine_is_tried() -> None:
    written = {
        kind.code
        for kind in vars(refused).values()
        if isinstance(kind, type) and issubclass(kind, Refusal) and kind.code
    }
    by_history = {
        "event_already_recorded",
        "loan_already_sold",
        "nothing_to_undo",
        "before_take_over",
        "terms_contradicted",
        "more_than_agreed",
        "more_than_paid",
        "more_than_deferred",
    }
    assert written == {told.partition("(")[0] for _, _, told in REFUSED} | by_history


PAID = events.PaymentReceived(amount_minor=100, **on(3, "paid"))
OVER = events.TakenOver(**on(4, "over"))
HISTORY = [APPROVED, DISBURSED, PAID]


@pytest.mark.parametrize(
    ("more", "event", "told"),
    [
        ([], PAID, "event_already_recorded(source='paid')"),
        ([], events.Reversed(undoes="nobody", **on(5)), "nothing_to_undo(source='nobody')"),
        ([], events.Reversed(undoes="approved", **on(5)), "nothing_to_undo(source='approved')"),
        ([], events.PaymentReturned(undoes="disbursed", **on(5)), "nothing_to_undo(source='disbursed')"),
        (
            [events.Reversed(undoes="paid", **on(4, "r"))],
            events.Reversed(undoes="paid", **on(5)),
            "nothing_to_undo(source='paid')",
        ),
        (
            [events.Reversed(undoes="paid", **on(4, "r"))],
            events.Reversed(undoes="r", **on(5)),
            "nothing_to_undo(source='r')",
        ),
        ([], events.Extended(days=7, **on(-1)), "loan_not_running(status='new')"),
        (
            [OVER],
            events.PaymentReceived(amount_minor=1, **on(3)),
            "before_take_over(taken_over_on=datetime.date(2026, 1, 5))",
        ),
        ([OVER], events.TakenOver(**on(5)), "loan_not_approved(status='active')"),
        ([OVER], events.Reversed(undoes="over", **on(5)), "nothing_to_undo(source='over')"),
        ([], corrected(number=2, rates=HALF), "correction_outdated()"),
        ([corrected(rates=HALF)], corrected(rates=HALF), "event_already_recorded(source='corrected-1')"),
        (
            [events.Extended(days=7, **on(2, "e"))],
            corrected(extension=None),
            "terms_contradicted(kind='Extended', effective_on=datetime.date(2026, 1, 3))",
        ),
        ([], events.Disbursed(amount_minor=100_000, **on(0, "a")), "loan_not_approved(status='active')"),
        ([], events.Approved(**on(-2)), "loan_already_approved()"),
        (
            [events.Sold(buyer="Debtco", price_minor=1, **on(5, "sale"))],
            events.Sold(buyer="Fund", price_minor=1, **on(4)),
            "loan_already_sold()",
        ),
        (
            [
                events.Sold(buyer="Debtco", price_minor=1, **on(2, "sale")),
                events.Forwarded(amount_minor=100, **on(5, "sent_on")),
            ],
            events.Forwarded(amount_minor=1, **on(4)),
            "more_than_the_buyers(amount_minor=1, kept_minor=0)",
        ),
        (
            [
                events.PaymentReceived(amount_minor=200_000, **on(3, "rich")),
                events.Refunded(amount_minor=97_100, **on(4, "back")),
            ],
            events.Refunded(amount_minor=1, **on(3, "early")),
            "more_than_unapplied(amount_minor=1, unapplied_minor=0)",
        ),
    ],
)
def test_refused_by_what_was_told_before(more: list[events.Event], event: events.Event, told: str) -> None:
    history = [*HISTORY, *more]
    loan = replay.replay(terms(), history, on(5)["effective_on"]).loan
    with pytest.raises(Refusal) as refusal:
        replay.append(loan, history, event)
    assert str(refusal.value) == told


@pytest.mark.parametrize(
    ("amount", "owed_by", "income", "told"),
    [
        (301, "borrower", "added", "more_than_deferred(amount_minor=301, left_minor=300)"),
        (1, "third_party", "added", "nothing_to_undo(source='added')"),
        (1, "borrower", "disbursed", "nothing_to_undo(source='disbursed')"),
        (1, "borrower", "gone", "nothing_to_undo(source='gone')"),
        (1, "borrower", "later", "nothing_to_undo(source='later')"),
    ],
)
def test_no_more_of_an_income_is_taken_back_than_was_deferred(
    amount: int, owed_by: str, income: str, told: str
) -> None:
    added = events.IncomeDeferred(amount_minor=500, owed_by="borrower", **on(1, "added"))
    gone, later = replace(added, **on(1, "gone")), replace(added, **on(4, "later"))
    back = events.IncomeTakenBack(amount_minor=200, owed_by="borrower", income="added", **on(2, "back"))
    undone = events.Reversed(undoes="gone", **on(2, "undone"))
    history = [APPROVED, DISBURSED, added, gone, later, back, undone]
    loan = replay.replay(terms(income_share=Fraction(1)), history, on(5)["effective_on"]).loan
    with pytest.raises(Refusal) as refusal:
        replay.append(
            loan, history, events.IncomeTakenBack(amount_minor=amount, owed_by=owed_by, income=income, **on(3))
        )
    assert str(refusal.value) == told


def test_what_is_added_to_the_debt_is_within_the_agreed_share() -> None:
    agreed = terms(income_share=Fraction("0.005"))
    added = events.IncomeDeferred(amount_minor=500, owed_by="borrower", **on(1, "added"))
    back = events.IncomeTakenBack(amount_minor=200, owed_by="borrower", income="added", **on(2, "back"))
    history = [APPROVED, DISBURSED, added, back]
    loan = replay.replay(agreed, history, on(3)["effective_on"]).loan
    with pytest.raises(Refusal) as refusal:
        replay.append(loan, history, replace(added, amount_minor=201, **on(3)))
    assert str(refusal.value) == "more_added_than_agreed(amount_minor=201, left_minor=200)"
    assert replay.append(loan, history, replace(added, amount_minor=200, **on(3))).loan.incomes == {"borrower": 500}


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
