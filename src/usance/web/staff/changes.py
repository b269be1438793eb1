"""Changed phone numbers and payout cards: those that wait, and those of which a customer says "this was not me"."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from usance.apps.access import selectors as access
from usance.apps.audit import services as audit
from usance.apps.customers import channels
from usance.apps.customers import selectors as customers
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.payments import selectors as payments
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits
from usance.web.staff import clocks, masks, vocabulary
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.workflows import changed_channels
from usance.workflows.changed_channels import SECURITY

KIND = {"phone": gettext_lazy("Phone number"), "card": gettext_lazy("Payout card")}
VIEWS = (
    ("reported", gettext_lazy("“This was not me”")),
    ("waiting", gettext_lazy("Waiting")),
    ("all", gettext_lazy("All")),
)
EMPTY = {
    "reported": (
        gettext_lazy("Nobody complains"),
        gettext_lazy("When a customer says that a new phone number or card is not theirs, it stands here at once."),
    ),
    "waiting": (gettext_lazy("Nothing waits"), gettext_lazy("A new phone number or payout card waits a day here.")),
    "all": (gettext_lazy("No changes yet"), gettext_lazy("New phone numbers and payout cards are listed here.")),
}


class ReviewForm(house.Form):
    verdict = house.CardChoiceField(
        label=gettext_lazy("What did you find?"),
        choices=[
            (channels.THEFT, gettext_lazy("It was not the customer: all stays stopped")),
            (channels.MISTAKE, gettext_lazy("It was the customer after all")),
        ],
    )
    note = forms.CharField(
        label=gettext_lazy("How do you know?"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )


@permits.staff("customer.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Reported ones first: the clock that runs out first on top."""
    view = request.GET.get("view", "reported")
    view = view if view in EMPTY else "reported"
    found = channels.changes(access.scope_filter(request.user, "customer.view"))
    if view == "reported":
        found = found.filter(reported_at__isnull=False, reviewed_at__isnull=True).order_by("reported_at", "id")
    elif view == "waiting":
        found = found.filter(state=channels.State.WAITING, counts_from__gt=clocks.moment(request))
    page = pages.of(request, found)
    rows = list(page.object_list)
    people = customers.summaries(row.party_id for row in rows)
    columns = [
        ui.Column("what", _("What")),
        ui.Column("customer", _("Customer")),
        ui.Column("state", _("State")),
        ui.Column("clock", _("Clock")),
        ui.Column("from", _("Counts from")),
        ui.Column("owner", _("Who has it")),
    ]
    title, body = EMPTY[view]
    table = ui.DataTable(
        _("Changed phone numbers and cards"),
        columns,
        [_row(request, row, people[row.party_id]) for row in rows],
        ui.Empty(title, body, icon="shield"),
        page=page,
        query={"view": view},
    )
    tabs = [ui.Tab(words, f"?view={code}", current=code == view) for code, words in VIEWS]
    return render(request, "staff/changes/index.html", {"table": table, "views": tabs})


def _row(request: StaffRequest, row: Any, person: Any) -> ui.Row:
    item = desk_view.item_of(SECURITY, row.pk) if row.reported_at else None
    return ui.Row(
        [
            KIND[row.kind],
            person.name or person.reference,
            state_of(row, clocks.moment(request)),
            clocks.badge(desk_view.clock(item, clocks.moment(request))) if item else "",
            row.counts_from,
            item.owner.name if item and item.owner else "",
        ],
        href=reverse("staff:change", args=[row.pk]),
    )


def state_of(row: Any, moment: Any) -> ui.Tag:
    """Where a change stands, in a word."""
    if row.reported_at and not row.reviewed_at:
        return ui.Tag(_("“This was not me”"), "bad")
    if row.verdict == channels.THEFT:
        return ui.Tag(_("Not the customer"), "bad")
    if row.state == channels.State.STOPPED:
        return ui.Tag(_("Stopped"), "neutral")
    if row.state == channels.State.FAILED:
        return ui.Tag(_("Number is somebody else's"), "bad")
    if row.state == channels.State.WAITING and moment < row.counts_from:
        return ui.Tag(_("Waits"), "warn")
    return ui.Tag(_("Counts"), "good")


@permits.staff("customer.view")
@require_GET
def show(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """One change: what, since when, who asked, where it stands; and for whoever has the case, the verdict."""
    return render(request, "staff/changes/show.html", _context(request, _found(request, change_id), ReviewForm()))


def _context(request: StaffRequest, row: Any, form: Any) -> dict[str, Any]:
    audit.viewed(subject=("customers.party", row.party_id), actor=request.actor, fields=[])
    item = desk_view.item_of(SECURITY, row.pk) if row.reported_at else None
    moment = clocks.moment(request)
    mine = item is not None and item.owner_id == request.user.pk and item.state != "done"
    person = customers.summaries([row.party_id])[row.party_id]
    facts = [
        ui.SummaryRow(_("Customer"), person.name or person.reference, note=person.reference),
        ui.SummaryRow(KIND[row.kind], _what(row)),
        ui.SummaryRow(_("Asked for by"), vocabulary.actor(row.asked_by)),
        ui.SummaryRow(_("Since"), row.began_at),
        ui.SummaryRow(_("Counts from"), row.counts_from),
    ]
    if row.reported_at:
        facts.append(ui.SummaryRow(_("Reported"), row.reported_at))
    if row.reviewed_at:
        facts.append(ui.SummaryRow(_("Looked into"), row.reviewed_at))
    return {
        "change": row,
        "title": KIND[row.kind],
        "state": state_of(row, moment),
        "clock": clocks.badge(desk_view.clock(item, moment)) if item and item.state != "done" else None,
        "owner": item.owner if item else None,
        "facts": facts,
        "form": form,
        "is_mine": mine,
        "may_take": item is not None
        and item.state != "done"
        and item.owner_id is None
        and {"customer.edit", "desk.work"} <= request.permissions,
    }


def _what(row: Any) -> str:
    """The new number masked, or the card."""
    if row.kind == channels.Kind.CARD:
        return str(payments.card(row.subject_id) or "–")
    values = {one.contact_id: one.value for one in customers.contacts(row.party_id, "phone")}
    return str(masks.shown("phone", values.get(row.subject_id, ""), in_full=False)) or "–"


@permits.staff("customer.edit")
@require_POST
def take(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """Takes the case. Somebody else's is refused."""
    row = _found(request, change_id, "customer.edit")
    item = desk_view.item_of(SECURITY, row.pk)
    if item is None:
        raise Http404
    desk.take(item_id=item.pk, user=request.user, at=clocks.moment(request))
    return redirect("staff:change", change_id=row.pk)


@permits.staff("customer.edit")
@require_http_methods(["GET", "POST"])
def review(request: StaffRequest, change_id: UUID) -> HttpResponse:
    """The verdict of whoever has the case."""
    row = _found(request, change_id, "customer.edit")
    if request.method == "GET":
        return redirect("staff:change", change_id=row.pk)

    def submit(form: Any) -> HttpResponse:
        changed_channels.review(change_id=row.pk, reviewer=request.user, at=clock.now(), **form.cleaned_data)
        messages.success(request, _("Noted. The case is done."))
        return redirect("staff:changes")

    form = ReviewForm(sent(request))
    return answer(request, "staff/changes/show.html", form, submit, **_without_form(_context(request, row, form)))


def _without_form(context: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in context.items() if name != "form"}


def _found(request: StaffRequest, change_id: UUID, action: str = "customer.view") -> Any:
    row = channels.changes(access.scope_filter(request.user, action)).filter(pk=change_id).first()
    if row is None:
        raise Http404
    return row
