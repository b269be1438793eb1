"""Passkeys at the desk: made, used as second step and alone, removed; and every answer that must be refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.support.authenticator import Authenticator
from tests.web.conftest import PASSWORD
from usance.apps.access import passkeys, selectors, services, sign_in
from usance.apps.access.models import PasskeyChallenge, StaffSession, User
from usance.apps.access.refusals import PasskeyExpired, PasskeyRefused
from usance.apps.audit import selectors as trail
from usance.ports import clock
from usance.ports.actor import SYSTEM, staff

HOST = {"host": "vn.localhost:8000"}
ORIGIN = "http://vn.localhost:8000"
REMOVE = "/staff/account/factors/remove/"
SITE = passkeys.Site("vn.localhost", ORIGIN)


pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
def desk(una: User, now: clock.FrozenClock) -> Client:
    """A browser in which she is signed in."""
    browser = Client(headers=HOST)
    browser.post("/staff/sign-in/", {"email": una.email, "password": PASSWORD})
    codes = sign_in.new_recovery_codes(user=una)
    assert browser.post("/staff/sign-in/recovery/", {"code": codes[0]}).status_code == 302
    return browser


@pytest.fixture
def key(desk: Client) -> Authenticator:
    """A security key that she has added; its counter counts."""
    made = Authenticator(ORIGIN, counter=5)
    assert add(desk, made)["Location"] == "/staff/account/"
    return made


def add(browser: Client, key: Authenticator, name: str = "Blue key") -> Any:
    named = browser.post("/staff/account/passkeys/add/", {"name": name, "old": PASSWORD})
    assert named["Location"] == "/staff/account/passkeys/make/", named.content.decode()
    asked = browser.post("/staff/account/passkeys/make/ask/").json()
    return browser.post("/staff/account/passkeys/make/", {"passkey": key.create(asked["options"])})


def take_away(browser: Client, factor: Any, password: str = PASSWORD) -> Any:
    return browser.post(REMOVE, {"factor": str(factor.pk), "old": password})


def chosen(page: Any) -> Any:
    """Which factor the page has ticked."""
    assert page.status_code == 200
    return page.context["form"]["factor"].value()


def ask(browser: Client) -> Any:
    return browser.post("/staff/sign-in/passkey/ask/").json()["options"]


def alone(key: Authenticator, browser: Client | None = None, after: str = "") -> Any:
    browser = browser or Client(headers=HOST)
    answer = key.get(ask(browser))
    return browser.post(f"/staff/sign-in/passkey/{after}", {"passkey": answer})


def acts(user: User) -> list[str]:
    return [entry.action for entry in trail.trail(user)]


def said(browser: Client, response: Any) -> str:
    page = browser.get(response["Location"])
    return page.content.decode()


# --- what works --------------------------------------------------------------------------------------------------


def test_a_passkey_is_both_steps_at_once_and_leads_where_she_wanted(una: User, key: Authenticator) -> None:
    browser = Client(headers=HOST)
    entered = alone(key, browser, "?next=/staff/account/")
    assert entered["Location"] == "/staff/account/"
    page = browser.get("/staff/account/").content.decode()
    assert "Blue key" in page
    assert StaffSession.objects.order_by("-id")[0].factor == "passkey"
    assert acts(una)[:2] == ["access.signed_in", "access.passkey_used"]
    outside = alone(key, after="?next=https://evil.example/")
    assert outside["Location"] == "/staff/"


def test_a_passkey_is_the_second_step_after_the_password(una: User, key: Authenticator) -> None:
    browser = Client(headers=HOST)
    browser.post("/staff/sign-in/?next=/staff/account/", {"email": una.email, "password": PASSWORD})
    assert "Use your fingerprint" in browser.get("/staff/sign-in/code/").content.decode()
    options = browser.post("/staff/sign-in/code/passkey/ask/").json()["options"]
    assert [one["id"] for one in options["allowCredentials"]] == [
        selectors.passkeys_of(una, host=SITE.host)[0].credential
    ]
    assert options["userVerification"] == "required"
    answer = key.get(options)
    assert browser.post("/staff/sign-in/code/passkey/", {"passkey": answer})["Location"] == "/staff/account/"
    assert browser.get("/staff/account/").status_code == 200


def test_several_passkeys_are_listed_and_removed_but_never_the_last_factor(
    una: User, desk: Client, key: Authenticator
) -> None:
    second = Authenticator(ORIGIN)
    assert add(desk, second, "My laptop").status_code == 302
    app, blue, laptop = selectors.factors_of(una)
    for factor in (app, blue):
        assert chosen(desk.get(f"{REMOVE}?factor={factor.pk}")) == str(factor.pk)
        refused = take_away(desk, factor, password="wrong")
        assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["old"])
        assert take_away(desk, factor)["Location"] == "/staff/account/"
    last = take_away(desk, laptop)
    assert (last.status_code, list(last.context["form"].errors)) == (422, ["factor"])
    assert "only way" in last.content.decode()
    assert list(selectors.factors_of(una)) == [laptop]
    assert acts(una).count("access.factor_removed") == 2
    assert alone(key).headers["Location"] == "/staff/sign-in/"  # removed, so it opens nothing
    assert alone(second)["Location"] == "/staff/"
    without_app = Client(headers=HOST)  # no app any more: the second step offers the passkey and the codes on paper
    without_app.post("/staff/sign-in/", {"email": una.email, "password": PASSWORD})
    page = without_app.get("/staff/sign-in/code/").content.decode()
    assert ('name="code"' in page, "Now your passkey" in page, "/staff/sign-in/recovery/" in page) == (
        False,
        True,
        True,
    )


def test_a_reset_takes_passkeys_away_too(una: User, key: Authenticator, now: clock.FrozenClock) -> None:
    services.reset_access(user_id=una.pk, actor=staff("someone-else"), at=now.now())
    assert not selectors.factors_of(una).exists()
    assert alone(key)["Location"] == "/staff/sign-in/"


def test_the_same_passkey_is_not_added_twice(una: User, desk: Client, key: Authenticator) -> None:
    again = add(desk, key)
    assert again["Location"] == "/staff/account/passkeys/make/"
    assert "registered already" in said(desk, again)
    assert selectors.passkeys_of(una, host=SITE.host).count() == 1


def test_a_name_and_the_password_come_first(una: User, desk: Client) -> None:
    empty = desk.post("/staff/account/passkeys/add/", {"name": " ", "old": ""})
    assert (empty.status_code, set(empty.context["form"].errors)) == (422, {"name", "old"})
    wrong = desk.post("/staff/account/passkeys/add/", {"name": "Key", "old": "wrong"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["old"])
    assert desk.get("/staff/account/passkeys/make/")["Location"] == "/staff/account/passkeys/add/"
    assert desk.post("/staff/account/passkeys/make/ask/").status_code == 403


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "http://evil.localhost:8000"},
        {"origin": "https://vn.localhost:8000"},
        {"origin": "http://vn.localhost:9000"},
        {"rp_id": "ua.localhost"},
        {"verifies": False},
        {"user_handle": b"someone else"},
        {"credential_id": b"another key"},
    ],
    ids=lambda lie: "-".join(lie),
)
def test_a_lying_answer_opens_nothing(una: User, key: Authenticator, lie: dict[str, Any]) -> None:
    for name, value in lie.items():
        setattr(key, name, value)
    browser = Client(headers=HOST)
    refused = alone(key, browser)
    assert refused["Location"] == "/staff/sign-in/"
    assert "not known here" in said(browser, refused)
    assert browser.get("/staff/account/").status_code == 302
    known = "credential_id" not in lie
    assert ("access.passkey_refused" in acts(una)) is known


@pytest.mark.parametrize("lie", [{"origin": "http://evil.localhost:8000"}, {"rp_id": "localhost"}, {"verifies": False}])
def test_a_lying_browser_cannot_add_a_passkey(una: User, desk: Client, lie: dict[str, Any]) -> None:
    made = Authenticator(ORIGIN)
    for name, value in lie.items():
        setattr(made, name, value)
    assert add(desk, made)["Location"] == "/staff/account/passkeys/make/"
    assert not selectors.passkeys_of(una, host=SITE.host).exists()


def test_another_key_s_signature_is_refused(una: User, key: Authenticator) -> None:
    forged = Authenticator(ORIGIN, counter=50, credential_id=key.credential_id, user_handle=key.user_handle)
    assert alone(forged)["Location"] == "/staff/sign-in/"
    assert alone(key)["Location"] == "/staff/"  # and does not harm the real one


def test_a_challenge_is_good_once(una: User, key: Authenticator) -> None:
    browser = Client(headers=HOST)
    answer = key.get(ask(browser))
    assert browser.post("/staff/sign-in/passkey/", {"passkey": answer})["Location"] == "/staff/"
    thief = Client(headers=HOST)
    refused = thief.post("/staff/sign-in/passkey/", {"passkey": answer})  # recorded on the way, without a challenge
    assert "took too long or was answered before" in said(thief, refused)
    ask(thief)
    assert "not known here" in said(thief, thief.post("/staff/sign-in/passkey/", {"passkey": answer}))


def test_a_used_challenge_stays_used_even_by_its_id(una: User, key: Authenticator, now: clock.FrozenClock) -> None:
    visitor = sign_in.Visitor("192.0.2.1")
    asked = passkeys.ask(site=SITE, visitor=visitor, at=now.now())
    answer = key.get(asked.options)
    checking: dict[str, Any] = {"challenge_id": asked.challenge_id, "site": SITE, "visitor": visitor, "at": now.now()}
    with pytest.raises(PasskeyRefused):
        passkeys.check_single(answer="{}", **checking)
    with pytest.raises(PasskeyExpired):
        passkeys.check_single(answer=answer, **checking)


def test_a_challenge_lives_for_minutes_and_is_swept(una: User, key: Authenticator, now: clock.FrozenClock) -> None:
    browser = Client(headers=HOST)
    answer = key.get(ask(browser))
    now.at += passkeys.LIFE
    assert "took too long" in said(browser, browser.post("/staff/sign-in/passkey/", {"passkey": answer}))
    sign_in.sweep(at=now.now() + timedelta(seconds=1))
    assert not PasskeyChallenge.objects.exists()


def test_a_challenge_of_one_purpose_is_none_of_another(una: User, key: Authenticator, now: clock.FrozenClock) -> None:
    visitor = sign_in.Visitor("192.0.2.1")
    asked = passkeys.ask(user=una, site=SITE, visitor=visitor, at=now.now())
    with pytest.raises(PasskeyExpired):
        passkeys.check_single(
            challenge_id=asked.challenge_id, answer=key.get(asked.options), site=SITE, visitor=visitor, at=now.now()
        )


def test_a_passkey_is_of_its_host_name_only(una: User, key: Authenticator, now: clock.FrozenClock) -> None:
    """Also where the institution has another name: nothing is offered there, and nothing opens."""
    elsewhere, visitor = passkeys.Site("lender.example", "https://lender.example"), sign_in.Visitor("192.0.2.1")
    asked = passkeys.ask(user=una, site=elsewhere, visitor=visitor, at=now.now())
    assert asked.options["allowCredentials"] == []
    key.origin = elsewhere.origin
    with pytest.raises(PasskeyRefused):
        passkeys.check_second(
            user=una,
            challenge_id=asked.challenge_id,
            answer=key.get(asked.options),
            site=elsewhere,
            visitor=visitor,
            at=now.now(),
        )


def test_a_counter_that_goes_back_suspends_the_passkey(una: User, desk: Client, key: Authenticator) -> None:
    assert alone(key)["Location"] == "/staff/"
    key.counter -= 2  # as a copy made a while ago would answer
    browser = Client(headers=HOST)
    assert "as a copy would" in said(browser, alone(key, browser))
    assert acts(una)[0] == "access.passkey_suspended"
    key.counter += 50
    assert alone(key)["Location"] == "/staff/sign-in/"  # and stays suspended
    assert "Suspended: perhaps copied" in desk.get("/staff/account/").content.decode()
    app, blue = selectors.factors_of(una)
    assert take_away(desk, blue).status_code == 302
    assert add(desk, Authenticator(ORIGIN))["Location"] == "/staff/account/"


def test_a_suspended_passkey_is_no_way_to_enrol_anew(una: User, desk: Client, key: Authenticator) -> None:
    """Whoever has the password and a copy must not come to a page that links a new app."""
    app = selectors.factors_of(una).get(kind="totp")
    take_away(desk, app)
    selectors.factors_of(una).update(suspended_at=datetime.now(UTC))
    browser = Client(headers=HOST)
    entered = browser.post("/staff/sign-in/", {"email": una.email, "password": PASSWORD})
    assert entered["Location"] == "/staff/sign-in/code/"
    assert browser.get("/staff/sign-in/enrol/")["Location"] == "/staff/sign-in/code/"
    assert "None of your passkeys works" in browser.get("/staff/sign-in/code/").content.decode()


def test_wrong_answers_at_the_second_step_are_counted(una: User, key: Authenticator, now: Any) -> None:
    browser = Client(headers=HOST)
    browser.post("/staff/sign-in/", {"email": una.email, "password": PASSWORD})
    for _ in range(5):
        browser.post("/staff/sign-in/code/passkey/ask/")
        browser.post("/staff/sign-in/code/passkey/", {"passkey": "{}"})
    options = browser.post("/staff/sign-in/code/passkey/ask/").json()["options"]
    refused = browser.post("/staff/sign-in/code/passkey/", {"passkey": key.get(options)})
    assert "too many tries" in said(browser, refused)


def test_asking_without_end_is_stopped(una: User) -> None:
    browser = Client(headers=HOST)
    for _ in range(120):
        assert browser.post("/staff/sign-in/passkey/ask/").status_code == 200
    stopped = browser.post("/staff/sign-in/passkey/ask/")
    assert stopped.status_code == 429
    assert "too many tries" in stopped.json()["problem"]


def test_the_second_step_needs_the_password_first(una: User, key: Authenticator) -> None:
    browser = Client(headers=HOST)
    assert browser.post("/staff/sign-in/code/passkey/ask/").status_code == 403
    assert browser.post("/staff/sign-in/code/passkey/", {"passkey": "{}"})["Location"] == "/staff/sign-in/"


def test_somebody_who_left_does_not_get_in(una: User, key: Authenticator, now: clock.FrozenClock) -> None:
    services.deactivate(user_id=una.pk, actor=staff("someone-else"), at=now.now())
    assert alone(key)["Location"] == "/staff/sign-in/"


def test_nobody_removes_or_sees_another_s_factor(una: User, desk: Client) -> None:
    other = services.hire(email="otto@lender.example", name="Otto", actor=SYSTEM)
    sign_in.enrol_totp(user=other, at=clock.now(), actor=SYSTEM)
    factor = selectors.factors_of(other).get()
    offered = desk.get(f"{REMOVE}?factor={factor.pk}").context["form"].fields["factor"].choices
    assert [value for value, _name in offered] == [str(selectors.factors_of(una).get().pk)]
    refused = take_away(desk, factor)
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["factor"])
    assert selectors.factors_of(other).get() == factor


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "rawId", "type", "response", "clientDataJSON", "attestationObject", "authenticatorData"]
            )
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(junk=JUNK)
def test_junk_is_no_answer(junk: Any) -> None:
    """Whatever is sent in place of an answer reads as none; nothing crashes."""
    import webauthn

    text = json.dumps(junk)
    verify: dict[str, Any] = {"expected_challenge": b"x", "expected_rp_id": SITE.host, "expected_origin": ORIGIN}
    assert passkeys._read(lambda: webauthn.verify_registration_response(credential=text, **verify)) is None
    assert passkeys._read(lambda: webauthn.helpers.parse_authentication_credential_json(text)) is None


@given(where=st.integers(0, 10_000), what=st.integers(0, 255))
def test_a_registration_with_any_byte_changed_is_read_or_refused_never_a_crash(where: int, what: int) -> None:
    import webauthn
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

    key = Authenticator(ORIGIN)
    options = {"user": {"id": "AAAA"}, "rp": {"id": SITE.host}, "challenge": "AAAA"}
    whole = json.loads(key.create(options))
    raw = bytearray(base64url_to_bytes(whole["response"]["attestationObject"]))
    raw[where % len(raw)] = what
    whole["response"]["attestationObject"] = bytes_to_base64url(bytes(raw))
    passkeys._read(
        lambda: webauthn.verify_registration_response(
            credential=json.dumps(whole),
            expected_challenge=b"\0\0\0",
            expected_rp_id=SITE.host,
            expected_origin=ORIGIN,
            require_user_verification=True,
        )
    )


def test_a_password_typed_when_the_session_had_ended_is_not_kept(una: User, key: Authenticator) -> None:
    browser = Client(headers=HOST)
    alone(key, browser)
    sign_in.end_sessions(user=una, at=clock.now(), reason="test")
    browser.post("/staff/customers/", {"q": "what is no secret"})
    assert "kept_answers" in browser.session  # or this test could not fail
    for address in (
        REMOVE,
        "/staff/account/passkeys/add/",
        "/staff/account/password/",
        "/staff/account/recovery-codes/",
    ):
        browser.session.flush()
        assert browser.post(address, {"old": PASSWORD, "name": "Key"}).status_code == 302
        assert "kept_answers" not in browser.session, address
