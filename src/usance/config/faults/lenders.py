"""The institutions that live through the storm: each with people, cards, loans and staff, on a date that matters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from usance.adapters import sandbox
from usance.apps.access import selectors as access
from usance.apps.access import services as hiring
from usance.apps.customers import consents
from usance.apps.customers import services as customers
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.payments import services as rails
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.loan import terms
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.ports import clock, registry
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import demo

# where each begins: the days to come hold a month's end, a leap day, a change of the clocks
BEGINNINGS = {"vn": date(2027, 1, 28), "ua": date(2028, 2, 25), "eu": date(2027, 3, 24)}
PHONES = {"vn": "+8490", "ua": "+38067", "eu": "+491511"}
UNITS = {"vn": 100_000, "ua": 10_000, "eu": 1_000}  # a small note, in minor units
PEOPLE, STANDING, PAIRS = 8, 16, 2
ROLES = ("administrator", "accountant", "compliance", "cashier")


@dataclass
class Lender:
    """One institution. `free`: loans about which nobody does anything at the moment; `taken`: the others; `pairs`:
    twins that the same is told to; `overpaid`: payments of which something can be sent back, with the loan's id."""

    code: str
    id: UUID
    people: list[tuple[UUID, UUID]] = field(default_factory=list)
    free: list[UUID] = field(default_factory=list)
    taken: list[UUID] = field(default_factory=list)
    pairs: list[tuple[UUID, UUID]] = field(default_factory=list)
    overpaid: list[tuple[UUID, UUID]] = field(default_factory=list)
    staff: dict[str, UUID] = field(default_factory=dict)
    number: int = 0
    lock: Lock = field(default_factory=Lock)

    @property
    def unit(self) -> int:
        return UNITS[self.code]

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Work for this institution, in one transaction."""
        with tenancy.bound(self.id), transaction.atomic():
            yield

    def next(self) -> int:
        with self.lock:
            self.number += 1
            return self.number

    def take(self) -> UUID:
        """A live loan for one act alone; a new one when none is left."""
        while True:
            with self.lock:
                loan_id = self.free.pop(0) if self.free else None
            if loan_id is None:
                loan_id = self.lend()
                break
            with self.bound():
                if loans.loan(loan_id).status in ("active", "past_due"):
                    break
        with self.lock:
            self.taken.append(loan_id)
        return loan_id

    def all_is_done(self) -> None:
        """Nothing of any act is under way any more: all loans are free again."""
        with self.lock:
            self.free, self.taken = [*self.free, *self.taken], []

    def give_back(self, *loan_ids: UUID) -> None:
        with self.lock:
            self.free += loan_ids
            self.taken = [loan_id for loan_id in self.taken if loan_id not in loan_ids]

    def book(self, *, units: int = 100, days: int = 0) -> UUID:
        """An approved loan that waits for its money: for a month, or for a week, so that something falls due."""
        number = self.next()
        party_id, _ = self.people[number % len(self.people)]
        with self.bound():
            agreed = _terms(tenancy.current(), self.unit * units, days or (30, 7, 30)[number % 3])
            row = servicing.book_loan(
                party_id=party_id, product="short", terms=agreed, source=f"faults:{number}", actor=SYSTEM
            )
        return UUID(str(row.pk))

    def lend(self, *, units: int = 100, days: int = 0) -> UUID:
        """A loan with its money, which came by another way than the rail."""
        loan_id = self.book(units=units, days=days)
        with self.bound():
            today = tenancy.current().business_date
            servicing.disburse(loan_id=loan_id, source=f"faults:out:{loan_id}", value_on=today, actor=SYSTEM)
        return loan_id

    def twins(self) -> tuple[UUID, UUID]:
        """Two loans that are alike."""
        return self.lend(days=30), self.lend(days=30)

    def card_of(self, party_id: UUID) -> UUID:
        return dict(self.people)[party_id]

    def user(self, role: str) -> Any:
        return access.users().get(pk=self.staff[role])


def _terms(institution: Any, principal_minor: int, days: int) -> terms.Terms:
    """One payment at one per cent a day, extensible, with a penalty when it is late."""
    return terms.Terms(
        currency=Currency(institution.currency, institution.currency_digits),
        principal_minor=principal_minor,
        plan=terms.Plan(kind="single_payment", every=days, unit="days"),
        rates=(terms.RateStep(from_day=0, rate=Rate(Fraction(1, 100), "day")),),
        fees=(terms.Fee(kind="extension", when="on_extension", flat_minor=principal_minor // 100),),
        penalty=terms.Penalty(rule="daily_on_past_due_principal", share=Fraction(1, 1000), grace_days=1),
        extension=terms.Extension(days_allowed=(7, 14), max_count=50),
    )


def found(book: Path, codes: tuple[str, ...]) -> list[Lender]:
    """Founds the institutions, each with people and loans. `book`: the provider's, where the people's cards are."""
    lenders, twin = [], sandbox.create_app(book)
    for code in codes:
        facts = {name: fact for name, fact in demo.described()[code].items() if name != "branches"}
        starts_on = BEGINNINGS[code]
        made = institutions.found_institution(
            profile=institutions.Profile(code=code, is_demo=True, **facts),
            hosts=[f"{code}.localhost"],
            business_date=starts_on,
            ahead_days=(starts_on - clock.now().date()).days,
        )
        lender = Lender(code, made.pk)
        with lender.bound():
            ledger.open_books()
            ledger.ensure_partitions(since=starts_on)
            consents.install_texts(on=starts_on)
            lender.staff = {role: _hired(role, code) for role in ROLES}
            lender.people = [_person(lender, twin, number) for number in range(PEOPLE)]
        lender.free = [lender.lend() for _ in range(STANDING)]
        lender.pairs = [lender.twins() for _ in range(PAIRS)]
        lenders.append(lender)
    sandbox.twin_of(twin).book.close()
    connection.close()
    return lenders


def _hired(role: str, code: str) -> UUID:
    """A member of staff. Nobody signs in with a password here: what they do is asked of the services."""
    hiring.install_roles()
    user = hiring.hire(email=f"{role}@{code}.localhost", name=role, actor=SYSTEM)
    hiring.grant_role(user=user, role=role, actor=SYSTEM)
    return UUID(str(user.pk))


def _person(lender: Lender, twin: Any, number: int) -> tuple[UUID, UUID]:
    """Somebody with a phone, a card, and the permission to debit it."""
    institution = tenancy.current()
    on, at, language = institution.business_date, clock.now(), institution.languages[0]
    party_id = customers.add_party(language=language, on=on, actor=SYSTEM)
    phone = f"{PHONES[lender.code]}{1_000_000 + number}"
    customers.add_contact(party_id=party_id, kind="phone", value=phone, actor=SYSTEM, at=at, verified=True)
    rail = registry.payment_rail(institution.code)
    told = sandbox.new_card(twin, merchant_id=rail.merchant, on=on)
    card = rails.keep_card(
        party_id=party_id, provider=rail.provider, merchant=rail.merchant, told=told, at=at, org_path="root"
    )
    text = consents.text_in_force("card_debit", language, on)
    consents.give(
        party_id=party_id, purpose="card_debit", text_id=text.pk, subject_id=card.pk, actor=borrower(party_id), at=at,
        on=on,
    )  # fmt: skip
    return party_id, UUID(str(card.pk))
