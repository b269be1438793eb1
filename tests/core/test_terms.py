"""What terms may say: each refusal by its field, its value and its reason, and the last value that is accepted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from tests.core.loans import START, terms
from usance.core.loan.terms import (
    NAMES,
    Allocation,
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
    TermsRefused,
)
from usance.core.rates import Rate

MONTHLY = Plan(kind="equal_instalments", count=3, every=1, unit="months")
ORDER = ("tax", "penalty", "fee", "interest", "principal")
GRACES = ("principal", "interest", "interest_free")
NAMED = ("late_start", "day_count", "interest_base", "interest_rests", "interest_spread", "after_maturity", "rounding",
         "residue", "levelling", "roll", "early_payment", "early_interest", "charge_off")  # fmt: skip
DAYS = (date(2026, 2, 1), date(2026, 3, 1))


def plan(**more: Any) -> Plan:
    return Plan(**{"kind": "equal_instalments", "count": 2, "every": 1, "unit": "months"} | more)


def listed(**more: Any) -> Plan:
    return plan(**{"kind": "listed", "dates": DAYS, "principals": (1, 2)} | more)


def fee(**more: Any) -> Fee:
    return Fee(**{"kind": "service", "when": "on_request"} | more)


def step(day: int, share: Any = 1) -> RateStep:
    return RateStep(from_day=day, rate=Rate(Fraction(share), "day"))


def drawn(*parts: Part, **more: Any) -> Drawdowns:
    return Drawdowns(**{"parts": parts, "most": 2, "until_days": 30} | more)


FIRST, LATER = Part(after_days=0, share=Fraction(1, 2)), Part(after_days=30, share=Fraction(1, 2))


def one_of(vocabulary: str) -> str:
    return "one of " + ", ".join(sorted(NAMES[vocabulary]))


REFUSED: list[tuple[Callable[[], object], str, str, str]] = [
    (lambda: plan(kind="bullet"), "plan.kind", "bullet", one_of("plan")),
    (lambda: plan(unit="fortnights"), "plan.unit", "fortnights", one_of("unit")),
    (lambda: plan(count=0), "plan.count", "0", "from 1 to 1200"),
    (lambda: plan(count=1201), "plan.count", "1201", "from 1 to 1200"),
    (lambda: plan(every=0), "plan.every", "0", "at least 1"),
    (lambda: plan(kind="single_payment"), "plan.count", "2", "1 for a single payment"),
    (lambda: plan(length_unit="eons"), "plan.length_unit", "eons", one_of("unit")),
    (lambda: plan(length=-1), "plan.length", "-1", "not negative"),
    (lambda: plan(dates=DAYS[:1]), "plan.dates", "1", "as many as `count`, in order"),
    (lambda: plan(dates=DAYS[::-1]), "plan.dates", "2", "as many as `count`, in order"),
    (lambda: plan(dates=(DAYS[0], DAYS[0])), "plan.dates", "2", "as many as `count`, in order"),
    (lambda: plan(principals=(1, 2)), "plan.principals", "2", "one for each date of a listed plan"),
    (lambda: listed(principals=(1,)), "plan.principals", "1", "one for each date of a listed plan"),
    (lambda: listed(principals=(3, -1)), "plan.principals", "2", "one for each date of a listed plan"),
    (lambda: listed(dates=(), principals=()), "plan.dates", "0", "a listed plan says its dates"),
    *((lambda name=name: Grace(**{name: -1}), "grace", str, "not negative") for name in GRACES),
    *((lambda name=name: Grace(**{name: 1201}), "grace", "1201", "at most 1200") for name in GRACES),
    (lambda: DownPayment(share=Fraction(-1)), "down_payment.share", "-1", "from 0 to less than 1"),
    (lambda: DownPayment(share=Fraction(1)), "down_payment.share", "1", "from 0 to less than 1"),
    (lambda: fee(kind="no good"), "fee.kind", "no good", "letters, digits and _"),
    (lambda: fee(when="whenever"), "fee.when", "whenever", one_of("fee_when")),
    (lambda: fee(of="the moon"), "fee.of", "the moon", one_of("fee_of")),
    (lambda: fee(of="instalment_total"), "fee.of", "instalment_total", "only a fee per instalment is a share of one"),
    (lambda: fee(flat_minor=-1), "fee", "service", "not negative"),
    (lambda: fee(share=Fraction(-1)), "fee", "service", "not negative"),
    (lambda: fee(after_days=-1), "fee.after_days", "-1", "not negative"),
    (lambda: Tax(kind="v t", share=Fraction(0), on=()), "tax.kind", "v t", "letters, digits and _"),
    (lambda: Tax(kind="vat", share=Fraction(-1), on=()), "tax.share", "-1", "not negative"),
    (
        lambda: Tax(kind="vat", share=Fraction(0), on=("interest", "principal")),
        "tax.on",
        "principal",
        "interest, penalty or a fee",
    ),
    (lambda: Penalty(rule="harsh"), "penalty.rule", "harsh", one_of("penalty")),
    (lambda: Penalty(rule="flat_per_miss", grace_days=-1), "penalty.grace_days", "-1", "not negative"),
    (lambda: Penalty(rule="flat_per_miss", share=Fraction(-1)), "penalty", "-1", "not negative"),
    (lambda: Penalty(rule="flat_per_miss", flat_minor=-1), "penalty", "0", "not negative"),
    (lambda: Penalty(rule="flat_per_miss", cap_share=Fraction(-1)), "penalty.cap_share", "-1", "not negative"),
    (
        lambda: Penalty(rule="flat_per_miss", yearly_cap_share=Fraction(-1)),
        "penalty.yearly_cap_share",
        "-1",
        "not negative",
    ),
    (
        lambda: Penalty(rule="flat_per_miss", flat_minor=1, share=Fraction(1)),
        "penalty.share",
        "1",
        "none, where a flat amount is charged for each miss",
    ),
    (lambda: Allocation(waterfall="niagara"), "allocation.waterfall", "niagara", one_of("waterfall")),
    (lambda: Allocation(components=ORDER[1:]), "allocation.components", str(ORDER[1:]), "each component once"),
    (lambda: Allocation(components=()), "allocation.components", "()", "each component once"),
    (lambda: Allocation(due=(*ORDER, "tax")), "allocation.due", str((*ORDER, "tax")), "each component once"),
    (lambda: Allocation(in_advance=ORDER[:1]), "allocation.in_advance", str(ORDER[:1]), "each component once"),
    (
        lambda: Credit(reason="luck", allocation=Allocation(), early_payment="in_turn"),
        "credit.reason",
        "luck",
        one_of("credit"),
    ),
    (
        lambda: Credit(reason="goodwill", allocation=Allocation(), early_payment="never"),
        "credit.early_payment",
        "never",
        one_of("early_payment"),
    ),
    (
        lambda: Extension(days_allowed=(7,), max_count=1, extend_from="now"),
        "extension.extend_from",
        "now",
        one_of("extend_from"),
    ),
    (
        lambda: Extension(days_allowed=(), max_count=1),
        "extension.days_allowed",
        "()",
        "at least one positive number of days",
    ),
    (
        lambda: Extension(days_allowed=(0, 7), max_count=1),
        "extension.days_allowed",
        "(0, 7)",
        "at least one positive number of days",
    ),
    (lambda: Extension(days_allowed=(7,), max_count=-1), "extension.max_count", "-1", "not negative"),
    (lambda: terms(principal_minor=0), "principal_minor", "0", "more than zero"),
    *((lambda field=field: terms(**{field: "lunar"}), field, "lunar", one_of(field)) for field in NAMED),
    (lambda: terms(level_day_count="lunar"), "level_day_count", "lunar", one_of("day_count")),
    (
        lambda: terms(early_interest="owed"),
        "early_interest",
        "shorter_term",
        "owed only where instalments stay as they are",
    ),
    *(
        (
            lambda more=more: terms(early_payment="next_then_smaller", **more),
            "early_payment",
            "next_then_smaller",
            "smaller only where interest is saved and as earned, and all is one level",
        )
        for more in (
            {"early_interest": "owed"},
            {"interest_spread": "evenly"},
            {"drawdowns": drawn(FIRST, repaid="over_its_own_term"), "plan": MONTHLY},
            {"plan": listed(count=2)},
        )
    ),
    (
        lambda: terms(early_interest="owed", early_payment="in_turn", cost_cap_share=Fraction(1)),
        "early_interest",
        "owed",
        "owed only without a cost cap and without a tax on interest",
    ),
    (
        lambda: terms(
            early_interest="owed",
            early_payment="in_turn",
            taxes=(Tax(kind="vat", share=Fraction(1), on=("interest",)),),
        ),
        "early_interest",
        "owed",
        "owed only without a cost cap and without a tax on interest",
    ),
    (
        lambda: terms(interest_base="scheduled_balance"),
        "interest_base",
        "scheduled_balance",
        "interest as scheduled is owed by who pays early",
    ),
    *(
        (
            lambda more=more: terms(interest_rests="each_instalment", **more),
            "interest_rests",
            more.get("interest_base", "actual_balance"),
            "at each instalment only where interest follows what is paid",
        )
        for more in (
            {"interest_base": "original_principal"},
            {"interest_base": "undue_balance", "interest_spread": "evenly"},
            {"early_interest": "owed", "early_payment": "in_turn"},
        )
    ),
    (lambda: terms(grace=Grace(principal=3), plan=MONTHLY), "grace.principal", "3", "fewer than the instalments"),
    (lambda: terms(rates=()), "rates", "[]", "steps in order, the first from day 0"),
    (lambda: terms(rates=(step(1),)), "rates", "[1]", "steps in order, the first from day 0"),
    (lambda: terms(rates=(step(0), step(0))), "rates", "[0, 0]", "steps in order, the first from day 0"),
    (lambda: terms(rates=(step(0), step(9), step(5))), "rates", "[0, 9, 5]", "steps in order, the first from day 0"),
    (lambda: terms(rates=(step(0), step(5, -1))), "rates", "[0, 5]", "not negative"),
    (lambda: terms(level_multiple_minor=0), "level_multiple_minor", "0", "at least 1"),
    (lambda: terms(apr_times="moons"), "apr_times", "moons", "a name in apr.APR_TIMES"),
    (lambda: NonAccrual(after_days=0), "non_accrual.after_days", "0", "from 1 to 3660"),
    (lambda: NonAccrual(after_days=3661), "non_accrual.after_days", "3661", "from 1 to 3660"),
    (lambda: NonAccrual(after_days=1, until="soon"), "non_accrual.until", "soon", one_of("non_accrual_until")),
    (lambda: terms(default_after_days=0), "default_after_days", "0", "at least 1"),
    (lambda: terms(bill_days=0), "bill_days", "0", "from 1 to 60"),
    (lambda: terms(bill_days=61), "bill_days", "61", "from 1 to 60"),
    (lambda: terms(forgive_under_minor=-1), "forgive_under_minor", "-1", "not negative"),
    (lambda: terms(cost_cap_share=Fraction(-1)), "cost_cap_share", "-1", "not negative"),
    (lambda: terms(fees=(fee(), fee())), "fees", "['service', 'service']", "each kind once"),
    (
        lambda: terms(fees=(fee(when="deducted", flat_minor=1, share=Fraction("0.99999")),)),
        "fees",
        "100000",
        "less than the principal may be deducted",
    ),
    (lambda: Part(after_days=-1, share=Fraction(1)), "part.after_days", "-1", "not negative"),
    (lambda: Part(after_days=0, share=Fraction(0)), "part.share", "0", "more than 0, at most 1"),
    (lambda: Part(after_days=0, share=Fraction(2)), "part.share", "2", "more than 0, at most 1"),
    (lambda: drawn(FIRST, interest="never"), "drawdowns.interest", "never", one_of("drawn_interest")),
    (lambda: drawn(FIRST, repaid="never"), "drawdowns.repaid", "never", one_of("drawn_repaid")),
    (lambda: drawn(FIRST, down_payment="no"), "drawdowns.down_payment", "no", one_of("drawn_down_payment")),
    (lambda: drawn(), "drawdowns.parts", "[]", "in order, the first at once"),
    (lambda: drawn(LATER), "drawdowns.parts", "[30]", "in order, the first at once"),
    (lambda: drawn(FIRST, LATER, FIRST), "drawdowns.parts", "[0, 30, 0]", "in order, the first at once"),
    (lambda: drawn(FIRST, FIRST, LATER), "drawdowns.parts", "[0, 0, 30]", "at most the principal together"),
    (lambda: drawn(FIRST, LATER, most=1), "drawdowns.most", "1", "as many as expected, at most 100"),
    (lambda: drawn(FIRST, most=101), "drawdowns.most", "101", "as many as expected, at most 100"),
    (lambda: drawn(FIRST, LATER, until_days=29), "drawdowns.until_days", "29", "not before the last expected"),
]


@pytest.mark.parametrize(("make", "field", "value", "why"), REFUSED, ids=range(len(REFUSED)))
def test_terms_that_cannot_be_are_refused(make: Callable[[], object], field: str, value: Any, why: str) -> None:
    with pytest.raises(TermsRefused) as refusal:
        make()
    told = refusal.value
    assert (told.field, told.why) == (field, why)
    assert told.value == value or value is str


def test_the_last_values_that_can_be_are_accepted() -> None:
    for unit in NAMES["unit"]:
        assert plan(count=1200, length=1, length_unit=unit).count == 1200
    assert plan(dates=DAYS).principals == ()
    assert listed(principals=(0, 0)).dates == DAYS
    assert Grace(principal=1200, interest=1200, interest_free=1200).principal == 1200
    assert DownPayment(share=Fraction(0)).share == 0
    assert fee(when="per_instalment", of="instalment_total").of == "instalment_total"
    assert Tax(kind="vat", share=Fraction(0), on=("interest", "penalty", "fee", "fee:service")).kind == "vat"
    assert Extension(days_allowed=(1,), max_count=0).days_allowed == (1,)
    assert terms(principal_minor=1, fees=()).principal_minor == 1
    assert terms(grace=Grace(principal=2), plan=MONTHLY).plan.count == 3
    assert terms(rates=(step(0, 0), step(1, 0))).rates[1].from_day == 1
    assert (terms(bill_days=1).bill_days, terms(bill_days=60).bill_days) == (1, 60)
    assert (drawn(FIRST, LATER, most=100).until_days, drawn(FIRST, FIRST).most) == (30, 2)
    assert (NonAccrual(after_days=1).until, NonAccrual(after_days=3660).after_days) == ("current", 3660)
    assert terms(default_after_days=1, forgive_under_minor=0, level_multiple_minor=1).default_after_days == 1
    assert terms(early_interest="owed", early_payment="in_turn", interest_base="scheduled_balance").signed_on is None
    assert terms(
        fees=(fee(when="deducted", flat_minor=99_999), fee(kind="b", when="added_to_principal", share=Fraction(2)))
    ).fees
    taxed = Tax(kind="vat", share=Fraction(1), on=("penalty", "fee"))
    assert terms(early_interest="owed", early_payment="in_turn", taxes=(taxed,)).taxes == (taxed,)


def test_money_of_each_age_meets_the_components_in_the_order_of_its_age() -> None:
    own = Allocation(due=ORDER[::-1], in_advance=(*ORDER[1:], ORDER[0]))
    assert [own.order(age) for age in ("past_due", "due", "in_advance")] == [ORDER, ORDER[::-1], (*ORDER[1:], ORDER[0])]
    assert [Allocation().order(age) for age in ("past_due", "due", "in_advance")] == [ORDER] * 3


def test_a_plan_of_one_payment_needs_no_more_than_its_length() -> None:
    told = Plan(kind="single_payment", every=30)
    assert (told.count, told.unit, told.dates, told.length) == (1, "days", (), 0)
    assert terms(plan=told, signed_on=START).signed_on == START
