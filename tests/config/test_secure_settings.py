"""What an installation may be configured to do, and what it refuses: no default credentials, nothing in the clear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest

from tests.support.environment import PROJECT
from usance.adapters import esputnik, fondy
from usance.config import home, settings
from usance.ports.outside import UnsafeAddress, require_encrypted
from usance.ports.payment_rail import CallbackRefused


def of_an_installation(names: tuple[str, ...], **environment: str) -> dict[str, Any]:
    """Settings as a process of its own reads them, of an installation that is no demo."""
    told = f"{{name: getattr(settings, name) for name in {names!r}}}"
    code = f"import json; from usance.config import settings; print(json.dumps({told}))"
    env = {name: value for name, value in os.environ.items() if not name.startswith("USANCE_") or "SECRET" in name}
    env |= {"USANCE_KEYS": os.environ["USANCE_KEYS"], **environment}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        return {"refused": done.stderr.strip().splitlines()[-1]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_database_elsewhere_is_reached_by_checked_tls_only() -> None:
    here = settings.database("postgresql://a:b@127.0.0.1:5432/usance")["OPTIONS"]
    assert "sslmode" not in here
    there = settings.database("postgresql://a:b@db.example:5432/usance")["OPTIONS"]
    assert (there["sslmode"], there["sslrootcert"]) == ("verify-full", "system")
    own = settings.database("postgresql://a:b@db.example/usance?sslmode=verify-full&sslrootcert=/ca.pem")["OPTIONS"]
    assert own["sslrootcert"] == "/ca.pem"
    for weak in ("disable", "allow", "prefer", "require"):
        with pytest.raises(settings.Missing, match="verify-full"):
            settings.database(f"postgresql://a:b@db.example/usance?sslmode={weak}")


def test_without_a_sandbox_no_published_key_signs_anything() -> None:
    found = of_an_installation(("FONDY", "ESPUTNIK", "DEBUG", "USE_TLS", "USANCE_DEMO"))
    assert (found["DEBUG"], found["USE_TLS"], found["USANCE_DEMO"]) == (False, True, False)
    assert all(values["payment_key"] == values["credit_key"] == "" for values in found["FONDY"].values())
    assert all(values["login"] == values["api_key"] == "" for values in found["ESPUTNIK"].values())
    rail = fondy.build(found["FONDY"]["*"])
    body = json.dumps({"order_id": "x", "order_status": "approved", "merchant_id": rail.merchant})
    for secret in ("test", "testcredit", ""):
        fields = json.loads(body)
        fields["signature"] = fondy.client.signature.sign(secret, fields)
        with pytest.raises(CallbackRefused):
            rail.parse_callback(body=json.dumps(fields).encode(), content_type="application/json")


@pytest.mark.parametrize("name", ["SECRET_KEY", "USANCE_KEYS", "USANCE_TENANCY_SECRET"])
def test_nothing_starts_without_its_secrets(name: str) -> None:
    assert name in of_an_installation(("DEBUG",), **{name: ""})["refused"]


def test_every_installation_makes_secrets_of_its_own(tmp_path: Any) -> None:
    first, second = home._fresh_secrets(), home._fresh_secrets()
    assert all(len(value) >= 43 for value in first.values())  # 32 random bytes, in base64
    assert not set(first.values()) & set(second.values())


@pytest.mark.parametrize(
    "address",
    [
        "http://pay.example/api",
        "ftp://pay.example/",
        "https://user:secret@pay.example/",
        "http://169.254.169.254/latest",
    ],
)
def test_a_provider_is_spoken_to_by_https_only(address: str) -> None:
    with pytest.raises(UnsafeAddress):
        require_encrypted(address)
    with pytest.raises(UnsafeAddress):
        fondy.build({"base_url": address, "merchant_id": "1", "payment_key": "x", "credit_key": "y"})
    with pytest.raises(UnsafeAddress):
        esputnik.build({"base_url": address, "login": "x", "api_key": "y"})


def test_providers_certificates_are_checked_and_no_redirect_is_followed() -> None:
    rail = fondy.build(
        {"base_url": "https://pay.example/api", "merchant_id": "1", "payment_key": "x", "credit_key": "y"}
    )
    messenger = esputnik.build({"base_url": "https://mail.example/api", "login": "x", "api_key": "y"})
    for client in (rail.http, messenger.http):
        assert client.follow_redirects is False
        context = client._transport._pool._ssl_context  # type: ignore[attr-defined]
        assert context.check_hostname
        assert context.verify_mode.name == "CERT_REQUIRED"
        assert context.minimum_version >= 771  # TLS 1.2


@pytest.mark.parametrize(
    ("page", "goes"),
    [
        ("https://pay.example/checkout/1", True),
        ("https://cards.example/1", True),
        ("https://evil.example/1", False),
        ("https://pay.example@evil.example/1", False),
        ("https://pay.example.evil.example/", False),
        ("http://pay.example/checkout/1", False),
        ("javascript:alert(1)//https://pay.example", False),
    ],
)
def test_a_payer_is_sent_to_a_page_of_the_provider_only(page: str, goes: bool) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"response": {"response_status": "success", "checkout_url": page}})

    rail = fondy.build(
        {
            "base_url": "https://pay.example/api", "merchant_id": "1", "payment_key": "x", "credit_key": "y",
            "page_hosts": "cards.example", "transport": httpx.MockTransport(answer),
        }
    )  # fmt: skip
    from usance.ports.payment_rail import HostedOrder, Opened

    order = HostedOrder(
        order_id="o1", amount_minor=100, currency="UAH", description="x", callback_url="https://us.example/c",
        return_url="https://us.example/r", language="en", lifetime_s=60,
    )  # fmt: skip
    assert isinstance(rail.open_checkout(order), Opened) is goes


def test_logs_are_for_their_owner_only(tmp_path: Any) -> None:
    folder = home.prepare(tmp_path / "var")
    assert (folder / "log").stat().st_mode & 0o077 == 0
