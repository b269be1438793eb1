"""A customer's protected status begins or ends: what it stops on their loans stops, also for days that have passed.

Messages, debits and new loans ask for the status at the last moment (messaging.guard, take_payment, served). Penalties
and interest are the loan's own: they rest from the day on which the status began and go on when it ends, each by an
event, so that the loan is folded anew and the difference booked today. Who borrowed with others protects the loan too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.customers import protections
from usance.apps.institutions import services as agenda
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.loan import events, refused, replay, state
from usance.ports import clock
from usance.ports.actor import SYSTEM, Actor
from usance.ports.due import Item, handles
from usance.workflows import end_applications

BEGINS, ENDS = "protection.begins", "protection.ends"
SOURCE = "protection:"  # of the events that a status makes
FOR_GOOD = date.max  # until the status ends


def begin(
    *, party_id: UUID, kind: str, starts_on: date, evidence: str, actor: Actor, ends_on: date | None = None
) -> Any:
    """Records the status and stops what it stops; of a day to come, on that day. Raises ProtectedAlready."""
    row = protections.begin(
        party_id=party_id, kind=kind, starts_on=starts_on, ends_on=ends_on, evidence=evidence, actor=actor
    )
    today = tenancy.current().business_date
    if starts_on > today:
        agenda.schedule(kind=BEGINS, due_on=starts_on, key=f"{BEGINS}:{row.pk}", subject_id=row.pk)
    elif row.ends_on is None or row.ends_on > today:
        _stop(row, actor)
    else:  # a status that is over already
        _rest(row, actor)
        _go_on(row, row.ends_on, actor)
    if row.ends_on is not None and row.ends_on > today:
        _plan_end(row)
    return row


def end(*, protection_id: UUID, ends_on: date, actor: Actor) -> Any:
    """The status ends on a day, past or to come. Raises ProtectionOver."""
    row = protections.end(protection_id=protection_id, ends_on=ends_on, actor=actor)
    until = row.ends_on or ends_on
    if until > tenancy.current().business_date:
        _plan_end(row)
    else:
        _go_on(row, until, actor)
    return row


def withdraw(*, protection_id: UUID, actor: Actor, at: datetime) -> Any:
    """It was a mistake: penalties and interest count as if it had never been. What was not said or debited meanwhile
    stays so. Raises ProtectionOver."""
    row, today = protections.withdraw(protection_id=protection_id, actor=actor, at=at), tenancy.current().business_date
    for loan in loans.loans_owed_by(row.party_id):
        for told in _told(row, loan):
            servicing.reverse(
                loan_id=loan.pk, source=f"{told.source}:mistake", undoes=told.source, reason=_why(row), actor=actor
            )
        _rest_by_others(row, loan, today, actor)
    return row


def _rest_by_others(row: Any, loan: Any, today: date, actor: Actor) -> None:
    """What another status of those who owe would have stopped, had this one not done so."""
    for other in _protecting(loan, today):
        if other.pk != row.pk:
            _rest_one(other, loan, actor)


def protect_loan(*, loan_id: UUID) -> None:
    """A loan whose money has just arrived is under whatever protects those who owe it already."""
    loan = loans.loan(loan_id)
    for row in _protecting(loan, tenancy.current().business_date):
        _rest_one(row, loan, SYSTEM)


def _protecting(loan: Any, on: date) -> list[Any]:
    """The statuses in force of those who owe a loan."""
    return [row for party_id in loans.owers_of(loan.pk) for row in protections.in_force(party_id, on)]


@handles(BEGINS)
def begins(item: Item, moment: datetime) -> str:
    row = protections.protection(item.subject_id)
    if row is None or row.withdrawn_at or (row.ends_on is not None and row.ends_on <= item.due_on):
        return "not_needed"
    _stop(row, SYSTEM)
    return "done"


@handles(ENDS)
def ends(item: Item, moment: datetime) -> str:
    row = protections.protection(item.subject_id)
    if row is None or row.withdrawn_at or row.ends_on != item.due_on:
        return "not_needed"
    _go_on(row, row.ends_on, SYSTEM)
    return "done"


def _plan_end(row: Any) -> None:
    agenda.schedule(kind=ENDS, due_on=row.ends_on, key=f"{ENDS}:{row.pk}:{row.ends_on}", subject_id=row.pk)


def _why(row: Any) -> str:
    return f"protected: {row.kind}"


def _source(row: Any) -> str:
    return f"{SOURCE}{row.pk}"


def _stop(row: Any, actor: Actor) -> None:
    """Messages that wait for their hour are taken back, what was asked for and not received is declined; penalties, and
    interest, rest."""
    stopped = protections.stopped_by(row.kind, tenancy.current().business_date)
    purposes = tuple(one for one in stopped if one in (protections.REMINDER, protections.COLLECTION))
    for loan in loans.loans_of_party(row.party_id) if purposes else ():
        messaging.cancel_waiting(subject_id=loan.pk, purposes=purposes, reason="protected")
    if protections.LENDING in stopped:
        end_applications.decline(party_id=row.party_id, reasons=("protected",), actor=actor, at=clock.now())
    _rest(row, actor)


def _rest(row: Any, actor: Actor) -> None:
    for loan in loans.loans_owed_by(row.party_id):
        if loan.status in state.LIVE:
            _rest_one(row, loan, actor)


def _rest_one(row: Any, loan: Any, actor: Actor) -> None:
    """From the day of the status on, or of the loan's money, or of its take-over. A loan whose penalties rest already
    is left as it is: whoever paused them lets them go on."""
    stopped = protections.stopped_by(row.kind, max(row.starts_on, loan.booked_on))
    since = max(row.starts_on, loan.disbursed_on or row.starts_on)
    until = row.ends_on or FOR_GOOD
    if protections.PENALTY in stopped:
        _tell(loan, events.PenaltyPaused(effective_on=since, source=_source(row), reason=_why(row)), actor)
    if protections.INTEREST in stopped and since < until:
        source = f"{_source(row)}:interest"
        resting = events.InterestPaused(effective_on=since, source=source, since=since, until=until, reason=_why(row))
        _tell(loan, resting, actor)


def _tell(loan: Any, event: events.Event, actor: Actor) -> None:
    """Once, where it means something, and not before our books of the loan begin."""
    if servicing.has_event(loan_id=loan.pk, source=event.source):
        return
    try:
        with transaction.atomic():
            servicing.record(loan_id=loan.pk, event=event, actor=actor)
    except refused.BeforeTakeOver as refusal:
        _tell(loan, _since(event, refusal.taken_over_on), actor)
    except (refused.PenaltyAlreadyPaused, refused.PenaltyNotPaused, refused.LoanNotRunning, refused.DatesNotPossible):
        pass


def _since(event: events.Event, on: date) -> events.Event:
    """The same from another day on."""
    event = replace(event, effective_on=on)
    return replace(event, since=on) if isinstance(event, events.InterestPaused) else event


def _go_on(row: Any, on: date, actor: Actor) -> None:
    """What a status made rest goes on from that day: interest by nights that end then, penalties unless another
    status makes them rest."""
    for loan in loans.loans_owed_by(row.party_id):
        _end_rest(row, loan, on, actor)
        others = [other for other in _protecting(loan, on) if other.pk != row.pk]
        if any(protections.PENALTY in protections.stopped_by(other.kind, on) for other in others):
            continue
        if _rests_by_a_status(loan, on):
            _tell(loan, events.PenaltyResumed(effective_on=on, source=f"{_source(row)}:over"), actor)


def _end_rest(row: Any, loan: Any, on: date, actor: Actor) -> None:
    """First the nights that rested are told, then those that were to rest for good are undone: so only nights from the
    end on change."""
    for told in _told(row, loan):
        if isinstance(told, events.InterestPaused) and told.until != on:
            if told.since < on:
                shorter = replace(told, until=on, source=f"{_source(row)}:interest:{on}")
                servicing.record(loan_id=loan.pk, event=shorter, actor=actor)
            servicing.reverse(
                loan_id=loan.pk, source=f"{told.source}:until:{on}", undoes=told.source, reason=_why(row), actor=actor
            )


def _told(row: Any, loan: Any) -> list[events.Event]:
    """What a status made rest on a loan, and is in force."""
    resting = (events.PenaltyPaused, events.InterestPaused)
    return [one for one in _in_force(loan) if isinstance(one, resting) and one.source.startswith(_source(row))]


def _in_force(loan: Any) -> list[events.Event]:
    return replay.in_force(events.from_json(row.payload) for row in loans.events_of(loan_id=loan.pk))


def _rests_by_a_status(loan: Any, on: date) -> bool:
    """Whether the last that was said of the loan's penalties until a day is a pause of ours, not one by hand."""
    said = [
        event
        for event in _in_force(loan)
        if isinstance(event, events.PenaltyPaused | events.PenaltyResumed) and event.effective_on <= on
    ]
    return bool(said) and isinstance(said[-1], events.PenaltyPaused) and said[-1].source.startswith("protection:")
