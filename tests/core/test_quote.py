"""Figures for people: the calculator, the schedule of a running loan, previews, explanations."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from tests.core.loans import APPROVED, DISBURSED, START, after, on, terms
from usance.core.loan import close, events, quote, replay, state
from usance.core.loan.terms import Drawdowns, Fee, Part, Plan, RateStep
from usance.core.rates import Rate
from usance.core.refusals import Refusal

YEARLY = {
    "plan": Plan(kind="equal_instalments", count=12, every=1, unit="months"),
    "rates": (RateStep(from_day=0, rate=Rate(Fraction("0.12"), "year")),),
    "day_count": "same_as_period",
    "apr_times": "months/12",
}


def test_the_calculator_of_one_payment() -> None:
    answer = quote.projection(terms(), START)
    assert [(row.due_on, row.total_minor) for row in answer.rows] == [(START + timedelta(days=30), 130_000)]
    assert (answer.sent_minor, answer.total_minor, answer.cost_minor) == (100_000, 130_000, 30_000)
    assert answer.by_balance == {"principal": 100_000, "interest": 30_000}
    assert answer.apr == Fraction("23.3395")
    assert answer.daily_cost == Fraction("0.01")
    assert (answer.days, answer.ends_on) == (30, date(2026, 1, 31))


def test_the_calculator_of_equal_instalments() -> None:
    answer = quote.projection(terms(**YEARLY), date(2026, 1, 31))
    assert [row.due_on.day for row in answer.rows] == [28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31]
    assert {row.total_minor for row in answer.rows[:-1]} == {8885}
    assert abs(answer.rows[-1].total_minor - 8885) <= 6
    assert [row.amounts["interest"] for row in answer.rows[:3]] == [1000, 921, 842]
    assert answer.rows[-1].principal_after_minor == 0
    assert answer.apr == Fraction("0.1268")


def test_a_deducted_fee_is_a_cost_and_raises_the_apr() -> None:
    fee = Fee(kind="service", when="deducted", share=Fraction("0.1"))
    answer = quote.projection(terms(fees=(fee,)), START)
    assert answer.deducted == {"fee:service": 10_000}
    assert answer.sent_minor == quote.net_disbursement(terms(fees=(fee,))) == 90_000
    assert answer.cost_minor == 40_000
    assert answer.daily_cost == Fraction(40_000, 100_000 * 30)
    assert answer.apr is not None
    assert answer.apr > Fraction("23.3395")


def test_what_is_deducted_of_each_part_adds_up() -> None:
    half = Fraction(1, 2)
    parts = (Part(after_days=0, share=half), Part(after_days=45, share=half))
    fees = (Fee(kind="service", when="deducted", share=Fraction("0.1")), Fee(kind="one", when="deducted", flat_minor=7))
    said = YEARLY | {"drawdowns": Drawdowns(parts=parts, most=2, until_days=60), "fees": fees, "extension": None}
    answer = quote.projection(terms(**said), START)
    assert answer.deducted == {"fee:service": 10_000, "fee:one": 7}
    assert [(part.amount_minor, part.sent_minor) for part in answer.drawdowns] == [(50_000, 44_993), (50_000, 45_000)]
    assert answer.sent_minor == 89_993


def test_payments_to_come_begin_with_what_is_owed_today() -> None:
    loan = after(35, **YEARLY)
    first, *later = quote.payments_to_come(loan, START + timedelta(days=100))
    assert (first.effective_on, first.amount_minor) == (loan.at, state.due_now(loan))
    assert [paid.effective_on for paid in later] == [date(2026, 3, 1), date(2026, 4, 1)]
    until = START + timedelta(days=101)
    told = [APPROVED, DISBURSED, first, *later]
    assert state.days_past_due(replay.replay(terms(**YEARLY), told, until).loan) == 0


def test_a_free_loan_has_an_apr_of_zero() -> None:
    answer = quote.projection(terms(rates=(RateStep(from_day=0, rate=Rate(Fraction(0), "day")),)), START)
    assert (answer.cost_minor, answer.apr) == (0, 0)


def test_the_schedule_of_a_running_loan_is_past_and_future() -> None:
    paid = events.PaymentReceived(amount_minor=8885, **on(31, "first"))
    loan = after(40, paid, **YEARLY)
    rows = quote.schedule(loan)
    assert len(rows) == 12
    assert (rows[0].billed, rows[0].paid_minor, rows[0].remaining_minor) == (True, 8885, 0)
    assert (rows[1].billed, rows[1].paid_minor) == (False, 0)
    assert rows[0].principal_after_minor == state.owed(loan)["principal"] == 92_115
    assert sum(row.amounts["principal"] for row in rows) == 100_000


def test_standing_says_what_comes_next() -> None:
    figures = quote.standing(after(40, **YEARLY))
    assert figures.status == "past_due"
    assert figures.days_past_due == 9
    assert (
        figures.past_due_minor == figures.due_now_minor == 8885 + 710
    )  # the penalty: 9 days at 1 % of 7,885 is 709.65
    assert figures.next_due_on == date(2026, 3, 1)
    assert figures.next_due_minor == 8885
    assert figures.still_to_pay_minor > figures.payoff_minor


def test_a_preview_shows_before_and_after_and_changes_nothing() -> None:
    loan, history = after(10), [APPROVED, DISBURSED]
    seen = quote.preview(loan, history, [events.PaymentReceived(amount_minor=60_000, **on(10))])
    assert (seen.before.payoff_minor, seen.after.payoff_minor) == (110_000, 50_000)
    assert seen.after.still_to_pay_minor == 50_000 + 20 * 500
    assert sum(movement.amount_minor for movement in seen.movements if movement.kind == "allocated") == -60_000
    assert loan == after(10)


def test_a_preview_raises_what_the_event_would() -> None:
    with pytest.raises(Refusal):
        quote.preview(after(10), [APPROVED, DISBURSED], [events.Extended(days=9, **on(10))])


def test_an_extension_is_quoted_with_its_price_and_its_date() -> None:
    fees = (Fee(kind="extension", when="on_extension", flat_minor=5000),)
    asked = quote.extension(after(20, fees=fees), date(2026, 1, 26), 14)
    assert asked.amounts == {"interest": 25_000, "fee:extension": 5000}
    assert asked.price_minor == 30_000
    assert asked.new_due_on == date(2026, 2, 14)


def test_a_payoff_in_the_future_counts_the_days_until_then() -> None:
    assert quote.payoff(after(5), date(2026, 1, 11)).total_minor == 110_000
    assert quote.payoff(after(5), date(2026, 1, 6)).amounts == {"principal": 100_000, "interest": 5_000}


def test_lines_of_one_balance_tell_its_story() -> None:
    paid = events.PaymentReceived(amount_minor=50_000, **on(10, "card:1"))
    lines = quote.explain(terms(), [APPROVED, DISBURSED, paid], START + timedelta(days=12), "interest")
    assert [(line.amount_minor, line.rule, line.event) for line in lines] == [
        (10_000, "interest.actual_balance", ""),
        (-10_000, "allocation.by_instalment", "card:1"),
        (1_200, "interest.actual_balance", ""),
    ]
    assert lines[0].formula == "1000.00 x 0.01 per day x 10 days"
    assert (lines[2].starts_on, lines[2].ends_on) == (date(2026, 1, 11), date(2026, 1, 13))


def test_the_agenda_names_the_next_date_that_matters() -> None:
    assert close.agenda(after(5)) == date(2026, 1, 31)
    assert close.agenda(after(30)) == date(2026, 2, 1)
    closed = after(5, events.PaymentReceived(amount_minor=200_000, **on(5, "all")))
    assert close.agenda(closed) is None


def test_a_late_truth_is_booked_with_its_old_dates() -> None:
    loan, history = after(33), [APPROVED, DISBURSED]
    step = replay.append(loan, history, events.PaymentReceived(amount_minor=130_000, **on(30, "late news")))
    assert step.loan.status == "closed"
    assert [fact.kind for fact in step.facts] == ["paid_off"]
    booked = {(m.kind, m.balance, m.amount_minor, (m.effective_on - START).days) for m in step.movements}
    assert booked == {
        ("payment_received", "unapplied", 130_000, 30),
        ("allocated", "principal", -100_000, 30),
        ("allocated", "interest", -30_000, 30),
        *(("interest_accrued", "interest", -1000, day) for day in (30, 31, 32)),
        *(("penalty_charged", "penalty", -1000, day) for day in (30, 31, 32)),
    }


def test_a_statement_asks_for_what_its_day_will_ask_for() -> None:
    fee = Fee(kind="service", when="per_instalment", flat_minor=500)
    loan = after(20, fees=(fee,), **YEARLY)
    told = quote.statement(loan, date(2026, 2, 1))
    assert told is not None
    then = close.advance(loan, date(2026, 2, 1)).loan
    assert (told.on, told.number, told.carried) == (START + timedelta(days=20), 1, {})
    assert told.new == state.payable(then)["due"]
    assert told.total_minor == state.due_now(then) == 8885 + 500
    assert quote.statement(loan, date(2026, 2, 2)) is None


def test_a_statement_carries_over_what_is_past_due_and_takes_off_what_was_paid() -> None:
    loan = after(45, events.PaymentReceived(**on(40), amount_minor=3000), **YEARLY)
    told = quote.statement(loan, date(2026, 3, 1))
    assert told is not None
    assert told.carried == state.payable(loan)["past_due"]
    assert told.number == 2
    assert told.total_minor == sum(told.new.values()) + state.past_due(loan)
    ahead = after(
        45, events.PaymentReceived(**on(31), amount_minor=8885 + 100), early_payment="hold_until_due", **YEARLY
    )
    paid = quote.statement(ahead, date(2026, 3, 1))
    assert paid is not None
    assert (paid.carried, paid.paid_minor, paid.total_minor) == ({}, 100, 8885 - 100)


def test_a_loan_that_is_paid_has_no_statement() -> None:
    loan = after(10, events.PaymentReceived(**on(5), amount_minor=200_000), **YEARLY)
    assert loan.status == "closed"
    assert quote.statement(loan, date(2026, 2, 1)) is None
