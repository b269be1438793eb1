"""What colleagues change about a loan by hand is told to its borrower in writing: each of their events that changes
what is to be paid, and when. What follows from a date, what a rail did, and what ends a loan have their own messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import selectors as written
from usance.apps.messaging import services as messaging
from usance.apps.servicing import selectors as loans
from usance.core.loan import events, replay, state
from usance.core.loan.movements import NOT_OWED
from usance.ports import clock
from usance.ports.queue import task
from usance.workflows import protect_customer, take_payment


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a colleague, and the loan as it stands now."""

    event: Any
    event_id: UUID
    view: loans.LoanView

    @property
    def next_payment(self) -> dict[str, Any]:
        """What is to be paid now, where something is; else the next instalment."""
        now = self.view.standing
        if now.due_now_minor or not now.next_due_on:
            return {"amount_minor": now.due_now_minor or now.payoff_minor, "due_on": now.on}
        return {"amount_minor": now.next_due_minor, "due_on": now.next_due_on}

    @property
    def amounts(self) -> dict[str, Any]:
        """By how much the event made the debt larger, or smaller, taxes and all that follows included; and what would
        close the loan."""
        moved = loans.movements(loan_id=self.view.loan.pk).filter(event_id=self.event_id)
        changes = [one.amount_minor for one in moved if one.component not in NOT_OWED]
        more = sum(amount for amount in changes if amount > 0)
        return {
            "amount_minor": more if isinstance(self.event, LARGER) else more - sum(changes),
            "outstanding_minor": self.view.standing.payoff_minor,
        }


LARGER = events.Charged | events.IncomeDeferred
Said = tuple[str, Mapping[str, Any]]  # a template, and its context beside number and address


@task("loans.changed_by_hand")
def changed(loan_id: str, source: str) -> None:
    """Tells of one event; of nothing that was undone before, and of no undoing of what had not been told."""
    with transaction.atomic():
        view = loans.loan_view(loan_id=UUID(loan_id))
        rows = {row.source: row for row in loans.events_of(loan_id=view.loan.pk)}
        told = {name: events.from_json(row.payload) for name, row in rows.items()}
        event = told[source]
        if not _concerns(event, view.loan, list(told.values())):
            return
        said = SAYS[type(event)](Change(event, rows[source].pk, view))
        if said is None:
            return
        template, context = said
        messaging.tell(
            party_id=view.loan.party_id,
            template=template,
            key=_key(view.loan, source),
            moment=institutions.moment(tenancy.current(), clock.now()),
            context={
                "reference": view.loan.number,
                "link": f"{institutions.base_url(tenancy.current_id())}/account/",
                **context,
            },
            subject=("servicing.loan", view.loan.pk),
        )


def _key(loan: loans.Loan, source: str) -> str:
    return f"by_hand:{loan.pk}:{source}"


def _concerns(event: events.Event, loan: loans.Loan, told: Sequence[events.Event]) -> bool:
    """Whether the borrower is to know. What the law makes of a protected status is no act of a colleague."""
    undone = next((past for past in told if past.source == getattr(event, "undoes", "")), None)
    if any(one is not None and one.source.startswith(protect_customer.SOURCE) for one in (event, undone)):
        return False
    if loan.status not in state.LIVE and not isinstance(event, ALSO_AFTER_THE_END):
        return False
    if isinstance(event, events.Reversed):
        return type(undone) in SAYS and _knows(loan, event.undoes)
    return type(event) in SAYS and event in replay.in_force(told)


def _knows(loan: loans.Loan, source: str) -> bool:
    """Whether the borrower heard of an event: of what a colleague did, by a message of ours; else by the rail's."""
    by, _ = loans.actors_of(loan_id=loan.pk)[source]
    return by != "staff" or written.messages(subject_id=loan.pk).filter(key__startswith=_key(loan, source)).exists()


ALSO_AFTER_THE_END = events.PaymentReceived | events.Recovered | events.Charged | events.ChargedBack


# --- what each text says -----------------------------------------------------------------------------------------


def _received(change: Change) -> Said:
    event = change.event
    return take_payment.received(change.view.loan, event.amount_minor, event.effective_on)


def _larger(change: Change) -> Said | None:
    by_borrower = getattr(change.event, "owed_by", "borrower") == "borrower"
    return ("charge_added", change.amounts) if by_borrower else None


def _smaller(change: Change) -> Said | None:
    by_borrower = getattr(change.event, "owed_by", "borrower") == "borrower"
    return ("debt_reduced", change.amounts) if by_borrower else None


def _taken_back(change: Change) -> Said:
    return "payment_taken_back", {"amount_minor": change.event.amount_minor}


def _date_moved(change: Change) -> Said:
    """The new date, and the price of it where that is still to be paid."""
    now, dates = change.view.standing, change.view.state.due_dates
    due_on = dates[0] if dates else now.on
    if now.due_now_minor:
        return "date_moved", {"due_on": due_on, "amount_minor": now.due_now_minor}
    return "extension_made", {"due_on": due_on, "amount_minor": now.next_due_minor}


def _ended(change: Change) -> Said | None:
    """All falls due; not where a loan is taken for lost and keeps its plan."""
    if isinstance(change.event, events.ChargedOff) and change.view.state.terms.charge_off != "all_due":
        return None
    return "contract_ended", {
        "outstanding_minor": change.view.standing.payoff_minor,
        "due_on": change.event.effective_on,
    }


def _paused(change: Change) -> Said:
    event = change.event
    return "interest_paused", {"since": event.since, "until": event.until, **change.next_payment}


def _corrected(change: Change) -> Said:
    return "loan_corrected", {"outstanding_minor": change.view.standing.payoff_minor}


SAYS: Mapping[type[events.Event], Callable[[Change], Said | None]] = {
    events.PaymentReceived: _received,
    events.Recovered: _received,
    events.Charged: _larger,
    events.IncomeDeferred: _larger,
    events.ChargedBack: _taken_back,
    events.Waived: _smaller,
    events.Credited: _smaller,
    events.IncomeTakenBack: _smaller,
    events.Extended: _date_moved,
    events.Rescheduled: lambda change: ("dates_changed", change.next_payment),
    events.Respread: lambda change: ("dates_changed", change.next_payment),
    events.RateChanged: lambda change: ("rate_changed", {"since": change.event.effective_on, **change.next_payment}),
    events.InterestPaused: _paused,
    events.PenaltyPaused: lambda change: ("penalties_paused", change.next_payment),
    events.PenaltyResumed: lambda change: ("penalties_resumed", change.next_payment),
    events.Terminated: _ended,
    events.ChargedOff: _ended,
    events.TermsCorrected: _corrected,
    events.Reversed: _corrected,
}
