"""`usance bench close`: what ending a business day costs at N loans, with real workers, beside the floor: what the same
server takes to read, change and add one row for each loan when nothing is thought about. In a database that holds
nothing else; payments are posted during the last close."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import uuid4

from django.db import connection, transaction

from usance.apps.institutions import tenancy
from usance.apps.servicing import prepared
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM
from usance.workflows import close_day, floor, herd, measuring
from usance.workflows.audit_books import audit_books
from usance.workflows.simulate import borrowers

LOANS, WORKERS, DAYS = 10_000, 2, 3
SHARES = (100, 10, 1)  # of N: the per-loan cost at each
RATIO, GROWTH, MOST_MB, MOST_WAIT_MS = 1.5, 1.3, 500, 500
POLL_S, PAY_EVERY_S, PATIENCE_S = 0.02, 0.2, 3600
PHASES = ("cut", "loans", "finish", "sweep")
WORKER = [sys.executable, "-m", "usance.config.cli", "worker", "--concurrency", "1"]


@dataclass
class Day:
    """One close: seconds of each phase, of what was prepared for it by day, and what it wrote."""

    preparation: float
    phases: dict[str, float]
    wal: int
    rows: dict[str, int]

    @property
    def seconds(self) -> float:
        return sum(self.phases.values())


@dataclass
class Payments:
    """What was paid while a close ran: milliseconds each took, and how many were refused."""

    took: list[float] = field(default_factory=list)
    refused: int = 0


# --- workers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worker:
    """A worker's process, and what it says."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def must_live(self) -> None:
        """Raises measuring.Spoilt with its last words, if it has ended."""
        status = self.process.poll()
        if status is not None:
            self.log.seek(0)
            said = self.log.read()[-2000:].decode(errors="replace")
            raise measuring.Spoilt(f"a worker ended with status {status}, before it was over:\n{said}")


@contextmanager
def _workers(count: int) -> Iterator[list[Worker]]:
    with ExitStack() as files:
        started = []
        for _ in range(count):
            log = files.enter_context(TemporaryFile())
            process = subprocess.Popen(WORKER, stdout=log, stderr=log)  # noqa: S603 (our own command)
            started.append(Worker(process, log))
        try:
            yield started
        finally:
            for worker in started:
                worker.process.terminate()
            for worker in started:
                worker.process.wait(timeout=60)


