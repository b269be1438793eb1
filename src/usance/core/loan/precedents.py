"""May it happen, seeing what was told before? What is asked here does not depend on the day: an event is told twice, is
there once, undoes another, or takes back more than there was."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from usance.core import money
from usance.core.loan import events, refused
from usance.core.loan.events import Event
from usance.core.loan.terms import Drawdowns, Terms
from usance.core.refusals import Refusal

ONCE: dict[type[Event], Callable[[], Refusal]] = {  # whatever its date, a loan has one of these in force
    events.Approved: refused.LoanAlreadyApproved,
    events.Disbursed: lambda: refused.LoanNotApproved(status="active"),
    events.TakenOver: lambda: refused.LoanNotApproved(status="active"),
    events.Sold: refused.LoanAlreadySold,
}


def admit_to_history(history: Iterable[Event], event: Event, terms: Terms) -> None:
    """Raises when the event was told before, may happen only once, or undoes what is not there to be undone."""
    known = {past.source: past for past in history}
    if event.source in known:
        raise refused.EventAlreadyRecorded(source=event.source)
    undone = {past.undoes for past in known.values() if isinstance(past, UNDOING)}
    if isinstance(event, events.Disbursed) and terms.drawdowns is not None:
        _admit_part(terms.principal_minor, terms.drawdowns, _drawn(known.values(), undone), event)
    elif type(event) in ONCE and any(
        type(past) is type(event) and past.source not in undone for past in known.values()
    ):
        raise ONCE[type(event)]()
    if isinstance(event, UNDOING):
        target = known.get(event.undoes)
        if target is None or event.undoes in undone or not isinstance(target, _may_undo(event)):
            raise refused.NothingToUndo(source=event.undoes)
        if isinstance(target, events.TakenOver) and target.standing is None:
            raise refused.NothingToUndo(source=event.undoes)  # years of another system's books would become ours
        return
    if isinstance(event, events.TermsCorrected):
        corrections = [past.number for past in known.values() if isinstance(past, events.TermsCorrected)]
        if event.number != len(corrections) + 1:
            raise refused.CorrectionOutdated()
        return
    if isinstance(event, events.ChargedBack) and event.payment:
        _is_of_payment(event, known, undone)
    in_force = [past for past in known.values() if not undone & {past.source, getattr(past, "income", "")}]
    if isinstance(event, events.IncomeDeferred) and event.owed_by == "borrower":
        _admit_added(terms, in_force, event)
    if isinstance(event, events.IncomeTakenBack):
        _is_of_income(in_force, event)
    for past in known.values():
        if isinstance(past, events.TakenOver) and past.source not in undone and event.effective_on < past.effective_on:
            raise refused.BeforeTakeOver(taken_over_on=past.effective_on)


def _drawn(history: Iterable[Event], undone: set[str]) -> list[events.Disbursed]:
    return [past for past in history if isinstance(past, events.Disbursed) and past.source not in undone]


def _admit_part(limit: int, agreed: Drawdowns, drawn: list[events.Disbursed], event: events.Disbursed) -> None:
    """Of all parts, whatever their dates: not too many, together not too much, not too late."""
    days = [part.effective_on for part in (*drawn, event)]
    if len(drawn) >= agreed.most or (max(days) - min(days)).days > agreed.until_days:
        raise refused.DrawingIsOver()
    left = limit - sum(part.amount_minor for part in drawn)
    if event.amount_minor > left:
        raise refused.MoreThanAgreed(amount_minor=event.amount_minor, left_minor=left)


def _is_of_payment(event: events.ChargedBack, known: Mapping[str, Event], undone: Container[str]) -> None:
    """A dispute takes back no more than its payment brought."""
    payment = known.get(event.payment)
    if not isinstance(payment, PAYMENTS) or event.payment in undone or event.effective_on < payment.effective_on:
        raise refused.NothingToUndo(source=event.payment)
    before = sum(
        past.amount_minor
        for past in known.values()
        if isinstance(past, events.ChargedBack) and past.payment == event.payment and past.source not in undone
    )
    if before + event.amount_minor > payment.amount_minor:
        raise refused.MoreThanPaid(amount_minor=event.amount_minor, left_minor=payment.amount_minor - before)


def _admit_added(terms: Terms, in_force: Iterable[Event], event: events.IncomeDeferred) -> None:
    """All that is added to the debt is within the agreed share."""
    changes = [past for past in in_force if isinstance(past, events.IncomeDeferred | events.IncomeTakenBack)]
    added = sum(
        past.amount_minor if isinstance(past, events.IncomeDeferred) else -past.amount_minor
        for past in changes
        if past.owed_by == "borrower"
    )
    left = money.rounded(terms.income_share * terms.principal_minor, terms.rounding) - added
    if event.amount_minor > left:
        raise refused.MoreAddedThanAgreed(amount_minor=event.amount_minor, left_minor=left)


def _is_of_income(in_force: Sequence[Event], event: events.IncomeTakenBack) -> None:
    """No more is taken back than was deferred."""
    incomes = (past for past in in_force if isinstance(past, events.IncomeDeferred))
    deferred = next((past for past in incomes if past.source == event.income), None)
    if deferred is None or deferred.owed_by != event.owed_by or deferred.effective_on > event.effective_on:
        raise refused.NothingToUndo(source=event.income)
    taken = [past.amount_minor for past in in_force
             if isinstance(past, events.IncomeTakenBack) and past.income == event.income]  # fmt: skip
    left = deferred.amount_minor - sum(taken)
    if event.amount_minor > left:
        raise refused.MoreThanDeferred(amount_minor=event.amount_minor, left_minor=left)


UNDOING = events.PaymentReturned | events.Reversed
PAYMENTS = (events.PaymentReceived, events.Recovered)


def _may_undo(event: Event) -> tuple[type[Event], ...]:
    """A rail takes back payments; we may undo anything except the approval and an undoing."""
    if isinstance(event, events.PaymentReturned):
        return PAYMENTS
    return tuple(
        kind
        for kind in events.KINDS.values()
        if not issubclass(kind, events.Approved) and not issubclass(kind, UNDOING)
    )
