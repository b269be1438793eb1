"""May it happen? Each kind of event has its checks, in order; the first that fails raises its Refusal, and silence
means yes. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from usance.core.loan import carry, charges, draw, events, income, refused, state
from usance.core.loan.events import Event
from usance.core.loan.movements import FROM_BUYER, TO_BUYER
from usance.core.loan.state import Loan
from usance.core.loan.terms import NAMES


def admit(loan: Loan, event: Event) -> None:
    """Raises a Refusal when the event may not happen to the loan as it is."""
    for check in CHECKS[type(event)]:
        check(loan, event)


# --- checks ------------------------------------------------------------------------------------------------------


def _is_new(loan: Loan, event: Event) -> None:
    if loan.status != "new":
        raise refused.LoanAlreadyApproved()


def _is_approved(loan: Loan, event: Event) -> None:
    if loan.status != "approved":
        raise refused.LoanNotApproved(status=loan.status)


def _was_approved(loan: Loan, event: Event) -> None:
    if loan.status == "new":
        raise refused.LoanNotYetApproved()


def _is_running(loan: Loan, event: Event) -> None:
    if loan.status not in state.LIVE:
        raise refused.LoanNotRunning(status=loan.status)


def _is_written_off(loan: Loan, event: Event) -> None:
    if loan.status != "written_off":
        raise refused.LoanNotWrittenOff(status=loan.status)


def _has_amount(loan: Loan, event: Any) -> None:
    if event.amount_minor <= 0:
        raise refused.AmountNotPositive(amount_minor=event.amount_minor)


def _stands_as_said(loan: Loan, event: events.TakenOver) -> None:
    """Either the other system's figures of a loan that we approved, or a loan whose earlier events we know."""
    said = event.standing
    if said is None:
        if loan.disbursed_on is None:
            raise refused.LoanNotRunning(status=loan.status)
        return
    _is_approved(loan, event)
    if not said.disbursed_on < event.effective_on:
        raise refused.StandingNotPossible(why="the money was given before the take-over")
    for balance, owed, asked in carry.overdrawn(said):
        raise refused.StandingDoesNotAddUp(balance=balance, owed_minor=owed, open_minor=asked)
    if why := carry.contradiction(said, event.effective_on):
        raise refused.StandingNotPossible(why=why)


def _may_be_drawn(loan: Loan, event: events.Disbursed) -> None:
    """The first money, or where parts are agreed, more of it."""
    if loan.terms.drawdowns is None or loan.disbursed_on is None:
        _is_approved(loan, event)
        return
    _is_running(loan, event)
    if not draw.takes_more(loan):
        raise refused.DrawingIsOver()


def _is_agreed_amount(loan: Loan, event: events.Disbursed) -> None:
    if loan.terms.drawdowns is None and event.amount_minor != loan.terms.principal_minor:
        raise refused.AmountDiffersFromTerms(amount_minor=event.amount_minor, agreed_minor=loan.terms.principal_minor)
    if event.amount_minor <= draw.kept_back(loan, event.amount_minor):
        raise refused.NothingLeftToSend()


def _is_agreed_fee(loan: Loan, event: events.FeeAdded) -> None:
    if event.fee_kind not in {fee.kind for fee in loan.terms.fees}:
        raise refused.FeeNotAgreed(fee_kind=event.fee_kind)


def _was_disbursed(loan: Loan, event: Event) -> None:
    if loan.status not in {*state.LIVE, "closed"}:
        raise refused.LoanNotRunning(status=loan.status)


def _is_agreed_charge(loan: Loan, event: events.Charged) -> None:
    agreed = {f"fee:{fee.kind}" for fee in loan.terms.fees} | {"penalty"}
    if event.balance not in agreed:
        raise refused.FeeNotAgreed(fee_kind=event.balance.removeprefix("fee:"))


def _is_a_balance(loan: Loan, event: events.ChargedBack) -> None:
    taxes = {f"tax:{tax.kind}" for tax in loan.terms.taxes}
    fees = {f"fee:{fee.kind}" for fee in loan.terms.fees}
    if event.balance not in {"principal", "interest", "penalty", *fees, *taxes}:
        raise refused.FeeNotAgreed(fee_kind=event.balance)


