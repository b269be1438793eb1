"""Paying in a real browser when hands and lines are unsteady: two tabs, a double click, no line, the back button."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Error, expect

from tests.e2e import behind
from tests.e2e.borrower import Borrower
from tests.support.browser import assert_accessible

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.site import Site


def choose(person: Borrower, loan: str, amount: str = "") -> None:
    """Up to the page that asks for confirmation: everything, or another amount."""
    person.open(f"{loan}pay/")
    person.page.get_by_label("Another amount" if amount else re.compile("Everything")).first.check()
    if amount:
        person.page.get_by_role("textbox", name="Another amount").fill(amount)
    person.press("Continue")


def test_two_tabs_a_double_click_a_lost_line_and_the_way_back_pay_what_was_shown_once(
    live_site: Site, phone: Page
) -> None:
    person = Borrower(phone, live_site)
    application_id = behind.apply(person)
    behind.enter(person)
    behind.reaches("ua", application_id, "approved")
    person.open("/offer/")
    person.sign()
    loan = person.get_money()

    choose(person, loan)
    everything = phone.locator("main form button").inner_text()
    other = Borrower(phone.context.new_page(), live_site, number=person.number)
    choose(other, loan, "1000")
    other.page.get_by_role("button", name="Pay ₴1,000.00").dblclick()
    other.arrives(f"{loan}\\?paid=")
    other.sees("We received your payment of ₴1,000.00")
    expect(other.main.locator(".u-timeline").get_by_text("Payment received")).to_have_count(1)

    address = phone.url
    phone.context.set_offline(True)
    try:
        phone.locator("main form button").click()
        phone.wait_for_load_state()
    except Error:
        pass  # what the browser says without a line is its own affair
    phone.context.set_offline(False)
    phone.goto(address)
    person.sees("Something has changed since you looked")
    assert_accessible(phone)
    rest = phone.locator("main form button")
    assert rest.inner_text() != everything
    rest.click()
    person.arrives(f"{loan}\\?paid=")
    person.sees("Nothing is owed on it")

    for _step in range(3):
        phone.go_back()
        phone.wait_for_load_state()
    person.open(loan)
    expect(person.main.locator(".u-timeline").get_by_text("Payment received")).to_have_count(2)
    assert_accessible(phone)
