"""The engine against the slow reference, to the minor unit, on random histories told in random order."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.laws import slow_reference
from usance.core.loan import events, replay, state
from usance.core.loan.terms import Extension, Fee, Penalty, Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate

START = date(2023, 12, 31)


@st.composite
def agreements(draw: st.DrawFn) -> slow_reference.Agreement:
    single = draw(st.booleans())
    share = st.integers(0, 200).map(lambda k: Fraction(k, 10_000))
    return slow_reference.Agreement(
        principal=draw(st.integers(1_000, 5_000_000)),
        term_days=draw(st.integers(1, 45)) if single else 0,
        months=0 if single else draw(st.integers(1, 9)),
        daily={0: draw(share)} | draw(st.dictionaries(st.integers(1, 60), share, max_size=2)),
        fine=draw(share),
        grace=draw(st.integers(0, 5)),
        fine_cap=draw(st.none() | st.integers(0, 50).map(lambda k: Fraction(k, 100))),
        extension_fee=draw(st.integers(0, 5000)) if single else 0,
    )


def terms_of(agreed: slow_reference.Agreement) -> Terms:
    single = Plan(kind="single_payment", every=agreed.term_days or 1, unit="days")
    monthly = Plan(kind="equal_instalments", count=agreed.months or 1, every=1, unit="months")
    return Terms(
        currency=Currency("UAH", 2),
        principal_minor=agreed.principal,
        plan=single if agreed.term_days else monthly,
        rates=tuple(RateStep(from_day=day, rate=Rate(r, "day")) for day, r in sorted(agreed.daily.items())),
        levelling="none",
        penalty=Penalty(
            rule="daily_on_past_due_principal", share=agreed.fine, grace_days=agreed.grace, cap_share=agreed.fine_cap
        ),
        fees=(Fee(kind="extension", when="on_extension", flat_minor=agreed.extension_fee),),
        extension=Extension(days_allowed=(7, 14, 30), max_count=99),
    )


@st.composite
def tales(draw: st.DrawFn, agreed: slow_reference.Agreement) -> list[tuple[date, str, int]]:
    day = st.integers(0, 150).map(lambda k: START + timedelta(days=k))
    amount = st.integers(1, agreed.principal) | st.integers(1, 2 * agreed.principal)
    told = draw(st.lists(st.tuples(day, st.just("pay"), amount), max_size=8))
    if agreed.term_days:
        told += draw(st.lists(st.tuples(day, st.just("extend"), st.sampled_from([7, 14, 30])), max_size=3,
                              unique_by=lambda item: item[0]))  # fmt: skip
    return draw(st.permutations(told))


@given(st.data())
def test_engine_equals_the_slow_reference(data: st.DataObject) -> None:
    agreed = data.draw(agreements())
    terms, told = terms_of(agreed), data.draw(tales(agreed))
    withdrawn = data.draw(st.sets(st.integers(0, 7), max_size=2))  # payments told first and reversed later
    until = START + timedelta(days=data.draw(st.integers(0, 200)))
    history: list[events.Event] = [
        events.Approved(effective_on=START, source="a"),
        events.Disbursed(effective_on=START, source="d", amount_minor=agreed.principal),
    ]
    loan = replay.replay(terms, history, START).loan
    more: list[events.Event] = []
    for number, (on, what, amount) in enumerate(told):
        common = {"effective_on": on, "source": f"e{number}"}
        more.append(
            events.PaymentReceived(amount_minor=amount, **common)
            if what == "pay"
            else events.Extended(days=amount, **common)
        )
    more += [
        events.Reversed(effective_on=START + timedelta(days=160), source=f"r{number}", undoes=f"e{number}")
        for number in withdrawn
        if number < len(told)
    ]
    for event in more:
        step = replay.include(loan, history, event)
        history.append(event)
        loan = step.loan
    then = replay.replay(terms, history, until).loan
    kept = [item for number, item in enumerate(told) if number not in withdrawn]
    expected = slow_reference.live(agreed, START, [item for item in kept if item[0] <= until], until)
    assert {
        "principal": then.balances.get("principal", 0),
        "interest": then.balances.get("interest", 0),
        "fee": then.balances.get("fee:extension", 0),
        "penalty": then.balances.get("penalty", 0),
        "surplus": state.unapplied(then),
    } == expected


def test_the_reference_shares_no_code_with_the_engine() -> None:
    tree = ast.parse(Path(slow_reference.__file__).read_text())
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert imported == {"__future__", "calendar", "dataclasses", "datetime", "fractions"}
