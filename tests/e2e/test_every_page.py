"""Every address that can be opened, in each language, on a phone and on a desk: nothing sticks out at the side down to
320 pixels or with letters of double size, and no word is cut. Once, as the markup is the same in each language, axe
finds nothing serious by day or by night, and whatever has the keyboard's focus shows it. The list comes from the
resolver, with the objects of tests/web/samples.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.urls import reverse

from tests.e2e import behind
from tests.support import browser
from tests.support.site import Site
from tests.web import samples
from tests.web.samples import World
from tests.web.test_routes import ROUTES, Route
from usance.apps.access import permissions
from usance.apps.access.models import User
from usance.web.borrower import parts
from usance.web.middleware import LANGUAGE_COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NARROW = {"width": 320, "height": 640}
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1440, "height": 900}
# institution, language, whether axe and the keyboard look too (the markup is the same in each language)
TONGUES = [("ua", "uk", True), ("ua", "en", False), ("vn", "vi", False)]
# area, and which part of its pages of how many: workers share out the many pages of the desk
SHARES = [("borrower", 0, 1), ("public", 0, 1), *(("staff", part, 6) for part in range(6))]
# charts follow a new width in the frames after it
SETTLED = """new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
    () => document.querySelector('[data-chart]') ? setTimeout(done, 50) : done())))"""
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LETTERS = "size => { document.documentElement.style.fontSize = size }"
OVER = f"() => {SETTLED}.then(() => {WIDER_THAN_THE_WINDOW})"
THEME = """theme => {  // a colour half way between day and night is nobody's fault
    document.documentElement.dataset.theme = theme
    for (const change of document.getAnimations()) if (change instanceof CSSTransition) change.finish()
}"""
CUT = """() => [...document.querySelectorAll('body *')].filter(part => {
    if (part.closest('.u-hidden, svg, [data-chart], select, textarea, .u-table--flow thead')) return false
    const look = getComputedStyle(part)
    const across = ['hidden', 'clip'].includes(look.overflowX) && part.scrollWidth > part.clientWidth + 1
    const down = ['hidden', 'clip'].includes(look.overflowY) && part.scrollHeight > part.clientHeight + 1
    return (across || down) && part.textContent.trim() && part.checkVisibility({ visibilityProperty: true })
}).map(part => part.outerHTML.slice(0, 120))"""
# A range's ring is around its thumb, which no script can ask about; a choice's and a box's are around their frames.
WITHOUT_RING = """() => {
    const fields = 'input:not([type=hidden], [type=range]), select, textarea'
    const ring = part => {
        const look = part && getComputedStyle(part)
        return look && look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2
    }
    return [...document.querySelectorAll(`a[href], button, summary, [tabindex='0'], ${fields}`)].filter(part => {
        if (part.tabIndex < 0 || !part.checkVisibility({ visibilityProperty: true })) return false
        part.focus({ preventScroll: true })
        return document.activeElement === part && !ring(part) && !ring(part.closest('.u-box, .u-choice'))
    }).map(part => part.outerHTML.slice(0, 120))
}"""


def _a_part(world: World) -> str:
    """What a borrower chose on the page before, as it travels in the address."""
    asked = parts.Asked(str(world.get("borrower:confirm_part.loan_id")), 1_000_000, str(world.get("card_id")), "0" * 32)
    return f"?{urlsplit(asked.address('borrower:confirm_part')).query}"


BESIDE: dict[str, Callable[[World], str]] = {
    # asked plainly, it leads on to the provider's page as soon as the worker has got one
    "borrower:payment": lambda world: "?back=1",
    "borrower:confirm_part": _a_part,
}
ENDS_THE_SESSION = {"staff:sign_out", "borrower:leave"}
IS_PAGE: dict[str, bool] = {}
WORLDS: dict[tuple[str, str], World] = {}


def world_of(site: Site, code: str) -> World:
    """The demo institution with its staff and samples, made once for a running site."""
    key = (site.database, code)
    if key not in WORLDS:
        with behind.inside(code) as institution:
            staff = {
                role: User.objects.get(email=f"{role.replace('_', '.')}@{code}.localhost") for role in permissions.ROLES
            }
            WORLDS[key] = World(institution, f"{code}.localhost", staff, mark=9)
    return WORLDS[key]


def address(world: World, route: Route) -> str:
    with behind.inside(world.institution.code):
        path = reverse(route.name, kwargs={name: world.get(wanted) for name, wanted in route.samples.items()})
        return path + (BESIDE[route.name](world) if route.name in BESIDE else "")


class Visitor:
    """One browser window that changes its cookies with whom it must be."""

    def __init__(self, page: Page, site: Site, world: World, language: str) -> None:
        self.page, self.site, self.world, self.language = page, site, world, language
        self.sessions: dict[str, str] = {}

    def become(self, route: Route) -> dict[str, str]:
        who = self._who(route)
        cookies = {LANGUAGE_COOKIE: self.language}
        if who:
            if who not in self.sessions:
                with behind.inside(self.world.institution.code):
                    client = (
                        samples.borrower_client(self.world)
                        if who == "borrower"
                        else samples.staff_client(self.world, who)
                    )
                self.sessions[who] = client.cookies[settings.SESSION_COOKIE_NAME].value
            cookies[settings.SESSION_COOKIE_NAME] = self.sessions[who]
        home = self.site.url(self.world.institution.code)
        self.page.context.clear_cookies()
        self.page.context.add_cookies([{"name": n, "value": v, "url": home} for n, v in cookies.items()])
        return cookies

    def _who(self, route: Route) -> str:
        if route.permit.kind != "staff":
            return "borrower" if route.permit.kind == "borrower" else ""
        able = [r for r, role in permissions.ROLES.items() if route.permit.action in {"", *role.permissions}]
        return able[0]

    def open(self, route: Route) -> bool:
        """Whether there was a page to look at: not a redirect, a file, or an act that wants a POST."""
        if not IS_PAGE.get(route.name, True):
            return False
        cookies = self.become(route)
        path = address(self.world, route)
        if route.name not in IS_PAGE:
            plain, host = f"http://127.0.0.1:{self.site.web_port}{path}", {"Host": self.world.host}
            answer = httpx.get(plain, headers=host, cookies=cookies, timeout=60, verify=False)
            assert answer.status_code < 500, f"{route.name}: {answer.status_code}"
            IS_PAGE[route.name] = answer.status_code == 200 and "<html" in answer.text[:1000]
        if IS_PAGE[route.name]:
            self.page.goto(self.site.url(self.world.institution.code, path), wait_until="domcontentloaded")
        return IS_PAGE[route.name]


@contextmanager
def visiting(started: Browser, site: Site, code: str, language: str) -> Iterator[Visitor]:
    with browser.page(started, (DESK["width"], DESK["height"])) as page:
        yield Visitor(page, site, world_of(site, code), language)


def faults_of(page: Page, *, axe_at: list[dict[str, int]], closely: bool = False) -> list[str]:
    """`closely`: what does not depend on the language, by night and with the keyboard too."""
    found = []
    for size in (NARROW, PHONE, DESK):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        found += _sticking_out(page, f"{size['width']}")
        if size in axe_at:
            found += _axe(page, f"at {size['width']}")
    if closely:
        page.evaluate(THEME, "dark")
        for size in (DESK, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.evaluate(SETTLED)
            found += _axe(page, f"at {size['width']} by night", rules=["color-contrast"])
        page.evaluate(THEME, "light")
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.evaluate(LETTERS, "200%")
    found += _sticking_out(page, "1440 with letters of double size")
    found += [f"is cut with letters of double size: {part}" for part in page.evaluate(CUT)]
    page.evaluate(LETTERS, "")
    if closely:
        page.keyboard.press("Shift")  # from here on the keyboard is what moves the focus
        found += [f"has the focus and does not show it: {part}" for part in page.evaluate(WITHOUT_RING)]
    return found


def _sticking_out(page: Page, where: str) -> list[str]:
    wide = page.evaluate(OVER)
    return [f"sticks out by {wide} pixels at {where}"] if wide > 0 else []


def _axe(page: Page, where: str, rules: list[str] | None = None) -> list[str]:
    try:
        browser.assert_accessible(page, rules=rules)
    except AssertionError as fault:
        return [f"{where}: {fault}"]
    return []


@pytest.mark.timeout(900)  # a walk over all pages of the desk is long on a busy machine
@pytest.mark.parametrize(("area", "part", "parts"), SHARES, ids=[f"{area}-{part}" for area, part, _ in SHARES])
@pytest.mark.parametrize(("code", "language", "thorough"), TONGUES, ids=[tongue for _, tongue, _ in TONGUES])
def test_every_page_can_be_used_by_everybody(
    live_site: Site, chromium: Browser, code: str, language: str, thorough: bool, area: str, part: int, parts: int
) -> None:
    faults, seen = [], 0
    routes = [r for r in ROUTES if r.permit and r.name.startswith(f"{area}:") and r.name not in ENDS_THE_SESSION]
    routes = routes[part::parts]
    with visiting(chromium, live_site, code, language) as visitor:
        for route in routes:
            if visitor.open(route):
                seen += 1
                if "language" not in route.samples:  # an address may name a language of its own
                    assert visitor.page.locator("html").get_attribute("lang") == language, route.name
                shown = faults_of(visitor.page, axe_at=[PHONE, DESK] if thorough else [], closely=thorough)
                faults += [f"{route.name} {fault}" for fault in shown]
    assert seen, f"no page of {area} was seen"
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("path", ["/nowhere/", "/staff/nowhere/", "/verify/AAAAAAAAAAAA/"])
def test_pages_that_are_not_there_say_so(live_site: Site, page: Page, path: str) -> None:
    answer = page.goto(live_site.url("ua", path))
    assert answer is not None
    assert answer.status == 404
    assert not faults_of(page, axe_at=[PHONE, DESK], closely=True)
