"""Whether, and where, a person wants our reminders as notifications: a consent, and the address of one browser."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

from usance.apps.customers import consents
from usance.apps.customers import selectors as customer_view
from usance.apps.customers import services as customers
from usance.apps.institutions import tenancy
from usance.apps.messaging.guard import PUSH_CONSENT
from usance.apps.messaging.models import PUSH, OptOut
from usance.core.refusals import Refusal
from usance.ports import registry
from usance.ports.actor import Actor


class PushAddressNotTaken(Refusal):
    """The browser's address is not whole, or at a push service that we do not know."""

    code = "push_address_not_taken"


def public_key() -> str:
    """What a browser needs to make an address for us; empty where this institution sends no pushes."""
    post = registry.push(tenancy.current().code)
    return post.public_key if post else ""


def allow(
    *, party_id: UUID, address: str, text_id: UUID, actor: Actor, at: datetime, on: date, evidence: dict[str, Any]
) -> None:
    """The party agreed to the text that was shown, in the browser whose address this is. An earlier browser gets no
    pushes any more. Raises PushAddressNotTaken, ConsentTextOutdated, PersonErased."""
    post, plain = registry.push(tenancy.current().code), _plain(address)
    if post is None or not post.accepts(plain):
        raise PushAddressNotTaken()
    consents.give(
        party_id=party_id, purpose=PUSH_CONSENT, text_id=text_id, actor=actor, at=at, on=on, evidence=evidence
    )
    customers.set_push_address(party_id=party_id, value=plain, actor=actor, at=at)


def _plain(address: str) -> str:
    """The same address in the same letters, without what a browser adds to it. Raises PushAddressNotTaken."""
    try:
        told = json.loads(address)
        keys = {name: str(told["keys"][name]) for name in ("auth", "p256dh")}
        return json.dumps({"endpoint": str(told["endpoint"]), "keys": keys}, separators=(",", ":"))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PushAddressNotTaken() from None


def stop(*, party_id: UUID, because: str, actor: Actor, at: datetime, on: date) -> None:
    """The party takes the consent back; the browser's address ends. Repeating it changes nothing."""
    consents.withdraw(party_id=party_id, purpose=PUSH_CONSENT, because=because, actor=actor, at=at, on=on)
    customers.end_push_address(party_id=party_id, because="withdrawn", actor=actor, at=at)


def contact_of(party_id: UUID, *, purpose: str, on: date) -> customer_view.ContactValue | None:
    """The browser to which pushes of this purpose go: told, reachable, allowed and wanted."""
    found = customer_view.current_contact(party_id, PUSH)
    if found is None or not consents.has_consent(party_id=party_id, purpose=PUSH_CONSENT, on=on):
        return None
    unwanted = OptOut.objects.filter(party_id=party_id, purpose=purpose, channel=PUSH, ended_at=None)
    return None if unwanted.exists() else found
