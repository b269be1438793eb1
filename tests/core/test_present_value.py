"""Money at other times: the spreadsheets' functions, by their own examples and by what they mean to one another."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from usance.core import present_value as pv

MONTH = Fraction("0.08") / 12


def cents(exact: Fraction) -> Fraction:
    return Fraction(round(float(exact), 2)).limit_denominator(100)


@pytest.mark.parametrize(
    ("found", "told"),
    [  # the examples in the documentation of PMT, FV, PV, IPMT, PPMT and NPER
        (lambda: pv.payment(MONTH, 10, Fraction(10_000)), "-1037.03"),
        (lambda: pv.payment(MONTH, 10, Fraction(10_000), due=1), "-1030.16"),
        (lambda: pv.payment(Fraction("0.06") / 12, 18 * 12, Fraction(0), Fraction(50_000)), "-129.08"),
        (lambda: pv.future_value(Fraction("0.06") / 12, 10, Fraction(-200), Fraction(-500), 1), "2581.40"),
        (lambda: pv.future_value(Fraction("0.12") / 12, 12, Fraction(-1000)), "12682.50"),
        (lambda: pv.present_value(MONTH, 240, Fraction(500)), "-59777.15"),
        (lambda: pv.interest_part(Fraction("0.1") / 12, 1, 36, Fraction(8000)), "-66.67"),
        (lambda: pv.interest_part(Fraction("0.1"), 3, 3, Fraction(8000)), "-292.45"),
        (lambda: pv.principal_part(Fraction("0.1") / 12, 1, 24, Fraction(2000)), "-75.62"),
        (lambda: pv.principal_part(Fraction("0.08"), 10, 10, Fraction(200_000)), "-27598.05"),
        (lambda: pv.count_of_payments(Fraction("0.01"), Fraction(-100), Fraction(-1000), Fraction(10_000), 1), "59.67"),
        (lambda: pv.count_of_payments(Fraction("0.01"), Fraction(-100), Fraction(-1000), Fraction(10_000)), "60.08"),
        (lambda: pv.count_of_payments(Fraction("0.01"), Fraction(-100), Fraction(-1000)), "-9.58"),
    ],
)  # fmt: skip
def test_as_documented(found: object, told: str) -> None:
    assert cents(found()) == Fraction(told)  # type: ignore[operator]


@pytest.mark.parametrize("due", [0, 1])
@pytest.mark.parametrize("rate", [Fraction(0), Fraction("0.01"), Fraction("0.4")])
@pytest.mark.parametrize("future", [Fraction(0), Fraction(-250)])
def test_payments_carry_the_present_to_the_future(rate: Fraction, due: int, future: Fraction) -> None:
    """Paid period by period, by hand."""
    count, present = 5, Fraction(1000)
    each = pv.payment(rate, count, present, future, due)
    balance, interest, earned = present, [], Fraction(0)
    for _ in range(count):
        if due:
            interest.append(-earned)  # until now; nothing before the first payment
            earned = (balance + each) * rate
            balance += each + earned
        else:
            interest.append(-balance * rate)
            balance = balance * (1 + rate) + each
    assert balance == -future
    assert pv.future_value(rate, count, each, present, due) == future
    assert pv.present_value(rate, count, each, future, due) == present
    parts = [pv.interest_part(rate, number, count, present, future, due) for number in range(1, count + 1)]
    assert parts == interest
    for number, part in enumerate(parts, 1):
        assert pv.principal_part(rate, number, count, present, future, due) == each - part
    assert abs(pv.count_of_payments(rate, each, present, future, due) - count) < Fraction(1, 10**25)


def test_what_is_left_out_is_nothing() -> None:
    rate, whole = Fraction("0.02"), Fraction(900)
    assert pv.payment(rate, 9, whole) == pv.payment(rate, 9, whole, Fraction(0), 0)
    assert pv.present_value(rate, 9, whole) == pv.present_value(rate, 9, whole, Fraction(0), 0)
    assert pv.interest_part(rate, 2, 9, whole) == pv.interest_part(rate, 2, 9, whole, Fraction(0), 0)
    assert pv.principal_part(rate, 2, 9, whole) == pv.principal_part(rate, 2, 9, whole, Fraction(0), 0)
    assert pv.rate_of_payments(9, Fraction(-110), whole) == pv.rate_of_payments(
        9, Fraction(-110), whole, Fraction(0), 0
    )


def test_flows_one_period_apart() -> None:
    flows = [
        Fraction(-70_000),
        Fraction(12_000),
        Fraction(15_000),
        Fraction(18_000),
        Fraction(21_000),
        Fraction(26_000),
    ]
    irr = pv.internal_rate(flows)
    assert irr is not None
    assert round(float(irr), 6) == 0.086631  # documentation of IRR: 8.7 %
    assert abs(pv.worth(pv.decimal(irr), flows)) < Decimal("1e-20")
    a_year_later = [Fraction(amount) for amount in (0, -10_000, 3000, 4200, 6800)]
    assert round(pv.worth(Decimal("0.1"), a_year_later), 2) == Decimal("1188.44")  # documentation of NPV
    loss = pv.internal_rate([Fraction(-100), Fraction(20), Fraction(30)])
    assert loss is not None
    assert round(float(loss), 6) == -0.343224  # (20 + sqrt(400 + 12000)) / 200 - 1
    assert pv.internal_rate([Fraction(-100), Fraction(-1)]) is None
    assert pv.internal_rate([Fraction(-100), Fraction(100)]) == 0


def test_of_two_rates_the_one_nearer_to_zero_is_found() -> None:
    """-100 + 230 v - 132 v^2: both 10 % and 20 %; and with a loss and a gain, the smaller of them."""
    found = pv.internal_rate([Fraction(-100), Fraction(230), Fraction(-132)])
    assert found is not None
    assert abs(found - Fraction("0.1")) < Fraction(1, 10**20)
    # 1 + i is 0.9 or 1.3: -10 % is nearer than 30 %
    other = pv.internal_rate([Fraction(100), Fraction(-220), Fraction(117)])
    assert other is not None
    assert abs(other + Fraction("0.1")) < Fraction(1, 10**20)


def test_the_rate_of_level_payments() -> None:
    found = pv.rate_of_payments(48, Fraction(-200), Fraction(8000))
    assert found is not None
    assert round(float(found), 8) == 0.00770147  # documentation of RATE: 1 % a month
    rate = Fraction("0.03")
    for due in (0, 1):
        each = pv.payment(rate, 7, Fraction(500), Fraction(60), due)
        found = pv.rate_of_payments(7, each, Fraction(500), Fraction(60), due)
        assert found is not None
        assert abs(found - rate) < Fraction(1, 10**20)


def test_rates_of_great_gains_and_losses_are_found() -> None:
    for rate in (Fraction(10**9), Fraction("-0.98")):
        found = pv.internal_rate([Fraction(-1000), 1000 * (1 + rate)])
        assert found is not None
        assert abs(found / rate - 1) < Fraction(1, 10**9)


def test_by_days() -> None:
    flows = [
        ("2008-01-01", -10_000),
        ("2008-03-01", 2750),
        ("2008-10-30", 4250),
        ("2009-02-15", 3250),
        ("2009-04-01", 2750),
    ]
    worth = pv.worth_by_days(Fraction("0.09"), [(date.fromisoformat(on), Fraction(amount)) for on, amount in flows])
    assert cents(worth) == Fraction("2086.65")  # documentation of XNPV


def test_a_nominal_rate_compounds_to_the_effective_one() -> None:
    nominal = pv.nominal_rate(Fraction("0.053543"), 4)
    assert round(float(nominal), 6) == 0.0525  # documentation of NOMINAL
    assert abs((1 + nominal / 4) ** 4 - 1 - Fraction("0.053543")) < Fraction(1, 10**25)
