"""The proofs by which staff sign in: passwords, codes on paper, marks of devices; how strong they are and how kept."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import hashers
from django.core import signing
from django.test import Client

from tests.support.environment import PROJECT
from usance.apps.access import passwords, services, sign_in, totp
from usance.apps.access.models import RecoveryCode, User
from usance.apps.access.refusals import PasswordTooCommon, SignInRefused
from usance.apps.institutions import keyring
from usance.ports import clock
from usance.ports.actor import SYSTEM

HOST = {"host": "vn.localhost"}
PASSWORD, SECRET = "a quiet lake at noon", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STRENGTH = {name: getattr(hashers.Argon2PasswordHasher, name) for name in ("memory_cost", "time_cost", "parallelism")}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashers.Argon2PasswordHasher, "memory_cost", 64)
    monkeypatch.setattr(hashers.Argon2PasswordHasher, "time_cost", 1)


@pytest.fixture
def now(institution: Any) -> Iterator[clock.FrozenClock]:
    frozen = clock.FrozenClock(datetime.now(UTC).replace(microsecond=0))
    before = clock.install(frozen)
    yield frozen
    clock.install(before)


@pytest.fixture
def una(now: Any) -> User:
    services.install_roles()
    user = services.hire(email="una@lender.example", name="Una", actor=SYSTEM, password=PASSWORD)
    services.grant_role(user=user, role="underwriter", actor=SYSTEM)
    sign_in.enrol_totp(user=user, at=now.now(), actor=SYSTEM, secret=SECRET)
    return user


def enter(now: Any) -> Client:
    now.at += timedelta(seconds=60)
    browser = Client(headers=HOST | {"accept-language": "en"})
    browser.post("/staff/sign-in/", {"email": "una@lender.example", "password": PASSWORD})
    assert browser.post("/staff/sign-in/code/", {"code": totp.code(SECRET, now.now())}).status_code == 302
    return browser


# --- passwords -----------------------------------------------------------------------------------------------------


def test_a_change_needs_the_present_password(una: User, now: Any) -> None:
    browser = enter(now)
    sent = {"old": "not this one", "new": "nine lions in a row"}
    assert browser.post("/staff/account/password/", sent).status_code == 422
    una.refresh_from_db()
    assert una.check_password(PASSWORD)


@pytest.mark.parametrize(
    "password",
    [
        "ninelionsinarow",
        "NINELIONSINAROW",
        "ЧотириЛевиВРядку",
        "🦁🦁🦒🐘🦓🦛🐊🐍🦎🐢🦖🦕🐙🦑🦐",
        " lead and trail ",
        "x1" * 30 + "yzab",
        "a bcde " * 18,
    ],
)
def test_any_signs_will_do_and_each_counts(una: User, now: Any, password: str) -> None:
    sign_in.set_password(user=una, password=password, at=now.now())
    visitor = sign_in.Visitor("10.0.0.1")
    assert sign_in.check_password(email=una.email, password=password, visitor=visitor, at=now.now()) == una
    for other in (password[:-1], password.swapcase() + "x", password + " ", password[:72] + "?"):
        with pytest.raises(SignInRefused):
            sign_in.check_password(email=una.email, password=other, visitor=visitor, at=now.now())


def test_the_pages_take_a_password_of_128_signs_as_it_is(una: User, now: Any) -> None:
    long = " " + "lion " * 25 + "ab"
    assert len(long) == 128
    browser = enter(now)
    assert browser.post("/staff/account/password/", {"old": PASSWORD, "new": long}).status_code == 302
    fresh = Client(headers=HOST)
    assert fresh.post("/staff/sign-in/", {"email": una.email, "password": long}).status_code == 302
    assert fresh.post("/staff/sign-in/", {"email": una.email, "password": long.strip()}).status_code == 422


def test_fields_hide_what_is_typed_and_let_managers_fill_them(una: User, now: Any) -> None:
    page = Client(headers=HOST).get("/staff/sign-in/").content.decode()
    assert re.search(r'<input[^>]*type="password"[^>]*autocomplete="current-password"', page)
    page = enter(now).get("/staff/account/password/").content.decode()
    assert len(re.findall(r'type="password"', page)) == 2
    assert 'autocomplete="new-password"' in page
    assert "onpaste" not in page


def test_a_password_does_not_run_out(una: User, now: Any) -> None:
    now.at += timedelta(days=4000)
    assert enter(now).get("/staff/account/").status_code == 200


@pytest.mark.parametrize(
    "password",
    ["usance2026!", "Usance-Underwriter-1", "loanloanloan", "Demo vn Demo vn 1", "una una una 123", "matkhau123"],
)
def test_words_around_us_make_no_password(una: User, now: Any, password: str) -> None:
    with pytest.raises(PasswordTooCommon):
        sign_in.set_password(user=una, password=password, at=now.now())


def test_the_most_common_of_leaked_passwords_are_refused() -> None:
    """Django's list is the 20,000 most common of those that were leaked; as many as fit our lengths are looked at."""
    known = passwords._common()
    assert len(known) > 19_000
    fitting = [one for one in known if len(one) >= passwords.LEAST_WITH_FACTOR]
    assert len(fitting) > 3000
    for one in fitting[::50]:
        with pytest.raises(PasswordTooCommon):
            passwords.check(one, has_second_factor=True)


def test_a_new_lender_has_no_accounts(institution: Any) -> None:
    assert not User.objects.exists()


def test_passwords_are_kept_by_argon2id_as_strong_as_is_advised(una: User) -> None:
    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert una.password.startswith("argon2$argon2id$")
    assert STRENGTH["memory_cost"] >= 19_456  # KiB
    assert STRENGTH["time_cost"] >= 2


