"""Reading loans. Lists read standing columns; one loan's page, a quote or a preview asks the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from usance.apps.institutions import tenancy
from usance.apps.servicing import as_of, folding
from usance.apps.servicing.as_of import AS_AGREED, NOTHING_PAID, Known, LoanView, TimelineLine, known_by
from usance.apps.servicing.folding import snake
from usance.apps.servicing.lists import (
    ORDERS,
    History,
    buckets,
    close_run,
    close_runs,
    history_of_party,
    in_order,
    kept,
    latest_run,
    lending_by_day,
    loan_ids,
    loan_register,
    loans_of_class,
    loans_of_party,
    loans_owed_by,
    loans_past_due,
    owers_of,
    past_due_buckets,
    portfolio,
    portfolio_by_product,
    problem,
    problems_open,
    products_lent,
)
from usance.apps.servicing.made_of import Part, movements_of_entry, parts_of_entry
from usance.apps.servicing.models import Loan, LoanEvent, LoanParty, MovementLine
from usance.apps.servicing.refusals import NoSuchLoan
from usance.core.loan import admit, close, events, quote, replay, state
from usance.core.loan.book import Line
from usance.core.loan.terms import Terms
from usance.core.refusals import Refusal

# offered here too: callers need not know where a selector stands
__all__ = [
    "AS_AGREED",
    "NOTHING_PAID",
    "ORDERS",
    "History",
    "Known",
    "LoanView",
    "Part",
    "TimelineLine",
    "buckets",
    "close_run",
    "close_runs",
    "history_of_party",
    "in_order",
    "kept",
    "known_by",
    "latest_run",
    "lending_by_day",
    "loan_ids",
    "loan_register",
    "loans_of_class",
    "loans_of_party",
    "loans_owed_by",
    "loans_past_due",
    "movements_of_entry",
    "owers_of",
    "parts_of_entry",
    "past_due_buckets",
    "portfolio",
    "portfolio_by_product",
    "problem",
    "problems_open",
    "products_lent",
    "snake",
]


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


# --- one loan ----------------------------------------------------------------------------------------------------


def business_date() -> date:
    """The day that the bound institution lives in."""
    return tenancy.current().business_date


def loans_by_id(loan_ids: Iterable[UUID]) -> dict[UUID, Loan]:
    """Loans by their standing columns, as lists read them."""
    return {row.pk: row for row in Loan.objects.filter(pk__in=set(loan_ids)).defer("terms", "checkpoint")}


def loan(loan_id: UUID) -> Loan:
    """Raises NoSuchLoan."""
    row = Loan.objects.filter(pk=loan_id).first()
    if row is None:
        raise NoSuchLoan()
    return row


def loan_by_number(number: str) -> Loan:
    """By its number as people say it: L-000123, l-123 or 123; one that it had in another system, as it is. Raises
    NoSuchLoan."""
    text = number.strip().upper().removeprefix("L-")
    whole = f"L-{int(text):06d}" if text.isascii() and text.isdigit() and len(text) <= 12 else text
    row = Loan.objects.filter(number=whole).first()
    if row is None:
        raise NoSuchLoan()
    return row


def numbers_of(loan_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Numbers of loans by id, for lists of other things."""
    return dict(Loan.objects.filter(pk__in=set(loan_ids)).values_list("pk", "number"))


def loan_of_application(application_id: UUID) -> Loan | None:
    return Loan.objects.filter(application_id=application_id).order_by("id").first()


def events_of(*, loan_id: UUID) -> QuerySet[LoanEvent]:
    return LoanEvent.objects.filter(loan_id=loan_id).order_by("seq")


def movements(*, loan_id: UUID) -> QuerySet[MovementLine]:
    """Newest first."""
    return MovementLine.objects.filter(loan_id=loan_id).select_related("entry").order_by("-booked_on", "-id")


def parties(*, loan_id: UUID) -> QuerySet[LoanParty]:
    return LoanParty.objects.filter(loan_id=loan_id).order_by("role", "id")


def _history(row: Loan) -> tuple[events.Event, ...]:
    return folding.history_of(as_of.told(row, None))


def state_on(row: Loan, on: date | None = None, known_on: Known | None = None) -> state.Loan:
    """The loan at the start of a day, with what happened on that day so far; by what was known by `known_on`, or is
    known now. The business date unless said."""
    on = on or tenancy.current().business_date
    if known_on is None and on >= row.checkpoint_on:
        return close.advance(folding.state_of(row), on, daily=False).loan
    history = folding.history_of(as_of.told(row, known_on))
    return replay.replay(folding.terms_of(row), history, on, daily=False).loan


