"""An import from the files' arrival to their taking; the work itself is `workflows.import_portfolio`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from usance.apps.audit import services as audit
from usance.apps.customers import vault
from usance.apps.imports.models import (
    BAD,
    CHECKED,
    CHECKING,
    STOPPED,
    TAKEN,
    TAKING,
    Import,
    Imported,
    ImportFile,
)  # fmt: skip
from usance.apps.imports.selectors import FILE, File, NoSuchImport, hash_of
from usance.apps.institutions.rows import copy_new
from usance.core.refusals import Refusal
from usance.ports.actor import Actor

MOST_LISTED = 1000


class ImportNotReady(Refusal):
    """The import is in another state than the act needs."""

    code = "import_not_ready"
    state: str


class NoFiles(Refusal):
    code = "import_without_files"


def hand_in(*, files: Sequence[File], asked_by: str, actor: Actor) -> Import:
    """Keeps the files, sealed, for their check. Raises NoFiles."""
    if not files:
        raise NoFiles()
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.content).digest())
    row = Import.objects.create(asked_by=asked_by, digest=digest.hexdigest())
    ImportFile.objects.bulk_create(
        ImportFile(
            of=row,
            name=f"{number}-{file.name}"[:120]
            if sum(file.name == other.name for other in files) > 1
            else file.name[:120],
            sealed=vault.seal_bytes(file.content, party_id=None, field=FILE),
            size=len(file.content),
        )
        for number, file in enumerate(files, 1)
    )
    details = {"files": len(files), "bytes": sum(len(file.content) for file in files), "digest": row.digest}
    audit.record(action="import.handed_in", subject=row, actor=actor, details=details)
    return row


def note_progress(*, import_id: UUID, done: int, total: int) -> None:
    Import.objects.filter(pk=import_id).update(done_count=done, total_count=total)


def note_check(
    *, import_id: UUID, on: date, lines: int, summary: Mapping[str, Any], problems: Sequence[Mapping[str, Any]],
    differences: Sequence[Mapping[str, Any]], actor: Actor,
) -> Import:  # fmt: skip
    """What the check found: good, or bad with every line's reason."""
    row = hold(import_id)
    if row.state not in (CHECKING, TAKING):
        return row
    row.state = BAD if problems else CHECKED
    row.checked_on, row.line_count, row.summary = on, lines, dict(summary)
    row.problems, row.problem_count = [dict(one) for one in problems[:MOST_LISTED]], len(problems)
    row.differences, row.difference_count = [dict(one) for one in differences[:MOST_LISTED]], len(differences)
    row.save()
    details = {"problems": len(problems), "differences": len(differences)}
    audit.record(action=f"import.{row.state}", subject=row, actor=actor, details=details)
    if row.state == BAD:
        _empty(row)
    return row


def move(*, import_id: UUID, before: str, after: str, actor: Actor) -> Import:
    """From one state to the next. Raises ImportNotReady."""
    row = hold(import_id)
    if row.state != before:
        raise ImportNotReady(state=row.state)
    row.state = after
    row.save(update_fields=["state"])
    audit.record(action=f"import.{after}", subject=row, actor=actor)
    return row


def stop(*, import_id: UUID, actor: Actor) -> Import:
    """It is not wanted any more: its files are emptied. Raises ImportNotReady."""
    row = hold(import_id)
    if row.state not in (CHECKING, CHECKED):
        raise ImportNotReady(state=row.state)
    row.state = STOPPED
    row.save(update_fields=["state"])
    _empty(row)
    audit.record(action="import.stopped", subject=row, actor=actor)
    return row


def note_taken(*, import_id: UUID, on: date, at: datetime, summary: Mapping[str, Any], actor: Actor) -> Import:
    """It is in: the files are emptied, what they held stands in our own rows."""
    row = hold(import_id)
    row.state, row.taken_on, row.taken_at, row.summary = TAKEN, on, at, dict(summary)
    row.done_count = F("total_count")
    row.save(update_fields=["state", "taken_on", "taken_at", "summary", "done_count"])
    _empty(row)
    details = {name: summary[name] for name in ("customers", "loans") if name in summary}
    audit.record(action="import.taken", subject=row, actor=actor, details=details)
    return row


def note_arrivals(*, import_id: UUID, kind: str, arrived: Iterable[tuple[str, str, UUID]]) -> None:
    """(name there, all that was said, our id) of what came in."""
    copy_new(
        [
            Imported(
                of_id=import_id,
                kind=kind,
                external=hash_of(kind, name),
                content=hash_of(f"{kind}.content", content),
                subject_id=subject_id,
            )
            for name, content, subject_id in arrived
        ]
    )


def hold(import_id: UUID) -> Import:
    """The import, nobody else's until the transaction ends. Raises NoSuchImport."""
    row = Import.objects.select_for_update().filter(pk=import_id).first()
    if row is None:
        raise NoSuchImport()
    return row


def _empty(row: Import) -> None:
    ImportFile.objects.filter(of=row).update(sealed=b"")
