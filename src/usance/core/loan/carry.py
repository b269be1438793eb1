"""How a loan comes in from another system: the state that its figures there make of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from usance.core.loan import plan, state
from usance.core.loan.bills import new_bill, next_period
from usance.core.loan.book import Book
from usance.core.loan.events import Carried, Held, OldBill
from usance.core.loan.movements import CONTRA_RULES, DEFERRED, change
from usance.core.loan.records import Accrued, Bill
from usance.core.loan.state import Loan
from usance.core.rates import Period


def by_balance(amounts: Iterable[Held]) -> dict[str, int]:
    """Balance -> amount, zeros left out."""
    return {held.balance: held.amount_minor for held in amounts if held.amount_minor}


def as_it_stood(loan: Loan, said: Carried, book: Book) -> Loan:
    """The loan on the morning of its take-over, its old instalments billed, those to come on their dates. Interest
    counts from this morning on; what was earned before is in the balances."""
    on, terms = loan.at, loan.terms
    for key, amount in sorted(by_balance(said.balances).items()):
        if key in CONTRA_RULES:
            continue  # follows from what is owed, and how late it is
        loan = book.post(loan, change("taken_over", key, amount, on), "take_over", lambda: _explained(said))
    bills = _bills(said)
    billed_until = bills[-1].due_on if bills else said.disbursed_on
    agreed = plan.due_dates(terms, said.disbursed_on)
    dates = tuple(day for day in agreed if day >= on and day > billed_until)
    spans = plan.rate_spans(terms, said.disbursed_on)
    penalty = loan.balances.get("penalty", 0)
    settled = next((number for number, bill in enumerate(bills) if bill.remaining), len(bills))
    loan = loan._replace(
        status="active",
        disbursed_on=said.disbursed_on,
        disbursed_minor=terms.principal_minor,
        due_dates=dates,
        rate=plan.rate_on(spans, on),
        rate_changes=tuple(span for span in spans if span[0] > on),
        bills=bills,
        settled_count=settled,
        matured_on=None if dates else max(billed_until, agreed[-1]),
        charged_minor=said.charged_minor,
        penalty=Accrued(Fraction(penalty), penalty),
        deferred=Fraction(loan.balances.get(DEFERRED, 0)),
    )
    left = state.unbilled(loan)
    if bills and not left.get("principal") and not left.get("interest"):
        loan = loan._replace(due_dates=(), matured_on=billed_until)
    return loan._replace(period=_running_period(loan, said))


def _explained(said: Carried) -> tuple[str, dict[str, Any]]:
    """Formula and inputs of an opening balance, for an explanation."""
    return "as it stood in the other system", {"disbursed_on": said.disbursed_on}


def _bills(said: Carried) -> tuple[Bill, ...]:
    """When they were paid there, we do not know: nothing is noted as early or late."""
    bills: list[Bill] = []
    starts_on = said.disbursed_on
    for old in said.bills:
        bill = new_bill(bills, starts_on, old.due_on, by_balance(old.due))
        bills.append(bill._replace(paid=by_balance(old.paid)))
        starts_on = old.due_on
    return tuple(bills)


def _running_period(loan: Loan, said: Carried) -> Period:
    """The period that was running in the other system: from its last due date to our first; after the last due date one
    follows another as long as the plan's."""
    if loan.matured_on is not None:
        since = loan._replace(at=loan.matured_on)
        while (period := next_period(since)).ends_on <= loan.at:
            since = since._replace(at=period.ends_on)
        return period
    agreed = plan.due_dates(loan.terms, said.disbursed_on)
    before = [day for day in (said.disbursed_on, *agreed, *(bill.due_on for bill in loan.bills))
              if day < loan.due_dates[0] and day <= loan.at]  # fmt: skip
    return next_period(loan)._replace(starts_on=max(before))


def overdrawn(said: Carried) -> Iterator[tuple[str, int, int]]:
    """(balance, owed, asked for) where open instalments ask for more of a balance than is owed."""
    owed, asked = by_balance(said.balances), dict[str, int]()
    for bill in said.bills:
        for key, amount in _open(bill).items():
            asked[key] = asked.get(key, 0) + amount
    for key, amount in sorted(asked.items()):
        if amount > owed.get(key, 0):
            yield key, owed.get(key, 0), amount


def _open(bill: OldBill) -> dict[str, int]:
    paid = by_balance(bill.paid)
    return {key: amount - paid.get(key, 0) for key, amount in by_balance(bill.due).items()}


def contradiction(said: Carried, on: date) -> str:
    """What cannot be about the figures, in a few words; nothing when all is well."""
    amounts = [held.amount_minor for held in said.balances]
    for bill in said.bills:
        amounts += [held.amount_minor for held in (*bill.due, *bill.paid)]
        if min(_open(bill).values(), default=0) < 0 or not by_balance(bill.paid).keys() <= by_balance(bill.due).keys():
            return "an instalment was paid beyond what it asked for"
    days = [bill.due_on for bill in said.bills]
    if days != sorted(set(days)) or not said.disbursed_on <= min(days, default=on) <= max(days, default=on) <= on:
        return "old instalments are in order, after the money and not after the take-over"
    if min([said.level_minor, said.charged_minor, *amounts]) < 0:
        return "an amount is below zero"
    return ""
