"""Bills: an instalment falls due, and what it asks for is noted. What was settled of it in advance is settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from usance.core import calendar
from usance.core.loan import charges, plan, reserve, state
from usance.core.loan.book import Book
from usance.core.loan.records import Ahead, Bill
from usance.core.loan.state import Loan
from usance.core.rates import Period

NOTHING_AHEAD = Ahead()


# --- one bill ----------------------------------------------------------------------------------------------------


def new_bill(
    before: Sequence[Bill],
    starts_on: date,
    due_on: date,
    due: Mapping[str, int],
    settled: Ahead = NOTHING_AHEAD,
    *,
    down_minor: int = 0,
) -> Bill:
    """The bill that comes after those: the one place where a bill is made. All that was paid of it by now was paid
    before it fell due."""
    early = sum(settled.paid.values())
    number = len(before) + 1
    return Bill(number, starts_on, due_on, due, settled.paid, settled.relieved, early, down_minor=down_minor)


def together(parts: Iterable[Ahead]) -> Ahead:
    """What was paid and forgiven in advance of several instalments, as of one."""
    sums = Ahead({}, {})
    for one in parts:
        sums = Ahead(_added(sums.paid, one.paid), _added(sums.relieved, one.relieved))
    return sums


def _added(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}


def _sum(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    """The same, zeros left out."""
    return {key: total for key, total in _added(a, b).items() if total}


def _merged(bill: Bill, more: Bill) -> Bill:
    """Two bills as one, which keeps the number and the days of the first."""
    return bill._replace(
        due=_sum(bill.due, more.due),
        paid=_sum(bill.paid, more.paid),
        relieved=_sum(bill.relieved, more.relieved),
        early_minor=bill.early_minor + more.early_minor,
        late_minor=bill.late_minor + more.late_minor,
        down_minor=bill.down_minor + more.down_minor,
    )


# --- the bill of a period ----------------------------------------------------------------------------------------


def turn_period(loan: Loan, book: Book) -> Loan:
    """At the end of a period: its instalment falls due, and the next period begins."""
    if loan.due_dates:
        loan = _bill(loan, book)
    return loan._replace(period=next_period(loan), still_bearing_minor=0)


def next_period(loan: Loan, starts_on: date | None = None) -> Period:
    """From today (or from where the running one began) to the next due date; after the last, a period of the plan's
    usual length. A due date that was moved gives its period another length."""
    every, unit = state.pace(loan)
    start = starts_on or loan.at
    ends_on = loan.due_dates[0] if loan.due_dates else calendar.STEPS[unit](start, every)
    if ends_on in loan.moved_to:
        return Period(start, ends_on, calendar.steps_between(start, ends_on, unit), unit)
    return Period(start, ends_on, every, unit)


def _bill(loan: Loan, book: Book) -> Loan:
    """The instalment due today, split by the kind of plan; charges on top; the last takes all. What was settled of it
    in advance is settled."""
    loan = reserve.release_for_bill(loan, book)
    on, level, parts = loan.at, state.level(loan), plan.LEVEL_PARTS[loan.terms.plan.kind]
    room = max(0, level - loan.credit_minor - state.regular_ahead(loan, 0, parts))
    left = state.regular(loan)
    last = len(loan.due_dates) == 1 or _takes_all(loan, left, room)
    if loan.terms.residue != "carry":
        loan = charges.settle_residue(loan, book, last=last)
        left = state.regular(loan)
    interest, principal = left.get("interest", 0), left.get("principal", 0)
    if not last:
        interest, principal = _split(loan, interest, principal, room)
    due = {
        "interest": interest + state.regular_ahead(loan, 0, ("interest",)),
        "principal": principal + state.regular_ahead(loan, 0, ("principal",)),
    }
    for fee in loan.terms.fees:
        if fee.when == "per_instalment" and state.outstanding(loan) and loan.withdrawn_on is None:
            loan = charges.charge_fee(loan, book, fee.kind, charges.fee_amount(loan, fee, due), on)
    loan = billed(loan, due, book)
    if last:
        book.fact("matured", on)
    loan = loan._replace(
        due_dates=loan.due_dates[1:],
        planned=loan.planned[1:],
        levels=loan.levels[1:],
        credit_minor=max(0, loan.credit_minor - level),
        matured_on=on if last else None,
    )
    return nothing_to_come(loan, loan.due_dates) if last else loan


def _takes_all(loan: Loan, left: Mapping[str, int], room: int) -> bool:
    """Whether a regular instalment would leave nothing for later ones."""
    if (
        loan.terms.early_interest == "owed"
        or loan.credit_minor > state.level(loan)
        or state.instalment_number(loan) <= loan.terms.grace.principal
        or _late_days_may_cost(loan)
    ):
        return False
    return room >= sum(left.get(part, 0) for part in plan.LEVEL_PARTS[loan.terms.plan.kind])


def _late_days_may_cost(loan: Loan) -> bool:
    """Whether the instalments to come are to ask for interest of late days, though nothing else is left for them: there
    is principal past due that bears it, or they are settled in advance and stand until their dates."""
    if loan.terms.interest_base != "actual_balance" or loan.terms.interest_spread != "as_earned":
        return False
    if not (loan.rate.share or loan.rate_changes):
        return False
    is_late = any("principal" in remaining for _, _, remaining in state.open_bills(loan))
    return is_late or any(amount for one in loan.ahead[1:] for amount in (*one.paid.values(), *one.relieved.values()))


def _split(loan: Loan, interest: int, principal: int, room: int) -> tuple[int, int]:
    """Interest and principal of a regular instalment. Where the level holds both, interest comes first, unless so much
    principal was settled in advance that it does not fit: it waits for the next. Grace leaves one or the other for
    later."""
    number, grace = state.instalment_number(loan), loan.terms.grace
    if number <= grace.interest:
        interest = 0
    if number <= grace.principal:
        return interest, 0
    if "interest" in plan.LEVEL_PARTS[loan.terms.plan.kind]:
        saved = loan.terms.early_interest == "saved" and state.regular_ahead(loan, 0, ("principal",))
        interest = 0 if saved and interest > room else min(interest, room)
        room -= interest
    return interest, min(principal, room)


def billed(loan: Loan, due: Mapping[str, int], book: Book) -> Loan:
    """With a bill of today: interest and principal as given, and all else that falls due with it."""
    on, ahead, dates = loan.at, state.settled_ahead(loan, 0), state.coming_dates(loan)
    asked = {key: amount for key, amount in state.regular(loan).items() if key not in ("interest", "principal")}
    asked |= dict(due)
    for key, amount in (state.charges_of(loan, 0, dates) if dates else {}).items():
        asked[key] = asked.get(key, 0) + amount
    starts_on = loan.period.starts_on if loan.period and loan.due_dates else on
    bill = new_bill(loan.bills, starts_on, on, {key: amount for key, amount in asked.items() if amount}, ahead)
    book.fact("instalment_due", on, number=bill.number, total_minor=sum(bill.remaining.values()))
    bills = (*loan.bills, bill) if loan.due_dates else joined(loan.bills, bill)
    settled = loan.settled_count + (loan.settled_count == len(loan.bills) and not bill.remaining)
    loan = loan._replace(
        bills=bills,
        settled_count=min(settled, len(bills)),
        ahead=loan.ahead[1:],
        dated=tuple(item for item in loan.dated if item.due_on > on),
    )
    return loan if loan.due_dates else state.recounted(loan)


# --- bills that the plan did not have ----------------------------------------------------------------------------


def joined(bills: Sequence[Bill], bill: Bill) -> tuple[Bill, ...]:
    """With a bill that came after all that were planned: there is one, of the latest day."""
    planned_until = max((one.due_on for one in bills if one.starts_on < one.due_on), default=bill.due_on)
    last = bills[-1] if bills else None
    if last is None or last.starts_on != last.due_on or last.due_on <= planned_until:
        return (*bills, bill)
    day = max(last.due_on, bill.due_on)
    return (*bills[:-1], _merged(last, bill)._replace(starts_on=day, due_on=day))


def all_due(loan: Loan, book: Book) -> Loan:
    """All that is left is asked for today: by the bill of today, where there is one, else by one of its own."""
    settled = together(loan.ahead[: len(state.coming_dates(loan))])
    paid, relieved = _sum(settled.paid, {}), _sum(settled.relieved, {})
    due = _sum(_sum(state.unbilled(loan), paid), relieved)
    starts_on = loan.period.starts_on if loan.period else loan.at
    bills = loan.bills
    bill = new_bill(bills, starts_on, loan.at, due, Ahead(paid, relieved))
    if bills and bills[-1].due_on == loan.at:
        bills, bill = bills[:-1], _merged(bills[-1], bill)
    book.fact("matured", loan.at)
    return state.recounted(
        loan._replace(
            bills=(*bills, bill), due_dates=(), planned=(), levels=(), ahead=(), dated=(), still_bearing_minor=0,
            matured_on=loan.at,
        )
    )  # fmt: skip


def nothing_to_come(loan: Loan, dates: Sequence[date]) -> Loan:
    """The plan asks for nothing more; instalments of these dates of which something was settled in advance are bills
    all the same."""
    bills, dated = list(loan.bills), loan.dated
    starts_on = loan.period.starts_on if loan.period and loan.period.ends_on > loan.at else loan.at
    for index, (due_on, ahead) in enumerate(zip(dates, loan.ahead, strict=False)):
        due = state.charges_of(loan, index, dates)
        for key in ("interest", "principal"):
            due[key] = due.get(key, 0) + state.regular_ahead(loan, index, (key,))
        due = {key: amount for key, amount in due.items() if amount}
        bills.append(new_bill(bills, starts_on, due_on, due, ahead))
        starts_on, dated = due_on, tuple(item for item in dated if item.due_on > due_on)
    return state.recounted(
        loan._replace(
            bills=tuple(bills), due_dates=(), ahead=loan.ahead[len(dates) :], dated=dated,
            dropped_dates=loan.due_dates or loan.dropped_dates,
        )
    )  # fmt: skip
