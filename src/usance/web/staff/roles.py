"""Roles of the institution: what each may do, and how that changes by two people."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from usance.apps.access import permissions, selectors
from usance.apps.desk import selectors as desk
from usance.apps.institutions import selectors as institutions
from usance.ports import clock
from usance.web import components as ui
from usance.web import permits
from usance.web.staff.people import ReasonForm
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.workflows import staff_rights

AREAS = {
    "desk": gettext_lazy("Queues"),
    "approval": gettext_lazy("Two-person changes"),
    "application": gettext_lazy("Applications"),
    "customer": gettext_lazy("Customers"),
    "loan": gettext_lazy("Loans"),
    "payment": gettext_lazy("Payments"),
    "collection": gettext_lazy("Collections"),
    "commission": gettext_lazy("Commissions"),
    "partner": gettext_lazy("Partners"),
    "product": gettext_lazy("Products"),
    "rules": gettext_lazy("Decision rules"),
    "ledger": gettext_lazy("Books"),
    "close": gettext_lazy("End of day"),
    "message": gettext_lazy("Messages"),
    "document": gettext_lazy("Documents"),
    "report": gettext_lazy("Reports"),
    "job": gettext_lazy("Jobs"),
    "institution": gettext_lazy("Institution"),
    "user": gettext_lazy("People"),
    "role": gettext_lazy("Roles"),
    "audit": gettext_lazy("Audit"),
}


class RoleForm(ReasonForm):
    codes = forms.MultipleChoiceField(label=gettext_lazy("This role may"), widget=forms.CheckboxSelectMultiple)
    field_order = ("codes", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        areas: dict[Any, list[tuple[str, Any]]] = {}
        for code, words in permissions.PERMISSIONS.items():
            areas.setdefault(AREAS[code.split(".")[0]], []).append((code, words))
        self.fields["codes"].choices = list(areas.items())  # type: ignore[attr-defined]


@permits.staff("user.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    columns = [
        ui.Column("name", _("Role")),
        ui.Column("holders", _("People"), numeric=True),
        ui.Column("permissions", _("Permissions"), numeric=True),
    ]
    rows = [
        ui.Row([one.title, one.holder_count, len(one.permissions)], href=reverse("staff:role", args=[one.pk]))
        for one in selectors.roles()
    ]
    table = ui.DataTable(_("Roles"), columns, rows, ui.Empty(_("No roles yet")))
    return render(request, "staff/people/roles.html", {"table": table})


@permits.staff("user.view")
@require_GET
def show(request: StaffRequest, role_id: UUID) -> HttpResponse:
    """What a role may do, by area, and what it may never be joined with."""
    found = _role(role_id)
    areas = defaultdict(list)
    for line in selectors.permission_lines(found):
        areas[AREAS[line.code.split(".")[0]]].append(line)
    words = permissions.PERMISSIONS
    pairs = [
        (words[mine], words[other])
        for pair in permissions.PAIRS
        for mine, other in (pair, pair[::-1])
        if mine in found.permissions
    ]
    context = {
        "role": found,
        "areas": [(area, lines) for area, lines in areas.items() if any(line.held for line in lines)],
        "pairs": pairs,
        "waiting": desk.open_approval(staff_rights.ROLE, found.pk),
    }
    return render(request, "staff/people/role.html", context)


@permits.staff("user.manage")
@require_http_methods(["GET", "POST"])
def edit(request: StaffRequest, role_id: UUID) -> HttpResponse:
    """Proposes another set of permissions; a second administrator confirms it."""
    found = _role(role_id)

    def submit(form: Any) -> HttpResponse:
        staff_rights.change_role(
            role_id=found.pk,
            codes=form.cleaned_data["codes"],
            maker=request.user,
            at=institutions.moment(request.institution, clock.now()),
            reason=form.cleaned_data["reason"],
        )
        messages.success(request, _("Proposed: another administrator must confirm it."))
        return redirect("staff:role", role_id=found.pk)

    form = RoleForm(sent(request), initial={"codes": found.permissions})
    return answer(request, "staff/people/edit_role.html", form, submit, field="codes", role=found)


def _role(role_id: UUID) -> Any:
    try:
        return selectors.role(role_id)
    except ObjectDoesNotExist:
        raise Http404 from None
