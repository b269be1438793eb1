"""The weather between the product and the provider: a proxy in both directions that lets each order have the faults
that were planned for it."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from usance.adapters.fondy.signature import sign
from usance.config.faults.tally import Tally

PATIENCE_S = 2.0  # so long the product waits for an answer here
OPERATIONS = {
    "/fondy/api/checkout/url/": "checkout",
    "/fondy/api/recurring/": "debit",
    "/fondy/api/p2pcredit/": "payout",
    "/fondy/api/reverse/order_id/": "refund",
    "/fondy/api/status/order_id/": "status",
}
KEPT = {"content-type", "x-sandbox-date", "host", "user-agent", "cookie", "location"}
HELD_BACK = frozenset({"never_sent", "never_answered", "busy", "sent_late"})  # of these the provider knows nothing


@dataclass
class Forecast:
    """What shall happen to one order: `request` strikes its first `strikes` requests (sending, then asking), `callback`
    strikes its callbacks. `chance` draws what else there is to draw."""

    request: str = ""
    strikes: int = 1
    callback: str = ""
    chance: Random = field(default_factory=Random)
    struck: set[str] = field(default_factory=set)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Storm:
    """The proxy. `forecast(order, ...)` before an order is given; `calm()` when nothing more shall go wrong."""

    def __init__(self, *, port: int, provider_port: int, product_port: int, tally: Tally) -> None:
        self.provider_port, self.product_port, self.tally = provider_port, product_port, tally
        self.plans: dict[str, Forecast] = {}
        self.shelf: list[Callable[[], None]] = []  # callbacks that wait to come out of order
        self.again: list[Callable[[], int]] = []  # callbacks to be replayed later
        self.held: list[Callable[[], Reply]] = []  # orders that reach the provider later
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"storm": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, name="storm", daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def forecast(self, order_id: str, plan: Forecast) -> None:
        with self.lock:
            self.plans[order_id] = plan

    def of(self, order_id: str) -> Forecast | None:
        with self.lock:
            return self.plans.get(order_id)

    def struck(self, order_id: str) -> set[str]:
        """The faults that have struck this order."""
        plan = self.of(order_id)
        return set(plan.struck) if plan else set()

    def next_request(self, order_id: str, operation: str) -> str:
        """The fault of this request, if any; counted."""
        with self.lock:
            plan = self.plans.get(order_id)
            if plan is None or not plan.request or plan.strikes < 1:
                return ""
            if operation == "status" and plan.request in ("request_doubled", "sent_late"):
                return ""  # asking twice is no fault, and asking late neither
            plan.strikes -= 1
            plan.struck.add(plan.request)
        self.tally.inject(plan.request, operation)
        return plan.request

    def next_callback(self, order_id: str, said: str) -> tuple[str, Random]:
        with self.lock:
            plan = self.plans.get(order_id)
            if plan is None or not plan.callback:
                return "", Random()
            plan.struck.add(plan.callback)
        self.tally.inject(plan.callback, said)
        return plan.callback, plan.chance

    def release(self, chance: Random) -> None:
        """Callbacks that were held come now, in another order."""
        with self.lock:
            waiting, self.shelf = self.shelf, []
        chance.shuffle(waiting)
        for send in waiting:
            send()

    def deliver_late(self) -> int:
        """The orders that the network kept for so long reach the provider."""
        with self.lock:
            waiting, self.held = self.held, []
        for send in waiting:
            send()
        return len(waiting)

    def replay(self) -> None:
        """Old callbacks come again. The product must take them without a word."""
        with self.lock:
            waiting, self.again = self.again, []
        for send in waiting:
            if send() != 200:
                self.tally.trouble("wrong", ["callback_replayed"], "a repeated callback was not acknowledged")


def forward(port: int, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """One request to the party behind the proxy; 502 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body or None, headers=dict(headers))
        reply = connection.getresponse()
        content = reply.read()
    except (OSError, http.client.HTTPException):
        return Reply(502, {}, b"")
    finally:
        connection.close()
    return Reply(reply.status, {k: v for k, v in reply.getheaders() if k.lower() in KEPT}, content)


