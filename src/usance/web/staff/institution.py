"""The institution as it is set up: who it is, its units, its calendar, and the rules of its country in force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET

from usance.apps.institutions import selectors as institutions
from usance.web import components as ui
from usance.web import permits
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats

CALENDAR_DAYS = 366
RULES: Mapping[str, Any] = {
    "cap.annual_rate": gettext_lazy("Most that a loan may cost a year"),
    "cap.criminal_rate": gettext_lazy("Cost from which lending is a crime"),
    "cap.daily_total_cost": gettext_lazy("Most that a loan may cost a day"),
    "cap.effective_rate": gettext_lazy("Most effective yearly rate"),
    "cap.microloan_rate": gettext_lazy("Most for microloans"),
    "cap.penalty_rate": gettext_lazy("Most for being late"),
    "cap.penalty_small_loans": gettext_lazy("Most penalty on small loans"),
    "cap.penalty_total": gettext_lazy("Most penalty in all"),
    "cap.short_effective_rate": gettext_lazy("Most effective rate of short loans"),
    "contact": gettext_lazy("When and how often people may be contacted"),
    "contact.reminders_microfinance": gettext_lazy("Reminders of microfinance"),
    "contact.visits": gettext_lazy("Visits"),
    "cooling_off": gettext_lazy("Days to step back"),
    "age.minimum": gettext_lazy("Least age"),
    "identity_number": gettext_lazy("Identity number"),
    "apr.method": gettext_lazy("How the APR is computed"),
    "classification.days": gettext_lazy("Classes of loans by days past due"),
    "consent.scoring": gettext_lazy("Consent to scoring"),
    "disclosure.draft_contract": gettext_lazy("Draft contract before signing"),
    "disclosure.key_facts": gettext_lazy("Key facts before signing"),
    "disclosure.passport": gettext_lazy("Loan passport before signing"),
    "disclosure.secci": gettext_lazy("European key facts sheet"),
    "early_payoff.refund": gettext_lazy("Refund on early payoff"),
    "exposure.customer": gettext_lazy("Most lent to one customer"),
    "exposure.p2p_platform": gettext_lazy("Most borrowed over platforms"),
    "interest.unclear_rate": gettext_lazy("Rate where the agreed one is unclear"),
    "lending.barred": gettext_lazy("Who may not be lent to"),
    "penalty.interest_on_interest": gettext_lazy("Interest on late interest"),
    "penalty.kind": gettext_lazy("Kinds of penalty"),
}
LICENCES = {
    "": gettext_lazy("none (civil lender)"),
    "finance_company": gettext_lazy("finance company"),
    "bank": gettext_lazy("bank"),
    "microfinance": gettext_lazy("microfinance institution"),
}
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
        "rules": _rules(request.institution.country, on),
    }
    return render(request, "staff/institution/show.html", context)


def _settings(row: Any) -> list[ui.SummaryRow]:
    languages = ", ".join(ui.NAMES.get(code, (code, ""))[0] for code in row.languages)
    return [
        ui.SummaryRow(pgettext("of a thing", "Name"), row.name),
        ui.SummaryRow(_("Legal name"), row.legal_name),
        ui.SummaryRow(_("Registration number"), row.registration_number),
        ui.SummaryRow(_("Address"), row.address),
        ui.SummaryRow(_("Licence"), LICENCES.get(row.licence, row.licence)),
        ui.SummaryRow(_("Support"), f"{row.support_phone} · {row.support_email}"),
        ui.SummaryRow(_("Country"), row.country),
        ui.SummaryRow(_("Currency"), row.currency),
        ui.SummaryRow(_("Languages"), languages),
    ]


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
    columns = [ui.Column("name", _("Unit")), ui.Column("kind", _("Kind")), ui.Column("path", _("Path"))]
    rows = [
        ui.Row([f"{'· ' * unit.path.count('.')}{unit.name}", UNIT_KINDS.get(unit.kind, unit.kind), unit.path])
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


def _rules(country: str, on: date) -> ui.DataTable:
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
                RULES.get(one.code, one.code),
                _value(one.value),
                one.starts_on,
                one.source,
                ui.Tag(_("Confirmed"), "good") if one.is_confirmed else ui.Tag(_("Not confirmed"), "warn"),
            ]
        )
        for one in institutions.rules_in_force(country, on)
    ]
    empty = ui.Empty(_("No rule is known for this country"), _("Nothing is refused by law until rules are entered."))
    return ui.DataTable(_("Country rules in force"), columns, rows, empty)


def _value(value: Any) -> str:
    """A rule's value as it is stored: names and figures, one after another."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "; ".join(f"{name.replace('_', ' ')}: {_part(item)}" for name, item in value.items())


def _part(item: Any) -> str:
    if isinstance(item, list):
        return ", ".join(map(_part, item))
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
