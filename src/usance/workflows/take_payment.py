"""Money coming in: by the rail's page, by a saved card, by debit under a mandate; and going back where it must.

Every way gives an instruction and ends in `settled`, which books the payment on the loan with the value date of the
card payment itself. The instruction's id is the event's source, so that one payment has one effect.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.audit import services as audit
from usance.apps.customers import consents, protections
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM, Actor, provider
from usance.ports.queue import task

LOAN = "servicing.loan"
MANDATE = "card_debit"
INCOMING = ("checkout", "debit")
OVER = ("closed", "sold")  # nothing is owed to us any more


class NothingToPay(Refusal):
    """Nothing is owed on this loan."""

    code = "nothing_to_pay"


class PaymentUnderWay(Refusal):
    """A payment for this loan is on its way: its outcome must be awaited before another is asked for."""

    code = "payment_under_way"


class NoCardToSendTo(Refusal):
    """Money did not come from a card, so it can go back to none by itself."""

    code = "no_card_to_send_to"


class CardNotThere(Refusal):
    """There is no card with a mandate in force to debit, or money is on its way already."""

    code = "card_not_there"


def pay(
    *,
    loan_id: UUID,
    amount_minor: int,
    key: str,
    at: datetime,
    actor: Actor,
    card_id: UUID | None = None,
    language: str = "en",
    extend_days: int = 0,
    to_close: bool = False,
) -> rails.Instruction:
    """The borrower pays: on the rail's page, or by a saved card. `extend_days`: the payment is the price of moving the
    due date to where it moves today; `to_close`: they mean to pay everything. `key` is the form's, so that a double
    click pays once. Raises NothingToPay, PaymentUnderWay, CardNotUsable, and what an extension may refuse."""
    loan = servicing.hold(loan_id=loan_id)  # two tabs, or a tab and the mandate's debit, are judged one after the other
    known = payments.by_key(f"pay:{key}")
    if known:
        return known
    waits_for = under_way(loan_id=loan_id)
    if waits_for is not None and not _is_on_a_page(waits_for):
        raise PaymentUnderWay()
    if loans.payoff(loan_id=loan_id, row=loan).total_minor <= 0:
        raise NothingToPay()
    meant: dict[str, Any] = {"to_close": True} if to_close else {}
    if extend_days:
        to = loans.extension_quote(loan_id=loan_id, days=extend_days).new_due_on
        meant = {"extend_days": extend_days, "new_due_on": to.isoformat()}
    return rails.give(
        kind="debit" if card_id else "checkout",
        key=f"pay:{key}",
        amount_minor=amount_minor,
        party_id=loan.party_id,
        subject_type=LOAN,
        subject_id=loan_id,
        card_id=card_id,
        then="take_payment.settled",
        description=f"Loan {loan.number}",
        details=meant,
        language=language,
        org_path=loan.org_path,
        at=at,
        actor=actor,
    )


def under_way(*, loan_id: UUID) -> rails.Instruction | None:
    """The newest payment for a loan that is open, or that the bank confirmed and the loan does not show yet; one that
    waits for its payer on the rail's page comes last, as it may never be made."""
    told = set(loans.events_of(loan_id=loan_id).values_list("source", flat=True))
    incoming = payments.for_subject(loan_id).filter(
        kind__in=INCOMING, state__in=(*payments.OPEN, rails.State.SUCCEEDED)
    )
    found = [one for one in incoming if one.is_open or f"instruction:{one.pk}" not in told]
    return min(found, key=_is_on_a_page, default=None)


def is_taken_in(instruction: rails.Instruction) -> bool:
    """Whether a payment that the bank confirmed has taken effect on its loan: a job sees to it a moment later."""
    return servicing.has_event(loan_id=instruction.subject_id, source=f"instruction:{instruction.pk}")


def _is_on_a_page(instruction: rails.Instruction) -> bool:
    """Whether it is up to the payer, on the rail's page, if anything comes of it."""
    return instruction.is_open and instruction.is_hosted


def debit(
    *, loan_id: UUID, amount_minor: int, key: str, at: datetime, actor: Actor = SYSTEM
) -> rails.Instruction | None:
    """Collects from the borrower's card under the mandate; nothing when there is no card, no mandate in force, or
    money is on its way already, or may be: what a person must reconcile first. The same key collects once."""
    loan = servicing.hold(loan_id=loan_id)
    card = card_for_debit(party_id=loan.party_id, on=tenancy.current().business_date)
    in_doubt = payments.for_subject(loan_id).filter(kind__in=INCOMING, state=rails.State.MISMATCH)
    if card is None or under_way(loan_id=loan_id) is not None or in_doubt.exists():
        return None
    return rails.give(
        kind="debit",
        key=f"debit:{key}",
        amount_minor=amount_minor,
        party_id=loan.party_id,
        subject_type=LOAN,
        subject_id=loan_id,
        card_id=card.pk,
        then="take_payment.settled",
        description=f"Loan {loan.number}",
        org_path=loan.org_path,
        at=at,
        actor=actor,
    )


