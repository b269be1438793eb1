"""A loan as plain JSON, from which the fold goes on, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from usance.core import values
from usance.core.loan.state import Accrued, Ahead, Bill, Dated, Loan
from usance.core.loan.terms import Terms
from usance.core.rates import Period, Rate
from usance.core.values import encode, ratio_text

SCHEMA_VERSION = 3
DAYS = ("at", "disbursed_on", "matured_on", "closed_on", "moved_to", "charged_off_on", "withdrawn_on", "non_accrual_on")


def to_json(loan: Loan) -> dict[str, Any]:
    """The whole state except the terms, as plain JSON."""
    plain = dict(zip(loan._fields, loan, strict=True))
    del plain["terms"]
    for name, written in WRITTEN.items():
        item = plain[name]
        if item is not None:
            plain[name] = written(item)
    plain["balances"], plain["fees_at_start"] = dict(loan.balances), dict(loan.fees_at_start)
    plain["incomes"] = dict(loan.incomes)
    return {"version": SCHEMA_VERSION, **plain}


def _accrued(accrued: Accrued) -> list[Any]:
    return [ratio_text(accrued.exact), accrued.posted]


def _bill(bill: Bill) -> list[Any]:
    number, starts_on, due_on, due, paid, relieved, *rest = bill
    return [number, _day(starts_on), _day(due_on), dict(due), dict(paid), dict(relieved), *rest]


_day = date.isoformat
# what is no JSON as it is; a close writes these by the million
WRITTEN: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(DAYS, _day),
    "rate": encode,
    "rate_changes": lambda steps: [[_day(on), encode(rate)] for on, rate in steps],
    "interest": _accrued,
    "penalty": _accrued,
    "period": lambda period: [
        _day(period.starts_on),
        _day(period.ends_on),
        period.every if isinstance(period.every, int) else ratio_text(period.every),
        period.unit,
    ],  # fmt: skip
    "due_dates": lambda days: [_day(day) for day in days],
    "ahead": lambda parts: [[dict(one.paid), dict(one.relieved), one.reserved_minor] for one in parts],
    "planned": list,
    "planned_so_far": lambda part: [_day(part[0]), ratio_text(part[1])],
    "levels": list,
    "drawn_later": lambda parts: [[_day(on), amount] for on, amount in parts],
    "dated": lambda items: [[_day(item.due_on), item.balance, item.amount_minor] for item in items],
    "even_factor": ratio_text,
    "dropped": ratio_text,
    "deferred": ratio_text,
    "bills": lambda bills: [_bill(bill) for bill in bills],
    "pauses": lambda pauses: [[_day(since), _day(until)] for since, until in pauses],
    "pace": list,
    "last_order": lambda order: [_day(order[0]), *order[1:]],
}


def from_json(data: Mapping[str, Any], terms: Terms) -> Loan:
    """The loan of a checkpoint. Raises values.UnreadableValue for another version: refold from the events then."""
    if data.get("version") != SCHEMA_VERSION:
        raise values.UnreadableValue(f"loan of schema version {data.get('version')!r}")
    day, rate = date.fromisoformat, _rate_from_json
    period, order = data["period"], data["last_order"]
    fields = {name: item for name, item in data.items() if name != "version"}
    for name in DAYS:
        fields[name] = day(fields[name]) if fields.get(name) else None
    return Loan(
        **fields
        | {
            "terms": terms,
            "rate": rate(data["rate"]),
            "rate_changes": tuple((day(on), rate(item)) for on, item in data["rate_changes"]),
            "interest": Accrued(Fraction(data["interest"][0]), data["interest"][1]),
            "penalty": Accrued(Fraction(data["penalty"][0]), data["penalty"][1]),
            "even_factor": Fraction(data["even_factor"]) if data.get("even_factor") else None,
            "dropped": Fraction(data.get("dropped", "0")),
            "deferred": Fraction(data.get("deferred", "0")),
            "period": Period(day(period[0]), day(period[1]), _length(period[2]), period[3]) if period else None,
            "due_dates": tuple(map(day, data["due_dates"])),
            "ahead": tuple(Ahead(*parts) for parts in data.get("ahead", ())),
            "pauses": tuple((day(since), day(until)) for since, until in data.get("pauses", ())),
            "pace": (data["pace"][0], data["pace"][1]) if data.get("pace") else None,
            "planned": tuple(data.get("planned", ())),
            "planned_so_far": _so_far(data.get("planned_so_far")),
            "levels": tuple(data.get("levels", ())),
            "drawn_later": tuple((day(on), amount) for on, amount in data.get("drawn_later", ())),
            "dated": tuple(Dated(day(on), key, amount) for on, key, amount in data.get("dated", ())),
            "bills": tuple(Bill(n, day(start), day(due_on), *rest) for n, start, due_on, *rest in data["bills"]),
            "last_order": (day(order[0]), order[1], order[2]) if order else None,
        }
    )


def _rate_from_json(data: Mapping[str, str]) -> Rate:
    return Rate(Fraction(data["share"]), data["per"])


def _so_far(part: list[str] | None) -> tuple[date, Fraction] | None:
    return (date.fromisoformat(part[0]), Fraction(part[1])) if part else None


def _length(told: int | str) -> int | Fraction:
    return told if isinstance(told, int) else Fraction(told)
