"""Queues, clocks, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Aggregate, Count, F, IntegerField, Max, Min, Q, QuerySet

from usance.apps.access import selectors as access
from usance.apps.desk import kinds
from usance.apps.desk.clock import DeskHours
from usance.apps.desk.models import Approval, WorkItem, WorkItemEvent
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy

SOON_MINUTES = 60
SOON_SHARE = 3  # a short case is late soon only in the last third of its time
CALENDAR_DAYS = 400


@dataclass(frozen=True, slots=True)
class Clock:
    """What a page shows of a case's clock: desk minutes left (negative: late by so many), and a word for it."""

    state: Literal["ok", "soon", "late", "paused", "done"]
    left_minutes: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueStanding:
    queue: str
    waiting_count: int
    next_due_at: datetime | None


def desk_hours(around: date) -> DeskHours:
    """The desk hours of the bound institution, with its marked days of the year before and after a date."""
    institution = tenancy.current()
    marked = institutions.holidays_between(
        around - timedelta(days=CALENDAR_DAYS), around + timedelta(days=CALENDAR_DAYS)
    )
    return DeskHours(
        opens_at=institution.desk_opens_at,
        closes_at=institution.desk_closes_at,
        weekdays=frozenset(institution.desk_weekdays),
        zone=ZoneInfo(institution.time_zone),
        marked=marked,
    )


