"""The world of these tests; queue, clock and providers are put back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.apps.payments.money import Money
    from usance.apps.institutions.models import Institution


@pytest.fixture
def money(institution: Institution) -> Iterator[Money]:
    from tests.apps.payments.money import opened

    with opened(institution) as made:
        yield made


@pytest.fixture
def client_of_the_rail(money: Any) -> Any:
    """Whatever knocks at our callback address."""
    from django.test import Client

    return Client(headers={"host": "localhost"})
