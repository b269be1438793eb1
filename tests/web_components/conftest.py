"""The style guide on a web server of its own: no database, the product's content policy."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable, Iterator
from datetime import date
from socketserver import ThreadingMixIn
from types import SimpleNamespace
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import translation

LENDER = SimpleNamespace(
    name="Lúa Vàng",
    legal_name="Demo Lender LLC",
    registration_number="0000000000",
    address="1 Example Street",
    support_phone="+84240000000",
    support_email="help@example.test",
    languages=["en", "vi", "uk"],
    currency="VND",
    business_date=date(2026, 11, 20),
    is_demo=True,
)


class Threads(ThreadingMixIn, WSGIServer):
    """A browser keeps spare connections open: one thread would wait on them."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's own output is enough."""


def answer(request: HttpRequest) -> HttpResponse:
    """A frame of the style guide in the language that `?lang=` asks for."""
    from usance.web import styleguide

    if request.path.startswith("/static/"):
        found = finders.find(request.path.removeprefix("/static/"))
        if not found:
            return HttpResponse(status=404)
        with open(found, "rb") as file:
            return HttpResponse(file.read(), content_type=mimetypes.guess_type(found)[0] or "font/woff2")
    request.institution = LENDER  # type: ignore[attr-defined]
    language = request.GET.get("lang", "en")
    request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
    with translation.override(language):
        return styleguide.show(request)


def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    from usance.web.middleware import ContentSecurityMiddleware

    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    request = RequestFactory().get(environ["PATH_INFO"] + query)
    for pair in environ.get("HTTP_COOKIE", "").split("; "):
        name, _sign, value = pair.partition("=")
        request.COOKIES[name] = value
    response = ContentSecurityMiddleware(answer)(request)
    start(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]


@pytest.fixture(scope="session")
def guide() -> Iterator[str]:
    """The address of the style guide."""
    server = make_server("127.0.0.1", 0, application, server_class=Threads, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/styleguide/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
