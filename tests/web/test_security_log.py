"""What is written down for whoever watches: each try to get in, each refusal, each crash; and where it goes."""

from __future__ import annotations

import datetime
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.test import Client

from usance.config import log_ship, logs

HOST = {"host": "vn.localhost"}


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """The lines of the log as they would be written."""
    found: list[dict[str, Any]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(self.format(record)))

    root = logging.getLogger()
    handler = Kept()
    handler.setFormatter(root.handlers[0].formatter if root.handlers else None)
    before = root.handlers
    logs.configure()
    handler.setFormatter(root.handlers[0].formatter)
    root.handlers = [handler]
    yield found
    root.handlers = before


def told(lines: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == event]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    from usance.apps.customers import sign_in

    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 64)
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)
    monkeypatch.setattr(sign_in.secrets, "randbelow", lambda below: 123456)


def test_every_try_to_sign_in_is_on_record(institution: Any, lines: list[dict[str, Any]]) -> None:
    from usance.apps.access import services, sign_in, totp
    from usance.apps.audit import selectors as trail
    from usance.ports import clock
    from usance.ports.actor import SYSTEM

    una = services.hire(email="una@lender.example", name="Una", actor=SYSTEM, password="a quiet lake at noon")
    secret = sign_in.enrol_totp(user=una, at=clock.now(), actor=SYSTEM)
    browser = Client(headers=HOST)
    browser.post("/staff/sign-in/", {"email": "nobody@lender.example", "password": "x"})
    browser.post("/staff/sign-in/", {"email": una.email, "password": "x"})
    browser.post("/staff/sign-in/", {"email": una.email, "password": "a quiet lake at noon"})
    browser.post("/staff/sign-in/code/", {"code": "000000"})
    browser.post("/staff/sign-in/recovery/", {"code": "aaaaa-aaaaa"})
    browser.post("/staff/sign-in/code/", {"code": totp.code(secret, clock.now())})
    refused = [(line["who"], line["factor"]) for line in told(lines, "sign_in.refused")]
    assert refused == [("unknown", "password"), *((f"staff:{una.pk}", by) for by in ("password", "totp", "recovery"))]
    assert len({line["source"] for line in told(lines, "sign_in.refused")}) == 1
    assert "nobody" not in json.dumps(lines)
    acts = [entry.action for entry in trail.trail(una)]
    assert {"access.password_refused", "access.code_refused", "access.signed_in"} <= set(acts)
    customer = Client(headers=HOST)
    customer.post("/sign-in/", {"phone": "+84912345678"})
    customer.post("/sign-in/code/", {"code": "000000"})
    customer.post("/sign-in/code/", {"code": "123456"})
    assert [line["purpose"] for line in told(lines, "code.wrong")] == ["sign_in"]
    assert trail.latest("customer.device_added") is not None


def test_what_is_refused_is_on_record(institution: Any, lines: list[dict[str, Any]]) -> None:
    from tests.web import samples
    from usance.apps.access import services
    from usance.ports.actor import SYSTEM

    services.install_roles()
    una = services.hire(email="una@lender.example", name="Una", actor=SYSTEM)
    services.grant_role(user=una, role="cashier", actor=SYSTEM)
    browser = samples.staff_client(samples.World(institution, "vn.localhost", {"una": una}), "una")
    assert browser.get("/staff/people/").status_code == 403
    assert [line["action"] for line in told(lines, "permission.refused")] == ["user.view"]
    forged = Client(headers=HOST, enforce_csrf_checks=True)
    assert forged.post("/sign-in/", {"phone": "x"}).status_code == 403
    assert told(lines, "form.refused")
    browser.generic("POST", "/sign-in/", b"", CONTENT_LENGTH=str(10**9))
    assert told(lines, "body.refused")
    browser.get("/?x=%00")
    assert told(lines, "text.refused")
    for _ in range(21):
        Client(headers=HOST).get("/staff/invitation/guess/")
    assert told(lines, "attempts.used_up")
    Client(headers=HOST).put("/")
    statuses = [(line["status"], line["level"]) for line in told(lines, "request")]
    assert {(403, "warning"), (405, "warning"), (413, "warning"), (400, "warning")} <= set(statuses)


