"""What follows when a loan changes: reminders, card debits under the mandate, the letter at the end.

Servicing says that something happened by a job; what is to be done about it stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.agreements import selectors as papers
from usance.apps.agreements import services as agreements
from usance.apps.customers import selectors as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.institutions import tenancy
from usance.apps.messaging import selectors as message_view
from usance.apps.messaging import services as messaging
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.loan import events, state
from usance.ports import clock
from usance.ports.due import Item, handles
from usance.ports.queue import task
from usance.workflows import billing, protect_customer, remind, take_payment

LOAN = "servicing.loan"
# days after the announcement on which the card is debited, as long as something is past due
DEBIT_DAYS = (1, 3, 7, 14, 30)
TRY, ANNOUNCED = "debit.try", "card_debit_announced"


@task("loans.disbursed")
def disbursed(loan_id: str) -> None:
    """The money arrived: what falls due is put on the calendar, and what protects the borrower counts for it."""
    with transaction.atomic():
        protect_customer.protect_loan(loan_id=UUID(loan_id))
        plan_reminders(UUID(loan_id))


@task("loans.rescheduled")
def rescheduled(loan_id: str) -> None:
    """A due date moved: the reminders of the new one are put on the calendar."""
    with transaction.atomic():
        plan_reminders(UUID(loan_id))


@task("loans.withdrawn")
def withdrawn(loan_id: str) -> None:
    """The borrower stepped back: they have it in writing what is to be given back, and by when."""
    with transaction.atomic():
        view = loans.loan_view(loan_id=UUID(loan_id))
        if view.state.withdrawn_on is None or view.standing.next_due_on is None:
            return
        base_url = institutions.base_url(tenancy.current_id())
        messaging.tell(
            party_id=view.loan.party_id,
            template="stepped_back",
            key=f"stepped_back:{view.loan.pk}:{view.state.withdrawn_on}",
            moment=institutions.moment(tenancy.current(), clock.now()),
            context={
                "reference": view.loan.number,
                "amount_minor": view.standing.next_due_minor,
                "due_on": view.standing.next_due_on,
                "link": f"{base_url}/account/",
            },
            subject=(LOAN, view.loan.pk),
        )


def plan_reminders(loan_id: UUID) -> None:
    """Reminders and bills for the instalments that are still to come."""
    view = loans.loan_view(loan_id=loan_id)
    today = tenancy.current().business_date
    dates = [row.due_on for row in view.schedule if row.due_on >= today]
    billing.plan(loan=view.loan, bill_days=view.state.terms.bill_days, due_dates=dates, on=today)
    remind.plan(
        loan_id=loan_id,
        due_dates=dates,
        on=today,
        revision=view.loan.last_event_seq,
        org_path=view.loan.org_path,
        loan=view.loan,
    )


@task("loans.became_past_due")
def became_past_due(loan_id: str) -> None:
    """A payment was missed: if the borrower gave us a mandate for a card, they are told that it will be debited, and
    from the day after on it is."""
    with transaction.atomic():
        loan, today = loans.loan(UUID(loan_id)), tenancy.current().business_date
        card = take_payment.card_for_debit(party_id=loan.party_id, on=today)
        if card is None or loan.past_due_minor <= 0:
            return
        for days in DEBIT_DAYS:
            on = today + timedelta(days=days)
            agenda.schedule(kind=TRY, due_on=on, key=f"{TRY}:{loan.pk}:{on}", subject_id=loan.pk, at_time=time(9, 30))
        messaging.tell(
            party_id=loan.party_id,
            template=ANNOUNCED,
            key=_announcement(loan),
            moment=institutions.moment(tenancy.current(), clock.now()),
            context={
                "reference": loan.number,
                "amount_minor": loan.past_due_minor,
                "card": str(card),
                "debit_on": today + timedelta(days=DEBIT_DAYS[0]),
            },
            subject=(LOAN, loan.pk),
        )


def _announcement(loan: loans.Loan) -> str:
    """The key of what was said about this very lateness, by its oldest unpaid due date."""
    since = loan.checkpoint_on - timedelta(days=loan.days_past_due)
    return f"debit.announced:{loan.pk}:{since}"


def _paid_meanwhile(items: Sequence[Item]) -> dict[UUID, str]:
    owing = loans.loans_by_id(item.subject_id for item in items)
    paid = {loan.pk for loan in owing.values() if loan.past_due_minor <= 0}
    return {item.id: "nothing_past_due" for item in items if item.subject_id in paid}


@handles(TRY, idle=_paid_meanwhile)
def try_debit(item: Item, moment: datetime) -> str:
    """Collects what is past due from the borrower's card, under the mandate, once it was announced."""
    loan = loans.loan(item.subject_id)
    if loan.past_due_minor <= 0:
        return "nothing_past_due"
    if not message_view.has_left(subject_id=loan.pk, key=_announcement(loan)):
        return "not_announced"
    given = take_payment.debit(loan_id=loan.pk, amount_minor=loan.past_due_minor, key=item.key, at=clock.now())
    return "instructed" if given else "no_card_or_mandate"


