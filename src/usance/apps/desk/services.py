"""Cases in queues: opening, taking, pausing, finishing. Changes for two people are in `approvals.py`, offered here too.

`at` is always the business moment (`institutions.selectors.moment`): the clocks of cases live in business time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from usance.apps.access import selectors as access
from usance.apps.audit.selectors import Subject, key_of
from usance.apps.desk import approvals, kinds, selectors
from usance.apps.desk.models import WorkItem, WorkItemEvent
from usance.apps.desk.refusals import CaseFinished, CaseNotYours, CaseOutOfReach, CaseTaken
from usance.apps.institutions import services as institutions
from usance.ports.actor import SYSTEM, Actor, staff

Kind, register = kinds.Kind, kinds.register
propose, approve, reject = approvals.propose, approvals.approve, approvals.reject
withdraw, expire = approvals.withdraw, approvals.expire
WAKE = "desk.wake"


def open_item(
    *,
    queue: str,
    subject: Subject,
    budget_minutes: int,
    at: datetime,
    actor: Actor = SYSTEM,
    priority: int = 0,
    reference: str = "",
    org_path: str = "root",
) -> WorkItem:
    """Puts a case into a queue, due after so many desk minutes. When an unfinished case of that queue is about the
    subject already, that one is the answer."""
    subject_type, subject_id = key_of(subject)
    due_at = selectors.desk_hours(at.date()).due(at, budget_minutes)
    made = WorkItem(
        queue=queue,
        subject_type=subject_type,
        subject_id=UUID(subject_id),
        budget_minutes=budget_minutes,
        due_at=due_at,
        opened_at=at,
        priority=priority,
        reference=reference,
        org_path=org_path,
    )
    WorkItem.objects.bulk_create([made], ignore_conflicts=True)
    row = WorkItem.objects.filter(queue=queue, subject_id=subject_id).exclude(state="done").get()
    if row.pk == made.pk:
        _note(row, "opened", at, actor, budget_minutes=budget_minutes)
    return row


def take_next(*, user: access.User, queues: Iterable[str], at: datetime, but: Iterable[UUID] = ()) -> WorkItem | None:
    """The case whose clock runs out first among those that nobody has, given to the person; None when all are taken.
    People who ask at the same moment get different cases and do not wait for each other. `but`: subjects that this
    person may not decide."""
    free = selectors.queue(queues, user).filter(owner__isnull=True).select_related(None)
    free = free.exclude(subject_id__in=list(but))
    row = free.select_for_update(skip_locked=True).first()
    return _give(row, user, at, "taken", staff(user.pk)) if row else None


def take(*, item_id: UUID, user: access.User, at: datetime) -> WorkItem:
    """Takes one case. Refuses with CaseTaken, CaseFinished, CaseOutOfReach."""
    row = _locked(item_id)
    if row.owner_id == user.pk:
        return row
    if row.owner_id is not None:
        raise CaseTaken()
    if not access.may(user, "desk.work", row.org_path, owner_id=row.owner_id):
        raise CaseOutOfReach()
    return _give(row, user, at, "taken", staff(user.pk))


def assign(*, item_id: UUID, user_id: UUID, actor: Actor, at: datetime) -> WorkItem:
    """A supervisor gives a case to someone, whoever has it now. Refuses with CaseFinished, CaseOutOfReach."""
    row, user = _locked(item_id), access.active_user(user_id)
    if not access.may(user, "desk.work", row.org_path, owner_id=user.pk):
        raise CaseOutOfReach()
    return _give(row, user, at, "assigned", actor)


def release(*, item_id: UUID, actor: Actor, at: datetime) -> WorkItem:
    """Puts a case back into its queue; its clock runs on."""
    row = _locked(item_id)
    row.owner, row.taken_at = None, None
    row.save(update_fields=["owner", "taken_at"])
    _note(row, "released", at, actor)
    return row


def hold(*, item_id: UUID, user: access.User) -> WorkItem:
    """The case, locked, for whoever has it: call it before deciding. Refuses with CaseNotYours, CaseFinished."""
    row = _locked(item_id)
    if row.owner_id != user.pk:
        raise CaseNotYours()
    return row


def pause(*, item_id: UUID, waiting_for: str, wake_on: date, actor: Actor, at: datetime) -> WorkItem:
    """Someone else must act now: the clock stands still until `resume`, at the latest until business date `wake_on`."""
    row = _locked(item_id)
    if row.state == "open" and row.due_at is not None:
        row.left_minutes = selectors.desk_hours(at.date()).minutes_between(at, row.due_at)
    row.state, row.due_at, row.waiting_for, row.wake_on = "waiting", None, waiting_for, wake_on
    row.save(update_fields=["state", "due_at", "left_minutes", "waiting_for", "wake_on"])
    institutions.schedule(
        kind=WAKE,
        due_on=wake_on,
        key=f"{WAKE}:{row.pk}:{at.isoformat()}",
        subject_id=row.pk,
        org_path=row.org_path,
    )
    _note(row, "paused", at, actor, waiting_for=waiting_for, left_minutes=row.left_minutes)
    return row


def resume(*, item_id: UUID, actor: Actor, at: datetime, act: str = "resumed") -> WorkItem:
    """The clock runs again with what was left. Nothing changes for a case that is not paused."""
    row = _locked(item_id)
    if row.state != "waiting":
        return row
    row.due_at = selectors.desk_hours(at.date()).due(at, row.left_minutes or 0)
    row.state, row.left_minutes, row.waiting_for, row.wake_on = "open", None, "", None
    row.save(update_fields=["state", "due_at", "left_minutes", "waiting_for", "wake_on"])
    institutions.unschedule(subject_id=row.pk, kinds=[WAKE], at=at)
    _note(row, act, at, actor)
    return row


def wake(item_id: UUID, at: datetime) -> str:
    """Nobody acted in time: back to the desk. The handler of the dated item `desk.wake`; gives what it did."""
    row = WorkItem.objects.select_for_update().get(pk=item_id)
    if row.state != "waiting" or (row.wake_on and row.wake_on > at.date()):
        return "not waiting"
    resume(item_id=item_id, actor=SYSTEM, at=at, act="woken")
    return "woken"


def finish(*, item_id: UUID, outcome: str, actor: Actor, at: datetime) -> WorkItem:
    """The case is done. Refuses with CaseFinished."""
    row = _locked(item_id)
    row.state, row.outcome, row.finished_at = "done", outcome, at
    row.taken_minutes = selectors.minutes_taken(row, at)
    row.due_at, row.wake_on, row.waiting_for = None, None, ""
    row.save(update_fields=["state", "outcome", "finished_at", "taken_minutes", "due_at", "wake_on", "waiting_for"])
    institutions.unschedule(subject_id=row.pk, kinds=[WAKE], at=at)
    _note(row, "finished", at, actor, outcome=outcome)
    return row


def finish_of(*, queue: str, subject_id: UUID, outcome: str, actor: Actor, at: datetime) -> int:
    """Finishes what is open in a queue about a thing, if anything: the matter settled itself. Says how many."""
    found = WorkItem.objects.filter(queue=queue, subject_id=subject_id).exclude(state="done")
    ids = list(found.values_list("pk", flat=True))
    for item_id in ids:
        finish(item_id=item_id, outcome=outcome, actor=actor, at=at)
    return len(ids)


def _locked(item_id: UUID) -> WorkItem:
    row = WorkItem.objects.select_for_update().get(pk=item_id)
    if row.state == "done":
        raise CaseFinished()
    return row


def _give(row: WorkItem, user: access.User, at: datetime, act: str, actor: Actor) -> WorkItem:
    row.owner, row.taken_at = user, at
    row.save(update_fields=["owner", "taken_at"])
    _note(row, act, at, actor, to=str(user.pk))
    return row


def _note(row: WorkItem, act: str, at: datetime, actor: Actor, **details: Any) -> None:
    WorkItemEvent.objects.create(item=row, act=act, at=at, actor_kind=actor.kind, actor_id=actor.id, details=details)