def test_a_request_s_line_says_who_by_an_id(institution: Any, lines: list[dict[str, Any]]) -> None:
    customer = Client(headers=HOST)
    customer.get("/")
    customer.post("/sign-in/", {"phone": "+84912345678"})
    customer.post("/sign-in/code/", {"code": "123456"})
    customer.get("/account/")
    requests = told(lines, "request")
    assert requests[0]["who"] == ""
    assert requests[-1]["who"].startswith("borrower:")
    assert {
        "timestamp",
        "level",
        "logger",
        "process",
        "request_id",
        "institution_id",
        "view",
        "method",
        "status",
    } <= set(requests[-1])
    assert "84912345678" not in json.dumps(lines)


def crash() -> None:
    raise RuntimeError("the inside of it")


def test_a_crash_is_on_record_with_its_trace(
    institution: Any, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from usance.web.public import health

    monkeypatch.setattr(health.selectors, "all_institutions", crash)
    Client(headers=HOST, raise_request_exception=False).get("/health/ready")
    assert any("the inside of it" in line.get("exception", "") for line in lines)
    assert told(lines, "request")[-1]["level"] == "warning"


def test_a_crash_leaves_nothing_of_the_page_s_work(institution: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from usance.apps.customers.models import OneTimeCode
    from usance.web.borrower import sign_in as pages

    real = pages._send

    def send_and_crash(*given: Any) -> None:
        real(*given)
        crash()

    monkeypatch.setattr(pages, "_send", send_and_crash)
    browser = Client(headers=HOST, raise_request_exception=False)
    assert browser.post("/sign-in/", {"phone": "+84912345678"}).status_code == 500
    assert not OneTimeCode.objects.exists()


def test_lines_go_to_standard_error_and_to_the_collector_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [type(one) for one in logs._handlers()] == [logging.StreamHandler]
    monkeypatch.setenv("USANCE_LOG_COLLECTOR", "logs.example:6514")
    assert [type(one) for one in logs._handlers()] == [logging.StreamHandler, log_ship.Shipper]


# --- the collector -------------------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """A certificate that vouches for itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(paths[0]), str(paths[1])


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[tuple[int, list[bytes], str]]:
    """(port, what came, its certificate)."""
    cert, key = certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(plain, server_side=True) as line:
                        while part := line.recv(65536):
                            came.append(part)
                except OSError:
                    came.append(b"(broken off)")

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], came, cert


def until(ready: Any) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def record(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelname": "WARNING"})


def test_lines_are_sent_to_a_collector_over_checked_tls(
    collector: tuple[int, list[bytes], str], tmp_path: Path
) -> None:
    port, came, cert = collector
    shipper = log_ship.Shipper(f"localhost:{port}", authority=cert)
    for number in range(100):
        shipper.emit(record(f"line {number}"))
    until(lambda: b"line 99\n" in b"".join(came))
    assert b"".join(came).split(b"\n")[:100] == [f"line {number}".encode() for number in range(100)]
    came.clear()
    other, _key = certificate(tmp_path, "other.example")
    untrusting = log_ship.Shipper(f"localhost:{port}", authority=other)
    untrusting.emit(record("secret"))
    untrusting.drain(0.6)
    assert b"secret" not in b"".join(came)


def test_a_collector_that_does_not_answer_stops_nothing_and_is_told_what_it_missed(
    collector: tuple[int, list[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came, cert = collector
    monkeypatch.setattr(log_ship, "MOST_WAITING", 10)
    monkeypatch.setattr(log_ship, "PAUSES_S", (0.05,))
    shipper = log_ship.Shipper("localhost:1", authority=cert)
    for number in range(50):
        shipper.emit(record(f"line {number}"))
    assert shipper._dropped >= 39
    shipper.port = port
    until(lambda: b"line 9\n" in b"".join(came))
    text = b"".join(came)
    assert b'"log.lines_dropped", "count"' in text
    assert b"line 0\n" in text


def test_structlog_and_the_library_s_logs_look_alike(lines: list[dict[str, Any]]) -> None:
    structlog.get_logger("one").warning("told")
    logging.getLogger("two").warning("told")
    assert [set(line) for line in lines[-2:]] == [set(lines[-1])] * 2
