"""The desk of these tests; queue and clock are put back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.web.staff.desk_world import Desk
    from tests.web.staff.lending import Lender


@pytest.fixture
def desk(institution: Any) -> Iterator[Desk]:
    from tests.web.staff.desk_world import Desk
    from usance.ports import clock, queue

    before = queue._queue
    try:
        yield Desk(institution)
    finally:
        queue.install(before)  # type: ignore[arg-type]
        clock.install(clock.RealClock())


@pytest.fixture
def lender(institution: Any) -> Iterator[Lender]:
    """An institution that has lent money; queue and clock are put back afterwards."""
    from tests.web.staff import lending
    from usance.ports import clock, queue

    before = queue._queue
    try:
        yield lending.lender(institution)
    finally:
        queue.install(before)  # type: ignore[arg-type]
        clock.install(clock.RealClock())
