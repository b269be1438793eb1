"""The whole portfolio on any past day, as it was known on another: what is owed, how many loans in which status, what
was learned later, and the loans behind each figure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from usance.apps.ledger import selectors as ledger
from usance.apps.servicing import portfolio as history
from usance.apps.servicing import selectors as servicing
from usance.core.accounting import books as roles
from usance.web import components as ui
from usance.web import files, permits, words
from usance.web import forms as house
from usance.web.staff import books, loan_tabs
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats


class PortfolioForm(house.FilterForm):
    """Which day, by whose knowledge, and of what."""

    on = forms.DateField(label=gettext_lazy("As true on"), widget=forms.DateInput(attrs={"type": "date"}))
    known = forms.DateField(label=gettext_lazy("As known on"), widget=forms.DateInput(attrs={"type": "date"}))
    branch = forms.ChoiceField(label=gettext_lazy("Branch"))
    product = forms.ChoiceField(label=gettext_lazy("Product"))

    def __init__(self, *args: Any, units: list[tuple[str, str]], products: Iterable[str], today: date) -> None:
        super().__init__(*args)
        names = loan_tabs.product_names()
        self.fields["branch"].choices = units  # type: ignore[attr-defined]
        self.fields["product"].choices = [("", _("All")), *((code, names.get(code, code)) for code in products)]  # type: ignore[attr-defined]
        self.today = today

    def clean_on(self) -> date | None:
        return self._past("on")

    def clean_known(self) -> date | None:
        return self._past("known")

    def _past(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day and day > self.today:
            raise forms.ValidationError(_("This day has not come yet."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        on, known = cleaned.get("on"), cleaned.get("known")
        if on and known and known < on:
            self.add_error("known", _("A day is known when it is over: choose the same day or a later one."))
        return cleaned


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, with what is usual where nothing sensible was."""

    form: PortfolioForm
    on: date
    known: date
    branch: str
    product: str

    @property
    def kept(self) -> dict[str, str]:
        days = {"on": self.on.isoformat(), "known": self.known.isoformat()}
        return days | {name: value for name in ("branch", "product") if (value := getattr(self, name))}

    def href(self, name: str, **more: str) -> str:
        return f"{reverse(f'staff:{name}')}?{urlencode(self.kept | {key: text for key, text in more.items() if text})}"

    def find(self) -> history.Portfolio:
        return history.on_date(on=self.on, known_on=self.known, branch=self.branch, product=self.product)


def asked_of(request: StaffRequest) -> Asked:
    """The form and what it asks for. 404 for whoever reaches no branch's books."""
    units = books.reached_units(request)
    if not units:
        raise Http404
    today: date = request.institution.business_date
    data = {"on": today.isoformat(), "known": today.isoformat(), "branch": units[0][0], **request.GET.dict()}
    form = PortfolioForm(data, units=units, products=servicing.products_lent(), today=today)
    form.is_valid()
    given = form.cleaned_data
    on = given.get("on") or today
    known = given.get("known") or today
    return Asked(form, on, max(on, known), given.get("branch") or units[0][0], given.get("product") or "")


@permits.staff("ledger.view")
@require_GET
def show(request: StaffRequest) -> HttpResponse:
    """What all loans together were, at the end of a day."""
    asked = asked_of(request)
    found = asked.find()
    money = found.money()
    context = {
        "tabs": books.tabs(request, "portfolio"),
        "filters": asked.form,
        "on": asked.on,
        "known": asked.known,
        "is_of_then": asked.on == asked.known,
        "is_today": asked.on == request.institution.business_date,
        "money": _money_table(request, asked, money),
        "statuses": _status_table(request, asked, found),
        "products": _product_table(request, asked, found),
        "off_by": None if asked.product else _off_by(asked, money),
        "books_url": f"{reverse('staff:books')}?{urlencode({'on': asked.on.isoformat(), 'branch': asked.branch})}",
        "learned_url": asked.href("portfolio_learned") if any(one.since for one in money.values()) else "",
        "csv_url": asked.href("portfolio_csv"),
    }
    return render(request, "staff/books/portfolio.html", context, status=422 if asked.form.errors else 200)


def _off_by(asked: Asked, money: Mapping[str, history.Figure]) -> int:
    """How far the loans, as they were known at the end of the day, are from the control accounts of that day."""
    booked = ledger.control_totals(on=asked.on, branch=asked.branch)
    return sum(abs(money[name].then - roles.side(role) * booked.get(role, 0)) for name, role in roles.CONTROL.items())


