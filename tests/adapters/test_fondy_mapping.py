"""Fondy's words in ours: statuses, codes, amounts, times; and callbacks as bytes."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.adapters.fondy import mapping, webhooks
from usance.adapters.fondy.signature import sign
from usance.ports.payment_rail import (
    Accepted,
    CallbackRefused,
    Declined,
    Hint,
    OrderKind,
    Reason,
    Unknown,
    Why,
    without_personal_data,
)

KYIV = ZoneInfo("Europe/Kyiv")
APPROVED: dict[str, Any] = {
    "order_id": "o-1",
    "merchant_id": "1396424",
    "order_status": "approved",
    "response_status": "success",
    "tran_type": "purchase",
    "amount": "10000",
    "actual_amount": "10000",
    "currency": "UAH",
    "actual_currency": "UAH",
    "payment_id": "800000001",
    "masked_card": "444455XXXXXX1111",
    "card_type": "VISA",
    "rectoken": "aa" * 20,
    "rectoken_lifetime": "31.12.2029 00:00:00",
    "order_time": "05.01.2027 23:55:00",
    "additional_info": json.dumps({"timeend": "06.01.2027 00:05:00", "is_test": True}),
    "fee": "",
    "rrn": "111111111111",
    "reversal_amount": "0",
    "verification_status": "",
}


def answer(kind: OrderKind | None = OrderKind.PURCHASE, **fields: Any) -> Any:
    context = mapping.Context(order_id="o-1", kind=kind, zone=KYIV)
    return mapping.order_answer(APPROVED | fields, context)


def test_an_approved_order() -> None:
    got = answer()
    assert isinstance(got, Accepted)
    assert got.agrees_with(10_000, "UAH")
    assert got.value_at == datetime(2027, 1, 5, 22, 5, tzinfo=UTC)  # the payment's time, not the order's
    assert (got.card.last4, got.card.brand, got.card.expires_on) == ("1111", "VISA", date(2029, 12, 31))
    assert got.bank_reference == "111111111111"
    assert without_personal_data(got).card.token is None


def test_without_the_payments_time_the_orders_counts() -> None:
    for info in ("", "not json", "[]", None, json.dumps({"timeend": None})):
        got = answer(additional_info=info)
        assert got.value_at == datetime(2027, 1, 5, 21, 55, tzinfo=UTC)
    assert answer(additional_info=None, order_time="yesterday").value_at is None


@pytest.mark.parametrize(
    ("status", "kind", "why"),
    [
        ("created", OrderKind.PURCHASE, Why.WAITING_FOR_PAYER),
        ("created", OrderKind.PAYOUT, Why.PROCESSING),
        ("processing", OrderKind.DEBIT, Why.PROCESSING),
        ("something new", OrderKind.DEBIT, Why.UNREADABLE),
        ("", OrderKind.DEBIT, Why.UNREADABLE),
    ],
)
def test_what_is_not_final_is_unknown(status: str, kind: OrderKind, why: Why) -> None:
    got = answer(kind, order_status=status)
    assert isinstance(got, Unknown)
    assert got.why is why


def test_amounts_that_cannot_be_read_are_unknown() -> None:
    for fields in ({"amount": "12.5", "actual_amount": ""}, {"actual_amount": "many"}, {"reversal_amount": "x"}):
        assert isinstance(answer(**fields), Unknown)


def test_reversed_is_accepted_with_what_went_back() -> None:
    assert answer(order_status="reversed", reversal_amount="10000").is_reversed
    assert answer(order_status="reversed", reversal_amount="").is_reversed  # the status says so
    part = answer(reversal_amount="2500")
    assert (part.reversed_minor, part.net_minor, part.is_reversed) == (2_500, 7_500, False)


@pytest.mark.parametrize("status", ["approved", "reversed"])
@pytest.mark.parametrize(
    ("said", "expected"), [("verified", Accepted), ("incorrect", Declined), ("failed", Declined), ("created", Unknown)]
)
def test_a_card_is_linked_only_when_its_owner_told_the_amount(status: str, said: str, expected: type) -> None:
    fields = {"order_status": status, "reversal_amount": "10000", "verification_status": said}
    got = answer(OrderKind.LINK_CARD, **fields)
    assert isinstance(got, expected)
    assert answer(None, tran_type="verification", **fields) == got


CODES = [
    ("1037", Reason.INSUFFICIENT_FUNDS, Hint.RETRY_LATER),
    ("1040", Reason.LIMIT, Hint.RETRY_LATER),
    ("1047", Reason.LIMIT, Hint.RETRY_LATER),
    ("1048", Reason.LIMIT, Hint.RETRY_LATER),
    ("1089", Reason.TECHNICAL, Hint.RETRY_LATER),
    ("1035", Reason.TOKEN_DEAD, Hint.DROP_TOKEN),
    ("1078", Reason.TOKEN_DEAD, Hint.DROP_TOKEN),
    ("1082", Reason.TOKEN_DEAD, Hint.DROP_TOKEN),
    ("1042", Reason.CARD_BLOCKED, Hint.DROP_TOKEN),
    ("1044", Reason.CARD_BLOCKED, Hint.DROP_TOKEN),
    ("1072", Reason.ISSUER_DECLINED, Hint.STOP),
    ("1051", Reason.FRAUD, Hint.STOP),
    ("1025", Reason.CARD_EXPIRED, Hint.STOP),
    ("1081", Reason.OUR_BALANCE, Hint.RETRY_LATER),
    ("1014", Reason.CONFIGURATION, Hint.STOP),
    ("9999", Reason.OTHER, Hint.STOP),
]


@pytest.mark.parametrize(("code", "reason", "hint"), CODES)
def test_decline_codes(code: str, reason: Reason, hint: Hint) -> None:
    by_status = answer(OrderKind.DEBIT, order_status="declined", response_code=code)
    by_failure = mapping.failure({"error_code": code, "error_message": "x"}, order_id="o-1", asking=False)
    for got in (by_status, by_failure):
        assert isinstance(got, Declined)
        assert (got.code, got.reason, got.hint) == (code, reason, hint)


def test_every_code_has_one_reason() -> None:
    listed = [code for codes in mapping._REASONS.values() for code in codes]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(("code", "why"), [("1013", Why.DUPLICATE), ("1019", Why.DUPLICATE), ("1002", Why.BUSY)])
def test_failures_that_decide_nothing(code: str, why: Why) -> None:
    got = mapping.failure({"error_code": code}, order_id="o", asking=False)
    assert isinstance(got, Unknown)
    assert got.why is why


def test_a_failed_question_is_never_a_no() -> None:
    for code in [*mapping.REASON_OF_CODE, "1013", "1002", "", "9999"]:
        assert isinstance(mapping.failure({"error_code": code}, order_id="o", asking=True), Unknown)
    gone = mapping.failure({"error_code": "1018"}, order_id="o", asking=True)
    assert isinstance(gone, Unknown)
    assert gone.why is Why.NOT_FOUND


# --- callbacks as bytes -------------------------------------------------------------------------------


def parse(body: bytes, content_type: str = "application/json") -> Any:
    return webhooks.parse(
        body=body,
        content_type=content_type,
        merchant_id="1396424",
        payment_key="test",
        credit_key="testcredit",
        zone=KYIV,
    )


def signed(fields: dict[str, Any], secret: str = "test") -> bytes:
    return json.dumps(fields | {"signature": sign(secret, fields)}).encode()


def test_numbers_are_signed_as_they_are_written() -> None:
    """The provider mixes strings and numbers; a float must not lose its zeros."""
    fields = {**APPROVED, "merchant_id": 1396424, "payment_id": 800000001, "fee": 1.5}
    assert isinstance(parse(signed(fields)).answer, Accepted)
    zeros = signed({**APPROVED, "fee": "FEE"}).replace(b'"FEE"', b"1.50")
    expected = sign("test", {**APPROVED, "fee": "1.50"})
    body = json.loads(zeros) | {"signature": expected}
    assert isinstance(parse(json.dumps(body).replace("1.5,", "1.50,").encode()).answer, Accepted)


def test_event_id_tells_states_apart_and_repeats_together() -> None:
    first = parse(signed(APPROVED)).event_id
    assert first == "o-1:approved:800000001"
    assert parse(signed(APPROVED | {"rrn": "2"})).event_id == first
    assert parse(signed(APPROVED | {"reversal_amount": "5"})).event_id != first
    assert parse(signed(APPROVED | {"order_status": "reversed"})).event_id != first


def test_a_wrapped_notice_is_read_too() -> None:
    body = json.dumps({"response": json.loads(signed(APPROVED))}).encode()
    assert parse(body) == parse(signed(APPROVED))


def test_a_payouts_notice_is_verified_by_the_credit_key() -> None:
    fields = APPROVED | {"tran_type": "p2p credit"}
    assert parse(signed(fields, "testcredit")).kind is OrderKind.PAYOUT
    with pytest.raises(CallbackRefused):
        parse(signed(fields, "test"))
    with pytest.raises(CallbackRefused):
        parse(signed(APPROVED, "testcredit"))


@given(body=st.binary(max_size=200), form=st.booleans())
def test_any_bytes_are_refused_and_nothing_else(body: bytes, form: bool) -> None:
    with pytest.raises(CallbackRefused):
        parse(body, "application/x-www-form-urlencoded" if form else "application/json")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=2))


@given(fields=st.dictionaries(st.sampled_from(sorted(APPROVED)), JSON))
def test_even_a_rightly_signed_notice_is_read_or_refused(fields: dict[str, Any]) -> None:
    """Whatever the provider writes, we answer with a value or a refusal, never with a crash."""
    # numbers in the body are read as text, so they are signed as text
    text = json.loads(json.dumps(APPROVED | fields), parse_int=str, parse_float=str)
    secret = "testcredit" if text.get("tran_type") == "p2p credit" else "test"
    body = json.dumps(APPROVED | fields | {"signature": sign(secret, text)}).encode()
    with contextlib.suppress(CallbackRefused):
        assert isinstance(parse(body).answer, Accepted | Declined | Unknown)
