"""What the law lets a loan cost, and what it would cost: every rule `cap.*` of the institution's country is a dated row

    {"measure": "daily_total_cost", "limit": "0.01", "exempt_licences": [...], "only_licences": [...],
     "above_minor": ..., "up_to_minor": ..., "up_to_days": ..., "above_days": ...}

whose measure is one function in MEASURES. Fees count, and so does every extension that the terms allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.products import calculator, template
from usance.core import apr, values
from usance.core.loan import close, events, quote, replay, state
from usance.core.loan.terms import Fee, Terms
from usance.core.refusals import Refusal

MOST_TERMS = 20  # of a range of terms, so many are tried before publishing; each contract is checked again by itself


class PriceOverCap(Refusal):
    """A price above what the country's rule allows. `limit` and `figure` are exact text of the rule's measure;
    `figure` is empty where the terms set no bound at all."""

    code = "price_over_cap"
    rule: str
    country: str
    measure: str
    limit: str
    figure: str
    source: str
    amount_minor: int
    currency: str
    days: int
    extensions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One way in which a loan may be lived as agreed: so many extensions, everything paid on its day."""

    terms: Terms
    cost_minor: int
    days: int
    principal_days: int  # sum over days of the principal outstanding, in minor units
    flows: tuple[apr.Flow, ...]
    extensions: int = 0


# --- what a rule measures ----------------------------------------------------------------------------------------


def _daily_total_cost(course: Course) -> Fraction | None:
    """All that it costs, as a share of the loan's amount, per day of its length."""
    return Fraction(course.cost_minor, course.terms.principal_minor * max(course.days, 1))


def _annual_on_principal(course: Course) -> Fraction | None:
    """All that it costs per year, as a share of the principal while it was outstanding."""
    return Fraction(course.cost_minor * 365, max(course.principal_days, 1))


def _apr(course: Course) -> Fraction | None:
    """The effective yearly rate by the terms' own formula; None when it is beyond any bound."""
    try:
        return apr.apr(course.flows, times=course.terms.apr_times)
    except apr.AprUndefined:
        return None if course.cost_minor > 0 else Fraction(0)


def _total_cost_share(course: Course) -> Fraction | None:
    """All that it costs, as a share of the loan's amount."""
    return Fraction(course.cost_minor, course.terms.principal_minor)


def _overdue_rate(course: Course) -> Fraction | None:
    """What a day of past-due principal costs, as a multiple of the dearest agreed rate."""
    agreed = max(step.rate.yearly for step in course.terms.rates)
    late = Fraction(0)
    if course.terms.after_maturity == "continues":
        late += agreed
    if course.terms.penalty is not None:
        late += course.terms.penalty.share * 365
    if not late:
        return Fraction(0)
    return late / agreed if agreed else None


def _penalty_a_year(course: Course) -> Fraction | None:
    """Penalty per year as a share of what is past due."""
    return course.terms.penalty.share * 365 if course.terms.penalty else Fraction(0)


def _penalty_in_all(course: Course) -> Fraction | None:
    """All penalties of the loan as a share of its amount; None when the terms set no bound."""
    penalty = course.terms.penalty
    if penalty is None or not (penalty.share or penalty.flat_minor):
        return Fraction(0)
    return penalty.cap_share


MEASURES: dict[str, Callable[[Course], Fraction | None]] = {
    "daily_total_cost": _daily_total_cost,
    "annual_on_principal": _annual_on_principal,
    "apr": _apr,
    "total_cost_share": _total_cost_share,
    "overdue_rate_times_contract": _overdue_rate,
    "penalty_a_year": _penalty_a_year,
    "penalty_in_all": _penalty_in_all,
}
OF_EACH_COURSE = frozenset({"daily_total_cost", "annual_on_principal", "apr", "total_cost_share"})


# --- the courses that terms allow --------------------------------------------------------------------------------


@lru_cache(maxsize=quote.REMEMBERED)
def courses(terms: Terms, on: date) -> tuple[Course, ...]:
    """As agreed, and with each number of extensions of each length that the terms allow, taken on the due date."""
    terms = _with_all_added(terms)
    planned = quote.projection(terms, on)
    as_agreed = _course(terms, on, prices=[], rows=planned.rows, sent=planned.drawdowns)
    if terms.extension is None:
        return (as_agreed,)
    return (as_agreed, *(way for days in terms.extension.days_allowed for way in _extended(terms, on, days)))


