"""The loan on the morning of a day: balances, accruals carried exactly, schedule, delinquency. A
Loan is an immutable record; functions that change it return another one and write what they did into a `Book`."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from usance.core.loan.movements import CHARGED_OFF, NOT_OWED, SUSPENDED, UNAPPLIED
from usance.core.loan.records import Accrued, Ahead, Bill, Dated, quick
from usance.core.loan.terms import Terms
from usance.core.rates import Period, Rate

# --- the loan ----------------------------------------------------------------------------------------------------


@quick
class Loan(NamedTuple):
    """State at the start of the day `at`: every day before it is closed."""

    terms: Terms
    at: date
    status: str = "new"  # new, approved, active, past_due, closed, written_off, sold, cancelled
    balances: Mapping[str, int] = {}
    disbursed_on: date | None = None
    disbursed_minor: int = 0  # principal drawn, and fees added to it
    rate: Rate = Rate(Fraction(0), "year")
    rate_changes: tuple[tuple[date, Rate], ...] = ()  # still to come
    interest: Accrued = Accrued()
    penalty: Accrued = Accrued()
    penalty_in_year: int = 0  # posted in the calendar year of `at`, where that is capped
    charged_minor: int = 0  # all interest, fees and penalties ever charged
    period: Period | None = None  # the running one
    due_dates: tuple[date, ...] = ()  # not yet billed
    more: int = 0  # so many more instalments than the plan has, since others took the place of some
    level_minor: int = 0  # what an instalment amounts to
    still_bearing_minor: int = 0  # repaid in the running period, where that bears interest until it ends
    credit_minor: int = 0  # paid in advance for coming instalments, where it lowers them
    ahead: tuple[Ahead, ...] = ()  # of each coming instalment what is settled, where that leaves them as they are
    planned: tuple[int, ...] = ()  # the principal of each coming instalment as it was levelled, where they stay
    planned_so_far: tuple[date, Fraction] | None = None  # what their plan earned in a period until a day
    levels: tuple[int, ...] = ()  # what each amounts to, where later money is repaid over a term of its own
    drawn_later: tuple[tuple[date, int], ...] = ()  # money after the first, by day
    dated: tuple[Dated, ...] = ()  # charges, and principal owed again, that coming instalments will ask for
    even_factor: Fraction | None = None  # what each period earns, where interest is spread evenly over the plan
    dropped: Fraction = Fraction(0)  # interest below a minor unit that bills left out, to be collected by the last
    bills: tuple[Bill, ...] = ()
    settled_count: int = 0  # so many bills at the front are fully paid; the next one is not
    matured_on: date | None = None  # nothing more will be billed since
    dropped_dates: tuple[date, ...] = ()  # still to come when it was paid off
    closed_on: date | None = None
    penalty_paused: bool = False
    pauses: tuple[tuple[date, date], ...] = ()  # nights without interest, from and until
    pace: tuple[int, str] | None = None  # the step between due dates, where it is not the plan's any more
    moved_to: tuple[date, ...] = ()  # the due dates whose periods have not the plan's length
    charged_off_on: date | None = None
    non_accrual_on: date | None = None  # since then interest is no income before it is paid
    non_accrual_by_hand: bool = False  # by our decision, until we decide otherwise
    fees_at_start: Mapping[str, int] = {}  # charged when money came, with their taxes, by balance
    deferred: Fraction = Fraction(0)  # income that is not earned yet, exactly
    incomes: Mapping[str, int] = {}  # all that was deferred and not taken back, by who owes it
    given_back_minor: int = 0  # interest that went back with money
    withdrawn_on: date | None = None
    extension_count: int = 0
    claim_minor: int = 0  # written off and not recovered
    last_order: tuple[date, int, str] | None = None  # of the last event that took effect


def new(terms: Terms, on: date) -> Loan:
    """A loan before its first event."""
    return Loan(terms=terms, at=on)


# --- readers -----------------------------------------------------------------------------------------------------

LIVE = frozenset({"active", "past_due"})
WAITS = NOT_OWED | {"interest", "principal"}  # until a bill asks for it


def owed(loan: Loan) -> dict[str, int]:
    """Everything owed, by balance."""
    return {key: amount for key, amount in loan.balances.items() if key not in NOT_OWED}


def outstanding(loan: Loan) -> int:
    """The sum of everything owed."""
    return sum(amount for key, amount in loan.balances.items() if key not in NOT_OWED)


def reserved(loan: Loan) -> int:
    """Kept for interest that is not earned yet."""
    return 0 if not loan.ahead else sum(ahead.reserved_minor for ahead in loan.ahead)


def unapplied(loan: Loan) -> int:
    """Money that is there for anything."""
    return loan.balances.get(UNAPPLIED, 0) - reserved(loan)


def open_bills(loan: Loan) -> Iterator[tuple[int, Bill, dict[str, int]]]:
    """Index, bill and what remains of it, for bills that are not fully settled, oldest first."""
    for index in range(loan.settled_count, len(loan.bills)):
        remaining = loan.bills[index].remaining
        if remaining:
            yield index, loan.bills[index], remaining


def unbilled(loan: Loan) -> dict[str, int]:
    """What is owed and in no bill yet."""
    left = owed(loan)
    if loan.settled_count == len(loan.bills):
        return left
    for _, _, remaining in open_bills(loan):
        for key, amount in remaining.items():
            left[key] -= amount
    return {key: amount for key, amount in left.items() if amount}


def age_of_unbilled(loan: Loan, key: str) -> str:
    """Interest, its taxes and principal that no bill asks for yet are in advance until maturity, past due a day after
    it. Charges are payable at once, and as old as the oldest open bill."""
    if loan.matured_on is not None and loan.at > loan.matured_on:
        return "past_due"
    if not (key in ("interest", "principal") or loan.terms.is_tax_on_interest(key)):
        return "past_due" if (oldest_open_on(loan) or loan.at) < loan.at else "due"
    return "in_advance" if loan.matured_on is None else "due"


def payable(loan: Loan) -> dict[str, dict[str, int]]:
    """By age ("past_due", "due", "in_advance"): what is owed, by balance."""
    ages: dict[str, dict[str, int]] = {"past_due": {}, "due": {}, "in_advance": {}}
    for _, bill, remaining in open_bills(loan):
        age = ages["past_due" if bill.due_on < loan.at else "due"]
        for key, amount in remaining.items():
            age[key] = age.get(key, 0) + amount
    dated = dated_left(loan)
    for key, amount in unbilled(loan).items():
        later = dated.get(key, 0)
        for name, part in (("in_advance", later), (age_of_unbilled(loan, key), amount - later)):
            if part:
                ages[name][key] = ages[name].get(key, 0) + part
    return ages


def past_due_and_due(loan: Loan) -> tuple[int, int]:
    """Due before today and unpaid; due today, with charges that fall due at once."""
    if loan.settled_count == len(loan.bills) and loan.matured_on is None and loan.balances.keys() <= WAITS:
        return 0, 0
    ages = payable(loan)
    return sum(ages["past_due"].values()), sum(ages["due"].values())


def past_due(loan: Loan) -> int:
    """Due before today and unpaid."""
    return past_due_and_due(loan)[0]


def due_now(loan: Loan) -> int:
    """Payable now: past due, due today, and charges that fall due at once."""
    return sum(past_due_and_due(loan))


def oldest_open_on(loan: Loan) -> date | None:
    """The due date of the oldest bill that is not settled."""
    return loan.bills[loan.settled_count].due_on if loan.settled_count < len(loan.bills) else None


def oldest_past_due_on(loan: Loan) -> date | None:
    """The due date from which days past due are counted; None when nothing is past due."""
    oldest = oldest_open_on(loan)
    if oldest is not None:
        return oldest if oldest < loan.at else None
    matured = loan.matured_on
    return matured if matured is not None and matured < loan.at and outstanding(loan) else None


def days_past_due(loan: Loan) -> int:
    since = oldest_past_due_on(loan) if loan.status in LIVE else None
    return (loan.at - since).days if since else 0


def next_due_on(loan: Loan) -> date | None:
    """Today when something is due today, else the next instalment's date."""
    if is_due_today(loan):
        return loan.at
    return loan.due_dates[0] if loan.due_dates else None


