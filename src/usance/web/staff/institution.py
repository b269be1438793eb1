"""The institution as it is set up: who it is, its units, its calendar, and the rules of its country in force."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from babel.numbers import get_currency_name
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET

from usance.apps.institutions import selectors as institutions
from usance.web import components as ui
from usance.web import law, permits
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats

CALENDAR_DAYS = 366
UNIT_KINDS = {"head": gettext_lazy("Head office"), "branch": gettext_lazy("Branch"), "team": gettext_lazy("Team")}


@permits.staff("institution.view")
@require_GET
def show(request: StaffRequest) -> HttpResponse:
    """Everything that rules how this lender works, with the source of what the law says."""
    on: date = request.institution.business_date
    context = {
        "settings": _settings(request.institution),
        "working": _working(request.institution),
        "units": _units(),
        "calendar": _calendar(on),
        "rules": _rules(request.institution, on),
    }
    return render(request, "staff/institution/show.html", context)


def _settings(row: Any) -> list[ui.SummaryRow]:
    languages = ", ".join(ui.NAMES.get(code, (code, ""))[0] for code in row.languages)
    return [
        ui.SummaryRow(pgettext("of a thing", "Name"), row.name),
        ui.SummaryRow(_("Legal name"), row.legal_name),
        ui.SummaryRow(_("Registration number"), row.registration_number),
        ui.SummaryRow(_("Address"), row.address),
        ui.SummaryRow(_("Licence"), law.LICENCES.get(row.licence, row.licence)),
        ui.SummaryRow(_("Support"), f"{row.support_phone} · {row.support_email}"),
        ui.SummaryRow(_("Country"), law.country(row.country)),
        ui.SummaryRow(_("Currency"), _currency(row.currency)),
        ui.SummaryRow(_("Languages"), languages),
    ]


def _currency(code: str) -> str:
    return f"{get_currency_name(code, locale=formats.locale())} ({code})"


def _working(row: Any) -> list[ui.SummaryRow]:
    monday = date(2024, 1, 1)
    weekdays = ", ".join(date_format(monday + timedelta(days=day - 1), "l") for day in row.desk_weekdays)
    return [
        ui.SummaryRow(_("Business date"), row.business_date),
        ui.SummaryRow(_("Time zone"), row.time_zone),
        ui.SummaryRow(_("Desk hours"), f"{row.desk_opens_at:%H:%M} – {row.desk_closes_at:%H:%M}"),
        ui.SummaryRow(_("Desk days"), weekdays),
        ui.SummaryRow(
            _("Business time runs ahead by"),
            formats.days(row.ahead_days) if row.ahead_days else _("nothing"),
            note=_("grows when a day is ended early") if row.is_demo else "",
        ),
    ]


def _units() -> ui.DataTable:
    columns = [ui.Column("name", _("Unit")), ui.Column("kind", _("Kind"))]
    rows = [
        ui.Row([f"{'· ' * unit.path.count('.')}{unit.name}", UNIT_KINDS.get(unit.kind, unit.kind)])
        for unit in institutions.units()
    ]
    return ui.DataTable(_("Branches and teams"), columns, rows, ui.Empty(_("No units")))


def _calendar(on: date) -> ui.DataTable:
    columns = [
        ui.Column("day", _("Day")),
        ui.Column("name", pgettext("of a thing", "Name")),
        ui.Column("work", _("The desks")),
    ]
    found = institutions.calendar_days(on, on + timedelta(days=CALENDAR_DAYS))
    rows = [
        ui.Row(
            [
                formats.date_l(one.day, "full"),
                one.name,
                ui.Tag(_("work"), "good") if one.is_working else ui.Tag(_("rest"), "neutral", "pause"),
            ]
        )
        for one in found
    ]
    empty = ui.Empty(_("No day is marked"), _("Days follow the weekdays of the desk."))
    return ui.DataTable(_("Marked days of the coming year"), columns, rows, empty)


def _rules(row: Any, on: date) -> ui.DataTable:
    columns = [
        ui.Column("rule", _("Rule")),
        ui.Column("value", _("Says")),
        ui.Column("since", _("In force from")),
        ui.Column("source", _("Source")),
        ui.Column("read", _("Read by a person")),
    ]
    rows = [
        ui.Row(
            [
                law.name(one.code),
                law.said(one.value, row),
                one.starts_on,
                one.source,
                ui.Tag(_("Confirmed"), "good") if one.is_confirmed else ui.Tag(_("Not confirmed"), "warn"),
            ]
        )
        for one in institutions.rules_in_force(row.country, on)
    ]
    empty = ui.Empty(_("No rule is known for this country"), _("Nothing is refused by law until rules are entered."))
    return ui.DataTable(_("Country rules in force"), columns, rows, empty)
