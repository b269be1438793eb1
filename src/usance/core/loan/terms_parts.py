"""The parts that terms are composed of, each a frozen value that refuses what cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from usance.core.loan.names import NAMES, check, known
from usance.core.rates import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When the loan is repaid: `count` due dates, one every `every` `unit`s from the start, or the `dates` themselves.
    With a `length` only the last date is another one: so many `length_unit`s after the start. A listed plan says the
    principal of every date too, as a loan that began in another system has it."""

    kind: str  # single_payment | equal_instalments | equal_principal | interest_only | listed
    count: int = 1
    every: int
    unit: str = "days"
    dates: tuple[date, ...] = ()
    length: int = 0
    length_unit: str = "days"
    principals: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        known("plan", "plan.kind", self.kind)
        known("unit", "plan.unit", self.unit)
        check(1 <= self.count <= 1200, "plan.count", self.count, "from 1 to 1200")
        check(self.every >= 1, "plan.every", self.every, "at least 1")
        check(self.kind != "single_payment" or self.count == 1, "plan.count", self.count, "1 for a single payment")
        known("unit", "plan.length_unit", self.length_unit)
        check(self.length >= 0, "plan.length", self.length, "not negative")
        check(not self.dates or (len(self.dates) == self.count and list(self.dates) == sorted(set(self.dates))),
               "plan.dates", len(self.dates), "as many as `count`, in order")  # fmt: skip
        listed = self.kind == "listed"
        check(len(self.principals) == (len(self.dates) if listed else 0) and min(self.principals, default=0) >= 0,
               "plan.principals", len(self.principals), "one for each date of a listed plan")  # fmt: skip
        check(not listed or bool(self.dates), "plan.dates", len(self.dates), "a listed plan says its dates")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolingOff:
    """Within so many days of signing the borrower may step back: fees are given back, and the money with the interest
    of the days it was used is due so many days after that."""

    days: int
    pay_days: int = 0

    def __post_init__(self) -> None:
        check(1 <= self.days <= 366, "cooling_off.days", self.days, "from 1 to 366")
        check(0 <= self.pay_days <= 366, "cooling_off.pay_days", self.pay_days, "from 0 to 366")


@dataclass(frozen=True, slots=True, kw_only=True)
class NonAccrual:
    """From so many days past due on, interest and penalties are no income before they are paid: until nothing is past
    due any more, or until the loan is closed. The borrower owes the same."""

    after_days: int
    until: str = "current"

    def __post_init__(self) -> None:
        known("non_accrual_until", "non_accrual.until", self.until)
        check(1 <= self.after_days <= 3660, "non_accrual.after_days", self.after_days, "from 1 to 3660")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """So many instalments at the beginning ask for no principal, for no interest (it is collected by the first one
    after), or bear no interest at all."""

    principal: int = 0
    interest: int = 0
    interest_free: int = 0

    def __post_init__(self) -> None:
        most = max(self.principal, self.interest, self.interest_free)
        check(min(self.principal, self.interest, self.interest_free) >= 0, "grace", self, "not negative")
        check(most <= 1200, "grace", most, "at most 1200")


