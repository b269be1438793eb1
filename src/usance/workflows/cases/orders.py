"""In which order another system lets money meet what is owed, in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from usance.core.loan.terms import Allocation, Credit
from usance.workflows.cases.verdicts import Unsupported

Rule = Mapping[str, Any]
WORDS = {"PENALTY": "penalty", "PENALTIES": "penalty", "FEE": "fee", "FEES": "fee", "INTEREST": "interest",
         "PRINCIPAL": "principal"}  # fmt: skip
EARLY = {
    "NEXT_INSTALLMENT": "in_turn",
    "LAST_INSTALLMENT": "from_the_last",
    "NEXT_LAST_INSTALLMENT": "next_then_last",
    "REAMORTIZATION": "in_equal_parts",
}
ANEW = {"REDUCE_EMI_AMOUNT": "next_then_smaller"}  # where interest is computed anew, and no rule says it
# names that say nothing of their order
STANDARD = {"mifos-standard-strategy": "PENALTY_FEE_INTEREST_PRINCIPAL"}
WATERFALLS = {"HORIZONTAL": "by_instalment", "VERTICAL": "by_component"}


def rule_of(given: Mapping[str, Any], kind: str) -> Rule | None:
    """What the product says of one kind of money, or of all others."""
    rules = {rule["transaction_type"]: rule for rule in given.get("payment_allocation") or ()}
    return rules.get(kind) or rules.get("DEFAULT")


def early_payment(given: Mapping[str, Any], kind: str = "REPAYMENT") -> str:
    rule = rule_of(given, kind)
    if rule:
        return EARLY[rule["future_installment_rule"]]
    anew = (given["interest_method"] == "DECLINING_BALANCE" and given.get("recalculation")) or {}
    return ANEW.get(anew.get("advance_payment_strategy") or "", "in_turn")


def allocation(given: Mapping[str, Any], kind: str = "REPAYMENT") -> Allocation:
    """Raises Unsupported."""
    rule = rule_of(given, kind)
    if rule is None:
        return _spelt(given.get("transaction_processing_strategy") or "", anew=bool(given.get("recalculation")))
    by_age: dict[str, list[str]] = {"PAST_DUE": [], "DUE": [], "IN_ADVANCE": []}
    for name in rule["order"]:
        age, _, component = name.rpartition("_")
        by_age[age].append(component)
    return _made(
        WATERFALLS[given.get("schedule_processing", "HORIZONTAL")],
        by_age["PAST_DUE"],
        by_age["DUE"],
        by_age["IN_ADVANCE"],
    )


# what is no money of the borrower, in both languages
CREDITS = {
    "GOODWILL_CREDIT": "goodwill",
    "MERCHANT_ISSUED_REFUND": "merchant_refund",
    "PAYOUT_REFUND": "payout_refund",
    "INTEREST_PAYMENT_WAIVER": "interest_waiver",
    "CHARGE_ADJUSTMENT": "charge_adjustment",
}


def credits(given: Mapping[str, Any]) -> tuple[Credit, ...]:
    """Those that have an order of their own."""
    own = {rule["transaction_type"] for rule in given.get("payment_allocation") or ()}
    return tuple(
        Credit(reason=reason, allocation=allocation(given, kind), early_payment=early_payment(given, kind))
        for kind, reason in CREDITS.items()
        if kind in own
    )


def _spelt(strategy: str, *, anew: bool) -> Allocation:
    """An order that is told by the name of a strategy. Where interest is computed anew, what comes early is principal:
    the interest of the period is asked for on its day."""
    told = STANDARD.get(strategy, strategy).upper().replace("-", "_").removesuffix("_STRATEGY").removesuffix("_ORDER")
    due, _, ahead = told.partition("_IN_ADVANCE_")
    components = [word for word in re.split("_", due.removeprefix("DUE_")) if word]
    later = [word for word in re.split("_", ahead) if word]
    if not components:
        return Allocation()
    if not set(components) | set(later) <= set(WORDS):
        raise Unsupported(f"the order {strategy}")
    later = later or components
    if anew:
        later = sorted(later, key=lambda word: WORDS[word] != "principal")
    return _made("by_instalment", components, components, later)


def _made(waterfall: str, past_due: Sequence[str], due: Sequence[str], in_advance: Sequence[str]) -> Allocation:
    ours, today, ahead = (("tax", *(WORDS[name] for name in names)) for names in (past_due, due, in_advance))
    return Allocation(
        waterfall=waterfall,
        components=ours,
        due=today if today != ours else (),
        in_advance=ahead if ahead != ours else (),
    )
