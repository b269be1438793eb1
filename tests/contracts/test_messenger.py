"""The contract of the messenger: what every adapter must do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.harness import Provider
from usance.ports import outside
from usance.ports.messenger import (
    Accepted,
    Channel,
    Declined,
    DeliveryState,
    EmailOrder,
    Messenger,
    Reason,
    SmsOrder,
    Unknown,
    Why,
)


def sms(key: str, text: str = "Your code is 482913.", to: str = "+380501234567") -> SmsOrder:
    return SmsOrder(key=key, to=to, text=text)


def email(key: str) -> EmailOrder:
    return EmailOrder(key=key, to="someone@example.com", subject="Your agreement", text="Dear customer,\n1 < 2")


def test_an_adapter_is_a_messenger_and_alive(provider: Provider) -> None:
    assert isinstance(provider.messenger(), Messenger)
    assert provider.messenger().is_alive()
    assert not provider.messenger(api_key="wrong").is_alive()


def test_an_sms_goes_out_once_as_written(provider: Provider, new_id: Any) -> None:
    text = f"Mã của bạn: 482913 {new_id()}"
    answer = provider.messenger(sms_sender="VAY NHANH").send_sms(sms("k", text, "+84 912 345 678"))
    assert isinstance(answer, Accepted)
    (message,) = [m for m in provider.inbox("+84912345678") if m["text"] == text]
    assert (message["from"], message["to"], message["codes"]) == ("VAY NHANH", "84912345678", ["482913"])


def test_an_email_goes_out_in_text_and_html(provider: Provider, new_id: Any) -> None:
    assert isinstance(provider.messenger().send_email(email(new_id())), Accepted)
    message = provider.inbox("someone@example.com")[0]
    assert (message["subject"], message["text"]) == ("Your agreement", "Dear customer,\n1 < 2")
    html = provider.reach.http.get(f"/inbox/{message['id']}/html")
    assert "1 &lt; 2" in html.text
    assert "sandbox" in html.headers["Content-Security-Policy"]


@pytest.mark.parametrize("channel", list(Channel))
def test_delivery_for_one_and_for_many(provider: Provider, new_id: Any, channel: Channel) -> None:
    """The provider answers with an object for one reference and a list for many."""
    provider.reach.http.post("/dials/api", json={"settings": {"latency_s": 0.4}})
    post = provider.messenger()
    send: Any = (
        (lambda: post.send_sms(sms(new_id()))) if channel == Channel.SMS else lambda: post.send_email(email("k"))
    )
    references = [answer.reference for answer in (send(), send(), send())]
    waiting = post.delivery_status(channel=channel, references=references[:1])
    assert waiting[references[0]].state is DeliveryState.WAITING
    provider.reach.pass_time(0.5)
    for asked in (references[:1], references):
        found = post.delivery_status(channel=channel, references=asked)
        assert {name: at.state for name, at in found.items()} == dict.fromkeys(asked, DeliveryState.DELIVERED)


def test_a_message_that_does_not_arrive(provider: Provider, new_id: Any) -> None:
    provider.settings(latency_s=0)
    post = provider.messenger()
    for value, reason in (
        ("UNDELIVERED", Reason.OTHER),
        ("EXPIRED", Reason.EXPIRED),
        ("UNSUBSCRIBED", Reason.UNREACHABLE),
    ):
        provider.dial(provider="esputnik", operation="sms", kind="decline", value=value, left=1)
        answer = post.send_sms(sms(new_id(), text=new_id()))
        assert isinstance(answer, Accepted)
        found = post.delivery_status(channel=Channel.SMS, references=[answer.reference])[answer.reference]
        assert (found.state, found.reason, found.raw) == (DeliveryState.FAILED, reason, value)


def test_http_200_with_an_error_inside_is_a_refusal(provider: Provider, new_id: Any) -> None:
    provider.dial(provider="esputnik", operation="sms", kind="decline", value="ERROR", left=1)
    answer = provider.messenger().send_sms(sms(new_id()))
    assert isinstance(answer, Declined)
    assert answer.code == "ERROR"


def test_wrong_credentials_are_a_matter_of_configuration(provider: Provider, new_id: Any) -> None:
    answer = provider.messenger(api_key="wrong").send_sms(sms(new_id()))
    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (Reason.CONFIGURATION, "401")


@pytest.mark.parametrize(("fault", "sent"), [("timeout_before", 0), ("timeout_after", 1)])
def test_silence_is_unknown_and_never_sent_again(provider: Provider, new_id: Any, fault: str, sent: int) -> None:
    text = f"Your code is 482913. {new_id()}"
    provider.dial(provider="esputnik", operation="sms", kind=fault, left=1)
    answer = provider.messenger().send_sms(sms(new_id(), text))
    assert isinstance(answer, Unknown)
    assert answer.why is Why.NO_ANSWER
    assert len([m for m in provider.inbox("380501234567") if m["text"] == text]) == sent


def test_a_busy_provider_is_unknown(provider: Provider, new_id: Any) -> None:
    for status in (429, 500, 503):
        provider.dial(provider="esputnik", operation="email", kind="http_error", value=status, left=1)
        answer = provider.messenger().send_email(email(new_id()))
        assert isinstance(answer, Unknown)
        assert (answer.why, answer.code) == (Why.BUSY, str(status))


def test_a_status_query_that_fails_leaves_every_reference_unknown(provider: Provider) -> None:
    provider.dial(provider="esputnik", operation="status", kind="http_error")
    found = provider.messenger().delivery_status(channel=Channel.SMS, references=["a", "b"])
    assert {at.state for at in found.values()} == {DeliveryState.UNKNOWN}
    assert set(found) == {"a", "b"}
    provider.reset()
    found = provider.messenger().delivery_status(channel=Channel.SMS, references=["nobody"])
    assert found["nobody"].raw == "MESSAGE_NOT_FOUND"


def test_no_network_inside_a_transaction(provider: Provider) -> None:
    post = provider.messenger()
    before = outside.install(lambda: True)
    try:
        for call in (
            lambda: post.send_sms(sms("k")),
            lambda: post.send_email(email("k")),
            lambda: post.delivery_status(channel=Channel.SMS, references=["a"]),
            post.is_alive,
        ):
            with pytest.raises(outside.InsideTransaction):
                call()
    finally:
        outside.install(before)
