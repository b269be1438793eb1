"""Every address that can be opened, in each language, on a phone and on a desk: axe finds nothing serious, and nothing
sticks out at the side. The list comes from the resolver, with the objects of tests/web/samples.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
from usance.web.middleware import LANGUAGE_COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1440, "height": 900}
# institution, language, whether axe looks at both widths (the markup is the same in each language)
TONGUES = [("ua", "uk", True), ("ua", "en", False), ("vn", "vi", False)]
AREAS = ("borrower", "public", "staff")
# charts follow a new width in the frames after it
SETTLED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"
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
        return reverse(route.name, kwargs={name: world.get(wanted) for name, wanted in route.samples.items()})


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
        cookies = self.become(route)
        path = address(self.world, route)
        if route.name not in IS_PAGE:
            host = {"Host": self.world.host}
            answer = httpx.get(
                f"http://127.0.0.1:{self.site.web_port}{path}", headers=host, cookies=cookies, timeout=60
            )
            assert answer.status_code < 500, f"{route.name}: {answer.status_code}"
            IS_PAGE[route.name] = answer.status_code == 200 and "<html" in answer.text[:1000]
        if IS_PAGE[route.name]:
            self.page.goto(self.site.url(self.world.institution.code, path), wait_until="domcontentloaded")
        return IS_PAGE[route.name]


@contextmanager
def visiting(started: Browser, site: Site, code: str, language: str) -> Iterator[Visitor]:
    with browser.page(started, (DESK["width"], DESK["height"])) as page:
        yield Visitor(page, site, world_of(site, code), language)


def faults_of(page: Page, *, axe_at: list[dict[str, int]]) -> list[str]:
    found = []
    for size in (DESK, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.evaluate(SETTLED)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found.append(f"sticks out by {wide} pixels at {size['width']}")
        if size in axe_at:
            try:
                browser.assert_accessible(page)
            except AssertionError as fault:
                found.append(f"at {size['width']}: {fault}")
    return found


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize(("code", "language", "thorough"), TONGUES, ids=[tongue for _, tongue, _ in TONGUES])
def test_every_page_can_be_used_by_everybody(
    live_site: Site, chromium: Browser, code: str, language: str, thorough: bool, area: str
) -> None:
    faults, seen = [], 0
    routes = [r for r in ROUTES if r.permit and r.name.startswith(f"{area}:") and r.name not in ENDS_THE_SESSION]
    with visiting(chromium, live_site, code, language) as visitor:
        for route in routes:
            if visitor.open(route):
                seen += 1
                assert visitor.page.locator("html").get_attribute("lang") == language, route.name
                shown = faults_of(visitor.page, axe_at=[PHONE, DESK] if thorough else [PHONE])
                faults += [f"{route.name} {fault}" for fault in shown]
    assert seen, f"no page of {area} was seen"
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("path", ["/nowhere/", "/staff/nowhere/", "/verify/AAAAAAAAAAAA/"])
def test_pages_that_are_not_there_say_so(live_site: Site, page: Page, path: str) -> None:
    answer = page.goto(live_site.url("ua", path))
    assert answer is not None
    assert answer.status == 404
    assert not faults_of(page, axe_at=[PHONE, DESK])
