"""A price above what the law allows can neither be published nor agreed, whatever was configured."""

from __future__ import annotations

import copy
import json
from datetime import date
from fractions import Fraction
from importlib import resources
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.institutions import found
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import Institution
from usance.apps.products import calculator, caps, services, template
from usance.apps.products.models import ProductVersion
from usance.core.loan import quote
from usance.ports.actor import SYSTEM
from usance.web import refusals

ON = date(2026, 3, 2)
UAH = {
    item["code"]: item["config"]
    for item in json.loads(
        (resources.files("usance.apps.products") / "data" / "demo_uah.json").read_text(encoding="utf-8")
    )
}


@pytest.fixture
def kyiv(db: None) -> Any:
    founded = found("ua")
    with tenancy.bound(founded.pk):
        yield founded


NAMES = {
    "cap.daily_total_cost": "Most that a loan may cost a day",
    "cap.penalty_small_loans": "Most penalty on small loans",
    "cap.penalty_rate": "Most for being late",
}


def priced(share: str, *, code: str = "short", **changed: Any) -> dict[str, Any]:
    """A demo configuration with one rate a day for everybody, no promotion and no fees."""
    config = copy.deepcopy(UAH[code])
    price = {"rate": {"share": share, "per": "day"}, "fees": changed.pop("fees", [])}
    return config | {"prices": {"first": price, "returning": price}} | changed


def drafted(config: dict[str, Any]) -> ProductVersion:
    product = services.create_product(
        code=f"p{ProductVersion.objects.count()}", kind=config["kind"], names={"en": "P"}, actor=SYSTEM
    )
    return services.draft_version(product_id=product.pk, config=config, actor=SYSTEM)


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (priced("0.0101"), "cap.daily_total_cost"),
        (priced("0.0099", fees=[{"kind": "service", "when": "deducted", "flat_minor": 100}]), "cap.daily_total_cost"),
        (priced("0.0099", conventions={**UAH["short"]["conventions"], "income_share": "0.02"}), "cap.daily_total_cost"),
        (
            priced("0.0099", fees=[{"kind": "service", "when": "added_to_principal", "share": "0.02"}]),
            "cap.daily_total_cost",
        ),
        (priced("0.0099", fees=[{"kind": "more", "when": "on_extension", "share": "0.05"}]), "cap.daily_total_cost"),
        (
            priced("0.005", penalty={"rule": "daily_on_past_due_principal", "share": "0.0008"}),
            "cap.penalty_small_loans",
        ),
        (
            priced("0.005", penalty={"rule": "daily_on_past_due_principal", "share": "0.002", "cap_share": "0.5"}),
            "cap.penalty_rate",
        ),
    ],
)
def test_a_price_above_the_cap_is_refused_with_the_rule_and_the_figure(
    kyiv: Institution, config: dict[str, Any], rule: str
) -> None:
    draft = drafted(config)
    with pytest.raises(caps.PriceOverCap) as refusal:
        services.publish(version_id=draft.pk, starts_on=ON, actor=SYSTEM)
    assert refusal.value.rule == rule
    draft.refresh_from_db()
    assert draft.state == "draft"
    words = refusals.sentence(refusal.value)
    assert NAMES[rule] in words
    assert "Ukraine" in words


def test_the_figure_is_the_worst_of_the_whole_range(kyiv: Institution) -> None:
    fees = [
        {"kind": "service", "when": "deducted", "flat_minor": 5_000}
    ]  # 50 hryvnias hurt the smallest, shortest loan
    with pytest.raises(caps.PriceOverCap) as refusal:
        services.publish(version_id=drafted(priced("0.005", fees=fees)).pk, starts_on=ON, actor=SYSTEM)
    assert (refusal.value.amount_minor, refusal.value.days) == (50_000, 5)
    assert Fraction(refusal.value.figure) == Fraction("0.005") + Fraction(5_000, 50_000 * 5)


def test_exactly_the_cap_is_allowed(kyiv: Institution) -> None:
    assert services.publish(version_id=drafted(priced("0.01")).pk, starts_on=ON, actor=SYSTEM).state == "published"


def test_an_older_day_had_another_cap(kyiv: Institution) -> None:
    config = template.read(priced("0.014"))
    assert caps.breaches_of_config(config=config, on=ON)
    assert not caps.breaches_of_config(config=config, on=date(2024, 6, 1))


def test_a_licence_that_the_rule_exempts_is_not_bound(institution: Institution) -> None:
    config = priced("0.002", penalty=None)
    config["amount"] = {"min_minor": 500_000, "max_minor": 900_000, "step_minor": 100_000, "default_minor": 500_000}
    draft = drafted(config)
    with pytest.raises(caps.PriceOverCap) as refusal:
        services.publish(version_id=draft.pk, starts_on=ON, actor=SYSTEM)
    assert refusal.value.rule == "cap.annual_rate"
    Institution.objects.filter(pk=institution.pk).update(licence="finance_company")
    tenancy.forget_row()
    assert services.publish(version_id=draft.pk, starts_on=ON, actor=SYSTEM).state == "published"


def test_a_contract_is_checked_on_its_own_day(kyiv: Institution) -> None:
    terms = calculator.build_terms(
        config=template.read(priced("0.012")),
        currency=calculator.currency_of_institution(),
        amount_minor=500_000,
        term=30,
        customer_kind="first",
        on=ON,
    )
    with pytest.raises(caps.PriceOverCap):
        caps.check_contract(terms=terms, on=ON)
    caps.check_contract(terms=terms, on=date(2024, 6, 1))


SHARES = st.integers(0, 150).map(lambda n: f"{n / 10_000:.4f}")
FEES = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.just("service"),
            "when": st.sampled_from(["deducted", "added_to_principal", "per_instalment", "on_extension"]),
            "flat_minor": st.integers(0, 3_000),
            "share": SHARES,
        }
    ),
    max_size=1,
)


# each example leaves nothing: what it wrote is rolled back to a savepoint
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(["short", "instalments"]), SHARES, FEES, st.data())
def test_whatever_was_published_no_loan_of_it_costs_more_than_the_cap(
    kyiv: Institution, code: str, share: str, fees: list[dict[str, Any]], data: st.DataObject
) -> None:
    """The calculator's own figures, taken anywhere in the range, against the law: nothing of `caps` is used."""
    with transaction.atomic():
        draft = drafted(priced(share, code=code, fees=fees))
        try:
            version = services.publish(version_id=draft.pk, starts_on=ON, actor=SYSTEM)
        except caps.PriceOverCap:
            transaction.set_rollback(True)
            return
        config = template.read(version.config)
        amount = data.draw(st.sampled_from(list(config.amount.range().values())[::7]))
        top = config.max_amount("first")
        term = data.draw(st.sampled_from(list(config.term.values())))
        shown = calculator.quote(
            version=version, amount_minor=min(amount, top), term=term, customer_kind="first", on=ON
        )
        planned = quote.projection(shown.terms, ON)
        assert (planned.cost_minor, planned.total_minor) == (shown.cost_minor, shown.total_minor)
        # one minor unit of rounding: each contract is checked by itself besides
        assert shown.cost_minor <= Fraction("0.01") * shown.amount_minor * shown.days + 1
        transaction.set_rollback(True)
