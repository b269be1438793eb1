"""Jobs of the access app."""

from __future__ import annotations

from django.db import transaction

from usance.apps.access import sign_in
from usance.ports import clock
from usance.ports.queue import task


@task("access.sweep")
def sweep() -> None:
    """Removes what has run out: sessions, invitations, counters of failed tries."""
    with transaction.atomic():
        sign_in.sweep(at=clock.now())
