"""What happens to loans. Each function makes the event and tells it to the loan; `recording.tell` does the rest.

All take `source`, the stable key of where it came from ("instruction:<id>", "staff:<key>", "application:<id>"): the
same source again changes nothing. Dates are business dates; amounts are minor units of the loan's currency. All raise
NoSuchLoan, SourceUsedOtherwise, PeriodLocked and what `core.loan.admit` refuses, and then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from usance.apps.audit import services as audit
from usance.apps.institutions import services as institutions
from usance.apps.servicing import folding, selectors
from usance.apps.servicing.models import Loan, LoanEvent, LoanParty
from usance.apps.servicing.recording import lock, tell
from usance.core.loan import draw, events, refused, state
from usance.core.loan.terms import Terms
from usance.core.rates import Rate
from usance.ports.actor import Actor


def book_loan(
    *,
    party_id: UUID,
    product: str,
    terms: Terms,
    source: str,
    actor: Actor,
    product_version_id: UUID | None = None,
    application_id: UUID | None = None,
    org_path: str = institutions.ROOT,
    parties: Iterable[tuple[UUID, str]] = (),
    merchant: str = "",
    funder: str = "",
    owner_id: UUID | None = None,
) -> Loan:
    """A loan that we have committed ourselves to, not yet disbursed. `parties`: further ones, with their roles."""
    today = institutions.hold_business_date()
    if (earlier := _booked_before(source)) is not None:
        return earlier
    number = institutions.next_number(series="loan")  # whoever books at the same moment waits here
    if (earlier := _booked_before(source)) is not None:
        return earlier
    row = Loan.objects.create(
        number=f"L-{number:06d}",
        party_id=party_id,
        application_id=application_id,
        product_version_id=product_version_id,
        product=product,
        merchant=merchant,
        funder=funder,
        owner_id=owner_id,
        org_path=org_path,
        currency=terms.currency.code,
        amount_minor=terms.principal_minor,
        terms=terms.to_json(),
        booked_on=today,
        **folding.columns_of(state.new(terms, today)),
    )
    roles = dict.fromkeys([(party_id, "borrower"), *parties])
    LoanParty.objects.bulk_create([LoanParty(loan=row, party_id=party, role=role) for party, role in roles])
    audit.record(action="loan.booked", subject=row, actor=actor, digest=folding.terms_digest(row.terms))
    return tell(loan_id=row.pk, events=[events.Approved(effective_on=today, source=source)], actor=actor)


def _booked_before(source: str) -> Loan | None:
    told = LoanEvent.objects.filter(source=source, kind=events.Approved.__name__).values_list("loan_id", flat=True)
    loan_id = next(iter(told[:1]), None)
    return selectors.loan(loan_id) if loan_id else None


def disburse(*, loan_id: UUID, source: str, value_on: date, actor: Actor, amount_minor: int | None = None) -> Loan:
    """The borrower has the money since `value_on`; interest begins then. What is agreed to come first, mostly the whole
    principal, unless said otherwise."""
    amount = draw.first(selectors.terms_of(selectors.loan(loan_id))) if amount_minor is None else amount_minor
    event = events.Disbursed(effective_on=value_on, source=source, amount_minor=amount)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def disbursement_failed(*, loan_id: UUID, source: str, reason: str, actor: Actor, on: date | None = None) -> Loan:
    """Money was sent and did not arrive; it may be tried again."""
    event = events.DisbursementFailed(effective_on=_day(on), source=source, reason=reason)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def cancel(*, loan_id: UUID, source: str, reason: str, actor: Actor) -> Loan:
    """Given up before any money arrived."""
    event = events.Cancelled(effective_on=_day(), source=source, reason=reason)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def receive_payment(*, loan_id: UUID, source: str, amount_minor: int, value_on: date, actor: Actor) -> Loan:
    """Money for the loan, counted from the payer's own date: when that is past, the days since are folded anew and the
    difference is booked today. What exceeds the debt waits as unapplied funds."""
    event = events.PaymentReceived(effective_on=value_on, source=source, amount_minor=amount_minor)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def return_payment(
    *, loan_id: UUID, source: str, undoes: str, reason: str, actor: Actor, on: date | None = None
) -> Loan:
    """The rail took the payment with the source `undoes` back: the loan is as if it had never come."""
    event = events.PaymentReturned(effective_on=_day(on), source=source, undoes=undoes, reason=reason)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def refund_unapplied(*, loan_id: UUID, source: str, amount_minor: int, actor: Actor, on: date | None = None) -> Loan:
    """Unapplied money went back to the borrower."""
    event = events.Refunded(effective_on=_day(on), source=source, amount_minor=amount_minor)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def extend(
    *,
    loan_id: UUID,
    source: str,
    days: int,
    actor: Actor,
    payment: tuple[str, int, date] | None = None,
    on: date | None = None,
) -> Loan:
    """The due date moves by `days`, for the price in the quote. `payment` is the money for it (source, amount, value
    date): both count from that date, the extension first."""
    if payment is None:
        told: list[events.Event] = [events.Extended(effective_on=_day(on), source=source, days=days)]
    else:
        paid_by, amount_minor, value_on = payment
        told = [
            events.Extended(effective_on=value_on, source=source, days=days),
            events.PaymentReceived(effective_on=value_on, source=paid_by, amount_minor=amount_minor),
        ]
    return tell(loan_id=loan_id, events=told, actor=actor)


def step_back(*, loan_id: UUID, source: str, actor: Actor, on: date | None = None) -> Loan:
    """The borrower gives the loan back in the first days. Raises NoCoolingOff, CoolingOffOver."""
    return tell(loan_id=loan_id, events=[events.Withdrawn(effective_on=_day(on), source=source)], actor=actor)


def waive(
    *, loan_id: UUID, source: str, balance: str, amount_minor: int, reason: str, actor: Actor, on: date | None = None
) -> Loan:
    """Forgives up to an amount of one balance ("interest", "fee:service", "penalty", ...)."""
    event = events.Waived(
        effective_on=_day(on), source=source, balance=balance, amount_minor=amount_minor, reason=reason
    )
    return tell(loan_id=loan_id, events=[event], actor=actor)


def change_rate(*, loan_id: UUID, source: str, rate: Rate, actor: Actor, on: date | None = None) -> Loan:
    """Another rate from a day on."""
    event = events.RateChanged(effective_on=_day(on), source=source, rate=rate)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def pause_penalty(*, loan_id: UUID, source: str, reason: str, actor: Actor, on: date | None = None) -> Loan:
    """No penalties and lateness fees from this day on."""
    event = events.PenaltyPaused(effective_on=_day(on), source=source, reason=reason)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def resume_penalty(*, loan_id: UUID, source: str, actor: Actor, on: date | None = None) -> Loan:
    """Penalties count again from this day on."""
    event = events.PenaltyResumed(effective_on=_day(on), source=source)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def reverse(*, loan_id: UUID, source: str, undoes: str, reason: str, actor: Actor) -> Loan:
    """Undoes our own entry with the source `undoes`: the loan is as if it had never been told."""
    event = events.Reversed(effective_on=_day(), source=source, undoes=undoes, reason=reason)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def write_off(*, loan_id: UUID, source: str, reason: str, actor: Actor, on: date | None = None) -> Loan:
    """All that is owed leaves the books; the claim stays."""
    event = events.WrittenOff(effective_on=_day(on), source=source, reason=reason)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def recover(*, loan_id: UUID, source: str, amount_minor: int, value_on: date, actor: Actor) -> Loan:
    """Money collected on a claim that was written off."""
    event = events.Recovered(effective_on=value_on, source=source, amount_minor=amount_minor)
    return tell(loan_id=loan_id, events=[event], actor=actor)


def record(*, loan_id: UUID, event: events.Event, actor: Actor) -> Loan:
    """Tells any event, as it was previewed."""
    return tell(loan_id=loan_id, events=[event], actor=actor)


def has_event(*, loan_id: UUID, source: str) -> bool:
    """Whether this source was told to the loan before."""
    return LoanEvent.objects.filter(loan_id=loan_id, source=source).exists()


def hold(*, loan_id: UUID) -> Loan:
    """The loan, about which nobody else decides until the caller's transaction ends. Raises NoSuchLoan."""
    return lock(loan_id)


def require_unapplied(*, loan_id: UUID, amount_minor: int) -> None:
    """Raises MoreThanUnapplied when so much does not wait on the loan; until the transaction ends it stays there."""
    there = lock(loan_id).unapplied_minor
    if amount_minor > there:
        raise refused.MoreThanUnapplied(amount_minor=amount_minor, unapplied_minor=there)


def _day(on: date | None = None) -> date:
    """The day it counts from: the business date unless an earlier one is given."""
    return on or institutions.hold_business_date()
