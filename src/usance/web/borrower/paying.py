"""Paying a loan or moving its due date: chosen, shown with its exact effect, done when that was confirmed.

Between the two pages the order travels in the address, signed: each tab has its own, it outlives the session, and its
key pays once. What was shown is marked; if the loan or the day has changed since, the new figures are shown first.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from django import forms as plain
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors
from usance.apps.servicing import services as servicing
from usance.core.loan import quote
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms, kept, permits, refusals
from usance.web.borrower import identity
from usance.web.borrower.loans import mine
from usance.web.templatetags import formats
from usance.workflows import take_payment

NEW_CARD, SALT = "new", "borrower.order"


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody is about to pay. `choice`: due, next, all (an amount of the day on which it is paid), other, or
    extend by `days`. `amount_minor` and `mark` are those that were shown."""

    loan: str
    choice: str
    amount_minor: int
    card: str
    key: str
    days: int = 0
    mark: str = ""

    @property
    def address(self) -> str:
        signed = signing.dumps(asdict(self), salt=SALT)
        return f"{reverse('borrower:confirm_payment', args=[self.loan])}?{urlencode({'order': signed})}"

    @property
    def card_id(self) -> UUID | None:
        return None if self.card == NEW_CARD else UUID(self.card)


def _order_of(request: HttpRequest, loan: selectors.Loan) -> Order | None:
    """The order in the address, if we wrote it for this loan."""
    try:
        order = Order(**signing.loads(request.GET.get("order", ""), salt=SALT))
    except (signing.BadSignature, TypeError):
        return None
    return order if order.loan == str(loan.pk) else None


# --- choosing ----------------------------------------------------------------------------------------------------


