"""From a signed agreement to money on the borrower's card.

    signed -> the loan is booked, the payout instructed -> settled -> disbursed, with the day on which the money arrived

A payout that the bank refuses leaves the application signed and the loan approved: the borrower names another card or
leaves at no cost. A payout whose answer was lost is asked about, never sent again.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from usance.apps.agreements import selectors as papers
from usance.apps.audit import services as audit
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.origination import selectors as applications
from usance.apps.origination import services as origination
from usance.apps.payments import doubts
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.loan import quote
from usance.core.loan.terms import Terms
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM, Actor, provider
from usance.ports.queue import task
from usance.workflows import served

PAYOUT = "payout"


class PayoutUnderWay(Refusal):
    """Money may already be on its way to the borrower: nothing may change until that is known."""

    code = "payout_under_way"


class NothingToFund(Refusal):
    """The application is not waiting for its money."""

    code = "nothing_to_fund"


def fund(*, application_id: UUID, card_id: UUID, at: datetime, actor: Actor) -> UUID:
    """Books the loan of a signed application, if it is not booked yet, and instructs its payout to a card of the
    borrower. In the caller's transaction. Returns the loan's id. Raises NothingToFund, PayoutUnderWay,
    CardNotUsable, NoLongerServed, CardOfSomebodyElse."""
    application = origination.hold(application_id=application_id)  # or it could be left in another tab meanwhile
    if application.state != "signed":
        raise NothingToFund()
    card = payments.card_of(card_id=card_id, party_id=application.party_id)
    if card is not None:
        served.require(application=application, card=card)
    document = papers.signed_agreement(application_id)
    if document is None:
        raise NothingToFund()
    terms = Terms.from_json(document.content["terms"])
    business_date = tenancy.current().business_date
    loan = servicing.book_loan(
        party_id=application.party_id,
        product=application.product.code,
        terms=terms,
        product_version_id=application.product_version_id,
        application_id=application.pk,
        org_path=application.org_path,
        parties=((application.party_id, "borrower"),),
        source=f"application:{application.pk}",
        actor=actor,
    )
    if loan.status != "approved":
        raise NothingToFund()
    if payments.may_have_moved(subject_id=loan.pk, kind=PAYOUT):
        raise PayoutUnderWay()
    attempt = payments.for_subject(loan.pk).filter(kind=PAYOUT).count() + 1
    rails.give(
        kind=PAYOUT,
        key=f"payout:{loan.pk}:{attempt}",
        amount_minor=quote.net_disbursement(terms),
        party_id=application.party_id,
        subject_type="servicing.loan",
        subject_id=loan.pk,
        card_id=card_id,
        then="fund_loan.payout_settled",
        description=f"Loan {loan.number}",
        language=application.language,
        org_path=application.org_path,
        at=at,
        actor=actor,
    )
    origination.move(application_id=application.pk, to="funding", actor=actor, on=business_date, at=at)
    return loan.pk


@task("fund_loan.payout_settled")
def payout_settled(instruction_id: str) -> None:
    """What became of a payout takes effect on the loan: once, whoever tells it and how often."""
    with transaction.atomic(), audit.written_together():
        instruction = payments.instruction(UUID(instruction_id))
        actor = provider(instruction.provider, instruction.reference)
        if instruction.state == rails.State.SUCCEEDED and instruction.returned_minor < instruction.amount_minor:
            _money_arrived(instruction, actor)
            if instruction.returned_minor:  # a part came back: what it means for the loan is for a person to say
                doubts.leave_to_a_person(instruction_id=instruction.pk, at=clock.now())
        elif instruction.state == rails.State.SUCCEEDED:
            _money_came_back(instruction, actor)
        elif instruction.state in (rails.State.FAILED, rails.State.CANCELLED):
            _payout_refused(instruction, actor)


def _money_arrived(instruction: rails.Instruction, actor: Actor) -> None:
    approved = loans.loan(instruction.subject_id)
    if servicing.has_event(loan_id=approved.pk, source=f"instruction:{instruction.pk}"):
        return
    if approved.status != "approved":  # given up, or paid out by a later order, while this one was taken for lost
        doubts.set_aside(instruction_id=instruction.pk, at=clock.now())
        return
    loan = servicing.disburse(
        loan_id=instruction.subject_id,
        source=f"instruction:{instruction.pk}",
        value_on=max(payments.value_date(instruction), approved.booked_on),  # a rail's clock may lag around midnight
        actor=actor,
    )
    _move_application(loan.application_id, to="funded", was="funding", actor=actor)
    _tell(
        loan.party_id,
        "money_sent",
        key=f"money_sent:{instruction.pk}",
        subject=("servicing.loan", loan.pk),
        context={
            "reference": loan.number,
            "amount_minor": instruction.amount_minor,
            "card": str(instruction.card),
            "due_on": loan.next_due_on,
        },
    )


def _money_came_back(instruction: rails.Instruction, actor: Actor) -> None:
    """The rail said yes and later took the money back: it never arrived, so it never accrued."""
    source, undoes = f"return:{instruction.pk}", f"instruction:{instruction.pk}"
    loan = loans.loan(instruction.subject_id)
    if not servicing.has_event(loan_id=loan.pk, source=undoes):
        _payout_refused(instruction, actor)  # both were told before anything was booked
        return
    if servicing.has_event(loan_id=loan.pk, source=source):
        return
    servicing.reverse(loan_id=loan.pk, source=source, undoes=undoes, reason="the payout never arrived", actor=actor)
    _move_application(loan.application_id, to="signed", was="funded", actor=actor)
    _tell_failed(instruction, loan)


def _payout_refused(instruction: rails.Instruction, actor: Actor) -> None:
    """Another card may be named. Told twice, it must not undo a later payout that is on its way."""
    newest = payments.latest(subject_id=instruction.subject_id, kind=PAYOUT)
    if newest is None or newest.pk != instruction.pk:
        return
    loan = loans.loan(instruction.subject_id)
    _move_application(loan.application_id, to="signed", was="funding", actor=actor)
    _tell_failed(instruction, loan)


def _tell_failed(instruction: rails.Instruction, loan: object) -> None:
    base_url = institutions.base_url(tenancy.current_id())
    _tell(
        loan.party_id,  # type: ignore[attr-defined]
        "payout_failed",
        key=f"payout_failed:{instruction.pk}:{instruction.returned_minor}",
        subject=("servicing.loan", loan.pk),  # type: ignore[attr-defined]
        context={
            "reference": loan.number,  # type: ignore[attr-defined]
            "amount_minor": instruction.amount_minor,
            "link": f"{base_url}/account/",
        },
    )


def _move_application(application_id: UUID | None, *, to: str, was: str, actor: Actor) -> None:
    """A notice that comes twice finds the application moved already."""
    if application_id is None:
        return
    if applications.application(application_id=application_id).state == was:
        business_date = tenancy.current().business_date
        origination.move(application_id=application_id, to=to, actor=actor, on=business_date, at=clock.now())


def _tell(party_id: UUID, template: str, *, key: str, subject: tuple[str, UUID], context: dict[str, object]) -> None:
    moment = institutions.moment(tenancy.current(), clock.now())
    messaging.tell(party_id=party_id, template=template, key=key, moment=moment, context=context, subject=subject)


def leave(*, application_id: UUID, at: datetime, actor: Actor) -> None:
    """The borrower gives up a signed loan whose money never came: nothing is owed. Raises PayoutUnderWay."""
    application = origination.hold(application_id=application_id)
    loan = loans.loan_of_application(application_id)
    if loan is not None:
        if payments.may_have_moved(subject_id=loan.pk, kind=PAYOUT):
            raise PayoutUnderWay()
        servicing.cancel(
            loan_id=loan.pk, source=f"leave:{application_id}", reason="left before the payout", actor=actor
        )
    business_date = tenancy.current().business_date
    origination.withdraw(application_id=application.pk, actor=actor or SYSTEM, on=business_date, at=at)
