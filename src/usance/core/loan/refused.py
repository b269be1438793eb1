"""Why an event may not happen to a loan: each reason with a code and what it is about."""

from __future__ import annotations

from datetime import date

from usance.core.refusals import Refusal


class LoanAlreadyApproved(Refusal):
    code = "loan_already_approved"


class LoanNotApproved(Refusal):
    """It needs an approved loan that has no money yet."""

    code = "loan_not_approved"
    status: str


class LoanNotYetApproved(Refusal):
    """Nothing can happen before the approval."""

    code = "loan_not_yet_approved"


class LoanNotRunning(Refusal):
    """It needs a loan that is active or past due."""

    code = "loan_not_running"
    status: str


class LoanNotWrittenOff(Refusal):
    code = "loan_not_written_off"
    status: str


class AmountNotPositive(Refusal):
    code = "amount_not_positive"
    amount_minor: int


class AmountDiffersFromTerms(Refusal):
    code = "amount_differs_from_terms"
    amount_minor: int
    agreed_minor: int


class FeeNotAgreed(Refusal):
    """A fee that the terms do not name cannot be charged."""

    code = "fee_not_agreed"
    fee_kind: str


class DatesAreFixed(Refusal):
    """Interest that is spread evenly over the instalments needs their dates as agreed."""

    code = "dates_are_fixed"


class DatesNotPossible(Refusal):
    """Dates that contradict themselves, or change nothing."""

    code = "dates_not_possible"


class AlreadyChargedOff(Refusal):
    code = "already_charged_off"


class AlreadyOnNonAccrual(Refusal):
    code = "already_on_non_accrual"


class NotOnNonAccrual(Refusal):
    code = "not_on_non_accrual"


class TooLateToAccrue(Refusal):
    """By the agreed age its interest is no income yet."""

    code = "too_late_to_accrue"
    days_past_due: int
    after_days: int


class CreditNotKnown(Refusal):
    code = "credit_not_known"
    reason: str


class RateBelowZero(Refusal):
    code = "rate_below_zero"


class ExtensionNotOffered(Refusal):
    code = "extension_not_offered"


class ExtensionDaysNotAllowed(Refusal):
    code = "extension_days_not_allowed"
    days: int
    allowed: tuple[int, ...]


class ExtensionLimitReached(Refusal):
    code = "extension_limit_reached"
    max_count: int


class NoCoolingOff(Refusal):
    """The agreement gives no days to step back."""

    code = "no_cooling_off"


class CoolingOffOver(Refusal):
    """The days to step back are over, or were used."""

    code = "cooling_off_over"
    last_on: date


class MoreThanOwed(Refusal):
    """More of a balance than there is cannot be forgiven."""

    code = "more_than_owed"
    balance: str
    amount_minor: int
    owed_minor: int


class MoreThanPaid(Refusal):
    """A dispute takes back at most what is left of its payment."""

    code = "more_than_paid"
    amount_minor: int
    left_minor: int


class MoreThanUnapplied(Refusal):
    """Only unapplied funds can be sent back."""

    code = "more_than_unapplied"
    amount_minor: int
    unapplied_minor: int


class LoanAlreadySold(Refusal):
    code = "loan_already_sold"


class MoreThanBuyerOwes(Refusal):
    """The buyer of a debt pays at most what is left of its price."""

    code = "more_than_buyer_owes"
    amount_minor: int
    owed_minor: int


class MoreThanTheBuyers(Refusal):
    """Only money that came after the sale is sent on to the buyer."""

    code = "more_than_the_buyers"
    amount_minor: int
    kept_minor: int


class BeforeTakeOver(Refusal):
    """What happened in another system was said when the loan was taken over from it."""

    code = "before_take_over"
    taken_over_on: date


class StandingDoesNotAddUp(Refusal):
    """Open instalments of a loan from another system ask for more of a balance than is owed."""

    code = "standing_does_not_add_up"
    balance: str
    owed_minor: int
    open_minor: int


class StandingNotPossible(Refusal):
    """The standing in another system contradicts itself: `why` in a few words."""

    code = "standing_not_possible"
    why: str


class CorrectionOutdated(Refusal):
    """The terms were corrected in the meantime, or are others than this correction says."""

    code = "correction_outdated"


class DrawingIsOver(Refusal):
    """No further part may be drawn: the agreed time is over, there were as many as agreed, or no instalment is left to
    repay it."""

    code = "drawing_is_over"


class NothingLeftToSend(Refusal):
    """The fees that are kept back, and their taxes, would leave nothing of the money."""

    code = "nothing_left_to_send"


class MoreThanAgreed(Refusal):
    """All parts together would be more than the principal that was agreed."""

    code = "more_than_agreed"
    amount_minor: int
    left_minor: int


class NothingToEarnOver(Refusal):
    """Income is deferred over the days to come of a loan, and there are none: it is over, or taken for lost."""

    code = "nothing_to_earn_over"


class MoreAddedThanAgreed(Refusal):
    """More would be added to the principal that nobody is paid than was agreed, or than the costs may be."""

    code = "more_added_than_agreed"
    amount_minor: int
    left_minor: int


class MoreThanDeferred(Refusal):
    """More would be taken back of an income than is left of it."""

    code = "more_than_deferred"
    amount_minor: int
    left_minor: int


class NothingCorrected(Refusal):
    code = "nothing_corrected"


class AmountNotCorrectable(Refusal):
    """Currency and amount are what was sent: a wrong amount is a wrong disbursement, and is undone."""

    code = "amount_not_correctable"


class TermsContradicted(Refusal):
    """Under the other terms something could not have happened that did: undo it first."""

    code = "terms_contradicted"
    kind: str
    effective_on: date


class PenaltyAlreadyPaused(Refusal):
    code = "penalty_already_paused"


class PenaltyNotPaused(Refusal):
    code = "penalty_not_paused"


class EventAlreadyRecorded(Refusal):
    """An event of this source is in the loan's history."""

    code = "event_already_recorded"
    source: str


class NothingToUndo(Refusal):
    """The history has no such event, it is undone already, or it cannot be undone in this way."""

    code = "nothing_to_undo"
    source: str
