"""The classes that a country's regulator wants of loans past due: found by the close, kept with their history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, Count, DateField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce

from usance.apps.institutions import rows, tenancy
from usance.apps.institutions import selectors as institutions
from usance.apps.servicing.models import Earning, Loan, LoanClassChange
from usance.core import classes
from usance.core.calendar import ONE_DAY
from usance.core.classes import Scheme
from usance.core.loan import state

RULE = "loan_classes"


def scheme_on(day: date) -> Scheme | None:
    """The classes of the bound institution's country on a date; None where it has none."""
    value = institutions.rule(tenancy.current().country, RULE, day)
    return classes.scheme_of(value) if value else None


def scheme_and_news(day: date) -> tuple[Scheme | None, bool]:
    """The classes on a date, and whether they hold since that very day: then every loan is to be looked at."""
    row = institutions.rule_row(tenancy.current().country, RULE, day)
    return (classes.scheme_of(row.value), row.starts_on == day) if row else (None, False)


def changes(scheme: Scheme | None, row: Loan, columns: Mapping[str, Any]) -> Sequence[tuple[int, str]]:
    """The classes that a loan came into while days passed, as in core: of its row before and its columns after. None
    for a loan that has ended, or where there are no classes."""
    if scheme is None or columns["status"] not in state.LIVE:
        return ()
    return classes.changes(
        scheme,
        days_past_due=(row.days_past_due, columns["days_past_due"]),
        extension_count=columns["extension_count"],
        before=row.loan_class,
    )


class Change(NamedTuple):
    """A loan came into another class at the end of a day."""

    day: date
    was: str
    now: str
    days_past_due: int


def dated(row: Loan, late: int, changed: Sequence[tuple[int, str]], day: date) -> list[Change]:
    """The changes with their days: the loan is `late` days past due at the end of `day`. Its first class is none."""
    found, was = [], row.loan_class
    for days, now in changed:
        if was:
            found.append(Change(day - timedelta(days=late - days), was, now, days))
        was = now
    return found


LINE = ("id", "loan_id", *Change._fields)


def lines(row: Loan, changed: Iterable[Change]) -> list[list[rows.Plain]]:
    """A loan's changes of class as lines of LINE, for `record`."""
    return [rows.plain(LoanClassChange(loan=row, **change._asdict()), LINE) for change in changed]


def record(told: Sequence[Sequence[rows.Plain]]) -> None:
    """Keeps changes of class. Twice is once."""
    rows.insert_plain(LoanClassChange, LINE, told, ignore_conflicts=True)


def look_again() -> int:
    """The next close looks at every running loan that bears no class of the rule in force, and at all that are late:
    where the rule came, or was corrected, with a later version, and holds since long ago. Says how many."""
    scheme = scheme_on(tenancy.current().business_date)
    if scheme is None:
        return 0
    known = Q(loan_class__in=[known.code for known in scheme.classes])
    asked = Loan.objects.filter(~known | Q(days_past_due__gt=0), status__in=state.LIVE)
    tomorrow = ExpressionWrapper(F("closed_until") + ONE_DAY, DateField())
    found = Earning.objects.filter(pk__in=asked.values("pk"), agenda_on__gt=tomorrow)
    return found.update(agenda_on=tomorrow)


def changes_of(*, loan_id: UUID) -> QuerySet[LoanClassChange]:
    """Every change of a loan's class, the newest first."""
    return LoanClassChange.objects.filter(loan_id=loan_id).order_by("-day")


def sums(scheme: Scheme, *, within: Q | None = None) -> list[tuple[str, int, int, int]]:
    """(class, loans, principal, past due) of the loans that run, for every class in its order, the empty ones too."""
    earned = Earning.objects.filter(pk=OuterRef("pk"))
    interest = Case(When(interest_is_late=True, then=F("interest_minor")), default=0)
    rows = (
        Loan.objects.filter(within or Q(), status__in=state.LIVE)
        .exclude(loan_class="")
        .annotate(since=Coalesce(Subquery(earned.values(all=F("penalty_minor") + interest)), 0))
        .values("loan_class")
        .annotate(count=Count("id"), principal=Sum("principal_minor"), late=Sum(F("past_due_minor") + F("since")))
        .order_by("loan_class")
    )
    found = {row["loan_class"]: (row["count"], int(row["principal"]), int(row["late"])) for row in rows}
    return [(known.code, *found.get(known.code, (0, 0, 0))) for known in scheme.classes]
