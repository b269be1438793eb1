"""Figures over all of an institution, gathered by set-based queries of the other apps. Nothing here writes.

`reach` says which rows the reader may count: given the name of a column with an organisation unit's path, it answers a
condition on it. Amounts are minor units of the institution's currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from django.db.models import Q

from usance.apps.desk import selectors as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.ledger import selectors as ledger
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as servicing

Reach = Callable[[str], Q]
UNDERWRITING = "underwriting"
LONGEST_BY_DAY, LONGEST_BY_WEEK = 45, 190
RECEIVABLES = ("principal_receivable", "interest_receivable", "fee_receivable", "penalty_receivable", "tax_receivable")


@dataclass(frozen=True, slots=True)
class Period:
    """The business days [starts_on, ends_on), cut into `slots` of a day, a week or a month for charts."""

    starts_on: date
    ends_on: date

    @property
    def days(self) -> int:
        return (self.ends_on - self.starts_on).days

    @property
    def slots(self) -> list[date]:
        """The first day of each slot, in order."""
        firsts = (self.slot_of(self.starts_on + timedelta(days=offset)) for offset in range(self.days))
        return list(dict.fromkeys(firsts))

    @property
    def unit(self) -> str:
        """What a slot is: day, week or month."""
        return "day" if self.days <= LONGEST_BY_DAY else "week" if self.days <= LONGEST_BY_WEEK else "month"

    def slot_of(self, day: date) -> date:
        """The first day of the slot that a day falls into, never before the period."""
        first = {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": day.replace(day=1),
        }[self.unit]
        return max(first, self.starts_on)

    def folded(self, rows: Iterable[tuple[date, int]]) -> list[int]:
        """Daily values as the sum of each slot."""
        sums = dict.fromkeys(self.slots, 0)
        for day, value in rows:
            sums[self.slot_of(day)] += value
        return list(sums.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Applications over a period. `by_rules` and `by_person`: how the decided ones were decided."""

    submitted: int
    approved: int
    declined: int
    by_rules: int
    by_person: int
    submitted_by_slot: list[int]
    approved_by_slot: list[int]
    declined_by_slot: list[int]

    @property
    def decided(self) -> int:
        return self.approved + self.declined

    @property
    def approval_rate(self) -> Fraction | None:
        return Fraction(self.approved, self.decided) if self.decided else None


def requests(period: Period, reach: Reach) -> Requests:
    """Applications that were submitted and decided in a period: each comes into these states once."""
    moves = applications.moves(starts_on=period.starts_on, ends_on=period.ends_on, within=reach("org_path"))

    def into(*states: str, people: bool | None = None) -> list[tuple[date, int]]:
        return [
            (on, count)
            for on, state, actor_kind, count in moves
            if state in states and (people is None or (actor_kind == "staff") is people)
        ]

    def total(rows: list[tuple[date, int]]) -> int:
        return sum(count for _, count in rows)

    return Requests(
        submitted=total(into("submitted")),
        approved=total(into("approved")),
        declined=total(into("declined")),
        by_rules=total(into("approved", "declined", people=False)),
        by_person=total(into("approved", "declined", people=True)),
        submitted_by_slot=period.folded(into("submitted")),
        approved_by_slot=period.folded(into("approved")),
        declined_by_slot=period.folded(into("declined")),
    )


