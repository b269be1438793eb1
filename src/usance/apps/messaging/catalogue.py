"""Every message that we can send: what it is for, its version, and its words in each language.

A template's purpose is part of it, so that no caller can pass a reminder off as an answer to the customer. Whoever
changes the words raises the version: a sent message says which words it had.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.utils import translation

from usance.apps.institutions import formats
from usance.apps.messaging.models import EMAIL, PUSH
from usance.apps.messaging.texts import Text, en, uk, vi

if TYPE_CHECKING:
    from usance.apps.institutions.models import Institution

CODE, SERVICE, REMINDER, COLLECTION, MARKETING = "code", "service", "reminder", "collection", "marketing"
PURPOSES = (CODE, SERVICE, REMINDER, COLLECTION, MARKETING)
# contacts that the customer did not ask for: the law of contact is about these
OWN_INITIATIVE = frozenset({REMINDER, COLLECTION, MARKETING})
MAY_OPT_OUT = frozenset({REMINDER, MARKETING})
LANGUAGES: dict[str, ModuleType] = {"en": en, "uk": uk, "vi": vi}


@dataclass(frozen=True, slots=True)
class Template:
    code: str
    purpose: str
    version: int = 1


TEMPLATES = {
    template.code: template
    for template in (
        Template("code_sign_in", CODE),
        Template("code_signing", CODE),
        Template("code_contact", CODE),
        Template("code_part", CODE),
        Template("application_received", SERVICE),
        Template("application_declined", SERVICE),
        Template("application_approved", SERVICE),
        Template("application_asked", SERVICE),
        Template("money_sent", SERVICE),
        Template("payout_failed", SERVICE),
        Template("part_not_paid_out", SERVICE),
        Template("payment_received", SERVICE),
        Template("payment_failed", SERVICE),
        Template("card_debit_announced", COLLECTION),
        Template("due_in_3_days", REMINDER),
        Template("due_tomorrow", REMINDER),
        Template("due_today", REMINDER),
        Template("past_due", COLLECTION),
        Template("past_due_serious", COLLECTION),
        Template("extension_made", SERVICE),
        Template("extension_not_made", SERVICE),
        Template("extension_undone", SERVICE),
        Template("charge_added", SERVICE),
        Template("debt_reduced", SERVICE),
        Template("dates_changed", SERVICE),
        Template("date_moved", SERVICE),
        Template("rate_changed", SERVICE),
        Template("interest_paused", SERVICE),
        Template("penalties_paused", SERVICE),
        Template("penalties_resumed", SERVICE),
        Template("contract_ended", SERVICE),
        Template("loan_corrected", SERVICE),
        Template("stepped_back", SERVICE),
        Template("payment_too_much", SERVICE),
        Template("payment_taken_back", SERVICE),
        Template("refund_sent", SERVICE),
        Template("refund_refused", SERVICE),
        Template("loan_closed", SERVICE),
        Template("loan_sold", SERVICE),
        Template("sale_undone", SERVICE),
        Template("payment_for_buyer", SERVICE),
        Template("payment_before_sale", SERVICE),
        Template("bill_ready", REMINDER),
        Template("phone_changed", SERVICE, version=2),
        Template("phone_counts", SERVICE),
        Template("email_changed", SERVICE),
        Template("card_changed", SERVICE, version=2),
        Template("offer", MARKETING),
    )
}


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    body: str


class _Words(string.Formatter):
    """`{x:money}` is an amount in minor units of the institution's currency, `{x:date}` a date, `{x:moment}` a date
    with its time of day where the institution is; all in the active language."""

    def __init__(self, institution: Institution) -> None:
        self.institution = institution

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "money":
            return formats.money(int(value), self.institution.currency, self.institution.currency_digits)
        if format_spec == "date":
            assert isinstance(value, date)
            return formats.day(value, "medium")
        if format_spec == "moment":
            assert isinstance(value, datetime)
            return formats.moment(value.astimezone(ZoneInfo(self.institution.time_zone)))
        assert not format_spec
        return str(value)


def words(template: str, language: str) -> Text:
    """The text of a template in a language; KeyError when there is none (a test walks over all)."""
    text: Text = LANGUAGES[language].TEXTS[template]
    return text


def placeholders(text: Text) -> set[str]:
    """The names of the context that the text wants, those of the lender left out."""
    found = {name for part in text for _, name, _, _ in string.Formatter().parse(part) if name}
    return found - {"lender", "support_phone", "support_email"}


def render(
    *, template: str, channel: str, language: str, context: Mapping[str, Any], institution: Institution
) -> Rendered:
    """The finished subject and text. Raises KeyError for a context that lacks something: a defect."""
    text, write = words(template, language), _Words(institution).format
    lender = {
        "lender": institution.name,
        "support_phone": institution.support_phone,
        "support_email": institution.support_email,
    }
    with translation.override(language):
        if channel == PUSH:
            return Rendered(institution.name, LANGUAGES[language].PUSH[TEMPLATES[template].purpose])
        if channel != EMAIL:
            return Rendered("", write(text.sms, **lender, **context))
        signature: str = LANGUAGES[language].SIGNATURE
        body = write(f"{text.body or text.sms}\n\n-- \n{signature}", **lender, **context)
        return Rendered(write(text.subject, **lender, **context), body)
