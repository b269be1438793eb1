"""A borrower's loan: what is owed today and why, what can be done about it, and its exact effect before it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
from usance.web.borrower import changes, identity
from usance.web.templatetags import formats
from usance.workflows import ask_part, take_payment

LONG = timedelta(minutes=5)


def mine(request: HttpRequest, loan_id: UUID) -> selectors.Loan:
    """The customer's own loan; anyone else's does not exist."""
    found = selectors.loans_of_party(request.party_id).filter(pk=loan_id).first()  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    return found


@permits.borrower
def show(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """The loan page."""
    loan = mine(request, loan_id)
    view = selectors.loan_view(loan_id=loan.pk)
    paid_by = _uuid(request.GET.get("paid"))
    paid = payments.instruction_of(instruction_id=paid_by, party_id=loan.party_id) if paid_by else None
    refunds = payments.for_subject(loan.pk).filter(kind="refund")
    payoff = selectors.payoff(loan_id=loan.pk)
    payouts = list(payments.for_subject(loan.pk).filter(kind="payout"))
    context = {
        "loan": loan,
        "view": view,
        "tag": words.tag(words.LOAN_STATUS, loan.status),
        "currency": loan.currency,
        "payoff": payoff,
        "lines": _owed_lines(view),
        "schedule": words.schedule(view),
        "timeline": words.timeline(_theirs(view), loan.currency),
        "documents": [*papers.documents_of(loan.pk), *_agreements(loan)],
        "extensions": selectors.extension_options(loan_id=loan.pk),
        "payout": payouts[0] if payouts else None,
        # of the orders as they were read: asked anew, it could be of another moment than the words beside it
        "on_its_way": loan.status == "approved" and any(one.may_have_moved for one in payouts),
        "takes_long": _takes_long(payouts),
        "arrival": "" if any(line.kind == "taken_over" for line in view.timeline) else _arrival(payouts),
        "part": ask_part.standing(loan=loan, payouts=payouts, moment=changes.moment(request)),
        "may_step_back_until": selectors.may_step_back_until(loan),
        "under_way": take_payment.under_way(loan_id=loan.pk),
        "paid": _came_of(view, paid) if paid and paid.subject_id == loan.pk else None,
        "refund": refunds.first(),
    }
    return render(request, "borrower/loans/show.html", context)


def _theirs(view: selectors.LoanView) -> list[selectors.TimelineLine]:
    """Of what happened, what is the borrower's affair; not what a third party pays us for a lower rate."""
    lines = (line for line in view.timeline if line.kind not in words.NOT_THE_BORROWERS)
    return [line for line in lines if line.details.get("owed_by") != "third_party"]


def _came_of(view: selectors.LoanView, paid: payments.Instruction) -> dict[str, Any] | None:
    """What a payment did, for whoever has just made it; None while nobody can say."""
    loan = view.loan
    if paid.state != "succeeded" or not take_payment.is_taken_in(paid):
        return None
    values = {"amount": formats.money(paid.booked_minor, loan.currency)}
    if paid.returned_minor >= paid.booked_minor and take_payment.moved_the_date(paid):
        told = _("Your bank took the payment of %(amount)s back, so the due date is the one of before again.")
        return {"tone": "bad", "words": told % values}
    if paid.returned_minor:
        return {"tone": "bad", "words": _("Your bank took the payment of %(amount)s back. It is owed again.") % values}
    if paid.details.get("extend_days"):
        return _extended_or_not(view, paid, values)
    if paid.details.get("to_close") and loan.status != "closed":
        left = {"left": formats.money(view.standing.payoff_minor, loan.currency)}
        told = _(
            "We received your payment of %(amount)s. It counts from a later day than the one whose figure you saw, so "
            "%(left)s is left. Pay it, and the loan is closed."
        )
        return {"tone": "warn", "words": told % (values | left)}
    return {"tone": "good", "words": _("We received your payment of %(amount)s. Thank you.") % values}


def _extended_or_not(view: selectors.LoanView, paid: payments.Instruction, values: dict[str, str]) -> dict[str, Any]:
    """A payment that was the price of moving the due date: did it move?"""
    if take_payment.moved_the_date(paid):
        day = {"day": formats.date_l(view.standing.next_due_on)} if view.standing.next_due_on else None
        if day is None:
            return {"tone": "good", "words": _("We received your payment of %(amount)s. Thank you.") % values}
        told = _("We received %(amount)s and moved the due date: your next payment is on %(day)s.")
        return {"tone": "good", "words": told % (values | day)}
    told = _(
        "We received %(amount)s, but the due date did not move: the loan or its price had changed by the time the "
        "money came. The whole amount counts towards what you owe."
    )
    return {"tone": "warn", "words": told % values}


