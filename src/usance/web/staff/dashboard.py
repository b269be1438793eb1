"""The dashboard: what is asked for, lent, owed and late, and the money that moves; each chart with its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_GET

from usance.apps.access import selectors as access
from usance.apps.products import selectors as products
from usance.apps.reporting import selectors as figures
from usance.web import components as ui
from usance.web import permits
from usance.web import words as common
from usance.web.staff import clocks
from usance.web.staff.links import link
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats

PERIODS = {
    "7": (7, gettext_lazy("7 days")),
    "30": (30, gettext_lazy("30 days")),
    "90": (90, gettext_lazy("90 days")),
    "365": (365, gettext_lazy("12 months")),
}
USUAL = "30"
QUEUES = {
    "underwriting": (gettext_lazy("Applications"), "application.view", "staff:queue"),
    "security": (gettext_lazy("“This was not me”"), "customer.view", "staff:changes"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One card: `currency` empty for a plain number or text."""

    label: Any
    value: Any
    currency: str = ""
    note: Any = ""
    href: str = ""


@permits.staff("report.view")
@require_GET
def show(request: StaffRequest) -> HttpResponse:
    """Figures of a period that ends with the business date; a period that is no choice is the usual one."""
    chosen = request.GET.get("period", USUAL)
    chosen = chosen if chosen in PERIODS else USUAL
    ends_on = request.institution.business_date + timedelta(days=1)
    period = figures.Period(ends_on - timedelta(days=PERIODS[chosen][0]), ends_on)
    reach = _reach(request)
    asked, waits = figures.requests(period, reach), figures.reviews(period, reach)
    lent, owed = figures.lending(period, reach), figures.portfolio(reach)
    flows = figures.cash(period, reach)
    standing = figures.outstanding_by_slot(period, reach, owed.outstanding_minor)
    currency, slots = request.institution.currency, _labels(period)
    context = {
        "periods": [
            ui.Tab(words, f"?period={code}", current=code == chosen) for code, (_days, words) in PERIODS.items()
        ],
        "period": period,
        "last_day": period.ends_on - timedelta(days=1),
        "flow_figures": _flow_figures(currency, asked, waits, lent, flows),
        "standing_figures": _standing_figures(request, currency, owed),
        "flow_charts": [
            _applications_chart(slots, period, asked),
            _cash_chart(slots, period, flows, currency),
            _lending_chart(slots, period, lent, currency),
            _outstanding_chart(slots, period, standing, currency),
        ],
        "standing_charts": [
            _buckets_chart(owed, currency),
            _products_chart(request, owed, currency),
        ],
        "buckets": _buckets_table(request, owed, currency),
        "instructions": _instructions_table(request, figures.instructions(period, reach), currency),
        "queues": _queues_table(request, figures.queues(reach)),
    }
    return render(request, "staff/dashboard/show.html", context)


def _reach(request: StaffRequest) -> figures.Reach:
    """The reader's scope, asked for once per column."""
    known: dict[str, Q] = {}

    def reach(path: str) -> Q:
        if path not in known:
            known[path] = access.scope_filter(request.user, "report.view", path=path)
        return known[path]

    return reach


def _flow_figures(currency: str, asked: Any, waits: Any, lent: Any, flows: Any) -> list[Figure]:
    decided = _("%(rules)s by the rules alone, %(people)s by a person") % {
        "rules": formats.number(asked.by_rules),
        "people": formats.number(asked.by_person),
    }
    rate = formats.percent(asked.approval_rate, 1) if asked.decided else "–"
    loans = ngettext("%(count)s loan", "%(count)s loans", lent.count) % {"count": formats.number(lent.count)}
    return [
        Figure(_("Applications"), formats.number(asked.submitted), note=_("submitted")),
        Figure(_("Approved"), rate, note=decided if asked.decided else _("nothing was decided")),
        Figure(_("Review by a person, median"), *_review(waits)),
        Figure(_("Disbursed"), lent.amount_minor, currency, note=loans),
        Figure(_("Money in"), flows.in_minor, currency),
        Figure(_("Money out"), flows.out_minor, currency),
    ]


def _review(waits: Any) -> tuple[str, str, str]:
    """(minutes, no currency, how many kept the promise)."""
    if not waits.count:
        return "–", "", _("no case was finished")
    kept = _("%(kept)s of %(count)s within the promised %(minutes)s") % {
        "kept": formats.number(waits.in_time),
        "count": formats.number(waits.count),
        "minutes": formats.minutes(waits.promised_minutes),
    }
    return formats.minutes(waits.median_minutes), "", kept


def _standing_figures(request: StaffRequest, currency: str, owed: Any) -> list[Figure]:
    loans = ngettext("%(count)s loan", "%(count)s loans", owed.count) % {"count": formats.number(owed.count)}
    late = ngettext("%(count)s loan", "%(count)s loans", owed.late_count) % {"count": formats.number(owed.late_count)}
    register = link(request, "loan.view", "staff:loans")
    overdue = link(request, "collection.view", "staff:past_due")
    return [
        Figure(_("Outstanding"), owed.outstanding_minor, currency, note=loans, href=register),
        Figure(_("Past due"), owed.past_due_minor, currency, note=late, href=overdue),
        Figure(
            _("Outstanding on loans past due"),
            formats.percent(owed.share_at_risk, 1),
            note=formats.money(owed.late_outstanding_minor, currency),
        ),
    ]


# --- charts --------------------------------------------------------------------------------------------------


def _labels(period: figures.Period) -> list[str]:
    if period.unit == "month":
        return [str(formats.format_date(day, format="LLL yyyy", locale=formats.locale())) for day in period.slots]
    return [formats.day_month(day) for day in period.slots]


