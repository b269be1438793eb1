"""The contract of the way to push services: what every adapter must do."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.contracts.harness import Provider
from usance.ports import outside
from usance.ports.messenger import Accepted, Declined, PushMessenger, PushOrder, Reason, Unknown, Why

OTHER_KEY = "YW5vdGhlci1rZXktYW5vdGhlci1rZXktYW5vdGhlci0"
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}  # of the example in RFC 8291


def order(to: str, key: str = "k", text: str = "You have a payment soon. Open to see it.") -> PushOrder:
    return PushOrder(key=key, to=to, title="Lender", text=text, link="/push/t/", good_for_s=7200)


def at(endpoint: str, **keys: str) -> str:
    return json.dumps({"endpoint": endpoint, "keys": KEYS | keys})


def test_an_adapter_is_a_push_messenger_whose_key_browsers_take(provider: Provider) -> None:
    post = provider.browsers()
    assert isinstance(post, PushMessenger)
    assert len(post.public_key) == 87  # 65 bytes in base64url
    assert post.public_key != provider.browsers(private_key=OTHER_KEY).public_key


def test_a_push_goes_out_once_sealed_for_one_phone(provider: Provider, new_id: Any) -> None:
    post = provider.browsers()
    phone, text = provider.phone(post.public_key), f"Нагадування: скоро платіж {new_id()}"
    answer = post.send_push(order(phone, "message-1", text))
    assert isinstance(answer, Accepted)
    (message,) = provider.shown_on(phone)
    assert (message["subject"], message["channel"], message["from"]) == ("Lender", "push", "http://lender.example")
    assert message["text"] == f"{text} http://lender.example/push/t/"


def test_what_goes_over_the_wire_says_nothing(provider: Provider, new_id: Any) -> None:
    """Between us and the phone nobody reads a word: the whole request is looked at."""
    seen: list[bytes] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path + repr(request.headers).encode() + request.content)
        return httpx.Response(201)

    post = provider.browsers(transport=httpx.MockTransport(note))
    text = f"Secret {new_id()}"
    assert isinstance(post.send_push(order(provider.phone(post.public_key), "k", text)), Accepted)
    assert len(seen) == 1
    for word in (text.encode(), b"Lender", b"/push/t/"):
        assert word not in seen[0]


def test_a_signature_of_another_key_is_refused(provider: Provider) -> None:
    phone = provider.phone(provider.browsers().public_key)
    answer = provider.browsers(private_key=OTHER_KEY).send_push(order(phone))
    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (Reason.CONFIGURATION, "403")


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_unreachable(provider: Provider, status: int) -> None:
    post = provider.browsers()
    phone = provider.phone(post.public_key)
    provider.dial(provider="push", operation="push", kind="decline", value=status, left=1)
    answer = post.send_push(order(phone))
    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (Reason.UNREACHABLE, str(status))
    assert isinstance(post.send_push(order(phone)), Accepted)


@pytest.mark.parametrize(("fault", "sent"), [("timeout_before", 0), ("timeout_after", 1)])
def test_silence_is_unknown_and_never_sent_again(provider: Provider, fault: str, sent: int) -> None:
    post = provider.browsers()
    phone = provider.phone(post.public_key)
    provider.dial(provider="push", operation="push", kind=fault, left=1)
    answer = post.send_push(order(phone))
    assert isinstance(answer, Unknown)
    assert answer.why is Why.NO_ANSWER
    assert len(provider.shown_on(phone)) == sent


def test_a_busy_push_service_is_unknown(provider: Provider) -> None:
    post = provider.browsers()
    for status in (429, 500, 503):
        provider.dial(provider="push", operation="push", kind="http_error", value=status, left=1)
        answer = post.send_push(order(provider.phone(post.public_key)))
        assert isinstance(answer, Unknown)
        assert (answer.why, answer.code) == (Why.BUSY, str(status))


def test_only_push_services_that_we_know_are_written_to(provider: Provider) -> None:
    post = provider.browsers()
    good = (
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://wns2-par02p.notify.windows.com/w/?token=abc",
        "https://fcm.googleapis.com:443/abc",
    )
    bad = (
        "http://fcm.googleapis.com/abc",
        "https://fcm.googleapis.com:8443/abc",
        "https://fcm.googleapis.com.evil.example/abc",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/abc",
        "https://x@fcm.googleapis.com/abc",
        "https://evilpush.apple.com/abc",
        "https://push.apple.com.evil.example/",
        "https://127.0.0.1/push/abc",
        "https://[::1]/push/abc",
        "http://169.254.169.254/latest/meta-data/",
        f"{provider.reach.base_url}/dials/api",
        f"{provider.reach.base_url}.evil.example/push/abc",
        "file:///etc/passwd",
        "gopher://fcm.googleapis.com/",
    )
    assert [post.accepts(at(endpoint)) for endpoint in good] == [True] * len(good)
    assert [endpoint for endpoint in bad if post.accepts(at(endpoint))] == []
    answer = post.send_push(order(at("https://evil.example/abc")))  # asked again at the last moment
    assert isinstance(answer, Declined)
    assert answer.reason is Reason.UNREACHABLE


def test_an_address_without_its_keys_is_not_taken(provider: Provider) -> None:
    post, endpoint = provider.browsers(), "https://fcm.googleapis.com/fcm/send/abc"
    off_the_curve = "B" + "A" * 86
    for wrong in (
        "",
        "null",
        "[]",
        "x" * 3000,
        json.dumps({"endpoint": endpoint}),
        at(endpoint, auth=""),
        at(endpoint, auth="AAAA"),
        at(endpoint, p256dh="AAAA"),
        at(endpoint, p256dh=off_the_curve),
        at(endpoint, p256dh="§"),
        at(endpoint + "a" * 3000),
    ):
        assert not post.accepts(wrong), wrong[:80]


def test_redirects_are_not_followed(provider: Provider) -> None:
    came: list[str] = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        came.append(str(request.url))
        return httpx.Response(307, headers={"location": "http://169.254.169.254/"})

    post = provider.browsers(transport=httpx.MockTransport(elsewhere))
    assert isinstance(post.send_push(order(at("https://fcm.googleapis.com/abc"))), Unknown)
    assert came == ["https://fcm.googleapis.com/abc"]


def test_no_network_inside_a_transaction(provider: Provider) -> None:
    post = provider.browsers()
    phone = provider.phone(post.public_key)
    before = outside.install(lambda: True)
    try:
        with pytest.raises(outside.InsideTransaction):
            post.send_push(order(phone))
    finally:
        outside.install(before)
