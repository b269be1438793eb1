"""Every movement is booked, and by the right roles."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from pathlib import Path

import pytest

import usance.core.loan
from tests.core.loans import APPROVED, DISBURSED, START, on, terms
from usance.core.accounting import books
from usance.core.loan import events, replay
from usance.core.loan.movements import LOST, change
from usance.core.loan.terms import NonAccrual

LOAN = Path(usance.core.loan.__file__).parent


def kinds_written_in_the_engine() -> set[str]:
    """Every literal first argument of change(...), kind= of _replace(...), and the kinds that others post."""
    found: set[str] = set()
    for path in LOAN.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                if name == "change" and isinstance(node.args[0], ast.Constant):
                    found.add(texts[0])
                if name in ("relieve", "_leaves", "_settled"):
                    found |= set(texts) & set(books.COUNTERPARTS)
                found |= {
                    k.value.value for k in node.keywords
                    if name == "_replace" and k.arg == "kind" and isinstance(k.value, ast.Constant)
                }  # fmt: skip
    return found


def test_every_movement_the_engine_can_make_is_mapped() -> None:
    withheld = {"fee_withheld", "tax_withheld"}  # chosen by the balance in apply._fee_at_start
    withheld |= {"fee_returned", "tax_returned"}  # and in apply.withdrawn
    assert kinds_written_in_the_engine() | withheld | set(LOST.values()) == set(books.COUNTERPARTS)


def test_every_role_exists_and_is_used() -> None:
    used = set(books.COUNTERPARTS.values()) | set(books.CONTROL.values())
    assert used == set(books.ROLES)
    assert set(books.ROLES.values()) == {"asset", "liability", "income", "expense"}


@pytest.mark.parametrize(
    ("kind", "balance", "amount", "debit", "credit"),
    [
        ("disbursed", "principal", 100, "principal_receivable", "disbursement_clearing"),
        ("taken_over", "principal", 100, "principal_receivable", "migration_clearing"),
        ("taken_over", "unapplied", 3, "migration_clearing", "unapplied_funds"),
        ("fee_withheld", "fee:service", -5, "disbursement_clearing", "fee_receivable"),
        ("interest_accrued", "interest", 7, "interest_receivable", "interest_income"),
        ("interest_accrued", "interest", -7, "interest_income", "interest_receivable"),
        ("payment_received", "unapplied", 9, "receipts_clearing", "unapplied_funds"),
        ("allocated", "interest", -7, "unapplied_funds", "interest_receivable"),
        ("interest_suspended", "suspended", 7, "interest_income", "suspended_interest"),
        ("penalty_suspended", "suspended", -7, "suspended_interest", "penalty_income"),
        ("waived", "suspended", -7, "suspended_interest", "waiver_expense"),
        ("written_off", "suspended", -7, "suspended_interest", "loan_loss"),
        ("charged_off", "suspended", -7, "suspended_interest", "loan_loss"),
        ("taken_over", "suspended", 7, "migration_clearing", "suspended_interest"),
        ("fee_returned", "unapplied", 5, "fee_income", "unapplied_funds"),
        ("tax_returned", "unapplied", 1, "tax_payable", "unapplied_funds"),
        ("refunded", "unapplied", -2, "unapplied_funds", "refund_clearing"),
        ("charged_back", "principal", 2, "principal_receivable", "refund_clearing"),
        ("tax_charged", "tax:vat", 1, "tax_receivable", "tax_payable"),
        ("waived", "penalty", -3, "waiver_expense", "penalty_receivable"),
        ("written_off", "principal", -90, "loan_loss", "principal_receivable"),
        ("recovered", "unapplied", -4, "unapplied_funds", "recovery_income"),
        ("charged_off", "charged_off", 90, "loan_loss", "charged_off_loans"),
        ("interest_suspended", "charged_off", 7, "interest_income", "charged_off_loans"),
        ("loss_recovered", "charged_off", -9, "charged_off_loans", "recovery_income"),
        ("sold", "principal", -90, "sale_result", "principal_receivable"),
        ("sold", "charged_off", -90, "charged_off_loans", "sale_result"),
        ("sold", "suspended", -7, "suspended_interest", "sale_result"),
        ("sold", "from_buyer", 60, "due_from_buyers", "sale_result"),
        ("payment_received", "to_buyer", 9, "receipts_clearing", "due_to_buyers"),
        ("buyer_paid", "from_buyer", -60, "receipts_clearing", "due_from_buyers"),
        ("buyer_paid", "to_buyer", 5, "receipts_clearing", "due_to_buyers"),
        ("forwarded", "to_buyer", -9, "due_to_buyers", "refund_clearing"),
        ("forwarded", "from_buyer", 2, "due_from_buyers", "refund_clearing"),
        ("income_capitalised", "principal", 9, "principal_receivable", "income_clearing"),
        ("income_deferred", "deferred", 9, "income_clearing", "deferred_income"),
        ("income_earned", "deferred", -1, "deferred_income", "deferred_income_earned"),
        ("income_deferred", "deferred", -4, "deferred_income", "income_clearing"),
        ("income_returned", "unapplied", 4, "income_clearing", "unapplied_funds"),
    ],
)
def test_sides(kind: str, balance: str, amount: int, debit: str, credit: str) -> None:
    entry = books.entry(change(kind, balance, amount, date(2026, 1, 1)))
    assert (entry.debit, entry.credit, entry.amount_minor) == (debit, credit, abs(amount))


def test_dimensions_are_kept() -> None:
    entry = books.entry(change("fee_charged", "fee:service", 5, date(2026, 1, 1)))
    assert (entry.fee_kind, entry.tax_kind) == ("service", "")
    entry = books.entry(change("tax_charged", "tax:vat", 5, date(2026, 1, 1)))
    assert (entry.fee_kind, entry.tax_kind) == ("", "vat")


@pytest.mark.parametrize("agreed", [None, NonAccrual(after_days=10, until="closed")])
def test_what_was_no_income_is_none_when_the_debt_is_sold(agreed: NonAccrual | None) -> None:
    """Sold 20 days late for 500.00: without non-accrual its interest was earned and is lost by the sale, with it it
    was neither. Together they make the same."""
    sale = events.Sold(buyer="Debtco", price_minor=50_000, **on(50))
    said = terms(non_accrual=agreed, penalty=None)
    step = replay.replay(said, [APPROVED, DISBURSED, sale], START + timedelta(days=51))
    made: dict[str, int] = {}
    for movement in step.movements:
        entry = books.entry(movement)
        for role, sign in ((entry.debit, -1), (entry.credit, 1)):
            made[role] = made.get(role, 0) + sign * entry.amount_minor
    earned, result = made["interest_income"], made["sale_result"]
    assert earned + result == 50_000 - 100_000
    assert earned == (50_000 if agreed is None else 0)
    assert made.get("suspended_interest", 0) == 0
