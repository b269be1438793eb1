"""May it happen? Each kind of event has its checks, in order; the first that fails raises its Refusal, and silence
means yes. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from usance.core.loan import carry, events, state
from usance.core.loan.events import Event
from usance.core.loan.state import Loan
from usance.core.loan.terms import NAMES
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


class MoreThanOwed(Refusal):
    """More of a balance than there is cannot be forgiven."""

    code = "more_than_owed"
    balance: str
    amount_minor: int
    owed_minor: int


class MoreThanUnapplied(Refusal):
    """Only unapplied funds can be sent back."""

    code = "more_than_unapplied"
    amount_minor: int
    unapplied_minor: int


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


def admit(loan: Loan, event: Event) -> None:
    """Raises a Refusal when the event may not happen to the loan as it is."""
    for check in CHECKS[type(event)]:
        check(loan, event)


ONCE: dict[type[Event], Callable[[], Refusal]] = {  # whatever its date, a loan has one of these in force
    events.Approved: LoanAlreadyApproved,
    events.Disbursed: lambda: LoanNotApproved(status="active"),
    events.TakenOver: lambda: LoanNotApproved(status="active"),
}


def admit_to_history(history: Iterable[Event], event: Event) -> None:
    """Raises when the event was told before, may happen only once, or undoes what is not there to be undone."""
    known = {past.source: past for past in history}
    if event.source in known:
        raise EventAlreadyRecorded(source=event.source)
    undone = {past.undoes for past in known.values() if isinstance(past, UNDOING)}
    if type(event) in ONCE and any(type(past) is type(event) and past.source not in undone for past in known.values()):
        raise ONCE[type(event)]()
    if isinstance(event, UNDOING):
        target = known.get(event.undoes)
        if target is None or event.undoes in undone or not isinstance(target, _may_undo(event)):
            raise NothingToUndo(source=event.undoes)
        if isinstance(target, events.TakenOver) and target.standing is None:
            raise NothingToUndo(source=event.undoes)  # years of another system's books would become ours
        return
    if isinstance(event, events.TermsCorrected):
        told = [past.number for past in known.values() if isinstance(past, events.TermsCorrected)]
        if event.number != len(told) + 1:
            raise CorrectionOutdated()
        return
    for past in known.values():
        if isinstance(past, events.TakenOver) and past.source not in undone and event.effective_on < past.effective_on:
            raise BeforeTakeOver(taken_over_on=past.effective_on)


UNDOING = events.PaymentReturned | events.Reversed
PAYMENTS = (events.PaymentReceived, events.Recovered)


def _may_undo(event: Event) -> tuple[type[Event], ...]:
    """A rail takes back payments; we may undo anything except the approval and an undoing."""
    if isinstance(event, events.PaymentReturned):
        return PAYMENTS
    return tuple(
        kind
        for kind in events.KINDS.values()
        if not issubclass(kind, events.Approved) and not issubclass(kind, UNDOING)
    )


# --- checks ------------------------------------------------------------------------------------------------------


def _is_new(loan: Loan, event: Event) -> None:
    if loan.status != "new":
        raise LoanAlreadyApproved()


def _is_approved(loan: Loan, event: Event) -> None:
    if loan.status != "approved":
        raise LoanNotApproved(status=loan.status)


def _was_approved(loan: Loan, event: Event) -> None:
    if loan.status == "new":
        raise LoanNotYetApproved()


def _is_running(loan: Loan, event: Event) -> None:
    if loan.status not in state.LIVE:
        raise LoanNotRunning(status=loan.status)


def _is_written_off(loan: Loan, event: Event) -> None:
    if loan.status != "written_off":
        raise LoanNotWrittenOff(status=loan.status)


def _has_amount(loan: Loan, event: Any) -> None:
    if event.amount_minor <= 0:
        raise AmountNotPositive(amount_minor=event.amount_minor)


def _stands_as_said(loan: Loan, event: events.TakenOver) -> None:
    """Either the other system's figures of a loan that we approved, or a loan whose earlier events we know."""
    said = event.standing
    if said is None:
        if loan.disbursed_on is None:
            raise LoanNotRunning(status=loan.status)
        return
    _is_approved(loan, event)
    if not said.disbursed_on < event.effective_on:
        raise StandingNotPossible(why="the money was given before the take-over")
    for balance, owed, asked in carry.overdrawn(said):
        raise StandingDoesNotAddUp(balance=balance, owed_minor=owed, open_minor=asked)
    if why := carry.contradiction(said, event.effective_on):
        raise StandingNotPossible(why=why)


