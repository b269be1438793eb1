"""Correcting what was agreed for a loan: what was wrong is typed over, shown with its effect, and proposed."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from usance.apps.institutions import selectors as institutions
from usance.apps.servicing import selectors
from usance.core.loan.terms import Terms
from usance.ports import clock
from usance.web import components as ui
from usance.web import permits
from usance.web.staff import terms_form
from usance.web.staff.act_steps import Act, Effect, begin, run
from usance.web.staff.loan_effects import effects_of
from usance.web.staff.request import StaffRequest
from usance.web.templatetags import formats
from usance.workflows import serve_loan


@permits.staff("loan.correct")
@require_http_methods(["GET", "POST"])
def correct(request: StaffRequest, loan_id: UUID) -> HttpResponse:
    """Proposes other terms, from the loan's beginning on; a second person decides."""
    shape, loan, data = begin(request, "correct_terms", loan_id)
    bound = selectors.terms_of(loan)

    def effect(act: Act) -> Effect:
        terms: Terms = act.given["terms"]
        preview = serve_loan.preview_correction(loan, terms)
        still = {
            "before": formats.money(preview.before.still_to_pay_minor, loan.currency),
            "after": formats.money(preview.after.still_to_pay_minor, loan.currency),
        }
        told = [
            ui.Effect(_("A second person must approve this; until then nothing changes."), "warn"),
            ui.Effect(_("From its first day the loan is as if this had been agreed; the difference is booked today.")),
            *(
                ui.Effect(f"{row.label}: {row.before} → {row.after}")
                for row in terms_form.difference(bound.to_json(), terms.to_json(), loan.currency)
            ),
            ui.Effect(_("All that is still to pay, if paid on time: %(after)s instead of %(before)s.") % still),
        ]
        return [*told, *effects_of(preview, loan.currency)], preview

    def do(act: Act) -> str:
        serve_loan.propose_correction(
            loan_id=loan.pk,
            key=act.key,
            terms=act.given["terms"],
            reason=act.given["reason"],
            maker=request.user,
            at=institutions.moment(request.institution, clock.now()),
        )
        return _("Proposed: a second person must approve it.")

    form = terms_form.TermsForm(data, terms=bound, currency=loan.currency)
    return run(Act(request, shape, loan, form, effect, do))
