"""`usance audit` finds nothing in sound books, and names every row that was altered behind the application's back."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from tests.apps.servicing import loans
from tests.support import database
from tests.support import institutions as founding
from tests.support.database import superuser
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as books_of
from usance.apps.servicing import closing, services
from usance.apps.servicing.models import EarnedDay
from usance.ports.actor import SYSTEM
from usance.workflows import cli_audit, cli_close, cli_explain, close_day
from usance.workflows.audit_books import audit_books

D = date(2026, 3, 2)
AT = datetime(2026, 3, 3, 0, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def week(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[str, UUID]]:
    """A database with an institution whose loans have been through a week: paid, late, extended, returned, written
    off. Lived once; each test gets a copy."""
    with database.own_database() as name:
        with database.pointed_to(name), django_db_blocker.unblock():
            lender_id = _live()
        yield name, lender_id


@pytest.fixture
def lender(week: tuple[str, UUID], django_db_blocker: Any) -> Iterator[UUID]:
    name, lender_id = week
    with (
        database.own_database(name) as copy,
        database.pointed_to(copy),
        django_db_blocker.unblock(),
        tenancy.bound(lender_id),
    ):
        yield lender_id


def _live() -> UUID:
    founded = founding.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            books_of.open_books()
            made = [loans.lend(on=D, agreed=loans.single_payment(days=5)) for _ in range(4)]
            made.append(loans.lend(on=D, agreed=loans.instalments()))
        close_day.run_close_inline(at=AT, days=6)
        today = date(2026, 3, 8)
        with transaction.atomic():
            loans.pay(made[0], 9_000_000, date(2026, 3, 6), source="instruction:late-known")
            loans.pay(made[1], 100_000, today, source="instruction:part")
            services.return_payment(
                loan_id=made[1].pk, source="return:part", undoes="instruction:part", reason="", actor=SYSTEM
            )
            services.extend(loan_id=made[2].pk, source="staff:e", days=7, actor=SYSTEM)
            services.write_off(loan_id=made[3].pk, source="staff:w", reason="", actor=SYSTEM)
            loans.pay(made[4], 50_000, today)
        close_day.run_close_inline(at=AT, days=1)
    return founded.pk


def findings() -> list[str]:
    return [str(difference) for difference in audit_books(full=True).differences]


def tamper(statement: str) -> None:
    """As somebody with the database's own power would: triggers and foreign keys off."""
    with superuser(connection.settings_dict["NAME"]) as admin:
        admin.execute("SET session_replication_role = replica")
        assert admin.execute(statement).rowcount > 0


def test_sound_books_are_clean_in_full_and_by_sample(lender: UUID) -> None:
    report = audit_books(full=True)
    assert report.differences == ()
    assert (report.loan_count, report.refolded_count) == (5, 5)
    assert audit_books(sample=2, seed=7).refolded_count == 2


def test_what_was_earned_in_many_parts_of_a_close_is_found_loan_by_loan(
    lender: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "FOLDED_WEIGHS", 1)
    close_day.run_close_inline(at=AT, days=3, chunk_size=1)
    with transaction.atomic():
        parts = EarnedDay.objects.filter(day=date(2026, 3, 10))
        assert parts.count() == len(set(parts.values_list("first_id"))) > 1
    assert audit_books().differences == ()
    tamper("UPDATE servicing_earnedday SET interest_minor = interest_minor + 1, penalty_minor = penalty_minor - 1 "
           f"WHERE id = {EARNED_DAY}")  # fmt: skip
    assert [line for line in findings() if "by their lines" in line]


def test_checkpoints_of_an_earlier_engine_are_no_difference(lender: UUID) -> None:
    statement = "UPDATE servicing_loan SET checkpoint = checkpoint - 'levels' || jsonb_build_object('version', 1)"
    with superuser(connection.settings_dict["NAME"]) as admin:
        admin.execute(statement)
    assert audit_books(full=True).differences == ()