def is_due_today(loan: Loan) -> bool:
    return any(bill.due_on == loan.at for _, bill, _ in open_bills(loan))


def pace(loan: Loan) -> tuple[int, str]:
    """One due date every so many units."""
    return loan.pace or (loan.terms.plan.every, loan.terms.plan.unit)


def instalment_number(loan: Loan) -> int:
    """Which instalment falls due next, counted from 1; after the last, one more than there are."""
    return max(0, loan.terms.plan.count + loan.more - len(loan.due_dates)) + 1


def redated(loan: Loan, dates: Sequence[date]) -> Loan:
    """With other instalments to come, on these dates. The next has the number that it had."""
    more = loan.more + len(dates) - len(loan.due_dates)
    return loan._replace(due_dates=tuple(dates), more=more, dropped_dates=())


def levels(loan: Loan) -> Sequence[int]:
    """What each coming instalment amounts to: its principal alone, where only that is level or listed."""
    if loan.levels:
        return loan.levels
    if loan.terms.plan.kind == "listed" and loan.planned:
        return loan.planned
    return [loan.level_minor] * len(loan.due_dates)


def level(loan: Loan) -> int:
    """What the next instalment amounts to."""
    return next(iter(levels(loan)), loan.level_minor)


def settled_ahead(loan: Loan, index: int) -> Ahead:
    """Of the coming instalment with this index."""
    return loan.ahead[index] if index < len(loan.ahead) else Ahead()


