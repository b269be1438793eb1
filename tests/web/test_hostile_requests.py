"""What no browser of ours sends: odd addresses, foreign headers, bodies without end."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

HOST = {"host": "vn.localhost"}


@pytest.fixture
def browser(institution: Any) -> Client:
    return Client(headers=HOST, raise_request_exception=False)


@pytest.mark.parametrize("code", ["///", "/", " / ", "%00", "\x00", "é" * 40])
def test_a_code_of_no_paper_is_not_a_crash(browser: Client, code: str) -> None:
    page = browser.get("/verify/", {"code": code}, follow=True)
    assert page.status_code in (200, 400, 404)


@pytest.mark.parametrize("token", ["é", "Bearer é", ""])
def test_the_metrics_page_refuses_any_other_token(monkeypatch: pytest.MonkeyPatch, db: None, token: str) -> None:
    monkeypatch.setenv("USANCE_METRICS_TOKEN", "right")
    page = Client(raise_request_exception=False).get("/metrics", headers={"authorization": token})
    assert page.status_code == 401


@pytest.mark.parametrize("address", ["/static/nothing.png", "/metricsfoo", "/callbacks/nobody/", "/health/nothing"])
def test_an_address_outside_the_institutions_pages_does_not_end_a_visit(browser: Client, address: str) -> None:
    from django.conf import settings

    browser.get("/?utm_source=test")
    before = browser.cookies.get(settings.SESSION_COOKIE_NAME)
    browser.get(address)
    after = browser.cookies.get(settings.SESSION_COOKIE_NAME)
    assert before is not None
    assert after is not None
    assert after.value == before.value


@pytest.mark.parametrize("text", ["\x00", "' OR 1=1 --", "9" * 400, "é" * 5000])
@pytest.mark.parametrize("address", ["/sign-in/?next=", "/?amount=", "/?page=", "/verify/?code=", "/payments/?go="])
def test_no_text_in_an_address_is_a_crash(browser: Client, address: str, text: str) -> None:
    from urllib.parse import quote

    page = browser.get(address + quote(text))
    assert page.status_code < 500


@pytest.mark.parametrize("address", ["/verify/ABCD-EFGH-IJKL/", "/sign-in/"])
def test_a_body_larger_than_any_form_of_ours_is_refused_unread(browser: Client, address: str) -> None:
    class Endless:
        reads = 0

        def read(self, size: int = -1) -> bytes:
            self.reads += 1
            return b"x" * max(size, 0)

        readline = read

    body = Endless()
    page = browser.generic(  # the length that a visitor claims
        "POST", address, b"", content_type="multipart/form-data; boundary=b",
        **{"wsgi.input": body, "CONTENT_LENGTH": str(10**10)},
    )  # fmt: skip
    assert (page.status_code, body.reads) == (413, 0)
