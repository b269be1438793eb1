"""What only a real browser can show of a borrower's mishaps: the back button, a reload, two presses, two tabs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e import behind
from tests.e2e.borrower import PATIENCE_MS, Borrower

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.site import Site


def test_back_reload_and_two_tabs_lose_nothing(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    behind.enter(person)
    person.ask_for("5000", "20")
    name = phone.locator("input[name=family_name]")
    person.answer_page(family_name="Typed Once")
    second = person.path
    phone.go_back()
    expect(name).to_have_value("Typed Once")
    person.press("Save and go on")  # the same page again, from the back button
    assert person.path == second
    phone.reload()
    assert person.path == second
    other = phone.context.new_page()
    other.goto(phone.url)
    tab = Borrower(other, live_site, number=person.number)
    tab.answer_page()
    person.answer_page()  # the same page from the tab that was left behind
    assert person.path == tab.path
    other.close()


def test_two_presses_and_the_back_button_sign_and_send_once(live_site: Site, phone_without_javascript: Page) -> None:
    """Without the script that stops a second press: the server stands it."""
    page = phone_without_javascript
    person = Borrower(page, live_site)
    person.open("/sign-in/")
    page.get_by_label("Mobile phone number").fill(person.phone)
    page.get_by_role("button", name="Send me a code").dblclick()
    page.get_by_label("Code from the SMS").fill(person.code_from_sms())
    page.get_by_role("button", name="Continue").dblclick()
    person.arrives("/account/|/sign-in/")
    behind.let_codes_age(person)
    application_id = behind.apply(person)
    behind.enter(person)
    behind.reaches("ua", application_id, "approved")
    person.open("/offer/")
    expect(page.get_by_role("link", name="Read the agreement")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Send me the code to sign").dblclick()
    page.get_by_label("Code from the SMS").fill(person.code_from_sms())
    page.get_by_role("button", name="Sign the agreement").dblclick()
    person.arrives("/loans/")
    loan = person.get_money()
    page.go_back()
    person.arrives(re.escape(loan))
    person.open("/account/")
    expect(person.main.locator("h2 a[href*='/loans/']")).to_have_count(1)
