"""The customer's own authenticator app: linked, and taken off again."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from usance.apps.access import totp
from usance.apps.customers import authenticator
from usance.apps.customers import selectors as customers
from usance.ports import clock
from usance.web import forms, permits, qr
from usance.web.borrower import identity


class CodeForm(forms.Form):
    code = forms.CodeField(label=gettext_lazy("Code that your app shows now"))


@permits.borrower
@require_http_methods(["GET", "POST"])
@permits.fresh("borrower:link_app")
def link(request: HttpRequest) -> HttpResponse:
    """Shows the picture for the app and why it is safer than SMS alone; the app's first code links it."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    secret = authenticator.begin(party_id=party_id)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor, code = identity.actor_of(request), form.cleaned_data["code"]
        if authenticator.confirm(party_id=party_id, code=code, actor=actor, at=clock.now()):
            messages.success(request, _("The app is linked. On a new device we ask for its code."))
            return redirect("borrower:settings")
        form.add_error(
            "code", _("This code is wrong, too old, or was used before. Enter the code that the app shows now.")
        )
    account = customers.party_row(party_id).reference
    issuer: str = request.institution.name  # type: ignore[attr-defined]
    context = {
        "form": form,
        "back_url": "/account/settings/",
        "app_url": totp.address(secret, issuer=issuer, account=account),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "qr": qr.of_app(secret, issuer=issuer, account=account),
    }
    return render(request, "borrower/account/link_app.html", context)


@permits.borrower
@require_POST
@permits.fresh("borrower:settings")
def unlink(request: HttpRequest) -> HttpResponse:
    """From now on a new device is asked what the customer told us, as before."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    authenticator.unlink(party_id=party_id, actor=identity.actor_of(request), at=clock.now())
    messages.success(request, _("The app is no longer linked."))
    return redirect("borrower:settings")
