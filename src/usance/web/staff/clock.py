"""The institution's day: ending it, living on for a week, how far the close is, and what it left out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods

from usance.apps.access import selectors as access
from usance.apps.institutions import selectors as institutions
from usance.apps.servicing import selectors as servicing
from usance.apps.servicing.closing import DayEndedAlready
from usance.ports import clock
from usance.web import components as ui
from usance.web import forms as house
from usance.web import pages, permits
from usance.web.staff.links import link
from usance.web.staff.request import StaffRequest
from usance.web.staff.sign_in import sent
from usance.web.templatetags import formats
from usance.workflows import close_day

WEEK = 7
POLL_HEADER = "X-Usance-Poll"
SHOWN_PROBLEMS = 20


class DayForm(house.Form):
    """The day that the page showed: sent twice, it ends one day and not two."""

    business_date = forms.DateField(widget=forms.HiddenInput)


@permits.staff("close.run")
@require_GET
def show(request: StaffRequest) -> HttpResponse:
    """The business date, the closes so far, and the loans that they left out."""
    page = pages.of(request, servicing.close_runs(), size=30)
    runs = list(page.object_list)
    names = access.names_of({run.asked_by for run in runs})
    problems = list(servicing.problems_open()[:SHOWN_PROBLEMS])
    context = {
        "table": _runs(runs, names, page),
        "problems": [(one, link(request, "loan.view", "staff:loan", one.loan_id)) for one in problems],
        "problems_url": link(request, "job.view", "staff:problems"),
        "progress": _progress(request),
        "may_end": _may_end(request),
        "is_demo": request.institution.is_demo,
        "ahead": institutions.moment(request.institution, clock.now()),
    }
    return render(request, "staff/clock/show.html", context)


def _runs(runs: list[Any], names: dict[str, str], page: Any) -> ui.DataTable:
    columns = [
        ui.Column("day", _("Day")),
        ui.Column("state", _("State")),
        ui.Column("loans", _("Loans"), numeric=True),
        ui.Column("problems", _("Left out"), numeric=True),
        ui.Column("seconds", _("Seconds"), numeric=True),
        ui.Column("rate", _("Loans a second"), numeric=True),
        ui.Column("who", _("Asked for by")),
    ]
    rows = [ui.Row(_run_cells(run, names)) for run in runs]
    empty = ui.Empty(_("No day has been ended yet"), _("The first close is listed here with its loans and its time."))
    return ui.DataTable(_("Closes"), columns, rows, empty, page=page)


def _run_cells(run: Any, names: dict[str, str]) -> list[Any]:
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else None
    problems: Any = ui.Tag(formats.number(run.problem_count), "bad") if run.problem_count else 0
    return [
        run.business_date,
        ui.Tag(_("Done"), "good") if run.state == "done" else ui.Tag(pgettext("job", "Running"), "info"),
        run.total_count,
        problems,
        formats.number(f"{seconds:.1f}") if seconds is not None else "",
        round(run.total_count / seconds) if seconds and run.total_count else "",
        names.get(run.asked_by, _("by itself")),
    ]


def _may_end(request: StaffRequest) -> bool:
    """A demo may live on as it likes; any other lender only ends days that are over."""
    return bool(request.institution.is_demo or close_day.days_behind(clock.now()))


@permits.staff("close.run")
@require_http_methods(["GET", "POST"])
def end_day(request: StaffRequest) -> HttpResponse:
    """Ends the business date, after saying what that does."""
    if not _may_end(request):
        raise Http404
    return _confirm(request, days=1)


@permits.staff("close.run")
@require_http_methods(["GET", "POST"])
def advance_week(request: StaffRequest) -> HttpResponse:
    """Lives on for a week: seven closes, one after another. Only in a demo."""
    if not request.institution.is_demo:
        raise Http404
    return _confirm(request, days=WEEK)


def _confirm(request: StaffRequest, *, days: int) -> HttpResponse:
    today: date = request.institution.business_date
    form = DayForm(sent(request), initial={"business_date": today})
    if request.method == "POST":
        shown = form.cleaned_data["business_date"] if form.is_valid() else None
        try:
            if shown != today:
                raise DayEndedAlready(day=shown or today)
            close_day.advance(days=days, actor=request.actor, at=clock.now(), day=today)
        except DayEndedAlready:
            messages.info(request, _("That day has been ended already. Nothing was done twice."))
            return redirect("staff:clock")
        to = today + timedelta(days=days)
        return redirect(f"{reverse('staff:close_progress')}?since={today.isoformat()}&to={to.isoformat()}")
    context = {
        "form": form,
        "title": _("End the day") if days == 1 else _("Advance a week"),
        "confirm_label": _("End the day") if days == 1 else _("Advance a week"),
        "effects": _effects(request, days),
        "cancel_url": reverse("staff:clock"),
        "parent": "layouts/staff.html",
    }
    return render(request, "staff/clock/confirm.html", context)


def _effects(request: StaffRequest, days: int) -> list[ui.Effect]:
    today: date = request.institution.business_date
    to = today + timedelta(days=days)
    loans = servicing.portfolio()["count"]
    due = institutions.items_due(to).count()
    return [
        ui.Effect(
            _("The business date moves from %(today)s to %(to)s. It cannot be moved back.")
            % {"today": formats.date_l(today, "full"), "to": formats.date_l(to, "full")}
        ),
        ui.Effect(
            ngettext(
                "%(count)s running loan gets the interest and penalty of each day, and the entries go to the books.",
                "%(count)s running loans get the interest and penalty of each day, and the entries go to the books.",
                loans,
            )
            % {"count": formats.number(loans)}
        ),
        ui.Effect(
            ngettext(
                "What falls due happens: %(count)s thing waits already (reminders, debits, offers that run out).",
                "What falls due happens: %(count)s things wait already (reminders, debits, offers that run out).",
                due,
            )
            % {"count": formats.number(due)},
            "warn",
            "bell",
        ),
        ui.Effect(_("Everyone can go on working meanwhile."), "good", "check"),
    ]


@permits.staff("close.run")
@require_GET
def progress(request: StaffRequest) -> HttpResponse:
    """How far the asked-for closes are; goes on by itself, and to the list when the new date is there."""
    since, to = _day(request, "since"), _day(request, "to")
    today: date = request.institution.business_date
    if since is None or to is None or not since < to:
        return redirect("staff:clock")
    is_polled = POLL_HEADER in request.headers  # a message told to a poll would be lost
    if today >= to and not is_polled:
        messages.success(request, _("The business date is now %(today)s.") % {"today": formats.date_l(today, "full")})
        return redirect("staff:clock")
    run = close_day.progress()
    days = (to - since).days
    within_day = run.share if run and run.day == today else 0
    done, total = (min((today - since).days, days), days) if days > 1 else (within_day, 100)
    context = {
        "done": total if today >= to else max(0, min(done, total - 1)),
        "total": total,
        "label": _("Ending %(day)s") % {"day": formats.date_l(today, "full")},
        "note": _note(run, today, (to - today).days - 1),
        "poll": request.get_full_path(),
        "to": to,
    }
    return render(request, "staff/clock/progress.html", context)


def _note(run: close_day.Progress | None, today: date, after: int) -> str:
    """What is being done at this moment, and how many days follow."""
    if run is None or run.day != today:
        now = _("what falls due is being done")
    else:
        now = _("%(done)s of %(total)s loans") % {
            "done": formats.number(run.done),
            "total": formats.number(run.total),
        }
    if after < 1:
        return now
    more = ngettext("%(count)s more day", "%(count)s more days", after) % {"count": formats.number(after)}
    return f"{now} · {more}"


def _progress(request: StaffRequest) -> str:
    """The address of the progress page while a close is under way."""
    run = close_day.progress()
    if run is None or (run.state == "done" and not run.days_left):
        return ""
    today: date = request.institution.business_date
    to = run.day + timedelta(days=1 + run.days_left)
    if today >= to:
        return ""
    return f"{reverse('staff:close_progress')}?since={run.day.isoformat()}&to={to.isoformat()}"


def _day(request: StaffRequest, name: str) -> date | None:
    try:
        return date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return None
