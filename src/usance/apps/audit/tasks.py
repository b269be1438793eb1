"""Jobs of the audit trail."""

from __future__ import annotations

from usance.apps.audit import services
from usance.ports import actor
from usance.ports.queue import task


@task("audit.link")
def link() -> None:
    """Chains what was written since. Running twice at once is harmless: the second waits and finds nothing."""
    services.link_pending()


@task("audit.verify")
def verify(asked_by: str) -> None:
    """Walks the whole chain for a member of staff; the outcome is in the trail."""
    services.verify_and_record(actor=actor.staff(asked_by, label="staff"))
