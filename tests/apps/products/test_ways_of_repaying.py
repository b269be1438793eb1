"""Every way of repaying that the core knows can be configured; what makes no sense is refused where it stands."""

from __future__ import annotations

import copy
import json
from datetime import date
from fractions import Fraction
from importlib import resources
from typing import Any

import pytest

from usance.apps.agreements import papers
from usance.apps.institutions.models import Institution
from usance.apps.products import calculator, template
from usance.core.loan.terms import NAMES, DownPayment, Grace
from usance.core.money import Currency

ON = date(2026, 1, 15)
EUR = {
    item["code"]: item["config"]
    for item in json.loads(
        (resources.files("usance.apps.products") / "data" / "demo_eur.json").read_text(encoding="utf-8")
    )
}


def config_of(code: str = "instalments", **changed: Any) -> dict[str, Any]:
    config = copy.deepcopy(EUR[code])
    conventions = config.get("conventions", {}) | changed.pop("conventions", {})
    return config | changed | {"conventions": conventions}


def quoted(config: dict[str, Any], term: int = 4) -> calculator.Quote:
    terms = calculator.build_terms(
        config=template.read(config),
        currency=Currency("EUR", 2),
        amount_minor=100_000,
        term=term,
        customer_kind="first",
        on=ON,
    )
    return calculator.figures(terms=terms, on=ON)


def test_what_is_configured_is_what_the_loan_is_made_of() -> None:
    config = config_of(
        kind="equal_principal",
        down_payment_share="0.2",
        grace={"principal": 1, "interest": 2, "interest_free": 1},
        term={"unit": "months", "min": 4, "max": 4, "step": 1, "default": 4},
        fixed_length={"count": 130, "unit": "days"},
        conventions={
            "interest_base": "financed_principal", "interest_spread": "evenly", "residue": "collect_at_end",
            "day_count": "actual/leap_day_period",
        },
    )  # fmt: skip
    quote = quoted(config)
    terms = quote.terms
    assert (terms.plan.kind, terms.plan.length, terms.plan.length_unit) == ("equal_principal", 130, "days")
    assert (terms.down_payment, terms.grace) == (
        DownPayment(share=Fraction("0.2")),
        Grace(principal=1, interest=2, interest_free=1),
    )
    assert (terms.interest_spread, terms.residue, terms.day_count) == (
        "evenly",
        "collect_at_end",
        "actual/leap_day_period",
    )
    first, second, *rest = quote.instalments
    assert (first.due_on, first.amounts) == (ON, {"principal": 20_000})
    assert second.amounts == {}  # no principal yet, and its month is free
    assert quote.ends_on == date(2026, 5, 25)
    assert sum(row.amounts["principal"] for row in rest) == 80_000


@pytest.mark.parametrize("kind", sorted(set(template.INSTALMENT_KINDS)))
@pytest.mark.parametrize("day_count", sorted(NAMES["day_count"]))
def test_every_kind_is_quoted_under_every_day_count(kind: str, day_count: str) -> None:
    quote = quoted(config_of(kind=kind, conventions={"day_count": day_count}))
    assert sum(row.amounts.get("principal", 0) for row in quote.instalments) == 100_000
    assert quote.cost_minor > 0


def test_a_configuration_from_before_these_choices_means_what_it_meant() -> None:
    config = template.read(EUR["instalments"])
    assert (config.down_payment_share, config.fixed_length, config.grace) == (None, None, template.GraceConfig())
    assert (config.conventions.level_day_count, config.conventions.interest_spread) == ("", "as_earned")
    assert template.read(config.to_json()) == config


@pytest.mark.parametrize(
    ("rests", "told"),
    [
        ("daily", "You then pay interest only for the days that passed."),
        ("each_instalment", "A part that you pay back between two due dates bears interest until the next of them."),
    ],
)
def test_the_agreement_says_from_when_money_lowers_the_interest(rests: str, told: str) -> None:
    terms = quoted(config_of(conventions={"interest_rests": rests})).terms
    bank = Institution(currency="EUR", currency_digits=2)
    frame = papers.Frame(institution=bank, language="en", reference="1", issued_on=ON, code="")
    assert told in " ".join(papers._rights(frame, terms))


FEE = {"kind": "service", "when": "deducted", "share": "0.01", "of": "instalment_total"}
FLAT = {"interest_base": "original_principal", "interest_spread": "evenly"}


@pytest.mark.parametrize(
    ("config", "place"),
    [
        (config_of("short", grace={"principal": 1}), "grace"),
        (config_of(kind="interest_only", grace={"principal": 1}), "grace.principal"),
        (config_of(grace={"principal": 4}), "grace.principal"),
        (config_of(down_payment_share="1"), "down_payment_share"),
        (config_of(fixed_length={"count": 100, "unit": "days"}), "fixed_length"),
        (config_of(kind="interest_only", conventions={"level_day_count": "30/360"}), "conventions.level_day_count"),
        (config_of(conventions={"level_day_count": "30/366"}), "conventions.level_day_count"),
        (config_of(conventions={"interest_spread": "evenly"}), "conventions.interest_spread"),
        (config_of("short", conventions=FLAT), "conventions.interest_spread"),
        (config_of(conventions=FLAT, extension={"days_allowed": [7], "max_count": 1}), "conventions.interest_spread"),
        (config_of(conventions={"interest_base": "financed_principal"}), "conventions.interest_base"),
        (
            config_of(conventions={"interest_base": "original_principal", "interest_rests": "each_instalment"}),
            "conventions.interest_rests",
        ),
        (
            config_of(
                prices=EUR["instalments"]["prices"]
                | {"first": {"rate": {"share": "0.1", "per": "year"}, "fees": [FEE]}}
            ),
            "prices.first.fees.0.of",
        ),
    ],
)
def test_what_makes_no_sense_together_is_refused_where_it_stands(config: dict[str, Any], place: str) -> None:
    with pytest.raises(template.ConfigNotValid) as refused:
        template.read(config)
    assert place in [problem.path for problem in refused.value.problems]
