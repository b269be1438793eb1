"""Ending an institution's business day: jobs that any number of workers carry out, and that may all run twice.

    start -> close.chunk (many, in parallel) -> close.finish -> close.sweep -> close.do_item (many) -> close.next

Writes stay open meanwhile. The business date moves when all chunks have committed; then what falls due on the new date
is handed out, and if more days were asked for, the next close begins. What comes onto the calendar of a day that was
swept already is handed out by `close.next` and, every minute, by a timer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from usance.apps.audit import services as audit
from usance.apps.institutions import selectors as institution_view
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tallies, tenancy
from usance.apps.institutions.services import ITEM_TASK
from usance.apps.servicing import closing, portfolio, prepared
from usance.apps.servicing import selectors as servicing
from usance.core.refusals import Refusal
from usance.ports import clock, due, queue
from usance.ports.actor import SYSTEM, Actor

if TYPE_CHECKING:
    from usance.apps.servicing.models import CloseRun

MOST_TRIES = 300
FIRST, LAST = 10, -10  # the day ends before what follows from its ending is done, and is prepared after all else
PREPARED_AT_ONCE = 250
PAUSE = timedelta(seconds=1)
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the close is: loans done of all, on which date, and how many dates are still to be ended after it."""

    run_id: UUID
    day: date
    done: int
    total: int
    problems: int
    days_left: int
    state: str  # running, done

    @property
    def share(self) -> int:
        """Percent."""
        return 100 if self.state == "done" or not self.total else min(99, 100 * self.done // self.total)


# --- what people and timers ask for ------------------------------------------------------------------------------


def end_day(*, actor: Actor, at: datetime) -> CloseRun:
    """Begins the close of the business date in jobs; the one under way is taken up again."""
    return advance(days=1, actor=actor, at=at)


def advance(*, days: int, actor: Actor, at: datetime, day: date | None = None) -> CloseRun:
    """Begins `days` closes, one after another, in jobs. `day`: the first date that is meant; without, the business
    date, whichever that is by then. Raises NothingToAdvance, DayEndedAlready."""
    with transaction.atomic():
        run = closing.start(actor=actor, at=at, days=days, day=day)
        _hand_out(run)
    return run


def progress(run_id: UUID | None = None) -> Progress | None:
    """Of a run, or of the newest; None when there was none."""
    run = servicing.close_run(run_id) if run_id else servicing.latest_run()
    if run is None:
        return None
    done = min(run.done_count, run.total_count)
    return Progress(run.pk, run.business_date, done, run.total_count, run.problem_count, run.days_after, run.state)


def run_problem_again(*, problem_id: UUID, actor: Actor, at: datetime) -> None:
    """Closes a loan that was left out. Raises ProblemSolvedAlready, StillBroken."""
    with transaction.atomic():
        closing.try_again(problem_id=problem_id, actor=actor, at=at)


def days_behind(now: datetime) -> int:
    """How many days the bound institution's business date lags behind its business time."""
    return len(days_over(now))


def days_over(now: datetime) -> Sequence[date]:
    """The days that are over and not ended, in order, the business date first."""
    with transaction.atomic():
        tenancy.forget_row()  # whoever asks again means now
        institution = tenancy.current()
    first = institution.business_date
    behind = (institution_view.moment(institution, now).date() - first).days
    return [first + timedelta(days=number) for number in range(behind)]


class Company(Protocol):
    """Those who close a day together, each in a process of its own: one leads, and all meet between two steps."""

    @property
    def leads(self) -> bool: ...

    @property
    def size(self) -> int: ...

    def meet(self) -> None: ...

    def share(self, things: Sequence[UUID]) -> Sequence[UUID]: ...


@dataclass(frozen=True)
class _Alone:
    leads: bool = True
    size: int = 1

    def meet(self) -> None:
        """There is nobody to wait for."""

    def share(self, things: Sequence[UUID]) -> Sequence[UUID]:
        return things


def run_close_inline(
    *,
    at: datetime,
    actor: Actor = SYSTEM,
    days: int = 1,
    chunk_size: int | None = None,
    do_items: bool = True,
    company: Company | None = None,
    day: date | None = None,
) -> list[CloseRun]:
    """The same closes in this process, outside any transaction. With `do_items` what falls due is done here too, and a
    crash in it goes to the caller; without, it is handed out as jobs, and so is the preparation of the next close.
    `company`: the processes that call this at the same time, to do it together. `day`: as for `advance`, the only one
    that is ended."""
    runs = [_end_day(at, actor, chunk_size, do_items, company or _Alone(), day) for _ in range(days)]
    if not do_items:
        with transaction.atomic():
            prepare_next()
    return runs


def _end_day(
    at: datetime, actor: Actor, chunk_size: int | None, do_items: bool, company: Company, day: date | None
) -> CloseRun:
    if company.leads:
        with transaction.atomic():
            begun = closing.start(actor=actor, at=at, chunk_size=chunk_size, day=day)
        _make_room(begun.business_date)
    company.meet()
    with transaction.atomic():
        run = servicing.latest_run()
        assert run is not None  # it was just begun
        waiting = closing.waiting_chunks(run.pk)
    for chunk_id in (*company.share(waiting), *(waiting if company.size > 1 else ())):  # then what others left
        with transaction.atomic():
            closing.close_chunk(chunk_id=chunk_id, at=at)
    company.meet()
    if company.leads:
        _finish_with_others(run.pk, at, actor)
        _sum_up()
        audit.link_pending()
    company.meet()
    with transaction.atomic():
        run = servicing.close_run(run.pk)
    _sweep(run.pk, at=at, company=company, here=do_items)
    return run


def _finish_with_others(run_id: UUID, at: datetime, actor: Actor) -> None:
    """Ends the day once no worker holds a part of it any more; what one has let go undone is done here."""
    while True:
        with transaction.atomic():
            if closing.finish(run_id=run_id, at=at, actor=actor) or servicing.close_run(run_id).state == "done":
                return
            waiting = closing.waiting_chunks(run_id)
        time.sleep(POLL_S)
        for chunk_id in waiting:
            with transaction.atomic():
                closing.close_chunk(chunk_id=chunk_id, at=at)


# --- jobs --------------------------------------------------------------------------------------------------------


def _hand_out(run: CloseRun) -> None:
    waiting = [{"run_id": str(run.pk), "chunk_id": str(chunk_id)} for chunk_id in closing.waiting_chunks(run.pk)]
    queue.enqueue_all("close.chunk", waiting)  # one that is handed out twice is done once
    if not waiting:
        queue.enqueue("close.finish", key=f"close.finish:{run.pk}", run_id=str(run.pk))


@queue.task("close.chunk", priority=FIRST)
def close_chunk(run_id: str, chunk_id: str) -> None:
    with transaction.atomic():
        if closing.close_chunk(chunk_id=UUID(chunk_id), at=clock.now()):
            queue.enqueue("close.finish", key=f"close.finish:{run_id}", run_id=run_id)


@queue.task(closing.ANNOUNCE)
def announce(chunk_id: str) -> None:
    """What follows of the loans that a chunk has passed, a job for each: the close had no time for that."""
    with transaction.atomic():
        closing.announce(chunk_id=UUID(chunk_id))


@queue.task("close.finish", priority=FIRST)
def finish(run_id: str) -> None:
    with transaction.atomic():
        business_date = servicing.close_run(UUID(run_id)).business_date
    _make_room(business_date)
    with transaction.atomic():
        institutions.stop_business_date()  # the day ends when nobody books on it any more, not when we began to wait
        closing.finish(run_id=UUID(run_id), at=clock.now(), actor=SYSTEM)
        run = servicing.close_run(UUID(run_id))
        if run.state == "done" and run.swept_at is None:
            queue.enqueue("close.sweep", key=f"close.sweep:{run_id}", run_id=run_id)
        elif run.state == "done":  # somebody else swept it, who does not know of further days that were asked for
            queue.enqueue("close.next", key=f"close.next:{run_id}", run_id=run_id, tries=0)
    _sum_up()
    audit.link_pending()


def _sum_up() -> None:
    """What lists and questions about past days read as sums."""
    with transaction.atomic():
        tallies.merge()
        portfolio.roll_up()


def _make_room(since: date) -> None:
    """New partitions lock what they refer to for a moment: give way to writers rather than stop them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        closing.make_room(since=since)


@queue.task("close.sweep", priority=FIRST)
def sweep(run_id: str) -> None:
    _sweep(UUID(run_id), at=clock.now(), company=_Alone(), here=False)
    with transaction.atomic():
        queue.enqueue("close.next", key=f"close.next:{run_id}", run_id=run_id, tries=0)


def _sweep(run_id: UUID, *, at: datetime, company: Company, here: bool) -> None:
    """What falls due on the business date, in the order of its times: done here, or handed out. What has become idle is
    struck off at once."""
    if company.leads:
        with transaction.atomic():
            rows = institution_view.items_due(tenancy.current().business_date)
            institutions.finish_items(outcomes=due.idle([_item(row) for row in rows]), at=at)
    company.meet()
    with transaction.atomic():
        today = tenancy.current().business_date
        waiting = list(institution_view.items_due(today).values_list("id", flat=True)) if here else []
        if company.leads:
            if not here:
                institutions.hand_out_items(on=today, at=at)
            closing.mark_swept(run_id=run_id)
    company.meet()  # all have seen the same items before anybody does one
    for item_id in company.share(waiting):
        _do_item(item_id, at)


def _item(row: Any) -> due.Item:
    return due.Item(
        id=row.pk, kind=row.kind, key=row.key, due_on=row.due_on, at_time=row.at_time, subject_id=row.subject_id,
        org_path=row.org_path,
    )  # fmt: skip


@queue.task("close.hand_out")
def hand_out_items() -> None:
    """The timer's job: what came onto the calendar of a day after that day was swept is handed out, too."""
    with transaction.atomic():
        institutions.hand_out_items(on=tenancy.current().business_date, at=clock.now())


@queue.task(ITEM_TASK)
def do_item(item_id: str) -> None:
    _do_item(UUID(item_id), clock.now())


def _do_item(item_id: UUID, at: datetime) -> None:
    """The handler's work and the mark on the item are one transaction; what it refuses is undone and noted."""
    with transaction.atomic():
        row = institutions.claim_item(item_id=item_id)
        if row is None:
            return
        item = _item(row)
        zone = ZoneInfo(tenancy.current().time_zone)
        try:
            with transaction.atomic():
                outcome = due.handler(item.kind)(item, datetime.combine(item.due_on, item.at_time, tzinfo=zone))
        except Refusal as refusal:
            outcome = f"refused: {refusal.code}"
        except due.NobodyDoesIt:
            outcome = "nobody does this any more"  # of a kind that was given up: it must not hold up the days to come
        institutions.finish_item(item_id=item_id, outcome=outcome[:60], at=at)


@queue.task("close.next", priority=FIRST)
def next_day(run_id: str, tries: int) -> None:
    """The next close of those asked for, when what fell due has been done (or has given up and is listed)."""
    now = clock.now()
    with transaction.atomic():
        today = institutions.hold_business_date()  # what is decided here holds for this very day
        run = servicing.close_run(UUID(run_id))
        if run.days_after < 1 or today != run.business_date + timedelta(days=1):
            prepare_next()
            return
        institutions.hand_out_items(on=today, at=now)  # what came after the sweep
        if tries < MOST_TRIES and institution_view.items_on_their_way(today).exists():
            queue.enqueue("close.next", key=f"close.next:{run_id}", run_at=now + PAUSE, run_id=run_id, tries=tries + 1)
            return
        _hand_out(closing.start(actor=SYSTEM, at=now, days=run.days_after))


# --- by day ------------------------------------------------------------------------------------------------------


def prepare_next() -> None:
    """Begins, in jobs, to fold what the next close will have to, so that the night only writes it."""
    _prepare_from("", institutions.hold_business_date())


def _prepare_from(after: str, day: date) -> None:
    queue.enqueue("close.prepare", key=f"close.prepare:{day}", after=after, day=day.isoformat())


@queue.task("close.prepare", priority=LAST)
def prepare(after: str, day: str = "") -> None:
    """`day`: the one that is to be ended; where it has ended meanwhile, there is nothing left to prepare for it."""
    with transaction.atomic():
        today = tenancy.current().business_date
        if today.isoformat() != day:
            return
        if not after:
            prepared.forget()
        last = prepared.prepare(after=UUID(after) if after else UUID(int=0), most=PREPARED_AT_ONCE)
        if last is not None:
            _prepare_from(str(last), today)
        else:
            closing.prepare_cut()


@queue.task("close.catch_up")
def catch_up() -> None:
    """The nightly timer's job: ends every day that is over."""
    now = clock.now()
    with transaction.atomic():
        institutions.hold_business_date()  # a close that ends at this moment ends before we count
        if behind := days_behind(now):
            advance(days=min(behind, 366), actor=SYSTEM, at=now)
