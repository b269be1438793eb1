"""Changes that wait for a second person: what is proposed, what it would change, yes or no."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from usance.apps.access import selectors as access
from usance.apps.access.permissions import PERMISSIONS
from usance.apps.customers import selectors as customers
from usance.apps.desk import kinds, selectors
from usance.apps.desk import services as desk
from usance.apps.institutions import selectors as institutions
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import staff
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits, refusals
from usance.web.staff import differences
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import sent

STATES = {
    "proposed": ui.Tag(gettext_lazy("Waiting"), "warn"),
    "approved": ui.Tag(gettext_lazy("Approved"), "good"),
    "rejected": ui.Tag(gettext_lazy("Rejected"), "bad"),
    "withdrawn": ui.Tag(gettext_lazy("Withdrawn"), "neutral"),
    "expired": ui.Tag(gettext_lazy("Expired"), "neutral"),
}
EMPTY = {
    "mine": ui.Empty(
        gettext_lazy("Nothing waits for you"),
        gettext_lazy("What a colleague proposes and you may decide stands here until somebody has decided."),
        icon="check",
    ),
    "sent": ui.Empty(
        gettext_lazy("You have proposed nothing"),
        gettext_lazy("What you propose stands here until a second person has decided."),
    ),
    "done": ui.Empty(gettext_lazy("Nothing was decided yet"), gettext_lazy("Decisions stay here with their reasons.")),
}


class DecisionForm(house.Form):
    note = forms.CharField(label=gettext_lazy("Note"), max_length=500, required=False, widget=forms.Textarea)

    def __init__(self, *args: Any, verdict: str = "", asked_by: UUID | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.verdict = verdict
        if asked_by is not None:
            self.fields["note"].help_text = _("If you reject it, the customer reads this: write it to them.")

    def clean_note(self) -> str:
        note = str(self.cleaned_data["note"]).strip()
        if self.verdict == "reject" and not note:
            raise forms.ValidationError(_("Say why you reject it, so that it can be put right."))
        return note


@permits.staff("approval.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Three lists: for me, by me, decided."""
    view = request.GET.get("view", "mine")
    found = {"sent": selectors.proposals_of(request.user), "done": selectors.decided()}.get(
        view, selectors.approvals_for(request.user)
    )
    page = pages.of(request, found.filter(access.scope_filter(request.user, "approval.view", owner="maker_id")))
    columns = [
        ui.Column("title", pgettext("noun", "Change")),
        ui.Column("about", _("About")),
        ui.Column("maker", _("Proposed by")),
        ui.Column("since", _("Proposed")),
        ui.Column("until", _("Until")),
        ui.Column("state", _("State")),
    ]
    rows = [
        ui.Row(
            [title_of(one), one.reference, _proposer(one), one.proposed_at, one.expires_on, STATES[one.state]],
            href=reverse("staff:approval", args=[one.pk]),
        )
        for one in page.object_list
    ]
    table = ui.DataTable(_("Changes"), columns, rows, EMPTY.get(view, EMPTY["mine"]), page=page, query={"view": view})
    names = (("mine", _("For me")), ("sent", _("Proposed by me")), ("done", _("Decided")))
    tabs = [ui.Tab(words, f"?view={code}", current=code == view) for code, words in names]
    return render(request, "staff/people/approvals.html", {"table": table, "views": tabs})


@permits.staff("approval.view")
@require_http_methods(["GET", "POST"])
def show(request: StaffRequest, approval_id: UUID) -> HttpResponse:
    """One change with its difference. Whoever proposed it is never asked."""
    row = _found(request, approval_id)
    verdict = request.POST.get("verdict", "")
    form = DecisionForm(sent(request), verdict=verdict, asked_by=row.asked_by)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _decide(request, row, verdict, form.cleaned_data["note"])
            except Refusal as refusal:
                form.add_error(None, refusals.sentence(refusal))
                row = _found(request, approval_id)
    kind = kinds.of(row.kind)
    mine = row.maker_id == request.user.pk
    context = {
        "approval": row,
        "form": form,
        "title": title_of(row),
        "state": STATES[row.state],
        "difference": differences.of(row, request.institution)
        or [_difference(line) for line in selectors.changes(row)],
        "is_mine": mine,
        "sees_customer": "customer.view" in request.permissions,
        "customer": customers.party_row(row.asked_by) if row.asked_by else None,
        "may_decide": row.state == "proposed" and not mine and access.may(request.user, kind.permission, row.org_path),
        "subject_url": _subject_url(kind, row),
        "right": PERMISSIONS[kind.permission],
        "deciders": _deciders(kind, row) if mine else (),
    }
    return render(request, "staff/people/approval.html", context, status=status)


@permits.staff("approval.view")
@require_POST
def withdraw(request: StaffRequest, approval_id: UUID) -> HttpResponse:
    """Whoever proposed a change takes it back."""
    desk.withdraw(approval_id=_found(request, approval_id).pk, actor=staff(request.user.pk), at=_moment(request))
    messages.success(request, _("The proposal is withdrawn."))
    return redirect("staff:approvals")


def _decide(request: StaffRequest, row: Any, verdict: str, note: str) -> HttpResponse:
    at = _moment(request)
    if verdict == "approve":
        desk.approve(approval_id=row.pk, checker=request.user, at=at, note=note)
        messages.success(request, _("Approved: the change is made."))
    else:
        desk.reject(approval_id=row.pk, checker=request.user, at=at, note=note)
        messages.success(request, _("Rejected: nothing was changed."))
    return redirect("staff:approvals")


def _deciders(kind: kinds.Kind, row: Any) -> list[str]:
    """Who else could decide, by name."""
    return [one.name for one in access.who_may(kind.permission, row.org_path) if one.pk != row.maker_id]


def _proposer(row: Any) -> str:
    """A colleague by name; a customer by what they are."""
    return str(row.maker.name) if row.maker else _("The customer")


def title_of(row: Any) -> str:
    return str(kinds.of(row.kind).title)


def _moment(request: StaffRequest) -> Any:
    return institutions.moment(request.institution, clock.now())


def _found(request: StaffRequest, approval_id: UUID) -> Any:
    try:
        row = selectors.approval(approval_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    if not access.may(request.user, "approval.view", row.org_path, owner_id=row.maker_id):
        raise Http404
    return row


FIELDS = {
    "permissions": gettext_lazy("Permissions"),
    "roles": gettext_lazy("Roles now"),
    "role": gettext_lazy("New role"),
    "org_path": gettext_lazy("Unit"),
    "scope": gettext_lazy("Reaches"),
    "second_factor": gettext_lazy("Second factor"),
}


def _difference(line: selectors.ChangeLine) -> ui.DiffRow:
    """Of two lists, what goes and what comes; of permissions, their words."""
    before, after = line.before, line.after
    if isinstance(before, list) and isinstance(after, list):
        before, after = [one for one in before if one not in after], [one for one in after if one not in before]
    return ui.DiffRow(FIELDS.get(line.field, line.field), _shown(before), _shown(after))


def _shown(value: object) -> object:
    if isinstance(value, list):
        return "; ".join(str(PERMISSIONS.get(one, one)) if isinstance(one, str) else str(one) for one in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value


def _subject_url(kind: kinds.Kind, row: Any) -> str:
    if not kind.page:
        return ""
    try:
        return reverse(kind.page, args=[str(row.subject_id).split(":")[0]])
    except NoReverseMatch:
        return ""
