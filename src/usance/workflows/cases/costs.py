"""Annual percentage rates as regulators and spreadsheets state them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from usance.core import apr, money
from usance.core.apr import Counted, Flow, Timed
from usance.workflows.cases.verdicts import Cell, Unsupported

CENTS = 100
PER_YEAR = {"monthly": 12, "yearly": 1, "": 12}
SERIES = re.compile(r"(\d+) x ([\d.]+) ?(monthly|yearly|)")
LATER = re.compile(r"([\d.]+) after (\d+) days")
ROUNDING = re.compile(r"(\d+) dp, half-up")


def judge(case: Mapping[str, Any]) -> list[Cell]:
    """The rate in per cent, at the stated rounding."""
    stated = ROUNDING.match(case["rounding"])
    if not stated:
        raise Unsupported(f"rounding {case['rounding']!r}")
    return [Cell("percent", str(Decimal(case["expected_pct"])), _text(_rate(case) * 100, int(stated[1])))]


def _text(value: Fraction, places: int) -> str:
    return f"{Decimal(money.rounded(value * 10**places, 'half_up')).scaleb(-places):f}"


def _rate(case: Mapping[str, Any]) -> Fraction:
    method, given = case["method"], case["input"]
    try:
        if "appendix_j" in method:
            return apr.actuarial(list(_counted(given)), Fraction(given["unit_periods_per_year"]))
        if "kfs" in method or "nominal" in method:
            periods = [Counted(int(flow.after * 12), Fraction(0), flow.amount_minor) for flow in _timed(given)]
            return apr.actuarial(periods, Fraction(12))
        return apr.effective(list(_timed(given)))
    except apr.AprUndefined as why:
        raise Unsupported(str(why)) from why


def _minor(amount: Any) -> int:
    return money.rounded(Fraction(str(amount)) * CENTS, "half_even")


def _counted(given: Mapping[str, Any]) -> Iterator[Counted]:
    """In unit-periods: advances, then series of payments one unit-period apart."""
    for one in given["advances"]:
        yield Counted(int(one["t"]), Fraction(one["f"]), -_minor(one["amount"]))
    for series in given["payment_series"]:
        for k in range(series["count"]):
            yield Counted(series["first_t"] + k, Fraction(series["f"]), _minor(series["amount"]))


def _timed(given: Mapping[str, Any]) -> Iterator[Timed]:
    """In years: dates by days over 365, numbers as they are."""
    if "net_disbursed" in given:
        yield Timed(Fraction(0), -_minor(given["net_disbursed"]))
        yield from (Timed(Fraction(k, 12), _minor(given["epi"])) for k in range(1, given["n"] + 1))
    elif "repay" in given:
        later = LATER.match(given["repay"])
        if not later:
            raise Unsupported(f"repaid {given['repay']!r}")
        yield Timed(Fraction(0), -_minor(given["amount"]))
        yield Timed(Fraction(int(later[2]), 365), _minor(later[1]))
    elif "flows" in given:
        yield from _dated([(on, _minor(amount)) for on, amount in given["flows"]])
    elif "advances" in given and "payments" in given:
        yield from _advanced(given)
    else:
        raise Unsupported(f"payments told by {', '.join(sorted(given))}")


def _advanced(given: Mapping[str, Any]) -> Iterator[Timed]:
    advances = [(at, -_minor(amount)) for at, amount in given["advances"]]
    if isinstance(given["payments"], str):
        series = SERIES.match(given["payments"])
        if not series:
            raise Unsupported(f"payments {given['payments']!r}")
        payments = [(Fraction(k, PER_YEAR[series[3]]), _minor(series[2])) for k in range(1, int(series[1]) + 1)]
    else:
        payments = [(at, _minor(amount)) for at, amount in given["payments"]]
    flows = [*advances, *payments]
    if all(isinstance(at, str) for at, _ in flows):
        yield from _dated(flows)
    else:
        yield from (Timed(Fraction(str(at)), amount) for at, amount in flows)


def _dated(flows: list[tuple[str, int]]) -> Iterator[Timed]:
    days = [Flow(date.fromisoformat(on), amount) for on, amount in flows]
    start = min(flow.on for flow in days)
    yield from (Timed(apr.APR_TIMES["days/365"](start, flow.on), flow.amount_minor) for flow in days)
