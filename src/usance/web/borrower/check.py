"""The last page before an application is sent: every answer, and what the loan costs at today's prices."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from usance.apps.origination import selectors
from usance.apps.origination.services import StateDoesNotAllow
from usance.apps.payments import selectors as payments
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import permits, refusals
from usance.web.borrower import apply, calculator, identity
from usance.web.templatetags import formats
from usance.workflows import take_application


@permits.borrower
def check(request: HttpRequest) -> HttpResponse:
    """All answers with their Change links; sending them freezes the terms."""
    application = apply.draft(request)
    if application is None:
        return redirect("borrower:application")
    problem = ""
    if request.method == "POST":
        try:
            take_application.submit(
                application_id=application.pk,
                key=request.POST.get("key", "")[:64],
                shown=request.POST.get("shown", "")[:16],
                at=clock.now(),
                actor=identity.actor_of(request),
            )
        except take_application.ApplicationIncomplete as refusal:
            messages.warning(request, refusals.sentence(refusal))
            return apply.to(refusal.pages[0])
        except StateDoesNotAllow:
            return redirect("borrower:application")  # sent or ended in another tab
        except Refusal as refusal:
            problem = refusals.sentence(refusal)
        else:
            return redirect("borrower:application")
    return render(request, "borrower/apply/check.html", _context(request, application, problem))


def _context(request: HttpRequest, application: Any, problem: str) -> dict[str, Any]:
    """What is sent, at the prices of today: a draft that was begun under earlier ones is brought up to date here."""
    institution = request.institution  # type: ignore[attr-defined]
    before = application.product_version_id
    try:
        application = take_application.refresh(application_id=application.pk)
        quote = take_application.quote(application_id=application.pk)
    except Refusal as refusal:
        problem, figures = problem or refusals.sentence(refusal), {}
    else:
        figures = {"received": ui.Money(quote.received_minor, quote.currency), **calculator.figures(quote)}
        if application.product_version_id != before and not problem:
            problem = refusals.sentence(take_application.ProductChanged(product=application.product.code))
    return {
        "application": application,
        "rows": [_row(request, line) for line in take_application.check_answers(application_id=application.pk)],
        "amount": formats.money(application.amount_minor, institution),
        "change_url": _calculator(application, institution),
        "cards": payments.cards_of(application.party_id),
        "key": secrets.token_hex(16),
        "shown": take_application.mark(application),
        "problem": problem,
        "back_url": f"/apply/{selectors.pages(application)[-2].code}/",
        **figures,
    }


def _calculator(application: Any, institution: Any) -> str:
    """The calculator as it stood when this was asked for."""
    amount = f"{formats.as_decimal(application.amount_minor, institution.currency_digits).normalize():f}"
    return "/?" + urlencode({"product": application.product.code, "amount": amount, "term": application.term})


def _row(request: HttpRequest, line: Any) -> ui.SummaryRow:
    value = line.value
    if line.kind == "money" and isinstance(value, int):
        value = formats.money(value, request.institution)  # type: ignore[attr-defined]
    elif isinstance(value, date):
        value = formats.date_l(value)
    return ui.SummaryRow(
        label=line.label, value=value if value not in ("", None) else "–", href=f"/apply/{line.page}/?change=1"
    )
