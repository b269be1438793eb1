"""How money, or forgiveness, meets what is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from tests.laws.slow import charging, plan
from tests.laws.slow.days import earns
from tests.laws.slow.loan import ALWAYS, Demand, SlowLoan, add

AGES = ("past_due", "due", "in_advance")


@dataclass(eq=False)
class Target:
    """Something that can be settled at one age: a bill, a demand to come, or (without a demand) the loose rest."""

    age: str
    demand: Demand | None
    coming: bool
    asks: dict[str, int]


def targets(loan: SlowLoan, *, only_earned: bool = False) -> list[Target]:
    found = [
        Target("past_due" if bill.due < loan.today else "due", bill, False, dict(bill.left))
        for bill in loan.open_bills()
    ]
    loose: dict[str, dict[str, int]] = {age: {} for age in AGES}
    for what, amount in loan.loose.items():
        loose[loan.age(what)][what] = amount
    to_come = loan.all_to_come()
    asked = {one: dict[str, int]() for one in to_come}
    for one in to_come:
        add(asked[one], ((charge.what, charge.left) for charge in loan.charges_of(one)))
    if loan.stands and loan.coming:
        ahead = loose["in_advance"]
        loose["in_advance"] = {what: amount for what, amount in ahead.items() if what.startswith("tax:")}
        if loan.agreed.early_interest == "owed" and not only_earned:
            _share_as_planned(loan, ahead.get("principal", 0), asked)
        else:
            loose["in_advance"]["principal"] = _share_what_is_there(loan, ahead, asked)
    found += [Target("in_advance", one, True, asked[one]) for one in in_their_order(loan, to_come)]
    found += [Target(age, None, False, parts) for age, parts in loose.items()]
    found = [Target(one.age, one.demand, one.coming, {k: n for k, n in one.asks.items() if n > 0}) for one in found]
    return sorted((one for one in found if one.asks), key=lambda one: AGES.index(one.age))


def in_their_order(loan: SlowLoan, demands: list[Demand]) -> list[Demand]:
    """Of the demands to come, the one that money meets first is first."""
    how = loan.agreed.early_payment
    if how == "from_the_last":
        return demands[::-1]
    if how == "next_then_last":
        return demands[:1] + demands[1:][::-1]
    return demands


def _share_what_is_there(loan: SlowLoan, there: dict[str, int], asked: dict[Demand, dict[str, int]]) -> int:
    """The interest that has come up is asked for by the first with room for it, principal up to the level in the order
    in which money comes; what finds no room, by the last. Gives the principal that nobody asks for, since it makes
    later ones smaller."""
    parts, grace, number, beyond = loan.level_parts, loan.agreed.grace, loan.number(), 0
    room = {one: each - one.settled(*parts) for one, each in zip(loan.coming, loan.levels(), strict=False)}
    room[loan.coming[-1]] += max(0, plan.last_by_plan(loan) - loan.levels()[-1])
    by_turn = in_their_order(loan, loan.coming)
    if loan.makes_smaller:
        by_turn = [] if loan.asked_today() else loan.coming[:1]
    steps = [("interest", loan.coming, grace.interest), ("principal", by_turn, grace.principal)]
    how = loan.agreed.allocation
    order = list(how.in_advance or how.components)
    if how.waterfall == "by_component" and order.index("principal") < order.index("interest"):
        steps.reverse()  # all principal is met before any interest
    for part, demands, waits in steps:
        left, takes = there.get(part, 0), dict[Demand, int]()
        for one in demands:
            if number + loan.coming.index(one) > waits:
                takes[one] = max(0, room[one]) if part in parts else left
        if part == "principal" and loan.agreed.early_payment == "in_equal_parts":
            takes = alike(loan, takes, max(left, loan.free()))
        for one in takes:
            amount = min(left, takes[one])
            room[one] -= amount if part in parts else 0
            left -= amount
            add(asked[one], [(part, amount)])
        if part == "principal" and loan.makes_smaller:
            beyond = left
            continue
        add(asked[loan.coming[-1]], [(part, left)])
    return beyond


def _share_as_planned(loan: SlowLoan, principal: int, asked: dict[Demand, dict[str, int]]) -> None:
    """Each asks for what it always will, with the interest that is not earned yet."""
    for one, ask in zip(loan.coming, plan.asks_to_come(loan), strict=True):
        interest = int(ask.interest) - one.settled("interest")
        amount = max(0, min(principal, int(ask.principal) - one.settled("principal")))
        principal -= amount
        add(asked[one], [("interest", max(0, interest)), ("principal", max(0, amount))])


# --- the order ---------------------------------------------------------------------------------------------------

Turn = tuple[Target, str]  # a balance of a target


def in_turn(found: Sequence[Target], how: Any) -> Iterator[Turn]:
    for age in AGES:
        of_age = [one for one in found if one.age == age]
        order = {"due": how.due, "in_advance": how.in_advance}.get(age) or how.components
        if how.waterfall == "by_component":
            groups = [of_age]
        else:  # the oldest demand with what no demand asks for, then the next
            demands = [one for one in of_age if one.demand]
            groups = [[*demands[:1], *(one for one in of_age if not one.demand)], *([one] for one in demands[1:])]
        for group in groups:
            for component in order:
                for one in group:
                    yield from ((one, what) for what in sorted(one.asks) if what.split(":")[0] == component)


# --- settling ----------------------------------------------------------------------------------------------------


def settle(loan: SlowLoan, target: Target, what: str, amount: int, *, paid: bool) -> int:
    """Takes an amount off what is owed. Gives what of it was owed already: interest of a demand to come that is paid
    before it is earned is kept for it."""
    demand = target.demand
    if demand is None or not target.coming:
        pile = demand.left if demand else loan.loose
        pile[what] -= amount
        return amount
    demand.touched, left = True, amount
    for charge in loan.charges_of(demand):
        if charge.what == what:
            part = min(left, charge.left)
            charge.left, left = charge.left - part, left - part
            add(demand.extra, [(what, part)])
            demand.due = max(demand.due, charge.due) if demand is loan.beyond else demand.due
    add(demand.paid if paid else demand.spared, [(what, left)])
    now = left
    if paid and what == "interest" and loan.agreed.early_interest == "owed":
        there = loan.loose.get("interest", 0) if loan.coming and demand is loan.coming[plan.asking(loan)] else 0
        now = min(left, there)
        demand.kept += left - now
    loan.owe(what, -now)
    return amount - left + now


def spread(loan: SlowLoan, ages: Sequence[str] = AGES) -> None:
    """The free money meets what is owed of these ages."""
    pool = loan.free()
    if pool <= 0 or not (loan.live or loan.owes()):
        return
    how = loan.agreed.early_payment
    if how == "hold_until_due" and pool < loan.owes():
        ages = [age for age in ages if age != "in_advance"]
    turns = [turn for turn in in_turn(targets(loan), loan.agreed.allocation) if turn[0].age in ages]
    early = beyond = 0
    amounts = _equally(loan, turns, pool) if how == "in_equal_parts" else _one_after_the_other(turns, pool)
    for (target, what), amount in amounts:
        charges_before = sum(target.demand.extra.values()) if target.demand else 0
        bore = loan.bearing() if what == "principal" and target.age != "due" and loan.rests_between else None
        loan.money -= settle(loan, target, what, amount, paid=True)
        loan.bears_on += bore - loan.bearing() if bore is not None else 0
        charges = sum(target.demand.extra.values()) - charges_before if target.demand else 0
        if target.age == "in_advance" and what in loan.level_parts:
            early += amount - charges
            beyond += amount if target.demand is None else 0
    if beyond and loan.makes_smaller:
        makes_smaller(loan, beyond)
    if loan.coming and early and not loan.stands and loan.owes():
        loan.prepaid += early
        EARLY[how](loan)
    loan.charges = [charge for charge in loan.charges if charge.left]
    _drop_nothing(loan.loose)


def makes_smaller(loan: SlowLoan, amount: int) -> None:
    """Principal beyond the instalment of its period: those after that one repay so much less."""
    first = 0 if loan.asked_today() else 1
    if not loan.coming:
        return
    if len(loan.coming) == first:
        loan.planned = [max(0, part - amount) for part in loan.planned]
        return
    spans = plan.spans_to_come(loan)
    found = plan.rungs(loan, spans, plan.prices(loan), from_today=True)[first:]
    own = loan.levels()[:first]
    kept = loan.planned[:first] or [one.settled("principal") for one in loan.coming[:first]]
    left = (sum(loan.planned) - amount if loan.planned else loan.scheduled()) - sum(kept)
    owing = plan.Owing(Fraction(max(0, left)), loan.bearing())
    loan.level = plan.level(loan, owing, found)
    if loan.planned:
        asked = plan.asks(loan, [loan.level] * len(found), owing, found)
        loan.planned = [*kept, *(int(ask.principal) for ask in asked)]
    loan.own_levels = [*own, *[loan.level] * len(found)] if first else []


def _one_after_the_other(turns: Sequence[Turn], pool: int) -> Iterator[tuple[Turn, int]]:
    for target, what in turns:
        amount = min(pool, target.asks[what])
        pool -= amount
        if amount:
            yield (target, what), amount


def _equally(loan: SlowLoan, turns: Sequence[Turn], pool: int) -> list[tuple[Turn, int]]:
    """Each demand to come gets the same of a component, then of the next; all over again until nothing is left. The
    last one gets what roundings leave."""
    ahead = [turn for turn in turns if turn[0].age == "in_advance" and turn[0].demand]
    found = list(_one_after_the_other([turn for turn in turns if turn not in ahead], pool))
    pool -= sum(amount for _, amount in found)
    if pool >= sum(turn[0].asks[turn[1]] for turn in ahead) and loan.agreed.early_interest == "saved":
        ahead = ahead if loan.charges else _the_same_of_each(loan, ahead)
    left = {id(turn): turn[0].asks[turn[1]] for turn in ahead}
    how = loan.agreed.allocation
    components = how.in_advance or how.components
    rounds = [[one] for one in components] if how.waterfall == "by_component" else [components]
    for round_of in rounds:
        while pool and (waiting := [one for one in ahead if left[id(one)] and one[1].split(":")[0] in round_of]):
            demands = sorted({turn[0].demand for turn in waiting if turn[0].demand}, key=lambda one: one.due)
            for component in round_of:
                each, share = loan.whole(Fraction(pool, len(demands))), dict[Demand, int]()
                for demand in demands:
                    share[demand] = each if demand is not demands[-1] else max(0, pool - each * (len(demands) - 1))
                for turn in [one for one in ahead if one[0].demand in share and one[1].split(":")[0] == component]:
                    demand = turn[0].demand
                    assert demand
                    amount = min(share[demand], left[id(turn)], pool)
                    share[demand] -= amount
                    left[id(turn)] -= amount
                    pool -= amount
                    if amount:
                        found.append((turn, amount))
    return found


def _the_same_of_each(loan: SlowLoan, ahead: Sequence[Turn]) -> list[Turn]:
    """All of it is paid: every demand to come gets an equal share of the principal, the last one the rest."""
    ones = {id(one): one for one, _ in ahead}
    by_day = sorted(ones.values(), key=lambda one: one.demand.due if one.demand else ALWAYS)
    rest = sum(one.asks.get("principal", 0) for one in by_day)
    share = loan.whole(Fraction(rest, max(1, len(by_day))))
    for one in by_day:
        one.asks["principal"] = rest if one is by_day[-1] else min(share, rest)
        rest -= one.asks["principal"]
    others = [turn for turn in ahead if turn[1] != "principal"]
    return [*others, *((one, "principal") for one in by_day)]


def alike(loan: SlowLoan, takes: dict[Demand, int], amount: int) -> dict[Demand, int]:
    """How much of an amount each gets if all get the same, in whole units, and none more than it takes: in rounds, and
    in each the last that takes any gets what the others did not."""
    gets = dict.fromkeys(takes, 0)
    while (there := amount - sum(gets.values())) and (hungry := [one for one in takes if gets[one] < takes[one]]):
        each, offered = loan.whole(Fraction(there, len(hungry))), 0
        for one in hungry:
            offer = there - offered if one is hungry[-1] else min(each, there - offered)
            offered += offer
            gets[one] += min(offer, takes[one] - gets[one])
    return gets


def release(loan: SlowLoan, amount: int) -> None:
    """Money that was kept meets interest that is earned now, that of the next demand first."""
    for one in (*loan.coming, loan.beyond):
        part = min(amount, one.kept)
        amount -= part
        one.kept -= part
        loan.owe("interest", -part)
        loan.money -= part


def all_is_paid(loan: SlowLoan) -> None:
    """Where the interest to come is owed all the same, what was kept for it is earned at once."""
    if kept := loan.kept():
        release(loan, earn_at_once(loan, kept))


def earn_at_once(loan: SlowLoan, amount: int) -> int:
    """Whole units, as far as the cap lets them be asked for. Gives how many."""
    room = charging.room_under_cost_cap(loan)
    if room == 0:
        return 0
    fits = charging.within(amount, room)
    loan.interest = loan.interest + amount if fits == amount else Fraction(loan.interest_asked + fits)
    charging.ask_interest(loan, fits)
    return fits


def _drop_nothing(amounts: dict[str, int]) -> None:
    for what in [what for what, amount in amounts.items() if not amount]:
        del amounts[what]


# --- what money before its time does to demands that do not stand ------------------------------------------------


def _counts_for_later_ones(loan: SlowLoan) -> None:
    return


def _shorter(loan: SlowLoan) -> None:
    """The next one is lower; what is more than that shortens the loan."""
    loan.prepaid = min(loan.prepaid, loan.next_level())


def _smaller(loan: SlowLoan) -> None:
    """What is more than the next one makes those after it smaller."""
    fixed = loan.agreed.plan.kind == "listed" or loan.own_levels
    if fixed or loan.prepaid <= loan.level or len(loan.coming) < 2:
        _shorter(loan)
        return
    due = Fraction(loan.loose.get("principal", 0))
    if "interest" in loan.level_parts:
        due += loan.loose.get("interest", 0) + _until(loan, loan.coming[0].due)
    spans = plan.spans_to_come(loan)[1:]
    told = [(loan.today, loan.price), *loan.prices_to_come]
    owing = plan.Owing(due, bearing_tonight(loan))
    loan.level = plan.level(loan, owing, plan.rungs(loan, spans, told, from_today=True, first=loan.number() + 1))
    loan.prepaid = loan.level


def bearing_tonight(loan: SlowLoan) -> int:
    if loan.number() <= loan.agreed.grace.interest_free or loan.resting(loan.today):
        return 0
    return loan.bearing() + loan.bears_on if loan.matured is None or loan.agreed.after_maturity == "continues" else 0


def brings(loan: SlowLoan, night: date) -> Fraction:
    """What a night of the running period brings for one unit, as things are tonight."""
    assert loan.span is not None
    if loan.even is not None and loan.matured is None:
        return plan.evenly(loan, loan.span) / (loan.span.last - loan.span.first).days
    return earns(night, loan.span, loan.agreed.day_count, *loan.price)


def _until(loan: SlowLoan, day: date) -> Fraction:
    """What the nights until a day bring if each is as this one."""
    assert loan.span is not None
    bearing = bearing_tonight(loan) if charging.room_under_cost_cap(loan) != 0 else 0
    nights = [night for night in loan.span.nights() if loan.today <= night < day]
    return bearing * sum((brings(loan, night) for night in nights), Fraction(0))


EARLY: dict[str, Callable[[SlowLoan], None]] = {
    "shorter_term": _shorter,
    "smaller_instalments": _smaller,
    "next_instalments": _counts_for_later_ones,
    "hold_until_due": _counts_for_later_ones,
}
