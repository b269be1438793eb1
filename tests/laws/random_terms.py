"""Terms drawn at random for the slow reference: every field and every name, each in one of a hundred loans or more."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import Any

from usance.core.calendar import WorkCalendar
from usance.core.loan.terms import (
    INSTALMENTS_STAY,
    NAMES,
    Allocation,
    CoolingOff,
    Credit,
    DownPayment,
    Drawdowns,
    Extension,
    Fee,
    Grace,
    NonAccrual,
    Part,
    Penalty,
    Plan,
    RateStep,
    Tax,
    Terms,
)
from usance.core.money import Currency
from usance.core.rates import Rate

START = date(2023, 12, 31)  # near a New Year, a leap day and short months
SMALLER = "next_then_smaller"  # not in every agreement
CURRENCIES = (Currency("VND", 0), Currency("UAH", 2), Currency("KWD", 3))
BY_NAME = {vocabulary: tuple(sorted(names)) for vocabulary, names in NAMES.items()}
LONGEST = {"days": 25, "weeks": 3, "half_months": 2, "months": 1, "years": 1}
RATES = {
    "day": Fraction(50),
    "month": Fraction(3),
    "year": Fraction(1, 2),
}  # 2 % a day, 33 % a month, 200 % a year at most


def name(chance: Random, vocabulary: str) -> str:
    return chance.choice(BY_NAME[vocabulary])


def share(chance: Random, most: int) -> Fraction:
    """Up to so many hundredths."""
    return Fraction(chance.randint(0, most * 100), 10_000)


def some_rate(chance: Random) -> Rate:
    per = chance.choice(("day", "month", "year", "year"))
    return Rate(share(chance, 100) / RATES[per], per)


def some_plan(chance: Random, principal: int) -> Plan:
    kind = chance.choice(("single_payment", "single_payment", "equal_instalments", *BY_NAME["plan"]))
    unit = chance.choice(("days", "days", "days", "weeks", "half_months", "months", "months", "months"))
    unit = "years" if chance.random() < 0.04 else unit
    every = chance.randint(1, LONGEST[unit])
    if kind == "single_payment":
        every = chance.randint(1, 45) if unit == "days" else every
        return Plan(kind=kind, every=every, unit=unit, **_length(chance))
    count = chance.randint(1, 4)
    if kind == "listed" or chance.random() < 0.05:
        days = sorted(chance.sample(range(1, 90), count))
        principals = (
            [principal // count] * count
            if chance.random() < 0.5
            else [chance.randint(0, 2 * principal // count) for _ in range(count)]
        )
        listed = tuple(principals) if kind == "listed" else ()
        dates = tuple(START + timedelta(days=day) for day in days)
        return Plan(kind=kind, count=count, every=every, unit=unit, dates=dates, principals=listed)
    return Plan(kind=kind, count=count, every=every, unit=unit, **_length(chance))


def _length(chance: Random) -> dict[str, Any]:
    """Sometimes the last date is another one."""
    if chance.random() < 0.9:
        return {}
    unit = chance.choice(BY_NAME["unit"])
    return {"length": chance.randint(1, 40 if unit == "days" else 3), "length_unit": unit}


def some_fees(chance: Random) -> tuple[Fee, ...]:
    found = [_fee(chance, "service", "on_request")]
    for when in BY_NAME["fee_when"]:
        if chance.random() < 0.15:
            found.append(_fee(chance, when, when))
    chance.shuffle(found)
    return tuple(found)


def _fee(chance: Random, kind: str, when: str) -> Fee:
    of = name(chance, "fee_of")
    if when != "per_instalment" and of.startswith("instalment"):
        of = "outstanding_principal"
    return Fee(
        kind=kind, when=when, flat_minor=chance.choice((0, chance.randint(0, 900))),
        share=chance.choice((Fraction(0), share(chance, 5))), of=of, after_days=chance.randint(0, 4),
    )  # fmt: skip


def some_taxes(chance: Random, owed: bool) -> tuple[Tax, ...]:
    if chance.random() < 0.7:
        return ()
    bases = ["penalty", "fee", "fee:service", *([] if owed else ["interest"])]
    kinds = ("vat",) if chance.random() < 0.7 else ("vat", "levy")
    return tuple(
        Tax(kind=kind, share=share(chance, 25), on=tuple(chance.sample(bases, chance.randint(1, len(bases)))))
        for kind in kinds
    )


def some_penalty(chance: Random) -> Penalty | None:
    if chance.random() < 0.1:
        return None
    rule = name(chance, "penalty")
    flat = rule == "flat_per_miss"
    return Penalty(
        rule=rule,
        share=Fraction(0) if flat else share(chance, 2),
        flat_minor=chance.randint(0, 900) if flat else 0,
        grace_days=chance.randint(0, 5),
        cap_share=chance.choice((None, share(chance, 50))),
        yearly_cap_share=chance.choice((None, None, share(chance, 20))),
    )


def some_allocation(chance: Random) -> Allocation:
    def order() -> tuple[str, ...]:
        return tuple(chance.sample(BY_NAME["component"], 5))

    if chance.random() < 0.5:
        return Allocation(waterfall=name(chance, "waterfall"))
    return Allocation(
        waterfall=name(chance, "waterfall"), components=order(), due=chance.choice(((), order())),
        in_advance=chance.choice(((), order())),
    )  # fmt: skip


def some_terms(chance: Random, principal: int = 0) -> Terms:
    principal = principal or chance.choice((chance.randint(1_000, 50_000), chance.randint(1_000, 5_000_000)))
    plan, base, early = some_plan(chance, principal), name(chance, "interest_base"), name(chance, "early_payment")
    if base == "scheduled_balance" and early not in INSTALMENTS_STAY:
        early = chance.choice(sorted(INSTALMENTS_STAY))
    owed = early in INSTALMENTS_STAY and (base == "scheduled_balance" or chance.random() < 0.4)
    steps = sorted(chance.sample(range(1, 40), chance.choice((0, 0, 0, 1, 2))))
    grace, spread = _grace(chance, plan), chance.choice(("as_earned", "as_earned", name(chance, "interest_spread")))
    drawdowns = _drawdowns(chance, plan, free=grace == Grace() and spread == "as_earned")
    own_term = drawdowns is not None and drawdowns.repaid == "over_its_own_term"
    fits = not owed and not own_term and spread == "as_earned" and plan.kind != "listed"
    follows = not owed and spread == "as_earned" and base in ("actual_balance", "undue_balance")
    early = early if fits or early != SMALLER else chance.choice(sorted(INSTALMENTS_STAY - {SMALLER}))
    return Terms(
        currency=chance.choice(CURRENCIES),
        principal_minor=principal,
        plan=plan,
        rates=tuple(RateStep(from_day=day, rate=some_rate(chance)) for day in (0, *steps)),
        signed_on=chance.choice((None, START + timedelta(days=chance.randint(-10, 10)))),
        late_start=name(chance, "late_start"),
        day_count=name(chance, "day_count"),
        level_day_count=chance.choice(("", "", name(chance, "day_count"))),
        interest_base=base,
        interest_rests=name(chance, "interest_rests") if follows else "daily",
        interest_spread=spread,
        after_maturity=name(chance, "after_maturity"),
        rounding=name(chance, "rounding"),
        residue=name(chance, "residue"),
        levelling=name(chance, "levelling"),
        level_multiple_minor=chance.choice((1, 1, 100)),
        roll=name(chance, "roll"),
        work_calendar=_calendar(chance),
        grace=grace,
        down_payment=DownPayment(share=share(chance, 60)) if chance.random() < 0.25 else None,
        drawdowns=drawdowns,
        income_share=chance.choice((Fraction(0), share(chance, 100))),
        fees=some_fees(chance),
        cooling_off=_cooling_off(chance),
        taxes=some_taxes(chance, owed),
        penalty=some_penalty(chance),
        allocation=some_allocation(chance),
        credits=_credits(chance, owed, fits),
        early_payment=early,
        early_interest="owed" if owed else "saved",
        extension=Extension(days_allowed=(7, 14, 30), max_count=99, extend_from=name(chance, "extend_from")),
        cost_cap_share=None if owed or chance.random() < 0.8 else share(chance, 100),
        forgive_under_minor=chance.choice((0, 0, chance.randint(1, 500))),
        default_after_days=chance.choice((1, 10, 30, 90)),
        charge_off=name(chance, "charge_off"),
        non_accrual=_non_accrual(chance),
    )


def _non_accrual(chance: Random) -> NonAccrual | None:
    if chance.random() < 0.5:
        return None
    return NonAccrual(after_days=chance.randint(1, 40), until=name(chance, "non_accrual_until"))


def _cooling_off(chance: Random) -> CoolingOff | None:
    return CoolingOff(days=30, pay_days=chance.choice((0, chance.randint(1, 20)))) if chance.random() < 0.4 else None


def _drawdowns(chance: Random, plan: Plan, *, free: bool) -> Drawdowns | None:
    """A third is drawn in two parts or more."""
    if chance.random() < 0.65:
        return None
    count = chance.randint(1, 3)
    days = [0, *sorted(chance.randint(0, 40) for _ in range(count - 1))]
    fits = free and plan.kind in ("equal_instalments", "equal_principal", "interest_only") and not plan.dates
    return Drawdowns(
        parts=tuple(Part(after_days=day, share=Fraction(1, count + 1)) for day in days),
        most=count + 2,
        until_days=100,
        interest=name(chance, "drawn_interest"),
        repaid=chance.choice(("over_its_own_term", name(chance, "drawn_repaid"))) if fits else "with_the_rest",
        down_payment=name(chance, "drawn_down_payment"),
    )


def _calendar(chance: Random) -> WorkCalendar:
    if chance.random() < 0.5:
        return WorkCalendar()
    holidays = frozenset(START + timedelta(days=chance.randint(1, 60)) for _ in range(3))
    return WorkCalendar(days_off=chance.choice(((6,), (5, 6))), holidays=holidays)


def _grace(chance: Random, plan: Plan) -> Grace:
    if plan.count == 1 and chance.random() < 0.7:
        return Grace()
    return Grace(
        principal=chance.choice((0, chance.randint(0, plan.count - 1))),
        interest=chance.choice((0, chance.randint(0, 2))),
        interest_free=chance.choice((0, chance.randint(0, 2))),
    )


def _credits(chance: Random, owed: bool, smaller: bool) -> tuple[Credit, ...]:
    """Where interest is owed by who pays early, instalments stand for a credit too."""
    if chance.random() < 0.6:
        return ()
    early = chance.choice(sorted(INSTALMENTS_STAY)) if owed else name(chance, "early_payment")
    early = "in_turn" if early == SMALLER and not smaller else early
    return (Credit(reason=name(chance, "credit"), allocation=some_allocation(chance), early_payment=early),)
