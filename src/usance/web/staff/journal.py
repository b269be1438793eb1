"""Statements of accounts, the journal, and one entry with its transfers and what it was made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from usance.apps.access import selectors as access
from usance.apps.institutions import selectors as institutions
from usance.apps.ledger import selectors as ledger
from usance.apps.servicing import selectors as servicing
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits
from usance.web import words as common
from usance.web.staff import entry_parts
from usance.web.staff.books import KINDS, tabs
from usance.web.staff.links import link
from usance.web.staff.loan_tabs import product_names
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats

ENTRIES = {
    "close.day": gettext_lazy("Interest and penalties of the day"),
    "close.again": gettext_lazy("Interest and penalties, made up for"),
    "loan.taken_over": gettext_lazy("Loans taken over from another system"),
    "loan.days_since_take_over": gettext_lazy("Days between the take-over and the import"),
    "loan.reversal": gettext_lazy("Entry reversed"),
}


class StatementForm(house.FilterForm):
    """The days of a statement, both included."""

    since = forms.DateField(label=gettext_lazy("From"))
    until = forms.DateField(label=gettext_lazy("To"))


@permits.staff("ledger.view")
@require_GET
def account(request: StaffRequest, account_id: UUID) -> HttpResponse:
    """The lines of one account, newest first, each with its entry."""
    try:
        row = ledger.account(account_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    form, since, until = _days(request)
    within = access.scope_filter(request.user, "ledger.view", path="branch")
    lines = ledger.account_statement(account_id=row.pk, starts_on=since, ends_on=until + timedelta(days=1))
    page = pages.of(request, lines.filter(within))
    figures = []
    if within == Q():
        opening = ledger.account_balance(account_id=row.pk, on=since - timedelta(days=1))
        figures = [
            (_("Balance before"), opening),
            (_("Balance after"), ledger.account_balance(account_id=row.pk, on=until)),
        ]
    context = {
        "account": row,
        "kind": KINDS[row.kind],
        "figures": figures,
        "currency": request.institution.currency,
        "filters": form,
        "table": _statement(request, page, {"since": since.isoformat(), "until": until.isoformat()}),
        "crumbs": [ui.Crumb(_("Books"), reverse("staff:books")), ui.Crumb(row.code)],
    }
    return render(request, "staff/books/account.html", context)


def _days(request: StaffRequest) -> tuple[StatementForm, date, date]:
    """The form and its days: this month until the business date, unless other days are asked for."""
    until: date = request.institution.business_date
    asked = _date(request.GET.get("until", "")) or until
    data = {"since": asked.replace(day=1).isoformat(), "until": asked.isoformat(), **request.GET.dict()}
    form = StatementForm(data)
    form.is_valid()
    last = form.cleaned_data.get("until") or until
    first = form.cleaned_data.get("since") or last.replace(day=1)
    if first > last:
        form.add_error("since", _("The first day comes after the last one."))
        first = last
    return form, first, last


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def entry_words(description: str) -> str:
    """What an entry is about, in words; its code where there are none."""
    of_loans = common.HAPPENED.get(description.removeprefix("loan."), (description,))[0]
    return str(ENTRIES.get(description, of_loans))


def _statement(request: StaffRequest, page: Any, query: dict[str, str]) -> ui.DataTable:
    currency = request.institution.currency
    columns = [
        ui.Column("what", _("Entry")),
        ui.Column("booked", _("Booked")),
        ui.Column("effective", _("Effective")),
        ui.Column("other", _("Other account")),
        ui.Column("debit", _("Debit"), numeric=True),
        ui.Column("credit", _("Credit"), numeric=True),
    ]
    rows = [
        ui.Row(
            [
                entry_words(line.entry.description),
                line.booked_on,
                line.entry.effective_on,
                str(line.other),
                ui.Money(line.amount_minor, currency) if line.side == "d" else "",
                ui.Money(-line.amount_minor, currency) if line.side == "c" else "",
            ],
            href=reverse("staff:entry", args=[line.entry_id]),
        )
        for line in page.object_list
    ]
    empty = ui.Empty(_("No line in these days"), _("Choose other days to see earlier lines."))
    return ui.DataTable(_("Lines"), columns, rows, empty, page=page, query=query)


@permits.staff("ledger.view")
@require_GET
def journal(request: StaffRequest) -> HttpResponse:
    """All entries of some days, newest first."""
    form, since, until = _days(request)
    found = ledger.entries(starts_on=since, ends_on=until + timedelta(days=1))
    within = access.scope_filter(request.user, "ledger.view", path="transfers__branch")
    page = pages.of(request, found if within == Q() else found.filter(within).distinct())
    loans = _loan_numbers(request, {row.loan_id for row in page.object_list if row.loan_id})
    columns = [
        ui.Column("what", _("Entry")),
        ui.Column("booked", _("Booked")),
        ui.Column("effective", _("Effective")),
        ui.Column("loan", _("Loan")),
        ui.Column("product", _("Product")),
        ui.Column("amount", _("Amount"), numeric=True),
    ]
    moved = _moved(request, page.object_list)
    rows = [
        ui.Row(
            [
                entry_words(row.description),
                row.booked_on,
                row.effective_on,
                _loan_link(request, row.loan_id, loans),
                *moved[row.pk],
            ],
            href=reverse("staff:entry", args=[row.pk]),
        )
        for row in page.object_list
    ]
    empty = ui.Empty(_("No entry in these days"), _("Choose other days to see earlier entries."))
    query = {"since": since.isoformat(), "until": until.isoformat()}
    table = ui.DataTable(_("Journal"), columns, rows, empty, page=page, query=query)
    return render(
        request, "staff/books/journal.html", {"tabs": tabs(request, "journal"), "filters": form, "table": table}
    )


def _moved(request: StaffRequest, entries: Iterable[Any]) -> dict[UUID, tuple[str, ui.Money]]:
    """Of each entry, whose product it concerns and how much it moves, as far as the reader's branches go."""
    within = access.scope_filter(request.user, "ledger.view", path="branch")
    names = product_names()
    products: dict[UUID, dict[str, None]] = {entry.pk: {} for entry in entries}
    sums = dict.fromkeys(products, 0)
    for one in ledger.transfers_of_entries(products).filter(within):
        products[one.entry_id][names.get(one.product, one.product)] = None
        sums[one.entry_id] += one.amount_minor
    currency = request.institution.currency
    return {pk: (", ".join(filter(None, products[pk])), ui.Money(sums[pk], currency)) for pk in products}


