"""How a worker carries out one job: bound to its institution, logged, and listed with its reason when it gives up."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from uuid import UUID

import structlog
from django.db import close_old_connections, transaction

from usance.apps.institutions import services, tenancy
from usance.ports.queue import Plain, TaskOptions, options

log = structlog.get_logger("usance.jobs")


def run_job(task: TaskOptions, arguments: Mapping[str, Plain], attempts: int) -> None:
    """Runs one job. This is the bulkhead around jobs: a crash is recorded and handed to the queue, which tries again
    until `task.retries` attempts are used up."""
    plain = dict(arguments)
    institution_id = UUID(str(plain.pop("institution_id")))
    close_old_connections()
    structlog.contextvars.bind_contextvars(job=task.name, institution=str(institution_id))
    try:
        with tenancy.bound(institution_id):
            task.run(**plain)
        log.info("job.done", attempts=attempts)
    except Exception as crash:  # the bulkhead for one job
        log.warning("job.failed", attempts=attempts, error=type(crash).__name__, exc_info=True)
        if attempts + 1 >= task.retries:
            _list(institution_id, task, plain, crash)
        raise
    finally:
        structlog.contextvars.clear_contextvars()
        close_old_connections()


def _list(institution_id: UUID, task: TaskOptions, arguments: Mapping[str, Plain], crash: Exception) -> None:
    """Puts a job that gave up on the staff's list. The reason is the kind of error and where it happened: its message
    might hold personal data."""
    frame = traceback.extract_tb(crash.__traceback__)[-1]
    reason = f"{type(crash).__name__} in {frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
    with tenancy.bound(institution_id), transaction.atomic():
        services.list_failed_job(task=task.name, arguments=dict(arguments), reason=reason)


def run_inline(name: str, arguments: Mapping[str, Plain]) -> None:
    """Runs one job of an InlineQueue in this thread; a crash goes to the caller."""
    plain = dict(arguments)
    with tenancy.bound(UUID(str(plain.pop("institution_id")))):
        options(name).run(**plain)
