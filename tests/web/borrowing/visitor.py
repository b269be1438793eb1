"""A person at the pages: opens them, fills their forms with all they hold, sends them once or twice, reads the answer.

Everything is real but the network: the site answers through Django's client, cards and messages go through the
sandbox twins in this process. Each test ends with sound books and a whole trail (conftest)."""

from __future__ import annotations

import html
import itertools
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.test import Client

from tests.apps.payments.money import Money
from tests.support import visits
from usance.apps.customers import selectors as customers
from usance.apps.origination import selectors as applications
from usance.apps.payments import selectors as payments
from usance.ports import payment_rail
from usance.ports.actor import borrower
from usance.workflows import take_application

_numbers = itertools.count(1)
ABOUT = {
    "family_name": "Trần",
    "given_name": "Bình",
    "birth_date_day": "8",
    "birth_date_month": "5",
    "birth_date_year": "1984",
}
ANSWERS: dict[str, dict[str, str]] = {
    "about": ABOUT,
    "work": {"employment": "employed", "employment_months": "60"},
    "income": {"income_minor": "15.000.000", "expenses_minor": "", "other_debt_minor": "0"},
    "household": {"housing": "own", "dependants": "", "purpose": "household"},
    "contact": {"address": "1 Example Street", "city": "Cao Lãnh", "email": "binh@example.com"},
    "identity": {"identity_number": "087084000999"},
}
CONSENTS = ("personal_data", "credit_check", "automated_decision", "electronic_signature")


@dataclass
class Shown:
    """What the browser shows in the end."""

    status: int
    path: str
    source: str

    @property
    def text(self) -> str:
        main = re.search(r"<main.*?</main>", self.source, re.S)
        plain = re.sub(r"<[^>]+>", " ", main[0] if main else self.source)
        return " ".join(html.unescape(plain).split())

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page's forms."""
        found: dict[str, str] = {}
        for tag in re.findall(r'<input[^>]*type="hidden"[^>]*>', self.source):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name and name[1] != "csrfmiddlewaretoken":
                found[name[1]] = html.unescape(value[1]) if value else ""
        return found

    def holds(self, name: str, value: str) -> bool:
        """Whether the field holds the text: nothing that was typed is lost."""
        tag = re.search(rf'<input[^>]*name="{name}"[^>]*>|<textarea[^>]*name="{name}"[^>]*>[^<]*', self.source)
        return tag is not None and html.escape(value) in tag[0]


