"""Many loans at once: registers, sums, a borrower's history, and the state of the close. All from standing columns and
what was earned since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Case, DateField, ExpressionWrapper, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from usance.apps.servicing import earnings, folding
from usance.apps.servicing.models import (
    CloseProblem,
    CloseRun,
    Earned,
    Earning,
    EarningTally,
    LendingTally,
    Loan,
    LoanEvent,
    LoanMovement,
    LoanParty,
    LoanTally,
    StatusChange,
)
from usance.core.loan import quiet, state
from usance.core.loan.movements import Movement

OWING = ("borrower", "co_borrower")  # the roles of those who owe; a guarantor answers only if they do not


@dataclass(frozen=True, slots=True)
class History:
    """A borrower's own history with us, as decisions ask for it. Amounts in minor units."""

    loan_count: int  # that were disbursed
    closed_count: int
    open_count: int
    open_exposure_minor: int
    max_days_past_due: int
    written_off_count: int
    last_closed_on: date | None
    repaid_on_time_count: int  # closed, never past due


# --- lists -------------------------------------------------------------------------------------------------------


ORDERS = {
    "due": ("next_due_on", "id"),
    "outstanding": ("owed_minor", "id"),
    "late": ("late_since", "id"),
    "number": ("number",),
    "amount": ("amount_minor", "id"),
}


def loan_register(
    *,
    status: str = "",
    product: str = "",
    search: str = "",
    branch: str = "",
    due_until: date | None = None,
    order: str = "",
    within: Q | None = None,
) -> QuerySet[Loan]:
    """Loans, newest first or by one of ORDERS ("-" in front: the largest first), each with `owed_minor`. `within` is
    the reader's scope, `search` a number or its beginning (its digits alone will do), `branch` takes in the units
    below it. An unknown order is none."""
    found = Loan.objects.filter(within or Q())
    if status:
        found = found.filter(status__in=state.LIVE if status == "live" else [status])
    if product:
        found = found.filter(product=product)
    if search:
        text = search.strip().upper()
        found = _numbered(found, text)
    if branch:
        found = found.filter(Q(org_path=branch) | Q(org_path__startswith=f"{branch}."))
    if due_until:
        found = found.filter(next_due_on__lte=due_until, status__in=state.LIVE)
    return in_order(found, order or "", default=("-id",))


def _numbered(found: QuerySet[Loan], text: str) -> QuerySet[Loan]:
    """By number or its beginning: as a range, since row-level security lets no index be used for LIKE."""
    if text.isdecimal():
        return found.filter(number=f"L-{int(text):06d}")
    return found.filter(number__gte=text, number__lt=f"{text}\U0010ffff")


def in_order(found: QuerySet[Loan], order: str, *, default: tuple[str, ...]) -> QuerySet[Loan]:
    """The list by one of ORDERS, without the columns that no list needs, each row with `owed_minor`."""
    names = ORDERS.get(order.removeprefix("-"))
    by: list[Any] = list(names or default)
    if names and order.startswith("-"):
        # indexes tell the two ends for NULL apart, also where there is none
        by = [F(name).desc(nulls_last=True) if name == "next_due_on" else F(name).desc() for name in names]
    if names == ORDERS["late"]:  # who is late for longest is so since the earliest day
        by = list(MOST_LATE if order.startswith("-") else LEAST_LATE)
    shown = found.defer("terms", "checkpoint").annotate(owed_minor=_owed(), late_since=_late_since())
    return shown.order_by(*by)


MOST_LATE = (F("late_since").asc(nulls_last=True), "-id")
LEAST_LATE = (F("late_since").desc(nulls_first=True), "id")


def _late_since() -> Any:
    """The day from which days past due are counted; none where nothing is past due. It stands while they grow."""
    since = ExpressionWrapper(F("checkpoint_on") - F("days_past_due"), output_field=DateField())
    return Case(When(days_past_due__gt=0, then=since), output_field=DateField())


