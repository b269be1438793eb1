"""Pages for what went wrong: plain words and the next step, in the look of the site."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

log = structlog.get_logger("usance.security")


def unknown_site(request: HttpRequest) -> HttpResponse:
    """No institution lives at this host name: nothing of any institution may be shown."""
    return HttpResponse(loader.render_to_string("errors/unknown_site.html", {}), status=404)


def refused(request: HttpRequest, sentence: str) -> HttpResponse:
    """What could not be done, and the way on: for a customer the page that shows where their matter stands."""
    is_customer = hasattr(request, "party_id")
    return render(request, "errors/409.html", {"sentence": sentence, "is_customer": is_customer}, status=409)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    log.warning("form.refused", why=reason)
    sentence = _("This page was open for too long, or cookies are off. Go back, reload the page and try again.")
    return render(request, "errors/403.html", {"sentence": sentence}, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    log.warning("permission.refused", action=str(exception or ""))
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def crashed(request: HttpRequest) -> HttpResponse:
    """Needs no database and no context: both may be what broke."""
    return HttpResponse(loader.render_to_string("errors/500.html", {}), status=500)
