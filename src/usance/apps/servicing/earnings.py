"""What running loans earn while their days are alike: written whenever a loan was folded, moved on by the close for all
at once, by the very lines of `core.loan.quiet`.

A loan's row is locked before its Earning; the close locks Earnings alone. Whoever changes a loan reads its Earning
after the row is locked, so that both are of one moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from usance.apps.institutions import tenancy
from usance.apps.servicing import carried, folding
from usance.apps.servicing.models import Earning, Loan
from usance.core.calendar import ONE_DAY
from usance.core.loan import quiet, state

# columns of an Earning -> their type in an array
COLUMNS = {
    "id": "uuid", "starts_on": "date", "closed_until": "date", "agenda_on": "date", "product": "text",
    "org_path": "text", "merchant": "text", "funder": "text", "owner_id": "uuid", "status": "text", "bucket": "text",
    "interest_carried": "numeric", "interest_daily": "numeric", "interest_parts": "numeric",
    "interest_posted": "bigint", "penalty_carried": "numeric", "penalty_daily": "numeric", "penalty_parts": "numeric",
    "penalty_posted": "bigint", "to_even": "boolean", "interest_is_late": "boolean",
}  # fmt: skip
KEPT = (
    "starts_on", "product", "org_path", "interest_carried", "interest_daily", "interest_parts", "interest_posted",
    "penalty_carried", "penalty_daily", "penalty_parts", "penalty_posted", "to_even",
)  # fmt: skip
_names = ", ".join(COLUMNS)
_set = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "id")
_arrays = ", ".join(f"%({name})s::{kind}[]" for name, kind in COLUMNS.items())
# all parts see the rows as they were: what was earned by a line that ends is kept, and the next line takes its place
REPLACE = f"""
WITH old AS (
    SELECT * FROM servicing_earning WHERE institution_id = %(institution)s AND id = ANY(%(folded)s)
), kept AS (
    INSERT INTO servicing_earned (id, institution_id, loan_id, ends_on, {", ".join(KEPT)})
    SELECT uuidv7(), institution_id, id, closed_until, {", ".join(KEPT)} FROM old WHERE closed_until > starts_on
), gone AS (
    DELETE FROM servicing_earning WHERE institution_id = %(institution)s AND id = ANY(%(ended)s)
)
INSERT INTO servicing_earning (institution_id, interest_minor, penalty_minor, {_names})
SELECT %(institution)s, 0, 0, new.* FROM unnest({_arrays}) AS new ({_names})
ON CONFLICT (id) DO UPDATE SET interest_minor = 0, penalty_minor = 0, {_set}
"""  # noqa: S608 (our own names)


@dataclass(frozen=True, slots=True)
class Folded:
    """A loan that was folded: its row, its state, its standing columns, and whether the next close is to look at it."""

    row: Loan
    loan: state.Loan
    columns: Mapping[str, Any]
    look_again: bool = False


def replace(folded: Sequence[Folded], ages: Sequence[int] = ()) -> None:
    """Loans earn from here on as their states say; those that ended earn no more."""
    running = [one for one in folded if one.loan.status in state.LIVE]
    lines = [_line(one, ages) for one in running]
    values: dict[str, Any] = {name: [line[name] for line in lines] for name in COLUMNS}
    values["institution"] = tenancy.current_id()
    values["folded"] = [one.row.pk for one in folded]
    values["ended"] = [one.row.pk for one in folded if one.loan.status not in state.LIVE]
    with connection.cursor() as cursor:
        cursor.execute(REPLACE, values)


def _line(one: Folded, ages: Sequence[int]) -> dict[str, Any]:
    earned = quiet.Earning(one.loan.at + ONE_DAY) if one.look_again else quiet.earning(one.loan, ages)
    row, columns = one.row, one.columns
    return {
        "id": row.pk, "starts_on": one.loan.at, "closed_until": one.loan.at, "agenda_on": earned.until,
        "product": row.product, "org_path": row.org_path, "merchant": row.merchant, "funder": row.funder,
        "owner_id": row.owner_id, "status": columns["status"], "bucket": columns["bucket"],
        "to_even": earned.interest.to_even or earned.penalty.to_even, "interest_is_late": earned.interest_is_late,
        **_columns("interest", earned.interest), **_columns("penalty", earned.penalty),
    }  # fmt: skip


def _columns(name: str, line: quiet.Line) -> dict[str, Any]:
    return {
        f"{name}_carried": str(line.carried), f"{name}_daily": str(line.daily), f"{name}_parts": str(line.parts),
        f"{name}_posted": line.posted,
    }  # fmt: skip


# --- reading -----------------------------------------------------------------------------------------------------


def lock(ids: Sequence[UUID]) -> dict[UUID, Earning]:
    """The Earnings of these loans, nobody else's until the transaction ends. The loans' rows are locked after them,
    never before: the close holds Earnings that it has passed when it comes to a loan to which something happened."""
    return {one.pk: one for one in Earning.objects.select_for_update().filter(pk__in=ids).order_by("id")}


def lock_some(where: Q, most: int) -> dict[UUID, Earning]:
    """The same for the first so many of which this is true."""
    return {one.pk: one for one in Earning.objects.select_for_update().filter(where).order_by("id")[:most]}


def carry(row: Loan, one: Earning) -> None:
    """The row now holds what was earned."""
    carried.carry(row, one.closed_until, one.interest_minor, one.penalty_minor, is_late=one.interest_is_late)


LOCK_BOTH = """
SELECT l.*, e.closed_until AS earned_until, e.interest_minor AS earned_interest, e.penalty_minor AS earned_penalty,
    e.interest_is_late AS earned_is_late
