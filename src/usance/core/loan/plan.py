"""When and how much: the due dates of a plan and the level of its instalments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from usance.core import calendar, money, rates
from usance.core.loan.terms import Terms
from usance.core.rates import Period, Rate

RateSpans = Sequence[tuple[date, Rate]]  # (from, rate), in order


# --- dates -------------------------------------------------------------------------------------------------------


def _dates_from(terms: Terms, start: date) -> tuple[date, ...]:
    """Every date counted from the start, so that a short month never shortens the next; then rolled. Agreed dates are
    taken as they are, those that have gone by left out; if all have, the steps of the plan count instead."""
    plan, step = terms.plan, calendar.STEPS[terms.plan.unit]
    dates = [on for on in plan.dates if on > start] or [step(start, plan.every * k) for k in range(1, plan.count + 1)]
    if plan.length:
        dates[-1] = calendar.STEPS[plan.length_unit](start, plan.length)
    return apart(start, (rolled(terms, on) for on in dates))


def rolled(terms: Terms, on: date) -> date:
    """Where a due date goes that nobody works on."""
    return calendar.ROLLS[terms.roll](on, terms.work_calendar)


def apart(start: date, dates: Iterable[date]) -> tuple[date, ...]:
    """The same dates, each at least a day after the one before: where days off or a short last step made two fall
    together, the later one waits, so that no period is without a night."""
    found, last = [], start
    for on in dates:
        last = max(on, last + calendar.ONE_DAY)
        found.append(last)
    return tuple(found)


def _dates_move(terms: Terms, start: date) -> tuple[date, ...]:
    """The schedule starts when the money arrives."""
    return _dates_from(terms, start)


def _dates_stay(terms: Terms, start: date) -> tuple[date, ...]:
    """The signed dates hold; the first period is shorter. Dates that have gone by fall away; if all have, they are
    counted anew from the start."""
    signed = _dates_from(terms, begins_on(terms, start))
    return tuple(on for on in signed if on > start) or _dates_from(terms, start)


def begins_on(terms: Terms, start: date) -> date:
    """The day from which due dates are counted, of a loan whose interest starts on `start`."""
    return (terms.signed_on or start) if terms.late_start == "dates_stay" else start


LATE_STARTS: dict[str, Callable[[Terms, date], tuple[date, ...]]] = {
    "dates_move": _dates_move,
    "dates_stay": _dates_stay,
}


def due_dates(terms: Terms, start: date) -> tuple[date, ...]:
    """The due dates of a loan whose interest starts on `start`."""
    return LATE_STARTS[terms.late_start](terms, start)


def periods(terms: Terms, start: date, dates: Sequence[date], pace: tuple[int, str] | None = None) -> list[Period]:
    every, unit = pace or (terms.plan.every, terms.plan.unit)
    starts = [start, *dates[:-1]]
    return [Period(a, b, every, unit) for a, b in zip(starts, dates, strict=True)]


def rate_spans(terms: Terms, start: date) -> list[tuple[date, Rate]]:
    """The agreed rates by date, the first from `start`."""
    return [(calendar.add_days(start, step.from_day), step.rate) for step in terms.rates]


def with_pauses(spans: RateSpans, pauses: Sequence[tuple[date, date]]) -> RateSpans:
    """The same rates, and none for the nights of each pause, from and until."""
    if not pauses:
        return spans
    edges = sorted({on for on, _ in spans} | {on for pause in pauses for on in pause if on > spans[0][0]})
    nothing = Rate(Fraction(0), "year")
    return [
        (on, nothing if any(since <= on < until for since, until in pauses) else rate_on(spans, on)) for on in edges
    ]


def rate_on(spans: RateSpans, on: date) -> Rate:
    return [rate for starts_on, rate in spans if starts_on <= on][-1]


# --- level -------------------------------------------------------------------------------------------------------


def factor(terms: Terms, period: Period, spans: RateSpans, start: date | None = None, day_count: str = "") -> Fraction:
    """What one unit of balance earns in a period (from `start` on), rate by rate."""
    earned = rates.ACCRUALS[day_count or terms.day_count]
    first = start or period.starts_on
    if len(spans) == 1 and spans[0][0] <= first < period.ends_on:
        return earned(spans[0][1], first, period.ends_on, period)
    total = Fraction(0)
    for (from_on, rate), (until, _) in zip(spans, [*spans[1:], (period.ends_on, None)], strict=True):
        a, b = max(first, from_on), min(period.ends_on, until)
        if a < b:
            total += earned(rate, a, b, period)
    return total


class Owed(NamedTuple):
    """What the coming instalments repay, the balance that bears flat interest, what was ever earned, and how much of
    that past instalments asked for."""

    principal: Fraction
    bearing: Fraction
    earned: Fraction = Fraction(0)
    asked: int = 0


class Rung(NamedTuple):
    """A coming instalment, for the level: its number in the plan, and what one unit of balance earns until it falls
    due: by the accrual's convention, and by that of the level."""

    number: int
    earns: Fraction
    counts: Fraction