EVENT = "(SELECT id FROM servicing_loanevent WHERE kind = 'PaymentReceived' ORDER BY id LIMIT 1)"
MOVEMENT = "(SELECT id FROM servicing_loanmovement WHERE kind = 'interest_accrued' ORDER BY id LIMIT 1)"
TRANSFER = "(SELECT id FROM ledger_transfer ORDER BY id LIMIT 1)"
EARNED_DAY = "(SELECT id FROM servicing_earnedday ORDER BY id LIMIT 1)"
ENTRY = "(SELECT id FROM ledger_journalentry WHERE loan_id IS NOT NULL ORDER BY id LIMIT 1)"
TAMPERED = {
    "an event's amount": (
        f"UPDATE servicing_loanevent SET payload = jsonb_set(payload, '{{amount_minor}}', '1') WHERE id = {EVENT}",
        ["I7 loan L-", "I2 loan L-"],
    ),
    "an event's source": (f"UPDATE servicing_loanevent SET source = 'x' WHERE id = {EVENT}", ["I7 loan L-"]),
    "an event's day": (f"UPDATE servicing_loanevent SET booked_on = booked_on + 1 WHERE id = {EVENT}", ["I7 loan L-"]),
    "an event removed": (f"DELETE FROM servicing_loanevent WHERE id = {EVENT}", ["I7 loan L-", "I2 loan L-"]),
    "a movement's amount": (
        f"UPDATE servicing_loanmovement SET amount_minor = amount_minor + 1 WHERE id = {MOVEMENT}",
        ["I2 loan L-000001: interest stands at", "I2 entry close:"],
    ),
    "a movement's day": (
        f"UPDATE servicing_loanmovement SET effective_on = effective_on - 1 WHERE id = {MOVEMENT}",
        ["I2 entry close:", "I2 loan L-000001: movements lack"],
    ),
    "a movement removed": (
        f"DELETE FROM servicing_loanmovement WHERE id = {MOVEMENT}",
        ["I2 loan L-000001: interest stands at", "I2 entry close:"],
    ),
    "what loans earned on a day": (
        f"UPDATE servicing_earnedday SET interest_minor = interest_minor + 1 WHERE id = {EARNED_DAY}",
        ["I2 entry close:2026-03-"],
    ),
    "which loans earned on a day": (
        f"UPDATE servicing_earnedday SET end_id = first_id WHERE id = {EARNED_DAY}",
        ["I2 entry close:2026-03-03:0:earned:0: is not what the loans earned on its day by their lines"],
    ),
    "the line of a day": (
        "UPDATE servicing_earning SET interest_daily = 3 * interest_daily WHERE interest_daily > 0",
        ["I2 loan L-000005: what it earned", "I2 entry close:2026-03-"],
    ),
    "a line of earlier days": (
        "UPDATE servicing_earned SET interest_daily = 3 * interest_daily WHERE interest_daily > 0",
        ["I2 loan L-", "I2 entry close:2026-03-"],
    ),
    "a transfer's amount": (
        f"UPDATE ledger_transfer SET amount_minor = amount_minor + 1 WHERE id = {TRANSFER}",
        ["I1 entry loan:", "I2 control account"],
    ),
    "a transfer's sides": (
        f"UPDATE ledger_transfer SET debit_id = credit_id, credit_id = debit_id WHERE id = {TRANSFER}",
        ["I1 entry loan:", "I2 control account"],
    ),
    "a transfer's branch": (
        f"UPDATE ledger_transfer SET branch = 'root.elsewhere' WHERE id = {TRANSFER}",
        ["I1 entry loan:"],
    ),
    "a transfer removed": (f"DELETE FROM ledger_transfer WHERE id = {TRANSFER}", ["I1 entry loan:"]),
    "an entry's day": (
        f"UPDATE ledger_journalentry SET booked_on = booked_on + 1 WHERE id = {ENTRY}",
        ["I1 entry loan:"],
    ),
    "an entry removed": (f"DELETE FROM ledger_journalentry WHERE id = {ENTRY}", ["I7 entry loan:", "I1 transfer"]),
    "an entry's digest made to fit": (
        f"UPDATE ledger_journalentry SET digest = repeat('0', 64) WHERE id = {ENTRY}",
        ["I7 entry loan:", "I1 entry loan:"],
    ),
    "a row of the audit trail": (
        "UPDATE audit_auditentry SET actor_id = 'x' WHERE id = (SELECT min(id::text)::uuid FROM audit_auditentry)",
        ["I7 audit trail"],
    ),
    "a row of the audit trail removed": (
        "DELETE FROM audit_auditentry WHERE id = (SELECT min(id::text)::uuid FROM audit_auditentry)",
        ["I7 audit trail"],
    ),
    "a loan's balance": (
        "UPDATE servicing_loan SET interest_minor = interest_minor + 1 WHERE number = 'L-000005'",
        ["I2 loan L-000005: interest stands at", "I2 control account interest_receivable"],
    ),
    "a kept sum": (
        "UPDATE servicing_loantally SET interest_minor = interest_minor + 1 "
        "WHERE id = (SELECT id FROM servicing_loantally LIMIT 1)",
        ["I2 servicing_loantally root/"],
    ),
    "a change of status": (
        "UPDATE servicing_statuschange SET status = 'past_due' WHERE id = (SELECT s.id FROM servicing_statuschange s "
        "JOIN servicing_loan l ON l.id = s.loan_id WHERE l.number = 'L-000005' AND s.status = 'active' LIMIT 1)",
        ["I2 loan L-000005: its status stands at", "I2 portfolio of", "I2 loan L-000005: changes of status lack"],
    ),
    "a past day's sum": (
        "UPDATE servicing_portfoliosum SET amount = amount + 1 WHERE id = (SELECT min(id::text)::uuid FROM "
        "servicing_portfoliosum WHERE measure = 'principal')",
        ["I2 portfolio of"],
    ),
    "a loan's due date": (
        "UPDATE servicing_loan SET next_due_on = next_due_on + 1 WHERE number = 'L-000005'",
        ["I2 loan L-000005: next_due_on stands at"],
    ),
    "a loan's checkpoint": (
        "UPDATE servicing_loan SET checkpoint = jsonb_set(checkpoint, '{interest}', '[\"1/3\", 0]') "
        "WHERE number = 'L-000005'",
        ["I2 loan L-000005: checkpoint differs from its events in interest"],
    ),
    "a loan's terms": (
        "UPDATE servicing_loan SET terms = jsonb_set(terms, '{default_after_days}', '91') WHERE number = 'L-000005'",
        ["I7 loan L-000005: its terms are not those"],
    ),
    "a loan's terms made unreadable": (
        "UPDATE servicing_loan SET terms = '{}' WHERE number = 'L-000005'",
        ["I2 loan L-000005: cannot be recomputed"],
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_row_altered_by_sql_is_named(lender: UUID, case: str) -> None:
    """T20."""
    statement, expected = TAMPERED[case]
    tamper(statement)
    found = findings()
    for beginning in expected:
        assert any(line.startswith(beginning) for line in found), (beginning, found)


def test_rails_and_books_are_compared_one_to_one(lender: UUID) -> None:
    """I3: an entry whose instruction never succeeded."""
    with transaction.atomic():
        source = "instruction:01890a5d-ac96-774b-bcce-b302099a8057"
        loans.pay(loans.lend(on=date(2026, 3, 9)), 5, date(2026, 3, 9), source=source)
    assert any(line.startswith("I3 entry loan:") and source in line for line in findings())


def arguments(command: Any, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_the_command_says_clean_by_its_exit_status_and_names_differences(lender: UUID, capsys: Any) -> None:
    assert cli_audit.main(arguments(cli_audit, "--institution", "vn", "--full")) == 0
    assert "vn.localhost: clean" in capsys.readouterr().out
    tamper(TAMPERED["a loan's balance"][0])
    assert cli_audit.main(arguments(cli_audit, "--quiet")) == 1
    assert "DIFFERENCE I2 loan L-000005: interest stands at" in capsys.readouterr().out
    assert cli_audit.main(arguments(cli_audit, "--institution", "nowhere")) == 2


def test_the_close_command_ends_days_and_counts_loans(lender: UUID, capsys: Any) -> None:
    assert cli_close.main(arguments(cli_close, "--institution", "vn", "--days", "2")) == 0
    assert "2026-03-10 ended, 3 loans" in capsys.readouterr().out
    assert cli_close.main(arguments(cli_close, "--days", "0")) == 2
    assert findings() == []


def test_the_explain_command_prints_lines_that_sum_to_each_balance(lender: UUID, capsys: Any) -> None:
    assert cli_explain.main(arguments(cli_explain, "l-000002", "--on", "2026-03-08")) == 0
    printed = capsys.readouterr().out
    assert "loan L-000002 at the start of 2026-03-08" in printed
    assert "principal: 3000000" in printed.replace(",", "").replace(" ", "").replace("principal:", "principal: ")
    assert "[application:" not in printed
    assert "[instruction:out-" in printed
    assert cli_explain.main(arguments(cli_explain, "L-999999")) == 2
    capsys.readouterr()
    assert cli_explain.main(arguments(cli_explain, "2", "--known", "2026-03-03", "--on", "2026-03-08")) == 0
    assert "as known on 2026-03-03, if nothing more is paid after 2026-03-03" in capsys.readouterr().out
    assert cli_explain.main(arguments(cli_explain, "2", "--on", "2027-03-08", "--if", "paid")) == 0
    assert "if everything is paid as agreed" in capsys.readouterr().out
    assert cli_explain.main(arguments(cli_explain, "2", "--known", "2020-01-01T12:00")) == 0
    assert "principal" not in capsys.readouterr().out  # nothing was recorded by then
