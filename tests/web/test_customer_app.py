"""A customer's own authenticator app: linked by its code, asked on a new device, never a way to lock its owner out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from usance.apps.access import totp
from usance.apps.audit import selectors as trail
from usance.apps.customers import authenticator, second_facts, selectors, sign_in
from usance.apps.customers import services as customers
from usance.apps.customers.models import AuthenticatorApp
from usance.apps.institutions import tenancy
from usance.ports import clock
from usance.ports.actor import SYSTEM

HOST = {"host": "vn.localhost", "accept-language": "en"}
PHONE = "+84912345678"


@pytest.fixture
def now(institution: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[clock.FrozenClock]:
    monkeypatch.setattr(sign_in.secrets, "randbelow", lambda below: 123456)
    frozen = clock.FrozenClock(datetime.now(UTC).replace(microsecond=0))
    before = clock.install(frozen)
    yield frozen
    clock.install(before)


def give_code(browser: Client, now: Any) -> Any:
    now.at += timedelta(minutes=6)
    browser.post("/sign-in/", {"phone": PHONE})
    return browser.post("/sign-in/code/", {"code": "123456"})


def linked(browser: Client, now: Any) -> str:
    """Signs up, tells a date of birth, links an app. Its secret."""
    give_code(browser, now)
    party_id = selectors.party_with_phone(PHONE)
    assert party_id is not None
    customers.state_facts(
        party_id=party_id, facts={"birth_date": date(1984, 5, 8)}, source="applicant", actor=SYSTEM, at=now.at,
        on=date(2026, 3, 2),
    )  # fmt: skip
    page = browser.get("/account/app/").content.decode()
    assert "An SMS can be read by others" in page
    found = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)
    assert found
    secret = found.group(1).replace(" ", "")
    assert b"code is wrong" in browser.post("/account/app/", {"code": "000000"}).content
    assert not authenticator.is_linked(party_id)
    answer = browser.post("/account/app/", {"code": totp.code(secret, now.at)})
    assert answer["Location"] == "/account/settings/"
    assert "App linked" in browser.get("/account/settings/").content.decode()
    return secret


def test_on_a_new_device_the_app_s_code_is_asked_for_and_nothing_else_will_do(now: Any) -> None:
    first = Client(headers=HOST)
    secret = linked(first, now)
    stranger = Client(headers=HOST)
    assert give_code(stranger, now)["Location"] == "/sign-in/question/"
    assert "authenticator app" in stranger.get("/sign-in/question/").content.decode()
    told = {"birth_date_day": "8", "birth_date_month": "5", "birth_date_year": "1984", "last_four": "0999"}
    assert stranger.post("/sign-in/question/", told).status_code == 200  # whoever knows the owner's birthday
    assert stranger.get("/account/").status_code == 302
    code = totp.code(secret, now.at)
    assert stranger.post("/sign-in/question/", {"app_code": code}).status_code == 302
    assert stranger.get("/account/").status_code == 200
    other = Client(headers=HOST)
    give_code(other, now)
    now.at -= timedelta(minutes=6)
    assert other.post("/sign-in/question/", {"app_code": code}).status_code == 200  # a code counts once


def test_a_known_device_needs_no_app_and_guesses_are_counted(now: Any) -> None:
    first = Client(headers=HOST)
    linked(first, now)
    first.post("/sign-out/")
    assert give_code(first, now)["Location"] == "/account/"
    stranger = Client(headers=HOST)
    give_code(stranger, now)
    pages = [stranger.post("/sign-in/question/", {"app_code": f"{n:06d}"}).content.decode() for n in range(7)]
    assert sum("tries are left" in page or "try is left" in page for page in pages) == second_facts.ATTEMPTS - 1
    assert "too many wrong answers" in pages[-1]


def test_an_app_is_taken_off_by_its_owner_with_a_fresh_proof(now: Any) -> None:
    browser = Client(headers=HOST)
    linked(browser, now)
    party_id = selectors.party_with_phone(PHONE)
    now.at += timedelta(minutes=16)
    assert browser.post("/account/app/unlink/")["Location"].startswith("/sign-in/?next=")
    assert browser.get("/account/app/").status_code == 302
    give_code(browser, now)
    assert browser.post("/account/app/unlink/")["Location"] == "/account/settings/"
    assert not authenticator.is_linked(party_id)  # type: ignore[arg-type]
    acts = [entry.action for entry in trail.trail(("customers.party", party_id))]  # type: ignore[arg-type]
    assert {"customer.app_linked", "customer.app_unlinked"} <= set(acts)
    stranger = Client(headers=HOST)
    give_code(stranger, now)
    assert "date of birth" in stranger.get("/sign-in/question/").content.decode()


def test_staff_take_it_off_for_somebody_who_lost_the_phone(now: Any) -> None:
    from tests.web import samples
    from usance.apps.access import services as access

    linked(Client(headers=HOST), now)
    party_id = selectors.party_with_phone(PHONE)
    access.install_roles()
    world = samples.World(tenancy.current(), "vn.localhost")
    for name, role in (("anna", "customer_service"), ("carl", "auditor")):
        world.staff[name] = access.hire(email=f"{name}@lender.example", name=name, actor=SYSTEM)
        access.grant_role(user=world.staff[name], role=role, actor=SYSTEM)
    page = f"/staff/customers/{party_id}/app/"
    assert samples.staff_client(world, "carl").get(page).status_code == 403
    anna = samples.staff_client(world, "anna")
    assert page in anna.get(f"/staff/customers/{party_id}/").content.decode()
    assert anna.post(page, {"reason": ""}).status_code == 422
    assert anna.post(page, {"reason": "in_person"}).status_code == 302
    assert not authenticator.is_linked(party_id)  # type: ignore[arg-type]


def test_its_secret_is_sealed_under_the_person_s_key_and_goes_with_them(now: Any) -> None:
    secret = linked(Client(headers=HOST), now)
    party_id = selectors.party_with_phone(PHONE)
    assert secret.encode() not in bytes(AuthenticatorApp.objects.get().sealed)
    customers.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=now.at)  # type: ignore[arg-type]
    assert not AuthenticatorApp.objects.exists()