@task("loans.closed")
def closed(loan_id: str) -> None:
    """Nothing is owed any more: reminders stop, and the debt-free letter is on its way at once."""
    with transaction.atomic():
        loan = servicing.hold(loan_id=UUID(loan_id))
        if loan.status != "closed":
            return
        _ask_for_nothing(loan)
        letter = _letter_of(loan)
        base_url = institutions.base_url(tenancy.current_id())
        messaging.tell(
            party_id=loan.party_id,
            template="loan_closed",
            key=f"loan_closed:{letter.pk}",
            moment=institutions.moment(tenancy.current(), clock.now()),
            context={"reference": loan.number, "link": f"{base_url}/account/"},
            subject=(LOAN, loan.pk),
        )


def _letter_of(loan: loans.Loan) -> agreements.Document:
    """The letter that says what is so; one that speaks of an earlier closing, which did not last, is taken back."""
    _take_letters_back(loan, but=str(loan.closed_on))
    return papers.letters_in_force(loan.pk).first() or agreements.order(
        kind="debt_free_letter",
        key=f"debt_free_letter:{loan.pk}:{loan.closed_on}:{loan.last_event_seq}",
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


def _take_letters_back(loan: loans.Loan, *, but: str = "") -> None:
    for letter in papers.letters_in_force(loan.pk):
        if letter.content["closed_on"] != but:
            today = tenancy.current().business_date
            agreements.take_back(document_id=letter.pk, on=today, because="the loan is not paid in full")


@task("loans.sold")
def sold(loan_id: str) -> None:
    """The debt is another's: nothing is asked for any more, and the borrower is told whom to pay."""
    with transaction.atomic():
        loan = servicing.hold(loan_id=UUID(loan_id))
        sale = loans.sale_of(loan_id=loan.pk)
        if sale is None:
            return
        _ask_for_nothing(loan)
        said = {"buyer": sale.buyer, "contact": sale.contact, "sold_on": sale.effective_on}
        _tell_of_sale(loan, "loan_sold", sale.source, said)


@task("loans.sale_undone")
def sale_undone(loan_id: str) -> None:
    """The sale never was: the borrower, who was told of it, is told that they pay us, while there is something to
    pay."""
    with transaction.atomic():
        loan = servicing.hold(loan_id=UUID(loan_id))
        sale = loans.events_of(loan_id=loan.pk).filter(kind=events.Sold.__name__).last()
        if sale is not None and loan.status in state.LIVE:
            _tell_of_sale(loan, "sale_undone", sale.source, {})


def _tell_of_sale(loan: loans.Loan, template: str, key: str, said: dict[str, Any]) -> None:
    messaging.tell(
        party_id=loan.party_id,
        template=template,
        key=f"{template}:{loan.pk}:{key}",
        moment=institutions.moment(tenancy.current(), clock.now()),
        context={"reference": loan.number, "link": f"{institutions.base_url(tenancy.current_id())}/account/", **said},
        subject=(LOAN, loan.pk),
    )


def _ask_for_nothing(loan: loans.Loan) -> None:
    """No reminder, debit or bill falls due any more."""
    remind.stop(loan_id=loan.pk, at=clock.now())
    agenda.unschedule(subject_id=loan.pk, kinds=[TRY, billing.ISSUE], at=clock.now())


@task("loans.reopened")
def reopened(loan_id: str) -> None:
    """A payment was taken back or undone, so that the loan is owed again: its letter must not say otherwise."""
    with transaction.atomic():
        loan = servicing.hold(loan_id=UUID(loan_id))
        if loan.status != "closed":
            _take_letters_back(loan)
