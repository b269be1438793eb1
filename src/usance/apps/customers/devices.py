"""The browsers on which a party has proved who they are: a secret in a cookie, of which we keep the hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from usance.apps.audit import services as audit
from usance.apps.customers import services
from usance.apps.customers.models import Device
from usance.ports.actor import Actor


def know(*, party_id: UUID, at: datetime) -> str:
    """A browser on which the party has proved enough; the token for its cookie."""
    token = secrets.token_urlsafe(32)
    Device.objects.create(party_id=party_id, token_hash=_token_hash(token), first_seen_at=at, last_seen_at=at)
    return token


def seen(*, party_id: UUID, token: str, at: datetime) -> None:
    """The party signed in from there again."""
    _devices(party_id, token).update(last_seen_at=at)


def id_of(*, party_id: UUID, token: str) -> UUID:
    """The device whose cookie this is; raises Device.DoesNotExist."""
    found: UUID = _devices(party_id, token).get().pk
    return found


def stands(*, party_id: UUID, device_id: UUID) -> bool:
    """Whether this device is still one of the party's: a visit on it ends when it is forgotten, or its owner erased."""
    return Device.objects.filter(pk=device_id, party_id=party_id, ended_at=None).exists()


def is_known(*, party_id: UUID, token: str) -> bool:
    return bool(token) and _devices(party_id, token).exists()


def is_anyones(*, token: str) -> bool:
    """Whether this browser is known, whoever's it is."""
    return bool(token) and Device.objects.filter(token_hash=_token_hash(token), ended_at=None).exists()


def had(*, party_id: UUID, device_id: UUID) -> bool:
    """Whether the device is or was one of the party's."""
    return Device.objects.filter(pk=device_id, party_id=party_id).exists()


def of_party(party_id: UUID) -> QuerySet[Device]:
    """The browsers that the party signs in from, the latest first."""
    return Device.objects.filter(party_id=party_id, ended_at=None).order_by("-last_seen_at", "-id")


def forget(*, party_id: UUID, device_id: UUID, actor: Actor, at: datetime) -> None:
    """Visits there are over, and the next sign-in from there asks for the second fact again."""
    if Device.objects.filter(pk=device_id, party_id=party_id, ended_at=None).update(ended_at=at):
        audit.record(action="customer.device_removed", subject=(services.PARTY, party_id), actor=actor, details={})


def forget_all(*, party_id: UUID, actor: Actor, at: datetime, but: UUID | None = None) -> int:
    """Signs the party out on every device, or on all but one, and whoever signs in there next is asked for the second
    fact; says on how many devices."""
    known = Device.objects.filter(party_id=party_id, ended_at=None)
    ended = (known.exclude(pk=but) if but else known).update(ended_at=at)
    if ended:
        details = {"count": ended}
        audit.record(
            action="customer.devices_removed", subject=(services.PARTY, party_id), actor=actor, details=details
        )
    return ended


def _devices(party_id: UUID, token: str) -> QuerySet[Device]:
    return Device.objects.filter(party_id=party_id, token_hash=_token_hash(token), ended_at=None)


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
