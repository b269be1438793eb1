"""Founding an institution, its units and calendar, giving out numbers, and what falls due."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from usance.apps.institutions import tenancy
from usance.apps.institutions.models import (
    ITEM_TASK,
    CalendarDay,
    DatedItem,
    FailedJob,
    Host,
    Institution,
    OrgUnit,
    new_id,
)
from usance.core.refusals import Refusal
from usance.ports.queue import enqueue

ROOT = "root"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What an institution is, as its founders state it. `languages`: the first is what people meet first."""

    code: str
    name: str
    legal_name: str
    registration_number: str
    address: str
    support_phone: str
    support_email: str
    country: str
    currency: str
    currency_digits: int
    time_zone: str
    languages: Sequence[str]
    licence: str = ""
    is_demo: bool = False


def found_institution(
    *, profile: Profile, hosts: Iterable[str], business_date: date, ahead_days: int = 0, id: UUID | None = None
) -> Institution:
    """A new institution, its root unit and its host names. Binds itself; call it unbound, in no other's transaction."""
    institution = Institution(
        id=id or new_id(),
        business_date=business_date,
        ahead_days=ahead_days,
        **{**profile.__dict__, "languages": list(profile.languages)},
    )
    with tenancy.bound(institution.pk), transaction.atomic():
        institution.save(force_insert=True)
        OrgUnit.objects.create(path=ROOT, name=profile.name, kind="head")
        Host.objects.bulk_create([Host(host=host, institution_id=institution.pk) for host in hosts])
    return institution


def add_unit(*, parent: OrgUnit, code: str, name: str, kind: str) -> OrgUnit:
    """A branch or team below `parent`; its path is the parent's path and its own code."""
    return OrgUnit.objects.create(path=f"{parent.path}.{code}", name=name, kind=kind)


def set_holidays(*, days: Mapping[date, str]) -> None:
    """Marks days on which the desks rest. A day that is marked already keeps its first name."""
    CalendarDay.objects.bulk_create(
        [CalendarDay(day=day, name=name) for day, name in days.items()], ignore_conflicts=True
    )


def next_number(*, series: str) -> int:
    """The next number of a series, from 1. Locks the series until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO institutions_counter AS c (id, institution_id, series, last) VALUES (%s, %s, %s, 1) "
            "ON CONFLICT (institution_id, series) DO UPDATE SET last = c.last + 1 RETURNING last",
            [new_id(), tenancy.current_id(), series],
        )
        number: int = cursor.fetchone()[0]
    return number


def schedule(
    *, kind: str, due_on: date, key: str, subject_id: UUID, at_time: time = time(10), org_path: str = ROOT
) -> None:
    """Something falls due on a business date; the same key again changes nothing."""
    DatedItem.objects.bulk_create(
        [DatedItem(kind=kind, due_on=due_on, key=key, subject_id=subject_id, at_time=at_time, org_path=org_path)],
        ignore_conflicts=True,
    )


def schedule_all(*, items: Iterable[DatedItem]) -> None:
    """Many at once, as `schedule` does one."""
    DatedItem.objects.bulk_create(list(items), ignore_conflicts=True)


def unschedule(*, subject_id: UUID, kinds: Iterable[str], at: datetime) -> int:
    """What has not fallen due yet for this subject no longer will; the rows stay, marked."""
    waiting = DatedItem.objects.filter(subject_id=subject_id, kind__in=list(kinds), done_at__isnull=True)
    return waiting.update(done_at=at, outcome="cancelled")


def hand_out_items(*, on: date, at: datetime) -> int:
    """Puts a job into the queue for each item that has fallen due by the business date `on` and has none yet; says for
    how many. The mark and the job are one transaction, so no item waits without a job."""
    fresh = DatedItem.objects.filter(done_at__isnull=True, handed_out_at__isnull=True, due_on__lte=on)
    fresh = fresh.select_for_update(skip_locked=True).order_by("due_on", "at_time", "id")
    item_ids = list(fresh.values_list("pk", flat=True))
    for item_id in item_ids:
        enqueue(ITEM_TASK, key=f"{ITEM_TASK}:{item_id}", item_id=str(item_id))
    DatedItem.objects.filter(pk__in=item_ids).update(handed_out_at=at)
    return len(item_ids)


def claim_item(*, item_id: UUID) -> DatedItem | None:
    """The dated item, ours until the transaction ends; None when it is done or in other hands."""
    return DatedItem.objects.select_for_update(skip_locked=True).filter(pk=item_id, done_at__isnull=True).first()


def finish_item(*, item_id: UUID, outcome: str, at: datetime) -> bool:
    """Marks a dated item done; False when somebody did so before."""
    return bool(DatedItem.objects.filter(pk=item_id, done_at__isnull=True).update(done_at=at, outcome=outcome))


def finish_items(*, outcomes: Mapping[UUID, str], at: datetime) -> None:
    """Marks many items done, those that nobody has in hand."""
    alike: dict[str, list[UUID]] = {}
    for item_id, outcome in outcomes.items():
        alike.setdefault(outcome, []).append(item_id)
    for outcome, item_ids in alike.items():
        free = DatedItem.objects.select_for_update(skip_locked=True).filter(pk__in=item_ids, done_at__isnull=True)
        DatedItem.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(done_at=at, outcome=outcome)


def hold_business_date() -> date:
    """The business date, which cannot move before the caller's transaction ends. Take it before locking rows."""
    _lock_date("pg_advisory_xact_lock_shared")
    return tenancy.current().business_date


def _date_lock() -> int:
    """The number of the lock on the business date of the bound institution."""
    digest = hashlib.sha256(b"business_date" + tenancy.current_id().bytes).digest()
    return int.from_bytes(digest[:8], signed=True)


def stop_business_date() -> date:
    """The business date, which nobody else holds: waits for those who are booking on it. Take it before any row."""
    _lock_date("pg_advisory_xact_lock")
    return tenancy.current().business_date


def _lock_date(function: str) -> None:
    """Takes a lock on the business date, once, and has the institution read afresh under it. A rollback to an earlier
    savepoint lets a lock go: it counts only inside the savepoints it was taken in."""
    kept, here = tenancy.memory(), tuple(connection.savepoint_ids)
    held: tuple[str | None, ...] | None = kept.get(function)
    if held is not None and here[: len(held)] == held:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_date_lock()])
    tenancy.forget_row()
    kept[function] = here


def move_business_date(*, to: date, ahead_days: int) -> None:
    """The close committed: the institution lives in `to` from here on. Waits for whoever is booking on the old date."""
    stop_business_date()
    Institution.objects.filter(pk=tenancy.current_id()).update(business_date=to, ahead_days=ahead_days)
    tenancy.forget_row()


class JobRunAgainAlready(Refusal):
    """Somebody had this job run again before."""

    code = "job_run_again_already"


def list_failed_job(*, task: str, arguments: Mapping[str, Any], reason: str) -> FailedJob:
    """A job gave up: it is listed with its reason until a person has it run again."""
    return FailedJob.objects.create(task=task, arguments=dict(arguments), reason=reason[:300])


def run_job_again(*, failed_job_id: UUID, at: datetime) -> FailedJob:
    """Enqueues a listed job once more; raises JobRunAgainAlready."""
    job = FailedJob.objects.select_for_update().get(pk=failed_job_id)
    if job.run_again_at is not None:
        raise JobRunAgainAlready()
    job.run_again_at = at
    job.save(update_fields=["run_again_at"])
    enqueue(job.task, **job.arguments)
    return job
