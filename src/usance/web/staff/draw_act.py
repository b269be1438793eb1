"""Proposing that a further part of a loan is paid out."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from usance.apps.payments import selectors as payments
from usance.apps.servicing import drawn
from usance.ports import clock
from usance.web import components as ui
from usance.web import permits
from usance.web.staff import loan_forms
from usance.web.staff.act_steps import Act, Effect, begin, run
from usance.web.staff.loan_effects import effects_of
from usance.web.staff.request import StaffRequest
from usance.workflows import draw_part as parts
from usance.workflows import serve_loan


@permits.staff("loan.draw")
@require_http_methods(["GET", "POST"])
def draw_part(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Money within the agreed amount, to a card of the borrower; a second person approves it."""
    shape, loan, data = begin(request, "draw_part", loan_id)

    def effect(act: Act) -> Effect:
        preview, sent = parts.look(
            loan_id=loan.pk,
            amount_minor=act.given["amount"],
            card_id=UUID(act.given["card"]),
            source=serve_loan.source_of(act.key),
            at=clock.now(),
        )
        told = [
            ui.Effect(_("A second person must approve this; until then nothing changes."), "warn"),
            ui.Effect(_("%(amount)s goes to the card. Interest begins when it arrives; the figures are those of today.")
                      % {"amount": loan_forms.money(sent, loan.currency)}),
        ]  # fmt: skip
        return [*told, *effects_of(preview, loan.currency)], preview

    def do(act: Act) -> str:
        parts.propose(
            loan_id=loan.pk,
            key=act.key,
            amount_minor=act.given["amount"],
            card_id=UUID(act.given["card"]),
            reason=act.given["reason"],
            maker=request.user,
            at=clock.now(),
        )
        return _("Proposed: a second person must approve it.")

    form = loan_forms.DrawForm(data, loan=loan, drawing=drawn.drawing(loan.pk), cards=payments.cards_of(loan.party_id))
    return run(Act(request, shape, loan, form, effect, do))
