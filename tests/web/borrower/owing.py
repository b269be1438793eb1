"""A borrower with a running loan in front of the pages: real services, and the provider's twin in this process."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.test import Client

from tests.apps.payments.money import Money
from tests.support import visits
from usance.apps.customers import devices
from usance.apps.customers.models import Device
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as loans
from usance.ports.payment_rail import Opened
from usance.web import cookies
from usance.web.borrower import identity
from usance.workflows import take_payment

HOST = {"host": "vn.localhost"}


@dataclass
class Phone:
    """One browser of a borrower. A second one of the same person is another device."""

    money: Money
    party_id: UUID
    client: Client = field(default_factory=lambda: visits.returning(HOST))

    def __post_init__(self) -> None:
        session = visits.session_of(self.party_id)
        self.client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        self.client.cookies["language"] = "en"
        token = secrets.token_urlsafe(32)
        Device.objects.filter(pk=session[identity.VISIT]["device"]).update(token_hash=devices._token_hash(token))
        self.client.cookies[cookies.DEVICE] = token

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def reads(self, path: str) -> str:
        """The page's words; redirects are followed as a browser does."""
        page = self.client.get(path, follow=True)
        assert page.status_code == 200, (path, page.status_code)
        return str(page.content.decode())

    @property
    def card(self) -> str:
        found = payments.cards_of(self.party_id).first()
        return str(found.pk) if found else "new"

    def choose(self, loan: Any, choice: str = "all", amount: str = "", card: str = "") -> str:
        """Says how much, up to the page that asks for confirmation. Gives its address."""
        answers = {"choice": choice, "amount": amount, "card": card or self.card}
        return self._to_confirm(f"/loans/{loan.pk}/pay/", answers)

    def choose_to_extend(self, loan: Any, days: int = 7, card: str = "") -> str:
        return self._to_confirm(f"/loans/{loan.pk}/extend/", {"days": str(days), "card": card or self.card})

    def _to_confirm(self, path: str, answers: dict[str, str]) -> str:
        sent = self.client.post(path, answers)
        assert sent.status_code == 302, sent.context["form"].errors
        return str(sent.headers["Location"])

    def look(self, address: str) -> dict[str, str]:
        """Opens the page that asks for confirmation; gives what its button would send."""
        page = self.client.get(address)
        assert page.status_code == 200, page
        return {"seen": str(page.context["form"].initial["seen"])}

    def confirm(self, address: str, seen: dict[str, str] | None = None) -> Any:
        return self.client.post(address, seen or self.look(address))

    def order(self, address: str) -> Any:
        """Confirms; gives the order that came of it."""
        sent = self.confirm(address)
        assert sent.status_code == 302, sent.content.decode()
        return payments.instruction(UUID(sent.headers["Location"].split("/")[2]))

    def pays_on_the_page(self, given: Any, card: str = "good") -> None:
        """On the provider's page, which our own led to."""
        opened = Opened(order_id=given.order_id, url=self.money.fresh(given).page_url, reference="")
        self.money.provider.be_the_customer(opened, card)

    def orders(self, loan: Any) -> list[Any]:
        """Every order of money to come in for the loan, oldest first."""
        return list(payments.for_subject(loan.pk).filter(kind__in=take_payment.INCOMING).order_by("given_at", "id"))


def events(loan: Any) -> list[str]:
    """What happened to the loan since its money arrived."""
    return [row.kind for row in loans.events_of(loan_id=loan.pk)][2:]


def told(loan: Any) -> list[str]:
    """The messages about a loan, by template, oldest first."""
    from usance.apps.messaging import selectors

    return [row.template for row in selectors.messages(subject_id=loan.pk).order_by("id")]
