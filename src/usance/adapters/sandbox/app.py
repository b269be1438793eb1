"""The twins as one Flask application: served by `__main__`, or called in-process without any network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path

import httpx
from flask import Flask, Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from usance.adapters.sandbox import (
    auditor,
    callbacks,
    cards,
    dials,
    esputnik_api,
    faults,
    fondy_api,
    fondy_pay,
    inbox,
    orders,
    push_api,
)
from usance.adapters.sandbox.book import Book
from usance.adapters.sandbox.twin import MERCHANTS, Merchant, Sender, Twin
from usance.ports import clock as real_clock
from usance.ports.payment_rail import Card

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


def create_app(
    book: str | Path = ":memory:",
    *,
    clock: Callable[[], datetime] | None = None,
    send: Sender | None = None,
    merchants: Iterable[Merchant] = (),
    api_keys: Iterable[str] = (),
) -> Flask:
    """A twin over the book at that path. `clock` gives aware instants (default: the installed clock); `send` delivers
    callbacks (default: HTTP); merchants and eSputnik keys are added to the defaults."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["twin"] = Twin(
        book=Book(book),
        clock=clock or real_clock.now,
        send=send or callbacks.send_by_http,
        merchants={m.merchant_id: m for m in (*MERCHANTS, *merchants)},
        api_keys=frozenset({"sandbox", *api_keys}),
    )
    for blueprint in (
        fondy_api.api,
        fondy_pay.pay,
        esputnik_api.api,
        push_api.api,
        inbox.pages,
        dials.pages,
        auditor.pages,
    ):
        app.register_blueprint(blueprint)
    app.before_request(_refuse_strangers)
    app.after_request(_harden)
    app.add_url_rule("/", "home", lambda: redirect(url_for("inbox.inbox")))
    app.add_url_rule("/health", "health", lambda: Response("ok", mimetype="text/plain"))
    return app


def _refuse_strangers() -> Answer | None:
    """Other sites in the tester's browser may not turn the dials or press buttons here."""
    stranger = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if stranger and request.method not in ("GET", "HEAD"):
        return Response("refused: a request of another site", status=403, mimetype="text/plain")
    return None


def _harden(reply: Response) -> Response:
    policy = POLICY + (f" {g.form_action}" if g.get("form_action") else "")
    reply.headers.setdefault("Content-Security-Policy", policy)
    reply.headers["X-Content-Type-Options"] = "nosniff"
    reply.headers["Referrer-Policy"] = "no-referrer"
    reply.headers.setdefault("Cache-Control", "no-store" if "static" not in request.path else "max-age=3600")
    if g.get("waited"):
        reply.headers[faults.WAITED] = str(g.waited)
    return reply


def twin_of(app: Flask) -> Twin:
    found: Twin = app.extensions["twin"]
    return found


def deliver_due(app: Flask, *, limit: int = 1000) -> int:
    """Sends the callbacks that are due, one after another, by the app's `send`; says how many were acknowledged.
    For in-process use: the server does it by itself."""
    twin = twin_of(app)
    orders.tick(twin)
    return sum(callbacks.deliver(twin, row) for row in callbacks.due(twin, limit))


def new_card(app: Flask, *, merchant_id: str, on: date) -> Card:
    """A new ordinary card, linked at the merchant on that day without the walk over the hosted page: for simulations of
    many customers. Debits and payouts then work as with any linked card."""
    twin = twin_of(app)
    number, expires_on = cards.fresh_number(twin), date(on.year + 3, 12, 31)
    token = cards.keep(twin, merchant_id, number, expires_on)
    return Card(
        token=token,
        masked=cards.masked(number),
        last4=number[-4:],
        brand=cards.brand(number),
        expires_on=expires_on,
    )


class InProcessTransport(httpx.BaseTransport):
    """Calls a twin without a network. What would hang, or take longer than the caller's patience, times out at once."""

    def __init__(self, app: Flask) -> None:
        self._inner = httpx.WSGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers[faults.IN_PROCESS] = "1"
        reply = self._inner.handle_request(request)
        patience = (request.extensions.get("timeout") or {}).get("read")
        waited = float(reply.headers.get(faults.WAITED, 0))
        if faults.HANGS in reply.headers or (patience is not None and waited > patience):
            raise httpx.ReadTimeout("the sandbox would not have answered in time", request=request)
        return reply


def transport(app: Flask) -> InProcessTransport:
    """For the adapters' setting `transport`."""
    return InProcessTransport(app)
