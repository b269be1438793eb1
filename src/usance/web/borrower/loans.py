"""A borrower's loan: what is owed today and why, what can be done about it, and its exact effect before it is done."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from usance.apps.agreements import selectors as papers
from usance.apps.agreements import services as agreements
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors
from usance.apps.servicing import services as servicing
from usance.core.loan import quote
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.web import components as ui
from usance.web import files, forms, permits, reckoning, refusals, words
from usance.web.borrower import identity
from usance.web.templatetags import formats
from usance.workflows import take_payment

NEW_CARD = "new"


def _mine(request: HttpRequest, loan_id: UUID) -> selectors.Loan:
    """The customer's own loan; anyone else's does not exist."""
    found = selectors.loans_of_party(request.party_id).filter(pk=loan_id).first()  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    return found


@permits.borrower
def show(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """The loan page."""
    loan = _mine(request, loan_id)
    view = selectors.loan_view(loan_id=loan.pk)
    paid_by = _uuid(request.GET.get("paid"))
    paid = payments.instruction_of(instruction_id=paid_by, party_id=loan.party_id) if paid_by else None
    payoff = selectors.payoff(loan_id=loan.pk)
    payouts = list(payments.for_subject(loan.pk).filter(kind="payout"))
    context = {
        "loan": loan,
        "view": view,
        "tag": words.tag(words.LOAN_STATUS, loan.status),
        "currency": loan.currency,
        "payoff": payoff,
        "lines": _owed_lines(view),
        "schedule": words.schedule(view.schedule, view.on),
        "timeline": words.timeline(view.timeline, loan.currency),
        "documents": [*papers.documents_of(loan.pk), *_agreements(loan)],
        "extensions": selectors.extension_options(loan_id=loan.pk),
        "payout": payouts[0] if payouts else None,
        "arrival": _arrival(payouts),
        "under_way": payments.for_subject(loan.pk)
        .filter(kind__in=take_payment.INCOMING, state__in=payments.OPEN)
        .first(),
        "paid": paid if paid and paid.subject_id == loan.pk else None,
    }
    return render(request, "borrower/loans/show.html", context)


def _arrival(payouts: list[payments.Instruction]) -> str:
    """How long the money took from the signature (the first order for it) to the card; newest order first."""
    if not payouts or payouts[0].state != "succeeded" or payouts[0].returned_minor or not payouts[0].settled_at:
        return ""
    seconds = max(1, round((payouts[0].settled_at - payouts[-1].given_at).total_seconds()))
    if seconds < 120:
        return ngettext(
            "On your card %(count)s second after you signed.",
            "On your card %(count)s seconds after you signed.",
            seconds,
        ) % {"count": seconds}
    count = round(seconds / 60)
    return ngettext(
        "On your card %(count)s minute after you signed.", "On your card %(count)s minutes after you signed.", count
    ) % {"count": count}


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _agreements(loan: selectors.Loan) -> list[Any]:
    return list(papers.documents_of(loan.application_id)) if loan.application_id else []


def _owed_lines(view: selectors.LoanView) -> list[ui.Line]:
    """What is owed, by what it is for."""
    lines = [
        ui.Line(words.balance_name(balance), -amount if balance == "unapplied" else amount)
        for balance, amount in view.balances.items()
        if amount
    ]
    total = view.standing.outstanding_minor - view.standing.unapplied_minor
    return [*lines, ui.Line(_("Together"), total, total=True)]


@permits.borrower
def cannot_pay(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """Everything that is possible for somebody who cannot pay as agreed, side by side, with its price."""
    loan = _mine(request, loan_id)
    context = {
        "loan": loan,
        "extensions": selectors.extension_options(loan_id=loan.pk),
        "currency": loan.currency,
        "back_url": f"/loans/{loan.pk}/",
    }
    return render(request, "borrower/loans/cannot_pay.html", context)


@permits.borrower
def explain(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """Every line behind every figure of the loan."""
    loan = _mine(request, loan_id)
    by_balance: dict[str, list[Any]] = {}
    for line in selectors.explain(loan_id=loan.pk):
        by_balance.setdefault(line.balance, []).append(line)
    parts = [
        {"name": words.balance_name(balance), "lines": reckoning.explained(lines, loan.currency)}
        for balance, lines in by_balance.items()
    ]
    context = {"loan": loan, "parts": parts, "currency": loan.currency, "back_url": f"/loans/{loan.pk}/"}
    return render(request, "borrower/loans/explain.html", context)


# --- paying ------------------------------------------------------------------------------------------------------


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
        choice, card = forms.cards(self, "choice"), forms.cards(self, "card")
        choice.choices = [(code, name) for code, (name, _minor) in amounts.items()] + [("other", _("Another amount"))]
        choice.widget.notes = {
            code: ("", formats.money(minor, loan.currency)) for code, (_name, minor) in amounts.items()
        }
        choice.initial = next(iter(amounts), "other")
        card.choices = [(str(found.pk), str(found)) for found in cards] + [
            (NEW_CARD, _("Another card, on the card page"))
        ]
        card.initial = str(cards[0].pk) if cards else NEW_CARD
        self.fields["amount"].set_currency(loan.currency)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        code = cleaned.get("choice")
        if code == "other" and not cleaned.get("amount") and "amount" not in self.errors:
            self.add_error("amount", _("Enter how much you want to pay."))
        cleaned["amount_minor"] = self.amounts[code][1] if code in self.amounts else cleaned.get("amount")
        return cleaned


@permits.borrower
def pay(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """Chooses an amount and a card; the next page shows what it does."""
    loan = _mine(request, loan_id)
    amounts = _amounts(loan)
    if not amounts:
        return redirect("borrower:loan", loan.pk)
    form = PayForm(request.POST or None, loan=loan, amounts=amounts, cards=list(payments.cards_of(loan.party_id)))
    if request.method == "POST" and form.is_valid():
        request.session["pay"] = {
            "loan": str(loan.pk),
            "amount_minor": form.cleaned_data["amount_minor"],
            "card": form.cleaned_data["card"],
            "days": 0,
            "key": secrets.token_hex(16),
        }
        return redirect("borrower:confirm_payment", loan.pk)
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


class ExtendForm(forms.Form):
    """By how many days, and with which card its price is paid."""

    days = forms.CardChoiceField(label=gettext_lazy("By how many days?"))
    card = forms.CardChoiceField(label=gettext_lazy("From which card?"))

    def __init__(
        self, *args: Any, loan: Any, options: list[quote.ExtensionQuote], cards: list[Any], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        days, card = forms.cards(self, "days"), forms.cards(self, "card")
        days.choices = [(str(option.days), formats.days(option.days)) for option in options]
        days.widget.notes = {
            str(option.days): (
                _("new due date: %(day)s") % {"day": formats.date_l(option.new_due_on)},
                formats.money(option.price_minor, loan.currency),
            )
            for option in options
        }
        days.initial = str(options[0].days)
        card.choices = [(str(found.pk), str(found)) for found in cards] + [
            (NEW_CARD, _("Another card, on the card page"))
        ]
        card.initial = str(cards[0].pk) if cards else NEW_CARD


@permits.borrower
def extend(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """Moves the due date for a price, where the agreement allows it."""
    loan = _mine(request, loan_id)
    options = selectors.extension_options(loan_id=loan.pk)
    if not options:
        return render(request, "borrower/loans/no_extension.html", {"loan": loan, "back_url": f"/loans/{loan.pk}/"})
    form = ExtendForm(request.POST or None, loan=loan, options=options, cards=list(payments.cards_of(loan.party_id)))
    if request.method == "POST" and form.is_valid():
        days = int(form.cleaned_data["days"])
        request.session["pay"] = {
            "loan": str(loan.pk),
            "amount_minor": next(option.price_minor for option in options if option.days == days),
            "card": form.cleaned_data["card"],
            "days": days,
            "key": secrets.token_hex(16),
        }
        return redirect("borrower:confirm_payment", loan.pk)
    return render(request, "borrower/loans/extend.html", {"form": form, "loan": loan, "back_url": f"/loans/{loan.pk}/"})


@permits.borrower
def confirm(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """The exact effect of a payment or an extension, then the order."""
    loan = _mine(request, loan_id)
    asked = request.session.get("pay")
    if not asked or asked["loan"] != str(loan.pk):
        return redirect("borrower:loan", loan.pk)
    try:
        asked, is_news = _priced(loan, asked)
        if request.method == "POST" and not is_news:
            return _order(request, loan, asked)
        effect = (
            selectors.extension_preview(loan_id=loan.pk, days=asked["days"])
            if asked["days"]
            else selectors.payment_preview(loan_id=loan.pk, amount_minor=asked["amount_minor"])
        )
    except Refusal as refusal:
        return render(request, "borrower/loans/refused.html", {"loan": loan, "problem": refusals.sentence(refusal)})
    request.session["pay"] = asked
    amount = formats.money(asked["amount_minor"], loan.currency)
    context = {
        "loan": loan,
        "asked": asked,
        "effects": _effects(loan, asked, effect),
        "amount": amount,
        "confirm_label": _("Pay %(amount)s") % {"amount": amount} if asked["amount_minor"] else _("Move the due date"),
        "cancel_url": f"/loans/{loan.pk}/",
    }
    return render(request, "borrower/loans/confirm.html", context)


def _priced(loan: selectors.Loan, asked: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """An extension at today's price, and whether that is another one than was shown."""
    if not asked["days"]:
        return asked, False
    price = selectors.extension_quote(loan_id=loan.pk, days=asked["days"]).price_minor
    return {**asked, "amount_minor": price}, price != asked["amount_minor"]


