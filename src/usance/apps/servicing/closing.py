"""The close of a business date: a run, its chunks, its problems, and the step to the next date.

Each function is one transaction's work; `workflows.close_day` strings them together as jobs. Everything may run twice.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from usance.apps.audit import services as audit
from usance.apps.institutions import rows, tenancy
from usance.apps.institutions import selectors as institution_view
from usance.apps.institutions import services as institutions
from usance.apps.ledger import services as ledger
from usance.apps.servicing import bulk, classing, recording
from usance.apps.servicing.models import CloseChunk, CloseProblem, CloseRun, Loan, PreparedCut
from usance.core.refusals import Refusal
from usance.ports import queue
from usance.ports.actor import Actor

ANNOUNCE = "close.announce"  # the job that names those of the loans of a chunk, when the day has ended
CHUNK_SIZE = 400  # loans folded one by one: a payment may have to wait for them, a fraction of a second
ONE_DAY = timedelta(days=1)


class ProblemSolvedAlready(Refusal):
    """The loan has been through a close since."""

    code = "close_problem_solved_already"


class StillBroken(Refusal):
    """The loan could not be closed this time either."""

    code = "close_problem_remains"
    reason: str


class NothingToAdvance(Refusal):
    """A number of days to live on must be from 1 to 366."""

    code = "days_to_advance_not_allowed"
    days: int


class DayEndedAlready(Refusal):
    """The day that somebody asked to end is over: another close has ended it."""

    code = "day_ended_already"
    day: date


def start(
    *, actor: Actor, at: datetime, days: int = 1, chunk_size: int | None = None, day: date | None = None
) -> CloseRun:
    """The run that ends the business date, with its chunks; the one under way, if there is one. `days`: how many dates
    are to be ended one after another, this one included. `day`: the date that is meant, where whoever asks looked at
    it before and another close may have ended it since. Raises NothingToAdvance, DayEndedAlready."""
    if not 1 <= days <= 366:
        raise NothingToAdvance(days=days)
    today = institutions.hold_business_date()
    if day is not None and day != today:
        raise DayEndedAlready(day=day)
    run = CloseRun(business_date=today, started_at=at, days_after=days - 1, asked_by=actor.id[:60])
    if not rows.insert_new(run):
        run = CloseRun.objects.select_for_update().get(business_date=today)
        CloseRun.objects.filter(pk=run.pk, days_after__lt=days - 1).update(days_after=days - 1)
        run.refresh_from_db()
        return run
    chunks = _cut(run, today, chunk_size or CHUNK_SIZE)
    if chunks:
        CloseChunk.objects.bulk_create(chunks)
        run.total_count = sum(chunk.loan_count for chunk in chunks)
        run.save(update_fields=["total_count"])
    audit.record(action="close.started", subject=run, actor=actor, details={"business_date": today.isoformat()})
    return run


# loans in the order of their ids, cut where so many are to be folded one by one; the others weigh little
FOLDED = "(%(all)s OR agenda_on <= %(to)s OR closed_until < %(today)s)"
BEHIND = "FROM servicing_earning WHERE institution_id = %(institution)s AND closed_until <= %(today)s"
CUT = f"""
SELECT min(id::text)::uuid, count(*), count(*) FILTER (WHERE folded) FROM (
    SELECT id, folded, div(sum(CASE WHEN folded THEN %(weighs)s ELSE 1 END) OVER (ORDER BY id) - 1,
        %(weighs)s::numeric * %(size)s) AS chunk
    FROM (SELECT id, {FOLDED} AS folded {BEHIND}) AS each
) AS cut GROUP BY chunk ORDER BY 1
"""  # noqa: S608 (our own)
COUNT = f"SELECT count(*), count(*) FILTER (WHERE {FOLDED}) {BEHIND}"
FOLDED_WEIGHS = 100  # loans that earn by a line
FIRST = UUID(int=0)


def prepare_cut() -> None:
    """Cuts the next close into chunks beforehand: looking at every loan takes a tenth of a close."""
    today = tenancy.current().business_date
    found = _ask(CUT, today, CHUNK_SIZE)
    starts, counts, folded = ([row[place] for row in found] for place in range(3))
    PreparedCut.objects.update_or_create(
        defaults={"business_date": today, "starts": starts, "counts": counts, "folded": folded}
    )


def _cut(run: CloseRun, today: date, size: int) -> list[CloseChunk]:
    known = _prepared_cut(today) if size == CHUNK_SIZE else None
    found = known or _ask(CUT, today, size)
    starts = [FIRST, *(first for first, _, _ in found[1:])][: len(found)]
    ends: list[UUID | None] = [*starts[1:], None][: len(starts)]
    return [
        CloseChunk(
            run=run, number=number, first_id=starts[number], end_id=ends[number], loan_count=count, to_fold=folded
        )
        for number, (_, count, folded) in enumerate(found)
    ]


def _prepared_cut(today: date) -> list[tuple[UUID, int, int]] | None:
    """The cut that was prepared, as long as no chunk can have become much larger: a payment waits for a whole one."""
    cut = PreparedCut.objects.filter(business_date=today).first()
    if cut is None:
        return None
    ((count, folded),) = _ask(COUNT, today, CHUNK_SIZE)
    if folded > sum(cut.folded) + CHUNK_SIZE or count > sum(cut.counts) + CHUNK_SIZE * FOLDED_WEIGHS:
        return None
    return list(zip(cut.starts, cut.counts, cut.folded, strict=True))


def _ask(query: str, today: date, size: int) -> list[tuple[Any, ...]]:
    _, is_new_scheme = classing.scheme_and_news(today)
    with connection.cursor() as cursor:
        cursor.execute(query, {"institution": tenancy.current_id(), "today": today, "to": today + ONE_DAY,
                               "all": is_new_scheme, "weighs": FOLDED_WEIGHS, "size": size})  # fmt: skip
        return list(cursor.fetchall())


def waiting_chunks(run_id: UUID) -> list[UUID]:
    waiting = CloseChunk.objects.filter(run_id=run_id, done_at__isnull=True)
    return list(waiting.order_by("number").values_list("pk", flat=True))


def close_chunk(*, chunk_id: UUID, at: datetime) -> bool:
    """Closes the loans of one chunk, all or none; says whether it was the last. Another worker's chunk, or one that is
    done, is left alone."""
    chunk = CloseChunk.objects.select_for_update(skip_locked=True).filter(pk=chunk_id, done_at__isnull=True).first()
    if chunk is None:
        return False
    run = CloseRun.objects.get(pk=chunk.run_id)
    batch = bulk.Batch(
        to=run.business_date + ONE_DAY,
        booked_on=run.business_date,
        key=f"close:{run.business_date}:{chunk.number}",
        description="close.day",
        at=at,
    )
    outcome = bulk.close_range(chunk.first_id, chunk.end_id, batch, to_fold=chunk.to_fold)
    bulk.list_problems(run, outcome.left)
    chunk.done_at, chunk.jobs = at, outcome.jobs
    chunk.save(update_fields=["done_at", "jobs"])
    # the row of the run is locked last and for a moment: whoever comes last sees that all others are done
    CloseRun.objects.filter(pk=run.pk).update(
        done_count=F("done_count") + chunk.loan_count, problem_count=F("problem_count") + len(outcome.left)
    )
    return not CloseChunk.objects.filter(run_id=run.pk, done_at__isnull=True).exists()


def finish(*, run_id: UUID, at: datetime, actor: Actor) -> bool:
    """All chunks are done: the institution lives in the next day. False when that is not so, or was done before."""
    institutions.stop_business_date()
    run = CloseRun.objects.select_for_update().get(pk=run_id)
    tells = ExpressionWrapper(~Q(jobs={}), output_field=BooleanField())
    chunks = list(CloseChunk.objects.filter(run_id=run_id).order_by("number").values_list("pk", "done_at", tells))
    if run.state == "done" or any(done_at is None for _, done_at, _ in chunks):
        return False
    institution = tenancy.current()
    to = run.business_date + ONE_DAY
    real = institution_view.local_date(institution, at, ahead_days=0)
    institutions.move_business_date(to=to, ahead_days=max(institution.ahead_days, (to - real).days))
    run.state, run.finished_at = "done", at
    run.save(update_fields=["state", "finished_at"])
    queue.enqueue_all(ANNOUNCE, [{"chunk_id": str(chunk_id)} for chunk_id, _, has_jobs in chunks if has_jobs])
    details = {"business_date": run.business_date.isoformat(), "problems": run.problem_count}
    audit.record(action="close.finished", subject=run, actor=actor, details=details)
    return True


def announce(*, chunk_id: UUID) -> None:
    """Names, once, the jobs that follow of the loans of a chunk, in the day that they have come to."""
    chunk = CloseChunk.objects.select_for_update().get(pk=chunk_id)
    recording.announce_all(chunk.jobs)
    chunk.jobs = {}
    chunk.save(update_fields=["jobs"])


def make_room(*, since: date) -> int:
    """Partitions for the coming months. A transaction of its own, before the close: it may wait for writers."""
    return ledger.ensure_partitions(since=since)


def mark_swept(*, run_id: UUID) -> None:
    CloseRun.objects.filter(pk=run_id, swept_at__isnull=True).update(swept_at=Now())


def try_again(*, problem_id: UUID, actor: Actor, at: datetime) -> CloseProblem:
    """Closes a loan that was left out, up to the business date. Raises ProblemSolvedAlready, StillBroken."""
    today = institutions.hold_business_date()
    recording.lock(CloseProblem.objects.values_list("loan_id", flat=True).get(pk=problem_id))  # before it, as the close
    problem = CloseProblem.objects.select_for_update().get(pk=problem_id)
    if problem.solved_at is not None:
        raise ProblemSolvedAlready()
    key = f"close-again:{problem.pk}:{today}"
    batch = bulk.Batch(to=today, booked_on=today, key=key, description="close.again", at=at)
    outcome = bulk.close_one(problem.loan_id, batch)
    if outcome.left:
        raise StillBroken(reason=outcome.left[0].reason)
    recording.announce_all(outcome.jobs)
    CloseProblem.objects.filter(loan_id=problem.loan_id, solved_at__isnull=True).update(solved_at=at)
    Loan.rows.filter(pk=problem.loan_id).update(close_problem="")
    audit.record(action="close.problem_solved", subject=("servicing.loan", problem.loan_id), actor=actor)
    problem.refresh_from_db()
    return problem
