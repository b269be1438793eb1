"""A loan as plain JSON, from which the fold goes on, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from usance.core import values
from usance.core.loan.records import Accrued, Ahead, Bill, Dated
from usance.core.loan.state import Loan
from usance.core.loan.terms import Terms
from usance.core.rates import Period, Rate
from usance.core.values import ratio, ratio_text

SCHEMA_VERSION = 5


def to_json(loan: Loan) -> dict[str, Any]:
    """The state except the terms, as plain JSON; what is as a new loan has it is left out."""
    plain: dict[str, Any] = {"version": SCHEMA_VERSION, "at": loan.at.isoformat()}
    for item, (name, usual, form) in zip(loan[LATER:], FIELDS, strict=True):
        if item is not usual and item != usual:
            plain[name] = item if form is None else form.written(item)
    return plain


def from_json(data: Mapping[str, Any], terms: Terms) -> Loan:
    """The loan of a checkpoint. Raises values.UnreadableValue for another version: refold from the events then."""
    if data.get("version") != SCHEMA_VERSION:
        raise values.UnreadableValue(f"loan of schema version {data.get('version')!r}")
    read: dict[str, Any] = {}
    for name, item in data.items():
        form = FORMS.get(name)
        read[name] = item if form is None or item is None else form.read(item)
    del read["version"]
    return Loan(terms=terms, **read)


# --- what is no JSON as it is: a close writes and reads these by the million --------------------------------------


class Form(NamedTuple):
    """How a field is written, and read again."""

    written: Callable[[Any], Any]
    read: Callable[[Any], Any]


_day, _date = date.isoformat, date.fromisoformat


def _accrued(accrued: Accrued) -> list[Any]:
    return [ratio_text(accrued.exact), accrued.posted]


def _bill(bill: Bill) -> list[Any]:
    number, starts_on, due_on, due, paid, relieved, *rest = bill
    return [number, _day(starts_on), _day(due_on), dict(due), dict(paid), dict(relieved), *rest]


def _bills(plain: list[Any]) -> tuple[Bill, ...]:
    return tuple(Bill(number, _date(start), _date(due_on), *rest) for number, start, due_on, *rest in plain)


def _period(period: Period) -> list[Any]:
    every = period.every if isinstance(period.every, int) else ratio_text(period.every)
    return [_day(period.starts_on), _day(period.ends_on), every, period.unit]


def _period_of(plain: list[Any]) -> Period:
    starts_on, ends_on, every, unit = plain
    return Period(_date(starts_on), _date(ends_on), every if isinstance(every, int) else ratio(every), unit)


def _rate_told(rate: Rate) -> dict[str, str]:
    return {"share": ratio_text(rate.share), "per": rate.per}


def _rate(plain: Mapping[str, str]) -> Rate:
    return Rate(ratio(plain["share"]), plain["per"])


DAY, RATIO, LIST = Form(_day, _date), Form(ratio_text, ratio), Form(list, tuple)
ACCRUED = Form(_accrued, lambda plain: Accrued(ratio(plain[0]), plain[1]))
DATES = Form(lambda days: [_day(day) for day in days], lambda plain: tuple(map(_date, plain)))
DAYS = ("at", "disbursed_on", "matured_on", "closed_on", "charged_off_on", "withdrawn_on", "non_accrual_on")
FORMS: dict[str, Form] = {
    **dict.fromkeys(DAYS, DAY),
    **dict.fromkeys(("balances", "fees_at_start", "incomes"), Form(dict, dict)),
    **dict.fromkeys(("even_factor", "dropped", "deferred"), RATIO),
    **dict.fromkeys(("planned", "levels", "pace"), LIST),
    **dict.fromkeys(("interest", "penalty"), ACCRUED),
    "rate": Form(_rate_told, _rate),
    "rate_changes": Form(
        lambda steps: [[_day(on), _rate_told(rate)] for on, rate in steps],
        lambda plain: tuple((_date(on), _rate(rate)) for on, rate in plain),
    ),
    "period": Form(_period, _period_of),
    "planned_so_far": Form(
        lambda part: [_day(part[0]), ratio_text(part[1])], lambda plain: (_date(plain[0]), ratio(plain[1]))
    ),
    **dict.fromkeys(("due_dates", "dropped_dates", "moved_to"), DATES),
    "ahead": Form(
        lambda parts: [[dict(one.paid), dict(one.relieved), one.reserved_minor] for one in parts],
        lambda plain: tuple(Ahead(*parts) for parts in plain),
    ),
    "drawn_later": Form(
        lambda parts: [[_day(on), amount] for on, amount in parts],
        lambda plain: tuple((_date(on), amount) for on, amount in plain),
    ),
    "dated": Form(
        lambda items: [[_day(item.due_on), item.balance, item.amount_minor] for item in items],
        lambda plain: tuple(Dated(_date(on), key, amount) for on, key, amount in plain),
    ),
    "bills": Form(lambda bills: [_bill(bill) for bill in bills], _bills),
    "pauses": Form(
        lambda pauses: [[_day(since), _day(until)] for since, until in pauses],
        lambda plain: tuple((_date(since), _date(until)) for since, until in plain),
    ),
    "last_order": Form(
        lambda order: [_day(order[0]), *order[1:]],
        lambda plain: (_date(plain[0]), plain[1], plain[2]),
    ),
}
# name, value on a new loan and form of each field after the terms and the day
LATER = 2
FIELDS = [(name, Loan._field_defaults[name], FORMS.get(name)) for name in Loan._fields[LATER:]]
