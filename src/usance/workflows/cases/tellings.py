"""What happened, as another system tells it, told to our engine: one small function for each of its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from usance.core.loan import events, quote, replay, state
from usance.core.loan.events import Event
from usance.core.loan.terms import Terms
from usance.workflows.cases import schedules
from usance.workflows.cases.verdicts import Unsupported

Told = Mapping[str, Any]


@dataclass
class Telling:
    """A loan as far as it has been told. `made` names each of our events by the other system's word for it."""

    given: Told
    terms: Terms
    starts_on: date
    history: list[Event] = field(default_factory=list)
    made: list[tuple[str, str]] = field(default_factory=list)

    def loan(self, on: date) -> state.Loan:
        return replay.replay(self.terms, self.history, on).loan

    def expected_rows(self) -> list[quote.Row]:
        """Before any money: what would be paid if it came as agreed."""
        return list(quote.projection(self.terms, self.starts_on).rows)

    def source(self) -> str:
        """The key of the next event: they count in the order in which they are told."""
        return f"e{len(self.history):04d}"

    def add(self, name: str, event: Event) -> None:
        if not self.history:
            self.history.append(events.Approved(effective_on=event.effective_on, source="approved"))
        self.history.append(event)
        self.made.append((name, event.source))

    def find(self, name: str, nth: int | str) -> str:
        """The source of the nth event (or the last) of that name that was not undone."""
        undone = {event.undoes for event in self.history if isinstance(event, replay.Undoing)}
        found = [source for known, source in self.made if known == name and source not in undone]
        index = -1 if nth == "last" else int(nth) - 1
        if not -len(found) <= index < len(found):
            raise Unsupported(f"undoing the {name} number {nth}, of which there are {len(found)}")
        return found[index]


def begun(given: Told, told: Sequence[Told]) -> Telling:
    """Before its first event. Charges of each instalment that are added later belong to what was agreed."""
    added = [item for item in told if item["type"] in ("fee", "penalty") and item.get("charge_time") == "INSTALLMENT"]
    charges = [*given.get("loan_charges", ()), *(schedules.instalment_charge(item) for item in added)]
    start = given.get("expected_disbursement_date") or given.get("disbursed_on") or given["submitted_on"]
    return Telling(given, schedules.terms_of({**given, "loan_charges": charges}), date.fromisoformat(start))


def tell(telling: Telling, item: Told) -> None:
    """Raises Unsupported."""
    if item["type"] in CLOCK:
        return
    if item["type"] not in EVENTS:
        raise Unsupported(f"the event {item['type']}")
    EVENTS[item["type"]](telling, item)


# what only moves the other system's clock: ours is told the day with each look
CLOCK = frozenset({"set_business_date", "close_of_business_for_loan"})


def _on(item: Told, name: str = "date") -> date:
    return date.fromisoformat(item[name])


# --- money -------------------------------------------------------------------------------------------------------


def _disbursement(telling: Telling, item: Told) -> None:
    """Where a down payment is taken from the money itself, it is paid at once."""
    on, amount = _on(item), telling.terms.currency.minor(item["amount"])
    telling.add("Disbursement", events.Disbursed(effective_on=on, source=telling.source(), amount_minor=amount))
    if (telling.given.get("down_payment") or {}).get("auto_repayment"):
        due = next((bill.due for bill in telling.loan(on).bills if bill.starts_on == bill.due_on == on), {})
        if due:
            _pay(telling, "Down Payment", on, sum(due.values()))


def _repayment(telling: Telling, item: Told) -> None:
    on = _on(item)
    if item["amount"] == "PAY_OFF_AMOUNT":
        amount = quote.payoff(telling.loan(on), on).total_minor
    else:
        amount = telling.terms.currency.minor(item["amount"])
    _pay(telling, "Repayment", on, amount)


def _pay(telling: Telling, name: str, on: date, amount: int) -> None:
    telling.add(name, events.PaymentReceived(effective_on=on, source=telling.source(), amount_minor=amount))


def _refund_to_borrower(telling: Telling, item: Told) -> None:
    amount = telling.terms.currency.minor(item["amount"])
    event = events.Refunded(effective_on=_on(item), source=telling.source(), amount_minor=amount)
    telling.add("Credit Balance Refund", event)


# --- charges -----------------------------------------------------------------------------------------------------


def _fee(telling: Telling, item: Told) -> None:
    if item.get("charge_time") == "INSTALLMENT":
        return  # agreed from the beginning
    common = _charge(telling, item)
    telling.add("Fee", events.FeeAdded(fee_kind="added", **common))


def _penalty(telling: Telling, item: Told) -> None:
    telling.add("Penalty", events.PenaltyAdded(**_charge(telling, item)))


def _charge(telling: Telling, item: Told) -> dict[str, Any]:
    if item["calculation"] != "FLAT" or "due" not in item:
        raise Unsupported(f"a charge {item.get('charge_time', 'on a day')} {item['calculation']}")
    return {
        "effective_on": _on(item, "added_on"),
        "source": telling.source(),
        "amount_minor": telling.terms.currency.minor(item["amount"]),
        "due_on": _on(item, "due"),
    }


# --- undoing -----------------------------------------------------------------------------------------------------


def _undo_transaction(telling: Telling, item: Told) -> None:
    name = item["of_type"].title()
    _undo(telling, _on(item), telling.find(name, item["nth"]))


def _undo(telling: Telling, on: date, source: str) -> None:
    telling.add("Undo", events.Reversed(effective_on=on, source=telling.source(), undoes=source))


def _undo_last_disbursal(telling: Telling, item: Told) -> None:
    _undo(telling, _on(item), telling.find("Disbursement", "last"))


def _undo_disbursal(telling: Telling, item: Told) -> None:
    """All that happened since is undone with it."""
    undone = {event.undoes for event in telling.history if isinstance(event, replay.Undoing)}
    for name, source in list(telling.made):
        if source not in undone and name != "Undo":
            _undo(telling, _on(item), source)


EVENTS: dict[str, Callable[[Telling, Told], None]] = {
    "disbursement": _disbursement,
    "repayment": _repayment,
    "credit_balance_refund": _refund_to_borrower,
    "fee": _fee,
    "penalty": _penalty,
    "undo_transaction": _undo_transaction,
    "undo_last_disbursal": _undo_last_disbursal,
    "undo_disbursal": _undo_disbursal,
}
