"""A loan as a heap of demands: those that fell due, those to come, and what no demand asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.laws.slow.days import Span, whole

LEVEL_HOLDS_PRINCIPAL_ALONE = ("equal_principal", "interest_only", "listed")
STANDING = ("in_turn", "from_the_last", "next_then_last", "in_equal_parts", "next_then_smaller")
NEVER = date.max
ALWAYS = date.min


@dataclass(eq=False)
class Demand:
    """An instalment. To come, it knows what was settled of it beforehand; fallen due, what is left of it."""

    due: date
    starts: date = ALWAYS  # since when its time ran, once it has fallen due
    left: dict[str, int] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)  # beforehand, of what the plan will ask for
    spared: dict[str, int] = field(default_factory=dict)  # forgiven of it
    kept: int = 0  # of the interest paid, what is not earned yet
    extra: dict[str, int] = field(default_factory=dict)  # charges of a day of their own that were settled with it
    touched: bool = False  # something of it was settled beforehand
    down: int = 0  # principal asked for on the day on which money was drawn

    def settled(self, *parts: str) -> int:
        return sum(noted.get(part, 0) for noted in (self.paid, self.spared) for part in parts)


@dataclass(eq=False)
class Charge:
    """Something that the demand of a certain day will ask for."""

    due: date
    what: str
    left: int


class SlowLoan:
    """Lived day by day."""

    def __init__(self, agreed: Any, today: date) -> None:
        self.agreed, self.today = agreed, today
        self.status = "new"
        self.loose: dict[str, int] = {}  # owed, and asked for by nobody
        self.bills: list[Demand] = []
        self.coming: list[Demand] = []
        self.given_up: list[Demand] = []  # they were to come when all was paid
        self.passed = 0  # demands of the plan that are not to come any more
        self.beyond = Demand(ALWAYS)  # one after them, for charges of a later day
        self.charges: list[Charge] = []
        self.money = self.claim = self.buyer_owes = self.buyers_money = 0
        self.began: date | None = None
        self.drawn = 0
        self.price: tuple[Fraction, str] = (Fraction(0), "year")
        self.prices_to_come: list[tuple[date, tuple[Fraction, str]]] = []
        self.interest = self.fine = self.left_out = Fraction(0)  # exactly
        self.interest_asked = self.fine_asked = self.fined_this_year = self.charged = 0
        self.span: Span | None = None
        self.pace: tuple[int, str] = (agreed.plan.every, agreed.plan.unit)
        self.moved: set[date] = set()  # the ends of times that are not as long as agreed
        self.level = self.prepaid = 0
        self.bears_on = 0  # repaid since the last demand of the plan, where that saves interest from the next on
        self.own_levels: list[int] = []  # of each, where later money is repaid over a term of its own
        self.planned: list[int] = []  # the principal of each demand to come, where they stand
        self.plan_brought: tuple[date, Fraction] = (ALWAYS, Fraction(0))  # in a period until a day
        self.even: Fraction | None = None  # what each period brings, where all bring the same
        self.matured: date | None = None
        self.fines_rest = False
        self.rests: list[tuple[date, date]] = []
        self.lost_on: date | None = None
        self.no_income = self.by_decision = False  # before it is paid
        self.fees_at_start: dict[str, int] = {}  # with their taxes
        self.stepped_back = False
        self.unearned = Fraction(0)  # income that is earned over what is left of the loan
        self.given_back = 0  # interest that went back with money
        self.incomes: dict[str, int] = {}  # all of it that was not taken back, by who owes it

    # --- what is owed -------------------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        return self.status == "live"

    @property
    def stands(self) -> bool:
        return self.agreed.early_payment in STANDING

    @property
    def level_parts(self) -> tuple[str, ...]:
        alone = self.agreed.plan.kind in LEVEL_HOLDS_PRINCIPAL_ALONE
        return ("principal",) if alone else ("interest", "principal")

    def whole(self, exact: Fraction | int) -> int:
        return whole(exact, self.agreed.rounding)

    def owe(self, what: str, amount: int) -> None:
        self.loose[what] = self.loose.get(what, 0) + amount

    def owed(self) -> dict[str, int]:
        found: dict[str, int] = {}
        parts = [*self.loose.items(), *((one.what, one.left) for one in self.charges)]
        for what, amount in [*parts, *(pair for bill in self.bills for pair in bill.left.items())]:
            found[what] = found.get(what, 0) + amount
        return {what: amount for what, amount in found.items() if amount}

    def owes(self) -> int:
        return sum(self.owed().values())

    def unbilled(self, what: str) -> int:
        return self.loose.get(what, 0) + sum(one.left for one in self.charges if one.what == what)

    @property
    def makes_smaller(self) -> bool:
        return bool(self.agreed.early_payment == "next_then_smaller")

    def asked_today(self) -> bool:
        """Whether an instalment of the plan fell due today."""
        return any(bill.due == self.today and bill.starts < self.today for bill in self.bills)

    def free(self) -> int:
        return self.money - self.kept()

    def kept(self) -> int:
        return sum(one.kept for one in (*self.coming, self.beyond))

    def open_bills(self) -> list[Demand]:
        return [bill for bill in self.bills if any(bill.left.values())]

    @property
    def taxes_with_interest(self) -> list[str]:
        return [f"tax:{tax.kind}" for tax in self.agreed.taxes if "interest" in tax.on]

    def age(self, what: str) -> str:
        """Of what no demand asks for: charges are as old as the oldest open bill, the rest is ahead until the end."""
        if self.matured is not None and self.today > self.matured:
            return "past_due"
        if what in ("interest", "principal", *self.taxes_with_interest):
            return "in_advance" if self.matured is None else "due"
        oldest = self.open_bills()[:1]
        return "past_due" if oldest and oldest[0].due < self.today else "due"

    def payable(self) -> dict[str, int]:
        """By age."""
        ages = {"past_due": 0, "due": 0, "in_advance": sum(one.left for one in self.charges)}
        for bill in self.bills:
            ages["past_due" if bill.due < self.today else "due"] += sum(bill.left.values())
        for what, amount in self.loose.items():
            ages[self.age(what)] += amount
        return ages

    def days_late(self) -> int:
        if not self.live:
            return 0
        for bill in self.open_bills():
            return max(0, (self.today - bill.due).days)
        late = self.matured is not None and self.owes()
        return max(0, (self.today - self.matured).days) if late and self.matured else 0

    def whole_principal(self) -> int:
        """Of which fees and caps are a share."""
        return self.drawn or int(self.agreed.principal_minor)

    def days_left(self) -> int:
        """Over which income is earned: until the last demand to come."""
        lives = self.live and self.coming and not self.lost_on
        return max(0, (self.coming[-1].due - self.today).days) if lives else 0

    # --- demands to come ----------------------------------------------------------------------------------------

    def number(self) -> int:
        """Of the demand that comes next."""
        return self.passed + 1

    def ends(self) -> date:
        return self.coming[-1].due if self.coming else ALWAYS

    def later_charges(self) -> list[Charge]:
        return [one for one in self.charges if one.due > self.ends()]

    def all_to_come(self) -> list[Demand]:
        """Those of the plan, and one for what falls due after it."""
        there = self.later_charges()
        if not there and not self.beyond.touched:
            return list(self.coming)
        self.beyond.due = max([self.beyond.due, *(one.due for one in there)])
        return [*self.coming, self.beyond]

    def charges_of(self, demand: Demand) -> list[Charge]:
        """What a demand to come will ask for besides the plan, as far as it is open."""
        if demand is self.beyond:
            return self.later_charges()
        at = self.coming.index(demand)
        since = self.coming[at - 1].due if at else ALWAYS
        return [one for one in self.charges if since < one.due <= demand.due or (not at and one.due <= demand.due)]

    def levels(self) -> list[int]:
        if self.own_levels:
            return list(self.own_levels)
        if self.agreed.plan.kind == "listed" and self.planned:
            return list(self.planned)
        return [self.level] * len(self.coming)

    def next_level(self) -> int:
        return [*self.levels(), self.level][0]

    def scheduled(self) -> int:
        """The principal that the demands to come ask for, settled beforehand or not."""
        return self.loose.get("principal", 0) + sum(one.settled("principal") for one in (*self.coming, self.beyond))

    def forget_those_to_come(self) -> None:
        self.coming, self.beyond, self.planned, self.own_levels = [], Demand(ALWAYS), [], []

    # --- nights -------------------------------------------------------------------------------------------------

    def resting(self, night: date) -> bool:
        stopped = self.lost_on is not None and self.agreed.charge_off == "stops_interest" and night >= self.lost_on
        return stopped or any(since <= night < until for since, until in self.rests)

    @property
    def rests_between(self) -> bool:
        """Whether what is repaid now lowers what bears interest only when the next demand falls due."""
        begun = self.span is not None and self.span.first < self.today
        return bool(self.agreed.interest_rests == "each_instalment" and begun and self.matured is None)

    def bearing(self) -> int:
        """The balance that bears interest, by the agreed rule, were there no rests."""
        principal, how = self.owed().get("principal", 0), self.agreed.interest_base
        if how == "actual_balance":
            return principal
        if how == "undue_balance":
            return self.unbilled("principal")
        if how == "scheduled_balance":
            return self.scheduled()
        if self.matured is not None or not principal:
            return 0
        return self.drawn - (sum(bill.down for bill in self.bills) if how == "financed_principal" else 0)


def count_for_charges_first(loan: SlowLoan) -> None:
    """What was settled beforehand of a demand to come counts for the charges of its time first."""
    for one in loan.all_to_come():
        for charge in loan.charges_of(one):
            for noted in (one.paid, one.spared):
                kept = one.kept if noted is one.paid and charge.what == "interest" else 0
                part = min(charge.left, noted.get(charge.what, 0) - kept)
                if part > 0:
                    noted[charge.what] -= part
                    charge.left -= part
                    add(one.extra, [(charge.what, part)])
                    loan.owe(charge.what, part)


def add(amounts: dict[str, int], more: Iterable[tuple[str, int]]) -> None:
    for what, amount in more:
        amounts[what] = amounts.get(what, 0) + amount