def _is_pause(loan: Loan, event: events.InterestPaused) -> None:
    if event.until <= event.since:
        raise refused.DatesNotPossible()


def _dates_may_move(loan: Loan, event: Event) -> None:
    if loan.terms.interest_spread == "evenly":
        raise refused.DatesAreFixed()


def _is_other_date(loan: Loan, event: events.Rescheduled) -> None:
    since, to = event.moved_from, event.moved_to
    moves = since is not None and to is not None and since <= max(loan.due_dates, default=loan.at) and to > loan.at
    says = since is not None or to is not None
    if not loan.due_dates or event.more < 0 or moves != says or not (moves or event.more):
        raise refused.DatesNotPossible()


def _is_spread(loan: Loan, event: events.Respread) -> None:
    anew = event.start_on is not None and event.count >= 1 and event.every >= 1 and event.unit in NAMES["unit"]
    if event.interest not in NAMES["respread"] or not (anew or (event.start_on is None and loan.due_dates)):
        raise refused.DatesNotPossible()


def _has_due_dates(loan: Loan, event: events.Terminated) -> None:
    if not loan.due_dates:
        raise refused.DatesNotPossible()


def _is_not_charged_off(loan: Loan, event: Event) -> None:
    if loan.charged_off_on is not None:
        raise refused.AlreadyChargedOff()


def _is_not_on_non_accrual(loan: Loan, event: events.PutOnNonAccrual) -> None:
    """By our decision; where the agreed age has put it there, we may still decide that it stays."""
    if loan.non_accrual_by_hand:
        raise refused.AlreadyOnNonAccrual()


def _may_accrue_again(loan: Loan, event: events.RestoredToAccrual) -> None:
    if loan.non_accrual_on is None:
        raise refused.NotOnNonAccrual()
    agreed, late = loan.terms.non_accrual, state.days_past_due(loan)
    if agreed is not None and late >= agreed.after_days:
        raise refused.TooLateToAccrue(days_past_due=late, after_days=agreed.after_days)


def _has_days_left(loan: Loan, event: events.IncomeDeferred) -> None:
    """It is earned over days to come; and the cost of the loan stays under its cap."""
    if event.owed_by not in NAMES["owed_by"] or not income.days_left(loan) or loan.withdrawn_on is not None:
        raise refused.NothingToEarnOver()
    room = charges.cost_room(loan)
    if event.owed_by == "borrower" and room is not None and event.amount_minor > room:
        raise refused.MoreAddedThanAgreed(amount_minor=event.amount_minor, left_minor=room)


def _is_known_credit(loan: Loan, event: events.Credited) -> None:
    if event.reason not in NAMES["credit"]:
        raise refused.CreditNotKnown(reason=event.reason)


def _is_rate(loan: Loan, event: events.RateChanged) -> None:
    if event.rate.share < 0:
        raise refused.RateBelowZero()


def _may_extend(loan: Loan, event: events.Extended) -> None:
    extension = loan.terms.extension
    if extension is None or loan.withdrawn_on is not None:  # who stepped back gives the money back
        raise refused.ExtensionNotOffered()
    if event.days not in extension.days_allowed:
        raise refused.ExtensionDaysNotAllowed(days=event.days, allowed=extension.days_allowed)
    if loan.extension_count >= extension.max_count:
        raise refused.ExtensionLimitReached(max_count=extension.max_count)


def may_withdraw_until(loan: Loan) -> date | None:
    """The last day to step back; None where there is none (any more)."""
    agreed, begins = loan.terms.cooling_off, loan.terms.signed_on or loan.disbursed_on
    if agreed is None or begins is None or loan.status not in state.LIVE or loan.withdrawn_on is not None:
        return None
    return begins + timedelta(days=agreed.days)


def _may_step_back(loan: Loan, event: events.Withdrawn) -> None:
    if loan.terms.cooling_off is None:
        raise refused.NoCoolingOff()
    last_on = may_withdraw_until(loan)
    if last_on is None or event.effective_on > last_on:
        raise refused.CoolingOffOver(last_on=last_on or loan.withdrawn_on or loan.at)


