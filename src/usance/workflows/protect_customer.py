"""A customer's protected status begins or ends: what it stops on their loans stops, also for days that have passed.

Messages and debits ask for the status when they are about to leave (messaging.guard, take_payment). Penalties are the
loan's own: they are paused from the day on which the status began and go on when it ends, each by an event, so that the
loan is folded anew and the difference booked today.
"""

from __future__ import annotations

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
from usance.ports.actor import SYSTEM, Actor
from usance.ports.due import Item, handles

BEGINS, ENDS = "protection.begins", "protection.ends"


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
    elif protections.PENALTY in protections.stopped_by(kind, starts_on):  # a status that is over already
        _pause(row, actor)
        _resume(row, row.ends_on, actor)
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
        _resume(row, until, actor)
    return row


def withdraw(*, protection_id: UUID, actor: Actor, at: datetime) -> Any:
    """It was a mistake: penalties count as if it had never been. What was not said or debited meanwhile stays so.
    Raises ProtectionOver."""
    row = protections.withdraw(protection_id=protection_id, actor=actor, at=at)
    for loan in loans.loans_of_party(row.party_id):
        if servicing.has_event(loan_id=loan.pk, source=_source(row)):
            servicing.reverse(
                loan_id=loan.pk, source=f"{_source(row)}:mistake", undoes=_source(row), reason=row.kind, actor=actor
            )
    today = tenancy.current().business_date
    for other in protections.in_force(row.party_id, today):  # what it had stopped in their stead
        if protections.PENALTY in protections.stopped_by(other.kind, today):
            _pause(other, actor)
    return row


def protect_loan(*, loan_id: UUID) -> None:
    """A loan whose money has just arrived is under whatever protects its borrower already."""
    loan, today = loans.loan(loan_id), tenancy.current().business_date
    for row in protections.in_force(loan.party_id, today):
        if protections.PENALTY in protections.stopped_by(row.kind, today):
            _pause_one(row, loan, SYSTEM)


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
    _resume(row, row.ends_on, SYSTEM)
    return "done"


def _plan_end(row: Any) -> None:
    agenda.schedule(kind=ENDS, due_on=row.ends_on, key=f"{ENDS}:{row.pk}:{row.ends_on}", subject_id=row.pk)


def _source(row: Any) -> str:
    return f"protection:{row.pk}"


def _stop(row: Any, actor: Actor) -> None:
    """Messages that wait for their hour are taken back, and penalties rest."""
    stopped = protections.stopped_by(row.kind, tenancy.current().business_date)
    purposes = tuple(one for one in stopped if one in (protections.REMINDER, protections.COLLECTION))
    for loan in loans.loans_of_party(row.party_id) if purposes else ():
        messaging.cancel_waiting(subject_id=loan.pk, purposes=purposes, reason="protected")
    if protections.PENALTY in stopped:
        _pause(row, actor)


def _pause(row: Any, actor: Actor) -> None:
    for loan in loans.loans_of_party(row.party_id):
        if loan.party_id == row.party_id and loan.status in state.LIVE:
            _pause_one(row, loan, actor)


def _pause_one(row: Any, loan: Any, actor: Actor) -> None:
    """From the day of the status on, or of the loan's money, or of its take-over. A loan whose penalties rest already
    is left as it is: whoever paused them lets them go on."""
    on = max(row.starts_on, loan.disbursed_on or row.starts_on)
    while True:
        try:
            with transaction.atomic():
                servicing.pause_penalty(
                    loan_id=loan.pk, source=_source(row), reason=f"protected: {row.kind}", on=on, actor=actor
                )
        except refused.BeforeTakeOver as refusal:
            on = refusal.taken_over_on
            continue
        except (refused.PenaltyAlreadyPaused, refused.LoanNotRunning):
            pass
        return


def _resume(row: Any, on: date, actor: Actor) -> None:
    """Where a status made penalties rest, and none does any more: they go on from that day."""
    if any(
        other.pk != row.pk and protections.PENALTY in protections.stopped_by(other.kind, on)
        for other in protections.in_force(row.party_id, on)
    ):
        return
    for loan in loans.loans_of_party(row.party_id):
        if _rests_by_a_status(loan, on):
            try:
                with transaction.atomic():
                    servicing.resume_penalty(loan_id=loan.pk, source=f"{_source(row)}:over", on=on, actor=actor)
            except (refused.PenaltyNotPaused, refused.LoanNotRunning):
                continue


def _rests_by_a_status(loan: Any, on: date) -> bool:
    """Whether the last that was said of the loan's penalties until a day is a pause of ours, not one by hand."""
    said = [
        event
        for event in replay.in_force(events.from_json(row.payload) for row in loans.events_of(loan_id=loan.pk))
        if isinstance(event, events.PenaltyPaused | events.PenaltyResumed) and event.effective_on <= on
    ]
    return bool(said) and isinstance(said[-1], events.PenaltyPaused) and said[-1].source.startswith("protection:")
