"""A phone number or card that waits: stopped by its owner, signed in or by the link that told them of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from usance.apps.customers import channels, masking
from usance.apps.customers import selectors as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.payments import selectors as payments
from usance.ports import clock
from usance.ports.actor import Actor
from usance.web import components as ui
from usance.web import permits
from usance.web.borrower import identity
from usance.workflows import changed_channels


def moment(request: HttpRequest) -> Any:
    """The business moment of this request: what the waits of cards and numbers are compared with."""
    return institutions.moment(request.institution, clock.now())  # type: ignore[attr-defined]


@permits.borrower
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """The customer stops what waits: a new phone number, of which `not_mine` says that somebody else asked for it; or a
    card that somebody else linked (their own they remove)."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    change = channels.change_of(change_id=change_id, party_id=party_id)
    if change is None:
        raise Http404
    if request.method == "POST" and change.state == channels.State.WAITING:
        reported = "not_mine" in request.POST or change.kind == channels.Kind.CARD
        who, here = identity.actor_of(request), identity.device_of(request)
        changed_channels.stop(change_id=change.pk, reported=reported, at=clock.now(), actor=who, here=here)
        messages.success(request, _said(reported))
    elif request.method == "GET" and change.state == channels.State.WAITING:
        context = {
            "change": change,
            "what": _what(change),
            "effects": _effects(change, signed_in=True),
            "back_url": "/account/me/" if change.kind == channels.Kind.PHONE else "/account/settings/",
        }
        return render(request, "borrower/account/stop_change.html", context)
    return redirect("borrower:me" if change.kind == channels.Kind.PHONE else "borrower:settings")


def _said(reported: bool) -> str:
    if not reported:
        return _("Stopped. Everything stays as it was.")
    return _("Stopped, and you are signed out everywhere but here. We look into it and write to you.")


@permits.public
@require_http_methods(["GET", "POST"])
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the message that told of a change. Opening it does nothing, as programs open links too; the button
    stops the change and calls staff. Nobody need sign in: whoever got in may have changed that."""
    change = channels.of_token(token=token, at=clock.now())
    if change is None:
        return render(request, "borrower/account/not_me_over.html", status=404)
    if request.method == "POST":
        changed_channels.stop(change_id=change.pk, reported=True, at=clock.now(), actor=Actor("public"))
        return redirect("borrower:not_me", token)
    context = {
        "change": change,
        "what": _what(change),
        "effects": _effects(change),
        "counts": change.state == channels.State.DONE,
        "is_reported": change.reported_at is not None,
        "is_stopped": change.state == channels.State.STOPPED and change.reported_at is None,
    }
    return render(request, "borrower/account/not_me.html", context)


def _what(change: Any) -> str:
    """What changes, in words that tell a stranger little: the link may have come to a phone that is somebody else's."""
    if change.kind == channels.Kind.CARD:
        card = payments.card(change.subject_id)
        return _("Card ending in %(last4)s") % {"last4": card.last4 if card else ""}
    values = {one.contact_id: one.value for one in customers.contacts(change.party_id, "phone")}
    return _("Phone number %(phone)s") % {"phone": masking.phone(values.get(change.subject_id, ""))}


def _effects(change: Any, *, signed_in: bool = False) -> list[ui.Effect]:
    """What the button does. `signed_in`: pressed in the account, on a device that stays known."""
    if change.kind == channels.Kind.CARD:
        stopped = _("No money goes to this card, and none is taken from it.")
    elif change.state == channels.State.DONE:
        return [
            ui.Effect(_("A person at our desk looks into it at once. Call us too: the number counts already."), "warn")
        ]
    else:
        stopped = _("The new number never counts. Your number stays as it is.")
    if signed_in:
        devices = _("If it was not you: you are signed out on every other device, and stay signed in here.")
    else:
        devices = _("You are signed out everywhere, and each device must show anew that it is yours.")
    return [ui.Effect(stopped, "good"), ui.Effect(devices)]
