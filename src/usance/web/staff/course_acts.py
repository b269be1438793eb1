"""Acts that change the course of a loan: each is a form and the one event of the engine that its answers mean. Asking,
showing the exact effect and doing are the same for all; see act_steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from usance.apps.institutions import selectors as institutions
from usance.apps.servicing import selectors
from usance.core.loan import events
from usance.ports import clock
from usance.web import components as ui
from usance.web import permits
from usance.web.staff import course_forms, sale_forms
from usance.web.staff.act_steps import SHAPES, Act, Effect, begin, run
from usance.web.staff.loan_effects import effects_of
from usance.web.staff.request import StaffRequest
from usance.workflows import loan_course, serve_loan

Given = Mapping[str, Any]
Common = Mapping[str, Any]  # effective_on and source of the event


@dataclass(frozen=True, slots=True)
class Course:
    """What is asked, the event that it means, what to know before one confirms, and what is said afterwards."""

    form: Callable[..., Any]
    event: Callable[[Given, Common], events.Event]
    done: Any
    told: Sequence[tuple[Any, ui.Tone]] = ()


def _charge(given: Given, common: Common) -> events.Event:
    return events.Charged(
        balance=given["balance"],
        amount_minor=given["amount"],
        due_on=given["due_on"],
        reason=given["reason"],
        **common,
    )


def _credit(given: Given, common: Common) -> events.Event:
    return events.Credited(
        amount_minor=given["amount"],
        reason=given["credit"],
        interest_too=given["interest_too"],
        why=given["reason"],
        **common,
    )


def _income(given: Given, common: Common) -> events.Event:
    return events.IncomeDeferred(
        amount_minor=given["amount"], owed_by=given["owed_by"], reason=given["reason"], **common
    )


def _income_back(given: Given, common: Common) -> events.Event:
    """The form knows by whom it was owed."""
    return events.IncomeTakenBack(
        amount_minor=given["amount"],
        owed_by=given["owed_by"],
        income=given["income"],
        reason=given["reason"],
        **common,
    )


def _rest(given: Given, common: Common) -> events.Event:
    return events.InterestPaused(since=given["since"], until=given["until"], reason=given["reason"], **common)


def _dates(given: Given, common: Common) -> events.Event:
    moved_from = given["moved_from"]
    return events.Rescheduled(
        moved_from=date.fromisoformat(moved_from) if moved_from else None,
        moved_to=given["moved_to"],
        more=given["more"],
        reason=given["reason"],
        **common,
    )


def _spread(given: Given, common: Common) -> events.Event:
    return events.Respread(
        interest=given["how"],
        start_on=given["start_on"],
        count=given["count"] or 0,
        every=given["every"],
        unit=given["unit"],
        reason=given["reason"],
        **common,
    )


def _dispute(given: Given, common: Common) -> events.Event:
    return events.ChargedBack(
        balance=given["balance"],
        amount_minor=given["amount"],
        payment=given["payment"],
        reason=given["reason"],
        source=common["source"],
        effective_on=given["value_on"],
    )


def _sale(given: Given, common: Common) -> events.Event:
    return events.Sold(
        buyer=given["buyer"],
        contact=given["contact"],
        price_minor=given["amount"],
        reason=given["reason"],
        source=common["source"],
        effective_on=given["value_on"],
    )


def _with_buyer(kind: type[events.BuyerPaid | events.Forwarded]) -> Callable[[Given, Common], events.Event]:
    return lambda given, common: kind(
        amount_minor=given["amount"],
        reason=given["reason"],
        source=common["source"],
        effective_on=given["value_on"],
    )


COURSES: Mapping[str, Course] = {
    "add_fee": Course(course_forms.ChargeForm, _charge, gettext_lazy("It is charged.")),
    "credit": Course(
        course_forms.CreditForm,
        _credit,
        gettext_lazy("It is credited."),
        [(gettext_lazy("The debt becomes smaller without money of the customer."), "info")],
    ),
    "rest_interest": Course(
        course_forms.RestForm,
        _rest,
        gettext_lazy("These nights bear no interest."),
        [(gettext_lazy("No interest is earned in these nights; it is not made up for later."), "info")],
    ),
    "reschedule": Course(course_forms.DatesForm, _dates, gettext_lazy("The due dates are changed.")),
    "respread": Course(
        course_forms.SpreadForm,
        _spread,
        gettext_lazy("The debt is spread anew."),
        [(gettext_lazy("What is past due now becomes part of the instalments to come."), "warn")],
    ),
    "charge_off": Course(
        course_forms.WhyForm,
        lambda given, common: events.ChargedOff(reason=given["reason"], **common),
        gettext_lazy("The loan is taken for lost."),
        [
            (
                gettext_lazy("The claim stays, and payments count as before. What else follows is in the agreement."),
                "warn",
            )
        ],
    ),
    "non_accrual": Course(
        course_forms.WhyForm,
        lambda given, common: events.PutOnNonAccrual(reason=given["reason"], **common),
        gettext_lazy("The loan is on non-accrual."),
        [(gettext_lazy("Nothing changes for the borrower. It stays so until a colleague takes it off again."), "info")],
    ),
    "accrual": Course(
        course_forms.WhyForm,
        lambda given, common: events.RestoredToAccrual(reason=given["reason"], **common),
        gettext_lazy("The loan is off non-accrual."),
        [(gettext_lazy("What was suspended becomes income at once, though it is not paid yet."), "warn")],
    ),
    "defer_income": Course(
        course_forms.IncomeForm,
        _income,
        gettext_lazy("It is earned until the last due date."),
        [(gettext_lazy("Each day until the last due date earns an equal part of it."), "info")],
    ),
    "take_income_back": Course(
        course_forms.IncomeBackForm,
        _income_back,
        gettext_lazy("It is taken back."),
        [(gettext_lazy("What the borrower owed of it counts as paid."), "info")],
    ),
    "charge_back": Course(
        course_forms.DisputeForm,
        _dispute,
        gettext_lazy("The chargeback is booked."),
        [(gettext_lazy("The money is gone from our account; the customer owes it again."), "warn")],
    ),
    "step_back": Course(
        course_forms.WhyForm,
        lambda given, common: events.Withdrawn(reason=given["reason"], **common),
        gettext_lazy("The borrower has stepped back."),
        [
            (
                gettext_lazy(
                    "Fees are given back. What was received is due with the interest of the days it was used, "
                    "within the days that the agreement gives."
                ),
                "info",
            )
        ],
    ),
    "sell": Course(
        sale_forms.SellForm,
        _sale,
        gettext_lazy("The loan is sold."),
        [
            (
                gettext_lazy(
                    "All that is owed leaves our books, and the buyer owes us the price. The borrower is told; nothing "
                    "is asked for or debited any more, and what they pay after this day is sent on to the buyer."
                ),
                "bad",
            )
        ],
    ),
    "buyer_paid": Course(
        sale_forms.BuyerPaidForm, _with_buyer(events.BuyerPaid), gettext_lazy("The money of the buyer is booked.")
    ),
    "forward": Course(
        sale_forms.ForwardForm,
        _with_buyer(events.Forwarded),
        gettext_lazy("It is booked as sent on."),
        [(gettext_lazy("This only records it: send the money at the bank."), "info")],
    ),
    "terminate": Course(
        course_forms.WhyForm,
        lambda given, common: events.Terminated(reason=given["reason"], **common),
        gettext_lazy("The contract is ended."),
        [(gettext_lazy("All that is left falls due today, and is past due tomorrow."), "bad")],
    ),
}


def _view(code: str) -> Callable[..., HttpResponse]:
    course = COURSES[code]

    @permits.staff(SHAPES[code].permission)
    @require_http_methods(["GET", "POST"])
    def view(request: StaffRequest, loan_id: UUID) -> HttpResponse:
        shape, loan, data = begin(request, code, loan_id)
        today = request.institution.business_date

        def event_of(act: Act) -> events.Event:
            event = course.event(act.given, {"effective_on": today, "source": serve_loan.source_of(act.key)})
            return loan_course.dated(event, today)

        def effect(act: Act) -> Effect:
            event = event_of(act)
            preview = selectors.preview(loan_id=loan.pk, event=event)
            told = [ui.Effect(words, tone) for words, tone in course.told]
            if loan_course.needs_second(loan, event):
                told.insert(0, ui.Effect(_("A second person must approve this; until then nothing changes."), "warn"))
            return [*told, *effects_of(preview, loan.currency)], preview

        def do(act: Act) -> str:
            waits = loan_course.happen(
                loan_id=loan.pk,
                event=event_of(act),
                reason=act.given["reason"],
                maker=request.user,
                at=institutions.moment(request.institution, clock.now()),
            )
            return _("Proposed: a second person must approve it.") if waits else str(course.done)

        return run(Act(request, shape, loan, course.form(data, loan=loan, today=today), effect, do))

    view.__name__ = view.__qualname__ = code
    return view


add_fee, credit, rest_interest = _view("add_fee"), _view("credit"), _view("rest_interest")
reschedule, respread = _view("reschedule"), _view("respread")
charge_off, terminate, charge_back = _view("charge_off"), _view("terminate"), _view("charge_back")
step_back, non_accrual, accrual = _view("step_back"), _view("non_accrual"), _view("accrual")
sell, buyer_paid, forward = _view("sell"), _view("buyer_paid"), _view("forward")
defer_income, take_income_back = _view("defer_income"), _view("take_income_back")
