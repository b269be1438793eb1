"""Codes of the product in words for people, the same on the borrower's site and on the desk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.core.loan.state import Line
from usance.web import components as ui
from usance.web.templatetags import formats

LOAN_STATUS: Mapping[str, tuple[Any, ui.Tone]] = {
    "new": (gettext_lazy("New"), "neutral"),
    "approved": (gettext_lazy("Waiting for its money"), "info"),
    "active": (gettext_lazy("Running"), "brand"),
    "past_due": (gettext_lazy("Past due"), "bad"),
    "closed": (gettext_lazy("Paid in full"), "good"),
    "written_off": (gettext_lazy("Written off"), "neutral"),
    "cancelled": (gettext_lazy("Cancelled"), "neutral"),
}
APPLICATION_STATE: Mapping[str, tuple[Any, ui.Tone]] = {
    "draft": (gettext_lazy("Not sent yet"), "neutral"),
    "submitted": (gettext_lazy("Being decided"), "info"),
    "deciding": (gettext_lazy("Being decided"), "info"),
    "referred": (gettext_lazy("With a person"), "info"),
    "asked": (gettext_lazy("Waiting for the applicant"), "warn"),
    "approved": (gettext_lazy("Offer open"), "brand"),
    "signed": (gettext_lazy("Signed"), "info"),
    "funding": (gettext_lazy("Money on its way"), "info"),
    "funded": (gettext_lazy("Paid out"), "good"),
    "declined": (gettext_lazy("Declined"), "neutral"),
    "expired": (gettext_lazy("Expired"), "neutral"),
    "withdrawn": (gettext_lazy("Withdrawn"), "neutral"),
}
INSTRUCTION_STATE: Mapping[str, tuple[Any, ui.Tone]] = {
    "created": (gettext_lazy("To be sent"), "neutral"),
    "sent": (gettext_lazy("Sent"), "info"),
    "unknown": (gettext_lazy("No answer yet"), "warn"),
    "pending": (gettext_lazy("Being processed"), "info"),
    "succeeded": (gettext_lazy("Done"), "good"),
    "failed": (gettext_lazy("Refused"), "bad"),
    "mismatch": (gettext_lazy("Amount disagrees"), "bad"),
    "cancelled": (gettext_lazy("Cancelled"), "neutral"),
}
INSTRUCTION_KIND: Mapping[str, Any] = {
    "card_link": gettext_lazy("Card linked"),
    "checkout": gettext_lazy("Payment by card page"),
    "debit": gettext_lazy("Card debit"),
    "payout": gettext_lazy("Payout to card"),
    "refund": gettext_lazy("Refund"),
}
COMPONENTS: Mapping[str, Any] = {
    "principal": gettext_lazy("Principal"),
    "interest": gettext_lazy("Interest"),
    "fee": gettext_lazy("Fees"),
    "penalty": gettext_lazy("Penalty"),
    "tax": gettext_lazy("Tax"),
    "unapplied": gettext_lazy("Paid in advance"),
}
HAPPENED: Mapping[str, tuple[Any, ui.Tone, str]] = {
    "approved": (gettext_lazy("Agreed"), "brand", "pen"),
    "disbursed": (gettext_lazy("Money sent"), "good", "arrow"),
    "disbursement_failed": (gettext_lazy("The money did not arrive"), "bad", "alert"),
    "cancelled": (gettext_lazy("Cancelled"), "neutral", "dot"),
    "payment_received": (gettext_lazy("Payment received"), "good", "check"),
    "payment_returned": (gettext_lazy("Payment taken back by the bank"), "bad", "alert"),
    "reversed": (gettext_lazy("Entry undone"), "warn", "alert"),
    "refunded": (gettext_lazy("Money sent back"), "info", "arrow"),
    "fee_added": (gettext_lazy("Fee added"), "neutral", "dot"),
    "waived": (gettext_lazy("Forgiven"), "good", "check"),
    "extended": (gettext_lazy("Due date moved"), "info", "clock"),
    "rate_changed": (gettext_lazy("Rate changed"), "info", "dot"),
    "penalty_paused": (gettext_lazy("Penalty paused"), "info", "dot"),
    "penalty_resumed": (gettext_lazy("Penalty goes on"), "neutral", "dot"),
    "written_off": (gettext_lazy("Written off"), "neutral", "dot"),
    "recovered": (gettext_lazy("Collected after write-off"), "good", "check"),
    "instalment_due": (gettext_lazy("Payment due"), "neutral", "dot"),
    "became_past_due": (gettext_lazy("Past due"), "bad", "alert"),
    "cured": (gettext_lazy("Up to date again"), "good", "check"),
    "matured": (gettext_lazy("Last due date"), "neutral", "dot"),
    "penalty_capped": (gettext_lazy("Penalty has reached its limit"), "info", "dot"),
    "cost_capped": (gettext_lazy("All costs have reached their limit"), "info", "dot"),
    "defaulted": (gettext_lazy("In default"), "bad", "alert"),
    "paid_off": (gettext_lazy("Paid in full"), "good", "check"),
    "reopened": (gettext_lazy("Owed again"), "bad", "alert"),
    "unapplied_left": (gettext_lazy("More was paid than owed"), "info", "dot"),
}


def tag(table: Mapping[str, tuple[Any, ui.Tone]], code: str) -> ui.Tag:
    """A status as a tag; an unknown code shows itself, so that nothing is hidden."""
    text, tone = table.get(code, (code, "neutral"))
    return ui.Tag(text, tone)


def balance_name(balance: str) -> Any:
    """ "fee:service" in words."""
    component, _colon, _name = balance.partition(":")
    return COMPONENTS.get(component, balance)


def timeline(lines: Iterable[Any], currency: str) -> list[ui.TimelineItem]:
    """A loan's timeline, newest first."""
    items = []
    for line in lines:
        title, tone, icon = HAPPENED.get(line.kind, (line.kind, "neutral", "dot"))
        amount = ui.Money(line.amount_minor, currency) if line.amount_minor else None
        body = _("undone later") if line.is_undone else ""
        items.append(ui.TimelineItem(title=title, when=line.on, amount=amount, tone=tone, icon=icon, body=body))
    return items


def explained(lines: Iterable[Line], currency: str) -> list[ui.Line]:
    """What makes up a balance, line by line, with its sum."""
    shown, total = [], 0
    for line in lines:
        total += line.amount_minor
        last_day = line.ends_on - timedelta(days=1)
        when = formats.date_l(line.starts_on, "medium")
        if last_day > line.starts_on:
            when = f"{when} – {formats.date_l(last_day, 'medium')}"
        shown.append(ui.Line(label=when, amount=ui.Money(line.amount_minor, currency), note=line.formula))
    shown.append(ui.Line(label=_("Together"), amount=ui.Money(total, currency), total=True))
    return shown


def schedule(rows: Iterable[Any], today: Any) -> list[ui.Instalment]:
    """A loan's schedule rows as the schedule table shows them."""
    shown = []
    for row in rows:
        principal, interest = row.amounts.get("principal", 0), row.amounts.get("interest", 0)
        total = sum(row.amounts.values())
        paid = row.billed and row.remaining_minor == 0
        late = not paid and row.due_on < today
        mark = ui.Tag(_("Paid"), "good") if paid else ui.Tag(_("Past due"), "bad") if late else None
        shown.append(
            ui.Instalment(
                number=row.number,
                due_on=row.due_on,
                total_minor=total,
                principal_minor=principal,
                interest_minor=interest,
                fees_minor=total - principal - interest,
                tag=mark,
                state="done" if paid else "now" if late else "",
            )
        )
    return shown
