"""What running loans earn while their days are alike: written whenever a loan was folded, moved on by the close for all
at once, by the very lines of `core.loan.quiet`.

An Earning is locked before the row of its loan, never after it: the close holds Earnings that it has passed when it
comes to a loan to which something happened. Whoever changes a loan holds both, so that both are of one moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from usance.apps.institutions import rows, tenancy
from usance.apps.institutions.rows import recordset
from usance.apps.servicing import carried, folding
from usance.apps.servicing.models import Earning, Loan
from usance.core.calendar import ONE_DAY
from usance.core.loan import quiet, state

# columns of an Earning -> their type
COLUMNS = {
    "id": "uuid", "starts_on": "date", "closed_until": "date", "agenda_on": "date", "product": "text",
    "org_path": "text", "merchant": "text", "funder": "text", "owner_id": "uuid", "status": "text", "bucket": "text",
    "interest_carried": "numeric", "interest_daily": "numeric", "interest_parts": "numeric",
    "interest_posted": "bigint", "penalty_carried": "numeric", "penalty_daily": "numeric", "penalty_parts": "numeric",
    "penalty_posted": "bigint", "penalty_since": "integer", "to_even": "boolean", "interest_is_late": "boolean",
    "due_on": "date", "due_minor": "bigint",
}  # fmt: skip
KEPT = (
    "starts_on", "product", "org_path", "interest_carried", "interest_daily", "interest_parts", "interest_posted",
    "penalty_carried", "penalty_daily", "penalty_parts", "penalty_posted", "penalty_since", "to_even",
)  # fmt: skip
_names = ", ".join(COLUMNS)
_set = ", ".join(f"{name} = t.{name}" for name in COLUMNS if name != "id")
_told = ", ".join(f"old.{name} AS {name}" for name in ("institution_id", "id", "closed_until", *KEPT))
# all parts see the rows as they were: what was earned by a line that ends is kept, and the next line takes its place
REPLACE = f"""
WITH t AS (SELECT * FROM {{source}}), moved AS (
    UPDATE servicing_earning AS s SET interest_minor = 0, penalty_minor = 0, {_set} FROM t
    WHERE s.institution_id = %(institution)s AND s.id = t.id RETURNING {_told}
), gone AS (
    DELETE FROM servicing_earning WHERE institution_id = %(institution)s AND id = ANY(%(ended)s::uuid[])
    RETURNING {_told}
), begun AS (
    INSERT INTO servicing_earning (institution_id, interest_minor, penalty_minor, {_names})
    SELECT %(institution)s, 0, 0, {_names} FROM t WHERE NOT EXISTS (SELECT FROM servicing_earning e WHERE e.id = t.id)
)
INSERT INTO servicing_earned (id, institution_id, loan_id, ends_on, {", ".join(KEPT)})
SELECT uuidv7(), institution_id, id, closed_until, {", ".join(KEPT)}
FROM (TABLE moved UNION ALL TABLE gone) AS over WHERE closed_until > starts_on
"""  # noqa: S608 (our own names)


@dataclass(frozen=True, slots=True)
class Folded:
    """A loan that was folded: its row, its state, its standing columns, and whether the next close is to look at it."""

    row: Loan
    loan: state.Loan
    columns: Mapping[str, Any]
    look_again: bool = False


def replace(lines: Mapping[UUID, str]) -> None:
    """Loans earn from here on by these lines; those without one earn no more."""
    told = rows.json_list(line for line in lines.values() if line)
    replace_from(recordset(COLUMNS), told, ended=[str(loan_id) for loan_id, line in lines.items() if not line])


def replace_from(source: str, told: str, *, ended: Iterable[str]) -> None:
    """The same for lines from a source in SQL, a table `t` of COLUMNS, made of the parameter `rows`."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"rows": told, "institution": tenancy.current_id(), "ended": rows.array(ended)}
        cursor.execute(REPLACE.format(source=source), values)


def line(one: Folded, ages: Sequence[int] = ()) -> str:
    """By what a loan earns from here on, as its state says, for `replace`; "" for one that has ended."""
    return rows.json_row(COLUMNS, _line(one, ages)) if one.loan.status in state.LIVE else ""


MOST = 10**60  # parts of a line are below: so much the columns hold


def _line(one: Folded, ages: Sequence[int]) -> tuple[Any, ...]:
    """The values of COLUMNS, in their order."""
    next_day = quiet.Earning(one.loan.at + ONE_DAY)
    earned = next_day if one.look_again else quiet.earning(one.loan, ages)
    if not all(max(each.carried, each.daily, each.parts) < MOST for each in (earned.interest, earned.penalty)):
        earned = next_day  # after many changes of its rate a loan may earn fractions that are closed day by day
    row, columns, interest, penalty = one.row, one.columns, earned.interest, earned.penalty
    return (
        row.pk, one.loan.at, one.loan.at, earned.until, row.product, row.org_path, row.merchant, row.funder,
        row.owner_id, columns["status"], columns["bucket"],
        str(interest.carried), str(interest.daily), str(interest.parts), interest.posted,
        str(penalty.carried), str(penalty.daily), str(penalty.parts), penalty.posted, penalty.since,
        interest.to_even or penalty.to_even, earned.interest_is_late, earned.due_on, earned.due_minor,
    )  # fmt: skip


# --- reading -----------------------------------------------------------------------------------------------------


def lock(ids: Sequence[UUID]) -> dict[UUID, Earning]:
    """The Earnings of these loans, nobody else's until the transaction ends. The loans' rows are locked after them."""
    return {one.pk: one for one in Earning.objects.select_for_update().filter(pk__in=ids).order_by("id")}


