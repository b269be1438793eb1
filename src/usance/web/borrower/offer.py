"""From decision to money on the card: waiting, the reasons of a no, the offer with its key facts, leaving for free."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.customers import consents
from usance.apps.customers.refusals import ConsentTextOutdated
from usance.apps.decisioning import reasons
from usance.apps.origination import questions
from usance.apps.origination import selectors as applications
from usance.apps.origination import services as origination
from usance.apps.payments import selectors as payments
from usance.apps.products import calculator
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms, permits, refusals, visitors, words
from usance.web.borrower import changes, identity
from usance.web.borrower.calculator import figures
from usance.web.borrower.sign import give_mandate, latest, open_offer, send_code
from usance.workflows import decide_application, fund_loan, sign_agreement, take_application

LONG = timedelta(minutes=2)  # what should take seconds
WAITING, OVER = ("submitted", "deciding", "referred"), ("declined", "expired", "withdrawn", "funded")
OUR_FAULT = ("our_balance", "configuration", "technical", "never_arrived")  # a payout that no bank refused


class CardForm(forms.Form):
    """Which card gets the money. `mandate` says which words about debiting it the page showed."""

    card = forms.CardChoiceField(label=gettext_lazy("Where should the money go?"))
    mandate = forms.forms.CharField(widget=forms.forms.HiddenInput, required=False)

    def __init__(self, *args: Any, cards: list[Any], mandate: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["card"].choices = [(str(card.pk), str(card)) for card in cards]  # type: ignore[attr-defined]
        self.fields["card"].initial = str(cards[0].pk) if cards else ""
        self.fields["card"].error_messages["invalid_choice"] = gettext_lazy(
            "This card can no longer be used. Choose another card, or link it again."
        )
        self.words = str(mandate.pk) if mandate else ""
        self.fields["mandate"].initial = self.words

    def clean_mandate(self) -> str:
        if self.words and self.cleaned_data["mandate"] != self.words:
            shown = self.data.copy()  # type: ignore[attr-defined]
            shown["mandate"] = self.words
            self.data = shown
            raise forms.forms.ValidationError(refusals.sentence(ConsentTextOutdated(purpose="card_debit")))
        return self.words


class ConsentForm(forms.Form):
    """Signing by a code, agreed to once more by somebody who took that back."""

    def __init__(self, text: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["electronic_signature"] = forms.ConsentField(label=text.title, hint=text.body)


class ReplyForm(forms.Form):
    reply = forms.forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=questions.LONGEST_REPLY,
        error_messages={"max_length": gettext_lazy("Write at most 2000 characters.")},
        widget=forms.forms.Textarea(attrs={"rows": 5}),
    )


@permits.borrower
def application(request: HttpRequest) -> HttpResponse:
    """Where the application stands, and the next step."""
    found = latest(request)
    if found is None:
        return redirect("/")
    if found.state == "draft":
        return redirect("borrower:apply")
    if found.state == "approved" and open_offer(request, found):
        return redirect("borrower:offer")
    loan = loans.loan_of_application(found.pk)
    if loan is not None and found.state in ("funding", "funded"):
        return redirect("borrower:loan", loan.pk)
    if found.state == "signed":
        return redirect("borrower:payout_card", found.pk)
    if found.state == "asked":
        return _asked(request, found)
    # the last day of an offer is over at midnight, and swept up a moment later
    state = "expired" if found.state == "approved" else found.state
    context = {
        "application": found,
        "state": state,
        "tag": words.tag(words.APPLICATION_STATE, state),
        "reasons": reasons.to_tell(found.reasons) if state == "declined" else [],
        "poll_url": request.path,
        "takes_long": state in WAITING and found.submitted_at and clock.now() - found.submitted_at > LONG,
    }
    return render(request, "borrower/offer/waiting.html" if state in WAITING else "borrower/offer/ended.html", context)


def _asked(request: HttpRequest, found: Any) -> HttpResponse:
    """A person asked something: the answer goes back to them."""
    form = ReplyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if origination.hold(application_id=found.pk).state == "asked":  # the same form may be sent twice
            decide_application.answered(
                application_id=found.pk,
                reply=form.cleaned_data["reply"],
                actor=identity.actor_of(request),
                at=clock.now(),
            )
        return redirect("borrower:application")
    return render(request, "borrower/offer/asked.html", {"application": found, "form": form})


@permits.borrower
def offer(request: HttpRequest) -> HttpResponse:
    """The offer on one page before consent: what I receive, what I pay, every deduction."""
    found = latest(request)
    standing = open_offer(request, found) if found else None
    if found is None or standing is None:
        return redirect("borrower:application")
    today = request.institution.business_date  # type: ignore[attr-defined]
    mandate = consents.text_in_force("card_debit", request.LANGUAGE_CODE, today)
    cards = payments.payable_cards(found.party_id, changes.moment(request))
    form = CardForm(request.POST or None, cards=cards, mandate=mandate)
    agreed = _consent_again(request, found)
    if request.method == "POST" and cards and form.is_valid() and (agreed is None or agreed.is_valid()):
        if agreed is not None:
            _give_signing_consent(request, found)
        refused = send_code(request, found, form.cleaned_data["card"], form.cleaned_data["mandate"])
        if refused is None:
            return redirect("borrower:sign")
        form.add_error("card", refusals.sentence(refused))
    quote = calculator.figures(terms=calculator.terms_signed_on(terms=standing.core_terms(), on=today), on=today)
    context = {
        "application": found,
        "offer": standing,
        "less_than_asked": standing.amount_minor < found.amount_minor,
        "document": sign_agreement.paper(application_id=found.pk),
        "form": form,
        "agreed": agreed,
        "forms": [agreed],
        "cards": cards,
        "waiting": payments.waiting_cards(found.party_id, changes.moment(request)),
        "received": ui.Money(quote.received_minor, quote.currency),
        "mandate": mandate,
        **figures(quote),
    }
    return render(request, "borrower/offer/offer.html", context)


def _consent_again(request: HttpRequest, found: Any) -> ConsentForm | None:
    """Asks for the consent to signing by code, where it was taken back after the application was sent."""
    today = request.institution.business_date  # type: ignore[attr-defined]
    if consents.has_consent(party_id=found.party_id, purpose=sign_agreement.SIGNING, on=today):
        return None
    text = consents.text_in_force(sign_agreement.SIGNING, request.LANGUAGE_CODE, today)
    return ConsentForm(text, request.POST or None)


def _give_signing_consent(request: HttpRequest, found: Any) -> None:
    today = request.institution.business_date  # type: ignore[attr-defined]
    consents.give(
        party_id=found.party_id,
        purpose=sign_agreement.SIGNING,
        text_id=consents.text_in_force(sign_agreement.SIGNING, request.LANGUAGE_CODE, today).pk,
        evidence=consents.evidence_of(visitors.address(request), request.headers.get("User-Agent", "")),
        actor=identity.actor_of(request),
        at=clock.now(),
        on=today,
    )


def _one_of_mine(request: HttpRequest, application_id: UUID | None) -> Any | None:
    """The application that the address names, the customer's own; without a name the latest."""
    if application_id is None:
        return latest(request)
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    found = applications.application_of(application_id=application_id, party_id=party_id)
    if found is None:
        raise Http404
    return found


