"""Which institution this work is for, and how the database is told.

`bound(id)` names the institution for the code inside; the database backend of this app then binds each outermost
transaction to it (see `backend/base.py` and the functions that `guard.py` installs). Unbound code sees no rows.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.pq import ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from usance.apps.institutions.models import Institution

_bound_to: ContextVar[UUID | None] = ContextVar("usance_institution", default=None)
_row: ContextVar[Any] = ContextVar("usance_institution_row", default=None)


class Unbound(RuntimeError):
    """Code that needs an institution ran outside `bound`: a defect, never a user's error."""


def token(institution_id: UUID, backend_pid: int) -> bytes:
    """What the database asks for before it binds: only the application can make it, and only for this connection."""
    message = f"{institution_id}|{backend_pid}".encode()
    return hmac.digest(settings.USANCE_TENANCY_SECRET.encode(), message, hashlib.sha256)


@contextmanager
def bound(institution_id: UUID) -> Iterator[None]:
    """Everything inside is for this institution. In an open transaction the binding happens at once; a transaction
    that is bound to another institution refuses (`InsufficientPrivilege`)."""
    outer, outer_row = _bound_to.set(institution_id), _row.set(None)
    try:
        if connection.in_atomic_block:
            bind_transaction()
        yield
    finally:
        _bound_to.reset(outer)
        _row.reset(outer_row)


BIND = "SELECT usance.bind_institution('{institution}', '\\x{token}')"


def bind_transaction() -> None:
    """Tells the database, for the transaction that is open, whom we work for. One that is to begin is begun by the same
    message. Nothing to do when unbound."""
    institution_id = _bound_to.get()
    if institution_id is None:
        return
    raw = connection.connection
    words = BIND.format(institution=institution_id, token=token(institution_id, raw.info.backend_pid).hex())
    if raw.pgconn.transaction_status != TransactionStatus.IDLE:
        raw.execute(words)
        return
    answer = raw.pgconn.exec_(f"BEGIN; {words}".encode())
    if answer.status != ExecStatus.TUPLES_OK:
        if raw.closed:
            raise psycopg.OperationalError(answer.error_message.decode(errors="replace"))
        raise psycopg.errors.error_from_result(answer)


def memory() -> dict[Any, Any]:
    """What the open transaction remembers for this institution: gone with its end, be it commit or rollback, and never
    seen by another institution. Outside a transaction nothing is remembered. A savepoint's rollback does not empty it:
    keep only what stays true then, and forget what you change."""
    kept = getattr(connection, "usance_memory", None)
    if kept is None or not connection.in_atomic_block:
        return {}
    mine: dict[Any, Any] = kept.setdefault(_bound_to.get(), {})
    return mine


def is_bound() -> bool:
    return _bound_to.get() is not None


def current_id() -> UUID:
    """The bound institution's id; raises Unbound."""
    institution_id = _bound_to.get()
    if institution_id is None:
        raise Unbound("no institution is bound here")
    return institution_id


def id_or_none() -> UUID | None:
    """The default of a row's institution: a row made unbound has none, and the database refuses to store it."""
    return _bound_to.get()


def current() -> Institution:
    """The bound institution's row, read once per binding. Take a fresh row (`Institution.objects.get`) after its
    business date moved."""
    from usance.apps.institutions.models import Institution

    row = _row.get()
    if row is None:
        row = Institution.objects.get(pk=current_id())
        _row.set(row)
    found: Institution = row
    return found


def forget_row() -> None:
    """The institution's row changed: the next `current` reads it again."""
    _row.set(None)