@dataclass
class Visitor:
    money: Money
    phone: str = field(default_factory=lambda: f"090 123 {next(_numbers):04d}")
    browser: Client = field(default_factory=lambda: visits.returning({"host": "vn.localhost"}))

    # --- pages --------------------------------------------------------------------------------------------------

    def open(self, path: str) -> Shown:
        return self._shown(self.browser.get(path, follow=True))

    def send(self, path: str, **form: str) -> Shown:
        """Sends a form that was filled by hand, and follows where it leads."""
        reply = self.browser.post(path, form, follow=True, headers={"referer": f"http://vn.localhost{path}"})
        return self._shown(reply)

    def fill(self, path: str, **form: str) -> Shown:
        """Opens the page, and sends its form with what it holds itself."""
        return self.send(path, **(self.open(path).hidden | form))

    def _shown(self, reply: Any) -> Shown:
        self.money.settle()
        return Shown(reply.status_code, reply.request["PATH_INFO"], reply.content.decode())

    def other_tab(self) -> Visitor:
        return Visitor(self.money, self.phone, self.browser)

    def other_device(self) -> Visitor:
        return Visitor(self.money, self.phone)

    def lose_session(self) -> None:
        """The visit ran out; the device is still known."""
        del self.browser.cookies["session"]

    # --- messages -----------------------------------------------------------------------------------------------

    def messages(self) -> list[dict[str, Any]]:
        return self.money.provider.inbox(re.sub(r"\D", "", self.phone).lstrip("0"))

    def code(self) -> str:
        """The code of the newest message."""
        code: str = next(m for m in self.messages() if m["codes"])["codes"][0]
        return code

    def wrong_code(self) -> str:
        return f"{(int(self.code()) + 1) % 10**6:06d}"

    # --- the way ------------------------------------------------------------------------------------------------

    def sign_in(self, then: str = "/account/") -> Shown:
        self.money.pass_time(3600)  # the pause between codes
        self.open(f"/sign-in/?next={then}")
        self.send("/sign-in/", phone=self.phone)
        return self.send("/sign-in/code/", code=self.code())

    def wish(self, amount: str = "3000000", term: str = "30", product: str = "short") -> Shown:
        return self.send("/wish/", product=product, amount=amount, term=term)

    def begin(self) -> Shown:
        """A draft with nothing answered."""
        self.wish()
        return self.sign_in("/apply/")

    def answer(self, *pages: str, **other: str) -> Shown:
        """Answers question pages; all of them and the consents where none is named."""
        shown = self.open("/apply/")
        for page in pages or ANSWERS:
            shown = self.fill(
                f"/apply/{page}/", **(ANSWERS[page] | {k: v for k, v in other.items() if k in ANSWERS[page]})
            )
        return shown if pages else self.consent()

    def consent(self) -> Shown:
        return self.fill("/apply/consents/", **dict.fromkeys(CONSENTS, "on"))

    def link_card(self, card: str = "good", number: str = "") -> Shown:
        """Through the provider's page and back."""
        waiting = self.fill("/apply/card/")
        return self.use_card(waiting.path, card, number=number)

    def use_card(self, waiting: str, card: str = "good", *, number: str = "", come_back: bool = True) -> Shown:
        order = self.order_at(waiting)
        opened = payment_rail.Opened(order_id=order.order_id, url=order.page_url, reference="")
        self.money.provider.be_the_customer(opened, card, held=str(order.amount_minor), number=number)
        if come_back:
            self.browser.post(f"{waiting}back/")
            self.money.settle()
        return self.open(waiting)

    def order_at(self, waiting: str) -> Any:
        return payments.instruction(UUID(waiting.strip("/").split("/")[-1]))

    def told(self) -> None:
        """Every page is answered and every permission given: by the services that the pages call, which is quicker."""
        self.begin()
        actor, at, draft = borrower(self.party_id), self.money.now.at, self.application
        born = {"birth_date": " ".join(ABOUT[f"birth_date_{part}"] for part in ("day", "month", "year"))}
        for page, data in ANSWERS.items():
            saved = take_application.save_page(application_id=draft.pk, page=page, data=data | born, at=at, actor=actor)
            assert not saved.errors, saved.errors
        asked = take_application.consents_asked(application_id=draft.pk, language="en")
        given = {one.purpose: one.text_id for one in asked if one.required}
        take_application.save_consents(application_id=draft.pk, given=given, evidence={}, at=at, actor=actor)

    def ready(self) -> Shown:
        """Everything is answered, the card is linked: at the page to check."""
        self.told()
        return self.link_card()

    def apply(self) -> Shown:
        """Sent and decided."""
        self.ready()
        self.fill("/apply/check/")
        return self.open("/application/")

    def ask_for_code(self) -> Shown:
        self.money.pass_time(3600)
        self.open("/offer/")
        return self.fill("/offer/", card=str(self.cards()[0].pk))

    def sign(self) -> Shown:
        self.ask_for_code()
        return self.send("/offer/sign/", code=self.code())

    # --- behind the pages ---------------------------------------------------------------------------------------

    @property
    def party_id(self) -> UUID:
        found = customers.party_with_phone(customers.normal_phone(self.phone))
        assert found is not None
        return found

    @property
    def application(self) -> Any:
        return applications.applications_of(party_id=self.party_id).first()

    def cards(self) -> list[Any]:
        return list(payments.cards_of(self.party_id))

    def loan(self) -> Any:
        from usance.apps.servicing import selectors

        return selectors.loan_of_application(self.application.pk)

    def payouts(self) -> list[Any]:
        return list(payments.for_subject(self.loan().pk).filter(kind="payout"))

    def sent_to_card(self) -> int:
        """How often the provider was told to send the money."""
        return sum(self.money.calls(order) for order in self.payouts())

    def later(self, days: int) -> None:
        """The institution's clock is pushed: the days are closed, and what falls due on them happens."""
        from usance.workflows import close_day

        close_day.run_close_inline(at=self.money.now.at, days=days)
        self.money.pass_time(1)
