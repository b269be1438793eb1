"""What colleagues change about a loan by hand is told to its borrower in writing: each of their events that changes
what is to be paid, and when. What follows from a date, what a rail did, and what ends a loan have their own messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.servicing import selectors as loans
from usance.core.loan import events, replay, state
from usance.ports import clock
from usance.ports.queue import task

Context = Mapping[str, Any]  # what a text says beside the loan's number and the address


@task("loans.changed_by_hand")
def changed(loan_id: str, source: str) -> None:
    """One event of a colleague. Nothing is said of what was undone since, nor of a loan that has ended."""
    with transaction.atomic():
        view = loans.loan_view(loan_id=UUID(loan_id))
        told = [events.from_json(row.payload) for row in loans.events_of(loan_id=view.loan.pk)]
        event = next(event for event in told if event.source == source)
        if not _concerns(event, told) or view.loan.status not in state.LIVE:
            return
        template, context = SAYS[type(event)]
        messaging.tell(
            party_id=view.loan.party_id,
            template=template,
            key=f"{template}:{view.loan.pk}:{source}",
            moment=institutions.moment(tenancy.current(), clock.now()),
            context={
                "reference": view.loan.number,
                "link": f"{institutions.base_url(tenancy.current_id())}/account/",
                **context(event, view),
            },
            subject=("servicing.loan", view.loan.pk),
        )


def _concerns(event: events.Event, told: Sequence[events.Event]) -> bool:
    """Whether it changes what the borrower knows: that something was undone only where that had been told."""
    if isinstance(event, events.Reversed):
        undone = next((past for past in told if past.source == event.undoes), None)
        return type(undone) in SAYS
    return type(event) in SAYS and event in replay.in_force(told)


# --- what each text says -----------------------------------------------------------------------------------------


def _amount(event: Any, view: loans.LoanView) -> Context:
    return {"amount_minor": event.amount_minor}


def _amount_and_rest(event: Any, view: loans.LoanView) -> Context:
    return {"amount_minor": event.amount_minor, "outstanding_minor": view.standing.outstanding_minor}


def _rest(event: Any, view: loans.LoanView) -> Context:
    return {"outstanding_minor": view.standing.outstanding_minor}


def _next(event: Any, view: loans.LoanView) -> Context:
    """The next payment; where none is to come, all that is owed, today."""
    return {
        "due_on": view.standing.next_due_on or view.standing.on,
        "amount_minor": view.standing.next_due_minor or view.standing.outstanding_minor,
    }


def _next_since(event: events.RateChanged, view: loans.LoanView) -> Context:
    return {"since": event.effective_on, **_next(event, view)}


def _nights(event: events.InterestPaused, view: loans.LoanView) -> Context:
    return {"since": event.since, "until": event.until, **_next(event, view)}


SAYS: Mapping[type[events.Event], tuple[str, Callable[[Any, loans.LoanView], Context]]] = {
    events.PaymentReceived: ("payment_received", _amount_and_rest),
    events.Charged: ("charge_added", _amount_and_rest),
    events.ChargedBack: ("payment_taken_back", _amount),
    events.Waived: ("debt_reduced", _amount_and_rest),
    events.Credited: ("debt_reduced", _amount_and_rest),
    events.Extended: ("dates_changed", _next),
    events.Rescheduled: ("dates_changed", _next),
    events.Respread: ("dates_changed", _next),
    events.RateChanged: ("rate_changed", _next_since),
    events.InterestPaused: ("interest_paused", _nights),
    events.Terminated: ("contract_ended", _rest),
    events.TermsCorrected: ("loan_corrected", _rest),
    events.Reversed: ("loan_corrected", _rest),
}
