"""What a loan would have borne had some of its money never been drawn: the interest that goes back with that money."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from usance.core.loan import state, to_come
from usance.core.loan.book import Book
from usance.core.loan.close import advance_into
from usance.core.loan.events import Credited, Disbursed, Event, TakenOver
from usance.core.loan.state import Loan

Apply = Callable[[Loan, Event, Book, Sequence[Event]], Loan]


def interest_of(loan: Loan, amount: int, past: Sequence[Event], apply_into: Apply) -> int:
    """The interest that went with so much of the money: what was borne until today, less what would have been borne if
    all that was given back with its interest, this too, had never been drawn. What went back before is counted off.
    `past`: what took effect before, in order. Where it does not tell how the money came, at today's rate."""
    first = next((event for event in past if isinstance(event, Disbursed) or _brought_figures(event)), None)
    if not isinstance(first, Disbursed):
        return to_come.interest_since(loan, amount)
    gone = amount + sum(event.amount_minor for event in past if isinstance(event, Credited) and event.interest_too)
    other = state.new(loan.terms, past[0].effective_on)
    for event in _never_drawn(past, gone):
        other = apply_into(advance_into(other, event.effective_on, Book(), daily=False), event, Book(), ())
    borne = advance_into(other, loan.at, Book(), daily=False).interest.posted
    return max(0, loan.interest.posted - borne - loan.given_back_minor)


def _brought_figures(event: Event) -> bool:
    return isinstance(event, TakenOver) and event.standing is not None


def _never_drawn(past: Sequence[Event], gone: int) -> Iterator[Event]:
    """The same without so much of the money, what was drawn first before what came later, and without what gave it
    back. While something is left, a least part of each drawing stays, so that the days count as they did."""
    left = sum(event.amount_minor for event in past if isinstance(event, Disbursed)) - gone
    for event in past:
        if isinstance(event, Disbursed):
            less = min(gone, event.amount_minor - (left > 0))
            gone -= less
            if less < event.amount_minor:
                yield replace(event, amount_minor=event.amount_minor - less)
        elif not (isinstance(event, Credited) and event.interest_too):
            yield event
