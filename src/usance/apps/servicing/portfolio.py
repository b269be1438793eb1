"""The whole portfolio as it was true on any past date, as known on another: sums, never folds.

Movements and status changes are added up when their day of booking is over, by product, branch, both dates and what
they are about. What a date looked like is a sum over those sums and over the rows of the days since; how many loans
there are does not matter to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max, Sum
from django.db.models.functions import Coalesce

from usance.apps.institutions import rows as inserting
from usance.apps.institutions import tenancy
from usance.apps.servicing import folding, lists, statuses
from usance.apps.servicing.models import Loan, PortfolioRollup, StatusChange
from usance.core.loan.movements import TAKES_FROM_UNAPPLIED

MONEY = (
    "principal", "interest", "fee", "penalty", "tax", "unapplied", "charged_off", "suspended", "deferred", "from_buyer",
    "to_buyer",
)  # fmt: skip
OWED = MONEY[:5]
LOANS = "loans"
BEGINNING = date(1, 1, 1)

TABLES = ("servicing_portfoliosum", "servicing_portfoliorollup")  # made anew of what they sum up, where they are empty
# what the rows of some days of booking add, in the columns of the sums
ADDED = """
SELECT m.booked_on, m.effective_on, l.product, l.org_path AS branch, c.measure, '' AS status,
       NULL::date AS past_due_since, sum(m.amount_minor) AS amount
FROM servicing_loanmovement m
JOIN servicing_loan l ON l.institution_id = m.institution_id AND l.id = m.loan_id
CROSS JOIN LATERAL (VALUES (m.component), (CASE WHEN m.kind = ANY(%(taking)s) THEN 'unapplied' END)) c (measure)
WHERE m.institution_id = %(institution)s AND m.booked_on >= %(since)s AND m.booked_on < %(until)s
  AND m.effective_on <= %(on)s AND c.measure IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT d.day, d.day, d.product, d.org_path, v.measure, '', NULL::date, sum(v.amount_minor)
FROM servicing_earnedday d
CROSS JOIN LATERAL (VALUES ('interest', d.interest_minor), ('penalty', d.penalty_minor)) v (measure, amount_minor)
WHERE d.institution_id = %(institution)s AND d.day >= %(since)s AND d.day < %(until)s AND d.day <= %(on)s
GROUP BY 1, 3, 4, 5
UNION ALL
SELECT s.booked_on, s.effective_on, l.product, l.org_path, 'loans', s.status, s.past_due_since, sum(s.count)
FROM servicing_statuschange s
JOIN servicing_loan l ON l.institution_id = s.institution_id AND l.id = s.loan_id
WHERE s.institution_id = %(institution)s AND s.booked_on >= %(since)s AND s.booked_on < %(until)s
  AND s.effective_on <= %(on)s
GROUP BY 1, 2, 3, 4, 6, 7
"""
COLUMNS = "booked_on, effective_on, product, branch, measure, status, past_due_since, amount"
TOTALS = f"""
SELECT product, branch, measure, status, past_due_since,
       coalesce(sum(amount) FILTER (WHERE booked_on <= %(on)s), 0), sum(amount)
FROM (
    SELECT {COLUMNS} FROM servicing_portfoliosum
    WHERE institution_id = %(institution)s AND booked_on < least(%(since)s::date, %(until)s::date)
      AND effective_on <= %(on)s
    UNION ALL {ADDED}
) a
WHERE (%(branch)s = '' OR branch = %(branch)s OR starts_with(branch, %(branch)s || '.'))
  AND (%(product)s = '' OR product = %(product)s)
GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 (our own text)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the portfolio: as it was known at the end of its own day, and what was learned since."""

    then: int = 0
    since: int = 0

    @property
    def now(self) -> int:
        return self.then + self.since

    def __add__(self, other: Figure) -> Figure:
        return Figure(self.then + other.then, self.since + other.since)


@dataclass(frozen=True, slots=True)
class Cell:
    """What the loans of one product and branch in one status amount to. `measure`: one of MONEY, or LOANS."""

    product: str
    branch: str
    measure: str
    status: str
    past_due_since: date | None
    figure: Figure


@dataclass(frozen=True, slots=True)
class Portfolio:
    """All that was true at the end of `on`, by what was known at the end of `known_on`."""

    on: date
    known_on: date
    cells: tuple[Cell, ...]

    def money(self, cells: Iterable[Cell] | None = None) -> Mapping[str, Figure]:
        """By component, in minor units."""
        sums = dict.fromkeys(MONEY, Figure())
        for cell in self.cells if cells is None else cells:
            if cell.measure in sums:
                sums[cell.measure] += cell.figure
        return sums

    def counts(self) -> Mapping[tuple[str, str], Figure]:
        """Loans by status and by bucket of days past due."""
        sums: dict[tuple[str, str], Figure] = {}
        for cell in self.cells:
            if cell.measure == LOANS:
                key = (cell.status, self.bucket_of(cell.past_due_since))
                sums[key] = sums.get(key, Figure()) + cell.figure
        return {key: figure for key, figure in sums.items() if figure.then or figure.since}

    def bucket_of(self, past_due_since: date | None) -> str:
        return folding.bucket_of((self.on - past_due_since).days) if past_due_since else ""


def on_date(*, on: date, known_on: date | None = None, branch: str = "", product: str = "") -> Portfolio:
    """The portfolio at the end of `on`, that day's interest included once it is closed; by what was known at the end of
    `known_on` (now, unless said). What was not known before its own day is over is not guessed: `known_on` is `on` at
    the earliest. `branch` takes in the units below it."""
    known_on = max(on, known_on or tenancy.current().business_date)
    values = _values(since=rolled_until(), until=known_on + timedelta(days=1), on=on)
    values |= {"branch": branch, "product": product}
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, values)
        found = cursor.fetchall()
    cells = [
        Cell(product, branch, measure, status, since, Figure(int(then), int(now - then)))
        for product, branch, measure, status, since, then, now in found
    ]
    return Portfolio(on, known_on, tuple(cell for cell in cells if cell.figure.then or cell.figure.since))


def _values(*, since: date, until: date, on: date) -> dict[str, Any]:
    return {
        "institution": tenancy.current_id(),
        "taking": sorted(TAKES_FROM_UNAPPLIED),
        "since": since,
        "until": until,
        "on": on,
    }


# --- summing up --------------------------------------------------------------------------------------------------


def rolled_until() -> date:
    """The first day of booking that is not summed up yet."""
    found: date | None = PortfolioRollup.objects.aggregate(last=Max("ends_on"))["last"]
    return found or BEGINNING


SUMMING_UP = f"""
WITH begun AS (
    INSERT INTO servicing_portfoliorollup (id, institution_id, starts_on, ends_on)
    VALUES (uuidv7(), %(institution)s, %(since)s, %(until)s) ON CONFLICT DO NOTHING RETURNING 1
), made AS (
    INSERT INTO servicing_portfoliosum (id, institution_id, {COLUMNS})
    SELECT uuidv7(), %(institution)s, {COLUMNS} FROM ({ADDED}) a
    WHERE amount <> 0 AND EXISTS (SELECT FROM begun)
)
SELECT EXISTS (SELECT FROM begun)
"""  # noqa: S608 (our own text)


def roll_up() -> bool:
    """Sums up all days of booking that are over; nothing is booked in them any more. False when there was nothing to
    do, or another process does it. In the caller's transaction."""
    since, today = rolled_until(), tenancy.current().business_date
    if since >= today:
        return False
    if since == BEGINNING:
        since = BEGINNING + timedelta(days=1)
        if not inserting.insert_new(PortfolioRollup(starts_on=BEGINNING, ends_on=since)):
            return False  # another process is at it
        _mark_older_loans(today)
    with connection.cursor() as cursor:
        cursor.execute(SUMMING_UP, _values(since=since, until=today, on=today))
        return bool(cursor.fetchone()[0])


DIFFERING = f"""
SELECT booked_on, effective_on, measure, status, past_due_since, sum(amount) FROM (
    SELECT {COLUMNS} FROM ({ADDED}) rows
    UNION ALL
    SELECT booked_on, effective_on, product, branch, measure, status, past_due_since, -amount
    FROM servicing_portfoliosum WHERE institution_id = %(institution)s
) sides GROUP BY 1, 2, 3, 4, 5 HAVING sum(amount) <> 0 ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608 (our own text)


def differing() -> list[tuple[date, date, str, str, date | None, int]]:
    """Where the sums are not what their rows come to: (booked, effective, measure, status, past due since, so much
    less). None, unless somebody wrote into a day that was over."""
    until = rolled_until()
    with connection.cursor() as cursor:
        cursor.execute(DIFFERING, _values(since=BEGINNING, until=until, on=until))
        return [(*row[:5], int(row[5])) for row in cursor.fetchall()]


BATCH = 500


def _mark_older_loans(today: date) -> None:
    """Loans from before statuses were kept get theirs from their events, once: a loan bears one mark, or is marked
    anew."""
    marked = Loan.objects.filter(last_event_seq__gt=0).annotate(marks=Coalesce(Sum("status_changes__count"), 0))
    ids: list[UUID] = list(marked.exclude(marks=1).order_by("id").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        made = [
            change
            for one in lists.kept(ids[start : start + BATCH])
            for change in statuses.lacking(one.row, one.events, one.statuses, today)
        ]
        StatusChange.objects.bulk_create(made, batch_size=2000)
