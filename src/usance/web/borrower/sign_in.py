"""Signing in by phone and one-time code; on a new device, by something else that the customer knows."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from usance.apps.customers import sign_in
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import cookies, forms, permits, refusals, visitors
from usance.web.borrower import identity
from usance.workflows import one_time_codes

PENDING, NEXT = "sign_in", "sign_in_next"


class PhoneForm(forms.Form):
    phone = forms.PhoneField(label=_("Mobile phone number"), help_text=_("We send you a code by SMS."))


class CodeForm(forms.Form):
    code = forms.CodeField(label=_("Code from the SMS"))


class AppForm(forms.Form):
    app_code = forms.CodeField(label=_("Code that your app shows now"))


class SecondFactForm(forms.Form):
    """Either of two things that only the customer knows."""

    birth_date = forms.DateBoxesField(birthday=True, required=False, label=_("Your date of birth"))
    last_four = forms.CodeField(length=4, required=False, label=_("Or: last four digits of your identity number"))


@permits.public
def phone(request: HttpRequest) -> HttpResponse:
    """Asks for the phone number and sends a code."""
    if request.GET.get("next"):
        request.session[NEXT] = request.GET["next"]
    if identity.of(request):
        return _onwards(request)
    form = PhoneForm(request.POST or None)
    form.fields["phone"].set_country(request.institution.country)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            _send(request, form.cleaned_data["phone"])
        except Refusal as refusal:
            form.add_error("phone", refusals.sentence(refusal))
        else:
            return redirect("borrower:sign_in_code")
    return render(request, "borrower/sign_in/phone.html", {"form": form, "back_url": "/"})


def _send(request: HttpRequest, number: str) -> None:
    sent = one_time_codes.send_sign_in_code(
        phone=number,
        language=request.LANGUAGE_CODE,
        address=visitors.address(request),
        device_token=cookies.read(request, cookies.DEVICE),
        at=clock.now(),
    )
    request.session[PENDING] = {
        "phone": number,
        "code_id": str(sent.code_id),
        "masked": sent.masked_to,
        "resend_at": sent.resend_at.isoformat(),
    }


@permits.public
def code(request: HttpRequest) -> HttpResponse:
    """Checks the code. A wrong one is counted, so its refusal is shown, not raised."""
    pending = request.session.get(PENDING)
    if not pending:
        return redirect("borrower:sign_in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = sign_in.begin(
            code_id=UUID(pending["code_id"]),
            code=form.cleaned_data["code"],
            device_token=cookies.read(request, cookies.DEVICE),
            language=request.LANGUAGE_CODE,
            at=clock.now(),
            on=request.institution.business_date,  # type: ignore[attr-defined]
        )
        if isinstance(answer, sign_in.SignedIn):
            return _enter(request, answer)
        if isinstance(answer, sign_in.SecondFactNeeded):
            request.session[PENDING] = {**pending, "by_app": sign_in.APP in answer.kinds}
            return redirect("borrower:sign_in_second")
        form.add_error("code", refusals.sentence(answer))
    context = {"form": form, "masked": pending["masked"], "back_url": "/sign-in/", "wait_seconds": _wait(pending)}
    return render(request, "borrower/sign_in/code.html", context)


def _wait(pending: dict[str, str]) -> int:
    left = datetime.fromisoformat(pending["resend_at"]) - clock.now()
    return max(0, int(left.total_seconds()))


@permits.public
@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Sends another code to the same phone."""
    pending = request.session.get(PENDING)
    if not pending:
        return redirect("borrower:sign_in")
    try:
        _send(request, pending["phone"])
    except Refusal as refusal:
        form = CodeForm()
        context = {
            "form": form,
            "masked": pending["masked"],
            "back_url": "/sign-in/",
            "wait_seconds": _wait(pending),
            "problem": refusals.sentence(refusal),
        }
        return render(request, "borrower/sign_in/code.html", context)
    return redirect("borrower:sign_in_code")


@permits.public
def second_fact(request: HttpRequest) -> HttpResponse:
    """On a device that we do not know, somebody who has the phone must also know something."""
    pending = request.session.get(PENDING)
    if not pending:
        return redirect("borrower:sign_in")
    by_app = bool(pending.get("by_app"))
    form: forms.Form = (AppForm if by_app else SecondFactForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        born: date | None = form.cleaned_data.get("birth_date")
        last_four: str = form.cleaned_data.get("last_four") or ""
        app_code: str = form.cleaned_data.get("app_code") or ""
        if not app_code and born is None and not last_four:
            form.add_error("birth_date", _("Give your date of birth, or the last four digits below."))
        else:
            answer = sign_in.answer_second_fact(
                code_id=UUID(pending["code_id"]),
                birth_date=born,
                last_four=last_four,
                app_code=app_code,
                at=clock.now(),
            )
            if isinstance(answer, sign_in.SignedIn):
                return _enter(request, answer)
            form.add_error("app_code" if by_app else "birth_date" if born else "last_four", refusals.sentence(answer))
    context = {"form": form, "back_url": "/sign-in/", "by_app": by_app}
    return render(request, "borrower/sign_in/second_fact.html", context)


def _enter(request: HttpRequest, answer: sign_in.SignedIn) -> HttpResponse:
    onwards = _onwards(request)
    return identity.enter(request, onwards, party_id=answer.party_id, device_token=answer.device_token)


def _onwards(request: HttpRequest) -> HttpResponse:
    target = request.session.pop(NEXT, "/account/")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    return redirect(target if safe else "/account/")


@permits.public
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Signs out; the device stays known."""
    identity.leave(request)
    return cookies.forget_pages(redirect("/"))
