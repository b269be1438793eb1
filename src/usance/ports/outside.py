"""No network inside a transaction: the adapters ask here, and a call from inside one crashes loudly.

A provider that is slow would hold our locks; a rollback would forget what the provider did. Ports know no database, so
configuration installs the question "is a transaction open here?".
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

Question = Callable[[], bool]


class InsideTransaction(RuntimeError):
    """A provider was called while a transaction was open: a defect, never a user's error."""


class UnsafeAddress(ValueError):
    """A provider's address over which everybody on the way could read along, or send us elsewhere."""


def _never() -> bool:
    return False


_in_transaction: Question = _never


def install(in_transaction: Question) -> Question:
    """Puts the question in place and returns the one before it."""
    global _in_transaction
    before, _in_transaction = _in_transaction, in_transaction
    return before


def require_encrypted(url: str) -> None:
    """A provider may be spoken to by https, or on this very machine (the sandbox), with no password in the address.
    Raises UnsafeAddress: a mistake in the configuration, which must be loud. An empty one names nobody."""
    parts = urlsplit(url)
    on_this_machine = parts.hostname in ("127.0.0.1", "::1", "localhost")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and on_this_machine)
    if parts.hostname and (not is_safe or parts.username or parts.password):
        raise UnsafeAddress(f"a provider's address must be https://host/..., without a password: {parts.hostname}")


def assert_outside_transaction(what: str = "a provider") -> None:
    """Raises InsideTransaction, naming `what` was about to be called."""
    if _in_transaction():
        raise InsideTransaction(f"{what} must be called outside any transaction")
