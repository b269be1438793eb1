"""Passkeys at the desk: signing in with one, as second step or alone, and one's own list of them.

Each act is two requests: the page's script asks for a challenge, the browser answers it, and an ordinary form brings
the answer. What is refused is told on the page that the form came from.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from usance.apps.access import passkeys, selectors
from usance.apps.access.refusals import LastFactor
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import kept, permits, refusals, visitors
from usance.web.staff import identity
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, present_password, prove, sent

ASKED, NAMED = "passkey", "passkey_name"
NAMED_FOR = timedelta(minutes=15)
LONGEST_ANSWER = 20_000


class NameForm(house.Form):
    """An open desk is no proof of who sits at it: the password is asked for before a key is made."""

    name = forms.CharField(
        label=gettext_lazy("What do you call it?"),
        max_length=60,
        help_text=gettext_lazy("So that you know it in the list: “My laptop”, “Blue security key”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    old = present_password()


class RemoveForm(house.Form):
    """Which of the own second factors; the password shows who asks."""

    factor = house.CardChoiceField(label=gettext_lazy("Which one?"))
    old = present_password()

    def __init__(self, *args: Any, factors: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["factor"].choices = [(str(one.pk), factor_name(one)) for one in factors]  # type: ignore[attr-defined]


def factor_name(factor: Any) -> str:
    return _("Authenticator app") if factor.kind == "totp" else str(factor.name)


def site_of(request: HttpRequest) -> passkeys.Site:
    """The institution's host name that the browser is at; the middleware has seen to it that it is one."""
    host = request.get_host()
    return passkeys.Site(host.rsplit(":", 1)[0].lower(), f"{request.scheme}://{host}".lower())


# --- signing in --------------------------------------------------------------------------------------------------


@permits.public
@require_POST
def ask_single(request: HttpRequest) -> HttpResponse:
    """A challenge for whoever comes: the passkey will say whose it is."""
    visitor = identity.visitor(request)
    return _hand_out(request, lambda: passkeys.ask(site=site_of(request), visitor=visitor, at=clock.now()))


@permits.public
@require_POST
def single(request: HttpRequest) -> HttpResponse:
    """Signs in by passkey alone."""
    after = request.GET.get("next", "")
    try:
        factor = passkeys.check_single(
            challenge_id=_asked(request),
            answer=_answered(request),
            site=site_of(request),
            visitor=identity.visitor(request),
            at=clock.now(),
        )
    except Refusal as refusal:
        messages.error(request, refusals.sentence(refusal))
        back = reverse("staff:sign_in")
        return HttpResponseRedirect(f"{back}?{urlencode({'next': after})}" if after else back)
    target = identity.let_in(request, factor.user, factor="passkey", after=after)
    return identity.know_device(request, HttpResponseRedirect(target), factor.user)


@permits.public
@require_POST
def ask_second(request: HttpRequest) -> HttpResponse:
    """A challenge for somebody whose password was right."""
    user, visitor = identity.pending_user(request), identity.visitor(request)
    if user is None:
        return JsonResponse({"problem": _("Enter your password again: it was too long ago.")}, status=403)
    return _hand_out(request, lambda: passkeys.ask(user=user, site=site_of(request), visitor=visitor, at=clock.now()))


@permits.public
@require_POST
def second(request: HttpRequest) -> HttpResponse:
    """The second step after the password."""
    user = identity.pending_user(request)
    if user is None:
        return redirect("staff:sign_in")
    try:
        passkeys.check_second(
            user=user,
            challenge_id=_asked(request),
            answer=_answered(request),
            site=site_of(request),
            visitor=identity.visitor(request),
            at=clock.now(),
        )
    except Refusal as refusal:
        messages.error(request, refusals.sentence(refusal))
        return redirect("staff:second_factor")
    target = identity.let_in(request, user, factor="passkey")
    return identity.know_device(request, HttpResponseRedirect(target), user)


# --- one's own ---------------------------------------------------------------------------------------------------