def loan_view(
    *, loan_id: UUID, on: date | None = None, known_on: Known | None = None, supposed: str = NOTHING_PAID
) -> LoanView:
    """Balances, schedule and timeline of a loan as true on `on`, as known on `known_on`; of days to come, as `supposed`
    (AS_AGREED, NOTHING_PAID). Raises NoSuchLoan."""
    return as_of.view(loan(loan_id), on=on or tenancy.current().business_date, known=known_on, supposed=supposed)


def explain(
    *,
    loan_id: UUID,
    on: date | None = None,
    balance: str | None = None,
    known_on: Known | None = None,
    supposed: str = NOTHING_PAID,
) -> tuple[Line, ...]:
    """The lines whose sum is each balance (or the one named, such as "fee:service") of the loan on a date, by what was
    known on another."""
    return loan_view(loan_id=loan_id, on=on, known_on=known_on, supposed=supposed).explain(balance)


# --- quotes and previews -----------------------------------------------------------------------------------------


def payoff(*, loan_id: UUID, on: date | None = None, row: Loan | None = None) -> quote.Payoff:
    """What closes the loan on a day: the business date or a later one. `row`: the loan, if it was read already."""
    row = row or loan(loan_id)
    on = on or tenancy.current().business_date
    return quote.payoff(state_on(row), on)


def statement(*, loan_id: UUID, due_on: date) -> quote.Statement | None:
    """What a due date to come will ask for, as seen on the business date; None when it asks for nothing."""
    return quote.statement(state_on(loan(loan_id)), due_on)


def payment_preview(*, loan_id: UUID, amount_minor: int, on: date | None = None) -> quote.Preview:
    """The exact effect of paying an amount. Raises what `admit` refuses."""
    return _preview(loan_id, on, lambda day: [events.PaymentReceived(
        effective_on=day, source="preview:payment", amount_minor=amount_minor)])  # fmt: skip


def extension_quote(*, loan_id: UUID, days: int, on: date | None = None) -> quote.ExtensionQuote:
    """What extending costs on a day (also an earlier one), and the new due date. Raises what `admit` refuses."""
    today = tenancy.current().business_date
    day, row = on or today, loan(loan_id)
    current = state_on(row, min(day, today))
    then = close.advance(current, day, daily=False).loan
    admit.admit(then, events.Extended(effective_on=day, source="preview:extension", days=days))
    told = tuple(event for event in _history(row) if event.effective_on <= day)
    return quote.extension(current, day, days, told)


def extension_options(*, loan_id: UUID, on: date | None = None) -> list[quote.ExtensionQuote]:
    """Every extension that could be had on a day; none when the agreement or the loan's state allows none."""
    offered = folding.binding_terms_of(loan(loan_id)).extension
    options = []
    for days in offered.days_allowed if offered else ():
        try:
            options.append(extension_quote(loan_id=loan_id, days=days, on=on))
        except Refusal:
            continue
    return options


def may_step_back_until(row: Loan) -> date | None:
    """The last day on which the borrower may step back from the loan; None where it is over, or never was."""
    if folding.binding_terms_of(row).cooling_off is None:
        return None
    last_on = admit.may_withdraw_until(state_on(row))
    return last_on if last_on is not None and last_on >= business_date() else None


def step_back_preview(*, loan_id: UUID) -> quote.Preview:
    """The exact effect of stepping back today. Raises what `admit` refuses."""
    event = events.Withdrawn(effective_on=business_date(), source="preview:withdrawn")
    return preview(loan_id=loan_id, event=event)


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


def terms_of(row: Loan) -> Terms:
    """The terms that count: as agreed, or as last corrected."""
    return folding.binding_terms_of(row)


def _preview(loan_id: UUID, on: date | None, told: Any) -> quote.Preview:
    row = loan(loan_id)
    day = on or tenancy.current().business_date
    return quote.preview(state_on(row), _history(row), told(day))


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


def sale_of(*, loan_id: UUID) -> events.Sold | None:
    """The sale of the loan's debt, where it stands as sold."""
    return loan_view(loan_id=loan_id).sale


def due_dates(*, loan_id: UUID) -> tuple[date, ...]:
    """The due dates to come, in order."""
    return folding.state_of(loan(loan_id)).due_dates


def actors_of(*, loan_id: UUID) -> Mapping[str, tuple[str, str]]:
    """Who told each event: its source -> (kind of actor, id)."""
    rows = LoanEvent.objects.filter(loan_id=loan_id).values_list("source", "actor_kind", "actor_id")
    return {source: (kind, actor_id) for source, kind, actor_id in rows}
