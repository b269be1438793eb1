"""Fondy over HTTP. One request per call, never a second one: what is not answered is Unknown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx

from usance.adapters.fondy import mapping, signature, webhooks
from usance.ports.outside import assert_outside_transaction, require_encrypted
from usance.ports.payment_rail import (
    Answer,
    DebitOrder,
    Declined,
    HostedOrder,
    InboundNotice,
    Opened,
    OrderKind,
    PayoutOrder,
    RefundOrder,
    Unknown,
    Why,
)

SANDBOX_DATE = "X-Sandbox-Date"
LANGUAGES = frozenset({"cs", "de", "en", "es", "fr", "hu", "it", "ka", "ko", "lv", "pl", "ro", "ru", "sk", "uk"})
MAX_DESCRIPTION = 1024
# a kept connection that the other side has just closed would leave money orders Unknown for nothing
FRESH = httpx.Limits(max_keepalive_connections=0)


@dataclass(frozen=True, kw_only=True)
class FondyRail:
    """A merchant account. `page_hosts`: where its payment pages may be, so that no answer sends a payer elsewhere.
    `zone`: the zone of the provider's times, which it does not write. `sandbox_date`: only with the sandbox twin: the
    date on which it shall live for this merchant (asked before each request)."""

    base_url: str
    merchant: str
    payment_key: str = field(repr=False)
    credit_key: str = field(repr=False)
    page_hosts: frozenset[str]
    zone: ZoneInfo
    http: httpx.Client = field(repr=False)
    sandbox_date: Callable[[], date | datetime | None] | None = field(default=None, repr=False)
    provider: str = webhooks.PROVIDER

    # --- the port --------------------------------------------------------------------------------

    def open_card_link(self, order: HostedOrder) -> Opened | Declined | Unknown:
        return self._open(order, {"verification": "Y", "verification_type": "amount", "required_rectoken": "Y"})

    def open_checkout(self, order: HostedOrder) -> Opened | Declined | Unknown:
        return self._open(order, {})

    def debit_card(self, order: DebitOrder) -> Answer:
        return self._move("recurring/", order, {"rectoken": order.token}, OrderKind.DEBIT)

    def payout_to_card(self, order: PayoutOrder) -> Answer:
        return self._move("p2pcredit/", order, {"receiver_rectoken": order.token}, OrderKind.PAYOUT)

    def status(self, *, order_id: str, kind: OrderKind) -> Answer:
        secret = self._secret(kind)
        got = self._ask("status/order_id/", {"order_id": order_id, "version": mapping.VERSION}, secret, order_id)
        if isinstance(got, Unknown):
            return got
        if _failed(got):
            return mapping.failure(got, order_id=order_id, asking=True)
        return self._order_answer(got, order_id=order_id, kind=kind, secret=secret)

    def refund(self, order: RefundOrder) -> Answer:
        fields = {
            "order_id": order.order_id,
            "amount": str(order.amount_minor),
            "currency": order.currency,
            "comment": _clean(order.comment),
            "reverse_id": order.refund_id,
            "version": mapping.VERSION,
        }
        got = self._ask("reverse/order_id/", fields, self.payment_key, order.order_id)
        if isinstance(got, Unknown):
            return got
        if _failed(got):
            return mapping.failure(got, order_id=order.order_id, asking=False)
        return self._unproven(got, self.payment_key, order.order_id) or mapping.refund_answer(got, order)

    def parse_callback(self, *, body: bytes, content_type: str) -> InboundNotice:
        return webhooks.parse(
            body=body,
            content_type=content_type,
            merchant_id=self.merchant,
            payment_key=self.payment_key,
            credit_key=self.credit_key,
            zone=self.zone,
        )

    def is_alive(self) -> bool:
        """Asks for an order that cannot exist: any answer in the protocol will do."""
        answer = self.status(order_id="usance-doctor", kind=OrderKind.PURCHASE)
        return not isinstance(answer, Unknown) or answer.why in (Why.NOT_FOUND, Why.WAITING_FOR_PAYER)

    # --- inside ----------------------------------------------------------------------------------

    def _secret(self, kind: OrderKind) -> str:
        return self.credit_key if kind is OrderKind.PAYOUT else self.payment_key

    def _open(self, order: HostedOrder, extra: Mapping[str, str]) -> Opened | Declined | Unknown:
        fields = {
            "order_id": order.order_id,
            "order_desc": _clean(order.description),
            "amount": str(order.amount_minor),
            "currency": order.currency,
            "response_url": order.return_url,
            "server_callback_url": order.callback_url,
            "lifetime": str(order.lifetime_s),
            "lang": order.language if order.language in LANGUAGES else "en",
            "version": mapping.VERSION,
            **extra,
        }
        got = self._ask("checkout/url/", fields, self.payment_key, order.order_id)
        if isinstance(got, Unknown):
            return got
        if _failed(got):
            return mapping.failure(got, order_id=order.order_id, asking=False)
        url = str(got.get("checkout_url") or "")
        if not self._is_a_page(url):
            return Unknown(order_id=order.order_id, why=Why.UNREADABLE)
        return Opened(order_id=order.order_id, url=url, reference=str(got.get("payment_id") or ""))

    def _is_a_page(self, url: str) -> bool:
        """Whether a payer may be sent there: one of the provider's hosts, as safely as we speak to it ourselves."""
        parts, ours = urlsplit(url), urlsplit(self.base_url)
        return parts.scheme in ("https", ours.scheme) and parts.hostname in self.page_hosts and not parts.username

    def _move(self, path: str, order: DebitOrder | PayoutOrder, extra: Mapping[str, str], kind: OrderKind) -> Answer:
        fields = {
            "order_id": order.order_id,
            "order_desc": _clean(order.description),
            "amount": str(order.amount_minor),
            "currency": order.currency,
            "server_callback_url": order.callback_url,
            "version": mapping.VERSION,
            **extra,
        }
        secret = self._secret(kind)
        got = self._ask(path, fields, secret, order.order_id)
        if isinstance(got, Unknown):
            return got
        if _failed(got) and "order_status" not in got:
            return mapping.failure(got, order_id=order.order_id, asking=False)
        return self._order_answer(got, order_id=order.order_id, kind=kind, secret=secret)

    def _order_answer(self, got: Mapping[str, Any], *, order_id: str, kind: OrderKind, secret: str) -> Answer:
        context = mapping.Context(order_id=order_id, kind=kind, zone=self.zone)
        return self._unproven(got, secret, order_id) or mapping.order_answer(got, context)

    def _unproven(self, got: Mapping[str, Any], secret: str, order_id: str) -> Unknown | None:
        """Unknown when the answer is not provably about our order, from our provider."""
        proven = signature.verifies(secret, got)
        if not proven or str(got.get("merchant_id", "")) != self.merchant or str(got.get("order_id", "")) != order_id:
            return Unknown(order_id=order_id, why=Why.BAD_SIGNATURE)
        return None

    def _ask(self, path: str, fields: Mapping[str, str], secret: str, order_id: str) -> dict[str, Any] | Unknown:
        """Sends one signed request; the inner object of the answer, or Unknown."""
        assert_outside_transaction("Fondy")
        request: dict[str, Any] = {name: value for name, value in fields.items() if value != ""}
        request["merchant_id"] = int(self.merchant)
        request["signature"] = signature.sign(secret, request)
        try:
            reply = self.http.post(f"{self.base_url}/{path}", json={"request": request}, headers=self._headers())
        except httpx.RequestError as error:  # refused, cut, or timed out before or after acceptance
            return Unknown(order_id=order_id, why=Why.NO_ANSWER, detail=type(error).__name__)
        if reply.status_code != httpx.codes.OK:
            busy = reply.status_code >= 500 or reply.status_code == httpx.codes.TOO_MANY_REQUESTS
            return Unknown(order_id=order_id, why=Why.BUSY if busy else Why.UNREADABLE, code=str(reply.status_code))
        return _inner(reply.content, order_id)

    def _headers(self) -> dict[str, str]:
        told = self.sandbox_date() if self.sandbox_date else None
        return {SANDBOX_DATE: told.isoformat()} if told else {}


