"""What this app may refuse."""

from __future__ import annotations

from datetime import date, datetime

from usance.core.refusals import Refusal


class CardNotUsable(Refusal):
    """The card was removed, or its bank will no longer let it be charged."""

    code = "card_not_usable"


class CardWaits(Refusal):
    """A changed payout card: no money goes to it before `payout_from`."""

    code = "card_waits"
    payout_from: datetime


class CardInUse(Refusal):
    """Money is on its way by this card."""

    code = "card_in_use"


class InstructionUnderWay(Refusal):
    """It was sent to the provider: its outcome must be awaited."""

    code = "instruction_under_way"


class RefundTooLarge(Refusal):
    """More would go back than came in."""

    code = "refund_too_large"
    left_minor: int


class NotReconcilable(Refusal):
    """Only an instruction whose amount disagrees can be reconciled."""

    code = "not_reconcilable"


class ReceiptKnown(Refusal):
    """A receipt with this reference was booked before: the same money must not count twice."""

    code = "receipt_known"
    reference: str
    value_on: date
