"""T7: a borrower's two tabs, and a tab and the mandate's debit, at the same instant: the card is charged once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from threading import Barrier
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tests.apps.servicing import loans
from tests.support import institutions as founding
from usance.apps.customers import consents
from usance.apps.customers import services as customers
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.payments import selectors, services
from usance.core.refusals import Refusal
from usance.ports import payment_rail
from usance.ports.actor import SYSTEM, borrower
from usance.workflows import take_payment

ON = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 3, tzinfo=UTC)


def _borrower_with_a_card() -> tuple[UUID, UUID]:
    party_id = customers.add_party(language="en", on=ON, actor=SYSTEM)
    told = payment_rail.Card(token="t0ken", masked="444455XXXXXX1111", last4="1111", brand="VISA", expires_on=None)
    card = services.keep_card(
        party_id=party_id, provider="fondy", merchant="1", told=told, at=AT, org_path="root"
    )  # fmt: skip
    text = consents.text_in_force("card_debit", "en", ON)
    consents.give(
        party_id=party_id, purpose="card_debit", text_id=text.pk, subject_id=card.pk, actor=borrower(party_id), at=AT,
        on=ON,
    )  # fmt: skip
    return party_id, card.pk


def test_orders_given_at_the_same_instant_charge_the_card_once(fresh_db: str) -> None:
    founded = founding.found()
    with tenancy.bound(founded.pk), transaction.atomic():
        ledger.open_books()
        consents.install_texts(on=ON)
        party_id, card_id = _borrower_with_a_card()
        loan = loans.lend(on=ON, party_id=party_id)
    together = Barrier(3)

    def order(give: Any) -> bool:
        try:
            with tenancy.bound(founded.pk), transaction.atomic():
                tenancy.current()
                together.wait()
                return give() is not None
        except Refusal:
            return False
        finally:
            connection.close()

    def by_tab(key: str) -> Any:
        return lambda: take_payment.pay(
            loan_id=loan.pk, amount_minor=500_000, key=key, at=AT, actor=borrower(party_id), card_id=card_id
        )

    def by_mandate() -> Any:
        return take_payment.debit(loan_id=loan.pk, amount_minor=500_000, key="due", at=AT)

    with ThreadPoolExecutor(3) as pool:
        given = list(pool.map(order, [by_tab("one"), by_tab("two"), by_mandate]))
    assert given.count(True) == 1
    with tenancy.bound(founded.pk), transaction.atomic():
        assert selectors.for_subject(loan.pk).filter(kind="debit").count() == 1
