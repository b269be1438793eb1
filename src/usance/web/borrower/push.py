"""Reminders as notifications: allowed on a device, stopped, and seen."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from usance.apps.customers import consents
from usance.apps.messaging import push, sending
from usance.apps.messaging.guard import PUSH_CONSENT
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import permits, refusals, visitors
from usance.web.borrower import identity

REMINDER = "reminder"


def section(request: HttpRequest, party_id: UUID) -> dict[str, Any]:
    """What the page of settings says of it; empty where this institution sends no pushes."""
    key, on = push.public_key(), request.institution.business_date  # type: ignore[attr-defined]
    if not key:
        return {}
    return {
        "push_key": key,
        "push_text": consents.text_to_show(PUSH_CONSENT, request.LANGUAGE_CODE, on),
        "push_contact": push.contact_of(party_id, purpose=REMINDER, on=on),
        "push_phone": request.GET.get("phone", "") if settings.USANCE_SANDBOX_URL else "",
        "push_sandbox": _sandbox_phone(request, key),
    }


def _sandbox_phone(request: HttpRequest, key: str) -> str:
    """In the demo: where somebody without a push service gets a phone that says yes."""
    if not settings.USANCE_SANDBOX_URL:
        return ""
    asked = {"origin": f"{request.scheme}://{request.get_host()}", "key": key, "back": reverse("borrower:settings")}
    return f"{settings.USANCE_SANDBOX_URL}/push/phone?{urlencode(asked)}"


@permits.borrower
@require_POST
def allow(request: HttpRequest) -> HttpResponse:
    """The customer agreed, and this browser made an address for us."""
    try:
        push.allow(
            party_id=request.party_id,  # type: ignore[attr-defined]
            address=request.POST.get("address", ""),
            text_id=_text_id(request),
            actor=identity.actor_of(request),
            at=clock.now(),
            on=request.institution.business_date,  # type: ignore[attr-defined]
            evidence=consents.evidence_of(visitors.address(request), request.headers.get("User-Agent", "")),
        )
    except Refusal as refusal:
        messages.error(request, str(refusals.sentence(refusal)))
    else:
        messages.success(request, _("From now on we remind you of payments on this device."))
    return redirect("borrower:settings")


def _text_id(request: HttpRequest) -> UUID:
    """The words that were shown. Raises ConsentTextOutdated for what is no text of ours."""
    on = request.institution.business_date  # type: ignore[attr-defined]
    shown = consents.text_to_show(PUSH_CONSENT, request.LANGUAGE_CODE, on)
    told = request.POST.get("text", "")
    known = consents.known_text(told) if told else None
    if known is None or known.purpose != PUSH_CONSENT:
        raise consents.ConsentTextOutdated(purpose=shown.purpose)
    return known.pk


@permits.borrower
@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """No more notifications; SMS and e-mail as before."""
    push.stop(
        party_id=request.party_id,  # type: ignore[attr-defined]
        because=_("withdrawn in the account"),
        actor=identity.actor_of(request),
        at=clock.now(),
        on=request.institution.business_date,  # type: ignore[attr-defined]
    )
    messages.success(request, _("Stopped. We remind you by SMS and e-mail again."))
    return redirect("borrower:settings")


@csrf_exempt  # the ticket is the proof; the service worker that brings it has no session
@permits.public
@require_http_methods(["GET", "POST"])
def seen(request: HttpRequest, ticket: str) -> HttpResponse:
    """A device showed a reminder (POST, by its service worker), or its owner opened it (GET)."""
    message_id = sending.message_of(ticket)
    if message_id is None or not sending.record_seen(message_id=message_id, now=clock.now()):
        raise Http404
    return redirect("borrower:account") if request.method == "GET" else HttpResponse(status=204)
