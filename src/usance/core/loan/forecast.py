"""The instalments to come if each is paid on its day, in one pass and without living the days: where nothing but time
passes, they follow from the plan. A law compares them with the fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from usance.core.loan import plan, state, to_come
from usance.core.loan.movements import UNAPPLIED
from usance.core.loan.state import Loan
from usance.core.rates import Period


class Coming(NamedTuple):
    """What one instalment to come will ask for, by balance."""

    starts_on: date
    due_on: date
    due: Mapping[str, int]


def coming(loan: Loan, most: int = 0) -> list[Coming] | None:
    """Of a running loan to which nothing is payable: its instalments to come, the first so many. None where more than
    the plan decides (charges, money paid in advance, caps, an end before the last date): then the days must be
    lived."""
    if not _only_the_plan_decides(loan):
        return None
    periods = to_come.periods_to_come(loan, most + 1 if most else 0)
    shares = to_come.shares_to_come(loan, periods)[: most or None]
    if _ends_early(loan, shares):
        return None
    return [_coming(period, share) for period, share in zip(periods, shares, strict=False)]


def paid_up(loan: Loan) -> Loan | None:
    """A running loan as it would be if what is payable now were paid now; None where such a payment could do more
    than settle it (money that waits, a last remainder that is forgiven, the end of the loan). It is for `coming` alone:
    the bills do not say that they are paid."""
    if (
        loan.matured_on is not None
        or loan.dated
        or loan.ahead
        or state.unapplied(loan)
        or loan.terms.forgive_under_minor
    ):
        return None
    if loan.terms.interest_rests != "daily" and state.oldest_past_due_on(loan):
        return None  # what is paid late bears interest until the next due date
    if loan.credit_minor or state.contra_of(loan) or loan.deferred:
        return None
    left = {key: amount for key, amount in state.unbilled(loan).items() if key in ("interest", "principal")}
    return loan._replace(balances=left, settled_count=len(loan.bills)) if left.get("principal") else None


def _coming(period: Period, share: plan.Share) -> Coming:
    due = {"interest": int(share.interest)} if share.interest else {}
    if share.principal:
        due["principal"] = int(share.principal)
    return Coming(period.starts_on, period.ends_on, due)


def _only_the_plan_decides(loan: Loan) -> bool:
    terms = loan.terms
    return not (
        not loan.due_dates
        or loan.ahead
        or loan.dated
        or loan.credit_minor
        or loan.charged_off_on
        or loan.settled_count < len(loan.bills)
        or loan.balances.keys() - {"interest", "principal", UNAPPLIED}
        or not _money_waits(loan)
        or terms.taxes
        or terms.forgive_under_minor
        or terms.cost_cap_share is not None
        or terms.residue == "collect_at_end"
        or any(fee.when == "per_instalment" for fee in terms.fees)
    )


def _money_waits(loan: Loan) -> bool:
    """Whether money that is there, if any, stays until an instalment falls due, and is less than would end the loan: it
    pays what is asked for then, and changes none of it."""
    there = loan.balances.get(UNAPPLIED, 0)
    return not there or (loan.terms.early_payment == "hold_until_due" and there < state.outstanding(loan))


def _ends_early(loan: Loan, shares: Sequence[plan.Share]) -> bool:
    """Whether a regular instalment could take all that is left before the last date."""
    balance = loan.balances.get("principal", 0)
    whole = "interest" in plan.LEVEL_PARTS[loan.terms.plan.kind]
    for share, level in zip(shares[: len(loan.due_dates) - 1], state.levels(loan), strict=False):
        if level >= balance + (share.interest if whole else 0):
            return True
        balance -= int(share.principal)
    return False
