"""Reading loans. Lists read standing columns; one loan's page, a quote or a preview asks the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from usance.apps.institutions import tenancy
from usance.apps.servicing import folding
from usance.apps.servicing.models import CloseProblem, CloseRun, Loan, LoanEvent, LoanMovement, LoanParty
from usance.apps.servicing.refusals import NoSuchLoan
from usance.core.loan import admit, close, events, quote, replay, state
from usance.core.loan.state import Movement
from usance.core.refusals import Refusal


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """Something on a loan's timeline: a stored event, or a fact that followed from a date."""

    on: date
    booked_on: date
    recorded_at: datetime | None
    kind: str  # snake case: payment_received, became_past_due, ...
    amount_minor: int | None
    source: str
    actor_kind: str
    details: Mapping[str, Any]
    is_undone: bool
    is_fact: bool


@dataclass(frozen=True, slots=True)
class LoanView:
    """One loan as it was true on a date, by what was known on another."""

    loan: Loan
    on: date
    known_on: date | None
    state: state.Loan
    standing: quote.Standing
    schedule: tuple[quote.Row, ...]
    timeline: tuple[TimelineLine, ...]
    parties: tuple[LoanParty, ...]

    @property
    def balances(self) -> Mapping[str, int]:
        """By component, kind of fee and of tax; zero balances are absent."""
        return self.state.balances


@dataclass(frozen=True, slots=True)
class Owed:
    """What reminders and debits need to know of a loan on a day."""

    loan_id: UUID
    party_id: UUID
    reference: str
    is_open: bool
    due_minor: int  # payable now, what is past due included
    due_on: date | None  # the oldest unpaid due date, else the next one
    past_due_minor: int
    days_past_due: int
    next_due_on: date | None
    next_due_minor: int
    outstanding_minor: int
    currency: str
    org_path: str


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


# --- one loan ----------------------------------------------------------------------------------------------------


def loan(loan_id: UUID) -> Loan:
    """Raises NoSuchLoan."""
    row = Loan.objects.filter(pk=loan_id).first()
    if row is None:
        raise NoSuchLoan()
    return row


def loan_by_number(number: str) -> Loan:
    """Raises NoSuchLoan."""
    row = Loan.objects.filter(number__iexact=number.strip()).first()
    if row is None:
        raise NoSuchLoan()
    return row


def loan_of_application(application_id: UUID) -> Loan | None:
    return Loan.objects.filter(application_id=application_id).order_by("id").first()


def events_of(*, loan_id: UUID) -> QuerySet[LoanEvent]:
    return LoanEvent.objects.filter(loan_id=loan_id).order_by("seq")


def movements(*, loan_id: UUID) -> QuerySet[LoanMovement]:
    """Newest first."""
    return LoanMovement.objects.filter(loan_id=loan_id).select_related("entry").order_by("-booked_on", "-id")


def parties(*, loan_id: UUID) -> QuerySet[LoanParty]:
    return LoanParty.objects.filter(loan_id=loan_id).order_by("role", "id")


def _history(loan_id: UUID, known_on: date | None = None) -> list[LoanEvent]:
    told = events_of(loan_id=loan_id)
    return list(told.filter(booked_on__lte=known_on) if known_on else told)


def state_on(row: Loan, on: date | None = None, known_on: date | None = None) -> state.Loan:
    """The loan at the start of a day, with what happened on that day so far; by what was known at the end of
    `known_on`, or is known now. The business date unless said."""
    on = on or tenancy.current().business_date
    if known_on is None and on >= row.checkpoint_on:
        return close.advance(folding.state_of(row), on, daily=False).loan
    told = folding.history_of(_history(row.pk, known_on))
    return replay.replay(folding.terms_of(row), told, on, daily=False).loan


def loan_view(*, loan_id: UUID, on: date | None = None, known_on: date | None = None) -> LoanView:
    """Balances, schedule and timeline of a loan as true on `on`, as known on `known_on`. Raises NoSuchLoan."""
    row = loan(loan_id)
    on = on or tenancy.current().business_date
    told = _history(loan_id, known_on)
    folded = replay.replay(folding.terms_of(row), folding.history_of(told), on, daily=False)
    return LoanView(
        loan=row,
        on=on,
        known_on=known_on,
        state=folded.loan,
        standing=quote.standing(folded.loan),
        schedule=quote.schedule(folded.loan),
        timeline=_timeline(told, folded.facts, on),
        parties=tuple(parties(loan_id=loan_id)),
    )


TOLD_AS_EVENTS = frozenset({"approved", "disbursed", "disbursement_failed", "cancelled", "extended", "written_off"})


