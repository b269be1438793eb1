"""No network inside a transaction: the adapters ask here, and a call from inside one crashes loudly.

A provider that is slow would hold our locks; a rollback would forget what the provider did. Ports know no database, so
configuration installs the question "is a transaction open here?".
"""

from __future__ import annotations

from collections.abc import Callable

Question = Callable[[], bool]


class InsideTransaction(RuntimeError):
    """A provider was called while a transaction was open: a defect, never a user's error."""


def _never() -> bool:
    return False


_in_transaction: Question = _never


def install(in_transaction: Question) -> Question:
    """Puts the question in place and returns the one before it."""
    global _in_transaction
    before, _in_transaction = _in_transaction, in_transaction
    return before


def assert_outside_transaction(what: str = "a provider") -> None:
    """Raises InsideTransaction, naming `what` was about to be called."""
    if _in_transaction():
        raise InsideTransaction(f"{what} must be called outside any transaction")
