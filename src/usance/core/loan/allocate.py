"""How money meets what is owed: the waterfall, and what paying early does to the instalments to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from usance.core.loan import plan, state
from usance.core.loan.charges import interest_base, interest_between
from usance.core.loan.state import Book, Loan, change

AGES = ("past_due", "due", "in_advance")
UNBILLED = -1


class Target(NamedTuple):
    """A bill, or what is not billed (bill UNBILLED), and what remains of it at one age."""

    age: str
    bill: int  # its index among the loan's bills
    remaining: Mapping[str, int]


class Slot(NamedTuple):
    """One amount of one balance that money can settle."""

    age: str
    bill: int  # its index among the loan's bills
    balance: str
    amount: int


def targets(loan: Loan) -> list[Target]:
    """Everything owed, by age and inside an age the oldest bill first, the unbilled last."""
    found = [
        Target("past_due" if bill.due_on < loan.at else "due", index, remaining)
        for index, bill, remaining in state.open_bills(loan)
    ]
    by_age: dict[str, dict[str, int]] = {}
    for key, amount in state.unbilled(loan).items():
        by_age.setdefault(state.age_of_unbilled(loan, key), {})[key] = amount
    found += [Target(age, UNBILLED, remaining) for age, remaining in by_age.items()]
    return sorted(found, key=lambda target: AGES.index(target.age))


# --- waterfalls --------------------------------------------------------------------------------------------------


def _slots_of(target: Target, component: str) -> Iterator[Slot]:
    for key in sorted(target.remaining):
        if key.partition(":")[0] == component:
            yield Slot(target.age, target.bill, key, target.remaining[key])


def _by_instalment(found: Sequence[Target], components: Sequence[str]) -> Iterator[Slot]:
    """The oldest instalment whole, together with what is not billed and as old; then the next."""
    for age in AGES:
        bills = [target for target in found if target.age == age and target.bill != UNBILLED]
        loose = [target for target in found if target.age == age and target.bill == UNBILLED]
        for group in [[*bills[:1], *loose], *([bill] for bill in bills[1:])]:
            for component in components:
                for target in group:
                    yield from _slots_of(target, component)


def _by_component(found: Sequence[Target], components: Sequence[str]) -> Iterator[Slot]:
    """Inside an age, one component of all instalments, then the next component."""
    for age in AGES:
        for component in components:
            for target in found:
                if target.age == age:
                    yield from _slots_of(target, component)


WATERFALLS: dict[str, Callable[[Sequence[Target], Sequence[str]], Iterator[Slot]]] = {
    "by_instalment": _by_instalment,
    "by_component": _by_component,
}


# --- settling ----------------------------------------------------------------------------------------------------


def settle(loan: Loan, slots: Sequence[Slot], pool: int, column: str) -> tuple[Loan, list[Slot]]:
    """Spreads `pool` over the slots in their order; bills note it in `column` ("paid" or "relieved"). Balances are not
    touched: the slots taken are given back for posting."""
    taken, bills = [], list(loan.bills)
    for slot in slots:
        amount = min(pool, slot.amount)
        if amount <= 0:
            continue
        pool -= amount
        taken.append(slot._replace(amount=amount))
        if slot.bill != UNBILLED:
            bill = bills[slot.bill]
            noted = dict(bill.paid if column == "paid" else bill.relieved)
            noted[slot.balance] = noted.get(slot.balance, 0) + amount
            bills[slot.bill] = bill._replace(paid=noted) if column == "paid" else bill._replace(relieved=noted)
    settled = loan.settled_count
    while settled < len(bills) and not bills[settled].remaining:
        settled += 1
    return loan._replace(bills=tuple(bills), settled_count=settled), taken


def allocate(loan: Loan, book: Book, on: date, ages: Sequence[str] = AGES) -> Loan:
    """Applies the unapplied funds to what is owed at the given ages, by the agreed waterfall."""
    pool = state.unapplied(loan)
    if pool <= 0 or loan.status not in state.LIVE:
        return loan
    if pool < state.outstanding(loan) and loan.terms.early_payment == "hold_until_due":
        ages = [age for age in ages if age != "in_advance"]
    how = loan.terms.allocation
    slots = [slot for slot in WATERFALLS[how.waterfall](targets(loan), how.components) if slot.age in ages]
    loan, taken = settle(loan, slots, pool, "paid")
    for slot in merged(taken):
        age, balance = slot.age, slot.balance
        loan = book.post(
            loan, change("allocated", balance, -slot.amount, on), f"allocation.{how.waterfall}",
            lambda age=age, balance=balance: (f"{age} {balance}", {"age": age}),  # type: ignore[misc]
        )  # fmt: skip
    level = plan.LEVEL_PARTS[loan.terms.plan.kind]
    early = sum(slot.amount for slot in taken if slot.age == "in_advance" and slot.balance in level)
    if early and loan.due_dates and state.outstanding(loan):
        loan = EARLY_PAYMENTS[loan.terms.early_payment](loan._replace(credit_minor=loan.credit_minor + early))
    return loan


def merged(taken: Sequence[Slot]) -> list[Slot]:
    """One slot for each balance, in the order they were reached."""
    sums: dict[str, Slot] = {}
    for slot in taken:
        known = sums.get(slot.balance)
        sums[slot.balance] = known._replace(amount=known.amount + slot.amount) if known else slot
    return list(sums.values())


# --- what paying early does --------------------------------------------------------------------------------------
# Money paid in advance counts for the next instalment first (credit_minor); these say what the rest does.


def _next_instalments(loan: Loan) -> Loan:
    """It counts for the instalment after, and so on."""
    return loan


def _shorter_term(loan: Loan) -> Loan:
    """Instalments stay as they are, the last ones fall away."""
    return loan._replace(credit_minor=min(loan.credit_minor, state.level(loan)))


def _smaller_instalments(loan: Loan) -> Loan:
    """The dates stay; what is left after the next instalment is levelled over them anew."""
    later = loan.due_dates[1:]
    listed = loan.terms.plan.kind == "listed"
    if listed or loan.credit_minor <= loan.level_minor or not later or loan.period is None:
        return _shorter_term(loan)
    spans = [(loan.at, loan.rate), *loan.rate_changes]
    left = state.unbilled(loan)
    due = Fraction(left.get("principal", 0))
    if "interest" in plan.LEVEL_PARTS[loan.terms.plan.kind]:
        due += left.get("interest", 0) + interest_between(loan, loan.due_dates[0])
    ahead = plan.rungs(loan.terms, plan.periods(loan.terms, loan.due_dates[0], later), spans)
    level = plan.level(loan.terms, plan.Owed(due, Fraction(interest_base(loan))), ahead)
    return loan._replace(level_minor=level, credit_minor=level)


EARLY_PAYMENTS: dict[str, Callable[[Loan], Loan]] = {
    "next_instalments": _next_instalments,
    "shorter_term": _shorter_term,
    "smaller_instalments": _smaller_instalments,
    "hold_until_due": _next_instalments,
}
