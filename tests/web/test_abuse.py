"""Codes, applications and sign-ins attacked by the thousand (T21): what it costs is capped by phone, by address and by
institution; whoever is honest is served meanwhile. Through the pages, with a clock that the test pushes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from usance.apps.access import services, totp
from usance.apps.access import sign_in as staff_sign_in
from usance.apps.customers import selectors, sign_in
from usance.apps.customers.models import OneTimeCode, Party
from usance.apps.messaging.models import Message
from usance.ports import clock
from usance.ports.actor import SYSTEM

HOST = {"host": "vn.localhost"}
ATTACKER, HOME, OFFICE = "198.51.100.7", "203.0.113.7", "203.0.113.50"
VICTIM, CUSTOMER, NEWCOMER = "+84912000001", "+84912000002", "+84912000003"
MANY = int(os.environ.get("USANCE_ABUSE", "120"))  # `make abuse`: a thousand
PASSWORD, SECRET = "a quiet lake at noon", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 64)
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)
    monkeypatch.setattr(sign_in.secrets, "randbelow", lambda below: 123456)


@pytest.fixture
def now(institution: Any) -> Iterator[clock.FrozenClock]:
    frozen = clock.FrozenClock(datetime.now(UTC).replace(microsecond=0))
    before = clock.install(frozen)
    yield frozen
    clock.install(before)


def browser(address: str, cookies: Any = None) -> Client:
    made = Client(headers=HOST, REMOTE_ADDR=address)
    if cookies is not None:
        made.cookies = cookies
    return made


def ask(visitor: Client, phone: str) -> bool:
    """Whether a code was sent."""
    return bool(visitor.post("/sign-in/", {"phone": phone}).status_code == 302)


def enter(visitor: Client, phone: str) -> bool:
    return ask(visitor, phone) and visitor.post("/sign-in/code/", {"code": "123456"}).status_code == 302


def phones(start: int, count: int) -> list[str]:
    return [f"+8491{number:07d}" for number in range(start, start + count)]


def sent_to(phone: str) -> int:
    from usance.apps.customers import vault

    return OneTimeCode.objects.filter(to_mac=vault.blind(phone, kind="phone")).count()


def test_a_thousand_codes_to_one_phone_cost_ten_and_its_owner_still_gets_theirs(now: Any) -> None:
    honest = browser(HOME)
    assert enter(honest, VICTIM)
    honest.post("/sign-out/")
    for number in range(MANY):
        now.at += timedelta(seconds=60)
        ask(browser(f"198.51.{number % 200}.{number // 200}"), VICTIM)
    within_a_day = sent_to(VICTIM) - 1
    assert within_a_day <= sign_in.PER_PHONE_DAY
    assert Message.objects.count() == sent_to(VICTIM)  # a message for each code, none for a refusal
    assert enter(honest, VICTIM)  # on the device that is known, however many others have asked for


def test_one_address_that_tries_a_thousand_phones_is_stopped_and_its_neighbours_are_not(now: Any) -> None:
    honest = browser(ATTACKER)  # behind the same address: a mobile network's
    assert enter(honest, CUSTOMER)
    honest.post("/sign-out/")
    now.at += timedelta(hours=2)
    attacker = browser(ATTACKER)
    sent = sum(ask(attacker, phone) for phone in phones(3_000_000, MANY))
    assert sent == sign_in.PER_ADDRESS_HOUR
    assert enter(honest, CUSTOMER)
    assert enter(browser(HOME), NEWCOMER)


@override_settings(USANCE_STRANGERS_CODES_PER_DAY=40)
def test_a_crowd_of_addresses_cannot_cost_more_than_the_day_s_budget_and_customers_do_not_feel_it(now: Any) -> None:
    known, elsewhere = browser(HOME), browser("203.0.113.8")
    assert enter(known, CUSTOMER)
    known.post("/sign-out/")
    sent = 0
    for hour in range(6):
        for number, phone in enumerate(phones(4_000_000 + hour * 1000, MANY // 6)):
            sent += ask(browser(f"198.51.{hour}.{number}"), phone)
        now.at += timedelta(hours=1, seconds=1)
    assert sent == 40 - 1  # one was the customer's own, when nobody knew them yet
    assert not ask(browser(HOME), NEWCOMER)
    assert enter(known, CUSTOMER)
    assert ask(elsewhere, CUSTOMER)  # on a new device too: the budget is of those whom nobody knows
    now.at += timedelta(days=1)
    assert enter(browser(HOME), NEWCOMER)


def test_a_code_is_not_guessed_in_a_thousand_tries(now: Any) -> None:
    attacker = browser(ATTACKER)
    tries = Counter[str]()
    for number in range(MANY):
        if number % 5 == 0:
            now.at += timedelta(minutes=10)
            tries["codes"] += ask(attacker, VICTIM)
        page = attacker.post("/sign-in/code/", {"code": f"{number:06d}"})
        tries["in"] += page.status_code == 302
    assert tries["in"] == 0
    sent = OneTimeCode.objects.count()
    assert sent <= (MANY // 700 + 1) * sign_in.PER_PHONE_DAY  # ten minutes for five tries
    assert selectors.party_with_phone(VICTIM) is None


def test_applications_are_one_a_person_and_a_thousand_need_a_thousand_phones(now: Any) -> None:
    from usance.apps.decisioning import services as decisioning
    from usance.apps.institutions import tenancy
    from usance.apps.origination.models import Application
    from usance.apps.products import services as products

    on = tenancy.current().business_date
    products.found_demo_products(on=on)
    decisioning.found_first_rules(on=on)
    attacker = browser(ATTACKER)
    assert enter(attacker, VICTIM)
    for _ in range(MANY // 10):
        attacker.post("/wish/", {"product": "first", "amount": "1000000", "term": "20"})
        attacker.get("/apply/")
    assert Application.objects.count() <= 1
    parties = Party.objects.count()
    for phone in phones(5_000_000, MANY):
        enter(browser(ATTACKER), phone)
    assert Party.objects.count() - parties < sign_in.PER_ADDRESS_HOUR


# --- staff ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def una(now: Any) -> Any:
    services.install_roles()
    user = services.hire(email="una@lender.example", name="Una", actor=SYSTEM, password=PASSWORD)
    services.grant_role(user=user, role="underwriter", actor=SYSTEM)
    staff_sign_in.enrol_totp(user=user, at=now.now(), actor=SYSTEM, secret=SECRET)
    return user


def give(visitor: Client, password: str, email: str = "una@lender.example") -> int:
    return visitor.post("/staff/sign-in/", {"email": email, "password": password}).status_code


def staff_enter(visitor: Client, now: Any) -> bool:
    now.at += timedelta(seconds=60)
    if give(visitor, PASSWORD) != 302:
        return False
    return visitor.post("/staff/sign-in/code/", {"code": totp.code(SECRET, now.now())}).status_code == 302


def test_a_thousand_guesses_from_the_office_s_own_address_lock_nobody_out_at_their_desk(una: Any, now: Any) -> None:
    desk = browser(OFFICE)
    assert staff_enter(desk, now)
    desk.post("/staff/sign-out/")
    attacker = browser(OFFICE)
    seen = Counter(give(attacker, f"guess {number}") for number in range(MANY // 2))
    seen += Counter(give(attacker, "guess", f"someone{number}@lender.example") for number in range(MANY // 2 + 20))
    assert seen[422] == 60  # what was looked at: as many as one address may, ten of them at one account
    assert seen[429] == MANY // 2 * 2 + 20 - 60
    assert staff_enter(desk, now)


def test_guesses_at_an_account_leave_its_owner_s_new_device_alone(una: Any, now: Any) -> None:
    for number in range(MANY // 2):
        give(browser(ATTACKER), f"guess {number}")
    assert staff_enter(browser(HOME), now)


def test_a_crowd_s_guesses_are_bounded_and_stop_nobody_on_a_known_device(una: Any, now: Any) -> None:
    desk = browser(OFFICE)
    assert staff_enter(desk, now)
    desk.post("/staff/sign-out/")
    looked_at = sum(
        give(browser(f"198.51.100.{number % 250}"), f"guess {number}") == 422 for number in range(MANY + 20)
    )
    assert looked_at == 100
    assert staff_enter(desk, now)


def test_second_factors_are_not_guessed(una: Any, now: Any) -> None:
    attacker = browser(ATTACKER)
    assert give(attacker, PASSWORD) == 302
    seen = Counter(
        attacker.post("/staff/sign-in/code/", {"code": f"{number:06d}"}).status_code for number in range(MANY // 4)
    )
    assert seen[422] <= 5
    assert seen[302] == 0
    recovery = Counter(
        attacker.post("/staff/sign-in/recovery/", {"code": "aaaaa-aaaaa"}).status_code for _ in range(MANY // 10)
    )
    assert set(recovery) == {429}


def test_links_of_invitations_are_not_guessed(institution: Any, now: Any) -> None:
    attacker = browser(ATTACKER)
    told = [attacker.get(f"/staff/invitation/{'x' * 43}{number}/").content.decode() for number in range(60)]
    assert sum("too many tries" in page for page in told) == 40
