"""Every address of the product."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from usance.config import metrics

urlpatterns = [
    path("", include("usance.web.public.urls")),
    path("", include("usance.web.borrower.urls")),
    path("staff/", include("usance.web.staff.urls")),
    path("callbacks/", include("usance.web.callbacks.urls")),
    path("metrics", metrics.view, name="metrics"),
]
if settings.DEBUG or settings.USANCE_DEMO:
    from usance.web import styleguide

    urlpatterns.append(path("styleguide/", styleguide.show, name="styleguide"))

handler400 = "usance.web.errors.bad_request"
handler403 = "usance.web.errors.forbidden"
handler404 = "usance.web.errors.not_found"
handler500 = "usance.web.errors.crashed"
