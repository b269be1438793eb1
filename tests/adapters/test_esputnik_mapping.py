"""eSputnik's words in ours."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from usance.adapters import esputnik
from usance.adapters.esputnik import mapping
from usance.ports.messenger import (
    Accepted,
    Channel,
    Declined,
    DeliveryState,
    EmailOrder,
    Reason,
    SmsOrder,
    Unknown,
    Why,
)

ITEM = {"id": 7, "requestId": "r-7", "locator": "380501234567", "status": "OK", "message": None}


@pytest.mark.parametrize("results", [ITEM, [ITEM]])
def test_one_result_or_a_list_of_one(results: Any) -> None:
    assert mapping.sent({"results": results}, key="k") == Accepted(key="k", reference="r-7")


@pytest.mark.parametrize(
    "answer", [None, [], {}, "text", {"results": []}, {"results": [ITEM, ITEM]}, {"results": {"status": "OK"}}]
)
def test_what_cannot_be_read_is_unknown(answer: Any) -> None:
    got = mapping.sent(answer, key="k")
    assert isinstance(got, Unknown)
    assert got.why is Why.UNREADABLE


def test_http_200_with_an_error_inside() -> None:
    got = mapping.sent({"results": {**ITEM, "status": "ERROR", "message": "no such sender"}}, key="k")
    assert isinstance(got, Declined)
    assert got.detail == "no such sender"


@pytest.mark.parametrize(
    ("raw", "state", "reason"),
    [
        ("IN_QUEUE", DeliveryState.WAITING, None),
        ("PENDING", DeliveryState.WAITING, None),
        ("DELIVERED", DeliveryState.DELIVERED, None),
        ("READ", DeliveryState.DELIVERED, None),
        ("EXPIRED", DeliveryState.FAILED, Reason.EXPIRED),
        ("UNDELIVERED", DeliveryState.FAILED, Reason.OTHER),
        ("FAILED", DeliveryState.FAILED, Reason.OTHER),
        ("NO_MONEY", DeliveryState.FAILED, Reason.OUR_BALANCE),
        ("UNKNOWN_INTERFACE", DeliveryState.FAILED, Reason.CONFIGURATION),
        ("MESSAGE_NOT_FOUND", DeliveryState.FAILED, Reason.CONFIGURATION),
        ("BLACKLISTED", DeliveryState.FAILED, Reason.UNREACHABLE),
        ("UNSUBSCRIBED", DeliveryState.FAILED, Reason.UNREACHABLE),
        ("NOT_CONFIRMED", DeliveryState.FAILED, Reason.UNREACHABLE),
        ("CANNOT_FIND_CHANNEL", DeliveryState.FAILED, Reason.UNREACHABLE),
        ("SOMETHING_NEW", DeliveryState.UNKNOWN, None),
    ],
)
def test_statuses(raw: str, state: DeliveryState, reason: Reason | None) -> None:
    got = mapping.delivery("r", raw)
    assert (got.state, got.reason, got.raw) == (state, reason, raw)


def test_status_answers_in_every_shape() -> None:
    one = {"requestId": "a", "status": "DELIVERED"}
    for shape in ({"results": one}, {"results": [one]}, one, [one], {"results": {"status": "DELIVERED"}}):
        assert mapping.deliveries(shape, ["a"])["a"].state is DeliveryState.DELIVERED
    two = mapping.deliveries({"results": [one, {"id": 9, "status": "READ"}]}, ["a", "9", "c"])
    assert [two[name].state for name in ("a", "9", "c")] == [
        DeliveryState.DELIVERED,
        DeliveryState.DELIVERED,
        DeliveryState.UNKNOWN,
    ]


def recording(sent: list[httpx.Request]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"results": ITEM})

    return httpx.MockTransport(answer)


def test_the_requests_are_the_protocols() -> None:
    sent: list[httpx.Request] = []
    settings = {
        "base_url": "https://esputnik.com/api/v1/",
        "login": "demo",
        "api_key": "k3y",
        "sms_sender": "LENDER",
        "email_sender": "Lender <no-reply@lender.example>",
        "transport": recording(sent),
    }
    post = esputnik.build(settings)
    post.send_sms(SmsOrder(key="k1", to="+380 50 123 45 67", text="Код: 1234"))
    post.send_email(EmailOrder(key="k2", to="a@b.example", subject="S", text="T", html="<b>T</b>"))
    post.delivery_status(channel=Channel.EMAIL, references=[f"r{n}" for n in range(51)])
    # the provider's own worked example of the header
    assert {request.headers["Authorization"] for request in sent} == {"Basic ZGVtbzprM3k="}
    assert base64.b64decode("ZGVtbzprM3k=") == b"demo:k3y"
    assert str(sent[0].url) == "https://esputnik.com/api/v1/message/sms"
    assert json.loads(sent[0].content) == {"from": "LENDER", "text": "Код: 1234", "phoneNumbers": ["380501234567"]}
    email = json.loads(sent[1].content)
    assert (email["emails"], email["htmlText"], email["externalRequestId"]) == (["a@b.example"], "<b>T</b>", "k2")
    assert [str(request.url.path) for request in sent[2:]] == ["/api/v1/message/email/status"] * 2


def test_orders_do_not_show_people_in_logs() -> None:
    shown = repr(SmsOrder(key="k", to="+380501234567", text="code 123456"))
    assert "38050" not in shown
    assert "123456" not in shown
