"""The books: entries by construction in balance, each key once, locked periods shut, every total from the same rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from tests.support import institutions as founding
from usance.apps.institutions import tenancy
from usance.apps.ledger import chart, selectors, services
from usance.apps.ledger.models import Account, JournalEntry, Line, Period, Transfer
from usance.core.accounting import books
from usance.ports.actor import SYSTEM, staff

D = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def ledger(institution: Any) -> Any:
    services.open_books()
    return institution


def entry(
    key: str, *, amount: int = 100, on: date = D, debit: str = "principal_receivable", **more: Any
) -> JournalEntry:
    transfer = services.NewTransfer(
        debit=debit,
        credit="disbursement_clearing",
        amount_minor=amount,
        branch=more.pop("branch", "root"),
        product="short",
    )
    return services.post(
        entry=services.NewEntry(
            key=key, booked_on=on, effective_on=on, description="test", transfers=[transfer], **more
        )
    )


def earned(amount: int, product: str) -> services.NewTransfer:
    return services.NewTransfer(
        debit="interest_receivable", credit="interest_income", amount_minor=amount, product=product
    )


def test_every_role_of_the_engine_has_an_account_and_control_roles_one_of_their_own(ledger: Any) -> None:
    assert {rule.role for rule in selectors.posting_rules()} == set(books.ROLES)
    carrying = Account.objects.exclude(role="").values_list("role", flat=True)
    assert sorted(carrying) == sorted(set(books.CONTROL.values()))
    before = Account.objects.count()
    services.open_books()
    assert Account.objects.count() == before


def test_a_key_is_booked_once(ledger: Any) -> None:
    first = entry("a")
    assert entry("a", amount=999).pk == first.pk
    assert Transfer.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalEntry.objects.create(
            key="a", booked_on=D, effective_on=D, description="x", currency="VND", transfer_count=0, digest="x"
        )


def test_lines_are_both_sides_of_the_transfers_and_the_trial_balance_balances(ledger: Any) -> None:
    entry("a", amount=100)
    entry("b", amount=50, debit="interest_receivable")
    assert sum(line.amount_minor for line in Line.objects.all()) == 0
    balances = {line.account.role: line.balance_minor for line in selectors.trial_balance(on=D) if line.account.role}
    assert (balances["principal_receivable"], balances["interest_receivable"]) == (100, 50)
    assert sum(line.balance_minor for line in selectors.trial_balance(on=D)) == 0
    assert selectors.control_totals(on=D - timedelta(days=1))["principal_receivable"] == 0


def test_a_branch_has_its_own_trial_balance_with_the_teams_below_it(ledger: Any) -> None:
    entry("a", amount=1, branch="root.north")
    entry("b", amount=10, branch="root.north.team")
    entry("c", amount=100, branch="root.northern")
    north = {b.account.role: b.debit_minor for b in selectors.trial_balance(on=D, branch="root.north")}
    assert north["principal_receivable"] == 11


def test_a_statement_lists_lines_newest_first_with_their_entries(ledger: Any) -> None:
    entry("a", amount=1)
    entry("b", amount=2, on=D - timedelta(days=1))
    account = Account.objects.get(role="principal_receivable")
    lines = selectors.account_statement(
        account_id=account.pk, starts_on=D - timedelta(days=5), ends_on=D + timedelta(days=1)
    )
    assert [(line.entry.key, line.amount_minor) for line in lines] == [("a", 1), ("b", 2)]
    assert selectors.account_balance(account_id=account.pk, on=D - timedelta(days=1)) == 2
    flows = selectors.daily_flows(roles=["principal_receivable"], starts_on=D, ends_on=D + timedelta(days=1))
    assert flows == [(D, "principal_receivable", 1, 0)]


def test_history_cannot_be_changed_or_removed(ledger: Any) -> None:
    entry("a")
    for table in ("ledger_transfer", "ledger_journalentry"):
        for statement in (f"UPDATE {table} SET booked_on = booked_on", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


def test_amounts_are_positive_and_lead_to_another_account(ledger: Any) -> None:
    row = entry("a")
    account = Account.objects.first()
    other = Account.objects.last()
    for debit, credit, amount in ((account, other, 0), (account, account, 5)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Transfer.objects.create(entry=row, booked_on=D, debit=debit, credit=credit, amount_minor=amount)


def test_a_locked_period_takes_no_more_and_opens_by_a_second_person(ledger: Any) -> None:
    february = {"starts_on": date(2026, 2, 1), "ends_on": date(2026, 3, 1)}
    services.ensure_partitions(since=date(2026, 2, 1))
    period = services.lock_period(**february, actor=staff("u1"), at=AT)
    with pytest.raises(services.PeriodLocked):
        entry("late", on=date(2026, 2, 28))
    with pytest.raises(DatabaseError), transaction.atomic():  # and whoever goes around the service
        JournalEntry.objects.create(
            key="x", booked_on=date(2026, 2, 28), effective_on=date(2026, 2, 28), description="x", currency="VND",
            transfer_count=0, digest="x",
        )  # fmt: skip
    with pytest.raises(services.PeriodLockedAlready):
        services.lock_period(**february, actor=staff("u1"), at=AT)
    services.unlock_period(subject_id=str(period.pk), after={}, actor=staff("u2"), maker_id="u1", at=AT)
    assert entry("late", on=date(2026, 2, 28)).booked_on == date(2026, 2, 28)
    with pytest.raises(services.PeriodNotLocked):
        services.unlock_period(subject_id=str(period.pk), after={}, actor=staff("u2"), maker_id="u1", at=AT)
    assert Period.objects.get(pk=period.pk).locked_at is None


def test_only_days_that_are_over_can_be_locked(ledger: Any) -> None:
    with pytest.raises(services.PeriodNotOver):
        services.lock_period(starts_on=D, ends_on=D + timedelta(days=1), actor=staff("u1"), at=AT)


def test_an_account_for_a_role_can_be_changed_for_one_product(ledger: Any) -> None:
    own = services.add_account(code="4111", name="Interest on short loans", kind="income", actor=SYSTEM)
    services.set_posting_rule(role="interest_income", account_id=own.pk, product="short", actor=SYSTEM)
    services.post(
        entry=services.NewEntry(
            key="i", booked_on=D, effective_on=D, description="x",
            transfers=[earned(5, "short"), earned(7, "long")],
        )
    )  # fmt: skip
    assert selectors.account_balance(account_id=own.pk, on=D) == -5
    principal = Account.objects.get(role="principal_receivable")
    with pytest.raises(services.AccountPlaysAnotherRole):
        services.set_posting_rule(role="fee_receivable", account_id=principal.pk, actor=SYSTEM)
    with pytest.raises(services.NoAccountForRole):
        entry("n", debit="nobody")


def test_another_institutions_books_are_not_to_be_seen(fresh_db: str) -> None:
    for code in ("vn", "ua"):
        with tenancy.bound(founding.found(code).pk), transaction.atomic():
            services.open_books()
            entry(code)
            assert [row.key for row in JournalEntry.objects.all()] == [code]
            assert Line.objects.count() == 2
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM ledger_line")
                assert cursor.fetchone() == (2,)


def test_a_partition_made_later_is_guarded_like_the_first(ledger: Any) -> None:
    assert services.ensure_partitions(since=date(2031, 5, 1), until=date(2031, 5, 2)) == 2
    assert services.ensure_partitions(since=date(2031, 5, 1), until=date(2031, 5, 2)) == 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'ledger_transfer_2031_05'"
        )
        assert cursor.fetchone() == (True, True)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_transfer_2031_05")
    entry("far", on=date(2031, 5, 9))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_transfer")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT usance.ensure_partitions('audit_auditentry', '2031-05-01', '2031-05-02')")


def test_every_role_of_the_default_chart_has_an_account_of_its_own() -> None:
    accounts = chart.default()
    assert len({account.code for account in accounts}) == len(accounts)
    assert {account.role for account in accounts} == set(books.CONTROL.values()) | {""}
    assert set(chart.default_rules().values()) <= {account.code for account in accounts}
