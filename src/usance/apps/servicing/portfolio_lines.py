"""From a figure of the portfolio to the loans that carry it, and to the movements by which it was corrected later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet

from usance.apps.institutions import tenancy
from usance.apps.servicing import earnings, folding
from usance.apps.servicing.models import LoanMovement
from usance.apps.servicing.portfolio import MONEY
from usance.core.loan.movements import TAKES_FROM_UNAPPLIED

SIZE = 50
FIRST = UUID(int=0)

# what a loan's movements come to by two dates; `l` is the loan
SUMS = ", ".join(
    f"coalesce(sum(m.amount_minor) FILTER (WHERE m.component = '{name}'), 0)"
    + (" + coalesce(sum(m.amount_minor) FILTER (WHERE m.kind = ANY(%(taking)s)), 0)" if name == "unapplied" else "")
    + f" AS {name}"
    for name in MONEY
)
DAYS = "least(s.ends_on, least(%(known)s::date, %(on)s::date) + 1) - s.starts_on"
STOOD = f"""
SELECT {SUMS} FROM (
    SELECT component, kind, amount_minor FROM servicing_loanmovement
    WHERE institution_id = l.institution_id AND loan_id = l.id AND booked_on <= %(known)s AND effective_on <= %(on)s
    UNION ALL
    SELECT v.component, '', v.amount_minor FROM (
        SELECT ends_on, {", ".join(earnings.KEPT)} FROM servicing_earned
        WHERE institution_id = l.institution_id AND loan_id = l.id UNION ALL
        SELECT closed_until, {", ".join(earnings.KEPT)} FROM servicing_earning
        WHERE institution_id = l.institution_id AND id = l.id
    ) s CROSS JOIN LATERAL (VALUES ('interest', {earnings.total_sql("interest", DAYS)}),
                                   ('penalty', {earnings.total_sql("penalty", DAYS)})) v (component, amount_minor)
    WHERE s.starts_on <= least(%(known)s::date, %(on)s::date)
) m
"""  # noqa: S608 (our own text)
SCOPE = """
l.institution_id = %(institution)s AND l.id > %(after)s
AND (%(product)s = '' OR l.product = %(product)s)
AND (%(branch)s = '' OR l.org_path = %(branch)s OR starts_with(l.org_path, %(branch)s || '.'))
"""
WITH_MONEY = """
SELECT l.id, {names} FROM servicing_loan l CROSS JOIN LATERAL ({stood}) b
WHERE {scope} AND {chosen} ORDER BY l.id LIMIT %(limit)s
"""
IN_STATUS = f"""
SELECT l.id, {", ".join(f"b.{name}" for name in MONEY)} FROM (
    SELECT s.loan_id FROM servicing_statuschange s
    WHERE s.institution_id = %(institution)s AND s.status = %(status)s
      AND s.booked_on <= %(known)s AND s.effective_on <= %(on)s AND s.loan_id > %(after)s
      AND (s.past_due_since IS NULL OR s.past_due_since BETWEEN %(since)s AND %(until)s)
      AND (s.past_due_since IS NULL) = %(in_time)s
    GROUP BY s.loan_id HAVING sum(s.count) > 0
) s JOIN servicing_loan l ON l.institution_id = %(institution)s AND l.id = s.loan_id
CROSS JOIN LATERAL ({STOOD}) b
WHERE {SCOPE} ORDER BY l.id LIMIT %(limit)s
"""  # noqa: S608 (our own text)
STATUSES = """
SELECT loan_id, status, past_due_since FROM servicing_statuschange
WHERE institution_id = %(institution)s AND loan_id = ANY(%(ids)s)
  AND booked_on <= %(known)s AND effective_on <= %(on)s
GROUP BY 1, 2, 3 HAVING sum(count) > 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which loans, on which date, by what was known on which: those with something of `measure` ("" for any money), or
    those in `status` and `bucket`."""

    on: date
    known_on: date
    branch: str = ""
    product: str = ""
    measure: str = ""
    status: str = ""
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class LoanLine:
    """One loan's part in the portfolio's figures, in minor units by component."""

    loan_id: UUID
    amounts: Mapping[str, int]
    status: str
    days_past_due: int


def loans(asked: Question, *, after: UUID | None = None, size: int = SIZE) -> tuple[Sequence[LoanLine], UUID | None]:
    """The loans after a key, in the order in which they were booked, and the key after which there are more."""
    values = _values(asked) | {"after": after or FIRST, "limit": size + 1}
    with connection.cursor() as cursor:
        cursor.execute(_sql(asked), values)
        found = cursor.fetchall()
        more, found = len(found) > size, found[:size]
        cursor.execute(STATUSES, values | {"ids": [row[0] for row in found]})
        marks = {loan_id: (status, since) for loan_id, status, since in cursor.fetchall()}
    lines = []
    for loan_id, *amounts in found:
        status, since = marks.get(loan_id, ("", None))
        late = (asked.on - since).days if since else 0
        lines.append(LoanLine(loan_id, dict(zip(MONEY, map(int, amounts), strict=True)), status, late))
    return lines, found[-1][0] if more else None


def _sql(asked: Question) -> str:
    if asked.status:
        return IN_STATUS
    chosen = " OR ".join(f"b.{name} <> 0" for name in MONEY if asked.measure in ("", name))
    names = ", ".join(f"b.{name}" for name in MONEY)
    return WITH_MONEY.format(names=names, stood=STOOD, scope=SCOPE, chosen=f"({chosen})")


def _values(asked: Question) -> dict[str, Any]:
    least, most = folding.span_of(asked.bucket)
    return {
        "institution": tenancy.current_id(),
        "taking": sorted(TAKES_FROM_UNAPPLIED),
        "on": asked.on,
        "known": asked.known_on,
        "branch": asked.branch,
        "product": asked.product,
        "status": asked.status,
        "in_time": not asked.bucket,
        "since": asked.on - timedelta(days=most) if most else date.min,
        "until": asked.on - timedelta(days=least),
    }


def learned(asked: Question) -> QuerySet[LoanMovement]:
    """The movements about days until `on` that were booked only after it, until `known_on`; of one component, if it is
    named. Their sum is what was learned since."""
    found = LoanMovement.objects.filter(
        effective_on__lt=F("booked_on"), effective_on__lte=asked.on, booked_on__gt=asked.on,
        booked_on__lte=asked.known_on,
    )  # fmt: skip
    if asked.measure == "unapplied":
        found = found.filter(Q(component="unapplied") | Q(kind__in=TAKES_FROM_UNAPPLIED))
    elif asked.measure:
        found = found.filter(component=asked.measure)
    if asked.product:
        found = found.filter(loan__product=asked.product)
    if asked.branch:
        found = found.filter(Q(loan__org_path=asked.branch) | Q(loan__org_path__startswith=f"{asked.branch}."))
    return found.select_related("loan", "entry").defer("loan__terms", "loan__checkpoint").order_by("-booked_on", "-id")
