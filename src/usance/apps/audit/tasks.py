"""Jobs of the audit trail."""

from __future__ import annotations

from usance.apps.audit import services
from usance.ports.queue import task


@task("audit.link")
def link() -> None:
    """Chains what was written since. Running twice at once is harmless: the second waits and finds nothing."""
    services.link_pending()
