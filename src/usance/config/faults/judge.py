"""The independent auditor: the provider's own book, read from its file, against our books, read by SQL behind the
product's back. Nothing of the product's code is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg

from usance.config.faults.lenders import Lender
from usance.config.faults.site import Site

MONEY_JOBS = "task_name ~ '^(payments|take_payment|fund_loan|draw_part|close)[.]'"

OURS = """
SELECT i.order_id, i.id::text, i.kind, i.state, i.amount_minor, i.subject_id::text,
       (SELECT count(*) FROM servicing_loanevent e WHERE e.institution_id = i.institution_id
           AND e.source = 'instruction:' || i.id),
       coalesce((SELECT sum(l.amount_minor) FROM ledger_journalentry e JOIN ledger_line l
           ON l.institution_id = e.institution_id AND l.entry_id = e.id
           WHERE e.institution_id = i.institution_id AND e.source = 'instruction:' || i.id AND l.account_id IN (
               SELECT account_id FROM ledger_postingrule p WHERE p.institution_id = i.institution_id
               AND role IN ('disbursement_clearing', 'receipts_clearing', 'refund_clearing'))), 0),
       EXISTS (SELECT FROM desk_workitem w WHERE w.institution_id = i.institution_id AND w.subject_id = i.id
           AND w.state <> 'done')
FROM payments_instruction i WHERE i.institution_id = %s
"""
CLEARED = """
SELECT coalesce(sum(l.amount_minor), 0) FROM ledger_journalentry e
JOIN ledger_line l ON l.institution_id = e.institution_id AND l.entry_id = e.id
WHERE e.institution_id = %s AND e.source ~ '^(instruction|return|rest|failed):' AND l.account_id IN (
    SELECT account_id FROM ledger_postingrule p WHERE p.institution_id = %s
    AND role IN ('disbursement_clearing', 'receipts_clearing', 'refund_clearing'))
