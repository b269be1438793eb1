"""Changes that need a second person, and what falls due on a business date, each handed to the app that does it."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from usance.apps.decisioning import services as decisioning
from usance.apps.desk import approvals
from usance.apps.desk import services as desk
from usance.apps.ledger import services as ledger
from usance.apps.origination import services as origination
from usance.apps.products import services as products
from usance.ports.due import Item, handles
from usance.workflows import ask_part, draw_part, import_portfolio, loan_course, serve_loan, take_application

PRODUCT = desk.Kind(
    products.APPROVAL, "product.publish", products.apply_approval, _("Publish a product"), "staff:product_version"
)
RULES = desk.Kind(
    decisioning.APPROVAL, "rules.publish", decisioning.apply_approval, _("Publish decision rules"), "staff:rule_version"
)
UNLOCK = desk.Kind(ledger.UNLOCK, "ledger.unlock", ledger.unlock_period, _("Open a closed period"))
WAIVER = desk.Kind(serve_loan.WAIVE, "loan.approve", serve_loan.apply_waiver, _("Forgive part of a debt"), "staff:loan")
WRITE_OFF = desk.Kind(
    serve_loan.WRITE_OFF, "loan.approve", serve_loan.apply_write_off, _("Write a loan off"), "staff:loan"
)
RATE = desk.Kind(
    serve_loan.CHANGE_RATE, "loan.approve", serve_loan.apply_rate, _("Change the rate of a loan"), "staff:loan"
)
COURSES = [
    desk.Kind(code, "loan.approve", loan_course.apply, title, "staff:loan")
    for code, title in (
        (loan_course.CREDIT, _("Credit a loan")),
        (loan_course.REST, _("Pause interest")),
        (loan_course.DATES, _("Change due dates")),
        (loan_course.SPREAD, _("Spread a debt anew")),
        (loan_course.LOST, _("Take a loan for lost")),
        (loan_course.END, _("End a contract")),
        (loan_course.DISPUTE, _("Book a chargeback")),
        (loan_course.SUSPEND, _("Put a loan on non-accrual")),
        (loan_course.RESTORE, _("Take a loan off non-accrual")),
        (loan_course.SALE, _("Sell a loan")),
        (loan_course.FORWARD, _("Send money on to a buyer")),
        (loan_course.INCOME, _("Add income over the term")),
        (loan_course.INCOME_BACK, _("Take back income over the term")),
    )
]
PART = desk.Kind(
    draw_part.DRAW,
    "payment.approve",
    draw_part.apply,
    _("Pay out a further part of a loan"),
    "staff:loan",
    not_made=ask_part.not_made,
)
CORRECT = desk.Kind(
    serve_loan.CORRECT, "loan.approve", serve_loan.apply_correction, _("Correct the terms of a loan"), "staff:loan"
)
IMPORT = desk.Kind(
    import_portfolio.APPROVAL,
    "loan.approve_import",
    import_portfolio.apply_approval,
    _("Take in loans from another system"),
    "staff:import",
)

for kind in (PRODUCT, RULES, UNLOCK, WAIVER, WRITE_OFF, IMPORT, RATE, CORRECT, PART, *COURSES):
    desk.register(kind)


@handles(origination.EXPIRE_OFFER)
def expire_offer(item: Item, moment: datetime) -> str:
    return take_application.sweep_offer(subject_id=item.subject_id, due_on=item.due_on)


@handles(origination.EXPIRE_APPLICATION)
def expire_application(item: Item, moment: datetime) -> str:
    return take_application.sweep(subject_id=item.subject_id, due_on=item.due_on, moment=moment)


@handles(desk.WAKE)
def wake(item: Item, moment: datetime) -> str:
    return desk.wake(item.subject_id, moment)


@handles(approvals.EXPIRE)
def expire(item: Item, moment: datetime) -> str:
    return approvals.expire(item.subject_id, moment)
