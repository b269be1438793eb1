"""Two requests of an applicant at the very same moment, each in a thread and a connection of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, transaction

from tests.apps.payments import money as rails
from tests.support import institutions as founding
from usance.apps.institutions import tenancy
from usance.apps.origination.models import Application
from usance.apps.products import services as products
from usance.ports.actor import borrower
from usance.workflows import take_application


def test_two_forms_at_the_same_moment_begin_one_draft(fresh_db: str) -> None:
    founded = founding.found()
    with tenancy.bound(founded.pk), transaction.atomic(), rails.opened(founded) as money:
        products.found_demo_products(on=rails.ON)
        party_id = money.customer(card="")
    both = Barrier(2)

    def begin(amount_minor: int) -> Any:
        try:
            with tenancy.bound(founded.pk), transaction.atomic():
                both.wait(timeout=10)
                return take_application.start(
                    party_id=party_id, product_code="short", amount_minor=amount_minor, term=30, language="vi",
                    at=rails.AT, actor=borrower(party_id),
                ).application.pk  # fmt: skip
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(begin, (3_000_000, 4_000_000))
    assert first == second
    with tenancy.bound(founded.pk), transaction.atomic():
        assert Application.objects.get().amount_minor in (3_000_000, 4_000_000)
