"""A further part of a loan that is drawn in parts: one colleague proposes it, or the borrower asks for it
(`ask_part.py`), a second person approves the money, the rail pays it to the borrower's card, and from the day it
arrived the loan owes it.

Nothing is booked before the rail says that the money is there. While one part is on its way no other is ordered. A part
that arrives on a loan which can take it no more is not booked: a person finds out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.access.selectors import User
from usance.apps.audit import services as audit
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.origination import selectors as applications
from usance.apps.payments import doubts
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.apps.servicing import drawn
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.loan import quote
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import Actor, provider
from usance.ports.queue import task
from usance.workflows import serve_loan, served
from usance.workflows.fund_loan import PAYOUT, PayoutUnderWay

DRAW = "loan.draw"


def look(*, loan_id: UUID, amount_minor: int, card_id: UUID, source: str, at: datetime) -> tuple[quote.Preview, int]:
    """What the part would do, and what would be sent of it. Raises what the loan refuses, CustomerIsBlocked,
    CustomerIsProtected, CardNotUsable, CardWaits, PayoutUnderWay."""
    loan = servicing.hold(loan_id=loan_id)
    served.require_offerable(party_id=loan.party_id)
    rails.require_payable(card_id=card_id, party_id=loan.party_id, at=at)
    if under_way(loan_id):
        raise PayoutUnderWay()
    return drawn.preview(loan_id=loan_id, amount_minor=amount_minor, source=source)


def require_own_card(*, loan: loans.Loan, card_id: UUID) -> None:
    """Of a card that came after we decided to lend nobody has looked at whose it is. Raises CardOfSomebodyElse."""
    applied = applications.application(application_id=loan.application_id) if loan.application_id else None
    card = payments.card_of(card_id=card_id, party_id=loan.party_id)
    served.require_own_card(card=card, decided_at=applied.decided_at if applied else None)


def under_way(loan_id: UUID) -> rails.Instruction | None:
    """The order whose money may be on its way to the borrower and is not booked yet."""
    for one in payments.for_subject(loan_id).filter(kind=PAYOUT):
        if one.may_have_moved and not servicing.has_event(loan_id=loan_id, source=f"instruction:{one.pk}"):
            return one
    return None


def propose(
    *,
    loan_id: UUID,
    key: str,
    amount_minor: int,
    card_id: UUID,
    reason: str,
    maker: User | None,
    at: datetime,
    asked_by: UUID | None = None,
    code_id: UUID | None = None,
) -> Any:
    """A second person decides whether the money goes out. Without a `maker`, the borrower asked for it and confirmed it
    by a code. Raises as `look`, and AlreadyProposed."""
    preview, sent = look(
        loan_id=loan_id, amount_minor=amount_minor, card_id=card_id, source=serve_loan.source_of(key), at=at
    )
    loan = loans.loan(loan_id)
    card = payments.card_of(card_id=card_id, party_id=loan.party_id)
    return serve_loan.propose(
        loan, DRAW, before={"owed_minor": loan.outstanding_minor, "next_minor": preview.before.next_due_minor},
        after={"owed_minor": preview.after.outstanding_minor, "next_minor": preview.after.next_due_minor,
               "amount_minor": amount_minor, "sent_minor": sent, "card": str(card), "card_id": str(card_id),
               "key": key, "reason": reason, "code_id": str(code_id or "")},
        maker=maker, asked_by=asked_by, at=institutions.moment(tenancy.current(), at), reason=reason,
    )  # fmt: skip


def apply(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """The second person said yes: the rail is told to pay. Raises as `look`, by what stands now; where the borrower
    asked for it, CardOfSomebodyElse too. `at` is the business moment of the desk; money is ordered in real time."""
    loan_id, amount, now = UUID(subject_id), int(after["amount_minor"]), clock.now()
    source = serve_loan.source_of(after["key"])
    _preview, sent = look(loan_id=loan_id, amount_minor=amount, card_id=UUID(after["card_id"]), source=source, at=now)
    loan = loans.loan(loan_id)
    by_borrower = maker_id == loan.party_id
    if by_borrower:
        require_own_card(loan=loan, card_id=UUID(after["card_id"]))
    rails.give(
        kind=PAYOUT,
        key=f"part:{after['key']}",
        amount_minor=sent,
        party_id=loan.party_id,
        subject_type=serve_loan.LOAN,
        subject_id=loan.pk,
        card_id=UUID(after["card_id"]),
        then="draw_part.settled",
        description=f"Loan {loan.number}",
        details={"drawn_minor": amount, "by_borrower": by_borrower},
        org_path=loan.org_path,
        at=now,
        actor=actor,
    )


@task("draw_part.settled")
def settled(instruction_id: str) -> None:
    """What became of the payout takes effect on the loan: once, whoever tells it and how often."""
    with transaction.atomic(), audit.written_together():
        instruction = payments.instruction(UUID(instruction_id))
        actor = provider(instruction.provider, instruction.reference)
        came_back = instruction.returned_minor >= instruction.amount_minor
        if instruction.state == rails.State.SUCCEEDED and not came_back:
            _arrived(instruction, actor)
        elif instruction.state == rails.State.SUCCEEDED:
            _came_back(instruction, actor)
        elif instruction.state in (rails.State.FAILED, rails.State.CANCELLED):
            doubts.leave_to_a_person(instruction_id=instruction.pk, at=clock.now())
            if instruction.details.get("by_borrower"):  # whom a colleague proposed it for, a colleague calls
                tell_not_paid_out(
                    loan=loans.loan(instruction.subject_id),
                    amount_minor=instruction.details["drawn_minor"],
                    about=instruction.pk,
                    moment=institutions.moment(tenancy.current(), clock.now()),
                )


def tell_not_paid_out(*, loan: loans.Loan, amount_minor: int, about: UUID, moment: datetime) -> None:
    """To the borrower who asked: it is not paid out. Why, the loan's page says. `about`: what came to nothing."""
    messaging.tell(
        party_id=loan.party_id,
        template="part_not_paid_out",
        key=f"part_not_paid_out:{about}",
        moment=moment,
        context={
            "reference": loan.number,
            "amount_minor": amount_minor,
            "link": f"{institutions.base_url(tenancy.current_id())}/loans/{loan.pk}/",
        },
        subject=(serve_loan.LOAN, loan.pk),
    )


