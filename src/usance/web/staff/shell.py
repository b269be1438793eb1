"""The frame of the desk's pages: the side bar that each person sees, who they are, and the way out.

A new page gets a line in SECTIONS: words, url name, sign, and the permission that its view needs.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usance.apps.access import selectors
from usance.apps.desk import selectors as desk
from usance.web import components as ui
from usance.workflows.changed_channels import SECURITY
from usance.workflows.take_application import UNDERWRITING

Entry = tuple[Promise, str, str, str]  # words, url name, sign, permission ("": any member of staff)

SECTIONS: list[tuple[Promise, list[Entry]]] = [
    (_("Overview"), [(_("Dashboard"), "staff:dashboard", "chart", "report.view")]),
    (
        _("Work"),
        [
            (_("Queue"), "staff:queue", "tray", "application.decide"),
            (_("Approvals"), "staff:approvals", "check", "approval.view"),
        ],
    ),
    (
        _("Registers"),
        [
            (_("Applications"), "staff:applications", "document", "application.view"),
            (_("Customers"), "staff:customers", "person", "customer.view"),
            (_("Changed phones and cards"), "staff:changes", "shield", "customer.edit"),
            (_("Messages"), "staff:messages", "mail", "message.view"),
        ],
    ),
    (
        _("Lending"),
        [
            (_("Loans"), "staff:loans", "bank", "loan.view"),
            (_("Past due"), "staff:past_due", "flag", "collection.view"),
            (_("Payments"), "staff:payments", "card", "payment.view"),
            (_("Imports"), "staff:imports", "tray", "loan.view_imports"),
        ],
    ),
    (
        _("House"),
        [
            (_("Products"), "staff:products", "scales", "product.view"),
            (_("Decision rules"), "staff:rules", "rule", "rules.view"),
            (_("Books"), "staff:books", "book", "ledger.view"),
            (_("Day and close"), "staff:clock", "calendar", "close.run"),
        ],
    ),
    (
        _("Administration"),
        [
            (_("Institution"), "staff:institution", "settings", "institution.view"),
            (_("Audit trail"), "staff:trail", "shield", "audit.view"),
            (_("Failed jobs"), "staff:jobs", "alert", "job.view"),
            (_("People"), "staff:people", "people", "user.view"),
            (_("Roles"), "staff:roles", "key", "user.view"),
        ],
    ),
]


def frame(request: HttpRequest) -> dict[str, Any]:
    """What layouts/staff.html wants; empty for anyone who is not signed in as staff."""
    if getattr(request, "staff_session", None) is None:
        return {}
    roles = sorted({grant.role.title for grant in selectors.grants_of(request.user)})  # type: ignore[arg-type]
    return {
        "nav": ui.marked(_sections(request), path=request.path),
        "staff_user": {"name": str(request.user), "role": ", ".join(roles)},
        "logout_url": reverse("staff:sign_out"),
        "account_url": reverse("staff:account"),
        "search_url": reverse("staff:customers") if "customer.view" in request.permissions else "",  # type: ignore[attr-defined]
    }


def _sections(request: HttpRequest) -> list[ui.NavSection]:
    held: frozenset[str] = request.permissions  # type: ignore[attr-defined]
    found = []
    for label, entries in SECTIONS:
        items = [
            ui.NavItem(words, address, sign, count=_count(request, name))
            for words, name, sign, permission in entries
            if (not permission or permission in held) and (address := _address(name))
        ]
        if items:
            found.append(ui.NavSection(label, items))
    return found


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _count(request: HttpRequest, name: str) -> int | None:
    if name == "staff:queue":
        return desk.queue([UNDERWRITING], request.user).filter(owner__isnull=True).count() or None  # type: ignore[arg-type]
    if name == "staff:changes":
        return desk.queue([SECURITY], request.user).filter(owner__isnull=True).count() or None  # type: ignore[arg-type]
    if name != "staff:approvals":
        return None
    return desk.approvals_for(request.user).count() or None  # type: ignore[arg-type]
