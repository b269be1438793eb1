"""The contract of the payment rail: what every adapter must do."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.contracts.harness import Callback, Provider
from usance.adapters.fondy.signature import sign
from usance.ports import outside
from usance.ports.payment_rail import (
    Accepted,
    CallbackRefused,
    DebitOrder,
    Declined,
    Hint,
    Opened,
    OrderKind,
    PaymentRail,
    PayoutOrder,
    Reason,
    RefundOrder,
    Unknown,
    Why,
    settle,
)


def debit(order_id: str, token: str, amount_minor: int = 50_000, **more: Any) -> DebitOrder:
    asked = {"order_id": order_id, "amount_minor": amount_minor, "currency": "UAH", "description": "Instalment"}
    return DebitOrder(**(asked | {"token": token} | more))


def payout(order_id: str, token: str, amount_minor: int = 100_000, **more: Any) -> PayoutOrder:
    asked = {"order_id": order_id, "amount_minor": amount_minor, "currency": "UAH", "description": "Loan"}
    return PayoutOrder(**(asked | {"token": token} | more))


def test_an_adapter_is_a_payment_rail_and_alive(provider: Provider) -> None:
    rail = provider.rail()
    assert isinstance(rail, PaymentRail)
    assert rail.is_alive()


def test_a_dead_provider_is_unknown_not_an_exception() -> None:
    from usance.adapters import fondy

    rail = fondy.build(
        {"base_url": "http://127.0.0.1:9/api", "merchant_id": "1", "payment_key": "a", "credit_key": "b"}
    )
    assert not rail.is_alive()
    answer = rail.payout_to_card(payout("o", "t"))
    assert isinstance(answer, Unknown)
    assert answer.why is Why.NO_ANSWER


# --- the hosted page --------------------------------------------------------------------------------


def test_a_linked_card_gives_a_token_and_no_number(provider: Provider, new_id: Any) -> None:
    rail, order_id = provider.rail(), new_id("link")
    opened = rail.open_card_link(provider.hosted(order_id))
    assert isinstance(opened, Opened)
    waiting = rail.status(order_id=order_id, kind=OrderKind.LINK_CARD)
    assert isinstance(waiting, Unknown)
    assert waiting.why is Why.WAITING_FOR_PAYER
    provider.be_the_customer(opened, "good_3ds")
    answer = rail.status(order_id=order_id, kind=OrderKind.LINK_CARD)
    assert isinstance(answer, Accepted)
    assert answer.agrees_with(137, "UAH")
    assert not answer.is_reversed  # the release of the hold is not a reversal
    assert answer.card.token
    assert (answer.card.last4, answer.card.brand) == ("1111", "VISA")
    assert provider.CARDS["good_3ds"] not in repr(answer)
    assert answer.card.token not in repr(answer)


def test_the_same_card_has_the_same_token_at_a_merchant(provider: Provider, new_id: Any) -> None:
    first, second = provider.linked_card(new_id()), provider.linked_card(new_id())
    assert first == second
    assert provider.linked_card(new_id(), currency="EUR") != first


def test_who_cannot_tell_the_held_amount_is_not_the_owner(provider: Provider, new_id: Any) -> None:
    rail, order_id = provider.rail(), new_id("link")
    opened = rail.open_card_link(provider.hosted(order_id))
    assert isinstance(opened, Opened)
    provider.be_the_customer(opened, "good", held="1.11")
    answer = rail.status(order_id=order_id, kind=OrderKind.LINK_CARD)
    assert isinstance(answer, Declined)
    assert answer.reason is Reason.NOT_OWNER


def test_a_purchase_on_the_page(provider: Provider, new_id: Any) -> None:
    rail, order_id = provider.rail(), new_id("buy")
    opened = rail.open_checkout(provider.hosted(order_id, amount_minor=123_456))
    assert isinstance(opened, Opened)
    provider.be_the_customer(opened, "good")
    answer = rail.status(order_id=order_id, kind=OrderKind.PURCHASE)
    assert isinstance(answer, Accepted)
    assert answer.agrees_with(123_456, "UAH")
    assert answer.reference == opened.reference


@pytest.mark.parametrize(
    ("card", "reason"), [("declined", Reason.ISSUER_DECLINED), ("fails_3ds", Reason.NOT_AUTHENTICATED)]
)
def test_a_card_that_is_declined_on_the_page(provider: Provider, new_id: Any, card: str, reason: Reason) -> None:
    rail, order_id = provider.rail(), new_id("buy")
    opened = rail.open_checkout(provider.hosted(order_id))
    assert isinstance(opened, Opened)
    provider.be_the_customer(opened, card)
    answer = rail.status(order_id=order_id, kind=OrderKind.PURCHASE)
    assert isinstance(answer, Declined)
    assert answer.reason is reason


def test_a_page_that_nobody_used_expires(provider: Provider, new_id: Any) -> None:
    rail, order_id = provider.rail(), new_id("buy")
    rail.open_checkout(provider.hosted(order_id, lifetime_s=1))
    provider.reach.pass_time(1.1)
    answer = rail.status(order_id=order_id, kind=OrderKind.PURCHASE)
    assert isinstance(answer, Declined)
    assert answer.reason is Reason.PAYER_LEFT


# --- debits and payouts -------------------------------------------------------------------------------


def test_money_goes_out_and_comes_in(provider: Provider, new_id: Any) -> None:
    rail, token = provider.rail(), provider.linked_card(new_id())
    paid = rail.payout_to_card(payout(new_id("pay"), token))
    assert isinstance(paid, Accepted)
    assert paid.agrees_with(100_000, "UAH")
    got = rail.debit_card(debit(new_id("debit"), token))
    assert isinstance(got, Accepted)
    assert got.agrees_with(50_000, "UAH")
    assert got.value_at is not None
    assert got.value_at.tzinfo is UTC


def test_a_currency_without_decimals(provider: Provider, new_id: Any) -> None:
    rail, token = provider.rail("VND"), provider.linked_card(new_id(), currency="VND")
    answer = rail.payout_to_card(payout(new_id("pay"), token, 2_500_000, currency="VND"))
    assert isinstance(answer, Accepted)
    assert answer.agrees_with(2_500_000, "VND")


@pytest.mark.parametrize(
    ("card", "code", "reason", "hint"),
    [
        ("no_funds_at_debit", "1037", Reason.INSUFFICIENT_FUNDS, Hint.RETRY_LATER),
        ("token_expires", "1082", Reason.TOKEN_DEAD, Hint.DROP_TOKEN),
        ("token_blocked", "1078", Reason.TOKEN_DEAD, Hint.DROP_TOKEN),
    ],
)
def test_a_debit_is_declined_with_reason_and_hint(
    provider: Provider, new_id: Any, card: str, code: str, reason: Reason, hint: Hint
) -> None:
    token, order_id = provider.linked_card(new_id(), card), new_id("debit")
    for answer in (
        provider.rail().debit_card(debit(order_id, token)),
        provider.rail().status(order_id=order_id, kind=OrderKind.DEBIT),
    ):
        assert isinstance(answer, Declined)
        assert (answer.code, answer.reason, answer.hint) == (code, reason, hint)


def test_a_payout_is_declined(provider: Provider, new_id: Any) -> None:
    token = provider.linked_card(new_id(), "refuses_payouts")
    answer = provider.rail().payout_to_card(payout(new_id("pay"), token))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.reason) == ("1058", Reason.ISSUER_DECLINED)


def test_a_token_of_nobody_is_dead(provider: Provider, new_id: Any) -> None:
    answer = provider.rail().debit_card(debit(new_id(), "no-such-token"))
    assert isinstance(answer, Declined)
    assert (answer.reason, answer.hint) == (Reason.TOKEN_DEAD, Hint.DROP_TOKEN)


def test_an_order_id_used_again_moves_nothing_and_leads_to_status(provider: Provider, new_id: Any) -> None:
    rail, token, order_id = provider.rail(), provider.linked_card(new_id()), new_id("debit")
    first = rail.debit_card(debit(order_id, token))
    again = rail.debit_card(debit(order_id, token, amount_minor=99))
    assert isinstance(again, Unknown)
    assert (again.why, again.code) == (Why.DUPLICATE, "1013")
    assert rail.status(order_id=order_id, kind=OrderKind.DEBIT) == first


def test_wrong_keys_are_a_matter_of_configuration(provider: Provider, new_id: Any) -> None:
    """The payment key does not open payouts."""
    rail = provider.rail(credit_key="test")
    answer = rail.payout_to_card(payout(new_id(), provider.linked_card(new_id())))
    assert isinstance(answer, Declined)
    assert (answer.reason, answer.hint) == (Reason.CONFIGURATION, Hint.STOP)


# --- silence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["recurring", "p2pcredit"])
def test_accepted_but_the_answer_was_lost(provider: Provider, new_id: Any, operation: str) -> None:
    rail, token, order_id = provider.rail(), provider.linked_card(new_id()), new_id()
    provider.dial(operation=operation, kind="timeout_after", left=1)
    kind = OrderKind.DEBIT if operation == "recurring" else OrderKind.PAYOUT
    send: Any = rail.debit_card if kind is OrderKind.DEBIT else rail.payout_to_card
    order = debit(order_id, token) if kind is OrderKind.DEBIT else payout(order_id, token)
    answer = send(order)
    assert isinstance(answer, Unknown)
    assert answer.why is Why.NO_ANSWER
    assert isinstance(rail.status(order_id=order_id, kind=kind), Accepted)
    booked = provider.book(order_id)
    assert booked is not None
    assert booked["sent_count"] == 1  # the adapter did not send again by itself


def test_silence_and_nothing_accepted(provider: Provider, new_id: Any) -> None:
    rail, token, order_id = provider.rail(), provider.linked_card(new_id()), new_id()
    provider.dial(operation="p2pcredit", kind="timeout_before", left=1)
    answer = rail.payout_to_card(payout(order_id, token))
    assert isinstance(answer, Unknown)
    asked = rail.status(order_id=order_id, kind=OrderKind.PAYOUT)
    assert isinstance(asked, Unknown)
    assert asked.why is Why.NOT_FOUND
    assert provider.book(order_id) is None
    sent_at = datetime(2026, 3, 2, tzinfo=UTC)
    assert settle(asked, sent_at=sent_at, at=sent_at + timedelta(minutes=4)) == asked
    late = settle(asked, sent_at=sent_at, at=sent_at + timedelta(minutes=5))
    assert isinstance(late, Declined)
    assert late.reason is Reason.NEVER_ARRIVED


def test_a_status_query_that_fails_says_nothing_about_the_order(provider: Provider, new_id: Any) -> None:
    rail, token, order_id = provider.rail(), provider.linked_card(new_id()), new_id()
    rail.debit_card(debit(order_id, token))
    for fault in ({"kind": "decline", "value": "1014"}, {"kind": "http_error"}, {"kind": "timeout_before"}):
        provider.reset()
        provider.dial(operation="status", **fault)
        assert isinstance(rail.status(order_id=order_id, kind=OrderKind.DEBIT), Unknown)


def test_late_but_in_time_is_an_answer_and_too_late_is_unknown(provider: Provider, new_id: Any) -> None:
    rail, token = provider.rail(), provider.linked_card(new_id())
    provider.dial(operation="recurring", kind="delay", value=0.1, left=1)
    assert isinstance(rail.debit_card(debit(new_id(), token)), Accepted)
    provider.dial(operation="recurring", kind="delay", value=1, left=1)
    assert isinstance(rail.debit_card(debit(new_id(), token)), Unknown)


def test_processing_becomes_final_later(provider: Provider, new_id: Any) -> None:
    rail, token, order_id = provider.rail(), provider.linked_card(new_id()), new_id()
    provider.dial(operation="p2pcredit", kind="processing", value=0.6)
    answer = rail.payout_to_card(payout(order_id, token))
    assert isinstance(answer, Unknown)
    assert answer.why is Why.PROCESSING
    provider.reach.pass_time(1)
    assert isinstance(rail.status(order_id=order_id, kind=OrderKind.PAYOUT), Accepted)


# --- lies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [{"kind": "wrong_amount", "value": -1}, {"kind": "wrong_currency", "value": "USD"}])
def test_another_amount_or_currency_does_not_agree(provider: Provider, new_id: Any, fault: dict[str, Any]) -> None:
    rail, token = provider.rail(), provider.linked_card(new_id())
    provider.dial(operation="recurring", **fault)
    answer = rail.debit_card(debit(new_id(), token))
    assert isinstance(answer, Accepted)
    assert not answer.agrees_with(50_000, "UAH")


def test_success_that_the_provider_takes_back(provider: Provider, new_id: Any) -> None:
    rail, token, order_id = provider.rail(), provider.linked_card(new_id()), new_id()
    provider.dial(operation="p2pcredit", kind="reversed_later", value=0.6)
    order = payout(order_id, token, callback_url=provider.reach.callback_url)
    answer = rail.payout_to_card(order)
    assert isinstance(answer, Accepted)
    assert not answer.is_reversed
    provider.reach.pass_time(1)
    answer = rail.status(order_id=order_id, kind=OrderKind.PAYOUT)
    assert isinstance(answer, Accepted)
    assert answer.is_reversed
    assert answer.agrees_with(100_000, "UAH")
    assert len(provider.reach.callbacks(order_id, 2)) == 2


# --- refunds ------------------------------------------------------------------------------------------


def test_refund_in_parts(provider: Provider, new_id: Any) -> None:
    rail, token, order_id = provider.rail(), provider.linked_card(new_id()), new_id()
    rail.debit_card(debit(order_id, token))
    part = RefundOrder(order_id=order_id, refund_id="r1", amount_minor=20_000, currency="UAH")
    first = rail.refund(part)
    assert isinstance(first, Accepted)
    assert first.agrees_with(20_000, "UAH")
    assert rail.refund(part) == first  # the same refund_id is the same refund
    standing = rail.status(order_id=order_id, kind=OrderKind.DEBIT)
    assert isinstance(standing, Accepted)
    assert (standing.reversed_minor, standing.net_minor, standing.is_reversed) == (20_000, 30_000, False)
    rest = RefundOrder(order_id=order_id, refund_id="r2", amount_minor=30_000, currency="UAH")
    assert isinstance(rail.refund(rest), Accepted)
    standing = rail.status(order_id=order_id, kind=OrderKind.DEBIT)
    assert isinstance(standing, Accepted)
    assert standing.is_reversed
    too_much = RefundOrder(order_id=order_id, refund_id="r3", amount_minor=1, currency="UAH")
    assert not isinstance(rail.refund(too_much), Accepted)


def test_a_refund_whose_answer_was_lost(provider: Provider, new_id: Any) -> None:
    rail, token, order_id = provider.rail(), provider.linked_card(new_id()), new_id()
    rail.debit_card(debit(order_id, token))
    provider.dial(operation="reverse", kind="timeout_after", left=1)
    order = RefundOrder(order_id=order_id, refund_id="r1", amount_minor=20_000, currency="UAH")
    assert isinstance(rail.refund(order), Unknown)
    standing = rail.status(order_id=order_id, kind=OrderKind.DEBIT)
    assert isinstance(standing, Accepted)
    assert standing.reversed_minor == 20_000


# --- the time of the payment itself -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "zone"), [("UAH", "Europe/Kyiv"), ("VND", "Asia/Ho_Chi_Minh"), ("EUR", "Europe/Berlin")]
)
def test_value_date_is_the_day_the_provider_was_told(provider: Provider, new_id: Any, currency: str, zone: str) -> None:
    day = date(2027, 1, 5)
    rail = provider.rail(currency, sandbox_date=lambda: day)
    order_id, held = new_id(), {"UAH": "1.37", "EUR": "1.37", "VND": "137"}[currency]
    opened = rail.open_card_link(provider.hosted(order_id, currency=currency))
    assert isinstance(opened, Opened)
    provider.be_the_customer(opened, "good", held=held)
    answer = rail.status(order_id=order_id, kind=OrderKind.LINK_CARD)
    provider.reach.http.post("/dials/api", json={"dates": {rail.merchant: ""}})
    assert isinstance(answer, Accepted)
    assert answer.value_at is not None
    assert answer.value_at.astimezone(ZoneInfo(zone)).date() == day


def test_value_time_is_the_payments_not_the_orders(provider: Provider, new_id: Any) -> None:
    """A page that is opened before midnight and paid after it has the value date of the payment."""
    midnight = datetime(2027, 1, 5, 0, 0, tzinfo=ZoneInfo("Europe/Kyiv"))
    order_id = new_id()
    before = provider.rail(sandbox_date=lambda: midnight - timedelta(minutes=5))
    opened = before.open_checkout(provider.hosted(order_id))
    assert isinstance(opened, Opened)
    after = provider.rail(sandbox_date=lambda: midnight + timedelta(minutes=5))
    after.status(order_id=order_id, kind=OrderKind.PURCHASE)
    provider.be_the_customer(opened, "good")
    answer = after.status(order_id=order_id, kind=OrderKind.PURCHASE)
    provider.reach.http.post("/dials/api", json={"dates": {after.merchant: ""}})
    assert isinstance(answer, Accepted)
    assert answer.value_at == (midnight + timedelta(minutes=5)).astimezone(UTC)


# --- callbacks ----------------------------------------------------------------------------------------


def bought(provider: Provider, order_id: str) -> None:
    opened = provider.rail().open_checkout(provider.hosted(order_id))
    assert isinstance(opened, Opened)
    provider.be_the_customer(opened, "good")


def test_a_callback_says_what_status_says(provider: Provider, new_id: Any) -> None:
    rail, order_id = provider.rail(), new_id()
    bought(provider, order_id)
    (callback,) = provider.reach.callbacks(order_id, 1)
    notice = rail.parse_callback(body=callback.body, content_type=callback.content_type)
    assert notice.order_id == order_id
    assert notice.answer == rail.status(order_id=order_id, kind=OrderKind.PURCHASE)


def test_callbacks_of_every_kind_verify(provider: Provider, new_id: Any) -> None:
    rail, token = provider.rail(), provider.linked_card(new_id())
    pay_id, debit_id = new_id("pay"), new_id("debit")
    rail.payout_to_card(payout(pay_id, token, callback_url=provider.reach.callback_url))
    rail.debit_card(debit(debit_id, token, callback_url=provider.reach.callback_url))
    rail.refund(RefundOrder(order_id=debit_id, refund_id="r1", amount_minor=10_000, currency="UAH"))
    kinds = []
    for order_id, count in ((pay_id, 1), (debit_id, 2)):
        for callback in provider.reach.callbacks(order_id, count):
            notice = rail.parse_callback(body=callback.body, content_type=callback.content_type)
            assert isinstance(notice.answer, Accepted)
            kinds.append((notice.kind, notice.answer.reversed_minor))
    assert sorted(kinds, key=str) == sorted([(OrderKind.PAYOUT, 0), (None, 0), (None, 10_000)], key=str)


def test_duplicates_carry_one_event_id_and_a_refund_another(provider: Provider, new_id: Any) -> None:
    rail, order_id = provider.rail(), new_id()
    provider.dial(operation="pay", kind="duplicate_callbacks", value=3)
    bought(provider, order_id)
    rail.refund(RefundOrder(order_id=order_id, refund_id="r1", amount_minor=37, currency="UAH"))
    came = provider.reach.callbacks(order_id, 4)
    ids = [rail.parse_callback(body=c.body, content_type=c.content_type).event_id for c in came]
    assert len(ids) == 4
    assert len(set(ids)) == 2


def test_lost_callbacks_do_not_come_and_status_knows(provider: Provider, new_id: Any) -> None:
    order_id = new_id()
    provider.dial(operation="*", kind="lose_callbacks")
    bought(provider, order_id)
    assert provider.reach.callbacks(order_id, 0) == []
    assert isinstance(provider.rail().status(order_id=order_id, kind=OrderKind.PURCHASE), Accepted)


def test_shuffled_callbacks_all_come(provider: Provider, new_id: Any) -> None:
    rail, order_id = provider.rail(), new_id()
    provider.dial(operation="*", kind="shuffle_callbacks", value=1)
    bought(provider, order_id)
    for part in range(3):
        rail.refund(RefundOrder(order_id=order_id, refund_id=f"r{part}", amount_minor=10, currency="UAH"))
    provider.reach.pass_time(1.1)
    came = provider.reach.callbacks(order_id, 4)
    reversed_minor = []
    for callback in came:
        answer = rail.parse_callback(body=callback.body, content_type=callback.content_type).answer
        assert isinstance(answer, Accepted)
        reversed_minor.append(answer.reversed_minor)
    assert sorted(reversed_minor) == [0, 10, 20, 30]


def genuine(provider: Provider, order_id: str) -> tuple[dict[str, Any], Callback]:
    bought(provider, order_id)
    (callback,) = provider.reach.callbacks(order_id, 1)
    return json.loads(callback.body), callback


def test_forged_callbacks_are_refused(provider: Provider, new_id: Any) -> None:
    rail = provider.rail()
    fields, _ = genuine(provider, new_id())
    unsigned = {name: value for name, value in fields.items() if name != "signature"}
    forged: list[tuple[str, dict[str, Any]]] = [
        ("signature", fields | {"amount": "1"}),
        ("signature", fields | {"order_status": "declined"}),
        ("signature", fields | {"order_id": "another"}),
        ("signature", fields | {"signature": ""}),
        ("signature", unsigned),
        ("signature", fields | {"signature": sign("guess", unsigned)}),
        ("signature", fields | {"signature": sign("", unsigned)}),
        # a payout's notice is signed with the credit key only
        ("signature", _signed(unsigned | {"tran_type": "p2p credit"}, "test")),
        ("merchant", _signed(unsigned | {"merchant_id": 1700002}, "test")),
        ("incomplete", _signed(unsigned | {"order_id": ""}, "test")),
    ]
    for why, body in forged:
        with pytest.raises(CallbackRefused) as refused:
            rail.parse_callback(body=json.dumps(body).encode(), content_type="application/json")
        assert refused.value.why == why


def _signed(fields: dict[str, Any], secret: str) -> dict[str, Any]:
    return fields | {"signature": sign(secret, fields)}


def test_the_same_notice_as_a_form(provider: Provider, new_id: Any) -> None:
    """The customer's browser brings the same fields to the return address."""
    from urllib.parse import urlencode

    rail = provider.rail()
    fields, callback = genuine(provider, new_id())
    body = urlencode({name: "" if value is None else value for name, value in fields.items()}).encode()
    notice = rail.parse_callback(body=body, content_type="application/x-www-form-urlencoded; charset=utf-8")
    assert notice == rail.parse_callback(body=callback.body, content_type=callback.content_type)


# --- transactions ---------------------------------------------------------------------------------------


def test_no_network_inside_a_transaction(provider: Provider) -> None:
    rail = provider.rail()
    before = outside.install(lambda: True)
    try:
        for call in (
            lambda: rail.debit_card(debit("o", "t")),
            lambda: rail.payout_to_card(payout("o", "t")),
            lambda: rail.status(order_id="o", kind=OrderKind.DEBIT),
            lambda: rail.open_checkout(provider.hosted("o")),
            lambda: rail.open_card_link(provider.hosted("o")),
            lambda: rail.refund(RefundOrder(order_id="o", refund_id="r", amount_minor=1, currency="UAH")),
        ):
            with pytest.raises(outside.InsideTransaction):
                call()
    finally:
        outside.install(before)
