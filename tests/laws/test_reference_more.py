"""The other half of the histories in which the engine must equal the slow reference."""

from __future__ import annotations

from tests.laws import histories
from tests.laws.test_reference import HALF


def test_engine_equals_the_slow_reference_in_the_other_half() -> None:
    found = histories.differing(HALF, HALF)
    assert not found, "\n".join(found[:5])
