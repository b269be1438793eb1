"""Two people for one change: proposing, approving, rejecting, withdrawing, expiring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.access import selectors as access
from usance.apps.audit import services as audit
from usance.apps.audit.selectors import Subject, key_of
from usance.apps.desk import kinds
from usance.apps.desk.models import Approval
from usance.apps.desk.refusals import (
    AlreadyDecided,
    AlreadyProposed,
    ApprovalExpired,
    MayNotDecide,
    NotYourProposal,
    OwnProposal,
)
from usance.apps.institutions import services as institutions
from usance.ports.actor import SYSTEM, Actor, staff

EXPIRE = "desk.expire"


def propose(
    *,
    kind: str,
    subject: Subject,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    maker: access.User | None,
    at: datetime,
    asked_by: UUID | None = None,
    reason: str = "",
    reference: str = "",
    days: int = 14,
    org_path: str = "root",
) -> Approval:
    """A change that waits for a second person, `days` long. `before` and `after` are plain JSON that both people see;
    `after` is all that the kind's function gets. Without a `maker`, the customer `asked_by` asked for it. Refuses with
    AlreadyProposed."""
    kinds.of(kind)
    subject_type, subject_id = key_of(subject)
    if Approval.objects.filter(kind=kind, subject_id=subject_id, state="proposed").exists():
        raise AlreadyProposed()
    expires_on = at.date() + timedelta(days=days)
    made = Approval.objects.create(
        kind=kind,
        subject_type=subject_type,
        subject_id=subject_id,
        reference=reference[:120],
        before=dict(before),
        after=dict(after),
        reason=reason[:500],
        maker=maker,
        asked_by=asked_by,
        proposed_at=at,
        expires_on=expires_on,
        org_path=org_path,
    )
    institutions.schedule(
        kind=EXPIRE, due_on=expires_on + timedelta(days=1), key=f"{EXPIRE}:{made.pk}", subject_id=made.pk
    )
    audit.record(action="desk.proposed", subject=made, actor=made.proposed_by, details=_about(made))
    return made


def approve(*, approval_id: UUID, checker: access.User, at: datetime, note: str = "") -> Approval:
    """The second person says yes, and the change happens, or neither. Refuses with OwnProposal, MayNotDecide,
    AlreadyDecided, ApprovalExpired, and whatever the change itself may refuse."""
    with transaction.atomic():
        row = _decide(approval_id, checker, at, state="approved", note=note)
        kinds.of(row.kind).apply(
            subject_id=row.subject_id,
            after=row.after,
            actor=staff(checker.pk),
            maker_id=UUID(row.proposed_by.id),
            at=at,
        )
    return row


def reject(*, approval_id: UUID, checker: access.User, at: datetime, note: str) -> Approval:
    """The second person says no, and why. Refuses as `approve`."""
    with transaction.atomic():
        row = _decide(approval_id, checker, at, state="rejected", note=note)
        _not_made(row, at)
    return row


def withdraw(*, approval_id: UUID, actor: Actor, at: datetime) -> Approval:
    """Whoever proposed it takes it back. Refuses with NotYourProposal, AlreadyDecided."""
    row = _locked(approval_id)
    if (row.proposed_by.kind, row.proposed_by.id) != (actor.kind, actor.id):
        raise NotYourProposal()
    return _close(row, state="withdrawn", at=at, actor=actor)


def expire(approval_id: UUID, at: datetime) -> str:
    """Nobody decided in time. The handler of the dated item `desk.expire`; gives what it did."""
    row = Approval.objects.select_for_update().get(pk=approval_id)
    if row.state != "proposed":
        return "decided"
    if at.date() <= row.expires_on:
        return "too early"
    _close(row, state="expired", at=at, actor=SYSTEM)
    _not_made(row, at)
    return "expired"


def _decide(approval_id: UUID, checker: access.User, at: datetime, *, state: str, note: str) -> Approval:
    row = _locked(approval_id)
    if row.maker_id == checker.pk:
        raise OwnProposal()
    if not access.may(checker, kinds.of(row.kind).permission, row.org_path):
        raise MayNotDecide()
    if at.date() > row.expires_on:
        raise ApprovalExpired(expires_on=row.expires_on)
    row.checker, row.decision_note = checker, note[:500]
    return _close(row, state=state, at=at, actor=staff(checker.pk))


def _locked(approval_id: UUID) -> Approval:
    row = Approval.objects.select_for_update().get(pk=approval_id)
    if row.state != "proposed":
        raise AlreadyDecided(state=row.state)
    return row


def _close(row: Approval, *, state: str, at: datetime, actor: Actor) -> Approval:
    row.state, row.decided_at = state, at
    row.save(update_fields=["state", "decided_at", "checker", "decision_note"])
    audit.record(action=f"desk.{state}", subject=row, actor=actor, details=_about(row))
    institutions.unschedule(subject_id=row.pk, kinds=[EXPIRE], at=at)
    return row


def _not_made(row: Approval, at: datetime) -> None:
    then = kinds.of(row.kind).not_made
    if then is not None:
        then(approval_id=row.pk, at=at)


def _about(row: Approval) -> dict[str, Any]:
    return {"kind": row.kind, "subject_type": row.subject_type, "subject_id": row.subject_id}
