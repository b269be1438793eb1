"""The close as jobs: days follow one another by themselves, and what falls due happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction

from tests.apps.servicing import loans
from tests.support import institutions as founding
from usance.apps.institutions import selectors as institution_view
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as books_of
from usance.apps.servicing import closing, selectors
from usance.apps.servicing.models import CloseRun, Loan, Prepared
from usance.config import jobs
from usance.ports import clock, due, queue
from usance.ports.actor import SYSTEM, staff
from usance.workflows import cli_close, close_day

D = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 20, tzinfo=UTC)


@pytest.fixture
def inline() -> Iterator[queue.InlineQueue]:
    """Jobs wait in memory; the clock stands."""
    waiting = queue.InlineQueue(run=jobs.run_inline, whose=tenancy.current_id, on_commit=transaction.on_commit)
    before, time_before = queue.install(waiting), clock.install(clock.FrozenClock(AT))
    yield waiting
    clock.install(time_before)
    if before is not None:
        queue.install(before)


@pytest.fixture
def lender(fresh_db: str) -> Iterator[UUID]:
    founded = founding.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            books_of.open_books()
        yield founded.pk


def test_a_week_is_lived_in_jobs_with_what_falls_due_on_its_days(
    lender: UUID, inline: queue.InlineQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[date, date]] = []

    def note(item: due.Item, moment: datetime) -> str:
        seen.append((item.due_on, tenancy.current().business_date))
        return "noted"

    monkeypatch.setattr(closing, "CHUNK_SIZE", 2)
    monkeypatch.setattr(due, "_handlers", {"test.note": note})
    with transaction.atomic():
        made = [loans.lend(on=D) for _ in range(5)]
        for days in (1, 3, 3):
            day = D + timedelta(days=days)
            institutions.schedule(kind="test.note", due_on=day, key=f"{day}:{len(seen)}:{days}", subject_id=made[0].pk)
    inline.run_pending(at=AT)
    run = close_day.advance(days=7, actor=staff("u1"), at=AT)
    with transaction.atomic():
        progress = close_day.progress(run.pk)
    assert progress is not None
    assert (progress.total, progress.done, progress.days_left, progress.share) == (5, 0, 6, 0)
    inline.run_pending(at=AT + timedelta(minutes=10))
    with transaction.atomic():
        tenancy.forget_row()
        assert tenancy.current().business_date == D + timedelta(days=7)
        assert [r.state for r in CloseRun.objects.all()] == ["done"] * 7
        assert {row.interest_minor for row in Loan.objects.all()} == {210_000}
        last = close_day.progress()
    assert last is not None
    assert (last.share, last.days_left, last.state) == (100, 0, "done")
    assert seen == [(D + timedelta(days=n), D + timedelta(days=n)) for n in (1, 3)]


def test_the_next_close_is_prepared_when_those_asked_for_are_over(
    lender: UUID, inline: queue.InlineQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some loans after another, and what was prepared for an earlier day is gone."""
    monkeypatch.setattr(close_day, "PREPARED_AT_ONCE", 2)
    monkeypatch.setattr(due, "_handlers", {})
    with transaction.atomic():
        made = {loans.lend(on=D, agreed=loans.single_payment(days=days)).pk: days for days in (2, 2, 2, 2, 2, 9)}
        Prepared.objects.create(to_day=D, version="", made_by="", loan={}, passed="")
    close_day.advance(days=2, actor=SYSTEM, at=AT)
    inline.run_pending(at=AT + timedelta(minutes=10))
    due_today = {loan_id for loan_id, days in made.items() if days == 2}  # the next close will find them past due
    with transaction.atomic():
        assert set(Prepared.objects.values_list("id", flat=True)) == due_today
    assert not [job for job in inline.waiting if job.name == "close.prepare"]


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the items that were done; one whose key begins with `bad` crashes."""
    seen: list[str] = []

    def note(item: due.Item, moment: datetime) -> str:
        if item.key.startswith("bad"):
            raise RuntimeError("broken")
        if item.key == "first":
            institutions.schedule(kind="test.note", due_on=item.due_on, key="then", subject_id=item.subject_id)
        seen.append(item.key)
        return "noted"

    monkeypatch.setattr(due, "_handlers", {"test.note": note})
    return seen


def test_what_comes_onto_the_calendar_after_the_sweep_is_done_on_its_day(
    lender: UUID, inline: queue.InlineQueue, done: list[str]
) -> None:
    """While days are lived on, before the next one ends; otherwise by the timer."""
    tomorrow = D + timedelta(days=1)
    with transaction.atomic():
        institutions.schedule(kind="test.note", due_on=tomorrow, key="first", subject_id=lender)
    close_day.advance(days=2, actor=SYSTEM, at=AT)
    inline.run_pending(at=AT + timedelta(seconds=5))
    with transaction.atomic():
        tenancy.forget_row()
        assert tenancy.current().business_date == D + timedelta(days=2)
        assert done == ["first", "then"]
        institutions.schedule(kind="test.note", due_on=D + timedelta(days=2), key="late", subject_id=lender)
    for _ in range(2):
        close_day.hand_out_items()
    assert [job.name for job in inline.waiting] == ["close.do_item"]
    inline.run_pending()
    assert done == ["first", "then", "late"]


def test_what_gave_up_does_not_hold_up_the_days_to_come(
    lender: UUID, inline: queue.InlineQueue, done: list[str]
) -> None:
    tomorrow = D + timedelta(days=1)
    with transaction.atomic():
        institutions.schedule(kind="test.note", due_on=tomorrow, key="bad", subject_id=lender)
    close_day.advance(days=2, actor=SYSTEM, at=AT)
    with pytest.raises(RuntimeError):
        inline.run_pending()
    with transaction.atomic():
        item = institution_view.items_due(tomorrow).get()
        assert institution_view.items_on_their_way(tomorrow).exists()
        institutions.list_failed_job(task="close.do_item", arguments={"item_id": str(item.pk)}, reason="broken")
        assert not institution_view.items_on_their_way(tomorrow).exists()
    inline.run_pending(at=AT)
    with transaction.atomic():
        tenancy.forget_row()
        assert tenancy.current().business_date == D + timedelta(days=2)


def test_what_follows_of_the_loans_of_a_chunk_is_named_once_in_the_day_that_they_came_to(
    lender: UUID, inline: queue.InlineQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "_handlers", {})
    with transaction.atomic():
        made = [loans.lend(on=D, agreed=loans.single_payment(days=1)) for _ in range(3)]
    inline.run_pending(at=AT)
    close_day.run_close_inline(at=AT, do_items=False)
    inline.waiting.clear()
    close_day.end_day(actor=SYSTEM, at=AT)

    def waiting(name: str) -> list[queue.Waiting]:
        return [job for job in inline.waiting if job.name == name]

    for job in waiting("close.chunk"):
        inline.run(job.name, job.arguments)
    assert not waiting(closing.ANNOUNCE)  # the day has not ended yet
    for job in waiting("close.finish"):
        inline.run(job.name, job.arguments)
    (one,) = waiting(closing.ANNOUNCE)
    inline.waiting.clear()
    for _ in range(2):
        close_day.announce(str(one.arguments["chunk_id"]))
    named = [(job.name, job.arguments["loan_id"]) for job in inline.waiting]
    assert named == [("loans.became_past_due", str(loan.pk)) for loan in made]


def test_a_day_that_was_ended_meanwhile_is_not_ended_for_another(
    lender: UUID, inline: queue.InlineQueue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever asks to end a day has looked at it before: a worker may have ended it since."""
    close_day.run_close_inline(at=AT, day=D)
    for ask in (
        lambda: close_day.advance(days=7, actor=SYSTEM, at=AT, day=D),
        lambda: close_day.run_close_inline(at=AT, day=D),
    ):
        with pytest.raises(closing.DayEndedAlready):
            ask()
    tomorrow = D + timedelta(days=1)
    monkeypatch.setattr(close_day, "days_over", lambda now: [D, tomorrow])
    assert cli_close._close(lender, "Lender", None) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"Lender: {D} was ended by a worker"
    assert told[1].startswith(f"Lender: {tomorrow} ended, 0 loans in ")
    with transaction.atomic():
        tenancy.forget_row()
        assert tenancy.current().business_date == D + timedelta(days=2)


