"""One's own account at the desk: sessions, password, authenticator app, recovery codes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from usance.apps.access import selectors, sign_in
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import kept, permits
from usance.web.staff import identity
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import CodeForm, answer, present_password, prove, qr_code, sent


class ChangePasswordForm(house.Form):
    old = present_password()
    new = forms.CharField(
        label=gettext_lazy("New password"),
        max_length=128,
        strip=False,
        help_text=gettext_lazy("At least 8 signs, as your app is asked for too. Longer is safer."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class ConfirmForm(house.Form):
    old = present_password()


class ReplaceAppForm(CodeForm):
    old = present_password()
    field_order = ("old", "code")


@permits.staff("")
@require_GET
def show(request: StaffRequest) -> HttpResponse:
    here = request.staff_session
    context = {
        "sessions": [(one, one.pk == here.pk) for one in selectors.open_sessions(request.user)],
        "factors": selectors.factors_of(request.user),
        "has_app": selectors.has_app(request.user),
        "host": request.get_host().rsplit(":", 1)[0].lower(),
        "codes_left": selectors.recovery_codes_left(request.user),
        "grants": selectors.grants_of(request.user),
        "facts": [
            ui.SummaryRow(_("Name"), request.user.name),
            ui.SummaryRow(_("E-mail address"), request.user.email),
        ],
    }
    return render(request, "staff/sign_in/account.html", context)


@permits.staff("")
@kept.looked_at_again
@sensitive_post_parameters("old", "new")
@require_http_methods(["GET", "POST"])
def change_password(request: StaffRequest) -> HttpResponse:
    """Other sessions end; this one goes on under a new key."""
    user, here = request.user, request.staff_session

    def submit(form: Any) -> HttpResponse:
        sign_in.change_password(
            user=user,
            old=form.cleaned_data["old"],
            new=form.cleaned_data["new"],
            visitor=identity.visitor(request),
            at=clock.now(),
            keep=here.pk,
        )
        update_session_auth_hash(request, user)
        sign_in.rekey_session(session_id=here.pk, session_key=str(request.session.session_key))
        messages.success(request, _("Your password is changed. You are signed out everywhere else."))
        return redirect("staff:account")

    return answer(request, "staff/sign_in/change_password.html", ChangePasswordForm(sent(request)), submit)


@permits.staff("")
@require_POST
@permits.fresh("staff:account")
def end_session(request: StaffRequest, session_id: UUID) -> HttpResponse:
    """Ends one of the own sessions."""
    if not sign_in.end_session(user=request.user, session_id=session_id, at=clock.now()):
        raise Http404
    messages.success(request, _("That session is ended."))
    return redirect("staff:account")


@permits.staff("")
@kept.looked_at_again
@permits.fresh("staff:recovery_codes")
@sensitive_post_parameters("old")
@require_http_methods(["GET", "POST"])
def recovery_codes(request: StaffRequest) -> HttpResponse:
    """New codes on paper; the old ones stop working."""

    def submit(form: Any) -> HttpResponse:
        prove(request, form)
        codes = sign_in.new_recovery_codes(user=request.user)
        return render(request, "staff/sign_in/new_recovery_codes.html", {"codes": codes})

    form = ConfirmForm(sent(request))
    return answer(request, "staff/sign_in/confirm_codes.html", form, submit, field="old")


@permits.staff("")
@kept.looked_at_again
@permits.fresh("staff:replace_app")
@sensitive_post_parameters("old")
@require_http_methods(["GET", "POST"])
def replace_app(request: StaffRequest) -> HttpResponse:
    """Another phone: the new app proves that it works before the old one stops counting."""
    user = request.user
    secret = sign_in.begin_totp(user=user)

    def submit(form: Any) -> HttpResponse:
        prove(request, form)
        given = form.cleaned_data["code"]
        codes = sign_in.confirm_totp(user=user, given=given, visitor=identity.visitor(request), at=clock.now())
        sign_in.end_sessions(user=user, at=clock.now(), reason="factor_changed", but=request.staff_session.pk)
        return render(request, "staff/sign_in/new_recovery_codes.html", {"codes": codes})

    return answer(
        request,
        "staff/sign_in/replace_app.html",
        ReplaceAppForm(sent(request)),
        submit,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        qr=qr_code(request, user, secret),
    )
