"""What rules may know. Every fact is declared here with its kind; nothing else reaches them, so no name, number or
address of a person can, and no outcome that is known only afterwards. What is not known stays None."""

from __future__ import annotations

import re
from collections.abc import Mapping

Fact = int | bool | str | None

CODE = re.compile(r"^[a-z0-9][a-z0-9_]{0,39}$")
WHOLE, FLAG, WORD = "whole number", "yes or no", "code"
LARGEST = 2**53 - 1  # beyond it the engine would lose digits

FACTS: dict[str, str] = {
    # the request
    "product_kind": WORD,
    "customer_kind": WORD,
    "amount_minor": WHOLE,
    "amount_min_minor": WHOLE,
    "amount_step_minor": WHOLE,
    "amount_of_max_percent": WHOLE,
    "term_days": WHOLE,
    "instalment_minor": WHOLE,
    "purpose": WORD,
    # the person, as told
    "age_years": WHOLE,
    "age_minimum_years": WHOLE,
    "income_minor": WHOLE,
    "expenses_minor": WHOLE,
    "other_debt_minor": WHOLE,
    "instalment_share_percent": WHOLE,
    "employment": WORD,
    "employment_months": WHOLE,
    "housing": WORD,
    "dependants": WHOLE,
    # what we know ourselves
    "loan_count": WHOLE,
    "closed_count": WHOLE,
    "open_count": WHOLE,
    "repaid_on_time_count": WHOLE,
    "max_days_past_due": WHOLE,
    "past_due_now": FLAG,
    "written_off_count": WHOLE,
    "declined_30_days_count": WHOLE,
    "duplicate_identity_count": WHOLE,
    "duplicate_phone_count": WHOLE,
    "duplicate_name_birth_count": WHOLE,
    "duplicate_email_count": WHOLE,
    "blacklist_count": WHOLE,
    "has_card": FLAG,
    "card_others_count": WHOLE,
    # what a bank knows of its own customer (the columns of a well-known set of applicants, by our codes)
    "checking_status": WORD,
    "credit_history": WORD,
    "savings": WORD,
    "employment_since": WORD,
    "disposable_share_band": WHOLE,
    "other_debtors": WORD,
    "property": WORD,
    "other_plans": WORD,
    "existing_credits": WHOLE,
    "job": WORD,
}


class NotAFact(ValueError):
    """Something that rules may not know was handed to them: a defect of the caller."""


def clean(given: Mapping[str, object]) -> dict[str, Fact]:
    """Every declared fact, None where nothing was given. Raises NotAFact."""
    unknown = given.keys() - FACTS.keys()
    if unknown:
        raise NotAFact(f"not declared: {sorted(unknown)}")
    return {name: _checked(name, kind, given.get(name)) for name, kind in FACTS.items()}


def _checked(name: str, kind: str, value: object) -> Fact:
    if value is None:
        return None
    if kind == FLAG and isinstance(value, bool):
        return value
    if kind == WHOLE and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return value
    if kind == WORD and isinstance(value, str) and CODE.match(value):
        return value
    raise NotAFact(f"{name} must be a {kind}")


def share_percent(part_minor: int | None, whole_minor: int | None) -> int | None:
    """`part` as a percentage of `whole`, rounded up; None when either is unknown or the whole is nothing."""
    if part_minor is None or not whole_minor or whole_minor < 0:
        return None
    return -(-part_minor * 100 // whole_minor)
