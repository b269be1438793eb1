"""Time-based one-time codes (RFC 6238: SHA-1, six digits, thirty seconds), as authenticator apps make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1  # clocks of phones: one step early or late is taken


def new_secret() -> str:
    """160 random bits in base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def step_at(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS


def code_of_step(secret: str, step: int) -> str:
    padded = secret.replace(" ", "").upper()
    key = base64.b32decode(padded + "=" * (-len(padded) % 8))
    mac = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def code(secret: str, at: datetime) -> str:
    """The code that an app shows at an instant."""
    return code_of_step(secret, step_at(at))


def matching_step(secret: str, given: str, at: datetime, *, after: int) -> int | None:
    """The time step of the code given, within the drift and later than step `after` (a code counts once); or None."""
    typed = "".join(given.split()).replace("-", "")
    found = None
    for step in range(step_at(at) - DRIFT_STEPS, step_at(at) + DRIFT_STEPS + 1):
        if hmac.compare_digest(code_of_step(secret, step), typed.encode("ascii", "replace").decode()) and step > after:
            found = step
    return found


def address(secret: str, *, issuer: str, account: str) -> str:
    """What the QR code says: an `otpauth` address."""
    label = f"{quote(issuer)}:{quote(account)}"
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer)}&digits={DIGITS}&period={STEP_SECONDS}"
