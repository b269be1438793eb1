"""What a product manager may configure, and how it becomes the terms of one loan. A version's `config` is this as JSON.

Every convention is a name that the core knows (`core.loan.terms.NAMES`); amounts are minor units, shares exact text
("0.01" is 1 %). Nothing is computed here besides reading and checking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, model_validator

from usance.core import rates, values
from usance.core.loan import allocate, plan
from usance.core.loan import terms as core
from usance.core.refusals import Refusal

FIRST, RETURNING = "first", "returning"
INSTALMENT_KINDS = ("equal_instalments", "equal_principal", "interest_only")
CUSTOMER_KINDS = (FIRST, RETURNING)


class Problem(NamedTuple):
    """One thing that is wrong with a configuration: where ("amount.max_minor") and why, in English words."""

    path: str
    why: str


class ConfigNotValid(Refusal):
    """A configuration that cannot be: all problems at once."""

    code = "product_config_not_valid"
    problems: tuple[Problem, ...]


def _exact(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool | float) or not isinstance(value, str | int):
        raise ValueError('shares are exact text such as "0.01"')
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError) as problem:
        raise ValueError('shares are exact text such as "0.01"') from problem


def _known(vocabulary: str) -> Any:
    def check(value: object) -> object:
        if value not in core.NAMES[vocabulary]:
            raise ValueError(f"one of {', '.join(sorted(core.NAMES[vocabulary]))}")
        return value

    return BeforeValidator(check)


Share = Annotated[Fraction, BeforeValidator(_exact), PlainSerializer(values.ratio_text), Field(ge=0)]
Minor = Annotated[int, Field(ge=0, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Days = Annotated[int, Field(ge=0, strict=True)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Range(Part):
    """From `min` to `max` in steps of `step`, with `default` where the slider stands at first."""

    min: Count
    max: Count
    step: Count
    default: Count

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if not self.min <= self.default <= self.max:
            raise ValueError("min, default and max must be in this order")
        if (self.max - self.min) % self.step or (self.default - self.min) % self.step:
            raise ValueError("max and default must lie a whole number of steps above min")
        return self

    def holds(self, value: int) -> bool:
        return self.min <= value <= self.max and (value - self.min) % self.step == 0

    def values(self) -> range:
        return range(self.min, self.max + 1, self.step)


class AmountRange(Part):
    """Loan amounts on offer, in minor units."""

    min_minor: Count
    max_minor: Count
    step_minor: Count
    default_minor: Count

    @model_validator(mode="after")
    def _in_order(self) -> AmountRange:
        self.range()
        return self

    def range(self) -> Range:
        return Range(min=self.min_minor, max=self.max_minor, step=self.step_minor, default=self.default_minor)


class TermRange(Range):
    """Terms on offer: so many days of one payment, or so many instalments."""

    unit: Annotated[Literal["days", "weeks", "half_months", "months"], _known("unit")]


class RateConfig(Part):
    """`share` of the balance per day, month or year."""

    share: Share
    per: Literal["day", "month", "year"]

    def to_core(self) -> rates.Rate:
        return rates.Rate(self.share, self.per)


class Promo(Part):
    """Another rate for the first `days` days after the money arrived."""

    rate: RateConfig
    days: Count


class FeeConfig(Part):
    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")
    when: Annotated[str, _known("fee_when")]
    flat_minor: Minor = 0
    share: Share = Fraction(0)
    of: Annotated[str, _known("fee_of")] = "original_principal"
    after_days: Days = 0


class Price(Part):
    """What a kind of customer pays, and the most they may borrow (None: the product's own maximum)."""

    rate: RateConfig
    promo: Promo | None = None
    fees: tuple[FeeConfig, ...] = ()
    max_amount_minor: Minor | None = None

    def steps(self) -> tuple[core.RateStep, ...]:
        standard = self.rate.to_core()
        if self.promo is None:
            return (core.RateStep(from_day=0, rate=standard),)
        return (
            core.RateStep(from_day=0, rate=self.promo.rate.to_core()),
            core.RateStep(from_day=self.promo.days, rate=standard),
        )


class TaxConfig(Part):
    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")
    share: Share
    on: tuple[str, ...]


class PenaltyConfig(Part):
    rule: Annotated[str, _known("penalty")]
    share: Share = Fraction(0)
    flat_minor: Minor = 0
    grace_days: Days = 0
    cap_share: Share | None = None
    yearly_cap_share: Share | None = None


class AllocationConfig(Part):
    waterfall: Annotated[str, _known("waterfall")] = "by_instalment"
    components: tuple[str, ...] = core.Allocation().components


class ExtensionConfig(Part):
    days_allowed: tuple[Count, ...]
    max_count: Days
    extend_from: Annotated[str, _known("extend_from")] = "later_of_both"


class CoolingOffConfig(Part):
    """Days to step back beyond those of the law, or where it gives none."""

    days: Annotated[Count, Field(le=366)]
    pay_days: Annotated[Days, Field(le=366)] = 0


class Length(Part):
    """The last due date is so long after the start, whatever the steps of the others."""

    count: Count
    unit: Annotated[Literal["days", "weeks", "half_months", "months"], _known("unit")] = "days"


class DrawdownsConfig(Part):
    """The money comes in parts: a share at once, the rest so many days later, as both sides expect; at most `most`
    parts and the last at most `until_days` after the first, whatever their amounts."""

    most: Annotated[int, Field(ge=2, le=100, strict=True)]
    first_share: Annotated[Share, Field(gt=0, lt=1)]
    rest_after_days: Count
    until_days: Count
    interest: Annotated[str, _known("drawn_interest")] = "from_its_day"
    repaid: Annotated[str, _known("drawn_repaid")] = "with_the_rest"
    down_payment: Annotated[str, _known("drawn_down_payment")] = "paid_ahead_first"

    def to_core(self) -> core.Drawdowns:
        rest = core.Part(after_days=self.rest_after_days, share=1 - self.first_share)
        return core.Drawdowns(
            parts=(core.Part(after_days=0, share=self.first_share), rest),
            most=self.most,
            until_days=self.until_days,
            interest=self.interest,
            repaid=self.repaid,
            down_payment=self.down_payment,
        )


class NonAccrualConfig(Part):
    """From so many days past due on, interest and penalties are no income before they are paid."""

    after_days: Annotated[Count, Field(le=3660)]
    until: Annotated[str, _known("non_accrual_until")] = "current"


class GraceConfig(Part):
    """So many instalments at the beginning without principal, without interest (collected later), or bearing none."""

    principal: Days = 0
    interest: Days = 0
    interest_free: Days = 0


def _known_or_empty(value: object) -> object:
    if value and value not in core.NAMES["day_count"]:
        raise ValueError(f"empty or one of {', '.join(sorted(core.NAMES['day_count']))}")
    return value


class Conventions(Part):
    """How days, roundings and early money are counted; the defaults are the core's."""

    late_start: Annotated[str, _known("late_start")] = "dates_move"
    day_count: Annotated[str, _known("day_count")] = "actual/365"
    level_day_count: Annotated[str, BeforeValidator(_known_or_empty)] = ""  # empty: as the interest counts
    interest_base: Annotated[str, _known("interest_base")] = "actual_balance"
    interest_rests: Annotated[str, _known("interest_rests")] = "daily"
    interest_spread: Annotated[str, _known("interest_spread")] = "as_earned"
    after_maturity: Annotated[str, _known("after_maturity")] = "continues"
    rounding: Annotated[str, _known("rounding")] = "half_even"
    residue: Annotated[str, _known("residue")] = "carry"
    levelling: Annotated[str, _known("levelling")] = "even_last"
    level_multiple_minor: Count = 1
    roll: Annotated[str, _known("roll")] = "keep"
    early_payment: Annotated[str, _known("early_payment")] = "shorter_term"
    early_interest: Annotated[str, _known("early_interest")] = "saved"
    income_share: Share = Fraction(0)
    cost_cap_share: Share | None = None
    forgive_under_minor: Minor = 0
    default_after_days: Count = 90
    charge_off: Annotated[str, _known("charge_off")] = "keeps_plan"
    apr_times: Literal["days/365", "months/12", "months_back/12"] = "days/365"
    bill_days: Annotated[Count, Field(le=60)] | None = None


class Config(Part):
    """A full product configuration."""

    schema_version: Literal[1] = 1
    kind: Annotated[str, _known("plan")]
    every: Count = 1  # an instalment every so many units of the term
    fixed_length: Length | None = None
    down_payment_share: Share | None = None  # falls due with the money itself
    drawdowns: DrawdownsConfig | None = None
    grace: GraceConfig = GraceConfig()
    amount: AmountRange
    term: TermRange
    prices: dict[Literal["first", "returning"], Price]
    conventions: Conventions = Conventions()
    taxes: tuple[TaxConfig, ...] = ()
    penalty: PenaltyConfig | None = None
    allocation: AllocationConfig = AllocationConfig()
    extension: ExtensionConfig | None = None
    non_accrual: NonAccrualConfig | None = None
    cooling_off: CoolingOffConfig | None = None
    rule_set: str = Field(default="first_loan", pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    offer_days: Count = 7
    draft_days: Count = 30
    ask_days: Count = 7

    @model_validator(mode="after")
    def _complete(self) -> Config:
        if set(self.prices) != set(CUSTOMER_KINDS):
            raise ValueError("prices for first and returning customers are both needed")
        for kind, price in self.prices.items():
            if price.max_amount_minor is not None and price.max_amount_minor < self.amount.min_minor:
                raise ValueError(f"prices.{kind}.max_amount_minor is below the smallest amount")
        return self

    def max_amount(self, customer_kind: str) -> int:
        """The most that a kind of customer may ask for, on a step of the amounts."""
        own = self.prices[customer_kind].max_amount_minor  # type: ignore[index]
        top = self.amount.max_minor if own is None else min(own, self.amount.max_minor)
        return top - (top - self.amount.min_minor) % self.amount.step_minor

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def read(data: Mapping[str, Any]) -> Config:
    """The configuration in `data`, which may come from anywhere. Raises ConfigNotValid with every problem found."""
    try:
        config = Config.model_validate(data)
    except ValidationError as problem:
        raise ConfigNotValid(
            problems=tuple(
                Problem(".".join(str(part) for part in item["loc"]), item["msg"].removeprefix("Value error, "))
                for item in problem.errors()
            )
        ) from problem
    if problems := (*_senseless_plan(config), *_senseless_drawdowns(config), *_senseless_interest(config)):
        raise ConfigNotValid(problems=problems)
    return config


# --- what makes no sense together --------------------------------------------------------------------------------


def _senseless_plan(config: Config) -> Iterator[Problem]:
    grace, single = config.grace, config.kind == "single_payment"
    if config.kind not in ("single_payment", *INSTALMENT_KINDS):
        yield Problem("kind", "only a loan that began in another system lists its own instalments")
    if single and grace != GraceConfig():
        yield Problem("grace", "a single payment has no instalments to spare")
    elif config.kind == "interest_only" and grace.principal:
        yield Problem("grace.principal", "these instalments ask for no principal anyway")
    elif not single and grace.principal >= config.term.min:
        yield Problem("grace.principal", "fewer than the fewest instalments")
    if config.down_payment_share is not None and config.down_payment_share >= 1:
        yield Problem("down_payment_share", "less than the whole loan")
    if config.fixed_length and (single or config.term.min != config.term.max):
        yield Problem("fixed_length", "only one number of instalments can have a fixed length")


LEAST_DAYS = {"days": 1, "weeks": 7, "half_months": 14, "months": 28}


def _senseless_drawdowns(config: Config) -> Iterator[Problem]:
    parts = config.drawdowns
    if parts is None:
        return
    if parts.rest_after_days > parts.until_days:
        yield Problem("drawdowns.until_days", "not before the rest is expected")
    if parts.rest_after_days >= config.term.min * config.every * LEAST_DAYS[config.term.unit]:
        yield Problem("drawdowns.rest_after_days", "before the last payment of the shortest loan")
    if config.extension is not None:
        yield Problem("drawdowns.most", "due dates that can be moved go with money that comes at once")
    if config.down_payment_share and any(tax.share and {"interest", "penalty"} & set(tax.on) for tax in config.taxes):
        yield Problem("down_payment_share", "not of later parts where what interest costs is taxed")
    if parts.repaid == "over_its_own_term":
        if config.kind not in INSTALMENT_KINDS:
            yield Problem("drawdowns.repaid", "a single payment is one for all parts")
        if config.grace != GraceConfig() or config.conventions.interest_spread == "evenly":
            yield Problem("drawdowns.repaid", "only without grace, and with interest as it is earned")


def _senseless_interest(config: Config) -> Iterator[Problem]:
    how = config.conventions
    if how.level_day_count and config.kind != "equal_instalments":
        yield Problem("conventions.level_day_count", "only equal instalments are computed by days")
    if how.interest_spread == "evenly":
        if how.interest_base not in plan.FLAT or config.kind == "single_payment":
            yield Problem("conventions.interest_spread", "only flat interest of instalments is spread evenly")
        if config.extension is not None:
            yield Problem("conventions.interest_spread", "due dates that can be moved need interest as it is earned")
    if how.interest_base == "scheduled_balance" and how.early_interest != "owed":
        yield Problem("conventions.early_interest", "interest on the plan is owed by who pays early")
    if how.early_interest == "owed":
        if how.early_payment not in core.INSTALMENTS_STAY:
            yield Problem("conventions.early_payment", "owed only where instalments stay as they are")
        if how.cost_cap_share is not None or any("interest" in tax.on for tax in config.taxes):
            yield Problem("conventions.early_interest", "owed only without a cap on all costs and a tax on interest")
    saved = (how.early_interest, how.interest_spread) == ("saved", "as_earned")
    if how.interest_rests != "daily" and not (saved and how.interest_base in allocate.BEARING):
        yield Problem("conventions.interest_rests", "at each instalment only where interest follows what is paid")
    own_term = config.drawdowns is not None and config.drawdowns.repaid == "over_its_own_term"
    if how.early_payment == "next_then_smaller" and (
        how.early_interest == "owed" or how.interest_spread == "evenly" or own_term
    ):
        yield Problem("conventions.early_payment", "smaller only where interest is saved and all is one level")
    if how.interest_base == "financed_principal" and config.down_payment_share is None:
        yield Problem("conventions.interest_base", "there is no down payment")
    for kind, price in config.prices.items():
        for number, fee in enumerate(price.fees):
            if fee.of.startswith("instalment_") and fee.when != "per_instalment":
                yield Problem(f"prices.{kind}.fees.{number}.of", "only a fee with each instalment is a share of one")
