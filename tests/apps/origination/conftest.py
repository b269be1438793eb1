"""The world of these tests; queue and clock are put back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.apps.origination.people import World
    from usance.apps.institutions.models import Institution


@pytest.fixture
def world(institution: Institution) -> Iterator[World]:
    from tests.apps.origination import people
    from usance.ports import clock, queue

    before = queue._queue
    try:
        yield people.world()
    finally:
        queue.install(before)  # type: ignore[arg-type]
        clock.install(clock.RealClock())
