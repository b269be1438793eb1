"""What each released name gives, pinned. A line here is never edited; a new meaning gets a new name and a new line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

from usance.core import apr, calendar, day_counts, money, rates
from usance.core.calendar import WorkCalendar
from usance.core.loan import allocate, apply, charges, plan, quote, recognition, reshape
from usance.core.loan.terms import NAMES, DownPayment, Fee, Grace, Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Period, Rate

A, B = date(2023, 12, 15), date(2024, 3, 31)
ROUNDED = {  # of 2.5, 3.5, -2.5, 2.4, -2.6
    "down": [2, 3, -2, 2, -2],
    "up": [3, 4, -3, 3, -3],
    "half_up": [3, 4, -3, 2, -3],
    "half_even": [2, 4, -2, 2, -3],
}
STEPPED = {  # 31 January 2024 + 1, + 2, + 3
    "days": [date(2024, 2, 1), date(2024, 2, 2), date(2024, 2, 3)],
    "weeks": [date(2024, 2, 7), date(2024, 2, 14), date(2024, 2, 21)],
    "half_months": [date(2024, 2, 16), date(2024, 2, 29), date(2024, 3, 16)],
    "months": [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)],
    "years": [date(2025, 1, 31), date(2026, 1, 31), date(2027, 1, 31)],
}
ROLLED = {  # Saturday 31 August 2024, with weekends off and Monday 2 September a holiday
    "keep": date(2024, 8, 31),
    "next": date(2024, 9, 3),
    "previous": date(2024, 8, 30),
    "next_in_month": date(2024, 8, 30),
    "previous_in_month": date(2024, 8, 30),
}
COUNTED = {  # 15 December 2023 to 31 March 2024
    "actual/365": Fraction(107, 365),
    "actual/360": Fraction(107, 360),
    "actual/364": Fraction(107, 364),
    "actual/actual": Fraction(17, 365) + Fraction(90, 366),
    "actual/actual_by_morning": Fraction(16, 365) + Fraction(91, 366),
    "no_leap/365": Fraction(106, 365),
    "30/360": Fraction(105, 360),
    "30/360_bond": Fraction(106, 360),
    "30/360_us": Fraction(106, 360),
    "30/360_psa": Fraction(106, 360),
}
EARNED = {  # 12 % a year, 1 to 11 February in a month's period of 29 days
    "actual/365": Fraction("0.12") * 10 / 365,
    "actual/360": Fraction("0.12") * 10 / 360,
    "actual/364": Fraction("0.12") * 10 / 364,
    "actual/actual": Fraction("0.12") * 10 / 366,
    "actual/actual_by_morning": Fraction("0.12") * 10 / 366,
    "actual/leap_day_period": Fraction("0.12") * 10 / 366,
    "no_leap/365": Fraction("0.12") * 10 / 365,
    "30/360": Fraction("0.01") * 10 / 29,
    "30/360_bond": Fraction("0.01") * 10 / 29,
    "30/360_us": Fraction("0.01") * 10 / 29,
    "30/360_psa": Fraction("0.01") * 10 / 29,
    "months_of_30/360": Fraction("0.01") * 10 / 29,
    "months_of_30/364": Fraction("0.0098901098901098901") * 10 / 29,
    "months_of_30/365": Fraction("0.0098630136986301370") * 10 / 29,
    "same_as_period": Fraction("0.01") * 10 / 29,
}
FEBRUARIES = {  # the end of February 2023 to that of 2024, in 360ths
    "30/360": 361,
    "30/360_bond": 361,
    "30/360_us": 360,
    "30/360_psa": 359,
}
APR_TIMED = {  # 31 January to 31 December 2024
    "days/365": Fraction(335, 365),
    "months/12": Fraction(11, 12),
    "months_back/12": Fraction(11, 12),
}


def test_law_08_released_conventions_keep_their_meaning() -> None:
    halves = [Fraction(5, 2), Fraction(7, 2), Fraction(-5, 2), Fraction(12, 5), Fraction(-13, 5)]
    assert {name: [money.rounded(x, name) for x in halves] for name in money.ROUNDINGS} == ROUNDED
    anchor = date(2024, 1, 31)
    assert {name: [step(anchor, k) for k in (1, 2, 3)] for name, step in calendar.STEPS.items()} == STEPPED
    weekend = WorkCalendar(days_off=(5, 6), holidays=frozenset({date(2024, 9, 2)}))
    assert {name: roll(date(2024, 8, 31), weekend) for name, roll in calendar.ROLLS.items()} == ROLLED
    assert {name: count(A, B) for name, count in day_counts.DAY_COUNTS.items()} == COUNTED
    leap = (date(2023, 2, 28), date(2024, 2, 29))
    assert {name: day_counts.DAY_COUNTS[name](*leap) * 360 for name in FEBRUARIES} == FEBRUARIES
    february = Period(date(2024, 2, 1), date(2024, 3, 1), 1, "months")
    year, day = Rate(Fraction("0.12"), "year"), Rate(Fraction("0.01"), "day")
    spans = (february.starts_on, date(2024, 2, 11), february)
    assert {name: earned(year, *spans) for name, earned in rates.ACCRUALS.items()} == EARNED
    assert {earned(day, *spans) for earned in rates.ACCRUALS.values()} == {Fraction("0.1")}
    assert {name: time(date(2024, 1, 31), date(2024, 12, 31)) for name, time in apr.APR_TIMES.items()} == APR_TIMED


def _terms(**more: object) -> Terms:
    return Terms(
        currency=Currency("EUR", 2),
        principal_minor=100_000,
        plan=Plan(kind="equal_instalments", count=7, every=1, unit="months"),
        rates=(RateStep(from_day=0, rate=Rate(Fraction(0), "year")),),
        **more,  # type: ignore[arg-type]
    )


LEVELLED = {  # 1,000.00 in 7 parts of a multiple of 5.00
    "none": 14500,
    "even_last": 14500,
}
SPREAD = {  # the same in cents: 142.86 x 6 leaves 142.84
    "none": 14286,
    "even_last": 14286,
}


KINDS_LEVELLED = {  # the same, at 1 % a period
    "equal_instalments": 14863,
    "equal_principal": 14286,
    "interest_only": 0,
}


def test_every_name_in_the_terms_has_one_function_and_levels_are_pinned() -> None:
    zero = [plan.Rung(number, Fraction(0), Fraction(0)) for number in range(1, 8)]
    earning = [rung._replace(earns=Fraction("0.01"), counts=Fraction("0.01")) for rung in zero]
    owed = plan.Owed(Fraction(100_000), Fraction(100_000))
    assert {
        name: plan.level(_terms(levelling=name, level_multiple_minor=500), owed, zero) for name in plan.LEVELLINGS
    } == LEVELLED
    assert {name: plan.level(_terms(levelling=name), owed, zero) for name in plan.LEVELLINGS} == SPREAD
    assert {
        kind: plan.level(replace(_terms(), plan=replace(_terms().plan, kind=kind)), owed, earning)
        for kind in KINDS_LEVELLED
    } == KINDS_LEVELLED
    tables = {
        "plan": plan.KINDS,
        "residue": charges.RESIDUES,
        "unit": calendar.STEPS,
        "day_count": rates.ACCRUALS,
        "rounding": money.ROUNDINGS,
        "roll": calendar.ROLLS,
        "interest_base": charges.INTEREST_BASES,
        "interest_rests": allocate.RESTS,
        "levelling": plan.LEVELLINGS,
        "late_start": plan.LATE_STARTS,
        "after_maturity": charges.AFTER_MATURITY,
        "early_payment": allocate.EARLY_PAYMENTS | allocate.TURNS,
        "waterfall": allocate.WATERFALLS,
        "fee_of": charges.FEE_BASES,
        "penalty": charges.PENALTY_BASES,
        "credit": apply.CREDITS,
        "charge_off": reshape.CHARGE_OFFS,
        "non_accrual_until": recognition.LASTS,
        "respread": reshape.RESPREADS,
        "extend_from": apply.EXTEND_FROM,
    }
    for vocabulary, table in tables.items():
        assert frozenset(table) == NAMES[vocabulary], vocabulary
    assert frozenset(plan.LEVELS) == NAMES["interest_base"]
    assert frozenset(plan.LEVEL_PARTS) == NAMES["plan"]


# --- whole schedules: 1,000.00 at 12 % a year in three months from 1 January 2026, true days of 365 -----------------
# each instalment as (principal, interest), and what else is asked

LIVED_BY_KIND = {
    "equal_instalments": [(32974, 1019), (33376, 617), (33650, 343)],
    "equal_principal": [(33333, 1019), (33333, 614), (33334, 340)],
    "interest_only": [(0, 1019), (0, 921), (100000, 1019)],
}
LIVED_BY_BASE = {  # after a down payment of a quarter
    "actual_balance": [(25000, 0), (24731, 764), (25032, 463), (25237, 257)],
    "undue_balance": [(25000, 0), (24731, 764), (25032, 463), (25237, 257)],
    "scheduled_balance": [(25000, 0), (24731, 764), (25032, 463), (25237, 257)],
    "financed_principal": [(25000, 0), (24976, 764), (25049, 691), (24975, 764)],
    "original_principal": [(25000, 0), (24967, 1019), (25065, 921), (24968, 1019)],
}
LIVED_BY_SPREAD = {  # flat
    "as_earned": [(33301, 1019), (33399, 921), (33300, 1019)],
    "evenly": [(33334, 986), (33333, 987), (33333, 986)],
}
LIVED_BY_RESIDUE = {  # 100.40 at 1 % a month, interest only: 1.004 each
    "carry": [(0, 100), (0, 101), (10040, 100)],
    "drop_when_due": [(0, 100), (0, 100), (10040, 100)],
    "drop_when_paid": [(0, 100), (0, 100), (10040, 100)],
    "collect_at_end": [(0, 100), (0, 100), (10040, 101)],
}
LIVED_BY_GRACE = {
    "principal": [(0, 1019), (49795, 921), (50205, 511)],
    "interest": [(33650, 0), (32020, 1630), (34330, 350)],
    "interest_free": [(33650, 0), (33039, 611), (33311, 339)],
}
FEES_BY_BASE = {  # a tenth
    "original_principal": [10000, 10000, 10000],
    "outstanding_principal": [10000, 6703, 3365],
    "past_due_total": [0, 0, 0],
    "instalment_principal": [3297, 3338, 3365],
    "instalment_interest": [102, 62, 34],
    "instalment_total": [3399, 3399, 3399],
}


def _rows(**more: object) -> list[quote.Row]:
    base = replace(
        _terms(levelling="none", day_count="actual/365"),
        plan=Plan(kind="equal_instalments", count=3, every=1, unit="months"),
        rates=(RateStep(from_day=0, rate=Rate(Fraction("0.12"), "year")),),
    )
    return list(quote.projection(replace(base, **more), date(2026, 1, 1)).rows)  # type: ignore[arg-type]


def _pairs(**more: object) -> list[tuple[int, int]]:
    return [(row.amounts.get("principal", 0), row.amounts.get("interest", 0)) for row in _rows(**more)]


def _plan(kind: str) -> Plan:
    return Plan(kind=kind, count=3, every=1, unit="months")


def test_whole_schedules_of_each_name_are_pinned() -> None:
    quarter = DownPayment(share=Fraction("0.25"))
    small = {"principal_minor": 10_040, "plan": _plan("interest_only"), "day_count": "same_as_period"}
    assert {kind: _pairs(plan=_plan(kind)) for kind in LIVED_BY_KIND} == LIVED_BY_KIND
    owed = {"scheduled_balance": {"early_payment": "in_turn", "early_interest": "owed"}}
    assert {
        name: _pairs(interest_base=name, down_payment=quarter, **owed.get(name, {})) for name in NAMES["interest_base"]
    } == LIVED_BY_BASE
    assert {
        name: _pairs(interest_spread=name, interest_base="original_principal") for name in NAMES["interest_spread"]
    } == LIVED_BY_SPREAD
    assert {name: _pairs(residue=name, **small) for name in NAMES["residue"]} == LIVED_BY_RESIDUE
    assert {name: _pairs(grace=Grace(**{name: 1})) for name in LIVED_BY_GRACE} == LIVED_BY_GRACE
    tenths = {
        name: [row.amounts.get("fee:x", 0) for row in _rows(
            fees=(Fee(kind="x", when="per_instalment", share=Fraction("0.1"), of=name),))]
        for name in NAMES["fee_of"]
    }  # fmt: skip
    assert tenths == FEES_BY_BASE
