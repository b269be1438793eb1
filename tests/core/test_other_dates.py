"""Due dates that are extended, moved or added: what the days between them cost, and which instalments follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.core.loans import APPROVED, DISBURSED, START, after, on, terms
from usance.core.calendar import WorkCalendar
from usance.core.loan import events, quote, replay, state
from usance.core.loan.terms import Grace, Plan, RateStep
from usance.core.rates import Rate

TWELVE = (RateStep(from_day=0, rate=Rate(Fraction("0.12"), "year")),)
MONTHS = {"plan": Plan(kind="equal_instalments", count=3, every=1, unit="months"), "rates": TWELVE}
MONTH = {"plan": Plan(kind="single_payment", every=1, unit="months"), "rates": TWELVE}


def _interest(loan: state.Loan) -> int:
    return loan.interest.posted


# --- extended ----------------------------------------------------------------------------------------------------

CONVENTIONS = ("same_as_period", "months_of_30/360")


@pytest.mark.parametrize("spread", ["as_earned", "evenly"])
@pytest.mark.parametrize("day", [20, 30])
def test_evenly_spread_interest_costs_the_days_of_an_extension(spread: str, day: int) -> None:
    extended = events.Extended(days=7, **on(day))
    assert _interest(after(37, extended, interest_spread=spread)) == 37_000


def test_evenly_spread_interest_of_a_longer_last_period_too() -> None:
    plan = Plan(kind="single_payment", every=1, unit="months", length=100)
    loan = after(107, events.Extended(days=7, **on(100)), plan=plan, interest_spread="evenly")
    assert _interest(loan) == 107_000


@pytest.mark.parametrize("day_count", CONVENTIONS)
def test_a_convention_by_periods_counts_the_days_of_an_extension(day_count: str) -> None:
    """From 1 to 8 February there are 7 of 28 days of a month."""
    loan = after(38, events.Extended(days=7, **on(31)), day_count=day_count, **MONTH)
    assert _interest(loan) == 1000 + 250


@pytest.mark.parametrize("day_count", CONVENTIONS)
def test_an_extension_before_the_due_date_costs_its_days_too(day_count: str) -> None:
    """20 days of the 31 of January, then 18 until 8 February."""
    loan = after(38, events.Extended(days=7, **on(20)), day_count=day_count, **MONTH)
    assert _interest(loan) == pytest.approx(1000 * 38 / 31, abs=1)


def test_instalments_after_an_extended_one_bear_a_whole_period() -> None:
    """The bill of the days until then, that of the extended one, and the next ones with their months."""
    told = events.Extended(days=7, **on(20))
    loan = after(20, told, day_count="same_as_period", **MONTHS)
    rows = [row for row in quote.schedule(loan) if not row.billed]
    assert rows[0].amounts["interest"] == pytest.approx(1000 * 18 / 31, abs=1)
    first, second, _ = rows
    assert second.amounts["interest"] == pytest.approx(first.principal_after_minor / 100, abs=1)


def test_a_date_that_was_moved_keeps_its_length_when_those_before_it_are_extended() -> None:
    march = START + timedelta(days=59)
    told: list[events.Event] = [
        events.Rescheduled(moved_from=march, moved_to=march + timedelta(days=19), **on(5)),
        events.Extended(days=7, **on(10)),
    ]
    loan = after(10, *told, day_count="same_as_period", **MONTHS)
    assert [day.isoformat() for day in loan.due_dates] == ["2026-02-08", "2026-03-27", "2026-04-27"]
    rows = [row for row in quote.schedule(loan) if not row.billed]
    months = 1 + Fraction(19, 31)  # from 8 to 8 March, and 19 of the 31 days from there
    assert rows[1].amounts["interest"] == pytest.approx(rows[0].principal_after_minor * months / 100, abs=1)


SIX = {
    "principal_minor": 1_200_000, "early_payment": "smaller_instalments", "penalty": None, "fees": (),
    "plan": Plan(kind="equal_instalments", count=6, every=1, unit="months"),
    "rates": (RateStep(from_day=0, rate=Rate(Fraction("0.6"), "year")),),
}  # fmt: skip


@pytest.mark.parametrize(
    ("day_count", "told"),
    [
        ("same_as_period", events.Rescheduled(moved_from=date(2026, 5, 1), moved_to=date(2026, 7, 15), **on(1))),
        ("actual/365", events.InterestPaused(since=date(2026, 4, 1), until=date(2026, 6, 1), **on(1))),
    ],
)
def test_smaller_instalments_know_of_dates_that_moved_and_nights_without_interest(
    day_count: str, told: events.Event
) -> None:
    """Or the last one differs from the others by hundreds."""
    paid = events.PaymentReceived(amount_minor=700_000, **on(11, "paid"))
    agreed = terms(day_count=day_count, **SIX)
    disbursed = DISBURSED.__class__(effective_on=START, source="disbursed", amount_minor=1_200_000)
    loan = replay.replay(agreed, [APPROVED, disbursed, told, paid], START + timedelta(days=11)).loan
    *others, last = [row.total_minor for row in quote.schedule(loan) if not row.billed][1:]
    assert set(others) == {loan.level_minor}
    assert last == pytest.approx(others[0], abs=1_500)


# --- the number of an instalment ---------------------------------------------------------------------------------

SAME = {"day_count": "same_as_period", "rates": TWELVE, "plan": MONTHS["plan"]}


def _of_month(*, principal: int = 0, interest: int = 0, interest_free: int = 0) -> dict[str, Any]:
    return {**SAME, "grace": Grace(principal=principal, interest=interest, interest_free=interest_free)}


def test_an_interest_free_beginning_does_not_begin_again_when_instalments_are_added() -> None:
    """1,000.00 in three; the first bears nothing, and one more comes when it is paid."""
    paid = events.PaymentReceived(amount_minor=33_000, **on(31, "paid"))
    loan = after(59, paid, events.Rescheduled(more=1, **on(32)), **_of_month(interest_free=1))
    assert loan.bills[1].due["interest"] == pytest.approx((100_000 - 33_000) // 100, abs=4)
    assert state.instalment_number(loan) == 3


@pytest.mark.parametrize("grace", [{"principal": 1}, {"interest": 1}, {"interest_free": 1}])
def test_no_grace_begins_again_when_all_is_spread_anew(grace: dict[str, int]) -> None:
    again = events.Respread(interest="levelled", start_on=START + timedelta(days=59), count=4, **on(32))
    loan = after(90, again, **_of_month(**grace))
    assert all(bill.due.get("principal") and bill.due.get("interest") for bill in loan.bills if bill.number > 2)


def test_an_instalment_keeps_its_number_when_others_take_the_place_of_those_after_it() -> None:
    numbers = [state.instalment_number(after(5, **SAME))]
    for told in (
        events.Rescheduled(more=2, **on(5)),
        events.Respread(interest="levelled", start_on=START + timedelta(days=31), count=1, **on(5)),
        events.Respread(interest="levelled", start_on=START + timedelta(days=31), count=7, **on(5)),
        events.Extended(days=7, **on(5)),
    ):
        numbers.append(state.instalment_number(after(5, told, **SAME)))
    assert numbers == [1] * 5


def test_an_extension_after_the_last_instalment_is_one_more() -> None:
    loan = after(32, events.Extended(days=7, **on(32)))
    assert (len(loan.due_dates), state.instalment_number(loan)) == (1, 2)


# --- the pace ----------------------------------------------------------------------------------------------------


def _dates(loan: state.Loan) -> list[str]:
    return [day.isoformat() for day in loan.due_dates]


def test_more_instalments_follow_the_pace_of_a_new_spread() -> None:
    """2 months, spread anew over three weeks: the fourth is a week after them and bears a week."""
    first = START + timedelta(days=38)
    told: list[events.Event] = [
        events.Respread(interest="levelled", start_on=first, count=3, every=1, unit="weeks", **on(32)),
        events.Rescheduled(more=1, **on(33)),
    ]
    loan = after(33, *told, **(SAME | {"plan": Plan(kind="equal_instalments", count=2, every=1, unit="months")}))
    assert _dates(loan) == [(first + timedelta(weeks=k)).isoformat() for k in range(4)]


@pytest.mark.parametrize(("moved_to", "dates"), [
    (date(2026, 2, 20), ["2026-02-20", "2026-03-20", "2026-04-20", "2026-05-20"]),
    (date(2026, 1, 31), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
])  # fmt: skip
def test_more_instalments_follow_dates_that_were_moved(moved_to: date, dates: list[str]) -> None:
    moved = events.Rescheduled(moved_from=date(2026, 2, 1), moved_to=moved_to, more=1, **on(5))
    assert _dates(after(5, moved, **MONTHS)) == dates


def test_more_instalments_go_on_with_the_agreed_ones() -> None:
    at_month_end = date(2026, 1, 31)
    told: list[events.Event] = [
        replace(APPROVED, effective_on=at_month_end),
        replace(DISBURSED, effective_on=at_month_end),
        *(events.Rescheduled(more=1, effective_on=at_month_end, source=f"more{k}") for k in range(2)),
    ]
    loan = replay.replay(terms(**MONTHS), told, at_month_end).loan
    assert _dates(loan) == ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]


def test_where_the_signed_dates_stay_the_others_follow_them() -> None:
    signed = {"late_start": "dates_stay", "signed_on": date(2025, 12, 20)}
    loan = after(5, events.Rescheduled(more=1, **on(5)), **signed, **MONTHS)
    assert _dates(loan) == ["2026-01-20", "2026-02-20", "2026-03-20", "2026-04-20"]


@pytest.mark.parametrize("told", [
    events.Rescheduled(moved_from=date(2026, 2, 1), moved_to=date(2026, 2, 7), more=1, **on(5)),
    events.Respread(interest="levelled", start_on=date(2026, 2, 7), count=4, **on(5)),
])  # fmt: skip
def test_dates_that_follow_are_no_days_off(told: events.Event) -> None:
    """The day that somebody named stands, a Saturday; 7 March is one too, and goes to Monday."""
    free = {"roll": "next", "work_calendar": WorkCalendar(days_off=(5, 6))}
    assert _dates(after(5, told, **MONTHS, **free)) == ["2026-02-07", "2026-03-09", "2026-04-07", "2026-05-07"]


# --- owed again after paying off ---------------------------------------------------------------------------------

IN_TURN = {**MONTHS, "early_payment": "in_turn"}
MOVED = events.Rescheduled(moved_from=date(2026, 2, 1), moved_to=date(2026, 2, 20), **on(5))
DISPUTED = events.ChargedBack(balance="principal", amount_minor=50_000, **on(20, "disputed"))


def _paid_off_and_disputed(*told: events.Event) -> list[events.Event]:
    amount = state.outstanding(after(10, *told, **IN_TURN))
    return [*told, events.PaymentReceived(amount_minor=amount, **on(10, "paid")), DISPUTED]


def test_a_loan_that_is_owed_again_goes_on_with_dates_that_were_moved() -> None:
    plain, moved = (after(20, *_paid_off_and_disputed(*told), **IN_TURN) for told in ((), (MOVED,)))
    assert _dates(moved) == ["2026-02-20", "2026-03-20", "2026-04-20"]
    assert moved.ahead == plain.ahead
    assert sum(one.there("principal") for one in moved.ahead) == 100_000
    rows = quote.schedule(moved)
    assert [row.due_on for row in rows] == list(moved.due_dates)
    assert rows[0].remaining_minor == 50_000
    assert state.instalment_number(moved) == 1


def test_a_loan_that_is_owed_again_after_its_end_was_told_has_no_dates_again() -> None:
    loan = after(20, *_paid_off_and_disputed(events.Terminated(**on(9))), **IN_TURN)
    assert (loan.due_dates, state.due_now(loan)) == ((), 50_000)
