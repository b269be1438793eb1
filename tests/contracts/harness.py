"""What a contract test may do with a provider's sandbox: turn dials, be the customer on the page, take callbacks.

Each adapter of a port brings one harness per way of reaching its sandbox; the suites know nothing else of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import httpx

from usance.adapters import esputnik, fondy, sandbox, webpush
from usance.adapters.sandbox import push_api
from usance.ports.messenger import Messenger, PushMessenger
from usance.ports.payment_rail import HostedOrder, Opened, PaymentRail

PATIENCE_S = 0.5  # of the adapters' read time-out over real HTTP
MERCHANT = {"UAH": "1396424", "VND": "1700002", "EUR": "1549901"}


@dataclass(frozen=True)
class Callback:
    body: bytes
    content_type: str


@dataclass
class Reach:
    """A way to the twin: the base address, how to call it, and the callbacks that have come."""

    base_url: str
    http: httpx.Client
    transport: httpx.BaseTransport | None
    callback_url: str
    came: list[Callback] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        """Lets so much time pass at the provider."""
        raise NotImplementedError

    def callbacks(self, order_id: str, at_least: int) -> list[Callback]:
        """The callbacks of an order, waiting until there are so many (or a few seconds are over)."""
        raise NotImplementedError

    def _of(self, order_id: str) -> list[Callback]:
        return [callback for callback in self.came if f'"{order_id}"'.encode() in callback.body]


class InProcess(Reach):
    """Without any network, on a clock that stands still."""

    def __init__(self, app: Any = None) -> None:
        self.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.app = app or sandbox.create_app(clock=lambda: self.at, send=self._take)
        transport = sandbox.transport(self.app)
        http = httpx.Client(transport=transport, base_url="http://sandbox")
        super().__init__("http://sandbox", http, transport, "http://lender.example/callbacks/fondy/")

    def _take(self, url: str, body: bytes, headers: Any) -> int:
        self.came.append(Callback(body, headers["Content-Type"]))
        return 200

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def callbacks(self, order_id: str, at_least: int) -> list[Callback]:
        sandbox.deliver_due(self.app)
        return self._of(order_id)


class OverHttp(Reach):
    """A process of its own, as in production; time passes by itself."""

    def __init__(self, base_url: str, receiver: Receiver) -> None:
        http = httpx.Client(base_url=base_url, trust_env=False)
        super().__init__(base_url, http, None, receiver.url, receiver.came)

    def pass_time(self, seconds: float) -> None:
        sleep(min(seconds, 2))

    def callbacks(self, order_id: str, at_least: int) -> list[Callback]:
        deadline = monotonic() + 5
        while monotonic() < deadline and len(self._of(order_id)) < at_least:
            sleep(0.05)
        sleep(0.3)  # one that should not come would come now
        return self._of(order_id)


class Receiver:
    """A lender's callback address: notes what comes and acknowledges it, after `refuse_first` refusals."""

    def __init__(self) -> None:
        self.came: list[Callback] = []
        self.refuse_first = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append(Callback(body, self.headers["Content-Type"]))
                status = 200
                if receiver.refuse_first > 0:
                    receiver.refuse_first -= 1
                    status = 503
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # a name under .localhost, as the demo's lenders have
        self.url = f"http://lender.localhost:{self._server.server_port}/callbacks/fondy/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def sandbox_process(book: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The twins as `usance run` starts them, on a free port; yields the process and its address."""
    command = [sys.executable, "-m", "usance.adapters.sandbox", "--port", "0", "--book", str(book)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=_source())
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("sandbox: http://"), process.stderr.read() if process.stderr else said
        yield process, said.removeprefix("sandbox: ").strip().rstrip("/")
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _source() -> Path:
    return Path(sandbox.__file__).resolve().parents[3]


