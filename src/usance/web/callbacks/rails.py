"""Callbacks of payment rails: verified, stored raw, acknowledged; a job takes them in."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.payments import services
from usance.ports import clock, registry
from usance.ports.payment_rail import CallbackRefused
from usance.web import permits

log = structlog.get_logger("usance.security")


@permits.provider
@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str, institution_id: UUID) -> HttpResponse:
    """200 once the notice is safe with us (new or repeated); 403 when it is not provably the provider's."""
    if not institutions.exists(institution_id):
        return HttpResponse(status=404)
    with tenancy.bound(institution_id), transaction.atomic():
        rail = registry.payment_rail(tenancy.current().code)
        if rail.provider != provider:
            return HttpResponse(status=404)
        try:
            told = rail.parse_callback(body=request.body, content_type=request.content_type or "")
        except CallbackRefused as refusal:
            log.warning("callback.refused", provider=provider, why=refusal.why)
            return HttpResponse(status=403)
        services.receive_notice(
            provider=provider,
            event_id=told.event_id,
            order_id=told.order_id,
            body=request.body,
            content_type=request.content_type or "",
            at=clock.now(),
        )
    return HttpResponse(status=200)
