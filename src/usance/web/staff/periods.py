"""Locking a month of the books, and asking a second person to open it again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_http_methods

from usance.apps.access import selectors as access
from usance.apps.desk import selectors as desk
from usance.apps.ledger import selectors as ledger
from usance.apps.ledger import services as books
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits
from usance.web.staff import clocks
from usance.web.staff.books import tabs
from usance.web.staff.links import link
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import answer, sent
from usance.web.templatetags import formats

ONE_DAY = timedelta(days=1)


class LockForm(house.Form):
    """Days to lock, both included."""

    since = forms.DateField(label=gettext_lazy("First day"))
    until = forms.DateField(label=gettext_lazy("Last day"))

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            self.add_error("until", _("The last day comes before the first one."))
        return found


class UnlockForm(house.Form):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=500, widget=forms.Textarea)


@permits.staff("ledger.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Which days are locked."""
    page = pages.of(request, ledger.periods())
    rows = list(page.object_list)
    names = access.names_of({row.locked_by for row in rows})
    waiting = {one.subject_id: one for one in desk.waiting_approvals(books.UNLOCK, [row.pk for row in rows])}
    columns = [
        ui.Column("days", _("Days")),
        ui.Column("state", _("State")),
        ui.Column("by", _("Locked by")),
        ui.Column("at", _("Locked")),
    ]
    may_lock = "ledger.lock" in request.permissions
    shown = [
        ui.Row(
            [days(row), _state(row, waiting), names.get(row.locked_by, ""), row.locked_at],
            href=_next(request, row, waiting, may_lock),
        )
        for row in rows
    ]
    empty = ui.Empty(
        _("No period is locked"), _("Lock a month when its figures are final: nothing is booked in it any more.")
    )
    table = ui.DataTable(_("Periods"), columns, shown, empty, page=page)
    context = {"tabs": tabs(request, "periods"), "table": table, "may_lock": may_lock}
    return render(request, "staff/books/periods.html", context)


def days(row: Any) -> str:
    """A period in words, both days included."""
    first, last = formats.date_l(row.starts_on, "medium"), formats.date_l(row.ends_on - ONE_DAY, "medium")
    return f"{first} – {last}"


def _state(row: Any, waiting: dict[str, Any]) -> ui.Tag:
    if str(row.pk) in waiting:
        return ui.Tag(_("Opening is proposed"), "warn")
    return ui.Tag(_("Locked"), "good", "lock") if row.locked_at else ui.Tag(pgettext("state", "Open"), "neutral")


def _next(request: StaffRequest, row: Any, waiting: dict[str, Any], may_lock: bool) -> str:
    if str(row.pk) in waiting:
        return link(request, "approval.view", "staff:approval", waiting[str(row.pk)].pk)
    return reverse("staff:unlock_period", args=[row.pk]) if may_lock and row.locked_at else ""


@permits.staff("ledger.lock")
@require_http_methods(["GET", "POST"])
def lock(request: StaffRequest) -> HttpResponse:
    """Locks days; the last whole month is offered."""

    def submit(form: LockForm) -> HttpResponse:
        since, until = form.cleaned_data["since"], form.cleaned_data["until"]
        books.lock_period(starts_on=since, ends_on=until + ONE_DAY, actor=request.actor, at=clock.now())
        messages.success(request, _("Locked: nothing is booked in these days any more."))
        return redirect("staff:periods")

    last: date = request.institution.business_date.replace(day=1) - ONE_DAY
    form = LockForm(sent(request), initial={"since": last.replace(day=1), "until": last})
    return answer(request, "staff/books/lock.html", form, submit, field="until", crumbs=_crumbs())


@permits.staff("ledger.lock")
@require_http_methods(["GET", "POST"])
def unlock(request: StaffRequest, period_id: UUID) -> HttpResponse:
    """Asks a second person to open a locked period."""
    try:
        row = ledger.period(period_id)
    except ObjectDoesNotExist:
        raise Http404 from None

    def submit(form: UnlockForm) -> HttpResponse:
        books.propose_unlock(
            period_id=row.pk,
            maker=request.user,
            reason=form.cleaned_data["reason"],
            at=clocks.moment(request),
        )
        messages.success(request, _("Proposed: the period opens when a second person agrees."))
        return redirect("staff:periods")

    return answer(
        request, "staff/books/unlock.html", UnlockForm(sent(request)), submit, days=days(row), crumbs=_crumbs()
    )


def _crumbs() -> list[ui.Crumb]:
    return [ui.Crumb(_("Books"), reverse("staff:books")), ui.Crumb(_("Periods"), reverse("staff:periods"))]