def loans_past_due(*, bucket: str = "", order: str = "", within: Q | None = None) -> QuerySet[Loan]:
    """Loans with something past due, the oldest debt first."""
    found = Loan.objects.filter(within or Q(), status__in=state.LIVE)
    found = found.filter(bucket=bucket) if bucket else found.exclude(bucket="")
    return in_order(found, order or "-late", default=())


def loans_of_class(*, code: str = "", order: str = "", within: Q | None = None) -> QuerySet[Loan]:
    """Loans that run and have this class of their country, or any; the worst first."""
    found = Loan.objects.filter(within or Q(), status__in=state.LIVE)
    found = found.filter(loan_class=code) if code else found.exclude(loan_class="")
    return in_order(found, order or "-late", default=())


def past_due_buckets(*, within: Q | None = None) -> list[tuple[str, int, int, int]]:
    """(bucket, loans, outstanding, past due) for every bucket, the empty ones too. `within`: on unit and owner."""
    found = _tallied("bucket", (within or Q()) & ~Q(bucket=""))
    return [
        (name, one.get("count", 0), _owed_of(one), one.get("past_due_minor", 0))
        for name in folding.bucket_names()
        for one in [found.get(name, {})]
    ]


def buckets() -> list[str]:
    """The bands of days past due, from the mildest."""
    return folding.bucket_names()


def portfolio(*, within: Q | None = None) -> Mapping[str, int]:
    """Count and balances of the loans that run, in minor units. `within`: on unit and owner."""
    found = _tallied("status", within or Q()).values()
    return {name: sum(one.get(name, 0) for one in found) for name in LoanTally.rule.sums}


def portfolio_by_product(*, within: Q | None = None) -> dict[str, tuple[int, int]]:
    """Product's code -> (loans that run, outstanding), in order. `within`: on unit and owner."""
    found = _tallied("product", within or Q())
    return {name: (one["count"], _owed_of(one)) for name, one in sorted(found.items()) if one.get("count", 0) > 0}


def _tallied(key: str, within: Q) -> dict[str, dict[str, int]]:
    """The sums of the loans that run by one of the keys: of their rows, and of what they earned since."""
    found: dict[str, dict[str, int]] = {}
    for model in (LoanTally, EarningTally):
        sums = {f"sum_{name}": Sum(name) for name in model.rule.sums}
        rows = model.objects.filter(within, status__in=state.LIVE).values(key).annotate(**sums).order_by(key)
        for row in rows:
            one = found.setdefault(row[key], {})
            for name in model.rule.sums:
                one[name] = one.get(name, 0) + int(row[f"sum_{name}"])
    return found


def _owed_of(sums: Mapping[str, int]) -> int:
    return sum(sums.get(f"{name}_minor", 0) for name in ("principal", "interest", "fee", "penalty", "tax"))


def products_lent(*, within: Q | None = None) -> list[str]:
    """Codes of the products of which there are loans. `within`: on unit and owner."""
    rows = LoanTally.objects.filter(within or Q()).values("product").order_by("product")
    return [row["product"] for row in rows.annotate(loans=Sum("count")).filter(loans__gt=0)]


def lending_by_day(*, starts_on: date, ends_on: date, within: Q | None = None) -> list[tuple[date, str, int, int]]:
    """(day, act, loans, amount) of the loans whose money was sent, or that were closed, over [starts_on, ends_on).
    `within`: on the unit."""
    found = LendingTally.objects.filter(within or Q(), on__gte=starts_on, on__lt=ends_on).values_list("on", "act")
    rows = found.annotate(loans=Sum("count"), amount=Sum("amount_minor")).order_by("on", "act")
    return [(on, act, int(loans), int(amount)) for on, act, loans, amount in rows]


def _owed() -> Any:
    """All that a loan owes, what it earned since its row was written too."""
    rows = F("principal_minor") + F("interest_minor") + F("fee_minor") + F("penalty_minor") + F("tax_minor")
    return rows + Coalesce(F("line__interest_minor") + F("line__penalty_minor"), 0)


def loans_of_party(party_id: UUID) -> QuerySet[Loan]:
    """The loans that a party borrowed, newest first."""
    return Loan.objects.filter(party_id=party_id).order_by("-id")