class Span(NamedTuple):
    """What the close reads of an Earning, and which version of the two rows it was."""

    closed_until: date
    interest_minor: int
    penalty_minor: int
    interest_is_late: bool
    due_on: date | None
    due_minor: int
    interest_carried: Decimal
    interest_daily: Decimal
    interest_parts: Decimal
    interest_posted: int
    penalty_carried: Decimal
    penalty_daily: Decimal
    penalty_parts: Decimal
    penalty_posted: int
    penalty_since: int
    to_even: bool
    version: str


VERSION = "l.xmin::text || ' ' || e.xmin::text"  # as SQL: another one as soon as either row is written
ON_AGENDA = "AND (e.agenda_on <= %(to)s OR e.closed_until <> %(day)s)"
BEHIND = """
FROM servicing_earning e JOIN servicing_loan l ON l.institution_id = e.institution_id AND l.id = e.id {joined}
WHERE e.institution_id = %(institution)s AND e.closed_until < %(to)s AND e.id > %(after)s
    AND e.id <> ALL(%(left)s::uuid[]) {ends}
"""
LOCKED = "FOR NO KEY UPDATE OF e, l"


@dataclass(frozen=True, slots=True)
class Range:
    """Loans with ids in (after, end), as far as they are not closed to `to` yet; `end` None: without end."""

    after: UUID
    end: UUID | None
    to: date

    def behind(self, *, left_out: Sequence[UUID] = (), joined: str = "") -> tuple[str, dict[str, Any]]:
        """FROM and WHERE for these loans l and their Earnings e, but for some and with what is `joined`; the values."""
        ends = "AND e.id < %(end)s" if self.end else ""
        values = {"institution": tenancy.current_id(), "after": self.after, "end": self.end, "to": self.to,
                  "day": self.to - ONE_DAY, "left": list(left_out)}  # fmt: skip
        return BEHIND.format(joined=joined, ends=ends), values


def read_behind(
    columns: Sequence[str],
    where: Range,
    *,
    most: int,
    all_of_them: bool = False,
    locked: bool = True,
    left_out: Sequence[UUID] = (),
) -> list[tuple[Loan, Span]]:
    """The first so many loans of a range in the order of their ids, with these columns of their rows and what they
    earned carried into them; `locked`: nobody else's until the transaction ends. Unless `all_of_them`: those with
    something on their agenda."""
    read = ", ".join([*(f"l.{name}" for name in columns), folding.CONVENTIONS, *folding.OWN])
    spans = ", ".join(f"e.{name}" for name in Span._fields[:-1])
    behind, values = where.behind(left_out=left_out)
    query = (
        f"SELECT {read}, {spans}, {VERSION} {behind} {'' if all_of_them else ON_AGENDA} "
        f"ORDER BY e.id LIMIT %(most)s {LOCKED if locked else ''}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, values | {"most": most})
        lines = cursor.fetchall()
    own, earned = len(columns), len(columns) + 1 + len(folding.OWN)
    found = []
    for row, line in zip(rows.read(Loan, columns, (line[:own] for line in lines)), lines, strict=True):
        folding.know_conventions(row, line[own], line[own + 1 : earned])
        span = Span(*line[earned:])
        carry(row, span)
        found.append((row, span))
    return found


def carry(row: Loan, one: Earning | Span) -> None:
    """The row now holds what was earned."""
    due = one.due_minor if one.due_on == one.closed_until else 0
    carried.carry(row, one.closed_until, one.interest_minor, one.penalty_minor, is_late=one.interest_is_late, due=due)


LOCK_BOTH = """
SELECT l.*, e.closed_until AS earned_until, e.interest_minor AS earned_interest, e.penalty_minor AS earned_penalty,
    e.interest_is_late AS earned_is_late,
    CASE WHEN e.due_on = e.closed_until THEN e.due_minor ELSE 0 END AS earned_due
FROM servicing_earning e JOIN servicing_loan l ON l.institution_id = e.institution_id AND l.id = e.id
WHERE e.id = %s FOR NO KEY UPDATE OF e, l
"""


def lock_running(loan_id: UUID) -> Loan | None:
    """A loan that runs, its Earning and its row nobody else's until the transaction ends; None where there is no
    Earning. One statement locks both, in the order of `lock`: whoever waited sees both as they then are."""
    for row in Loan.rows.raw(LOCK_BOTH, [loan_id]):
        more = {name: row.__dict__.pop(f"earned_{name}") for name in ("until", "interest", "penalty", "is_late", "due")}
        carried.carry(row, **more)
        return row
    return None


def lines_of(span: Any) -> tuple[quiet.Line, quiet.Line]:
    """The lines of interest and penalty of an Earning, or of a span that was kept."""
    return _line_of(span, "interest"), _line_of(span, "penalty")


def _line_of(span: Any, name: str) -> quiet.Line:
    carried_minor, daily, parts = (int(getattr(span, f"{name}_{part}")) for part in ("carried", "daily", "parts"))
    since = span.penalty_since if name == "penalty" else 0
    return quiet.Line(carried_minor, daily, parts, span.to_even and parts > 1, getattr(span, f"{name}_posted"), since)


# --- the close ---------------------------------------------------------------------------------------------------

EDGES = tuple(most + 1 for most, _ in folding.BUCKETS)  # days past due with which a loan comes into another bucket


def total_sql(line: str, days: str, of: str = "s") -> str:
    """What a line has posted after so many days, in SQL: `Line.total`. No amount is below zero."""
    counted = f"greatest(0, ({days}) - {of}.penalty_since)" if line == "penalty" else f"({days})"
    line_carried = f"({of}.{line}_carried + {of}.{line}_daily * {counted})"
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
FROM done GROUP BY product, org_path, merchant, funder
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
        return [Group(*row) for row in sorted(cursor.fetchall())]
