"""Signing in to the desk: password, then a second factor, which everyone enrols at the first sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from usance.apps.access import refusals as why
from usance.apps.access import selectors, sign_in, totp
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import cookies, permits, qr, refusals
from usance.web import forms as house
from usance.web.staff import identity

Submit = Callable[[Any], HttpResponse]


def begin_here(form: Any, name: str) -> None:
    """The first thing to type has the focus; after a refusal the summary of what is wrong has it."""
    if not form.is_bound:
        form.fields[name].widget.attrs["autofocus"] = True


class PasswordForm(house.Form):
    email = forms.EmailField(
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "username", "spellcheck": "false"})
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        begin_here(self, "email")


class CodeForm(house.Form):
    code = house.CodeField(length=totp.DIGITS, label=_("Code"))


class RecoveryForm(house.Form):
    code = forms.CharField(
        label=_("Recovery code"), max_length=30, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class NewPasswordForm(house.Form):
    password = forms.CharField(
        label=_("New password"),
        max_length=128,
        strip=False,
        help_text=_("At least 15 signs. A few words that only you would put together are easier to keep in mind."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


def present_password() -> forms.CharField:
    """For acts that an open desk alone must not do."""
    return forms.CharField(
        label=_("Your present password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def prove(request: Any, form: Any) -> None:
    """An open desk is no proof of who sits at it: the present password is. Refuses as `check_password`."""
    sign_in.check_password(
        email=request.user.email,
        password=form.cleaned_data["old"],
        visitor=identity.visitor(request),
        at=clock.now(),
    )


def sent(request: HttpRequest) -> Any:
    """What a form is filled with: the answers, or nothing when the page is only shown."""
    return request.POST if request.method == "POST" else None


def answer(
    request: HttpRequest, template: str, form: house.Form, submit: Submit, *, field: str | None = None, **context: Any
) -> HttpResponse:
    """A page with one form: shown, or sent. A refusal stands beside `field` (or above the form) and what was counted
    on the way stays counted."""
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                return submit(form)
            except Refusal as refusal:
                status = 429 if isinstance(refusal, why.TooManyAttempts) else 422
                form.add_error(None if status == 429 else field, refusals.sentence(refusal))
        else:
            status = 422
    return render(request, template, {"form": form, **context}, status=status)


@permits.public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Who are you? Answers alike for a wrong password and an unknown address."""
    after = request.GET.get("next", "")

    def submit(form: PasswordForm) -> HttpResponse:
        user = sign_in.check_password(
            email=form.cleaned_data["email"],
            password=form.cleaned_data["password"],
            visitor=identity.visitor(request),
            at=clock.now(),
        )
        identity.remember_password(request, user, after)
        return redirect("staff:second_factor" if selectors.confirmed_factor(user) else "staff:enrol")

    single = reverse("staff:passkey_single") + (f"?{urlencode({'next': after})}" if after else "")
    form = PasswordForm(sent(request))
    return answer(request, "staff/sign_in/password.html", form, submit, passkey_action=single)


@permits.public
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """The code of the authenticator app, or a passkey."""
    user = identity.pending_user(request)
    if user is None:
        return redirect("staff:sign_in")
    if selectors.confirmed_factor(user) is None:
        return redirect("staff:enrol")

    def submit(form: CodeForm) -> HttpResponse:
        given = form.cleaned_data["code"]
        factor = sign_in.check_code(user=user, given=given, visitor=identity.visitor(request), at=clock.now())
        return _in(request, user, factor.kind)

    host = request.get_host().rsplit(":", 1)[0].lower()
    form = CodeForm(sent(request))
    begin_here(form, "code")
    ways = {"has_app": selectors.has_app(user), "has_passkey": selectors.passkeys_of(user, host=host).exists()}
    return answer(request, "staff/sign_in/second_factor.html", form, submit, field="code", **ways)


@permits.public
@require_http_methods(["GET", "POST"])
def recovery(request: HttpRequest) -> HttpResponse:
    """A code from paper, for whoever lost the phone."""
    user = identity.pending_user(request)
    if user is None or selectors.confirmed_factor(user) is None:
        return redirect("staff:sign_in")

    def submit(form: RecoveryForm) -> HttpResponse:
        given = form.cleaned_data["code"]
        sign_in.check_recovery_code(user=user, given=given, visitor=identity.visitor(request), at=clock.now())
        _in(request, user, "recovery")
        return redirect("staff:account")

    return answer(request, "staff/sign_in/recovery.html", RecoveryForm(sent(request)), submit, field="code")


@permits.public
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """The first sign-in: an authenticator app is linked before anything else may be seen."""
    user = identity.pending_user(request)
    if user is None:
        return redirect("staff:sign_in")
    if selectors.confirmed_factor(user) is not None:
        return redirect("staff:second_factor")
    secret = sign_in.begin_totp(user=user)

    def submit(form: CodeForm) -> HttpResponse:
        given = form.cleaned_data["code"]
        codes = sign_in.confirm_totp(user=user, given=given, visitor=identity.visitor(request), at=clock.now())
        after = identity.let_in(request, user, factor="totp")
        page = render(request, "staff/sign_in/recovery_codes.html", {"codes": codes, "after": after})
        return identity.know_device(request, page, user)

    return answer(
        request,
        "staff/sign_in/enrol.html",
        CodeForm(sent(request)),
        submit,
        field="code",
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        qr=qr_code(request, user, secret),
    )


@permits.public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """A link by which someone sets a first or a new password."""
    try:
        user = sign_in.invited(token=token, visitor=identity.visitor(request), at=clock.now())
    except (why.InvitationExpired, why.TooManyAttempts) as refusal:
        sentence = refusals.sentence(refusal)
        return render(request, "staff/sign_in/invitation_expired.html", {"sentence": sentence}, status=404)

    def submit(form: NewPasswordForm) -> HttpResponse:
        given = form.cleaned_data["password"]
        visitor = identity.visitor(request)
        entered = sign_in.accept_invitation(token=token, password=given, visitor=visitor, at=clock.now())
        identity.remember_password(request, entered, "")
        return redirect("staff:second_factor" if selectors.confirmed_factor(user) else "staff:enrol")

    form = NewPasswordForm(sent(request))
    return answer(request, "staff/sign_in/invitation.html", form, submit, field="password", invited=user)


@permits.staff("")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    identity.leave(request)
    return cookies.forget_pages(redirect("staff:sign_in"))


def _in(request: HttpRequest, user: Any, factor: str) -> HttpResponse:
    after = identity.let_in(request, user, factor=factor)
    return identity.know_device(request, HttpResponseRedirect(after), user)


def qr_code(request: HttpRequest, user: Any, secret: str) -> str:
    return qr.of_app(secret, issuer=request.institution.name, account=user.email)  # type: ignore[attr-defined]