@permits.borrower
def withdraw(request: HttpRequest, application_id: UUID | None = None) -> HttpResponse:
    """Gives the application up, at no cost."""
    found = _one_of_mine(request, application_id)
    if found is None:
        return redirect("borrower:account")
    if found.state in OVER or found.state == "funding":
        if found.state in ("funding", "funded"):
            messages.warning(request, refusals.sentence(fund_loan.PayoutUnderWay()))
        return _stands(found)
    if request.method == "POST":
        try:
            _withdraw(request, found)
        except Refusal as refusal:  # decided, signed or paid out while the page was open
            messages.warning(request, refusals.sentence(refusal))
            return _stands(found)
        messages.success(request, _("You withdrew the application. Nothing is owed."))
        return redirect("borrower:account")
    context = {
        "application": found,
        "confirm_label": _("Withdraw the application"),
        "cancel_url": "/application/",
        "danger": True,
    }
    return render(request, "borrower/offer/withdraw.html", context)


def _withdraw(request: HttpRequest, found: Any) -> None:
    give_up = fund_loan.leave if found.state == "signed" else take_application.withdraw
    with transaction.atomic():
        give_up(application_id=found.pk, at=clock.now(), actor=identity.actor_of(request))


def _stands(found: Any) -> HttpResponse:
    """To where this very application stands: its loan, if there is one."""
    loan = loans.loan_of_application(found.pk)
    return redirect("borrower:loan", loan.pk) if loan is not None else redirect("borrower:application")


@permits.borrower
def payout_card(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """The money did not arrive: another card, or leaving at no cost."""
    found = _one_of_mine(request, application_id)
    assert found is not None  # an id that is not the customer's own ended above
    if request.method == "POST":
        found = origination.hold(application_id=found.pk)  # the same form may be sent twice
    if found.state != "signed":
        return _stands(found)
    today = request.institution.business_date  # type: ignore[attr-defined]
    mandate = consents.text_in_force("card_debit", request.LANGUAGE_CODE, today)
    cards = payments.payable_cards(found.party_id, changes.moment(request))
    form = CardForm(request.POST or None, cards=cards, mandate=mandate)
    if request.method == "POST" and form.is_valid():
        try:
            loan_id = _fund(request, found, UUID(form.cleaned_data["card"]), mandate.pk)
        except Refusal as refusal:
            form.add_error("card", refusals.sentence(refusal))
        else:
            return redirect("borrower:loan", loan_id)
    loan = loans.loan_of_application(found.pk)
    payout = payments.latest(subject_id=loan.pk, kind=fund_loan.PAYOUT) if loan else None
    context = {
        "application": found,
        "form": form,
        "cards": cards,
        "our_fault": payout is not None and payout.reason in OUR_FAULT,
        "mandate": mandate,
        "waiting": payments.waiting_cards(found.party_id, changes.moment(request)),
    }
    return render(request, "borrower/offer/payout_card.html", context)


def _fund(request: HttpRequest, found: Any, card_id: UUID, text_id: UUID) -> UUID:
    """The order to another card, with the permission to debit it, or nothing of both."""
    with transaction.atomic():
        give_mandate(request, found, card_id, text_id)
        return fund_loan.fund(
            application_id=found.pk, card_id=card_id, at=clock.now(), actor=identity.actor_of(request)
        )
