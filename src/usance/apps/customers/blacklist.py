"""Whom we do not serve, for a while: hashed phones, identity numbers, cards, addresses, names with birth dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from usance.apps.audit import services as audit
from usance.apps.customers import vault
from usance.apps.customers.models import BlacklistEntry, BlindIndex
from usance.ports.actor import Actor

KINDS = ("phone", "email", "identity_number", "name_birth", "card")
NOTE = "customers_blacklistentry.note"


@dataclass(frozen=True, slots=True)
class Hit:
    entry_id: UUID
    kind: str
    reason: str


def add(
    *,
    kind: str,
    value: str,
    reason: str,
    starts_on: date,
    actor: Actor,
    ends_on: date | None = None,
    note: str = "",
    org_path: str = "root",
) -> UUID:
    """An entry for [starts_on, ends_on). `value` is the normal form (E.164, digits, `words.name_and_birth`); for a
    card what the fingerprint was made of. `reason` is a short code, `note` free text, sealed."""
    return add_mac(
        kind=kind,
        mac=vault.blind(value, kind=kind),
        reason=reason,
        starts_on=starts_on,
        actor=actor,
        ends_on=ends_on,
        note=note,
        org_path=org_path,
    )


def add_mac(
    *,
    kind: str,
    mac: bytes,
    reason: str,
    starts_on: date,
    actor: Actor,
    ends_on: date | None = None,
    note: str = "",
    org_path: str = "root",
) -> UUID:
    """The same for a value of which only the blind index is known, such as a stored card's fingerprint."""
    assert kind in KINDS
    entry = BlacklistEntry.objects.create(
        kind=kind,
        mac=mac,
        reason=reason,
        starts_on=starts_on,
        ends_on=ends_on,
        sealed_note=vault.seal(note, party_id=None, field=NOTE) if note else None,
        added_by=f"{actor.kind}:{actor.id}",
        org_path=org_path,
    )
    audit.record(action="blacklist.added", subject=entry, actor=actor, details={"kind": kind, "reason": reason})
    entry_id: UUID = entry.pk
    return entry_id


def add_party(*, party_id: UUID, reason: str, starts_on: date, actor: Actor, ends_on: date | None = None) -> int:
    """Everything that the party is known by; says how many entries that made."""
    known = BlindIndex.objects.filter(party_id=party_id, kind__in=KINDS).values_list("kind", "mac")
    for kind, mac in list(known):
        add_mac(kind=kind, mac=bytes(mac), reason=reason, starts_on=starts_on, ends_on=ends_on, actor=actor)
    return len(known)


def lift(*, entry_id: UUID, actor: Actor, at: datetime) -> None:
    """The entry no longer counts; it stays as history."""
    if BlacklistEntry.objects.filter(pk=entry_id, lifted_at=None).update(lifted_at=at):
        entry = BlacklistEntry.objects.get(pk=entry_id)
        audit.record(action="blacklist.lifted", subject=entry, actor=actor, details={"kind": entry.kind})


def entries(on: date) -> QuerySet[BlacklistEntry]:
    """The entries in force on a day, newest first."""
    lasting = Q(ends_on=None) | Q(ends_on__gt=on)
    return BlacklistEntry.objects.filter(lasting, starts_on__lte=on, lifted_at=None).order_by("-recorded_at", "-id")


def hits(*, party_id: UUID, on: date, card_fingerprints: Iterable[bytes] = ()) -> list[Hit]:
    """The entries in force that the party meets by anything it is or was known by, or by these cards
    (`vault.blind(..., kind="card")`)."""
    match = Q(pk__in=[])
    for kind, mac in BlindIndex.objects.filter(party_id=party_id, kind__in=KINDS).values_list("kind", "mac"):
        match |= Q(kind=kind, mac=mac)
    for fingerprint in card_fingerprints:
        match |= Q(kind="card", mac=fingerprint)
    return [Hit(entry.pk, entry.kind, entry.reason) for entry in entries(on).filter(match)]