def scheduled_principal(loan: Loan) -> int:
    """The principal of the instalments to come, settled in advance or not."""
    settled = sum(regular_ahead(loan, index, ("principal",)) for index in range(len(loan.ahead)))
    return regular(loan).get("principal", 0) + settled


def coming_dates(loan: Loan) -> list[date]:
    """Of the instalments to come: those of the plan, and one after them, on the last day on which something falls
    due."""
    last = loan.due_dates[-1] if loan.due_dates else None
    later = [item.due_on for item in loan.dated if last is None or item.due_on > last]
    return [*loan.due_dates, *later[-1:]]


def charges_of(loan: Loan, index: int, dates: Sequence[date]) -> dict[str, int]:
    """The dated amounts of the coming instalment with this index, settled or not."""
    first, last = dates[index - 1] if index else date.min, dates[index]
    found: dict[str, int] = {}
    for item in loan.dated:
        if first < item.due_on <= last:
            found[item.balance] = found.get(item.balance, 0) + item.amount_minor
    return found


def left_of_dated(loan: Loan, index: int, dates: Sequence[date]) -> dict[str, int]:
    """What remains of the dated amounts of the coming instalment with this index. What was settled of it counts for
    these first."""
    settled = settled_ahead(loan, index)
    left = {key: amount - settled.there(key) for key, amount in charges_of(loan, index, dates).items()}
    return {key: amount for key, amount in left.items() if amount > 0}


def dated_left(loan: Loan) -> dict[str, int]:
    """What remains of all dated amounts, by balance."""
    if not loan.dated:
        return {}
    dates, left = coming_dates(loan), dict[str, int]()
    for index in range(len(dates)):
        for key, amount in left_of_dated(loan, index, dates).items():
            left[key] = left.get(key, 0) + amount
    return left


def regular(loan: Loan) -> dict[str, int]:
    """What is owed, in no bill yet, and not of a day of its own."""
    left = unbilled(loan)
    if loan.dated:
        for key, amount in dated_left(loan).items():
            left[key] -= amount
    return left


def regular_ahead(loan: Loan, index: int, keys: Container[str]) -> int:
    """What was settled in advance of the regular part of a coming instalment, of some balances."""
    if index >= len(loan.ahead):
        return 0
    settled = loan.ahead[index]
    if not loan.dated:
        return settled.of(keys)
    dated = charges_of(loan, index, coming_dates(loan))
    return sum(
        settled.of((key,)) - min(settled.there(key), dated.get(key, 0))
        for key in ("interest", "principal")
        if key in keys
    )


def recounted(loan: Loan) -> Loan:
    """With the number of settled bills at the front counted anew."""
    settled = 0
    while settled < len(loan.bills) and not loan.bills[settled].remaining:
        settled += 1
    return loan._replace(settled_count=settled)


def contra_of(loan: Loan) -> str:
    """The contra balance that moves with the debt now; "" for none."""
    if loan.charged_off_on is not None:
        return CHARGED_OFF
    return SUSPENDED if loan.non_accrual_on is not None else ""
