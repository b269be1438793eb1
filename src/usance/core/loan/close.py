"""The close of a day, and of many: what follows from a date alone.

A day is closed by the named steps of CLOSE_OF_DAY. Between two dates on the loan's agenda all days are alike, so
`advance` may close them in one go; a law proves that this equals closing each day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from usance.core.calendar import ONE_DAY
from usance.core.loan import allocate, bills, charges, income, recognition, state, status
from usance.core.loan.book import Book, Step
from usance.core.loan.state import Loan

CloseStep = Callable[[Loan, Book, date], Loan]


def advance(loan: Loan, to: date, *, daily: bool = True) -> Step:
    """The loan at the start of `to`. With `daily` each day has its own movements, as the books want them; without, one
    movement stands for a span of equal days, as quotes need no more. The state is the same."""
    book = Book()
    return book.step(advance_into(loan, to, book, daily=daily))


def advance_into(loan: Loan, to: date, book: Book, *, daily: bool) -> Loan:
    """`advance`, writing into a book."""
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
    """A bill left open on the day being closed costs its fees and its flat penalty."""
    return charges.miss_instalments(loan, book) if loan.settled_count < len(loan.bills) else loan


def accrue_interest(loan: Loan, book: Book, until: date) -> Loan:
    """The night earns interest on what was owed when the day ended."""
    return charges.accrue_interest(loan, book, until)


def accrue_penalty(loan: Loan, book: Book, until: date) -> Loan:
    """What is late costs its penalty; after the interest, which has the first claim on what a cap leaves."""
    return charges.accrue_penalty(loan, book, until) if loan.settled_count < len(loan.bills) else loan


def earn_income(loan: Loan, book: Book, until: date) -> Loan:
    """The day's part of income that is spread over the whole term."""
    return income.earn(loan, book, until) if loan.deferred else loan


def open_next_day(loan: Loan, book: Book, until: date) -> Loan:
    """The new day begins: another rate, another year, another period and its bill."""
    known, loan = len(loan.rate_changes), _on_day(loan, until)
    for _ in range(known - len(loan.rate_changes)):
        book.fact("rate_changed", until)
    if loan.period is not None and until >= loan.period.ends_on:
        loan = allocate.allocate(bills.turn_period(loan, book), book, until, ("past_due", "due"))
        loan = status.derive(loan, book)
    if not loan.due_dates and loan.dated and loan.dated[-1].due_on <= until:
        loan = allocate.allocate(bills.billed(loan, {}, book), book, until, ("past_due", "due"))
        loan = status.derive(loan, book)
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


def watch_non_accrual(loan: Loan, book: Book, until: date) -> Loan:
    """On non-accrual since today, or no more."""
    return recognition.derive(loan, book)


MORNING: tuple[CloseStep, ...] = (
    open_next_day,  # here the loan goes on to the next morning
    watch_lateness,
    watch_non_accrual,
)
CLOSE_OF_DAY: tuple[CloseStep, ...] = (
    charge_missed,
    accrue_interest,
    accrue_penalty,
    earn_income,
    *MORNING,
)


# --- the agenda --------------------------------------------------------------------------------------------------


def agenda(loan: Loan) -> date | None:
    """The next date on which something other than accrual happens by itself; None when nothing will."""
    return min(_stops(loan), default=None) if loan.status in state.LIVE else None


def quiet_until(loan: Loan, to: date) -> date:
    """How far all days are alike, `to` at most."""
    until = min(_stops(loan) | {to})
    return until if until - loan.at == ONE_DAY or not meets_a_cap(loan, until) else loan.at + ONE_DAY


def _stops(loan: Loan) -> set[date]:
    """Dates after today at which a day differs from the one before."""
    stops = {on for on, _ in loan.rate_changes[:1]}
    stops.update(on for pause in loan.pauses for on in pause)
    stops.update(item.due_on for item in loan.dated[-1:])
    if loan.period is not None:
        stops.add(loan.period.ends_on)
    penalty = loan.terms.penalty
    if penalty and penalty.yearly_cap_share is not None:
        stops.add(date(loan.at.year + 1, 1, 1))
    dues = [bill.due_on for _, bill, _ in state.open_bills(loan)]
    if loan.matured_on is not None:
        dues.append(loan.matured_on)
    if dues:
        late_days = [timedelta(days) for days in _late_days(loan)]
        stops.update(due + late for due in dues for late in late_days)
    return {on for on in stops if on > loan.at}


def _late_days(loan: Loan) -> set[int]:
    """Days past due at which a bill does something new."""
    terms, penalty = loan.terms, loan.terms.penalty
    late_days = {0, 1, terms.default_after_days}
    if terms.non_accrual:
        late_days.add(terms.non_accrual.after_days)
    if penalty:
        late_days |= {penalty.grace_days, penalty.grace_days + (1 if penalty.flat_minor else 0)}
    for fee in terms.fees:
        if fee.when == "on_lateness":
            late_days |= {fee.after_days, fee.after_days + 1}
    return late_days


def meets_a_cap(loan: Loan, until: date) -> bool:
    """Whether a cap may bite before `until` (roundings included): then each day must be closed by itself."""
    cost, penalty = charges.cost_room(loan), charges.penalty_room(loan)
    if cost is None and penalty is None:
        return False
    earned, fined = charges.interest_between(loan, until), charges.penalty_between(loan, until)
    near_cost = cost is not None and earned + fined > max(0, cost - 2)
    near_penalty = penalty is not None and fined > max(0, penalty - 1)
    return near_cost or near_penalty