def _loan_link(request: StaffRequest, loan_id: Any, numbers: Mapping[Any, str]) -> str:
    number = numbers.get(loan_id, "")
    return (
        format_html('<a href="{}">{}</a>', link(request, "loan.view", "staff:loan", loan_id), number) if number else ""
    )


def _loan_numbers(request: StaffRequest, loan_ids: set[Any]) -> dict[UUID, str]:
    """Numbers of loans that the reader may see."""
    if "loan.view" not in request.permissions or not loan_ids:
        return {}
    within = access.scope_filter(request.user, "loan.view", owner="owner_id")
    rows = servicing.loan_register(within=within).order_by().filter(pk__in=loan_ids)
    return dict(rows.values_list("pk", "number"))


@permits.staff("ledger.view")
@require_GET
def entry(request: StaffRequest, entry_id: UUID) -> HttpResponse:
    """One entry with its transfers, and the loans' movements that it was made of."""
    try:
        row = ledger.entry(entry_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    within = access.scope_filter(request.user, "ledger.view", path="branch")
    transfers = list(ledger.transfers_of(row.pk).filter(within))
    if row.transfer_count and not transfers:
        raise Http404
    context = {
        "entry": row,
        "title": entry_words(row.description),
        "facts": _facts(request, row),
        "transfers": _transfers(request, transfers),
        **entry_parts.of(request, row, transfers, _of_loans(request)),
        "crumbs": [ui.Crumb(_("Books"), reverse("staff:books")), ui.Crumb(_("Journal"), reverse("staff:journal"))],
    }
    return render(request, "staff/books/entry.html", context)


def _of_loans(request: StaffRequest) -> Q:
    """Which movements the reader may see: those of loans within reach."""
    if "loan.view" not in request.permissions:
        return Q(pk__in=[])
    return access.scope_filter(request.user, "loan.view", owner="loan__owner_id", path="loan__org_path")


def _facts(request: StaffRequest, row: Any) -> list[ui.SummaryRow]:
    number = _loan_numbers(request, {row.loan_id}).get(row.loan_id, "") if row.loan_id else ""
    facts = [
        ui.SummaryRow(_("Booked"), row.booked_on),
        ui.SummaryRow(_("Effective"), row.effective_on),
        ui.SummaryRow(_("Recorded"), row.recorded_at),
        ui.SummaryRow(_("Key"), row.key, note=_("by it nothing is booked twice")),
        ui.SummaryRow(_("Cause"), row.source),
        ui.SummaryRow(_("Corrects"), _cited(row)),
        ui.SummaryRow(_("Seal"), f"{row.digest[:16]}…", note=_("the audit finds any later change by it")),
    ]
    if number:
        address = link(request, "loan.view", "staff:loan", row.loan_id)
        facts.insert(0, ui.SummaryRow(_("Loan"), number, href=address, action=_("Open")))
    return [fact for fact in facts if fact.value]


def _cited(row: Any) -> str:
    """What an entry corrects, with the day that it is about."""
    kind, _colon, rest = row.cites.partition(":")
    if kind == "date" and (day := _date(rest)):
        return _("What was true on %(day)s") % {"day": formats.date_l(day)}
    undone = servicing.events_of(loan_id=row.loan_id).filter(source=rest).first() if kind == "event" else None
    if undone is None:
        return str(row.cites)
    what = common.HAPPENED.get(servicing.snake(undone.kind), (undone.kind,))[0]
    return f"{what} · {formats.date_l(undone.effective_on)}"


def _transfers(request: StaffRequest, transfers: list[Any]) -> ui.DataTable:
    names, products = dict(institutions.units().values_list("path", "name")), product_names()
    columns = [
        ui.Column("debit", _("Debit")),
        ui.Column("credit", _("Credit")),
        ui.Column("branch", _("Branch")),
        ui.Column("product", _("Product")),
        ui.Column("amount", _("Amount"), numeric=True),
    ]
    currency = request.institution.currency
    rows = [
        ui.Row(
            [
                str(one.debit),
                format_html(
                    '<a href="{}">{}</a>', reverse("staff:ledger_account", args=[one.credit_id]), str(one.credit)
                ),
                names.get(one.branch, one.branch),
                products.get(one.product, one.product),
                ui.Money(one.amount_minor, currency),
            ],
            href=reverse("staff:ledger_account", args=[one.debit_id]),
        )
        for one in transfers
    ]
    totals = [_("Together"), "", "", "", ui.Money(sum(one.amount_minor for one in transfers), currency)]
    return ui.DataTable(_("Transfers"), columns, rows, ui.Empty(_("No transfer")), totals=totals)
