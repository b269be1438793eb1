"""What changes the instalments to come: money drawn later, another rate, other dates, all due at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from usance.core import calendar, money
from usance.core.loan import allocate, charges, events, levelling, plan, recognition, reserve, state, to_come
from usance.core.loan.bills import all_due, joined, new_bill, next_period, together, turn_period
from usance.core.loan.book import Book
from usance.core.loan.movements import CHARGED_OFF, change
from usance.core.loan.records import Ahead, Dated
from usance.core.loan.state import Loan


def to_come_again(loan: Loan) -> Loan:
    """A loan that was paid off before its time goes on with the instalments that it had; what was paid of them is paid
    in advance."""
    if loan.status != "closed" or not loan.terms.instalments_stay or loan.disbursed_on is None:
        return loan
    there = loan.dropped_dates
    dates = tuple(on for on in there if on > loan.at)
    starts_on = loan.period.starts_on if loan.period else loan.disbursed_on
    begun_on = max([starts_on, *(on for on in there if on <= loan.at)])
    if not dates:
        return loan
    by_date = {
        bill.due_on: Ahead(_of_the_plan(bill.paid), _of_the_plan(bill.relieved))
        for bill in loan.bills
        if bill.due_on > loan.at
    }
    bills = tuple(bill for bill in loan.bills if bill.due_on <= loan.at)
    loan = loan._replace(
        status="active", closed_on=None, matured_on=None, due_dates=dates, dropped_dates=(), bills=bills,
        ahead=tuple(by_date.get(on, Ahead()) for on in dates), planned=loan.planned[-len(dates):],
        levels=loan.levels[-len(dates):] if len(loan.levels) >= len(dates) else (),
    )  # fmt: skip
    return state.recounted(levelling.as_listed(loan)._replace(period=next_period(loan, begun_on)))


def _of_the_plan(amounts: Mapping[str, int]) -> dict[str, int]:
    """Without charges: they were settled for good, and a later one of their kind is another."""
    return {key: amount for key, amount in amounts.items() if key in ("interest", "principal")}


def down_payment(loan: Loan, drawn_minor: int) -> Loan:
    """The agreed share of the money falls due on the day it is drawn. What was paid in advance pays it first, or stays
    with its instalments."""
    terms = loan.terms
    if terms.down_payment is None:
        return loan
    share = Fraction(money.rounded(terms.down_payment.share * drawn_minor, terms.rounding))
    amount = money.rounded_to(share, terms.level_multiple_minor, terms.rounding) or int(share)
    stays = terms.drawdowns is not None and terms.drawdowns.down_payment == "asked_for"
    loan, paid = (loan, 0) if stays else _taken_from_ahead(loan, amount)
    due, settled = ({"principal": part} if part else {} for part in (amount, paid))
    bill = new_bill(loan.bills, loan.at, loan.at, due, Ahead(settled), down_minor=amount)
    return state.recounted(loan._replace(bills=(*loan.bills, bill)))


def _taken_from_ahead(loan: Loan, amount: int) -> tuple[Loan, int]:
    """What was paid in advance of later instalments pays what falls due before them; not what pays dated amounts."""
    ahead, left, dates = list(loan.ahead), amount, state.coming_dates(loan)
    for index, one in enumerate(ahead):
        dated = state.charges_of(loan, index, dates).get("principal", 0) if index < len(dates) else 0
        used = min(left, max(0, one.paid.get("principal", 0) - dated))
        if used:
            left -= used
            ahead[index] = one._replace(paid={**one.paid, "principal": one.paid["principal"] - used})
    return loan._replace(ahead=tuple(ahead)), amount - left


def rate_changed(loan: Loan, event: events.RateChanged, book: Book) -> Loan:
    """Instalments that stay are levelled anew from the running period on, where their level holds interest. The rate
    that there is anyway is no reason for another level."""
    book.fact("rate_changed", loan.at)
    before, terms = loan.rate, loan.terms
    if event.rate == before and not loan.rate_changes:
        return loan
    spans_before = to_come.rate_spans(loan)
    loan = loan._replace(rate=event.rate, rate_changes=())
    if loan.status not in state.LIVE or not loan.due_dates:
        return loan
    if loan.even_factor is not None:
        loan = levelling.spread_evenly(loan, spans_before)
    stay = terms.instalments_stay and "interest" in plan.LEVEL_PARTS[terms.plan.kind]
    return levelling.anew(loan, 0, before, as_paid=True) if stay else loan


def interest_paused(loan: Loan, event: events.InterestPaused, book: Book) -> Loan:
    book.fact("interest_paused", loan.at, until=event.until.isoformat())
    return loan._replace(pauses=tuple(sorted({*loan.pauses, (event.since, event.until)})))


def on_dates(loan: Loan, dates: Sequence[date]) -> Loan:
    """The same instalments to come on other dates. What was settled of a charge stays with the instalment that it was
    settled with; what is left of it waits for its own day."""
    settled, left = _dated_apart(loan)
    after = [date.min, *(on + calendar.ONE_DAY for on in dates)]  # what is settled is the first of its instalment
    after[0] = min(dates[0], *(item.due_on for item in left)) if left else dates[0]
    moved = [
        item._replace(due_on=after[index] if index < len(dates) else max(item.due_on, after[-1]))
        for index, item in settled
    ]
    return state.redated(loan, dates)._replace(dated=tuple(sorted([*moved, *left])))


def _dated_apart(loan: Loan) -> tuple[list[tuple[int, Dated]], list[Dated]]:
    """The dated amounts as far as they are settled, with the index of their instalment, and what is left of them."""
    dates, settled, left = state.coming_dates(loan), list[tuple[int, Dated]](), list[Dated]()
    for index, on in enumerate(dates):
        there = {key: state.settled_ahead(loan, index).there(key) for key in state.charges_of(loan, index, dates)}
        since = dates[index - 1] if index else date.min
        for item in loan.dated:
            if since < item.due_on <= on:
                part = min(item.amount_minor, there[item.balance])
                there[item.balance] -= part
                settled += [(index, item._replace(amount_minor=part))] if part else []
                left += [item._replace(amount_minor=item.amount_minor - part)] if part < item.amount_minor else []
    return settled, left


def rescheduled(loan: Loan, event: events.Rescheduled, book: Book) -> Loan:
    """Due dates from one on move, each by the loan's pace from where it went; more instalments come after the last,
    and then what is left is levelled over all of them."""
    if loan.status not in state.LIVE or not loan.due_dates or loan.disbursed_on is None:
        return loan
    dates, moved = list(loan.due_dates), loan.moved_to
    if event.moved_from and event.moved_to:
        dates, moved = _moved(loan, event.moved_from, event.moved_to)
    dates = longer(loan, dates, event.more)
    loan = on_dates(loan, dates)._replace(moved_to=moved)
    loan = loan._replace(period=next_period(loan, loan.period.starts_on if loan.period else loan.at))
    book.fact("rescheduled", loan.at)
    return levelling.anew(loan, 0, as_paid=True) if event.more else loan


def longer(loan: Loan, dates: Sequence[date], more: int) -> list[date]:
    """With so many dates more: by the plan's step from the loan's beginning, as long as these are the agreed ones; else
    by its pace from the earliest of them from which the others follow by it."""
    if more <= 0:
        return list(dates)
    count, (every, unit), agreed = len(dates), state.pace(loan), _as_agreed(loan, len(dates) + more)
    if agreed[:count] == list(dates) and agreed[count] > dates[-1]:
        return [*dates, *plan.apart(dates[-1], agreed[count:])]

    def by_pace(index: int, until: int) -> list[date]:
        steps = (calendar.STEPS[unit](dates[index], every * (k - index)) for k in range(index + 1, until))
        return [plan.rolled(loan.terms, on) for on in steps]

    first = next(index for index in range(count) if by_pace(index, count) == list(dates[index + 1 :]))
    return [*dates, *plan.apart(dates[-1], by_pace(first, count + more)[-more:])]


def _as_agreed(loan: Loan, count: int) -> list[date]:
    """The dates of so many instalments from the next one on, as was agreed, and on by the plan's step; none where the
    loan has another pace."""
    terms, begun = loan.terms, loan.disbursed_on or loan.at
    if state.pace(loan) != (terms.plan.every, terms.plan.unit):
        return []
    step, origin, first = calendar.STEPS[terms.plan.unit], plan.begins_on(terms, begun), state.instalment_number(loan)
    agreed = plan.due_dates(terms, begun)
    known = dict(enumerate(agreed, terms.plan.count - len(agreed) + 1))
    return [
        known.get(number) or plan.rolled(terms, step(origin, terms.plan.every * number))
        for number in range(first, first + count)
    ]


def _moved(loan: Loan, since: date, to: date) -> tuple[list[date], tuple[date, ...]]:
    """The first date from `since` on goes to a day, though never before the one before it; the later ones follow.
    With those whose periods have another length now."""
    before = [on for on in loan.due_dates if on < since]
    after = loan.due_dates[len(before) :]
    if not after:
        return before, loan.moved_to
    first = max(to, (before or [loan.at])[-1] + calendar.ONE_DAY)
    later = (plan.rolled(loan.terms, _follows(loan, first, k, after[0], on)) for k, on in enumerate(after[1:], 1))
    followed = [first, *plan.apart(first, later)]
    kept = [*before, *followed] if state.pace(loan)[1] in DAYS else before
    return [*before, *followed], (first, *still_moved(loan, kept))


def still_moved(loan: Loan, dates: Sequence[date]) -> list[date]:
    """Of these dates, in place of those that there are, the ones whose periods had another length before."""
    return [on for was, on in zip(loan.due_dates, dates, strict=False) if was in loan.moved_to]


DAYS = ("days", "weeks")  # steps of always the same length


def _follows(loan: Loan, first: date, k: int, moved: date, on: date) -> date:
    """Where a date goes when one before it moved to `first`: days keep their distance, months their step."""
    every, unit = state.pace(loan)
    return on + (first - moved) if unit in DAYS else calendar.STEPS[unit](first, every * k)


def respread(loan: Loan, event: events.Respread, book: Book) -> Loan:
    """Past bills keep what was settled of them. What they ask for beyond, and all that is not billed, is owed by the
    instalments to come."""
    if loan.status not in state.LIVE or (event.start_on is None and not loan.due_dates):
        return loan
    planned = to_come.interest_not_settled(loan)
    loan, unpaid = _taken_back(loan, charges_too=event.interest != "levelled")
    accrued = state.regular(loan).get("interest", 0) - unpaid.get("interest", 0)
    if event.start_on is not None:
        step = calendar.STEPS[event.unit]
        later = (plan.rolled(loan.terms, step(event.start_on, event.every * k)) for k in range(1, event.count))
        dates = [event.start_on, *later]
        loan = _new_dates(loan, dates, (event.every, event.unit))
    loan = loan._replace(planned=(), levels=(), matured_on=None)
    book.fact("respread", loan.at)
    loan = RESPREADS[event.interest](loan, book, unpaid, Interest(accrued, max(0, planned - accrued)))
    if loan.due_dates[0] <= loan.at:
        loan = allocate.allocate(turn_period(loan, book), book, loan.at, ("past_due", "due"))
    return loan


class Interest(NamedTuple):
    """Of the running period: earned so far; and what all instalments to come would still have borne."""

    accrued: int
    to_come: int


def _taken_back(loan: Loan, *, charges_too: bool) -> tuple[Loan, dict[str, int]]:
    """What bills ask for and nobody settled is asked for no more."""
    bills, taken = list(loan.bills), dict[str, int]()
    for index, bill, remaining in state.open_bills(loan):
        left = {key: part for key, part in remaining.items() if charges_too or key in ("interest", "principal")}
        for key, part in left.items():
            taken[key] = taken.get(key, 0) + part
        due = {key: amount - left.get(key, 0) for key, amount in bill.due.items()}
        down = bill.down_minor - min(bill.down_minor, left.get("principal", 0))
        bills[index] = bill._replace(due={key: amount for key, amount in due.items() if amount}, down_minor=down)
    return state.recounted(loan._replace(bills=tuple(bills))), taken


def due_once(loan: Loan, on: date) -> Loan:
    """All that is owed falls due on one day, whatever was asked for before; until then it bears interest for the days
    alone."""
    free = state.instalment_number(loan) <= loan.terms.grace.interest_free and loan.due_dates
    loan, _ = _taken_back(loan, charges_too=False)
    loan = _new_dates(loan, [on], state.pace(loan))
    pauses = (*loan.pauses, (loan.at, date.max)) if free else loan.pauses
    return loan._replace(planned=(), levels=(), credit_minor=0, matured_on=None, even_factor=None, pauses=pauses)


def _new_dates(loan: Loan, dates: Sequence[date], pace: tuple[int, str]) -> Loan:
    """Other due dates. The running instalment ends now, with a bill of what was settled in advance."""
    loan = reserve.free(loan)
    bills, settled = loan.bills, together(loan.ahead)
    _, left = _dated_apart(loan)
    starts_on = loan.period.starts_on if loan.period else loan.at
    if loan.due_dates and (dates[0] > loan.at > starts_on or settled.paid or settled.relieved):
        due = {key: settled.of((key,)) for key in {*settled.paid, *settled.relieved}}
        bills = (*bills, new_bill(bills, starts_on, loan.at, due, settled))
    later = plan.apart(loan.at - calendar.ONE_DAY, dates)
    loan = state.redated(loan, later)._replace(bills=bills, ahead=(), dated=tuple(left), pace=pace, moved_to=later[:1])
    return state.recounted(loan._replace(period=next_period(loan, min(starts_on, later[0]))))


def _level_of(loan: Loan, principal: int) -> int:
    """The level that repays so much over the instalments to come, each counted whole."""
    owed = plan.Owed(Fraction(principal), Fraction(charges.INTEREST_BASES[loan.terms.interest_base](loan)))
    periods, spans = to_come.periods_to_come(loan), to_come.rate_spans(loan)
    return plan.level(loan.terms, owed, plan.rungs(loan.terms, periods, spans, first=state.instalment_number(loan)))


def _levelled_anew(loan: Loan, book: Book, unpaid: Mapping[str, int], interest: Interest) -> Loan:
    """Unpaid interest is asked for first, and counts in the level as if it were principal."""
    level = _level_of(loan, state.scheduled_principal(loan) + unpaid.get("interest", 0))
    return levelling.at_level(loan, level)


def _equal_past(loan: Loan, book: Book, unpaid: Mapping[str, int], interest: Interest) -> Loan:
    """As levelled, but the unpaid interest is asked for in shares inside the level, all the same: what that is more or
    less than there was is earned now, or forgiven."""
    count, owed = len(loan.due_dates), unpaid.get("interest", 0)
    level = _level_of(loan, state.scheduled_principal(loan) + owed)
    each = money.rounded(Fraction(owed, count), loan.terms.rounding)
    more, before = each * count - owed, loan.interest.posted
    if more > 0:
        loan = charges.earn_at_once(loan, book, more, "respread.rounding")
        more = loan.interest.posted - before
    else:
        posting = change("waived", "interest", more, loan.at)
        loan = book.post(loan, posting, "respread.rounding", lambda: (f"{more}", {}))
    loan = _in_shares(loan, {**unpaid, "interest": owed + more})
    return levelling.at_level(loan, level - each)


def _equal_payable(loan: Loan, book: Book, unpaid: Mapping[str, int], interest: Interest) -> Loan:
    """Principal, and all that is owed besides, in equal shares; no more interest is earned."""
    owed = unpaid.get("interest", 0) + interest.accrued
    loan = reserve.free(loan)
    exact = Fraction(state.scheduled_principal(loan), len(loan.due_dates))
    rule = loan.terms.rounding
    level = money.rounded_to(exact, loan.terms.level_multiple_minor, rule) or money.rounded(exact, rule)
    loan = _in_shares(loan, {**unpaid, "interest": owed})
    return levelling.at_level(loan._replace(pauses=(*loan.pauses, (loan.at, date.max))), level)


def _equal_full(loan: Loan, book: Book, unpaid: Mapping[str, int], interest: Interest) -> Loan:
    """The same, and the interest that would have been earned is owed at once."""
    before = loan.interest.posted
    loan = charges.earn_at_once(loan, book, interest.to_come)
    earned = loan.interest.posted - before
    return _equal_payable(loan, book, unpaid, Interest(interest.accrued + earned, 0))


def _in_shares(loan: Loan, owed: Mapping[str, int]) -> Loan:
    """Interest and charges are asked for in equal shares; the last takes the rest."""
    count, dated = len(loan.due_dates), list(loan.dated)
    for key, amount in owed.items():
        if key == "principal":
            continue
        each, left = money.rounded(Fraction(amount, count), loan.terms.rounding), amount
        for on in loan.due_dates:
            part = left if on == loan.due_dates[-1] else min(each, left)
            left -= part
            dated += [Dated(on, key, part)] if part else []
    return loan._replace(dated=tuple(sorted(dated)))


RESPREADS: dict[str, Callable[[Loan, Book, Mapping[str, int], Interest], Loan]] = {
    "levelled": _levelled_anew,
    "equal_past": _equal_past,
    "equal_payable": _equal_payable,
    "equal_full": _equal_full,
}


def terminated(loan: Loan, event: events.Terminated, book: Book) -> Loan:
    """All that is left falls due today."""
    if loan.status not in state.LIVE or not loan.due_dates:
        return loan
    book.fact("terminated", loan.at)
    return _ended(loan, book)


def _ended(loan: Loan, book: Book) -> Loan:
    """All is due today, and what lay there for later pays it."""
    return allocate.allocate(all_due(reserve.free(loan), book), book, loan.at, ("past_due", "due"))


def charged_off(loan: Loan, event: events.ChargedOff, book: Book) -> Loan:
    """It is lost in the books, but not given up: all that is owed does not count any more, whatever is charged or paid
    from now on changes that too, and the agreed rule says what becomes of interest and dates."""
    if loan.status not in state.LIVE or loan.charged_off_on is not None:
        return loan
    lost = state.outstanding(loan)
    book.fact("charged_off", loan.at, amount_minor=lost)
    posting = change("charged_off", CHARGED_OFF, lost, loan.at)
    loan = book.post(loan, posting, "charge_off", lambda: ("all that is owed", {"owed_minor": lost}))
    loan = recognition.lost(loan, book)._replace(charged_off_on=loan.at)
    return CHARGE_OFFS[loan.terms.charge_off](loan, book)


CHARGE_OFFS: dict[str, Callable[[Loan, Book], Loan]] = {
    "keeps_plan": lambda loan, book: loan,
    "stops_interest": lambda loan, book: loan,  # charges.interest_base asks
    "all_due": lambda loan, book: _ended(loan, book) if loan.due_dates else loan,
}


def asked_for(loan: Loan, added: Mapping[str, int], due_on: date) -> Loan:
    """With more in the bill whose period holds the day, in one of that very day, or in an instalment to come."""
    if not added:
        return loan
    for index, bill in enumerate(loan.bills):
        is_first = due_on <= bill.starts_on < bill.due_on
        if bill.starts_on < due_on <= bill.due_on or is_first:
            due = {key: bill.due.get(key, 0) + added.get(key, 0) for key in {**bill.due, **added}}
            bills = (*loan.bills[:index], bill._replace(due=due), *loan.bills[index + 1 :])
            return state.recounted(loan._replace(bills=bills))
    if not loan.due_dates and due_on <= loan.at:
        bill = new_bill(loan.bills, due_on, due_on, added)
        return state.recounted(loan._replace(bills=joined(loan.bills, bill)))
    dated = [*loan.dated, *(Dated(due_on, key, amount) for key, amount in added.items())]
    return loan._replace(dated=tuple(sorted(dated)))
