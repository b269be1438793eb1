"""A loan's schedule and events out of their lines, and the history that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from usance.core.loan import events
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.workflows.import_portfolio.tables import Line

if TYPE_CHECKING:
    from usance.workflows.import_portfolio.loans import Comer

Told = tuple[events.Event, ...]


class Row(NamedTuple):
    """An instalment as the file lists it."""

    line: Line
    due_on: date
    due: Mapping[str, int]
    paid: Mapping[str, int]


def schedule(lines: Sequence[Line], currency: Currency) -> list[Row]:
    """The rows of one loan that can be read, by date."""
    rows = []
    for line in lines:
        due_on = line.day("due_on")
        amounts = {name: line.amount(name, currency) for name in line.cells if name not in ("loan", "due_on")}
        said = {name: amount for name, amount in amounts.items() if amount is not None}
        paid = {name.removeprefix("paid_"): amount for name, amount in said.items() if name.startswith("paid_")}
        due = {name: amount for name, amount in said.items() if not name.startswith("paid_")}
        if due_on is not None:
            rows.append(Row(line, due_on, due, paid))
    return sorted(rows, key=lambda row: row.due_on)


def tell(comer: Comer, given_on: date, rows: Sequence[Row], today: date) -> None:
    """The loan's history: as events, where it has any of the time before the take-over, else by its figures. What is
    wrong is told to the lines."""
    assert comer.terms is not None
    assert comer.as_of is not None
    said = _events(comer, today)
    past = [event for event in said if event.effective_on < comer.as_of]
    source = f"import:{comer.number}"
    approved = events.Approved(effective_on=given_on, source=source)
    if past or any(line.text("event").lower() == "none" for line in comer.events):
        given = events.Disbursed(
            effective_on=given_on, source=f"{source}:disbursed", amount_minor=comer.terms.principal_minor
        )
        over = events.TakenOver(effective_on=comer.as_of, source=f"{source}:over")
        listing = comer.terms.plan.kind == "listed"
        if listing and sum(comer.terms.plan.principals) != comer.terms.principal_minor:
            text = comer.terms.currency.text
            listed, owed = text(sum(comer.terms.plan.principals)), text(comer.terms.principal_minor)
            comer.line.wrong("", "schedule_sum", listed=listed, owed=owed)
        beginning = [approved, given]
    else:
        standing = _standing(comer, given_on, rows)
        if standing is None:
            return
        over = events.TakenOver(effective_on=comer.as_of, source=f"{source}:over", standing=standing)
        beginning = [approved]
    later = [event for event in said if event.effective_on >= comer.as_of]
    comer.told = (*beginning, *past, over, *later)


def _standing(comer: Comer, given_on: date, rows: Sequence[Row]) -> events.Carried | None:
    """How the loan stood by its balances and old instalments; None when that cannot be said."""
    line, terms = comer.line, comer.terms
    assert terms is not None
    assert comer.as_of is not None
    if "principal" not in comer.stated:
        line.wrong("principal", "no_past")
        return None
    old = [row for row in rows if row.due_on <= comer.as_of]
    for row in rows:
        if row.due_on > comer.as_of and any(row.paid.values()):
            row.line.wrong("", "paid_ahead")
    dates = [row.due_on for row in old]
    if dates != sorted(set(dates)) or min(dates, default=comer.as_of) < given_on:
        line.wrong("", "schedule_order")
        return None
    asked = sum(row.due.get("principal", 0) - row.paid.get("principal", 0) for row in old)
    coming = sum(row.due.get("principal", 0) for row in rows if row.due_on > comer.as_of)
    if terms.plan.kind == "listed" and coming != comer.stated["principal"] - asked:
        text = terms.currency.text
        line.wrong("", "schedule_sum", listed=text(coming), owed=text(comer.stated["principal"] - asked))
        return None
    return events.Carried(
        disbursed_on=given_on,
        balances=_held(comer.stated),
        bills=tuple(events.OldBill(due_on=row.due_on, due=_held(row.due), paid=_held(row.paid)) for row in old),
        level_minor=line.amount("instalment", terms.currency) or 0,
        charged_minor=line.amount("charged", terms.currency) or 0,
    )


def _held(amounts: Mapping[str, int]) -> tuple[events.Held, ...]:
    return tuple(events.Held(balance=key, amount_minor=amount) for key, amount in sorted(amounts.items()) if amount)


# --- events ------------------------------------------------------------------------------------------------------


def _amount(line: Line, currency: Currency) -> dict[str, Any]:
    amount = line.amount("amount", currency)
    if not amount:
        line.wrong("amount", "missing")
    return {"amount_minor": amount or 1}


def _rate(line: Line, currency: Currency) -> dict[str, Any]:
    share, per = line.share("rate"), line.choice("rate_per", ("day", "month", "year"))
    if share is None or not per:
        line.wrong("rate" if share is None else "rate_per", "missing")
        return {"rate": Rate(Fraction(0), "year")}
    return {"rate": Rate(share, per)}


def _balance(line: Line, currency: Currency) -> dict[str, Any]:
    if not line.text("balance"):
        line.wrong("balance", "missing")
    return {"balance": line.text("balance"), "reason": line.text("reason"), **_amount(line, currency)}


def _fee(line: Line, currency: Currency) -> dict[str, Any]:
    if not line.text("balance").startswith("fee:"):
        line.wrong("balance", "missing")
    return {"fee_kind": line.text("balance").removeprefix("fee:"), **_amount(line, currency)}


def _days(line: Line, currency: Currency) -> dict[str, Any]:
    days = line.count("days", 1, 3660)
    if days is None and not line.text("days"):
        line.wrong("days", "missing")
    return {"days": days or 1}


def _reason(line: Line, currency: Currency) -> dict[str, Any]:
    return {"reason": line.text("reason")}


def _undoes(line: Line, currency: Currency) -> dict[str, Any]:
    if not line.text("undoes"):
        line.wrong("undoes", "missing")
    source = f"import:{line.text('loan').upper()}:{line.text('undoes')}"
    return {"undoes": source, "reason": line.text("reason")}


def _nothing(line: Line, currency: Currency) -> dict[str, Any]:
    return {}


# word in the file -> the event, and what it needs besides date and id
EVENTS: Mapping[str, tuple[type[events.Event], Callable[[Line, Currency], dict[str, Any]]]] = {
    "payment": (events.PaymentReceived, _amount),
    "refund": (events.Refunded, _amount),
    "recovery": (events.Recovered, _amount),
    "fee": (events.FeeAdded, _fee),
    "waiver": (events.Waived, _balance),
    "rate": (events.RateChanged, _rate),
    "extension": (events.Extended, _days),
    "penalty_paused": (events.PenaltyPaused, _reason),
    "penalty_resumed": (events.PenaltyResumed, _nothing),
    "write_off": (events.WrittenOff, _reason),
    "return": (events.PaymentReturned, _undoes),
    "reversal": (events.Reversed, _undoes),
}
NONE = "none"  # a loan without any event, whose past is all the same to be computed from its first day


def _events(comer: Comer, today: date) -> list[events.Event]:
    """The loan's events, in the order of the file."""
    assert comer.terms is not None
    found: list[events.Event] = []
    for position, line in enumerate(comer.events, 1):
        on, word = line.day("on"), line.choice("event", (*EVENTS, NONE))
        if on is None or not word or word == NONE:
            continue
        if on > today:
            line.wrong("on", "not_yet", value=on.isoformat(), today=today.isoformat())
        source = f"import:{comer.number}:{line.text('id') or f'line{position:05d}'}"
        if len(source) > 160:
            line.wrong("id", "cell_too_long", most=100)
        if source in comer.by_source:
            line.wrong("id", "event_twice", value=line.text("id")[:40])
        kind, needs = EVENTS[word]
        more = needs(line, comer.terms.currency)
        undoes = more.get("undoes")
        if undoes and line.text("undoes") and undoes not in comer.by_source:
            line.wrong("undoes", "undoes_unknown", value=line.text("undoes")[:40])
        comer.by_source[source] = line
        found.append(kind(effective_on=on, source=source, **more))
    return found