def reviews(period: Period, reach: Reach) -> desk.Finished:
    """How long applicants waited for a person, against what was promised."""
    institution = tenancy.current()
    since, _ = institutions.bounds_of_day(institution, period.starts_on)
    until, _ = institutions.bounds_of_day(institution, period.ends_on)
    return desk.finished_between(queue=UNDERWRITING, since=since, until=until, within=reach("org_path"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lending:
    """Loans whose money was sent in a period, and those closed in it."""

    count: int
    amount_minor: int
    closed_count: int
    by_slot: list[int]


def lending(period: Period, reach: Reach) -> Lending:
    """What was lent by the days on which the money arrived."""
    rows = servicing.lending_by_day(starts_on=period.starts_on, ends_on=period.ends_on, within=reach("org_path"))
    sent = [(on, count, amount) for on, act, count, amount in rows if act == "sent"]
    return Lending(
        count=sum(count for _, count, _ in sent),
        amount_minor=sum(amount for _, _, amount in sent),
        closed_count=sum(count for _, act, count, _ in rows if act == "closed"),
        by_slot=period.folded((on, amount) for on, _, amount in sent),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Loans past due by the age of the oldest unpaid instalment."""

    name: str
    count: int
    outstanding_minor: int
    past_due_minor: int
    share: Fraction  # of all that is outstanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The loans that run now. `by_product`: code -> (loans, outstanding)."""

    count: int
    outstanding_minor: int
    past_due_minor: int
    late_count: int
    late_outstanding_minor: int
    balances: Mapping[str, int]
    buckets: Sequence[Bucket]
    by_product: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def share_at_risk(self) -> Fraction:
        """What is outstanding on loans with anything past due, of all that is outstanding."""
        return Fraction(self.late_outstanding_minor, self.outstanding_minor or 1)


BALANCES = ("principal", "interest", "fee", "penalty", "tax")


def portfolio(reach: Reach) -> Portfolio:
    """What is owed now, by the tallies of the loans."""
    within = reach("org_path")
    sums = servicing.portfolio(within=within)
    owed = sum(sums[f"{name}_minor"] for name in BALANCES)
    buckets = servicing.past_due_buckets(within=within)
    return Portfolio(
        count=sums["count"],
        outstanding_minor=owed,
        past_due_minor=sums["past_due_minor"],
        late_count=sum(count for _, count, _, _ in buckets),
        late_outstanding_minor=sum(amount for _, _, amount, _ in buckets),
        balances={name: sums[f"{name}_minor"] for name in BALANCES},
        buckets=[
            Bucket(
                name=name,
                count=count,
                outstanding_minor=amount,
                past_due_minor=late,
                share=Fraction(amount, owed or 1),
            )
            for name, count, amount, late in buckets
        ],
        by_product=servicing.portfolio_by_product(within=within),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cash:
    """Money from and to customers over a period, by the books."""

    in_minor: int
    out_minor: int
    in_by_slot: list[int]
    out_by_slot: list[int]


def cash(period: Period, reach: Reach) -> Cash:
    """Money that came in and went out, by the days on which it was booked."""
    rows = ledger.cash_flows(starts_on=period.starts_on, ends_on=period.ends_on, within=reach("branch"))
    came = [(day, amount) for day, role, amount in rows if role == "receipts_clearing"]
    went = [(day, -amount) for day, role, amount in rows if role != "receipts_clearing"]
    return Cash(
        in_minor=sum(amount for _, amount in came),
        out_minor=sum(amount for _, amount in went),
        in_by_slot=period.folded(came),
        out_by_slot=period.folded(went),
    )


def outstanding_by_slot(period: Period, reach: Reach, now_minor: int) -> list[int]:
    """What was outstanding at the end of each slot, from what is outstanding now back by the books."""
    rows = ledger.daily_flows(roles=RECEIVABLES, starts_on=period.starts_on, ends_on=date.max, within=reach("branch"))
    later = sum(debit - credit for day, _, debit, credit in rows if day >= period.ends_on)
    changes = period.folded((day, debit - credit) for day, _, debit, credit in rows if day < period.ends_on)
    standing, found = now_minor - later, []
    for change in reversed(changes):
        found.append(standing)
        standing -= change
    return found[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionLine:
    """Orders to payment rails of one kind in one state."""

    kind: str
    state: str
    count: int
    amount_minor: int


def instructions(period: Period, reach: Reach) -> list[InstructionLine]:
    """Orders that were given in a period, and every older one that is still open."""
    rows = payments.counts_since(since=period.starts_on, within=reach("org_path"))
    return [
        InstructionLine(kind=kind, state=state, count=count, amount_minor=amount) for kind, state, count, amount in rows
    ]


def queues(reach: Reach) -> list[desk.QueueStanding]:
    """What waits for a person, queue by queue."""
    return desk.standings(reach("org_path"))
