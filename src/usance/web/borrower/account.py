"""A borrower's account: loans, the open application, cards, consents, devices."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from usance.apps.agreements import selectors as papers
from usance.apps.customers import authenticator, channels, consents, devices
from usance.apps.customers import selectors as customer_view
from usance.apps.customers import services as customers
from usance.apps.messaging import guard
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import permits, refusals, words
from usance.web.borrower import changes, identity
from usance.web.borrower import push as reminders
from usance.web.templatetags import formats


@permits.borrower
def home(request: HttpRequest) -> HttpResponse:
    """What I owe today, what is open, and what was before."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    mine = list(loans.loans_of_party(party_id))
    application = applications.open_application(party_id=party_id)
    shown: list[dict[str, Any]] = [
        {"loan": loan, "tag": words.tag(words.LOAN_STATUS, loan.status), **_figures(loan)} for loan in mine
    ]
    live = [item for item in shown if item["loan"].status in ("approved", "active", "past_due")]
    context = {
        "live": live,
        "earlier": [item for item in shown if item not in live],
        "application": application,
        "application_tag": words.tag(words.APPLICATION_STATE, application.state) if application else None,
        "cards": payments.cards_of(party_id),
        "documents": papers.documents_of_party(party_id)[:10],
        "can_borrow": application is None,
    }
    return render(request, "borrower/account/home.html", context)


def _figures(loan: loans.Loan) -> dict[str, Any]:
    """What closes a running loan today, and the next payment for which money is needed."""
    if loan.status not in ("active", "past_due"):
        return {}
    now = loans.loan_view(loan_id=loan.pk).standing
    return {"payoff": now.payoff_minor, "next_minor": now.next_due_minor, "next_on": now.next_due_on}


@permits.borrower
def settings(request: HttpRequest) -> HttpResponse:
    """Cards, permissions that were given, devices: each with its end beside it."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    now = changes.moment(request)
    waiting = {change.subject_id: change for change in channels.changes_of(party_id).filter(state="waiting")}
    context = {
        "cards": [(card, card.waits(now), waiting.get(card.pk)) for card in payments.cards_of(party_id)],
        "consents": consents.consents_of(party_id),
        "devices": [(device, device.pk == identity.device_of(request)) for device in devices.of_party(party_id)],
        "app_linked": authenticator.is_linked(party_id),
        "back_url": "/account/",
        **reminders.section(request, party_id),
    }
    return render(request, "borrower/account/settings.html", context)


@permits.borrower
def withdraw_consent(request: HttpRequest, consent_id: UUID) -> HttpResponse:
    """Takes a permission back; what was done under it stays right."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    given = consents.consents_of(party_id).filter(pk=consent_id).first()
    if given is None:
        raise Http404
    if request.method != "POST":
        return redirect("borrower:settings")  # the form is there
    if given.purpose == guard.PUSH_CONSENT:
        return reminders.stop(request)
    consents.withdraw(
        party_id=party_id,
        purpose=given.purpose,
        subject_id=given.subject_id,
        because=_("withdrawn in the account"),
        actor=identity.actor_of(request),
        at=clock.now(),
        on=request.institution.business_date,  # type: ignore[attr-defined]
    )
    return redirect("borrower:settings")


@permits.borrower
def remove_card(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Removes a card, after saying what that means."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    card = payments.card_of(card_id=card_id, party_id=party_id)
    if card is None:
        raise Http404
    if card.state == "removed":
        return redirect("borrower:settings")
    if request.method == "POST":
        try:
            rails.remove_card(card_id=card.pk, party_id=party_id, actor=identity.actor_of(request))
        except Refusal as refusal:
            messages.warning(request, refusals.sentence(refusal))
        return redirect("borrower:settings")
    context = {"card": card, "confirm_label": _("Remove the card"), "cancel_url": "/account/settings/", "danger": True}
    return render(request, "borrower/account/remove_card.html", context)


@permits.borrower
@permits.sent_from("borrower:settings")
@permits.fresh("borrower:settings")
def forget_other_devices(request: HttpRequest) -> HttpResponse:
    """Signed out everywhere but here."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    actor, here = identity.actor_of(request), identity.device_of(request)
    devices.forget_all(party_id=party_id, but=here, actor=actor, at=clock.now())
    messages.success(request, _("You are signed out everywhere but here."))
    return redirect("borrower:settings")


@permits.borrower
@permits.fresh("borrower:settings")
def forget_device(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """A lost or sold phone no longer counts as known, and whoever is signed in there is out."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    if not devices.had(party_id=party_id, device_id=device_id):
        raise Http404
    if request.method != "POST":
        return redirect("borrower:settings")
    is_this_one = device_id == identity.device_of(request)
    devices.forget(party_id=party_id, device_id=device_id, actor=identity.actor_of(request), at=clock.now())
    if is_this_one:
        identity.leave(request)
        messages.success(request, _("This device is forgotten, and you are signed out."))
        return redirect("borrower:sign_in")
    messages.success(request, _("The device is forgotten. Whoever was signed in there no longer is."))
    return redirect("borrower:settings")


@permits.borrower
def me(request: HttpRequest) -> HttpResponse:
    """What we know of the customer, and who said it."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    profile = customers.reveal(
        party_id=party_id, fields=["family_name", "given_name", "phone", "email"], actor=identity.actor_of(request)
    )
    email = next((c for c in customer_view.contacts(party_id, "email") if c.ended_at is None), None)
    waits = email is not None and email.verified_at is None
    rows = [
        ui.SummaryRow(_("Name"), profile.display_name or "–"),
        ui.SummaryRow(_("Customer number"), profile.reference),
        ui.SummaryRow(_("Phone"), formats.phone(profile.phone), href=reverse("borrower:contact", args=["phone"])),
        ui.SummaryRow(
            _("E-mail"),
            email.value if email else "–",
            href=reverse("borrower:contact", args=["email"]),
            action=_("Confirm") if waits else _("Change") if email else _("Add"),
            note=_("not confirmed yet") if waits else "",
        ),
    ]
    change = channels.waiting_phone_of(party_id)
    context = {
        "rows": rows,
        "email_waits": waits,
        "change": change,
        "new_phone": _value_of(party_id, change.subject_id) if change else "",
        "back_url": "/account/",
    }
    return render(request, "borrower/account/me.html", context)


def _value_of(party_id: UUID, contact_id: UUID) -> str:
    return next((one.value for one in customer_view.contacts(party_id) if one.contact_id == contact_id), "")