def card_for_debit(*, party_id: UUID, on: date) -> Any | None:
    """The newest of a borrower's cards for which their mandate is in force; none while the law protects them."""
    if protections.stops(party_id=party_id, what=protections.DEBIT, on=on):
        return None
    for card in payments.cards_of(party_id):
        if consents.has_consent(party_id=party_id, purpose=MANDATE, on=on, subject_id=card.pk):
            return card
    return None


@task("take_payment.settled")
def settled(instruction_id: str) -> None:
    """What became of a payment takes effect on the loan: once, whoever tells it and how often."""
    with transaction.atomic(), audit.written_together():
        instruction = payments.instruction(UUID(instruction_id))
        actor = provider(instruction.provider, instruction.reference)
        if instruction.state == rails.State.SUCCEEDED:
            _book(instruction, actor)
            if instruction.returned_minor:
                _take_back(instruction, actor)
        elif instruction.state == rails.State.FAILED:
            _tell(instruction, "payment_failed", {"link": _account_link()})


def _book(instruction: rails.Instruction, actor: Actor) -> None:
    source, value_on = f"instruction:{instruction.pk}", payments.value_date(instruction)
    if servicing.has_event(loan_id=instruction.subject_id, source=source):
        return
    days = instruction.details.get("extend_days", 0)
    if days and _extend(instruction, days, source, value_on, actor):
        return
    loan = _receive(instruction.subject_id, source, instruction.booked_minor, value_on, actor)
    template, told = received(loan, instruction.booked_minor, value_on)
    if days and loan.status != "sold":
        template, told = "extension_not_made", told | {"outstanding_minor": loan.outstanding_minor}
    _tell(instruction, template, told | {"link": _account_link()}, loan=loan)


def received(loan: servicing.Loan, amount_minor: int, value_on: date) -> tuple[str, dict[str, Any]]:
    """What a borrower is told of money that was booked on a loan: the template, and what it says beside the number and
    the address."""
    told: dict[str, Any] = {"amount_minor": amount_minor}
    if sale := loans.sale_of(loan_id=loan.pk) if loan.status == "sold" else None:
        template = "payment_for_buyer" if value_on > sale.effective_on else "payment_before_sale"
        return template, told | {"buyer": sale.buyer}
    left = loan.outstanding_minor or loans.state_on(loan).claim_minor  # of what was written off, the claim stays
    if loan.unapplied_minor and not left:
        return "payment_too_much", told | {"over_minor": loan.unapplied_minor}
    return "payment_received", told | {"outstanding_minor": left}


def _receive(loan_id: UUID, source: str, amount_minor: int, value_on: date, actor: Actor) -> servicing.Loan:
    """An ordinary payment; on a loan that was written off, money collected on the claim."""
    written_off = loans.loan(loan_id).status == "written_off"
    book = servicing.recover if written_off else servicing.receive_payment
    return book(loan_id=loan_id, source=source, amount_minor=amount_minor, value_on=value_on, actor=actor)


def _extend(instruction: rails.Instruction, days: int, source: str, value_on: date, actor: Actor) -> bool:
    """Moves the due date with its price paid, to the day that was promised. False when the loan has changed so that it
    may not be extended any more or would move elsewhere (it was extended meanwhile), or when the money came so late
    that the price had grown: it is then an ordinary payment."""
    loan_id, paid_minor = instruction.subject_id, instruction.booked_minor
    try:
        with transaction.atomic():
            offered = loans.extension_quote(loan_id=loan_id, days=days, on=value_on)
            promised = instruction.details.get("new_due_on", offered.new_due_on.isoformat())
            if offered.price_minor > paid_minor or offered.new_due_on.isoformat() != promised:
                return False
            loan = servicing.extend(
                loan_id=loan_id,
                source=f"extension:{instruction.pk}",
                days=days,
                payment=(source, paid_minor, value_on),
                actor=actor,
            )
    except Refusal:
        return False
    amount = loans.owed(loan_id).next_due_minor
    _tell(instruction, "extension_made", {"due_on": loan.next_due_on, "amount_minor": amount})
    return True


def moved_the_date(instruction: rails.Instruction) -> bool:
    """Whether a payment that was to move the due date did so."""
    return servicing.has_event(loan_id=instruction.subject_id, source=f"extension:{instruction.pk}")


def _take_back(instruction: rails.Instruction, actor: Actor) -> None:
    """The rail took the payment back: the loan owes it again. What of it stayed with us stays paid, until more of it
    goes back."""
    loan_id, returned_minor = instruction.subject_id, instruction.returned_minor
    source, undoes = f"return:{instruction.pk}:{returned_minor}", _still_counted(instruction)
    if undoes is None or servicing.has_event(loan_id=loan_id, source=source):
        return
    reason = "taken back by the bank"
    servicing.return_payment(loan_id=loan_id, source=source, undoes=undoes, reason=reason, actor=actor)
    left_minor = instruction.booked_minor - returned_minor
    if left_minor > 0:
        rest = f"rest:{instruction.pk}:{returned_minor}"
        _receive(loan_id, rest, left_minor, payments.value_date(instruction), actor)
    elif moved_the_date(instruction):
        _undo_extension(instruction, actor)
        told = {"amount_minor": returned_minor, "due_on": _due_on(loan_id), "link": _account_link()}
        _tell(instruction, "extension_undone", told)
        return
    told = {"amount_minor": returned_minor, "link": _account_link()}
    _tell(instruction, "payment_taken_back", told, suffix=f":{returned_minor}")


