"""Each request: which institution, one bound transaction, which language, what browsers may load."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import SimpleTemplateResponse
from django.utils import timezone, translation
from django.utils.translation.trans_real import parse_accept_lang_header

from usance.apps.institutions import selectors, tenancy
from usance.core.refusals import Refusal
from usance.web import cookies, errors, refusals

Respond = Callable[[HttpRequest], HttpResponse]
OUTSIDE = ("/health/", "/metrics", "/static/", "/callbacks/")  # these bind themselves, or need no institution
MACHINES = ("/callbacks/", "/metrics")  # programs speak to these: in the clear they are refused, never sent on
METHODS = ("GET", "HEAD", "POST")
LOOPBACK = ("127.0.0.1", "::1", "")  # "": a server on a socket
LANGUAGE_COOKIE = cookies.LANGUAGE
POLICY = (
    "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'"
)
log = structlog.get_logger("usance.security")


class GateMiddleware:
    """What no browser of ours sends is turned away before anything is read or looked up: other methods than ours,
    bodies larger than any form (files in them would fill the disk), programs that speak in the clear."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        told = request.META.get("CONTENT_LENGTH") or "0"
        if told.isdecimal() and int(told) > settings.USANCE_LARGEST_BODY:
            log.warning("body.refused", size=int(told))
            page = errors.bad_request(request)
            page.status_code = 413
            return page
        if settings.USE_TLS and request.path.startswith(MACHINES) and not self._is_private(request):
            log.warning("plaintext.refused")
            return HttpResponse(status=403)
        return self.respond(request)

    @staticmethod
    def _is_private(request: HttpRequest) -> bool:
        on_this_machine = request.META.get("REMOTE_ADDR", "") in LOOPBACK and "X-Forwarded-For" not in request.headers
        return request.is_secure() or on_this_machine


class TenancyMiddleware:
    """Finds the institution by host name, then answers the request inside one transaction bound to it. A response of
    500 or more undoes everything that the page wrote."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(OUTSIDE):
            return self.respond(request)
        institution_id = selectors.institution_id_at(request.get_host())
        if institution_id is None:
            return errors.unknown_site(request)
        with tenancy.bound(institution_id), transaction.atomic():
            request.institution = tenancy.current()  # type: ignore[attr-defined]
            with timezone.override(ZoneInfo(request.institution.time_zone)):  # type: ignore[attr-defined]
                response = self.respond(request)
            if response.status_code >= 500 or getattr(response, "undo", False):
                transaction.set_rollback(True)
            elif isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response.render()
            return response


class LanguageMiddleware:
    """The language: chosen on the page (cookie), or the first of the browser's that the institution speaks, or the
    institution's first. A program that names no language reads English, where that is spoken."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        institution = getattr(request, "institution", None)
        offered = list(institution.languages) if institution else [settings.LANGUAGE_CODE]
        language = self._choose(request, offered)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.respond(request)
            response.headers.setdefault("Content-Language", language)
            return response

    @staticmethod
    def _choose(request: HttpRequest, offered: list[str]) -> str:
        chosen = cookies.read(request, LANGUAGE_COOKIE)
        if chosen in offered:
            return chosen
        header = request.headers.get("Accept-Language", settings.LANGUAGE_CODE).lower()
        asked = (code.partition("-")[0] for code, _weight in parse_accept_lang_header(header))
        return next((code for code in asked if code in offered), offered[0])


class ContentSecurityMiddleware:
    """Only our own files run; pages are in nobody's frame; forms go to us. Stands outermost, so that files and error
    pages carry it too."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.respond(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class TextMiddleware:
    """No keyboard writes a NUL, and no column of text can hold one: whoever sends it is told so, wherever it stands."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = [request.GET] if request.path.startswith(OUTSIDE) else [request.GET, request.POST]
        if any("\0" in text for fields in given for name, values in fields.lists() for text in (name, *values)):
            log.warning("text.refused")
            return errors.bad_request(request)
        return self.respond(request)


class RefusalMiddleware:
    """A refusal that no form caught becomes a page that says what happened, with nothing written."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.respond(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        response = errors.refused(request, refusals.sentence(exception))
        response.undo = True  # type: ignore[attr-defined]
        return response