def _inner(content: bytes, order_id: str) -> dict[str, Any] | Unknown:
    try:
        # numbers stay as they were written, since they are signed so
        answer = json.loads(content, parse_int=str, parse_float=str)
    except ValueError:
        answer = None
    inner = answer.get("response") if isinstance(answer, dict) else None
    return inner if isinstance(inner, dict) else Unknown(order_id=order_id, why=Why.UNREADABLE)


def _failed(got: Mapping[str, Any]) -> bool:
    return got.get("response_status") == "failure"


def _clean(text: str) -> str:
    """The provider refuses the separator of its signature inside a value, and signs without outer spaces."""
    return " ".join(text.replace("|", "/").split())[:MAX_DESCRIPTION]


def build(settings: Mapping[str, Any]) -> FondyRail:
    """From configuration: base_url, merchant_id, payment_key, credit_key; optional time_zone (Europe/Kyiv), page_hosts
    (where payment pages are besides the base address, separated by commas), connect_timeout_s (5), read_timeout_s (30),
    transport (httpx, for an in-process twin), sandbox_date."""
    timeout = httpx.Timeout(
        float(settings.get("read_timeout_s", 30)), connect=float(settings.get("connect_timeout_s", 5))
    )
    base_url, transport = str(settings["base_url"]).rstrip("/"), settings.get("transport")
    if transport is None:  # an in-process twin has no way on which anybody could listen
        require_encrypted(base_url)
    more = str(settings.get("page_hosts", "")).replace(",", " ").split()
    return FondyRail(
        base_url=base_url,
        page_hosts=frozenset({str(urlsplit(base_url).hostname), *more}),
        merchant=str(settings["merchant_id"]),
        payment_key=str(settings["payment_key"]),
        credit_key=str(settings["credit_key"]),
        zone=ZoneInfo(str(settings.get("time_zone", "Europe/Kyiv"))),
        http=httpx.Client(
            timeout=timeout,
            transport=transport or httpx.HTTPTransport(retries=0, limits=FRESH),
            follow_redirects=False,
        ),
        sandbox_date=settings.get("sandbox_date"),
    )
