"""For whoever watches the installation: is the process alive, and can it do its work."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from usance.apps.institutions import selectors
from usance.web import permits


@permits.public
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


@permits.public
def ready(request: HttpRequest) -> JsonResponse:
    """The database answers and its tables are there; 503 with the reason's kind otherwise. Anyone may ask, so it tells
    nothing else."""
    try:
        connection.ensure_connection()
        selectors.all_institutions()
    except DatabaseError as error:
        return JsonResponse({"status": "not ready", "reason": type(error).__name__}, status=503)
    return JsonResponse({"status": "ready"})
