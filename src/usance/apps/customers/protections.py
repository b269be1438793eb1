"""People whom the law protects for a time: the dead, the insolvent, soldiers in service, victims of identity theft.
What each status stops is a dated rule of the country (`protection`); where it says nothing, everything stops that
UNLESS_SAID names: interest only where a law says so, new loans for all but soldiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from usance.apps.audit import services as audit
from usance.apps.customers import vault
from usance.apps.customers.models import Protection
from usance.apps.customers.refusals import PersonProtected, ProtectedAlready, ProtectionOver
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.ports.actor import Actor

RULE = "protection"
EVIDENCE = "customers_protection.evidence"
KINDS = tuple(Protection.Kind.values)
# what may be stopped: messages by their purpose, debits of cards, penalties and lateness fees, interest, new loans
REMINDER, COLLECTION, MARKETING, DEBIT, PENALTY = "reminder", "collection", "marketing", "debit", "penalty"
INTEREST, LENDING = "interest", "lending"
ASKING = (REMINDER, COLLECTION, MARKETING, DEBIT, PENALTY)
UNLESS_SAID: Mapping[str, tuple[str, ...]] = {
    Protection.Kind.DECEASED: (*ASKING, LENDING),
    Protection.Kind.INSOLVENT: (*ASKING, LENDING),
    Protection.Kind.IN_SERVICE: ASKING,
    Protection.Kind.IDENTITY_THEFT: (*ASKING, LENDING),
}


def begin(
    *, party_id: UUID, kind: str, starts_on: date, evidence: str, actor: Actor, ends_on: date | None = None
) -> Protection:
    """From `starts_on` on (and before `ends_on`) the person is protected. `evidence`: how we know, kept sealed. Raises
    ProtectedAlready."""
    lasting = Q(ends_on=None) | Q(ends_on__gt=starts_on)
    if of_party(party_id).filter(lasting, kind=kind, withdrawn_at=None).exists():
        raise ProtectedAlready(kind=kind)
    sealed = vault.seal(evidence, party_id=party_id, field=EVIDENCE)
    try:
        with transaction.atomic():
            row = Protection.objects.create(
                party_id=party_id, kind=kind, starts_on=starts_on, ends_on=ends_on, sealed_evidence=sealed
            )
    except IntegrityError:
        raise ProtectedAlready(kind=kind) from None
    days = {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat() if ends_on else ""}
    _record("customer.protected", row, actor, **days)
    return row


def end(*, protection_id: UUID, ends_on: date, actor: Actor) -> Protection:
    """The person is no longer protected from `ends_on` on. Raises ProtectionOver."""
    row = _open(protection_id)
    row.ends_on = max(ends_on, row.starts_on)
    row.save(update_fields=["ends_on"])
    _record("customer.protection_ended", row, actor, ends_on=row.ends_on.isoformat())
    return row


def withdraw(*, protection_id: UUID, actor: Actor, at: datetime) -> Protection:
    """It was recorded by mistake, and never was so. Raises ProtectionOver."""
    row = _open(protection_id)
    row.withdrawn_at = at
    row.save(update_fields=["withdrawn_at"])
    _record("customer.protection_withdrawn", row, actor)
    return row


def _open(protection_id: UUID) -> Protection:
    row = Protection.objects.select_for_update().filter(pk=protection_id, withdrawn_at=None).first()
    today = tenancy.current().business_date
    if row is None or (row.ends_on is not None and row.ends_on <= today):
        raise ProtectionOver()
    return row


def _record(action: str, row: Protection, actor: Actor, **details: str) -> None:
    subject = ("customers.party", row.party_id)
    audit.record(action=action, subject=subject, actor=actor, details={"kind": row.kind, **details})


# --- reading -----------------------------------------------------------------------------------------------------


def protection(protection_id: UUID) -> Protection | None:
    return Protection.objects.filter(pk=protection_id).first()


def of_party(party_id: UUID) -> QuerySet[Protection]:
    """Every one there was, the newest first."""
    return Protection.objects.filter(party_id=party_id).order_by("-starts_on", "-id")


def in_force(party_id: UUID, on: date) -> QuerySet[Protection]:
    """Those that protect the person on a day."""
    lasting = Q(ends_on=None) | Q(ends_on__gt=on)
    return of_party(party_id).filter(lasting, starts_on__lte=on, withdrawn_at=None)


def evidence_of(row: Protection) -> str:
    return vault.unseal(bytes(row.sealed_evidence), party_id=row.party_id, field=EVIDENCE)


def stopped_by(kind: str, on: date) -> tuple[str, ...]:
    """What a status stops on a day, by the country's rule."""
    rule = institutions.rule(tenancy.current().country, RULE, on) or {}
    return tuple(rule.get(kind, UNLESS_SAID[kind]))


def stops(*, party_id: UUID, what: str, on: date) -> bool:
    """Whether a person's status stops something on a day."""
    kinds = list(in_force(party_id, on).values_list("kind", flat=True))
    return any(what in stopped_by(kind, on) for kind in kinds)


def require_allowed(*, party_id: UUID, what: str, on: date) -> None:
    """Raises PersonProtected."""
    if stops(party_id=party_id, what=what, on=on):
        raise PersonProtected()
