"""The books of a Vietnamese lender. Models are imported in the fixture: this file is read before Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from usance.apps.institutions.models import Institution


@pytest.fixture
def books(institution: Institution) -> Institution:
    """The institution with its books opened."""
    from usance.apps.ledger import services as ledger

    ledger.open_books()
    return institution
