"""The other half of the histories in which the engine must equal the slow reference."""

from __future__ import annotations

import pytest

from tests.laws import histories
from tests.laws.test_reference import FIRST, HALF


@pytest.mark.parametrize("first", FIRST)
def test_engine_equals_the_slow_reference_in_the_other_half(first: int) -> None:
    found = histories.differing(HALF + first, FIRST.step)
    assert not found, "\n".join(found[:5])
