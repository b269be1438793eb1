"""From decision to signature: waiting, the reasons of a no, the offer with its key facts, the paper, the code."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from usance.apps.agreements import services as agreements
from usance.apps.customers import consents
from usance.apps.decisioning import reasons
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.apps.products import calculator
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms, permits, refusals, visitors, words
from usance.web.borrower import changes, identity
from usance.web.borrower.calculator import figures
from usance.workflows import decide_application, fund_loan, sign_agreement, take_application

CODE = "signing_code"


class CodeForm(forms.Form):
    code = forms.CodeField(label=gettext_lazy("Code from the SMS"))


class CardForm(forms.Form):
    card = forms.CardChoiceField(label=gettext_lazy("Where should the money go?"))

    def __init__(self, *args: Any, cards: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["card"].choices = [(str(card.pk), str(card)) for card in cards]  # type: ignore[attr-defined]
        self.fields["card"].initial = str(cards[0].pk) if cards else ""


class ReplyForm(forms.Form):
    reply = forms.forms.CharField(
        label=gettext_lazy("Your answer"), max_length=2000, widget=forms.forms.Textarea(attrs={"rows": 5})
    )


def _latest(request: HttpRequest) -> Any | None:
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    return applications.open_application(party_id=party_id) or applications.applications_of(party_id=party_id).first()


@permits.borrower
def application(request: HttpRequest) -> HttpResponse:
    """Where the application stands, and the next step."""
    found = _latest(request)
    if found is None:
        return redirect("/")
    if found.state == "draft":
        return redirect("borrower:apply")
    if found.state == "approved":
        return redirect("borrower:offer")
    loan = loans.loan_of_application(found.pk)
    if loan is not None and found.state in ("funding", "funded"):
        return redirect("borrower:loan", loan.pk)
    if found.state == "signed":
        return redirect("borrower:payout_card", found.pk)
    context = {
        "application": found,
        "tag": words.tag(words.APPLICATION_STATE, found.state),
        "reasons": reasons.to_tell(found.reasons) if found.state == "declined" else [],
        "poll_url": request.path,
    }
    form = ReplyForm(request.POST or None)
    if found.state == "asked":
        if request.method == "POST" and form.is_valid():
            decide_application.answered(
                application_id=found.pk,
                reply=form.cleaned_data["reply"],
                actor=identity.actor_of(request),
                at=clock.now(),
            )
            return redirect("borrower:application")
        return render(request, "borrower/offer/asked.html", {**context, "form": form})
    waiting = found.state in ("submitted", "deciding", "referred")
    return render(request, "borrower/offer/waiting.html" if waiting else "borrower/offer/ended.html", context)


@permits.borrower
def offer(request: HttpRequest) -> HttpResponse:
    """The offer on one page before consent: what I receive, what I pay, every deduction."""
    found = _latest(request)
    standing = applications.standing_offer(application_id=found.pk) if found else None
    if found is None or standing is None or standing.state != "open":
        return redirect("borrower:application")
    today = request.institution.business_date  # type: ignore[attr-defined]
    quote = calculator.figures(terms=calculator.terms_signed_on(terms=standing.core_terms(), on=today), on=today)
    document = sign_agreement.paper(application_id=found.pk)
    cards = payments.payable_cards(found.party_id, changes.moment(request))
    form = CardForm(request.POST or None, cards=cards)
    if request.method == "POST" and cards and form.is_valid():
        refused = _send_code(request, found, form.cleaned_data["card"])
        if refused is None:
            return redirect("borrower:sign")
        form.add_error("card", refusals.sentence(refused))
    language = request.LANGUAGE_CODE
    context = {
        "application": found,
        "offer": standing,
        "less_than_asked": standing.amount_minor < found.amount_minor,
        "document": document,
        "form": form,
        "cards": cards,
        "waiting": payments.waiting_cards(found.party_id, changes.moment(request)),
        "received": ui.Money(quote.received_minor, quote.currency),
        "mandate": consents.text_in_force("card_debit", language, today),
        **figures(quote),
    }
    return render(request, "borrower/offer/offer.html", context)


def _send_code(request: HttpRequest, found: Any, card_id: str) -> Refusal | None:
    """Sends the code that signs. Where it cannot be sent (yet) while an earlier one is out, the sign page says so;
    where there is none, the refusal is returned."""
    try:
        sent = sign_agreement.send_code(application_id=found.pk, address=visitors.address(request), at=clock.now())
    except Refusal as refusal:
        known = request.session.get(CODE)
        if not known or known["application"] != str(found.pk):
            return refusal
        request.session[CODE] = {**known, "card": card_id, "problem": refusals.sentence(refusal)}
        return None
    request.session[CODE] = {
        "application": str(found.pk),
        "code_id": str(sent.code_id),
        "card": card_id,
        "masked": sent.masked_to,
    }
    return None


@permits.borrower
def sign(request: HttpRequest) -> HttpResponse:
    """The code that signs the paper: it names the amount, and belongs to this very paper."""
    asked = request.session.get(CODE)
    found = _latest(request)
    if not asked or found is None or str(found.pk) != asked["application"]:
        return redirect("borrower:application")
    standing = applications.standing_offer(application_id=found.pk)
    if standing is None or standing.state != "open":
        return redirect("borrower:application")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        signed = sign_agreement.sign(
            application_id=found.pk,
            card_id=UUID(asked["card"]),
            code_id=UUID(asked["code_id"]),
            code=form.cleaned_data["code"],
            evidence=consents.evidence_of(visitors.address(request), request.headers.get("User-Agent", "")),
            at=clock.now(),
            actor=identity.actor_of(request),
        )
        if not isinstance(signed, Refusal):
            _give_mandate(request, found, UUID(asked["card"]))
            del request.session[CODE]
            return redirect("borrower:loan", signed.loan_id)
        form.add_error("code", refusals.sentence(signed))
    problem = asked.pop("problem", "")
    request.session[CODE] = asked
    context = {
        "form": form,
        "offer": standing,
        "masked": asked["masked"],
        "document": sign_agreement.paper(application_id=found.pk),
        "problem": problem,
        "back_url": "/offer/",
    }
    return render(request, "borrower/offer/sign.html", context)


def _give_mandate(request: HttpRequest, found: Any, card_id: UUID) -> None:
    """The permission to debit the card was on the offer page, above the button that sent the code."""
    today = request.institution.business_date  # type: ignore[attr-defined]
    if consents.has_consent(party_id=found.party_id, purpose="card_debit", on=today, subject_id=card_id):
        return
    text = consents.text_in_force("card_debit", request.LANGUAGE_CODE, today)
    consents.give(
        party_id=found.party_id,
        purpose="card_debit",
        text_id=text.pk,
        subject_id=card_id,
        evidence=consents.evidence_of(visitors.address(request), request.headers.get("User-Agent", "")),
        actor=identity.actor_of(request),
        at=clock.now(),
        on=today,
    )


@permits.borrower
@require_POST
def code_again(request: HttpRequest) -> HttpResponse:
    asked, found = request.session.get(CODE), _latest(request)
    if not asked or found is None or str(found.pk) != asked["application"]:
        return redirect("borrower:application")
    refused = _send_code(request, found, asked["card"])
    return redirect("borrower:sign" if refused is None else "borrower:offer")


@permits.borrower
def withdraw(request: HttpRequest) -> HttpResponse:
    """Gives the application up, at no cost."""
    found = _latest(request)
    if found is None:
        return redirect("borrower:account")
    if request.method == "POST":
        at, actor = clock.now(), identity.actor_of(request)
        if found.state == "signed":
            fund_loan.leave(application_id=found.pk, at=at, actor=actor)
        else:
            take_application.withdraw(application_id=found.pk, at=at, actor=actor)
            agreements.void_unsigned(subject_id=found.pk)
        return redirect("borrower:account")
    context = {
        "application": found,
        "confirm_label": _("Withdraw the application"),
        "cancel_url": "/application/",
        "danger": True,
    }
    return render(request, "borrower/offer/withdraw.html", context)


@permits.borrower
def payout_card(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """The bank refused the money: another card, or leaving at no cost."""
    found = _latest(request)
    if found is None or found.pk != application_id:
        raise Http404
    if found.state != "signed":
        return redirect("borrower:application")
    cards = payments.payable_cards(found.party_id, changes.moment(request))
    form = CardForm(request.POST or None, cards=cards)
    if request.method == "POST" and cards and form.is_valid():
        card_id = UUID(form.cleaned_data["card"])
        _give_mandate(request, found, card_id)
        loan_id = fund_loan.fund(
            application_id=found.pk, card_id=card_id, at=clock.now(), actor=identity.actor_of(request)
        )
        return redirect("borrower:loan", loan_id)
    waiting = payments.waiting_cards(found.party_id, changes.moment(request))
    context = {"application": found, "form": form, "cards": cards, "waiting": waiting}
    return render(request, "borrower/offer/payout_card.html", context)
