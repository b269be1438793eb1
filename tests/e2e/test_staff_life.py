"""The staff's day at the desk: a case is decided, a price is changed by two people, the day is ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e import behind
from tests.e2e.borrower import PATIENCE_MS, Borrower
from tests.e2e.staff import looks_right, sign_in
from tests.support.browser import DESKTOP, PHONE
from tests.support.browser import page as another_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.site import Site


def twins(live_site: Site, phone: Page) -> tuple[Borrower, object]:
    """Somebody who looks like another customer (same name, same birthday): a case for a person."""
    first = Borrower(phone, live_site)
    behind.reaches("ua", behind.apply(first), "approved")
    second = Borrower(phone, live_site, number=first.number + 2800)
    second.answers["family_name"] = first.answers["family_name"]
    application_id = behind.apply(second)
    behind.reaches("ua", application_id, "referred")
    return second, application_id


def test_a_referred_case_is_taken_and_approved(live_site: Site, page: Page, chromium: Browser) -> None:
    with another_page(chromium, PHONE) as phone:
        applicant, application_id = twins(live_site, phone)
        behind.enter(applicant)
        applicant.open("/application/")
        applicant.sees("A person is looking at your application")

        sign_in(page, live_site, "underwriter")
        page.goto(live_site.url("ua", "/staff/queue/"))
        looks_right(page)
        page.goto(live_site.url("ua", f"/staff/applications/{application_id}/"))
        looks_right(page)
        page.get_by_role("button", name="Take the case").click()
        page.locator("form#review input[name=approve_reasons]").first.check()
        page.get_by_role("textbox", name="Note for colleagues").fill("Two people of one name: papers seen.")
        looks_right(page)
        page.get_by_role("button", name="Approve").click()
        behind.reaches("ua", application_id, "approved")
        applicant.open("/offer/")
        applicant.sees("Your offer")


def test_a_price_is_changed_by_two_people(live_site: Site, page: Page, chromium: Browser) -> None:
    sign_in(page, live_site, "product.manager")
    page.goto(live_site.url("ua", "/staff/products/"))
    looks_right(page)
    # the version in force: above it may stand a draft that somebody left, and from a draft nothing is drafted
    page.locator("main tr.is-now a[href*='/products/versions/']").first.click()
    page.wait_for_url("**/products/versions/**")
    page.get_by_role("button", name=re.compile("draft", re.IGNORECASE)).first.click()
    looks_right(page)
    page.get_by_role("button", name="Save the draft").last.click()
    page.get_by_role("link", name="Propose to publish").click()
    page.get_by_label("Why").fill("The same prices, confirmed again.")
    looks_right(page)
    page.locator("main form").last.get_by_role("button").first.click()
    proposal = page.get_by_role("link", name="See the proposal").get_attribute("href")
    with another_page(chromium, DESKTOP) as other:
        sign_in(other, live_site, "compliance")
        other.goto(live_site.url("ua", "/staff/approvals/"))
        other.locator(f"main a[href='{proposal}']").click()
        looks_right(other)
        other.get_by_role("textbox").last.fill("Seen.")
        other.locator("button[value=approve]").click()
        other.wait_for_url("**/staff/approvals/")
    page.goto(live_site.url("ua", "/staff/products/"))
    expect(page.locator("main")).to_contain_text(re.compile("In force|Published"))


def test_the_day_is_ended_and_a_loan_is_seen_from_all_sides(live_site: Site, page: Page, chromium: Browser) -> None:
    with another_page(chromium, PHONE) as phone:
        borrower = Borrower(phone, live_site)
        application_id = behind.apply(borrower)
        behind.enter(borrower)
        behind.reaches("ua", application_id, "approved")
        borrower.open("/offer/")
        borrower.sign()
        loan = borrower.get_money()
    sign_in(page, live_site, "accountant")
    page.goto(live_site.url("ua", "/staff/clock/"))
    before = page.locator(".d-date strong").inner_text()
    looks_right(page)
    page.get_by_role("link", name="End the day").last.click()
    page.locator("main form").last.get_by_role("button").first.click()
    expect(page.locator(".d-date strong")).not_to_have_text(before, timeout=PATIENCE_MS)
    page.goto(live_site.url("ua", f"/staff{loan}"))
    for tab in page.locator("nav.u-tabs a").all():
        expect(tab).to_be_visible()
    addresses = [tab.get_attribute("href") or "" for tab in page.locator("nav.u-tabs a").all()]
    assert len(addresses) >= 8
    for address in addresses:
        page.goto(page.url.split("?")[0] + address if address.startswith("?") else live_site.url("ua", address))
        looks_right(page)
