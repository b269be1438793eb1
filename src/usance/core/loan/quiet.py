"""Days that are alike: what a loan earns on each of them, as whole numbers, so that a million loans can be closed at
once by the very figures that closing each of them would give.

Until the next date on its agenda a loan only earns: so much interest and penalty a day, exactly, of which the rounded
total is posted. `earning` gives that line; `Line.total` says what `advance` would have posted after so many days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from usance.core.calendar import ONE_DAY
from usance.core.loan import charges, close, state
from usance.core.loan.book import Step
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
    found, ages = Earning(loan.at), tuple(ages)
    if not (_is_taxed(loan) or loan.deferred):
        found = _alike(loan, ages)
        for _ in range(MOST_STILL):
            found = _past_a_still_morning(loan, found, ages) or found
    nothing = (found.interest, found.penalty) == (Line(), Line())
    if found.until - loan.at <= ONE_DAY or (state.contra_of(loan) and not nothing):  # it moves a contra balance too
        return Earning(loan.at + ONE_DAY)
    return found


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
    return Accrued(accrued.exact + line.each_day * line.counted(days), accrued.posted + line.total(days))


# --- days that are alike -----------------------------------------------------------------------------------------


def _alike(loan: Loan, ages: Iterable[int]) -> Earning:
    """As far as no date on the loan's agenda is met."""
    until = _alike_until(loan, ages)
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


def _past_a_still_morning(loan: Loan, found: Earning, ages: Collection[int]) -> Earning | None:
    """Longer, where nothing moves on the next date of the agenda: all that it brings is a bill, or a penalty that
    begins, or that its day will be another."""
    on = found.until
    if found.due_on is not None or on - loan.at >= MOST_DAYS * ONE_DAY or _something_comes(loan, on, ages):
        return None
    evening = advance_by_lines(loan, on - ONE_DAY, found.interest, found.penalty)
    step = close.advance(evening, on)
    earned = tuple(_of_day(evening.at, (evening.at - loan.at).days, found.interest, found.penalty))
    late = sum(one.amount_minor for one in earned if found.interest_is_late or one.balance == "penalty")
    if step.movements != earned or not _is_still(evening, step, late):
        return None
    if step.loan.period != loan.period:
        more = state.due_now(step.loan) - state.due_now(evening) - late
        return found._replace(until=on + ONE_DAY, due_on=on, due_minor=more)
    if step.loan != _grown(loan, (on - loan.at).days, found.interest, found.penalty):
        return None
    return _with_a_penalty_from(on, loan, found, _alike(step.loan, ages)) or found._replace(until=on + ONE_DAY)


def _something_comes(loan: Loan, on: date, ages: Collection[int]) -> bool:
    """Whether it can be told at once that a morning is not still: money waits for its bill, the loan becomes past due,
    or reaches an age."""
    if loan.period is not None and on >= loan.period.ends_on and state.unapplied(loan):
        return True
    since = state.oldest_open_on(loan) or loan.matured_on
    age = (on - since).days if since else 0
    return (age == 1 and loan.status == "active") or (age > 0 and age in ages)


def _is_still(evening: Loan, step: Step, late: int) -> bool:
    """Whether a night brought nothing but what the day earned, so much of it `late`, and a bill: whoever reads the loan
    next morning without folding it misses nothing else."""
    then = step.loan
    return (
        {fact.kind for fact in step.facts} <= {"instalment_due", "matured"}
        and (then.status, state.next_due_on(then)) == (evening.status, state.next_due_on(evening))
        and state.past_due(then) == state.past_due(evening) + late
    )


def _with_a_penalty_from(on: date, loan: Loan, found: Earning, later: Earning) -> Earning | None:
    """Two spans as one, where they differ in the penalty alone and the first has none."""
    if found.penalty.daily or found.interest_is_late != later.interest_is_late:
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
    parts = lcm(accrued.exact.denominator, daily.denominator)
    return int(accrued.exact * parts), int(daily * parts), parts


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
