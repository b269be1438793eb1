"""A further part of a loan that is drawn in parts: chosen, shown with its exact effect, confirmed by a code to the
borrower's phone; then a colleague answers, and until then it can be taken back.

Between the pages the request travels in the address, signed, as a payment does: each tab has its own, and its key asks
once. If the loan or the day has changed since its effect was shown, the new figures are shown first.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.customers.refusals import CodeTooSoon
from usance.apps.payments import selectors as payments
from usance.apps.payments.refusals import CardNotUsable, CardWaits
from usance.apps.servicing import drawn, selectors
from usance.core.loan import quote, refused
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms, kept, permits, refusals, visitors
from usance.web.borrower import changes, identity
from usance.web.borrower.loans import mine
from usance.web.borrower.paying import SeenForm
from usance.web.borrower.sign import CodeForm
from usance.web.templatetags import formats
from usance.workflows import ask_part, served

CODE, SALT = "part_code", "borrower.part"
# beside which field a refusal stands; any other one above the form
PLACES: dict[type[Refusal], str] = {
    refused.MoreThanAgreed: "amount",
    refused.NothingLeftToSend: "amount",
    CardNotUsable: "card",
    CardWaits: "card",
    served.CardOfSomebodyElse: "card",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody is about to ask for."""

    loan: str
    amount_minor: int
    card: str
    key: str

    def address(self, page: str) -> str:
        signed = signing.dumps(asdict(self), salt=SALT)
        return f"{reverse(page, args=[self.loan])}?{urlencode({'part': signed})}"

    @property
    def what(self) -> dict[str, Any]:
        """As the workflow takes it."""
        told = {"amount_minor": self.amount_minor, "card_id": UUID(self.card), "key": self.key}
        return {"loan_id": UUID(self.loan), **told, "at": clock.now()}


def _asked_of(request: HttpRequest, loan: selectors.Loan) -> Asked | None:
    """The request in the address, if we wrote it for this loan."""
    try:
        asked = Asked(**signing.loads(request.GET.get("part", ""), salt=SALT))
    except (signing.BadSignature, TypeError):
        return None
    return asked if asked.loan == str(loan.pk) else None


def _mark(request: HttpRequest, loan: selectors.Loan) -> str:
    """What the loan looks like now; another mark means that the figures shown may not hold any more."""
    return f"{loan.last_event_seq}:{request.institution.business_date}"  # type: ignore[attr-defined]


# --- choosing ----------------------------------------------------------------------------------------------------