def clock(item: WorkItem, at: datetime, hours: DeskHours | None = None) -> Clock:
    """The clock of a case at a business moment. Pass `hours` when showing many."""
    if item.state == "done":
        return Clock("done", 0, None)
    if item.state == "waiting" or item.due_at is None:
        return Clock("paused", item.left_minutes or 0, None)
    left = (hours or desk_hours(at.date())).minutes_between(at, item.due_at)
    if item.due_at <= at:
        return Clock("late", left, item.due_at)
    soon = min(SOON_MINUTES, item.budget_minutes // SOON_SHARE)
    return Clock("soon" if left <= soon else "ok", left, item.due_at)


def clocks(items: Iterable[WorkItem], at: datetime) -> list[tuple[WorkItem, Clock]]:
    """Cases with their clocks, in the order given."""
    hours = desk_hours(at.date())
    return [(item, clock(item, at, hours)) for item in items]


def queue(queues: Iterable[str], user: access.User | None = None) -> QuerySet[WorkItem]:
    """The open cases, the clock that runs out first on top; with `user`, those that their roles reach."""
    found = WorkItem.objects.filter(queue__in=list(queues), state="open").select_related("owner")
    if user is not None:
        found = found.filter(access.scope_filter(user, "desk.work", owner="owner_id"))
    return found.order_by("-priority", "due_at", "id")


def waiting(queues: Iterable[str]) -> QuerySet[WorkItem]:
    """Cases whose clock stands still, the one that wakes first on top."""
    found = WorkItem.objects.filter(queue__in=list(queues), state="waiting").select_related("owner")
    return found.order_by("wake_on", "id")


def unfinished(
    queues: Iterable[str], *, user: access.User, view: str = "all", within: Q | None = None
) -> QuerySet[WorkItem]:
    """The cases of some queues in a data scope: running clocks first, the one that runs out first on top, then the
    paused ones. `view`: `mine` and `free` (nobody's) of the running ones, `waiting` for the paused, `all`."""
    found = WorkItem.objects.filter(within or Q(), queue__in=list(queues)).exclude(state="done")
    if view in VIEWS:
        found = found.filter(VIEWS[view](user))
    return found.select_related("owner").order_by("state", "-priority", "due_at", "wake_on", "id")


VIEWS: dict[str, Callable[[access.User], Q]] = {
    "mine": lambda user: Q(owner=user),
    "free": lambda user: Q(owner__isnull=True, state="open"),
    "waiting": lambda user: Q(state="waiting"),
}


def view_counts(queues: Iterable[str], *, user: access.User, within: Q | None = None) -> dict[str, int]:
    """How many cases each view of `unfinished` holds, in one query."""
    found = unfinished(queues, user=user, within=within).order_by()
    views = {view: Count("pk", filter=made(user)) for view, made in VIEWS.items()}
    return dict(found.aggregate(all=Count("pk"), **views))


def history(item_id: UUID) -> QuerySet[WorkItemEvent]:
    """What happened to a case, oldest first."""
    return WorkItemEvent.objects.filter(item_id=item_id).order_by("at", "id")


def mine(user: access.User) -> QuerySet[WorkItem]:
    """What a person has taken and not finished, in any queue."""
    return WorkItem.objects.filter(owner=user).exclude(state="done").order_by("-priority", "due_at", "id")


def item(item_id: UUID | str) -> WorkItem:
    """One case; raises WorkItem.DoesNotExist."""
    return WorkItem.objects.select_related("owner").get(pk=item_id)


def item_of(queue: str, subject_id: UUID) -> WorkItem | None:
    """The case about a thing: the unfinished one, else the last."""
    found = WorkItem.objects.filter(queue=queue, subject_id=subject_id).select_related("owner")
    return found.exclude(state="done").first() or found.order_by("-opened_at", "-id").first()


def standings(within: Q | None = None) -> list[QueueStanding]:
    """Each queue with how many cases nobody has taken, and when the first of them is due."""
    rows = WorkItem.objects.filter(within or Q(), state="open", owner__isnull=True).values("queue")
    rows = rows.annotate(count=Count("id"), first=Min("due_at")).order_by("queue")
    return [QueueStanding(row["queue"], row["count"], row["first"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Finished:
    """The finished cases of a time in figures: how many, the median of the desk minutes they took, the most that was
    promised, and how many kept the promise."""

    count: int
    median_minutes: int | None
    promised_minutes: int | None
    in_time: int


def finished_between(*, queue: str, since: datetime, until: datetime, within: Q | None = None) -> Finished:
    """Of a queue, in [since, until), in one query."""
    found = WorkItem.objects.filter(within or Q(), queue=queue, state="done")
    found = found.filter(finished_at__gte=since, finished_at__lt=until)
    figures = found.aggregate(
        count=Count("pk"),
        median=Median("taken_minutes"),
        promised=Max("budget_minutes"),
        in_time=Count("pk", filter=Q(taken_minutes__lte=F("budget_minutes"))),
    )
    return Finished(figures["count"], figures["median"], figures["promised"], figures["in_time"])


class Median(Aggregate):
    """The value in the middle; of two of them, the lower one."""

    function = "percentile_disc"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = IntegerField()


def minutes_taken(item: WorkItem, at: datetime) -> int:
    """Desk minutes from a case's opening to `at`, without those in which somebody else had to act."""
    hours = desk_hours(item.opened_at.date())
    taken = hours.minutes_between(item.opened_at, at)
    return taken - sum(hours.minutes_between(begins, ends or at) for begins, ends in _pauses(item.pk))


def _pauses(item_id: UUID) -> list[tuple[datetime, datetime | None]]:
    """When a case's clock stood still; no end: it still does."""
    spans: list[tuple[datetime, datetime | None]] = []
    events = WorkItemEvent.objects.filter(item_id=item_id, act__in=["paused", "resumed", "woken"])
    for act, at in events.order_by("at", "id").values_list("act", "at"):
        if act == "paused":
            spans.append((at, None))
        elif spans and spans[-1][1] is None:
            spans[-1] = (spans[-1][0], at)
    return spans


def without_timer_or_owner() -> list[UUID]:
    """Open cases that nothing would ever bring up again. The database refuses them; the audit asks anyway."""
    silent = WorkItem.objects.exclude(state="done").filter(due_at__isnull=True, wake_on__isnull=True)
    return list(silent.values_list("pk", flat=True))


def approvals_for(user: access.User) -> QuerySet[Approval]:
    """What waits for this person as the second one: never their own proposals."""
    held = access.permissions_of(user)
    decidable = [kind.kind for kind in kinds.all_kinds() if kind.permission in held]
    found = Approval.objects.filter(state="proposed", kind__in=decidable).exclude(maker=user)
    return found.select_related("maker").order_by("expires_on", "id")


def proposals_of(user: access.User) -> QuerySet[Approval]:
    """What this person proposed, the newest first."""
    return Approval.objects.filter(maker=user).select_related("checker").order_by("-proposed_at", "-id")


def decided() -> QuerySet[Approval]:
    return Approval.objects.exclude(state="proposed").select_related("maker", "checker").order_by("-decided_at", "-id")


def approval(approval_id: UUID | str) -> Approval:
    """One proposal; raises Approval.DoesNotExist."""
    return Approval.objects.select_related("maker", "checker").get(pk=approval_id)


def open_approval(kind: str, subject_id: object) -> Approval | None:
    """The proposal of a kind about a thing that still waits."""
    found = Approval.objects.filter(kind=kind, subject_id=str(subject_id), state="proposed")
    return found.select_related("maker").first()


def waiting_approvals(kind: str, subject_ids: Iterable[object]) -> QuerySet[Approval]:
    """The proposals of a kind about some things that still wait."""
    return Approval.objects.filter(kind=kind, subject_id__in=[str(one) for one in subject_ids], state="proposed")


def approvals_of(kind: str, subject_id: object) -> QuerySet[Approval]:
    """Every proposal of a kind about a thing, the newest first."""
    found = Approval.objects.filter(kind=kind, subject_id=str(subject_id))
    return found.select_related("maker", "checker").order_by("-proposed_at", "-id")


@dataclass(frozen=True, slots=True)
class ChangeLine:
    field: str
    before: object
    after: object


def changes(proposal: Approval) -> list[ChangeLine]:
    """What a proposal would change, field by field."""
    names = [*proposal.before, *(name for name in proposal.after if name not in proposal.before)]
    pairs = ((name, proposal.before.get(name), proposal.after.get(name)) for name in names)
    return [ChangeLine(name, before, after) for name, before, after in pairs if before != after]
