"""The customer's own phone number and e-mail address: a new one counts when a code that went there comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.customers import second_facts
from usance.apps.customers import selectors as customers
from usance.apps.customers.refusals import SecondFactLocked, SecondFactWrong
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import forms, permits, refusals, visitors
from usance.web.borrower import identity
from usance.web.borrower.sign_in import SecondFactForm
from usance.web.widgets import EmailInput
from usance.workflows import changed_channels, one_time_codes

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


class PhoneCodeForm(SecondFactForm):
    """The code of the new number, and something that only the customer knows: a phone alone is soon in other hands."""

    code = forms.CodeField(label=gettext_lazy("Code from the SMS"))
    app_code = forms.CodeField(label=gettext_lazy("Code that your app shows now"), required=False)
    field_order = ("code", "birth_date", "last_four", "app_code")

    def __init__(self, *args: Any, asked: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        for name in ("birth_date", "last_four", "app_code"):
            if name not in asked:
                del self.fields[name]
        if asked == ("last_four",):
            self.fields["last_four"].label = _("Last four digits of your identity number")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.asked and not any(given.get(name) for name in self.asked) and not self.errors:
            self.add_error(self.asked[0], _("Give this too: it shows that it is you."))
        return given


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
    who: dict[str, Any] = {"party_id": request.party_id, "address": visitors.address(request), "at": clock.now()}  # type: ignore[attr-defined]
    if channel == PHONE:
        sent = changed_channels.send_phone_code(phone=value, **who)
    else:
        sent = one_time_codes.send_contact_code(channel=channel, value=value, **who)
    request.session[PENDING] = {
        "channel": channel,
        "value": value,
        "code_id": str(sent.code_id),
        "masked": sent.masked_to,
        "resend_at": sent.resend_at.isoformat(),
    }


@permits.borrower
def code(request: HttpRequest, channel: str) -> HttpResponse:
    """Checks the code. An e-mail address counts at once, and the one before is told; a phone number waits."""
    pending: dict[str, Any] | None = request.session.get(PENDING)
    if channel not in (PHONE, EMAIL):
        raise Http404
    if not pending or pending["channel"] != channel:
        return redirect("borrower:contact", channel)
    form = _code_form(request, channel)
    problem = _send_again(request, pending) if "again" in request.POST else ""
    if form.is_bound and form.is_valid():
        refused = _confirm(request, pending, form.cleaned_data)
        if refused is None:
            del request.session[PENDING]
            return redirect("borrower:me")
        form.add_error(_field_of(refused, form.cleaned_data), refusals.sentence(refused))
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


def _code_form(request: HttpRequest, channel: str) -> forms.Form:
    data = request.POST if request.method == "POST" and "again" not in request.POST else None
    if channel == EMAIL:
        return CodeForm(data)
    return PhoneCodeForm(data, asked=_asked(request.party_id))  # type: ignore[attr-defined]


def _asked(party_id: UUID) -> tuple[str, ...]:
    """The fields of the second fact that this customer can be asked for."""
    return tuple("app_code" if kind == second_facts.APP else kind for kind in second_facts.kinds(party_id))


def _field_of(refused: Refusal, given: dict[str, Any]) -> str:
    """Beside which field a refusal stands."""
    if not isinstance(refused, SecondFactWrong | SecondFactLocked):
        return "code"
    return next(name for name in ("app_code", "birth_date", "last_four") if given.get(name) or name == "last_four")


def _confirm(request: HttpRequest, pending: dict[str, Any], given: dict[str, Any]) -> Refusal | None:
    """None when the new one is taken in, with the words of what follows; else what is in its way."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    order: dict[str, Any] = {
        "party_id": party_id,
        "code_id": UUID(pending["code_id"]),
        "code": given["code"],
        "actor": identity.actor_of(request),
        "at": clock.now(),
    }
    waits = pending["channel"] == PHONE and customers.current_contact(party_id, PHONE) is not None
    try:
        with transaction.atomic():  # of one that is somebody else's nothing is kept
            if waits:
                facts: dict[str, Any] = {
                    "birth_date": given.get("birth_date"),
                    "last_four": given.get("last_four") or "",
                    "app_code": given.get("app_code") or "",
                }
                answer: Any = changed_channels.confirm_phone(**order, **facts)
            else:
                answer = one_time_codes.confirm_contact(**order)
    except Refusal as refusal:
        return refusal
    if isinstance(answer, Refusal):
        return answer
    if waits:
        messages.success(
            request, _("Confirmed. Below you see when it counts; we have told the number that you had before.")
        )
    else:
        messages.success(request, _("Confirmed. From now on we write to you there."))
    return None
