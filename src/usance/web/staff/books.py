"""The books: chart of accounts with its trial balance, statements, journal entries and what made them."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET

from usance.apps.access import selectors as access
from usance.apps.institutions import selectors as institutions
from usance.apps.ledger import selectors as ledger
from usance.web import components as ui
from usance.web import files, permits
from usance.web import forms as house
from usance.web.staff.request import StaffRequest

KINDS = {
    "asset": gettext_lazy("Assets"),
    "liability": gettext_lazy("Liabilities"),
    "equity": gettext_lazy("Equity"),
    "income": gettext_lazy("Income"),
    "expense": gettext_lazy("Expenses"),
}


class BalanceForm(house.FilterForm):
    """On which day the trial balance stands, and of which branch."""

    on = forms.DateField(label=gettext_lazy("On"))
    branch = forms.ChoiceField(label=gettext_lazy("Branch"))

    def __init__(self, *args: Any, units: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["branch"].choices = units  # type: ignore[attr-defined]


def tabs(request: StaffRequest, current: str) -> list[ui.Tab]:
    """The pages of the books."""
    found = (
        ("books", _("Trial balance")),
        ("branch_figures", _("By branch")),
        ("portfolio", _("Portfolio on a day")),
        ("journal", _("Journal")),
        ("periods", _("Periods")),
    )
    return [ui.Tab(words, reverse(f"staff:{name}"), current=name == current) for name, words in found]


def reached_units(request: StaffRequest) -> list[tuple[str, str]]:
    """(path, name) of the units whose books the reader may see; with "" for all of it, for whoever sees all."""
    within = access.scope_filter(request.user, "ledger.view", path="path")
    units = [(unit.path, unit.name) for unit in institutions.units().filter(within)]
    return [("", _("Everything")), *units] if within == Q() else units


def _asked(request: StaffRequest) -> tuple[BalanceForm, date, str]:
    """The form with the day and branch it asks for; nonsense is shown as an error and the usual is meant."""
    units = reached_units(request)
    if not units:
        raise Http404
    today: date = request.institution.business_date
    data = {"on": today.isoformat(), "branch": units[0][0], **request.GET.dict()}
    form = BalanceForm(data, units=units)
    form.is_valid()
    given = form.cleaned_data
    branch = given["branch"] if given.get("branch") else units[0][0]
    return form, given.get("on") or today, branch


# --- trial balance -------------------------------------------------------------------------------------------


@permits.staff("ledger.view")
@require_GET
def trial_balance(request: StaffRequest) -> HttpResponse:
    """Every account with what was booked on it until a day, and the proof that both sides agree."""
    form, on, branch = _asked(request)
    lines = ledger.trial_balance(on=on, branch=branch)
    debit, credit = _sides(lines)
    query = urlencode({"on": on.isoformat(), "branch": branch})
    context = {
        "tabs": tabs(request, "books"),
        "filters": form,
        "table": _balance_table(request, lines, on),
        "is_balanced": debit == credit,
        "difference": debit - credit,
        "total": debit,
        "currency": request.institution.currency,
        "csv_url": f"{reverse('staff:trial_balance_csv')}?{query}",
    }
    return render(request, "staff/books/trial_balance.html", context)


def _sides(lines: list[ledger.BalanceLine]) -> tuple[int, int]:
    """The sums of the debit and of the credit balances."""
    debit = sum(line.balance_minor for line in lines if line.balance_minor > 0)
    return debit, -sum(line.balance_minor for line in lines if line.balance_minor < 0)


def _balance_table(request: StaffRequest, lines: list[ledger.BalanceLine], on: date) -> ui.DataTable:
    currency = request.institution.currency
    columns = [
        ui.Column("code", _("Account")),
        ui.Column("name", pgettext("of a thing", "Name")),
        ui.Column("kind", _("Kind")),
        ui.Column("debit", _("Debited"), numeric=True),
        ui.Column("credit", _("Credited"), numeric=True),
        ui.Column("left", _("Debit balance"), numeric=True),
        ui.Column("right", _("Credit balance"), numeric=True),
    ]
    since = urlencode({"until": on.isoformat()})
    rows = [
        ui.Row(
            [
                line.account.code,
                line.account.title,
                KINDS[line.account.kind],
                ui.Money(line.debit_minor, currency) if line.debit_minor else "",
                ui.Money(line.credit_minor, currency) if line.credit_minor else "",
                ui.Money(line.balance_minor, currency) if line.balance_minor > 0 else "",
                ui.Money(-line.balance_minor, currency) if line.balance_minor < 0 else "",
            ],
            href=f"{reverse('staff:ledger_account', args=[line.account.pk])}?{since}",
        )
        for line in lines
    ]
    debit, credit = _sides(lines)
    totals = [
        _("Together"),
        "",
        "",
        ui.Money(sum(line.debit_minor for line in lines), currency),
        ui.Money(sum(line.credit_minor for line in lines), currency),
        ui.Money(debit, currency),
        ui.Money(credit, currency),
    ]
    empty = ui.Empty(_("The books are not open yet"), _("Accounts appear when the institution's books are opened."))
    return ui.DataTable(_("Trial balance"), columns, rows, empty, totals=totals if lines else ())


@permits.staff("ledger.view")
@require_GET
def trial_balance_csv(request: StaffRequest) -> HttpResponse:
    """The same as a file: a comma between cells, a point in numbers, whatever the language."""
    _form, on, branch = _asked(request)
    name = f"trial-balance-{request.institution.code}-{on.isoformat()}.csv"
    response = files.attachment(b"", name=name, kind="text/csv; charset=utf-8")
    writer = csv.writer(response)
    writer.writerow(["date", "branch", "account", "name", "kind", "currency", "debit", "credit", "balance"])
    digits = request.institution.currency_digits

    def major(minor: int) -> str:
        return str(Decimal(minor).scaleb(-digits))

    for line in ledger.trial_balance(on=on, branch=branch):
        account = line.account
        figures = [major(line.debit_minor), major(line.credit_minor), major(line.balance_minor)]
        words = [files.cell(word) for word in (branch, account.code, account.name, account.kind)]
        where = [on.isoformat(), *words, request.institution.currency]
        writer.writerow([*where, *figures])
    return response


@permits.staff("ledger.view")
@require_GET
def branches(request: StaffRequest) -> HttpResponse:
    """Assets, liabilities, income and expenses of each branch until a day."""
    form, on, _branch = _asked(request)
    del form.fields["branch"]
    within = access.scope_filter(request.user, "ledger.view", path="branch")
    kinds = {account.pk: account.kind for account in ledger.accounts()}
    sums: dict[str, dict[str, int]] = {}
    for path, account_id, amount in ledger.branch_totals(on=on, within=within):
        of_branch = sums.setdefault(path, dict.fromkeys(KINDS, 0))
        kind = kinds[account_id]
        of_branch[kind] += amount if kind in ledger.DEBIT_KINDS else -amount
    context = {
        "tabs": tabs(request, "branch_figures"),
        "filters": form,
        "table": _branch_table(request, sums),
    }
    return render(request, "staff/books/branches.html", context)


def _branch_table(request: StaffRequest, sums: dict[str, dict[str, int]]) -> ui.DataTable:
    names = dict(institutions.units().values_list("path", "name"))
    currency = request.institution.currency
    columns = [
        ui.Column("branch", _("Branch")),
        *(ui.Column(kind, words, numeric=True) for kind, words in KINDS.items()),
        ui.Column("result", _("Result"), numeric=True),
    ]

    def cells(figures: dict[str, int]) -> list[ui.Money]:
        found = [*figures.values(), figures["income"] - figures["expense"]]
        return [ui.Money(amount, currency) for amount in found]

    rows = [
        ui.Row(
            [names.get(path, path) or _("No branch"), *cells(figures)],
            href=f"{reverse('staff:books')}?{urlencode({'branch': path})}" if path in names else "",
        )
        for path, figures in sorted(sums.items())
    ]
    together = {kind: sum(figures[kind] for figures in sums.values()) for kind in KINDS}
    empty = ui.Empty(_("Nothing is booked yet"), _("Each entry carries its branch; their sums stand here."))
    totals = [_("Together"), *cells(together)] if sums else ()
    return ui.DataTable(_("Figures by branch"), columns, rows, empty, totals=totals)
