"""Codes that only the desk sees, in words: facts of decisions, sources, messages, reasons of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from usance.web import words

FACTS: Mapping[str, Any] = {
    "product_kind": _("Kind of product"),
    "customer_kind": _("First or returning customer"),
    "amount_minor": _("Amount asked for"),
    "amount_min_minor": _("Smallest loan"),
    "amount_step_minor": _("Step of amounts"),
    "amount_of_max_percent": _("Amount, in % of the largest loan"),
    "term_days": _("Days of the loan"),
    "instalment_minor": _("Heaviest month's payments"),
    "purpose": _("Purpose"),
    "age_years": _("Age in years"),
    "age_minimum_years": _("Lowest age by law"),
    "income_minor": _("Income a month"),
    "expenses_minor": _("Expenses a month"),
    "other_debt_minor": _("Payments on other loans a month"),
    "instalment_share_percent": _("Payments, in % of the income"),
    "employment": _("Employment"),
    "employment_months": _("Months in present work"),
    "housing": _("Housing"),
    "dependants": _("Dependants"),
    "loan_count": _("Loans with us"),
    "closed_count": _("Repaid loans with us"),
    "open_count": _("Open loans with us"),
    "repaid_on_time_count": _("Loans repaid on time"),
    "max_days_past_due": _("Most days past due ever"),
    "past_due_now": _("Past due now"),
    "written_off_count": _("Loans written off"),
    "declined_30_days_count": _("Declines in 30 days"),
    "duplicate_identity_count": _("Others with the same identity number"),
    "duplicate_phone_count": _("Others with the same phone"),
    "duplicate_name_birth_count": _("Others with the same name and birth date"),
    "duplicate_email_count": _("Others with the same e-mail address"),
    "blacklist_count": _("Entries on the list of those we do not serve"),
    "has_card": _("Has a card"),
    "card_others_count": _("Others with the same card"),
    "checking_status": _("Current account"),
    "credit_history": _("Earlier loans elsewhere"),
    "savings": _("Savings"),
    "employment_since": _("Work since"),
    "disposable_share_band": _("Payments by free income, band"),
    "other_debtors": _("Others who owe or guarantee"),
    "property": _("Property"),
    "other_plans": _("Other instalment plans"),
    "existing_credits": _("Loans at this bank"),
    "job": _("Kind of work"),
}
# tables of the first rules; others show the name that their author gave them
RULE_TABLE: Mapping[str, Any] = {
    "Declines at once": _("Declines at once"),
    "Needs a person": _("Needs a person"),
    "Points": _("Points"),
    "Weigh": _("Weighed together"),
    "Verdict": _("Verdict"),
}
RULE_ROW: Mapping[str, Any] = {
    "instalment_light": _("Payments are a small part of the income"),
    "repaid_on_time": _("Repaid on time before"),
    "employed_long": _("Long in present work"),
    "housing_own": _("Own home"),
    "account_good": _("Money on the current account"),
    "credit_paid": _("Earlier loans repaid as agreed"),
    "savings_good": _("Good savings"),
    "property_real": _("Owns real estate"),
    "guarantor": _("Has a guarantor"),
    "short_term": _("Short term"),
    "score": _("Points together"),
    "knockout_count": _("Reasons to decline at once"),
    "doubt_count": _("Doubts"),
    "against": _("What speaks against it"),
    "share": _("Payments, in % of the income"),
}
OUTCOME: Mapping[str, tuple[Any, Any]] = {
    "approve": (_("Rules: approve"), "good"),
    "decline": (_("Rules: decline"), "bad"),
    "refer": (_("Rules: a person decides"), "info"),
}
VERDICT: Mapping[str, tuple[Any, Any]] = {
    "approve": (_("Approved by a person"), "good"),
    "decline": (_("Declined by a person"), "bad"),
    "ask": (_("Asked the applicant"), "warn"),
}
OFFER: Mapping[str, tuple[Any, Any]] = {
    "open": (pgettext_lazy("state", "Open"), "brand"),
    "accepted": (_("Accepted"), "good"),
    "expired": (_("Expired"), "neutral"),
    "replaced": (_("Replaced"), "neutral"),
    "withdrawn": (_("Withdrawn"), "neutral"),
}
# what happened to an application, by the state that it came to
CAME_TO: Mapping[str, Any] = {
    "draft": _("Begun"),
    "submitted": _("Sent"),
    "referred": _("Left to a person"),
    "asked": _("Applicant asked"),
    "approved": _("Approved, offer made"),
    "signed": _("Signed"),
    "funding": _("Money sent on its way"),
    "funded": _("Paid out"),
    "declined": _("Declined"),
    "expired": _("Expired"),
    "withdrawn": _("Withdrawn"),
}
PASSED: Mapping[tuple[str, str], Any] = {
    ("asked", "referred"): _("The applicant answered"),
    ("funding", "signed"): _("The money did not arrive"),
    ("funded", "signed"): _("The payout was taken back"),
}
SOURCE: Mapping[str, Any] = {
    "applicant": _("Said by the applicant"),
    "customer": _("Known from before"),
    "staff": _("Entered by staff"),
    "document": _("From a document"),
    "bureau": _("From a credit bureau"),
    "provider": _("From a provider"),
    "import": _("Imported"),
}
KIND: Mapping[str, Any] = {"first": _("First loan"), "returning": _("Returning")}
CHANNEL: Mapping[str, Any] = {
    "web": _("Website"),
    "staff": _("At the desk"),
    "api": _("Partner"),
    "simulation": _("Simulation"),
}
SAME: Mapping[str, Any] = {
    "identity_number": _("same identity number"),
    "phone": _("same phone"),
    "name_birth": _("same name and date of birth"),
    "email": _("same e-mail address"),
}
KNOWN_BY: Mapping[str, Any] = {
    "phone": _("phone"),
    "email": _("e-mail address"),
    "identity_number": _("identity number"),
    "name_birth": _("name and date of birth"),
    "card": _("card"),
}
BLOCK_REASON: Mapping[str, Any] = {
    "fraud": _("Fraud, or attempted fraud"),
    "stolen_identity": _("Documents or identity used by somebody else"),
    "own_wish": _("The customer's own wish"),
    "abuse": _("Threats or abuse of staff"),
    "court": _("Order of a court or authority"),
    "other": _("Another reason"),
}
PROTECTION: Mapping[str, Any] = {
    "deceased": _("Deceased"),
    "insolvent": _("Insolvent"),
    "in_service": _("In military service"),
    "identity_theft": _("Victim of identity theft"),
}
UNBLOCK_REASON: Mapping[str, Any] = {
    "mistake": _("It was a mistake"),
    "settled": _("The matter is settled"),
    "own_wish": _("The customer's own wish"),
    "court": _("Order of a court or authority"),
}
ERASE_REASON: Mapping[str, Any] = {
    "own_wish": _("The customer asked for it"),
    "retention_over": _("The time for which we must keep it is over"),
    "court": _("Order of a court or authority"),
}
WITHDRAW_REASON: Mapping[str, Any] = {
    "by_phone": _("The customer said so on the phone"),
    "in_writing": _("The customer wrote so"),
    "in_person": _("The customer said so in person"),
}
ACT: Mapping[str, Any] = {
    "customer.added": _("Became known"),
    "customer.facts_stated": _("Facts stated"),
    "customer.identity_number_set": _("Identity number set"),
    "customer.contact_added": _("Contact added"),
    "customer.contact_verified": _("Contact confirmed"),
    "customer.contact_ended": _("Contact ended"),
    "customer.change_waits": _("Phone number or card waits"),
    "customer.change_stopped": _("Phone number or card stopped"),
    "customer.change_reported": _("“This was not me” said of a change"),
    "customer.change_reviewed": _("Reported change looked into"),
    "customer.phone_changed": _("Phone number changed"),
    "customer.moved": _("Moved to another unit"),
    "customer.blocked": _("No longer served"),
    "customer.protected": _("Protected status recorded"),
    "customer.protection_ended": _("Protected status ended"),
    "customer.protection_withdrawn": _("Protected status was a mistake"),
    "customer.unblocked": _("Served again"),
    "customer.erased": _("Data erased"),
    "consent.given": _("Consent given"),
    "consent.withdrawn": _("Consent withdrawn"),
    "messages.opted_out": _("Messages no longer wanted"),
    "messages.opted_in": _("Messages wanted again"),
    "customer.device_added": _("Signed in on a new device"),
    "customer.device_removed": _("Device forgotten"),
}
MESSAGE: Mapping[str, Any] = {
    "code_sign_in": _("Code to sign in"),
    "code_signing": _("Code to sign an agreement"),
    "code_contact": _("Code to confirm a contact"),
    "code_part": _("Code to ask for a further part"),
    "application_received": _("Application received"),
    "application_declined": _("Application declined"),
    "application_approved": _("Application approved"),
    "application_asked": _("Question about the application"),
    "money_sent": _("Money sent"),
    "payout_failed": _("Money could not be sent"),
    "part_not_paid_out": _("Further part not paid out"),
    "payment_received": _("Payment received"),
    "payment_failed": _("Payment failed"),
    "card_debit_announced": _("Card debit announced"),
    "due_in_3_days": _("Due in three days"),
    "due_tomorrow": _("Due tomorrow"),
    "due_today": _("Due today"),
    "past_due": _("Past due"),
    "past_due_serious": _("Long past due"),
    "extension_made": _("Due date moved"),
    "charge_added": _("Charge added"),
    "debt_reduced": _("Debt reduced"),
    "dates_changed": _("Payments changed"),
    "date_moved": _("Due date moved, price due"),
    "rate_changed": _("Interest rate changed"),
    "interest_paused": _("Interest paused"),
    "penalties_paused": _("Penalties paused"),
    "penalties_resumed": _("Penalties count again"),
    "contract_ended": _("Contract ended"),
    "loan_corrected": _("Loan corrected"),
    "stepped_back": _("Stepped back from a loan"),
    "extension_not_made": _("Due date not moved"),
    "extension_undone": _("Due date as before again"),
    "payment_too_much": _("More paid than owed"),
    "payment_taken_back": _("Payment taken back by the bank"),
    "refund_sent": _("Money sent back"),
    "refund_refused": _("Money could not be sent back"),
    "loan_closed": _("Loan closed"),
    "loan_sold": _("Loan sold"),
    "sale_undone": _("Sale undone"),
    "payment_for_buyer": _("Payment sent on to the buyer"),
    "payment_before_sale": _("Payment from before the sale"),
    "bill_ready": _("Bill ready"),
    "phone_changed": _("Phone number changes"),
    "phone_counts": _("Phone number changed"),
    "email_changed": _("E-mail address changed"),
    "card_changed": _("Card linked, money waits"),
    "offer": _("Offer"),
}
MESSAGE_PURPOSE: Mapping[str, Any] = {
    "code": _("One-time code"),
    "service": _("Service"),
    "reminder": _("Reminder"),
    "collection": _("Collection"),
    "marketing": _("Marketing"),
}
MESSAGE_CHANNEL: Mapping[str, Any] = {"sms": _("SMS"), "email": _("E-mail"), "push": _("Notification")}
MESSAGE_REASON: Mapping[str, Any] = {
    "no_person": _("nobody to write to"),
    "opted_out": _("the customer does not want it"),
    "protected": _("the law protects the customer"),
    "no_consent": _("no consent"),
    "no_contact_rule": _("no rule of the country allows it"),
    "never_open": _("no permitted hours"),
    "too_late": _("it would no longer be true"),
    "daily_count_reached": _("enough contacts that day"),
    "unreachable": _("the address cannot be reached"),
    "expired": _("the network gave up"),
    "our_balance": _("no money on our account at the provider"),
    "configuration": _("our settings at the provider are wrong"),
    "no_answer": _("the provider did not answer"),
    "unreadable": _("the provider's answer could not be read"),
    "busy": _("the provider is busy"),
    "other": _("another reason"),
}


def word(table: Mapping[str, Any], code: str) -> Any:
    """The words of a code; the code itself where there are none, so that nothing is hidden."""
    return table.get(code, code)


def actor(kind: str) -> Any:
    """Who acted, where it was no colleague."""
    return _("a visitor") if kind == "public" else words.ACTOR.get(kind, kind)
