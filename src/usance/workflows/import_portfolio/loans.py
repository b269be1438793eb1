"""The loans of a portfolio: their lines, schedules and events into terms and a history that the engine can live."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from usance.apps.imports import selectors as imports
from usance.apps.products import calculator, template
from usance.apps.products import selectors as products
from usance.apps.servicing import arrivals
from usance.core.loan.events import Event
from usance.core.loan.terms import Plan, RateStep, Terms, TermsRefused
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.workflows.import_portfolio import happenings
from usance.workflows.import_portfolio.tables import Line

OUR_NUMBERS = re.compile(r"L-\d+|\d+", re.I)
BALANCES = ("principal", "interest", "penalty", "unapplied")
PERS = ("day", "month", "year")


class Offer(NamedTuple):
    """A product that loans may come in as."""

    version_id: UUID
    config: template.Config


@dataclass(frozen=True, slots=True)
class Setting:
    """What the institution has that lines refer to."""

    today: date
    currency: Currency
    units: frozenset[str]
    offers: Mapping[str, Offer]


@dataclass(slots=True)
class Comer:
    """A loan of the files, with its lines."""

    number: str
    line: Line
    schedule: list[Line] = field(default_factory=list)
    events: list[Line] = field(default_factory=list)
    is_known: bool = False
    terms: Terms | None = None
    told: tuple[Event, ...] = ()
    by_source: dict[str, Line] = field(default_factory=dict)
    stated: dict[str, int] = field(default_factory=dict)  # balances that the file says
    as_of: date | None = None

    @property
    def lines(self) -> list[Line]:
        return [self.line, *self.schedule, *self.events]

    @property
    def essence(self) -> str:
        """All that the files say of it."""
        return "\n".join(line.essence for line in self.lines)

    @property
    def is_wrong(self) -> bool:
        return any(line.is_wrong for line in self.lines)


def offers(on: date) -> dict[str, Offer]:
    """The products in force, by code."""
    return {one.product.code: Offer(one.version.pk, one.config) for one in products.products_offered(on=on)}


def read(tables: Mapping[str, Sequence[Line]], setting: Setting) -> dict[str, Comer]:
    """By their numbers. What is wrong is told to the lines."""
    found: dict[str, Comer] = {}
    for line in tables["loans"]:
        number = line.text("loan").upper()
        if number in found:
            line.wrong("loan", "twice", value=number[:30], other=found[number].line.number)
        elif number:
            found[number] = Comer(number, line)
    for kind in ("schedule", "events"):
        for line in tables[kind]:
            comer = found.get(line.text("loan").upper())
            if comer is not None:
                getattr(comer, kind).append(line)
            elif line.text("loan"):
                line.wrong("loan", "loan_unknown", value=line.text("loan")[:30])
    _mark_known(found)
    for comer in found.values():
        if not comer.is_known:
            _make(comer, setting)
    return found


def _mark_known(found: Mapping[str, Comer]) -> None:
    known, taken = imports.known("loan", found), arrivals.numbers_taken(found)
    for number, comer in found.items():
        before = known.get(number)
        if before is not None:
            comer.is_known = True
            if before.content != imports.hash_of("loan.content", comer.essence):
                comer.line.wrong("", "taken_in_otherwise")
        elif OUR_NUMBERS.fullmatch(number):
            comer.line.wrong("loan", "number_ours")
        elif number in taken:
            comer.line.wrong("loan", "number_taken", other=f"X-{number}"[:30])
        elif len(number) > 30:
            comer.line.wrong("loan", "cell_too_long", most=30)


# --- terms -------------------------------------------------------------------------------------------------------


class Basis(NamedTuple):
    """What the line of a loan says besides balances."""

    offer: Offer
    amount: int
    given_on: date
    as_of: date


def _make(comer: Comer, setting: Setting) -> None:
    """Terms and history of a loan, as far as its lines are right."""
    basis = _basis(comer.line, setting)
    schedule = happenings.schedule(comer.schedule, setting.currency)
    comer.stated = _balances(comer.line, setting.currency)
    if basis is None or comer.is_wrong:
        return
    comer.as_of = basis.as_of
    terms = _terms(comer, basis, schedule, setting)
    if terms is None:
        return
    _check_kinds(comer, terms)
    comer.terms = terms
    happenings.tell(comer, basis.given_on, schedule, setting.today)


def _basis(line: Line, setting: Setting) -> Basis | None:
    amount = line.amount("amount", setting.currency)
    given_on, as_of = line.day("disbursed_on"), line.day("as_of")
    branch, code = line.text("branch") or "root", line.text("product")
    offer = setting.offers.get(code)
    if amount == 0:
        line.wrong("amount", "not_an_amount", value="0")
    if branch not in setting.units:
        line.wrong("branch", "branch_unknown", value=branch[:60], choices=", ".join(sorted(setting.units)))
    if code and offer is None:
        line.wrong("product", "product_unknown", value=code[:40], choices=", ".join(setting.offers))
    if as_of and as_of > setting.today:
        line.wrong("as_of", "not_yet", value=as_of.isoformat(), today=setting.today.isoformat())
    if as_of and given_on and given_on >= as_of:
        line.wrong("disbursed_on", "given_later", value=given_on.isoformat(), as_of=as_of.isoformat())
    return Basis(offer, amount, given_on, as_of) if offer and amount and given_on and as_of else None


def _terms(comer: Comer, basis: Basis, schedule: Sequence[happenings.Row], setting: Setting) -> Terms | None:
    """The product's conventions with the loan's own amount, rate, term and dates."""
    line, config = comer.line, basis.offer.config
    share, per = line.share("rate"), line.choice("rate_per", PERS)
    price = config.prices["returning"]
    agreed = _plan(comer, basis, schedule)
    if agreed is None or comer.is_wrong:
        return None
    try:
        terms = calculator.terms_of_another_system(
            config=config, currency=setting.currency, amount_minor=basis.amount, plan=agreed, on=basis.given_on
        )
        if share is None:
            return terms
        step = RateStep(from_day=0, rate=Rate(share, per or price.rate.per))
        return calculator.with_rate(terms, step)
    except TermsRefused as refused:
        line.wrong("", "terms_refused", value=f"{refused.field} {refused.value}"[:80], why=refused.why)
        return None


def _plan(comer: Comer, basis: Basis, schedule: Sequence[happenings.Row]) -> Plan | None:
    """The dates as listed, where the loan lists those to come; else as the product counts them."""
    line, config = comer.line, basis.offer.config
    term = line.count("term", 1, 1200)
    coming = [row for row in schedule if row.due_on > basis.as_of]
    if coming:
        dates = [row.due_on for row in schedule]
        if dates != sorted(set(dates)) or dates[0] <= basis.given_on:
            line.wrong("", "schedule_order")
            return None
        return Plan(
            kind="listed", count=len(schedule), every=config.every, unit=config.term.unit, dates=tuple(dates),
            principals=tuple(row.due.get("principal", 0) for row in schedule),
        )  # fmt: skip
    if term is None:
        line.wrong("term", "no_term")
        return None
    return calculator.plan_of(config, term)


def _balances(line: Line, currency: Currency) -> dict[str, int]:
    """The balances that a line states, zeros too."""
    columns = [*BALANCES, *(name for name in line.cells if ":" in name)]
    said = {name: line.amount(name, currency) for name in columns}
    return {name: amount for name, amount in said.items() if amount is not None}


def _check_kinds(comer: Comer, terms: Terms) -> None:
    """Fees and taxes have the names that the product gives them."""
    there = {f"fee:{fee.kind}" for fee in terms.fees} | {f"tax:{tax.kind}" for tax in terms.taxes}
    for line in (comer.line, *comer.schedule):
        for column, value in line.cells.items():
            if ":" in column and value and column.removeprefix("paid_") not in there:
                line.wrong(column, "not_of_product", value=column, choices=", ".join(sorted(there)) or "—")


def listed_interest(comer: Comer, currency: Currency) -> dict[date, int]:
    """The interest that the file's schedule says of instalments to come."""
    rows = happenings.schedule(comer.schedule, currency)
    return {row.due_on: row.due["interest"] for row in rows if comer.as_of and row.due_on > comer.as_of
            and "interest" in row.due}  # fmt: skip
