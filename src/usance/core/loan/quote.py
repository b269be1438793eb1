"""Readers only: what a loan will cost, what closes it, what would happen if. Every figure comes from the same fold that
keeps the books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from usance.core import apr
from usance.core.loan import draw, forecast, replay, reserve, state
from usance.core.loan.apply import apply
from usance.core.loan.book import Book, Line, Step
from usance.core.loan.close import advance
from usance.core.loan.events import Approved, Disbursed, Event, Extended, PaymentReceived
from usance.core.loan.movements import SUSPENDED, Movement
from usance.core.loan.records import Bill
from usance.core.loan.state import Loan
from usance.core.loan.terms import Terms


class Row(NamedTuple):
    """One instalment of a schedule. For one in the future, amounts are those of paying everything on time."""

    number: int
    starts_on: date
    due_on: date
    amounts: Mapping[str, int]
    paid_minor: int
    remaining_minor: int
    principal_after_minor: int
    billed: bool
    early_minor: int = 0  # paid before it fell due
    late_minor: int = 0  # paid after that
    relieved_minor: int = 0  # forgiven, or written off

    @property
    def total_minor(self) -> int:
        return sum(self.amounts.values())


class Drawn(NamedTuple):
    """Money that is expected to come on a day: the principal, and what is sent of it."""

    on: date
    amount_minor: int
    sent_minor: int


class Projection(NamedTuple):
    """The calculator's answer and the contract's figures: terms lived through as agreed."""

    rows: tuple[Row, ...]
    starts_on: date
    ends_on: date
    days: int
    disbursed_minor: int  # the principal drawn
    deducted: Mapping[str, int]  # kept back, by balance
    sent_minor: int  # what the borrower gets
    total_minor: int  # what the borrower pays
    cost_minor: int  # all that is paid for the money, deducted fees included
    by_balance: Mapping[str, int]  # what is paid, by balance
    drawdowns: tuple[Drawn, ...]  # the money, as it is expected to come
    apr: Fraction | None  # None where it is undefined
    daily_cost: Fraction  # cost / principal / days, the daily rate of Ukrainian law


class Payoff(NamedTuple):
    """What closes the loan on a day: `total_minor` is the money needed besides the unapplied funds."""

    on: date
    amounts: Mapping[str, int]
    unapplied_minor: int
    total_minor: int


class Standing(NamedTuple):
    """A loan in a few figures, for a person. The next payment is the next for which money is needed: an instalment that
    was paid in advance is passed over."""

    on: date
    status: str
    outstanding_minor: int
    due_now_minor: int
    past_due_minor: int
    days_past_due: int
    next_due_on: date | None
    next_due_minor: int
    ends_on: date | None
    payoff_minor: int
    still_to_pay_minor: int  # to the end, if all is paid when due
    unapplied_minor: int
    suspended_minor: int  # of what is owed, no income before it is paid


class Statement(NamedTuple):
    """What a due date to come will ask for, told beforehand: the instalment of that date, and what is carried over from
    earlier ones. Interest and penalties that lateness adds until then are in neither."""

    on: date
    due_on: date
    number: int
    new: Mapping[str, int]  # of the instalment, by balance
    carried: Mapping[str, int]  # payable already, by balance
    paid_minor: int  # of both, beforehand
    total_minor: int


class Preview(NamedTuple):
    before: Standing
    after: Standing
    loan: Loan
    movements: tuple[Movement, ...]


class ExtensionQuote(NamedTuple):
    """What extending on a day costs then and there, and where the due date goes."""

    on: date
    days: int
    amounts: Mapping[str, int]
    price_minor: int
    new_due_on: date


# --- before the loan ---------------------------------------------------------------------------------------------

REMEMBERED = 512  # a person on the way to a loan is shown the same figures on page after page


def _begun(terms: Terms, starts_on: date) -> Step:
    loan = apply(state.new(terms, starts_on), Approved(effective_on=starts_on, source="quote:approved")).loan
    return apply(loan, _drawn(starts_on, draw.first(terms)))


def _drawn(on: date, amount: int) -> Disbursed:
    return Disbursed(effective_on=on, source="quote:disbursed", amount_minor=amount)


class _Lived(NamedTuple):
    """A loan that was drawn as expected, each bill until then paid on its day, and what was kept back of the money."""

    loan: Loan
    drawdowns: tuple[Drawn, ...]
    deducted: Mapping[str, int]


def _drawn_as_expected(terms: Terms, starts_on: date) -> _Lived:
    drawn, deducted, loan = list[Drawn](), dict[str, int](), state.new(terms, starts_on)
    for days, amount in draw.parts(terms):
        on = starts_on + timedelta(days=days)
        if loan.disbursed_on is None:
            step = _begun(terms, starts_on)
        else:
            loan = _bills_paid(loan) if loan.at < on else loan
            while (dates := state.coming_dates(loan)) and dates[0] < on and loan.status in state.LIVE:
                loan = _bills_paid(advance(loan, dates[0], daily=False).loan)
            step = apply(advance(loan, on, daily=False).loan, _drawn(on, amount))
        loan, kept = step.loan, withheld(step.movements)
        for key, part in kept.items():
            deducted[key] = deducted.get(key, 0) + part
        drawn.append(Drawn(on, amount, amount - sum(kept.values())))
    return _Lived(loan, tuple(drawn), deducted)


def withheld(movements: Iterable[Movement]) -> dict[str, int]:
    """What was kept back of the money, by balance."""
    return {m.balance: -m.amount_minor for m in movements if m.kind in ("fee_withheld", "tax_withheld")}


def _bills_paid(loan: Loan) -> Loan:
    """What bills ask for today is paid; a charge that no bill asks for yet waits for the next."""
    if loan.matured_on is not None:
        return _paid_up(loan)
    asked = sum(sum(remaining.values()) for _index, _bill, remaining in state.open_bills(loan))
    return _pay(loan, asked) if asked else loan


def _paid_up(loan: Loan) -> Loan:
    return _pay(loan, state.due_now(loan)) if state.due_now(loan) else loan


@lru_cache(maxsize=REMEMBERED)
def net_disbursement(terms: Terms) -> int:
    """The money to send first: the principal, or its first part, less what is deducted."""
    any_day = date(2001, 1, 1)  # what is kept back is the same on each
    movements = _begun(terms, terms.signed_on or any_day).movements
    return draw.first(terms) - sum(withheld(movements).values())


def level(terms: Terms, starts_on: date) -> int:
    """The amount of a regular instalment, in minor units, if the money arrives on `starts_on`."""
    return _begun(terms, starts_on).loan.level_minor


@lru_cache(maxsize=REMEMBERED)
def projection(terms: Terms, starts_on: date) -> Projection:
    """The whole loan if the money arrives on `starts_on`, later parts as expected, and everything is paid on its due
    date."""
    lived = _drawn_as_expected(terms, starts_on)
    loan = lived.loan
    paid = _bills_paid(loan)
    later = _planned_rows(paid) or lived_rows(paid, known=len(loan.bills))
    rows = _with_principal_after([_row(bill, billed=False) for bill in loan.bills], later, loan.drawn_later)
    drawn = sum(part.amount_minor for part in lived.drawdowns)
    sent = drawn - sum(lived.deducted.values())
    total = sum(row.total_minor for row in rows)
    by_balance: dict[str, int] = {}
    for row in rows:
        for key, amount in row.amounts.items():
            by_balance[key] = by_balance.get(key, 0) + amount
    days = (rows[-1].due_on - starts_on).days
    sent_flows = [apr.Flow(part.on, -part.sent_minor) for part in lived.drawdowns]
    flows = [*sent_flows, *(apr.Flow(row.due_on, row.total_minor) for row in rows)]
    return Projection(
        rows, starts_on, rows[-1].due_on, days, drawn, lived.deducted, sent, total, total - sent, by_balance,
        lived.drawdowns, _apr(flows, terms), Fraction(total - sent, drawn * days),
    )  # fmt: skip


def _apr(flows: Sequence[apr.Flow], terms: Terms) -> Fraction | None:
    try:
        return apr.apr(flows, times=terms.apr_times)
    except apr.AprUndefined:
        return None


def _future_rows(loan: Loan) -> tuple[Row, ...]:
    """The bills still to come if each is paid when it falls due, and what is owed today is paid today."""
    paid = _paid_up(loan)
    return _planned_rows(paid) or lived_rows(paid, known=len(loan.bills))


def _planned_rows(loan: Loan) -> tuple[Row, ...]:
    """Where the plan alone decides; none where it does not."""
    found, left = [], loan.balances.get("principal", 0)
    for number, (starts_on, due_on, due) in enumerate(forecast.coming(loan) or (), len(loan.bills) + 1):
        left -= due.get("principal", 0)
        found.append(Row(number, starts_on, due_on, due, 0, sum(due.values()), left, False))
    return tuple(found)


def lived_rows(loan: Loan, *, known: int) -> tuple[Row, ...]:
    """The same by living through the days, from the bill after those known on."""
    while (dates := state.coming_dates(loan)) and loan.status in state.LIVE:
        loan = _paid_up(advance(loan, dates[0], daily=False).loan)
    return _with_principal_after([_row(bill, billed=False) for bill in loan.bills[known:]], ())


def _row(bill: Bill, *, billed: bool) -> Row:
    paid = sum(bill.paid.values()) if billed else bill.early_minor
    total = sum(bill.due.values())
    left = sum(bill.remaining.values()) if billed else total - paid - sum(bill.relieved.values())
    return Row(
        bill.number,
        bill.starts_on,
        bill.due_on,
        bill.due,
        paid,
        left,
        0,
        billed,
        bill.early_minor,
        bill.late_minor,
        sum(bill.relieved.values()),
    )


def _with_principal_after(
    rows: Sequence[Row], later: tuple[Row, ...], drawn: Sequence[tuple[date, int]] = ()
) -> tuple[Row, ...]:
    """The rows, each with the principal that is left after it: what those after it ask for, less what is drawn only
    later. `later`: the rows after these, which have theirs. `drawn`: money that came after the first, by day."""
    found: list[Row] = []
    after = later[0].principal_after_minor + later[0].amounts.get("principal", 0) if later else 0
    for row in reversed(rows):
        is_last = not found and not later
        to_come_yet = draw.not_yet_there(drawn, row.starts_on, row.due_on, is_last=is_last) if drawn else 0
        found.append(row._replace(principal_after_minor=after - to_come_yet))
        after += row.amounts.get("principal", 0)
    return *reversed(found), *later


def _pay(loan: Loan, amount: int) -> Loan:
    return apply(loan, PaymentReceived(effective_on=loan.at, source="quote:payment", amount_minor=amount)).loan


# --- a running loan ----------------------------------------------------------------------------------------------


def schedule(loan: Loan) -> tuple[Row, ...]:
    """Every instalment: those that fell due as they are, those to come as they will be if paid on time from now on."""
    return _with_principal_after([_row(bill, billed=True) for bill in loan.bills], _future_rows(loan), loan.drawn_later)


def payments_to_come(loan: Loan, to: date) -> tuple[PaymentReceived, ...]:
    """What will be paid until `to`, that day included, if all is paid as agreed: what is owed today today, and each
    later bill on its day. They are the payments that `schedule` supposes."""
    paid: list[PaymentReceived] = []
    while loan.status in state.LIVE:
        if owing := state.due_now(loan):
            # of a day's payments it is the last: its key sorts after those of every source that there is
            paid.append(PaymentReceived(effective_on=loan.at, source=f"~ahead:{loan.at}", amount_minor=owing))
            loan = apply(loan, paid[-1]).loan
        if not loan.due_dates or loan.due_dates[0] > to:
            break
        loan = advance(loan, loan.due_dates[0], daily=False).loan
    return tuple(paid)


def payoff(loan: Loan, on: date) -> Payoff:
    """What closes the loan on `on` (its own day or a later one), if nothing else happens until then."""
    then = advance(loan, on, daily=False).loan
    amounts, there = state.owed(then), state.unapplied(then)
    if more := reserve.unearned(then):
        amounts["interest"] = amounts.get("interest", 0) + more
    return Payoff(on, amounts, there, max(0, sum(amounts.values()) - there))


def standing(loan: Loan) -> Standing:
    """The loan's figures on the day it is at."""
    rows = _future_rows(loan) if loan.status in state.LIVE else ()
    due_now = state.due_now(loan)
    awaited = None if state.is_due_today(loan) else next((row for row in rows if row.remaining_minor), None)
    asked_last = loan.matured_on or (loan.bills[-1].due_on if loan.bills else None)
    return Standing(
        on=loan.at,
        status=loan.status,
        outstanding_minor=state.outstanding(loan),
        due_now_minor=due_now,
        past_due_minor=state.past_due(loan),
        days_past_due=state.days_past_due(loan),
        next_due_on=awaited.due_on if awaited else state.next_due_on(loan),
        next_due_minor=awaited.remaining_minor if awaited else due_now,
        ends_on=next((row.due_on for row in reversed(rows) if row.remaining_minor), asked_last),
        payoff_minor=payoff(loan, loan.at).total_minor,
        still_to_pay_minor=due_now + sum(row.remaining_minor for row in rows),
        unapplied_minor=state.unapplied(loan),
        suspended_minor=loan.balances.get(SUSPENDED, 0),
    )