def _columns(asked: Asked, *first: ui.Column) -> list[ui.Column]:
    """One column of figures where nothing was learned later, three where something may have been."""
    then = formats.date_l(asked.on, "medium")
    if asked.on == asked.known:
        return [*first, ui.Column("now", _("As known on %(day)s") % {"day": then}, numeric=True)]
    known = formats.date_l(asked.known, "medium")
    return [
        *first,
        ui.Column("then", _("As known on %(day)s") % {"day": then}, numeric=True),
        ui.Column("since", _("Learned since"), numeric=True),
        ui.Column("now", _("As known on %(day)s") % {"day": known}, numeric=True),
    ]


def _figures(asked: Asked, figure: history.Figure, currency: str = "") -> list[Any]:
    parts = [figure.now] if asked.on == asked.known else [figure.then, figure.since, figure.now]
    return [ui.Money(part, currency) if currency else part for part in parts]


def _money_table(request: StaffRequest, asked: Asked, money: Mapping[str, history.Figure]) -> ui.DataTable:
    currency = request.institution.currency
    rows = [
        ui.Row(
            [words.COMPONENTS[name], *_figures(asked, figure, currency)],
            href=_loans_href(request, asked, measure=name),
        )
        for name, figure in money.items()
    ]
    owed = sum((money[name] for name in history.OWED), history.Figure())
    totals = [_("Owed in all"), *_figures(asked, owed, currency)]
    columns = _columns(asked, ui.Column("what", _("Balance")))
    return ui.DataTable(_("Balances"), columns, rows, ui.Empty(_("Nothing was lent yet")), totals=totals)


def _loans_href(request: StaffRequest, asked: Asked, **more: str) -> str:
    return asked.href("portfolio_loans", **more) if "loan.view" in request.permissions else ""


def _status_table(request: StaffRequest, asked: Asked, found: history.Portfolio) -> ui.DataTable:
    counts = found.counts()
    order = [(status, bucket) for status in words.LOAN_STATUS for bucket in ("", *servicing.buckets())]
    rows = [
        ui.Row(
            [
                words.LOAN_STATUS[status][0],
                _("%(span)s days") % {"span": bucket.replace("-", "\u2013")} if bucket else "",
                *_figures(asked, counts[status, bucket]),
            ],
            href=_loans_href(request, asked, status=status, bucket=bucket),
        )
        for status, bucket in order
        if (status, bucket) in counts
    ]
    together = sum(counts.values(), history.Figure())
    columns = _columns(asked, ui.Column("status", _("Status")), ui.Column("bucket", _("Past due for")))
    empty = ui.Empty(_("There were no loans on this day"), _("Choose a later day to see what was lent since."))
    totals = [_("Together"), "", *_figures(asked, together)] if rows else ()
    return ui.DataTable(_("Loans by status"), columns, rows, empty, totals=totals)


def _product_table(request: StaffRequest, asked: Asked, found: history.Portfolio) -> ui.DataTable:
    currency, names = request.institution.currency, loan_tabs.product_names()
    by_product: dict[str, list[history.Cell]] = {}
    for cell in found.cells:
        by_product.setdefault(cell.product, []).append(cell)
    rows = [
        ui.Row(
            [names.get(code, code), *(ui.Money(one.now, currency) for one in found.money(cells).values())],
            href=asked.href("portfolio", product=code),
        )
        for code, cells in sorted(by_product.items())
    ]
    columns = [
        ui.Column("product", _("Product")),
        *(ui.Column(name, words.COMPONENTS[name], numeric=True) for name in history.MONEY),
    ]
    totals = [_("Together"), *(ui.Money(one.now, currency) for one in found.money().values())] if rows else ()
    return ui.DataTable(_("By product"), columns, rows, ui.Empty(_("Nothing was lent yet")), totals=totals)


@permits.staff("ledger.view")
@require_GET
def as_csv(request: StaffRequest) -> HttpResponse:
    """Every figure by product, branch, status and age as a file: a point in numbers, whatever the language."""
    asked = asked_of(request)
    name = f"portfolio-{request.institution.code}-{asked.on.isoformat()}-known-{asked.known.isoformat()}.csv"
    response = files.attachment(b"", name=name, kind="text/csv; charset=utf-8")
    writer = csv.writer(response)
    writer.writerow(
        ["true_on", "known_on", "branch", "product", "measure", "status", "past_due_since", "days_past_due"]
        + ["currency", "known_then", "learned_since", "known"]
    )
    digits = request.institution.currency_digits
    for cell in sorted(asked.find().cells, key=str):
        is_count = cell.measure == history.LOANS
        figures = [cell.figure.then, cell.figure.since, cell.figure.now]
        late = (asked.on - cell.past_due_since).days if cell.past_due_since else ""
        writer.writerow(
            [asked.on.isoformat(), asked.known.isoformat(), files.cell(cell.branch), files.cell(cell.product)]
            + [cell.measure, cell.status, cell.past_due_since or "", late]
            + ["" if is_count else request.institution.currency]
            + [one if is_count else str(Decimal(one).scaleb(-digits)) for one in figures]
        )
    return response
