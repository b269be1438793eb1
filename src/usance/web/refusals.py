"""Every refusal in words for a person: one sentence that says what is the matter and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.utils.translation import gettext_lazy as _

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
    "job_run_again_already": _("This job was run again already. Look at the list of jobs for how it went."),
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
