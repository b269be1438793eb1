"""What happened to a loan: stored causes, told by people, banks and ourselves. What merely follows from a date is
never an event.

Every event has `effective_on` (the business date from which it counts) and `source` (a stable key of where it came
from, unique within the loan). Events take effect in the order of (effective_on, rank of their kind, source).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from usance.core import values
from usance.core.loan.records import Carried as Carried
from usance.core.loan.records import Held as Held
from usance.core.loan.records import OldBill as OldBill
from usance.core.loan.terms import Terms
from usance.core.rates import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The base of all events."""

    RANK: ClassVar[int]
    VERSION: ClassVar[int] = 1

    effective_on: date
    source: str

    @property
    def kind(self) -> str:
        return type(self).__name__

    @property
    def order(self) -> tuple[date, int, str]:
        """When it takes effect among others."""
        return (self.effective_on, self.RANK, self.source)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "version": self.VERSION, **values.encode(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(Event):
    """We committed ourselves; the first event of every loan."""

    RANK: ClassVar[int] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DisbursementFailed(Event):
    """Money was sent and did not arrive; nothing accrues, it may be tried again."""

    RANK: ClassVar[int] = 1
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Event):
    """The loan will not happen: given up before any money arrived."""

    RANK: ClassVar[int] = 2
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbursed(Event):
    """The borrower has the money; interest starts on effective_on. `amount_minor` is the principal, of which deducted
    fees were kept back (quote.net_disbursement says what was sent)."""

    RANK: ClassVar[int] = 3
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver(Event):
    """The loan ran in another system until the morning of effective_on; our books begin with the balances of that
    moment. `standing` says them; without it they are what the earlier events make of them."""

    RANK: ClassVar[int] = 3
    standing: Carried | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChanged(Event):
    """From this day on the loan bears another rate; agreed later steps no longer count."""

    RANK: ClassVar[int] = 4
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeDeferred(Event):
    """Income that is earned evenly over the days that are left of the loan. The borrower owes it: the principal grows
    by it, and nobody is paid; or a third party does, a merchant for a lower rate: then the debt stays as it is."""

    RANK: ClassVar[int] = 4
    amount_minor: int
    owed_by: str  # a name in terms.NAMES["owed_by"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeTakenBack(Event):
    """A part of what was deferred is not ours after all. `income` is the source of the event that had deferred it: if
    that never was, neither was this. What the borrower owed of it counts as paid."""

    RANK: ClassVar[int] = 10
    amount_minor: int
    owed_by: str
    income: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestPaused(Event):
    """No interest for the nights [since, until). It does not reach back behind its own day: to pause nights that have
    passed, it is told with the first of them as `effective_on`."""

    RANK: ClassVar[int] = 4
    since: date
    until: date
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescheduled(Event):
    """The due date `moved_from` moves, and those after it with it; `more` instalments come at the end."""

    RANK: ClassVar[int] = 7
    moved_from: date | None = None
    moved_to: date | None = None
    more: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyPaused(Event):
    """No penalties and no lateness fees from this day on."""

    RANK: ClassVar[int] = 5
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyResumed(Event):
    """Penalties count again from this day on; the pause is not made up for."""

    RANK: ClassVar[int] = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended(Event):
    """The due date moves by `days`; what has accrued, and the extension fee, fall due today."""

    RANK: ClassVar[int] = 7
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    """The borrower steps back within the days for it: fees are given back, and the money with the interest of the days
    it was used is due soon."""

    RANK: ClassVar[int] = 8
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeAdded(Event):
    """A fee of an agreed kind; it falls due with the next instalment."""

    RANK: ClassVar[int] = 8
    fee_kind: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived(Event):
    """We forgive up to `amount_minor` of one balance ("interest", "fee:service", "penalty", "principal", ...)."""

    RANK: ClassVar[int] = 9
    balance: str
    amount_minor: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReceived(Event):
    """Money from or for the borrower; effective_on is the payer's own date, not that of the provider's message."""

    RANK: ClassVar[int] = 10
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged(Event):
    """A fee ("fee:reminder") or a penalty ("penalty") that the instalment of a certain day asks for, be it to come or
    long past. What is forgiven or paid on the same day counts after it."""

    RANK: ClassVar[int] = 8
    balance: str
    amount_minor: int
    due_on: date
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited(Event):
    """What is owed is paid without money of the borrower: a goodwill, what a merchant took back, a charge we give up.
    With `interest_too` the interest goes back with it that would not have been borne had as much never been drawn."""

    RANK: ClassVar[int] = 10
    amount_minor: int
    reason: str  # a name in terms.NAMES["credit"]
    interest_too: bool = False
    why: str = ""  # free text, as `reason` is elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedBack(Event):
    """Who had paid got money back from us by a dispute: so much of a balance is owed again, asked for by the instalment
    of the day. `payment` is the source of the payment that was disputed, where we know it: if that never came, neither
    did the dispute of it."""

    RANK: ClassVar[int] = 10
    balance: str
    amount_minor: int
    payment: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respread(Event):
    """All that is owed is spread over coming instalments anew, what is past due too. With a `start_on` over `count`
    new ones, the first on that day; without, over those that are still to come."""

    RANK: ClassVar[int] = 10
    start_on: date | None = None
    count: int = 0
    every: int = 1
    unit: str = "months"
    interest: str = "levelled"  # a name in terms.NAMES["respread"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminated(Event):
    """The contract ends: all that is left falls due today."""

    RANK: ClassVar[int] = 10
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedOff(Event):
    """The loan is taken for lost, but the claim stays with it and payments count as before."""

    RANK: ClassVar[int] = 10
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff(Event):
    """All that is owed leaves the books; the claim stays."""

    RANK: ClassVar[int] = 11
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOnNonAccrual(Event):
    """We do not count on its interest any more: it is income when it is paid, until we decide otherwise."""

    RANK: ClassVar[int] = 12
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredToAccrual(Event):
    """Its interest is income as it accrues again, and so is what was suspended."""

    RANK: ClassVar[int] = 13  # after what was paid that day
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(Event):
    """Money collected on a claim that was written off (a PaymentReceived then means the same)."""

    RANK: ClassVar[int] = 12
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded(Event):
    """Unapplied money sent back to the borrower."""

    RANK: ClassVar[int] = 13
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold(Event):
    """The debt is another's from the end of this day on: what was paid until then, this day too, was paid to us. All
    that is owed leaves the books, and `buyer` owes us the price. `contact`: where the borrower reaches them."""

    RANK: ClassVar[int] = 14
    buyer: str
    price_minor: int
    contact: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerPaid(Event):
    """Money of the buyer, for the debt that was sold."""

    RANK: ClassVar[int] = 15
    amount_minor: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded(Event):
    """Money that came here for a debt that was sold went on to its buyer."""

    RANK: ClassVar[int] = 15
    amount_minor: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReturned(Event):
    """The rail took the payment `undoes` back: the loan is as if it had never come."""

    RANK: ClassVar[int] = 14
    undoes: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed(Event):
    """We undo our entry `undoes` (the source of an event): the loan is as if it had never been told."""

    RANK: ClassVar[int] = 15
    undoes: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsCorrected(Event):
    """What was agreed, or a rule that we had released, turned out wrong: the loan is as if `after` had been agreed. It
    is told of the loan's first day; of several the one with the highest `number` counts."""

    RANK: ClassVar[int] = 16
    number: int
    before: Terms
    after: Terms
    reason: str = ""


KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        Approved, DisbursementFailed, Cancelled, Disbursed, TakenOver, RateChanged, InterestPaused, PenaltyPaused,
        PenaltyResumed, Rescheduled, Extended, Withdrawn, FeeAdded, Waived, PaymentReceived, Charged, Credited,
        ChargedBack, Respread, Terminated, ChargedOff, WrittenOff, PutOnNonAccrual, RestoredToAccrual, Recovered,
        Refunded, Sold, BuyerPaid, Forwarded, PaymentReturned, Reversed, TermsCorrected, IncomeDeferred,
        IncomeTakenBack,
    )
}  # fmt: skip


def from_json(data: Mapping[str, Any]) -> Event:
    """The event stored by to_json. Raises values.UnreadableValue for an unknown kind, version or field."""
    kind = KINDS.get(data.get("kind", ""))
    if kind is None or data.get("version") != kind.VERSION:
        raise values.UnreadableValue(f"event of kind {data.get('kind')!r}, version {data.get('version')!r}")
    fields = {name: item for name, item in data.items() if name not in ("kind", "version")}
    return values.decode(kind, fields)  # type: ignore[no-any-return]
