"""Bills: so many days before a due date, as the terms say, a paper tells what falls due and what is left over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from usance.apps.agreements import services as agreements
from usance.apps.customers import selectors as customers
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.servicing import selectors as loans
from usance.ports.due import Item, handles
from usance.workflows import take_payment

LOAN, ISSUE = "servicing.loan", "bill.issue"
AT = time(9)


def plan(*, loan: Any, bill_days: int | None, due_dates: Iterable[date], on: date) -> None:
    """Puts the bills of these due dates on the calendar, in the transaction that made or changed the dates, anew each
    time that the loan has changed: closing it strikes off what waits, and it may be reopened. However often a date
    stands there, it has one bill. One whose day has gone by is made on the next day, while its due date is to come."""
    if bill_days is None:
        return
    agenda.schedule_all(
        items=[
            agenda.DatedItem(
                kind=ISSUE,
                due_on=max(due_on - timedelta(days=bill_days), on + timedelta(days=1)),
                key=f"{ISSUE}:{loan.pk}:{loan.last_event_seq}:{due_on}",
                subject_id=loan.pk,
                at_time=AT,
                org_path=loan.org_path,
            )
            for due_on in sorted(set(due_dates))
            if due_on > on + timedelta(days=1)
        ]
    )


@handles(ISSUE)
def issue(item: Item, moment: datetime) -> str:
    """The billing day of a due date has come. A date that moved meanwhile, or that asks for nothing, has no bill."""
    due_on = date.fromisoformat(item.key.rsplit(":", 1)[1])
    loan = loans.loan(item.subject_id)
    statement = loans.statement(loan_id=loan.pk, due_on=due_on)
    if statement is None or statement.total_minor <= 0:
        return "nothing_due"
    card = take_payment.card_for_debit(party_id=loan.party_id, on=statement.on)
    agreements.order(
        kind="bill",
        key=f"bill:{loan.pk}:{due_on}",
        party_id=loan.party_id,
        subject=(LOAN, loan.pk),
        language=customers.profile(loan.party_id).language,
        reference=f"{loan.number}/{statement.number}",
        issued_on=statement.on,
        content={
            "due_on": str(due_on),
            "number": statement.number,
            "new": dict(statement.new),
            "carried": dict(statement.carried),
            "paid_minor": statement.paid_minor,
            "total_minor": statement.total_minor,
            "card": str(card) if card else "",
        },
        org_path=loan.org_path,
    )
    messaging.tell(
        party_id=loan.party_id,
        template="bill_ready",
        key=f"bill:{loan.pk}:{due_on}",
        moment=moment,
        context={
            "reference": loan.number,
            "amount_minor": statement.total_minor,
            "due_on": due_on,
            "link": f"{institutions.base_url(tenancy.current_id())}/account/",
        },
        subject=(LOAN, loan.pk),
        good_until=due_on,
    )
    return "issued"
