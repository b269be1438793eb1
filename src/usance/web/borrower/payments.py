"""Waiting for money: the page between our site and the payment page, and the way back from there."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from usance.apps.payments import selectors
from usance.ports import clock
from usance.ports.queue import enqueue
from usance.web import permits
from usance.web.borrower import paying
from usance.workflows import take_payment

LOAN = take_payment.LOAN
VISITED, BACK = "visited_pages", "back"
LONG = timedelta(minutes=2)  # an answer mostly takes seconds


@permits.borrower
def show(request: HttpRequest, instruction_id: UUID) -> HttpResponse:
    """Where a payment stands: on to the payment page when it is ready, then waiting, then the outcome."""
    found = selectors.instruction_of(instruction_id=instruction_id, party_id=request.party_id)  # type: ignore[attr-defined]
    if found is None:
        raise Http404
    is_booking = _is_booking(found)
    if found.state == "succeeded" and not found.returned_minor and not is_booking:
        return redirect(_afterwards(found))
    if found.is_hosted and found.is_open and found.page_url:
        visited = request.session.get(VISITED, [])
        if "go" in request.GET:
            request.session[VISITED] = [*visited[-9:], str(found.pk)]
            return redirect(found.page_url)
        if str(found.pk) not in visited and BACK not in request.GET:
            # a page of our own in between: browsers let no form lead to another site, however many redirects away
            return render(request, "borrower/payments/leaving.html", {"go": f"{request.path}?go=1"})
    context = {
        "instruction": found,
        "institution": request.institution,  # type: ignore[attr-defined]
        "again_url": f"{request.path}?go=1" if found.is_open and found.page_url else "",
        "next_url": _afterwards(found),
        "try_url": _try_again(found),
        "is_extension": "extend_days" in found.details,
        "poll_url": request.get_full_path(),
        "takes_long": found.is_open and clock.now() - found.given_at > LONG,
        "loan_url": reverse("borrower:loan", args=[found.subject_id]) if found.subject_type == LOAN else "",
    }
    waits = found.is_open or is_booking
    return render(request, "borrower/payments/waiting.html" if waits else "borrower/payments/outcome.html", context)


def _is_booking(found: selectors.Instruction) -> bool:
    """Whether the bank said yes and the loan does not show it yet: sent there now, one would see old figures."""
    return found.subject_type == LOAN and found.state == "succeeded" and not take_payment.is_taken_in(found)


def _afterwards(found: selectors.Instruction) -> str:
    """Where the customer goes on once it is settled."""
    if found.subject_type == "origination.application":
        return reverse("borrower:apply")
    return f"{reverse('borrower:loan', args=[found.subject_id])}?paid={found.pk}"


def _try_again(found: selectors.Instruction) -> str:
    """Where a payment that did not go through can be made after all; empty for everything else."""
    if found.subject_type != LOAN or found.state not in ("failed", "cancelled"):
        return ""
    return paying.again_url(found.subject_id, found.details.get("extend_days", 0))


@permits.public
@csrf_exempt
def back(request: HttpRequest, instruction_id: UUID) -> HttpResponse:
    """The payment page sends the browser here, by POST or GET; what it says proves nothing. We ask the provider, and
    send the browser on by GET, so that it brings its session along."""
    found = selectors.instructions().filter(pk=instruction_id).first()
    if found is None:
        raise Http404
    if found.is_open:
        enqueue("payments.ask_status", key=f"back:{found.pk}", instruction_id=str(found.pk))
    response = redirect(f"{reverse('borrower:payment', args=[instruction_id])}?{BACK}=1")
    response.status_code = 303
    return response
