"""The world around a simulated institution: its clock, its queue, its providers, and browsers that knock."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from usance.apps.institutions import tenancy
from usance.ports import clock, queue, sandbox
from usance.ports.clock import FrozenClock
from usance.ports.queue import InlineQueue, options
from usance.workflows.simulate.crew import ALONE, Crew

LINK = "audit.link"


class World:
    """Time stands still between two steps; jobs run in this process, one after another, when `settle` says so."""

    def __init__(self, time_zone: str, today: date, ahead_days: int, crew: Crew = ALONE) -> None:
        self.crew = crew
        self.zone = ZoneInfo(time_zone)
        self.ahead = timedelta(days=ahead_days)
        self.clock = FrozenClock(self._at(today, time(8)))
        self._unchained = False
        self.queue = InlineQueue(run=self._run, whose=tenancy.current_id, on_commit=transaction.on_commit)
        if not crew.leads:
            crew.meet()  # the first to open the sandbox fills its book
        self.sandbox = sandbox.open_in_process(_deliver, shared_book=crew.book, leads=crew.leads)
        if crew.leads:
            crew.meet()

    def _at(self, day: date, at: time) -> datetime:
        """Business time as an instant of real time: business time may run ahead of it."""
        return datetime.combine(day, at, tzinfo=self.zone) - self.ahead

    def wake(self, day: date, at: time) -> None:
        """Moves the clock to a time of a business day; never back."""
        self.clock.at = max(self.clock.at, self._at(day, at))
        self.chain()

    def tick(self, seconds: int = 40) -> datetime:
        """A little later: people need time between two steps."""
        self.clock.at += timedelta(seconds=seconds)
        return self.clock.at

    def chain(self, *, whatever: bool = False) -> None:
        """Does what `audit.link` jobs asked for since: one for many, as in a worker that has much to do. `whatever`:
        also what other processes wrote."""
        if (self._unchained or whatever) and self.crew.leads:
            self._unchained = False
            options(LINK).run()

    def _run(self, name: str, arguments: Mapping[str, queue.Plain]) -> None:
        """A job as a worker does it; the institution is bound already."""
        if name == LINK:
            self._unchained = True
            return
        plain = {key: value for key, value in arguments.items() if key != "institution_id"}
        options(name).run(**plain)

    def settle(self) -> None:
        """Does all jobs that are due, and delivers the callbacks they cause, until nothing is left."""
        while self.queue.run_pending(at=self.clock.at) + self.sandbox.deliver():
            pass


class Visitor(Client):
    """A browser, or a provider's server, at our own pages in this process: over TLS where these want that."""

    def generic(self, *args: Any, **more: Any) -> Any:
        return super().generic(*args, **more | {"secure": settings.USE_TLS})


def _deliver(path: str, body: bytes, headers: Mapping[str, str]) -> int:
    """A provider's callback, through our own address for it."""
    reply = Visitor(HTTP_HOST="localhost").post(
        path, data=body, content_type=headers.get("Content-Type", "application/json")
    )
    return int(reply.status_code)


@contextmanager
def opened(time_zone: str, today: date, ahead_days: int, crew: Crew = ALONE) -> Iterator[World]:
    """The world for as long as the block lasts; clock and queue are put back afterwards."""
    world = World(time_zone, today, ahead_days, crew)
    log = logging.getLogger("usance")
    level_before = log.level
    log.setLevel(logging.WARNING)  # a line for each of a hundred thousand jobs helps nobody
    clock_before, queue_before = clock.install(world.clock), queue.install(world.queue)
    try:
        yield world
        crew.meet()
        world.chain(whatever=crew.size > 1)
    finally:
        log.setLevel(level_before)
        world.sandbox.close()
        clock.install(clock_before)
        if queue_before is not None:
            queue.install(queue_before)


@contextmanager
def not_waiting_for_the_disk() -> Iterator[None]:
    """Commits of this process do not wait until the disk has them: whatever a power cut took could be lived again."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")
