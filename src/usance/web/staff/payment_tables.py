"""Instructions and receipts as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.servicing import selectors as loans
from usance.web import components as ui
from usance.web import words

HOW: Mapping[str, Any] = {
    "bank": gettext_lazy("Bank account"),
    "cash": gettext_lazy("Counter"),
    "other": gettext_lazy("Another way"),
}
LOAN = "servicing.loan"

NOTHING_FITS = ui.Empty(
    gettext_lazy("No payment fits"),
    gettext_lazy("Look with less: only the amount, or only the last four digits of the card."),
    icon="card",
)
# what an empty view means: mostly that all is well
EMPTY = {
    "": ui.Empty(
        gettext_lazy("No payments yet"), gettext_lazy("The first payout or card payment appears here."), icon="card"
    ),
    "unknown": ui.Empty(
        gettext_lazy("Every order has its answer"),
        gettext_lazy("An order whose answer was lost waits here, and is asked about until it is known."),
        icon="check",
    ),
    "mismatch": ui.Empty(
        gettext_lazy("No amount disagrees"),
        gettext_lazy("Where a provider names another amount than we ordered, a person settles it here."),
        icon="check",
    ),
    "open": ui.Empty(
        gettext_lazy("Nothing is under way"),
        gettext_lazy("Orders wait here for their answer."),
        icon="check",
    ),
    "failed": ui.Empty(
        gettext_lazy("No order was refused"),
        gettext_lazy("Refused payouts and debits stand here with the reason."),
        icon="check",
    ),
    "returned": ui.Empty(
        gettext_lazy("No payment was taken back"),
        gettext_lazy("What a bank takes back after the fact stands here."),
        icon="check",
    ),
}


def numbers_of(ids: Iterable[Any]) -> Mapping[Any, str]:
    """Numbers of loans by id, in one query."""
    return loans.numbers_of(ids)


def instruction_table(
    rows: list[Any],
    *,
    with_loan: bool = True,
    page: Any = None,
    query: Mapping[str, Any] | None = None,
    empty: ui.Empty | None = None,
) -> ui.DataTable:
    """Orders to payment rails."""
    numbers = numbers_of(row.subject_id for row in rows if row.subject_type == LOAN) if with_loan else {}
    columns = [
        ui.Column("given", _("Given")),
        ui.Column("kind", _("Kind")),
        *([ui.Column("loan", _("Loan"))] if with_loan else []),
        ui.Column("amount", _("Amount"), numeric=True),
        ui.Column("card", _("Card")),
        ui.Column("state", _("State")),
        ui.Column("reason", _("Note")),
    ]
    shown = [
        ui.Row(
            [
                row.given_at,
                words.INSTRUCTION_KIND[row.kind],
                *([numbers.get(row.subject_id, "")] if with_loan else []),
                ui.Money(row.amount_minor, row.currency),
                str(row.card) if row.card else "",
                words.tag(words.INSTRUCTION_STATE, row.state),
                note_of(row),
            ],
            href=reverse("staff:instruction", args=[row.pk]),
        )
        for row in rows
    ]
    empty = empty or ui.Empty(
        _("No payments of this loan yet"), _("Payouts and card payments appear here."), icon="card"
    )
    return ui.DataTable(_("Payments and payouts"), columns, shown, empty, page=page, query=query or {})


def note_of(row: Any) -> Any:
    """What is special about an instruction, in a few words."""
    if row.returned_minor:
        return _("taken back by the bank")
    if row.state == "failed":
        return words.REASON.get(row.reason, row.reason)
    if row.state == "mismatch":
        return _("the provider names another amount")
    return ""


def receipt_table(
    rows: list[Any], *, with_loan: bool = True, page: Any = None, query: Mapping[str, Any] | None = None
) -> ui.DataTable:
    """Money that came outside the rails."""
    numbers = numbers_of(row.loan_id for row in rows) if with_loan else {}
    columns = [
        ui.Column("value_on", _("Value date")),
        *([ui.Column("loan", _("Loan"))] if with_loan else []),
        ui.Column("how", _("Came")),
        ui.Column("reference", _("Reference")),
        ui.Column("amount", _("Amount"), numeric=True),
        ui.Column("state", _("State")),
    ]
    shown = [
        ui.Row(
            [
                row.value_on,
                *([numbers.get(row.loan_id, "")] if with_loan else []),
                HOW[row.how],
                row.reference,
                ui.Money(row.amount_minor, row.currency),
                ui.Tag(_("Undone"), "warn") if row.undone_at else ui.Tag(_("Booked"), "good"),
            ],
            href=f"{reverse('staff:loan', args=[row.loan_id])}?tab=money" if with_loan else "",
        )
        for row in rows
    ]
    empty = ui.Empty(
        _("No money was booked by hand"), _("Book it on the loan's page: Book a payment received."), icon="money"
    )
    return ui.DataTable(_("Received outside the card pages"), columns, shown, empty, page=page, query=query or {})
