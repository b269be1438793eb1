"""A customer's visit, as it is once the code was right: a known device, and a session on it."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from django.test import Client


def session_of(party_id: Any) -> Any:
    """A signed-in session, in the caller's transaction."""
    from django.conf import settings

    from usance.apps.customers.models import Device
    from usance.web.borrower import identity

    at = datetime.now(UTC)
    device = Device.objects.create(party_id=party_id, token_hash=uuid4().bytes * 2, first_seen_at=at, last_seen_at=at)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[identity.PARTY], session[identity.DEVICE] = str(party_id), str(device.pk)
    session.create()
    return session


def browser_of(party_id: Any, host: str) -> Client:
    """A browser in which this customer is signed in."""
    from django.conf import settings
    from django.test import Client

    client = Client(headers={"host": host})
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(party_id).session_key
    return client
