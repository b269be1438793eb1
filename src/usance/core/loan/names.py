"""The names that terms may say: each convention is one of a vocabulary, and a term that cannot be is refused."""

from __future__ import annotations

from usance.core import calendar, money, rates
from usance.core.refusals import Refusal

# what paying early does, where the instalments to come stay as they are and what was settled of each is noted
INSTALMENTS_STAY = frozenset({"in_turn", "from_the_last", "next_then_last", "in_equal_parts", "next_then_smaller"})

NAMES: dict[str, frozenset[str]] = {
    "plan": frozenset({"single_payment", "equal_instalments", "equal_principal", "interest_only", "listed"}),
    "unit": frozenset(calendar.STEPS),
    "day_count": frozenset(rates.ACCRUALS),
    "rounding": frozenset(money.ROUNDINGS),
    "roll": frozenset(calendar.ROLLS),
    "interest_base": frozenset({"actual_balance", "undue_balance", "scheduled_balance"})
    | {"original_principal", "financed_principal"},
    "interest_rests": frozenset({"daily", "each_instalment"}),
    "early_interest": frozenset({"saved", "owed"}),
    "interest_spread": frozenset({"as_earned", "evenly"}),
    "levelling": frozenset({"none", "even_last"}),
    "residue": frozenset({"carry", "drop_when_due", "drop_when_paid", "collect_at_end"}),
    "late_start": frozenset({"dates_move", "dates_stay"}),
    "after_maturity": frozenset({"continues", "stops"}),
    "early_payment": INSTALMENTS_STAY | {"shorter_term", "smaller_instalments", "next_instalments", "hold_until_due"},
    "waterfall": frozenset({"by_instalment", "by_component"}),
    "component": frozenset({"tax", "penalty", "fee", "interest", "principal"}),
    "fee_when": frozenset({"deducted", "added_to_principal", "per_instalment"})
    | {"on_extension", "on_lateness", "on_request"},
    "fee_of": frozenset({"original_principal", "outstanding_principal", "past_due_total"})
    | {"instalment_principal", "instalment_interest", "instalment_total"},
    "penalty": frozenset({"daily_on_past_due_principal", "daily_on_past_due_total", "flat_per_miss"}),
    "credit": frozenset({"goodwill", "merchant_refund", "payout_refund", "interest_waiver", "charge_adjustment"}),
    "respread": frozenset({"levelled", "equal_payable", "equal_full", "equal_past"}),
    "charge_off": frozenset({"keeps_plan", "stops_interest", "all_due"}),
    "non_accrual_until": frozenset({"current", "closed"}),
    "drawn_interest": frozenset({"from_its_day", "whole_period"}),
    "drawn_down_payment": frozenset({"paid_ahead_first", "asked_for"}),
    "drawn_repaid": frozenset({"with_the_rest", "over_its_own_term"}),
    "owed_by": frozenset({"borrower", "third_party"}),
    "extend_from": frozenset({"due_date", "extension_date", "later_of_both"}),
}


class TermsRefused(Refusal):
    """A term that cannot be: `field` says which, `value` what it was, `why` in a few words."""

    code = "terms_refused"
    field: str
    value: str
    why: str


def check(holds: bool, field: str, value: object, why: str) -> None:
    if not holds:
        raise TermsRefused(field=field, value=str(value), why=why)


def known(vocabulary: str, field: str, value: str) -> None:
    check(value in NAMES[vocabulary], field, value, f"one of {', '.join(sorted(NAMES[vocabulary]))}")
