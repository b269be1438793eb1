"""Acts about a customer that touch several apps: no longer served, served again, erased."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.customers import blacklist
from usance.apps.customers import services as customers
from usance.apps.institutions import tenancy
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import Actor
from usance.workflows import end_applications, served

blocks_of = served.blocks_of
OVER = ("closed", "cancelled")  # what no longer needs a name: nothing is owed, nothing can be claimed


class BlockedAlready(Refusal):
    """The customer is on the list of those we do not serve."""

    code = "customer_blocked_already"


class NotBlocked(Refusal):
    code = "customer_not_blocked"


class StillNeeded(Refusal):
    """Something is under way that cannot go on without knowing who the customer is: `what` is loan, application or
    payment."""

    code = "customer_still_needed"
    what: str


def block(*, party_id: UUID, reason: str, actor: Actor, ends_on: date | None = None) -> int:
    """From today on nothing more is lent to whoever has this customer's phone, address, number, name or card: what they
    have asked for and not received is declined; running loans stay as they are. Says how many entries that made. Raises
    BlockedAlready."""
    if blocks_of(party_id=party_id):
        raise BlockedAlready()
    today = tenancy.current().business_date
    made = blacklist.add_party(party_id=party_id, reason=reason, starts_on=today, ends_on=ends_on, actor=actor)
    for mark in payments.fingerprints_of(party_id):
        blacklist.add_mac(kind="card", mac=mark, reason=reason, starts_on=today, ends_on=ends_on, actor=actor)
        made += 1
    details = {"reason": reason, "ends_on": ends_on.isoformat() if ends_on else "", "entries": made}
    audit.record(action="customer.blocked", subject=("customers.party", party_id), actor=actor, details=details)
    end_applications.decline(party_id=party_id, reasons=("blacklisted",), actor=actor, at=clock.now())
    return made


def unblock(*, party_id: UUID, because: str, actor: Actor, at: datetime) -> int:
    """Every entry that this customer meets ends; says how many. Raises NotBlocked."""
    found = blocks_of(party_id=party_id)
    if not found:
        raise NotBlocked()
    for hit in found:
        blacklist.lift(entry_id=hit.entry_id, actor=actor, at=at)
    details = {"because": because, "entries": len(found)}
    audit.record(action="customer.unblocked", subject=("customers.party", party_id), actor=actor, details=details)
    return len(found)


def erase(*, party_id: UUID, reason: str, actor: Actor, at: datetime) -> None:
    """Destroys the key under which all about this customer is sealed. Raises StillNeeded."""
    if loans.loans_of_party(party_id).exclude(status__in=OVER).exists():
        raise StillNeeded(what="loan")
    if applications.open_application(party_id=party_id) is not None:
        raise StillNeeded(what="application")
    if payments.instructions(state="open").filter(party_id=party_id).exists():
        raise StillNeeded(what="payment")
    customers.erase(party_id=party_id, reason=reason, actor=actor, at=at)
