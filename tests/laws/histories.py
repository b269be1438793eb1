"""Random histories by number: terms, what is told of the loan and in which order, what is undone. The engine and the
slow reference live it, and must agree to the minor unit. By number, not by Hypothesis: ten thousand must pass in a test
run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from tests.laws import random_terms
from tests.laws.random_events import beginning, some_events
from tests.laws.slow.life import Figures, live
from usance.core.loan import events, replay, state
from usance.core.loan.movements import CHARGED_OFF, DEFERRED, FROM_BUYER, SUSPENDED, TO_BUYER
from usance.core.loan.terms import Terms

START = random_terms.START
REACHES = (20, 20, 30, 30, 45, 100)  # over how many days something happens; mostly few, so that many can be lived


class History(NamedTuple):
    """What was agreed, what was told in this order, and the day on whose figures the two must agree."""

    terms: Terms
    told: list[events.Event]
    until: date
    one_by_one: bool  # each event reaches a loan that has lived until then; else all are folded at once


def history(number: int) -> History:
    chance = Random(f"history {number}")
    reach = chance.choice(REACHES)
    terms = random_terms.some_terms(chance)
    told = beginning(chance, terms)
    told += some_events(chance, told, terms, reach)
    until = START + timedelta(days=chance.randint(reach // 2, reach + reach // 3))
    return History(terms, told, until, chance.random() < 0.4)


def in_force(told: Sequence[events.Event]) -> list[events.Event]:
    """Without what was undone, disputes of payments that were, what was taken back of such income, and the undoing."""
    undoing = [event for event in told if isinstance(event, events.PaymentReturned | events.Reversed)]
    gone = {event.undoes for event in undoing}
    about = {event.source: getattr(event, "payment", "") or getattr(event, "income", "") for event in told}
    return [
        event for event in told if event not in undoing and event.source not in gone and about[event.source] not in gone
    ]


def by_engine(lived: History) -> Figures:
    if lived.one_by_one:
        known = list(lived.told[:2])
        loan = replay.replay(lived.terms, known, max(event.effective_on for event in known)).loan
        for event in lived.told[2:]:
            loan = replay.include(loan, known, event).loan
            known.append(event)
        if loan.at != lived.until:
            loan = replay.replay(lived.terms, known, lived.until).loan
    else:
        loan = replay.replay(lived.terms, lived.told, lived.until).loan
    due = state.payable(loan)
    return {
        **state.owed(loan),
        "free": state.unapplied(loan),
        "kept": state.reserved(loan),
        "claim": loan.claim_minor,
        "from buyer": loan.balances.get(FROM_BUYER, 0),
        "to buyer": loan.balances.get(TO_BUYER, 0),
        "deferred": loan.balances.get(DEFERRED, 0),
        "lost": loan.balances.get(CHARGED_OFF, 0),
        "suspended": loan.balances.get(SUSPENDED, 0),
        "status": loan.status,
        "days late": state.days_past_due(loan),
        "defaulted": state.days_past_due(loan) >= loan.terms.default_after_days,
        "past due": sum(due["past_due"].values()),
        "due": sum(due["due"].values()),
    }


def by_reference(lived: History) -> Figures:
    """It hears of nothing that was undone, and of terms as they were corrected as if they had been agreed."""
    counting, terms = in_force(lived.told), lived.terms
    for event in counting:
        if isinstance(event, events.TermsCorrected):
            terms = event.after
    told = [event for event in counting if not isinstance(event, events.TermsCorrected)]
    return live(terms.to_json(), [e.to_json() for e in told if e.effective_on <= lived.until], lived.until)


def differing(first: int, count: int) -> list[str]:
    """Those of so many histories in which the two do not agree."""
    found = ((number, difference(history(number))) for number in range(first, first + count))
    return [f"history {number}: {text}" for number, text in found if text]


def difference(lived: History) -> str:
    """In which figures they differ; one that cannot go on differs too."""
    try:
        engine, reference = by_engine(lived), by_reference(lived)
    except (ArithmeticError, AssertionError, LookupError, ValueError) as fault:
        return repr(fault)
    keys = [key for key in {**engine, **reference} if engine.get(key, 0) != reference.get(key, 0)]
    return ", ".join(f"{key}: engine {engine.get(key, 0)}, reference {reference.get(key, 0)}" for key in keys)
