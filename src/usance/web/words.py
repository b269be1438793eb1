"""Codes of the product in words for people, the same on the borrower's site and on the desk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.products.balances import COMPONENTS as COMPONENTS
from usance.apps.products.balances import FEES as FEES
from usance.apps.products.balances import balance_name as balance_name
from usance.apps.products.balances import full_balance_name as full_balance_name
from usance.web import components as ui

LOAN_STATUS: Mapping[str, tuple[Any, ui.Tone]] = {
    "new": (gettext_lazy("New"), "neutral"),
    "approved": (gettext_lazy("Waiting for its money"), "info"),
    "active": (gettext_lazy("Running"), "brand"),
    "past_due": (gettext_lazy("Past due"), "bad"),
    "closed": (gettext_lazy("Paid in full"), "good"),
    "written_off": (gettext_lazy("Written off"), "neutral"),
    "sold": (gettext_lazy("Sold"), "neutral"),
    "cancelled": (gettext_lazy("Cancelled"), "neutral"),
}
LOAN_CLASS: Mapping[str, tuple[Any, ui.Tone]] = {
    "standard": (gettext_lazy("Standard"), "good"),
    "special_mention": (gettext_lazy("Special mention"), "warn"),
    "substandard": (gettext_lazy("Substandard"), "bad"),
    "doubtful": (gettext_lazy("Doubtful"), "bad"),
    "loss": (gettext_lazy("Loss"), "bad"),
    "sma_0": (gettext_lazy("Special mention 0"), "warn"),
    "sma_1": (gettext_lazy("Special mention 1"), "warn"),
    "sma_2": (gettext_lazy("Special mention 2"), "bad"),
    "npa": (gettext_lazy("Non-performing"), "bad"),
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
MOVEMENT: Mapping[str, Any] = {
    "disbursed": gettext_lazy("Paid out"),
    "taken_over": gettext_lazy("Taken over from another system"),
    "fee_withheld": gettext_lazy("Fee kept back"),
    "tax_withheld": gettext_lazy("Tax kept back"),
    "interest_accrued": gettext_lazy("Interest of a day"),
    "fee_charged": gettext_lazy("Fee charged"),
    "fee_capitalised": gettext_lazy("Fee added to the principal"),
    "penalty_charged": gettext_lazy("Penalty charged"),
    "tax_charged": gettext_lazy("Tax charged"),
    "tax_capitalised": gettext_lazy("Tax added to the principal"),
    "fee_returned": gettext_lazy("Fee given back"),
    "tax_returned": gettext_lazy("Tax on a fee given back"),
    "payment_received": gettext_lazy("Payment received"),
    "allocated": gettext_lazy("Payment used for it"),
    "refunded": gettext_lazy("Sent back"),
    "charged_back": gettext_lazy("Taken back by the bank"),
    "credit_received": gettext_lazy("Credited by who was paid"),
    "credit_given": gettext_lazy("Credited by us"),
    "waived": gettext_lazy("Forgiven"),
    "remainder_forgiven": gettext_lazy("Small remainder forgiven"),
    "written_off": gettext_lazy("Written off"),
    "sold": gettext_lazy("Sold"),
    "buyer_paid": gettext_lazy("Paid by the buyer"),
    "forwarded": gettext_lazy("Sent on to the buyer"),
    "recovered": gettext_lazy("Collected after write-off"),
    "charged_off": gettext_lazy("No longer counted as ours"),
    "interest_suspended": gettext_lazy("Interest not taken as income"),
    "fee_suspended": gettext_lazy("Fee not taken as income"),
    "penalty_suspended": gettext_lazy("Penalty not taken as income"),
    "income_deferred": gettext_lazy("Income to be earned over the term"),
    "income_capitalised": gettext_lazy("Charge added to the principal"),
    "income_returned": gettext_lazy("Charge taken back"),
    "income_earned": gettext_lazy("Income earned of a day"),
    "loss_recovered": gettext_lazy("Collected from what was taken for lost"),
}
# balances and events that are between us and others, not the borrower's affair
NOT_THE_BORROWERS = frozenset(
    {"charged_off", "suspended", "deferred", "from_buyer", "to_buyer", "buyer_paid"}
    | {"put_on_non_accrual", "restored_to_accrual", "non_accrual_began", "non_accrual_ended"}
)
OWED_BY: Mapping[str, Any] = {  # who owes income that is earned over the term
    "borrower": gettext_lazy("the borrower: it is added to the debt"),
    "third_party": gettext_lazy("a third party, for a lower rate: the debt stays as it is"),
}
OF_INCOME: Mapping[str, Any] = {  # the same, beside an entry
    "borrower": gettext_lazy("part of the debt"),
    "third_party": gettext_lazy("paid by a third party, for a lower rate"),
}
MESSAGE_STATE: Mapping[str, tuple[Any, ui.Tone]] = {
    "held": (gettext_lazy("Waits for contact hours"), "info"),
    "queued": (gettext_lazy("To be sent"), "neutral"),
    "sending": (gettext_lazy("Being sent"), "info"),
    "refused": (gettext_lazy("Not allowed"), "warn"),
    "sent": (gettext_lazy("Sent"), "info"),
    "delivered": (gettext_lazy("Delivered"), "good"),
    "failed": (gettext_lazy("Not delivered"), "bad"),
    "unknown": (gettext_lazy("No answer yet"), "warn"),
}
LOOKED: Mapping[str, Any] = {
    "loan.summary": gettext_lazy("summary"),
    "loan.schedule": gettext_lazy("schedule"),
    "loan.timeline": gettext_lazy("timeline"),
    "loan.books": gettext_lazy("ledger"),
    "loan.movements": gettext_lazy("movements"),
    "loan.messages": gettext_lazy("messages"),
    "loan.documents": gettext_lazy("papers"),
    "loan.money": gettext_lazy("payments"),
    "loan.parties": gettext_lazy("parties"),
    "loan.looked": gettext_lazy("who looked"),
    "document.agreement": gettext_lazy("the agreement's file"),
    "document.debt_free_letter": gettext_lazy("the debt-free letter's file"),
    "document.bill": gettext_lazy("a bill's file"),
    "message.text": gettext_lazy("words of a message"),
}
DOCUMENT: Mapping[str, Any] = {
    "agreement": gettext_lazy("Loan agreement"),
    "debt_free_letter": gettext_lazy("Debt-free letter"),
    "bill": gettext_lazy("Bill"),
}
DOCUMENT_STATE: Mapping[str, tuple[Any, ui.Tone]] = {
    "ordered": (gettext_lazy("Being written"), "neutral"),
    "ready": (gettext_lazy("Ready"), "info"),
    "sealed": (gettext_lazy("Sealed"), "good"),
    "void": (gettext_lazy("Taken back"), "bad"),
}
PARTY_ROLE: Mapping[str, Any] = {
    "borrower": gettext_lazy("Borrower"),
    "co_borrower": gettext_lazy("Co-borrower"),
    "guarantor": gettext_lazy("Guarantor"),
}
ACTOR: Mapping[str, Any] = {
    "staff": gettext_lazy("a colleague"),
    "borrower": gettext_lazy("the customer"),
    "system": gettext_lazy("by itself"),
    "provider": gettext_lazy("the payment provider"),
}
REASON: Mapping[str, Any] = {
    "insufficient_funds": gettext_lazy("not enough money on the card"),
    "limit": gettext_lazy("above a limit of the card"),
    "card_expired": gettext_lazy("the card has expired"),
    "card_invalid": gettext_lazy("wrong card details"),
    "card_blocked": gettext_lazy("the bank has blocked the card"),
    "token_dead": gettext_lazy("the saved card can no longer be charged"),
    "not_authenticated": gettext_lazy("the bank's check of the holder failed"),
    "not_owner": gettext_lazy("the card is not provably the customer's own"),
    "issuer_declined": gettext_lazy("the bank said no without a reason"),
    "fraud": gettext_lazy("the bank suspects fraud"),
    "payer_left": gettext_lazy("the payer left the page"),
    "our_balance": gettext_lazy("our account at the provider does not cover it"),
    "configuration": gettext_lazy("our settings at the provider are wrong"),
    "technical": gettext_lazy("a technical failure; no money moved"),
    "never_arrived": gettext_lazy("the order never reached the provider"),
    "other": gettext_lazy("another reason"),
}
HAPPENED: Mapping[str, tuple[Any, ui.Tone, str]] = {
    "approved": (gettext_lazy("Agreed"), "brand", "check"),
    "disbursed": (gettext_lazy("Money sent"), "good", "arrow"),
    "taken_over": (gettext_lazy("Taken over from another system"), "brand", "arrow"),
    "disbursement_failed": (gettext_lazy("The money did not arrive"), "bad", "alert"),
    "cancelled": (gettext_lazy("Cancelled"), "neutral", "dot"),
    "payment_received": (gettext_lazy("Payment received"), "good", "check"),
    "payment_expected": (gettext_lazy("Payment expected"), "neutral", "clock"),
    "payment_returned": (gettext_lazy("Payment taken back by the bank"), "bad", "alert"),
    "reversed": (gettext_lazy("Entry undone"), "warn", "alert"),
    "refunded": (gettext_lazy("Money sent back"), "info", "arrow"),
    "fee_added": (gettext_lazy("Fee added"), "neutral", "dot"),
    "charged": (gettext_lazy("Charge added"), "neutral", "dot"),
    "charged_back": (gettext_lazy("Payment disputed: owed again"), "bad", "alert"),
    "credited": (gettext_lazy("Debt reduced by a credit"), "good", "check"),
    "income_deferred": (gettext_lazy("Charge for the whole term"), "neutral", "dot"),
    "income_taken_back": (gettext_lazy("Charge taken back"), "good", "check"),
    "waived": (gettext_lazy("Forgiven"), "good", "check"),
    "extended": (gettext_lazy("Due date moved"), "info", "clock"),
    "withdrawn": (gettext_lazy("Stepped back from the loan"), "info", "arrow"),
    "rate_changed": (gettext_lazy("Rate changed"), "info", "dot"),
    "terms_corrected": (gettext_lazy("Terms corrected"), "warn", "dot"),
    "penalty_paused": (gettext_lazy("Penalty paused"), "info", "dot"),
    "penalty_resumed": (gettext_lazy("Penalty goes on"), "neutral", "dot"),
    "interest_paused": (gettext_lazy("Days without interest"), "info", "dot"),
    "rescheduled": (gettext_lazy("Due dates changed"), "info", "clock"),
    "respread": (gettext_lazy("Debt spread anew"), "info", "clock"),
    "terminated": (gettext_lazy("Contract ended: all is due"), "bad", "alert"),
    "charged_off": (gettext_lazy("Taken for lost"), "bad", "alert"),
    "written_off": (gettext_lazy("Written off"), "neutral", "dot"),
    "put_on_non_accrual": (gettext_lazy("On non-accrual by decision"), "warn", "alert"),
    "restored_to_accrual": (gettext_lazy("Off non-accrual by decision"), "info", "check"),
    "sold": (gettext_lazy("Debt sold"), "info", "arrow"),
    "buyer_paid": (gettext_lazy("Paid by the buyer"), "good", "check"),
    "forwarded": (gettext_lazy("Sent on to the buyer"), "info", "arrow"),
    "recovered": (gettext_lazy("Collected after write-off"), "good", "check"),
    "instalment_due": (gettext_lazy("Payment due"), "neutral", "dot"),
    "became_past_due": (gettext_lazy("Past due"), "bad", "alert"),
    "cured": (gettext_lazy("Up to date again"), "good", "check"),
    "matured": (gettext_lazy("Last due date"), "neutral", "dot"),
    "penalty_capped": (gettext_lazy("Penalty has reached its limit"), "info", "dot"),
    "cost_capped": (gettext_lazy("All costs have reached their limit"), "info", "dot"),
    "defaulted": (gettext_lazy("In default"), "bad", "alert"),
    "non_accrual_began": (gettext_lazy("Interest is income only when it is paid"), "warn", "alert"),
    "non_accrual_ended": (gettext_lazy("Interest is income as it accrues again"), "info", "check"),
    "paid_off": (gettext_lazy("Paid in full"), "good", "check"),
    "reopened": (gettext_lazy("Owed again"), "bad", "alert"),
    "unapplied_left": (gettext_lazy("More was paid than owed"), "info", "dot"),
}


def tag(table: Mapping[str, tuple[Any, ui.Tone]], code: str) -> ui.Tag:
    """A status as a tag; an unknown code shows itself, so that nothing is hidden."""
    text, tone = table.get(code, (code, "neutral"))
    return ui.Tag(text, tone)


def timeline(lines: Iterable[Any], currency: str) -> list[ui.TimelineItem]:
    """A loan's timeline, newest first."""
    items = []
    for line in lines:
        title, tone, icon = HAPPENED.get(line.kind, (line.kind, "neutral", "dot"))
        amount = ui.Money(line.amount_minor, currency) if line.amount_minor else None
        body = _("undone later") if line.is_undone else _what_of(line.details)
        items.append(ui.TimelineItem(title=title, when=line.on, amount=amount, tone=tone, icon=icon, body=body))
    return items


def _what_of(details: Mapping[str, Any]) -> Any:
    """Which balance an event was about, or by whom the income is owed; nothing where neither is a question."""
    balance = details.get("balance")
    return balance_name(balance) if balance else OF_INCOME.get(details.get("owed_by") or "", "")


def schedule(view: Any) -> list[ui.Instalment]:
    """A loan's schedule rows as the schedule table shows them. What left with the debt was not paid."""
    shown, left = [], view.state.status in ("written_off", "sold")
    for row in view.schedule:
        principal, interest = row.amounts.get("principal", 0), row.amounts.get("interest", 0)
        total = sum(row.amounts.values())
        paid = row.billed and row.remaining_minor == 0
        late = not paid and row.due_on < view.on
        mark = ui.Tag(_("Paid"), "good") if paid else ui.Tag(_("Past due"), "bad") if late else None
        if left and row.relieved_minor:
            mark = tag(LOAN_STATUS, view.state.status)
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
