"""Whose visit it is: the customer's id in the session, the known device it runs on, and where the visit came from. A
session lives no longer than its device is known: forgetting the device ends it, wherever it is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode

from usance.apps.customers import sign_in
from usance.ports import actor
from usance.web import kept

PARTY, DEVICE, SOURCE, WISH = "party_id", "device_id", "source", "wish"
DEVICE_COOKIE = "device"
YEAR = 365 * 24 * 3600
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
    """The signed-in customer, or nobody: also when the device was forgotten elsewhere meanwhile."""
    if not hasattr(request, "borrower"):
        request.borrower = _signed_in(request)  # type: ignore[attr-defined]
    found: UUID | None = request.borrower  # type: ignore[attr-defined]
    return found


def _signed_in(request: HttpRequest) -> UUID | None:
    party_id, device_id = request.session.get(PARTY), request.session.get(DEVICE)
    if not party_id or not device_id:
        return None
    if not sign_in.is_still_known(party_id=UUID(party_id), device_id=UUID(device_id)):
        request.session.flush()
        return None
    return UUID(party_id)


def actor_of(request: HttpRequest) -> actor.Actor:
    """The customer as the actor of what they do; the public before they signed in."""
    party_id = of(request)
    return actor.borrower(party_id) if party_id else actor.Actor(kind="public")


def to_sign_in(request: HttpRequest, view: kept.View) -> HttpResponse:
    """The way to the sign-in page and from there back; what was typed on a form meanwhile is kept."""
    device = request.COOKIES.get(DEVICE_COOKIE, "")
    known = device if sign_in.is_anyones_device(token=device) else ""
    back = kept.way_back(request, device=known, view=view, otherwise="/account/")
    return redirect(f"/sign-in/?{urlencode({'next': back})}")


def owner(party_id: UUID) -> Callable[[str], bool]:
    """Says of a device cookie whether it is this customer's."""
    return lambda device: sign_in.is_known_device(party_id=party_id, token=device)


def enter(request: HttpRequest, response: HttpResponse, answer: sign_in.SignedIn) -> HttpResponse:
    """Signs the customer in: a new session key, and the cookie of a known device."""
    carried = {name: request.session[name] for name in (SOURCE, WISH, kept.SESSION) if name in request.session}
    request.session.flush()
    request.session.update({**carried, PARTY: str(answer.party_id), DEVICE: str(answer.device_id)})
    response.set_cookie(
        DEVICE_COOKIE, answer.device_token, max_age=YEAR, httponly=True, samesite="Lax", secure=settings.USE_TLS
    )
    return response


def leave(request: HttpRequest) -> None:
    request.session.flush()


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
