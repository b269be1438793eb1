"""All faults at once, by seed: whatever happens on the way, asking finds out, and nothing happens twice."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.contracts.harness import InProcess, Provider
from usance.ports.payment_rail import Accepted, Answer, DebitOrder, Declined, OrderKind, PayoutOrder, Unknown, Why

FAULTS = (
    {"kind": "timeout_before", "share": 10},
    {"kind": "timeout_after", "share": 10},
    {"kind": "http_error", "share": 5},
    {"kind": "delay", "value": 30, "share": 5},
    {"kind": "processing", "value": 60, "share": 15},
    {"kind": "decline", "value": "1037", "share": 15},
    {"kind": "duplicate_callbacks", "value": 3, "share": 20},
    {"kind": "shuffle_callbacks", "value": 600, "share": 30},
    {"kind": "lose_callbacks", "share": 20},
)


def send(provider: Provider, number: int, token: str) -> tuple[str, OrderKind, Answer]:
    amount, rail = 1000 + number, provider.rail()
    asked: dict[str, Any] = {
        "order_id": f"o-{number}",
        "amount_minor": amount,
        "currency": "UAH",
        "description": "x",
        "token": token,
        "callback_url": provider.reach.callback_url,
    }
    if number % 2:
        return asked["order_id"], OrderKind.DEBIT, rail.debit_card(DebitOrder(**asked))
    return asked["order_id"], OrderKind.PAYOUT, rail.payout_to_card(PayoutOrder(**asked))


@pytest.mark.parametrize("seed", range(3))
def test_asking_finds_out_and_nothing_happens_twice(seed: int) -> None:
    provider = Provider(InProcess(), "")
    token = provider.linked_card("card")
    provider.settings(seed=seed)
    for operation in ("recurring", "p2pcredit", "status"):
        for fault in FAULTS:
            if operation != "status" or fault["kind"] in ("timeout_before", "http_error", "delay"):
                provider.dial(operation=operation, **fault)
    sent = [send(provider, number, token) for number in range(120)]
    assert {type(answer) for _, _, answer in sent} == {Accepted, Declined, Unknown}
    random.Random(seed).shuffle(sent)
    provider.reach.pass_time(100)
    for order_id, kind, first in sent:
        final = _ask_until_known(provider, order_id, kind)
        booked = provider.book(order_id)
        if isinstance(final, Unknown):
            assert final.why is Why.NOT_FOUND
            assert booked is None
            assert isinstance(first, Unknown)
            continue
        assert booked is not None
        assert (booked["status"], booked["sent_count"]) == (
            "approved" if isinstance(final, Accepted) else "declined",
            1,
        )
        if not isinstance(first, Unknown):
            assert type(first) is type(final)
    _callbacks_agree(provider)


def _ask_until_known(provider: Provider, order_id: str, kind: OrderKind) -> Answer:
    """Asks again while the question itself fails."""
    for _ in range(20):
        answer = provider.rail().status(order_id=order_id, kind=kind)
        if not isinstance(answer, Unknown) or answer.why is Why.NOT_FOUND:
            return answer
    raise AssertionError(f"{order_id} stays unknown")


def _callbacks_agree(provider: Provider) -> None:
    """Late, repeated and shuffled, every notice about a final state says what the book says."""
    provider.reset()
    provider.reach.pass_time(700)
    provider.reach.callbacks("", 0)
    assert provider.reach.came
    seen: dict[str, Answer] = {}
    for callback in provider.reach.came:
        notice = provider.rail().parse_callback(body=callback.body, content_type=callback.content_type)
        assert seen.setdefault(notice.event_id, notice.answer) == notice.answer
        if isinstance(notice.answer, Unknown) or not notice.order_id.startswith("o-"):
            continue
        booked = provider.book(notice.order_id)
        assert booked is not None
        assert booked["status"] == notice.answer.raw_status
