"""In which order money meets what it may settle: waterfalls, and equal parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from usance.core import money
from usance.core.loan.state import Loan
from usance.core.loan.terms import Allocation

AGES = ("past_due", "due", "in_advance")
UNBILLED = -1


class Target(NamedTuple):
    """A bill, an instalment to come, or what is in neither (bill UNBILLED), and what remains of it at one age."""

    age: str
    bill: int  # its index among the loan's bills, those to come counted on
    remaining: Mapping[str, int]


class Slot(NamedTuple):
    """One amount of one balance that money can settle."""

    age: str
    bill: int  # as of its target
    balance: str
    amount: int


# --- waterfalls --------------------------------------------------------------------------------------------------


Parts = Mapping[str, Sequence[Slot]]  # of a target, by component


def _parts(target: Target) -> Parts:
    found: dict[str, list[Slot]] = {}
    for key in sorted(target.remaining):
        slot = Slot(target.age, target.bill, key, target.remaining[key])
        found.setdefault(key.partition(":")[0], []).append(slot)
    return found


def _by_instalment(found: Sequence[Target], how: Allocation) -> Iterator[Slot]:
    """The oldest instalment whole, together with what is not billed and as old; then the next."""
    bills = [_parts(target) for target in found if target.bill != UNBILLED]
    loose = [_parts(target) for target in found if target.bill == UNBILLED]
    order = how.order(found[0].age)
    for group in [[*bills[:1], *loose], *([bill] for bill in bills[1:])]:
        for component in order:
            for parts in group:
                yield from parts.get(component, ())


def _by_component(found: Sequence[Target], how: Allocation) -> Iterator[Slot]:
    """One component of all instalments, then the next component."""
    group = [_parts(target) for target in found]
    for component in how.order(found[0].age):
        for parts in group:
            yield from parts.get(component, ())


# in which order the targets of one age are met
WATERFALLS: dict[str, Callable[[Sequence[Target], Allocation], Iterator[Slot]]] = {
    "by_instalment": _by_instalment,
    "by_component": _by_component,
}


# --- equal parts ---------------------------------------------------------------------------------------------------


def equal_parts(pool: int, rooms: Mapping[int, int], rounding: str) -> dict[int, int]:
    """The same for each, rounded as agreed, until it has no room; the last one takes the rest."""
    parts = dict.fromkeys(rooms, 0)
    while pool > 0 and (open_ones := [one for one, room in rooms.items() if room > parts[one]]):
        each, left = money.rounded(Fraction(pool, len(open_ones)), rounding), pool
        for one in open_ones:
            share = left if one == open_ones[-1] else min(each, left)
            left -= share
            part = min(share, rooms[one] - parts[one])
            parts[one] += part
            pool -= part
    return parts


def in_equal_parts(loan: Loan, slots: Sequence[Slot], pool: int) -> list[Slot]:
    """What money in advance meets, when each instalment to come gets the same: of one component after the other, as the
    waterfall says, and again until the money or what is owed is used up. The last one gets what roundings leave."""
    terms, how = loan.terms, loan.terms.allocation
    order = how.order("in_advance")
    found = [slot for slot in slots if slot.age != "in_advance" or slot.bill == UNBILLED]
    pool -= sum(slot.amount for slot in found)
    left = [slot for slot in slots if slot.age == "in_advance" and slot.bill != UNBILLED]
    if pool >= sum(slot.amount for slot in left) and terms.early_interest == "saved" and not loan.dated:
        left = _evened(left, terms.rounding)
    for group in [order] if how.waterfall == "by_instalment" else [(component,) for component in order]:
        while pool > 0 and (open_ones := sorted({slot.bill for slot in left if slot.amount and _is_of(slot, group)})):
            for component in group:
                each = money.rounded(Fraction(pool, len(open_ones)), terms.rounding)
                parts = dict.fromkeys(open_ones, each) | {open_ones[-1]: max(0, pool - each * (len(open_ones) - 1))}
                for index, slot in enumerate(left):
                    amount = min(slot.amount, parts.get(slot.bill, 0), pool) if _is_of(slot, (component,)) else 0
                    if amount:
                        parts[slot.bill] -= amount
                        pool -= amount
                        left[index] = slot._replace(amount=slot.amount - amount)
                        found.append(slot._replace(amount=amount))
    return found


def _evened(slots: Sequence[Slot], rounding: str) -> list[Slot]:
    """The principal shared equally, where all of it is paid: no instalment is left that could stay as it is."""
    found = [slot for slot in slots if slot.balance != "principal"]
    bills = sorted({slot.bill for slot in slots})
    left = sum(slot.amount for slot in slots if slot.balance == "principal")
    each = money.rounded(Fraction(left, max(1, len(bills))), rounding)
    for bill in bills:
        part = left if bill == bills[-1] else min(each, left)
        left -= part
        found.append(Slot("in_advance", bill, "principal", part))
    return found


def _is_of(slot: Slot, components: Sequence[str]) -> bool:
    return slot.balance.partition(":")[0] in components


def merged(taken: Sequence[Slot]) -> list[Slot]:
    """One slot for each balance, in the order they were reached."""
    sums: dict[str, Slot] = {}
    for slot in taken:
        known = sums.get(slot.balance)
        sums[slot.balance] = known._replace(amount=known.amount + slot.amount) if known else slot
    return list(sums.values())
