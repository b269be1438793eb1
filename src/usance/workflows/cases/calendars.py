"""Day counts, rolled dates, and the days on which an unpaid loan changes its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from usance.apps.institutions import country_rules
from usance.core import calendar, classes, day_counts, money
from usance.core.calendar import WorkCalendar
from usance.core.loan import close, events, replay, state
from usance.core.loan.terms import Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.workflows.cases import arithmetic
from usance.workflows.cases.verdicts import Cell, Unsupported

WEEKENDS = WorkCalendar(days_off=(5, 6))
Case = Mapping[str, Any]


def _day(case: Case, name: str) -> date:
    return date.fromisoformat(case[name])


# --- day counts --------------------------------------------------------------------------------------------------


def _named(name: str) -> Callable[[date, date, Case], Fraction]:
    return lambda start, end, case: day_counts.DAY_COUNTS[name](start, end)


def _isda(start: date, end: date, case: Case) -> Fraction:
    return day_counts.thirty_360_isda(start, end, _day(case, "termination") if case.get("termination") else None)


def _icma(start: date, end: date, case: Case) -> Fraction:
    return day_counts.of_reference(start, end, _day(case, "ref_start"), _day(case, "ref_end"), int(case["frequency"]))


def _units(unit: str) -> Callable[[date, date, Case], Fraction]:
    return lambda start, end, case: day_counts.units_back(start, end, unit)


CONVENTIONS: dict[str, Callable[[date, date, Case], Fraction]] = {
    "30/360 BondBasis (ISDA 4.16(f))": _named("30/360_bond"),
    "30E/360 (Eurobond)": _named("30/360"),
    "30E/360 ISDA": _isda,
    "30/360 US (EOM)": _named("30/360_us"),
    "30/360 PSA": _named("30/360_psa"),
    "ACT/ACT ISDA": _named("actual/actual"),
    "ACT/ACT ICMA (ISMA)": _icma,
    "ACT/ACT AFB": lambda start, end, case: day_counts.whole_years_back(start, end),
    "ACT/360": _named("actual/360"),
    "ACT/364": _named("actual/364"),
    "ACT/365F": _named("actual/365"),
    "NL/365": _named("no_leap/365"),
    "EU 2008/48 interval (month)": _units("month"),
    "EU 2008/48 interval (week)": _units("week"),
    "EU 2008/48 interval (year)": _units("year"),
}
LEAST_PLACES = 10  # of a printed fraction of a year; its last digits may be filled up with zeros


def judge_count(case: Case) -> list[Cell]:
    """Days, or the fraction of a year: exactly where it is told exactly, else at the decimals that are told."""
    if case["convention"] not in CONVENTIONS:
        raise Unsupported(f"the day count {case['convention']}")
    found = CONVENTIONS[case["convention"]](_day(case, "start"), _day(case, "end"), case)
    expected = str(case["expected"])
    if case["result_kind"] == "days":
        return [Cell("days", expected, str(found * 360))]
    if "." not in expected:
        return [Cell("year_fraction", str(arithmetic.value(expected)), str(found))]
    places = max(LEAST_PLACES, len(expected.rstrip("0").partition(".")[2]))
    return [Cell("year_fraction", f"{Decimal(expected):.{places}f}", _text(found, places))]


def _text(value: Fraction, places: int) -> str:
    return f"{Decimal(money.rounded(value * 10**places, 'half_up')).scaleb(-places):f}"


# --- rolled dates ------------------------------------------------------------------------------------------------


def _rolled(name: str) -> Callable[[date, int], date]:
    return lambda on, months: calendar.ROLLS[name](on, WEEKENDS)


RULES: dict[str, Callable[[date, int], date]] = {
    "EOM.adjust": lambda on, months: calendar.month_end(on),
    "EOM.next": lambda on, months: calendar.month_end(calendar.add_months(on, months)),
    "anchored_month_roll (clamp, keep anchor day)": calendar.add_months,
    "business_day.NO_ADJUST (Sat/Sun)": _rolled("keep"),
    "business_day.FOLLOWING (Sat/Sun)": _rolled("next"),
    "business_day.MODIFIED_FOLLOWING (Sat/Sun)": _rolled("next_in_month"),
    "business_day.PRECEDING (Sat/Sun)": _rolled("previous"),
    "business_day.MODIFIED_PRECEDING (Sat/Sun)": _rolled("previous_in_month"),
}


def judge_roll(case: Case) -> list[Cell]:
    if case["rule"] not in RULES:
        raise Unsupported(f"the rule {case['rule']}")
    rolled = RULES[case["rule"]](_day(case, "input"), int(case.get("months", 0)))
    return [Cell("date", case["expected"], rolled.isoformat())]


# --- classes of the Reserve Bank of India ------------------------------------------------------------------------

CLASSES = {"overdue_SMA0": "sma_0", "SMA1": "sma_1", "SMA2": "sma_2", "NPA": "npa"}


def judge_classes(case: Case) -> list[Cell]:
    """The days at whose end a loan of one payment that never comes is first of each class."""
    loan, code = _unpaid(_day(case, "due")), ""
    scheme = next(classes.scheme_of(row["value"]) for row in country_rules.stated() if _is_indian_scheme(row))
    days: dict[str, date] = {}
    while len(days) < len(scheme.classes):
        next_morning = close.advance(loan, loan.at + calendar.ONE_DAY).loan
        code = classes.class_of(scheme, days_past_due=state.days_past_due(next_morning), before=code)
        days.setdefault(code, loan.at)
        loan = next_morning
    return [
        Cell(name, on, days[CLASSES[name]].isoformat() if name in CLASSES else "no such class")
        for name, on in case["expected"].items()
    ]


def _is_indian_scheme(row: Mapping[str, Any]) -> bool:
    return (row["country"], row["code"]) == ("IN", "loan_classes")


def _unpaid(due_on: date) -> state.Loan:
    """On the day before its due date."""
    start = due_on - timedelta(days=30)
    terms = Terms(
        currency=Currency("INR", 2),
        principal_minor=100_000,
        plan=Plan(kind="single_payment", every=30, unit="days"),
        rates=(RateStep(from_day=0, rate=Rate(Fraction(0), "year")),),
    )
    told: list[events.Event] = [
        events.Approved(effective_on=start, source="approved"),
        events.Disbursed(effective_on=start, source="disbursed", amount_minor=terms.principal_minor),
    ]
    return replay.replay(terms, told, due_on - calendar.ONE_DAY).loan