def _timeline(told: list[LoanEvent], facts: tuple[state.Fact, ...], on: date) -> tuple[TimelineLine, ...]:
    """Events and facts in the order in which they happened, newest first."""
    undone = {row.payload["undoes"] for row in told if "undoes" in row.payload}
    lines = [
        TimelineLine(
            on=row.effective_on, booked_on=row.booked_on, recorded_at=row.recorded_at, kind=folding.snake(row.kind),
            amount_minor=row.payload.get("amount_minor"), source=row.source, actor_kind=row.actor_kind,
            details={k: v for k, v in row.payload.items() if k not in ("kind", "version", "source", "effective_on")},
            is_undone=row.source in undone, is_fact=False,
        )
        for row in told
        if row.effective_on <= on
    ]  # fmt: skip
    lines += [
        TimelineLine(
            on=fact.on, booked_on=fact.on, recorded_at=None, kind=fact.kind, source="", actor_kind="system",
            amount_minor=next((v for k, v in fact.details.items() if k.endswith("_minor")), None),
            details=fact.details, is_undone=False, is_fact=True,
        )
        for fact in facts
        if fact.kind not in TOLD_AS_EVENTS
    ]  # fmt: skip
    # of one day: events in the order in which they were told, then what followed from them
    in_order = sorted(enumerate(lines), key=lambda item: (item[1].on, item[1].is_fact, item[0]), reverse=True)
    return tuple(line for _, line in in_order)


def explain(
    *, loan_id: UUID, on: date | None = None, balance: str | None = None, known_on: date | None = None
) -> tuple[state.Line, ...]:
    """The lines whose sum is each balance (or the one named, such as "fee:service") of the loan on a date, by what was
    known on another."""
    row = loan(loan_id)
    on = on or tenancy.current().business_date
    return quote.explain(folding.terms_of(row), folding.history_of(_history(loan_id, known_on)), on, balance)


# --- quotes and previews -----------------------------------------------------------------------------------------


def payoff(*, loan_id: UUID, on: date | None = None) -> quote.Payoff:
    """What closes the loan on a day: the business date or a later one."""
    row = loan(loan_id)
    on = on or tenancy.current().business_date
    return quote.payoff(state_on(row), on)


def payment_preview(*, loan_id: UUID, amount_minor: int, on: date | None = None) -> quote.Preview:
    """The exact effect of paying an amount. Raises what `admit` refuses."""
    return _preview(loan_id, on, lambda day: [events.PaymentReceived(
        effective_on=day, source="preview:payment", amount_minor=amount_minor)])  # fmt: skip


def extension_quote(*, loan_id: UUID, days: int, on: date | None = None) -> quote.ExtensionQuote:
    """What extending costs on a day, and the new due date. Raises what `admit` refuses."""
    day = on or tenancy.current().business_date
    current = state_on(loan(loan_id))
    then = close.advance(current, day, daily=False).loan
    admit.admit(then, events.Extended(effective_on=day, source="preview:extension", days=days))
    return quote.extension(current, day, days, folding.history_of(_history(loan_id)))


def extension_options(*, loan_id: UUID, on: date | None = None) -> list[quote.ExtensionQuote]:
    """Every extension that could be had on a day; none when the agreement or the loan's state allows none."""
    offered = folding.terms_of(loan(loan_id)).extension
    options = []
    for days in offered.days_allowed if offered else ():
        try:
            options.append(extension_quote(loan_id=loan_id, days=days, on=on))
        except Refusal:
            continue
    return options


def extension_preview(*, loan_id: UUID, days: int, on: date | None = None) -> quote.Preview:
    """The exact effect of extending and paying its price. Raises what `admit` refuses."""
    price = extension_quote(loan_id=loan_id, days=days, on=on).price_minor

    def both(day: date) -> list[events.Event]:
        told: list[events.Event] = [events.Extended(effective_on=day, source="preview:extension", days=days)]
        if price:
            told.append(events.PaymentReceived(effective_on=day, source="preview:payment", amount_minor=price))
        return told

    return _preview(loan_id, on, both)


def preview(*, loan_id: UUID, event: events.Event) -> quote.Preview:
    """The exact effect of any event, before it is told. Raises what `admit` refuses."""
    return _preview(loan_id, None, lambda day: [event])


def _preview(loan_id: UUID, on: date | None, told: Any) -> quote.Preview:
    row = loan(loan_id)
    day = on or tenancy.current().business_date
    return quote.preview(state_on(row), folding.history_of(_history(loan_id)), told(day))