# --- codes and keys ------------------------------------------------------------------------------------------------


def test_codes_on_paper_are_kept_by_a_slow_hash_with_a_salt(una: User, monkeypatch: pytest.MonkeyPatch) -> None:
    salts = []
    real = sign_in.hash_secret_raw

    def seen(secret: bytes, *, salt: bytes, **more: Any) -> bytes:
        salts.append(salt)
        return real(secret, salt=salt, **more)

    monkeypatch.setattr(sign_in, "hash_secret_raw", seen)
    codes = sign_in.new_recovery_codes(user=una)
    assert len(salts) == 10
    assert min(map(len, salts)) >= 8
    kept = " ".join(RecoveryCode.objects.values_list("code_digest", flat=True))
    assert not [code for code in codes if code.replace("-", "") in kept]
    other = services.hire(email="b@lender.example", name="B", actor=SYSTEM)
    assert sign_in._recovery_digest(una, codes[0]) != sign_in._recovery_digest(other, codes[0])


def test_codes_have_as_many_bits_as_they_must(una: User, now: Any) -> None:
    assert all(len(code.replace("-", "")) == 10 for code in sign_in.new_recovery_codes(user=una))  # 49 bits
    assert len(base64.b32decode(totp.new_secret())) == 20
    assert len(base64.urlsafe_b64decode(services.invite(user=una, at=now.now(), actor=SYSTEM) + "=")) == 32
    from usance.apps.customers import sign_in as customers

    assert customers.ATTEMPTS == 5  # of six digits


def test_keys_are_as_long_as_they_must_be(institution: Any) -> None:
    assert all(len(key) == 32 for key in keyring.ring().values())
    assert len(keyring.digest("x", "y")) == 64
    from usance.apps.customers import vault

    assert vault.KEY == 32
    assert len(vault.blind("x", kind="y")) == 32


def test_papers_are_sealed_by_an_approved_algorithm(tmp_path: Any) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from usance.apps.agreements import sealing

    path = tmp_path / "seal.pem"
    sealing.make_demo_key(path)
    content = path.read_bytes()
    key = load_pem_private_key(content, None)
    strong = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size >= 256
    strong = strong or (isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 3072)
    assert strong
    certificate = x509.load_pem_x509_certificate(content[content.index(b"-----BEGIN CERTIFICATE") :])
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name in ("sha256", "sha384", "sha512")
    assert path.stat().st_mode & 0o077 == 0


def test_the_mark_of_a_device_is_signed_dated_and_bound(una: User, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = sign_in.device_mark(una)
    assert sign_in._known_device(una, mark)
    told = [str(una.institution_id), str(una.pk), "0" * 16]
    forged = [
        mark[:-1] + ("A" if mark[-1] != "A" else "B"),
        signing.dumps(told, salt="another.purpose"),
        signing.dumps(told, salt=sign_in._DEVICE_SALT, key="another key"),
        signing.dumps(["0" * 36, *told[1:]], salt=sign_in._DEVICE_SALT),
        f"{signing.b64_encode(b'[]').decode()}::",
        "",
    ]
    assert [one for one in forged if sign_in._known_device(una, one)] == []
    later = datetime.now(UTC).timestamp() + sign_in.DEVICE_DAYS * 86400 + 60
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert sign_in._known_device(una, mark) is None


# --- visits at the desk --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/staff/account/app/", "/staff/account/recovery-codes/"])
def test_what_changes_the_way_in_needs_a_fresh_proof(una: User, now: Any, address: str) -> None:
    browser = enter(now)
    assert browser.get(address).status_code == 200
    now.at += timedelta(minutes=16)
    assert browser.get(address)["Location"].startswith("/staff/sign-in/?next=")
    assert browser.get("/staff/account/").status_code == 302
    shown = browser.get("/staff/sign-in/").content.decode()
    assert "sign in again" in shown


def test_ending_another_session_needs_a_fresh_proof(una: User, now: Any) -> None:
    from usance.apps.access.models import StaffSession

    enter(now)
    first = StaffSession.objects.get()
    other = enter(now)
    now.at += timedelta(minutes=16)
    assert other.post(f"/staff/account/sessions/{first.pk}/end/")["Location"].startswith("/staff/sign-in/")
    first.refresh_from_db()
    assert first.ended_at is None


def test_another_app_ends_the_other_sessions(una: User, now: Any) -> None:
    elsewhere, here = enter(now), enter(now)
    page = here.get("/staff/account/app/").content.decode()
    found = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)
    assert found
    code = totp.code(found.group(1).replace(" ", ""), now.now())
    assert here.post("/staff/account/app/", {"old": PASSWORD, "code": code}).status_code == 200
    assert elsewhere.get("/staff/account/").status_code == 302
    assert here.get("/staff/account/").status_code == 200


def test_every_page_of_the_desk_has_the_way_out(una: User, now: Any) -> None:
    browser = enter(now)
    for address in ("/staff/account/", "/staff/customers/", "/staff/queue/"):
        assert "/staff/sign-out/" in browser.get(address).content.decode(), address


def test_signing_out_of_the_desk_clears_the_browser(una: User, now: Any) -> None:
    assert enter(now).post("/staff/sign-out/")["Clear-Site-Data"] == '"cache", "storage"'


def test_pages_of_the_demonstration_are_not_in_an_installation() -> None:
    code = (
        "import os, django; os.environ['USANCE_DEMO'] = '0'; django.setup(); "
        "from django.urls import get_resolver; "
        "print([p.name for p in get_resolver().url_patterns if getattr(p, 'name', '') == 'styleguide'])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
