"""When demands fall due, how much they are, and what they would ask for if all were paid when due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from tests.laws.slow.days import NIGHT, Span, earns, kind_of_night, later, multiple, steps_in, worked
from tests.laws.slow.loan import SlowLoan

Prices = list[tuple[date, tuple[Fraction, str]]]


# --- dates -------------------------------------------------------------------------------------------------------


def due_days(agreed: Any, start: date) -> list[date]:
    """Of a loan whose money came on `start`."""
    if agreed.late_start == "dates_stay":
        kept = [day for day in _days_from(agreed, agreed.signed_on or start) if day > start]
        if kept:
            return kept
    return _days_from(agreed, start)


def _days_from(agreed: Any, start: date) -> list[date]:
    plan = agreed.plan
    days = [day for day in plan.dates if day > start]
    if not days:
        days = [later(start, plan.every * (k + 1), plan.unit) for k in range(plan.count)]
    if plan.length:
        days[-1] = later(start, plan.length, plan.length_unit)
    return one_after_another(start, [worked(day, agreed.roll, agreed.work_calendar) for day in days])


def one_after_another(start: date, days: Sequence[date]) -> list[date]:
    """No two demands on one day, and none before its time has begun."""
    found = [start]
    for day in days:
        found.append(day if day > found[-1] else found[-1] + NIGHT)
    return found[1:]


def next_span(loan: SlowLoan, starts: date | None = None) -> Span:
    """From a day to the next demand; after the last, one step of the plan."""
    first, (every, unit) = starts or loan.today, loan.pace
    last = loan.coming[0].due if loan.coming else later(first, every, unit)
    return Span(first, last, steps_in(first, last, unit) if last in loan.moved else every, unit)


def spans_to_come(loan: SlowLoan) -> list[Span]:
    """The running one as it is, those after it as the plan says; one that ends on a day that was moved is as long as it
    is."""
    assert loan.span is not None
    every, unit = loan.pace
    starts = [loan.span.first, *(one.due for one in loan.coming)]
    found = [
        Span(a, one.due, steps_in(a, one.due, unit) if one.due in loan.moved else every, unit)
        for a, one in zip(starts, loan.coming, strict=False)
    ]
    return [loan.span if found[0].last == loan.span.last else found[0], *found[1:]]


def prices(loan: SlowLoan) -> Prices:
    assert loan.span is not None
    return [(loan.span.first, loan.price), *loan.prices_to_come]


def price_of(night: date, told: Prices) -> tuple[Fraction, str]:
    return [price for since, price in told if since <= night][-1]


# --- what the periods bring --------------------------------------------------------------------------------------


class Rung(NamedTuple):
    """A demand to come: its number, what one unit of balance brings until then, and what counts of that for the
    level."""

    number: int
    brings: Fraction
    counts: Fraction


def rungs(loan: SlowLoan, spans: Sequence[Span], told: Prices, *, from_today: bool, first: int = 0) -> list[Rung]:
    """From number `first` on, or the next. With `from_today` only what the nights still bring; the level counts all of
    them, where interest is flat those to come, and those without interest."""
    agreed, grace, found = loan.agreed, loan.agreed.grace, list[Rung]()
    for number, span in enumerate(spans, first or loan.number()):
        brings = counts = Fraction(0)
        here = nights = span.nights()
        if number > grace.interest_free:
            here = [night for night in nights if not (from_today and (night < loan.today or loan.resting(night)))]
            brings = _together(here, span, told, agreed.day_count)
        if number > max(grace.interest_free, grace.interest):
            rule = agreed.level_day_count or agreed.day_count
            nights = [night for night in nights if not (from_today and is_flat(loan) and night < loan.today)]
            counts = brings if rule == agreed.day_count and here == nights else _together(nights, span, told, rule)
        found.append(Rung(number, brings, counts))
    return found


def _together(nights: Sequence[date], span: Span, told: Prices, rule: str) -> Fraction:
    """What these nights of a period bring for one unit; those that are alike are counted and not added one by one."""
    alike: dict[tuple[date, object], list[date]] = {}
    for night in nights:
        since = told[0][0] if len(told) == 1 else [since for since, _ in told if since <= night][-1]
        alike.setdefault((since, kind_of_night(night)), []).append(night)
    parts = (len(same) * earns(same[0], span, rule, *price_of(same[0], told)) for same in alike.values())
    return sum(parts, Fraction(0))


# --- the level ---------------------------------------------------------------------------------------------------


class Owing(NamedTuple):
    """What the demands to come repay, what bears flat interest, what was earned so far, and how much of that demands
    that are gone asked for."""

    principal: Fraction
    flat: int
    earned: Fraction = Fraction(0)
    asked: int = 0


def is_flat(loan: SlowLoan) -> bool:
    return loan.agreed.interest_base in ("original_principal", "financed_principal")


def level(loan: SlowLoan, owing: Owing, all_rungs: Sequence[Rung], saved: Sequence[int] = ()) -> int:
    """What is left at the end falls linearly with the level: two points give the level that leaves nothing."""
    agreed, kind = loan.agreed, loan.agreed.plan.kind
    repaying = [rung for rung in all_rungs if rung.number > agreed.grace.principal] or list(all_rungs[-1:])
    if kind == "interest_only":
        exact = Fraction(0)
    elif kind in ("equal_principal", "listed"):
        exact = owing.principal / len(repaying)
    else:
        nothing, one = (_left_at_end(loan, owing, repaying, each) for each in (0, 1))
        exact = nothing / (nothing - one)
    amount = multiple(exact, agreed.level_multiple_minor, agreed.rounding) or loan.whole(exact)
    if loan.level_parts == ("principal",) or agreed.levelling == "none":
        return amount
    return _evened(loan, owing, repaying, amount, saved[-len(repaying) :])


def _left_at_end(loan: SlowLoan, owing: Owing, repaying: Sequence[Rung], each: int) -> Fraction:
    left = owing.principal + (owing.earned - owing.asked if is_flat(loan) else 0)
    for rung in repaying:
        left += rung.counts * (owing.flat if is_flat(loan) else left) - each
    return left


def _evened(loan: SlowLoan, owing: Owing, repaying: Sequence[Rung], amount: int, saved: Sequence[int]) -> int:
    """The last one differs: up to three times the difference is shared by all, while that makes it smaller."""
    count = len(repaying)

    def differs(each: int) -> int:
        last = asks(loan, [each] * count, owing, repaying, saved)[-1]
        return loan.whole(last.interest + last.principal) - each

    for _ in range(3):
        gap = differs(amount)
        if count == 1 or abs(gap) <= count // 2:
            return amount
        share = loan.whole(Fraction(gap, count))
        other = multiple(amount + share, loan.agreed.level_multiple_minor, loan.agreed.rounding)
        if other in (amount, 0) or other < 0 or abs(differs(other)) >= abs(gap):
            return amount
        amount = other
    return amount


class Ask(NamedTuple):
    interest: Fraction
    principal: Fraction


def asks(
    loan: SlowLoan, levels: Sequence[int], owing: Owing, all_rungs: Sequence[Rung], saved: Sequence[int] = ()
) -> list[Ask]:
    """What each demand asks for if all is paid when due: the plan lived through on paper, period by period. The last
    takes the rest. What was paid of the principal of each before (`saved`) bears no interest."""
    agreed, both, flat = loan.agreed, loan.level_parts == ("interest", "principal"), is_flat(loan)
    left, earned, asked, found = owing.principal, owing.earned, owing.asked, list[Ask]()
    early = list(saved) or [0] * len(all_rungs)
    for at, (rung, amount) in enumerate(zip(all_rungs[:-1], levels, strict=False)):
        earned += rung.brings * (owing.flat if flat else left - sum(early[at:]))
        there = loan.whole(earned) - asked
        earned = Fraction(asked + there) if agreed.residue.startswith("drop") else earned
        interest = 0 if rung.number <= agreed.grace.interest else min(there, amount) if both else there
        principal = 0 if rung.number <= agreed.grace.principal else amount - (interest if both else 0)
        asked, left = asked + interest, left - principal
        found.append(Ask(Fraction(interest), Fraction(principal)))
    earned += all_rungs[-1].brings * (owing.flat if flat else left - early[-1])
    return [*found, Ask(earned - asked, left)]


# --- the plan of a running loan ----------------------------------------------------------------------------------


def asking(loan: SlowLoan) -> int:
    """The index of the demand that asks for the interest of these days."""
    return max(0, min(int(loan.agreed.grace.interest) + 1 - loan.number(), len(loan.coming) - 1))


def owing(loan: SlowLoan) -> Owing:
    """As it is today, as if nothing had been settled beforehand."""
    one = loan.coming[asking(loan)]
    there = loan.loose.get("interest", 0) + one.settled("interest") - one.kept
    return Owing(Fraction(loan.scheduled()), loan.bearing(), loan.interest, loan.interest_asked - there)


def asks_to_come(loan: SlowLoan) -> list[Ask]:
    if not loan.coming:
        return []
    spans = spans_to_come(loan)
    found = rungs(loan, spans, prices(loan), from_today=True)
    found = _all_the_same(loan, spans, found)
    owes = owing(loan)
    owes = owes._replace(earned=owes.earned + loan.bears_on * found[0].brings)
    *first, last = asks(loan, loan.levels(), owes, found)
    asked = owes.asked + sum(ask.interest for ask in first)
    return [*first, last._replace(interest=Fraction(loan.whole(last.interest + asked) - asked))]


# --- the same in each ---------------------------------------------------------------------------------------------


def brought_to_come(loan: SlowLoan, told: Prices) -> Fraction:
    """What the nights from today on bring for one unit at these prices, each by itself."""
    free, total = loan.agreed.grace.interest_free, Fraction(0)
    for number, span in enumerate(spans_to_come(loan), loan.number()):
        nights = [night for night in span.nights() if night >= loan.today and not loan.resting(night)]
        total += _together(nights, span, told, loan.agreed.day_count) if number > free else 0
    return total


def make_even(loan: SlowLoan, more: Fraction) -> None:
    """So much more than until now is to come up in the nights that are left, in each period alike; never less than
    none."""
    left = sum(
        (_left_of(loan, number, span) for number, span in enumerate(spans_to_come(loan), loan.number())), Fraction(0)
    )
    loan.even = loan.even or Fraction(0)
    if left:
        loan.even += more / left
    loan.even = max(loan.even, Fraction(0))


def _all_the_same(loan: SlowLoan, spans: Sequence[Span], found: list[Rung]) -> list[Rung]:
    """Each period brings as much as any other, the running one what is left of that. For the level it counts whole,
    where it counts the balance."""
    if loan.even is None:
        return found
    same = list[Rung]()
    for rung, span in zip(found, spans, strict=True):
        brings = loan.even * _left_of(loan, rung.number, span)
        whole = evenly(loan, span) if rung.number > loan.agreed.grace.interest_free else Fraction(0)
        same.append(Rung(rung.number, brings, brings if is_flat(loan) else whole))
    return same


def _left_of(loan: SlowLoan, number: int, span: Span) -> Fraction:
    """The part of a period whose nights still bring something."""
    nights = span.nights() if number > loan.agreed.grace.interest_free else []
    bring = sum(night >= loan.today and not loan.resting(night) for night in nights)
    return _weight(loan, span) * Fraction(bring, (span.last - span.first).days)


def evenly(loan: SlowLoan, span: Span) -> Fraction:
    """What a period brings where all bring the same."""
    return (loan.even or Fraction(0)) * _weight(loan, span)


def _weight(loan: SlowLoan, span: Span) -> Fraction:
    """As many periods as one counts for: if it is not as long as agreed, its nights count, each as those of the plan do
    on the average."""
    if span.last not in loan.moved or loan.began is None:
        return Fraction(1)
    days = due_days(loan.agreed, loan.began)
    return Fraction(len(span.nights()) * len(days), (days[-1] - loan.began).days)


def last_by_plan(loan: SlowLoan) -> int:
    """The last one takes what the level leaves over: principal, and what that brings in its own period."""
    if not loan.planned or is_flat(loan):
        return 0
    principal, span = loan.planned[-1], spans_to_come(loan)[-1]
    brought = principal * _together(span.nights(), span, prices(loan), loan.agreed.day_count)
    return principal + (loan.whole(brought) if "interest" in loan.level_parts else 0)


def unearned(loan: SlowLoan) -> int:
    """Interest that demands to come ask for whoever pays early, and nobody has settled, beyond what is there."""
    if loan.agreed.early_interest != "owed" or not loan.live or loan.matured or not loan.coming:
        return 0
    pairs = zip(asks_to_come(loan), loan.coming, strict=True)
    left = sum(max(0, int(ask.interest) - one.settled("interest")) for ask, one in pairs)
    return max(0, left - loan.loose.get("interest", 0))


def plan_anew(
    loan: SlowLoan,
    financed: int,
    told: Prices | None = None,
    given: int = 0,
    brought: Fraction = Fraction(0),
    *,
    without_the_paid: bool = False,
) -> None:
    """Level and principal of the demands to come, as if what they repay had been there since the running period began.
    Where they stand, they repay what the plan had left, whatever was settled early or late, and what is new of it; so
    much interest the new part has `brought`."""
    spans = spans_to_come(loan)
    found, owes = rungs(loan, spans, told or prices(loan), from_today=True), owing(loan)
    if loan.stands and loan.planned:
        owes = owes._replace(principal=Fraction(sum(loan.planned) + financed))
        waiting = loan.agreed.grace.interest
        if _as_is_owed(loan) and (not waiting or loan.number() > waiting + 1):
            own = _brought_by_the_plan(loan, spans[0], told or prices(loan)) + brought
            loan.plan_brought = (loan.today, own)
            saves = loan.agreed.early_interest == "saved" and any(one.settled("principal") for one in loan.coming)
            if not (without_the_paid and saves):
                owes = Owing(owes.principal, owes.flat, own, 0)
    if loan.agreed.interest_spread == "evenly" and loan.even is None:
        make_even(loan, brought_to_come(loan, told or prices(loan)))
    found = _all_the_same(loan, spans, found)
    open_ones = of_the_open(loan, owes, found) if without_the_paid else (owes, found)
    loan.planned, loan.own_levels = [], []
    set_level(loan, given or level(loan, *open_ones))
    if loan.stands:
        loan.planned = [int(ask.principal) for ask in asks(loan, [loan.level] * len(found), owes, found)]


def _as_is_owed(loan: SlowLoan) -> bool:
    """Whether interest depends on when money comes."""
    agreed = loan.agreed
    return agreed.interest_base in ("actual_balance", "undue_balance") and agreed.interest_spread != "evenly"


def _brought_by_the_plan(loan: SlowLoan, span: Span, told: Prices) -> Fraction:
    """What the nights of the running period brought, had all been settled when due."""
    since, total = loan.plan_brought
    if since <= span.first:
        since, total = span.first, Fraction(0)
    gone = [night for night in span.nights() if since <= night < loan.today and not loan.resting(night)]
    return total + sum(loan.planned) * _together(gone, span, told, loan.agreed.day_count)


def of_the_open(loan: SlowLoan, owes: Owing, found: list[Rung]) -> tuple[Owing, list[Rung], list[int]]:
    """What is left to those that are not paid beforehand: the next ones that are paid are passed over, and what comes
    up until they are due is for those after them to ask for."""
    early = [one.settled("principal") for one in loan.coming]
    if loan.agreed.early_interest != "saved" or loan.agreed.interest_spread == "evenly" or not any(early):
        return owes, found, []
    asks_now, first, rest = loan.coming[asking(loan)], list(loan.coming), owes
    levels, bears = loan.levels(), owes.flat if is_flat(loan) else owes.principal - sum(early)
    while len(found) > 1 and levels and first[0].settled(*loan.level_parts) >= max(1, levels[0]):
        earned = rest.earned + bears * found[0].brings
        if loan.agreed.residue == "drop_when_due":
            earned = Fraction(loan.whole(earned))
        also = first[0].settled("interest") if first[0] is asks_now else 0
        rest = Owing(rest.principal - early[0], rest.flat, earned, rest.asked + also)
        found, first, levels, early = found[1:], first[1:], levels[1:], early[1:]
    return rest, found, early


def set_level(loan: SlowLoan, amount: int) -> None:
    """What was paid for the next demand makes that one smaller, not several, where it did so before."""
    loan.level = amount
    if loan.agreed.early_payment in ("shorter_term", "smaller_instalments"):
        loan.prepaid = min(loan.prepaid, loan.next_level())


def as_listed(loan: SlowLoan) -> None:
    """Where the demands are those of the list."""
    as_many = loan.passed + len(loan.coming) == loan.agreed.plan.count
    if as_many and len(loan.agreed.plan.principals) >= len(loan.coming):
        loan.planned = loan.agreed.plan.principals[-len(loan.coming) :]
