"""The balances of a loan in words, on pages and papers alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

COMPONENTS: Mapping[str, Any] = {
    "principal": gettext_lazy("Principal"),
    "interest": gettext_lazy("Interest"),
    "fee": gettext_lazy("Fees"),
    "penalty": gettext_lazy("Penalty"),
    "tax": gettext_lazy("Tax"),
    "unapplied": gettext_lazy("Paid in advance"),
    "deferred": gettext_lazy("Income not earned yet"),
    "charged_off": gettext_lazy("Taken for lost"),
    "suspended": gettext_lazy("Not income until it is paid"),
    "from_buyer": gettext_lazy("Owed by the buyer"),
    "to_buyer": gettext_lazy("Money of the buyer"),
}
FEES: Mapping[str, Any] = {
    "service": gettext_lazy("service fee"),
    "extension": gettext_lazy("fee for moving the due date"),
    "origination": gettext_lazy("fee for granting the loan"),
    "late": gettext_lazy("late fee"),
}


def balance_name(balance: str) -> Any:
    """ "fee:service" in words."""
    component, _colon, _name = balance.partition(":")
    return COMPONENTS.get(component, balance)


def full_balance_name(balance: str) -> Any:
    """ "fee:service" with its kind, for those who must tell one fee from another."""
    component, _colon, kind = balance.partition(":")
    name = COMPONENTS.get(component, balance)
    return f"{name}: {FEES.get(kind, kind)}" if kind else name
