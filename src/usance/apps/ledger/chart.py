"""The chart of accounts that a new institution starts with, and which account plays which role of `core.accounting`.

Accountants change both later; what is booked stays where it was booked. Names are stored in English and shown in the
reader's language as long as they are these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.translation import gettext_noop as _

from usance.core.accounting import books


class DefaultAccount(NamedTuple):
    code: str
    name: str
    kind: str
    role: str  # of the control figure it carries, "" for none


_NAMES: Mapping[str, tuple[str, str]] = {
    "principal_receivable": ("1210", _("Loans to customers: principal")),
    "interest_receivable": ("1220", _("Loans to customers: interest")),
    "fee_receivable": ("1230", _("Loans to customers: fees")),
    "penalty_receivable": ("1240", _("Loans to customers: penalties")),
    "tax_receivable": ("1250", _("Loans to customers: taxes charged on")),
    "charged_off_loans": ("1260", _("Loans to customers: taken for lost")),
    "suspended_interest": ("1270", _("Loans to customers: not income until it is paid")),
    "disbursement_clearing": ("1310", _("Clearing: disbursements under way")),
    "receipts_clearing": ("1320", _("Clearing: receipts under way")),
    "refund_clearing": ("1330", _("Clearing: refunds under way")),
    "migration_clearing": ("1340", _("Clearing: loans taken over from another system")),
    "due_from_buyers": ("1350", _("Buyers of loans: what they owe us")),
    "income_clearing": ("1360", _("Clearing: income that third parties owe")),
    "unapplied_funds": ("2110", _("Customers' unapplied funds")),
    "due_to_buyers": ("2120", _("Buyers of loans: payments to send on")),
    "deferred_income": ("2130", _("Income not earned yet")),
    "tax_payable": ("2210", _("Taxes payable")),
    "interest_income": ("4110", _("Interest income")),
    "fee_income": ("4120", _("Fee income")),
    "penalty_income": ("4130", _("Penalty income")),
    "recovery_income": ("4140", _("Recoveries of written-off loans")),
    "sale_result": ("4150", _("Gain or loss on loans sold")),
    "deferred_income_earned": ("4160", _("Charges and subsidies earned over the term")),
    "waiver_expense": ("5110", _("Waivers")),
    "small_difference_expense": ("5120", _("Small differences forgiven")),
    "loan_loss": ("5130", _("Loan losses")),
}
CONTROL = frozenset(books.CONTROL.values())

# accounts that no loan movement uses, but without which no books balance to a bank
_OWN = (
    DefaultAccount("1110", _("Cash at bank"), "asset", ""),
    DefaultAccount("3110", _("Equity"), "equity", ""),
    DefaultAccount("5210", _("Payment providers' fees"), "expense", ""),
)


def default() -> list[DefaultAccount]:
    """Every account, by code."""
    ours = [DefaultAccount(*_NAMES[role], kind, role if role in CONTROL else "") for role, kind in books.ROLES.items()]
    return sorted([*ours, *_OWN])


def default_rules() -> Mapping[str, str]:
    """Role -> code of its account."""
    return {role: _NAMES[role][0] for role in books.ROLES}