def _arrival(payouts: list[payments.Instruction]) -> str:
    """How long the first money took from the signature (the first order for it) to the card; newest order first."""
    arrived = [one.settled_at for one in payouts if one.state == "succeeded" and not one.returned_minor]
    if not arrived or not arrived[-1]:
        return ""
    seconds = max(1, round((arrived[-1] - payouts[-1].given_at).total_seconds()))
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


def _takes_long(payouts: list[payments.Instruction]) -> bool:
    """What mostly takes less than a minute is not there after five."""
    return bool(payouts) and clock.now() - payouts[0].given_at > LONG


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
        if amount and balance not in words.NOT_THE_BORROWERS
    ]
    total = view.standing.outstanding_minor - view.standing.unapplied_minor
    return [*lines, ui.Line(_("Together"), total, total=True)]


@permits.borrower
def cannot_pay(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """Everything that is possible for somebody who cannot pay as agreed, side by side, with its price."""
    loan = mine(request, loan_id)
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
    loan = mine(request, loan_id)
    by_balance: dict[str, list[Any]] = {}
    for line in selectors.explain(loan_id=loan.pk):
        by_balance.setdefault(line.balance, []).append(line)
    parts = [
        {"name": words.balance_name(balance), "lines": reckoning.explained(lines, loan.currency)}
        for balance, lines in by_balance.items()
        if balance not in words.NOT_THE_BORROWERS
    ]
    context = {"loan": loan, "parts": parts, "currency": loan.currency, "back_url": f"/loans/{loan.pk}/"}
    return render(request, "borrower/loans/explain.html", context)


# --- the first days ----------------------------------------------------------------------------------------------


@permits.borrower
def step_back(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """In the first days the borrower may give the money back: what that means, and then it is so."""
    loan = mine(request, loan_id)
    if selectors.may_step_back_until(loan) is None:
        return redirect("borrower:loan", loan.pk)
    form, status = forms.Form(request.POST if request.method == "POST" else None), 200
    if request.method == "POST" and form.is_valid():
        try:
            key = f"withdrawn:{selectors.business_date()}"
            servicing.step_back(loan_id=loan.pk, source=key, actor=identity.actor_of(request))
        except Refusal as refusal:
            form.add_error(None, refusals.sentence(refusal))
            status = 422
        else:
            return redirect("borrower:loan", loan.pk)
    after = selectors.step_back_preview(loan_id=loan.pk)
    last_day = after.loan.due_dates[-1] if after.loan.due_dates else after.loan.at
    owed = max(0, quote.payoff(after.loan, after.loan.at).total_minor)
    context = {
        "loan": loan,
        "form": form,
        "owed": formats.money(owed, loan.currency),
        "by_then": formats.money(quote.payoff(after.loan, last_day).total_minor, loan.currency),
        "day": formats.date_l(last_day),
        "confirm_label": _("Step back from this loan"),
        "cancel_url": f"/loans/{loan.pk}/",
    }
    return render(request, "borrower/loans/step_back.html", context, status=status)


# --- money that was too much ---------------------------------------------------------------------------------------


@permits.borrower
def send_back(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """What a loan that is paid off or sold did not need goes back to the card that it came from, when its owner says
    so."""
    loan = mine(request, loan_id)
    if loan.status not in take_payment.OVER or loan.unapplied_minor <= 0:
        return redirect("borrower:loan", loan.pk)
    form, status = forms.Form(request.POST if request.method == "POST" else None), 200
    if request.method == "POST" and form.is_valid():
        try:
            take_payment.send_surplus_back(loan_id=loan.pk, at=clock.now(), actor=identity.actor_of(request))
        except take_payment.NoCardToSendTo as refusal:
            form.add_error(None, refusals.sentence(refusal))
            status = 422
        else:
            return redirect("borrower:loan", loan.pk)
    context = {
        "loan": loan,
        "form": form,
        "amount": formats.money(loan.unapplied_minor, loan.currency),
        "confirm_label": _("Send it back"),
        "cancel_url": f"/loans/{loan.pk}/",
    }
    return render(request, "borrower/loans/send_back.html", context, status=status)


# --- papers ------------------------------------------------------------------------------------------------------


@permits.borrower
def document(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The borrower's own paper, as a file."""
    found = papers.document_of(document_id=document_id, party_id=request.party_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    name, pdf = agreements.download(document_id=found.pk, actor=identity.actor_of(request))
    return files.attachment(pdf, name=name, kind="application/pdf")
