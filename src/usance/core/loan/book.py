"""What a step writes down: movements, facts, and when somebody asks why, lines of an explanation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from usance.core.calendar import ONE_DAY
from usance.core.loan.movements import CONTRA_RULES, Movement, change, contra_movement, effects
from usance.core.loan.records import Accrued
from usance.core.loan.state import Loan, contra_of
from usance.core.loan.terms import Terms
from usance.core.values import ratio_text


class Fact(NamedTuple):
    """Something that became true, derived by the engine and worth telling (a message, a task, a status)."""

    kind: str
    on: date
    details: Mapping[str, Any] = {}


class Line(NamedTuple):
    """One line of an explanation: how so much of a balance came about."""

    balance: str
    starts_on: date
    ends_on: date  # exclusive for accruals; equal to starts_on for what happened at one moment
    amount_minor: int
    rule: str
    formula: str
    inputs: Mapping[str, Any]
    event: str  # the source of the event, "" for what follows from a date


class Step(NamedTuple):
    """What a piece of the fold gives: the next state, the balance changes, and what became true."""

    loan: Loan
    movements: tuple[Movement, ...] = ()
    facts: tuple[Fact, ...] = ()


Explained = tuple[str, Mapping[str, Any]]  # a formula, and its inputs
Why = Callable[[], Explained]  # made only when somebody asks


class Book:
    """Collects movements, facts and, when explaining, lines during one step: functions of the fold give the next loan
    back, and write here what else they did."""

    __slots__ = ("event", "facts", "lines", "movements")

    def __init__(self, lines: list[Line] | None = None) -> None:
        self.movements: list[Movement] = []
        self.facts: list[Fact] = []
        self.lines = lines
        self.event = ""

    def post(self, loan: Loan, movement: Movement, rule: str, why: Why, *, since: date | None = None) -> Loan:
        """The loan with the movement's effects on its balances. `since` is the first day of an accrued span; the
        movement is then dated on its last."""
        if not movement.amount_minor:
            return loan
        balances = dict(loan.balances)
        self.move(balances, movement, rule, why, since=since, contra=contra_of(loan))
        return loan._replace(balances=balances)

    def move(
        self,
        balances: dict[str, int],
        movement: Movement,
        rule: str,
        why: Why,
        *,
        since: date | None = None,
        contra: str = "",
    ) -> None:
        """`post` for several movements on one set of balances, which are changed in place; with the movement of the
        `contra` balance that goes with each."""
        self.movements.append(movement)
        for key, delta in effects(movement):
            total = balances.get(key, 0) + delta
            if total:
                balances[key] = total
            else:
                del balances[key]
            if self.lines is not None:
                formula, inputs = why()
                on = movement.effective_on
                start, ends_on = (on, on) if since is None else (since, on + ONE_DAY)
                self.lines.append(Line(key, start, ends_on, delta, rule, formula, inputs, self.event))
        follows = contra_movement(movement, contra)
        if follows is not None:
            self.move(balances, follows, CONTRA_RULES[contra], lambda: ("as the debt it is about", {}), since=since)

    def begin(self, loan: Loan) -> None:
        """The books begin here: what moved before did so in another system's, ours open with the balances it left."""
        self.movements = [change("taken_over", key, amount, loan.at) for key, amount in sorted(loan.balances.items())]

    def fact(self, kind: str, on: date, **details: Any) -> None:
        self.facts.append(Fact(kind, on, details))

    def step(self, loan: Loan) -> Step:
        return Step(loan, tuple(self.movements), tuple(self.facts))


# --- why a span of days earned what it did -----------------------------------------------------------------------


class Price(NamedTuple):
    """`share` of a balance for each `per`."""

    share: Fraction
    per: str


def accrual_explained(
    terms: Terms, since: date, until: date, base: int, price: Price, before: Accrued, after: Accrued, earned: Fraction
) -> Explained:
    """Formula and inputs of a span of days."""
    text, days = terms.currency.text, (until - since).days
    capped = before.exact + earned != after.exact
    formula = f"{text(base)} x {ratio_text(price.share)} per {price.per} x {days} days"
    if capped:
        formula += f", up to the cap of {text(after.posted - before.posted)}"
    return formula, {
        "base_minor": base,
        "share": price.share,
        "per": price.per,
        "days": days,
        "day_count": terms.day_count,
        "earned": earned,
        "rounding": terms.rounding,
        "carried_before": before.exact,
        "carried_after": after.exact,
        "posted_before": before.posted,
        "capped": capped,
    }
