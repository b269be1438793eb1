"""Portfolios for tests: files as another system would write them, and an institution that takes them in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from tests.support import institutions as founding
from usance.apps.imports.selectors import File

TODAY = founding.BUSINESS_DATE  # 2026-03-02
LOAN = {
    "loan": "X-1001", "customer": "C-1", "product": "instalments", "amount": "1200", "disbursed_on": "2025-12-15",
    "as_of": "2026-03-01", "term": "6", "rate": "12", "rate_per": "year", "principal": "900", "interest": "18.40",
}  # fmt: skip
CUSTOMER = {
    "customer": "C-1", "family_name": "Muster", "given_name": "Erika", "birth_date": "1980-08-12",
    "phone": "+4915112345678", "email": "erika@example.org", "city": "Köln",
}  # fmt: skip
SCHEDULE = (
    {"loan": "X-1001", "due_on": "2026-01-15", "principal": "200", "interest": "12", "paid_principal": "200",
     "paid_interest": "12"},
    {"loan": "X-1001", "due_on": "2026-02-15", "principal": "200", "interest": "10", "paid_principal": "100",
     "paid_interest": "1.60"},
)  # fmt: skip


def table(name: str, *lines: Mapping[str, str], separator: str = ",") -> File:
    columns = list(dict.fromkeys(column for line in lines for column in line))
    written = io.StringIO()
    writer = csv.DictWriter(written, columns, delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(lines)
    return File(name, written.getvalue().encode())


def portfolio(
    *, customers: Sequence[Mapping[str, str]] = (CUSTOMER,), loans: Sequence[Mapping[str, str]] = (LOAN,),
    schedule: Sequence[Mapping[str, str]] = SCHEDULE, events: Sequence[Mapping[str, str]] = (),
) -> list[File]:  # fmt: skip
    parts = {"customers": customers, "loans": loans, "schedule": schedule, "events": events}
    return [table(f"{kind}.csv", *lines) for kind, lines in parts.items() if lines]


def many(count: int, *, with_events: bool = False) -> list[File]:
    """So many loans of so many customers, each with two old instalments or two payments."""
    customers = [CUSTOMER | {"customer": f"C-{n}", "phone": "", "email": f"c{n}@example.org"} for n in range(count)]
    loans = [LOAN | {"loan": f"X-{n:06d}", "customer": f"C-{n}"} for n in range(count)]
    if with_events:
        loans = [loan | {"principal": "", "interest": ""} for loan in loans]
        events = [
            {"loan": loan["loan"], "on": on, "event": "payment", "amount": amount, "id": on}
            for loan in loans
            for on, amount in (("2026-01-15", "207.06"), ("2026-02-15", "150"))
        ]
        return portfolio(customers=customers, loans=loans, schedule=(), events=events)
    schedule = [row | {"loan": loan["loan"]} for loan in loans for row in SCHEDULE]
    return portfolio(customers=customers, loans=loans, schedule=schedule)


@contextmanager
def lender() -> Iterator[UUID]:
    """An institution with its demo products and books, bound."""
    from django.db import transaction

    from usance.apps.institutions import tenancy
    from usance.apps.ledger import services as ledger
    from usance.apps.products import services as products

    founded = founding.found("eu")
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            ledger.open_books()
            products.found_demo_products(on=TODAY)
        yield founded.pk
