"""The staff's way in and the pages of people and roles, in a browser: they work and axe finds nothing serious."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.staff import looks_right, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.site import Site


def test_a_wrong_password_is_told_above_the_form(live_site: Site, page: Page) -> None:
    page.goto(live_site.url("ua", "/staff/"))
    looks_right(page)
    page.fill("[name=email]", "underwriter@ua.localhost")
    page.fill("[name=password]", "wrong")
    page.click("main button[type=submit]")
    assert page.locator("[role=alert], .u-errors").first.is_visible()
    assert page.input_value("[name=email]") == "underwriter@ua.localhost"
    looks_right(page)


def test_the_desk_s_own_pages(live_site: Site, page: Page) -> None:
    sign_in(page, live_site, "administrator")
    for address in ("account", "account/password", "account/app", "account/recovery-codes", "people", "people/invite"):
        page.goto(live_site.url("ua", f"/staff/{address}/"))
        looks_right(page)
    page.goto(live_site.url("ua", "/staff/people/"))
    page.click("main table a >> nth=0")
    looks_right(page)
    person = page.url
    for act in ("roles/", "change/"):
        page.goto(person + act)
        looks_right(page)
    page.goto(live_site.url("ua", "/staff/roles/"))
    looks_right(page)
    page.click("main table a >> nth=0")
    looks_right(page)
    page.goto(page.url + "edit/")
    looks_right(page)


def test_two_administrators_change_a_role(live_site: Site, page: Page) -> None:
    assert page.context.browser
    second = page.context.browser.new_context().new_page()
    sign_in(page, live_site, "administrator")
    sign_in(second, live_site, "administrator.two")
    for verdict in ("reject", "approve"):
        page.goto(live_site.url("ua", "/staff/roles/"))
        page.click("main table a >> nth=-1")
        page.goto(page.url + "edit/")
        page.fill("[name=reason]", "Two people look at this.")
        page.click("main form button[type=submit]")
        page.click("main a[href*='/approvals/']")
        assert page.locator("button[value=approve]").count() == 0
        second.goto(page.url)
        looks_right(second)
        second.fill("[name=note]", "Seen.")
        second.click(f"button[value={verdict}]")
        second.wait_for_url("**/staff/approvals/")
        looks_right(second)
    second.context.close()