def _with_all_added(terms: Terms) -> Terms:
    """What may be added to the debt later costs as much as if it were added at once."""
    if not terms.income_share:
        return terms
    added = Fee(kind="added_income", when="added_to_principal", share=terms.income_share)
    return replace(terms, fees=(*terms.fees, added), income_share=Fraction(0))


def _extended(terms: Terms, on: date, days: int) -> Iterator[Course]:
    """The loan extended by `days` again and again, each time paid for on the day it would have fallen due."""
    assert terms.extension is not None
    lived = _Life(terms, on)
    lived.happens(events.Approved(effective_on=on, source="cap"))
    lived.happens(events.Disbursed(effective_on=on, source="cap:money", amount_minor=terms.principal_minor))
    prices: list[apr.Flow] = []
    sent = (quote.Drawn(on, terms.principal_minor, quote.net_disbursement(terms)),)
    if at_once := state.due_now(lived.loan):  # a down payment
        lived.happens(events.PaymentReceived(effective_on=on, source="cap:at_once", amount_minor=at_once))
        prices.append(apr.Flow(on, at_once))
    for count in range(1, terms.extension.max_count + 1):
        due_on = state.next_due_on(lived.loan)
        assert due_on is not None
        at_due = close.advance(lived.loan, due_on, daily=False).loan
        price = quote.extension(at_due, due_on, days).price_minor
        lived.happens(events.Extended(effective_on=due_on, source=f"cap:{count}", days=days))
        if price:
            paid = events.PaymentReceived(effective_on=due_on, source=f"cap:{count}:paid", amount_minor=price)
            lived.happens(paid)
            prices.append(apr.Flow(due_on, price))
        rows = [row for row in quote.schedule(lived.loan) if row.due_on > due_on]
        yield _course(terms, on, prices=prices, rows=rows, sent=sent, extensions=count)


class _Life:
    """A loan and what happened to it so far, told in order."""

    def __init__(self, terms: Terms, on: date) -> None:
        self.loan = state.new(terms, on)
        self.history: list[events.Event] = []

    def happens(self, event: events.Event) -> None:
        self.loan = replay.append(self.loan, tuple(self.history), event).loan
        self.history.append(event)


def _course(
    terms: Terms, on: date, *, prices: list[apr.Flow], rows: Sequence[quote.Row], sent: Sequence[quote.Drawn],
    extensions: int = 0,
) -> Course:  # fmt: skip
    out = [apr.Flow(part.on, -part.sent_minor) for part in sent]
    flows = (*out, *prices, *(apr.Flow(row.due_on, row.total_minor) for row in rows))
    principal_days, before, left = 0, on, sent[0].amount_minor
    for row in rows:
        principal_days += left * (row.due_on - before).days
        before, left = row.due_on, row.principal_after_minor
    return Course(
        terms=terms,
        cost_minor=sum(flow.amount_minor for flow in flows),
        days=(before - on).days,
        principal_days=principal_days,
        flows=flows,
        extensions=extensions,
    )


# --- checks ------------------------------------------------------------------------------------------------------


def rules_for(*, country: str, licence: str, on: date) -> list[institutions.CountryRule]:
    """The cap rules that bind a lender of this licence on a date, the newest of each code."""
    newest: dict[str, institutions.CountryRule] = {}
    for row in institutions.rules_in_force(country, on):
        if row.code.startswith("cap.") and row.value.get("measure") in MEASURES:
            newest.setdefault(row.code, row)
    return [row for row in newest.values() if _binds(row.value, licence)]


def _binds(value: Mapping[str, Any], licence: str) -> bool:
    only = value.get("only_licences")
    return bool(licence not in value.get("exempt_licences", ()) and (only is None or licence in only))


def _concerns(value: Mapping[str, Any], course: Course) -> bool:
    """Whether a rule speaks of loans of this amount and length."""
    amount, days = course.terms.principal_minor, course.days
    return bool(
        amount > value.get("above_minor", 0)
        and amount <= value.get("up_to_minor", amount)
        and days > value.get("above_days", -1)
        and days <= value.get("up_to_days", days)
    )


