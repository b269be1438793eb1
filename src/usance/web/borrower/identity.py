"""Whose visit it is: the customer's id in the session, a device cookie that says that this browser is known, and where
the visit came from.

A visit ends by idling, by its age, and with its device: whoever forgets a device has signed it out.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode

from usance.apps.customers import devices, sign_in
from usance.ports import actor, clock
from usance.web import cookies, kept

VISIT, SOURCE, WISH = "visit", "source", "wish"
YEAR = 365 * 24 * 3600
IDLE, LONGEST_VISIT, FRESH = timedelta(minutes=60), timedelta(hours=12), timedelta(minutes=15)
NOTED_EVERY = timedelta(minutes=1)
# what of an address says where a visitor came from: campaign tags, and the click ids of affiliate networks
SOURCE_KEYS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "gclid",
    "fbclid",
    "admitad_uid",
    "aff_sub",
    "clickid",
    "ref",
)
LONGEST = 200


def of(request: HttpRequest) -> UUID | None:
    """The signed-in customer, or nobody."""
    if not hasattr(request, "visit_party_id"):
        request.visit_party_id = _standing(request)  # type: ignore[attr-defined]
    found: UUID | None = request.visit_party_id  # type: ignore[attr-defined]
    return found


def _standing(request: HttpRequest) -> UUID | None:
    """Whose visit it still is; one that has ended leaves nothing in the session."""
    visit: dict[str, str] | None = request.session.get(VISIT)
    if not visit:
        return None
    at, party_id = clock.now(), UUID(visit["party"])
    began, seen = datetime.fromisoformat(visit["began"]), datetime.fromisoformat(visit["seen"])
    is_over = at - seen > IDLE or at - began > LONGEST_VISIT
    if is_over or not devices.stands(party_id=party_id, device_id=UUID(visit["device"])):
        request.session.flush()
        return None
    if at - seen > NOTED_EVERY:
        request.session[VISIT] = {**visit, "seen": at.isoformat()}
    return party_id


def begin(session: MutableMapping[str, Any], *, party_id: UUID, device_id: UUID, at: datetime) -> None:
    """The session is from now on a visit of this customer on this device."""
    session[VISIT] = {
        "party": str(party_id), "device": str(device_id), "began": at.isoformat(), "seen": at.isoformat()
    }  # fmt: skip


def device_of(request: HttpRequest) -> UUID:
    """The device of the visit: of a signed-in customer only."""
    return UUID(request.session[VISIT]["device"])


def is_fresh(request: HttpRequest) -> bool:
    """Whether the customer proved who they are a moment ago."""
    return clock.now() - datetime.fromisoformat(request.session[VISIT]["began"]) <= FRESH


def actor_of(request: HttpRequest) -> actor.Actor:
    """The customer as the actor of what they do; the public before they signed in."""
    party_id = of(request)
    return actor.borrower(party_id) if party_id else actor.Actor(kind="public")


def to_sign_in(request: HttpRequest, view: kept.View) -> HttpResponse:
    """The way to the sign-in page and from there back; what was typed on a form meanwhile is kept."""
    device = cookies.read(request, cookies.DEVICE)
    known = device if devices.is_anyones(token=device) else ""
    back = kept.way_back(request, device=known, view=view, otherwise="/account/")
    return redirect(f"/sign-in/?{urlencode({'next': back})}")


def owner(party_id: UUID) -> Callable[[str], bool]:
    """Says of a device cookie whether it is this customer's."""
    return lambda device: devices.is_known(party_id=party_id, token=device)


def enter(request: HttpRequest, response: HttpResponse, answer: sign_in.SignedIn) -> HttpResponse:
    """Signs the customer in: a new session key, and the cookie of a known device."""
    carried = {name: request.session[name] for name in (SOURCE, WISH, kept.SESSION) if name in request.session}
    request.session.flush()
    request.session.update(carried)
    begin(request.session, party_id=answer.party_id, device_id=answer.device_id, at=clock.now())
    request.visit_party_id = answer.party_id  # type: ignore[attr-defined]
    cookies.put(response, cookies.DEVICE, answer.device_token, max_age=YEAR)
    return response


def leave(request: HttpRequest) -> None:
    request.session.flush()
    request.visit_party_id = None  # type: ignore[attr-defined]


def remember_source(request: HttpRequest) -> None:
    """Keeps where the visit came from, the first time anything says so: the application carries it later."""
    if SOURCE in request.session:
        return
    found: dict[str, Any] = {name: request.GET[name][:LONGEST] for name in SOURCE_KEYS if request.GET.get(name)}
    referrer = request.headers.get("Referer", "")
    if referrer and request.get_host() not in referrer:
        found["referrer"] = referrer[:LONGEST]
    if found:
        request.session[SOURCE] = found


def source_of(request: HttpRequest) -> dict[str, Any]:
    source: dict[str, Any] = request.session.get(SOURCE, {})
    return source