def _is_owed(loan: Loan, event: events.Waived) -> None:
    there = state.owed(loan).get(event.balance, 0)
    if event.amount_minor > there:
        raise refused.MoreThanOwed(balance=event.balance, amount_minor=event.amount_minor, owed_minor=there)


def _is_unapplied(loan: Loan, event: events.Refunded) -> None:
    there = state.unapplied(loan)
    if event.amount_minor > there:
        raise refused.MoreThanUnapplied(amount_minor=event.amount_minor, unapplied_minor=there)


def _has_price(loan: Loan, event: events.Sold) -> None:
    if event.price_minor <= 0:
        raise refused.AmountNotPositive(amount_minor=event.price_minor)


def _buyer_owes(loan: Loan, event: events.BuyerPaid) -> None:
    there = loan.balances.get(FROM_BUYER, 0)
    if event.amount_minor > there:
        raise refused.MoreThanBuyerOwes(amount_minor=event.amount_minor, owed_minor=there)


def _is_the_buyers(loan: Loan, event: events.Forwarded) -> None:
    there = loan.balances.get(TO_BUYER, 0)
    if event.amount_minor > there:
        raise refused.MoreThanTheBuyers(amount_minor=event.amount_minor, kept_minor=there)


def _penalty_runs(loan: Loan, event: events.PenaltyPaused) -> None:
    if loan.penalty_paused:
        raise refused.PenaltyAlreadyPaused()


def _penalty_rests(loan: Loan, event: events.PenaltyResumed) -> None:
    if not loan.penalty_paused:
        raise refused.PenaltyNotPaused()


def _corrects(loan: Loan, event: events.TermsCorrected) -> None:
    before, after = event.before, event.after
    if before != loan.terms:
        raise refused.CorrectionOutdated()
    if after == before:
        raise refused.NothingCorrected()
    if (after.currency, after.principal_minor) != (before.currency, before.principal_minor):
        raise refused.AmountNotCorrectable()


Check = Callable[[Loan, Any], None]

CHECKS: dict[type[Event], tuple[Check, ...]] = {
    events.Approved: (_is_new,),
    events.DisbursementFailed: (_is_approved,),
    events.Cancelled: (_is_approved,),
    events.Disbursed: (_may_be_drawn, _has_amount, _is_agreed_amount),
    events.TakenOver: (_was_approved, _stands_as_said),
    events.RateChanged: (_is_running, _is_rate),
    events.PenaltyPaused: (_is_running, _penalty_runs),
    events.PenaltyResumed: (_is_running, _penalty_rests),
    events.Extended: (_is_running, _may_extend),
    events.Withdrawn: (_is_running, _may_step_back),
    events.FeeAdded: (_is_running, _has_amount, _is_agreed_fee),
    events.Credited: (_is_running, _has_amount, _is_known_credit),
    events.InterestPaused: (_is_running, _is_pause),
    events.Rescheduled: (_is_running, _dates_may_move, _is_other_date),
    events.Respread: (_is_running, _dates_may_move, _is_spread),
    events.Terminated: (_is_running, _has_due_dates),
    events.ChargedOff: (_is_running, _is_not_charged_off),
    events.ChargedBack: (_was_disbursed, _has_amount, _is_a_balance),
    events.Charged: (_was_disbursed, _has_amount, _is_agreed_charge),
    events.Waived: (_is_running, _has_amount, _is_owed),
    events.PaymentReceived: (_was_approved, _has_amount),  # money that came is never sent away
    events.WrittenOff: (_is_running,),
    events.PutOnNonAccrual: (_is_running, _is_not_charged_off, _is_not_on_non_accrual),
    events.RestoredToAccrual: (_is_running, _may_accrue_again),
    events.Recovered: (_is_written_off, _has_amount),
    events.Refunded: (_was_approved, _has_amount, _is_unapplied),
    events.Sold: (_is_running, _has_price),
    events.BuyerPaid: (_was_approved, _has_amount, _buyer_owes),
    events.Forwarded: (_was_approved, _has_amount, _is_the_buyers),
    events.PaymentReturned: (_was_approved,),
    events.Reversed: (_was_approved,),
    events.TermsCorrected: (_was_approved, _corrects),
    events.IncomeDeferred: (_is_running, _has_amount, _has_days_left),
    events.IncomeTakenBack: (_was_approved, _has_amount),
}
