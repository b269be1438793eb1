"""How many failed tries are allowed, counted per institution.

A stranger's tries never lock out the person themselves: a device on which they signed in before has a counter of its
own, so their account, or the whole office's address, may be under attack while they work. On a device that is new, what
one address tried does not count against another, up to a number that only a crowd of addresses reaches. Sources are
kept as keyed hashes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import structlog

from usance.apps.access.models import Attempts
from usance.apps.access.refusals import TooManyAttempts
from usance.apps.institutions import keyring

log = structlog.get_logger("usance.security")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `failures` in a window that begins with the first of them."""

    kind: str
    failures: int
    window: timedelta


ACCOUNT = Limit("sign_in.account", 100, timedelta(minutes=15))
ACCOUNT_FROM = Limit("sign_in.account_from", 10, timedelta(minutes=15))
DEVICE = Limit("sign_in.device", 10, timedelta(minutes=15))
ADDRESS = Limit("sign_in.address", 60, timedelta(minutes=15))
CODE = Limit("factor.account", 5, timedelta(minutes=15))
CODE_DEVICE = Limit("factor.device", 5, timedelta(minutes=15))
PASSKEY = Limit("passkey.address", 120, timedelta(minutes=15))  # counts what is asked for, not what failed
INVITATION = Limit("invitation.address", 20, timedelta(minutes=15))


def admit_all(counted: Iterable[tuple[Limit, str]], at: datetime) -> None:
    """`admit` by each of several counters, in their order."""
    for limit, source in counted:
        admit(limit, source, at)


def failed_all(counted: Iterable[tuple[Limit, str]], at: datetime) -> None:
    for limit, source in counted:
        failed(limit, source, at)


def admit(limit: Limit, source: str, at: datetime) -> None:
    """Raises TooManyAttempts when the source has used up its tries. Holds the counter until the transaction ends, so
    that tries at the same time count one after the other."""
    row = _hold(limit, source, at)
    if row.window_ends_at > at and row.failures >= limit.failures:
        log.warning("attempts.used_up", kind=limit.kind, source=row.source[:16])
        raise TooManyAttempts(minutes=max(1, ceil((row.window_ends_at - at).total_seconds() / 60)))


def failed(limit: Limit, source: str, at: datetime) -> None:
    row = _hold(limit, source, at)
    if row.window_ends_at <= at:
        row.failures, row.window_ends_at = 0, at + limit.window
    row.failures += 1
    row.save(update_fields=["failures", "window_ends_at"])


def forget(limit: Limit, source: str) -> None:
    """A success: the count begins anew."""
    Attempts.objects.filter(kind=limit.kind, source=_hash(limit, source)).update(failures=0)


def sweep(at: datetime) -> int:
    """Removes counters whose window has passed."""
    return Attempts.objects.filter(window_ends_at__lt=at - timedelta(days=1)).delete()[0]


def _hold(limit: Limit, source: str, at: datetime) -> Attempts:
    key = {"kind": limit.kind, "source": _hash(limit, source)}
    Attempts.objects.bulk_create([Attempts(**key, window_ends_at=at + limit.window)], ignore_conflicts=True)
    return Attempts.objects.select_for_update().get(**key)


def _hash(limit: Limit, source: str) -> str:
    return keyring.digest(source, limit.kind)
