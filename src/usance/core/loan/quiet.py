"""Days that are alike: what a loan earns on each of them, as whole numbers, so that a million loans can be closed at
once by the very figures that closing each of them would give.

Until the next date on its agenda a loan only earns: so much interest and penalty a day, exactly, of which the rounded
total is posted. `earning` gives that line; `Line.total` says what `advance` would have posted after so many days. Where
nothing moves on the morning of that date (a still morning), the line goes on for that night.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from usance.core.calendar import ONE_DAY
from usance.core.loan import charges, close, state
from usance.core.loan.book import Book
from usance.core.loan.movements import Movement, change
from usance.core.loan.records import Accrued
from usance.core.loan.state import Loan

MOST_DAYS = 300  # a line is looked at again before a year is over
MOST_STILL = 2  # mornings that a line may pass on which nothing moves


class Line(NamedTuple):
    """An accrual over days that are alike, of which the first `since` do not count: after n that do the rounded total
    is the whole part of (carried + daily * n) / parts; with `to_even` an odd one that divides without rest is one too
    many."""

    carried: int = 0
    daily: int = 0
    parts: int = 1
    to_even: bool = False
    posted: int = 0
    since: int = 0

    @property
    def each_day(self) -> Fraction:
        """What a day adds, exactly."""
        return Fraction(self.daily, self.parts)

    def counted(self, days: int) -> int:
        """Those of the first so many days that count."""
        return max(0, days - self.since)

    def total(self, days: int) -> int:
        """What is posted in the first so many days."""
        whole, rest = divmod(self.carried + self.daily * self.counted(days), self.parts)
        return whole - (self.to_even and not rest and whole % 2) - self.posted


class Earning(NamedTuple):
    """What a loan earns by its lines until the morning before `until`. The day that then begins is closed by itself,
    and so is what its evening brings."""

    until: date
    interest: Line = Line()
    penalty: Line = Line()
    interest_is_late: bool = False  # it is payable as it accrues, and past due the next morning
    due_on: date | None = None  # the last of these mornings, if an instalment falls due on it and nothing moves
    due_minor: int = 0  # what is payable from then on, beside what was


def earning(loan: Loan, ages: Iterable[int] = ()) -> Earning:
    """What a running loan earns from the day that it is at. `ages`: days past due at which something else changes, that
    the loan does not know of. Where the days are not alike, `until` is tomorrow and nothing is said."""
    ages = tuple(ages)
    found = None if _is_taxed(loan) or loan.deferred else _alike(loan, ages)
    found = found and _past_still_mornings(loan, found, ages)
    if found is None or found.until - loan.at <= ONE_DAY:
        return Earning(loan.at + ONE_DAY)
    moves_a_contra_balance = state.contra_of(loan) and (found.interest, found.penalty) != (Line(), Line())
    return Earning(loan.at + ONE_DAY) if moves_a_contra_balance else found


def advance_by_lines(loan: Loan, to: date, interest: Line, penalty: Line) -> Loan:
    """The loan on a later morning of those of its Earning, by its lines: what `advance` would give."""
    turns = loan.period is not None and to >= loan.period.ends_on
    days = (to - loan.at).days - turns  # what the morning of a due date changes is not in the lines
    if days > 0:
        loan = _grown(loan, days, interest, penalty)
    return loan if days > 0 and not turns else close.advance(loan, to, daily=False).loan


def _grown(loan: Loan, days: int, interest: Line, penalty: Line) -> Loan:
    more = {"interest": interest.total(days), "penalty": penalty.total(days)}
    grown = {key: loan.balances.get(key, 0) + amount for key, amount in more.items() if amount}
    yearly = loan.terms.penalty is not None and loan.terms.penalty.yearly_cap_share is not None
    return loan._replace(
        at=loan.at + timedelta(days=days),
        balances={**loan.balances, **grown},
        interest=_carried_on(loan.interest, interest, days),
        penalty=_carried_on(loan.penalty, penalty, days),
        penalty_in_year=loan.penalty_in_year + more["penalty"] if yearly else loan.penalty_in_year,
        charged_minor=loan.charged_minor + sum(more.values()),
    )


def _carried_on(accrued: Accrued, line: Line, days: int) -> Accrued:
    if not line.daily:
        return accrued
    return Accrued(accrued.exact + line.each_day * line.counted(days), accrued.posted + line.total(days))


# --- days that are alike -----------------------------------------------------------------------------------------


def _alike(loan: Loan, ages: Iterable[int]) -> Earning | None:
    """As far as no date on the loan's agenda is met; None where a cap may bite today."""
    until = _alike_until(loan, ages)
    if until - loan.at == ONE_DAY and close.meets_a_cap(loan, until):
        return None
    interest, penalty = charges.interest_between(loan, loan.at + ONE_DAY), _fined(loan)
    while not _is_even(loan, until, interest):
        until = loan.at + (until - loan.at) // 2
    rounding = ROUNDED[loan.terms.rounding]
    return Earning(
        until,
        rounding(loan.interest, interest) if interest else Line(),
        rounding(loan.penalty, penalty) if penalty else Line(),
        loan.matured_on is not None and loan.matured_on < loan.at,
    )


def _alike_until(loan: Loan, ages: Iterable[int]) -> date:
    since = state.oldest_past_due_on(loan)
    edges = [since + timedelta(days=age) for age in ages] if since else []
    return close.quiet_until(loan, min([loan.at + timedelta(days=MOST_DAYS), *(on for on in edges if on > loan.at)]))


