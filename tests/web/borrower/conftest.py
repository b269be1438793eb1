"""What the borrower's tests of a running loan share; after each, the whole audit is clean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.apps.payments.money import Money
    from tests.web.borrower.owing import Phone


@pytest.fixture
def money(institution: Any, tmp_path: Path) -> Iterator[Money]:
    from django.test import override_settings

    from tests.apps.payments.money import opened
    from usance.workflows.audit_books import audit_books

    with override_settings(MEDIA_ROOT=tmp_path), opened(institution) as made:
        yield made
        assert [str(one) for one in audit_books(full=True).differences] == []


@pytest.fixture
def person(money: Money) -> Phone:
    """Somebody with a card, its mandate, and a phone."""
    from tests.web.borrower.owing import Phone

    return Phone(money, money.customer())
