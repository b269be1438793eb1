"""Every refusal in words for a person: one sentence that says what is the matter and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from usance.apps.access import permissions
from usance.apps.institutions import formats, tenancy
from usance.core.calendar import ONE_DAY
from usance.core.refusals import Refusal
from usance.web import law
from usance.web.templatetags.formats import days, moment_l

Words = str | Promise
# code -> sentence, with the refusal's fields as %(name)s (see `_Fields`), or a function of the refusal
SENTENCES: dict[str, Words | Callable[[Refusal], Words]] = {
    "key_reused_with_other_inputs": _(
        "This form was already sent with other answers. Open the page again and start anew."
    ),
    "push_address_not_taken": _(
        "We cannot send notifications to this browser. Until you allow them elsewhere, we remind you by SMS and e-mail."
    ),
    "card_not_usable": _("This card can no longer be used. Choose another card, or link it again."),
    "card_waits": lambda refusal: (
        _("Money can go to this card from %(moment)s. Choose the card that you had before, or wait until then.")
        % {"moment": moment_l(refusal.payout_from)}  # type: ignore[attr-defined]
    ),
    "phone_is_yours": _("This is your number already."),
    "phone_change_waits": lambda refusal: (
        _("Another number waits already until %(moment)s. Stop that change first.")
        % {"moment": moment_l(refusal.counts_from)}  # type: ignore[attr-defined]
    ),
    "phone_not_yet_yours": lambda refusal: (
        _("This number signs you in from %(moment)s. Until then sign in with the number that you had before.")
        % {"moment": moment_l(refusal.counts_from)}  # type: ignore[attr-defined]
    ),
    "change_over": _("This was looked into already. Nothing was done twice."),
    "instruction_under_way": _("The payment is already on its way. Wait for its outcome; this page shows it."),
    "card_not_there": _(
        "There is no card that may be debited: none is linked, there is no mandate, or a payment is on its way."
    ),
    "receipt_known": lambda refusal: (
        _("A receipt with the reference %(reference)s was booked before, for %(day)s. The same money counts once.")
        % {"reference": refusal.reference, "day": formats.day(refusal.value_on)}  # type: ignore[attr-defined]
    ),
    "refund_too_large": _("That is more than is left to send back."),
    "not_reconcilable": _("This payment was settled already."),
    "document_not_ready": _("The paper is still being written. Wait a moment and open this page again."),
    "document_changed": _("The paper has changed since you opened it. Read the new one, then ask for a new code."),
    "no_such_loan": _("There is no such loan."),
    "value_date_in_the_future": _(
        "%(value_on)s is still to come: the business date is %(business_date)s. Give that day or an earlier one."
    ),
    "source_used_otherwise": _("This was booked before, with other figures. Look at the loan's timeline first."),
    "period_locked": _("The books of %(booked_on)s are locked. Have the period opened first."),
    "period_not_over": _("Only days before %(business_date)s, the business date, can be locked."),
    "period_locked_already": lambda refusal: (
        _("Some of the days from %(starts_on)s to %(ends_on)s are locked already.") % _period(refusal)
    ),
    "period_not_locked": _("This period is open already."),
    "no_account_for_role": _("No account is set for “%(role)s”. Set one in the posting rules, then try again."),
    "account_plays_another_role": _("This account carries “%(role)s” already. Choose an account of its own."),
    "close_problem_solved_already": _("This loan has been through a close since. Nothing is left to do."),
    "close_problem_remains": _("The loan could not be closed this time either: %(reason)s"),
    "days_to_advance_not_allowed": _("Choose from 1 to 366 days."),
    "day_ended_already": _("That day has been ended already. Nothing was done twice."),
    "no_open_offer": _("There is no offer to sign any more. Your account shows what became of it."),
    "no_card_for_payout": _("Link a card first: the money is sent to it."),
    "payout_under_way": _("The money is already on its way. Wait for its outcome; this page shows it."),
    "nothing_to_fund": _("This application is not waiting for its money."),
    "nothing_to_pay": _("Nothing is owed on this loan."),
    "no_card_to_send_to": _(
        "This money did not come from a card, so it cannot go back to one by itself. Please call us."
    ),
    "payment_under_way": _("A payment for this loan is on its way. Wait for its outcome before you start another."),
    "sign_in_refused": _("The e-mail address or the password is wrong. Check both and try again."),
    "too_many_attempts": ngettext_lazy(
        "There were too many tries. Wait %(minutes)s minute and try again.",
        "There were too many tries. Wait %(minutes)s minutes and try again.",
        "minutes",
    ),
    "code_refused": _("This code is wrong, too old, or was used before. Enter the code that the app shows now."),
    "passkey_refused": _("This passkey is not known here, or its answer was not right. Try again, or use another way."),
    "passkey_expired": _("That took too long or was answered before. Try again."),
    "passkey_suspended": _(
        "This passkey answered as a copy would, so it no longer opens anything. Use another way, then remove it and "
        "add a new one."
    ),
    "passkey_known": _("This passkey is registered already."),
    "last_factor": _("This is your only way to the second step. Add another one first."),
    "password_too_short": _("This password is too short: take at least %(least)s signs."),
    "password_too_common": _("This password is easy to guess. Take a few words that only you would put together."),
    "invitation_expired": _("This link was used or is too old. Ask an administrator for a new one."),
    "email_taken": _("Someone with this e-mail address is in the list already."),
    "unknown_role": _("There is no role %(role)s."),
    "unknown_permission": _("There is no permission %(permission)s."),
    "unknown_unit": _("There is no unit %(path)s."),
    "roles_may_not_meet": lambda refusal: (
        _("One person may never both “%(first)s” and “%(second)s”: one is the check of the other.")
        % {name: permissions.PERMISSIONS[code] for name, code in refusal.details().items()}
    ),
    "own_rights": _("Nobody changes their own rights. Ask another administrator."),
    "last_administrator": _("Two people must be left who can confirm rights. Give that role to someone else first."),
    "case_taken": _("A colleague has taken this case."),
    "case_not_yours": _("Take the case before you decide it."),
    "case_finished": _("This case is finished."),
    "case_out_of_reach": _("This case belongs to a branch or team that these roles do not reach."),
    "already_proposed": _("Such a change is proposed already and waits for a second person."),
    "own_proposal": _("You proposed this change, so someone else must decide it."),
    "not_your_proposal": _("Only the person who proposed this change can withdraw it."),
    "may_not_decide": _("Your roles do not allow you to decide this change."),
    "already_decided": _("This change was decided in the meantime. Nothing was done twice."),
    "approval_expired": _("This proposal has run out. It must be proposed anew."),
    "job_run_again_already": _("This job was run again already. Look at the list of jobs for how it went."),
    "person_erased": _("What identified this customer was erased on request and cannot be shown or added to any more."),
    "phone_not_valid": lambda refusal: str(PHONE_WHY[refusal.why]),  # type: ignore[attr-defined]
    "email_not_valid": _("This is not an e-mail address. Write it like name@example.com."),
    "phone_of_someone_else": _("This phone number belongs to another customer. Sign in with it, or use another one."),
    "phone_in_use": _(
        "A customer with this number signed in not long ago, or has something under way here. Call us: a person looks."
    ),
    "birth_date_first": _("Tell us who you are first: nothing is kept before we know your date of birth."),
    "application_changed": _("Something was changed since you opened this page. Look at it again, then send it."),
    "birth_date_not_possible": _("Nobody was born on that day. Check the year."),
    "identity_of_somebody_else": _(
        "The customer of this phone number has another identity number. Every customer needs a phone number of their "
        "own. Is ours wrong? Call us."
    ),
    "too_many_card_links": _("Many cards were tried today. Go on with a card that is linked, or try again tomorrow."),
    "card_in_use": _("Money is on its way by this card. Remove it when that is done."),
    "card_of_somebody_else": _("Another customer uses this card. Choose a card of your own."),
    "nothing_left_to_send": _("After the fee nothing would be left to send. Enter a larger amount."),
    "no_further_part": _(
        "We cannot pay out more to you at present. What you owe stays as it is. Call us if you want to know more."
    ),
    "part_asked_already": _(
        "Another part of this loan waits for an answer already. You can ask for the next one when it has been answered."
    ),
    "customer_is_blocked": _(
        "This customer is on the list of those we do not serve. Decline, or have them taken off the list first."
    ),
    "customer_is_protected": _(
        "A status that the law protects stops new loans to this customer. See the customer's page; decline, or wait "
        "until it has ended."
    ),
    "no_longer_served": _("We cannot lend to you at present. Nothing is owed. Call us if you want to know more."),
    "identity_number_not_valid": lambda refusal: str(IDENTITY_WHY[refusal.why]),  # type: ignore[attr-defined]
    "consent_missing": _("This needs a consent that was not given, or was taken back. Give it first."),
    "consent_text_outdated": _("The text has changed since you opened the page. Read the new one and agree again."),
    "code_too_soon": ngettext_lazy(
        "A code was just sent. You can ask for another in %(seconds)s second.",
        "A code was just sent. You can ask for another in %(seconds)s seconds.",
        "seconds",
    ),
    "too_many_codes": ngettext_lazy(
        "Too many codes were asked for. Wait %(minutes)s minute and try again.",
        "Too many codes were asked for. Wait %(minutes)s minutes and try again.",
        "minutes",
    ),
    "code_wrong": ngettext_lazy(
        "This code is wrong. Look at the newest message; %(left)s try is left.",
        "This code is wrong. Look at the newest message; %(left)s tries are left.",
        "left",
    ),
    "code_expired": _("This code is too old or was used before. Ask for a new one."),
    "code_used_up": _("There were too many wrong tries with this code. Ask for a new one."),
    "code_for_something_else": _("This code was sent for something else. Ask for a new one."),
    "second_fact_wrong": ngettext_lazy(
        "That is not what we know of you. %(left)s try is left today.",
        "That is not what we know of you. %(left)s tries are left today.",
        "left",
    ),
    "second_fact_locked": _("There were too many wrong answers. Try again tomorrow, or call us."),
    "no_verified_phone": _("There is no confirmed phone number to send the code to. Confirm one first."),
    "loan_already_approved": _("This loan is approved already."),
    "loan_not_approved": _("This needs an approved loan whose money has not been sent yet."),
    "loan_not_yet_approved": _("This loan is not approved yet, so nothing can be booked on it."),
    "loan_not_running": _("This is possible only while money is owed on the loan."),
    "loan_not_written_off": _("This loan was not written off, so there is nothing to recover. Book a payment instead."),
    "loan_already_sold": _("This loan is sold already. Undo that sale first."),
    "more_than_buyer_owes": _("The buyer owes %(owed)s; no more than that can be booked as paid."),
    "more_than_the_buyers": _("Only %(kept)s came for the buyer and is still here; no more than that can be sent on."),
    "before_take_over": _(
        "The loan was taken over on %(taken_over_on)s; what happened before was said then. "
        "Give that day or a later one."
    ),
    "standing_does_not_add_up": _("Its unpaid instalments ask for more than its balances say is owed."),
    "standing_not_possible": _(
        "An old instalment was paid beyond what it asked for, or is not dated between the money and the take-over."
    ),
    "no_such_import": _("There is no such import."),
    "import_not_ready": _("This import has moved on. Open its page again."),
    "import_without_files": _("Choose the files first."),
    "import_nothing_to_take": _("These files bring nothing new; nothing comes in twice."),
    "correction_outdated": _("The terms were corrected in the meantime. Look at them again, then propose anew."),
    "nothing_corrected": _("Nothing was changed: type over what is wrong."),
    "amount_not_correctable": _("The amount is what was sent. If that was wrong, undo the payout instead."),
    "terms_contradicted": _(
        "Under these terms something that happened on %(effective_on)s would not have been possible. Undo it first."
    ),
    "amount_not_positive": _("The amount must be more than zero."),
    "amount_differs_from_terms": _("The agreement says %(agreed)s, not %(amount)s."),
    "drawing_is_over": _(
        "No further part can be paid out: the time agreed for it is over, there were enough parts, or the loan is "
        "ending."
    ),
    "more_than_agreed": _("The agreement leaves %(left)s to be paid out, not %(amount)s."),
    "dates_are_fixed": _("Interest is the same in each instalment here, so their dates stay as agreed."),
    "no_cooling_off": _("The agreement gives no days to step back from this loan."),
    "cooling_off_over": _("The days to step back from this loan are over."),
    "dates_not_possible": _("These dates do not fit together, or would change nothing. Look at the schedule again."),
    "already_charged_off": _("This loan is taken for lost already."),
    "already_on_non_accrual": _("This loan was put on non-accrual already."),
    "not_on_non_accrual": _("This loan is not on non-accrual."),
    "too_late_to_accrue": lambda refusal: (
        _("This loan is %(late)s past due: by the agreement it stays on non-accrual from %(agreed)s on.")
        % {"late": days(refusal.days_past_due), "agreed": days(refusal.after_days)}  # type: ignore[attr-defined]
    ),
    "credit_not_known": _("There is no such kind of credit."),
    "fee_not_agreed": _("The agreement names no such fee, so it cannot be charged."),
    "rate_below_zero": _("A rate cannot be below zero."),
    "extension_not_offered": _("This loan cannot be extended: the agreement does not offer it."),
    "extension_days_not_allowed": lambda refusal: (
        _("Choose one of these extensions, in days: %(days)s.")
        % {"days": ", ".join(str(days) for days in refusal.allowed)}  # type: ignore[attr-defined]
    ),
    "extension_limit_reached": ngettext_lazy(
        "This loan can be extended %(max_count)s time, and was.",
        "This loan can be extended %(max_count)s times, and was.",
        "max_count",
    ),
    "more_than_owed": _("Only %(owed)s is owed there; no more than that can be forgiven."),
    "more_than_unapplied": lambda refusal: (
        _("Only %(there)s is kept for the borrower; no more than that can be sent back.")
        % {"there": _money(refusal.unapplied_minor)}  # type: ignore[attr-defined]
    ),
    "nothing_to_earn_over": _("This loan has no days left over which it could be earned."),
    "more_added_than_agreed": _("The agreement leaves %(left)s to be added to the debt, not %(amount)s."),
    "more_than_deferred": _("Only %(left)s is left of it; no more than that can be taken back."),
    "more_than_paid": _("Only %(left)s is left of this payment; no more than that can be taken back."),
    "penalty_already_paused": _("Penalties are paused already."),
    "penalty_not_paused": _("Penalties are not paused."),
    "event_already_recorded": _("This was recorded before. Nothing was done twice."),
    "nothing_to_undo": _("There is nothing to undo: it was undone before, or cannot be undone in this way."),
    "product_not_offered": _("This loan is not offered at present. Look at the others."),
    "amount_not_offered": _("Choose an amount from %(min)s to %(max)s in steps of %(step)s."),
    "term_not_offered": lambda refusal: str(TERM_NOT_OFFERED[refusal.unit]) % refusal.details(),  # type: ignore[attr-defined]
    "terms_refused": _("These terms cannot be: %(field)s is %(value)s, but must be %(why)s."),
    "product_config_not_valid": lambda refusal: (
        _("The configuration cannot be used. %(problems)s")
        % {"problems": " ".join(f"{p.path}: {p.why}." for p in refusal.problems)}  # type: ignore[attr-defined]
    ),
    "product_version_not_draft": _("Version %(number)s is not a draft any more. Make a new version."),
    "product_version_starts_too_early": _("A version starts on %(earliest)s at the earliest."),
    "product_version_starts_that_day": _("Version %(number)s starts on the same day. Choose another day."),
    "product_kind_differs": _("This configuration is for another kind of loan than the product."),
    "rule_node_not_allowed": _("Rules may hold tables, expressions and switches only. “%(node)s” is something else."),
    "rule_expression_invalid": _("An expression in “%(node)s” cannot be read: %(expression)s"),
    "rule_graph_invalid": _("These rules do not answer as they must: %(why)s"),
    "rule_version_not_draft": _("Version %(number)s of the rules is not a draft any more. Make a new version."),
    "rules_start_too_early": _("Rules start on %(earliest)s at the earliest."),
    "no_rules_in_force": _("No rules are published that could decide on this application."),
    "application_state_does_not_allow": _("This is no longer possible: the application has moved on. Open it again."),
    "application_open": _("You have an application under way already (%(reference)s). Finish or withdraw it first."),
    "application_incomplete": _("Some questions are still open. Answer them, then send the application."),
    "product_changed": _("The prices have changed since you saw them. Look at the new figures, then send it again."),
    "offer_not_open": _("This offer is no longer open. Your account shows what became of it."),
    "offer_expired": lambda refusal: (
        _("This offer could be accepted until %(day)s. Ask for a new loan; what you told us is kept.")
        % {"day": formats.day(refusal.expires_on)}  # type: ignore[attr-defined]
    ),
    "protected_already": _("This status is recorded already. End it before you record another one."),
    "protection_over": _("This status has ended already."),
    "person_protected": _("The law protects this customer for now: this is stopped. See the customer's page."),
    "customer_blocked_already": _("This customer is on the list of those we do not serve already."),
    "customer_not_blocked": _("This customer is not on the list of those we do not serve."),
    "customer_still_needed": lambda refusal: str(STILL_NEEDED[refusal.what]),  # type: ignore[attr-defined]
    "own_case": _("You entered this application yourself, so a colleague must decide it."),
    "review_reason_missing": _("Choose at least one reason."),
    "amount_above_asked": _("Offer at most what was asked for: %(asked)s."),
}

# why a customer cannot be erased yet
STILL_NEEDED: dict[str, Words] = {
    "loan": _("A loan of this customer is not closed. It must be paid or cancelled before the data can be erased."),
    "application": _("An application of this customer is under way. It must end before the data can be erased."),
    "payment": _("A payment of this customer is on its way. Its outcome must be known before the data can be erased."),
}
# why a phone or identity number is not taken
PHONE_WHY: dict[str, Words] = {
    "format": _("This is not a phone number. Check that no digit is missing."),
    "foreign": _("This is a number of another country. Give a mobile number of the country we lend in."),
    "not_mobile": _("No SMS can go to this number. Give a mobile number."),
}
IDENTITY_WHY: dict[str, Words] = {
    "format": _("The identity number does not have the right count of digits. Copy it from the document."),
    "check_digit": _("A digit of the identity number is wrong. Copy it again from the document."),
    "province": _("The first three digits of the identity number are not a province. Copy it again from the document."),
    "birth_date": _("The identity number does not fit the date of birth. Check both."),
    "sex": _("The identity number does not fit the sex that was given. Check both."),
}

TERM_NOT_OFFERED: dict[str, Words] = {
    "days": _("Choose a term from %(min)s to %(max)s days."),
    "weeks": _("Choose from %(min)s to %(max)s weeks."),
    "half_months": _("Choose from %(min)s to %(max)s half-monthly payments."),
    "months": _("Choose from %(min)s to %(max)s months."),
}


def _money(minor: int) -> str:
    institution = tenancy.current()
    return formats.money(minor, institution.currency, institution.currency_digits)


def _price_over_cap(refusal: Any) -> str:
    """The rule and the figure, so that whoever set the price can mend it."""
    moved = refusal.extensions
    moves = ngettext("its due date moved %(count)s time", "its due date moved %(count)s times", moved) % {
        "count": moved
    }
    facts = {
        "rule": law.name(refusal.rule),
        "country": law.country(refusal.country),
        "measure": law.MEASURES[refusal.measure],
        "limit": formats.percent(Fraction(refusal.limit), 4),
        "figure": formats.percent(Fraction(refusal.figure), 4) if refusal.figure else _("without any bound"),
        "loan": ", ".join([_money(refusal.amount_minor), days(refusal.days), *([moves] if moved else [])]),
        "source": refusal.source,
    }
    return str(
        _(
            "Above the limit of %(country)s, “%(rule)s”: this comes to %(figure)s where at most %(limit)s is allowed "
            "(%(measure)s), for the loan that shows it most: %(loan)s. Source: %(source)s"
        )
        % facts
    )


SENTENCES["price_over_cap"] = _price_over_cap


class _Fields(dict[str, Any]):
    """The refusal's fields as people here write them: dates as days; `left_minor` as money under the name `left`,
    `earliest_on` under the name `earliest` too."""

    def __init__(self, refusal: Refusal) -> None:
        fields = refusal.details().items()
        super().__init__({name: formats.day(value) if isinstance(value, date) else value for name, value in fields})

    def __missing__(self, name: str) -> str:
        if f"{name}_minor" in self:
            return _money(self[f"{name}_minor"])
        if f"{name}_on" in self:
            return str(self[f"{name}_on"])
        raise KeyError(name)


def _period(refusal: Refusal) -> dict[str, Any]:
    """First and last day of a half-open period, as people here write them."""
    first, end = (refusal.details()[name] for name in ("starts_on", "ends_on"))
    return {"starts_on": formats.day(first), "ends_on": formats.day(end - ONE_DAY)}


def sentence(refusal: Refusal) -> str:
    """The sentence in the active language; a code without one is a defect that a test finds."""
    text = SENTENCES[refusal.code]
    return str(text(refusal) if callable(text) else text % _Fields(refusal))


def all_refusals(base: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Every refusal that the loaded modules define."""
    for kind in base.__subclasses__():
        if kind.code:
            yield kind
        yield from all_refusals(kind)
