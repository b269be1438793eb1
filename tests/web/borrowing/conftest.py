"""A lender as in production, without a network; every test ends with sound books and whole chains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.apps.payments.money import Money
    from tests.web.borrowing.visitor import Visitor


@pytest.fixture
def money(institution: Any, tmp_path: Path, settings: Any) -> Iterator[Money]:
    from tests.apps.payments.money import ON, opened
    from usance.apps.audit import services as trail
    from usance.apps.decisioning import services as decisioning
    from usance.apps.ledger import services as ledger
    from usance.apps.products import services as products
    from usance.workflows.audit_books import audit_books

    settings.MEDIA_ROOT = tmp_path
    with opened(institution) as made:
        ledger.ensure_partitions(since=ON)
        products.found_demo_products(on=ON)
        decisioning.found_first_rules(on=ON)
        yield made
        trail.link_pending()
        assert [str(difference) for difference in audit_books(full=True).differences] == []


@pytest.fixture
def visitor(money: Money) -> Visitor:
    from tests.web.borrowing.visitor import Visitor

    return Visitor(money)