"""
OPEN = ("created", "sent", "unknown", "pending")


@dataclass(frozen=True)
class Order:
    """One order as we have it."""

    order_id: str
    id: str
    kind: str
    state: str
    amount: int
    subject: str
    events: int
    cleared: int
    in_hands: bool  # a person has it in their queue


@dataclass(frozen=True)
class Moved:
    """One order as the provider has it; `amount` is what moved, in whatever direction."""

    order_id: str
    kind: str
    amount: int
    back: int


def judge(site: Site, lenders: list[Lender]) -> None:
    """Puts everything that is lost, doubled or stuck on the tally."""
    with site.superuser() as ours, sqlite3.connect(f"file:{site.book}?mode=ro", uri=True, timeout=30) as theirs:
        moved = {found.order_id: found for found in _moved(theirs)}
        for lender in lenders:
            orders = [Order(*row) for row in ours.execute(OURS, [lender.id]).fetchall()]
            for what, order_id, story in [
                *_one_by_one(orders, moved),
                *_twice(orders, moved),
                *_unknown(lender, orders, moved),
            ]:
                site.storm.tally.trouble(what, site.storm.struck(order_id), f"{lender.code} {story}")
            story = _sums(ours, lender, orders, moved)
            if story:
                site.storm.tally.trouble("wrong", [], f"{lender.code} {story}")
            for story in _left_over(ours, lender.id):
                site.storm.tally.trouble("stuck", [], f"{lender.code} {story}")
        for story in _jobs(ours):
            site.storm.tally.trouble("stuck", [], story)


def _moved(book: sqlite3.Connection) -> Iterator[Moved]:
    """What really happened at the provider: purchases and payouts that were made, and refunds by our key."""
    for order_id, kind, amount, back in book.execute(
        "SELECT order_id, tran_type, amount, reversed FROM orders WHERE status IN ('approved', 'reversed')"
        " AND tran_type IN ('purchase', 'p2p credit')"
    ):
        yield Moved(order_id, "payout" if kind == "p2p credit" else "in", amount, back)
    for reverse_id, amount in book.execute("SELECT reverse_id, amount FROM reversals"):
        yield Moved(reverse_id, "refund", amount, 0)


def _one_by_one(orders: list[Order], moved: dict[str, Moved]) -> Iterator[tuple[str, str, str]]:
    for order in orders:
        if order.kind == "card_link":
            continue
        theirs, story = moved.get(order.order_id), f"{order.kind} {order.id} is {order.state}"
        sign = 1 if order.kind in ("checkout", "debit") else -1
        if order.state in OPEN:
            yield "stuck", order.order_id, f"{story}; the provider says {theirs}"
        elif order.state == "mismatch" and order.in_hands:
            continue
        elif theirs and order.state != "succeeded":
            yield "lost", order.order_id, f"{story}, and the provider moved {theirs.amount}"
        elif not theirs and order.state == "succeeded":
            yield "double", order.order_id, f"{story}, and the provider moved nothing"
        elif theirs and order.events != 1:
            yield "double" if order.events else "lost", order.order_id, f"{story} and has {order.events} events"
        elif theirs and (order.cleared != sign * theirs.amount or theirs.amount != order.amount):
            yield "double", order.order_id, f"{story}: booked {order.cleared}, the provider moved {theirs.amount}"
        elif not theirs and order.kind != "refund" and order.events:
            yield "double", order.order_id, f"{story} and has {order.events} events"


def _twice(orders: list[Order], moved: dict[str, Moved]) -> Iterator[tuple[str, str, str]]:
    """A loan whose money went out twice, unless a person has the second in hand."""
    paid: dict[str, Order] = {}
    for order in orders:
        if order.kind == "payout" and order.order_id in moved and order.state != "mismatch":
            if order.subject in paid:
                yield "double", order.order_id, f"loan {order.subject} was paid out twice"
            paid[order.subject] = order


def _unknown(lender: Lender, orders: list[Order], moved: dict[str, Moved]) -> Iterator[tuple[str, str, str]]:
    known = {order.order_id for order in orders}
    for order_id in moved:
        if order_id.startswith(f"{lender.code}-") and order_id not in known:
            yield "lost", order_id, f"order {order_id} of the provider is not ours"


def _sums(ours: psycopg.Connection, lender: Lender, orders: list[Order], moved: dict[str, Moved]) -> str:
    """All money that passed, on both sides."""
    aside = {order.order_id for order in orders if order.state == "mismatch"}
    theirs = 0
    for order_id, found in moved.items():
        if order_id.startswith(f"{lender.code}-") and order_id not in aside and found.kind != "refund":
            theirs += (found.amount - found.back) * (1 if found.kind == "in" else -1)
    row = ours.execute(CLEARED, [lender.id, lender.id]).fetchone()
    booked = int(row[0]) if row else 0
    return f"booked {booked} in all, the provider moved {theirs}" if booked != theirs else ""


def _left_over(ours: psycopg.Connection, institution_id: UUID) -> Iterator[str]:
    for what, asked in (
        ("callbacks", "SELECT count(*) FROM payments_inboundnotice WHERE institution_id = %s AND processed_at IS NULL"),
        ("closes", "SELECT count(*) FROM servicing_closerun WHERE institution_id = %s AND state <> 'done'"),
        ("problems of the close", "SELECT count(*) FROM servicing_closeproblem WHERE institution_id = %s"
                                  " AND solved_at IS NULL"),
    ):  # fmt: skip
        row = ours.execute(asked, [institution_id]).fetchone()
        if row and row[0]:
            yield f"{row[0]} {what} are not done"
    given_up = ours.execute(
        "SELECT task, reason FROM institutions_failedjob WHERE institution_id = %s AND run_again_at IS NULL",
        [institution_id],
    )
    for task, reason in given_up.fetchall():
        yield f"the job {task} gave up: {reason}"


def _jobs(ours: psycopg.Connection) -> Iterator[str]:
    waiting = ours.execute(
        f"SELECT task_name, status::text, count(*) FROM procrastinate_jobs WHERE {MONEY_JOBS}"  # noqa: S608
        " AND (status = 'doing' OR (status = 'todo' AND coalesce(scheduled_at, now()) < now() - interval '5 s'))"
        " GROUP BY 1, 2"
    )
    for task, status, count in waiting.fetchall():
        yield f"{count} jobs {task} are {status}"
