"""The slow reference for money that is drawn in parts: a part is principal from its day on, and the level is found anew
for all that no demand asks for; where it bears interest for the whole of its time, that is owed at once."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from tests.laws.slow_reference import RANKS, Agreement, SlowLoan, Told, nearest_even


class SlowParts(SlowLoan):
    """A loan that hears of further money, too."""

    def __init__(self, agreed: Agreement, start: date, *, whole: bool) -> None:
        super().__init__(agreed, start)
        self.whole_time = whole

    def draw(self, amount: int) -> None:
        self.unbilled["principal"] += amount
        if self.whole_time and self.last_due is None and not self.closed:
            self._earn_at_once(amount)
        self._see_whether_owed_again()
        if self.dates:
            self.level = self._level_again()
            self.prepaid = min(self.level, self.prepaid)
        else:
            self._spread()

    def _earn_at_once(self, amount: int) -> None:
        """What the nights of the running time would have brought, at the price of today."""
        nights = [self.period[0] + timedelta(days=k) for k in range((self.today - self.period[0]).days)]
        rates = (self.earns(self.today, self.period, self.agreed.days, on=night) for night in nights)
        self.interest_total += amount * sum(rates, Fraction(0))
        fresh = nearest_even(self.interest_total) - self.interest_asked
        self.interest_asked += fresh
        self.unbilled["interest"] += fresh

    def hear(self, told: Told) -> None:
        if told.what == "draw":
            self.draw(told.amount)
        else:
            super().hear(told)


def live(agreed: Agreement, start: date, told: list[Told], until: date, *, whole: bool) -> dict[str, int]:
    """The balances on the morning of `until` with that day's events; money comes before all else of a day."""
    loan = SlowParts(agreed, start, whole=whole)
    ranked = sorted(told, key=lambda item: RANKS.get(item.what, -1))
    while True:
        loan.morning()
        for item in ranked:
            if item.day == loan.today:
                loan.hear(item)
        if loan.today == until:
            return loan.balances()
        loan.night()
