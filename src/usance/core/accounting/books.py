"""Which account roles a movement of a loan debits and credits.

A positive amount makes the loan's balance larger; the posting of its kind says which role is debited then. A negative
amount swaps the sides. Roles are accounts in the abstract: each institution maps them to its own chart.
"""

from __future__ import annotations

from typing import NamedTuple

from usance.core.loan.movements import Movement

ROLES: dict[str, str] = {
    # control accounts: each equals the sum of one balance over all loans
    "principal_receivable": "asset",
    "interest_receivable": "asset",
    "fee_receivable": "asset",
    "penalty_receivable": "asset",
    "tax_receivable": "asset",
    "charged_off_loans": "asset",  # less than nothing: what of the debts above does not count any more
    "suspended_interest": "asset",  # less than nothing: what of those above is no income before it is paid
    "unapplied_funds": "liability",
    "due_from_buyers": "asset",  # of debts that were sold
    "due_to_buyers": "liability",  # money that came for them since
    "deferred_income": "liability",
    # money on its way
    "disbursement_clearing": "asset",
    "receipts_clearing": "asset",
    "refund_clearing": "asset",
    "migration_clearing": "asset",  # against the balances that another system handed over
    "income_clearing": "asset",  # what third parties owe of income; what borrowers owe of it passes through
    # results
    "interest_income": "income",
    "fee_income": "income",
    "deferred_income_earned": "income",
    "penalty_income": "income",
    "recovery_income": "income",
    "sale_result": "income",  # the price of debts that were sold, less these debts: less than nothing for a loss
    "tax_payable": "liability",
    "waiver_expense": "expense",
    "small_difference_expense": "expense",
    "loan_loss": "expense",
}

CONTROL: dict[str, str] = {
    "principal": "principal_receivable",
    "interest": "interest_receivable",
    "fee": "fee_receivable",
    "penalty": "penalty_receivable",
    "tax": "tax_receivable",
    "unapplied": "unapplied_funds",
    "charged_off": "charged_off_loans",
    "suspended": "suspended_interest",
    "deferred": "deferred_income",
    "from_buyer": "due_from_buyers",
    "to_buyer": "due_to_buyers",
}
GROWS_IN_CREDIT = frozenset(
    {"unapplied_funds", "charged_off_loans", "suspended_interest", "deferred_income", "due_to_buyers"}
)

# movement kind -> the role on the other side of the balance it changes
COUNTERPARTS: dict[str, str] = {
    "disbursed": "disbursement_clearing",
    "fee_withheld": "disbursement_clearing",
    "tax_withheld": "disbursement_clearing",
    "interest_accrued": "interest_income",
    "fee_charged": "fee_income",
    "fee_capitalised": "fee_income",
    "penalty_charged": "penalty_income",
    "tax_charged": "tax_payable",
    "tax_capitalised": "tax_payable",
    "fee_returned": "fee_income",
    "tax_returned": "tax_payable",
    "payment_received": "receipts_clearing",
    "credit_received": "receipts_clearing",
    "credit_given": "waiver_expense",
    "allocated": "unapplied_funds",
    "refunded": "refund_clearing",
    "charged_back": "refund_clearing",
    "waived": "waiver_expense",
    "remainder_forgiven": "small_difference_expense",
    "written_off": "loan_loss",
    "recovered": "recovery_income",
    "charged_off": "loan_loss",
    "interest_suspended": "interest_income",
    "fee_suspended": "fee_income",
    "penalty_suspended": "penalty_income",
    "loss_recovered": "recovery_income",
    "sold": "sale_result",
    "buyer_paid": "receipts_clearing",
    "forwarded": "refund_clearing",
    "taken_over": "migration_clearing",
    "income_deferred": "income_clearing",
    "income_capitalised": "income_clearing",
    "income_returned": "income_clearing",
    "income_earned": "deferred_income_earned",
}


class Entry(NamedTuple):
    """One balanced transfer: `amount_minor`, above zero, from the credited to the debited role, with its dimensions."""

    debit: str
    credit: str
    amount_minor: int
    fee_kind: str
    tax_kind: str


def side(role: str) -> int:
    """1 for the account of a balance that grows in the debit, -1 in the credit."""
    return -1 if role in GROWS_IN_CREDIT else 1


def posting(kind: str, component: str) -> tuple[str, str]:
    """(debit role, credit role) of a positive movement."""
    own, other = CONTROL[component], COUNTERPARTS[kind]
    return (own, other) if side(own) > 0 else (other, own)


def entry(movement: Movement) -> Entry:
    """The transfer that books a movement. KeyError for an unknown kind: a defect."""
    debit, credit = posting(movement.kind, movement.component)
    if movement.amount_minor < 0:
        debit, credit = credit, debit
    return Entry(debit, credit, abs(movement.amount_minor), movement.fee_kind, movement.tax_kind)
