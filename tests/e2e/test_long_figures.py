"""Amounts of a large lender find room, with letters of double size too."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.e2e import test_every_page as walk
from tests.support.site import Site
from tests.web.test_routes import ROUTES

LONGER = """() => {
    for (const value of document.querySelectorAll('.u-figure__value'))
        value.textContent = value.textContent.replace(/[0-9],/, '888\u00a0888\u00a0888,')
}"""


def test_long_amounts_stay_inside_the_dashboard(live_site: Site, chromium: Browser) -> None:
    with walk.visiting(chromium, live_site, "ua", "uk") as visitor:
        assert visitor.open(next(route for route in ROUTES if route.name == "staff:dashboard"))
        page = visitor.page
        page.set_viewport_size(walk.DESK)  # type: ignore[arg-type]
        page.evaluate(walk.LETTERS, "200%")
        page.evaluate(LONGER)
        page.evaluate(walk.SETTLED)
        assert page.evaluate(walk.WIDER_THAN_THE_WINDOW) == 0
