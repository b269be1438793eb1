"""Customers on the desk: the register with its search, and everything about one of them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from usance.apps.access import selectors as access
from usance.apps.agreements import selectors as papers
from usance.apps.agreements import services as agreements
from usance.apps.audit import services as audit
from usance.apps.customers import selectors
from usance.apps.origination import selectors as applications
from usance.apps.servicing import selectors as loans
from usance.apps.servicing.refusals import NoSuchLoan
from usance.web import components as ui
from usance.web import files, pages, permits
from usance.web import forms as house
from usance.web.staff import customer_page
from usance.web.staff.request import StaffRequest


class SearchForm(house.FilterForm):
    """One box for everything that a customer may be known by."""

    q = forms.CharField(
        label=gettext_lazy("Name, phone, identity number, e-mail, customer, loan or application number"), max_length=100
    )


@permits.staff("customer.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """The register; what finds exactly one customer opens their page."""
    within = access.scope_filter(request.user, "customer.view")
    form = SearchForm(request.GET)
    form.is_valid()
    text = (form.cleaned_data.get("q") or "").strip()
    found = _search(text, within) if text else selectors.parties(within)
    page = pages.of(request, found, plain=selectors.parties(within) if text else None)
    if text and page.paginator.count == 1:
        return redirect("staff:customer", party_id=page.object_list[0].pk)
    if text:
        shown = [("customers.party", row.pk) for row in page.object_list]
        audit.viewed_all(subjects=shown, actor=request.actor, fields=["name", "phone"])
    context = {"table": _table(page, text), "filters": form, "form": form, "is_filtered": bool(text or form.errors)}
    return render(request, "staff/customers/index.html", context)


def _search(text: str, within: Q) -> Any:
    """Whoever the text finds by themselves, by a loan or by an application. A number written as a loan's or an
    application's (L-000123, A-123) stands alone; bare digits may mean either, or the end of a document."""
    ids: set[UUID] = set()
    letter = text[:2].upper()
    with suppress(NoSuchLoan):
        ids.add(loans.loan_by_number(text).party_id)
    if letter == "A-":
        ids.update(applications.search(text).values_list("party_id", flat=True)[: pages.SIZE])
    if ids and letter in ("A-", "L-"):
        return selectors.parties(within).filter(pk__in=ids)
    return selectors.search(text, within, also=ids)


def _table(page: Any, text: str) -> ui.DataTable:
    rows = list(page.object_list)
    people = selectors.summaries(row.pk for row in rows)
    columns = [
        ui.Column("reference", _("Customer")),
        ui.Column("name", _("Name")),
        ui.Column("phone", _("Phone")),
        ui.Column("language", _("Language")),
        ui.Column("since", _("Known since")),
        ui.Column("state", _("State")),
    ]
    lines = [
        ui.Row(
            [
                row.reference,
                people[row.pk].name,
                people[row.pk].phone,
                ui.NAMES.get(row.language, (row.language, ""))[0],
                row.known_since,
                ui.Tag(_("Erased"), "neutral") if row.erased_at else "",
            ],
            href=reverse("staff:customer", args=[row.pk]),
        )
        for row in rows
    ]
    empty = (
        ui.Empty(
            _("Nobody fits \u201c%(text)s\u201d") % {"text": text},
            _("Names are found by whole words, phones and identity numbers as a whole or by the last four digits."),
            reverse("staff:customers"),
            _("Clear"),
            icon="search",
        )
        if text
        else ui.Empty(_("No customers yet"), _("Whoever confirms a phone on the website becomes one."), icon="people")
    )
    return ui.DataTable(_("Customers"), columns, lines, empty, page=page, query={"q": text})


@permits.staff("customer.view")
@require_GET
def show(request: StaffRequest, party_id: UUID) -> HttpResponse:
    """One customer: masked, or in full for whoever may and asks; either way the look is in the trail."""
    party = party_of(request, party_id)
    return render(request, "staff/customers/show.html", customer_page.context(request, party))


@permits.staff("document.view")
@require_GET
def document(request: StaffRequest, document_id: UUID) -> HttpResponse:
    """A customer's paper as a file; the trail names who took it."""
    try:
        found = papers.document(document_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    if not access.may(request.user, "document.view", found.org_path):
        raise Http404
    name, pdf = agreements.download(document_id=found.pk, actor=request.actor)
    return files.attachment(pdf, name=name, kind="application/pdf")


def party_of(request: StaffRequest, party_id: UUID, action: str = "customer.view") -> Any:
    """A customer whom this person reaches with `action`; else there is none."""
    try:
        return selectors.party_row(party_id, access.scope_filter(request.user, action))
    except ObjectDoesNotExist:
        raise Http404 from None
