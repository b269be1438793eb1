"""Signing in by phone and one-time code; on a new device, by something else that the customer knows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from usance.apps.customers import devices, sign_in
from usance.apps.customers.refusals import CodeExpired
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import cookies, forms, permits, refusals, visitors
from usance.web.borrower import identity
from usance.workflows import one_time_codes, phone_changes_hands

PENDING, NEXT, BEGUN = "sign_in", "sign_in_next", "sign_in_begun"


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # one of them is needed, so none is called optional
            field.must_answer = True  # type: ignore[attr-defined]


@permits.public
def phone(request: HttpRequest) -> HttpResponse:
    """Asks for the phone number and sends a code."""
    if request.GET.get("next"):
        request.session[NEXT] = request.GET["next"]
    if identity.of(request):
        return _onwards(request)
    request.session.setdefault(BEGUN, True)  # the form sent twice finds the same visit
    form = PhoneForm(request.POST or None)
    form.fields["phone"].set_country(request.institution.country)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["phone"]
        try:
            _send(request, number)
        except Refusal as refusal:
            if _went_out_already(request, number):
                return redirect("borrower:sign_in_code")
            form.add_error("phone", refusals.sentence(refusal))
        else:
            return redirect("borrower:sign_in_code")
    # somebody we know, on the way to a page of theirs: their visit has ended meanwhile
    is_back = NEXT in request.session and devices.is_anyones(token=cookies.read(request, cookies.DEVICE))
    return render(request, "borrower/sign_in/phone.html", {"form": form, "back_url": "/", "is_back": is_back})


def _went_out_already(request: HttpRequest, number: str) -> bool:
    """Whether this visit was sent a code to this number already, in another tab or by the same form sent twice: the
    session is read anew, as the other request may have written it meanwhile."""
    pending = type(request.session)(request.session.session_key).get(PENDING)
    if not pending or pending["phone"] != number:
        return False
    request.session[PENDING] = pending
    return True


def _send(request: HttpRequest, number: str, *, instead_of: str = "") -> None:
    sent = one_time_codes.send_sign_in_code(
        phone=number,
        language=request.LANGUAGE_CODE,
        address=visitors.address(request),
        device_token=cookies.read(request, cookies.DEVICE),
        at=clock.now(),
        instead_of=UUID(instead_of) if instead_of else None,
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
        return _onwards(request) if identity.of(request) else redirect("borrower:sign_in")
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
        if sign_in.has_just_begun_a_session(code_id=UUID(pending["code_id"]), at=clock.now()):
            return redirect("/account/")  # the same form sent twice: the first of them has signed in
        form.add_error("code", refusals.sentence(answer))
    problem, note = pending.pop("problem", ""), pending.pop("note", "")
    if problem or note:
        request.session[PENDING] = pending
    context = {
        "form": form,
        "masked": pending["masked"],
        "back_url": "/sign-in/",
        "wait_seconds": _wait(pending),
        "problem": problem,
        "note": note,
    }
    return render(request, "borrower/sign_in/code.html", context)


def _wait(pending: dict[str, str]) -> int:
    left = datetime.fromisoformat(pending["resend_at"]) - clock.now()
    return max(0, int(left.total_seconds()))


@permits.public
@permits.sent_from("borrower:sign_in_code")
def again(request: HttpRequest) -> HttpResponse:
    """Sends another code to the same phone; the one before is no longer good."""
    pending = request.session.get(PENDING)
    if not pending:
        return redirect("borrower:sign_in")
    try:
        _send(request, pending["phone"], instead_of=pending["code_id"])
    except Refusal as refusal:
        request.session[PENDING] = {**pending, "problem": refusals.sentence(refusal)}
    else:
        note = str(_("We sent a new code. Only the newest one counts."))
        request.session[PENDING] = {**request.session[PENDING], "note": note}
    return redirect("borrower:sign_in_code")


@permits.public
def second_fact(request: HttpRequest) -> HttpResponse:
    """On a device that we do not know, somebody who has the phone must also know something."""
    pending = request.session.get(PENDING)
    if not pending:
        return _onwards(request) if identity.of(request) else redirect("borrower:sign_in")
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
            if isinstance(answer, CodeExpired):
                return _begin_again(request)
            form.add_error("app_code" if by_app else "birth_date" if born else "last_four", refusals.sentence(answer))
    context = {"form": form, "back_url": "/sign-in/", "by_app": by_app}
    return render(request, "borrower/sign_in/second_fact.html", context)


@permits.public
def newcomer(request: HttpRequest) -> HttpResponse:
    """Somebody has a number that another customer had before: they begin anew and see nothing of that customer."""
    pending = request.session.get(PENDING)
    if not pending:
        return redirect("borrower:sign_in")
    problem = ""
    if request.method == "POST":
        answer = phone_changes_hands.start_anew(
            code_id=UUID(pending["code_id"]),
            language=request.LANGUAGE_CODE,
            at=clock.now(),
            on=request.institution.business_date,  # type: ignore[attr-defined]
        )
        if isinstance(answer, sign_in.SignedIn):
            return _enter(request, answer)
        if isinstance(answer, CodeExpired):
            return _begin_again(request)
        problem = refusals.sentence(answer)
    context = {
        "problem": problem,
        "confirm_label": _("Begin as a new customer"),
        "cancel_url": "/sign-in/question/",
    }
    return render(request, "borrower/sign_in/newcomer.html", context)


def _begin_again(request: HttpRequest) -> HttpResponse:
    """The right code was entered too long ago, or not at all."""
    request.session.pop(PENDING, None)
    messages.warning(request, _("That took too long. To keep your account safe, ask for a new code."))
    return redirect("borrower:sign_in")


def _enter(request: HttpRequest, answer: sign_in.SignedIn) -> HttpResponse:
    onwards = _onwards(request)
    return identity.enter(request, onwards, answer)


def _onwards(request: HttpRequest) -> HttpResponse:
    target = request.session.pop(NEXT, "/account/")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
    return redirect(target if safe else "/account/")


@permits.public
@permits.sent_from("/")
def leave(request: HttpRequest) -> HttpResponse:
    """Signs out; the device stays known, and keeps no copy of what it showed."""
    identity.leave(request)
    return cookies.forget_pages(redirect("/"), also="")
