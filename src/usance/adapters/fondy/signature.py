"""The signature of Fondy's protocol 1.0 and 1.0.1: SHA-1 over the secret and the values in the order of their names.

Source: docs.fondy.io/gateway/signatures and the public SDKs (cloudipsp/python-sdk, cloudipsp/php-sdk-v2).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

UNSIGNED = frozenset({"signature", "response_signature_string"})


def base_string(secret: str, fields: Mapping[str, Any]) -> str:
    """The string that is hashed: empty strings and nulls are left out, a zero stays."""
    values = [str(fields[name]) for name in sorted(fields) if name not in UNSIGNED and fields[name] not in ("", None)]
    return "|".join([secret, *values])


def sign(secret: str, fields: Mapping[str, Any]) -> str:
    """SHA-1, lower-case hexadecimal."""
    # SHA-1 is the protocol's choice, not ours
    return hashlib.sha1(base_string(secret, fields).encode(), usedforsecurity=False).hexdigest()


def verifies(secret: str, fields: Mapping[str, Any]) -> bool:
    """Whether `fields["signature"]` is the secret holder's over the other fields."""
    return hmac.compare_digest(sign(secret, fields).encode(), str(fields.get("signature", "")).lower().encode())
