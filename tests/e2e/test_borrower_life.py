"""The life of a loan as the borrower lives it, on a phone of 360 pixels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e import behind
from tests.e2e.borrower import PATIENCE_MS, Borrower
from tests.support.browser import assert_accessible

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.site import Site


def test_the_calculator_answers_to_typing_keys_and_buttons(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    person.open()
    box, slider = phone.get_by_role("textbox", name="How much"), phone.get_by_role("slider", name="How much")
    answer = phone.locator("#answer")
    box.fill("3000")
    expect(answer).to_contain_text("₴3,000.00")
    slider.focus()
    slider.press("ArrowRight")
    expect(box).to_have_value("3,100")
    expect(answer).to_contain_text("₴3,100.00")
    phone.get_by_role("button", name="Less: How much").click()
    expect(answer).to_contain_text("₴3,000.00")
    for words in ("Yearly cost (APR)", "You pay back in all", "One payment on"):
        expect(answer).to_contain_text(words)
    phone.locator(".u-tabs a:not([aria-current])").first.click()
    expect(answer).to_contain_text("payments of")


def test_a_loan_from_the_calculator_to_the_letter_and_to_a_second_one(live_site: Site, phone: Page) -> None:
    person = Borrower(phone, live_site)
    person.apply("5000", "20")
    person.sign()
    loan = person.get_money()
    expect(person.main).to_contain_text(re.compile(r"On your card \d+ seconds? after you signed"))
    person.told("5,000")
    assert_accessible(phone)

    person.open(f"{loan}explain/")
    person.sees("How every figure came about")
    assert_accessible(phone)

    person.open(loan)
    person.press("Move the due date")
    phone.locator("input[name=days]").first.check()
    person.press("Continue")
    person.sees("You pay ₴100.00 now")
    person.press("Pay ")
    person.arrives(f"{loan}\\?paid=")
    person.sees("Due date moved")

    person.open(f"{loan}pay/")
    phone.get_by_label("Another amount").first.check()
    phone.get_by_role("textbox", name="Another amount").fill("1000")
    person.press("Continue")
    person.sees("After that you owe")
    person.press("Pay ₴1,000.00")
    person.arrives(f"{loan}\\?paid=")
    person.sees("We received your payment of ₴1,000.00")

    person.press("^Pay$")
    phone.get_by_label(re.compile("Everything")).check()
    person.press("Continue")
    person.sees("The loan is closed")
    person.press("Pay ")
    person.arrives(f"{loan}\\?paid=")
    person.sees("Nothing is owed on it")
    figure = phone.locator(".u-figure").first
    expect(figure).to_contain_text("You owe today")
    expect(figure.locator(".u-figure__value")).to_have_text("₴0.00")

    letter = phone.get_by_role("listitem").filter(has_text="Debt-free letter")
    expect(letter.get_by_role("link", name="check")).to_be_visible(timeout=PATIENCE_MS)
    with phone.expect_download() as download:
        letter.get_by_role("link", name="Debt-free letter").click()
    file = download.value.path()
    assert file.read_bytes().startswith(b"%PDF")
    letter.get_by_role("link", name="check").click()
    person.sees("This paper is genuine")
    phone.get_by_label("The PDF file").set_input_files(file)
    person.press("Compare the file")
    person.sees("byte for byte")
    assert_accessible(phone)

    person.open("/")
    person.sees("your terms as a returning customer")
    person.ask_for("9000", "20")
    assert person.path == "/apply/check/" or "/apply/" in person.path
    person.answer_all()
    if person.path == "/apply/card/":
        person.press("Go on with this card")
    person.press("Send the application")
    behind.let_codes_age(person)
    person.sign()
    second = person.get_money()
    assert second != loan
