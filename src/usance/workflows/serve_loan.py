"""What colleagues do to a loan by hand, each with the check that the act needs: its own receipt, a second person.

`key` is the form's: the same key again does nothing more. A waiver is done at once up to a small share of the loan,
summed over all waivers by hand; above it, and for every write-off, every other rate and every correction of the terms,
a second person approves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from usance.apps.access.selectors import User
from usance.apps.desk import services as desk
from usance.apps.payments import receipts
from usance.apps.products import caps
from usance.apps.servicing import corrections
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.loan import events, quote, refused, state
from usance.core.loan.terms import RateStep, Terms
from usance.core.rates import Rate
from usance.ports.actor import Actor, staff

LOAN = "servicing.loan"
WAIVE, WRITE_OFF, CHANGE_RATE, CORRECT = "loan.waive", "loan.write_off", "loan.change_rate", "loan.correct_terms"
ALONE_SHARE = 100  # one person alone forgives at most a hundredth of the agreed amount, over the loan's life


def source_of(key: str) -> str:
    """The loan's event source for a form's key."""
    return f"staff:{key}"


def done_before(*, loan_id: UUID, key: str) -> bool:
    return servicing.has_event(loan_id=loan_id, source=source_of(key))


def take_receipt(
    *,
    loan_id: UUID,
    key: str,
    how: str,
    reference: str,
    amount_minor: int,
    value_on: date,
    at: datetime,
    actor: Actor,
) -> servicing.Loan:
    """Money that came to the counter or the bank account, counted from its value date; on a loan that was written off,
    money collected on the claim. Raises ReceiptKnown and what the loan refuses."""
    loan = loans.loan(loan_id)
    receipts.note(
        how=how,
        reference=reference,
        loan_id=loan.pk,
        party_id=loan.party_id,
        amount_minor=amount_minor,
        currency=loan.currency,
        value_on=value_on,
        source=source_of(key),
        org_path=loan.org_path,
        at=at,
        actor=actor,
    )
    book = servicing.recover if loan.status == "written_off" else servicing.receive_payment
    return book(loan_id=loan.pk, source=source_of(key), amount_minor=amount_minor, value_on=value_on, actor=actor)


def undo(*, loan_id: UUID, key: str, undoes: str, reason: str, at: datetime, actor: Actor) -> servicing.Loan:
    """Reverses what was booked by mistake; a receipt's reference may then be booked again."""
    loan = servicing.reverse(loan_id=loan_id, source=source_of(key), undoes=undoes, reason=reason, actor=actor)
    receipts.undo(source=undoes, at=at)
    return loan


def waived_by_hand(loan_id: UUID) -> int:
    """What was forgiven on the loan so far and not undone, in minor units."""
    told = [events.from_json(row.payload) for row in loans.events_of(loan_id=loan_id)]
    undone = {event.undoes for event in told if isinstance(event, events.Reversed | events.PaymentReturned)}
    given = (events.Waived, events.Credited)
    return sum(e.amount_minor for e in told if isinstance(e, given) and e.source not in undone)


def propose(
    loan: servicing.Loan, kind: str, *, before: Mapping[str, Any], after: Mapping[str, Any], maker: User | None,
    at: datetime, reason: str, asked_by: UUID | None = None,
) -> Any:  # fmt: skip
    """Asks a second person about something on a loan. Raises AlreadyProposed."""
    return desk.propose(
        kind=kind, subject=(LOAN, loan.pk), before=before, after=after, maker=maker, asked_by=asked_by, at=at,
        reason=reason, reference=loan.number, org_path=loan.org_path,
    )  # fmt: skip