class PayForm(forms.Form):
    """How much, and with which card."""

    choice = forms.CardChoiceField(label=gettext_lazy("How much do you want to pay?"))
    amount = forms.MoneyField(label=gettext_lazy("Another amount"), required=False, min_minor=1)
    card = forms.CardChoiceField(label=gettext_lazy("From which card?"))

    def __init__(
        self, *args: Any, loan: Any, amounts: dict[str, tuple[Any, int]], cards: list[Any], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.amounts = amounts
        choice = forms.cards(self, "choice")
        choice.choices = [(code, name) for code, (name, _minor) in amounts.items()] + [("other", _("Another amount"))]
        choice.widget.notes = {
            code: ("", formats.money(minor, loan.currency)) for code, (_name, minor) in amounts.items()
        }
        choice.initial = next(iter(amounts), "other")
        _offer_cards(self, cards)
        self.fields["amount"].set_currency(loan.currency)  # type: ignore[attr-defined]
        self.fields["amount"].must_answer = True  # type: ignore[attr-defined] # shown to whoever chose it: not optional

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        code = cleaned.get("choice")
        if code == "other" and not cleaned.get("amount") and "amount" not in self.errors:
            self.add_error("amount", _("Enter how much you want to pay."))
        cleaned["amount_minor"] = self.amounts[code][1] if code in self.amounts else cleaned.get("amount")
        return cleaned


class ExtendForm(forms.Form):
    """By how many days, and with which card its price is paid."""

    days = forms.CardChoiceField(label=gettext_lazy("By how many days?"))
    card = forms.CardChoiceField(label=gettext_lazy("From which card?"))

    def __init__(
        self, *args: Any, loan: Any, options: list[quote.ExtensionQuote], cards: list[Any], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        days = forms.cards(self, "days")
        days.choices = [(str(option.days), formats.days(option.days)) for option in options]
        days.widget.notes = {
            str(option.days): (
                _("new due date: %(day)s") % {"day": formats.date_l(option.new_due_on)},
                formats.money(option.price_minor, loan.currency),
            )
            for option in options
        }
        days.initial = str(options[0].days)
        _offer_cards(self, cards)


def _offer_cards(form: Any, cards: list[Any]) -> None:
    card = forms.cards(form, "card")
    card.choices = [(str(found.pk), str(found)) for found in cards] + [(NEW_CARD, _("Another card, on the card page"))]
    card.initial = str(cards[0].pk) if cards else NEW_CARD


@permits.borrower
def pay(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """Chooses an amount and a card; the next page shows what it does."""
    loan = mine(request, loan_id)
    amounts = _amounts(loan)
    if not amounts:
        messages.info(request, _("Nothing is owed on this loan."))
        return redirect("borrower:loan", loan.pk)
    form = PayForm(request.POST or None, loan=loan, amounts=amounts, cards=list(payments.cards_of(loan.party_id)))
    if request.method == "POST" and form.is_valid():
        choice, amount = form.cleaned_data["choice"], form.cleaned_data["amount_minor"]
        return _to_confirm(request, loan, choice=choice, amount_minor=amount, card=form.cleaned_data["card"])
    return render(request, "borrower/loans/pay.html", {"form": form, "loan": loan, "back_url": f"/loans/{loan.pk}/"})


def _amounts(loan: selectors.Loan) -> dict[str, tuple[Any, int]]:
    """What a borrower most likely wants to pay: what is due, the next instalment, everything."""
    payoff = selectors.payoff(loan_id=loan.pk).total_minor
    standing = selectors.loan_view(loan_id=loan.pk).standing
    offered: dict[str, tuple[Any, int]] = {}
    if standing.due_now_minor and standing.due_now_minor != payoff:
        offered["due"] = (_("What is due now"), standing.due_now_minor)
    elif standing.next_due_minor and 0 < standing.next_due_minor < payoff:
        offered["next"] = (_("The next payment"), standing.next_due_minor)
    if payoff > 0:
        offered["all"] = (_("Everything, and close the loan"), payoff)
    return offered


@permits.borrower
def extend(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """Moves the due date for a price, where the agreement allows it."""
    loan = mine(request, loan_id)
    options = selectors.extension_options(loan_id=loan.pk)
    if not options:
        return render(request, "borrower/loans/no_extension.html", {"loan": loan, "back_url": f"/loans/{loan.pk}/"})
    form = ExtendForm(request.POST or None, loan=loan, options=options, cards=list(payments.cards_of(loan.party_id)))
    if request.GET.get("days") in {str(option.days) for option in options}:  # chosen on the page before
        form.fields["days"].initial = request.GET["days"]
    if request.method == "POST" and form.is_valid():
        days, card = int(form.cleaned_data["days"]), form.cleaned_data["card"]
        price = next(option.price_minor for option in options if option.days == days)
        return _to_confirm(request, loan, choice="extend", amount_minor=price, card=card, days=days)
    return render(request, "borrower/loans/extend.html", {"form": form, "loan": loan, "back_url": f"/loans/{loan.pk}/"})


def _to_confirm(request: HttpRequest, loan: selectors.Loan, **chosen: Any) -> HttpResponse:
    order = Order(loan=str(loan.pk), key=secrets.token_hex(16), mark=_mark(request, loan), **chosen)
    return redirect(order.address)


# --- confirming --------------------------------------------------------------------------------------------------


class SeenForm(forms.Form):
    """What the page showed when it was confirmed."""

    seen = plain.CharField(widget=plain.HiddenInput, required=False)


def _mark(request: HttpRequest, loan: selectors.Loan) -> str:
    """What the loan looks like now; another mark means that the figures shown may not hold any more."""
    return f"{loan.last_event_seq}:{request.institution.business_date}"  # type: ignore[attr-defined]


@permits.borrower
@kept.looked_at_again
def confirm(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """The exact effect of a payment or an extension, then the order."""
    loan = mine(request, loan_id)
    asked = _order_of(request, loan)
    if asked is None:
        return redirect("borrower:loan", loan.pk)
    done = payments.by_key(f"pay:{asked.key}")
    if done is not None:  # the page was sent twice, or comes back from the history
        return redirect("borrower:payment", done.pk)
    if servicing.has_event(loan_id=loan.pk, source=_source(asked)):
        return redirect("borrower:loan", loan.pk)
    try:
        order, effect = _today(loan, asked)
        if request.method == "POST" and request.POST.get("seen") == _mark(request, loan):
            return _place(request, loan, order)
    except Refusal as refusal:
        return _refused(request, loan, asked, refusal)
    amount = formats.money(order.amount_minor, loan.currency)
    context = {
        "loan": loan,
        "asked": order,
        "form": SeenForm(initial={"seen": _mark(request, loan)}),
        "effects": _effects(loan, order, effect),
        "amount": amount,
        "was": formats.money(asked.amount_minor, loan.currency) if asked.amount_minor != order.amount_minor else "",
        "is_news": _mark(request, loan) != (request.POST.get("seen") or asked.mark),
        "open_page": take_payment.under_way(loan_id=loan.pk),
        "confirm_label": _("Pay %(amount)s") % {"amount": amount} if order.amount_minor else _("Move the due date"),
        "cancel_url": f"/loans/{loan.pk}/",
    }
    return render(request, "borrower/loans/confirm.html", context)


def _source(order: Order) -> str:
    """Of an extension that costs nothing more today."""
    return f"form:{order.key}"


def _today(loan: selectors.Loan, asked: Order) -> tuple[Order, quote.Preview]:
    """What was asked for, at the figures of today, and its effect."""
    if asked.days:
        price = selectors.extension_quote(loan_id=loan.pk, days=asked.days).price_minor
        effect = selectors.extension_preview(loan_id=loan.pk, days=asked.days)
        return replace(asked, amount_minor=price), effect
    amounts = _amounts(loan)
    if not amounts:
        raise take_payment.NothingToPay()
    amount = amounts[asked.choice][1] if asked.choice in amounts else asked.amount_minor
    return replace(asked, amount_minor=amount), selectors.payment_preview(loan_id=loan.pk, amount_minor=amount)


def _place(request: HttpRequest, loan: selectors.Loan, order: Order) -> HttpResponse:
    """What was confirmed is done: money is ordered; an extension that the day's payments cover takes effect at once."""
    actor = identity.actor_of(request)
    if order.days and not order.amount_minor:
        servicing.extend(loan_id=loan.pk, source=_source(order), days=order.days, actor=actor)
        return redirect("borrower:loan", loan.pk)
    given = take_payment.pay(
        loan_id=loan.pk,
        amount_minor=order.amount_minor,
        key=order.key,
        at=clock.now(),
        actor=actor,
        card_id=order.card_id,
        language=request.LANGUAGE_CODE,
        extend_days=order.days,
        to_close=order.choice == "all",
    )
    return redirect("borrower:payment", given.pk)


def _refused(request: HttpRequest, loan: selectors.Loan, asked: Order, refusal: Refusal) -> HttpResponse:
    """Why it cannot be done now, and what can be done instead."""
    waits_for = take_payment.under_way(loan_id=loan.pk) if isinstance(refusal, take_payment.PaymentUnderWay) else None
    again = "" if isinstance(refusal, take_payment.NothingToPay) else again_url(loan.pk, asked.days)
    context = {
        "loan": loan,
        "problem": refusals.sentence(refusal),
        "waits_for": waits_for,
        "again_url": "" if waits_for else again,
    }
    return render(request, "borrower/loans/refused.html", context, status=409)


def again_url(loan_id: UUID, days: int) -> str:
    """Where the same can be chosen anew."""
    return reverse("borrower:extend" if days else "borrower:pay", args=[loan_id])


def _effects(loan: Any, order: Order, effect: quote.Preview) -> list[ui.Effect]:
    money, before, after = formats.money, effect.before, effect.after
    values = {
        "paid": money(order.amount_minor, loan.currency),
        "owed": money(max(0, after.outstanding_minor - after.unapplied_minor), loan.currency),
        "saved": money(
            max(0, before.still_to_pay_minor - order.amount_minor - after.still_to_pay_minor), loan.currency
        ),
        "day": formats.date_l(after.next_due_on) if after.next_due_on else "",
        "next": money(after.next_due_minor, loan.currency),
        "spare": money(after.unapplied_minor, loan.currency),
    }
    paid = _("You pay %(paid)s now.") if order.amount_minor else _("You pay nothing now: today's payment covers it.")
    effects = [ui.Effect(paid % values)]
    if after.status == "closed":
        effects.append(ui.Effect(_("The loan is closed: nothing more is owed."), "good", "check"))
        effects.append(ui.Effect(_("You get a debt-free letter at once."), "good", "check"))
    else:
        effects.append(ui.Effect(_("After that you owe %(owed)s.") % values))
        if after.next_due_on:
            effects.append(ui.Effect(_("Next payment: %(next)s on %(day)s.") % values))
    if not order.days and before.still_to_pay_minor - order.amount_minor > after.still_to_pay_minor:
        effects.append(
            ui.Effect(_("Paying now saves you %(saved)s of what would have come.") % values, "good", "check")
        )
    if after.unapplied_minor:
        effects.append(
            ui.Effect(_("%(spare)s is more than you owe; we keep it for you and can send it back.") % values, "warn")
        )
    return effects
