"""Between push services and us: addresses that may be written to, what the notification says, how answers are read.
Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError
from webpush import WebPushSubscription

from usance.ports.messenger import Accepted, Answer, Declined, PushOrder, Reason, Unknown, Why

# the push services of Chrome and what is built on it, Firefox, Safari, and Edge; a leading dot means any host below
SERVICES = ("fcm.googleapis.com", ".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com")
LONGEST = 2000
POINT, SECRET = 65, 16  # bytes of the two keys
REFERENCE = 120


def subscription(address: str) -> WebPushSubscription | None:
    """The address as its parts; None for anything that is not a whole one."""
    if len(address) > LONGEST:
        return None
    try:
        found = WebPushSubscription.model_validate_json(address)
        point, secret = decoded(found.keys.p256dh), decoded(found.keys.auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValidationError, ValueError, binascii.Error):
        return None
    return found if (len(point), len(secret)) == (POINT, SECRET) else None


def decoded(text: str) -> bytes:
    """base64url, with or without its padding."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def is_known(endpoint: str, services: Iterable[str], sandbox_url: str = "") -> bool:
    """Whether requests may go there: by TLS to a push service that we know, on its usual port, or to the sandbox."""
    if sandbox_url and endpoint.startswith(f"{sandbox_url.rstrip('/')}/push/"):
        return True
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    if parts.scheme != "https" or port not in (None, 443) or parts.username is not None or parts.fragment:
        return False
    return any(host.endswith(name) if name.startswith(".") else host == name for name in services)


def payload(order: PushOrder) -> bytes:
    """What our own service worker in the browser reads."""
    said = {"title": order.title, "body": order.text, "link": order.link, "tag": order.key}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def answered(status: int, location: str, text: str, *, key: str) -> Answer:
    """404 and 410 mean that the browser has dropped this address for good; other 4xx that our request or set-up is
    wrong; anything that is neither that nor success, that nobody knows."""
    code = str(status)
    if status in (200, 201, 202):
        return Accepted(key=key, reference=location[-REFERENCE:])
    if status in (404, 410):
        return Declined(key=key, reason=Reason.UNREACHABLE, code=code)
    if status in (400, 401, 403, 413):
        return Declined(key=key, reason=Reason.CONFIGURATION, code=code, detail=text[:200])
    return Unknown(key=key, why=Why.BUSY, code=code, detail=text[:200])
