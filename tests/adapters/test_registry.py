"""Which adapter plays a role, and the guard against calls from inside a transaction."""

from __future__ import annotations

import pytest

from usance.ports import outside, registry
from usance.ports.registry import EVERY_INSTITUTION, MESSENGER, PAYMENT_RAIL, NoAdapter, Registry


def test_an_institutions_own_choice_comes_before_everybodys() -> None:
    made = Registry()
    made.offer(PAYMENT_RAIL, "fake", lambda settings: ("fake", settings["key"]))
    made.choose(PAYMENT_RAIL, "fake", {"key": 1})
    made.choose(PAYMENT_RAIL, "fake", {"key": 2}, institution="vn")
    assert made.get(PAYMENT_RAIL, "ua") == ("fake", 1)
    assert made.get(PAYMENT_RAIL, "vn") == ("fake", 2)
    assert made.get(PAYMENT_RAIL, "vn") is made.get(PAYMENT_RAIL, "vn")
    made.choose(PAYMENT_RAIL, "fake", {"key": 3}, institution=EVERY_INSTITUTION)
    assert made.get(PAYMENT_RAIL, "ua") == ("fake", 3)
    assert made.get(PAYMENT_RAIL, "vn") == ("fake", 2)


def test_what_nobody_offered_or_chose_is_a_defect() -> None:
    made = Registry()
    with pytest.raises(NoAdapter):
        made.choose(PAYMENT_RAIL, "nobody", {})
    with pytest.raises(NoAdapter):
        made.get(MESSENGER, "vn")


def test_a_ready_adapter_can_be_put_in_place() -> None:
    before = registry.install(Registry())
    try:
        rail = object()
        registry.put(PAYMENT_RAIL, rail)
        assert registry.payment_rail("vn") is rail
    finally:
        registry.install(before)


def test_a_call_inside_a_transaction_crashes_loudly() -> None:
    before = outside.install(lambda: True)
    try:
        with pytest.raises(outside.InsideTransaction, match="Fondy"):
            outside.assert_outside_transaction("Fondy")
    finally:
        outside.install(before)