@dataclass
class Provider:
    """Fondy and eSputnik behind one reach. Card names: see CARDS."""

    reach: Reach
    name: str

    CARDS = {
        "good": "4444555511116666",
        "good_3ds": "4444555566661111",
        "declined": "4444111155556666",
        "fails_3ds": "4444111166665555",
        "no_funds_at_debit": "4000000000009995",
        "token_expires": "4000000000000069",
        "token_blocked": "4000000000000341",
        "refuses_payouts": "4000000000000119",
    }

    def rail(self, currency: str = "UAH", **more: Any) -> PaymentRail:
        settings = {
            "base_url": f"{self.reach.base_url}/fondy/api",
            "merchant_id": MERCHANT[currency],
            "payment_key": "test",
            "credit_key": "testcredit",
            "read_timeout_s": PATIENCE_S,
            "transport": self.reach.transport,
        }
        return fondy.build(settings | more)

    def messenger(self, **more: Any) -> Messenger:
        settings = {
            "base_url": f"{self.reach.base_url}/esputnik/api/v1",
            "login": "demo",
            "api_key": "sandbox",
            "read_timeout_s": PATIENCE_S,
            "transport": self.reach.transport,
        }
        return esputnik.build(settings | more)

    def browsers(self, **more: Any) -> PushMessenger:
        settings = {
            "private_key": "dGVzdHMtb25seS1ub3QtYS1zZWNyZXQtMzItYnl0ZXM",
            "contact": "push@lender.example",
            "sandbox_url": self.reach.base_url,
            "read_timeout_s": PATIENCE_S,
            "transport": self.reach.transport,
        }
        return webpush.build(settings | more)

    def phone(self, key: str, origin: str = "http://lender.example") -> str:
        """The address of a new phone that listens to the site with this key."""
        asked = {"origin": origin, "key": key, "back": "/"}
        got = self.reach.http.post("/push/phone", data=asked, headers={"Accept": "application/json"})
        assert got.status_code == 200, got.text
        return got.text

    def shown_on(self, phone: str) -> list[dict[str, Any]]:
        """What a phone has shown, newest first."""
        return self.inbox(push_api.name_of(json.loads(phone)["endpoint"].rsplit("/", 1)[1]))

    def dial(self, **fault: Any) -> None:
        reply = self.reach.http.post("/dials/api", json={"add": [{"provider": "fondy", **fault}]})
        assert reply.status_code == 200, reply.text

    def settings(self, **settings: Any) -> None:
        assert self.reach.http.post("/dials/api", json={"settings": settings}).status_code == 200

    def reset(self) -> None:
        self.reach.http.delete("/dials/api")
        self.settings(hang_s="1", retry_scale="0.1")

    def hosted(self, order_id: str, **more: Any) -> HostedOrder:
        asked = {
            "order_id": order_id,
            "amount_minor": 137,
            "currency": "UAH",
            "description": "Card check",
            "return_url": "http://lender.example/back",
            "callback_url": self.reach.callback_url,
        }
        return HostedOrder(**(asked | more))

    def be_the_customer(self, opened: Opened, card: str, *, held: str | None = "1.37", number: str = "") -> None:
        """Walks the hosted page to its end with a card of CARDS (or a number); `held`: the amount that is told."""
        page = urlsplit(opened.url).path
        reply = self._press(page, {"test_card": number or self.CARDS[card]})
        if reply.url.path.endswith("/bank"):
            reply = self._press(f"{page}/bank", {"code": "123456", "answer": "confirm"})
        for _ in range(3):
            if reply.url.path.endswith("/held") and held is not None:
                reply = self._press(f"{page}/held", {"amount": held})

    def _press(self, path: str, form: dict[str, str]) -> httpx.Response:
        return self.reach.http.post(path, data=form, follow_redirects=True)

    def linked_card(self, order_id: str, card: str = "good", currency: str = "UAH") -> str:
        """The token of a card that a customer has linked."""
        from usance.ports.payment_rail import Accepted, OrderKind

        rail = self.rail(currency)
        held = {"UAH": "1.37", "EUR": "1.37", "VND": "137"}[currency]
        opened = rail.open_card_link(self.hosted(order_id, currency=currency))
        assert isinstance(opened, Opened), opened
        self.be_the_customer(opened, card, held=held)
        answer = rail.status(order_id=order_id, kind=OrderKind.LINK_CARD)
        assert isinstance(answer, Accepted), answer
        assert answer.card.token
        return answer.card.token

    def book(self, order_id: str) -> dict[str, Any] | None:
        """What really happened at the provider."""
        found = self.reach.http.get("/book/", params={"order_id": order_id}).json()["orders"]
        return found[0] if found else None

    def inbox(self, to: str) -> list[dict[str, Any]]:
        got: list[dict[str, Any]] = self.reach.http.get("/inbox/api", params={"to": to}).json()
        return got
