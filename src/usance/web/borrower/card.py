"""The card that the money goes to, linked on the provider's page."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from usance.apps.origination import selectors
from usance.apps.payments import selectors as payments
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import permits, refusals
from usance.web.borrower import apply, changes, identity
from usance.workflows import link_cards, take_application


@permits.borrower
def link_card(request: HttpRequest) -> HttpResponse:
    """Links the card that the money goes to, on the provider's page; a card that is linked needs no second link."""
    party_id: UUID = request.party_id  # type: ignore[attr-defined]
    application = selectors.open_application(party_id=party_id)
    if application is None:
        return redirect("borrower:settings")
    pages = selectors.pages(application)
    if not take_application.is_known(party_id=party_id):
        return apply.to(pages[0].code)
    cards, problem = list(payments.cards_of(party_id)), ""
    if request.method == "POST":
        if "go_on" in request.POST and cards:
            return apply.to(apply.CHECK) if application.state == "draft" else redirect("borrower:application")
        try:
            given = _order(request, application)
        except Refusal as refusal:
            problem = refusals.sentence(refusal)
        else:
            return redirect("borrower:payment", given.pk)
    number = next((n for n, found in enumerate(pages) if found.code == "card"), len(pages) - 1)
    context = {
        "cards": cards,
        "waiting": payments.waiting_cards(party_id, changes.moment(request)),
        "had_card": payments.had_card_before(party_id, but_for=application.pk),
        "key": secrets.token_hex(16),
        "application": application,
        "problem": problem,
        **apply.frame(request, pages, number),
    }
    return render(request, "borrower/apply/card.html", context)


def _order(request: HttpRequest, application: Any) -> Any:
    return link_cards.link(
        application=application,
        key=request.POST.get("key", ""),
        description=_("Card check, given back at once"),
        language=request.LANGUAGE_CODE,
        at=clock.now(),
        actor=identity.actor_of(request),
    )