FROM servicing_earning e JOIN servicing_loan l ON l.institution_id = e.institution_id AND l.id = e.id
WHERE e.id = %s FOR NO KEY UPDATE OF e, l
"""


def lock_running(loan_id: UUID) -> Loan | None:
    """A loan that runs, its Earning and its row nobody else's until the transaction ends; None where there is no
    Earning. One statement locks both, in the order of `lock`: whoever waited sees both as they then are."""
    for row in Loan.rows.raw(LOCK_BOTH, [loan_id]):
        more = {name: row.__dict__.pop(f"earned_{name}") for name in ("until", "interest", "penalty", "is_late")}
        carried.carry(row, **more)
        return row
    return None


def lines_of(span: Any) -> tuple[quiet.Line, quiet.Line]:
    """The lines of interest and penalty of an Earning, or of a span that was kept."""
    return _line_of(span, "interest"), _line_of(span, "penalty")


def _line_of(span: Any, name: str) -> quiet.Line:
    carried_minor, daily, parts = (int(getattr(span, f"{name}_{part}")) for part in ("carried", "daily", "parts"))
    return quiet.Line(carried_minor, daily, parts, span.to_even and parts > 1, getattr(span, f"{name}_posted"))


# --- the close ---------------------------------------------------------------------------------------------------

EDGES = tuple(most + 1 for most, _ in folding.BUCKETS)  # days past due with which a loan comes into another bucket


def total_sql(line: str, days: str, of: str = "s") -> str:
    """What a line has posted after so many days, in SQL: `Line.total`. No amount is below zero."""
    line_carried = f"({of}.{line}_carried + {of}.{line}_daily * ({days}))"
    whole = f"div({line_carried}, {of}.{line}_parts)"
    odd = f"CASE WHEN {of}.to_even AND mod({line_carried}, {of}.{line}_parts) = 0 THEN mod({whole}, 2) ELSE 0 END"
    return f"({whole} - {odd} - {of}.{line}_posted)::bigint"


PASS_DAY = f"""
WITH done AS (
    UPDATE servicing_earning AS s SET closed_until = %(to)s,
        interest_minor = {total_sql("interest", "%(to)s::date - s.starts_on")},
        penalty_minor = CASE WHEN s.penalty_daily = 0 THEN 0 ELSE
            {total_sql("penalty", "%(to)s::date - s.starts_on")} END
    WHERE institution_id = %(institution)s AND id >= %(first)s AND (%(end)s::uuid IS NULL OR id < %(end)s)
        AND closed_until = %(day)s AND agenda_on > %(to)s
    RETURNING s.product, s.org_path, s.merchant, s.funder, new.interest_minor - old.interest_minor AS interest,
        new.penalty_minor - old.penalty_minor AS penalty
)
SELECT product, org_path, merchant, funder, count(*), sum(interest)::bigint, sum(penalty)::bigint
FROM done GROUP BY product, org_path, merchant, funder ORDER BY product, org_path, merchant, funder
"""  # noqa: S608 (our own names)


@dataclass(frozen=True, slots=True)
class Group:
    """What the loans of a product, unit, merchant and funder earned on a day."""

    product: str
    org_path: str
    merchant: str
    funder: str
    count: int
    interest_minor: int
    penalty_minor: int


def pass_day(first: UUID, end: UUID | None, to: date) -> list[Group]:
    """Moves the loans of a range of ids that have nothing on their agenda over the day before `to`, all at once."""
    values = {"institution": tenancy.current_id(), "first": first, "end": end, "to": to, "day": to - timedelta(days=1)}
    with connection.cursor() as cursor:
        cursor.execute(PASS_DAY, values)
        return [Group(*row) for row in cursor.fetchall()]
