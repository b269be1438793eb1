"""A loan that is sold: its debt against the price, what comes afterwards, and what late news makes of it."""

from __future__ import annotations

from collections import Counter

from tests.core.loans import APPROVED, DISBURSED, START, on, terms
from usance.core.accounting import books
from usance.core.loan import events, quote, replay, state
from usance.core.loan.book import Step

SALE = events.Sold(buyer="Debtco", price_minor=90_000, **on(20, "sale"))
OWED = 120_000  # after twenty days at 1 % a day


def lived(days: int, *more: events.Event) -> Step:
    return replay.replay(terms(), [APPROVED, DISBURSED, *more], on(days)["effective_on"])


def booked(step: Step) -> Counter[str]:
    """What the accounts carry, debits above zero."""
    sums: Counter[str] = Counter()
    for movement in step.movements:
        entry = books.entry(movement)
        sums[entry.debit] += entry.amount_minor
        sums[entry.credit] -= entry.amount_minor
    return Counter({role: amount for role, amount in sums.items() if amount})


def test_the_debt_leaves_against_the_price_and_the_rest_is_a_loss() -> None:
    sold = lived(60, SALE)
    assert (sold.loan.status, sold.loan.due_dates) == ("sold", ())
    assert sold.loan.balances == {"from_buyer": 90_000}
    assert booked(sold) == {
        "due_from_buyers": 90_000,
        "sale_result": OWED - 90_000,
        "interest_income": -20_000,
        "disbursement_clearing": -100_000,
    }
    standing = quote.standing(sold.loan)
    assert (standing.outstanding_minor, standing.days_past_due, standing.next_due_on) == (0, 0, None)
    assert not quote.payoff(sold.loan, sold.loan.at).total_minor


def test_of_a_debt_that_was_lost_already_all_of_the_price_is_gained() -> None:
    sold = lived(60, events.ChargedOff(**on(10, "lost")), SALE)
    assert sold.loan.balances == {"from_buyer": 90_000}
    figures = booked(sold)
    assert figures["sale_result"] == -90_000
    assert (figures["loan_loss"], figures["interest_income"]) == (110_000, -10_000)


def test_what_was_paid_on_the_day_itself_is_ours_and_what_was_too_much_stays_the_borrowers() -> None:
    paid = events.PaymentReceived(amount_minor=50_000, **on(20, "zz"))  # told after the sale, by its source
    assert booked(lived(60, SALE, paid))["sale_result"] == OWED - 50_000 - 90_000
    ahead = replay.replay(
        terms(early_payment="hold_until_due"),
        [APPROVED, DISBURSED, SALE, events.PaymentReceived(amount_minor=30_000, **on(5, "ahead"))],
        on(60)["effective_on"],
    ).loan
    assert ahead.balances == {"from_buyer": 90_000, "unapplied": 30_000}


def test_money_after_the_sale_is_the_buyers_and_its_return_takes_it_back() -> None:
    history: list[events.Event] = [APPROVED, DISBURSED]
    loan = replay.replay(terms(), history, START).loan
    paid = events.PaymentReceived(amount_minor=7_000, **on(21, "paid"))
    stood = []
    for event in (
        SALE,
        paid,
        events.Forwarded(amount_minor=7_000, **on(22, "sent_on")),
        events.PaymentReturned(undoes="paid", **on(25, "returned")),
        events.BuyerPaid(amount_minor=97_000, **on(26, "price")),
    ):
        loan = replay.append(loan, history, event).loan
        history.append(event)
        stood.append(dict(loan.balances))
    assert stood == [
        {"from_buyer": 90_000},
        {"from_buyer": 90_000, "to_buyer": 7_000},
        {"from_buyer": 90_000},
        {"from_buyer": 97_000},
        {},
    ]


def test_a_payment_learned_late_makes_the_debt_smaller_and_the_price_stays() -> None:
    before = lived(60, SALE)
    late = events.PaymentReceived(amount_minor=40_000, **on(19, "late"))
    news = replay.append(before.loan, [APPROVED, DISBURSED, SALE], late)
    assert news.loan.balances == {"from_buyer": 90_000}
    assert (
        booked(Step(news.loan, before.movements + news.movements))["sale_result"]
        == (booked(lived(60, SALE, late))["sale_result"])
    )
    assert booked(lived(60, SALE, late))["sale_result"] < 0  # more was paid for it than was owed


def test_a_debt_that_was_paid_off_by_then_was_not_sold_and_its_buyer_gets_the_money_back() -> None:
    paid_off = events.PaymentReceived(amount_minor=110_000, **on(10, "paid_off"))
    price = events.BuyerPaid(amount_minor=90_000, **on(30, "price"))
    assert lived(60, SALE, price, paid_off).loan.balances == {"to_buyer": 90_000}
    assert lived(60, SALE, price, paid_off).loan.status == "closed"


def test_a_sale_that_was_a_mistake_is_undone_and_payments_since_count_for_the_loan() -> None:
    paid = events.PaymentReceived(amount_minor=5_000, **on(25, "paid"))
    price = events.BuyerPaid(amount_minor=90_000, **on(26, "price"))
    undone = lived(29, SALE, paid, price, events.Reversed(undoes="sale", **on(28, "mistake"))).loan
    assert (undone.status, state.outstanding(undone)) == ("active", 129_000 - 5_000)
    assert undone.balances["to_buyer"] == 90_000