def left_alone(loan: servicing.Loan) -> int:
    """How much one person may still forgive on the loan alone, in minor units."""
    return max(0, loan.amount_minor // ALONE_SHARE - waived_by_hand(loan.pk))


def waive(
    *, loan_id: UUID, key: str, balance: str, amount_minor: int, reason: str, maker: User, at: datetime
) -> Any | None:
    """Forgives part of a balance at once, or proposes it (then gives the proposal). Raises what the loan refuses, and
    AlreadyProposed."""
    loan = loans.loan(loan_id)
    day = loans.business_date()
    event = events.Waived(
        effective_on=day, source=source_of(key), balance=balance, amount_minor=amount_minor, reason=reason
    )
    _require_owed(loan_id, balance, amount_minor)  # refused now rather than when the second person approves
    loans.preview(loan_id=loan_id, event=event)
    if amount_minor <= left_alone(loan):
        servicing.waive(
            loan_id=loan_id, source=source_of(key), balance=balance, amount_minor=amount_minor, reason=reason,
            actor=staff(maker.pk),
        )  # fmt: skip
        return None
    owed = loans.loan_view(loan_id=loan_id).balances.get(balance, 0)
    return propose(
        loan, WAIVE, before={"balance": balance, "owed_minor": owed},
        after={"balance": balance, "owed_minor": owed - amount_minor, "amount_minor": amount_minor, "key": key,
               "reason": reason},
        maker=maker, at=at, reason=reason,
    )  # fmt: skip


def _require_owed(loan_id: UUID, balance: str, amount_minor: int) -> None:
    """Raises LoanNotRunning, MoreThanOwed by what stands now. The engine would count a waiver before the payments of
    its own day, so that what was paid today could still be forgiven, and would be owed to the borrower."""
    servicing.hold(loan_id=loan_id)
    view = loans.loan_view(loan_id=loan_id)
    if view.state.status not in state.LIVE:
        raise refused.LoanNotRunning(status=view.state.status)
    there = view.balances.get(balance, 0)
    if amount_minor > there:
        raise refused.MoreThanOwed(balance=balance, amount_minor=amount_minor, owed_minor=there)


def apply_waiver(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """The second person said yes. Refused when less is owed by now."""
    _require_owed(UUID(subject_id), after["balance"], after["amount_minor"])
    servicing.waive(
        loan_id=UUID(subject_id),
        source=source_of(after["key"]),
        balance=after["balance"],
        amount_minor=after["amount_minor"],
        reason=after["reason"],
        actor=actor,
    )


def propose_write_off(*, loan_id: UUID, key: str, reason: str, maker: User, at: datetime) -> Any:
    """A second person decides whether the loan leaves the books. Raises what the loan refuses, and AlreadyProposed."""
    loan = loans.loan(loan_id)
    event = events.WrittenOff(effective_on=loans.business_date(), source=source_of(key), reason=reason)
    before = loans.preview(loan_id=loan_id, event=event).before
    return propose(
        loan, WRITE_OFF, before={"status": loan.status, "owed_minor": before.outstanding_minor},
        after={"status": "written_off", "owed_minor": 0, "key": key, "reason": reason},
        maker=maker, at=at, reason=reason,
    )  # fmt: skip


def apply_write_off(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """The second person said yes."""
    servicing.write_off(loan_id=UUID(subject_id), source=source_of(after["key"]), reason=after["reason"], actor=actor)


def propose_rate(*, loan_id: UUID, key: str, rate: Rate, value_on: date, reason: str, maker: User, at: datetime) -> Any:
    """A second person decides whether the loan bears another rate from a day on, today or earlier; then it is folded
    anew since that day and the difference is booked. Raises what the loan refuses, and AlreadyProposed."""
    loan = loans.loan(loan_id)
    preview = preview_rate(loan, rate_event(key=key, rate=rate, value_on=value_on))
    borne = loans.state_on(loan, value_on).rate
    return propose(
        loan, CHANGE_RATE, before={**_as_text(borne), "owed_minor": preview.before.outstanding_minor},
        after={**_as_text(rate), "owed_minor": preview.after.outstanding_minor, "value_on": value_on.isoformat(),
               "key": key, "reason": reason},
        maker=maker, at=at, reason=reason,
    )  # fmt: skip


def preview_rate(loan: servicing.Loan, event: events.RateChanged) -> quote.Preview:
    """The exact effect of another rate. Raises what the loan refuses, and PriceOverCap: a rate at which nothing may be
    lent on that day."""
    bound = loans.terms_of(loan)
    lent = replace(bound, rates=(RateStep(from_day=0, rate=event.rate),))
    caps.check_change(before=bound, after=lent, on=event.effective_on)
    return loans.preview(loan_id=loan.pk, event=event)


def rate_event(*, key: str, rate: Rate, value_on: date) -> events.RateChanged:
    return events.RateChanged(effective_on=value_on, source=source_of(key), rate=rate)


def _as_text(rate: Rate) -> dict[str, str]:
    return {"share": str(rate.share), "per": rate.per}


def rate_of(side: Mapping[str, Any]) -> Rate:
    """The rate of one side of a proposal."""
    return Rate(Fraction(side["share"]), side["per"])


def apply_rate(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """The second person said yes."""
    servicing.change_rate(
        loan_id=UUID(subject_id),
        source=source_of(after["key"]),
        rate=rate_of(after),
        on=date.fromisoformat(after["value_on"]),
        actor=actor,
    )


def preview_correction(loan: servicing.Loan, terms: Terms) -> quote.Preview:
    """The exact effect of other terms. Raises what the loan refuses, and PriceOverCap by the law of its first day."""
    bound = loans.terms_of(loan)
    caps.check_change(before=bound, after=terms, on=loan.disbursed_on or loan.booked_on)
    return corrections.preview(loan_id=loan.pk, before=bound, after=terms)


def propose_correction(*, loan_id: UUID, key: str, terms: Terms, reason: str, maker: User, at: datetime) -> Any:
    """A second person decides whether the loan is bound by other terms from its beginning; then it is folded anew and
    the difference is booked. Raises what the loan refuses, and AlreadyProposed."""
    loan = loans.loan(loan_id)
    bound = loans.terms_of(loan)
    preview = preview_correction(loan, terms)
    return propose(
        loan, CORRECT, before={"terms": bound.to_json(), "owed_minor": preview.before.outstanding_minor},
        after={"terms": terms.to_json(), "instead_of": bound.to_json(),
               "owed_minor": preview.after.outstanding_minor, "key": key, "reason": reason},
        maker=maker, at=at, reason=reason,
    )  # fmt: skip


def apply_correction(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """The second person said yes. Refused when the terms were corrected since it was proposed."""
    corrections.correct_terms(
        loan_id=UUID(subject_id),
        source=source_of(after["key"]),
        before=Terms.from_json(after["instead_of"]),
        after=Terms.from_json(after["terms"]),
        reason=after["reason"],
        actor=actor,
    )