def _past_still_mornings(loan: Loan, found: Earning, ages: Collection[int]) -> Earning:
    """Longer, where nothing moves on the next date of the agenda: all that it brings is a bill, or a penalty that
    begins, or that its day will be another."""
    for _ in range(MOST_STILL):
        on = found.until
        if on - loan.at >= MOST_DAYS * ONE_DAY or _something_comes(loan, on, ages):
            return found
        night = _grown(loan, (on - loan.at).days, found.interest, found.penalty)._replace(at=on - ONE_DAY)
        morning = _still_morning(night, on)
        if morning is None:
            return found
        if morning.period != loan.period:
            due_minor = state.due_now(morning) - state.due_now(night)
            return found._replace(until=on + ONE_DAY, due_on=on, due_minor=due_minor)
        longer = None if found.penalty.daily else _with_a_penalty_from(on, loan, found, _alike(morning, ages))
        if longer is None:
            return found._replace(until=on + ONE_DAY)
        found = longer
    return found


def _still_morning(night: Loan, on: date) -> Loan | None:
    """The loan on a morning on which nothing moves, and that brings nothing but a bill: whoever reads the loan without
    folding it misses nothing else. None for any other morning."""
    then, book = night, Book()
    for step in (close.charge_missed, *close.MORNING):
        then = step(then, book, on)
    still = (
        not book.movements
        and all(fact.kind in ("instalment_due", "matured") for fact in book.facts)
        and (then.status, state.next_due_on(then)) == (night.status, state.next_due_on(night))
        and state.past_due(then) == state.past_due(night)
        and (then.period != night.period or then == night._replace(at=on))
    )
    return then if still else None


def _something_comes(loan: Loan, on: date, ages: Collection[int]) -> bool:
    """Whether it can be told at once that a morning is not still: money waits for its bill, the loan becomes past due,
    or reaches an age."""
    if loan.period is not None and on >= loan.period.ends_on and state.unapplied(loan):
        return True
    since = state.oldest_open_on(loan) or loan.matured_on
    age = (on - since).days if since else 0
    return (age == 1 and loan.status == "active") or (age > 0 and age in ages)


def _with_a_penalty_from(on: date, loan: Loan, found: Earning, later: Earning | None) -> Earning | None:
    """Two spans as one, where they differ in the penalty alone, of which the first has none."""
    if later is None or found.interest_is_late != later.interest_is_late:
        return None
    if found.interest.each_day != later.interest.each_day:
        return None
    penalty = later.penalty._replace(since=(on - loan.at).days) if later.penalty.daily else Line()
    return found._replace(until=later.until, penalty=penalty)


def _is_taxed(loan: Loan) -> bool:
    """A tax on what accrues is rounded by itself: such a loan is closed day by day."""
    return any(tax.share and {"interest", "penalty"} & set(tax.on) for tax in loan.terms.taxes)


def _is_even(loan: Loan, until: date, daily: Fraction) -> bool:
    """Whether every day until then earns as much as the first: where a year of another length begins, it does not."""
    return charges.interest_between(loan, until) == (until - loan.at).days * daily


def _fined(loan: Loan) -> Fraction:
    """What lateness costs a day; it costs nothing while no bill is open."""
    open_bills = loan.settled_count < len(loan.bills)
    return charges.penalty_between(loan, loan.at + ONE_DAY) if open_bills else Fraction(0)


# --- roundings, as whole parts -----------------------------------------------------------------------------------


def _scaled(accrued: Accrued, daily: Fraction) -> tuple[int, int, int]:
    carried, each = accrued.exact, daily  # whole numbers: a close makes these lines by the million
    parts = lcm(carried.denominator, each.denominator)
    return carried.numerator * (parts // carried.denominator), each.numerator * (parts // each.denominator), parts


def _down(accrued: Accrued, daily: Fraction) -> Line:
    return Line(*_scaled(accrued, daily), posted=accrued.posted)


def _up(accrued: Accrued, daily: Fraction) -> Line:
    carried, each, parts = _scaled(accrued, daily)
    return Line(carried + parts - 1, each, parts, posted=accrued.posted)


def _half_up(accrued: Accrued, daily: Fraction) -> Line:
    carried, each, parts = _scaled(accrued, daily)
    return Line(2 * carried + parts, 2 * each, 2 * parts, posted=accrued.posted)


def _half_even(accrued: Accrued, daily: Fraction) -> Line:
    return _half_up(accrued, daily)._replace(to_even=True)


ROUNDED: dict[str, Callable[[Accrued, Fraction], Line]] = {
    "down": _down,
    "up": _up,
    "half_up": _half_up,
    "half_even": _half_even,
}


# --- the days again, one by one ----------------------------------------------------------------------------------


def daily(starts_on: date, ends_on: date, interest: Line, penalty: Line) -> Iterator[Movement]:
    """The movements of the days [starts_on, ends_on), as closing each of them would have told."""
    for number in range((ends_on - starts_on).days):
        yield from _of_day(starts_on + timedelta(days=number), number, interest, penalty)


def _of_day(on: date, number: int, interest: Line, penalty: Line) -> Iterator[Movement]:
    for kind, balance, line in (("interest_accrued", "interest", interest), ("penalty_charged", "penalty", penalty)):
        amount = line.total(number + 1) - line.total(number)
        if amount:
            yield change(kind, balance, amount, on)
