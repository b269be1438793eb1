"""A lender whose payment rail is the sandbox twin in this process: real requests, real signatures, no network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.test import Client

from tests.apps.servicing import loans
from tests.contracts.harness import InProcess, Provider
from usance.adapters import sandbox
from usance.apps.access import services as access
from usance.apps.customers import consents
from usance.apps.customers import services as customers
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.payments import selectors, services
from usance.apps.payments.models import Card, Instruction
from usance.apps.servicing import selectors as loan_view
from usance.config.jobs import run_inline
from usance.ports import clock, payment_rail, queue, registry
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import take_payment

ON = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # ten in the morning in Ho Chi Minh City
_keys = itertools.count(1)


@dataclass
class Money:
    """The institution, its rail, and what waits to be done."""

    institution: Any
    provider: Provider
    jobs: queue.InlineQueue
    now: clock.FrozenClock
    callbacks: list[tuple[str, bytes, str]] = field(default_factory=list)
    deaf: bool = False  # our callback address cannot be reached

    @property
    def reach(self) -> InProcess:
        assert isinstance(self.provider.reach, InProcess)
        return self.provider.reach

    # --- people and loans ---------------------------------------------------------------------

    def customer(self, *, card: str = "good") -> UUID:
        """Somebody with a linked card and the mandate to debit it."""
        number = next(_keys)
        party_id = customers.add_party(language="en", on=ON, actor=SYSTEM)
        phone = f"+84901{200000 + number}"
        customers.add_contact(party_id=party_id, kind="phone", value=phone, actor=SYSTEM, at=AT, verified=True)
        if card:
            self.allow(party_id, self.link(party_id, card))
        return party_id

    def link(self, party_id: UUID, card: str = "good", *, held: str = "10000", number: str = "") -> Card:
        """Links a card on the provider's page."""
        given = self.give("card_link", party_id=party_id, amount_minor=10_000, then="")
        self.settle()
        given.refresh_from_db()
        opened = payment_rail.Opened(order_id=given.order_id, url=given.page_url, reference="")
        self.provider.be_the_customer(opened, card, held=held, number=number)
        self.ask(given)
        card_row = Instruction.objects.select_related("card").get(pk=given.pk).card
        assert card_row is not None
        return card_row

    def allow(self, party_id: UUID, card: Card) -> None:
        text = consents.text_in_force("card_debit", "en", ON)
        consents.give(
            party_id=party_id, purpose="card_debit", text_id=text.pk, subject_id=card.pk, actor=borrower(party_id),
            at=AT, on=ON,
        )  # fmt: skip

    def loan(self, party_id: UUID | None = None, **more: Any) -> Any:
        return loans.lend(on=self.today, party_id=party_id or self.customer(), **more)

    def standing(self, loan: Any) -> Any:
        return loan_view.loan(loan.pk)

    # --- orders and answers ---------------------------------------------------------------------

    def give(self, kind: str, *, party_id: UUID, amount_minor: int = 500_000, **more: Any) -> Instruction:
        details = {
            "key": f"test:{next(_keys)}",
            "subject_type": "test",
            "subject_id": party_id,
            "then": "",
            "description": "Test",
            "at": self.now.at,
            "actor": SYSTEM,
        }
        return services.give(kind=kind, party_id=party_id, amount_minor=amount_minor, **(details | more))

    def debit(self, loan: Any, amount_minor: int, key: str = "") -> Instruction:
        given = take_payment.debit(
            loan_id=loan.pk, amount_minor=amount_minor, key=key or f"d{next(_keys)}", at=self.now.at
        )
        assert given is not None
        return given

    def settle(self) -> None:
        """Does all jobs that are due now, delivers callbacks, until nothing is left."""
        for _round in range(50):
            ran = self.jobs.run_pending(at=self.now.at)
            sandbox.deliver_due(self.reach.app)
            if not ran and not self.jobs.run_pending(at=self.now.at):
                return
        raise AssertionError("the jobs never end")

    def pass_time(self, seconds: float) -> None:
        self.now.at += timedelta(seconds=seconds)
        self.reach.at += timedelta(seconds=seconds)
        self.settle()

    def pass_days(self, days: int) -> None:
        """Business time goes on, here and at the provider."""
        institutions.move_business_date(to=self.today + timedelta(days=days), ahead_days=0)
        ledger.ensure_partitions(since=self.today)
        self.pass_time(days * 86400)

    def ask(self, given: Instruction) -> Instruction:
        from usance.ports.queue import enqueue

        enqueue("payments.ask_status", instruction_id=str(given.pk))
        self.settle()
        return self.fresh(given)

    def fresh(self, given: Instruction) -> Instruction:
        return selectors.instruction(given.pk)

    def calls(self, given: Instruction) -> int:
        """How many times the provider was told to do it."""
        found = self.provider.book(given.order_id)
        return 0 if found is None else int(found["sent_count"])

    def dial(self, operation: str, kind: str, value: str = "", left: int = 1) -> None:
        self.provider.dial(operation=operation, kind=kind, value=value, left=left)

    @property
    def today(self) -> date:
        tenancy.forget_row()
        return tenancy.current().business_date


def _receiver(made: dict[str, Any]) -> Any:
    """Takes the twin's callbacks to our own address for them."""

    def send(url: str, body: bytes, headers: Any) -> int:
        money: Money = made["money"]
        money.callbacks.append((urlsplit(url).path, body, headers["Content-Type"]))
        if money.deaf:
            return 503
        reply = Client(headers={"host": "localhost"}).post(
            urlsplit(url).path, data=body, content_type=headers["Content-Type"]
        )
        return reply.status_code

    return send


@contextmanager
def opened(institution: Any) -> Iterator[Money]:
    """Called bound, in a test's transaction."""
    made: dict[str, Any] = {}
    reach = InProcess(sandbox.create_app(clock=lambda: made["money"].reach.at, send=_receiver(made)))
    reach.at = AT
    provider = Provider(reach, "in process")
    jobs = queue.InlineQueue(run=run_inline, whose=tenancy.current_id)
    now = clock.FrozenClock(AT)
    made["money"] = Money(institution, provider, jobs, now)
    before = queue.install(jobs), clock.install(now), registry.install(registry.Registry())
    registry.put(registry.PAYMENT_RAIL, provider.rail("VND"))
    registry.put(registry.MESSENGER, provider.messenger(sms_sender="Demo", email_sender="demo@lender.example"))
    try:
        access.install_roles()
        ledger.open_books()
        consents.install_texts(on=ON)
        yield made["money"]
    finally:
        registry.install(before[2])
        clock.install(before[1])
        if before[0] is not None:
            queue.install(before[0])
