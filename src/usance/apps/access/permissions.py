"""The one table of what may be done, by which roles, and what may never meet in one person.

A permission is `area.action`. To add one: a line in PERMISSIONS, its place in ROLES, and `@permit.staff("area.action")`
on the views that need it; the route test does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PERMISSIONS: Mapping[str, Promise] = {
    "desk.work": _("Take cases from the queues"),
    "desk.supervise": _("Give cases to others and see everyone's queue"),
    "approval.view": _("See changes that wait for a second person"),
    "application.view": _("See applications"),
    "application.decide": _("Approve, decline or send back an application"),
    "customer.view": _("See customers, personal data masked"),
    "customer.unmask": _("See personal data in full"),
    "customer.edit": _("Correct a customer's data"),
    "customer.approve": _("Confirm a customer's new phone number that a colleague entered"),
    "customer.block": _("Put on or take off the blacklist"),
    "customer.protect": _("Record that the law protects a customer, and end it"),
    "customer.erase": _("Erase a person's data"),
    "customer.confirm_erasure": _("Confirm the erasure of a person that a colleague proposed"),
    "loan.view": _("See loans"),
    "loan.draw": _("Propose to pay out a further part of a loan"),
    "loan.receive_payment": _("Book a payment received"),
    "loan.extend": _("Extend a loan"),
    "loan.correct": _("Reverse or back-date what was booked, propose another rate or corrected terms"),
    "loan.waive": _("Forgive interest, fees or penalties"),
    "loan.write_off": _("Write a loan off"),
    "loan.sell": _("Propose to sell a loan, and settle with its buyer"),
    "loan.charge": _("Add an agreed fee to a loan"),
    "loan.restructure": _("Change due dates, spread a debt anew, end a contract"),
    "loan.approve": _("Approve what a colleague proposed for a loan: write-offs, large waivers, rates, terms, dates"),
    "loan.view_imports": _("See portfolios that came in from other systems"),
    "loan.import": _("Bring in loans from another system"),
    "loan.approve_import": _("Confirm loans from another system that a colleague brought in"),
    "payment.view": _("See payments and instructions of money"),
    "payment.approve": _("Approve money going out"),
    "payment.resolve": _("Settle instructions and receipts that do not match"),
    "collection.view": _("See loans past due"),
    "collection.work": _("Collect: contact people, take promises, debit cards"),
    "collection.place": _("Place cases with an agency"),
    "commission.approve": _("Approve commissions of agencies and partners"),
    "partner.view": _("See partners"),
    "partner.create": _("Create partners"),
    "product.view": _("See products and prices"),
    "product.edit": _("Prepare versions of products"),
    "product.publish": _("Publish versions of products"),
    "rules.view": _("See decision rules"),
    "rules.edit": _("Prepare versions of decision rules"),
    "rules.publish": _("Publish versions of decision rules"),
    "ledger.view": _("See the books"),
    "ledger.post": _("Post a manual entry"),
    "ledger.lock": _("Lock periods, propose to open them"),
    "ledger.unlock": _("Agree that a locked period is opened"),
    "close.run": _("End the business day"),
    "message.view": _("See messages"),
    "message.send": _("Write to a customer"),
    "message.edit": _("Change the texts of messages"),
    "document.view": _("See documents"),
    "report.view": _("See the dashboard and reports"),
    "job.view": _("See jobs that failed"),
    "job.retry": _("Run a failed job again"),
    "institution.view": _("See the institution's settings"),
    "institution.edit": _("Change the institution's settings, units and calendar"),
    "user.view": _("See users and roles"),
    "user.manage": _("Invite, change and deactivate users"),
    "role.approve": _("Confirm roles, grants and resets that another administrator proposed"),
    "audit.view": _("See the audit trail"),
    "audit.export": _("Export and verify the audit trail"),
}


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    name: Promise
    permissions: frozenset[str]


def _role(name: Promise, *permissions: str) -> RoleDefinition:
    return RoleDefinition(name, frozenset(permissions))


_LOANS = ("customer.view", "application.view", "loan.view", "payment.view", "message.view", "document.view")

ROLES: Mapping[str, RoleDefinition] = {
    "administrator": _role(
        _("Administrator"),
        *("institution.view", "institution.edit", "user.view", "user.manage", "role.approve", "approval.view"),
        *("report.view", "job.view", "job.retry", "close.run", "audit.view", "customer.confirm_erasure"),
        *("loan.import", "loan.view_imports"),
    ),
    "product_manager": _role(
        _("Product manager"),
        *("product.view", "product.edit", "rules.view", "rules.edit", "message.edit", "message.view"),
        *("approval.view", "report.view", "partner.view", "partner.create", "institution.view"),
    ),
    "underwriter": _role(
        _("Underwriter"),
        *_LOANS,
        *("desk.work", "application.decide", "customer.unmask", "customer.edit", "product.view", "rules.view"),
        *("message.send", "report.view", "loan.draw"),
    ),
    "cashier": _role(
        _("Cashier"),
        *_LOANS,
        *("loan.receive_payment", "payment.approve", "payment.resolve", "desk.work", "approval.view"),
    ),
    "accountant": _role(
        _("Accountant"),
        *_LOANS,
        *(
            "ledger.view",
            "ledger.post",
            "ledger.lock",
            "ledger.unlock",
            "loan.correct",
            "loan.waive",
            "loan.write_off",
            "loan.sell",
            "close.run",
        ),
        *("loan.charge", "loan.restructure", "loan.approve", "loan.approve_import", "loan.view_imports"),
        *("payment.resolve", "commission.approve", "approval.view", "report.view", "job.view"),
    ),
    "collector": _role(
        _("Collector"),
        *_LOANS,
        *("collection.view", "collection.work", "collection.place", "loan.extend", "customer.unmask"),
        *("message.send", "desk.work", "product.view"),
    ),
    "customer_service": _role(
        _("Customer service"),
        *_LOANS,
        *("customer.edit", "customer.unmask", "loan.extend", "message.send", "desk.work", "product.view"),
        *("customer.approve", "approval.view", "customer.protect"),
    ),
    "compliance": _role(
        _("Compliance"),
        *_LOANS,
        *(
            "customer.unmask",
            "customer.block",
            "customer.protect",
            "customer.erase",
            "customer.approve",
            "product.view",
            "product.publish",
            "rules.view",
        ),
        *("rules.publish", "collection.view", "approval.view", "desk.work", "desk.supervise", "report.view"),
        *("audit.view", "audit.export", "user.view", "institution.view", "ledger.view", "partner.view"),
        *("loan.approve", "customer.confirm_erasure", "loan.view_imports", "ledger.unlock"),
    ),
    "auditor": _role(
        _("Auditor"),
        *_LOANS,
        *("collection.view", "product.view", "rules.view", "ledger.view", "report.view", "audit.view"),
        *("audit.export", "user.view", "institution.view", "approval.view", "job.view", "partner.view"),
        *("loan.view_imports",),
    ),
}

# the two hands of one act: no person may hold both, through whatever roles
PAIRS: tuple[tuple[str, str], ...] = (
    ("partner.create", "payment.approve"),
    ("rules.edit", "rules.publish"),
    ("product.edit", "product.publish"),
    ("loan.waive", "collection.work"),
    ("loan.approve", "collection.work"),
    ("loan.restructure", "collection.work"),
    ("collection.place", "commission.approve"),
    ("loan.import", "loan.approve_import"),
)
# whoever holds these can give rights to others: a second administrator confirms
GIVES_RIGHTS = frozenset({"user.manage", "role.approve"})


def meeting(permissions: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of which both hands are among the permissions."""
    held = set(permissions)
    return [pair for pair in PAIRS if held.issuperset(pair)]


def needs_second_person(permissions: Iterable[str]) -> bool:
    """Whether giving these permissions to someone must be confirmed by another administrator."""
    held = set(permissions)
    return bool(held & GIVES_RIGHTS) or any(hand in held for pair in PAIRS for hand in pair)
