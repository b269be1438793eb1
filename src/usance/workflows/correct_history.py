"""Correcting what was booked: by adding, never by editing, with its exact effect shown first and by two people.

A correction is one event for one loan. Proposing it shows what would change; approving it tells the event to the loan,
which refolds from the event's own date and books the difference on the business date, citing the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from usance.apps.desk import services as desk
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.loan import events, quote
from usance.core.loan.events import Event
from usance.core.rates import Rate
from usance.ports.actor import Actor

if TYPE_CHECKING:
    from usance.apps.access.models import User
    from usance.apps.desk.models import Approval

LOAN = "servicing.loan"
KIND_OF: Mapping[type[Event], str] = {
    events.Reversed: "loan.correct",
    events.PaymentReceived: "loan.correct",
    events.RateChanged: "loan.correct",
    events.Waived: "loan.waive",
    events.WrittenOff: "loan.write_off",
}


def register_kinds() -> None:
    """Called once, by config/wiring.py."""
    titles = {
        "loan.correct": _("Correct what was booked on a loan"),
        "loan.waive": _("Forgive a part of what is owed"),
        "loan.write_off": _("Write a loan off"),
    }
    for kind, title in titles.items():
        desk.register(desk.Kind(kind=kind, permission=kind, apply=carry_out, title=title, page="staff:loan"))


# --- the corrections that can be asked for -----------------------------------------------------------------------


def reversal(*, undoes: str) -> Event:
    """The event with the source `undoes` is as if it had never been told."""
    return events.Reversed(effective_on=_today(), source=_source(), undoes=undoes, reason="correction")


def late_payment(*, amount_minor: int, value_on: date) -> Event:
    """Money that came on an earlier day and was not known."""
    return events.PaymentReceived(effective_on=value_on, source=_source(), amount_minor=amount_minor)


def rate_change(*, rate: Rate, on: date) -> Event:
    """Another rate, from an earlier day or from today."""
    return events.RateChanged(effective_on=on, source=_source(), rate=rate)


def waiver(*, balance: str, amount_minor: int) -> Event:
    """Forgives up to an amount of one balance."""
    return events.Waived(
        effective_on=_today(), source=_source(), balance=balance, amount_minor=amount_minor, reason="correction"
    )


def write_off() -> Event:
    """All that is owed leaves the books."""
    return events.WrittenOff(effective_on=_today(), source=_source(), reason="correction")


def _today() -> date:
    return tenancy.current().business_date


def _source() -> str:
    return f"staff:{new_id()}"


# --- two people --------------------------------------------------------------------------------------------------


def preview(*, loan_id: UUID, event: Event) -> quote.Preview:
    """The loan before and after, and every movement in between. Raises what `admit` refuses."""
    return loans.preview(loan_id=loan_id, event=event)


def propose(*, loan_id: UUID, event: Event, maker: User, reason: str, at: datetime) -> Approval:
    """A correction that waits for a second person. Raises what `admit` refuses, AlreadyProposed."""
    effect = preview(loan_id=loan_id, event=event)
    loan = loans.loan(loan_id)
    return desk.propose(
        kind=KIND_OF[type(event)],
        subject=(LOAN, loan_id),
        before=_figures(effect.before),
        after=_figures(effect.after) | {"event": event.to_json()},
        maker=maker,
        at=at,
        reason=reason,
        reference=loan.number,
        org_path=loan.org_path,
    )


def carry_out(*, subject_id: str, after: Mapping[str, Any], actor: Actor, **approval: Any) -> None:
    """What an approval does. Raises what `admit` refuses by now."""
    servicing.record(loan_id=UUID(str(subject_id)), event=events.from_json(after["event"]), actor=actor)


def _figures(standing: quote.Standing) -> dict[str, Any]:
    """What both people see of the loan."""
    return {
        "status": standing.status,
        "outstanding_minor": standing.outstanding_minor,
        "past_due_minor": standing.past_due_minor,
        "days_past_due": standing.days_past_due,
        "next_due_on": standing.next_due_on.isoformat() if standing.next_due_on else None,
        "unapplied_minor": standing.unapplied_minor,
    }
