"""`usance bench payments`: payments through the service by several workers, each in a transaction of its own with its
event, movements, ledger lines, trail and jobs; beside the floor: the same rows put in by plain SQL, one transaction for
each payment, by as many workers, without a thought. In a database that holds nothing else."""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from statistics import median, quantiles
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.db import connection, connections, transaction

from usance.apps.institutions import tenancy
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM
from usance.workflows import filling, herd, measuring
from usance.workflows.audit_books import audit_books
from usance.workflows.simulate import borrowers

LOANS, WORKERS, SECONDS = 10_000, 2, 10
GOAL = 1_000  # payments a second on two cores
TOLD_AGAIN = 20  # every so many, one is told a second time: it must change nothing
SMALL = 10_000  # minor units: less than any loan owes


# --- one worker's work -------------------------------------------------------------------------------------------


def _pay(institution_id: UUID, number: int, workers: int, seconds: float) -> dict[str, Any]:
    """Pays small amounts on the loans of this worker, drawn by chance, for so long."""
    took: list[float] = []
    repeated, refused = 0, 0
    chosen = borrowers.seeded(1, number)
    with tenancy.bound(institution_id):
        with transaction.atomic():
            ids = list(loans.loan_register(status="live").order_by("id").values_list("id", flat=True))[number::workers]
            day = loans.business_date()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            loan_id, source = chosen.choice(ids), f"bench:{uuid4()}"
            again = len(took) % TOLD_AGAIN == TOLD_AGAIN - 1
            began = time.perf_counter()
            try:
                with transaction.atomic():
                    servicing.receive_payment(
                        loan_id=loan_id, source=source, amount_minor=SMALL, value_on=day, actor=SYSTEM
                    )
            except Refusal:
                refused += 1
            took.append(1000 * (time.perf_counter() - began))
            if again:
                with transaction.atomic():
                    servicing.receive_payment(
                        loan_id=loan_id, source=source, amount_minor=SMALL, value_on=day, actor=SYSTEM
                    )
                repeated += 1
    return {"took": took, "repeated": repeated, "refused": refused}


def _insert(rows: dict[str, int], number: int, workers: int, seconds: float) -> dict[str, Any]:
    """The floor: what one payment writes, put in again and again by plain SQL."""
    each = [f"INSERT INTO {_copy(table)} SELECT * FROM {_sample(table)}" for table in rows]  # noqa: S608 (our own names)
    statements = "; ".join(each).encode()
    took: list[float] = []
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            began = time.perf_counter()
            owner.execute(b"BEGIN; " + statements + b"; COMMIT")
            took.append(1000 * (time.perf_counter() - began))
    return {"took": took}


def _together(work: Callable[..., dict[str, Any]], *given: Any, workers: int, seconds: float) -> list[dict[str, Any]]:
    """The same work in as many processes at once, each with connections of its own."""
    connections.close_all()
    here = multiprocessing.get_context("fork")
    pipes, started = [], []
    for number in range(workers):
        ear, mouth = here.Pipe(duplex=False)
        process = here.Process(target=_tell, args=(mouth, work, *given, number, workers, seconds), daemon=True)
        process.start()
        pipes.append(ear)
        started.append(process)
    found = [pipe.recv() for pipe in pipes]
    for process in started:
        process.join()
    return found


def _tell(mouth: Connection, work: Callable[..., dict[str, Any]], *given: Any) -> None:
    mouth.send(work(*given))
    connections.close_all()


# --- the rows of one payment -------------------------------------------------------------------------------------


def _rows_of_one(institution_id: UUID) -> dict[str, int]:
    """Table -> how many rows one payment writes; the loan's own row counts as one. The rows are kept as samples, beside
    empty copies of their tables with the same columns and indexes."""
    with tenancy.bound(institution_id), transaction.atomic():
        row = loans.loan_register(status="live").order_by("id")[:1].get()
        day = loans.business_date()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text")
            ((mark,),) = cursor.fetchall()
        servicing.receive_payment(
            loan_id=row.pk, source=f"bench:{uuid4()}", amount_minor=SMALL, value_on=day, actor=SYSTEM
        )
    found = {}
    with tenancy.bound(institution_id), psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        filling.bind(owner)
        owner.execute("CREATE SCHEMA IF NOT EXISTS bench")
        for (table,) in owner.execute(TABLES).fetchall():
            owner.execute(f"DROP TABLE IF EXISTS {_sample(table)}, {_copy(table)}".encode())
            here = f"SELECT * FROM {table} WHERE xmin::text::bigint >= %s::bigint"  # noqa: S608 (the catalogue's names)
            owner.execute(f"CREATE TABLE {_sample(table)} AS {here}".encode(), [mark])
            counted = f"SELECT count(*) FROM {_sample(table)}"  # noqa: S608 (the catalogue's names)
            ((count,),) = owner.execute(counted.encode()).fetchall()
            if count:
                found[table] = count
                owner.execute(f"CREATE TABLE {_copy(table)} (LIKE {table})".encode())
                for (index,) in owner.execute(INDEXES, [table]).fetchall():
                    owner.execute(_plain(index, table).encode())
            else:
                owner.execute(f"DROP TABLE {_sample(table)}".encode())
    return found


TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s"


def _sample(table: str) -> str:
    return f"bench.sample_{table}"


def _copy(table: str) -> str:
    return f"bench.copy_{table}"


def _plain(index: str, table: str) -> str:
    """The same index on the copy, where the same row may stand many times."""
    made = re.sub(r"^CREATE (UNIQUE )?INDEX \S+ ON (ONLY )?\S+ ", "", index)
    return f"CREATE INDEX ON {_copy(table)} {made}"


# --- the figures -------------------------------------------------------------------------------------------------


def measure(*, wanted: int, workers: int, seconds: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """Makes the loans if they are not there, pays, and measures. Raises filling.OtherData."""
    one = herd.present(loans=wanted, at=clock.now(), tell=tell)
    tell("the rows of one payment")
    rows = _rows_of_one(one.institution_id)
    tell(f"payments by {workers} workers")
    paid = _together(_pay, one.institution_id, workers=workers, seconds=seconds)
    tell("floor")
    bare = _together(_insert, rows, workers=workers, seconds=seconds)
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("DROP SCHEMA bench CASCADE")
    tell("audit")
    with tenancy.bound(one.institution_id):
        differences = len(audit_books().differences)
    took = [ms for found in paid for ms in found["took"]]
    per_second = len(took) / seconds
    floor_per_second = sum(len(found["took"]) for found in bare) / seconds
    cuts = quantiles(took, n=100, method="inclusive")
    return {
        "loans": one.loans,
        "workers": workers,
        "payments": len(took),
        "per_second": round(per_second),
        "p50_ms": round(median(took), 2),
        "p95_ms": round(cuts[94], 2),
        "p99_ms": round(cuts[98], 2),
        "told_again": sum(found["repeated"] for found in paid),
        "refused": sum(found["refused"] for found in paid),
        "rows_of_one": rows,
        "floor_per_second": round(floor_per_second),
        "ratio": round(floor_per_second / per_second, 2),
        "differences": differences,
    }


def breaches(figures: dict[str, Any]) -> list[str]:
    """What missed its goal."""
    found = ["audit"] if figures["differences"] else []
    found += ["refused"] if figures["refused"] else []
    return found + (["per_second"] if figures["per_second"] < GOAL else [])


def main(*, wanted: int, workers: int, as_json: bool) -> int:
    """0 when every goal was met, 1 when one was not, 2 when this database is not for measuring."""

    def judged(tell: Callable[[str], None]) -> dict[str, Any]:
        figures = measure(wanted=wanted, workers=workers, seconds=SECONDS, tell=tell)
        return figures | {"breaches": breaches(figures)}

    return measuring.run(judged, as_text, as_json=as_json)


def as_text(figures: dict[str, Any]) -> str:
    """The figures in lines that people read."""
    rows = ", ".join(f"{table} {count}" for table, count in figures["rows_of_one"].items())
    lines = [
        f"{figures['payments']} payments on {figures['loans']} loans by {figures['workers']} workers: "
        f"{figures['per_second']} a second; p50 {figures['p50_ms']} ms, p95 {figures['p95_ms']} ms, "
        f"p99 {figures['p99_ms']} ms",
        f"{figures['told_again']} told twice, {figures['refused']} refused; "
        f"audit: {figures['differences']} differences",
        f"floor: the same rows by plain SQL, {figures['floor_per_second']} a second; {figures['ratio']} times as many",
        f"rows of one payment: {rows}",
        f"missed: {', '.join(figures['breaches']) or 'nothing'}",
    ]
    return "\n".join(lines) + "\n"
