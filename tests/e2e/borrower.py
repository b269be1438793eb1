"""A borrower in front of the pages: each method is something a person does, and waits for what it leads to."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.site import Site
from usance.apps.customers import identity_numbers

PATIENCE_MS = 60_000  # a worker on a busy machine; waiting ends when it has happened
CODE_DIGITS = 6
FRESH, GOOD, NO_FUNDS = "fresh", "4444555511116666", "4444111155556666"
NO_PAYOUT, NO_DEBIT = "4000000000000119", "4000000000009995"
SCHEMES = {"ua": "ua_rnokpp", "vn": "vn_cccd"}
PHONES = {"ua": "50 000 {:04d}", "vn": "90 000 {:04d}", "eu": "151 0000 {:04d}"}
_numbers = itertools.count(1)


def until(found: Callable[[], Any], what: str, *, seconds: float = PATIENCE_MS / 1000) -> Any:
    """Asks again until there is something, at most so long."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        answer = found()
        if answer:
            return answer
        time.sleep(0.1)  # between two questions, not instead of one
    raise AssertionError(f"{what}: nothing after {seconds:.0f} s")


@dataclass
class Borrower:
    """One person with one phone. `number` makes every person another one."""

    page: Page
    site: Site
    code: str = "ua"
    number: int = field(default_factory=lambda: next(_numbers))
    last_message: int = 0

    @property
    def phone(self) -> str:
        return PHONES[self.code].format(self.number)

    @property
    def birth_date(self) -> date:
        return date(1990, 5, 1 + self.number % 28)

    @cached_property
    def identity_number(self) -> str:
        made = random.Random(self.number)
        return identity_numbers.make(SCHEMES[self.code], birth_date=self.birth_date, sex="female", random=made)

    @cached_property
    def answers(self) -> dict[str, str]:
        born = self.birth_date
        return {
            "family_name": f"Example {self.number}",
            "given_name": "Borrower",
            "birth_date_day": str(born.day),
            "birth_date_month": str(born.month),
            "birth_date_year": str(born.year),
            "employment_months": "40",
            "income_minor": "30000000" if self.code == "vn" else "25 000",
            "expenses_minor": "8000",
            "other_debt_minor": "0",
            "dependants": "1",
            "city": "Lviv",
            "address": "Example street 1",
            "email": f"borrower{self.number}@{self.code}.example",
            "identity_number": self.identity_number if self.code in SCHEMES else "",
        }

    # --- moving about -------------------------------------------------------------------------------------------

    def open(self, path: str = "/") -> None:
        answer = self.page.goto(self.site.url(self.code, path)) or self.page.reload()  # it may be going there by itself
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    def press(self, name: str) -> None:
        """A button or a link that looks like one; the page that follows is there when this returns."""
        pattern = re.compile(name)
        shown = self.page.locator("main").get_by_role("button", name=pattern)
        target = shown if shown.count() else self.page.locator("main").get_by_role("link", name=pattern)
        target.first.click()
        self.page.wait_for_load_state()

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def path(self) -> str:
        return re.sub(r"^https?://[^/]+", "", self.page.url).split("?")[0]

    def sees(self, words: str | re.Pattern[str]) -> None:
        expect(self.main).to_contain_text(words, timeout=PATIENCE_MS)

    def arrives(self, pattern: str) -> None:
        """Waiting pages lead on by themselves: until the address has this in it."""
        self.page.wait_for_url(re.compile(pattern), timeout=PATIENCE_MS)

    def told(self, words: str, *, channel: str = "sms") -> dict[str, Any]:
        """The newest message to this person that has these words."""
        digits = re.sub(r"\D", "", self.phone) if channel == "sms" else self.answers["email"]

        def found() -> Any:
            return next(
                (m for m in self.site.messages(to=digits, channel=channel) if re.search(words, m["text"])), None
            )

        message: dict[str, Any] = until(found, f"a message with {words!r} to {digits}")
        return message

    def code_from_sms(self, to: str = "") -> str:
        """The one-time code of the newest message that was not used yet. A year or an amount may look like a code, but
        ours have six digits: what else was told since the last one is not taken for it."""
        digits = to or re.sub(r"\D", "", self.phone)

        def found() -> Any:
            fresh = self.site.messages(to=digits, after=self.last_message)
            return next(((m["id"], code) for m in fresh for code in m["codes"] if len(code) == CODE_DIGITS), None)

        self.last_message, code = until(found, f"a code to {digits}")
        return str(code)

    # --- the life -----------------------------------------------------------------------------------------------

    def ask_for(self, amount: str, term: str, product: str = "") -> None:
        """The calculator, by typing."""
        self.open(f"/?product={product}" if product else "/")
        self.page.get_by_role("textbox", name="How much").fill(amount)
        self.page.get_by_role("textbox", name="For how long").fill(term)
        self.press("Apply for this")

    def sign_in(self) -> None:
        """Phone and code; a device that is not known is then asked for a second fact."""
        if not self.path.startswith("/sign-in"):
            self.open("/sign-in/")
        self.page.get_by_label("Mobile phone number").fill(self.phone)
        self.press("Send me a code")
        self.page.get_by_label("Code from the SMS").fill(self.code_from_sms())
        self.press("Continue")

    def answer_page(self, **other: str) -> None:
        """Fills what the page asks and sends it."""
        answers = self.answers | other
        for name in {f.get_attribute("name") or "" for f in self.main.locator("form input[type=radio]").all()}:
            if not self.main.locator(f"input[name='{name}']:checked").count():
                self.main.locator(f"input[name='{name}']").first.check()
        for box in self.main.locator("form input[type=checkbox]").all():
            box.check()
        for name, text in answers.items():
            shown = self.main.locator(f"input[name='{name}']")
            if shown.count():
                shown.fill(text)
        before = self.path
        self.press("Save and go on")
        assert self.path != before, self.main.inner_text()

    def answer_all(self) -> None:
        """Every page of questions, up to the card or the check."""
        for _ in range(12):
            if not re.fullmatch(r"/apply/(?!card|check)\w+/", self.path):
                return
            self.answer_page()
        raise AssertionError(f"the questions do not end: {self.page.url}")

    def link_card(self, card: str = FRESH) -> None:
        """From our page to the provider's hosted page and back."""
        self.press("Link my card|Link another card")
        self.use_card(card)

    def use_card(self, card: str = FRESH) -> None:
        """On the provider's page: the card, the bank's question, the amount that was held; then back to us."""
        self.arrives("/fondy/pay/")
        self.page.locator(f"button[name=test_card][value='{card}']").click()
        for _ in range(3):
            self.page.wait_for_load_state()
            if self.page.locator("input[name=code]").count():
                self.page.get_by_role("button", name="Confirm").click()
            elif self.page.locator("#held-amount").count():
                held = re.sub(r"[^\d.]", "", self.page.locator("#held-amount").inner_text())
                self.page.get_by_label("Held amount").fill(held)
                self.page.get_by_role("button", name="Confirm").click()
            else:
                break
        self.page.get_by_role("button", name="Back to the lender").click()
        self.page.wait_for_load_state()

    def apply(self, amount: str = "5000", term: str = "20", *, card: str = FRESH) -> None:
        """From the calculator to the sent application."""
        self.ask_for(amount, term)
        if self.path.startswith("/sign-in"):
            self.sign_in()
        self.answer_all()
        if "/apply/card" in self.path:
            self.link_card(card)
            self.arrives("/apply/check/")
        self.press("Send the application")

    def sign(self) -> None:
        """From the offer to the loan page, with the code that names the amount."""
        self.arrives("/offer/")
        expect(self.page.get_by_role("link", name="Read the agreement")).to_be_visible(timeout=PATIENCE_MS)
        self.press("Send me the code to sign")
        self.page.get_by_label("Code from the SMS").fill(self.code_from_sms())
        self.press("Sign the agreement")
        assert self.path.startswith("/loans/"), self.main.inner_text()

    def get_money(self) -> str:
        """Waits for the payout. Returns the loan's address."""
        self.sees("You owe today")
        return self.path

    def borrow(self, amount: str = "5000", term: str = "20", *, card: str = FRESH) -> str:
        """The whole way to money on the card. Returns the loan's address."""
        self.apply(amount, term, card=card)
        self.sign()
        return self.get_money()