def _due_on(loan_id: UUID) -> date:
    """The oldest unpaid due date, else the next; the business date where neither is left."""
    return loans.owed(loan_id).due_on or tenancy.current().business_date


def _undo_extension(instruction: rails.Instruction, actor: Actor) -> None:
    """Its price went back, all of it: the due date is the agreed one again. While a part stays with us, so does the
    extension, and the rest of its price is owed."""
    extension = f"extension:{instruction.pk}"
    undone = {row.payload.get("undoes") for row in loans.events_of(loan_id=instruction.subject_id)}
    if extension not in undone:
        servicing.reverse(
            loan_id=instruction.subject_id,
            source=f"return:{extension}",
            undoes=extension,
            reason="its price was taken back by the bank",
            actor=actor,
        )


def _still_counted(instruction: rails.Instruction) -> str | None:
    """The source by which this payment, or the rest of it, counts on its loan; None when nothing of it does."""
    told = list(loans.events_of(loan_id=instruction.subject_id))
    undone = {row.payload.get("undoes") for row in told}
    own, rests = f"instruction:{instruction.pk}", f"rest:{instruction.pk}"
    counted = [row.source for row in told if row.source == own or row.source.startswith(rests)]
    return next((source for source in reversed(counted) if source not in undone), None)


def send_back(*, instruction_id: UUID, amount_minor: int, key: str, at: datetime, actor: Actor) -> rails.Instruction:
    """Refunds money that the loan could not use to the card it came from. It leaves the loan now, so that nothing else
    can use it, and comes back if the rail refuses. Raises RefundTooLarge, MoreThanUnapplied."""
    known = payments.by_key(f"refund:{key}")
    if known:
        return known
    original = payments.instruction(instruction_id)
    servicing.require_unapplied(loan_id=original.subject_id, amount_minor=amount_minor)
    refund = rails.give_refund(
        original_id=instruction_id,
        amount_minor=amount_minor,
        key=f"refund:{key}",
        then="take_payment.sent_back",
        at=at,
        actor=actor,
    )
    servicing.refund_unapplied(
        loan_id=original.subject_id, source=f"instruction:{refund.pk}", amount_minor=amount_minor, actor=actor
    )
    return refund


def send_surplus_back(*, loan_id: UUID, at: datetime, actor: Actor) -> list[rails.Instruction]:
    """What a loan that is paid off or sold did not need goes back to the cards that it came from, the newest payment
    first; a second click finds nothing left. Raises NoCardToSendTo."""
    loan = servicing.hold(loan_id=loan_id)
    left = loan.unapplied_minor if loan.status in OVER else 0
    sent = []
    for paid in payments.for_subject(loan_id).filter(state=rails.State.SUCCEEDED) if left else ():
        amount = min(left, payments.refundable_minor(paid))
        if amount > 0:
            key = f"surplus:{paid.pk}:{loan.last_event_seq}"
            sent.append(send_back(instruction_id=paid.pk, amount_minor=amount, key=key, at=at, actor=actor))
            left -= amount
    if left and not sent:
        raise NoCardToSendTo()
    return sent


@task("take_payment.sent_back")
def sent_back(instruction_id: str) -> None:
    """Money that went back is told of; what the rail refused to take is the borrower's money again."""
    with transaction.atomic():
        refund = payments.instruction(UUID(instruction_id))
        source = f"failed:{refund.pk}"
        if refund.state == rails.State.SUCCEEDED:
            _tell(refund, "refund_sent", {})
        if refund.state not in (rails.State.FAILED, rails.State.CANCELLED):
            return
        _tell(refund, "refund_refused", {"link": _account_link()})
        if not servicing.has_event(loan_id=refund.subject_id, source=source):
            servicing.reverse(
                loan_id=refund.subject_id,
                source=source,
                undoes=f"instruction:{refund.pk}",
                reason="the refund was refused",
                actor=provider(refund.provider, refund.reference),
            )


def _account_link() -> str:
    return f"{institutions.base_url(tenancy.current_id())}/account/"


def _tell(
    instruction: rails.Instruction,
    template: str,
    more: dict[str, Any],
    suffix: str = "",
    loan: servicing.Loan | None = None,
) -> None:
    loan = loan or loans.loan(instruction.subject_id)
    messaging.tell(
        party_id=loan.party_id,
        template=template,
        key=f"{template}:{instruction.pk}{suffix}",
        moment=institutions.moment(tenancy.current(), clock.now()),
        context={"reference": loan.number, "amount_minor": instruction.amount_minor, **more},
        subject=(LOAN, loan.pk),
    )
