"""The fold over all events, and the difference of two folds: how a late truth reaches the books.

Events take effect by (effective date, rank of their kind, source); when they were told is of no matter here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from usance.core.loan import state
from usance.core.loan.admit import admit
from usance.core.loan.apply import apply_into
from usance.core.loan.book import Book, Fact, Step
from usance.core.loan.close import advance, advance_into
from usance.core.loan.events import (
    ChargedBack,
    Event,
    Forwarded,
    IncomeTakenBack,
    PaymentReturned,
    Refunded,
    Reversed,
    TakenOver,
    TermsCorrected,
)
from usance.core.loan.movements import Movement
from usance.core.loan.precedents import admit_to_history
from usance.core.loan.refused import TermsContradicted
from usance.core.loan.state import Loan
from usance.core.loan.terms import Terms
from usance.core.refusals import Refusal

Undoing = PaymentReturned | Reversed


def in_force(events: Iterable[Event]) -> list[Event]:
    """The events that count, in the order in which they take effect: undone ones, what was told of them, and their
    undoing fall away."""
    told = list(events)
    undone = {event.undoes for event in told if isinstance(event, Undoing)}
    return sorted(
        (event for event in told if not undone & {event.source, _about(event)} and not isinstance(event, Undoing)),
        key=lambda event: event.order,
    )


def _about(event: Event) -> str:
    """The source of the event without which this one means nothing."""
    if isinstance(event, IncomeTakenBack):
        return event.income
    return (event.payment if isinstance(event, ChargedBack) else "") or event.source


def replay(terms: Terms, events: Iterable[Event], to: date, *, daily: bool = True) -> Step:
    """The loan at the start of `to` with what happened on that day so far, from its first event on. Events after `to`
    are left out."""
    told = list(events)
    book = Book()
    return book.step(fold(begin(terms, told, to), told, to, book, daily=daily))


def fold(
    loan: Loan, events: Iterable[Event], to: date, book: Book, *, daily: bool, before: Iterable[Event] = ()
) -> Loan:
    """Carries a loan (new, or a checkpoint after those events `before` all these) through the events, up to `to`."""
    past = list(before)
    for event in in_force(events):
        if event.effective_on > to:
            break
        loan = apply_into(advance_into(loan, event.effective_on, book, daily=daily), event, book, past)
        past.append(event)
    return advance_into(loan, to, book, daily=daily)


def append(loan: Loan, history: Sequence[Event], event: Event) -> Step:
    """One more event told about a loan with this history (all earlier events, in any order): admitted to the loan of
    its own date, then included. Raises a Refusal, and then nothing has happened."""
    admit_to_history(history, event, loan.terms)
    if _is_next(loan, history, event):
        then = advance(loan, event.effective_on).loan
    else:
        earlier = [past for past in in_force(history) if past.order < event.order]
        then = replay(loan.terms, earlier, event.effective_on, daily=False).loan
    admit(then, event)
    _admit_history(loan, history, event)
    if isinstance(event, Refunded | Forwarded) and loan.at > event.effective_on:
        admit(loan, event)  # what we send back or on must not have been used up since
    return include(loan, history, event)


def include(loan: Loan, history: Sequence[Event], event: Event) -> Step:
    """The loan with one more event, admitted before. In order it is simply applied. Late, or undoing something, the
    loan is folded anew from the day that changes, with the event and without; the movements are the difference, with
    the old dates."""
    if _is_next(loan, history, event):
        book, past = Book(), [past for past in in_force(history) if past.order < event.order]
        return book.step(apply_into(advance_into(loan, event.effective_on, book, daily=True), event, book, past))
    changes = _first_change(history, event)
    since, told = min(changes[0], loan.at), [*history, event]
    untouched = [past for past in in_force(history) if past.order < changes]
    base = fold(state.new(loan.terms, birth(told, since)), untouched, since, Book(), daily=False)
    told_before = [past for past in in_force(history) if past.order >= changes]
    told_now = [past for past in in_force(told) if past.order >= changes]
    anew = base._replace(terms=binding(loan.terms, told))
    return difference(
        _refold(base, told_before, loan.at, untouched),
        _refold(anew, told_now, max(loan.at, event.effective_on), untouched),
    )


def _refold(base: Loan, events: Sequence[Event], to: date, before: Sequence[Event]) -> Step:
    book = Book()
    return book.step(fold(base, events, to, book, daily=True, before=before))


def _first_change(history: Iterable[Event], event: Event) -> tuple[date, int, str]:
    """The order of the first event whose effect may differ: the late one, or the one that is undone. Where our books
    begin decides about all that was booked before, too; the terms, about everything."""
    told = list(history)
    changed: Event = event
    if isinstance(event, Undoing):
        gone = (past for past in told if event.undoes in (past.source, _about(past)))
        changed = min(gone, key=lambda past: past.order, default=event)
    if isinstance(changed, TakenOver | TermsCorrected):
        return min([past.order for past in told] + [event.order])
    return changed.order


def _is_next(loan: Loan, history: Sequence[Event], event: Event) -> bool:
    """Whether the event takes effect after all that took effect, so that applying it is enough."""
    if isinstance(event, Undoing | TakenOver | TermsCorrected) or event.effective_on < loan.at:
        return False
    if any(isinstance(past, Undoing) and past.undoes in (event.source, _about(event)) for past in history):
        return False
    return loan.last_order is None or loan.last_order < event.order


def birth(events: Iterable[Event], to: date) -> date:
    """The date of the first event, or `to` when nothing had happened by then."""
    return min([to, *(event.effective_on for event in events)])


# --- the terms that count ----------------------------------------------------------------------------------------


def begin(terms: Terms, events: Iterable[Event], to: date) -> Loan:
    """The loan before its first event, bound by the terms that count with this history."""
    told = list(events)
    return state.new(binding(terms, told), birth(told, to))


def binding(terms: Terms, events: Iterable[Event]) -> Terms:
    """The terms as they were last corrected; without a correction in force, as they were agreed."""
    told = list(events)
    corrections = [event for event in told if isinstance(event, TermsCorrected)]
    if not corrections:
        return terms
    counting = [event for event in in_force(told) if isinstance(event, TermsCorrected)]
    if counting:
        return max(counting, key=lambda event: event.number).after
    return min(corrections, key=lambda event: event.number).before


def _admit_history(loan: Loan, history: Sequence[Event], event: Event) -> None:
    """Other terms must allow what happened, as far as those before did. Raises TermsContradicted."""
    terms = binding(loan.terms, [*history, event])
    if terms == loan.terms:
        return
    impossible_before = _impossible(loan.terms, history)
    if isinstance(event, Undoing):  # what was told before a correction stands as it stood then
        until = next((at for at, past in enumerate(history) if past.source == event.undoes), len(history))
        impossible_before += _impossible(terms, history[:until])
    for past in _impossible(terms, history):
        if past not in impossible_before:
            raise TermsContradicted(kind=past.kind, effective_on=past.effective_on)


def _impossible(terms: Terms, history: Sequence[Event]) -> list[Event]:
    """The events in force that these terms would have refused, had they been told in order."""
    refused: list[Event] = []
    loan, book = state.new(terms, birth(history, date.max)), Book()
    past: list[Event] = []
    for event in in_force(history):
        if isinstance(event, TermsCorrected):
            continue
        loan = advance_into(loan, event.effective_on, book, daily=False)
        try:
            admit(loan, event)
        except Refusal:
            refused.append(event)
        else:
            loan = apply_into(loan, event, book, past)
            past.append(event)
    return refused


# --- the difference of two folds ---------------------------------------------------------------------------------


def difference(old: Step, new: Step) -> Step:
    """The new loan, the movements that lead from the old books to the new, and the facts not known before."""
    known = list(old.facts)
    fresh: list[Fact] = []
    for fact in new.facts:
        if fact in known:
            known.remove(fact)
        else:
            fresh.append(fact)
    return Step(new.loan, adjustments(old.movements, new.movements), tuple(fresh))


def adjustments(old: Iterable[Movement], new: Iterable[Movement]) -> tuple[Movement, ...]:
    """What must be added to the old movements to make them the new, by kind, balance and effective date."""
    sums: dict[Movement, int] = {}
    for sign, movements in ((-1, old), (1, new)):
        for movement in movements:
            key = movement._replace(amount_minor=0)
            sums[key] = sums.get(key, 0) + sign * movement.amount_minor
    changed = [key._replace(amount_minor=amount) for key, amount in sums.items() if amount]
    return tuple(sorted(changed, key=lambda movement: movement.effective_on))
