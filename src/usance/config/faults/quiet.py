"""What is done when the wind has dropped: loans that cannot be closed, rows altered behind the product's back, people
who try what they may not."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from django.core.exceptions import ObjectDoesNotExist
from psycopg.types.json import Jsonb

from usance.apps.desk import approvals
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as loans
from usance.config.faults.acts import Act, advance
from usance.config.faults.lenders import Lender
from usance.config.faults.races import together
from usance.config.faults.site import Site
from usance.config.faults.storm import forward
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import staff
from usance.workflows import close_day, serve_loan
from usance.workflows.audit_books import audit_books


@dataclass(frozen=True, slots=True)
class Poison:
    """What is put into a column of a loan, and whether the close must get over it by itself."""

    name: str
    column: str
    value: Any
    is_healed: bool = False


POISONS = (
    Poison("a checkpoint of nothing", "checkpoint", {}, is_healed=True),  # these two are made anew from the events
    Poison("a checkpoint of another version", "checkpoint", {"version": 99}, is_healed=True),
    Poison("a checkpoint that is a list", "checkpoint", []),
    Poison("terms of another version", "terms", {"version": 99}),
    Poison("terms without a plan", "terms", {"plan": None}),
)


def poison(site: Site, lender: Lender, chance: Random, count: int, wait: Callable[[], None]) -> None:
    """Loans that cannot be closed: all others must be, and these are listed with their reason; then they are healed."""
    act = Act(0, "poisoned", lender, site, chance)
    taken = [lender.take() for _ in range(count)]
    given = {loan_id: chance.choice(POISONS) for loan_id in taken}
    bad = [loan_id for loan_id in taken if not given[loan_id].is_healed]
    kept: dict[UUID, Any] = {}
    with site.superuser() as behind:
        _until_no_close_runs(lender, behind, wait)
        for loan_id, dose in given.items():
            asked = f"SELECT {dose.column} FROM servicing_loan WHERE id = %s FOR UPDATE"  # noqa: S608 - our own words
            with behind.transaction():  # or a close that is at it would write what we then put back too old
                kept[loan_id] = behind.execute(asked, [loan_id]).fetchone()[0]  # type: ignore[index]
                _put(behind, loan_id, dose.column, dose.value)
            act.inject(dose.name)
        advance(act)
        wait()
        _after_poison(act, behind, bad)
        for loan_id in bad:
            _put(behind, loan_id, given[loan_id].column, kept[loan_id])
    _heal(act, bad)
    lender.give_back(*taken)


def _until_no_close_runs(lender: Lender, behind: psycopg.Connection, wait: Callable[[], None]) -> None:
    """The clock may have begun one by itself: loans that it has closed already would not be met by the next."""
    for _ in range(30):
        wait()
        asked = "SELECT 1 FROM servicing_closerun WHERE institution_id = %s AND state = 'running'"
        if behind.execute(asked, [lender.id]).fetchone() is None:
            return


def _put(behind: psycopg.Connection, loan_id: UUID, column: str, value: Any) -> None:
    """What is wrong is met when the loan is folded: by the next close, if it has something on its agenda."""
    behind.execute(f"UPDATE servicing_loan SET {column} = %s WHERE id = %s", [Jsonb(value), loan_id])  # noqa: S608
    behind.execute("UPDATE servicing_earning SET agenda_on = closed_until + 1 WHERE id = %s", [loan_id])


def _after_poison(act: Act, behind: psycopg.Connection, bad: Sequence[UUID]) -> None:
    """The others are closed to the new date, and each of these is listed."""
    left = behind.execute(
        "SELECT count(*) FROM servicing_earning l JOIN institutions_institution i ON i.id = l.institution_id"
        " WHERE i.id = %s AND l.closed_until < i.business_date"
        " AND NOT l.id = ANY(%s)",
        [act.lender.id, list(bad)],
    ).fetchone()
    if left and left[0]:
        act.wrong(f"{left[0]} other loans were not closed")
    for loan_id in bad:
        found = behind.execute(
            "SELECT reason FROM servicing_closeproblem WHERE loan_id = %s AND solved_at IS NULL", [loan_id]
        ).fetchone()
        if not found or not found[0]:
            act.wrong(f"loan {loan_id} is not listed with a reason")


def _heal(act: Act, bad: Sequence[UUID]) -> None:
    """A person has the loans closed again."""
    actor = staff(act.lender.staff["administrator"])
    with act.site.superuser() as behind:
        found = behind.execute(
            "SELECT DISTINCT ON (loan_id) id FROM servicing_closeproblem WHERE loan_id = ANY(%s) AND solved_at IS NULL"
            " ORDER BY loan_id, business_date DESC",
            [list(bad)],
        ).fetchall()
    for (problem_id,) in found:
        try:
            with tenancy.bound(act.lender.id):
                close_day.run_problem_again(problem_id=problem_id, actor=actor, at=clock.now())
        except Refusal as refusal:
            act.site.storm.tally.trouble("stuck", ["poisoned"], f"a healed loan is still refused: {refusal.code}")


# --- rows altered by SQL ----------------------------------------------------------------------------------------

# what is altered, which row (its id, and the words by which the audit must name it), and the new value
ALTERATIONS: tuple[tuple[str, str, str, str], ...] = (
    ("ledger_transfer", "amount_minor", "amount_minor + 1",
     "SELECT t.id, 'entry ' || e.key FROM ledger_transfer t JOIN ledger_journalentry e ON e.institution_id ="
     " t.institution_id AND e.id = t.entry_id WHERE t.institution_id = %s"),
    ("ledger_journalentry", "description", "'another description'",
     "SELECT id, 'entry ' || key FROM ledger_journalentry t WHERE institution_id = %s"),
    ("servicing_loanmovement", "amount_minor", "amount_minor + 1",
     "SELECT t.id, 'entry ' || e.key FROM servicing_loanmovement t JOIN ledger_journalentry e ON e.institution_id ="
     " t.institution_id AND e.id = t.entry_id WHERE t.institution_id = %s"),
    ("servicing_loanevent", "payload", "jsonb_set(payload, '{source}', '\"nobody\"')",
     "SELECT t.id, 'loan ' || l.number || ', event ' || t.seq FROM servicing_loanevent t JOIN servicing_loan l ON"
     " l.institution_id = t.institution_id AND l.id = t.loan_id WHERE t.institution_id = %s"),
    ("servicing_loan", "principal_minor", "principal_minor + 1",
     "SELECT t.id, 'loan ' || t.number FROM servicing_loan t WHERE institution_id = %s"
     " AND status IN ('active', 'past_due')"),
    ("servicing_loan", "terms", "jsonb_set(terms, '{signed_on}', '\"2000-01-01\"')",
     "SELECT t.id, 'loan ' || t.number FROM servicing_loan t WHERE institution_id = %s"
     " AND status IN ('active', 'past_due')"),
    ("audit_auditentry", "action", "action || '.not'",
     "SELECT t.id, 'audit trail, ' FROM audit_auditentry t WHERE institution_id = %s"),
    ("audit_auditentry", "actor_id", "'somebody else'",
     "SELECT t.id, 'audit trail, ' FROM audit_auditentry t WHERE institution_id = %s"),
)  # fmt: skip
MOST_ALTERED = 4  # at once, so that each is told from the others


def alter(site: Site, lender: Lender, chance: Random, count: int) -> None:
    """Rows are altered by the owner of the machine; `usance audit` must name each of them."""
    act = Act(0, "altered", lender, site, chance)
    chosen = chance.sample(ALTERATIONS, count)
    undo: list[tuple[str, list[Any]]] = []
    expected: list[tuple[str, str]] = []
    with site.superuser() as behind:
        behind.execute("SET session_replication_role = replica")  # triggers and rules do not stop the owner
        for table, column, value, which in chosen:
            rows = behind.execute(f"SELECT * FROM ({which}) r ORDER BY 1", [lender.id]).fetchall()  # noqa: S608
            row_id, subject = rows[chance.randrange(len(rows))]
            old = behind.execute(f"SELECT {column} FROM {table} WHERE id = %s", [row_id]).fetchone()[0]  # type: ignore[index]  # noqa: S608
            behind.execute(f"UPDATE {table} SET {column} = {value} WHERE id = %s", [row_id])  # noqa: S608
            kept = Jsonb(old) if isinstance(old, (dict, list)) else old
            undo.append((f"UPDATE {table} SET {column} = %s WHERE id = %s", [kept, row_id]))  # noqa: S608
            expected.append((f"{table}.{column}", subject))
            act.inject(f"{table}.{column}")
        try:
            with tenancy.bound(lender.id):
                found = [str(difference) for difference in audit_books(sample=0).differences]
        finally:
            for statement, values in reversed(undo):
                behind.execute(statement, values)
    for place, subject in expected:
        if not any(subject in line for line in found):
            act.wrong(f"{place} was altered and the audit does not name {subject}; it said {json.dumps(found)[:300]}")


# --- what people may not do ---------------------------------------------------------------------------------------


def maker_checks(act: Act) -> None:
    """A maker in a second session, a colleague without the right, two checkers at once."""
    lender, tried = act.lender, act.chance.choice(("own yes", "own no", "no right", "two at once"))
    loan_id = lender.take()
    maker_id, at = lender.staff["accountant"], clock.now()
    with lender.bound():
        made = serve_loan.propose_write_off(
            loan_id=loan_id, key=act.key, reason="tried", maker=lender.user("accountant"), at=at
        )

    def decide(who: str, decision: Callable[..., Any]) -> Callable[[], Any]:
        def do() -> Any:
            with lender.bound():
                return decision(approval_id=made.pk, checker=lender.user(who), at=at, note="tried")

        return do

    yes, no = approvals.approve, approvals.reject
    doings = {
        "own yes": [decide("accountant", yes)],
        "own no": [decide("accountant", no)],
        "no right": [decide("cashier", yes)],
        "two at once": [decide("compliance", yes), decide("compliance", yes), decide("accountant", yes)],
    }[tried]
    done = [result for result in together(act, *doings) if not isinstance(result, Refusal)]
    act.inject(tried)
    if len(done) != (1 if tried == "two at once" else 0):
        act.wrong(f"{tried}: {len(done)} decisions by {maker_id}'s side took effect")
    with lender.bound():
        written_off = loans.loan(loan_id).status == "written_off"
    if written_off != (tried == "two at once"):
        act.wrong(f"{tried}: written off is {written_off}")


def foreign(act: Act, others: Sequence[Lender]) -> None:
    """Somebody of one institution asks for what is another's: there is no such thing."""
    other = act.chance.choice([lender for lender in others if lender.id != act.lender.id])
    loan_id = act.chance.choice(other.pairs)[0] if other.pairs else other.lend()
    tried = act.chance.choice(("loan", "payoff", "receipt", "user", "rows", "callback"))
    act.inject(tried)
    if tried == "callback":
        _foreign_callback(act, other)
        return
    try:
        with act.lender.bound():
            got = {
                "loan": lambda: loans.loan(loan_id),
                "payoff": lambda: loans.payoff(loan_id=loan_id),
                "receipt": lambda: serve_loan.take_receipt(
                    loan_id=loan_id, key=act.key, how="cash", reference="", amount_minor=1,
                    value_on=loans.business_date(), at=clock.now(), actor=staff(act.lender.staff["cashier"]),
                ),
                "user": lambda: other.user("accountant"),
                "rows": lambda: payments.for_subject(loan_id).first() or loans.loan(loan_id),
            }[tried]()  # fmt: skip
    except (Refusal, LookupError, ObjectDoesNotExist):
        return
    act.wrong(f"{tried} of another institution was given: {got}")


def _foreign_callback(act: Act, other: Lender) -> None:
    """A true callback of one institution, sent to another's address."""
    with act.site.superuser() as behind:
        row = behind.execute(
            "SELECT order_id FROM payments_instruction WHERE institution_id = %s AND state = 'succeeded' LIMIT 1",
            [other.id],
        ).fetchone()
    body = _callback_of(act, row[0]) if row else None
    if body is None:
        return
    path = f"/callbacks/fondy/{act.lender.id}/"
    status = forward(act.site.web_port, "POST", path, {"Content-Type": "application/json"}, body).status
    if status != 403:
        act.wrong(f"a callback of another institution got the answer {status}")


def _callback_of(act: Act, order_id: str) -> bytes | None:
    with sqlite3.connect(f"file:{act.site.book}?mode=ro", uri=True, timeout=10) as book:
        found = book.execute(
            "SELECT c.body FROM callbacks c JOIN orders o USING (payment_id) WHERE o.order_id = ? LIMIT 1", [order_id]
        ).fetchone()
    return found[0].encode() if found else None


def wait_for(done: Callable[[], bool], seconds: float) -> bool:
    """Until it is so, or the time is over; says which."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.05)
    return done()