def _arrived(instruction: rails.Instruction, actor: Actor) -> None:
    source = f"instruction:{instruction.pk}"
    loan = servicing.hold(loan_id=instruction.subject_id)
    if servicing.has_event(loan_id=loan.pk, source=source):
        return
    try:
        with transaction.atomic():
            loan = servicing.disburse(
                loan_id=loan.pk,
                amount_minor=int(instruction.details["drawn_minor"]),
                source=source,
                value_on=max(payments.value_date(instruction), loan.booked_on),
                actor=actor,
            )
    except Refusal:  # closed, written off or full by now: the money is with the borrower, and a person settles it
        doubts.set_aside(instruction_id=instruction.pk, at=clock.now())
        return
    if instruction.returned_minor:
        doubts.leave_to_a_person(instruction_id=instruction.pk, at=clock.now())
    messaging.tell(
        party_id=loan.party_id,
        template="money_sent",
        key=f"money_sent:{instruction.pk}",
        moment=institutions.moment(tenancy.current(), clock.now()),
        context={
            "reference": loan.number,
            "amount_minor": instruction.amount_minor,
            "card": str(instruction.card),
            "due_on": loan.next_due_on,
        },
        subject=("servicing.loan", loan.pk),
    )


def _came_back(instruction: rails.Instruction, actor: Actor) -> None:
    """The rail said yes and later took the money back: it never arrived, so it never accrued."""
    source, undoes = f"return:{instruction.pk}", f"instruction:{instruction.pk}"
    loan_id = instruction.subject_id
    if not servicing.has_event(loan_id=loan_id, source=undoes) or servicing.has_event(loan_id=loan_id, source=source):
        return
    servicing.reverse(loan_id=loan_id, source=source, undoes=undoes, reason="the payout never arrived", actor=actor)
