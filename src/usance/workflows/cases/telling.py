"""A loan of another system, as far as it has been told to our engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from usance.core.loan import apply, events, quote, replay, state
from usance.core.loan.book import Step
from usance.core.loan.events import Event
from usance.core.loan.terms import Terms
from usance.workflows.cases.verdicts import Unsupported

Told = Mapping[str, Any]


# what the other system counts when it speaks of any transaction; beside its accruals, which nobody tells
TRANSACTIONS = frozenset({"Disbursement", "Repayment", "Down Payment", "Goodwill Credit", "Merchant Issued Refund",
                          "Payout Refund"})  # fmt: skip


@dataclass
class Telling:
    """A loan as far as it has been told. `made` names each of our events by the other system's word for it."""

    given: Told
    terms: Terms
    starts_on: date
    history: list[Event] = field(default_factory=list)
    made: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[Told] = field(default_factory=list)  # charged before there was money

    def runs(self) -> bool:
        """Whether money was drawn."""
        return any(isinstance(event, events.Disbursed) for event in replay.in_force(self.history))

    def step(self, on: date) -> Step:
        return replay.replay(self.terms, self.history, on)

    def loan(self, on: date) -> state.Loan:
        return self.step(on).loan

    def paid_by(self, source: str) -> dict[str, int]:
        """What one payment went to, by balance."""
        event = next(event for event in self.history if event.source == source)
        before = [past for past in replay.in_force(self.history) if past.order < event.order]
        loan = replay.replay(self.terms, before, event.effective_on).loan
        moved = apply.apply(loan, event, before).movements
        return {move.balance: -move.amount_minor for move in moved if move.kind == "allocated"}

    def expected_rows(self, on: date) -> list[quote.Row]:
        """Before any money: what would be paid if it came as agreed, or, until the loan was approved, as asked for."""
        known = on >= date.fromisoformat(self.given.get("approved_on") or on.isoformat())
        start = self.starts_on if known else date.fromisoformat(self.given["submitted_on"])
        return list(quote.projection(self.terms, start).rows)

    def source(self) -> str:
        """The key of the next event: they count in the order in which they are told."""
        return f"e{len(self.history):04d}"

    def add(self, name: str, event: Event) -> None:
        if not self.history:
            self.history.append(events.Approved(effective_on=event.effective_on, source="approved"))
        self.history.append(event)
        self.made.append((name, event.source))

    def find(self, name: str, nth: int | str, on: date | None = None) -> str:
        """The source of the nth event of that name (of one day, where it is told), undone ones counted too; or of the
        last that was not undone."""
        days = {event.source: event.effective_on for event in self.history}
        names = TRANSACTIONS if name == "Any" else {name}
        found = [key for known, key in self.made if known in names and on in (None, days[key])]
        if nth == "last":
            undone = {event.undoes for event in self.history if isinstance(event, replay.Undoing)}
            found = [key for key in found if key not in undone]
        index = len(found) - 1 if nth == "last" else int(nth) - 1
        if name == "Any":
            index = min(index, len(found) - 1)
        if not 0 <= index < len(found):
            raise Unsupported(f"undoing the {name} number {nth}, of which there are {len(found)}")
        return found[index]