@permits.staff("")
@kept.looked_at_again
@sensitive_post_parameters("old")
@require_http_methods(["GET", "POST"])
def add(request: StaffRequest) -> HttpResponse:
    """First a name and the password; the key itself is made on the next page."""

    def submit(form: Any) -> HttpResponse:
        prove(request, form)
        request.session[NAMED] = {"name": form.cleaned_data["name"], "at": clock.now().isoformat()}
        return redirect("staff:make_passkey")

    form = NameForm(sent(request), initial={"name": visitors.device(request)})
    return answer(request, "staff/sign_in/add_passkey.html", form, submit, field="old")


@permits.staff("")
@kept.looked_at_again
@require_http_methods(["GET", "POST"])
def make(request: StaffRequest) -> HttpResponse:
    """The browser makes the key."""
    name = _named(request)
    if name is None:
        return redirect("staff:add_passkey")
    if request.method == "POST":
        try:
            passkeys.register(
                user=request.user,
                challenge_id=_asked(request),
                answer=_answered(request),
                name=name,
                site=site_of(request),
                at=clock.now(),
            )
        except Refusal as refusal:
            messages.error(request, refusals.sentence(refusal))
            return redirect("staff:make_passkey")
        del request.session[NAMED]
        messages.success(request, _("Added. You can sign in with it from now on."))
        return redirect("staff:account")
    return render(request, "staff/sign_in/make_passkey.html", {"name": name})


@permits.staff("")
@kept.looked_at_again
@require_POST
def ask_to_make(request: StaffRequest) -> HttpResponse:
    if _named(request) is None:
        return JsonResponse({"problem": _("Enter your password again: it was too long ago.")}, status=403)
    ask = passkeys.ask_to_register
    return _hand_out(request, lambda: ask(user=request.user, site=site_of(request), at=clock.now()))


@permits.staff("")
@kept.looked_at_again
@sensitive_post_parameters("old")
@require_http_methods(["GET", "POST"])
def remove(request: StaffRequest) -> HttpResponse:
    """Takes away one of the own second factors, app or passkey, but never the last one."""

    def submit(form: Any) -> HttpResponse:
        prove(request, form)
        try:
            passkeys.remove(user=request.user, factor_id=UUID(form.cleaned_data["factor"]))
        except LastFactor as refusal:
            form.add_error("factor", refusals.sentence(refusal))
            return render(request, "staff/sign_in/remove_factor.html", {"form": form, **context}, status=422)
        messages.success(request, _("Removed. It no longer signs you in."))
        return redirect("staff:account")

    context = {
        "confirm_label": _("Remove"),
        "effects": [
            ui.Effect(_("It no longer signs you in, from now on."), "warn"),
            ui.Effect(_("Your device may still offer a passkey: remove it there too, in its list of passkeys.")),
        ],
        "danger": True,
        "parent": "layouts/staff.html",
        "cancel_url": reverse("staff:account"),
    }
    factors = selectors.factors_of(request.user)
    form = RemoveForm(sent(request), factors=factors, initial={"factor": request.GET.get("factor", "")})
    return answer(request, "staff/sign_in/remove_factor.html", form, submit, field="old", **context)


# --- inside ------------------------------------------------------------------------------------------------------


def _hand_out(request: HttpRequest, ask: Callable[[], passkeys.Asked]) -> HttpResponse:
    try:
        asked = ask()
    except Refusal as refusal:
        return JsonResponse({"problem": refusals.sentence(refusal)}, status=429)
    request.session[ASKED] = str(asked.challenge_id)
    return JsonResponse({"options": asked.options})


def _asked(request: HttpRequest) -> UUID | None:
    """The challenge that this browser asked for last; each is answered once."""
    found = request.session.pop(ASKED, None)
    return UUID(found) if found else None


def _answered(request: HttpRequest) -> str:
    return request.POST.get("passkey", "")[:LONGEST_ANSWER]


def _named(request: StaffRequest) -> str | None:
    """The name of the passkey to be made, as long as the password was given a moment ago."""
    named = request.session.get(NAMED)
    if not named or clock.now() - datetime.fromisoformat(named["at"]) > NAMED_FOR:
        return None
    return str(named["name"])
