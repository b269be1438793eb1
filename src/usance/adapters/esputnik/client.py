"""eSputnik over HTTP. One request per message, never a second one: what is not answered is Unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from usance.adapters.esputnik import mapping
from usance.ports.messenger import (
    Answer,
    Channel,
    Delivery,
    EmailOrder,
    SmsOrder,
    Unknown,
    Why,
)
from usance.ports.outside import assert_outside_transaction, require_encrypted

REFERENCES_PER_QUERY = 50  # keeps the address of the query short
# a kept connection that the other side has just closed would leave messages Unknown for nothing
FRESH = httpx.Limits(max_keepalive_connections=0)


@dataclass(frozen=True, kw_only=True)
class ESputnikMessenger:
    """An account. `sms_sender`: a registered sender name; `email_sender`: "Name <a@b>" of a confirmed domain."""

    base_url: str
    sms_sender: str
    email_sender: str
    http: httpx.Client = field(repr=False)
    provider: str = "esputnik"

    def send_sms(self, order: SmsOrder) -> Answer:
        return self._send("message/sms", mapping.sms_body(order, self.sms_sender), order.key)

    def send_email(self, order: EmailOrder) -> Answer:
        return self._send("message/email", mapping.email_body(order, self.email_sender), order.key)

    def delivery_status(self, *, channel: Channel, references: Sequence[str]) -> Mapping[str, Delivery]:
        found: dict[str, Delivery] = {}
        for start in range(0, len(references), REFERENCES_PER_QUERY):
            found |= self._delivery_status(channel, references[start : start + REFERENCES_PER_QUERY])
        return found

    def is_alive(self) -> bool:
        """Asks for the account's balance, which needs a working login."""
        assert_outside_transaction("eSputnik")
        try:
            return self.http.get(f"{self.base_url}/balance").status_code == httpx.codes.OK
        except httpx.RequestError:
            return False

    def _send(self, path: str, body: Mapping[str, Any], key: str) -> Answer:
        assert_outside_transaction("eSputnik")
        try:
            reply = self.http.post(f"{self.base_url}/{path}", json=body)
        except httpx.RequestError as error:  # refused, cut, or timed out before or after acceptance
            return Unknown(key=key, why=Why.NO_ANSWER, detail=type(error).__name__)
        if reply.status_code != httpx.codes.OK:
            return mapping.refused_by_http(reply.status_code, reply.text, key=key)
        try:
            return mapping.sent(reply.json(), key=key)
        except ValueError:
            return Unknown(key=key, why=Why.UNREADABLE)

    def _delivery_status(self, channel: Channel, references: Sequence[str]) -> dict[str, Delivery]:
        assert_outside_transaction("eSputnik")
        try:
            reply = self.http.get(f"{self.base_url}/message/{channel}/status", params={"ids": ",".join(references)})
            if reply.status_code == httpx.codes.OK:
                return mapping.deliveries(reply.json(), references)
        except (httpx.RequestError, ValueError):
            pass
        return mapping.unknown_deliveries(references)


def build(settings: Mapping[str, Any]) -> ESputnikMessenger:
    """From configuration: base_url, login, api_key, sms_sender, email_sender; optional connect_timeout_s (5),
    read_timeout_s (30), transport (httpx, for an in-process twin)."""
    timeout = httpx.Timeout(
        float(settings.get("read_timeout_s", 30)), connect=float(settings.get("connect_timeout_s", 5))
    )
    base_url, transport = str(settings["base_url"]).rstrip("/"), settings.get("transport")
    if transport is None:  # an in-process twin has no way on which anybody could listen
        require_encrypted(base_url)
    return ESputnikMessenger(
        base_url=base_url,
        sms_sender=str(settings.get("sms_sender", "USANCE")),
        email_sender=str(settings.get("email_sender", "Usance <no-reply@example.com>")),
        http=httpx.Client(
            timeout=timeout,
            transport=transport or httpx.HTTPTransport(retries=0, limits=FRESH),
            auth=httpx.BasicAuth(str(settings["login"]), str(settings["api_key"])),
            follow_redirects=False,
        ),
    )
