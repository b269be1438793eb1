"""Many loans at once: registers, sums, a borrower's history, and the state of the close. All from standing columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from usance.apps.servicing import folding
from usance.apps.servicing.models import (
    CloseProblem,
    CloseRun,
    LendingTally,
    Loan,
    LoanEvent,
    LoanMovement,
    LoanTally,
    StatusChange,
)
from usance.core.loan import state
from usance.core.loan.state import Movement


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
    "late": ("days_past_due", "id"),
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
    return found.defer("terms", "checkpoint").annotate(owed_minor=_owed()).order_by(*by)


def loans_past_due(*, bucket: str = "", order: str = "", within: Q | None = None) -> QuerySet[Loan]:
    """Loans with something past due, the oldest debt first."""
    found = Loan.objects.filter(within or Q(), status__in=state.LIVE)
    found = found.filter(bucket=bucket) if bucket else found.exclude(bucket="")
    return in_order(found, order, default=("-days_past_due", "-id"))


def loans_of_class(*, code: str = "", order: str = "", within: Q | None = None) -> QuerySet[Loan]:
    """Loans that run and have this class of their country, or any; the worst first."""
    found = Loan.objects.filter(within or Q(), status__in=state.LIVE)
    found = found.filter(loan_class=code) if code else found.exclude(loan_class="")
    return in_order(found, order, default=("-days_past_due", "id"))


def past_due_buckets(*, within: Q | None = None) -> list[tuple[str, int, int, int]]:
    """(bucket, loans, outstanding, past due) for every bucket, the empty ones too. `within`: on unit and owner."""
    rows = (
        LoanTally.objects.filter(within or Q(), status__in=state.LIVE)
        .exclude(bucket="")
        .values("bucket")
        .annotate(loans=Sum("count"), owed=_sum_owed(), late=Sum("past_due_minor"))
        .order_by("bucket")
    )
    found = {row["bucket"]: (int(row["loans"]), int(row["owed"]), int(row["late"])) for row in rows}
    return [(name, *found.get(name, (0, 0, 0))) for name in folding.bucket_names()]


def buckets() -> list[str]:
    """The bands of days past due, from the mildest."""
    return folding.bucket_names()


def portfolio(*, within: Q | None = None) -> Mapping[str, int]:
    """Count and balances of the loans that run, in minor units. `within`: on unit and owner."""
    names = ("count", "principal_minor", "interest_minor", "fee_minor", "penalty_minor", "tax_minor", "past_due_minor")
    sums = {f"sum_{name}": Coalesce(Sum(name), 0) for name in names}
    found = LoanTally.objects.filter(within or Q(), status__in=state.LIVE).aggregate(**sums)
    return {name: int(found[f"sum_{name}"]) for name in names}


def portfolio_by_product(*, within: Q | None = None) -> dict[str, tuple[int, int]]:
    """Product's code -> (loans that run, outstanding), in order. `within`: on unit and owner."""
    rows = LoanTally.objects.filter(within or Q(), status__in=state.LIVE).values("product").order_by("product")
    summed = rows.annotate(loans=Sum("count"), owed=_sum_owed()).filter(loans__gt=0)
    return {row["product"]: (int(row["loans"]), int(row["owed"])) for row in summed}


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
    return F("principal_minor") + F("interest_minor") + F("fee_minor") + F("penalty_minor") + F("tax_minor")


def _sum_owed() -> Any:
    return Sum("principal_minor") + Sum("interest_minor") + Sum("fee_minor") + Sum("penalty_minor") + Sum("tax_minor")


def loans_of_party(party_id: UUID) -> QuerySet[Loan]:
    """The loans that a party borrowed, newest first."""
    return Loan.objects.filter(party_id=party_id).order_by("-id")


def history_of_party(*, party_id: UUID, on: date | None = None) -> History:
    """The borrower's own history; with `on`, of the loans booked until then."""
    mine = Loan.objects.filter(party_id=party_id, disbursed_on__isnull=False)
    if on is not None:
        mine = mine.filter(disbursed_on__lte=on)
    found = mine.aggregate(
        loan_count=Count("id"),
        closed_count=Count("id", filter=Q(status="closed")),
        open_count=Count("id", filter=Q(status__in=state.LIVE)),
        open_exposure_minor=Coalesce(_sum_owed(), 0),
        worst=Coalesce(Max("max_days_past_due"), 0),
        written_off_count=Count("id", filter=Q(status="written_off")),
        last_closed_on=Max("closed_on"),
        repaid_on_time_count=Count("id", filter=Q(status="closed", max_days_past_due=0)),
    )
    worst = found.pop("worst")
    return History(**found | {"open_exposure_minor": int(found["open_exposure_minor"]), "max_days_past_due": worst})


def loan_ids() -> list[UUID]:
    return list(Loan.objects.order_by("id").values_list("id", flat=True))


def kept(loan_ids: Sequence[UUID]) -> Iterator[folding.Kept]:
    """Loans with all that is stored of them, in four queries."""
    rows = Loan.objects.filter(pk__in=loan_ids).order_by("id")
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
    for row in rows:
        yield folding.Kept(row, told.get(row.pk, []), moved.get(row.pk, []), marked.get(row.pk, []))


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