def loans_owed_by(party_id: UUID) -> QuerySet[Loan]:
    """The loans that a party borrowed, alone or with others, newest first."""
    owing = LoanParty.objects.filter(party_id=party_id, role__in=OWING)
    return Loan.objects.filter(pk__in=owing.values("loan_id")).order_by("-id")


def owers_of(loan_id: UUID) -> list[UUID]:
    """Who borrowed the loan."""
    owing = LoanParty.objects.filter(loan_id=loan_id, role__in=OWING).order_by("role", "id")
    return list(dict.fromkeys(owing.values_list("party_id", flat=True)))


def history_of_party(*, party_id: UUID, on: date | None = None) -> History:
    """The borrower's own history; with `on`, of the loans booked until then."""
    mine = Loan.objects.filter(party_id=party_id, disbursed_on__isnull=False)
    if on is not None:
        mine = mine.filter(disbursed_on__lte=on)
    rows = list(mine.defer("terms", "checkpoint"))
    running = [row for row in rows if row.status in state.LIVE]
    closed = [row for row in rows if row.status == "closed"]
    return History(
        loan_count=len(rows),
        closed_count=len(closed),
        open_count=len(running),
        open_exposure_minor=sum(row.outstanding_minor for row in rows),
        max_days_past_due=max((row.max_days_past_due for row in rows), default=0),
        written_off_count=sum(row.status == "written_off" for row in rows),
        last_closed_on=max((row.closed_on for row in rows if row.closed_on), default=None),
        repaid_on_time_count=sum(row.max_days_past_due == 0 for row in closed),
    )


def loan_ids() -> list[UUID]:
    return list(Loan.objects.order_by("id").values_list("id", flat=True))


def kept(loan_ids: Sequence[UUID]) -> Iterator[folding.Kept]:
    """Loans with all that is stored of them, in six queries."""
    rows = Loan.rows.filter(pk__in=loan_ids).order_by("id")
    told: dict[UUID, list[LoanEvent]] = {}
    for event in LoanEvent.objects.filter(loan_id__in=loan_ids).order_by("seq"):
        told.setdefault(event.loan_id, []).append(event)
    moved: dict[UUID, list[Movement]] = {}
    names = ("loan_id", *Movement._fields)
    for loan_id, *fields in LoanMovement.objects.filter(loan_id__in=loan_ids).values_list(*names):
        moved.setdefault(loan_id, []).append(Movement(*fields))
    marked: dict[UUID, list[StatusChange]] = {}
    for change in StatusChange.objects.filter(loan_id__in=loan_ids):
        marked.setdefault(change.loan_id, []).append(change)
    running = {one.pk: one for one in Earning.objects.filter(pk__in=loan_ids)}
    for one in running.values():
        moved.setdefault(one.pk, []).extend(quiet.daily(one.starts_on, one.closed_until, *earnings.lines_of(one)))
    for span in Earned.objects.filter(loan_id__in=loan_ids):
        lines = earnings.lines_of(span)
        moved.setdefault(span.loan_id, []).extend(quiet.daily(span.starts_on, span.ends_on, *lines))
    for row in rows:
        earning = running.get(row.pk)
        yield folding.Kept(
            row=row,
            events=told.get(row.pk, []),
            movements=moved.get(row.pk, []),
            statuses=marked.get(row.pk, []),
            earning=earning,
            closed_until=earning.closed_until if earning else row.checkpoint_on,
        )


# --- the close ---------------------------------------------------------------------------------------------------


def close_runs() -> QuerySet[CloseRun]:
    return CloseRun.objects.order_by("-business_date")


def latest_run() -> CloseRun | None:
    return close_runs().first()


def close_run(run_id: UUID) -> CloseRun:
    return CloseRun.objects.get(pk=run_id)


def problems_open() -> QuerySet[CloseProblem]:
    """Loans that a close left out and that no later one took in, newest first."""
    return CloseProblem.objects.filter(solved_at__isnull=True).select_related("loan").order_by("-business_date", "-id")


def problem(problem_id: UUID) -> CloseProblem | None:
    return CloseProblem.objects.select_related("loan").filter(pk=problem_id).first()
