"""A round of the storm: which faults are dealt, time that passes, and the calm after it."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from math import ceil
from random import Random
from typing import Any
from uuid import UUID

import structlog
from django.db import close_old_connections, connection

from usance.config.faults import quiet
from usance.config.faults.acts import TOLD_TO_PAYERS, Act, pay, post
from usance.config.faults.judge import MONEY_JOBS, OPEN
from usance.config.faults.lenders import Lender
from usance.config.faults.points import POINTS, PULSE_S
from usance.config.faults.races import ACTS
from usance.config.faults.site import Site
from usance.config.faults.tally import KINDS, LEAST_SHARE
from usance.core.refusals import Refusal

log = structlog.get_logger("usance.faults")

# how many acts of each kind a round deals; those done in the calm are dealt by `calm`
HAND = {
    **{kind: 8 for kind in KINDS if kind not in ("poisoned", "altered")},
    **dict.fromkeys(("reply_lost", "reply_halved", "reply_late", "nonsense", "never_sent", "busy"), 8),
    **dict.fromkeys(("callback_lost", "callback_shuffled", "callback_replayed", "request_doubled"), 11),
    "callback_doubled": 14,
    "callback_forged": 20,
}
HANDFUL = 320  # about so many faults come of a full hand
MARGIN = 0.001  # above the least share
THREADS = 5
DEAD_AFTER_S = 5 * PULSE_S  # a worker from which no sign of life has come
A_WHILE_S = 420.0  # longer than a provider may take to know an order
CALM_S = 90.0


class Weather:
    """The storm over one site, driven by one seed. `scale`: how much of a full hand each round deals."""

    def __init__(self, site: Site, lenders: list[Lender], seed: int, *, scale: float = 1.0) -> None:
        self.site, self.lenders, self.seed, self.scale = site, lenders, seed, scale
        self.tally = site.storm.tally
        self.number = 0
        self.kills = Random(f"{seed}:kills").sample(POINTS, len(POINTS))
        self.ends = threading.Event()
        self.behind = site.superuser()
        self.last_tick = 0.0

    def prepare(self) -> None:
        """Somebody at each lender pays too much while the sky is clear, so that there is something to send back."""
        for lender in self.lenders:
            act = Act(0, "race_quote", lender, self.site, Random(f"{self.seed}:prepare"))
            loan_id = lender.lend(units=5)
            given = pay(act, loan_id, key=f"faults:overpaid:{lender.code}", amount_minor=20 * lender.unit)
            lender.overpaid.append((UUID(str(given.pk)), loan_id))
        self.wait_for_quiet()

    # --- a round --------------------------------------------------------------------------------------------------

    def round(self, number: int) -> None:
        chance = Random(f"{self.seed}:round:{number}")
        dealt = [kind for kind, count in HAND.items() for _ in range(ceil(count * self.scale))]
        chance.shuffle(dealt)
        self.storm(dealt)
        self.calm(chance)
        for _ in range(3):  # a tripwire that nobody passed, a callback that was never due: once more
            missing = self.missing()
            if not missing:
                break
            self.storm(missing)
            self.settle(chance)

    def missing(self) -> list[str]:
        """What is needed so that each kind has its share."""
        least = ceil((LEAST_SHARE + MARGIN) * self.tally.total)
        return [kind for kind in HAND for _ in range(least - self.tally.injected[kind])]

    def needed(self, kind: str) -> int:
        """How many of a kind that is done in the calm: more than its share by now, as others are still to come."""
        return max(1, ceil((LEAST_SHARE + 5 * MARGIN) * self.tally.total) - self.tally.injected[kind])

    def storm(self, dealt: list[str]) -> None:
        """Does the acts, several at a time, and keeps the site alive meanwhile."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="act") as pool:
            acts = [self._act(kind) for kind in dealt]
            doing: list[tuple[Act, Future[None]]] = [(act, pool.submit(self._do, act)) for act in acts]
            while not all(future.done() for _, future in doing):
                self.tick()
                time.sleep(0.1)
            gate = threading.Barrier(THREADS)
            for _ in range(THREADS):
                pool.submit(_hang_up, gate)
        for act, future in doing:
            crash = future.exception()
            if isinstance(crash, Refusal) and crash.code in TOLD_TO_PAYERS:
                continue  # a debit under the mandate was on its way: they are told so, and nothing was done
            if crash is not None:
                log.error("act.failed", kind=act.kind, exc_info=crash)
                act.wrong(f"crashed: {type(crash).__name__}: {crash}"[:300])

    def _act(self, kind: str) -> Act:
        self.number += 1
        chance = Random(f"{self.seed}:{self.number}")
        point = self.kills[self.number % len(self.kills)] if kind == "killed" else ""
        if kind == "killed":
            self.kills.append(self.kills.pop(0))
        return Act(self.number, kind, chance.choice(self.lenders), self.site, chance, point)

    def _do(self, act: Act) -> None:
        try:
            if act.kind == "foreign":
                quiet.foreign(act, self.lenders)
            elif act.kind == "maker_checks":
                quiet.maker_checks(act)
            else:
                ACTS[act.kind](act)
        finally:
            close_old_connections()

    # --- time passes ----------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """From the main thread: the fallen are restarted, and each second a minute's worth of the queue's own care."""
        self.site.supervisor.tend()
        if time.monotonic() - self.last_tick < 1:
            return
        self.last_tick = time.monotonic()
        self.site.storm.release(Random(f"{self.seed}:{self.number}"))
        self.behind.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'"
            " WHERE last_heartbeat < now() - %s * interval '1 second' AND last_heartbeat > now() - interval '1 hour'",
            [DEAD_AFTER_S],
        )
        stalled = self._one(
            "SELECT count(*) FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
            " WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - interval '1 hour')"
        )
        if stalled:
            self._retry_stalled()

    def _retry_stalled(self) -> None:
        """What the queue's timer does each minute."""
        from procrastinate.contrib.django import app
        from procrastinate.exceptions import AlreadyEnqueued

        name = "queue.retry_stalled"
        try:
            app.configure_task(name, queueing_lock=name, allow_unknown=True).defer(timestamp=0)
        except AlreadyEnqueued:
            return

    def pass_a_while(self) -> None:
        """Minutes go by: for the product, for the queue, and for the provider's pages."""
        self.site.clock.push(A_WHILE_S)
        self.behind.execute(
            f"UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' AND {MONEY_JOBS}"  # noqa: S608
            " AND scheduled_at > now()"
        )

    # --- the calm ---------------------------------------------------------------------------------------------------

    def calm(self, chance: Random) -> None:
        """The wind drops; what needs quiet is done; everything must come to its end."""
        self.settle(chance)
        lender = chance.choice(self.lenders)
        quiet.poison(self.site, lender, chance, self.needed("poisoned"), self.wait_for_quiet)
        self.settle(chance)
        for left in range(self.needed("altered"), 0, -quiet.MOST_ALTERED):
            quiet.alter(self.site, chance.choice(self.lenders), chance, min(left, quiet.MOST_ALTERED))

    def settle(self, chance: Random) -> None:
        """Until no order is open and no job waits; what is left then is stuck."""
        with self.site.storm.lock:
            for plan in self.site.storm.plans.values():
                plan.strikes, plan.callback = 0, ""
        self.wait_for_quiet(soon_s=0)
        deadline, late = time.monotonic() + CALM_S, False
        while time.monotonic() < deadline and (self.open_orders() or not late):
            self.come_back(chance)
            self.pass_a_while()
            self.wait_for_quiet(soon_s=0)
            if not late:
                self.site.storm.deliver_late()
                late = True
                self.wait_for_quiet()
        self.site.storm.replay()
        self.wait_for_quiet()
        if not self.open_orders():
            for lender in self.lenders:
                lender.all_is_done()

    def come_back(self, chance: Random) -> None:
        """Borrowers come back to the pages that they left, or never; then the pages expire."""
        pages = self.behind.execute(
            "SELECT page_url FROM payments_instruction WHERE kind = 'checkout' AND state = 'pending' AND page_url <> ''"
        ).fetchall()
        for (page_url,) in pages:
            if chance.random() < 0.7:
                post(page_url, {"test_card": "fresh"})
        with sqlite3.connect(self.site.book, timeout=30) as book:
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            book.execute("UPDATE orders SET expires_at = ? WHERE status = 'created' AND via = 'checkout'", [now])

    def open_orders(self) -> int:
        return self._one(f"SELECT count(*) FROM payments_instruction WHERE state IN {OPEN}")  # noqa: S608

    def wait_for_quiet(self, soon_s: float = 1.5) -> None:
        """Until nothing about money waits to be done now or `soon_s` from now, here or at the provider."""
        deadline, calm_since = time.monotonic() + CALM_S, 0.0
        while time.monotonic() < deadline:
            self.tick()
            busy = self._one(
                f"SELECT count(*) FROM procrastinate_jobs WHERE {MONEY_JOBS} AND (status = 'doing'"  # noqa: S608
                f" OR (status = 'todo' AND coalesce(scheduled_at, now()) <= now() + interval '{soon_s} s'))"
            )
            if busy or self.site.storm.shelf or self._callbacks_waiting():
                calm_since = 0.0
            elif not calm_since:
                calm_since = time.monotonic()
            elif time.monotonic() - calm_since > 0.3:
                return
            time.sleep(0.1)

    def _callbacks_waiting(self) -> int:
        with sqlite3.connect(f"file:{self.site.book}?mode=ro", uri=True, timeout=30) as book:
            asked = "SELECT count(*) FROM callbacks WHERE state IN ('waiting', 'sending')"
            return int(book.execute(asked).fetchone()[0])

    def _one(self, asked: Any) -> int:
        row = self.behind.execute(asked).fetchone()
        return int(row[0]) if row else 0


def _hang_up(gate: threading.Barrier) -> None:
    """Each thread of the pool closes its own connection: at the gate, none can take a second one's turn."""
    gate.wait(timeout=10)
    connection.close()
