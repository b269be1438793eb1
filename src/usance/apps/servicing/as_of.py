"""One loan on any day, by what was known on another: the fold of the events that had been told by then, and beyond the
day of that knowledge a projection of what is to come.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from usance.apps.institutions import tenancy
from usance.apps.servicing import folding
from usance.apps.servicing.models import CloseRun, Loan, LoanEvent, LoanParty
from usance.core.loan import events, quote, replay, state
from usance.core.loan.book import Fact, Line

# a business date: all that was told by its end; an instant: all that was recorded by then
Known = date | datetime
# what is supposed of the days to come
AS_AGREED, NOTHING_PAID = "as_agreed", "nothing_paid"


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """Something on a loan's timeline: a stored event, an expected payment, or a fact that followed from a date."""

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
    """One loan as it was true on a date, by what was known on another. `supposed`: what the days after `seen_until`
    rest on, "" when there are none."""

    loan: Loan
    on: date
    known: Known | None
    seen_until: date
    supposed: str
    state: state.Loan
    standing: quote.Standing
    schedule: tuple[quote.Row, ...]
    timeline: tuple[TimelineLine, ...]
    parties: tuple[LoanParty, ...]
    history: tuple[events.Event, ...] = field(repr=False)  # what it is the fold of, expected payments included

    @property
    def balances(self) -> Mapping[str, int]:
        """By component, kind of fee and of tax; zero balances are absent."""
        return self.state.balances

    @property
    def max_days_past_due(self) -> int:
        """The most days past due until the day looked at."""
        return folding.max_days_past_due(self.state.terms, self.history, self.on)

    @property
    def sale(self) -> events.Sold | None:
        """To whom the debt was sold, where it was."""
        if self.state.status != "sold":
            return None
        return next(event for event in replay.in_force(self.history) if isinstance(event, events.Sold))

    def explain(self, balance: str | None = None) -> tuple[Line, ...]:
        """The lines whose sum is each balance (or the one named, such as "fee:service")."""
        return quote.explain(self.state.terms, self.history, self.on, balance)


def told(row: Loan, known: Known | None) -> list[LoanEvent]:
    """The loan's events that had been told by then, in the order in which they were told."""
    return list(row.events.filter(known_by(known)).order_by("seq"))


def known_by(known: Known | None) -> Q:
    """The condition on events and movements: what was there by then."""
    if known is None:
        return Q()
    return Q(recorded_at__lte=known) if isinstance(known, datetime) else Q(booked_on__lte=known)


def day_of(known: Known | None) -> date:
    """The business date on which so much was known."""
    today = tenancy.current().business_date
    if known is None:
        return today
    if not isinstance(known, datetime):
        return min(known, today)
    later = CloseRun.objects.filter(finished_at__gt=known).order_by("business_date").values_list("business_date")
    return next((day for (day,) in later[:1]), today)


def view(row: Loan, *, on: date, known: Known | None = None, supposed: str = NOTHING_PAID) -> LoanView:
    """The loan at the start of `on`, with what happened on that day so far. Beyond the day of the knowledge nothing is
    paid any more, or (`as_agreed`) what is owed then is paid at once and each later bill on its day."""
    agreed, heard = folding.terms_of(row), told(row, known)
    history, seen_until = folding.history_of(heard), day_of(known)
    expected: tuple[events.Event, ...] = ()
    if on > seen_until and supposed == AS_AGREED:
        expected = quote.payments_to_come(replay.replay(agreed, history, seen_until, daily=False).loan, on)
    folded = replay.replay(agreed, (*history, *expected), on, daily=False)
    return LoanView(
        loan=row,
        on=on,
        known=known,
        seen_until=seen_until,
        supposed=supposed if on > seen_until else "",
        state=folded.loan,
        standing=quote.standing(folded.loan),
        schedule=quote.schedule(folded.loan),
        timeline=_timeline(heard, expected, folded.facts, on),
        parties=tuple(row.parties.order_by("role", "id")),
        history=(*history, *expected),
    )


# --- the timeline ------------------------------------------------------------------------------------------------

TOLD_AS_EVENTS = frozenset(
    {"approved", "disbursed", "disbursement_failed", "cancelled", "extended", "taken_over", "written_off"}
    | {"interest_paused", "rescheduled", "respread", "terminated", "charged_off", "withdrawn", "sold"}
)


def _timeline(
    heard: Iterable[LoanEvent], expected: Iterable[events.Event], facts: Iterable[Fact], on: date
) -> tuple[TimelineLine, ...]:
    """Events, expected payments and facts in the order in which they happened, newest first."""
    rows = list(heard)
    undone = {row.payload["undoes"] for row in rows if "undoes" in row.payload}
    lines = [
        _of_event(row, bool(undone & {row.source, row.payload.get("payment"), row.payload.get("income")}))
        for row in rows
        if row.effective_on <= on
    ]
    lines += [_of_expected(event) for event in expected if event.effective_on <= on]
    lines += [_of_fact(fact) for fact in facts if fact.kind not in TOLD_AS_EVENTS]
    makes_due = {line.on for line in lines if line.kind in MAKES_DUE}
    ranked = [(line.on, _rank(line, makes_due), number, line) for number, line in enumerate(lines)]
    return tuple(line for *_, line in sorted(ranked, key=lambda item: item[:3], reverse=True))


# what a day begins with; an event that makes something due at once comes before what it made due
OF_THE_MORNING = frozenset({"instalment_due", "matured", "became_past_due", "defaulted"})
MAKES_DUE = frozenset({"disbursed", "extended", "taken_over"})


def _rank(line: TimelineLine, makes_due: Container[date]) -> int:
    """Of one day: what it began with, then events as they were told, then what followed from them."""
    if line.kind in OF_THE_MORNING and line.on not in makes_due:
        return 0
    return 2 if line.is_fact else 1


def _of_event(row: LoanEvent, is_undone: bool) -> TimelineLine:
    return TimelineLine(
        on=row.effective_on, booked_on=row.booked_on, recorded_at=row.recorded_at, kind=folding.snake(row.kind),
        amount_minor=row.payload.get("amount_minor"), source=row.source, actor_kind=row.actor_kind,
        details={k: v for k, v in row.payload.items() if k not in ("kind", "version", "source", "effective_on")},
        is_undone=is_undone, is_fact=False,
    )  # fmt: skip


def _of_expected(event: events.Event) -> TimelineLine:
    return TimelineLine(
        on=event.effective_on, booked_on=event.effective_on, recorded_at=None, kind="payment_expected",
        amount_minor=getattr(event, "amount_minor", None), source=event.source, actor_kind="system", details={},
        is_undone=False, is_fact=True,
    )  # fmt: skip


def _of_fact(fact: Fact) -> TimelineLine:
    return TimelineLine(
        on=fact.on, booked_on=fact.on, recorded_at=None, kind=fact.kind, source="", actor_kind="system",
        amount_minor=next((v for k, v in fact.details.items() if k.endswith("_minor")), None),
        details=fact.details, is_undone=False, is_fact=True,
    )  # fmt: skip
