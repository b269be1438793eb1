"""What the random histories are made of: every term and every event there is, each often enough. Who adds one to the
engine, and not to the reference and its histories, is told here."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.laws import histories
from tests.laws.test_reference import HALF
from usance.core.loan import events, terms, terms_parts
from usance.core.loan.terms import NAMES
from usance.core.refusals import Refusal

COUNTED = max(2 * HALF, 2_000)
LEAST = 0.01  # of the histories

# what a history cannot show, and why
NOT_LIVED = {
    "Currency.code": "says how amounts are written",
    "Currency.digits": "says how amounts are written",
    "Terms.apr_times": "is for the disclosed rate alone",
    "Terms.bill_days": "is for a paper that is told beforehand",
    "CoolingOff.days": "says what is admitted",
    "Extension.days_allowed": "says what is admitted",
    "Extension.max_count": "says what is admitted",
    "Drawdowns.parts": "says what the calculator expects",
    "Drawdowns.most": "says what is admitted",
    "Drawdowns.until_days": "says what is admitted",
    "Terms.income_share": "says what is admitted",
    "Part.after_days": "says what the calculator expects",
    "Part.share": "says what the calculator expects",
    "TermsCorrected.number": "orders corrections; law 2 compares several",
    "TermsCorrected.before": "is what was agreed",
}
AGREED = (terms.__name__, terms_parts.__name__)
WORDS = {"reason", "why"}  # what people say about an event; Credited.reason alone has an effect

# where the names of a vocabulary are said
SAID = {
    "plan": ("Plan.kind",),
    "unit": ("Plan.unit", "Respread.unit"),
    "day_count": ("Terms.day_count", "Terms.level_day_count"),
    "fee_when": ("Fee.when",),
    "fee_of": ("Fee.of",),
    "penalty": ("Penalty.rule",),
    "waterfall": ("Allocation.waterfall",),
    "component": ("Allocation.components first", "Allocation.due first", "Allocation.in_advance first"),
    "credit": ("Credited.reason", "Credit.reason"),
    "early_payment": ("Terms.early_payment", "Credit.early_payment"),
    "respread": ("Respread.interest",),
    "extend_from": ("Extension.extend_from",),
    "non_accrual_until": ("NonAccrual.until",),
    "owed_by": ("IncomeDeferred.owed_by", "IncomeTakenBack.owed_by"),
    "drawn_interest": ("Drawdowns.interest",),
    "drawn_repaid": ("Drawdowns.repaid",),
    "drawn_down_payment": ("Drawdowns.down_payment",),
}  # fmt: skip


def said(value: Any) -> Iterator[str]:
    """Every field of a value, and of the values in it, that says something else than its default; and each name."""
    kind = type(value).__name__
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if item != field.default:
            yield f"{kind}.{field.name}"
        if isinstance(item, str):
            yield f"{kind}.{field.name} {item}"
        parts = item if isinstance(item, tuple) else (item,)
        if parts and isinstance(parts[0], str):
            yield f"{kind}.{field.name} first {parts[0]}"
        for part in parts:
            if dataclasses.is_dataclass(part):
                yield from said(part)


@cache
def counted() -> Counter[str]:
    """In how many histories something was agreed, or happened and counted."""
    found: Counter[str] = Counter()
    for number in range(COUNTED):
        lived = histories.history(number)
        met = {"told one by one"} if lived.one_by_one else set()
        days = [event.effective_on for event in lived.told]
        met |= {"told late"} if days != sorted(days) else set()
        met |= set(said(lived.terms))
        undoing = [event for event in lived.told if isinstance(event, events.PaymentReturned | events.Reversed)]
        counting = [event for event in histories.in_force(lived.told) if event.effective_on <= lived.until]
        for event in (*undoing, *counting):
            met |= {event.kind, *said(event)}
        found.update(met)
    return found


def rare(expected: set[str]) -> list[str]:
    return sorted(f"{name}: in {counted()[name]}" for name in expected if counted()[name] < LEAST * COUNTED)


def test_every_kind_of_event_happens_and_many_are_told_late() -> None:
    assert not rare(set(events.KINDS) | {"told one by one"})
    assert counted()["told late"] > COUNTED / 3


def test_every_name_in_the_terms_is_lived() -> None:
    places = {vocabulary: SAID.get(vocabulary, (f"Terms.{vocabulary}",)) for vocabulary in NAMES}
    assert set(SAID) <= set(NAMES)
    names = {f"{place} {name}" for vocabulary in NAMES for place in places[vocabulary] for name in NAMES[vocabulary]}
    assert not rare(names)


def test_every_field_of_terms_and_events_is_lived() -> None:
    parts = [item for item in vars(terms).values() if isinstance(item, type) and item.__module__ in AGREED]
    agreed = [part for part in parts if dataclasses.is_dataclass(part) and not issubclass(part, Refusal)]
    kinds = [*agreed, *events.KINDS.values(), events.Held, events.OldBill, events.Carried]
    fields = {
        f"{kind.__name__}.{field.name}"
        for kind in kinds
        for field in dataclasses.fields(kind)
        if field.name not in WORDS or kind is events.Credited and field.name == "reason"
    }
    assert not rare(fields - set(NOT_LIVED))
    assert set(NOT_LIVED) - {"Currency.code", "Currency.digits"} <= fields