def _head(period: figures.Period) -> str:
    return {"day": _("Day"), "week": _("Week from"), "month": _("Month")}[period.unit]


def _applications_chart(slots: Sequence[str], period: figures.Period, asked: Any) -> ui.Chart:
    series = [
        ui.Series(_("Submitted"), asked.submitted_by_slot),
        ui.Series(_("Approved"), asked.approved_by_slot),
        ui.Series(_("Declined"), asked.declined_by_slot),
    ]
    return ui.Chart("applications", _("Applications"), "bars", slots, series, head=_head(period))


def _cash_chart(slots: Sequence[str], period: figures.Period, flows: Any, currency: str) -> ui.Chart:
    series = [ui.Series(_("In"), flows.in_by_slot), ui.Series(_("Out"), flows.out_by_slot)]
    return ui.Chart("cash", _("Money in and out"), "bars", slots, series, currency, _("as booked"), _head(period))


def _lending_chart(slots: Sequence[str], period: figures.Period, lent: Any, currency: str) -> ui.Chart:
    series = [ui.Series(_("Disbursed"), lent.by_slot)]
    return ui.Chart("lending", _("Disbursed"), "bars", slots, series, currency, head=_head(period))


def _outstanding_chart(slots: Sequence[str], period: figures.Period, values: list[int], currency: str) -> ui.Chart:
    series = [ui.Series(_("Outstanding"), values)]
    note = _("at the end of each day") if period.unit == "day" else ""
    return ui.Chart("outstanding", _("Portfolio"), "line", slots, series, currency, note, _head(period))


def _buckets_chart(owed: Any, currency: str) -> ui.Chart:
    labels = [_("%(days)s days") % {"days": bucket.name} for bucket in owed.buckets]
    series = [
        ui.Series(_("Past due"), [bucket.past_due_minor for bucket in owed.buckets]),
        ui.Series(_("Outstanding"), [bucket.outstanding_minor for bucket in owed.buckets]),
    ]
    return ui.Chart("buckets", _("Past due by age"), "bars", labels, series, currency, head=_("Days past due"))


def _products_chart(request: StaffRequest, owed: Any, currency: str) -> ui.Chart:
    names = {row.code: row.name(request.LANGUAGE_CODE) for row in products.products()}
    labels = [names.get(code, code) for code in owed.by_product]
    series = [ui.Series(_("Outstanding"), [amount for _count, amount in owed.by_product.values()])]
    return ui.Chart(
        "products", _("Outstanding by product"), "bars-sideways", labels, series, currency, head=_("Product")
    )


# --- tables --------------------------------------------------------------------------------------------------


def _buckets_table(request: StaffRequest, owed: Any, currency: str) -> ui.DataTable:
    columns = [
        ui.Column("bucket", _("Days past due")),
        ui.Column("count", _("Loans"), numeric=True),
        ui.Column("late", _("Past due"), numeric=True),
        ui.Column("owed", _("Outstanding"), numeric=True),
        ui.Column("share", _("Share"), numeric=True),
    ]
    register = link(request, "collection.view", "staff:past_due")
    rows = [
        ui.Row(
            [
                bucket.name,
                bucket.count,
                ui.Money(bucket.past_due_minor, currency),
                ui.Money(bucket.outstanding_minor, currency),
                formats.percent(bucket.share, 1),
            ],
            href=f"{register}?bucket={bucket.name.replace('+', '%2B')}" if register else "",
        )
        for bucket in owed.buckets
    ]
    totals = [
        _("Together"),
        owed.late_count,
        ui.Money(owed.past_due_minor, currency),
        ui.Money(owed.late_outstanding_minor, currency),
        formats.percent(owed.share_at_risk, 1),
    ]
    return ui.DataTable(_("Past due by age"), columns, rows, ui.Empty(_("Nothing is past due")), totals=totals)


def _instructions_table(request: StaffRequest, lines: Sequence[Any], currency: str) -> ui.DataTable:
    columns = [
        ui.Column("kind", _("Order")),
        ui.Column("state", _("State")),
        ui.Column("count", pgettext("how many", "Number"), numeric=True),
        ui.Column("amount", _("Amount"), numeric=True),
    ]
    register = link(request, "payment.view", "staff:instructions") or link(request, "payment.view", "staff:payments")
    rows = [
        ui.Row(
            [
                common.INSTRUCTION_KIND.get(line.kind, line.kind),
                common.tag(common.INSTRUCTION_STATE, line.state),
                line.count,
                ui.Money(line.amount_minor, currency),
            ],
            href=f"{register}?kind={line.kind}&state={line.state}" if register else "",
        )
        for line in lines
    ]
    empty = ui.Empty(
        _("No orders to payment providers"), _("Payouts, payments and debits of the period are counted here.")
    )
    return ui.DataTable(_("Orders to payment providers"), columns, rows, empty)


def _queues_table(request: StaffRequest, standings: Sequence[Any]) -> ui.DataTable:
    columns = [
        ui.Column("queue", _("Queue")),
        ui.Column("count", _("Nobody has it"), numeric=True),
        ui.Column("first", _("First clock runs out")),
    ]
    now = clocks.moment(request)
    rows = []
    for one in standings:
        words, permission, page = QUEUES.get(one.queue, (one.queue, "", ""))
        late = one.next_due_at is not None and one.next_due_at <= now
        first: Any = ui.Tag(formats.any_value(one.next_due_at), "bad") if late else one.next_due_at
        rows.append(ui.Row([words, one.waiting_count, first], href=link(request, permission, page) if page else ""))
    return ui.DataTable(_("Work that waits"), columns, rows, ui.Empty(_("Nothing waits for a person")))
