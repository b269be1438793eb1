"""One loan through the passing of days, and what that leaves to be written of it: lines for the tables, so that many
loans are written by one statement for each, tonight or (see `prepared`) when the night comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import structlog

from usance.apps.institutions import rows
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
    """What a day's end knows besides the loans: the country's classes, and whether they are new that day."""

    scheme: Scheme | None
    is_new: bool

    @cached_property
    def ages(self) -> Sequence[int]:
        """Days past due with which a loan comes into another bucket or class."""
        edges = {known.from_days for known in self.scheme.classes} if self.scheme else set()
        return sorted(edges.union(earnings.EDGES))


def rules_on(day: date) -> Rules:
    """Those by which a day ends in the bound institution."""
    return Rules(*classing.scheme_and_news(day))


@dataclass(frozen=True, slots=True)
class Passed:
    """One loan that went through: its row as read, whether it goes on earning, what moved, and what follows."""

    row: Loan
    earns: bool
    movements: tuple[Movement, ...]
    statuses: Sequence[statuses.Change]
    classes: Sequence[classing.Change]
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


def fold(row: Loan, earned: earnings.Span, to: date, rules: Rules) -> ToWrite | Left:
    """A loan to the start of the day `to`. The bulkhead of the close: whatever is wrong with one loan stays with that
    loan."""
    try:
        return _fold(row, earned, to, rules)
    except Exception as crash:  # the bulkhead around one loan in the close
        log.warning("close.loan_left_out", loan_id=str(row.pk), error=type(crash).__name__, exc_info=True)
        return Left(row, f"{type(crash).__name__}: {crash}"[:300])


def _fold(row: Loan, earned: earnings.Span, to: date, rules: Rules) -> ToWrite:
    before = folding.state_of(row, earnings.lines_of(earned))
    step = close.advance(before, to)
    after, columns = step.loan, folding.columns_of(step.loan)
    if min(after.balances.values(), default=0) < 0:
        raise BalanceBelowZero(str(dict(after.balances)))
    for movement in step.movements:
        books.entry(movement)  # whatever cannot be booked stays out, too
    late, changed = columns["days_past_due"], classing.changes(rules.scheme, row, columns)
    columns["loan_class"] = changed[-1][1] if changed else row.loan_class
    columns["max_days_past_due"] = max(row.max_days_past_due, late)
    return ToWrite(
        Passed(
            row,
            after.status in state.LIVE,
            step.movements,
            statuses.between(before, after),
            classing.dated(row, late, changed, to - ONE_DAY),
            recording.announced(before, after),
        ),
        rows.json_row(("id", *UPDATED), (row.pk, *map(columns.get, UPDATED))),
        earnings.line(earnings.Folded(row, after, columns), rules.ages),
    )