def _order(request: HttpRequest, loan: selectors.Loan, asked: dict[str, Any]) -> HttpResponse:
    """What was confirmed is done: money is ordered; an extension that the day's payments cover takes effect at once."""
    actor = identity.actor_of(request)
    if asked["days"] and not asked["amount_minor"]:
        servicing.extend(loan_id=loan.pk, source=f"form:{asked['key']}", days=asked["days"], actor=actor)
        del request.session["pay"]
        return redirect("borrower:loan", loan.pk)
    given = take_payment.pay(
        loan_id=loan.pk,
        amount_minor=asked["amount_minor"],
        key=asked["key"],
        at=clock.now(),
        actor=actor,
        card_id=None if asked["card"] == NEW_CARD else UUID(asked["card"]),
        language=request.LANGUAGE_CODE,
        extend_days=asked["days"],
    )
    return redirect("borrower:payment", given.pk)


def _effects(loan: Any, asked: dict[str, Any], effect: quote.Preview) -> list[ui.Effect]:
    money, before, after = formats.money, effect.before, effect.after
    values = {
        "paid": money(asked["amount_minor"], loan.currency),
        "owed": money(max(0, after.outstanding_minor - after.unapplied_minor), loan.currency),
        "saved": money(
            max(0, before.still_to_pay_minor - asked["amount_minor"] - after.still_to_pay_minor), loan.currency
        ),
        "day": formats.date_l(after.next_due_on) if after.next_due_on else "",
        "next": money(after.next_due_minor, loan.currency),
        "spare": money(after.unapplied_minor, loan.currency),
    }
    paid = _("You pay %(paid)s now.") if asked["amount_minor"] else _("You pay nothing now: today's payment covers it.")
    effects = [ui.Effect(paid % values)]
    if after.status == "closed":
        effects.append(ui.Effect(_("The loan is closed: nothing more is owed."), "good", "check"))
        effects.append(ui.Effect(_("You get a debt-free letter at once."), "good", "check"))
    else:
        effects.append(ui.Effect(_("After that you owe %(owed)s.") % values))
        if after.next_due_on:
            effects.append(ui.Effect(_("Next payment: %(next)s on %(day)s.") % values))
    if not asked["days"] and before.still_to_pay_minor - asked["amount_minor"] > after.still_to_pay_minor:
        effects.append(
            ui.Effect(_("Paying now saves you %(saved)s of what would have come.") % values, "good", "check")
        )
    if after.unapplied_minor:
        effects.append(
            ui.Effect(_("%(spare)s is more than you owe; we keep it for you and can send it back.") % values, "warn")
        )
    return effects


# --- papers ------------------------------------------------------------------------------------------------------


@permits.borrower
def document(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The borrower's own paper, as a file."""
    found = papers.document_of(document_id=document_id, party_id=request.party_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    name, pdf = agreements.download(document_id=found.pk, actor=identity.actor_of(request))
    return files.attachment(pdf, name=name, kind="application/pdf")
