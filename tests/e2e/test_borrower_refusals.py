"""What is refused to a borrower, and that each refusal keeps what was typed and says the next step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e import behind
from tests.e2e.borrower import Borrower
from tests.support.browser import PHONE, assert_accessible
from tests.support.browser import page as another_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.site import Site


def test_a_wrong_code_is_counted_and_a_new_one_can_be_had(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    person.open("/sign-in/")
    phone.get_by_label("Mobile phone number").fill("12")
    person.press("Send me a code")
    expect(phone.locator("[data-errors]")).to_be_focused()
    expect(phone.get_by_label("Mobile phone number")).to_have_value("12")
    assert phone.title().startswith("Error:")
    phone.get_by_label("Mobile phone number").fill(person.phone)
    person.press("Send me a code")
    right = person.code_from_sms()
    wrong = "000000" if right != "000000" else "111111"
    phone.get_by_label("Code from the SMS").fill(wrong)
    person.press("Continue")
    person.sees("This code is wrong")
    expect(phone.get_by_role("button", name="Send a new code")).to_be_visible()
    assert_accessible(phone)
    phone.get_by_label("Code from the SMS").fill(f"{right[:3]} {right[3:]}")
    person.press("Continue")
    assert person.path == "/account/"


def test_the_calculator_refuses_what_is_not_offered(live_site: Site, phone_without_javascript: Page) -> None:
    person = Borrower(phone_without_javascript, live_site)
    person.ask_for("999999", "20")
    assert person.path == "/wish/"
    expect(person.page.get_by_role("textbox", name="How much")).to_have_value("999999")
    expect(person.page.locator("[data-errors]")).to_be_visible()
    person.sees("Choose an amount and a time that are offered")


def test_answers_that_are_wrong_stay_typed(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    behind.enter(person)
    person.ask_for("5000", "20")
    phone.locator("input[name=family_name]").fill("Example")
    phone.locator("input[name=birth_date_day]").fill("31")
    phone.locator("input[name=birth_date_month]").fill("2")
    phone.locator("input[name=birth_date_year]").fill("1990")
    person.press("Save and go on")
    assert person.path == "/apply/about/"
    for name, text in (("family_name", "Example"), ("birth_date_day", "31"), ("birth_date_year", "1990")):
        expect(phone.locator(f"input[name={name}]")).to_have_value(text)
    expect(phone.locator("[data-errors]")).to_contain_text("Answer this question")
    expect(phone.locator("[data-errors]")).to_contain_text("day, month and year")
    assert_accessible(phone)
    person.answer_page()
    person.open("/apply/identity/")
    phone.locator("input[name=identity_number]").fill("1234567890")
    person.press("Save and go on")
    expect(phone.locator("input[name=identity_number]")).to_have_value("1234567890")
    expect(phone.locator("[data-errors]")).to_be_visible()


def test_a_declined_card_is_not_linked_and_another_can_be(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    behind.enter(person)
    person.ask_for("5000", "20")
    person.answer_page()
    person.open("/apply/card/")
    person.link_card("4444111155556666")
    person.sees("The card was not linked")
    person.sees("Nothing was charged")
    assert_accessible(phone)
    person.press("Go on")
    person.open("/apply/card/")
    person.link_card()
    person.arrives("/apply/")
    person.open("/account/settings/")
    person.sees(re.compile("•••• [0-9]{4}"))


def test_an_offer_runs_out_at_no_cost(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site, "eu")
    application_id = behind.apply(person, amount_minor=20_000, term=30)
    behind.enter(person)
    behind.reaches("eu", application_id, "approved", "referred")
    assert behind.state_of("eu", application_id) == "approved"
    behind.pass_days("eu", 8)
    behind.reaches("eu", application_id, "expired")
    person.open("/offer/")
    person.sees("Its time ran out, and nothing is owed")
    assert_accessible(phone)
    person.press("Apply again")
    assert person.path == "/"


def test_the_bank_refuses_the_money_then_takes_it_on_another_card(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    behind.apply(person)
    behind.enter(person)
    person.open("/application/")
    with behind.weather(live_site, operation="p2pcredit", kind="decline", value="1037"):
        person.sign()
        person.sees("Your bank did not accept the money. Nothing is owed.")
        assert_accessible(phone)
    person.press("Choose another card")
    person.sees("no interest runs")
    assert_accessible(phone)
    person.press("Link another card")
    person.link_card()
    person.arrives("/application/.*/card/")
    phone.locator("input[name=card]").first.check()
    person.press("Send the money")
    person.get_money()


def test_the_bank_refuses_the_money_and_the_borrower_leaves(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    behind.apply(person)
    behind.enter(person)
    person.open("/application/")
    with behind.weather(live_site, operation="p2pcredit", kind="decline", value="1037"):
        person.sign()
        person.sees("Your bank did not accept the money")
    person.press("Choose another card")
    person.press("I do not want this loan any more")
    person.sees("It costs nothing and nothing is owed")
    person.press("Withdraw the application")
    assert person.path == "/account/"
    person.sees("You owe us nothing today")


def test_past_due_costs_a_penalty_and_the_card_is_debited(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    application_id = behind.apply(person, term=5)
    behind.enter(person)
    behind.reaches("ua", application_id, "approved")
    person.open("/offer/")
    person.sign()
    loan = person.get_money()
    with behind.weather(live_site, operation="recurring", kind="decline", value="1037"):
        behind.pass_days("ua", 10)
        person.open(loan)
        person.sees("is past due for")
        person.open(f"{loan}explain/")
        person.sees("Penalty")
        assert_accessible(phone)
        person.open(f"{loan}cannot-pay/")
        person.sees("Pay a part now")
        assert_accessible(phone)
    for _ in range(8):  # the tries of the debit are some days apart
        behind.pass_days("ua", 1)
        person.open(loan)
        if "Nothing is owed on it" in person.main.inner_text():
            return
    raise AssertionError(person.main.inner_text())


def test_an_application_goes_on_at_another_device_with_a_second_fact(
    live_site: Site, phone: Page, chromium: Browser
) -> None:
    person = Borrower(phone, live_site)
    person.ask_for("4000", "20")
    person.sign_in()
    person.answer_page()
    left_at = person.path
    behind.let_codes_age(person)
    with another_page(chromium, PHONE) as other:
        again = Borrower(other, live_site, number=person.number, last_message=person.last_message)
        again.open("/apply/")
        again.sign_in()
        assert again.path == "/sign-in/question/"
        assert_accessible(other)
        born = person.birth_date
        for part, value in (("day", born.day % 28 + 1), ("month", born.month), ("year", born.year)):
            other.locator(f"input[name=birth_date_{part}]").fill(str(value))
        again.press("Continue")
        again.sees("That is not what we know of you")
        other.locator("input[name=birth_date_day]").fill(str(born.day))
        again.press("Continue")
        assert again.path == left_at


def test_the_account_takes_a_new_address_when_its_code_comes_back(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    behind.apply(person, submit=False)
    behind.enter(person)
    person.open("/account/contacts/email/")
    phone.get_by_label("E-mail address").fill("nonsense")
    person.press("Send me a code")
    expect(phone.locator("[data-errors]")).to_be_visible()
    phone.get_by_label("E-mail address").fill(person.answers["email"])
    person.press("Send me a code")
    assert_accessible(phone)
    phone.get_by_label("Code").fill(person.code_from_sms(person.answers["email"]))
    person.press("Confirm")
    person.sees("Confirmed")
    assert_accessible(phone)

    born = person.birth_date.isoformat().split("-")
    before, person.number = person.phone, person.number + 5000
    phone.get_by_role("link", name="Change Phone").click()
    phone.get_by_label("New mobile phone number").fill(person.phone)
    person.press("Send me a code")
    phone.get_by_label("Code").fill(person.code_from_sms())
    for box, value in zip(("year", "month", "day"), born, strict=True):
        phone.locator(f"input[name=birth_date_{box}]").fill(value)
    person.press("Confirm")
    person.sees(person.phone.replace(" ", "")[-4:])
    person.number -= 5000
    assert person.phone == before
    person.told("phone|номер|телефон")


def test_without_javascript_from_the_calculator_to_the_money(live_site: Site, phone_without_javascript: Page) -> None:
    page = phone_without_javascript
    person = Borrower(page, live_site)
    person.open()
    page.get_by_role("textbox", name="How much").fill("6000")
    person.press("Show the figures")
    person.sees("₴6,000.00")
    person.apply("6000", "20")
    person.sign()
    person.get_money()
