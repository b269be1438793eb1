"""Applications on the desk: the register, one application with its evidence, and what a person decides about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from usance.apps.access import selectors as access
from usance.apps.customers import selectors as customers
from usance.apps.origination import selectors
from usance.apps.products import selectors as products
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import pages, permits, refusals, words
from usance.web.staff import case_page, vocabulary
from usance.web.staff.case_forms import GiveForm, RegisterForm, ReviewForm
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import sent
from usance.workflows import decide_application, review_cases

ORDERS = ("number", "amount_minor", "submitted_at")


@permits.staff("application.view")
@require_GET
def register(request: StaffRequest) -> HttpResponse:
    """Every application that was sent; a number, phone or name also finds drafts."""
    within = access.scope_filter(request.user, "application.view")
    form = RegisterForm(request.GET, language=request.LANGUAGE_CODE)
    asked = form.asked()
    found = _found(asked, within)
    order = request.GET.get("order", "")
    if order.removeprefix("-") in ORDERS:
        found = found.order_by(order, "-number")
    page = pages.of(request, found)
    context = {
        "table": _table(request, page, asked, order),
        "filters": form,
        "is_filtered": any(asked.values()) or bool(form.errors),
        "form": form,
    }
    return render(request, "staff/cases/register.html", context)


def _found(asked: dict[str, Any], within: Any) -> Any:
    found = selectors.search(asked["q"], within=within) if asked["q"] else selectors.queue(within=within)
    if asked["state"]:
        found = found.filter(state=asked["state"])
    if asked["product"]:
        found = found.filter(product_version__product__code=asked["product"])
    if asked["party"]:
        found = found.filter(party_id=asked["party"])
    if asked["since"]:
        found = found.filter(submitted_on__gte=asked["since"])
    if asked["until"]:
        found = found.filter(submitted_on__lt=asked["until"] + timedelta(days=1))
    return found


def _table(request: StaffRequest, page: Any, asked: dict[str, Any], order: str) -> ui.DataTable:
    rows = list(page.object_list)
    people = customers.summaries(row.party_id for row in rows)
    columns = [
        ui.Column("number", _("Number"), sort="number"),
        ui.Column("state", _("State")),
        ui.Column("customer", _("Customer")),
        ui.Column("amount", _("Amount"), numeric=True, sort="amount_minor"),
        ui.Column("product", _("Product")),
        ui.Column("kind", _("Kind")),
        ui.Column("sent", _("Sent"), sort="submitted_at"),
        ui.Column("came", _("Came by")),
    ]
    lines = [
        ui.Row(
            [
                row.reference,
                words.tag(words.APPLICATION_STATE, row.state),
                people[row.party_id].name or people[row.party_id].reference,
                ui.Money(row.amount_minor, row.currency),
                row.product.name(request.LANGUAGE_CODE),
                vocabulary.word(vocabulary.KIND, row.customer_kind),
                row.submitted_at,
                vocabulary.word(vocabulary.CHANNEL, row.channel),
            ],
            href=reverse("staff:application", args=[row.pk]),
        )
        for row in rows
    ]
    empty = (
        ui.Empty(
            _("Nothing fits"), _("Take a filter away, or search for less."), reverse("staff:applications"), _("Clear")
        )
        if any(asked.values())
        else ui.Empty(_("No applications yet"), _("They appear here when somebody sends one on the website."))
    )
    return ui.DataTable(_("Applications"), columns, lines, empty, page=page, order=order, query=asked)


@permits.staff("application.view")
@require_http_methods(["GET", "POST"])
def show(request: StaffRequest, application_id: UUID) -> HttpResponse:
    """One application: evidence, clock, and for whoever holds the case the form to decide it."""
    row = _row(request, application_id)
    verdict = request.POST.get("verdict", "")
    form = ReviewForm(sent(request), row=row, config=products.config_of(row.product_version), verdict=verdict)
    status = 200
    if request.method == "POST":
        status = 422
        if "application.decide" not in request.permissions:
            form.add_error(None, _("Your roles do not allow you to decide applications."))
        elif form.is_valid():
            try:
                with transaction.atomic():
                    _decide(request, row, form)
                return redirect("staff:queue")
            except Refusal as refusal:
                form.add_error(_place(refusal), refusals.sentence(refusal))
    context = case_page.context(request, row, form)
    return render(request, "staff/cases/show.html", context, status=status)


def _place(refusal: Refusal) -> str | None:
    """The field that a refusal speaks of."""
    return "amount_minor" if refusal.code in ("amount_above_asked", "amount_not_offered") else None


def _decide(request: StaffRequest, row: Any, form: ReviewForm) -> None:
    given: dict[str, Any] = {
        "application_id": row.pk,
        "reviewer": request.user,
        "reasons": form.reasons,
        "note": form.cleaned_data["note"].strip(),
        "at": clock.now(),
    }
    if form.verdict == "approve":
        decide_application.approve(amount_minor=form.cleaned_data["amount_minor"], **given)
        told = _("%(number)s is approved: the offer is on its way to the applicant.")
    elif form.verdict == "decline":
        decide_application.decline(**given)
        told = _("%(number)s is declined: the applicant is told why.")
    else:
        decide_application.ask(question=form.cleaned_data["question"].strip(), **given)
        told = _("The applicant of %(number)s is asked; the clock stands still until they answer.")
    messages.success(request, told % {"number": row.reference})


@permits.staff("application.decide")
@require_POST
def take(request: StaffRequest, application_id: UUID) -> HttpResponse:
    """This case is mine from now on."""
    row = _row(request, application_id)
    return _done(
        request, row, lambda: review_cases.take_case(application_id=row.pk, reviewer=request.user, at=clock.now())
    )


@permits.staff("application.decide")
@require_POST
def put_back(request: StaffRequest, application_id: UUID) -> HttpResponse:
    """Somebody else may take it; the clock runs on."""
    row = _row(request, application_id)
    return _done(
        request, row, lambda: review_cases.put_back(application_id=row.pk, reviewer=request.user, at=clock.now())
    )


@permits.staff("desk.supervise")
@require_POST
def give(request: StaffRequest, application_id: UUID) -> HttpResponse:
    """A supervisor gives the case to somebody who may decide."""
    row = _row(request, application_id)
    people = access.holders_of("application.decide")
    form = GiveForm(request.POST, people=people)
    if not form.is_valid():
        messages.error(request, _("Choose who is to have the case."))
        return redirect("staff:application", application_id=row.pk)
    to = people.get(pk=form.cleaned_data["user_id"])
    return _done(
        request,
        row,
        lambda: review_cases.give_case(application_id=row.pk, to=to, supervisor=request.user, at=clock.now()),
    )


def _done(request: StaffRequest, row: Any, act: Any) -> HttpResponse:
    try:
        with transaction.atomic():
            act()
    except Refusal as refusal:
        messages.error(request, refusals.sentence(refusal))
    return redirect("staff:application", application_id=row.pk)


def _row(request: StaffRequest, application_id: UUID) -> Any:
    within = access.scope_filter(request.user, "application.view")
    try:
        return selectors.applications().filter(within).get(pk=application_id)
    except ObjectDoesNotExist:
        raise Http404 from None
