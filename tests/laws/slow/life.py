"""A loan from its first event to a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from tests.laws.slow.accruing import see_whether_income, suspended
from tests.laws.slow.happenings import HAPPENINGS, RANKS
from tests.laws.slow.loan import SlowLoan
from tests.laws.slow.nights import morning, night, see_whether_over
from tests.laws.slow.reading import thing

Figures = dict[str, int | str]


def live(terms: Mapping[str, Any], told: Iterable[Mapping[str, Any]], until: date) -> Figures:
    """The figures on the morning of `until` with that day's events; what was undone is not among those told."""
    happened = sorted(map(thing, told), key=lambda one: (one.effective_on, RANKS[one.kind], one.source))
    loan = SlowLoan(thing(terms), min([until, *(one.effective_on for one in happened)]))
    while True:
        morning(loan)
        see_whether_income(loan)
        while happened and happened[0].effective_on == loan.today:
            one = happened.pop(0)
            HAPPENINGS[one.kind](loan, one)
            see_whether_over(loan)
            see_whether_income(loan)
        if loan.today == until:
            return figures(loan)
        night(loan)


def figures(loan: SlowLoan) -> Figures:
    ages, late = loan.payable(), loan.days_late()
    return {
        **loan.owed(),
        "free": loan.free(),
        "kept": loan.kept(),
        "claim": loan.claim,
        "from buyer": loan.buyer_owes,
        "to buyer": loan.buyers_money,
        "deferred": loan.whole(loan.unearned),
        "lost": loan.owes() if loan.lost_on else 0,
        "suspended": suspended(loan),
        "status": loan.status if not loan.live else "past_due" if late else "active",
        "days late": late,
        "defaulted": late >= loan.agreed.default_after_days,
        "past due": ages["past_due"],
        "due": ages["due"],
    }
