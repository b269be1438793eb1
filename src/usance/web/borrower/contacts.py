"""The customer's own phone number and e-mail address: a new one counts when a code that went there comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.customers import selectors as customers
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import forms, permits, refusals, visitors
from usance.web.borrower import identity
from usance.web.widgets import EmailInput
from usance.workflows import one_time_codes

PENDING = "contact_code"
PHONE, EMAIL = one_time_codes.PHONE, one_time_codes.EMAIL


class PhoneForm(forms.Form):
    value = forms.PhoneField(label=gettext_lazy("New mobile phone number"))


class EmailForm(forms.Form):
    value = forms.forms.EmailField(
        label=gettext_lazy("E-mail address"), widget=EmailInput(attrs={"autocomplete": "email"})
    )


class CodeForm(forms.Form):
    code = forms.CodeField(label=gettext_lazy("Code"))


def _form(request: HttpRequest, channel: str, party_id: UUID) -> forms.Form:
    if channel == PHONE:
        form: forms.Form = PhoneForm(request.POST or None)
        form.fields["value"].set_country(request.institution.country)  # type: ignore[attr-defined]
        return form
    known = [contact for contact in customers.contacts(party_id, EMAIL) if contact.ended_at is None]
    return EmailForm(request.POST or None, initial={"value": known[0].value if known else ""})


@permits.borrower
@permits.fresh("borrower:me")
def change(request: HttpRequest, channel: str) -> HttpResponse:
    """Asks for the new phone number or address and sends a code there."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    if channel not in (PHONE, EMAIL):
        raise Http404
    form = _form(request, channel, party_id)
    if request.method == "POST" and form.is_valid():
        try:
            _send(request, channel, form.cleaned_data["value"])
        except Refusal as refusal:
            form.add_error("value", refusals.sentence(refusal))
        else:
            return redirect("borrower:contact_code", channel)
    context = {"form": form, "channel": channel, "back_url": "/account/me/"}
    return render(request, "borrower/account/contact.html", context)


def _send(request: HttpRequest, channel: str, value: str) -> None:
    sent = one_time_codes.send_contact_code(
        party_id=request.party_id,  # type: ignore[attr-defined]
        channel=channel,
        value=value,
        address=visitors.address(request),
        at=clock.now(),
    )
    request.session[PENDING] = {
        "channel": channel,
        "value": value,
        "code_id": str(sent.code_id),
        "masked": sent.masked_to,
        "resend_at": sent.resend_at.isoformat(),
    }


@permits.borrower
def code(request: HttpRequest, channel: str) -> HttpResponse:
    """Checks the code; the phone or address before ends and is told so."""
    pending: dict[str, Any] | None = request.session.get(PENDING)
    if channel not in (PHONE, EMAIL):
        raise Http404
    if not pending or pending["channel"] != channel:
        return redirect("borrower:contact", channel)
    form = CodeForm(request.POST if request.method == "POST" and "again" not in request.POST else None)
    problem = _send_again(request, pending) if "again" in request.POST else ""
    if form.is_bound and form.is_valid():
        refused = _confirm(request, pending, form.cleaned_data["code"])
        if refused is None:
            del request.session[PENDING]
            messages.success(request, _("Confirmed. From now on we write to you there."))
            return redirect("borrower:me")
        form.add_error("code", refusals.sentence(refused))
    pending = request.session[PENDING]
    left = datetime.fromisoformat(pending["resend_at"]) - clock.now()
    context = {
        "form": form,
        "channel": channel,
        "masked": pending["masked"],
        "problem": problem,
        "wait_seconds": max(0, int(left.total_seconds())),
        "back_url": f"/account/contacts/{channel}/",
    }
    return render(request, "borrower/account/contact_code.html", context)


def _send_again(request: HttpRequest, pending: dict[str, Any]) -> str:
    """Another code to the same place; what is in the way of that, in words."""
    try:
        _send(request, pending["channel"], pending["value"])
    except Refusal as refusal:
        return str(refusals.sentence(refusal))
    return ""


def _confirm(request: HttpRequest, pending: dict[str, Any], typed: str) -> Refusal | None:
    try:
        answer = one_time_codes.confirm_contact(
            party_id=request.party_id,  # type: ignore[attr-defined]
            code_id=UUID(pending["code_id"]),
            code=typed,
            actor=identity.actor_of(request),
            at=clock.now(),
        )
    except Refusal as refusal:
        return refusal
    return answer if isinstance(answer, Refusal) else None
