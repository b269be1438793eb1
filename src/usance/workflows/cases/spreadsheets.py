"""Values of spreadsheets' financial functions, as their makers document them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from usance.core import money
from usance.core import present_value as pv
from usance.workflows.cases import arithmetic
from usance.workflows.cases.verdicts import Cell, Unsupported

# the flows of the documentation's example for XIRR, which its XNPV calls "the same"
SAME_FLOWS = [
    (date(2008, 1, 1), -10_000), (date(2008, 3, 1), 2_750), (date(2008, 10, 30), 4_250), (date(2009, 2, 15), 3_250),
    (date(2009, 4, 1), 2_750),
]  # fmt: skip
Args = Sequence[Fraction]


def judge(case: Mapping[str, Any]) -> list[Cell]:
    """The value at the stated decimals; of a schedule every number of every row."""
    if case["function"] == "schedule":
        return _schedule(case)
    name, _, times = case["function"].partition("*")
    args = case["args"].rpartition("*")[0] if times else case["args"]
    if name not in FUNCTIONS:
        raise Unsupported(f"the function {name}")
    found = FUNCTIONS[name](_args(name, args))
    if found is None:
        raise Unsupported("there is no such rate")
    return [Cell(name, str(Decimal(case["expected"])), _text(found * int(times or 1), case["dp"]))]


def _args(name: str, text: str) -> Args:
    inner = text.strip().strip("()[]")
    if name == "XNPV":
        rate, _, flows = inner.partition(",")
        if flows.strip() != "same flows":
            raise Unsupported(f"flows {flows!r}")
        return [arithmetic.value(rate)]
    return arithmetic.values(inner)


def _text(value: Fraction, places: int) -> str:
    text = f"{Decimal(money.rounded(value * 10**places, 'half_up')).scaleb(-places):f}"
    return text.removeprefix("-") if not value or not text.strip("-0.") else text


def _with_defaults(args: Args, count: int) -> tuple[Fraction, ...]:
    """Rate, numbers, values; and at the end future value and type, zero where they are left out."""
    return (*args, *[Fraction(0)] * (count - len(args)))


def _payment(args: Args) -> Fraction:
    rate, count, present, future, due = _with_defaults(args, 5)
    return pv.payment(rate, int(count), present, future, int(due))


def _part(part: Callable[..., Fraction], args: Args) -> Fraction:
    if len(args) == 5:  # the type is told by name, the future value is not
        args = [*args[:4], Fraction(0), args[4]]
    rate, number, count, present, future, due = _with_defaults(args, 6)
    return part(rate, int(number), int(count), present, future, int(due))


def _cumulated(part: Callable[..., Fraction], args: Args) -> Fraction:
    rate, count, present, first, last, due = args
    numbers = range(int(first), int(last) + 1)
    return sum((part(rate, k, int(count), present, Fraction(0), int(due)) for k in numbers), Fraction(0))


def _count(args: Args) -> Fraction:
    rate, each, present, future, due = _with_defaults(args, 5)
    return pv.count_of_payments(rate, each, present, future, int(due))


def _rate(args: Args) -> Fraction | None:
    count, each, present, future, due = _with_defaults(args, 5)
    return pv.rate_of_payments(int(count), each, present, future, int(due))


def _value(of: Callable[..., Fraction], args: Args) -> Fraction:
    rate, count, each, other, due = _with_defaults(args, 5)
    return of(rate, int(count), each, other, int(due))


FUNCTIONS: dict[str, Callable[[Args], Fraction | None]] = {
    "PMT": _payment,
    "IPMT": lambda args: _part(pv.interest_part, args),
    "PPMT": lambda args: _part(pv.principal_part, args),
    "CUMIPMT": lambda args: _cumulated(pv.interest_part, args),
    "CUMPRINC": lambda args: _cumulated(pv.principal_part, args),
    "NPER": _count,
    "RATE": _rate,
    "PV": lambda args: _value(pv.present_value, args),
    "FV": lambda args: _value(pv.future_value, args),
    "NOMINAL": lambda args: pv.nominal_rate(args[0], int(args[1])),
    "IRR": pv.internal_rate,
    "XNPV": lambda args: pv.worth_by_days(args[0], [(on, Fraction(amount)) for on, amount in SAME_FLOWS]),
}
SCHEDULE_ARGS = re.compile(r"([^,]+,[^,]+,[^(,]+)")


def _schedule(case: Mapping[str, Any]) -> list[Cell]:
    """Unrounded from row to row, shown in cents: principal, interest, what is left."""
    told = SCHEDULE_ARGS.match(case["args"])
    if not told:
        raise Unsupported(f"a schedule of {case['args']!r}")
    rate, count, present = arithmetic.values(told[1])
    each = pv.payment(rate, int(count), present)
    cells = []
    for number, *expected in case["expected"]:
        row = (
            pv.principal_part(rate, number, int(count), present),
            pv.interest_part(rate, number, int(count), present),
            -pv.future_value(rate, number, each, present),
        )
        for name, wanted, found in zip(("principal", "interest", "left"), expected, row, strict=True):
            cells.append(Cell(f"row {number} {name}", str(Decimal(wanted)), _text(found, 2)))
    return cells
