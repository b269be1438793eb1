"""What happens to a loan, drawn at random for the slow reference: every kind of event, admissible or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.laws.random_terms import START, name, some_rate, some_terms
from usance.core.loan import events, plan
from usance.core.loan.events import Carried, Event, Held, OldBill
from usance.core.loan.terms import Terms

BALANCES = ("principal", "interest", "penalty", "fee:service", "tax:vat")


def held(**amounts: int) -> tuple[Held, ...]:
    return tuple(Held(balance=key.replace("__", ":"), amount_minor=amount) for key, amount in amounts.items())


# --- the beginning -----------------------------------------------------------------------------------------------


def beginning(chance: Random, terms: Terms) -> list[Event]:
    """An approval, and how the loan came to its money."""
    approved = events.Approved(effective_on=START, source="a")
    first = terms.principal_minor // 2 if terms.drawdowns else terms.principal_minor
    gave = events.Disbursed(effective_on=START, source="d", amount_minor=first)
    way = chance.random()
    if way < 0.05:
        return [approved, events.TakenOver(effective_on=START, source="d", standing=some_standing(chance, terms))]
    if way < 0.10:
        later = START + timedelta(days=chance.randint(0, 8))
        failed = events.DisbursementFailed(effective_on=START, source="f")
        return [approved, failed, events.Disbursed(effective_on=later, source="d", amount_minor=first)]
    if way < 0.12:
        return [approved, events.Cancelled(effective_on=START + timedelta(days=chance.randint(0, 5)), source="c")]
    return [approved, gave]


def some_standing(chance: Random, terms: Terms) -> Carried:
    """How a loan might stand in another system: instalments of the past, each paid in full, in part or not at all."""
    began, left = START - timedelta(days=chance.randint(1, 120)), terms.principal_minor
    bills, open_principal, open_interest = [], 0, 0
    for day in plan.due_dates(terms, began):
        if day > START or chance.random() < 0.1:
            break
        principal, interest = chance.randint(0, left), chance.randint(0, 900)
        paid_principal = chance.choice((principal, principal, chance.randint(0, principal), 0))
        paid_interest = chance.choice((interest, chance.randint(0, interest)))
        left, open_principal = left - principal, open_principal + principal - paid_principal
        open_interest += interest - paid_interest
        asked = held(principal=principal, interest=interest)
        paid = held(principal=paid_principal, interest=paid_interest)
        bills.append(OldBill(due_on=day, due=asked, paid=paid))
    return Carried(
        disbursed_on=began,
        balances=held(
            principal=left + open_principal, interest=open_interest + chance.choice((0, chance.randint(0, 900))),
            deferred=chance.choice((0, 0, 200)), penalty=chance.choice((0, 0, 70)),
            fee__service=chance.choice((0, 0, 30)),
        ),
        bills=tuple(bills),
        level_minor=chance.choice((0, chance.randint(1, terms.principal_minor))),
        charged_minor=chance.choice((0, chance.randint(0, 5000))),
    )  # fmt: skip


# --- what follows ------------------------------------------------------------------------------------------------


class Teller:
    """Draws the parts of events."""

    def __init__(self, chance: Random, terms: Terms, reach: int, began: date) -> None:
        self.chance, self.terms, self.reach, self.began = chance, terms, reach, began
        self.day = began

    def next_day(self) -> date:
        self.day = self.began + timedelta(days=self.chance.randint(0, self.reach))
        return self.day

    def near(self, first: int, last: int) -> date:
        return self.day + timedelta(days=self.chance.randint(first, last))

    def money(self) -> int:
        principal = self.terms.principal_minor
        return self.chance.choice(
            (self.chance.randint(1, principal), self.chance.randint(1, 2 * principal),
             self.chance.randint(1, max(1, principal // 3)))
        )  # fmt: skip

    def little(self) -> int:
        return self.chance.randint(1, 5000)


Drawn = dict[str, Any]


def _respread(told: Teller) -> Drawn:
    again: Drawn = {"interest": name(told.chance, "respread")}
    if told.chance.random() < 0.65:
        again |= {
            "start_on": told.near(0, 30), "count": told.chance.randint(1, 4), "every": told.chance.randint(1, 2),
            "unit": name(told.chance, "unit"),
        }  # fmt: skip
    return again


def _rescheduled(told: Teller) -> Drawn:
    more = {"more": told.chance.randint(1, 3)}
    moved = {"moved_from": told.near(0, 40), "moved_to": told.near(1, 60)}
    return told.chance.choice((more, moved, more | moved))


def _paused(told: Teller) -> Drawn:
    since = told.near(-5, 20)
    return {"since": since, "until": since + timedelta(days=told.chance.randint(1, 30))}


DRAWN: dict[type[Event], Callable[[Teller], Drawn]] = {
    events.PaymentReceived: lambda told: {"amount_minor": told.money()},
    events.Recovered: lambda told: {"amount_minor": told.money()},
    events.Refunded: lambda told: {"amount_minor": told.money() // told.chance.choice((1, 10)) + 1},
    events.Extended: lambda told: {"days": told.chance.choice((7, 14, 30))},
    events.Waived: lambda told: {
        "balance": told.chance.choice(BALANCES),
        "amount_minor": max(1, told.money() // told.chance.choice((2, 20, 200))),
    },
    events.FeeAdded: lambda told: {"fee_kind": "service", "amount_minor": told.little()},
    events.RateChanged: lambda told: {"rate": some_rate(told.chance)},
    events.Withdrawn: lambda told: {},
    events.PenaltyPaused: lambda told: {},
    events.PenaltyResumed: lambda told: {},
    events.InterestPaused: _paused,
    events.Charged: lambda told: {
        "balance": told.chance.choice(("penalty", "fee:service")), "amount_minor": told.little(),
        "due_on": told.near(-30, 40),
    },
    events.ChargedBack: lambda told: {
        "balance": told.chance.choice(BALANCES), "amount_minor": told.money(),
        "payment": told.chance.choice(("", f"e{told.chance.randint(0, 5):02d}")),
    },
    events.Credited: lambda told: {
        "amount_minor": told.money(), "reason": name(told.chance, "credit"), "interest_too": told.chance.random() < 0.5,
    },
    events.IncomeDeferred: lambda told: {
        "amount_minor": told.money() // told.chance.choice((1, 5, 50)) + 1, "owed_by": name(told.chance, "owed_by"),
    },
    events.IncomeTakenBack: lambda told: {
        "amount_minor": told.money() // told.chance.choice((5, 50)) + 1, "owed_by": name(told.chance, "owed_by"),
        "income": f"e{told.chance.randint(0, 5):02d}",
    },
    events.Rescheduled: _rescheduled,
    events.Respread: _respread,
    events.Terminated: lambda told: {},
    events.ChargedOff: lambda told: {},
    events.WrittenOff: lambda told: {},
    events.PutOnNonAccrual: lambda told: {},
    events.RestoredToAccrual: lambda told: {},
    events.Sold: lambda told: {
        "buyer": "buyer", "contact": "reached there", "price_minor": told.money(),
    },
    events.BuyerPaid: lambda told: {"amount_minor": told.money()},
    events.Forwarded: lambda told: {"amount_minor": told.money()},
    events.Disbursed: lambda told: {"amount_minor": told.money()},
    events.TakenOver: lambda told: {},
}  # fmt: skip
PAYMENTS = (events.PaymentReceived, events.Recovered)
OFTEN = {
    events.PaymentReceived: 12,
    events.Disbursed: 3,
    events.Extended: 2,
    events.Waived: 2,
    events.Charged: 2,
    events.Credited: 2,
    events.Respread: 3,
    events.IncomeDeferred: 2,
}
RARELY = {events.WrittenOff: 0.4, events.Sold: 0.5, events.Terminated: 0.5, events.TakenOver: 0.5}
KINDS = [kind for kind in DRAWN for _ in range(OFTEN.get(kind, 1))]
NEED_FREE_DATES = (events.Rescheduled, events.Respread)  # refused where interest is spread evenly


def some_events(chance: Random, begun: Sequence[Event], terms: Terms, reach: int) -> list[Event]:
    """In the order in which it is told, which is not that of the days; some of it is undone later."""
    told = Teller(chance, terms, reach, START)
    found = [event for at in range(chance.randint(0, 9)) if (event := _event(told, f"e{at:02d}"))]
    if chance.random() < 0.04:
        found.insert(chance.randint(0, len(found)), _correction(chance, terms))
    if any(isinstance(event, events.Cancelled) for event in begun):
        found = [event for event in found if isinstance(event, events.PaymentReceived | events.TakenOver)]
    for at, undone in enumerate(chance.sample(found, min(len(found), chance.choice((0, 0, 1, 2))))):
        kind = events.PaymentReturned if isinstance(undone, PAYMENTS) and chance.random() < 0.5 else events.Reversed
        undo = kind(effective_on=undone.effective_on + timedelta(days=chance.randint(0, 10)), source=f"u{at}",
                    undoes=undone.source)  # fmt: skip
        found.insert(chance.randint(found.index(undone) + 1, len(found)), undo)
    return found


def _event(told: Teller, source: str) -> Event | None:
    kind, day = told.chance.choice(KINDS), told.next_day()
    if told.chance.random() > RARELY.get(kind, 1):
        return None  # most loans live on
    if kind is events.Disbursed and told.terms.drawdowns is None and told.chance.random() < 0.7:
        return None
    if kind in NEED_FREE_DATES and told.terms.interest_spread == "evenly":
        return None
    return kind(effective_on=day, source=source, **DRAWN[kind](told))


def _correction(chance: Random, terms: Terms) -> Event:
    """Terms of the same amount that should have been agreed. Dates are free in both, or in none."""
    right = some_terms(chance, terms.principal_minor)
    while right.interest_spread != terms.interest_spread:
        right = some_terms(chance, terms.principal_minor)
    return events.TermsCorrected(effective_on=START, source="k", number=1, before=terms, after=right)