def owed(loan_id: UUID, on: date | None = None) -> Owed:
    """What is payable on a loan on a day. Raises NoSuchLoan."""
    row = loan(loan_id)
    then = state_on(row, on)
    next_on = state.next_due_on(then) if then.status in state.LIVE else None
    return Owed(
        loan_id=row.pk,
        party_id=row.party_id,
        reference=row.number,
        is_open=then.status in state.LIVE,
        due_minor=state.due_now(then) if then.status in state.LIVE else 0,
        due_on=state.oldest_past_due_on(then) or next_on,
        past_due_minor=state.past_due(then) if then.status in state.LIVE else 0,
        days_past_due=state.days_past_due(then),
        next_due_on=next_on,
        next_due_minor=folding.next_due_minor(then) if next_on else 0,
        outstanding_minor=state.outstanding(then),
        currency=row.currency,
        org_path=row.org_path,
    )


def due_dates(*, loan_id: UUID) -> tuple[date, ...]:
    """The due dates to come, in order."""
    return folding.state_of(loan(loan_id)).due_dates


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
        found = found.filter(number=f"L-{int(text):06d}") if text.isdecimal() else found.filter(number__startswith=text)
    if branch:
        found = found.filter(Q(org_path=branch) | Q(org_path__startswith=f"{branch}."))
    if due_until:
        found = found.filter(next_due_on__lte=due_until, status__in=state.LIVE)
    return in_order(found, order or "", default=("-id",))


def in_order(found: QuerySet[Loan], order: str, *, default: tuple[str, ...]) -> QuerySet[Loan]:
    """The list by one of ORDERS, without the columns that no list needs, each row with `owed_minor`."""
    names = ORDERS.get(order.removeprefix("-"))
    by: list[Any] = list(names or default)
    if names and order.startswith("-"):
        by = [F(name).desc(nulls_last=True) for name in names]
    elif names:
        by = [F(name).asc(nulls_last=True) for name in names]
    return found.defer("terms", "checkpoint").annotate(owed_minor=_owed()).order_by(*by)


def loans_past_due(*, bucket: str = "", order: str = "", within: Q | None = None) -> QuerySet[Loan]:
    """Loans with something past due, the oldest debt first."""
    found = Loan.objects.filter(within or Q(), status__in=state.LIVE)
    found = found.filter(bucket=bucket) if bucket else found.exclude(bucket="")
    return in_order(found, order, default=("-days_past_due", "id"))


def past_due_buckets(*, within: Q | None = None) -> list[tuple[str, int, int, int]]:
    """(bucket, loans, outstanding, past due) for every bucket, the empty ones too."""
    rows = (
        Loan.objects.filter(within or Q(), status__in=state.LIVE)
        .exclude(bucket="")
        .values("bucket")
        .annotate(count=Count("id"), owed=_sum_owed(), late=Sum("past_due_minor"))
        .order_by("bucket")
    )
    found = {row["bucket"]: (row["count"], int(row["owed"]), int(row["late"])) for row in rows}
    return [(name, *found.get(name, (0, 0, 0))) for name in folding.bucket_names()]


def portfolio(*, within: Q | None = None) -> Mapping[str, int]:
    """Count and balances of the loans that run, in minor units."""
    names = ("principal", "interest", "fee", "penalty", "tax", "past_due")
    sums = {f"{name}_minor": Coalesce(Sum(f"{name}_minor"), 0) for name in names}
    found = Loan.objects.filter(within or Q(), status__in=state.LIVE).aggregate(count=Count("id"), **sums)
    return {name: int(value) for name, value in found.items()}


def products_lent(*, within: Q | None = None) -> list[str]:
    """Codes of the products of which there are loans."""
    return list(Loan.objects.filter(within or Q()).order_by("product").values_list("product", flat=True).distinct())


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
    """Loans with all that is stored of them, in three queries."""
    rows = Loan.objects.filter(pk__in=loan_ids).order_by("id")
    told: dict[UUID, list[LoanEvent]] = {}
    for event in LoanEvent.objects.filter(loan_id__in=loan_ids).order_by("seq"):
        told.setdefault(event.loan_id, []).append(event)
    moved: dict[UUID, list[Movement]] = {}
    names = ("loan_id", *Movement._fields)
    for loan_id, *fields in LoanMovement.objects.filter(loan_id__in=loan_ids).values_list(*names):
        moved.setdefault(loan_id, []).append(Movement(*fields))
    for row in rows:
        yield folding.Kept(row, told.get(row.pk, []), moved.get(row.pk, []))


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


def actors_of(*, loan_id: UUID) -> Mapping[str, tuple[str, str]]:
    """Who told each event: its source -> (kind of actor, id)."""
    rows = LoanEvent.objects.filter(loan_id=loan_id).values_list("source", "actor_kind", "actor_id")
    return {source: (kind, actor_id) for source, kind, actor_id in rows}
