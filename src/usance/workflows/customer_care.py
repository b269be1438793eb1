"""Acts about a customer that touch several apps: no longer served, served again, erased."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from usance.apps.access import selectors as access
from usance.apps.audit import services as audit
from usance.apps.customers import blacklist
from usance.apps.customers import selectors as customer_view
from usance.apps.customers import services as customers
from usance.apps.customers import sign_in as codes
from usance.apps.desk import services as desk
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.origination import selectors as applications
from usance.apps.origination import services as origination
from usance.apps.payments import selectors as payment_view
from usance.apps.payments import services as payments
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import Actor
from usance.workflows import end_applications, served

ERASE = "customers.erase"
blocks_of = served.blocks_of
OVER = ("closed", "sold", "cancelled")  # what no longer needs a name: nothing is owed, nothing can be claimed


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
    for mark in payment_view.fingerprints_of(party_id):
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


def propose_erasure(*, party_id: UUID, reason: str, maker: access.User, at: datetime) -> None:
    """There is no way back, so a second person must agree. Raises StillNeeded, AlreadyProposed."""
    _require_not_needed(party_id)
    party = customer_view.party_row(party_id)
    desk.propose(
        kind=ERASE,
        subject=("customers.party", party_id),
        before={},
        after={"reason": reason},
        maker=maker,
        at=at,
        reference=party.reference,
        org_path=party.org_path,
    )


def apply_erasure(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """What the second person's approval carries out."""
    erase(party_id=UUID(subject_id), reason=after["reason"], actor=actor, at=at)


def erase(*, party_id: UUID, reason: str, actor: Actor, at: datetime) -> None:
    """Destroys the key under which all about this customer is sealed, and empties what was kept of them elsewhere: the
    codes and messages that went to their phone before they were a customer, their cards, what the rail told us of
    their payments, where they came from. Raises StillNeeded."""
    _require_not_needed(party_id)
    messaging.forget(keys=[f"code:{code_id}" for code_id in codes.codes_of(party_id)], party_id=party_id)
    payments.forget(party_id=party_id)
    origination.forget(party_id=party_id)
    customers.erase(party_id=party_id, reason=reason, actor=actor, at=at)


def _require_not_needed(party_id: UUID) -> None:
    if loans.loans_of_party(party_id).exclude(status__in=OVER).exists():
        raise StillNeeded(what="loan")
    if applications.open_application(party_id=party_id) is not None:
        raise StillNeeded(what="application")
    if payment_view.instructions(state="open").filter(party_id=party_id).exists():
        raise StillNeeded(what="payment")


desk.register(
    desk.Kind(ERASE, "customer.confirm_erasure", apply_erasure, _("Erase a person's data"), page="staff:customer")
)
