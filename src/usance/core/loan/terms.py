"""What was agreed: one frozen value per loan. Every convention is a name that stands for one small function.

A released name is never given another meaning: a new meaning gets a new name. `NAMES` lists what may be said;
the tables with the functions are in money, calendar, rates, plan, charges, allocate and apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from usance.core import apr, values
from usance.core.calendar import WorkCalendar
from usance.core.loan.names import NAMES as NAMES
from usance.core.loan.names import STANDING as STANDING
from usance.core.loan.names import TermsRefused as TermsRefused
from usance.core.loan.names import check as _check
from usance.core.loan.names import known as _known
from usance.core.money import Currency
from usance.core.rates import Rate

SCHEMA_VERSION = 1


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
        _known("plan", "plan.kind", self.kind)
        _known("unit", "plan.unit", self.unit)
        _check(1 <= self.count <= 1200, "plan.count", self.count, "from 1 to 1200")
        _check(self.every >= 1, "plan.every", self.every, "at least 1")
        _check(self.kind != "single_payment" or self.count == 1, "plan.count", self.count, "1 for a single payment")
        _known("unit", "plan.length_unit", self.length_unit)
        _check(self.length >= 0, "plan.length", self.length, "not negative")
        _check(not self.dates or (len(self.dates) == self.count and list(self.dates) == sorted(set(self.dates))),
               "plan.dates", len(self.dates), "as many as `count`, in order")  # fmt: skip
        listed = self.kind == "listed"
        _check(len(self.principals) == (len(self.dates) if listed else 0) and min(self.principals, default=0) >= 0,
               "plan.principals", len(self.principals), "one for each date of a listed plan")  # fmt: skip
        _check(not listed or bool(self.dates), "plan.dates", len(self.dates), "a listed plan says its dates")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolingOff:
    """Within so many days of signing the borrower may step back: fees are given back, and the money with the interest
    of the days it was used is due so many days after that."""

    days: int
    pay_days: int = 0

    def __post_init__(self) -> None:
        _check(1 <= self.days <= 366, "cooling_off.days", self.days, "from 1 to 366")
        _check(0 <= self.pay_days <= 366, "cooling_off.pay_days", self.pay_days, "from 0 to 366")


@dataclass(frozen=True, slots=True, kw_only=True)
class NonAccrual:
    """From so many days past due on, interest and penalties are no income before they are paid: until nothing is past
    due any more, or until the loan is closed. The borrower owes the same."""

    after_days: int
    until: str = "current"

    def __post_init__(self) -> None:
        _known("non_accrual_until", "non_accrual.until", self.until)
        _check(1 <= self.after_days <= 3660, "non_accrual.after_days", self.after_days, "from 1 to 3660")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """So many instalments at the beginning ask for no principal, for no interest (it is collected by the first one
    after), or bear no interest at all."""

    principal: int = 0
    interest: int = 0
    interest_free: int = 0

    def __post_init__(self) -> None:
        most = max(self.principal, self.interest, self.interest_free)
        _check(min(self.principal, self.interest, self.interest_free) >= 0, "grace", self, "not negative")
        _check(most <= 1200, "grace", most, "at most 1200")


@dataclass(frozen=True, slots=True, kw_only=True)
class DownPayment:
    """A share of the money that falls due on the very day it is drawn; the instalments repay the rest."""

    share: Fraction

    def __post_init__(self) -> None:
        _check(0 <= self.share < 1, "down_payment.share", self.share, "from 0 to less than 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share of the principal that is expected to be drawn so many days after the first money."""

    after_days: int
    share: Fraction

    def __post_init__(self) -> None:
        _check(self.after_days >= 0, "part.after_days", self.after_days, "not negative")
        _check(0 < self.share <= 1, "part.share", self.share, "more than 0, at most 1")


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
        _known("drawn_interest", "drawdowns.interest", self.interest)
        _known("drawn_down_payment", "drawdowns.down_payment", self.down_payment)
        _known("drawn_repaid", "drawdowns.repaid", self.repaid)
        days = [part.after_days for part in self.parts]
        _check(days[:1] == [0] and days == sorted(days), "drawdowns.parts", days, "in order, the first at once")
        _check(sum(part.share for part in self.parts) <= 1, "drawdowns.parts", days, "at most the principal together")
        _check(len(self.parts) <= self.most <= 100, "drawdowns.most", self.most, "as many as expected, at most 100")
        _check(days[-1] <= self.until_days, "drawdowns.until_days", self.until_days, "not before the last expected")


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
    after_days: int = 0  # on_lateness: so many days past due; 0 means the first

    def __post_init__(self) -> None:
        _check(self.kind.isidentifier(), "fee.kind", self.kind, "letters, digits and _")
        _known("fee_when", "fee.when", self.when)
        _known("fee_of", "fee.of", self.of)
        _check(self.when == "per_instalment" or not self.of.startswith("instalment_"), "fee.of", self.of,
               "only a fee per instalment is a share of one")  # fmt: skip
        _check(self.flat_minor >= 0 and self.share >= 0, "fee", self.kind, "not negative")
        _check(self.after_days >= 0, "fee.after_days", self.after_days, "not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """A share that comes on top of interest, penalty, every fee ("fee") or one kind ("fee:service"), kept as a balance
    of its own ("tax:<kind>")."""

    kind: str
    share: Fraction
    on: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(self.kind.isidentifier(), "tax.kind", self.kind, "letters, digits and _")
        _check(self.share >= 0, "tax.share", self.share, "not negative")
        for base in self.on:
            _check(base.split(":")[0] in ("interest", "penalty", "fee"), "tax.on", base, "interest, penalty or a fee")


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """What lateness costs: a share per day of what is past due, or a flat amount per missed instalment, after
    `grace_days` that stay free."""

    rule: str
    share: Fraction = Fraction(0)  # per day
    flat_minor: int = 0
    grace_days: int = 0
    cap_share: Fraction | None = None  # of the original principal, over the whole loan
    yearly_cap_share: Fraction | None = None  # of the original principal, in one calendar year

    def __post_init__(self) -> None:
        _known("penalty", "penalty.rule", self.rule)
        _check(self.grace_days >= 0, "penalty.grace_days", self.grace_days, "not negative")
        _check(self.share >= 0 and self.flat_minor >= 0, "penalty", self.share, "not negative")
        one_only = self.rule != "flat_per_miss" or not self.share
        _check(one_only, "penalty.share", self.share, "none, where a flat amount is charged for each miss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How a payment is spread: ages first (past due, due, in advance), and inside an age either instalment by
    instalment or component by component. What is due today or paid in advance may have an order of its own."""

    waterfall: str = "by_instalment"
    components: tuple[str, ...] = ("tax", "penalty", "fee", "interest", "principal")
    due: tuple[str, ...] = ()
    in_advance: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _known("waterfall", "allocation.waterfall", self.waterfall)
        for name, order in (("components", self.components), ("due", self.due), ("in_advance", self.in_advance)):
            _check(sorted(order) == sorted(NAMES["component"]) or (not order and name != "components"),
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
        _known("credit", "credit.reason", self.reason)
        _known("early_payment", "credit.early_payment", self.early_payment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """The due date moves by one of `days_allowed`, at most `max_count` times. Its price is what has accrued until then
    and the fees "on_extension"; both fall due on the day of the extension."""

    days_allowed: tuple[int, ...]
    max_count: int
    extend_from: str = "later_of_both"

    def __post_init__(self) -> None:
        _known("extend_from", "extension.extend_from", self.extend_from)
        _check(bool(self.days_allowed) and min(self.days_allowed) > 0, "extension.days_allowed", self.days_allowed,
               "at least one positive number of days")  # fmt: skip
        _check(self.max_count >= 0, "extension.max_count", self.max_count, "not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The frozen agreement of one loan. Amounts are minor units of `currency`, shares exact fractions of 1."""

    currency: Currency
    principal_minor: int
    plan: Plan
    rates: tuple[RateStep, ...]

    signed_on: date | None = None  # the start that the signed schedule assumed
    late_start: str = "dates_move"  # when the money arrives on another day than signed_on
    day_count: str = "actual/365"
    level_day_count: str = ""  # the convention by which the level is computed; empty: that of the accrual
    interest_base: str = "actual_balance"
    interest_rests: str = "daily"  # from when money that was paid lowers the balance that bears interest
    interest_spread: str = "as_earned"
    after_maturity: str = "continues"
    rounding: str = "half_even"
    residue: str = "carry"
    levelling: str = "even_last"
    level_multiple_minor: int = 1
    roll: str = "keep"
    work_calendar: WorkCalendar = WorkCalendar()

    grace: Grace = Grace()
    down_payment: DownPayment | None = None
    drawdowns: Drawdowns | None = None  # None: all at once
    income_share: Fraction = Fraction(0)  # of the principal, so much may be added to it that nobody is paid
    fees: tuple[Fee, ...] = ()
    taxes: tuple[Tax, ...] = ()
    penalty: Penalty | None = None
    allocation: Allocation = Allocation()
    credits: tuple[Credit, ...] = ()
    early_payment: str = "shorter_term"
    early_interest: str = "saved"  # what becomes of the interest of instalments paid early
    extension: Extension | None = None
    cost_cap_share: Fraction | None = None  # all interest, fees and penalties at most this share of the principal
    forgive_under_minor: int = 0  # a last remainder up to this is forgiven
    default_after_days: int = 90  # days past due
    charge_off: str = "keeps_plan"  # what it does to the instalments
    non_accrual: NonAccrual | None = None  # None: only by our decision
    apr_times: str = "days/365"
    bill_days: int | None = None  # a statement so many days before each due date; None: none
    cooling_off: CoolingOff | None = None

    def __post_init__(self) -> None:
        _check(self.principal_minor > 0, "principal_minor", self.principal_minor, "more than zero")
        for field in ("late_start", "day_count", "interest_base", "interest_rests", "interest_spread",
                      "after_maturity", "rounding", "residue", "levelling", "roll", "early_payment", "early_interest",
                      "charge_off"):  # fmt: skip
            _known(field, field, getattr(self, field))
        _check(self.early_interest == "saved" or self.early_payment in STANDING, "early_interest", self.early_payment,
               "owed only where instalments stay as they are")  # fmt: skip
        capped = self.cost_cap_share is not None or any("interest" in tax.on for tax in self.taxes)
        _check(self.early_interest == "saved" or not capped, "early_interest", self.early_interest,
               "owed only without a cost cap and without a tax on interest")  # fmt: skip
        _check(self.interest_base != "scheduled_balance" or self.early_interest == "owed", "interest_base",
               self.interest_base, "interest as scheduled is owed by who pays early")  # fmt: skip
        follows = self.interest_base in ("actual_balance", "undue_balance") and self.interest_spread == "as_earned"
        _check(self.interest_rests == "daily" or (follows and self.early_interest == "saved"), "interest_rests",
               self.interest_base, "at each instalment only where interest follows what is paid")  # fmt: skip
        _known("day_count", "level_day_count", self.level_day_count or self.day_count)
        _check(self.grace.principal < self.plan.count, "grace.principal", self.grace.principal,
               "fewer than the instalments")  # fmt: skip
        own_term = self.drawdowns is not None and self.drawdowns.repaid == "over_its_own_term"
        fits = self.plan.kind in ("equal_instalments", "equal_principal", "interest_only") and not self.plan.dates
        fits = fits and self.grace == Grace() and self.interest_spread == "as_earned"
        _check(not own_term or fits, "drawdowns.repaid", self.plan.kind,
               "a term of its own only in a plan of even steps without grace")  # fmt: skip
        smaller = "next_then_smaller" in (self.early_payment, *(credit.early_payment for credit in self.credits))
        fits = self.early_interest == "saved" and self.interest_spread == "as_earned" and self.plan.kind != "listed"
        _check(not smaller or (fits and not own_term), "early_payment", self.early_payment,
               "smaller only where interest is saved and as earned, and all is one level")  # fmt: skip
        days = [step.from_day for step in self.rates]
        _check(days[:1] == [0] and days == sorted(set(days)), "rates", days, "steps in order, the first from day 0")
        _check(all(step.rate.share >= 0 for step in self.rates), "rates", days, "not negative")
        _check(self.income_share >= 0, "income_share", self.income_share, "not negative")
        _check(self.level_multiple_minor >= 1, "level_multiple_minor", self.level_multiple_minor, "at least 1")
        _check(self.apr_times in apr.APR_TIMES, "apr_times", self.apr_times, "a name in apr.APR_TIMES")
        _check(self.default_after_days >= 1, "default_after_days", self.default_after_days, "at least 1")
        _check(self.bill_days is None or 1 <= self.bill_days <= 60, "bill_days", self.bill_days, "from 1 to 60")
        _check(self.forgive_under_minor >= 0, "forgive_under_minor", self.forgive_under_minor, "not negative")
        kinds = [fee.kind for fee in self.fees]
        _check(len(kinds) == len(set(kinds)), "fees", kinds, "each kind once")
        deducted = sum(
            (fee.flat_minor + fee.share * self.principal_minor)
            * (1 + sum(tax.share for tax in self.taxes if {"fee", f"fee:{fee.kind}"} & set(tax.on)))
            for fee in self.fees
            if fee.when == "deducted"
        )
        _check(deducted < self.principal_minor, "fees", deducted, "less than the principal may be deducted")

    def is_tax_on_interest(self, balance: str) -> bool:
        """Whether a balance is a tax that is asked for with its interest."""
        component, _, kind = balance.partition(":")
        return component == "tax" and any(tax.kind == kind and "interest" in tax.on for tax in self.taxes)

    def of_another(self, principal_minor: int, signed_on: date | None) -> Terms:
        """The same conventions for another loan whose terms were checked before: nothing is checked again."""
        own = object.__new__(Terms)
        for name in self.__slots__:
            object.__setattr__(own, name, getattr(self, name))
        object.__setattr__(own, "principal_minor", principal_minor)
        object.__setattr__(own, "signed_on", signed_on)
        return own

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with the schema version."""
        return {"version": SCHEMA_VERSION, **values.encode(self)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Terms:
        """The terms stored by to_json. Raises values.UnreadableValue for another version or an unknown field."""
        if data.get("version") != SCHEMA_VERSION:
            raise values.UnreadableValue(f"terms of schema version {data.get('version')!r}")
        return values.decode(Terms, {name: item for name, item in data.items() if name != "version"})  # type: ignore[no-any-return]
