"""One loan through the passing of days, and what that leaves to be written of it: lines for the tables, so that many
loans are written by one statement for each, tonight or (see `prepared`) when the night comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

import structlog

from usance.apps.institutions import rows
from usance.apps.institutions.models import new_id
from usance.apps.institutions.rows import Plain
from usance.apps.servicing import classing, earnings, folding, recording, statuses
from usance.apps.servicing.models import Loan
from usance.core.accounting import books
from usance.core.calendar import ONE_DAY
from usance.core.classes import Scheme
from usance.core.loan import close, state
from usance.core.loan.movements import Movement

log = structlog.get_logger(__name__)

COLUMNS = (
    "id", "org_path", "product", "merchant", "funder", "owner_id", "corrected_terms", "checkpoint", "checkpoint_on",
    "max_days_past_due", "close_problem", "loan_class", "days_past_due",
)  # fmt: skip
# standing column -> its type
UPDATED = {
    "checkpoint": "jsonb", "checkpoint_on": "date", "status": "text", "principal_minor": "bigint",
    "interest_minor": "bigint", "fee_minor": "bigint", "penalty_minor": "bigint", "tax_minor": "bigint",
    "unapplied_minor": "bigint", "due_now_minor": "bigint", "past_due_minor": "bigint", "next_due_on": "date",
    "days_past_due": "integer", "bucket": "text", "extension_count": "integer",
    "loan_class": "text", "disbursed_on": "date", "closed_on": "date", "max_days_past_due": "integer",
}  # fmt: skip


class BalanceBelowZero(ArithmeticError):
    """The fold gave a balance that cannot be: the loan is left out and listed."""


@dataclass(frozen=True)
class Rules:
    """What a day's end knows besides the loans: the morning to which it leads, the day on which it is booked, the
    country's classes, and whether they are new that day."""

    to: date
    booked_on: date
    scheme: Scheme | None
    is_new: bool

    @cached_property
    def ages(self) -> Sequence[int]:
        """Days past due with which a loan comes into another bucket or class."""
        edges = {known.from_days for known in self.scheme.classes} if self.scheme else set()
        return sorted(edges.union(earnings.EDGES))


def rules(to: date, booked_on: date) -> Rules:
    """Those by which the day before `to` ends in the bound institution."""
    return Rules(to, booked_on, *classing.scheme_and_news(to - ONE_DAY))


class Moved(NamedTuple):
    """A movement as the text of its digest, its days in ISO text, and what of it the books see: so much from the
    credited to the debited role."""

    text: str
    booked_on: str
    effective_on: str
    debit: str
    credit: str
    amount_minor: int


class Passed(NamedTuple):
    """What follows of one loan that went through, in plain values: whether it goes on earning, whether it was listed as
    a problem, its dimensions in the books, what moved, lines of changes of its status and class, and the names of the
    jobs that others may have declared for it."""

    loan_id: str
    earns: bool
    had_problem: bool
    product: str
    org_path: str
    merchant: str
    funder: str
    moved: Sequence[Moved]
    statuses: Sequence[Sequence[Plain]]
    classes: Sequence[Sequence[Plain]]
    jobs: Sequence[str]


@dataclass(frozen=True, slots=True)
class ToWrite:
    """One loan that was folded, and the lines that are to be written of it."""

    passed: Passed
    loan: str  # of the columns UPDATED
    earning: str  # for `earnings.replace`


@dataclass(frozen=True, slots=True)
class Left:
    """One loan that did not, and why."""

    row: Loan
    reason: str


def fold(row: Loan, earned: earnings.Span, rules: Rules) -> ToWrite | Left:
    """A loan to the start of the day that the rules lead to. The bulkhead of the close: whatever is wrong with one loan
    stays with that loan."""
    try:
        return _fold(row, earned, rules)
    except Exception as crash:  # noqa: BLE001 (the bulkhead around one loan in the close; `left` logs it)
        return left(row, crash)


def left(row: Loan, crash: Exception) -> Left:
    """A loan that does not go through for this reason. Called where it is handled."""
    log.warning("close.loan_left_out", loan_id=str(row.pk), error=type(crash).__name__, exc_info=True)
    return Left(row, f"{type(crash).__name__}: {crash}"[:300])


def _fold(row: Loan, earned: earnings.Span, rules: Rules) -> ToWrite:
    before = folding.state_of(row, earnings.lines_of(earned))
    step = close.advance(before, rules.to)
    after, columns = step.loan, folding.columns_of(step.loan)
    if min(after.balances.values(), default=0) < 0:
        raise BalanceBelowZero(str(dict(after.balances)))
    late, changed = columns["days_past_due"], classing.changes(rules.scheme, row, columns)
    columns["loan_class"] = changed[-1][1] if changed else row.loan_class
    columns["max_days_past_due"] = max(row.max_days_past_due, late)
    passed = Passed(
        loan_id=str(row.pk),
        earns=after.status in state.LIVE,
        had_problem=bool(row.close_problem),
        product=row.product, org_path=row.org_path, merchant=row.merchant, funder=row.funder,
        moved=[_moved(row, movement, rules.booked_on) for movement in step.movements],
        statuses=statuses.lines(statuses.rows_of(row, statuses.between(before, after), rules.booked_on)),
        classes=classing.lines(row, classing.dated(row, late, changed, rules.to - ONE_DAY)),
        jobs=recording.announced(before, after),
    )  # fmt: skip
    return ToWrite(
        passed,
        rows.json_row(("id", *UPDATED), (row.pk, *map(columns.get, UPDATED))),
        earnings.line(earnings.Folded(row, after, columns), rules.ages),
    )


def _moved(row: Loan, movement: Movement, booked_on: date) -> Moved:
    """KeyError for what cannot be booked: it stays out with its loan."""
    kind, component, fee_kind, tax_kind, amount_minor, on = movement
    days = str(max(booked_on, on)), str(on)
    posted = books.entry(movement)
    text = folding.movement_text(new_id(), row.pk, None, *days, kind, component, fee_kind, tax_kind, amount_minor)
    return Moved(text, *days, posted.debit, posted.credit, posted.amount_minor)
