"""The portfolio by the classes of the country's regulator."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from usance.apps.access import selectors as access
from usance.apps.servicing import classing, selectors
from usance.web import components as ui
from usance.web import pages, permits, words
from usance.web.staff import loans
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats


@permits.staff("loan.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """How many loans and how much principal there are of each class, and which."""
    scheme = classing.scheme_on(request.institution.business_date)
    context: dict[str, Any] = {"scheme": scheme, "back": reverse("staff:loans")}
    if scheme:
        within = access.scope_filter(request.user, "loan.view", owner="owner_id")
        sums = classing.sums(scheme, within=within)
        code = request.GET.get("class", "")
        code = code if scheme.rank(code) >= 0 else ""
        order = loans.order_of(request)
        page = pages.of(request, selectors.loans_of_class(code=code, order=order, within=within))
        empty = ui.Empty(_("No loan is of this class"), _("Classes are found when a day is ended."))
        everyone = _("All")
        context |= {
            "sums": _sums(sums, request.institution.currency),
            "table": loans.table(_("Loans"), page, order, {"class": code, "order": order}, empty),
            "tabs": [
                ui.Tab(everyone, "?", not code, sum(row[1] for row in sums)),
                *(ui.Tab(words.tag(words.LOAN_CLASS, r[0]).text, f"?class={r[0]}", r[0] == code, r[1]) for r in sums),
            ],
        }
    return render(request, "staff/loans/classes.html", context)


def _sums(sums: list[tuple[str, int, int, int]], currency: str) -> ui.DataTable:
    columns = [
        ui.Column("class", _("Class")),
        ui.Column("count", _("Loans"), numeric=True),
        ui.Column("principal", _("Principal"), numeric=True),
        ui.Column("share", _("Share"), numeric=True),
        ui.Column("late", _("Past due"), numeric=True),
    ]
    whole = sum(row[2] for row in sums)
    rows = [
        ui.Row(
            [
                words.tag(words.LOAN_CLASS, code),
                count,
                ui.Money(principal, currency),
                formats.percent(principal / whole if whole else 0, 1),
                ui.Money(late, currency),
            ],
            href=f"?class={code}",
        )
        for code, count, principal, late in sums
    ]
    totals = [
        _("Together"),
        sum(row[1] for row in sums),
        ui.Money(whole, currency),
        formats.percent(1 if whole else 0, 1),
        ui.Money(sum(row[3] for row in sums), currency),
    ]
    empty = ui.Empty(_("No classes"), "")
    return ui.DataTable(_("Principal by class"), columns, rows, empty, totals=totals)