class _Handler(BaseHTTPRequestHandler):
    storm: Storm

    def log_message(self, format: str, *args: Any) -> None:
        """The tally says what happened."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _serve(self, body: bytes) -> None:
        self.body = body
        self.kept = {k: v for k, v in self.headers.items() if k.lower() in KEPT}
        try:
            if self.path.startswith("/callbacks/"):
                self._callback()
            elif self.path in OPERATIONS:
                self._request(OPERATIONS[self.path])
            else:
                self._answer(self._on())
        except OSError:
            self.close_connection = True  # whoever asked has gone

    def _on(self) -> Reply:
        port = self.storm.product_port if self.path.startswith("/callbacks/") else self.storm.provider_port
        return forward(port, self.command, self.path, self.kept, self.body)

    def _answer(self, reply: Reply, cut_to: int | None = None) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body[:cut_to])
        self.close_connection = True

    def _reset(self) -> None:
        """The connection is gone, without a word."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    # --- towards the provider ----------------------------------------------------------------------

    def _request(self, operation: str) -> None:
        fields = json.loads(self.body).get("request", {})
        order_id = str(fields.get("reverse_id") or fields.get("order_id") or "")
        kind = self.storm.next_request(order_id, operation)
        plan = self.storm.of(order_id)
        chance = plan.chance if plan else Random()
        if kind in HELD_BACK:
            self._hold_back(kind, chance)
            return
        if kind == "request_doubled":
            replies: list[Reply] = []
            twins = [threading.Thread(target=lambda: replies.append(self._on())) for _ in range(2)]
            for twin in twins:
                twin.start()
            for twin in twins:
                twin.join()
            self._answer(chance.choice(replies))
            return
        reply = self._on()
        match kind:
            case "reply_lost":
                self._reset()
            case "reply_halved":
                self._answer(reply, cut_to=len(reply.body) // 2)
            case "reply_late":
                time.sleep(chance.choice((0.2, 0.6, PATIENCE_S + 0.3)))
                self._answer(reply)
            case "nonsense":
                self._answer(chance.choice(NONSENSE))
            case _:
                self._answer(reply)

    def _hold_back(self, kind: str, chance: Random) -> None:
        match kind:
            case "never_sent":
                self._reset()
            case "busy":
                self._answer(Reply(chance.choice((429, 502, 503)), {}, b"<html>busy</html>"))
            case _:
                if kind == "sent_late":
                    with self.storm.lock:
                        self.storm.held.append(self._on)
                time.sleep(PATIENCE_S + 0.3)
                self._reset()

    # --- towards the product -----------------------------------------------------------------------

    def _callback(self) -> None:
        fields = json.loads(self.body)
        said = f"{fields.get('tran_type')} {fields.get('order_status')}"
        kind, chance = self.storm.next_callback(str(fields.get("order_id")), said)
        match kind:
            case "callback_lost":
                self._answer(Reply(200, {}, b""))  # the provider believes that we have it
            case "callback_shuffled":
                with self.storm.lock:
                    self.storm.shelf.append(self._send_quietly)
                self._answer(Reply(200, {}, b""))
            case "callback_doubled":
                copies = [threading.Thread(target=self._send_quietly) for _ in range(chance.randint(1, 3))]
                for copy in copies:
                    copy.start()
                self._answer(self._on())
            case "callback_replayed":
                with self.storm.lock:
                    self.storm.again.append(lambda: self._on().status)
                self._answer(self._on())
            case "callback_forged":
                first = chance.random() < 0.5  # the forgery may come before the truth
                if first:
                    self._forge(fields, chance)
                self._answer(self._on())
                if not first:
                    self._forge(fields, chance)
            case _:
                self._answer(self._on())

    def _send_quietly(self) -> None:
        self._on()

    def _forge(self, fields: dict[str, Any], chance: Random) -> None:
        """Somebody else than the provider knocks. A shifted notice carries a true signature, which covers values
        without their names: it is taken, and must change nothing; all others must be refused."""
        name, refused, forged = chance.choice(FORGERIES)
        body = json.dumps(forged(dict(fields))).encode()
        reply = forward(self.storm.product_port, "POST", self.path, self.kept, body)
        if refused != (reply.status == 403):
            self.storm.tally.trouble("wrong", ["callback_forged"], f"a forgery ({name}) got the answer {reply.status}")


NONSENSE = (
    Reply(200, {"Content-Type": "text/html"}, b"<html>Please sign in to the hotel's network</html>"),
    Reply(200, {"Content-Type": "application/json"}, b'{"response": {"order_status": "approved"}}'),
    Reply(200, {"Content-Type": "application/json"}, b"[]"),
    Reply(200, {}, b""),
)


def _other_amount(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"amount": str(int(fields["amount"]) + 1), "actual_amount": str(int(fields["amount"]) + 1)}


def _other_state(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"order_status": "declined" if fields["order_status"] == "approved" else "approved"}


def _other_key(fields: dict[str, Any]) -> dict[str, Any]:
    told = fields | {"reversal_amount": fields["amount"]}
    return told | {"signature": sign("guessed", told)}


def _unsigned(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "signature"}


def _shifted(fields: dict[str, Any]) -> dict[str, Any]:
    """The bank's reference is called the amount that went back: the values keep their order, so the signature fits."""
    told = {k: v for k, v in fields.items() if k not in ("reversal_amount", "rrn")}
    return told | {"response_zero": fields["reversal_amount"], "reversal_amount": fields["rrn"]}


FORGERIES: tuple[tuple[str, bool, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
    ("another amount", True, _other_amount),
    ("another state", True, _other_state),
    ("another key", True, _other_key),
    ("no signature", True, _unsigned),
    ("shifted fields", False, _shifted),
)