def _peak_mb(pid: int) -> float:
    """The most memory that a process has held; 0 where the system does not say."""
    about = Path(f"/proc/{pid}/status")
    lines = about.read_text().splitlines() if about.exists() else []
    return max((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0.0)


# --- closes ------------------------------------------------------------------------------------------------------

COUNTED = {"movements": "servicing_loanmovement", "entries": "ledger_journalentry", "transfers": "ledger_transfer"}
FOLDED = "SELECT count(*) FILTER (WHERE starts_on = %s) FROM servicing_earning"  # by that morning's close


def _ask(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


IDLE = (
    "SELECT NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing') "
    "AND (scheduled_at IS NULL OR scheduled_at <= now()))"
)


def _prepare(wanted: bool) -> float:
    """Has the workers prepare the next close of the bound institution, as they do by day after all else: once more, so
    that nothing else is in the seconds that it took. Not `wanted`: what was prepared is lost."""
    _wait(IDLE)
    if not wanted:
        with transaction.atomic():
            prepared.forget()
        return 0.0
    began = time.perf_counter()
    with transaction.atomic():
        close_day.prepare_next()
    _wait(IDLE)
    return time.perf_counter() - began


def _close(*, is_prepared: bool) -> Day:
    """Ends the business date of the bound institution by the workers, and waits for that."""
    preparation = _prepare(is_prepared)
    wal = _ask("SELECT pg_current_wal_lsn()")[0][0]
    with transaction.atomic():
        day = loans.business_date()
    tenancy.forget_row()
    marks = [time.perf_counter()]
    run_id = close_day.end_day(actor=SYSTEM, at=clock.now()).pk
    marks.append(time.perf_counter())
    for reached in ("done_count >= total_count", "state = 'done'", "swept_at IS NOT NULL"):
        _wait(f"SELECT {reached} FROM servicing_closerun WHERE id = %s", run_id)  # noqa: S608 (our own)
        marks.append(time.perf_counter())
    tenancy.forget_row()
    written = {
        name: _ask(f"SELECT count(*) FROM {table} WHERE booked_on = %s", day)[0][0]  # noqa: S608 (our own names)
        for name, table in COUNTED.items()
    }
    written["folded"] = _ask(FOLDED, day + timedelta(days=1))[0][0]
    phases = {name: marks[number + 1] - marks[number] for number, name in enumerate(PHASES)}
    grown = _ask("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s)", wal)[0][0]
    return Day(preparation, phases, int(grown), written)


def _wait(question: str, *values: Any) -> None:
    until = time.monotonic() + PATIENCE_S
    while not _ask(question, *values)[0][0]:
        if time.monotonic() > until:
            raise TimeoutError("the close does not end: are the workers alive?")
        time.sleep(POLL_S)


@contextmanager
def _paying(institution_id: Any) -> Iterator[Payments]:
    """Payments on loans drawn by chance, one after the other, until the block ends."""
    found, over = Payments(), threading.Event()
    with transaction.atomic():
        ids = list(loans.loan_register(status="live").order_by("id").values_list("id", flat=True)[: 1000 * 100 : 100])
    chosen = borrowers.seeded(1, 1)

    def pay() -> None:
        with tenancy.bound(institution_id):
            while not over.wait(PAY_EVERY_S):
                began = time.perf_counter()
                try:
                    with transaction.atomic():
                        tenancy.forget_row()
                        servicing.receive_payment(
                            loan_id=chosen.choice(ids), source=f"bench:{uuid4()}", amount_minor=10_000,
                            value_on=loans.business_date(), actor=SYSTEM,
                        )  # fmt: skip
                except Refusal:
                    found.refused += 1
                found.took.append(1000 * (time.perf_counter() - began))
        connection.close()

    thread = threading.Thread(target=pay)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


# --- the figures -------------------------------------------------------------------------------------------------


def measure(*, wanted: int, workers: int, days: int, is_prepared: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """Makes the loans if they are not there, ends days and measures. Raises filling.OtherData, measuring.Spoilt."""
    sizes = sorted({max(1, wanted // share) for share in SHARES})
    herds = [herd.present(loans=size, at=clock.now(), tell=tell) for size in sizes]
    per_loan, differences = {}, 0
    tell("floor")
    floors = floor.measure(herds[-1].loans)
    with _workers(workers) as started:
        for one in herds:
            with tenancy.bound(one.institution_id):
                tell(f"closes of {one.loans} loans")
                made = [_close(is_prepared=is_prepared) for _ in range(days)]
                per_loan[one.loans] = round(1e6 * median(day.seconds for day in made) / one.loans, 2)
        with tenancy.bound(herds[-1].institution_id):
            tell("a close with payments")
            with _paying(herds[-1].institution_id) as payments:
                busy = _close(is_prepared=is_prepared)
            mix = herd.mix(_ask)
        for worker in started:  # fewer than were asked for would be another figure
            worker.must_live()
        peaks = [_peak_mb(worker.process.pid) for worker in started]
    usual = sorted(made, key=lambda day: day.seconds)[len(made) // 2]
    figures = _figures(herds[-1].loans, workers, usual, floors)
    tell(
        f"audit (a close took {figures['seconds']} s, the floor {figures['floor_seconds']} s: {figures['ratio']} times)"
    )
    for one in herds:
        with tenancy.bound(one.institution_id):
            differences += len(audit_books(tell=tell).differences)
    return figures | {
        "peak_rss_mb": round(max(peaks)),
        "per_loan_us": per_loan,
        "days": [round(day.seconds, 3) for day in made],
        "mix": mix | usual.rows,
        "payments": _paid(payments) | {"close_seconds": round(busy.seconds, 3)},
        "differences": differences,
    }


def _figures(count: int, workers: int, usual: Day, floors: dict[str, float]) -> dict[str, Any]:
    least = sum(floors.values())
    return {
        "loans": count,
        "workers": workers,
        "seconds": round(usual.seconds, 3),
        "preparation_seconds": round(usual.preparation, 3),
        "phases": {name: round(took, 3) for name, took in usual.phases.items()},
        "loans_per_second": round(count / usual.seconds),
        "floor": floors,
        "floor_seconds": round(least, 3),
        "ratio": round(usual.seconds / least, 2),
        "ratio_with_preparation": round((usual.seconds + usual.preparation) / least, 2),
        "wal_mb": round(usual.wal / 1e6, 1),
    }


def _paid(payments: Payments) -> dict[str, Any]:
    took = payments.took or [0.0]
    return {
        "posted": len(payments.took) - payments.refused,
        "refused": payments.refused,
        "median_ms": round(median(took), 1),
        "longest_ms": round(max(took), 1),
    }


def breaches(figures: dict[str, Any]) -> list[str]:
    """What missed its goal. Below a hundred thousand loans (as far as whole copies reach) the fixed cost of a day
    decides, and ratios say nothing."""
    found = ["audit"] if figures["differences"] else []
    if figures["payments"]["refused"] or figures["payments"]["longest_ms"] > MOST_WAIT_MS:
        found.append("payments")
    if figures["peak_rss_mb"] > MOST_MB:
        found.append("memory")
    if figures["loans"] > 100_000 - herd.LIVES:
        costs = list(figures["per_loan_us"].values())
        found += ["ratio"] if figures["ratio"] > RATIO else []
        found += ["growth"] if costs[-1] > GROWTH * costs[-2] else []
    return found


def main(*, wanted: int, workers: int, days: int, is_prepared: bool, as_json: bool) -> int:
    """0 when every goal was met, 1 when one was not, 2 when this database is not for measuring."""

    def judged(tell: Callable[[str], None]) -> dict[str, Any]:
        figures = measure(wanted=wanted, workers=workers, days=days, is_prepared=is_prepared, tell=tell)
        return figures | {"breaches": breaches(figures)}

    return measuring.run(judged, as_text, as_json=as_json)


def as_text(figures: dict[str, Any]) -> str:
    """The figures in lines that people read."""
    mix, paid = figures["mix"], figures["payments"]
    products = ", ".join(f"{name} {count}" for name, count in mix["products"].items())
    shares = ", ".join(f"{name.replace('_', ' ')} {mix[name]}" for name in mix if name != "products")
    bare = ", ".join(f"{name} {took}" for name, took in figures["floor"].items())
    lines = [
        f"{figures['loans']} loans: {products}",
        shares,
        f"close: {figures['seconds']} s ({', '.join(f'{name} {took}' for name, took in figures['phases'].items())}), "
        f"{figures['loans_per_second']} loans a second, {figures['workers']} workers; days: {figures['days']}",
        f"floor: {figures['floor_seconds']} s ({bare}); close/floor {figures['ratio']}",
        f"prepared by day: {figures['preparation_seconds']} s; with that {figures['ratio_with_preparation']}",
        "per loan: " + ", ".join(f"{cost} µs at {count}" for count, cost in figures["per_loan_us"].items()),
        f"memory of a worker: {figures['peak_rss_mb']} MB; WAL {figures['wal_mb']} MB",
        f"payments meanwhile: {paid['posted']} posted, {paid['refused']} refused, median {paid['median_ms']} ms, "
        f"longest {paid['longest_ms']} ms; that close took {paid['close_seconds']} s",
        f"audit: {figures['differences']} differences",
        f"missed: {', '.join(figures['breaches']) or 'nothing'}",
    ]
    return "\n".join(lines) + "\n"
