"""The figures of a loan before it exists: the same call of the core that makes the contract and its schedule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.products import template
from usance.apps.products.models import ProductVersion
from usance.apps.products.template import Config
from usance.core import calendar, values
from usance.core.calendar import WorkCalendar
from usance.core.loan import quote as core_quote
from usance.core.loan import terms as core
from usance.core.loan.terms import Terms
from usance.core.money import Currency
from usance.core.refusals import Refusal

CALENDAR_MARGIN = timedelta(days=60)  # an extension or a roll may reach past the last due date


class AmountNotOffered(Refusal):
    """The amount is outside what this customer may ask for, or between two steps."""

    code = "amount_not_offered"
    amount_minor: int
    min_minor: int
    max_minor: int
    step_minor: int
    currency: str


class TermNotOffered(Refusal):
    """The term is outside what the product offers, or between two steps."""

    code = "term_not_offered"
    term: int
    min: int
    max: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One dated payment and what it is made of: balance ("principal", "interest", "fee:service") -> minor units."""

    number: int
    due_on: date
    total_minor: int
    principal_after_minor: int
    amounts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Money that is expected to be sent on a day: of so much principal, less what is kept back."""

    on: date
    amount_minor: int
    sent_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a loan would cost. `cost_minor` is everything besides the principal, deducted fees included."""

    terms: Terms
    on: date
    currency: str
    amount_minor: int
    received_minor: int
    total_minor: int
    cost_minor: int
    apr: Fraction | None
    daily_cost: Fraction
    deducted: dict[str, int]
    by_balance: dict[str, int]
    ends_on: date
    days: int
    instalments: tuple[Instalment, ...]
    parts: tuple[Part, ...]  # of the money, as they are expected

    def to_json(self) -> dict[str, Any]:
        """For a page's script and for the record of an offer: plain JSON, shares as exact text."""
        figures = {
            name: getattr(self, name) for name in self.__slots__ if name not in ("terms", "instalments", "parts")
        }
        plain = {name: item if isinstance(item, dict) else values.encode(item) for name, item in figures.items()}
        return {**plain, "instalments": [_row_json(row) for row in self.instalments],
                "parts": [values.encode(part) for part in self.parts]}  # fmt: skip


def _row_json(row: Instalment) -> dict[str, Any]:
    return {
        "number": row.number,
        "due_on": row.due_on.isoformat(),
        "total_minor": row.total_minor,
        "principal_after_minor": row.principal_after_minor,
        "amounts": row.amounts,
    }


def currency_of_institution() -> Currency:
    institution = tenancy.current()
    return Currency(institution.currency, institution.currency_digits)


def build_terms(
    *, config: Config, currency: Currency, amount_minor: int, term: int, customer_kind: str, on: date
) -> Terms:
    """The terms of one loan signed on `on`. Raises AmountNotOffered, TermNotOffered, TermsRefused."""
    _check_offered(config, currency, amount_minor, term, customer_kind)
    return _terms(config, currency, amount_minor, plan_of(config, term), customer_kind, on)


def _days_to_step_back(config: Config, on: date) -> core.CoolingOff | None:
    """What the law of the institution's country gives who signs on that day, or the product, where that is more."""
    rule = institutions.rule(tenancy.current().country, "cooling_off", on)
    given = [(rule["days"], rule.get("repay_within_days", 0))] if rule else []
    if config.cooling_off is not None:
        given.append((config.cooling_off.days, config.cooling_off.pay_days))
    if not given:
        return None
    days, pay_days = (max(each) for each in zip(*given, strict=True))
    return core.CoolingOff(days=days, pay_days=pay_days)


def terms_of_another_system(
    *, config: Config, currency: Currency, amount_minor: int, plan: core.Plan, on: date
) -> Terms:
    """The terms of a loan that was made elsewhere, on `on`: by this configuration's conventions, with its own plan and
    amount, whatever is on offer now. Raises TermsRefused."""
    return replace(
        _terms(config, currency, amount_minor, plan, template.RETURNING, on),
        grace=core.Grace() if plan.kind == "listed" else core.Grace(**dict(config.grace)),
        down_payment=None,
        drawdowns=None,
    )


def with_rate(terms: Terms, step: core.RateStep) -> Terms:
    """The same terms at one other rate."""
    return replace(terms, rates=(step,))