def statement(loan: Loan, due_on: date) -> Statement | None:
    """What falls due on a date to come, as told on the loan's own day; None when nothing does."""
    row = next((row for row in _future_rows(loan) if row.due_on == due_on), None) if loan.status in state.LIVE else None
    if row is None:
        return None
    ages, carried = state.payable(loan), dict[str, int]()
    for age in ("past_due", "due"):
        for key, amount in ages[age].items():
            carried[key] = carried.get(key, 0) + amount
    asked = row.total_minor + sum(carried.values())
    paid = min(asked, row.paid_minor + state.unapplied(loan))
    return Statement(loan.at, due_on, row.number, row.amounts, carried, paid, asked - paid)


def preview(loan: Loan, history: Sequence[Event], events: Iterable[Event]) -> Preview:
    """What these events would do, exactly: they take the road of replay.append, and raise its refusals."""
    told, after = list(history), loan
    movements: list[Movement] = []
    for event in events:
        step = replay.append(after, told, event)
        told.append(event)
        after = step.loan
        movements += step.movements
    before = advance(loan, max(loan.at, after.at), daily=False).loan
    return Preview(standing(before), standing(after), after, tuple(movements))


def extension(loan: Loan, on: date, days: int, history: Sequence[Event] = ()) -> ExtensionQuote:
    """The price of extending on `on` by `days`: all that is payable right after it. The history matters where money
    came on that very day: the extension takes effect before it. Admit says whether it may happen."""
    event = Extended(effective_on=on, source="quote:extension", days=days)
    if history:
        after = replay.include(loan, history, event).loan
    else:
        after = apply(advance(loan, on, daily=False).loan, event).loan
    ages = state.payable(after)
    amounts: dict[str, int] = {}
    for age in ("past_due", "due"):
        for key, amount in ages[age].items():
            amounts[key] = amounts.get(key, 0) + amount
    due_on = after.due_dates[0] if after.due_dates else on + timedelta(days=days)
    return ExtensionQuote(on, days, amounts, sum(amounts.values()), due_on)


# --- explanation -------------------------------------------------------------------------------------------------


def explain(terms: Terms, events: Iterable[Event], on: date, balance: str | None = None) -> tuple[Line, ...]:
    """Every line that made the balances (or one of them) what they are on `on`; for each balance the amounts of its
    lines sum to it exactly."""
    told = list(events)
    lines: list[Line] = []
    replay.fold(replay.begin(terms, told, on), told, on, Book(lines), daily=False)
    return tuple(line for line in lines if balance in (None, line.balance))
