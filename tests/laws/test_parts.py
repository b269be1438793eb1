"""Money that is drawn in parts: the engine against the slow reference, and each part over a term of its own against
loans that stand alone."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from tests.laws import histories, slow_parts
from tests.laws.slow_reference import Told
from usance.core.loan import events, quote, replay, state
from usance.core.loan.terms import Drawdowns, Part, Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate

COUNT = 2_000 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 300
WITH = ("pay", "pay", "pay", "rate", "waive", "charge", "more")
WHOLE = (Part(after_days=0, share=Fraction(1)),)


def _lived(number: int) -> tuple[dict[str, int], dict[str, int]]:
    chance = Random(f"parts {number}")
    agreed = histories.agreement(chance)
    while agreed.flat or agreed.even or agreed.down or agreed.residue != "carry" or agreed.extension_fee:
        agreed = histories.agreement(chance)
    agreed, whole = replace(agreed, fine_cap=None), chance.random() < 0.5
    told = [item for item in histories.tale(chance, agreed, 100) if item.what in WITH]
    told += [
        Told(histories.START + timedelta(days=chance.randint(0, 100)), "draw", chance.randint(1, agreed.principal))
        for _ in range(chance.randint(1, 3))
    ]
    chance.shuffle(told)
    until = histories.START + timedelta(days=chance.randint(50, 130))
    parts = Drawdowns(parts=WHOLE, most=9, until_days=400, interest="whole_period" if whole else "from_its_day")
    terms = replace(histories.terms_of(agreed), drawdowns=parts)
    history: list[events.Event] = [
        events.Approved(effective_on=histories.START, source="a"),
        events.Disbursed(effective_on=histories.START, source="d", amount_minor=agreed.principal),
    ]
    loan = replay.replay(terms, history, histories.START).loan
    for at, item in enumerate(told):
        event = _event(item, f"e{at}", terms)
        loan = replay.include(loan, history, event).loan
        history.append(event)
    then = loan if loan.at == until else replay.replay(terms, history, until).loan
    engine = {what: then.balances.get(key, 0) for what, key in histories.BALANCES.items()}
    engine |= {"surplus": state.unapplied(then), "claim": then.claim_minor}
    kept = [item for item in told if item.day <= until]
    return engine, slow_parts.live(agreed, histories.START, kept, until, whole=whole)


def _event(told: Told, source: str, terms: Terms) -> events.Event:
    if told.what == "draw":
        return events.Disbursed(effective_on=told.day, source=source, amount_minor=told.amount)
    return histories.event_of(told, source, terms)


def test_engine_equals_the_slow_reference_where_money_comes_in_parts() -> None:
    found = []
    for number in range(COUNT):
        engine, reference = _lived(number)
        if engine != reference:
            found.append(f"history {number}: the engine says {engine}, the reference {reference}")
    assert not found, "\n".join(found[:5])


def _plain(chance: Random, repaid: str = "over_its_own_term") -> Terms:
    return Terms(
        currency=Currency("UAH", 2),
        principal_minor=10_000_000,
        plan=Plan(kind=chance.choice(("equal_instalments", "equal_principal")), count=chance.randint(2, 8), every=1,
                  unit="months"),
        rates=(RateStep(from_day=0, rate=Rate(Fraction(chance.randint(0, 40), 100), "year")),),
        day_count="months_of_30/360",
        drawdowns=Drawdowns(parts=WHOLE, most=9, until_days=999, repaid=repaid),
    )  # fmt: skip


def test_a_part_over_its_own_term_is_a_loan_of_its_own_beside_the_others() -> None:
    """Drawn on due dates and paid on time, the instalments are the sums of those of loans that stand alone, as nearly
    as roundings allow."""
    start = date(2024, 1, 10)
    for number in range(60):
        chance = Random(f"own term {number}")
        terms = _plain(chance)
        alone = quote.projection(terms, start)
        dates = [start, *(row.due_on for row in alone.rows)]
        amounts = {dates[at]: chance.randint(10_000, 3_000_000) for at in (0, chance.randint(1, len(dates) - 2))}
        told: list[events.Event] = [events.Approved(effective_on=start, source="a")]
        loan = replay.replay(terms, told, start).loan
        for at, (on, amount) in enumerate(sorted(amounts.items())):
            if loan.disbursed_on is not None:
                told += quote.payments_ahead(loan, on)
            told.append(events.Disbursed(effective_on=on, source=f"d{at}", amount_minor=amount))
            loan = replay.replay(terms, told, on).loan
        expected: dict[date, int] = {}
        for on, amount in amounts.items():
            for row in quote.projection(replace(terms, principal_minor=amount), on).rows:
                expected[row.due_on] = expected.get(row.due_on, 0) + row.total_minor
        rows = {row.due_on: row.total_minor for row in quote.schedule(loan)}
        assert rows.keys() == expected.keys(), number
        assert all(abs(rows[on] - expected[on]) <= 2 * len(rows) for on in rows), number


def test_a_reference_that_forgets_a_part_is_noticed() -> None:
    real = slow_parts.SlowParts.draw
    try:
        slow_parts.SlowParts.draw = lambda loan, amount: real(loan, amount - 1)  # type: ignore[method-assign]
        assert any(engine != reference for engine, reference in map(_lived, range(30)))
    finally:
        slow_parts.SlowParts.draw = real  # type: ignore[method-assign]
