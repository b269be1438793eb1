"""Every refusal in words for a person: one sentence that says what is the matter and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from usance.apps.access import permissions
from usance.core.refusals import Refusal

# code -> sentence, with the refusal's fields as %(name)s, or a function of the refusal
SENTENCES: dict[str, str | Callable[[Refusal], str]] = {
    "key_reused_with_other_inputs": _(
        "This form was already sent with other answers. Open the page again and start anew."
    ),
    "card_not_usable": _("This card can no longer be used. Choose another card, or link it again."),
    "instruction_under_way": _("The payment is already on its way. Wait for its outcome; this page shows it."),
    "refund_too_large": _("That is more than is left to send back."),
    "not_reconcilable": _("This payment was settled already."),
    "document_not_ready": _("The paper is still being written. Wait a moment and open this page again."),
    "document_changed": _("The paper has changed since you opened it. Read the new one, then ask for a new code."),
    "no_open_offer": _("There is no offer to sign any more. Your account shows what became of it."),
    "no_card_for_payout": _("Link a card first: the money is sent to it."),
    "payout_under_way": _("The money is already on its way. Wait for its outcome; this page shows it."),
    "nothing_to_fund": _("This application is not waiting for its money."),
    "nothing_to_pay": _("Nothing is owed on this loan."),
    "payment_under_way": _("A payment for this loan is on its way. Wait for its outcome before you start another."),
    "sign_in_refused": _("The e-mail address or the password is wrong. Check both and try again."),
    "too_many_attempts": lambda refusal: ngettext(
        "There were too many tries. Wait %(minutes)s minute and try again.",
        "There were too many tries. Wait %(minutes)s minutes and try again.",
        refusal.minutes,  # type: ignore[attr-defined]
    )
    % refusal.details(),
    "code_refused": _("This code is wrong, too old, or was used before. Enter the code that the app shows now."),
    "password_too_short": _("This password is too short: take at least %(least)s signs."),
    "password_too_common": _("This password is easy to guess. Take a few words that only you would put together."),
    "invitation_expired": _("This link was used or is too old. Ask an administrator for a new one."),
    "email_taken": _("Someone with this e-mail address is in the list already."),
    "unknown_role": _("There is no role %(role)s."),
    "unknown_permission": _("There is no permission %(permission)s."),
    "unknown_unit": _("There is no unit %(path)s."),
    "roles_may_not_meet": lambda refusal: _("One person may never both “%(first)s” and “%(second)s”: one is the check of the other.")
    % {name: permissions.PERMISSIONS[code] for name, code in refusal.details().items()},
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
    "identity_number_not_valid": lambda refusal: str(IDENTITY_WHY[refusal.why]),  # type: ignore[attr-defined]
    "consent_missing": _("This needs a consent that was not given, or was taken back. Give it first."),
    "consent_text_outdated": _("The text has changed since you opened the page. Read the new one and agree again."),
    "code_too_soon": lambda refusal: ngettext(
        "A code was just sent. You can ask for another in %(seconds)s second.",
        "A code was just sent. You can ask for another in %(seconds)s seconds.",
        refusal.seconds,  # type: ignore[attr-defined]
    )
    % refusal.details(),
    "too_many_codes": lambda refusal: ngettext(
        "Too many codes were asked for. Wait %(minutes)s minute and try again.",
        "Too many codes were asked for. Wait %(minutes)s minutes and try again.",
        refusal.minutes,  # type: ignore[attr-defined]
    )
    % refusal.details(),
    "code_wrong": lambda refusal: ngettext(
        "This code is wrong. Check the message; %(left)s try is left.",
        "This code is wrong. Check the message; %(left)s tries are left.",
        refusal.left,  # type: ignore[attr-defined]
    )
    % refusal.details(),
    "code_expired": _("This code is too old or was used before. Ask for a new one."),
    "code_used_up": _("There were too many wrong tries with this code. Ask for a new one."),
    "code_for_something_else": _("This code was sent for something else. Ask for a new one."),
    "second_fact_wrong": lambda refusal: ngettext(
        "That is not what we know of you. %(left)s try is left today.",
        "That is not what we know of you. %(left)s tries are left today.",
        refusal.left,  # type: ignore[attr-defined]
    )
    % refusal.details(),
    "second_fact_locked": _("There were too many wrong answers. Try again tomorrow, or call us."),
    "no_verified_phone": _("There is no confirmed phone number to send the code to. Confirm one first."),
}

# why a phone or identity number is not taken
PHONE_WHY = {
    "format": _("This is not a phone number. Check that no digit is missing."),
    "foreign": _("This is a number of another country. Give a mobile number of the country we lend in."),
    "not_mobile": _("No SMS can go to this number. Give a mobile number."),
}
IDENTITY_WHY = {
    "format": _("The identity number does not have the right count of digits. Copy it from the document."),
    "check_digit": _("A digit of the identity number is wrong. Copy it again from the document."),
    "province": _("The first three digits of the identity number are not a province. Copy it again from the document."),
    "birth_date": _("The identity number does not fit the date of birth. Check both."),
    "sex": _("The identity number does not fit the sex that was given. Check both."),
}


def sentence(refusal: Refusal) -> str:
    """The sentence in the active language; a code without one is a defect that a test finds."""
    text = SENTENCES[refusal.code]
    return text(refusal) if callable(text) else str(text) % refusal.details()


def all_refusals(base: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Every refusal that the loaded modules define."""
    for kind in base.__subclasses__():
        if kind.code:
            yield kind
        yield from all_refusals(kind)
