"""A lender with its books, colleagues of each role, and customers with loans."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.apps.servicing import loans
from tests.web.samples import World, staff_client
from usance.apps.access import services as access
from usance.apps.customers import consents
from usance.apps.customers import services as customers
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.payments.models import Card
from usance.config.jobs import run_inline
from usance.ports import clock, queue
from usance.ports.actor import SYSTEM
from usance.workflows import close_day

if TYPE_CHECKING:
    from django.test import Client

ON = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # ten in the morning there


@dataclass
class Lender:
    """The institution, its people and its loans."""

    world: World
    jobs: queue.InlineQueue
    clients: dict[str, Client] = field(default_factory=dict)
    phones: int = 0

    def staff(self, role: str, name: str = "", org_path: str = "root") -> Any:
        name = name or role
        if name not in self.world.staff:
            user = access.hire(email=f"{name}@lender.example", name=name.title(), actor=SYSTEM)
            scope = "institution" if org_path == "root" else "branch"
            access.grant_role(user=user, role=role, org_path=org_path, scope=scope, actor=SYSTEM)
            self.world.staff[name] = user
        return self.world.staff[name]

    def browser(self, role: str, name: str = "", org_path: str = "root") -> Client:
        self.staff(role, name, org_path)
        return self.clients.setdefault(name or role, staff_client(self.world, name or role))

    def customer(self, name: str = "Binh") -> Any:
        party_id = customers.add_party(language="en", on=ON, actor=SYSTEM)
        self.phones += 1
        number = f"+8490123{4000 + self.phones}"
        customers.add_contact(party_id=party_id, kind="phone", value=number, actor=SYSTEM, at=AT, verified=True)
        names = {"family_name": "Tran", "given_name": name}
        customers.state_facts(party_id=party_id, facts=names, source="staff", actor=SYSTEM, at=AT, on=ON)
        return party_id

    def loan(self, **more: Any) -> Any:
        more.setdefault("party_id", self.customer())
        return loans.lend(on=more.pop("on", ON), **more)

    def live_until(self, to: date) -> None:
        """Days pass, each with its close."""
        close_day.run_close_inline(at=AT, days=(to - self.today).days)

    @property
    def today(self) -> date:
        tenancy.forget_row()
        return tenancy.current().business_date

    def card(self, party_id: Any, last4: str = "1111") -> Card:
        return Card.objects.create(
            party_id=party_id, provider="fondy", merchant="x", token=b"x", last4=last4, brand="VISA",
            token_index=uuid4().hex * 2, linked_at=AT,
        )  # fmt: skip


def lender(institution: Any) -> Lender:
    """Called bound, in a test's transaction. Puts a queue that runs in this thread and a clock that stands still."""
    jobs = queue.InlineQueue(run=run_inline, whose=tenancy.current_id)
    queue.install(jobs)
    clock.install(clock.FrozenClock(AT))
    access.install_roles()
    ledger.open_books()
    consents.install_texts(on=ON)
    return Lender(World(institution, "vn.localhost"), jobs)
