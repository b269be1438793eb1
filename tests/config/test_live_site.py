"""The whole product runs on a clone of the demo database: web server, worker and sandboxes, each its own process."""

from __future__ import annotations

import httpx
import pytest
from django.db import connection
from playwright.sync_api import Page

from tests.support.browser import assert_accessible
from tests.support.site import Site

pytestmark = pytest.mark.browser


def test_every_demo_institution_has_a_site(live_site: Site, phone: Page) -> None:
    for code in ("vn", "ua", "eu"):
        answer = phone.goto(live_site.url(code))
        assert answer is not None
        assert answer.status == 200
        assert_accessible(phone)


def test_the_parts_answer(live_site: Site) -> None:
    ready = httpx.get(f"http://127.0.0.1:{live_site.web_port}/health/ready").json()
    assert ready == {"status": "ready"}
    assert httpx.get(live_site.sandbox(), follow_redirects=True).status_code == 200
    assert "usance_jobs" in httpx.get(f"http://127.0.0.1:{live_site.web_port}/metrics").text


def test_the_test_looks_into_the_sites_database(live_site: Site) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), (SELECT count(*) FROM institutions_host)")
        assert cursor.fetchone() == (live_site.database, 3)
