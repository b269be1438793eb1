"""When and how much: the due dates of a plan and the level of its instalments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from usance.core import calendar, money, rates
from usance.core.loan.terms import Terms
from usance.core.rates import Period, Rate

RateSpans = Sequence[tuple[date, Rate]]  # (from, rate), in order


# --- dates -------------------------------------------------------------------------------------------------------


def _dates_from(terms: Terms, start: date) -> tuple[date, ...]:
    """Every date counted from the start, so that a short month never shortens the next; then rolled."""
    step, roll = calendar.STEPS[terms.plan.unit], calendar.ROLLS[terms.roll]
    return tuple(roll(step(start, terms.plan.every * k), terms.work_calendar) for k in range(1, terms.plan.count + 1))


def _dates_move(terms: Terms, start: date) -> tuple[date, ...]:
    """The schedule starts when the money arrives."""
    return _dates_from(terms, start)


def _dates_stay(terms: Terms, start: date) -> tuple[date, ...]:
    """The signed dates hold; the first period is shorter. Dates that have gone by fall away, unless all have."""
    signed = _dates_from(terms, terms.signed_on or start)
    return tuple(on for on in signed if on > start) or _dates_from(terms, start)


LATE_STARTS: dict[str, Callable[[Terms, date], tuple[date, ...]]] = {
    "dates_move": _dates_move,
    "dates_stay": _dates_stay,
}


def due_dates(terms: Terms, start: date) -> tuple[date, ...]:
    """The due dates of a loan whose interest starts on `start`."""
    return LATE_STARTS[terms.late_start](terms, start)


def periods(terms: Terms, start: date, dates: Sequence[date]) -> list[Period]:
    starts = [start, *dates[:-1]]
    return [Period(a, b, terms.plan.every, terms.plan.unit) for a, b in zip(starts, dates, strict=True)]


def rate_spans(terms: Terms, start: date) -> list[tuple[date, Rate]]:
    """The agreed rates by date, the first from `start`."""
    return [(calendar.add_days(start, step.from_day), step.rate) for step in terms.rates]


def rate_on(spans: RateSpans, on: date) -> Rate:
    return [rate for starts_on, rate in spans if starts_on <= on][-1]


# --- level -------------------------------------------------------------------------------------------------------


def factor(terms: Terms, period: Period, spans: RateSpans, start: date | None = None) -> Fraction:
    """What one unit of balance earns in a period (from `start` on), rate by rate."""
    earned = rates.ACCRUALS[terms.day_count]
    first = start or period.starts_on
    total = Fraction(0)
    for (from_on, rate), (until, _) in zip(spans, [*spans[1:], (period.ends_on, None)], strict=True):
        a, b = max(first, from_on), min(period.ends_on, until)
        if a < b:
            total += earned(rate, a, b, period)
    return total


def _annuity(principal: Fraction, factors: Sequence[Fraction]) -> Fraction:
    """The payment that, made at the end of each period, pays principal and interest on the declining balance, however
    unequal the periods."""
    growth, fn = Fraction(1), Fraction(0)
    for r in factors:
        growth, fn = growth * (1 + r), fn * (1 + r) + 1
    return principal * growth / fn


def _flat(principal: Fraction, factors: Sequence[Fraction]) -> Fraction:
    """Principal and the interest on the whole of it, in equal parts."""
    return principal * (1 + sum(factors, Fraction(0))) / len(factors)


LEVELS: dict[str, Callable[[Fraction, Sequence[Fraction]], Fraction]] = {
    "actual_balance": _annuity,
    "original_principal": _flat,
}


def level(terms: Terms, principal: Fraction, factors: Sequence[Fraction]) -> int:
    """The amount of a regular instalment, rounded to the agreed multiple and levelled by the agreed rule."""
    exact = LEVELS[terms.interest_base](principal, factors)
    amount = money.rounded_to(exact, terms.level_multiple_minor, terms.rounding) or money.rounded(exact, terms.rounding)
    return LEVELLINGS[terms.levelling](terms, amount, principal, factors)


class _Last(NamedTuple):
    amount: int
    gap: int


def _last(terms: Terms, amount: int, principal: Fraction, factors: Sequence[Fraction]) -> _Last:
    """What the last instalment would be if the others were `amount`."""
    flat, drops = terms.interest_base == "original_principal", terms.residue == "drop_when_due"
    balance, carried = principal, Fraction(0)
    for r in factors[:-1]:
        carried += (principal if flat else balance) * r
        posted = money.rounded(carried, terms.rounding)
        interest = min(posted, amount)
        carried = (Fraction(posted) if drops else carried) - interest
        balance -= amount - interest
    carried += (principal if flat else balance) * factors[-1]
    last = money.rounded(balance + carried, terms.rounding)
    return _Last(last, last - amount)


def _as_computed(terms: Terms, amount: int, principal: Fraction, factors: Sequence[Fraction]) -> int:
    return amount


def _even_last(terms: Terms, amount: int, principal: Fraction, factors: Sequence[Fraction]) -> int:
    """While the last instalment differs noticeably, spread the difference over all, at most three times."""
    n = len(factors)
    for _ in range(3):
        gap = _last(terms, amount, principal, factors).gap
        if n < 2 or abs(gap) <= n // 2:
            break
        change = money.rounded(Fraction(gap, n), terms.rounding)
        other = money.rounded_to(Fraction(amount + change), terms.level_multiple_minor, terms.rounding)
        if other == amount or other <= 0 or abs(_last(terms, other, principal, factors).gap) >= abs(gap):
            break
        amount = other
    return amount


LEVELLINGS: dict[str, Callable[[Terms, int, Fraction, Sequence[Fraction]], int]] = {
    "none": _as_computed,
    "even_last": _even_last,
}
