"""What every answer tells the browser, walked over every address: what may run, what may be kept, who may look in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client, override_settings

from tests.support.environment import PROJECT
from tests.web.test_routes import BORROWER, ROUTES, STAFF, Route, Stage, named, stage

__all__ = ["stage"]  # the fixture
LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "link": "href",
    "source": "src",
    "object": "data",
    "embed": "src",
}


class Page(HTMLParser):
    """What of a page would run, or be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or "style" in given:
            self.faults.append(f"style in <{tag}>")
        self.faults += [f"{name} in <{tag}>" for name in given if name.startswith("on") or name.startswith("hx-on")]
        for name, value in given.items():
            if (value or "").strip().lower().startswith(("javascript:", "vbscript:")):
                self.faults.append(f"{name}={value}")
        loaded = given.get(LOADS.get(tag, ""), "") or ""
        if urlsplit(loaded).netloc:
            self.faults.append(f"<{tag}> from {loaded}")
        self._in_script = tag == "script" and given.get("type") not in ("application/json", "speculationrules")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.faults.append(f"script on the page: {data[:40]}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def policy(response: Any) -> dict[str, str]:
    return dict((part.strip().split(" ", 1) + [""])[:2] for part in response["Content-Security-Policy"].split(";"))


def assert_safe(response: Any) -> None:
    rules = policy(response)
    assert (rules["default-src"], rules["object-src"], rules["base-uri"], rules["frame-ancestors"]) == ("'none'",) * 4
    assert (rules["script-src"], rules["style-src"], rules["form-action"]) == ("'self'",) * 3
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "http" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in response.headers if name.startswith("Access-Control-")]
    assert response["Cache-Control"] == "no-store"
    if response.content:
        kind = response["Content-Type"]
        assert "charset=utf-8" in kind or not kind.startswith("text/"), kind
        if kind.startswith("text/html"):
            page = Page()
            page.feed(response.content.decode())
            assert not page.faults


def visitor_of(stage: Stage, route: Route) -> Client:
    if route.permit.kind == "staff":
        action = route.permit.action
        from usance.apps.access import permissions

        role = next(one for one in stage.clients if not action or action in permissions.ROLES[one].permissions)
        return stage.clients[role]
    return stage.borrower if route.permit.kind == "borrower" else stage.stranger


@named([route for route in ROUTES if route.name != "staff:sign_out"])
def test_every_page_runs_and_loads_our_own_files_only_and_is_kept_by_nobody(stage: Stage, route: Route) -> None:
    assert_safe(visitor_of(stage, route).get(stage.address(route)))


@named([*STAFF, *BORROWER])
def test_every_form_of_a_visit_wants_its_token(stage: Stage, route: Route) -> None:
    """Another site can make a browser send a form, with its cookies, but not with the token."""
    visitor, address = visitor_of(stage, route), stage.address(route)
    forged = Client(enforce_csrf_checks=True, headers={"host": stage.here.host})
    forged.cookies = visitor.cookies
    assert forged.post(address, headers={"origin": "https://evil.example"}).status_code == 403


@named([route for route in ROUTES if route.permit and route.permit.kind in {"public", "provider"}])
def test_a_form_of_a_stranger_wants_its_token_too_except_where_a_provider_knocks(stage: Stage, route: Route) -> None:
    # the provider's server, its page sending the browser back, and a notification's signed ticket from the worker
    exempt = {"callbacks:rail", "borrower:payment_back", "borrower:push_seen"}
    forged = Client(enforce_csrf_checks=True, headers={"host": stage.here.host})
    status = forged.post(stage.address(route), headers={"origin": "https://evil.example"}).status_code
    assert status == (status if route.name in exempt else 403)


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "PROPFIND"])
@pytest.mark.parametrize("address", ["/", "/staff/", "/static/dist/manifest.json", "/callbacks/fondy/"])
def test_three_methods_are_answered_and_no_other(institution: Any, method: str, address: str) -> None:
    response = Client(headers={"host": "vn.localhost"}).generic(
        method, address, b"secret", headers={"x-secret": "tell"}
    )
    assert response.status_code == 405
    assert b"tell" not in response.content
    assert b"secret" not in response.content


