"""What follows when a loan changes: reminders, card debits under the mandate, the letter at the end.

Servicing says that something happened by a job; what is to be done about it stands here.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from usance.apps.agreements import services as agreements
from usance.apps.customers import selectors as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.payments import selectors as payments
from usance.apps.servicing import selectors as loans
from usance.ports import clock
from usance.ports.due import handles
from usance.ports.queue import task
from usance.workflows import remind, take_payment

LOAN = "servicing.loan"
# days after a due date on which the card is debited for what is past due
DEBIT_DAYS = (1, 3, 7, 14, 30)
DEBIT_KINDS = ("debit.announce", "debit.try")


@task("loans.disbursed")
def disbursed(loan_id: str) -> None:
    """The money arrived: what falls due is put on the calendar."""
    with transaction.atomic():
        plan(loan_id=UUID(loan_id))


@task("loans.rescheduled")
def rescheduled(loan_id: str) -> None:
    """A due date moved: what was planned for the old one no longer happens."""
    with transaction.atomic():
        agenda.unschedule(subject_id=UUID(loan_id), kinds=DEBIT_KINDS, at=clock.now())
        plan(loan_id=UUID(loan_id))


def plan(*, loan_id: UUID) -> None:
    """Reminders and card debits for the instalments that are still to come."""
    view = loans.loan_view(loan_id=loan_id)
    today = tenancy.current().business_date
    due_dates = [row.due_on for row in view.schedule if row.due_on >= today]
    remind.plan(
        loan_id=loan_id, due_dates=due_dates, on=today, revision=view.loan.last_event_seq, org_path=view.loan.org_path
    )
    for due_on in due_dates:
        key = f"debit.announce:{loan_id}:{due_on}"
        agenda.schedule(kind="debit.announce", due_on=due_on, key=key, subject_id=loan_id, at_time=time(12))
        for days in DEBIT_DAYS:
            on = due_on + timedelta(days=days)
            key = f"debit.try:{loan_id}:{on}"
            agenda.schedule(kind="debit.try", due_on=on, key=key, subject_id=loan_id, at_time=time(9, 30))


@handles("debit.announce")
def announce_debit(item: object, moment: datetime) -> str:
    """The day before the first debit the borrower is told of it, if they still owe and have a card for it."""
    loan = loans.loan(item.subject_id)  # type: ignore[attr-defined]
    card = payments.cards_of(loan.party_id).first()
    if loan.due_now_minor <= 0 or card is None:
        return "nothing_to_announce"
    messaging.tell(
        party_id=loan.party_id,
        template="card_debit_announced",
        key=item.key,  # type: ignore[attr-defined]
        moment=moment,
        context={
            "reference": loan.number,
            "amount_minor": loan.due_now_minor,
            "card": str(card),
            "debit_on": item.due_on + timedelta(days=DEBIT_DAYS[0]),  # type: ignore[attr-defined]
        },
        subject=(LOAN, loan.pk),
    )
    return "announced"


@handles("debit.try")
def try_debit(item: object, moment: datetime) -> str:
    """Collects what is past due from the borrower's card, under the mandate."""
    loan = loans.loan(item.subject_id)  # type: ignore[attr-defined]
    if loan.past_due_minor <= 0:
        return "nothing_past_due"
    given = take_payment.debit(
        loan_id=loan.pk,
        amount_minor=loan.past_due_minor,
        key=item.key,  # type: ignore[attr-defined]
        at=clock.now(),
    )
    return "instructed" if given else "no_card_or_mandate"


@task("loans.closed")
def closed(loan_id: str) -> None:
    """Nothing is owed any more: reminders stop, and the debt-free letter is on its way at once."""
    with transaction.atomic():
        loan = loans.loan(UUID(loan_id))
        if loan.status != "closed":
            return
        remind.stop(loan_id=loan.pk, at=clock.now())
        agenda.unschedule(subject_id=loan.pk, kinds=DEBIT_KINDS, at=clock.now())
        agreements.order(
            kind="debt_free_letter",
            key=f"debt_free_letter:{loan.pk}:{loan.closed_on}",
            party_id=loan.party_id,
            subject=(LOAN, loan.pk),
            language=customers.profile(loan.party_id).language,
            reference=loan.number,
            issued_on=tenancy.current().business_date,
            content={
                "amount_minor": loan.amount_minor,
                "disbursed_on": str(loan.disbursed_on),
                "closed_on": str(loan.closed_on),
            },
            org_path=loan.org_path,
        )
        base_url = institutions.base_url(tenancy.current_id())
        messaging.tell(
            party_id=loan.party_id,
            template="loan_closed",
            key=f"loan_closed:{loan.pk}:{loan.closed_on}",
            moment=institutions.moment(tenancy.current(), clock.now()),
            context={"reference": loan.number, "link": f"{base_url}/account/"},
            subject=(LOAN, loan.pk),
        )