@dataclass(frozen=True, slots=True, kw_only=True)
class DownPayment:
    """A share of the money that falls due on the very day it is drawn; the instalments repay the rest."""

    share: Fraction

    def __post_init__(self) -> None:
        check(0 <= self.share < 1, "down_payment.share", self.share, "from 0 to less than 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share of the principal that is expected to be drawn so many days after the first money."""

    after_days: int
    share: Fraction

    def __post_init__(self) -> None:
        check(self.after_days >= 0, "part.after_days", self.after_days, "not negative")
        check(0 < self.share <= 1, "part.share", self.share, "more than 0, at most 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdowns:
    """The principal is drawn in parts: at most `most` of them, the last at most `until_days` after the first. `parts`
    are what both sides expect, and what the schedule of the contract shows; another amount may come on another day, as
    long as all together stay within the principal."""

    parts: tuple[Part, ...]
    most: int
    until_days: int
    interest: str = "from_its_day"  # from when later money bears it
    repaid: str = "with_the_rest"
    down_payment: str = "paid_ahead_first"  # what pays that of later money

    def __post_init__(self) -> None:
        known("drawn_interest", "drawdowns.interest", self.interest)
        known("drawn_down_payment", "drawdowns.down_payment", self.down_payment)
        known("drawn_repaid", "drawdowns.repaid", self.repaid)
        days = [part.after_days for part in self.parts]
        check(days[:1] == [0] and days == sorted(days), "drawdowns.parts", days, "in order, the first at once")
        check(sum(part.share for part in self.parts) <= 1, "drawdowns.parts", days, "at most the principal together")
        check(len(self.parts) <= self.most <= 100, "drawdowns.most", self.most, "as many as expected, at most 100")
        check(days[-1] <= self.until_days, "drawdowns.until_days", self.until_days, "not before the last expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStep:
    """From so many days after the start of interest, this rate."""

    from_day: int
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A price for something: a flat amount plus a share of a base. `kind` names the balance ("fee:<kind>")."""

    kind: str
    when: str
    flat_minor: int = 0
    share: Fraction = Fraction(0)
    of: str = "original_principal"
    after_days: int = 0  # on_lateness: it is charged as the day ends that is so many days after the due date

    def __post_init__(self) -> None:
        check(self.kind.isidentifier(), "fee.kind", self.kind, "letters, digits and _")
        known("fee_when", "fee.when", self.when)
        known("fee_of", "fee.of", self.of)
        check(self.when == "per_instalment" or not self.of.startswith("instalment_"), "fee.of", self.of,
               "only a fee per instalment is a share of one")  # fmt: skip
        check(self.flat_minor >= 0 and self.share >= 0, "fee", self.kind, "not negative")
        check(self.after_days >= 0, "fee.after_days", self.after_days, "not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """A share that comes on top of interest, penalty, every fee ("fee") or one kind ("fee:service"), kept as a balance
    of its own ("tax:<kind>")."""

    kind: str
    share: Fraction
    on: tuple[str, ...]

    def __post_init__(self) -> None:
        check(self.kind.isidentifier(), "tax.kind", self.kind, "letters, digits and _")
        check(self.share >= 0, "tax.share", self.share, "not negative")
        for base in self.on:
            check(base.split(":")[0] in ("interest", "penalty", "fee"), "tax.on", base, "interest, penalty or a fee")


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """What lateness costs: a share per day of what is past due, and for each missed instalment a flat amount (alone,
    for `flat_per_miss`); both after `grace_days` past due that stay free."""

    rule: str
    share: Fraction = Fraction(0)  # per day
    flat_minor: int = 0
    grace_days: int = 0
    cap_share: Fraction | None = None  # of the original principal, over the whole loan
    yearly_cap_share: Fraction | None = None  # of the original principal, in one calendar year

    def __post_init__(self) -> None:
        known("penalty", "penalty.rule", self.rule)
        check(self.grace_days >= 0, "penalty.grace_days", self.grace_days, "not negative")
        check(self.share >= 0 and self.flat_minor >= 0, "penalty", self.share, "not negative")
        for name, cap in (("cap_share", self.cap_share), ("yearly_cap_share", self.yearly_cap_share)):
            check(cap is None or cap >= 0, f"penalty.{name}", cap, "not negative")
        one_only = self.rule != "flat_per_miss" or not self.share
        check(one_only, "penalty.share", self.share, "none, where a flat amount is charged for each miss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How a payment is spread: ages first (past due, due, in advance), and inside an age either instalment by
    instalment or component by component. What is due today or paid in advance may have an order of its own."""

    waterfall: str = "by_instalment"
    components: tuple[str, ...] = ("tax", "penalty", "fee", "interest", "principal")
    due: tuple[str, ...] = ()
    in_advance: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known("waterfall", "allocation.waterfall", self.waterfall)
        for name, order in (("components", self.components), ("due", self.due), ("in_advance", self.in_advance)):
            check(sorted(order) == sorted(NAMES["component"]) or (not order and name != "components"),
                   f"allocation.{name}", order, "each component once")  # fmt: skip

    def order(self, age: str) -> tuple[str, ...]:
        """The components in the order in which money of this age meets them."""
        return {"due": self.due, "in_advance": self.in_advance}.get(age) or self.components


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """How a credit of one kind is spread, where that is not as with a payment."""

    reason: str
    allocation: Allocation
    early_payment: str

    def __post_init__(self) -> None:
        known("credit", "credit.reason", self.reason)
        known("early_payment", "credit.early_payment", self.early_payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """The due date moves by one of `days_allowed`, at most `max_count` times. Its price is what has accrued until then
    and the fees "on_extension"; both fall due on the day of the extension."""

    days_allowed: tuple[int, ...]
    max_count: int
    extend_from: str = "later_of_both"

    def __post_init__(self) -> None:
        known("extend_from", "extension.extend_from", self.extend_from)
        check(bool(self.days_allowed) and min(self.days_allowed) > 0, "extension.days_allowed", self.days_allowed,
               "at least one positive number of days")  # fmt: skip
        check(self.max_count >= 0, "extension.max_count", self.max_count, "not negative")
