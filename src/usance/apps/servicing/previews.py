"""What each act of a colleague would do to a loan, exactly, before it is told. All raise what `admit` refuses."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from usance.apps.servicing import selectors
from usance.core.loan import events
from usance.core.loan.quote import Preview

SOURCE = "preview:act"


def receipt(*, loan_id: UUID, amount_minor: int, value_on: date) -> Preview:
    """Money received, also on an earlier day, and on a loan that was written off."""
    written_off = selectors.loan(loan_id).status == "written_off"
    kind = events.Recovered if written_off else events.PaymentReceived
    return selectors.preview(
        loan_id=loan_id, event=kind(effective_on=value_on, source=SOURCE, amount_minor=amount_minor)
    )


def unpaid_extension(*, loan_id: UUID, days: int) -> Preview:
    """The due date moves while its price stays owed."""
    return selectors.preview(loan_id=loan_id, event=events.Extended(effective_on=_today(), source=SOURCE, days=days))


def waiver(*, loan_id: UUID, balance: str, amount_minor: int) -> Preview:
    event = events.Waived(effective_on=_today(), source=SOURCE, balance=balance, amount_minor=amount_minor, reason="")
    return selectors.preview(loan_id=loan_id, event=event)


def refund(*, loan_id: UUID, amount_minor: int) -> Preview:
    event = events.Refunded(effective_on=_today(), source=SOURCE, amount_minor=amount_minor)
    return selectors.preview(loan_id=loan_id, event=event)


def reversal(*, loan_id: UUID, undoes: str) -> Preview:
    event = events.Reversed(effective_on=_today(), source=SOURCE, undoes=undoes, reason="")
    return selectors.preview(loan_id=loan_id, event=event)


def write_off(*, loan_id: UUID) -> Preview:
    event = events.WrittenOff(effective_on=_today(), source=SOURCE, reason="")
    return selectors.preview(loan_id=loan_id, event=event)


def penalty(*, loan_id: UUID, pause: bool) -> Preview:
    kind = events.PenaltyPaused if pause else events.PenaltyResumed
    event = kind(effective_on=_today(), source=SOURCE, **({"reason": ""} if pause else {}))
    return selectors.preview(loan_id=loan_id, event=event)


def _today() -> date:
    return selectors.business_date()
