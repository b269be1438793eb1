"""A borrower's visit: how it begins, how long it lasts, and everything that ends it."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from usance.apps.access.models import Session
from usance.apps.customers import sign_in
from usance.apps.customers.models import Device

HOST = {"host": "vn.localhost"}
PHONE = "+84912345678"
ACCOUNT, SETTINGS = "/account/", "/account/settings/"


@pytest.fixture
def known_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in.secrets, "randbelow", lambda below: 123456)


@pytest.fixture
def browser(institution: Any, now: Any, known_codes: None) -> Client:
    return Client(headers=HOST)


def enter(browser: Client, phone: str = PHONE, after: str = "") -> Any:
    browser.get(f"/sign-in/?next={after}" if after else "/sign-in/")
    assert browser.post("/sign-in/", {"phone": phone}).status_code == 302
    return browser.post("/sign-in/code/", {"code": "123456"})


def is_in(browser: Client) -> bool:
    return browser.get(ACCOUNT).status_code == 200


def test_a_visit_begins_with_a_new_session_and_a_known_device(browser: Client) -> None:
    browser.get("/?utm_source=test")
    before = browser.cookies[settings.SESSION_COOKIE_NAME].value
    enter(browser)
    assert is_in(browser)
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert not Session.objects.filter(session_key=before).exists()
    assert browser.cookies["device"]["httponly"]


def test_a_session_s_key_cannot_be_guessed_nor_given_by_the_visitor(browser: Client) -> None:
    browser.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    enter(browser)
    keys = set(Session.objects.values_list("session_key", flat=True))
    assert all(re.fullmatch("[a-z0-9]{32}", key) for key in keys)  # 165 bits
    assert "a" * 32 not in keys


def test_an_idle_visit_ends(browser: Client, now: Any) -> None:
    enter(browser)
    for _ in range(3):
        now.at += timedelta(minutes=59)
        assert is_in(browser)
    now.at += timedelta(minutes=61)
    assert not is_in(browser)
    now.at -= timedelta(minutes=30)
    assert not is_in(browser)  # it is gone, not asleep
    told = browser.get(ACCOUNT, follow=True)
    assert told.context["is_back"] is True  # why they are asked for their number again
    assert Client(headers=HOST).get(ACCOUNT, follow=True).context["is_back"] is False


def test_no_visit_lasts_longer_than_half_a_day(browser: Client, now: Any) -> None:
    enter(browser)
    for _ in range(24):
        now.at += timedelta(minutes=30)
        assert is_in(browser)
    now.at += timedelta(minutes=30)
    assert not is_in(browser)


def test_signing_out_ends_the_visit_here_and_in_the_browser(browser: Client) -> None:
    enter(browser)
    stolen = browser.cookies[settings.SESSION_COOKIE_NAME].value
    answer = browser.post("/sign-out/")
    assert answer["Clear-Site-Data"] == '"cache"'
    thief = Client(headers=HOST)
    thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert not is_in(thief)


def test_every_page_of_a_visit_has_the_way_out(browser: Client) -> None:
    enter(browser)
    for address in (ACCOUNT, SETTINGS, "/account/me/", "/account/contacts/email/", "/"):
        assert 'action="/sign-out/"' in browser.get(address).content.decode(), address


def other_device(browser: Client, now: Any) -> Client:
    now.at += timedelta(minutes=2)
    other = Client(headers=HOST)
    enter(other)
    assert is_in(other)
    return other


def test_a_forgotten_device_is_signed_out_at_once(browser: Client, now: Any) -> None:
    enter(browser)
    first = Device.objects.get()
    other = other_device(browser, now)
    assert other.post(f"/account/devices/{first.pk}/forget/")["Location"] == SETTINGS
    assert not is_in(browser)
    assert is_in(other)


def test_everything_else_can_be_signed_out(browser: Client, now: Any) -> None:
    enter(browser)
    other = other_device(browser, now)
    assert "Sign out everywhere else" in other.get(SETTINGS, headers={"accept-language": "en"}).content.decode()
    other.post("/account/devices/forget-others/")
    assert not is_in(browser)
    assert is_in(other)


@pytest.mark.parametrize("address", ["/account/contacts/phone/", "/account/contacts/email/"])
def test_what_changes_the_way_in_needs_a_fresh_proof(browser: Client, now: Any, address: str) -> None:
    enter(browser)
    assert browser.get(address).status_code == 200
    now.at += timedelta(minutes=16)
    assert browser.get(address)["Location"].startswith("/sign-in/?next=")
    assert not is_in(browser)
    assert enter(browser, after=address)["Location"] == address
    assert browser.get(address).status_code == 200


def test_ending_other_visits_needs_a_fresh_proof(browser: Client, now: Any) -> None:
    enter(browser)
    now.at += timedelta(minutes=16)
    assert browser.post("/account/devices/forget-others/")["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "https:evil.example"],
)
def test_nobody_is_sent_elsewhere_after_signing_in(browser: Client, target: str) -> None:
    assert enter(browser, after=target)["Location"] == ACCOUNT


def test_what_a_session_holds_is_sealed_for_that_very_session(browser: Client) -> None:
    browser.post("/sign-in/", {"phone": PHONE})
    row = Session.objects.get()
    assert PHONE[1:].encode() not in b64decode(row.session_data)
    assert row.get_decoded() == {}  # not even for Django, without its key
    assert browser.get("/sign-in/code/").status_code == 200
    enter(other := Client(headers=HOST), phone="+84912345679")
    stolen = Session.objects.get(session_key=other.cookies[settings.SESSION_COOKIE_NAME].value)
    Session.objects.filter(pk=row.pk).update(session_data=stolen.session_data)
    assert not is_in(browser)
