"""Attacks on the pages: forged hosts and addresses, fields that no form has, words that are formulas, bodies that are
traps. Whatever is sent, the answer is a page, and nothing of anybody's is in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory, override_settings

from tests.web.test_routes import BORROWER, STAFF, Route, Stage, named, stage
from usance.apps.access import permissions

__all__ = ["stage"]
HOST = {"host": "vn.localhost"}
NASTY = ["\x00", "9" * 400, "-1e999", "<script>alert(1)</script>{{ 7*7 }}%(x)s{0}", "é٤" * 50]


@pytest.fixture
def browser(institution: Any) -> Client:
    return Client(headers=HOST, raise_request_exception=False)


# --- every form, with whatever a hostile visitor sends -----------------------------------------------------------


def visitors(stage: Stage, route: Route) -> Client:
    if route.permit.kind == "borrower":
        return stage.borrower
    action = route.permit.action
    return stage.clients[next(r for r in stage.clients if not action or action in permissions.ROLES[r].permissions)]


# what would take away what the next form is tried with
ENDS_SOMETHING = {
    *("staff:sign_out", "staff:deactivate", "staff:reactivate", "staff:reset_access", "staff:revoke_grant"),
    "borrower:forget_other_devices",
}


@named([route for route in (*STAFF, *BORROWER) if route.name not in ENDS_SOMETHING])
def test_no_answer_to_any_form_is_a_crash_or_runs(stage: Stage, route: Route) -> None:
    visitor, address = visitors(stage, route), stage.address(route)
    visitor.raise_request_exception = False
    shown = visitor.get(address)
    names = set(re.findall(r'name="([\w-]+)"', shown.content.decode("utf-8", "replace"))) | {"key", "page", "next"}
    for nasty in NASTY:
        page = visitor.post(address, dict.fromkeys(names - {"csrfmiddlewaretoken"}, nasty))
        assert page.status_code < 500, (address, nasty)
        assert b"<script>alert" not in page.content
        assert b"49%(x)s" not in page.content
    for nasty in NASTY[1:3]:
        asked = dict.fromkeys(["q", "page", "since", "state", "party", *sorted(names)[:8]], nasty)
        assert visitor.get(address, asked).status_code < 500, (address, nasty)


# --- where a request says it comes from --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "vn.localhost.evil.example", "vn.localhost@evil.example", "vn.localhost/x"]
)
def test_a_host_that_is_not_ours_is_nobody_s(browser: Client, host: str) -> None:
    page = browser.get("/sign-in/", headers={"host": host})
    assert page.status_code in (400, 404)
    assert b"evil" not in page.content


def test_a_forwarded_host_is_not_believed(browser: Client) -> None:
    page = browser.get("/sign-in/", headers={"x-forwarded-host": "evil.example", "x-host": "evil.example"})
    assert page.status_code == 200
    assert b"evil.example" not in page.content


@pytest.mark.parametrize(
    ("hops", "told", "taken"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "9.9.9.9"),
    ],
)
def test_the_visitor_s_address_is_what_our_own_proxies_say(hops: int, told: str, taken: str) -> None:
    from usance.web import visitors

    request = RequestFactory().get("/", headers={"x-forwarded-for": told}, REMOTE_ADDR="9.9.9.9")
    with override_settings(USANCE_PROXY_HOPS=hops):
        assert visitors.address(request) == taken


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_choosing_a_language_leads_nowhere_else(browser: Client, target: str) -> None:
    assert browser.post("/language/", {"language": "vi", "next": target})["Location"] == "/"


# --- whom a phone belongs to -------------------------------------------------------------------------------------


def test_asking_for_a_code_does_not_tell_who_is_a_customer(browser: Client, institution: Any) -> None:
    from usance.apps.customers import services as customers
    from usance.ports import clock
    from usance.ports.actor import SYSTEM

    party_id = customers.add_party(language="vi", on=institution.business_date, actor=SYSTEM)
    customers.add_contact(
        party_id=party_id, kind="phone", value="+84912345678", actor=SYSTEM, at=clock.now(), verified=True
    )

    def seen(phone: str) -> tuple[Any, ...]:
        visitor = Client(headers=HOST)
        answer = visitor.post("/sign-in/", {"phone": phone})
        page = re.sub(r'value="[^"]*"|•+ \d+', "", visitor.get("/sign-in/code/").content.decode())
        return answer.status_code, answer["Location"], sorted(visitor.cookies), page

    assert seen("+84912345678") == seen("+84912345679")


def test_a_wrong_password_takes_as_long_whoever_it_is_for(institution: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    from usance.apps.access import services

    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 64)
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)
    from usance.ports.actor import SYSTEM

    services.hire(email="una@lender.example", name="Una", actor=SYSTEM, password="a quiet lake at noon")
    services.hire(email="new@lender.example", name="New", actor=SYSTEM)
    hashed = []
    for method in ("encode", "verify"):
        real = getattr(Argon2PasswordHasher, method)
        monkeypatch.setattr(
            Argon2PasswordHasher, method, lambda *a, _real=real, _m=method, **k: hashed.append(_m) or _real(*a, **k)
        )
    counts = []
    for email in ("una@lender.example", "new@lender.example", "nobody@lender.example"):
        hashed.clear()
        assert Client(headers=HOST).post("/staff/sign-in/", {"email": email, "password": "x"}).status_code == 422
        counts.append(len(hashed))
    assert counts == [1, 1, 1]


# --- more than was asked for -------------------------------------------------------------------------------------


def test_a_field_that_no_form_has_changes_nothing(stage: Stage) -> None:
    from django.db import transaction

    from usance.apps.access import selectors
    from usance.apps.institutions import tenancy

    auditor = stage.here.staff["auditor"]
    sent = {
        "name": "New Name", "language": "en", "org_path": "root", "is_active": "", "email": "evil@example.com",
        "password": "x", "institution_id": str(stage.there.institution.pk),
        "roles": "administrator", "permissions": "role.approve", "id": str(stage.here.staff["underwriter"].pk),
    }  # fmt: skip
    assert stage.clients["administrator"].post(f"/staff/people/{auditor.pk}/change/", sent).status_code == 302
    with tenancy.bound(stage.here.institution.pk), transaction.atomic():
        after = selectors.user(auditor.pk)
        assert (after.name, after.email, after.is_active) == ("New Name", auditor.email, True)
        assert (after.password, after.institution_id) == (auditor.password, stage.here.institution.pk)
        assert [grant.role.code for grant in selectors.grants_of(after)] == ["auditor"]


def test_the_last_of_two_values_counts_and_the_address_adds_none(institution: Any) -> None:
    visitor = Client(headers=HOST)
    answer = visitor.post(
        "/language/?language=uk&next=//evil.example", "language=vi&language=en&next=/sign-in/",
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert answer["Location"] == "/sign-in/"
    assert visitor.cookies["language"].value == "en"


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
def test_a_method_is_not_overridden(browser: Client, header: str) -> None:
    assert browser.get("/language/", headers={header: "POST"}).status_code == 405
    assert browser.get("/language/?_method=POST").status_code == 405


# --- files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def paper(institution: Any) -> str:
    from usance.apps.agreements import services as papers
    from usance.apps.agreements.models import Document
    from usance.apps.customers import services as customers
    from usance.ports.actor import SYSTEM

    party_id = customers.add_party(language="vi", on=institution.business_date, actor=SYSTEM)
    made = papers.order(
        kind="agreement", key="x", party_id=party_id, subject=("test", party_id), language="en", reference="A-1",
        issued_on=institution.business_date, content={},
    )  # fmt: skip
    Document.objects.filter(pk=made.pk).update(state="ready", content_sha256="0" * 64)
    return str(made.code)


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big", b"\0" * 10_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (bomb(), "paper.pdf"),
        (b"<html><script>alert(1)</script>", "paper.pdf"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "../../paper.pdf"),
        (b"<svg onload=alert(1)>", "paper.pdf\x00.svg"),
        (b"MZ" + b"\0" * 100, "paper.pdf\r\nContent-Type: text/html"),
    ],
)
def test_a_file_that_is_no_pdf_is_said_so_and_kept_nowhere(
    browser: Client, paper: str, tmp_path: Any, content: bytes, name: str
) -> None:
    with override_settings(MEDIA_ROOT=tmp_path):
        sent = SimpleUploadedFile("x", content, content_type="application/pdf")
        sent.name = name.replace("\x00", "").replace("\r\n", "")
        page = browser.post(f"/verify/{paper}/", {"file": sent}, headers={"accept-language": "en"})
    assert page.status_code == 200
    assert b"This is not a PDF" in page.content
    assert b"alert(1)" not in page.content
    assert list(tmp_path.iterdir()) == []


def test_a_pdf_larger_than_any_paper_is_not_compared(browser: Client, paper: str) -> None:
    page = browser.post(
        f"/verify/{paper}/", {"file": SimpleUploadedFile("p.pdf", b"%PDF-" + b"x" * 5_000_001)},
        headers={"accept-language": "en"},
    )  # fmt: skip
    assert b"larger than any paper" in page.content


def test_a_pdf_of_somebody_else_s_making_is_not_ours(browser: Client, paper: str) -> None:
    page = browser.post(f"/verify/{paper}/", {"file": SimpleUploadedFile("p.pdf", b"%PDF-1.7 forged")})
    assert page.context["verdict"] is False


@pytest.mark.parametrize("code", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "A" * 5000])
def test_a_code_is_not_a_path(browser: Client, code: str) -> None:
    page = browser.get(f"/verify/{code}/")
    assert page.status_code == 404
    assert b"root:" not in page.content


def test_a_file_is_taken_away_under_our_name_and_never_shown() -> None:
    from usance.web import files

    for name in ('A-1"; filename="evil.html', "A-1\r\nX-Evil: 1", "тест.pdf"):
        try:
            sent = files.attachment(b"%PDF-", name=name, kind="application/pdf")
        except Exception as refused:  # noqa: BLE001 - Django refuses a header with a line's end
            assert type(refused).__name__ == "BadHeaderError"
            continue
        told = sent["Content-Disposition"]
        assert told.startswith("attachment; ")
        assert "X-Evil" not in sent.headers
        assert 'filename="evil.html"' not in told.replace('\\"', "")


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_word_in_a_table_is_no_formula(word: str) -> None:
    from usance.web import files

    assert files.cell(word) == f"'{word}"
    assert files.cell("Cash 1-2") == "Cash 1-2"


# --- providers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"signature": "\xc3\xa9", "order_id": "x"}',
        b"null",
        b'{"a": {"b": 1}}',
        b"",
        b"x=" + b"9" * 10**5,
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/xml"])
def test_a_callback_that_is_a_trap_is_refused(browser: Client, institution: Any, body: bytes, kind: str) -> None:
    from usance.adapters import fondy
    from usance.ports import registry

    rail = fondy.build({"base_url": "https://pay.example", "merchant_id": "1", "payment_key": "k", "credit_key": "c"})
    before = registry.install(registry.Registry())
    registry.put(registry.PAYMENT_RAIL, rail)
    try:
        answer = browser.post(f"/callbacks/fondy/{institution.pk}/", body, kind)
    finally:
        registry.install(before)
    assert answer.status_code == 403


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.5"])
def test_figures_of_the_installation_are_for_its_own_machine(browser: Client, address: str) -> None:
    assert browser.get("/metrics", REMOTE_ADDR=address).status_code == 403
    assert browser.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": address}).status_code == 403


def test_the_state_page_tells_nothing_but_the_state(browser: Client) -> None:
    assert browser.get("/health/ready").json() == {"status": "ready"}
    assert browser.get("/health/live").json() == {"status": "alive"}


# --- what is written down ----------------------------------------------------------------------------------------


def test_a_line_of_the_log_is_one_line_whatever_is_in_it(capfd: pytest.CaptureFixture[str]) -> None:
    import logging

    import structlog

    from usance.config import logs

    before = list(logging.getLogger().handlers)
    try:
        logs.configure()
        structlog.get_logger("usance.test").warning("told", what='x\n{"event": "forged"}\r\n\x1b[31m')
        logging.getLogger("usance.test").warning("plain %s", 'y\n{"event": "forged"}')
    finally:
        logging.getLogger().handlers = before
    lines = [line for line in capfd.readouterr().err.splitlines() if "usance.test" in line]
    assert len(lines) == 2
    assert [json.loads(line)["level"] for line in lines] == ["warning", "warning"]
    assert all(json.loads(line)["timestamp"].endswith("Z") for line in lines)
