"""Money that is drawn in parts: each part over a term of its own, against loans that stand alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from random import Random

from usance.core.loan import events, quote, replay
from usance.core.loan.terms import Drawdowns, Part, Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate

WHOLE = (Part(after_days=0, share=Fraction(1)),)


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
                told += quote.payments_to_come(loan, on)
            told.append(events.Disbursed(effective_on=on, source=f"d{at}", amount_minor=amount))
            loan = replay.replay(terms, told, on).loan
        expected: dict[date, int] = {}
        for on, amount in amounts.items():
            for row in quote.projection(replace(terms, principal_minor=amount), on).rows:
                expected[row.due_on] = expected.get(row.due_on, 0) + row.total_minor
        rows = {row.due_on: row.total_minor for row in quote.schedule(loan)}
        assert rows.keys() == expected.keys(), number
        assert all(abs(rows[on] - expected[on]) <= 2 * len(rows) for on in rows), number