def rungs(
    terms: Terms,
    periods: Sequence[Period],
    spans: RateSpans,
    today: date | None = None,
    pauses: Sequence[tuple[date, date]] = (),
    *,
    first: int,
) -> list[Rung]:
    """The instalments of these periods, those from number `first` on. One that bears no interest earns nothing; one
    that asks for none does not count it in the level either. The running period earns from `today` on, and counts
    whole, unless interest is flat; nights without interest earn nothing, and count."""
    grace, flat = terms.grace, terms.interest_base in FLAT
    earning, found, waits = with_pauses(spans, pauses), [], max(grace.interest, grace.interest_free)
    for number, period in enumerate(periods, first):
        begun = today is not None and period.starts_on < today
        since = today if begun else None
        earns = counts = factor(terms, period, spans)
        if terms.level_day_count or (begun and flat):
            counts = factor(terms, period, spans, since if flat else None, terms.level_day_count)
        if begun or pauses:
            earns = factor(terms, period, earning, since)
        if number <= grace.interest_free:
            earns = Fraction(0)
        found.append(Rung(number, earns, counts if number > waits else Fraction(0)))
    return found


def _whole(exact: Sequence[Fraction]) -> tuple[list[int], int]:
    """Fractions as whole numbers of one part: sums of these need no common denominator sought each time."""
    parts = lcm(*(one.denominator for one in exact))
    return [one.numerator * (parts // one.denominator) for one in exact], parts


def _annuity(owed: Owed, coming: Sequence[Rung]) -> Fraction:
    """The payment that, made at the end of each period, pays principal and interest on the declining balance, however
    unequal the periods."""
    earns, parts = _whole([rung.counts for rung in coming])
    growth, paid, one = 1, 0, 1  # over parts to the number of periods so far
    for r in earns:
        growth, paid, one = growth * (parts + r), paid * (parts + r) + one * parts, one * parts
    return owed.principal * Fraction(growth, paid)


def _flat(owed: Owed, coming: Sequence[Rung]) -> Fraction:
    """Principal, and the interest on the whole of what bears it, in equal parts."""
    interest = owed.earned - owed.asked + owed.bearing * sum((rung.counts for rung in coming), Fraction(0))
    return (owed.principal + interest) / len(coming)


LEVELS: dict[str, Callable[[Owed, Sequence[Rung]], Fraction]] = {
    "actual_balance": _annuity,
    "scheduled_balance": _annuity,
    "undue_balance": _annuity,
    "original_principal": _flat,
    "financed_principal": _flat,
}
FLAT = frozenset(base for base, level in LEVELS.items() if level is _flat)


def _level_total(terms: Terms, owed: Owed, coming: Sequence[Rung]) -> Fraction:
    """Principal and interest together are the same in every instalment."""
    return LEVELS[terms.interest_base](owed, coming)


def _level_principal(terms: Terms, owed: Owed, coming: Sequence[Rung]) -> Fraction:
    """The principal is the same in every instalment, the interest comes on top."""
    return owed.principal / len(coming)


# what a regular instalment's level is made of
LEVEL_PARTS: dict[str, tuple[str, ...]] = {
    "single_payment": ("interest", "principal"),
    "equal_instalments": ("interest", "principal"),
    "equal_principal": ("principal",),
    "interest_only": ("principal",),
    "listed": ("principal",),
}

KINDS: dict[str, Callable[[Terms, Owed, Sequence[Rung]], Fraction]] = {
    "single_payment": _level_total,
    "equal_instalments": _level_total,
    "equal_principal": _level_principal,
    "interest_only": lambda terms, owed, coming: Fraction(0),  # all principal falls due with the last
    "listed": _level_principal,  # only where the list says nothing any more: the plan tells the principal of each date
}


def level(terms: Terms, owed: Owed, coming: Sequence[Rung], saved: Sequence[int] = ()) -> int:
    """The amount of a regular instalment (of its principal, where that is level), rounded to the agreed multiple and
    levelled by the agreed rule. Instalments that ask for no principal are left out. `saved`: as with shares."""
    repaying = [rung for rung in coming if rung.number > terms.grace.principal] or list(coming)[-1:]
    exact = KINDS[terms.plan.kind](terms, owed, repaying)
    amount = money.rounded_to(exact, terms.level_multiple_minor, terms.rounding) or money.rounded(exact, terms.rounding)
    if LEVEL_PARTS[terms.plan.kind] == ("principal",):
        return amount
    return LEVELLINGS[terms.levelling](terms, amount, owed, repaying, saved[-len(repaying) :])


DROPS = ("drop_when_due", "drop_when_paid")  # residues that no bill carries on to the next


class Share(NamedTuple):
    """What one coming instalment asks for: whole minor units, but of the last, which takes the rest as it is."""

    interest: int | Fraction
    principal: int | Fraction


def shares(
    terms: Terms, amounts: Sequence[int], owed: Owed, coming: Sequence[Rung], saved: Sequence[int] = ()
) -> list[Share]:
    """What each instalment asks for if they amount to so much and all is paid when due. The last takes the rest, to
    be rounded as a whole. `saved`: what was paid of the principal of each before, and bears no interest."""
    flat, drops = terms.interest_base in FLAT, terms.residue in DROPS
    total, grace = "interest" in LEVEL_PARTS[terms.plan.kind], terms.grace
    rounded = money.ROUNDINGS[terms.rounding]
    (balance, bearing), size = _whole((owed.principal, owed.bearing))
    (already, *earns), parts = _whole([owed.earned, *(rung.earns for rung in coming)])
    earned, parts, early, asked, found = already * size, parts * size, sum(saved) * size, owed.asked, []
    for index, (rung, amount) in enumerate(zip(coming[:-1], amounts, strict=False)):
        earned += (bearing if flat else balance - early) * earns[index]
        early -= saved[index] * size if saved else 0
        there = rounded(earned, parts) - asked
        if drops:
            earned = (there + asked) * parts
        interest = (min(there, amount) if total else there) if rung.number > grace.interest else 0
        principal = amount - (interest if total else 0) if rung.number > grace.principal else 0
        balance, asked = balance - principal * size, asked + interest
        found.append(Share(interest, principal))
    earned += (bearing if flat else balance - early) * earns[-1]
    return [*found, Share(Fraction(earned, parts) - asked, balance if size == 1 else Fraction(balance, size))]


def _gap(terms: Terms, amount: int, owed: Owed, coming: Sequence[Rung], saved: Sequence[int]) -> int:
    """How much larger the last instalment would be if the others were `amount`."""
    asked = shares(terms, [amount] * len(coming), owed, coming, saved)
    return money.rounded(sum(asked[-1], Fraction(0)), terms.rounding) - amount


def _as_computed(terms: Terms, amount: int, owed: Owed, coming: Sequence[Rung], saved: Sequence[int]) -> int:
    return amount


def _even_last(terms: Terms, amount: int, owed: Owed, coming: Sequence[Rung], saved: Sequence[int]) -> int:
    """While the last instalment differs noticeably, spread the difference over all, at most three times."""
    n = len(coming)
    for _ in range(3):
        gap = _gap(terms, amount, owed, coming, saved)
        if n < 2 or abs(gap) <= n // 2:
            break
        change = money.rounded(Fraction(gap, n), terms.rounding)
        other = money.rounded_to(Fraction(amount + change), terms.level_multiple_minor, terms.rounding)
        if other == amount or other <= 0 or abs(_gap(terms, other, owed, coming, saved)) >= abs(gap):
            break
        amount = other
    return amount


LEVELLINGS: dict[str, Callable[[Terms, int, Owed, Sequence[Rung], Sequence[int]], int]] = {
    "none": _as_computed,
    "even_last": _even_last,
}
