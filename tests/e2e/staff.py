"""Members of the demo staff in front of the desk."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.browser import assert_accessible
from usance.apps.access import totp
from usance.web.middleware import LANGUAGE_COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.site import Site

PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 800}


def told(site: Site, pattern: str) -> str:
    """What `usance run` tells about signing in."""
    found = re.search(pattern, site.logins)
    assert found, site.logins
    return found.group(1)


def sign_in(page: Page, site: Site, role: str) -> None:
    """With password and second factor, at the Ukrainian institution; the pages are in English."""
    page.goto(site.url("ua", "/staff/sign-in/"))
    page.fill("[name=email]", f"{role}@ua.localhost")
    page.fill("[name=password]", told(site, r"password\s+(\S+)"))
    page.click("main button[type=submit]")
    page.wait_for_url("**/staff/sign-in/code/")
    for drift in (0, 30):  # a code counts once: whoever signed in a moment ago takes the next one
        page.fill("[name=code]", totp.code(told(site, r"secret (\w+)"), datetime.now(UTC) + timedelta(seconds=drift)))
        page.click("main button[type=submit]")
        if "/sign-in/" not in page.url:
            page.context.add_cookies([{"name": LANGUAGE_COOKIE, "value": "en", "url": site.url("ua")}])
            return
    raise AssertionError(f"{role} could not sign in")


def looks_right(page: Page) -> None:
    """Nothing serious for axe, and no sideways scrolling, on a phone and on a desk."""
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, f"{page.url} scrolls sideways at {size['width']} pixels"