def _terms(
    config: Config, currency: Currency, amount_minor: int, plan: core.Plan, customer_kind: str, on: date
) -> Terms:
    price = config.prices[customer_kind]  # type: ignore[index]
    return Terms(
        currency=currency,
        principal_minor=amount_minor,
        plan=plan,
        rates=price.steps(),
        signed_on=on,
        fees=tuple(core.Fee(**dict(fee)) for fee in price.fees),
        taxes=tuple(core.Tax(**dict(tax)) for tax in config.taxes),
        penalty=core.Penalty(**dict(config.penalty)) if config.penalty else None,
        allocation=core.Allocation(**dict(config.allocation)),
        extension=core.Extension(**dict(config.extension)) if config.extension else None,
        work_calendar=_work_calendar(config, plan, on),
        grace=core.Grace(**dict(config.grace)),
        down_payment=core.DownPayment(share=config.down_payment_share) if config.down_payment_share else None,
        drawdowns=config.drawdowns.to_core() if config.drawdowns else None,
        non_accrual=core.NonAccrual(**dict(config.non_accrual)) if config.non_accrual else None,
        **dict(config.conventions),
    )


def plan_of(config: Config, term: int) -> core.Plan:
    """When and how a loan of so long a term is repaid."""
    if config.kind == "single_payment":
        return core.Plan(kind=config.kind, every=term * config.every, unit=config.term.unit)
    return core.Plan(
        kind=config.kind,
        count=term,
        every=config.every,
        unit=config.term.unit,
        length=config.fixed_length.count if config.fixed_length else 0,
        length_unit=config.fixed_length.unit if config.fixed_length else "days",
    )


def _check_offered(config: Config, currency: Currency, amount_minor: int, term: int, customer_kind: str) -> None:
    top = config.max_amount(customer_kind)
    if not config.amount.range().holds(amount_minor) or amount_minor > top:
        raise AmountNotOffered(
            amount_minor=amount_minor,
            min_minor=config.amount.min_minor,
            max_minor=top,
            step_minor=config.amount.step_minor,
            currency=currency.code,
        )
    if not config.term.holds(term):
        raise TermNotOffered(term=term, min=config.term.min, max=config.term.max, unit=config.term.unit)


def _work_calendar(config: Config, plan: core.Plan, on: date) -> WorkCalendar:
    """The institution's days off as they are known on the day of signing, where due dates move off them."""
    if config.conventions.roll == "keep":
        return WorkCalendar()
    usual, moved = calendar.STEPS[plan.unit], calendar.STEPS[plan.length_unit]
    ends_on = max(usual(on, plan.every * plan.count), moved(on, plan.length)) + CALENDAR_MARGIN
    weekdays = tenancy.current().desk_weekdays
    marked = institutions.holidays_between(on, ends_on)
    return WorkCalendar(
        days_off=tuple(day - 1 for day in range(1, 8) if day not in weekdays),
        holidays=frozenset(day for day, works in marked.items() if not works),
    )


def quote(*, version: ProductVersion, amount_minor: int, term: int, customer_kind: str, on: date) -> Quote:
    """What a loan by this version would cost when its money arrives on `on`."""
    config = template.read(version.config)
    terms = build_terms(
        config=config,
        currency=currency_of_institution(),
        amount_minor=amount_minor,
        term=term,
        customer_kind=customer_kind,
        on=on,
    )
    return figures(terms=replace(terms, cooling_off=_days_to_step_back(config, on)), on=on)


def figures(*, terms: Terms, on: date) -> Quote:
    """The figures of frozen terms when the money arrives on `on`: contract, key facts and calculator call this."""
    planned = core_quote.projection(terms, on)
    return Quote(
        terms=terms,
        on=on,
        currency=terms.currency.code,
        amount_minor=terms.principal_minor,
        received_minor=planned.sent_minor,
        total_minor=planned.total_minor,
        cost_minor=planned.cost_minor,
        apr=planned.apr,
        daily_cost=planned.daily_cost,
        deducted=dict(planned.deducted),
        by_balance=dict(planned.by_balance),
        ends_on=planned.ends_on,
        days=planned.days,
        instalments=tuple(
            Instalment(
                number=row.number,
                due_on=row.due_on,
                total_minor=row.total_minor,
                principal_after_minor=row.principal_after_minor,
                amounts=dict(row.amounts),
            )
            for row in planned.rows
        ),
        parts=tuple(Part(on=on, amount_minor=amount, sent_minor=sent) for on, amount, sent in planned.drawdowns),
    )


def check_amount(*, version: ProductVersion, amount_minor: int, customer_kind: str) -> None:
    """Raises AmountNotOffered for an amount that this version does not offer to this kind of customer."""
    config = template.read(version.config)
    _check_offered(config, currency_of_institution(), amount_minor, config.term.default, customer_kind)


def terms_for(*, terms: Terms, amount_minor: int, on: date) -> Terms:
    """The same terms for another amount, signed on another day: prices and conventions stay as they were frozen."""
    return replace(terms, principal_minor=amount_minor, signed_on=on)


def terms_signed_on(*, terms: Terms, on: date) -> Terms:
    """The same terms, signed on another day: an offer made on one day and accepted on a later one."""
    return replace(terms, signed_on=on)
