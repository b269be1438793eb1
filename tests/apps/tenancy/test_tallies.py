"""Kept sums are what the rows add up to, whatever becomes of the rows, and say the same after they are merged."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import Sum

from tests.apps.servicing import loans
from tests.support import database
from tests.support import institutions as founding
from usance.apps.institutions import tallies, tenancy
from usance.apps.ledger import services as books
from usance.apps.servicing import selectors, services
from usance.apps.servicing.models import LendingTally, Loan, LoanTally
from usance.config.database import OWNER
from usance.ports.actor import SYSTEM

D = date(2026, 3, 2)


def differing() -> list[tuple[str, Any]]:
    return [(model.__name__, found) for model in tallies.known() for found in tallies.differing(model)]


def test_a_loan_s_whole_life_is_in_the_sums_and_merging_them_changes_none(institution: Any) -> None:
    books.open_books()
    paid, late, cancelled = (loans.lend(on=D) for _ in range(3))
    loans.pay(paid, 3_000_000, D, source="instruction:whole")
    services.return_payment(
        loan_id=paid.pk, source="return:1", undoes="instruction:whole", reason="charged back", actor=SYSTEM
    )
    services.write_off(loan_id=late.pk, source="staff:w", reason="", actor=SYSTEM)
    loans.pay(cancelled, 1_000, D)
    assert differing() == []
    before = selectors.portfolio(), selectors.past_due_buckets(), selectors.portfolio_by_product()
    several = LoanTally.objects.count()
    assert tallies.merge() > 0
    assert LoanTally.objects.count() < several
    assert (selectors.portfolio(), selectors.past_due_buckets(), selectors.portfolio_by_product()) == before
    assert selectors.portfolio()["count"] == 2
    assert (differing(), tallies.merge()) == ([], 0)


def test_statements_over_many_rows_and_removals_count_too(institution: Any) -> None:
    books.open_books()
    made = [loans.lend(on=D) for _ in range(3)]
    Loan.objects.filter(pk__in=[one.pk for one in made[:2]]).update(bucket="1-30", past_due_minor=70, product="other")
    assert selectors.products_lent() == ["other", made[2].product]
    assert sum(count for _, count, _, _ in selectors.past_due_buckets()) == 2
    assert differing() == []
    sums = LendingTally.objects.aggregate(loans=Sum("count"), amount=Sum("amount_minor"))
    assert (int(sums["loans"]), int(sums["amount"])) == (3, 9_000_000)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM servicing_loan WHERE id = %s", [made[0].pk])
        assert selectors.portfolio()["count"] == 2
        transaction.set_rollback(True)
    assert selectors.portfolio()["count"] == 3


def test_nobody_counts_the_rows_of_another_institution(fresh_db: str) -> None:
    first, second = founding.found("vn"), founding.found("ua")
    for founded in (first, second):
        with tenancy.bound(founded.pk), transaction.atomic():
            books.open_books()
            loans.lend(on=D)
    for founded in (first, second):
        with tenancy.bound(founded.pk), transaction.atomic():
            tallies.merge()
            assert selectors.portfolio()["count"] == 1
            assert differing() == []


@pytest.mark.parametrize("undo", [False, True])
def test_a_sum_lives_and_dies_with_the_transaction_that_changed_it(fresh_db: str, undo: bool) -> None:
    founded = founding.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            books.open_books()
            loans.lend(on=D)
            transaction.set_rollback(undo)
        with transaction.atomic():
            assert selectors.portfolio()["count"] == (0 if undo else 1)
            assert differing() == []


def test_rows_that_were_there_before_the_sums_are_counted_in(fresh_db: str) -> None:
    """As the tables' owner, who is no less under row-level security before and after."""
    founded = founding.found()
    with tenancy.bound(founded.pk), transaction.atomic():
        books.open_books()
        loans.lend(on=D)
    name = connection.settings_dict["NAME"]
    with database.superuser(name) as admin:
        admin.execute("UPDATE servicing_loantally SET count = 7")
    with psycopg.connect(database.address(OWNER, name)) as owner:
        for statement in tallies.recounting(LoanTally):
            owner.execute(statement)  # type: ignore[call-overload]
        assert owner.execute("SELECT count(*) FROM servicing_loan").fetchone() == (0,)
    with tenancy.bound(founded.pk), transaction.atomic():
        assert selectors.portfolio()["count"] == 1
        assert differing() == []
