"""A second engine, slow and plain, that shares no code with the first: one loop over days, lists of unpaid items,
exact fractions. It knows two kinds of loan (one payment; equal instalments) under one set of conventions, and nothing
about events, movements or checkpoints. What was undone it is never told. The laws compare the engine with it on random
histories.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

ORDER = ("penalty", "extension", "service", "interest", "principal")
STEPS = (("penalty",), ("extension", "service"), ("interest",), ("principal",))  # the two in the middle are fees
# what comes first on one day
RANKS = ("rate", "pause", "resume", "extend", "charge", "waive", "pay", "write_off")


def nearest_even(value: Fraction) -> int:
    return round(value)  # Python rounds a half to the even neighbour


def month_later(start: date, months: int) -> date:
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


@dataclass
class Agreement:
    principal: int
    term_days: int = 0  # one payment after so many days, or else:
    months: int = 0  # so many monthly instalments
    daily: dict[int, Fraction] = field(default_factory=dict)  # from day number -> interest per day
    fine: Fraction = Fraction(0)  # per day of past-due principal
    grace: int = 0
    fine_cap: Fraction | None = None  # share of the principal
    extension_fee: int = 0


@dataclass
class Item:
    """Something that is due: the `bill`-th demand asked for it on `due`, and so much of it is not yet paid."""

    bill: int
    due: date
    what: str
    left: int


class SlowLoan:
    """Lived day by day with `morning`, the events of the day, and `night`."""

    def __init__(self, agreed: Agreement, start: date) -> None:
        self.agreed, self.start, self.today = agreed, start, start
        self.unbilled = dict.fromkeys(ORDER, 0) | {"principal": agreed.principal}
        self.items: list[Item] = []
        self.surplus = 0
        self.prepaid = 0
        self.bills = 0
        self.interest_total = self.fine_total = Fraction(0)
        self.interest_asked = self.fine_asked = 0
        self.last_due: date | None = None
        self.closed = self.written_off = self.paused = False
        self.claim = 0
        self.other_rate: Fraction | None = None
        if agreed.term_days:
            self.dates = [start + timedelta(days=agreed.term_days)]
        else:
            self.dates = [month_later(start, k + 1) for k in range(agreed.months)]
        self.level = self._level()

    def rate(self, day: date) -> Fraction:
        if self.other_rate is not None:
            return self.other_rate
        return [r for first, r in sorted(self.agreed.daily.items()) if first <= (day - self.start).days][-1]

    def _left_at_end(self, level: int) -> Fraction:
        left, day = Fraction(self.agreed.principal), self.start
        for due in self.dates:
            factor = sum((self.rate(day + timedelta(days=k)) for k in range((due - day).days)), Fraction(0))
            left = left * (1 + factor) - level
            day = due
        return left

    def _level(self) -> int:
        """What is left at the end falls linearly with the level: two points give the level that leaves nothing."""
        nothing, one = self._left_at_end(0), self._left_at_end(1)
        return nearest_even(nothing / (nothing - one))

    # --- the day ------------------------------------------------------------------------------------------------

    def morning(self) -> None:
        if not self.dates or self.today != self.dates[0] or self.closed:
            return
        space = max(0, self.level - self.prepaid)
        everything = self.unbilled["interest"] + self.unbilled["principal"]
        if len(self.dates) == 1 or space >= everything:
            space, self.dates = everything, []
            self.last_due = self.today
        else:
            self.dates.pop(0)
        self.prepaid = max(0, self.prepaid - self.level)
        self.bills += 1
        interest = min(space, self.unbilled["interest"])
        principal = min(space - interest, self.unbilled["principal"])
        charges = [(what, self.unbilled[what]) for what in ("penalty", "extension", "service")]
        for what, amount in (*charges, ("interest", interest), ("principal", principal)):
            self.unbilled[what] -= amount
            self.items.append(Item(self.bills, self.today, what, amount))

    def night(self) -> None:
        if not self.closed:
            self.interest_total += self.owed("principal") * self.rate(self.today)
            fresh = nearest_even(self.interest_total) - self.interest_asked
            self.interest_asked += fresh
            late = sum(
                item.left
                for item in self.items
                if item.what == "principal" and (self.today - item.due).days >= self.agreed.grace
            )
            self.fine_total += 0 if self.paused else late * self.agreed.fine
            fine = nearest_even(self.fine_total) - self.fine_asked
            if self.agreed.fine_cap is not None:
                cap = int(self.agreed.fine_cap * self.agreed.principal)
                if self.fine_asked + fine > cap:
                    fine = cap - self.fine_asked
                    self.fine_total = Fraction(cap)
            self.fine_asked += fine
            self.unbilled["interest"] += fresh
            self.unbilled["penalty"] += fine
        self.today += timedelta(days=1)

    # --- events -------------------------------------------------------------------------------------------------

    def pay(self, amount: int) -> None:
        self.surplus += amount
        if self.written_off:
            self.claim -= self._take(self.claim)
        if self.closed:
            return
        over = self.last_due is not None
        # charges that no bill asks for yet go with the oldest bill, and so does everything once all bills are past
        ripe = list(ORDER[:3]) if not over or self.today == self.last_due else list(ORDER)
        for bill in sorted({item.bill for item in self.items if item.left}) or [0]:
            for step in STEPS:
                for item in self.items:
                    if item.bill == bill and item.what in step:
                        item.left -= self._take(item.left)
                for what in step:
                    if what in ripe:
                        self.unbilled[what] -= self._take(self.unbilled[what])
                        ripe.remove(what)
        for what in ("interest", "principal"):
            taken = self._take(self.unbilled[what])
            self.unbilled[what] -= taken
            if not over:
                self.prepaid = min(self.level, self.prepaid + taken)
        self._see_whether_closed()

    def _take(self, wanted: int) -> int:
        taken = min(wanted, self.surplus)
        self.surplus -= taken
        return taken

    def _see_whether_closed(self) -> None:
        self.closed = self.written_off or not any(self.owed(what) for what in ORDER)

    def waive(self, what: str, amount: int) -> None:
        """The oldest first: bills of the past, what is as old as they are, the bill of today, what no bill asks for."""
        if self.closed:
            return
        asked = [item for item in self.items if item.left]
        past = bool(asked) and asked[0].due < self.today
        as_old = (self.last_due is not None and self.today > self.last_due) or (what in ORDER[:3] and past)
        before = [item for item in asked if item.what == what and item.due < self.today]
        today = [item for item in asked if item.what == what and item.due == self.today]
        for item in (*before, *([None] if as_old else []), *today, *([] if as_old else [None])):
            there = self.unbilled[what] if item is None else item.left
            taken = min(there, amount)
            amount -= taken
            if item is None:
                self.unbilled[what] -= taken
            else:
                item.left -= taken
        self._see_whether_closed()

    def charge(self, amount: int) -> None:
        """A fee for something that was asked for."""
        if not self.closed:
            self.unbilled["service"] += amount

    def write_off(self) -> None:
        if self.closed:
            return
        self.claim = sum(self.owed(what) for what in ORDER)
        self.unbilled, self.items = dict.fromkeys(ORDER, 0), []
        self.written_off = self.closed = True

    def extend(self, days: int) -> None:
        """Only for the loan of one payment."""
        if self.closed:
            return
        due = self.dates[0] if self.dates else self.last_due
        assert due is not None
        self.unbilled["extension"] += self.agreed.extension_fee
        for item in self.items:
            if item.what == "principal":
                self.unbilled["principal"] += item.left
                item.left = 0
        self.bills += 1
        for what in ORDER[:4]:
            self.items.append(Item(self.bills, self.today, what, self.unbilled[what]))
            self.unbilled[what] = 0
        self.dates, self.last_due = [max(due, self.today) + timedelta(days=days)], None

    def owed(self, what: str) -> int:
        return self.unbilled[what] + sum(item.left for item in self.items if item.what == what)

    def balances(self) -> dict[str, int]:
        return {what: self.owed(what) for what in ORDER} | {"surplus": self.surplus, "claim": self.claim}

    def hear(self, told: Told) -> None:
        match told.what:
            case "pay":
                self.pay(told.amount)
            case "extend":
                self.extend(told.amount)
            case "waive":
                self.waive(told.of, told.amount)
            case "charge":
                self.charge(told.amount)
            case "write_off":
                self.write_off()
            case "rate":
                self.other_rate = Fraction(told.amount, 10_000)
            case _:
                self.paused = told.what == "pause"


@dataclass(frozen=True)
class Told:
    """Something that happened: on a day, what, and a number (an amount, days, ten-thousandths a day)."""

    day: date
    what: str
    amount: int = 0
    of: str = ""


def live(agreed: Agreement, start: date, told: list[Told], until: date) -> dict[str, int]:
    """The balances on the morning of `until` with that day's events."""
    loan = SlowLoan(agreed, start)
    by_day: dict[date, list[Told]] = {}
    for item in sorted(told, key=lambda item: RANKS.index(item.what)):
        by_day.setdefault(item.day, []).append(item)
    while True:
        loan.morning()
        for item in by_day.get(loan.today, []):
            loan.hear(item)
        if loan.today == until:
            return loan.balances()
        loan.night()
