"""A Vietnamese lender with everything an application needs, and people who apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from usance.apps.access import services as access
from usance.apps.access.models import User
from usance.apps.customers import consents
from usance.apps.customers import services as customers
from usance.apps.decisioning import services as decisioning
from usance.apps.institutions import tenancy
from usance.apps.payments.models import Card
from usance.apps.products import services as products
from usance.config.jobs import run_inline
from usance.ports import clock, queue
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import take_application

ON = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # ten in the morning in Ho Chi Minh City
PAGES = {
    "about": {"family_name": "Trần", "given_name": "Bình", "birth_date": "8 5 1984"},
    "work": {"employment": "employed", "employment_months": "60"},
    "income": {"income_minor": "15.000.000", "expenses_minor": "", "other_debt_minor": "0"},
    "household": {"housing": "own", "dependants": "", "purpose": "household"},
    "contact": {"address": "", "city": "Cao Lãnh", "email": "binh@example.com"},
    "identity": {"identity_number": "087084000999"},
}


@dataclass
class World:
    """One institution's people, and the jobs that wait."""

    jobs: queue.InlineQueue
    phones: int = 0
    parties: list[UUID] = field(default_factory=list)

    def person(self) -> UUID:
        party_id = customers.add_party(language="vi", on=ON, actor=SYSTEM)
        self.phones += 1
        customers.add_contact(
            party_id=party_id, kind="phone", value=f"+8490123{4000 + self.phones}", actor=SYSTEM, at=AT, verified=True
        )
        self.parties.append(party_id)
        return party_id

    def card(self, party_id: UUID, token: str | None = None) -> Card:
        mark = (token or uuid4().hex).encode().hex().ljust(64, "0")[:64]
        return Card.objects.create(
            party_id=party_id, provider="x", merchant="x", token=b"x", token_index=mark, last4="1111", linked_at=AT
        )

    def start(self, party_id: UUID, **changed: Any) -> Any:
        wish = {"product_code": "short", "amount_minor": 3_000_000, "term": 30} | changed
        return take_application.start(
            party_id=party_id, language="vi", at=AT, actor=borrower(party_id), **wish
        ).application

    def answer(self, application: Any, **changed: dict[str, str]) -> None:
        """Every page, with a card and all the consents."""
        actor = borrower(application.party_id)
        for page, data in PAGES.items():
            saved = take_application.save_page(
                application_id=application.pk, page=page, data=data | changed.get(page, {}), at=AT, actor=actor
            )
            assert not saved.errors, saved.errors
        asked = take_application.consents_asked(application_id=application.pk)
        given = {item.purpose: item.text_id for item in asked if item.required}
        take_application.save_consents(application_id=application.pk, given=given, evidence={}, at=AT, actor=actor)

    def ready(self, **changed: Any) -> Any:
        party_id = self.person()
        application = self.start(party_id, **changed)
        self.answer(application)
        self.card(party_id)
        return application

    def submit(self, application: Any, key: str = "form") -> Any:
        return take_application.submit(
            application_id=application.pk, key=f"{key}:{application.pk}", at=AT, actor=borrower(application.party_id)
        )

    def staff(self, name: str, role: str = "underwriter") -> User:
        user = access.hire(email=f"{name}@example.com", name=name, actor=SYSTEM)
        access.grant_role(user=user, role=role, org_path="root", scope="institution", actor=SYSTEM)
        return user


def world() -> World:
    """Called bound, in a test's transaction. Puts a queue that runs in this thread and a clock that stands still."""
    jobs = queue.InlineQueue(run=run_inline, whose=tenancy.current_id)
    queue.install(jobs)
    clock.install(clock.FrozenClock(AT))
    access.install_roles()
    consents.install_texts(on=ON)
    products.found_demo_products(on=ON)
    decisioning.found_first_rules(on=ON)
    return World(jobs=jobs)
