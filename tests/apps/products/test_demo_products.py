"""The products that the demo institutions start with: lawful, readable, and priced by the core."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import transaction

from tests.support.institutions import found
from usance.apps.institutions import tenancy
from usance.apps.products import selectors, services

ON = date(2026, 3, 2)


@pytest.mark.parametrize("code", ["vn", "ua", "eu"])
def test_demo_products_are_published_and_quote(db: None, code: str) -> None:
    institution = found(code)
    with tenancy.bound(institution.pk), transaction.atomic():
        assert len(services.found_demo_products(on=ON)) == 2
        assert services.found_demo_products(on=ON) == []
        for offered in selectors.products_offered(on=ON):
            for quotes in selectors.preview(version_id=offered.version.pk, on=ON).values():
                for quote in quotes:
                    assert quote.total_minor - quote.received_minor == quote.cost_minor
                    assert quote.received_minor <= quote.amount_minor
                    assert sum(row.total_minor for row in quote.instalments) == quote.total_minor
                    assert quote.instalments[-1].principal_after_minor == 0
