"""How an act on a loan goes: it is asked for on a form, shown with its exact effect, and done when it is confirmed.

Between the two steps the form's answers travel in hidden fields with a key (the same key acts once) and a mark of what
the loan looked like; if the loan has changed since, its new effect is shown before anything is done.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usance.apps.access import selectors as access
from usance.apps.desk import selectors as desk
from usance.apps.payments import selectors as payments
from usance.apps.servicing import drawn, selectors
from usance.core.loan import quote, state
from usance.core.loan.movements import FROM_BUYER, TO_BUYER
from usance.core.refusals import Refusal
from usance.web import components as ui
from usance.web import refusals
from usance.web.staff import loan_forms
from usance.web.staff.loan_effects import difference
from usance.web.staff.loans import found
from usance.web.staff.request import StaffRequest
from usance.workflows import draw_part, loan_course, serve_loan

KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Shape:
    """What an act is called and where it is possible."""

    code: str  # the url's name and the last part of its path
    title: str | Promise
    permission: str
    possible: Callable[[selectors.Loan], bool]
    danger: bool = False
    icon: str = "arrow"


def _is_live(loan: selectors.Loan) -> bool:
    return loan.status in state.LIVE


def _is_due(loan: selectors.Loan) -> bool:
    return _is_live(loan) and loan.due_now_minor > 0


def _has_dates(loan: selectors.Loan) -> bool:
    """Whether an instalment is still to come."""
    return _is_live(loan) and bool(selectors.state_on(loan).due_dates)


def _has_begun(loan: selectors.Loan) -> bool:
    return loan.disbursed_on is not None


def _counts_here(loan: selectors.Loan) -> bool:
    """Whether it runs, or would again: not written off, sold or cancelled."""
    return loan.status in {*state.LIVE, "closed"}


def _may_step_back(loan: selectors.Loan) -> bool:
    """Whether these are the first days, in which a borrower may."""
    return _is_live(loan) and selectors.may_step_back_until(loan) is not None


def _may_be_suspended(loan: selectors.Loan) -> bool:
    then = selectors.state_on(loan) if _is_live(loan) else None
    return then is not None and then.charged_off_on is None and not then.non_accrual_by_hand


def _is_suspended(loan: selectors.Loan) -> bool:
    return _is_live(loan) and selectors.state_on(loan).non_accrual_on is not None


def _may_draw(loan: selectors.Loan) -> bool:
    found = drawn.drawing(loan.pk)
    return found is not None and found.left_minor > 0


def _has_income(loan: selectors.Loan) -> bool:
    """Whether there is income over the term that could be taken back."""
    return _has_begun(loan) and bool(loan_course.incomes(loan.pk))


def _was_paid(loan: selectors.Loan) -> bool:
    """Whether there is a payment that could be disputed."""
    return _counts_here(loan) and bool(loan_course.disputable(loan.pk))


def _owed_by_buyer(loan: selectors.Loan) -> bool:
    return bool(selectors.state_on(loan).balances.get(FROM_BUYER))


def _holds_for_buyer(loan: selectors.Loan) -> bool:
    return bool(selectors.state_on(loan).balances.get(TO_BUYER))


SHAPES = {
    shape.code: shape
    for shape in (
        Shape("draw_part", gettext_lazy("Pay out a further part"), "loan.draw", _may_draw, icon="send"),
        Shape("receive", gettext_lazy("Book a payment received"), "loan.receive_payment", _has_begun, icon="money"),
        Shape("debit", gettext_lazy("Debit the card now"), "collection.work", _is_due, icon="card"),
        Shape("extend_loan", gettext_lazy("Move the due date"), "loan.extend", _is_live, icon="calendar"),
        Shape("waive", gettext_lazy("Forgive part of the debt"), "loan.waive", _is_live, icon="check"),
        Shape("credit", gettext_lazy("Credit the loan"), "loan.waive", _is_live, icon="check"),
        Shape("add_fee", gettext_lazy("Charge a fee or a penalty"), "loan.charge", _counts_here, icon="plus"),
        Shape("defer_income", gettext_lazy("Add income over the term"), "loan.charge", _has_dates, icon="plus"),
        Shape("take_income_back", gettext_lazy("Take back income over the term"), "loan.waive", _has_income,
              icon="back"),
        Shape("penalty", gettext_lazy("Pause or resume penalties"), "loan.waive", _is_live, icon="pause"),
        Shape("rest_interest", gettext_lazy("Pause interest"), "loan.waive", _is_live, icon="pause"),
        Shape("reschedule", gettext_lazy("Change the due dates"), "loan.restructure", _has_dates, icon="calendar"),
        Shape("respread", gettext_lazy("Spread the debt anew"), "loan.restructure", _is_live, icon="calendar"),
        Shape("send_back", gettext_lazy("Send back what was paid in advance"), "payment.approve",
              lambda loan: loan.unapplied_minor > 0, icon="send"),
        Shape("reverse_entry", gettext_lazy("Undo an entry"), "loan.correct", _has_begun, danger=True, icon="back"),
        Shape("charge_back", gettext_lazy("Book a chargeback"), "loan.correct", _was_paid, danger=True, icon="back"),
        Shape("change_rate", gettext_lazy("Change the rate"), "loan.correct", _is_live, icon="scales"),
        Shape("correct_terms", gettext_lazy("Correct the terms"), "loan.correct", _has_begun, icon="edit"),
        Shape("step_back", gettext_lazy("The borrower steps back"), "loan.restructure", _may_step_back, icon="back"),
        Shape("terminate", gettext_lazy("End the contract"), "loan.restructure", _has_dates, danger=True, icon="flag"),
        Shape("non_accrual", gettext_lazy("Put on non-accrual"), "loan.write_off", _may_be_suspended, icon="pause"),
        Shape("accrual", gettext_lazy("Take off non-accrual"), "loan.write_off", _is_suspended, icon="check"),
        Shape("charge_off", gettext_lazy("Take the loan for lost"), "loan.write_off", _is_live, danger=True,
              icon="flag"),
        Shape("write_off", gettext_lazy("Write the loan off"), "loan.write_off", _is_live, danger=True, icon="flag"),
        Shape("sell", gettext_lazy("Sell the loan"), "loan.sell", _is_live, danger=True, icon="flag"),
        Shape("buyer_paid", gettext_lazy("Book money of the buyer"), "loan.sell", _owed_by_buyer, icon="money"),
        Shape("forward", gettext_lazy("Money went on to the buyer"), "loan.sell", _holds_for_buyer, icon="send"),
    )
}  # fmt: skip


def possible(request: StaffRequest, loan: selectors.Loan) -> list[tuple[Shape, str]]:
    """The acts that make sense on the loan and that the person may do to it, with their addresses."""
    return [
        (shape, reverse(f"staff:{shape.code}", args=[loan.pk]))
        for shape in SHAPES.values()
        if shape.permission in request.permissions
        and shape.possible(loan)
        and access.may(request.user, shape.permission, loan.org_path, owner_id=loan.owner_id)
    ]


def proposals(loan: selectors.Loan) -> list[Any]:
    """What about the loan waits for a second person."""
    kinds = (draw_part.DRAW, serve_loan.WAIVE, serve_loan.WRITE_OFF, serve_loan.CHANGE_RATE, serve_loan.CORRECT,
             *loan_course.PROPOSED_AS.values())  # fmt: skip
    return [row for kind in kinds if (row := desk.open_approval(kind, loan.pk))]


# --- the two steps -----------------------------------------------------------------------------------------------

Effect = tuple[Sequence[ui.Effect], quote.Preview | None]


@dataclass(frozen=True, slots=True)
class Act:
    """One act under way: what was answered, by whom, about which loan."""

    request: StaffRequest
    shape: Shape
    loan: selectors.Loan
    form: Any
    effect: Callable[[Act], Effect]  # raises what the loan refuses
    do: Callable[[Act], str]  # gives what to tell

    @property
    def given(self) -> dict[str, Any]:
        answers: dict[str, Any] = self.form.cleaned_data
        return answers

    @property
    def key(self) -> str:
        return str(self.request.POST.get("key", ""))

    @property
    def mark(self) -> str:
        """What the loan looks like now; another mark means that the effect shown may not hold any more."""
        return f"{self.loan.last_event_seq}:{self.request.institution.business_date}"

    @property
    def home(self) -> str:
        return reverse("staff:loan", args=[self.loan.pk])


def run(act: Act) -> HttpResponse:
    """The form, then its effect, then the deed."""
    request, status = act.request, 200
    if request.method == "POST":
        if not KEY.fullmatch(act.key):
            return redirect(request.path)
        if serve_loan.done_before(loan_id=act.loan.pk, key=act.key) or payments.by_key(f"debit:staff:{act.key}"):
            messages.info(request, _("This was done already. Nothing was done twice."))
            return redirect(act.home)
        status = 422
        if act.form.is_valid():
            try:
                return _go_on(act)
            except Refusal as refusal:
                act.form.add_error(None, refusals.sentence(refusal))
    return _ask(act, status)


def _go_on(act: Act) -> HttpResponse:
    effects, preview = act.effect(act)
    if act.request.POST.get("confirmed") == act.mark:
        messages.success(act.request, act.do(act))
        return redirect(act.home)
    return _show_effect(act, effects, preview)


def _ask(act: Act, status: int) -> HttpResponse:
    context = {
        "loan": act.loan,
        "form": act.form,
        "act": act.shape,
        "key": act.key if KEY.fullmatch(act.key) else secrets.token_hex(16),
        "crumbs": _crumbs(act),
        "cancel_url": act.home,
        "figures": _standing(act),
        "impossible": _impossible(act),
    }
    return render(act.request, "staff/loans/act.html", context, status=status)


def _impossible(act: Act) -> str:
    """Why the form is not worth filling in; empty when it is."""
    choices = [field.choices for field in act.form.fields.values() if hasattr(field, "choices")]
    if act.shape.possible(act.loan) and all(choices):
        return ""
    return _("There is nothing to choose from: the loan as it stands does not allow this.")


def _standing(act: Act) -> list[tuple[Any, ui.Money]]:
    """What one must see while answering: what is owed and what waits."""
    loan = act.loan
    shown = [(_("Owed in all"), loan.outstanding_minor), (_("Due now"), loan.due_now_minor)]
    if loan.unapplied_minor:
        shown.append((_("Paid in advance"), loan.unapplied_minor))
    return [(label, ui.Money(minor, loan.currency)) for label, minor in shown]


def _show_effect(act: Act, effects: Sequence[ui.Effect], preview: quote.Preview | None) -> HttpResponse:
    request, loan = act.request, act.loan
    answers = {name: request.POST[name] for name in request.POST if name not in ("csrfmiddlewaretoken", "confirmed")}
    context = {
        "loan": loan,
        "act": act.shape,
        "carried": loan_forms.carrying({**answers, "confirmed": act.mark}),
        "effects": effects,
        "difference": difference(preview, loan.currency) if preview else [],
        "is_stale": bool(request.POST.get("confirmed")),
        "cancel_url": act.home,
        "crumbs": _crumbs(act),
        "confirm_label": act.shape.title,
    }
    return render(request, "staff/loans/confirm.html", context)


def _crumbs(act: Act) -> list[ui.Crumb]:
    return [
        ui.Crumb(_("Loans"), reverse("staff:loans")),
        ui.Crumb(act.loan.number, act.home),
        ui.Crumb(act.shape.title),
    ]


def begin(request: StaffRequest, code: str, loan_id: UUID) -> tuple[Shape, selectors.Loan, Any]:
    shape = SHAPES[code]
    loan = found(request, loan_id, shape.permission)
    return shape, loan, request.POST if request.method == "POST" else None
