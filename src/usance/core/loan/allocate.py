"""How money meets what is owed: the waterfall, and what paying early does to the instalments to come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from usance.core.loan import charges, plan, reserve, smaller, state, to_come
from usance.core.loan.book import Book
from usance.core.loan.movements import change
from usance.core.loan.records import Ahead, Bill
from usance.core.loan.state import Loan
from usance.core.loan.terms import Allocation
from usance.core.loan.waterfall import AGES, UNBILLED, WATERFALLS, Slot, Target, equal_parts, in_equal_parts, merged


def targets(loan: Loan, *, earned_only: bool = False) -> list[Target]:
    """Everything owed, by age and inside an age the oldest bill first, the unbilled last. With interest that is owed
    before it is earned, unless only what is there is asked for."""
    found = [
        Target("past_due" if bill.due_on < loan.at else "due", index, remaining)
        for index, bill, remaining in state.open_bills(loan)
    ]
    by_age: dict[str, dict[str, int]] = {}
    for key, amount in state.regular(loan).items():
        if amount:
            by_age.setdefault(state.age_of_unbilled(loan, key), {})[key] = amount
    found += _to_come(loan, by_age, earned_only)
    found += [Target(age, UNBILLED, remaining) for age, remaining in by_age.items()]
    return sorted(found, key=lambda target: AGES.index(target.age))


Order = Callable[[Sequence[int]], Sequence[int]]


def _to_come(loan: Loan, by_age: dict[str, dict[str, int]], earned_only: bool) -> list[Target]:
    """The instalments to come as they would be if all were asked for today, in the order in which money in advance
    meets them: their charges, and where they stay as they are, what the level holds."""
    dates, how = state.coming_dates(loan), loan.terms.early_payment
    if not dates or not (loan.dated or loan.terms.instalments_stay):
        return []
    asked = [state.left_of_dated(loan, index, dates) for index in range(len(dates))]
    order = TURNS.get(how, TURNS["in_turn"])
    if loan.due_dates and loan.terms.instalments_stay:
        unbilled = by_age.pop("in_advance", {})
        taxes = {key: amount for key, amount in unbilled.items() if key not in ("interest", "principal")}
        if loan.terms.early_interest == "owed" and not earned_only:
            _share_as_planned(loan, unbilled.get("principal", 0), asked)
        else:
            beyond = _share_out(loan, unbilled, asked, order)
            taxes |= {"principal": beyond} if beyond else {}
        by_age |= {"in_advance": taxes} if taxes else {}
    return [Target("in_advance", len(loan.bills) + i, asked[i]) for i in order(range(len(dates))) if asked[i]]


def _share_out(loan: Loan, unbilled: Mapping[str, int], asked: list[dict[str, int]], order: Order) -> int:
    """The interest earned so far is asked for by the first that have room for it, then principal up to the level; what
    no level holds by the last. Where all principal is paid before any interest, principal has the room first. Gives
    the principal beyond the instalment of the running period, where that makes the others smaller."""
    parts, grace, beyond = plan.LEVEL_PARTS[loan.terms.plan.kind], loan.terms.grace, 0
    first, indexes = state.instalment_number(loan), range(len(loan.due_dates))
    rooms = [level - state.regular_ahead(loan, index, parts) for index, level in enumerate(state.levels(loan))]
    rooms[-1] += max(0, to_come.last_as_planned(loan) - state.levels(loan)[-1])
    lowers = loan.terms.early_payment == smaller.LOWERS
    of_principal = (indexes[:1] if smaller.bill_of_today(loan) is None else []) if lowers else order(indexes)
    shared = [("interest", indexes, grace.interest), ("principal", of_principal, grace.principal)]
    for part, turns, waits in reversed(shared) if _principal_first(loan.terms.allocation) else shared:
        left = unbilled.get(part, 0)
        most = {i: max(0, rooms[i]) if part in parts else left for i in turns if first + i > waits}
        if part == "principal" and loan.terms.early_payment == "in_equal_parts":
            most = equal_parts(max(left, state.unapplied(loan)), most, loan.terms.rounding)
        for index, room in most.items():
            amount = min(left, room)
            left -= amount
            rooms[index] -= amount if part in parts else 0
            if amount:
                asked[index][part] = asked[index].get(part, 0) + amount
        if lowers and part == "principal":
            beyond = left
        elif left:
            asked[indexes[-1]][part] = asked[indexes[-1]].get(part, 0) + left
    return beyond


def _principal_first(how: Allocation) -> bool:
    """Whether money in advance meets the principal of all instalments before interest."""
    order = how.order("in_advance")
    return how.waterfall == "by_component" and order.index("principal") < order.index("interest")


def _share_as_planned(loan: Loan, principal: int, asked: list[dict[str, int]]) -> None:
    """Each asks for what it always will, the interest not yet earned too."""
    for index, share in enumerate(to_come.shares_to_come(loan)):
        interest = int(share.interest) - state.regular_ahead(loan, index, ("interest",))
        amount = max(0, min(principal, int(share.principal) - state.regular_ahead(loan, index, ("principal",))))
        principal -= amount
        for key, left in (("interest", interest), ("principal", amount)):
            if left > 0:
                asked[index][key] = asked[index].get(key, 0) + left


# where the instalments to come stay as they are: which of them money in advance meets first
TURNS: dict[str, Order] = {
    "in_turn": lambda indexes: indexes,
    "from_the_last": lambda indexes: indexes[::-1],
    "next_then_last": lambda indexes: [*indexes[:1], *indexes[:0:-1]],
    "in_equal_parts": lambda indexes: indexes,
    "next_then_smaller": lambda indexes: indexes,
}


# --- settling ----------------------------------------------------------------------------------------------------


class _Noted:
    """What is noted of one bill, or of one instalment to come, while money is spread."""

    def __init__(self, before: Mapping[str, int]) -> None:
        self.amounts, self.total = dict(before), 0

    def add(self, balance: str, amount: int) -> None:
        self.amounts[balance] = self.amounts.get(balance, 0) + amount
        self.total += amount


def settle(
    loan: Loan, slots: Sequence[Slot], pool: int, column: str, came_on: date | None = None
) -> tuple[Loan, list[Slot]]:
    """Spreads `pool` over the slots in their order; bills, and instalments to come, note it in `column` ("paid" or
    "relieved"). Balances are not touched: the slots taken are given back for posting."""
    taken, notes, bills = [], dict[int, _Noted](), list(loan.bills)
    for slot in slots:
        if pool <= 0:
            break
        amount = min(pool, slot.amount)
        if amount <= 0:
            continue
        pool -= amount
        taken.append(Slot(slot.age, slot.bill, slot.balance, amount))
        if slot.bill != UNBILLED:
            if slot.bill not in notes:
                settled = (
                    bills[slot.bill] if slot.bill < len(bills) else state.settled_ahead(loan, slot.bill - len(bills))
                )
                notes[slot.bill] = _Noted(getattr(settled, column))
            notes[slot.bill].add(slot.balance, amount)
    ahead = list(loan.ahead)
    for index, noted in notes.items():
        if index < len(bills):
            bills[index] = _noted_on_bill(bills[index], noted, column, came_on or loan.at)
        else:
            ahead += [Ahead()] * (index - len(bills) + 1 - len(ahead))
            changed: dict[str, Any] = {column: noted.amounts}
            ahead[index - len(bills)] = ahead[index - len(bills)]._replace(**changed)
    settled_count = loan.settled_count
    while settled_count < len(bills) and not bills[settled_count].remaining:
        settled_count += 1
    return loan._replace(bills=tuple(bills), ahead=tuple(ahead), settled_count=settled_count), taken


def _noted_on_bill(bill: Bill, noted: _Noted, column: str, on: date) -> Bill:
    if column != "paid":
        return bill._replace(relieved=noted.amounts)
    if on == bill.due_on:
        return bill._replace(paid=noted.amounts)
    if on < bill.due_on:
        return bill._replace(paid=noted.amounts, early_minor=bill.early_minor + noted.total)
    return bill._replace(paid=noted.amounts, late_minor=bill.late_minor + noted.total)


def allocate(loan: Loan, book: Book, on: date, ages: Sequence[str] = AGES, *, came_on: date | None = None) -> Loan:
    """Applies the unapplied funds to what is owed at the given ages, by the agreed waterfall; also to what a loan that
    does not run owes again, since more was sent back than had come. `came_on`: when the last of them came, if not
    today."""
    pool = state.unapplied(loan)
    if pool <= 0 or not (loan.status in state.LIVE or state.outstanding(loan)):
        return loan
    if loan.terms.early_payment == "hold_until_due" and pool < state.outstanding(loan):
        ages = [age for age in ages if age != "in_advance"]
    slots = _in_order(loan, ages, pool)
    there = reserve.interest_there(loan) if loan.terms.early_interest == "owed" else None
    loan, taken = settle(loan, slots, pool, "paid", came_on)
    if there is not None:
        loan, taken = reserve.reserve(loan, taken, there)
    loan = RESTS[loan.terms.interest_rests](_posted(loan, taken, book, on), taken)
    return _paid_early(loan, taken)


def _in_order(loan: Loan, ages: Sequence[str], pool: int) -> list[Slot]:
    """What money of so much meets at these ages, in the order in which it does."""
    how = loan.terms.allocation
    found, met = targets(loan), WATERFALLS[how.waterfall]
    slots = [
        slot for age in AGES if age in ages and (alike := [one for one in found if one.age == age])
        for slot in met(alike, how)
    ]  # fmt: skip
    return in_equal_parts(loan, slots, pool) if loan.terms.early_payment == "in_equal_parts" else slots


def _posted(loan: Loan, taken: Sequence[Slot], book: Book, on: date) -> Loan:
    """The balances less what was taken: one movement for each of them."""
    balances, rule, contra = dict(loan.balances), f"allocation.{loan.terms.allocation.waterfall}", state.contra_of(loan)
    for slot in merged(taken):
        age, balance = slot.age, slot.balance
        if slot.amount:
            book.move(
                balances, change("allocated", balance, -slot.amount, on), rule,
                lambda age=age, balance=balance: (f"{age} {balance}", {"age": age}),  # type: ignore[misc]
                contra=contra,
            )  # fmt: skip
    return loan._replace(balances=balances)


def _paid_early(loan: Loan, taken: Sequence[Slot]) -> Loan:
    """What paying in advance does, where it is not noted with the instalments to come. Dated amounts are in no level,
    so that paying these early changes nothing."""
    level = plan.LEVEL_PARTS[loan.terms.plan.kind]
    loose = (slot for slot in taken if slot.bill == UNBILLED and slot.balance in level)
    early = sum(slot.amount for slot in loose if slot.age == "in_advance")
    if early and loan.terms.early_payment == smaller.LOWERS:
        return smaller.those_after(loan, early, "paid")
    if early and loan.due_dates and loan.terms.early_payment in EARLY_PAYMENTS and state.outstanding(loan):
        loan = EARLY_PAYMENTS[loan.terms.early_payment](loan._replace(credit_minor=loan.credit_minor + early))
    return loan


def _counts_from_next_due_date(loan: Loan, taken: Sequence[Slot]) -> Loan:
    """Principal that was repaid in the middle of a period bears interest until that ends. What is paid on the day on
    which it is due counts at once, and nobody waits for a next due date after the last."""
    if loan.period is None or loan.at <= loan.period.starts_on or loan.matured_on is not None:
        return loan
    ages = BEARING[loan.terms.interest_base]
    repaid = sum(slot.amount for slot in taken if slot.balance == "principal" and slot.age in ages)
    return loan._replace(still_bearing_minor=loan.still_bearing_minor + repaid)


BEARING = {"actual_balance": ("past_due", "in_advance"), "undue_balance": ("in_advance",)}  # principal of which age
RESTS: dict[str, Callable[[Loan, Sequence[Slot]], Loan]] = {
    "daily": lambda loan, taken: loan,
    "each_instalment": _counts_from_next_due_date,
}


# --- what paying early does --------------------------------------------------------------------------------------
# Either the coming instalments stay as they are, and it is noted what of them is settled (the names of TURNS); or it
# lowers them: it counts for the next instalment first (credit_minor), and these say what happens to those after it.


def _next_instalments(loan: Loan) -> Loan:
    """It counts for the instalment after, and so on."""
    return loan


def _shorter_term(loan: Loan) -> Loan:
    """Instalments stay as they are, the last ones fall away."""
    return loan._replace(credit_minor=min(loan.credit_minor, state.level(loan)))


def _smaller_instalments(loan: Loan) -> Loan:
    """The dates stay; what is left after the next instalment is levelled over them anew."""
    later = loan.due_dates[1:]
    listed = loan.terms.plan.kind == "listed" or bool(loan.levels)
    if listed or loan.credit_minor <= loan.level_minor or not later or loan.period is None:
        return _shorter_term(loan)
    spans = [(loan.at, loan.rate), *loan.rate_changes]
    left = state.regular(loan)
    due = Fraction(left.get("principal", 0))
    if "interest" in plan.LEVEL_PARTS[loan.terms.plan.kind]:
        due += left.get("interest", 0) + charges.interest_between(loan, loan.due_dates[0])
    number = state.instalment_number(loan) + 1
    coming = plan.rungs(
        loan.terms, to_come.periods_to_come(loan)[1:], spans, loan.at, charges.pauses(loan), first=number
    )
    level = plan.level(loan.terms, plan.Owed(due, Fraction(charges.interest_base(loan))), coming)
    return loan._replace(level_minor=level, credit_minor=level)


def within_one(loan: Loan) -> Loan:
    """Where it counts for the next instalment alone: no more of it than that one amounts to."""
    return _shorter_term(loan) if loan.terms.early_payment in ("shorter_term", "smaller_instalments") else loan


EARLY_PAYMENTS: dict[str, Callable[[Loan], Loan]] = {
    "next_instalments": _next_instalments,
    "shorter_term": _shorter_term,
    "smaller_instalments": _smaller_instalments,
    "hold_until_due": _next_instalments,
}
