from __future__ import annotations

import pytest

from usance.apps.institutions.models import Institution
from usance.apps.ledger import services as ledger


@pytest.fixture
def books(institution: Institution) -> Institution:
    """The institution with its books opened."""
    ledger.open_books()
    return institution
