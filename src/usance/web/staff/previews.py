"""What loans by a version would cost, by the calculator, beside what they cost by the version in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.products import calculator, selectors, template
from usance.core.refusals import Refusal
from usance.web import components as ui
from usance.web import forms as house
from usance.web import refusals
from usance.web.staff import product_reading
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats

KINDS = {"first": gettext_lazy("First-time customers"), "returning": gettext_lazy("Returning customers")}

TERM = {  # (of one payment, its unit) -> what the number in the box counts
    (True, "days"): gettext_lazy("Term in days"),
    (True, "weeks"): gettext_lazy("Term in weeks"),
    (True, "half_months"): gettext_lazy("Term in half months"),
    (True, "months"): gettext_lazy("Term in months"),
    **{(False, unit): gettext_lazy("Number of payments") for unit in ("days", "weeks", "half_months", "months")},
}


class PreviewForm(house.FilterForm):
    """An amount and a term of one's own."""

    amount = house.MoneyField(label=gettext_lazy("Amount"))
    term = forms.IntegerField(label=gettext_lazy("Term"), min_value=1)

    def __init__(self, *args: Any, currency: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].set_currency(currency)  # type: ignore[attr-defined]


def context(request: StaffRequest, row: Any, now: Any) -> dict[str, Any]:
    """For the version's page: a form, and a table for each kind of customer. A refusal is told in words."""
    asked = bool(request.GET.get("amount") or request.GET.get("term"))
    form = PreviewForm(request.GET if asked else None, currency=request.institution)
    config = selectors.config_of(row)
    form.fields["term"].label = TERM[config.kind == "single_payment", config.term.unit]
    pairs = _pairs(config)
    if asked and form.is_valid():
        amount = form.cleaned_data["amount"] or config.amount.default_minor
        pairs = [(amount, form.cleaned_data["term"] or config.term.default)]
    tables, refused = [], ""
    for kind, title in KINDS.items():
        wanted = pairs if asked else [pair for pair in pairs if pair[0] <= config.max_amount(kind)]
        try:
            tables.append((title, _table(request, row, now, kind, wanted)))
        except Refusal as refusal:
            refused = refusals.sentence(refusal)
    return {"preview_form": form, "previews": tables, "preview_refused": refused, "is_own_preview": asked}


def _pairs(config: template.Config) -> list[tuple[int, int]]:
    """The smallest, usual and largest amount, each for the shortest, usual and longest term."""
    tops = {config.max_amount(kind) for kind in KINDS}
    amounts = sorted({config.amount.min_minor, config.amount.default_minor, *tops})
    terms = sorted({config.term.min, config.term.default, config.term.max})
    return [(amount, term) for amount in amounts for term in terms]


def _table(request: StaffRequest, row: Any, now: Any, kind: str, pairs: Sequence[tuple[int, int]]) -> ui.DataTable:
    currency, on = request.institution.currency, request.institution.business_date
    columns = [
        ui.Column("amount", _("Amount")),
        ui.Column("term", _("Term"), numeric=True),
        ui.Column("received", _("Received"), numeric=True),
        ui.Column("total", _("To repay"), numeric=True),
        ui.Column("cost", _("Cost"), numeric=True),
        ui.Column("apr", _("APR"), numeric=True),
    ]
    if now is not None:
        columns += [
            ui.Column("cost_now", _("Cost today"), numeric=True),
            ui.Column("apr_now", _("APR today"), numeric=True),
            ui.Column("change", _("Change"), numeric=True),
        ]
    config = selectors.config_of(row)
    rows = []
    for amount, term in pairs:
        made = calculator.quote(version=row, amount_minor=amount, term=term, customer_kind=kind, on=on)
        cells: list[Any] = [
            ui.Money(amount, currency),
            product_reading.term_text(term, kind=config.kind, unit=config.term.unit),
            ui.Money(made.received_minor, currency),
            ui.Money(made.total_minor, currency),
            ui.Money(made.cost_minor, currency),
            formats.percent(made.apr),
        ]
        rows.append(ui.Row(cells + (_beside(now, made, kind, term, currency) if now is not None else [])))
    return ui.DataTable(KINDS[kind], columns, rows, ui.Empty(_("No amount is offered to them")))


def _beside(now: Any, made: calculator.Quote, kind: str, term: int, currency: str) -> list[Any]:
    """The same loan by the version in force; empty where that one does not offer it."""
    try:
        today = calculator.quote(version=now, amount_minor=made.amount_minor, term=term, customer_kind=kind, on=made.on)
    except (calculator.AmountNotOffered, calculator.TermNotOffered):
        return [_("not offered"), "", ""]
    more = made.cost_minor - today.cost_minor
    words = formats.money(abs(more), currency)
    change: Any = (
        ui.Tag(f"+{words}", "warn", "up") if more > 0 else ui.Tag(f"−{words}", "good", "down") if more else "="
    )
    return [ui.Money(today.cost_minor, currency), formats.percent(today.apr), change]
