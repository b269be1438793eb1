"""The cookies that we set, by one rule: for this host only, over TLS only, and no script reads them (but for the look
that somebody chose).

Behind TLS their names carry the prefix `__Host-`, by which a browser refuses one that another host or a connection in
the clear has set.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

LANGUAGE, DEVICE, STAFF_DEVICE = "language", "device", "staff_device"
THEME = "theme"  # set by the page's own script, which is why it is no secret


def name(plain: str) -> str:
    """As the browser knows it."""
    return f"{settings.COOKIE_PREFIX}{plain}"


def read(request: HttpRequest, plain: str) -> str:
    """Its value; empty when there is none."""
    return request.COOKIES.get(name(plain), "")


def put(response: HttpResponse, plain: str, value: str, *, max_age: int) -> None:
    """Sets it for so many seconds."""
    response.set_cookie(
        name(plain), value, max_age=max_age, path="/", secure=settings.USE_TLS, httponly=True, samesite="Lax"
    )


def forget_pages(response: HttpResponse, *, also: str = ', "storage"') -> HttpResponse:
    """Signing out: the browser throws away what it kept of our pages; that it is a known device stays. Of borrowers,
    nothing but pages: the storage of their site is the worker that shows offline pages and notifications."""
    response["Clear-Site-Data"] = f'"cache"{also}'
    return response
