"""The browser fixtures themselves: a browser starts, axe sees what is wrong, broken pages fail."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.support import browser

GOOD = "<!doctype html><html lang=en><title>A page</title><main><h1>Hello</h1></main></html>"
BAD = GOOD.replace("</main>", '<img src="x.png"></main>')

pytestmark = pytest.mark.browser


def test_axe_passes_a_good_page_and_names_what_is_wrong_on_a_bad_one(page: Page) -> None:
    page.set_content(GOOD)
    browser.assert_accessible(page)
    page.set_content(BAD)
    with pytest.raises(AssertionError, match="image-alt"):
        browser.assert_accessible(page)


def test_a_phone_is_360_pixels_wide(phone: Page) -> None:
    phone.set_content(GOOD)
    assert phone.evaluate("window.innerWidth") == 360


def test_a_script_error_fails_the_test(chromium: Browser) -> None:
    def show_a_broken_page() -> None:
        with browser.page(chromium, browser.DESKTOP) as opened:
            opened.set_content(GOOD + "<script>nothing.there()</script>")
            opened.wait_for_timeout(200)

    with pytest.raises(AssertionError, match="the page complained"):
        show_a_broken_page()
