"""Rows of several tables, written by one statement."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.apps.servicing.conftest import books as books
from usance.apps.institutions.rows import insert_together
from usance.apps.ledger import selectors as ledger
from usance.apps.ledger.models import Account, JournalEntry, Transfer


def entry(key: str) -> JournalEntry:
    today = "2026-03-02"
    return JournalEntry(
        key=key, booked_on=today, effective_on=today, description="loan.payment_received", currency="VND",
        transfer_count=1, digest="0" * 64,
    )  # fmt: skip


def transfer(of: JournalEntry, debit: UUID, credit: UUID) -> Transfer:
    return Transfer(entry=of, booked_on=of.booked_on, debit_id=debit, credit_id=credit, amount_minor=500)


def accounts() -> tuple[UUID, UUID]:
    one, other = Account.objects.order_by("code").values_list("pk", flat=True)[:2]
    return one, other


def test_rows_that_refer_to_each_other_come_in_by_one_statement_in_any_order(
    books: Any, django_assert_num_queries: Any
) -> None:
    one, other = accounts()
    entries = [entry("a"), entry("b")]
    transfers = [transfer(of, one, other) for of in entries]
    with django_assert_num_queries(1):
        insert_together(transfers, entries)
    assert not entries[0]._state.adding
    found = ledger.transfers_of(entries[1].pk)
    assert [(row.pk, row.amount_minor, row.recorded_at is not None) for row in found] == [(transfers[1].pk, 500, True)]


def test_nothing_is_no_statement_and_an_empty_table_none(books: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        insert_together()
        insert_together([], [])
    with django_assert_num_queries(1):
        insert_together([], [entry("a")])
    assert JournalEntry.objects.filter(key="a").exists()


def test_a_row_that_may_not_come_in_keeps_the_others_out(books: Any) -> None:
    from django.db import IntegrityError, transaction

    one, other = accounts()
    wrong = transfer(entry("a"), one, one)  # from an account to itself
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_together([entry("b"), wrong.entry], [transfer(wrong.entry, one, other), wrong])
    assert not JournalEntry.objects.filter(key__in=["a", "b"]).exists()
