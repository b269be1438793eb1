"""Passkeys with a real browser and Chromium's own virtual authenticator: made, used both ways, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.staff import looks_right, sign_in, told

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

    from tests.support.site import Site

WHO = "collector"
BUTTON = "form[data-passkey]:not([hidden]) button"


def plug_in(page: Page) -> tuple[CDPSession, str]:
    """An authenticator in the machine that keeps passkeys and knows its owner's finger."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return tools, made["authenticatorId"]


def give_password(page: Page, site: Site) -> None:
    page.goto(site.url("ua", "/staff/sign-in/?next=/staff/account/"))
    page.fill("[name=email]", f"{WHO}@ua.localhost")
    page.fill("[name=password]", told(site, r"password\s+(\S+)"))
    page.click("main form:not([data-passkey]) button[type=submit]")
    page.wait_for_url("**/staff/sign-in/code/")


def sign_out(page: Page, site: Site) -> None:
    page.goto(site.url("ua", "/staff/account/"))
    page.click("details.d-user summary")
    page.click("details.d-user form[action$='/sign-out/'] button")
    page.wait_for_url("**/staff/sign-in/**")


def test_a_passkey_from_the_account_page_to_both_ways_of_signing_in(live_site: Site, page: Page) -> None:
    password = told(live_site, r"password\s+(\S+)")
    account = live_site.url("ua", "/staff/account/")  # whole: the sign-in page's own address ends like it
    sign_in(page, live_site, WHO)
    tools, key = plug_in(page)
    page.goto(live_site.url("ua", "/staff/account/passkeys/add/"))
    looks_right(page)
    page.fill("[name=name]", "My laptop")
    page.fill("[name=old]", password)
    page.click("main form button[type=submit]")
    page.wait_for_url("**/staff/account/passkeys/make/")
    page.wait_for_selector(BUTTON)
    looks_right(page)
    page.click(BUTTON)
    page.wait_for_url(account)
    assert page.locator("strong", has_text="My laptop").is_visible()
    looks_right(page)

    page.goto(live_site.url("ua", "/staff/account/passkeys/add/"))  # the same device a second time: told, nothing made
    page.fill("[name=old]", password)
    page.click("main form button[type=submit]")
    page.click(BUTTON)
    page.wait_for_selector("text=This passkey is registered already.")

    sign_out(page, live_site)
    page.goto(live_site.url("ua", "/staff/sign-in/?next=/staff/account/"))
    page.wait_for_selector(BUTTON)
    looks_right(page)
    page.click(BUTTON)  # one step: no address, no password
    page.wait_for_url(account)

    sign_out(page, live_site)
    give_password(page, live_site)
    page.wait_for_selector(BUTTON)
    looks_right(page)
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.click(BUTTON)  # somebody else's finger
    page.wait_for_selector("[data-passkey-said]:not([hidden])")
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
    page.click(BUTTON)
    page.wait_for_url(account)

    page.get_by_role("link", name="Remove My laptop").click()
    looks_right(page)
    page.fill("[name=old]", password)
    page.click("main form button[type=submit]")
    page.wait_for_url(account)
    assert page.get_by_text("My laptop").count() == 0
    sign_out(page, live_site)
    page.goto(live_site.url("ua", "/staff/sign-in/"))
    page.click(BUTTON)  # the device still offers it; the desk does not know it any more
    page.wait_for_selector("text=This passkey is not known here")
