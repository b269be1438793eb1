"""The outermost middleware: gives each request an id, measures it, and writes one line about it."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from usance.config import metrics

log = structlog.get_logger("usance.request")
REFUSED = frozenset({400, 403, 405, 409, 413, 429})  # no browser of ours is told so on a good day
_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def view_name(request: HttpRequest) -> str:
    """The name of the route: bounded in number, and never a path, which may carry a secret."""
    match = request.resolver_match
    return (match.view_name or match.route or "unnamed") if match else "unmatched"


def who(request: HttpRequest) -> str:
    """Whose request it was, by an id that says nothing without the database; empty for a stranger."""
    for kind, found in (("staff", "staff_session"), ("borrower", "visit_party_id")):
        known = getattr(request, found, None)
        if known is not None:
            return f"{kind}:{getattr(known, 'user_id', known)}"
    return ""


class ObservingMiddleware:
    """Request id in and out (`X-Request-ID`), metrics, one log line. The line has no path, no query, no body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _ID.fullmatch(given) else str(uuid.uuid4())
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            seconds = time.perf_counter() - began
            view = view_name(request)
            method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "OTHER"
            metrics.REQUESTS.labels(method, view, str(response.status_code)).inc()
            metrics.REQUEST_SECONDS.labels(view).observe(seconds)
            level = "warning" if response.status_code >= 500 or response.status_code in REFUSED else "info"
            getattr(log, level)(
                "request",
                method=method,
                view=view,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
                who=who(request),
            )
        response["X-Request-ID"] = request_id
        return response
