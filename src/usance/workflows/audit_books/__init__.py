"""The independent look at the books: every invariant over all rows in SQL, and loans recomputed from their events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.db import connection, transaction

from usance.apps.audit import services as trail
from usance.apps.institutions import tenancy
from usance.workflows.audit_books import books, chains, money, refold
from usance.workflows.audit_books.difference import Difference

__all__ = ["Difference", "Report", "audit_books"]

CHECKS: tuple[tuple[str, Callable[[], Iterator[Difference]]], ...] = (
    ("entries consist of the transfers they were booked with", books.entries_whole),
    ("debits equal credits", books.debits_equal_credits),
    ("loans stand as their movements say", books.loans_as_movements),
    ("control accounts equal the sums over the loans", books.control_accounts),
    ("movements are those their entries were booked with", books.movements_whole),
    ("principal is what was disbursed less what was repaid", books.principal_identity),
    ("classes stand as they were changed", books.classes_as_changed),
    ("kept sums equal the rows that they count", books.tallies_as_counted),
    ("each loan bears one status, that of its changes", books.marks_as_changed),
    ("the portfolio's past is the sum of its rows", books.past_as_booked),
    ("one effect per cause", money.one_effect_per_cause),
    ("money by a rail has one entry, and each entry its money", money.instructions_and_entries),
    ("loans' events are chained", chains.events_chained),
    ("events, entries and terms are as the audit trail recorded them", chains.as_recorded),
    ("the audit chain is whole", chains.audit_chain),
)


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and everything that did not fit."""

    checks: tuple[str, ...]
    loan_count: int
    refolded_count: int
    differences: tuple[Difference, ...]

    @property
    def is_clean(self) -> bool:
        return not self.differences


def audit_books(
    *, full: bool = False, seed: int = 0, sample: int = 200, tell: Callable[[str], None] = lambda line: None
) -> Report:
    """Audits the bound institution, in one snapshot of the database: business may go on. `full` recomputes every loan,
    otherwise a sample drawn by `seed`. `tell` hears of each step."""
    if not connection.in_atomic_block:
        trail.link_pending(from_the_beginning=True)
    found: list[Difference] = []
    with _snapshot():
        for name, check in CHECKS:
            tell(name)
            found.extend(check())
        chosen, loan_count = refold.choose(full=full, seed=seed, sample=sample)
        tell(f"{len(chosen)} of {loan_count} loans recomputed from their events")
        found.extend(refold.differences(chosen))
    return Report(tuple(name for name, _ in CHECKS), loan_count, len(chosen), tuple(found))


@contextmanager
def _snapshot() -> Iterator[None]:
    """One transaction in which all queries see the same moment."""
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    connection.ensure_connection()
    raw = connection.connection
    usual = raw.isolation_level
    raw.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with transaction.atomic():
            tenancy.forget_row()
            yield
    finally:
        if not raw.closed:
            raw.isolation_level = usual
