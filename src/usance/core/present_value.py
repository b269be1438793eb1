"""What money at other times is worth: level payments, their parts, and the rates behind them. Signs as in spreadsheets:
what one pays is negative. Rates are exact fractions per period; `due` is 1 where payments are made at the beginning of
a period, else 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction

EXACT = Context(prec=34)
ZERO = Fraction(0)

# --- exactly -----------------------------------------------------------------------------------------------------


def _sum_of_growth(rate: Fraction, count: int, due: int) -> Fraction:
    """What `count` payments of 1 grow to."""
    return ((1 + rate) ** count - 1) / rate * (1 + rate * due) if rate else Fraction(count)


def payment(rate: Fraction, count: int, present: Fraction, future: Fraction = ZERO, due: int = 0) -> Fraction:
    """PMT: the level payment that turns a present value into a future one."""
    return -(present * (1 + rate) ** count + future) / _sum_of_growth(rate, count, due)


def future_value(rate: Fraction, count: int, each: Fraction, present: Fraction = ZERO, due: int = 0) -> Fraction:
    """FV."""
    return -(present * (1 + rate) ** count + each * _sum_of_growth(rate, count, due))


def present_value(rate: Fraction, count: int, each: Fraction, future: Fraction = ZERO, due: int = 0) -> Fraction:
    """PV."""
    return -(future + each * _sum_of_growth(rate, count, due)) / (1 + rate) ** count


def interest_part(
    rate: Fraction, number: int, count: int, present: Fraction, future: Fraction = ZERO, due: int = 0
) -> Fraction:
    """IPMT: the interest in the payment of this number, counted from 1."""
    if due and number == 1:
        return ZERO
    left = future_value(rate, number - 1, payment(rate, count, present, future, due), present, due)
    return left * rate / (1 + rate * due)


def principal_part(
    rate: Fraction, number: int, count: int, present: Fraction, future: Fraction = ZERO, due: int = 0
) -> Fraction:
    """PPMT."""
    return payment(rate, count, present, future, due) - interest_part(rate, number, count, present, future, due)


# --- to 30 digits ------------------------------------------------------------------------------------------------


def decimal(value: Fraction) -> Decimal:
    return EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def count_of_payments(
    rate: Fraction, each: Fraction, present: Fraction, future: Fraction = ZERO, due: int = 0
) -> Fraction:
    """NPER."""
    if not rate:
        return -(present + future) / each
    level = each * (1 + rate * due)
    growth = EXACT.ln(decimal((level - future * rate) / (level + present * rate)))
    return Fraction(EXACT.divide(growth, EXACT.ln(decimal(1 + rate))))


def nominal_rate(effective: Fraction, per_year: int) -> Fraction:
    """NOMINAL."""
    root = EXACT.power(decimal(1 + effective), EXACT.divide(Decimal(1), Decimal(per_year)))
    return (Fraction(root) - 1) * per_year


def worth(rate: Decimal, flows: Sequence[Fraction]) -> Decimal:
    """NPV at the time of the first of flows that are one period apart."""
    total, discount = Decimal(0), EXACT.divide(Decimal(1), EXACT.add(1, rate))
    for flow in reversed(flows):
        total = EXACT.fma(total, discount, decimal(flow))
    return total


def worth_by_days(rate: Fraction, flows: Sequence[tuple[date, Fraction]]) -> Fraction:
    """XNPV: a year has 365 days, the first flow is worth itself."""
    first, total = flows[0][0], Decimal(0)
    for on, amount in flows:
        growth = EXACT.power(decimal(1 + rate), decimal(Fraction((on - first).days, 365)))
        total = EXACT.add(total, EXACT.divide(decimal(amount), growth))
    return Fraction(total)


def internal_rate(flows: Sequence[Fraction]) -> Fraction | None:
    """IRR: the rate nearest to zero at which flows one period apart are worth nothing."""
    root = nearest_zero(lambda rate: worth(rate, flows))
    return None if root is None else Fraction(root)


def rate_of_payments(
    count: int, each: Fraction, present: Fraction, future: Fraction = ZERO, due: int = 0
) -> Fraction | None:
    """RATE."""
    first, last = (each, ZERO) if due else (ZERO, each)
    return internal_rate([present + first, *[each] * (count - 1), last + future])


def nearest_zero(value: Callable[[Decimal], Decimal]) -> Decimal | None:
    """The rate nearest to zero where a function of a rate is zero, between -99 % and 10^12; None when it never is."""
    up = _bracket(value, Decimal("1.02"), 1400)
    down = _bracket(value, EXACT.divide(Decimal(1), Decimal("1.02")), 232)
    roots = [_bisected(value, *ends) for ends in (up, down) if ends is not None]
    return min(roots, key=abs, default=None)


def _bracket(value: Callable[[Decimal], Decimal], step: Decimal, most: int) -> tuple[Decimal, Decimal] | None:
    """The first stretch on the way from zero, in steps of growth, over which the sign changes."""
    growth, rate, before = Decimal(1), Decimal(0), value(Decimal(0))
    for _ in range(most):
        growth = EXACT.multiply(growth, step)
        after = value(EXACT.subtract(growth, 1))
        if not before or (before > 0) != (after > 0):
            return rate, EXACT.subtract(growth, 1)
        rate, before = EXACT.subtract(growth, 1), after
    return None


def _bisected(value: Callable[[Decimal], Decimal], one: Decimal, other: Decimal) -> Decimal:
    at_one = value(one)
    if not at_one:
        return one
    for _ in range(100):
        middle = EXACT.divide(EXACT.add(one, other), 2)
        if (value(middle) > 0) == (at_one > 0):
            one = middle
        else:
            other = middle
    return EXACT.divide(EXACT.add(one, other), 2)