@pytest.mark.parametrize("address", ["/nothing/", "/staff/nothing/", "/static/nothing.js", "/static/", "/static/dist/"])
def test_error_pages_and_files_carry_the_policy_and_no_folder_is_listed(institution: Any, address: str) -> None:
    response = Client(headers={"host": "vn.localhost"}).get(address)
    assert response.status_code == 404
    assert policy(response)["script-src"] == "'self'"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("address", ["/.git/config", "/.env", "/secrets.env", "/var/secrets.env", "/pyproject.toml"])
def test_nothing_of_the_checkout_is_served(institution: Any, address: str) -> None:
    for asked in (address, f"/static{address}", f"/static/..{address}", f"/static/%2e%2e{address}"):
        assert Client(headers={"host": "vn.localhost"}).get(asked).status_code == 404


def test_a_crash_tells_nothing_of_its_inside(institution: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from usance.web.public import health

    def crash() -> None:
        raise RuntimeError("SELECT secret FROM table")

    monkeypatch.setattr(health.selectors, "all_institutions", crash)
    response = Client(headers={"host": "vn.localhost"}, raise_request_exception=False).get("/health/ready")
    assert response.status_code == 500
    assert b"secret" not in response.content
    assert b"Traceback" not in response.content
    assert policy(response)["default-src"] == "'none'"


# --- behind TLS --------------------------------------------------------------------------------------------------

ASKED = (
    *("DEBUG", "USE_TLS", "COOKIE_PREFIX", "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY"),
    *(
        "SESSION_COOKIE_SAMESITE",
        "CSRF_COOKIE_NAME",
        "CSRF_COOKIE_SECURE",
        "CSRF_COOKIE_HTTPONLY",
        "SECURE_SSL_REDIRECT",
    ),
    *("CSRF_COOKIE_SAMESITE", "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_REDIRECT_EXEMPT"),
    *("SECURE_PROXY_SSL_HEADER",),
)


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    """The settings of an installation that is no demo and says nothing of TLS."""
    asked = f"{{name: getattr(settings, name) for name in {ASKED}}}"
    code = f"import json; from usance.config import settings; print(json.dumps({asked}))"
    env = {name: value for name, value in os.environ.items() if name not in ("USANCE_DEMO", "USANCE_TLS")}
    told = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(told.stdout)
    found["SECURE_PROXY_SSL_HEADER"] = tuple(found["SECURE_PROXY_SSL_HEADER"])
    return found


@pytest.fixture
def behind_tls(real: dict[str, Any], institution: Any) -> Iterator[None]:
    with override_settings(**real):
        yield


def test_an_installation_is_on_the_safe_side_unless_told_otherwise(real: dict[str, Any]) -> None:
    assert (real["USE_TLS"], real["DEBUG"]) == (True, False)
    assert settings.USE_TLS is False  # the demo, on this machine


def test_a_person_is_sent_to_https_and_a_program_that_speaks_in_the_clear_is_refused(behind_tls: None) -> None:
    far = Client(headers={"host": "vn.localhost"}, REMOTE_ADDR="203.0.113.9")
    assert far.get("/sign-in/")["Location"] == "https://vn.localhost/sign-in/"
    assert far.get("/metrics").status_code == 403
    assert (
        far.post("/callbacks/fondy/00000000-0000-0000-0000-000000000000/", b"{}", "application/json").status_code == 403
    )
    told = Client(headers={"host": "vn.localhost", "x-forwarded-proto": "https"}, REMOTE_ADDR="203.0.113.9")
    assert (
        told.post("/callbacks/fondy/00000000-0000-0000-0000-000000000000/", b"{}", "application/json").status_code
        == 404
    )


def test_a_browser_is_told_never_to_speak_in_the_clear_again(behind_tls: None) -> None:
    for address in ("/", "/nothing/", "/static/nothing.js", "/health/live"):
        told = Client(headers={"host": "vn.localhost"}).get(address, secure=True)["Strict-Transport-Security"]
        assert told == "max-age=63072000; includeSubDomains"


def test_every_cookie_is_for_this_host_over_tls_and_hidden_from_scripts(behind_tls: None) -> None:
    browser = Client(headers={"host": "vn.localhost"})
    browser.get("/?utm_source=x", secure=True)
    token = browser.get("/sign-in/", secure=True).context["csrf_token"]
    browser.post("/language/", {"language": "vi", "csrfmiddlewaretoken": token}, secure=True)
    assert set(browser.cookies) == {"__Host-session", "__Host-form", "__Host-language"}
    for name, cookie in browser.cookies.items():
        marks = (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"])
        assert marks == (True, True, "Lax", "/", ""), name
