"""The close of a day, and of many: what follows from a date alone.

A day is closed by the named steps of CLOSE_OF_DAY. Between two dates on the loan's agenda all days are alike, so
`advance` may close them in one go; a law proves that this equals closing each day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from usance.core import calendar
from usance.core.calendar import ONE_DAY
from usance.core.loan import allocate, charges, income, plan, recognition, state, to_come
from usance.core.loan.state import Bill, Book, Loan, Step
from usance.core.rates import Period

CloseStep = Callable[[Loan, Book, date], Loan]


def advance(loan: Loan, to: date, *, daily: bool = True) -> Step:
    """The loan at the start of `to`. With `daily` each day has its own movements, as the books want them; without, one
    movement stands for a span of equal days, as quotes need no more. The state is the same."""
    book = Book()
    return book.step(advance_into(loan, to, book, daily=daily))


def advance_into(loan: Loan, to: date, book: Book, *, daily: bool) -> Loan:
    """`advance`, telling into a book."""
    if to < loan.at:
        raise ValueError(f"the loan is at {loan.at}; going back to {to} is replay's work")
    while loan.at < to:
        if loan.status not in state.LIVE:
            return _on_day(loan, to)
        until = loan.at + ONE_DAY if daily else quiet_until(loan, to)
        for step in CLOSE_OF_DAY:
            loan = step(loan, book, until)
    return loan


# --- the steps ---------------------------------------------------------------------------------------------------


def charge_missed(loan: Loan, book: Book, until: date) -> Loan:
    """A bill left open on the day being closed costs its fees."""
    return charges.miss_instalments(loan, book) if loan.settled_count < len(loan.bills) else loan


def accrue_interest(loan: Loan, book: Book, until: date) -> Loan:
    return charges.accrue_interest(loan, book, until)


def accrue_penalty(loan: Loan, book: Book, until: date) -> Loan:
    return charges.accrue_penalty(loan, book, until) if loan.settled_count < len(loan.bills) else loan


def earn_income(loan: Loan, book: Book, until: date) -> Loan:
    return income.earn(loan, book, until) if loan.deferred else loan


def open_next_day(loan: Loan, book: Book, until: date) -> Loan:
    """The new day begins: another rate, another year, another period and its bill."""
    known, loan = len(loan.rate_changes), _on_day(loan, until)
    for _ in range(known - len(loan.rate_changes)):
        book.fact("rate_changed", until)
    if loan.period is not None and until >= loan.period.ends_on:
        loan = allocate.allocate(turn_period(loan, book), book, until, ("past_due", "due"))
        loan = settle_status(loan, book)
    if not loan.due_dates and loan.dated and loan.dated[-1].due_on <= until:
        loan = allocate.allocate(_billed(loan, {}, book), book, until, ("past_due", "due"))
        loan = settle_status(loan, book)
    return loan


def _on_day(loan: Loan, day: date) -> Loan:
    """The same loan on another day: by the rate agreed for it; the penalties of a new year count from zero."""
    while loan.rate_changes and loan.rate_changes[0][0] <= day:
        loan = loan._replace(rate=loan.rate_changes[0][1], rate_changes=loan.rate_changes[1:])
    return loan._replace(at=day, penalty_in_year=loan.penalty_in_year if day.year == loan.at.year else 0)


def watch_lateness(loan: Loan, book: Book, until: date) -> Loan:
    """Past due since today; in default since today."""
    if loan.status not in state.LIVE or (loan.settled_count == len(loan.bills) and loan.matured_on is None):
        return loan
    late = state.days_past_due(loan)
    if late and loan.status == "active":
        loan = loan._replace(status="past_due")
        book.fact("became_past_due", until, past_due_minor=state.past_due(loan))
    if late == loan.terms.default_after_days:
        book.fact("defaulted", until, days_past_due=late)
    return loan


def watch_income(loan: Loan, book: Book, until: date) -> Loan:
    """On non-accrual since today, or no more."""
    return recognition.settle(loan, book)


CLOSE_OF_DAY: tuple[CloseStep, ...] = (
    charge_missed, accrue_interest, accrue_penalty, earn_income, open_next_day, watch_lateness, watch_income,
)  # fmt: skip


# --- bills -------------------------------------------------------------------------------------------------------


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


def all_due(loan: Loan, book: Book) -> Loan:
    """All that is left is asked for today: by the bill of today, where there is one, else by one of its own."""
    dates = state.coming_dates(loan)
    paid: Mapping[str, int] = {}
    relieved: Mapping[str, int] = {}
    for index in range(len(dates)):
        one = state.settled_ahead(loan, index)
        paid, relieved = _sum(paid, one.paid), _sum(relieved, one.relieved)
    due = _sum(_sum(state.unbilled(loan), paid), relieved)
    early = sum(paid.values())
    bills, last = loan.bills, loan.bills[-1] if loan.bills else None
    if last is not None and last.due_on == loan.at:
        bill = Bill(
            last.number, last.starts_on, last.due_on, _sum(last.due, due), _sum(last.paid, paid),
            _sum(last.relieved, relieved), last.early_minor + early, last.late_minor, last.down_minor,
        )  # fmt: skip
        bills = bills[:-1]
    else:
        starts_on = loan.period.starts_on if loan.period else loan.at
        bill = Bill(len(bills) + 1, starts_on, loan.at, due, paid, relieved, early)
    book.fact("matured", loan.at)
    return state.recounted(
        loan._replace(
            bills=(*bills, bill), due_dates=(), planned=(), levels=(), ahead=(), dated=(), still_bearing_minor=0,
            matured_on=loan.at,
        )
    )  # fmt: skip


def _sum(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {key: total for key in {**a, **b} if (total := a.get(key, 0) + b.get(key, 0))}


def _bill(loan: Loan, book: Book) -> Loan:
    """The instalment due today, split by the kind of plan; charges on top; the last takes all. What was settled of it
    in advance is settled."""
    if loan.ahead and loan.ahead[0].reserved_minor:
        loan = _released(loan, book)
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
    loan = _billed(loan, due, book)
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


def _released(loan: Loan, book: Book) -> Loan:
    """The interest that was paid before it was earned is paid now; what is not needed is free again."""
    first = loan.ahead[0]
    used = min(first.reserved_minor, state.regular(loan).get("interest", 0))
    loan = allocate.release(loan, book, used)
    paid = {**first.paid, "interest": first.paid.get("interest", 0) - (first.reserved_minor - used)}
    return loan._replace(ahead=(loan.ahead[0]._replace(paid=paid, reserved_minor=0), *loan.ahead[1:]))


def _billed(loan: Loan, due: Mapping[str, int], book: Book) -> Loan:
    """With a bill of today: interest and principal as told, and all else that falls due with it."""
    on, ahead, dates = loan.at, state.settled_ahead(loan, 0), state.coming_dates(loan)
    asked = {key: amount for key, amount in state.regular(loan).items() if key not in ("interest", "principal")}
    asked |= dict(due)
    for key, amount in (state.charges_of(loan, 0, dates) if dates else {}).items():
        asked[key] = asked.get(key, 0) + amount
    starts_on = loan.period.starts_on if loan.period and loan.due_dates else on
    bill = Bill(
        len(loan.bills) + 1,
        starts_on,
        on,
        {key: amount for key, amount in asked.items() if amount},
        ahead.paid,
        ahead.relieved,
        early_minor=sum(ahead.paid.values()),
    )
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


def joined(bills: Sequence[Bill], bill: Bill) -> tuple[Bill, ...]:
    """With a bill that came after all that were planned: there is one, of the latest day."""
    planned_until = max((one.due_on for one in bills if one.starts_on < one.due_on), default=bill.due_on)
    last = bills[-1] if bills else None
    if last is None or last.starts_on != last.due_on or last.due_on <= planned_until:
        return (*bills, bill)
    day = max(last.due_on, bill.due_on)
    both = bill._replace(
        number=last.number,
        starts_on=day,
        due_on=day,
        due=_sum(last.due, bill.due),
        paid=_sum(last.paid, bill.paid),
        relieved=_sum(last.relieved, bill.relieved),
        early_minor=last.early_minor + bill.early_minor,
        late_minor=last.late_minor + bill.late_minor,
        down_minor=last.down_minor + bill.down_minor,
    )
    return (*bills[:-1], both)


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
        early = sum(ahead.paid.values())
        bills.append(Bill(len(bills) + 1, starts_on, due_on, due, ahead.paid, ahead.relieved, early_minor=early))
        starts_on, dated = due_on, tuple(item for item in dated if item.due_on > due_on)
    return state.recounted(
        loan._replace(
            bills=tuple(bills), due_dates=(), ahead=loan.ahead[len(dates) :], dated=dated,
            dropped_dates=loan.due_dates or loan.dropped_dates,
        )
    )  # fmt: skip


def _takes_all(loan: Loan, left: Mapping[str, int], room: int) -> bool:
    """Whether a regular instalment would leave nothing for later ones."""
    if (
        loan.terms.early_interest == "owed"
        or loan.credit_minor > state.level(loan)
        or state.instalment_number(loan) <= loan.terms.grace.principal
    ):
        return False
    return room >= sum(left.get(part, 0) for part in plan.LEVEL_PARTS[loan.terms.plan.kind])


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


# --- status ------------------------------------------------------------------------------------------------------


def settle_status(loan: Loan, book: Book) -> Loan:
    """Paid off or not, late or not; and what has no days left to be earned over is earned."""
    loan = _closed_or_open(loan, book)
    return income.settled(loan, book) if loan.deferred else loan


def _closed_or_open(loan: Loan, book: Book) -> Loan:
    """Closed is derived: a live loan that owes nothing is paid off, a closed one that owes again is reopened."""
    owes = state.outstanding(loan)
    if not owes and loan.due_dates:
        owes = to_come.unearned(loan)
    if loan.status in state.LIVE and not owes:
        loan = allocate.earned_when_all_is_paid(loan, book)
        book.fact("paid_off", loan.at)
        if state.unapplied(loan):
            book.fact("unapplied_left", loan.at, amount_minor=state.unapplied(loan))
        return nothing_to_come(loan, state.coming_dates(loan))._replace(
            status="closed", closed_on=loan.at, credit_minor=0, still_bearing_minor=0,
            matured_on=loan.matured_on or loan.at,
        )  # fmt: skip
    if loan.status == "closed" and owes:
        book.fact("reopened", loan.at, outstanding_minor=owes)
        matured_on = loan.at if loan.matured_on is not None else None  # what no bill asks for is due today, not then
        loan = loan._replace(status="active", closed_on=None, matured_on=matured_on, period=next_period(loan))
    if loan.status in state.LIVE:
        late = state.days_past_due(loan) > 0
        if loan.status == "past_due" and not late:
            book.fact("cured", loan.at)
        if late != (loan.status == "past_due"):
            return loan._replace(status="past_due" if late else "active")
    return loan


# --- the agenda --------------------------------------------------------------------------------------------------


def agenda(loan: Loan) -> date | None:
    """The next date on which something other than accrual happens by itself; None when nothing will."""
    return min(_stops(loan), default=None) if loan.status in state.LIVE else None


def quiet_until(loan: Loan, to: date) -> date:
    """How far all days are alike, `to` at most."""
    until = min(_stops(loan) | {to})
    return until if until - loan.at == ONE_DAY or not _meets_a_cap(loan, until) else loan.at + ONE_DAY


def _stops(loan: Loan) -> set[date]:
    """Dates after today at which a day differs from the one before."""
    stops = {on for on, _ in loan.rate_changes[:1]} | {on for pause in loan.pauses for on in pause}
    if loan.period is not None:
        stops.add(loan.period.ends_on)
    stops |= {item.due_on for item in loan.dated[-1:]}
    penalty = loan.terms.penalty
    if penalty and penalty.yearly_cap_share is not None:
        stops.add(date(loan.at.year + 1, 1, 1))
    late_days = {0, 1, loan.terms.default_after_days}
    if loan.terms.non_accrual:
        late_days.add(loan.terms.non_accrual.after_days)
    if penalty:
        late_days |= {penalty.grace_days, penalty.grace_days + (1 if penalty.flat_minor else 0)}
    for fee in loan.terms.fees:
        if fee.when == "on_lateness":
            late_days |= {fee.after_days, fee.after_days + 1}
    dues = [bill.due_on for _, bill, _ in state.open_bills(loan)]
    if loan.matured_on is not None:
        dues.append(loan.matured_on)
    stops |= {due + timedelta(days=days) for due in dues for days in late_days}
    return {on for on in stops if on > loan.at}


def _meets_a_cap(loan: Loan, until: date) -> bool:
    """Whether a cap may bite before `until` (roundings included): then each day must be closed by itself."""
    cost, penalty = charges.cost_room(loan), charges.penalty_room(loan)
    if cost is None and penalty is None:
        return False
    earned, fined = charges.interest_between(loan, until), charges.penalty_between(loan, until)
    near_cost = cost is not None and earned + fined > max(0, cost - 2)
    near_penalty = penalty is not None and fined > max(0, penalty - 1)
    return near_cost or near_penalty
