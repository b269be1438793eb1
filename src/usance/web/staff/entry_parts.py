"""What an entry of the books was made of: its movements by kind, the proof that they add up, and the list of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from usance.apps.servicing import selectors as servicing
from usance.web import components as ui
from usance.web import pages, words
from usance.web.staff.links import link
from usance.web.staff.request import StaffRequest


def of(request: StaffRequest, entry: Any, transfers: Sequence[Any], within: Q) -> dict[str, Any]:
    """What the page of an entry shows of its making; `within`: the movements that the reader may see."""
    parts = servicing.parts_of_entry(entry_id=entry.pk, within=within)
    asked = request.GET.get("part", "")
    part = next((one for one in parts if one.code == asked), None)
    found = servicing.movements_of_entry(entry_id=entry.pk, within=within, part=part.code if part else "")
    booked, made = (sum(one.amount_minor for one in rows) for rows in (transfers, parts))
    return {
        "parts": _parts(request, parts, asked if part else ""),
        "movements": _movements(request, pages.of(request, found), asked if part else ""),
        "has_movements": bool(entry.details_digest),
        "missing": booked - made,
        "made": made,
        "currency": request.institution.currency,
        "narrowed_to": f"{words.MOVEMENT.get(part.kind, part.kind)} · {words.full_balance_name(part.balance)}"
        if part
        else "",
    }


def _parts(request: StaffRequest, parts: Sequence[servicing.Part], asked: str) -> ui.DataTable:
    currency = request.institution.currency
    columns = [
        ui.Column("what", _("Movement")),
        ui.Column("balance", _("Balance")),
        ui.Column("effect", _("Effect")),
        ui.Column("loans", _("Loans"), numeric=True),
        ui.Column("count", _("Movements"), numeric=True),
        ui.Column("amount", _("Amount"), numeric=True),
    ]
    rows = [
        ui.Row(
            [
                words.MOVEMENT.get(one.kind, one.kind),
                words.full_balance_name(one.balance),
                _("lowers the balance") if one.lowers else _("raises the balance"),
                one.loan_count,
                one.movement_count,
                ui.Money(one.amount_minor, currency),
            ],
            href="?" if one.code == asked else f"?part={one.code.replace('+', '%2B')}#movements",
        )
        for one in parts
    ]
    together = ui.Money(sum(one.amount_minor for one in parts), currency)
    totals = [_("Together"), "", "", "", sum(one.movement_count for one in parts), together] if parts else ()
    empty = ui.Empty(_("No movement of a loan in reach"))
    return ui.DataTable(_("Sums by kind of movement"), columns, rows, empty, totals=totals)


def _movements(request: StaffRequest, page: Any, part: str) -> ui.DataTable:
    currency = request.institution.currency
    columns = [
        ui.Column("loan", _("Loan")),
        ui.Column("what", _("Movement")),
        ui.Column("balance", _("Balance")),
        ui.Column("effective", _("Effective")),
        ui.Column("amount", _("Amount"), numeric=True),
    ]
    shown = list(page.object_list)
    rows = [
        ui.Row(
            [
                one.loan.number,
                words.MOVEMENT.get(one.kind, one.kind),
                _balance(one),
                one.effective_on,
                ui.Money(one.amount_minor, currency),
            ],
            href=link(request, "loan.view", "staff:loan", one.loan_id),
        )
        for one in shown
    ]
    totals = [_("This page"), "", "", "", ui.Money(sum(one.amount_minor for one in shown), currency)] if shown else ()
    empty = ui.Empty(_("No movement of a loan in reach"))
    query = {"part": part}
    return ui.DataTable(_("Movements of loans"), columns, rows, empty, page=page, query=query, totals=totals)


def _balance(movement: Any) -> Any:
    kind = movement.fee_kind or movement.tax_kind
    return words.full_balance_name(f"{movement.component}:{kind}" if kind else movement.component)