def _is_agreed_amount(loan: Loan, event: events.Disbursed) -> None:
    if event.amount_minor != loan.terms.principal_minor:
        raise AmountDiffersFromTerms(amount_minor=event.amount_minor, agreed_minor=loan.terms.principal_minor)


def _is_agreed_fee(loan: Loan, event: events.FeeAdded) -> None:
    if event.fee_kind not in {fee.kind for fee in loan.terms.fees}:
        raise FeeNotAgreed(fee_kind=event.fee_kind)


def _was_disbursed(loan: Loan, event: Event) -> None:
    if loan.status not in {*state.LIVE, "closed"}:
        raise LoanNotRunning(status=loan.status)


def _is_agreed_charge(loan: Loan, event: events.Charged) -> None:
    agreed = {f"fee:{fee.kind}" for fee in loan.terms.fees} | {"penalty"}
    if event.balance not in agreed:
        raise FeeNotAgreed(fee_kind=event.balance)


def _is_known_credit(loan: Loan, event: events.Credited) -> None:
    if event.reason not in NAMES["credit"]:
        raise CreditNotKnown(reason=event.reason)


def _is_rate(loan: Loan, event: events.RateChanged) -> None:
    if event.rate.share < 0:
        raise RateBelowZero()


def _may_extend(loan: Loan, event: events.Extended) -> None:
    extension = loan.terms.extension
    if extension is None:
        raise ExtensionNotOffered()
    if event.days not in extension.days_allowed:
        raise ExtensionDaysNotAllowed(days=event.days, allowed=extension.days_allowed)
    if loan.extension_count >= extension.max_count:
        raise ExtensionLimitReached(max_count=extension.max_count)


def _is_owed(loan: Loan, event: events.Waived) -> None:
    there = state.owed(loan).get(event.balance, 0)
    if event.amount_minor > there:
        raise MoreThanOwed(balance=event.balance, amount_minor=event.amount_minor, owed_minor=there)


def _is_unapplied(loan: Loan, event: events.Refunded) -> None:
    there = state.unapplied(loan)
    if event.amount_minor > there:
        raise MoreThanUnapplied(amount_minor=event.amount_minor, unapplied_minor=there)


def _penalty_runs(loan: Loan, event: events.PenaltyPaused) -> None:
    if loan.penalty_paused:
        raise PenaltyAlreadyPaused()


def _penalty_rests(loan: Loan, event: events.PenaltyResumed) -> None:
    if not loan.penalty_paused:
        raise PenaltyNotPaused()


def _corrects(loan: Loan, event: events.TermsCorrected) -> None:
    before, after = event.before, event.after
    if before != loan.terms:
        raise CorrectionOutdated()
    if after == before:
        raise NothingCorrected()
    if (after.currency, after.principal_minor) != (before.currency, before.principal_minor):
        raise AmountNotCorrectable()


Check = Callable[[Loan, Any], None]

CHECKS: dict[type[Event], tuple[Check, ...]] = {
    events.Approved: (_is_new,),
    events.DisbursementFailed: (_is_approved,),
    events.Cancelled: (_is_approved,),
    events.Disbursed: (_is_approved, _has_amount, _is_agreed_amount),
    events.TakenOver: (_was_approved, _stands_as_said),
    events.RateChanged: (_is_running, _is_rate),
    events.PenaltyPaused: (_is_running, _penalty_runs),
    events.PenaltyResumed: (_is_running, _penalty_rests),
    events.Extended: (_is_running, _may_extend),
    events.FeeAdded: (_is_running, _has_amount, _is_agreed_fee),
    events.Credited: (_is_running, _has_amount, _is_known_credit),
    events.InterestPaused: (_is_running,),
    events.Rescheduled: (_is_running,),
    events.Respread: (_is_running,),
    events.Terminated: (_is_running,),
    events.ChargedOff: (_is_running,),
    events.ChargedBack: (_was_disbursed, _has_amount),
    events.Charged: (_was_disbursed, _has_amount, _is_agreed_charge),
    events.Waived: (_is_running, _has_amount, _is_owed),
    events.PaymentReceived: (_was_approved, _has_amount),  # money that came is never sent away
    events.WrittenOff: (_is_running,),
    events.Recovered: (_is_written_off, _has_amount),
    events.Refunded: (_was_approved, _has_amount, _is_unapplied),
    events.PaymentReturned: (_was_approved,),
    events.Reversed: (_was_approved,),
    events.TermsCorrected: (_was_approved, _corrects),
}
