"""The signature: a code by SMS that names the amount and is good for one paper."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy

from usance.apps.agreements.services import DocumentChanged
from usance.apps.customers import consents
from usance.apps.origination import selectors as applications
from usance.apps.origination import services as origination
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import forms, permits, refusals, visitors
from usance.web.borrower import identity
from usance.workflows import sign_agreement

CODE = "signing_code"


class CodeForm(forms.Form):
    code = forms.CodeField(label=gettext_lazy("Code from the SMS"))


def latest(request: HttpRequest) -> Any | None:
    """The application under way, or else the last one."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    return applications.open_application(party_id=party_id) or applications.applications_of(party_id=party_id).first()


def open_offer(request: HttpRequest, found: Any) -> applications.Offer | None:
    """The offer that may still be signed today."""
    standing = applications.standing_offer(application_id=found.pk)
    today = request.institution.business_date  # type: ignore[attr-defined]
    return standing if standing and standing.state == "open" and standing.expires_on >= today else None


def send_code(request: HttpRequest, found: Any, card_id: str, mandate: str) -> Refusal | None:
    """Sends the code that signs. Where it cannot be sent (yet) while one for this paper is out, the sign page says so;
    where there is none, the refusal is returned."""
    paper = str(sign_agreement.paper(application_id=found.pk).pk)
    asked = {"application": str(found.pk), "paper": paper, "card": card_id, "mandate": mandate}
    try:
        sent = sign_agreement.send_code(application_id=found.pk, address=visitors.address(request), at=clock.now())
    except Refusal as refusal:
        known = request.session.get(CODE)
        if not known or known["paper"] != paper:
            return refusal
        request.session[CODE] = {**known, **asked, "problem": refusals.sentence(refusal)}
        return None
    request.session[CODE] = {
        **asked,
        "code_id": str(sent.code_id),
        "masked": sent.masked_to,
        "resend_at": sent.resend_at.isoformat(),
    }
    return None


@permits.borrower
def sign(request: HttpRequest) -> HttpResponse:
    """The code that signs the paper: it names the amount, and belongs to this very paper."""
    asked, found = request.session.get(CODE), latest(request)
    if not asked or found is None or str(found.pk) != asked["application"]:
        return redirect("borrower:application")
    if request.method == "POST":
        origination.hold(application_id=found.pk)  # the same form sent twice: the second finds it signed
    standing = open_offer(request, found)
    if standing is None:
        return redirect("borrower:application")
    document = sign_agreement.paper(application_id=found.pk)
    if str(document.pk) != asked["paper"]:
        del request.session[CODE]
        return _read_it_again(request, DocumentChanged())
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            signed = _signed(request, found, asked, form.cleaned_data["code"])
        except Refusal as refusal:
            return _read_it_again(request, refusal)
        if not isinstance(signed, Refusal):
            del request.session[CODE]
            return redirect("borrower:loan", signed.loan_id)
        form.add_error("code", refusals.sentence(signed))
    problem = asked.pop("problem", "")
    if problem:
        request.session[CODE] = asked
    left = datetime.fromisoformat(asked["resend_at"]) - clock.now()
    context = {
        "form": form,
        "offer": standing,
        "masked": asked["masked"],
        "document": document,
        "problem": problem,
        "wait_seconds": max(0, int(left.total_seconds())),
        "back_url": "/offer/",
    }
    return render(request, "borrower/offer/sign.html", context)


def _read_it_again(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Something is not as it was when the code was asked for: back to the offer, which shows how it is now."""
    messages.warning(request, refusals.sentence(refusal))
    return redirect("borrower:offer")


def _signed(request: HttpRequest, found: Any, asked: dict[str, str], typed: str) -> sign_agreement.Signed | Refusal:
    """Signs, with the permission to debit the card, or does nothing of it."""
    with transaction.atomic():
        signed = sign_agreement.sign(
            application_id=found.pk,
            card_id=UUID(asked["card"]),
            code_id=UUID(asked["code_id"]),
            code=typed,
            evidence=consents.evidence_of(visitors.address(request), request.headers.get("User-Agent", "")),
            at=clock.now(),
            actor=identity.actor_of(request),
        )
        if not isinstance(signed, Refusal):
            give_mandate(request, found, UUID(asked["card"]), UUID(asked["mandate"]))
        return signed


def give_mandate(request: HttpRequest, found: Any, card_id: UUID, text_id: UUID) -> None:
    """The permission to debit the card, in the words that were on the page. Raises ConsentTextOutdated."""
    today = request.institution.business_date  # type: ignore[attr-defined]
    if consents.has_consent(party_id=found.party_id, purpose="card_debit", on=today, subject_id=card_id):
        return
    consents.give(
        party_id=found.party_id,
        purpose="card_debit",
        text_id=text_id,
        subject_id=card_id,
        evidence=consents.evidence_of(visitors.address(request), request.headers.get("User-Agent", "")),
        actor=identity.actor_of(request),
        at=clock.now(),
        on=today,
    )


@permits.borrower
@permits.sent_from("borrower:sign")
def code_again(request: HttpRequest) -> HttpResponse:
    """Sends another code for the same paper."""
    asked, found = request.session.get(CODE), latest(request)
    if not asked or found is None or str(found.pk) != asked["application"] or open_offer(request, found) is None:
        return redirect("borrower:application")
    refused = send_code(request, found, asked["card"], asked["mandate"])
    return redirect("borrower:sign") if refused is None else _read_it_again(request, refused)
