"""What did not get done by itself: jobs that gave up, and loans that a close left out. Each can be run again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from usance.apps.access import selectors as access
from usance.apps.audit import services as audit
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.servicing import selectors as loans
from usance.ports import clock
from usance.web import components as ui
from usance.web import pages, permits
from usance.web.staff.request import StaffRequest
from usance.workflows import close_day

# the beginning of a job's name, in words
AREAS: Mapping[str, Any] = {
    "payments": gettext_lazy("Payment provider"),
    "take_payment": gettext_lazy("Booking a payment"),
    "fund_loan": gettext_lazy("Booking a payout"),
    "messaging": gettext_lazy("Sending a message"),
    "applications": gettext_lazy("Deciding an application"),
    "agreements": gettext_lazy("Writing or sealing a paper"),
    "loans": gettext_lazy("What follows from a change of a loan"),
    "close": gettext_lazy("End of day"),
    "audit": gettext_lazy("Audit trail"),
    "imports": gettext_lazy("Taking in loans from another system"),
}


def _reaches_all(request: StaffRequest, action: str) -> bool:
    """Jobs belong to the whole institution, not to a branch."""
    return not access.scope_filter(request.user, action)


@permits.staff("job.view")
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Jobs that gave up after their last attempt."""
    found = institutions.failed_jobs() if _reaches_all(request, "job.view") else institutions.failed_jobs().none()
    page = pages.of(request, found)
    context = {
        "jobs": [
            {
                "row": one,
                "what": AREAS.get(one.task.split(".")[0], one.task),
                "about": ", ".join(f"{name} {value}" for name, value in one.arguments.items()),
            }
            for one in page.object_list
        ],
        "page": page,
        "may_retry": "job.retry" in request.permissions,
        "views": _views("jobs"),
        "empty": ui.Empty(
            _("No job has failed"), _("Jobs that give up are listed here with their reason."), icon="check"
        ),
    }
    return render(request, "staff/jobs/index.html", context)


def _views(view: str) -> list[ui.Tab]:
    return [
        ui.Tab(_("Failed jobs"), reverse("staff:jobs"), current=view == "jobs"),
        ui.Tab(_("Left out by the close"), reverse("staff:problems"), current=view == "problems"),
    ]


@permits.staff("job.retry")
@require_POST
def run_again(request: StaffRequest, failed_job_id: UUID) -> HttpResponse:
    """Puts a listed job into the queue once more."""
    if not _reaches_all(request, "job.retry"):
        raise Http404
    try:
        row = agenda.run_job_again(failed_job_id=failed_job_id, at=clock.now())
    except ObjectDoesNotExist:
        raise Http404 from None
    audit.record(action="job.run_again", subject=row, actor=request.actor, details={"task": row.task})
    messages.success(request, _("The job is in the queue again. If it fails once more, it comes back to this list."))
    return redirect("staff:jobs")


def _problem_scope(request: StaffRequest, action: str) -> Q:
    return access.scope_filter(request.user, action, path="loan__org_path")


@permits.staff("job.view")
@require_GET
def problems(request: StaffRequest) -> HttpResponse:
    """Loans that a close left out and none has taken in since."""
    page = pages.of(request, loans.problems_open().filter(_problem_scope(request, "job.view")))
    context = {
        "problems": list(page.object_list),
        "page": page,
        "may_retry": "job.retry" in request.permissions,
        "may_open": "loan.view" in request.permissions,
        "views": _views("problems"),
        "empty": ui.Empty(
            _("No loan was left out"), _("A loan that the end of day cannot close is listed here."), icon="check"
        ),
    }
    return render(request, "staff/jobs/problems.html", context)


@permits.staff("job.retry")
@require_POST
def run_problem_again(request: StaffRequest, problem_id: UUID) -> HttpResponse:
    """Closes one loan that was left out."""
    row = loans.problems_open().filter(_problem_scope(request, "job.retry"), pk=problem_id).first()
    if row is None:
        raise Http404
    close_day.run_problem_again(problem_id=row.pk, actor=request.actor, at=clock.now())
    messages.success(request, _("Loan %(number)s is closed up to date.") % {"number": row.loan.number})
    return redirect("staff:problems")
