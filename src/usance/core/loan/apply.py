"""What an event does to a loan: one total function per kind. None of them may refuse; after any back-dated event each
still has a meaning, and money without a place goes to the unapplied funds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from usance.core import calendar, money
from usance.core.loan import (
    allocate,
    carry,
    charges,
    defer,
    draw,
    events,
    levelling,
    never_drawn,
    plan,
    recognition,
    relief,
    reshape,
    state,
    status,
    to_come,
)
from usance.core.loan.bills import new_bill, next_period, turn_period
from usance.core.loan.book import Book, Step, Why
from usance.core.loan.events import Event
from usance.core.loan.movements import TO_BUYER, UNAPPLIED, Movement, change
from usance.core.loan.state import Loan
from usance.core.loan.waterfall import AGES


def apply(loan: Loan, event: Event, past: Sequence[Event] = ()) -> Step:
    """The loan after the event. It takes effect on the day the loan is at: advance first. `past`: all that took effect
    before, in order; a credit with its interest asks for it."""
    book = Book()
    return book.step(apply_into(loan, event, book, past))


def apply_into(loan: Loan, event: Event, book: Book, past: Sequence[Event]) -> Loan:
    """`apply`, writing into a book."""
    if event.effective_on != loan.at:
        raise ValueError(f"the loan is at {loan.at}, the event of {event.effective_on}")
    book.event = event.source
    more = (past,) if isinstance(event, events.Credited) else ()
    loan = recognition.derive(status.derive(APPLY[type(event)](loan, event, book, *more), book), book)
    book.event = ""
    return loan._replace(last_order=event.order)


def _says(formula: str, **inputs: Any) -> Why:
    return lambda: (formula, inputs)


# --- beginnings --------------------------------------------------------------------------------------------------


def approved(loan: Loan, event: events.Approved, book: Book) -> Loan:
    book.fact("approved", loan.at)
    return loan._replace(status="approved") if loan.status == "new" else loan


def disbursement_failed(loan: Loan, event: events.DisbursementFailed, book: Book) -> Loan:
    book.fact("disbursement_failed", loan.at, reason=event.reason)
    return loan


def cancelled(loan: Loan, event: events.Cancelled, book: Book) -> Loan:
    if loan.disbursed_on is not None:
        return loan
    book.fact("cancelled", loan.at, reason=event.reason)
    return loan._replace(status="cancelled")


def disbursed(loan: Loan, event: events.Disbursed, book: Book) -> Loan:
    """Principal, and what is due of it at once; the first time also the fees of the beginning and the due dates. What
    is left is repaid by the instalments to come, and by what there was too much."""
    first, on, levels_before = loan.disbursed_on is None, loan.at, draw.levels_before(loan)
    loan = book.post(
        loan, change("disbursed", "principal", event.amount_minor, on), "disbursement", _says("money received")
    )
    loan = loan._replace(disbursed_minor=loan.disbursed_minor + event.amount_minor)
    book.fact("disbursed", on, amount_minor=event.amount_minor)
    before = loan.disbursed_minor - event.amount_minor
    loan = _begun(loan, book) if first else _drawn_later(reshape.to_come_again(loan), book, event.amount_minor)
    if not loan.due_dates:  # all was due: it owes again, and what it had too much pays
        return allocate.allocate(status.derive(loan, book), book, on)
    loan = draw.spread(loan, book, loan.disbursed_minor - before, levels_before)
    return allocate.allocate(loan, book, on, ("past_due", "due") if first else AGES)


def taken_over(loan: Loan, event: events.TakenOver, book: Book) -> Loan:
    """From here on the loan is in our books. Where its past is not told as events, it is as the other system left it,
    and is levelled over the instalments to come unless that system said the instalment."""
    said = event.standing
    here = said is not None and loan.disbursed_on is None
    if said is not None and here:
        loan = carry.as_it_stood(loan, said, book)
        if loan.due_dates:
            loan = levelling.as_listed(levelling.anew(loan, 0, level_minor=said.level_minor))
        if loan.due_dates[:1] == (loan.at,):
            loan = turn_period(loan, book)
    loan = recognition.derive(loan, book)
    book.begin(loan)
    book.fact("taken_over", loan.at, outstanding_minor=state.outstanding(loan))
    return allocate.allocate(loan, book, loan.at, ("past_due", "due")) if here else loan


def _begun(loan: Loan, book: Book) -> Loan:
    """The loan on the day of its first money: fees of the beginning, rates and dates."""
    on, terms = loan.at, loan.terms
    for fee in terms.fees:
        if fee.when in ("deducted", "added_to_principal"):
            loan = _fee_at_start(loan, book, fee.kind, charges.fee_amount(loan, fee), fee.when)
    spans, dates = plan.rate_spans(terms, on), plan.due_dates(terms, on)
    loan = loan._replace(
        status="active", disbursed_on=on, disbursed_minor=loan.balances.get("principal", 0), due_dates=dates,
        matured_on=None, rate=spans[0][1], rate_changes=tuple(spans[1:]),
    )  # fmt: skip
    return loan._replace(period=next_period(loan))


def _drawn_later(loan: Loan, book: Book, amount: int) -> Loan:
    """More money: of the fees of the beginning it costs the share, for the flat amount was paid with the first."""
    before = loan.balances["principal"]
    for fee in loan.terms.fees:
        if fee.when in ("deducted", "added_to_principal"):
            share = money.rounded(fee.share * amount, loan.terms.rounding)
            loan = _fee_at_start(loan, book, fee.kind, share, fee.when)
    added = loan.balances["principal"] - before
    later = (*loan.drawn_later, (loan.at, amount + added))
    return loan._replace(disbursed_minor=loan.disbursed_minor + added, drawn_later=later)


def _fee_at_start(loan: Loan, book: Book, kind: str, amount: int, when: str) -> Loan:
    before = loan
    loan = charges.charge_fee(loan, book, kind, amount, loan.at, to="principal" if when == "added_to_principal" else "")
    charged = loan.charged_minor - before.charged_minor
    taxes = charges.taxes_on_fee(loan.terms, kind, charged)
    there = {f"fee:{kind}": charged} | {f"tax:{name}": tax for name, tax in taxes.items()}
    sums = {key: loan.fees_at_start.get(key, 0) + part for key, part in there.items()}
    loan = loan._replace(fees_at_start={key: part for key, part in {**loan.fees_at_start, **sums}.items() if part})
    if when == "added_to_principal":
        return loan
    owed_before = state.owed(before)
    for key, owed in sorted(state.owed(loan).items()):
        withheld = owed_before.get(key, 0) - owed
        name = "fee_withheld" if key.startswith("fee:") else "tax_withheld"
        loan = book.post(loan, change(name, key, withheld, loan.at), "fee.deducted", _says("kept back from the money"))
    return loan


# --- money -------------------------------------------------------------------------------------------------------


def payment_received(loan: Loan, event: events.PaymentReceived | events.Recovered, book: Book) -> Loan:
    """Into the unapplied funds, and put to use. For a debt that was sold it is kept for the buyer."""
    loan = charges.residue_when_paid(loan)
    to = TO_BUYER if loan.status == "sold" else UNAPPLIED
    posting = change("payment_received", to, event.amount_minor, loan.at)
    return _put_to_use(book.post(loan, posting, "payment", _says("money received")), book)


def _put_to_use(loan: Loan, book: Book) -> Loan:
    """From the unapplied funds to what is owed, then to the claim that was written off."""
    on = loan.at
    loan = allocate.allocate(loan, book, on)
    if loan.status == "written_off":
        amount = min(loan.claim_minor, state.unapplied(loan))
        loan = book.post(loan, change("recovered", "unapplied", -amount, on), "recovery", _says("on the claim"))
        return loan._replace(claim_minor=loan.claim_minor - amount)
    return relief.forgive_remainder(loan, book)


CREDITS: dict[str, Callable[[int, date], Movement]] = {  # somebody pays us for it, or nobody does
    "goodwill": lambda amount, on: change("credit_given", "unapplied", amount, on),
    "merchant_refund": lambda amount, on: change("credit_received", "unapplied", amount, on),
    "payout_refund": lambda amount, on: change("credit_received", "unapplied", amount, on),
    "interest_waiver": lambda amount, on: change("credit_given", "unapplied", amount, on),
    "charge_adjustment": lambda amount, on: change("credit_given", "unapplied", amount, on),
}


def credited(loan: Loan, event: events.Credited, book: Book, past: Sequence[Event]) -> Loan:
    """As a payment, spread by an order of its own where one is agreed."""
    on, agreed = loan.at, loan.terms
    more = never_drawn.interest_of(loan, event.amount_minor, past, apply_into) if event.interest_too else 0
    loan = charges.residue_when_paid(loan)._replace(given_back_minor=loan.given_back_minor + more)
    rule = next((credit for credit in agreed.credits if credit.reason == event.reason), None)
    given = CREDITS[event.reason](event.amount_minor, on), change("credit_given", "unapplied", more, on)
    for movement, spread in zip(given, (rule, None), strict=True):
        loan = book.post(loan, movement, f"credit.{event.reason}", _says("credited"))
        if spread:
            other = replace(agreed, allocation=spread.allocation, early_payment=spread.early_payment)
            loan = loan._replace(terms=other)
        loan = status.derive(allocate.allocate(loan, book, on)._replace(terms=agreed), book)
    return relief.forgive_remainder(loan, book)


def income_taken_back(loan: Loan, event: events.IncomeTakenBack, book: Book) -> Loan:
    """What the borrower owed of it counts as paid."""
    back = defer.taken_back(loan, event, book)
    return _put_to_use(back, book) if event.owed_by == "borrower" and back is not loan else back


def refunded(loan: Loan, event: events.Refunded, book: Book) -> Loan:
    """Out of the unapplied funds; if later knowledge left too little there, the borrower owes the rest again."""
    return _owed_again(loan, book, "principal", event.amount_minor, "refund", "sent back")


def charged_back(loan: Loan, event: events.ChargedBack, book: Book) -> Loan:
    """A part of what was paid is gone again: what is not there is owed."""
    return _owed_again(loan, book, event.balance, event.amount_minor, "chargeback", "taken back by who had paid")


def _owed_again(loan: Loan, book: Book, balance: str, amount: int, rule: str, why: str) -> Loan:
    """Money that left: out of the unapplied funds, and for the rest out of what the borrower had paid. Where the
    instalments stay, it is asked for by the next."""
    there, on = max(0, state.unapplied(loan)), loan.at
    if balance == "principal" and loan.still_bearing_minor:  # what is owed again bears interest by itself
        still = loan.still_bearing_minor - max(0, amount - there)
        loan = loan._replace(still_bearing_minor=max(0, still))
    stay = loan.terms.instalments_stay and loan.status in {*state.LIVE, "closed"}
    if there >= amount or not stay:
        loan = book.post(loan, change("refunded", "unapplied", -min(there, amount), on), rule, _says(why))
        return book.post(loan, change("charged_back", balance, max(0, amount - there), on), rule, _says(why))
    loan = reshape.to_come_again(loan)
    loan = book.post(loan, change("charged_back", balance, amount, on), rule, _says(why))
    due_on = on + calendar.ONE_DAY if loan.due_dates else on
    loan = reshape.asked_for(status.derive(loan, book), {balance: amount}, due_on)
    return allocate.allocate(loan, book, on)


def undone(loan: Loan, event: events.PaymentReturned | events.Reversed, book: Book) -> Loan:
    """Nothing by itself: replay leaves out the event that it undoes."""
    return loan


def terms_corrected(loan: Loan, event: events.TermsCorrected, book: Book) -> Loan:
    """Nothing by itself: replay folds the loan by the terms that count, from its beginning."""
    return loan


# --- changes -----------------------------------------------------------------------------------------------------


def penalty_paused(loan: Loan, event: events.PenaltyPaused, book: Book) -> Loan:
    return loan._replace(penalty_paused=True)


def penalty_resumed(loan: Loan, event: events.PenaltyResumed, book: Book) -> Loan:
    return loan._replace(penalty_paused=False)


def fee_added(loan: Loan, event: events.FeeAdded, book: Book) -> Loan:
    if loan.status not in state.LIVE:
        return loan
    return charges.charge_fee(loan, book, event.fee_kind, event.amount_minor, loan.at)


def charged(loan: Loan, event: events.Charged, book: Book) -> Loan:
    """Asked for by the instalment of its day. A loan that was paid off owes again, and what it had too much pays: that
    money came before today, as a charge counts before what is paid on its day."""
    if loan.status not in {*state.LIVE, "closed"}:
        return loan
    before, (component, _, kind) = state.owed(loan), event.balance.partition(":")
    if component == "penalty":
        loan = charges.charge_penalty(loan, book, event.amount_minor, loan.at)
    else:
        loan = charges.charge_fee(loan, book, kind, event.amount_minor, loan.at)
    added = {key: amount - before.get(key, 0) for key, amount in state.owed(loan).items()}
    loan = reshape.asked_for(loan, {key: amount for key, amount in added.items() if amount}, event.due_on)
    return allocate.allocate(status.derive(loan, book), book, loan.at, came_on=loan.at - calendar.ONE_DAY)


EXTEND_FROM: dict[str, Callable[[date, date], date]] = {
    "due_date": lambda due_on, today: due_on,
    "extension_date": lambda due_on, today: today,
    "later_of_both": max,
}


def extended_due_on(loan: Loan, days: int) -> date:
    """Where an extension made today moves the next (or, after maturity, the last) due date."""
    due_on = loan.due_dates[0] if loan.due_dates else loan.matured_on or loan.at
    how = loan.terms.extension.extend_from if loan.terms.extension else "later_of_both"
    moved = EXTEND_FROM[how](due_on, loan.at) + timedelta(days=days)
    tomorrow = loan.at + calendar.ONE_DAY
    return max(plan.rolled(loan.terms, max(moved, tomorrow)), tomorrow)


def extended(loan: Loan, event: events.Extended, book: Book) -> Loan:
    """What has accrued, with the extension fee, is billed today; principal waits for the new date, and a charge of a
    day of its own for that day."""
    if loan.status not in state.LIVE:
        return loan
    due_on = extended_due_on(loan, event.days)
    for fee in loan.terms.fees:
        if fee.when == "on_extension":
            loan = charges.charge_fee(loan, book, fee.kind, charges.fee_amount(loan, fee), loan.at)
    if loan.due_dates:
        shift = due_on - loan.due_dates[0]
        later = (plan.rolled(loan.terms, on + shift) for on in loan.due_dates[1:])
        dates = (due_on, *plan.apart(due_on, later))
    else:
        loan, dates = _take_back_principal(loan), (due_on,)
    charges_now = {key: amount for key, amount in state.regular(loan).items() if amount and key != "principal"}
    bills = loan.bills
    if charges_now:
        starts_on = loan.period.starts_on if loan.period else loan.at
        bills = (*bills, new_bill(bills, starts_on, loan.at, charges_now))
    moved = (due_on, *(on for on in reshape.still_moved(loan, dates) if on > due_on))
    loan = reshape.on_dates(loan, dates)._replace(moved_to=moved)
    loan = loan._replace(matured_on=None, bills=bills, extension_count=loan.extension_count + 1)
    book.fact("extended", loan.at, new_due_on=due_on.isoformat(), price_minor=sum(charges_now.values()))
    loan = loan._replace(period=next_period(loan), still_bearing_minor=0)
    return allocate.allocate(loan, book, loan.at, ("past_due", "due"))


def _take_back_principal(loan: Loan) -> Loan:
    """Principal that was billed and not paid is no longer due."""
    bills = list(loan.bills)
    for index, bill, remaining in state.open_bills(loan):
        if "principal" in remaining:
            due = bill.due["principal"] - remaining["principal"]
            down = bill.down_minor - min(bill.down_minor, remaining["principal"])
            bills[index] = bill._replace(due={**bill.due, "principal": due}, down_minor=down)
    return state.recounted(loan._replace(bills=tuple(bills)))


def withdrawn(loan: Loan, event: events.Withdrawn, book: Book) -> Loan:
    """What was received is owed, with its interest of these days: the fees of the beginning are given back, others
    forgiven; it is due once, in some days."""
    agreed = loan.terms.cooling_off
    if loan.status not in state.LIVE or agreed is None or loan.withdrawn_on is not None:
        return loan
    for key, amount in sorted(state.owed(loan).items()):
        if not (key in ("interest", "principal") or loan.terms.is_tax_on_interest(key)):
            loan = relief.relieve(loan, book, key, amount, "waived", "withdrawal")
    due_on = loan.at + timedelta(days=agreed.pay_days)
    borne = to_come.interest_since(loan, sum(loan.fees_at_start.values()) + loan.incomes.get("borrower", 0))
    loan = reshape.due_once(loan, due_on)
    loan = relief.relieve(loan, book, "interest", borne, "waived", "withdrawal")
    for key, amount in sorted(loan.fees_at_start.items()):
        kind = "fee_returned" if key.startswith("fee:") else "tax_returned"
        there = max(0, state.regular(loan).get("principal", 0))
        for balance, part in (("principal", -min(amount, there)), (UNAPPLIED, max(0, amount - there))):
            loan = book.post(loan, change(kind, balance, part, loan.at), "withdrawal", _says("given back", of=key))
    loan = defer.given_back(loan, book)
    book.fact("withdrawn", loan.at, due_on=due_on.isoformat())
    loan = loan._replace(fees_at_start={}, withdrawn_on=loan.at)
    return allocate.allocate(turn_period(loan, book) if due_on == loan.at else loan, book, loan.at)


APPLY: dict[type[Event], Callable[..., Loan]] = {
    events.Approved: approved,
    events.DisbursementFailed: disbursement_failed,
    events.Cancelled: cancelled,
    events.Disbursed: disbursed,
    events.TakenOver: taken_over,
    events.RateChanged: reshape.rate_changed,
    events.PenaltyPaused: penalty_paused,
    events.PenaltyResumed: penalty_resumed,
    events.Extended: extended,
    events.Withdrawn: withdrawn,
    events.FeeAdded: fee_added,
    events.Waived: relief.waived,
    events.PaymentReceived: payment_received,
    events.Credited: credited,
    events.Charged: charged,
    events.ChargedBack: charged_back,
    events.InterestPaused: reshape.interest_paused,
    events.Rescheduled: reshape.rescheduled,
    events.Respread: reshape.respread,
    events.Terminated: reshape.terminated,
    events.ChargedOff: reshape.charged_off,
    events.WrittenOff: relief.written_off,
    events.PutOnNonAccrual: recognition.put_on_non_accrual,
    events.RestoredToAccrual: recognition.restored_to_accrual,
    events.Recovered: payment_received,
    events.Refunded: refunded,
    events.Sold: relief.sold,
    events.BuyerPaid: relief.buyer_paid,
    events.Forwarded: relief.forwarded,
    events.PaymentReturned: undone,
    events.Reversed: undone,
    events.TermsCorrected: terms_corrected,
    events.IncomeDeferred: defer.income_deferred,
    events.IncomeTakenBack: income_taken_back,
}
