"""A loan from its first event to a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import date
from typing import Any

from tests.laws.slow import anew
from tests.laws.slow.accruing import see_whether_income, suspended
from tests.laws.slow.happenings import HAPPENINGS, RANKS
from tests.laws.slow.loan import SlowLoan
from tests.laws.slow.nights import morning, night, see_whether_over
from tests.laws.slow.reading import thing

Figures = dict[str, int | str]


def live(terms: Mapping[str, Any], told: Iterable[Mapping[str, Any]], until: date) -> Figures:
    """The figures on the morning of `until` with that day's events; what was undone is not among those told."""
    happened = sorted(map(thing, told), key=lambda one: (one.effective_on, RANKS[one.kind], one.source))
    return figures(lived(thing(terms), happened, until))


def lived(agreed: Any, happened: Sequence[Any], until: date) -> SlowLoan:
    """The loan on the morning of `until` with that day's events."""
    loan = SlowLoan(agreed, min([until, *(one.effective_on for one in happened)]))
    to_come, before = list(happened), list[Any]()
    while True:
        morning(loan)
        see_whether_income(loan)
        while to_come and to_come[0].effective_on == loan.today:
            one = to_come.pop(0)
            one.goes_back = goes_back(loan, one, before) if one.kind == "Credited" and one.interest_too else 0
            before.append(one)
            HAPPENINGS[one.kind](loan, one)
            see_whether_over(loan)
            see_whether_income(loan)
        if loan.today == until:
            return loan
        night(loan)


def goes_back(loan: SlowLoan, told: Any, before: Sequence[Any]) -> int:
    """The interest of money that is given back: what was asked for, less what would have been had all that was given
    back so far never come (of what came, the first first); less what went back already."""
    brought = [one for one in before if one.kind == "Disbursed" or (one.kind == "TakenOver" and one.standing)]
    if not brought or brought[0].kind == "TakenOver":
        return anew.borne_by(loan, told.amount_minor)
    others = [copy(one) for one in before if one.kind != "Credited" or not one.interest_too]
    back = told.amount_minor + sum(one.amount_minor for one in before if one.kind == "Credited" and one.interest_too)
    drawn = [one for one in others if one.kind == "Disbursed"]
    least = 1 if sum(one.amount_minor for one in drawn) > back else 0
    for one in drawn:
        less = min(back, one.amount_minor - least)
        back -= less
        one.amount_minor -= less
    other = lived(loan.agreed, [one for one in others if one.kind != "Disbursed" or one.amount_minor], loan.today)
    return max(0, loan.interest_asked - other.interest_asked - loan.given_back)


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
