"""Who opens the pages of `make gallery`, and the pages that only an act brings about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.e2e import behind
from tests.e2e.borrower import Borrower
from tests.support.site import Site
from tests.web import samples
from tests.web.samples import World
from usance.apps.access import permissions

if TYPE_CHECKING:
    from playwright.sync_api import Page

Scene = Callable[["Page", Site, str], None]
ANYBODY = "anybody"
READY, OFFERED, LOOKED_AT = 9902, 9903, 9930  # the first and the last have one birthday
# The most able first: a page that an administrator may see is taken as an administrator.
FIRST_ROLES = ("administrator", "underwriter", "accountant", "product_manager")


@dataclass
class Visitor:
    """Somebody in front of the pages: what signs them in, and where they begin."""

    cookies: dict[str, str] = field(default_factory=dict)
    begins: list[str] = field(default_factory=list)
    is_staff: bool = False


def people(site: Site, code: str) -> dict[str, Visitor]:
    """Everybody of the institution who sees something of their own: by role, by situation, and a passer-by."""
    from django.conf import settings

    cookie = settings.SESSION_COOKIE_NAME
    made = [("ready", _applied(site, code, READY)), ("offered", _applied(site, code, OFFERED))]
    made.append(("looked_at", _applied(site, code, LOOKED_AT, named_as=READY)))
    with behind.inside(code) as institution:
        world = World(institution, f"{code}.localhost", _staff(code))
        found = {ANYBODY: Visitor(begins=["/", "/sign-in/", "/staff/sign-in/", "/staff/sign-in/recovery/", "/verify/"])}
        for role in sorted(world.staff, key=lambda r: (r not in FIRST_ROLES, r)):
            client = samples.staff_client(world, role)
            found[role] = Visitor({cookie: client.cookies[cookie].value}, ["/staff/"], is_staff=True)
        for situation, party_id in [*_situations(), *made]:
            world.made["party_id"] = party_id
            client = samples.borrower_client(world)
            begins = ["/", "/account/", "/application/", "/account/me/", "/apply/", "/offer/", "/offer/sign/"]
            found[situation] = Visitor({cookie: client.cookies[cookie].value}, begins)
    return found


def _applied(site: Site, code: str, number: int, named_as: int = 0) -> Any:
    """A customer with an application: answered and not sent, or (all but READY) sent and decided by the rules. Who has
    another customer's name and birthday is looked at by a person."""
    from usance.apps.origination import selectors as applications

    person = Borrower(None, site, code, number)  # type: ignore[arg-type]
    person.answers["family_name"] = f"Example {named_as or number}"
    party_id = behind.party_of(person)
    with behind.inside(code):
        known = applications.open_application(party_id=party_id)
    if known is None:
        application_id = behind.apply(person, submit=number != READY)
        if number != READY:
            behind.reaches(code, application_id, "approved", "referred", "declined")
    return party_id


def _staff(code: str) -> dict[str, Any]:
    from usance.apps.access import selectors

    known = {user.email: user for user in selectors.users()}
    mails = {role: f"{role.replace('_', '.')}@{code}.localhost" for role in permissions.ROLES}
    return {role: known[mail] for role, mail in mails.items() if mail in known}


def _situations() -> Iterator[tuple[str, Any]]:
    """(name, customer): one customer whose newest application, or the loan it became, is in each state there is."""
    from usance.apps.origination import selectors as applications
    from usance.apps.servicing import selectors as servicing

    newest = {row.party_id: row for row in applications.applications().order_by("number")}
    seen: set[str] = set()
    for party_id, row in newest.items():
        loan = servicing.loan_of_application(row.pk)
        name = f"loan_{loan.status}" if loan else row.state
        if name not in seen:
            seen.add(name)
            yield name, party_id


SCENES: list[Scene] = []


def scene(who: str = ANYBODY) -> Callable[[Scene], Scene]:
    def declare(made: Scene) -> Scene:
        made.who = who  # type: ignore[attr-defined]
        SCENES.append(made)
        return made

    return declare


def _open(page: Page, site: Site, code: str, path: str) -> None:
    page.goto(site.url(code, path), wait_until="load")


def _send(page: Page) -> None:
    page.locator("main form[method=post] button[type=submit]").first.click()
    page.wait_for_load_state()


@scene()
def calculator_refused(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/?amount=999999999999&term=9999")


@scene()
def phone_refused(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/sign-in/")
    page.fill("[name=phone]", "12")
    _send(page)


@scene("ready")
def question_refused(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/apply/about/")
    for box in page.locator("main input[type=text]:visible, main input:not([type]):visible").all():
        box.fill("")
    _send(page)


@scene()
def staff_sign_in_refused(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/staff/sign-in/")
    page.fill("[name=email]", f"nobody@{code}.localhost")
    page.fill("[name=password]", "wrong")
    _send(page)


@scene("administrator")
def invitation_refused(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/staff/people/invite/")
    _send(page)


@scene("accountant")
def keys_help(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/staff/books/")
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()


@scene("accountant")
def menus_open(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/staff/books/#menu")
    page.locator("details.d-user > summary").click()


@scene("auditor")
def customers_found_nobody(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/staff/customers/?q=nobody+of+this+name")


@scene()
def not_there(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/nowhere/")


@scene("auditor")
def staff_not_there(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/staff/nowhere/")


@scene("collector")
def staff_forbidden(page: Page, site: Site, code: str) -> None:
    _open(page, site, code, "/staff/roles/")


def _drawn(number: int) -> Scene:
    """An error page that a healthy site does not give: drawn as the site would, at an address of the site."""

    def shown(page: Page, site: Site, code: str) -> None:
        from django.template import loader
        from django.utils import translation

        language = next(one["value"] for one in page.context.cookies() if one["name"] == "language")
        with translation.override(language), behind.inside(code) as institution:
            from usance.web import components

            told = {"site": components.site_of(institution, language=language), "sentence": "…"}
            text = loader.render_to_string(f"errors/{number}.html", told if number < 500 else {})
        page.route("**/drawn/", lambda route: route.fulfill(body=text, content_type="text/html; charset=utf-8"))
        page.goto(site.url(code, "/drawn/"), wait_until="load")

    shown.__name__ = f"error_{number}"
    return scene()(shown)


for _number in (400, 403, 409, 500, 503):
    _drawn(_number)