def breaches(*, terms: Terms, on: date, rules: list[institutions.CountryRule]) -> list[PriceOverCap]:
    """Each rule that these terms break, with the highest figure of any course that they allow."""
    ways = courses(terms, on) if rules else ()
    found = []
    for rule in rules:
        limit = Fraction(rule.value["limit"])
        measure = MEASURES[rule.value["measure"]]
        considered = ways if rule.value["measure"] in OF_EACH_COURSE else ways[:1]
        figures = [(way, measure(way)) for way in considered if _concerns(rule.value, way)]
        over = [(way, figure) for way, figure in figures if figure is None or figure > limit]
        if over:
            way, figure = max(over, key=lambda pair: (pair[1] is None, pair[1] or Fraction(0)))
            found.append(_refusal(rule, way, limit, figure))
    return found


def _refusal(rule: institutions.CountryRule, way: Course, limit: Fraction, figure: Fraction | None) -> PriceOverCap:
    return PriceOverCap(
        rule=rule.code,
        country=rule.country,
        measure=rule.value["measure"],
        limit=values.ratio_text(limit),
        figure="" if figure is None else values.ratio_text(figure),
        source=rule.source,
        amount_minor=way.terms.principal_minor,
        currency=way.terms.currency.code,
        days=way.days,
        extensions=way.extensions,
    )


def check_contract(*, terms: Terms, on: date) -> None:
    """Refuses (PriceOverCap) terms that the law of the institution's country does not allow on this day."""
    institution = tenancy.current()
    found = breaches(
        terms=terms, on=on, rules=rules_for(country=institution.country, licence=institution.licence, on=on)
    )
    if found:
        raise found[0]


def check_change(*, before: Terms, after: Terms, on: date) -> None:
    """Refuses (PriceOverCap) to change terms to what the law of a day does not allow, or allows even less."""
    institution = tenancy.current()
    rules = rules_for(country=institution.country, licence=institution.licence, on=on)
    stood = {found.rule: found for found in breaches(terms=before, on=on, rules=rules)}
    for found in breaches(terms=after, on=on, rules=rules):
        earlier = stood.get(found.rule)
        if earlier is None or (earlier.figure and (not found.figure or _above(found, earlier))):
            raise found


def _above(one: PriceOverCap, other: PriceOverCap) -> bool:
    return Fraction(one.figure) > Fraction(other.figure)


def breaches_of_config(
    *, config: template.Config, on: date, customer_kinds: Sequence[str] = template.CUSTOMER_KINDS
) -> list[PriceOverCap]:
    """Each rule that a configuration breaks anywhere in its range, by the worst of the amounts and terms tried: the
    smallest and the largest amount of each kind of customer, at every term (at most MOST_TERMS of them)."""
    institution = tenancy.current()
    rules = rules_for(country=institution.country, licence=institution.licence, on=on)
    worst: dict[str, PriceOverCap] = {}
    for terms in _corners(config, on, customer_kinds) if rules else ():
        for found in breaches(terms=terms, on=on, rules=rules):
            known = worst.get(found.rule)
            if known is None or _size(found) > _size(known):
                worst[found.rule] = found
    return list(worst.values())


def _size(found: PriceOverCap) -> tuple[bool, Fraction]:
    return (found.figure == "", Fraction(found.figure or 0))


def _corners(config: template.Config, on: date, customer_kinds: Sequence[str]) -> Iterator[Terms]:
    currency = calculator.currency_of_institution()
    offered = list(config.term.values())
    every = -(-len(offered) // MOST_TERMS)
    terms_tried = sorted({*offered[::every], offered[-1], config.term.default})
    for customer_kind in customer_kinds:
        top = config.max_amount(customer_kind)
        for amount_minor in sorted({config.amount.min_minor, top}):
            for term in terms_tried:
                yield calculator.build_terms(
                    config=config,
                    currency=currency,
                    amount_minor=amount_minor,
                    term=term,
                    customer_kind=customer_kind,
                    on=on,
                )
