"""A second engine, slow and plain, that shares no code with the first: one loop over days, lists of unpaid items,
exact fractions. It knows one payment and monthly instalments of each kind, with down payment, grace, every day count,
flat interest, even spread and every rule for residues; of other conventions one each; and nothing about events,
movements or checkpoints. What was undone it is never told. The laws compare the engine with it on random histories.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

ORDER = ("penalty", "extension", "service", "interest", "principal")
STEPS = (("penalty",), ("extension", "service"), ("interest",), ("principal",))  # the two in the middle are fees
# what comes first on one day; of one rank, what was told first
RANKS = {
    "rate": 0, "rest": 0, "pause": 1, "resume": 2, "extend": 3, "move": 3, "more": 3, "charge": 4, "pay": 6,
    "credit": 6, "charge_dated": 6, "charge_back": 6, "waive": 7, "write_off": 8,
}  # fmt: skip


def nearest_even(value: Fraction) -> int:
    return round(value)  # Python rounds a half to the even neighbour


def month_later(start: date, months: int) -> date:
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def days360(start: date, end: date, variant: str) -> int:
    first, last = min(start.day, 30), end.day
    start_ends, end_ends = ((d.month, (d + timedelta(days=1)).month) == (2, 3) for d in (start, end))
    if variant in ("_us", "_psa") and start_ends:
        first = 30
    if variant == "_us" and start_ends and end_ends:
        last = 30
    if last == 31 and (not variant or first == 30):
        last = 30
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


@dataclass
class Agreement:
    principal: int
    term_days: int = 0  # one payment after so many days, or else:
    months: int = 0  # so many monthly instalments
    kind: str = "equal"  # what is equal in them: the whole ("equal"), "principal", or nothing until the last ("none")
    prices: dict[int, Fraction] = field(default_factory=dict)  # from day number -> interest per day, or per year where
    days: str = ""  # the days of a year are counted by this rule
    level_days: str = ""  # and those for the level by this one; empty: the same
    flat: str = ""  # interest on the "whole" or the "financed" principal; empty: on what is owed
    even: bool = False  # the same share of the interest in each period
    residue: str = "carry"
    down: Fraction = Fraction(0)  # share due at once
    rests: int = 0  # so many instalments without principal
    waits: int = 0  # so many without interest, asked for later
    free: int = 0  # so many that bear none
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


@dataclass
class Bill:
    """A demand: its number, since when its time ran, and when it is due."""

    number: int
    starts: date
    due: date


@dataclass
class Charge:
    """Something that a demand of a certain day will ask for."""

    due: date
    what: str
    left: int
    asked: int


class SlowLoan:
    """Lived day by day with `morning`, the events of the day, and `night`."""

    def __init__(self, agreed: Agreement, start: date) -> None:
        self.agreed, self.start, self.today = agreed, start, start
        self.count = 1 if agreed.term_days else agreed.months
        self.down = nearest_even(agreed.down * agreed.principal)
        self.unbilled = dict.fromkeys(ORDER, 0) | {"principal": agreed.principal - self.down}
        self.bills = [Bill(1, start, start)] if agreed.down else []
        self.items = [Item(1, start, "principal", self.down)] if self.down else []
        self.dated: list[Charge] = []
        self.touched = 0  # of so many demands to come something was paid or forgiven already
        self.rests: list[tuple[date, date]] = []
        self.moved: date | None = None  # the end of a time that is not as long as agreed
        self.surplus = 0
        self.prepaid = 0
        self.interest_total = self.fine_total = self.left_out = Fraction(0)
        self.interest_asked = self.fine_asked = 0
        self.last_due: date | None = None
        self.closed = self.written_off = self.paused = False
        self.claim = 0
        self.other_rate: Fraction | None = None
        self.dates = [self.after(start, k + 1) for k in range(self.count)]
        self.period = (start, self.dates[0])
        self.each: Fraction | None = None
        self.level = self._level()

    def after(self, day: date, times: int) -> date:
        term = self.agreed.term_days
        return day + timedelta(days=term * times) if term else month_later(day, times)

    # --- prices and the level -----------------------------------------------------------------------------------

    def price(self, day: date) -> Fraction:
        if self.other_rate is not None:
            return self.other_rate
        return [r for first, r in sorted(self.agreed.prices.items()) if first <= (day - self.start).days][-1]

    def earns(self, day: date, period: tuple[date, date], rule: str, on: date | None = None) -> Fraction:
        """What the night after `day` brings for one unit of balance; with `on`, that night at the price of `day`."""
        price, (first, last), term = self.price(day), period, self.agreed.term_days
        day = on or day
        length = (last - first).days
        if not rule:
            return price
        if rule in ("actual/365", "actual/360", "actual/364"):
            return price / int(rule[-3:])
        if rule in ("actual/actual", "actual/actual_by_morning"):
            year = day.year if rule == "actual/actual" else (day + timedelta(days=1)).year
            return price / (366 if isleap(year) else 365)
        if rule == "actual/leap_day_period":
            nights = [first + timedelta(days=k + 1) for k in range(length)]
            return price / (366 if any((d.month, d.day) == (2, 29) for d in nights) else 365)
        if rule == "no_leap/365":
            tomorrow = day + timedelta(days=1)
            return Fraction(0) if (tomorrow.month, tomorrow.day) == (2, 29) else price / 365
        if rule.startswith("30/360"):
            return price * days360(first, last, rule[6:]) / 360 / length
        steps = self._steps(first, last) if last == self.moved and period == self.period else Fraction(term or 1)
        if rule == "same_as_period":
            return price * steps / (365 if term else 12) / length
        exact = price * steps * (1 if term else 30) / int(rule[-3:])  # months_of_30/360 and its like keep 19 decimals
        return Fraction(nearest_even(exact * 10**19), 10**19) / length

    def _steps(self, first: date, last: date) -> Fraction:
        """Days, or whole months and a part of one."""
        if self.agreed.term_days:
            return Fraction((last - first).days)
        whole = 0
        while month_later(first, whole + 1) <= last:
            whole += 1
        rest, one = last - month_later(first, whole), month_later(first, whole + 1) - month_later(first, whole)
        return whole + Fraction(rest.days, one.days)

    def _periods(self, rule: str) -> list[Fraction]:
        """What each of the planned periods brings."""
        found = []
        for first, last in zip([self.start, *self.dates], self.dates, strict=False):
            days = [first + timedelta(days=k) for k in range((last - first).days)]
            found.append(sum((self.earns(day, (first, last), rule) for day in days), Fraction(0)))
        return found

    def _level(self) -> int:
        """What is left at the end falls linearly with the level: two points give the level that leaves nothing."""
        told = self.agreed
        brought = [Fraction(0) if k < told.free else r for k, r in enumerate(self._periods(told.days))]
        counted = self._periods(told.level_days) if told.level_days and told.days else brought
        counted = [Fraction(0) if k < max(told.free, told.waits) else r for k, r in enumerate(counted)]
        if told.even:
            self.each = sum(brought, Fraction(0)) / self.count
            counted = [self.each] * self.count
        counted = counted[told.rests :]
        if told.kind == "none":
            return 0
        if told.kind == "principal":
            return nearest_even(Fraction(told.principal - self.down, len(counted)))
        nothing, one = self._left_at_end(counted, 0), self._left_at_end(counted, 1)
        return nearest_even(nothing / (nothing - one))

    def _left_at_end(self, brought: list[Fraction], level: int) -> Fraction:
        left = Fraction(self.agreed.principal - self.down)
        for share in brought:
            left += share * (self.whole() if self.agreed.flat else left) - level
        return left

    def whole(self) -> int:
        """The balance that bears flat interest."""
        return self.agreed.principal - (self.down if self.agreed.flat == "financed" else 0)

    # --- the day ------------------------------------------------------------------------------------------------

    def morning(self) -> None:
        if self.closed:
            return
        if self.today == self.period[1]:
            if self.dates:
                self._ask()
            self.period = (self.today, self.dates[0] if self.dates else self.after(self.today, 1))
        if not self.dates and self.dated and max(charge.due for charge in self.dated) <= self.today:
            bill = self._bill_of_its_own(self.today)
            self._ask_charges(bill)

    def number(self) -> int:
        """Of the instalment that comes next."""
        return max(0, self.count - len(self.dates)) + 1

    def _ask(self) -> None:
        number, whole = self.number(), self.agreed.kind == "equal"
        space = max(0, self.level - self.prepaid)
        rests = number <= self.agreed.rests
        would_take = self.unbilled["principal"] + (self.unbilled["interest"] if whole else 0)
        last = len(self.dates) == 1 or (not rests and space >= would_take)
        self._settle_residue(last)
        interest, principal, rest = self.unbilled["interest"], self.unbilled["principal"], self.dates[1:]
        if last:
            self.dates, self.last_due = [], self.today
        else:
            self.dates.pop(0)
            interest = 0 if number <= self.agreed.waits else interest
            if rests:
                principal = 0
            else:
                interest = min(space, interest) if whole else interest
                principal = min(space - (interest if whole else 0), principal)
        self.prepaid = max(0, self.prepaid - self.level)
        bill = Bill(len(self.bills) + 1, self.period[0], self.today)
        self.bills.append(bill)
        self._ask_charges(bill)
        for what, amount in (("interest", interest), ("principal", principal)):
            self.unbilled[what] -= amount
            self.items.append(Item(bill.number, self.today, what, amount))
        self.touched = max(0, self.touched - 1)
        if last:
            self._drop(rest, self.today)

    def _ask_charges(self, bill: Bill) -> None:
        """All that waits, and what had this day for its own."""
        for what in ("penalty", "extension", "service"):
            self.items.append(Item(bill.number, bill.due, what, self.unbilled[what]))
            self.unbilled[what] = 0
        self._take_over_dated(bill, [charge for charge in self.dated if charge.due <= bill.due])

    def _take_over_dated(self, bill: Bill, charges: list[Charge]) -> None:
        for charge in charges:
            self.dated.remove(charge)
            self.items.append(Item(bill.number, bill.due, charge.what, charge.left))

    def _bill_of_its_own(self, day: date) -> Bill:
        """After all that were planned there is one for charges, and it moves to the latest day."""
        planned = max((bill.due for bill in self.bills if bill.starts < bill.due), default=day)
        last = self.bills[-1] if self.bills else None
        if last is None or last.starts != last.due or last.due <= planned:
            self.bills.append(Bill(len(self.bills) + 1, day, day))
        else:
            last.starts = last.due = max(last.due, day)
            for item in self.items:
                if item.bill == last.number:
                    item.due = last.due
        return self.bills[-1]

    def _drop(self, dates: list[date], starts: date) -> None:
        """Nothing more is planned; the demands of which something was settled stay."""
        for day in dates[: self.touched]:
            bill = Bill(len(self.bills) + 1, starts, day)
            self.bills.append(bill)
            self._take_over_dated(bill, [charge for charge in self.dated if charge.due <= day])
            starts = day
        self.touched = max(0, self.touched - len(dates))

    def _settle_residue(self, last: bool) -> None:
        if self.agreed.residue == "carry":
            return
        self.left_out += self.interest_total - self.interest_asked
        if self.agreed.residue == "drop_when_due":
            self.left_out = Fraction(0)
        elif last:
            more = max(nearest_even(self.left_out), -self.unbilled["interest"])
            self.unbilled["interest"] += more
            self.interest_asked += more
            self.left_out = Fraction(0)
        self.interest_total = Fraction(self.interest_asked)

    def _interest_tonight(self) -> Fraction:
        if self.number() <= self.agreed.free or any(since <= self.today < until for since, until in self.rests):
            return Fraction(0)
        bearing = self.owed("principal")
        if self.agreed.flat:
            bearing = self.whole() if bearing and self.last_due is None else 0
        if self.each is not None and self.last_due is None:
            return bearing * self.each / (self.period[1] - self.period[0]).days
        return bearing * self.earns(self.today, self.period, self.agreed.days)

    def night(self) -> None:
        if not self.closed:
            self.interest_total += self._interest_tonight()
            fresh = nearest_even(self.interest_total) - self.interest_asked
            self.interest_asked += fresh
            late = sum(
                item.left
                for item in self.items
                if item.what == "principal" and (self.today - item.due).days >= self.agreed.grace
            )
            self.unbilled["interest"] += fresh
            if late and self.agreed.fine and not self.paused:  # a night that costs nothing posts nothing
                self.unbilled["penalty"] += self._fined(late * self.agreed.fine)
        self.today += timedelta(days=1)

    def _fined(self, more: Fraction) -> int:
        """What of it is asked for: all together never more than the cap."""
        self.fine_total += more
        fine = nearest_even(self.fine_total) - self.fine_asked
        if self.agreed.fine_cap is not None:
            cap = int(self.agreed.fine_cap * self.agreed.principal)
            if self.fine_asked + fine > cap:
                fine = cap - self.fine_asked
                self.fine_total = Fraction(cap)
        self.fine_asked += fine
        return fine

    def _fined_whole(self, amount: int) -> int:
        """A fine in whole units: what the nights have carried below one unit stays what it is."""
        if self.agreed.fine_cap is not None:
            amount = max(0, min(amount, int(self.agreed.fine_cap * self.agreed.principal) - self.fine_asked))
        self.fine_total += amount
        self.fine_asked += amount
        return amount

    # --- events -------------------------------------------------------------------------------------------------

    def pay(self, amount: int) -> None:
        self.surplus += amount
        if self.written_off:
            self.claim -= self._take(self.claim)
        self._spread()

    def credit(self, amount: int) -> None:
        """Money of somebody else."""
        self.surplus += amount
        self._spread()

    def _spread(self) -> None:
        """What is late, what is due, what is to come; in each the oldest demand first, and with it what no demand asks
        for and is as old."""
        if self.closed:
            return
        for age in ("late", "due", "ahead"):
            loose = [what for what in ORDER if self.age(what) == age]
            for group in self._open(age) or [[]]:
                for step in STEPS:
                    for one in group:
                        if one.what in step:
                            one.left -= self._take(one.left)
                    for what in step:
                        if what in loose:
                            self._pay_loose(what, age)
                            loose.remove(what)
        self._see_whether_closed()

    def age(self, what: str) -> str:
        """Of what no demand asks for."""
        if self.last_due is not None and self.today > self.last_due:
            return "late"
        if what in ("interest", "principal"):
            return "ahead" if self.last_due is None else "due"
        number = min((item.bill for item in self.items if item.left), default=0)
        return "late" if number and self.bills[number - 1].due < self.today else "due"

    def _open(self, age: str) -> list[list[Item]] | list[list[Charge]]:
        """The demands of an age with what is left of each."""
        if age == "ahead":
            groups = [[charge for charge in self.dated if charge.left and self._index(charge) == index]
                      for index in range(len(self.dates) + 1)]  # fmt: skip
            return [sorted(group, key=lambda one: ORDER.index(one.what)) for group in groups if group]
        found: list[list[Item]] = []
        for bill in self.bills:
            items = [item for item in self.items if item.left and item.bill == bill.number]
            if items and (bill.due < self.today) == (age == "late"):
                found.append(sorted(items, key=lambda item: ORDER.index(item.what)))
        return found

    def _index(self, charge: Charge) -> int:
        """Of the demand to come that asks for it."""
        return sum(day < charge.due for day in self.dates)

    def _pay_loose(self, what: str, age: str) -> None:
        taken = self._take(self.unbilled[what])
        self.unbilled[what] -= taken
        if taken and age == "ahead" and (what == "principal" or self.agreed.kind == "equal"):
            self.prepaid = min(self.level, self.prepaid + taken)

    def _take(self, wanted: int) -> int:
        taken = min(wanted, self.surplus)
        self.surplus -= taken
        return taken

    def _see_whether_closed(self) -> None:
        self.touched = max([self.touched, *(self._index(one) + 1 for one in self.dated if one.left < one.asked)])
        self.closed = self.written_off or not any(self.owed(what) for what in ORDER)
        if self.closed and not self.written_off:
            starts = self.period[0] if self.period[1] > self.today else self.today
            self._drop([*self.dates, *(one.due for one in self.dated[-1:])], starts)
            self.dates, self.last_due, self.prepaid = [], self.last_due or self.today, 0

    def _see_whether_owed_again(self) -> None:
        if self.closed and not self.written_off and any(self.owed(what) for what in ORDER):
            self.closed = False
            self.period = (self.today, self.after(self.today, 1))

    def waive(self, what: str, amount: int) -> None:
        """The oldest first: bills of the past, what is as old as they are, the bill of today, what no bill asks for.
        Of a loan that was written off, what a bank has taken back since."""
        if self.closed and not self.written_off:
            return
        for age in ("late", "due", "ahead"):
            for one in (one for group in self._open(age) for one in group if one.what == what):
                taken = min(one.left, amount)
                amount -= taken
                one.left -= taken
            if self.age(what) == age:
                taken = min(self.unbilled[what], amount)
                amount -= taken
                self.unbilled[what] -= taken
        self._see_whether_closed()

    def charge(self, amount: int) -> None:
        """A fee for something that was asked for."""
        if not self.closed:
            self.unbilled["service"] += amount

    def charge_dated(self, what: str, amount: int, due: date) -> None:
        """Asked for by the demand of a day, be it long past; a loan that was paid off owes again."""
        if self.written_off:
            return
        if what == "penalty":
            amount = self._fined_whole(amount)
        bill = next((one for one in self.bills if one.starts < due <= one.due or due <= one.starts < one.due), None)
        if bill is None and not self.dates and due <= self.today and amount:
            bill = self._bill_of_its_own(due)
        if bill is not None:
            self.items.append(Item(bill.number, bill.due, what, amount))
        elif amount:
            self.dated = sorted([*self.dated, Charge(due, what, amount, amount)], key=lambda one: one.due)
        self._see_whether_owed_again()
        self._spread()

    def charge_back(self, what: str, amount: int) -> None:
        """Money that went back to who had paid: first what lay there, then it is owed again."""
        self.unbilled[what] += amount - self._take(amount)
        self._see_whether_owed_again()

    def write_off(self) -> None:
        if self.closed:
            return
        self.claim = sum(self.owed(what) for what in ORDER)
        self.unbilled, self.items, self.dated = dict.fromkeys(ORDER, 0), [], []
        self.written_off = self.closed = True

    def extend(self, days: int) -> None:
        """All dates move as the next one does; after the last, principal that was asked for waits again."""
        if self.closed:
            return
        due = self.dates[0] if self.dates else self.last_due
        assert due is not None
        self.unbilled["extension"] += self.agreed.extension_fee
        for item in self.items if not self.dates else ():
            if item.what == "principal":
                self.unbilled["principal"] += item.left
                item.left = 0
        if any(self.unbilled[what] for what in ORDER[:4]):
            self.bills.append(Bill(len(self.bills) + 1, self.period[0], self.today))
        for what in ORDER[:4]:
            self.items.append(Item(len(self.bills), self.today, what, self.unbilled[what]))
            self.unbilled[what] = 0
        shift = max(due, self.today) + timedelta(days=days) - due
        self.dates, self.last_due = [day + shift for day in self.dates or [due]], None
        self.period = (self.today, self.dates[0])

    def move(self, since: date, to: date) -> None:
        """A due date goes elsewhere, and those after it with it."""
        before = [day for day in self.dates if day < since]
        after = self.dates[len(before) :]
        if self.closed or not after:
            return
        first = max(to, (before or [self.today])[-1] + timedelta(days=1))
        if self.agreed.term_days:
            after = [day + (first - after[0]) for day in after]
        else:
            after = [month_later(first, k) for k in range(len(after))]
        self._go_on([*before, *after], first)

    def more(self, count: int) -> None:
        """Instalments at the end; what is left is made level over all of them."""
        if self.closed or not self.dates:
            return
        dates = list(self.dates)
        for k in range(count):
            planned = self.after(self.start, self.count + k + 1)
            dates.append(planned if planned > dates[-1] else self.after(dates[-1], 1))
        self._go_on(dates, self.moved)
        self.level = self._level_again()
        self.prepaid = min(self.level, self.prepaid)  # it makes one demand smaller, not several

    def _go_on(self, dates: list[date], moved: date | None) -> None:
        self.dates, self.moved = dates, moved
        self.period = (self.period[0], dates[0])

    def _level_again(self) -> int:
        """Of the running time on, at today's rate as far as it is past."""
        told, number = self.agreed, self.number()
        if told.kind == "none":
            return 0
        counted, today = [], self.today
        for k, (first, last) in enumerate(zip([self.period[0], *self.dates], self.dates, strict=False)):
            days = [first + timedelta(days=n) for n in range((last - first).days)]
            rule = told.level_days if told.level_days and told.days else told.days
            self.today = today
            brought = sum((self.earns(max(day, today), (first, last), rule, on=day) for day in days), Fraction(0))
            counted.append(Fraction(0) if number + k <= max(told.free, told.waits) else brought)
        kept = [share for k, share in enumerate(counted) if number + k > told.rests] or counted[-1:]
        principal = Fraction(self.unbilled["principal"])
        if told.kind == "principal":
            return nearest_even(principal / len(kept))
        ends = []
        for level in (0, 1):
            left = principal
            for share in kept:
                left += share * (self.whole() if told.flat and self.owed("principal") else left) - level
            ends.append(left)
        return nearest_even(ends[0] / (ends[0] - ends[1]))

    def owed(self, what: str) -> int:
        return self.unbilled[what] + sum(one.left for one in (*self.items, *self.dated) if one.what == what)

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
            case "charge_dated":
                self.charge_dated(told.of, told.amount, told.since or told.day)
            case "charge_back":
                self.charge_back(told.of, told.amount)
            case "credit":
                self.credit(told.amount)
            case "move":
                self.move(told.since or told.day, told.until or told.day)
            case "more":
                self.more(told.amount)
            case "rest":
                since = told.since or told.day
                self.rests.append((since, since + timedelta(days=told.amount)))
            case "write_off":
                self.write_off()
            case "rate":
                self.other_rate = Fraction(told.amount, 100 if self.agreed.days else 10_000)
            case _:
                self.paused = told.what == "pause"


@dataclass(frozen=True)
class Told:
    """Something that happened: on a day, what, and a number (an amount, days, ten-thousandths a day or hundredths a
    year)."""

    day: date
    what: str
    amount: int = 0
    of: str = ""
    since: date | None = None  # a day of its own
    until: date | None = None


def live(agreed: Agreement, start: date, told: list[Told], until: date) -> dict[str, int]:
    """The balances on the morning of `until` with that day's events."""
    loan = SlowLoan(agreed, start)
    by_day: dict[date, list[Told]] = {}
    for item in sorted(told, key=lambda item: RANKS[item.what]):
        by_day.setdefault(item.day, []).append(item)
    while True:
        loan.morning()
        for item in by_day.get(loan.today, []):
            loan.hear(item)
        if loan.today == until:
            return loan.balances()
        loan.night()
