"""Acts on a loan. Each says what it asks, what it would do, and does it when that was confirmed; see act_steps."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from usance.apps.customers import protections
from usance.apps.institutions import selectors as institutions
from usance.apps.payments import selectors as payments
from usance.apps.servicing import previews, selectors
from usance.apps.servicing import services as servicing
from usance.core.loan import state
from usance.core.rates import Rate
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import permits, reckoning
from usance.web.staff import loan_forms
from usance.web.staff.act_steps import Act, Effect, begin, run
from usance.web.staff.loan_effects import effects_of, rate_effects
from usance.web.staff.request import StaffRequest
from usance.workflows import serve_loan, take_payment


def _money(minor: int, loan: selectors.Loan) -> str:
    return loan_forms.money(minor, loan.currency)


@permits.staff("loan.receive_payment")
@require_http_methods(["GET", "POST"])
def receive(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Money that came over the counter or to the bank account, counted from its value date."""
    shape, loan, data = begin(request, "receive", loan_id)

    def effect(act: Act) -> Effect:
        preview = previews.receipt(loan_id=loan.pk, amount_minor=act.given["amount"], value_on=act.given["value_on"])
        return effects_of(preview, loan.currency), preview

    def do(act: Act) -> str:
        serve_loan.take_receipt(
            loan_id=loan.pk,
            key=act.key,
            how=act.given["how"],
            reference=act.given["reference"],
            amount_minor=act.given["amount"],
            value_on=act.given["value_on"],
            at=clock.now(),
            actor=request.actor,
        )
        return _("The payment of %(amount)s is booked.") % {"amount": _money(act.given["amount"], loan)}

    form = loan_forms.ReceiveForm(data, loan=loan, today=request.institution.business_date)
    return run(Act(request, shape, loan, form, effect, do))


