"""What was agreed: one frozen value per loan, composed of the parts in `terms_parts`. Every convention is a name that
stands for one small function, or for a way that several steps ask about.

A released name is never given another meaning: a new meaning gets a new name. `NAMES` lists what may be said; the
README of the core says where the tables with the functions are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from usance.core import apr, values
from usance.core.calendar import WorkCalendar
from usance.core.loan.names import INSTALMENTS_STAY, NAMES, TermsRefused, check, known
from usance.core.loan.terms_parts import (
    Allocation,
    CoolingOff,
    Credit,
    DownPayment,
    Drawdowns,
    Extension,
    Fee,
    Grace,
    NonAccrual,
    Part,
    Penalty,
    Plan,
    RateStep,
    Tax,
)
from usance.core.money import Currency

__all__ = [
    "INSTALMENTS_STAY", "NAMES", "Allocation", "CoolingOff", "Credit", "DownPayment", "Drawdowns", "Extension", "Fee",
    "Grace", "NonAccrual", "Part", "Penalty", "Plan", "RateStep", "Tax", "Terms", "TermsRefused",
]  # fmt: skip

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
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
        for refuse in CHECKS:
            refuse(self)

    @property
    def instalments_stay(self) -> bool:
        """Whether the instalments to come stay as they are when money comes early: it is noted which of them it
        settles."""
        return self.early_payment in INSTALMENTS_STAY

    def is_tax_on_interest(self, balance: str) -> bool:
        """Whether a balance is a tax that is asked for with its interest."""
        component, _, kind = balance.partition(":")
        return component == "tax" and any(tax.kind == kind and "interest" in tax.on for tax in self.taxes)

    def of_another(self, principal_minor: int, signed_on: date | None) -> Terms:
        """The same conventions for another loan whose terms were checked before: nothing is checked again."""
        own = object.__new__(Terms)
        own.__dict__.update(self.__dict__, principal_minor=principal_minor, signed_on=signed_on)
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


# --- what cannot be agreed together, in the order in which it is refused --------------------------------------------


def _nothing_lent(terms: Terms) -> None:
    check(terms.principal_minor > 0, "principal_minor", terms.principal_minor, "more than zero")


CHOICES = (
    "late_start", "day_count", "interest_base", "interest_rests", "interest_spread", "after_maturity", "rounding",
    "residue", "levelling", "roll", "early_payment", "early_interest", "charge_off",
)  # fmt: skip


def _unknown_names(terms: Terms) -> None:
    for field in CHOICES:
        known(field, field, getattr(terms, field))


def _interest_owed_early(terms: Terms) -> None:
    """Interest that is owed before it is earned is noted with its instalment, so that one must stay; and what neither
    a cap nor a tax has seen yet cannot be promised."""
    saved = terms.early_interest == "saved"
    check(saved or terms.instalments_stay, "early_interest", terms.early_payment,
          "owed only where instalments stay as they are")  # fmt: skip
    capped = terms.cost_cap_share is not None or any("interest" in tax.on for tax in terms.taxes)
    check(saved or not capped, "early_interest", terms.early_interest,
          "owed only without a cost cap and without a tax on interest")  # fmt: skip


def _scheduled_interest_saved(terms: Terms) -> None:
    """Interest as scheduled does not see what was paid, and so cannot be saved by it."""
    check(terms.interest_base != "scheduled_balance" or terms.early_interest == "owed", "interest_base",
          terms.interest_base, "interest as scheduled is owed by who pays early")  # fmt: skip


def _rests_without_effect(terms: Terms) -> None:
    """From when a payment lowers the interest is a question only where one does."""
    follows = terms.interest_base in ("actual_balance", "undue_balance") and terms.interest_spread == "as_earned"
    check(terms.interest_rests == "daily" or (follows and terms.early_interest == "saved"), "interest_rests",
          terms.interest_base, "at each instalment only where interest follows what is paid")  # fmt: skip


def _unknown_day_count_of_the_level(terms: Terms) -> None:
    known("day_count", "level_day_count", terms.level_day_count or terms.day_count)


def _grace_without_end(terms: Terms) -> None:
    """Some instalment must repay the principal."""
    check(terms.grace.principal < terms.plan.count, "grace.principal", terms.grace.principal,
          "fewer than the instalments")  # fmt: skip


def _own_term(terms: Terms) -> bool:
    return terms.drawdowns is not None and terms.drawdowns.repaid == "over_its_own_term"


def _own_term_without_even_steps(terms: Terms) -> None:
    """The instalments of later money are added to those there are, one to one: both follow the same steps."""
    fits = terms.plan.kind in ("equal_instalments", "equal_principal", "interest_only") and not terms.plan.dates
    fits = fits and terms.grace == Grace() and terms.interest_spread == "as_earned"
    check(not _own_term(terms) or fits, "drawdowns.repaid", terms.plan.kind,
          "a term of its own only in a plan of even steps without grace")  # fmt: skip


def _smaller_without_a_level(terms: Terms) -> None:
    """Instalments become smaller by a new level: there must be one, of interest that follows the balance."""
    smaller = "next_then_smaller" in (terms.early_payment, *(credit.early_payment for credit in terms.credits))
    fits = terms.early_interest == "saved" and terms.interest_spread == "as_earned" and terms.plan.kind != "listed"
    check(not smaller or (fits and not _own_term(terms)), "early_payment", terms.early_payment,
          "smaller only where interest is saved and as earned, and all is one level")  # fmt: skip


def _rates_out_of_order(terms: Terms) -> None:
    days = [step.from_day for step in terms.rates]
    check(days[:1] == [0] and days == sorted(set(days)), "rates", days, "steps in order, the first from day 0")
    check(all(step.rate.share >= 0 for step in terms.rates), "rates", days, "not negative")


def _numbers_out_of_range(terms: Terms) -> None:
    check(terms.income_share >= 0, "income_share", terms.income_share, "not negative")
    check(terms.level_multiple_minor >= 1, "level_multiple_minor", terms.level_multiple_minor, "at least 1")
    check(terms.apr_times in apr.APR_TIMES, "apr_times", terms.apr_times, "a name in apr.APR_TIMES")
    check(terms.default_after_days >= 1, "default_after_days", terms.default_after_days, "at least 1")
    check(terms.bill_days is None or 1 <= terms.bill_days <= 60, "bill_days", terms.bill_days, "from 1 to 60")
    check(terms.forgive_under_minor >= 0, "forgive_under_minor", terms.forgive_under_minor, "not negative")
    cap = terms.cost_cap_share
    check(cap is None or cap >= 0, "cost_cap_share", cap, "not negative")


def _fees_twice_or_too_large(terms: Terms) -> None:
    """A kind of fee is a balance: it is agreed once. Of the money, something must be left to send."""
    kinds = [fee.kind for fee in terms.fees]
    check(len(kinds) == len(set(kinds)), "fees", kinds, "each kind once")
    deducted = sum(
        (fee.flat_minor + fee.share * terms.principal_minor)
        * (1 + sum(tax.share for tax in terms.taxes if {"fee", f"fee:{fee.kind}"} & set(tax.on)))
        for fee in terms.fees
        if fee.when == "deducted"
    )
    check(deducted < terms.principal_minor, "fees", deducted, "less than the principal may be deducted")


CHECKS: tuple[Callable[[Terms], None], ...] = (
    _nothing_lent,
    _unknown_names,
    _interest_owed_early,
    _scheduled_interest_saved,
    _rests_without_effect,
    _unknown_day_count_of_the_level,
    _grace_without_end,
    _own_term_without_even_steps,
    _smaller_without_a_level,
    _rates_out_of_order,
    _numbers_out_of_range,
    _fees_twice_or_too_large,
)
