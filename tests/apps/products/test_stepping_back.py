"""The days to step back that a quote gives: the law's, or the product's where they are more."""

from __future__ import annotations

import copy
from datetime import date

import pytest

from tests.support.institutions import found
from usance.apps.institutions import tenancy
from usance.apps.products import calculator, services
from usance.core.loan.terms import CoolingOff
from usance.ports.actor import SYSTEM

ON = date(2026, 3, 2)
Given = dict[str, int] | None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "given", "agreed"),
    [
        ("ua", None, CoolingOff(days=14, pay_days=7)),  # the law's
        ("ua", {"days": 10, "pay_days": 3}, CoolingOff(days=14, pay_days=7)),  # less is not possible
        ("ua", {"days": 30}, CoolingOff(days=30, pay_days=7)),
        ("ua", {"days": 5, "pay_days": 20}, CoolingOff(days=14, pay_days=20)),
        ("vn", None, None),  # no law, no days
        ("vn", {"days": 3}, CoolingOff(days=3, pay_days=0)),
    ],
)
def test_the_law_is_the_least(code: str, given: Given, agreed: CoolingOff | None) -> None:
    with tenancy.bound(found(code).pk):
        offered = services.found_demo_products(on=ON)[0]
        config = copy.deepcopy(offered.config) | {"cooling_off": given}
        row = services.draft_version(product_id=offered.product_id, config=config, actor=SYSTEM)
        amount = config["amount"]["default_minor"]
        made = calculator.quote(
            version=row, amount_minor=amount, term=config["term"]["default"], customer_kind="first", on=ON
        )
    assert made.terms.cooling_off == agreed
