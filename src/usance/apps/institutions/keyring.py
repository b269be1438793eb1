"""The key ring: seals small secrets (second factors, the keys of persons) and makes keyed digests for blind indexes.

`USANCE_KEYS` holds the ring, newest first, as `id:base64 of 32 bytes`. New things are sealed with the newest key;
older keys open what they sealed until everything is rewrapped. The context (what, whose) is authenticated with it, so
that a sealed value cannot be moved to another row.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from usance.apps.institutions import tenancy

NONCE = 12


class SealBroken(RuntimeError):
    """A sealed value was altered, moved to another row, or its key left the ring: never a user's error."""


@functools.lru_cache(maxsize=4)
def _ring(text: str) -> dict[str, bytes]:
    ring = {}
    for part in text.split(","):
        name, _, encoded = part.strip().partition(":")
        ring[name] = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        if len(ring[name]) != 32 or not name:
            raise ValueError(f"USANCE_KEYS: key {name!r} is not `id:base64 of 32 bytes`")
    return ring


def ring() -> dict[str, bytes]:
    """Key id -> key, newest first."""
    return _ring(settings.USANCE_KEYS)


def seal(plain: bytes, context: str) -> bytes:
    """The plain bytes under the newest key, bound to `context` and to the institution at hand."""
    name, key = next(iter(ring().items()))
    nonce = os.urandom(NONCE)
    return name.encode() + b":" + nonce + AESGCM(key).encrypt(nonce, plain, _bound_context(context))


def unseal(sealed: bytes, context: str) -> bytes:
    """What was sealed. Raises SealBroken."""
    name, _, rest = bytes(sealed).partition(b":")
    key = ring().get(name.decode("ascii", "replace"))
    if key is None:
        raise SealBroken(f"sealed with a key that is not in the ring ({context})")
    try:
        return AESGCM(key).decrypt(rest[:NONCE], rest[NONCE:], _bound_context(context))
    except InvalidTag:
        raise SealBroken(f"the seal does not fit ({context})") from None


def needs_rewrap(sealed: bytes) -> bool:
    """Whether an older key than the newest sealed it."""
    return bytes(sealed).partition(b":")[0].decode() != next(iter(ring()))


def rewrap(sealed: bytes, context: str) -> bytes:
    return seal(unseal(sealed, context), context)


def digest(value: str, purpose: str) -> str:
    """A keyed hash (hex) of `value`, different in each institution and for each purpose: equal values can be found
    again, but not guessed by someone who has only the database. Stays the same when the key ring turns."""
    mac_key = hmac.digest(_index_key(), f"{tenancy.current_id()}|{purpose}".encode(), hashlib.sha256)
    return hmac.digest(mac_key, value.encode(), hashlib.sha256).hex()


def _index_key() -> bytes:
    """From the oldest key of the ring: blind indexes are not rewrapped, so that key stays in the ring."""
    return hmac.digest(list(ring().values())[-1], b"usance blind index", hashlib.sha256)


def _bound_context(context: str) -> bytes:
    return f"{tenancy.current_id()}|{context}".encode()
