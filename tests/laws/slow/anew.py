"""What changes the demands to come: other days, all spread anew, all due at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from tests.laws.slow import plan
from tests.laws.slow.days import NIGHT, Span, earns, later, multiple, worked
from tests.laws.slow.loan import ALWAYS, NEVER, Charge, Demand, SlowLoan, add, count_for_charges_first
from tests.laws.slow.nights import NOW, turn
from tests.laws.slow.spreading import earn_at_once, spread


def borne_by(loan: SlowLoan, amount: int) -> int:
    """What so much of the money has borne since it was drawn, at today's rate: the interest asked for would be so much
    less without it."""
    every, unit = loan.agreed.plan.every, loan.agreed.plan.unit
    spans = [Span(bill.starts, bill.due, every, unit) for bill in loan.bills if bill.starts < bill.due <= loan.today]
    if loan.span:
        spans.append(Span(loan.span.first, loan.span.last, every, unit))
    borne, counted = Fraction(0), set[date]()
    for span in sorted(spans, key=lambda one: (one.first, one.last)):
        for night in span.nights():
            if night < loan.today and night not in counted:
                borne += earns(night, span, loan.agreed.day_count, *loan.price)
                counted.add(night)
    without = loan.whole(loan.interest - amount * borne)
    return max(0, loan.interest_asked - max(0, without))


def on_days(loan: SlowLoan, days: Sequence[date]) -> None:
    """The same demands on other days, with what was settled with them; charges that are open keep their own day."""
    there = [*loan.coming, loan.beyond]
    while len(there) <= len(days):
        there.append(Demand(ALWAYS))
    loan.coming, loan.beyond, loan.given_up = there[: len(days)], there[len(days)], []
    for one, day in zip(loan.coming, days, strict=True):
        one.due = day
    if loan.beyond.touched:
        loan.beyond.due = max(loan.beyond.due, days[-1] + NIGHT)
    count_for_charges_first(loan)


def goes_on(loan: SlowLoan) -> None:
    """A loan whose demands stand, and that was paid off before its time, goes on with those that it had."""
    if loan.status != "closed" or not loan.stands or loan.began is None:
        return
    again = [one for one in loan.given_up if one.due > loan.today]
    if not again:
        return
    gone = [one.due for one in loan.given_up if one not in again]
    loan.bills = [bill for bill in loan.bills if bill.due <= loan.today]
    loan.coming, loan.given_up = again, []
    loan.passed -= len(again)
    loan.planned = loan.planned[-len(again) :]
    plan.as_listed(loan)
    loan.own_levels = loan.own_levels[-len(again) :] if len(loan.own_levels) >= len(again) else []
    for one in loan.coming:  # what was settled of them is settled beforehand
        add(one.paid, [(what, one.extra.pop(what)) for what in ("interest", "principal") if what in one.extra])
    loan.status, loan.matured = "live", None
    loan.span = plan.next_span(loan, max([loan.span.first if loan.span else loan.began, *gone]))


def rescheduled(loan: SlowLoan, told: Any) -> None:
    """A due date goes elsewhere, and those after it with it; more come at the end, and then all is level anew."""
    if not loan.live or not loan.coming or loan.began is None:
        return
    every, unit = loan.pace
    days = [one.due for one in loan.coming]
    if told.moved_from and told.moved_to:
        before, after = [d for d in days if d < told.moved_from], [d for d in days if d >= told.moved_from]
        if after:
            first, by_days = max(told.moved_to, (before or [loan.today])[-1] + NIGHT), unit in ("days", "weeks")
            moved = [
                day + (first - after[0]) if by_days else later(first, every * k, unit) for k, day in enumerate(after)
            ]
            goes = dict(zip(after, _worked_after_the_first(loan, moved), strict=True))
            odd = {goes[day] for day in loan.moved if day in goes and by_days}
            loan.moved = {first} | odd | {day for day in loan.moved if day in before}
            days = [goes.get(day, day) for day in days]
    on_days(loan, more_days(loan, days, told.more))
    loan.span = plan.next_span(loan, loan.span.first if loan.span else loan.today)
    if told.more:
        plan.plan_anew(loan, 0, without_the_paid=True)


def _worked_after_the_first(loan: SlowLoan, days: Sequence[date]) -> list[date]:
    """The first is the day that was said; those that follow from it are such that somebody works."""
    agreed = loan.agreed
    others = [worked(day, agreed.roll, agreed.work_calendar) for day in days[1:]]
    return [days[0], *plan.one_after_another(days[0], others)]


def more_days(loan: SlowLoan, days: Sequence[date], more: int) -> list[date]:
    """They go on as they have so far: the agreed ones by the step from the loan's beginning, others from the first of
    them after which none is out of step."""
    agreed, (every, unit), there = loan.agreed, loan.pace, len(days)
    assert loan.began

    def in_step(since: date, times: int) -> date:
        return worked(later(since, every * times, unit), agreed.roll, agreed.work_calendar)

    said = plan.due_days(agreed, loan.began)
    since = (agreed.signed_on if agreed.late_start == "dates_stay" else None) or loan.began
    left = said[loan.passed - agreed.plan.count + len(said) :] if loan.passed < agreed.plan.count else []
    own = [*left, *(in_step(since, loan.passed + k + 1) for k in range(len(left), there + more))]
    goes_on = own[:there] == list(days) and (every, unit) == (agreed.plan.every, agreed.plan.unit)
    added = own[there : there + more]
    if not goes_on or not added or added[0] <= days[-1]:
        at = 0
        while any(days[k] != in_step(days[at], k - at) for k in range(at + 1, there)):
            at += 1
        added = [in_step(days[at], k - at) for k in range(there, there + more)]
    return [*days, *plan.one_after_another(days[-1], added)]


# --- money that comes later --------------------------------------------------------------------------------------


def from_the_period(loan: SlowLoan) -> bool:
    agreed = loan.agreed.drawdowns
    begun = loan.span is not None and loan.span.first < loan.today
    return agreed is not None and agreed.interest == "whole_period" and begun


def brought_so_far(loan: SlowLoan, amount: int) -> Fraction:
    """What later money would have earned in the running period, where it counts from there."""
    if not from_the_period(loan) or loan.span is None or loan.number() <= loan.agreed.grace.interest_free:
        return Fraction(0)
    gone = [night for night in loan.span.nights() if night < loan.today and not loan.resting(night)]
    if loan.even is not None:
        return amount * plan.evenly(loan, loan.span) * Fraction(len(gone), len(loan.span.nights()))
    return amount * sum((earns(night, loan.span, loan.agreed.day_count, *loan.price) for night in gone), Fraction(0))


def levels_beside(loan: SlowLoan) -> list[int]:
    """What the demands to come amount to before more money comes, where that is repaid over a term of its own."""
    agreed = loan.agreed.drawdowns
    if agreed is None or agreed.repaid != "over_its_own_term" or not loan.coming:
        return []
    saved = [one.settled("principal") if loan.agreed.early_interest == "saved" else 0 for one in loan.coming]
    found = plan.rungs(loan, plan.spans_to_come(loan), plan.prices(loan), from_today=True)
    return _amounts(loan, plan.asks(loan, loan.levels(), plan.owing(loan), found, saved))


def _amounts(loan: SlowLoan, asked: Sequence[plan.Ask]) -> list[int]:
    both = "interest" in loan.level_parts
    return [loan.whole(ask.principal + (ask.interest if both else 0)) for ask in asked]


def plan_beside(loan: SlowLoan, financed: int, before: list[int]) -> None:
    """A full plan for the new money, begun with the running period, on top of what was to come."""
    count = loan.agreed.plan.count
    on_days(loan, more_days(loan, [one.due for one in loan.coming], count - len(loan.coming)))
    loan.span = plan.next_span(loan, loan.span.first if loan.span else loan.today)
    spans, told = plan.spans_to_come(loan), plan.prices(loan)
    own = plan.rungs(loan, spans[:count], told, from_today=True, first=1)
    owing = plan.Owing(Fraction(financed), financed, brought_so_far(loan, financed))
    amounts = _amounts(loan, plan.asks(loan, [plan.level(loan, owing, own)] * count, owing, own))
    length = max(len(before), count)
    sums = [sum(part[at] for part in (before, amounts) if at < len(part)) for at in range(length)]
    every = plan.rungs(loan, spans, told, from_today=True)
    loan.planned = [int(ask.principal) for ask in plan.asks(loan, sums, plan.owing(loan), every)]
    loan.own_levels = sums
    plan.set_level(loan, sums[0])


# --- spread anew -------------------------------------------------------------------------------------------------


def respread(loan: SlowLoan, told: Any) -> None:
    """What bills ask for and nobody settled is asked for by demands to come."""
    if not loan.live or not (told.start_on or loan.coming):
        return
    here = loan.loose.get("interest", 0)  # has come up in the running period
    unearned = _would_still_bear(loan) - here
    past = _take_back(loan, charges_too=told.interest != "levelled")
    if told.start_on:
        days = [later(told.start_on, told.every * k, told.unit) for k in range(told.count)]
        _other_days(loan, _worked_after_the_first(loan, days))
        loan.pace = (told.every, told.unit)
        loan.span = plan.next_span(loan, loan.span.first if loan.span else loan.today)
    loan.planned, loan.own_levels, loan.matured = [], [], None
    loan.owe("principal", past.pop("principal", 0))
    late, principal, count = past.pop("interest", 0), loan.scheduled(), len(loan.coming)
    if told.interest == "levelled":
        plan.set_level(loan, _level_of(loan, principal + late))
        loan.owe("interest", late)
    elif told.interest == "equal_past":
        each = loan.whole(Fraction(late, count))
        plan.set_level(loan, _level_of(loan, principal + late) - each)
        more = each * count - late
        if more > 0:  # the shares ask for it, and not the next demand besides
            more = earn_at_once(loan, more)
            loan.owe("interest", -more)
        _ask_in_shares(loan, past | {"interest": late + more})
    else:
        for one in loan.coming:  # what was kept for interest that will not come is free
            add(one.paid, [("interest", -one.kept)])
            one.kept = 0
        if told.interest == "equal_full":
            earn_at_once(loan, max(0, unearned))
        _ask_in_shares(loan, past | {"interest": late + loan.loose.pop("interest", 0)})
        share = multiple(Fraction(principal, count), loan.agreed.level_multiple_minor, loan.agreed.rounding)
        plan.set_level(loan, share)
        loan.rests.append((loan.today, NEVER))
    if loan.coming[0].due <= loan.today:
        turn(loan)
        spread(loan, NOW)


def _would_still_bear(loan: SlowLoan) -> int:
    """The interest of the demands to come that nobody has settled, or that is only kept for them."""
    pairs = zip(plan.asks_to_come(loan), loan.coming, strict=True)
    return sum(int(ask.interest) - one.settled("interest") + one.kept for ask, one in pairs)


def _take_back(loan: SlowLoan, *, charges_too: bool) -> dict[str, int]:
    taken: dict[str, int] = {}
    for bill in loan.bills:
        for what in [what for what in bill.left if charges_too or what in ("interest", "principal")]:
            bill.down -= min(bill.down, bill.left[what]) if what == "principal" else 0
            add(taken, [(what, bill.left.pop(what))])
    return taken


def due_once(loan: SlowLoan, day: date) -> None:
    """All that is owed is due on one day, whatever was asked for before."""
    free = loan.coming and loan.number() <= loan.agreed.grace.interest_free
    for what, amount in _take_back(loan, charges_too=False).items():
        loan.owe(what, amount)
    _other_days(loan, [day])
    loan.planned, loan.own_levels, loan.prepaid, loan.matured, loan.even = [], [], 0, None, None
    if free:
        loan.rests.append((loan.today, NEVER))


def _other_days(loan: SlowLoan, days: list[date]) -> None:
    """The running demand ends now, with a bill of what was settled beforehand; what was kept is free."""
    starts = loan.span.first if loan.span else loan.today
    noted = (part for one in (*loan.coming, loan.beyond) for part in (one.paid, one.spared, one.extra))
    settled = any(any(part.values()) for part in noted)
    if loan.coming and (days[0] > loan.today > starts or settled):
        loan.bills.append(Demand(loan.today, starts))
    days = plan.one_after_another(loan.today - NIGHT, days)
    loan.forget_those_to_come()
    loan.given_up = []
    loan.coming = [Demand(day) for day in days]
    loan.moved = {days[0]}
    loan.span = plan.next_span(loan, min(starts, days[0]))


def _ask_in_shares(loan: SlowLoan, amounts: dict[str, int]) -> None:
    """In equal shares by all demands to come; the last takes the rest."""
    for what, amount in amounts.items():
        each, left = loan.whole(Fraction(amount, len(loan.coming))), amount
        for one in loan.coming:
            share = left if one is loan.coming[-1] else min(each, left)
            left -= share
            if share:
                loan.charges.append(Charge(one.due, what, share))
    loan.charges.sort(key=lambda charge: charge.due)
    count_for_charges_first(loan)


def _level_of(loan: SlowLoan, principal: int) -> int:
    """Each of the periods to come counts whole."""
    owing = plan.Owing(Fraction(principal), loan.bearing())
    return plan.level(loan, owing, plan.rungs(loan, plan.spans_to_come(loan), plan.prices(loan), from_today=False))


# --- the end -----------------------------------------------------------------------------------------------------


def terminated(loan: SlowLoan, told: Any) -> None:
    if loan.live and loan.coming:
        _all_due(loan)


def charged_off(loan: SlowLoan, told: Any) -> None:
    if not loan.live or loan.lost_on:
        return
    loan.lost_on = loan.today
    if loan.agreed.charge_off == "all_due" and loan.coming:
        _all_due(loan)


def _all_due(loan: SlowLoan) -> None:
    """All that is left is asked for today, by the bill of today, if there is one. What was kept is free."""
    left, loan.loose = loan.loose, {}
    add(left, ((charge.what, charge.left) for charge in loan.charges))
    last = loan.bills[-1] if loan.bills else None
    if last is not None and last.due == loan.today:
        add(last.left, left.items())
    else:
        loan.bills.append(Demand(loan.today, loan.span.first if loan.span else loan.today, left))
    loan.passed += len(loan.coming)
    loan.forget_those_to_come()
    loan.charges, loan.matured, loan.bears_on = [], loan.today, 0
    spread(loan, NOW)