class PartForm(forms.Form):
    """How much more, and to which card."""

    amount = forms.MoneyField(label=gettext_lazy("How much more do you need?"), min_minor=1)
    card = forms.CardChoiceField(label=gettext_lazy("Where should the money go?"))

    def __init__(self, *args: Any, loan: Any, drawing: drawn.Drawing, cards: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        amount: Any = self.fields["amount"]
        amount.set_currency(loan.currency)
        amount.max_minor = drawing.left_minor
        told = {"left": formats.money(drawing.left_minor, loan.currency), "day": formats.date_l(drawing.until)}
        amount.help_text = _("Up to %(left)s, until %(day)s.") % told
        card = forms.cards(self, "card")
        card.choices = [(str(one.pk), str(one)) for one in cards]
        card.initial = str(cards[0].pk) if cards else ""
        card.error_messages["invalid_choice"] = refusals.sentence(CardNotUsable())


@permits.borrower
def part(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """Chooses an amount and a card; the next page shows what it does."""
    loan, status = mine(request, loan_id), 200
    try:
        ask_part.require_askable(loan_id=loan.pk)
    except Refusal as refusal:
        return _back_to_loan(request, loan, refusal)
    drawing, moment = drawn.drawing(loan.pk), changes.moment(request)
    assert drawing is not None  # or there would be nothing to ask for
    cards = payments.payable_cards(loan.party_id, moment)
    form = PartForm(request.POST or None, loan=loan, drawing=drawing, cards=cards)
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            asked = Asked(str(loan.pk), given["amount"], given["card"], secrets.token_hex(16))
            try:
                ask_part.look(**asked.what)
            except Refusal as refusal:
                form.add_error(PLACES.get(type(refusal)), refusals.sentence(refusal))
            else:
                return redirect(asked.address("borrower:confirm_part"))
    context = {
        "loan": loan,
        "form": form,
        "cards": cards,
        "waiting": payments.waiting_cards(loan.party_id, moment),
        "back_url": f"/loans/{loan.pk}/",
    }
    return render(request, "borrower/loans/part.html", context, status=status)


def _back_to_loan(request: HttpRequest, loan: selectors.Loan, refusal: Refusal) -> HttpResponse:
    """The loan's page shows how it stands; why it went no further stands above it."""
    messages.warning(request, refusals.sentence(refusal))
    return redirect("borrower:loan", loan.pk)


# --- confirming --------------------------------------------------------------------------------------------------


@permits.borrower
@kept.looked_at_again
def confirm(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """The exact effect of the part; then a code goes to the borrower's phone."""
    loan = mine(request, loan_id)
    asked = _asked_of(request, loan)
    if asked is None or ask_part.asked_with(loan_id=loan.pk, key=asked.key):
        return redirect("borrower:loan", loan.pk)  # sent before, or come back from the history
    mark, known, status = _mark(request, loan), request.session.get(CODE), 200
    shown = known["mark"] if known is not None and known["key"] == asked.key else mark
    form = SeenForm(initial={"seen": mark})
    try:
        preview, sent = ask_part.look(**asked.what)
    except Refusal as refusal:
        return _back_to_loan(request, loan, refusal)
    if request.method == "POST" and request.POST.get("seen") == mark:
        problem = _send_code(request, asked, mark)
        if not problem:
            return redirect(asked.address("borrower:part_code"))
        form, status = SeenForm({"seen": mark}), 422
        form.add_error(None, problem)
    context = {
        "loan": loan,
        "form": form,
        "amount": formats.money(asked.amount_minor, loan.currency),
        "effects": _effects(loan, asked, preview, sent),
        "is_news": (request.POST.get("seen") or shown) != mark,
        "confirm_label": _("Send me the code to confirm"),
        "cancel_url": f"/loans/{loan.pk}/",
    }
    return render(request, "borrower/loans/part_confirm.html", context, status=status)


def _send_code(request: HttpRequest, asked: Asked, mark: str) -> str:
    """Sends the code that confirms this very request; what is in the way of that, in words. Where one is out for it, it
    is too soon for another, and that one is good."""
    known = request.session.get(CODE)
    try:
        sent = ask_part.send_code(**asked.what, address=visitors.address(request))
    except CodeTooSoon as refusal:
        is_out = known is not None and known["key"] == asked.key and known["mark"] == mark
        return "" if is_out and "again" not in request.POST else refusals.sentence(refusal)
    except Refusal as refusal:
        return refusals.sentence(refusal)
    request.session[CODE] = {
        "key": asked.key,
        "mark": mark,
        "code_id": str(sent.code_id),
        "masked": sent.masked_to,
        "resend_at": sent.resend_at.isoformat(),
    }
    return ""


def _effects(loan: selectors.Loan, asked: Asked, preview: quote.Preview, sent_minor: int) -> list[ui.Effect]:
    before, after = preview.before, preview.after
    card = payments.card_of(card_id=UUID(asked.card), party_id=loan.party_id)
    sums = {"sent": sent_minor, "amount": asked.amount_minor, "kept": asked.amount_minor - sent_minor,
            "owed": max(0, after.outstanding_minor - after.unapplied_minor), "next": after.next_due_minor,
            "was": before.next_due_minor, "all": after.still_to_pay_minor,
            "all_was": before.still_to_pay_minor}  # fmt: skip
    values: dict[str, Any] = {name: formats.money(minor, loan.currency) for name, minor in sums.items()}
    values |= {
        "card": str(card).replace(" ", "\N{NO-BREAK SPACE}"),
        "day": formats.date_l(after.next_due_on) if after.next_due_on else "",
    }
    told = [ui.Effect(_("%(sent)s goes to your card %(card)s.") % values, "brand", "card")]
    if sums["kept"]:
        told.append(ui.Effect(_("%(kept)s of the %(amount)s is kept back as a fee.") % values, "warn"))
    told.append(ui.Effect(_bears_from(loan)))
    told.append(ui.Effect(_("After that you owe %(owed)s.") % values))
    if after.next_due_on:
        told.append(ui.Effect(_("Next payment: %(next)s on %(day)s; it was %(was)s.") % values, "brand", "calendar"))
    if after.ends_on and after.ends_on != before.ends_on:
        last = {"last": formats.date_l(after.ends_on)}
        told.append(ui.Effect(_("The last payment is then on %(last)s.") % last, "brand", "calendar"))
    told.append(ui.Effect(_("To the end of the loan you pay %(all)s; without this part it was %(all_was)s.") % values))
    return told


def _bears_from(loan: selectors.Loan) -> str:
    drawdowns = selectors.terms_of(loan).drawdowns
    if drawdowns is not None and drawdowns.interest == "whole_period":
        return _("When it arrives, it bears interest as if it had come on the first day of the running period.")
    return _("Interest on it begins when it arrives, not before. These are the figures of today.")


@permits.borrower
@kept.looked_at_again
def code(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """The code that confirms it: good for this amount to this card."""
    loan = mine(request, loan_id)
    asked, known = _asked_of(request, loan), request.session.get(CODE)
    if asked is None or ask_part.asked_with(loan_id=loan.pk, key=asked.key):
        return redirect("borrower:loan", loan.pk)
    if known is None or known["key"] != asked.key or known["mark"] != _mark(request, loan):
        return redirect(asked.address("borrower:confirm_part"))  # of another tab, or the figures have changed
    again = request.method == "POST" and "again" in request.POST
    problem = _send_code(request, asked, known["mark"]) if again else ""
    form = CodeForm(request.POST if request.method == "POST" and not again else None)
    if form.is_bound and form.is_valid():
        try:
            made = ask_part.ask(**asked.what, code_id=UUID(known["code_id"]), code=form.cleaned_data["code"])
        except Refusal as refusal:
            return _back_to_loan(request, loan, refusal)
        if not isinstance(made, Refusal):
            request.session.pop(CODE, None)
            return redirect("borrower:loan", loan.pk)
        form.add_error("code", refusals.sentence(made))
    known = request.session[CODE]
    left = datetime.fromisoformat(known["resend_at"]) - clock.now()
    context = {
        "loan": loan,
        "form": form,
        "problem": problem,
        "masked": known["masked"],
        "amount": formats.money(asked.amount_minor, loan.currency),
        "card": payments.card_of(card_id=UUID(asked.card), party_id=loan.party_id),
        "wait_seconds": max(0, int(left.total_seconds())),
        "back_url": asked.address("borrower:confirm_part"),
    }
    return render(request, "borrower/loans/part_code.html", context, status=422 if form.errors else 200)


# --- taking it back ----------------------------------------------------------------------------------------------


@permits.borrower
def take_back(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """The borrower does not want it any more, while nobody has answered."""
    loan = mine(request, loan_id)
    waiting = ask_part.waiting_of(loan_id=loan.pk, party_id=loan.party_id)
    if waiting is None:
        return redirect("borrower:loan", loan.pk)
    if request.method == "POST":
        try:
            ask_part.take_back(approval_id=waiting.pk, actor=identity.actor_of(request), at=clock.now())
        except Refusal as refusal:  # answered while the page was open
            return _back_to_loan(request, loan, refusal)
        messages.success(request, _("You took your request back. Nothing about your loan changes."))
        return redirect("borrower:loan", loan.pk)
    context = {
        "loan": loan,
        "amount": formats.money(waiting.after["amount_minor"], loan.currency),
        "confirm_label": _("Take the request back"),
        "cancel_url": f"/loans/{loan.pk}/",
    }
    return render(request, "borrower/loans/part_take_back.html", context)
