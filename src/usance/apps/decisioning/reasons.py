"""Why, in words: what an applicant may be told, always true, and what staff read. A code whose telling would help a
fraudster has no words for the applicant; then the general sentence is told, which is true as well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Reason(NamedTuple):
    """`told`: to the applicant, None for internal codes; `staff`: in the desk's list of reasons."""

    told: Text | None
    staff: Text


GENERAL: Text = _("We could not confirm everything that this decision depends on.")
MOST_TOLD = 4

REASONS: dict[str, Reason] = {
    # the law and our limits
    "age_below_minimum": Reason(_("You are younger than the age at which we may lend."), _("Below the minimum age")),
    "age_unknown": Reason(_("We do not know your date of birth."), _("Date of birth unknown")),
    "limit_below_minimum": Reason(
        _("The amount that fits your income is smaller than our smallest loan."), _("Affordable amount below minimum")
    ),
    # what can be afforded
    "instalment_above_income": Reason(
        _("The payments would take too large a part of your income."), _("Payments above half of the income")
    ),
    "instalment_heavy": Reason(
        _("The payments would take a large part of your income."), _("Payments above a third of the income")
    ),
    "income_unknown": Reason(_("We do not know your income."), _("Income unknown")),
    "unemployed": Reason(_("You have no regular work at present."), _("Without work")),
    "employed_short": Reason(
        _("You have had your present work for a short time only."), _("Short time in present work")
    ),
    "unskilled_job": Reason(_("Your kind of work has an irregular income."), _("Kind of work with irregular income")),
    "protected": Reason(
        _("Something that is recorded about you keeps us from lending to you for now. Call us: we explain it to you."),
        _("A protected status stops new loans"),
    ),
    # own history
    "past_due_now": Reason(_("A payment of your present loan with us is late."), _("Past due now")),
    "too_many_open": Reason(_("You have open loans with us. Repay one of them first."), _("Too many open loans")),
    "long_past_due_before": Reason(
        _("Payments of an earlier loan with us were late by three months or more."),
        _("90 or more days past due before"),
    ),
    "late_before": Reason(
        _("Payments of an earlier loan with us were late by more than a month."), _("31 to 89 days past due before")
    ),
    "written_off_before": Reason(_("An earlier loan with us was not repaid."), _("Earlier loan written off")),
    "declined_often": Reason(
        _("You were declined several times in the last 30 days. Wait a month before you ask again."),
        _("Three or more declines in 30 days"),
    ),
    # what a bank knows of its customer
    "account_overdrawn": Reason(_("Your account was overdrawn."), _("Checking account overdrawn")),
    "account_low": Reason(_("There was little money on your account."), _("Checking account nearly empty")),
    "credit_delayed": Reason(_("Earlier loans elsewhere were repaid late."), _("Delays in the credit history")),
    "credit_critical": Reason(
        _("There are other loans elsewhere, or earlier ones were not repaid as agreed."), _("Critical credit history")
    ),
    "savings_low": Reason(_("You have little or no savings."), _("Low savings")),
    "property_none": Reason(_("You stated no property."), _("No property stated")),
    "other_plans": Reason(_("You are paying other instalment plans."), _("Other instalment plans")),
    "long_term": Reason(_("You asked for a long term."), _("Long term")),
    "large_amount": Reason(_("You asked for a large amount."), _("Large amount")),
    "score_low": Reason(
        _("Taken together, what you told us speaks against a loan of this size at present."), _("Score below the limit")
    ),
    "score_between": Reason(None, _("Score between approval and decline")),
    # not told in words: they would help a fraudster, or speak of somebody else
    "blacklisted": Reason(None, _("On the list of those we do not serve")),
    "duplicate_identity": Reason(None, _("Identity number known under another customer")),
    "duplicate_contact": Reason(None, _("Phone or e-mail known under another customer")),
    "duplicate_name_birth": Reason(None, _("Same name and date of birth as another customer")),
    "card_of_others": Reason(None, _("Card linked by several other customers")),
    "card_of_another": Reason(None, _("Card linked by another customer")),
    "rules_failed": Reason(None, _("The rules could not be computed")),
    # said by people
    "documents_unclear": Reason(_("What you sent could not be read or checked."), _("Documents unclear")),
    "income_not_shown": Reason(_("Your income could not be confirmed."), _("Income not confirmed")),
    "identity_not_shown": Reason(_("Your identity could not be confirmed."), _("Identity not confirmed")),
    "suspected_fraud": Reason(None, _("Suspected fraud")),
    "affordability_shown": Reason(None, _("Affordability shown by further facts")),
    "history_good": Reason(None, _("Good history with us")),
    "identity_shown": Reason(None, _("Identity confirmed")),
}
# what a reviewer may choose from
FOR_DECLINE = (
    "instalment_above_income",
    "income_not_shown",
    "identity_not_shown",
    "documents_unclear",
    "protected",
    "long_past_due_before",
    "suspected_fraud",
    "score_low",
)
FOR_ASK = ("income_not_shown", "identity_not_shown", "documents_unclear")
FOR_APPROVE = ("affordability_shown", "history_good", "identity_shown")


def text(code: str) -> str | None:
    """The sentence that may be told, in the active language; None for an internal code."""
    reason = REASONS.get(code)
    return str(reason.told) if reason is not None and reason.told is not None else None


def to_tell(codes: Iterable[str]) -> list[str]:
    """At least one true sentence for the applicant, the weightiest first, each once."""
    found = dict.fromkeys(sentence for code in codes if (sentence := text(code)) is not None)
    return list(found)[:MOST_TOLD] or [str(GENERAL)]


def staff_text(code: str) -> str:
    """What staff read; the code itself where rules use one that has no words yet."""
    reason = REASONS.get(code)
    return str(reason.staff) if reason is not None else code
