"""Web Push over HTTP (RFC 8030): encrypted for the browser alone (RFC 8291), signed by us (VAPID, RFC 8292). One
request per push, never a second one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from webpush import WebPush
from webpush.vapid import VAPID

from usance.adapters.webpush import mapping
from usance.ports.messenger import Answer, Declined, PushOrder, Reason, Unknown, Why
from usance.ports.outside import assert_outside_transaction

FRESH = httpx.Limits(max_keepalive_connections=0)


@dataclass(frozen=True, kw_only=True)
class WebPushMessenger:
    """One pair of keys. `services`: hosts that may be written to, besides the sandbox at `sandbox_url`."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    contact: str
    services: tuple[str, ...]
    sandbox_url: str
    http: httpx.Client = field(repr=False)
    provider: str = "webpush"

    @property
    def public_key(self) -> str:
        return VAPID.get_application_server_key(self.key.public_key())

    def accepts(self, address: str) -> bool:
        found = mapping.subscription(address)
        return found is not None and mapping.is_known(str(found.endpoint), self.services, self.sandbox_url)

    def send_push(self, order: PushOrder) -> Answer:
        assert_outside_transaction("a push service")
        to = mapping.subscription(order.to)
        if to is None or not self.accepts(order.to):  # asked again: the list may have become shorter
            return Declined(key=order.key, reason=Reason.UNREACHABLE, code="address")
        # the library keeps what it was told last in the object: a new one for each push
        sealed = WebPush(
            private_key=self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            public_key=self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            subscriber=self.contact,
            ttl=order.good_for_s,
        ).get(mapping.payload(order), to)
        headers = {**sealed.headers, "content-type": "application/octet-stream", "urgency": "normal"}
        try:
            reply = self.http.post(str(to.endpoint), content=sealed.encrypted, headers=headers)
        except httpx.RequestError as error:
            return Unknown(key=order.key, why=Why.NO_ANSWER, detail=type(error).__name__)
        return mapping.answered(reply.status_code, reply.headers.get("location", ""), reply.text, key=order.key)


def build(settings: Mapping[str, Any]) -> WebPushMessenger:
    """From configuration: private_key (base64url of its 32 bytes), contact (an e-mail address that push services may
    write to); optional services (hosts, separated by commas, in place of the known ones), sandbox_url,
    connect_timeout_s (5), read_timeout_s (15), transport (httpx, for an in-process twin)."""
    timeout = httpx.Timeout(
        float(settings.get("read_timeout_s", 15)), connect=float(settings.get("connect_timeout_s", 5))
    )
    number = int.from_bytes(mapping.decoded(str(settings["private_key"])), "big")
    chosen = tuple(name.strip() for name in str(settings.get("services") or "").split(",") if name.strip())
    return WebPushMessenger(
        key=ec.derive_private_key(number, ec.SECP256R1()),
        contact=str(settings["contact"]),
        services=chosen or mapping.SERVICES,
        sandbox_url=str(settings.get("sandbox_url") or ""),
        http=httpx.Client(
            timeout=timeout,
            transport=settings.get("transport") or httpx.HTTPTransport(retries=0, limits=FRESH),
            follow_redirects=False,
        ),
    )