def test_days_that_were_asked_for_go_on_when_somebody_else_ended_the_first(
    lender: UUID, inline: queue.InlineQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "_handlers", {})
    with transaction.atomic():
        loans.lend(on=D)
    inline.waiting.clear()
    run = close_day.advance(days=3, actor=SYSTEM, at=AT)
    inline.waiting.clear()
    close_day.run_close_inline(
        at=AT, do_items=False, day=D
    )  # `usance close`, beside a worker that had done the last part
    close_day.finish(str(run.pk))
    inline.run_pending(at=AT + timedelta(minutes=1))
    with transaction.atomic():
        tenancy.forget_row()
        assert tenancy.current().business_date == D + timedelta(days=3)


def test_a_job_of_the_day_before_prepares_nothing_and_is_in_nobodys_way(
    lender: UUID, inline: queue.InlineQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "_handlers", {})
    with transaction.atomic():
        loans.lend(on=D, agreed=loans.single_payment(days=1))
        close_day.prepare_next()
    inline.run_pending(at=AT)
    close_day.run_close_inline(at=AT)
    with transaction.atomic():
        Prepared.objects.all().delete()
        close_day._prepare_from("", D)
        close_day.prepare_next()
    assert [job.arguments["day"] for job in inline.waiting if job.name == "close.prepare"] == [
        D.isoformat(), (D + timedelta(days=1)).isoformat(),
    ]  # fmt: skip
    close_day.prepare(after="", day=D.isoformat())
    with transaction.atomic():
        assert not Prepared.objects.exists()
    inline.run_pending(at=AT)
    with transaction.atomic():
        assert Prepared.objects.count() == 1


def test_asking_twice_closes_once(lender: UUID, inline: queue.InlineQueue) -> None:
    with transaction.atomic():
        loans.lend(on=D)
    first = close_day.end_day(actor=SYSTEM, at=AT)
    assert close_day.end_day(actor=SYSTEM, at=AT).pk == first.pk
    inline.run_pending(at=AT)
    with transaction.atomic():
        tenancy.forget_row()
        assert tenancy.current().business_date == D + timedelta(days=1)
        assert CloseRun.objects.count() == 1


def test_a_close_whose_jobs_were_lost_is_taken_up_by_asking_again(lender: UUID, inline: queue.InlineQueue) -> None:
    with transaction.atomic():
        loans.lend(on=D)
    close_day.end_day(actor=SYSTEM, at=AT)
    inline.waiting.clear()
    close_day.end_day(actor=SYSTEM, at=AT)
    inline.run_pending(at=AT)
    with transaction.atomic():
        latest = selectors.latest_run()
    assert latest is not None
    assert latest.state == "done"


def test_the_nightly_timer_ends_every_day_that_is_over(lender: UUID, inline: queue.InlineQueue) -> None:
    clock.install(clock.FrozenClock(datetime(2026, 3, 4, 17, 30, tzinfo=UTC)))  # the 5th in Vietnam
    close_day.catch_up()
    inline.run_pending(at=AT + timedelta(days=30))
    with transaction.atomic():
        tenancy.forget_row()
        assert tenancy.current().business_date == date(2026, 3, 5)
        assert tenancy.current().ahead_days == 0
