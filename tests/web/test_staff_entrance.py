"""The staff's way in, as a browser goes it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.web.conftest import PASSWORD, SECRET
from usance.apps.access import selectors, services, sign_in, totp
from usance.apps.access.models import StaffSession, User
from usance.apps.access.refusals import TooManyAttempts
from usance.ports import clock
from usance.ports.actor import SYSTEM

HOST = {"host": "vn.localhost"}


pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
def browser() -> Client:
    return Client(headers=HOST)


def give_password(browser: Client, password: str = PASSWORD, after: str = "") -> Any:
    form = {"email": "una@lender.example", "password": password}
    return browser.post(f"/staff/sign-in/?next={after}", form)


def give_code(browser: Client, now: clock.FrozenClock) -> Any:
    return browser.post("/staff/sign-in/code/", {"code": totp.code(SECRET, now.now())})


def enter(browser: Client, now: clock.FrozenClock) -> None:
    give_password(browser)
    assert give_code(browser, now).status_code == 302


def test_password_then_code_then_the_page_that_was_asked_for(una: User, browser: Client, now: Any) -> None:
    asked = browser.get("/staff/account/")
    assert asked["Location"] == "/staff/sign-in/?next=%2Fstaff%2Faccount%2F"
    assert give_password(browser, after="/staff/account/")["Location"] == "/staff/sign-in/code/"
    assert browser.get("/staff/account/").status_code == 302  # a password alone opens nothing
    assert give_code(browser, now)["Location"] == "/staff/account/"
    page = browser.get("/staff/account/")
    assert page.status_code == 200
    assert "una@lender.example" in page.content.decode()


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere_after_signing_in(una: User, browser: Client, now: Any, address: str) -> None:
    give_password(browser, after=address)
    assert give_code(browser, now)["Location"] == "/staff/"


def test_the_session_gets_a_new_key_at_each_step(una: User, browser: Client, now: Any) -> None:
    def key() -> str:
        cookie = browser.cookies.get(settings.SESSION_COOKIE_NAME)
        return cookie.value if cookie else ""

    give_password(browser)
    after_password = key()
    give_code(browser, now)
    assert after_password
    assert key() != after_password
    assert StaffSession.objects.get().session_key == key()


def test_a_wrong_password_and_an_unknown_address_look_alike(una: User, browser: Client) -> None:
    def seen(email: str) -> tuple[int, list[str]]:
        page = browser.post("/staff/sign-in/", {"email": email, "password": "wrong"})
        return page.status_code, [str(error) for error in page.context["form"].non_field_errors()]

    assert seen("una@lender.example") == seen("nobody@lender.example")
    assert seen("una@lender.example")[0] == 422


def test_tries_are_counted_though_the_page_refuses(una: User, browser: Client) -> None:
    statuses = [give_password(browser, "wrong").status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    assert give_password(browser).status_code == 429


def test_a_password_proof_does_not_last(una: User, browser: Client, now: Any) -> None:
    give_password(browser)
    now.at += timedelta(minutes=16)
    assert give_code(browser, now)["Location"] == "/staff/sign-in/"


def test_the_first_sign_in_links_an_app_and_shows_recovery_codes_once(
    institution: Any, browser: Client, now: Any
) -> None:
    user = services.hire(email="una@lender.example", name="Una", actor=SYSTEM, password=PASSWORD)
    assert give_password(browser)["Location"] == "/staff/sign-in/enrol/"
    assert browser.get("/staff/account/").status_code == 302
    page = browser.get("/staff/sign-in/enrol/").content.decode()
    found = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)
    assert found
    assert "data:image/svg+xml;base64," in page
    code = totp.code(found.group(1).replace(" ", ""), now.now())
    codes = browser.post("/staff/sign-in/enrol/", {"code": code})
    assert len(codes.context["codes"]) == 10
    assert browser.get("/staff/account/").status_code == 200
    assert selectors.recovery_codes_left(user) == 10


def test_a_recovery_code_lets_in(una: User, browser: Client) -> None:
    codes = sign_in.new_recovery_codes(user=una)
    give_password(browser)
    assert browser.post("/staff/sign-in/recovery/", {"code": "wrong"}).status_code == 422
    assert browser.post("/staff/sign-in/recovery/", {"code": codes[3]})["Location"] == "/staff/account/"
    assert browser.get("/staff/account/").status_code == 200


def test_after_an_attack_the_person_still_gets_in_on_their_own_device(una: User, browser: Client, now: Any) -> None:
    enter(browser, now)
    browser.post("/staff/sign-out/")
    attacker = Client(headers=HOST)
    for _ in range(12):
        give_password(attacker, "wrong")
    assert give_password(attacker).status_code == 429
    now.at += timedelta(seconds=60)
    assert give_password(browser).status_code == 302
    assert give_code(browser, now).status_code == 302
    assert issubclass(TooManyAttempts, Exception)


def test_signing_out_ends_the_session_for_good(una: User, browser: Client, now: Any) -> None:
    enter(browser, now)
    stolen = browser.cookies[settings.SESSION_COOKIE_NAME].value
    browser.post("/staff/sign-out/")
    thief = Client(headers=HOST)
    thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert thief.get("/staff/account/").status_code == 302
    assert StaffSession.objects.get().end_reason == "signed_out"


def test_a_session_can_be_ended_from_elsewhere(una: User, browser: Client, now: Any) -> None:
    enter(browser, now)
    first = StaffSession.objects.get()
    now.at += timedelta(seconds=60)
    other = Client(headers=HOST)
    enter(other, now)
    assert other.post(f"/staff/account/sessions/{first.pk}/end/").status_code == 302
    assert browser.get("/staff/account/").status_code == 302
    assert other.get("/staff/account/").status_code == 200


def test_a_changed_password_keeps_this_session_and_ends_the_others(una: User, browser: Client, now: Any) -> None:
    enter(browser, now)
    now.at += timedelta(seconds=60)
    other = Client(headers=HOST)
    enter(other, now)
    refused = browser.post("/staff/account/password/", {"old": PASSWORD, "new": "password1"})
    assert refused.status_code == 422
    changed = browser.post("/staff/account/password/", {"old": PASSWORD, "new": "nine lions in a row"})
    assert changed["Location"] == "/staff/account/"
    assert browser.get("/staff/account/").status_code == 200
    assert other.get("/staff/account/").status_code == 302


def test_an_idle_session_ends(una: User, browser: Client, now: Any) -> None:
    enter(browser, now)
    now.at += timedelta(minutes=61)
    assert browser.get("/staff/account/").status_code == 302


def test_a_deactivated_person_is_out_at_once(una: User, browser: Client, now: Any) -> None:
    enter(browser, now)
    services.deactivate(user_id=una.pk, actor=SYSTEM, at=now.now())
    assert browser.get("/staff/account/").status_code == 302


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(una: User, browser: Client) -> None:
    response = browser.get("/staff/account/", headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (204, "/staff/sign-in/?next=%2Fstaff%2Faccount%2F")


def test_an_invitation_leads_to_a_password_and_an_app(institution: Any, browser: Client, now: Any) -> None:
    user = services.hire(email="una@lender.example", name="Una", actor=SYSTEM)
    token = services.invite(user=user, at=now.now(), actor=SYSTEM)
    address = f"/staff/invitation/{token}/"
    assert browser.get(address).status_code == 200
    assert browser.post(address, {"password": "short"}).status_code == 422
    assert browser.post(address, {"password": PASSWORD})["Location"] == "/staff/sign-in/enrol/"
    assert browser.get("/staff/sign-in/enrol/").status_code == 200
    assert browser.get(address).status_code == 404


def test_a_password_proof_ends_when_the_sign_in_is_reset(una: User, browser: Client, now: Any) -> None:
    """Whoever stole the password stands between the two steps; the reset must not let them link an app of their own."""
    give_password(browser)
    services.reset_access(user_id=una.pk, actor=SYSTEM, at=now.now())
    assert browser.get("/staff/sign-in/enrol/")["Location"] == "/staff/sign-in/"
    assert not selectors.confirmed_factor(una)