@permits.staff("collection.work")
@require_http_methods(["GET", "POST"])
def debit(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Collects what is due from the borrower's card, under their mandate."""
    shape, loan, data = begin(request, "debit", loan_id)

    def effect(act: Act) -> Effect:
        today = request.institution.business_date
        protections.require_allowed(party_id=loan.party_id, what=protections.DEBIT, on=today)
        preview = selectors.payment_preview(loan_id=loan.pk, amount_minor=act.given["amount"])
        told = [ui.Effect(_("The card is debited at once; the customer is told of the outcome."))]
        return [*told, *effects_of(preview, loan.currency)], preview

    def do(act: Act) -> str:
        given = take_payment.debit(
            loan_id=loan.pk,
            amount_minor=act.given["amount"],
            key=f"staff:{act.key}",
            at=clock.now(),
            actor=request.actor,
        )
        if given is None:
            raise take_payment.CardNotThere()
        return _("The card is being debited. The outcome appears under Payments.")

    form = loan_forms.DebitForm(data, loan=loan)
    return run(Act(request, shape, loan, form, effect, do))


@permits.staff("loan.extend")
@require_http_methods(["GET", "POST"])
def extend_loan(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Moves the due date for the borrower; its price was received, or stays owed."""
    shape, loan, data = begin(request, "extend_loan", loan_id)
    options = selectors.extension_options(loan_id=loan.pk)

    def effect(act: Act) -> Effect:
        days = int(act.given["days"])
        preview = previews.unpaid_extension(loan_id=loan.pk, days=days)
        price = next(option.price_minor for option in options if option.days == days)
        told = ui.Effect(_("Its price of %(price)s is due at once.") % {"price": _money(price, loan)}, "warn")
        return [told, *effects_of(preview, loan.currency)], preview

    def do(act: Act) -> str:
        source = serve_loan.source_of(act.key)
        servicing.extend(loan_id=loan.pk, source=source, days=int(act.given["days"]), actor=request.actor)
        return _("The due date is moved.")

    form = loan_forms.ExtendForm(data, loan=loan, options=options)
    return run(Act(request, shape, loan, form, effect, do))


@permits.staff("loan.waive")
@require_http_methods(["GET", "POST"])
def waive(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Forgives part of a balance; above a small limit a second person approves."""
    shape, loan, data = begin(request, "waive", loan_id)
    balances = state.owed(selectors.loan_view(loan_id=loan.pk).state)
    alone_minor = serve_loan.left_alone(loan)

    def effect(act: Act) -> Effect:
        preview = previews.waiver(loan_id=loan.pk, balance=act.given["balance"], amount_minor=act.given["amount"])
        told = effects_of(preview, loan.currency)
        if act.given["amount"] > alone_minor:
            told = [ui.Effect(_("A second person must approve this; until then nothing changes."), "warn"), *told]
        return told, preview

    def do(act: Act) -> str:
        waits = serve_loan.waive(
            loan_id=loan.pk,
            key=act.key,
            balance=act.given["balance"],
            amount_minor=act.given["amount"],
            reason=act.given["reason"],
            maker=request.user,
            at=_moment(request),
        )
        return _("Proposed: a second person must approve it.") if waits else _("It is forgiven.")

    form = loan_forms.WaiveForm(data, loan=loan, balances=balances, alone_minor=alone_minor)
    return run(Act(request, shape, loan, form, effect, do))


@permits.staff("loan.waive")
@require_http_methods(["GET", "POST"])
def penalty(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Stops penalties from growing, or lets them grow again."""
    shape, loan, data = begin(request, "penalty", loan_id)
    is_paused = selectors.state_on(loan).penalty_paused

    def effect(act: Act) -> Effect:
        if is_paused:
            today = request.institution.business_date
            protections.require_allowed(party_id=loan.party_id, what=protections.PENALTY, on=today)
        preview = previews.penalty(loan_id=loan.pk, pause=not is_paused)
        if is_paused:
            return [ui.Effect(_("From today on, penalties grow again on what is past due."), "warn")], preview
        told = ui.Effect(_("From today on, no penalty is added until somebody resumes it."), "good", "check")
        return [told], preview

    def do(act: Act) -> str:
        source = serve_loan.source_of(act.key)
        if is_paused:
            servicing.resume_penalty(loan_id=loan.pk, source=source, actor=request.actor)
            return _("Penalties grow again.")
        servicing.pause_penalty(loan_id=loan.pk, source=source, reason=act.given["reason"], actor=request.actor)
        return _("Penalties are paused.")

    form = house.Form(data) if is_paused else loan_forms.ReasonForm(data)
    return run(Act(request, shape, loan, form, effect, do))


@permits.staff("payment.approve")
@require_http_methods(["GET", "POST"])
def send_back(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Returns money that the loan could not use to the card it came from."""
    shape, loan, data = begin(request, "send_back", loan_id)
    sources = [
        (one, left)
        for one in payments.for_subject(loan.pk).filter(state="succeeded")
        if (left := min(payments.refundable_minor(one), loan.unapplied_minor)) > 0
    ]

    def effect(act: Act) -> Effect:
        preview = previews.refund(loan_id=loan.pk, amount_minor=act.given["amount"])
        told = _("%(amount)s goes back to the card that it came from.") % {"amount": _money(act.given["amount"], loan)}
        return [ui.Effect(told), *effects_of(preview, loan.currency)], preview

    def do(act: Act) -> str:
        take_payment.send_back(
            instruction_id=UUID(act.given["payment"]),
            amount_minor=act.given["amount"],
            key=f"staff:{act.key}",
            at=clock.now(),
            actor=request.actor,
        )
        return _("The refund is on its way. Its outcome appears under Payments.")

    form = loan_forms.SendBackForm(data, loan=loan, payments=sources)
    return run(Act(request, shape, loan, form, effect, do))


@permits.staff("loan.correct")
@require_http_methods(["GET", "POST"])
def reverse_entry(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Undoes something that was booked by mistake: the loan is folded anew as if it had never been."""
    shape, loan, data = begin(request, "reverse_entry", loan_id)

    def effect(act: Act) -> Effect:
        preview = previews.reversal(loan_id=loan.pk, undoes=act.given["entry"])
        told = ui.Effect(
            _("The loan becomes as if this had never been booked; the entry itself stays readable."), "warn"
        )
        return [told, *effects_of(preview, loan.currency)], preview

    def do(act: Act) -> str:
        serve_loan.undo(
            loan_id=loan.pk,
            key=act.key,
            undoes=act.given["entry"],
            reason=act.given["reason"],
            at=clock.now(),
            actor=request.actor,
        )
        return _("The entry is undone.")

    form = loan_forms.ReverseForm(data, loan=loan, lines=selectors.loan_view(loan_id=loan.pk).timeline)
    return run(Act(request, shape, loan, form, effect, do))


@permits.staff("loan.correct")
@require_http_methods(["GET", "POST"])
def change_rate(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Proposes another rate from a day on; a second person decides."""
    shape, loan, data = begin(request, "change_rate", loan_id)
    borne = selectors.state_on(loan).rate

    def rate(act: Act) -> Rate:
        return Rate(Fraction(act.given["share"]), borne.per)

    def effect(act: Act) -> Effect:
        event = serve_loan.rate_event(key=act.key, rate=rate(act), value_on=act.given["value_on"])
        preview = serve_loan.preview_rate(loan, event)
        told = [ui.Effect(_("A second person must approve this; until then nothing changes."), "warn")]
        return [*told, *rate_effects(rate(act), event.effective_on, preview, loan.currency)], preview

    def do(act: Act) -> str:
        serve_loan.propose_rate(
            loan_id=loan.pk,
            key=act.key,
            rate=rate(act),
            value_on=act.given["value_on"],
            reason=act.given["reason"],
            maker=request.user,
            at=_moment(request),
        )
        return _("Proposed: a second person must approve it.")

    today = request.institution.business_date
    form = loan_forms.RateForm(data, loan=loan, borne=reckoning.rate(borne), today=today)
    return run(Act(request, shape, loan, form, effect, do))


@permits.staff("loan.write_off")
@require_http_methods(["GET", "POST"])
def write_off(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Proposes that the loan leaves the books; a second person decides."""
    shape, loan, data = begin(request, "write_off", loan_id)

    def effect(act: Act) -> Effect:
        preview = previews.write_off(loan_id=loan.pk)
        told = [
            ui.Effect(_("A second person must approve this; until then nothing changes."), "warn"),
            ui.Effect(_("Everything owed leaves the books as a loss; the claim itself stays."), "bad"),
        ]
        return told, preview

    def do(act: Act) -> str:
        serve_loan.propose_write_off(
            loan_id=loan.pk, key=act.key, reason=act.given["reason"], maker=request.user, at=_moment(request)
        )
        return _("Proposed: a second person must approve it.")

    form = loan_forms.ReasonForm(data)
    return run(Act(request, shape, loan, form, effect, do))


def _moment(request: StaffRequest) -> Any:
    return institutions.moment(request.institution, clock.now())
