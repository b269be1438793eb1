"""Reminders before, on and after a due date: put on the calendar when a loan's dates are known, sent when the day has
come and the loan still owes. Whether a message may leave at all is the guard's word (messaging), not ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.institutions import tenancy
from usance.apps.messaging import selectors as message_view
from usance.apps.messaging import services as messaging
from usance.apps.servicing import selectors as loans
from usance.ports import clock, due
from usance.ports.queue import task

LOAN = "servicing.loan"
# a reminder of what is past due stays true for a while: it names the day of its amount
GOOD_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Step:
    """`days` after the due date (before it, when negative), at a local time of day."""

    kind: str
    days: int
    template: str
    at_time: time = time(10)


EARLY = (
    Step("remind.before_3", -3, "due_in_3_days"),
    Step("remind.before_1", -1, "due_tomorrow"),
    Step("remind.due", 0, "due_today"),
)
LATE = (
    *(Step(f"remind.late_{days}", days, "past_due", time(11)) for days in (1, 3, 7, 14)),
    *(Step(f"remind.late_{days}", days, "past_due_serious", time(11)) for days in (30, 60, 90)),
)
EARLY_KINDS = tuple(step.kind for step in EARLY)
KINDS = (*EARLY_KINDS, *(step.kind for step in LATE))


def plan(
    *,
    loan_id: UUID,
    due_dates: Iterable[date],
    on: date,
    revision: int,
    org_path: str = "root",
    loan: Any | None = None,
) -> None:
    """Puts the reminders of these due dates on the calendar. Call it in the transaction that made or changed the
    dates; `on` is the business date, `revision` grows with each change of the loan (its last event). What would fall
    on `on` or before it is left out: the page has just said so. Reminders of a date that moved stay on the calendar:
    when their day comes they find that they are not true any more. Of the late reminders only the next one stands on
    the calendar: each puts the one after it there, as long as something is past due."""
    agenda.schedule_all(
        items=[
            item
            for due_on in sorted(set(due_dates))
            for step in (*EARLY, LATE[0])
            if (item := _item(step, loan_id, due_on, on, str(revision), org_path)) is not None
        ]
    )
    since = _since(loan or loans.loan(loan_id))
    if since is not None:
        _schedule_next_late(loan_id, since, on, str(revision), org_path)


def _item(step: Step, loan_id: UUID, due_on: date, on: date, revision: str, org_path: str) -> Any | None:
    """The step as a dated item, if it is still to come on `on`."""
    day = due_on + timedelta(days=step.days)
    if day <= on:
        return None
    return agenda.DatedItem(
        kind=step.kind,
        due_on=day,
        key=f"{step.kind}:{loan_id}:{due_on}:{revision}",
        subject_id=loan_id,
        at_time=step.at_time,
        org_path=org_path,
    )


def _schedule_next_late(loan_id: UUID, due_on: date, on: date, revision: str, org_path: str) -> None:
    """The first late reminder of a due date that comes after `on`."""
    for step in LATE:
        item = _item(step, loan_id, due_on, on, revision, org_path)
        if item is not None:
            agenda.schedule_all(items=[item])
            return


def stop(*, loan_id: UUID, at: datetime) -> None:
    """Nothing is owed any more: no reminder falls due, and none that waits for its hour leaves."""
    agenda.unschedule(subject_id=loan_id, kinds=KINDS, at=at)
    messaging.cancel_waiting(subject_id=loan_id, purposes=("reminder", "collection"), reason="loan_closed")


def remind(step: Step, *, subject_id: UUID, due_on: date, moment: datetime) -> str:
    """The day of a reminder has come: sends it if it is still true. `due_on` is the reminder's own day. Gives the
    outcome in a word."""
    loan = loans.loan(subject_id)
    if step in LATE and loan.past_due_minor > 0:
        _schedule_next_late(loan.pk, due_on - timedelta(days=step.days), due_on, "next", loan.org_path)
    said = _late(step, loan, due_on) if step in LATE else _early(step, loan, due_on)
    if said is None:
        return "not_needed"
    if step in EARLY and message_view.wants_none(loan.party_id, purpose="reminder"):
        return "opted_out"
    return _tell(step.template, loan, due_on, moment, said, push_first=True)


def _tell(
    template: str, loan: Any, day: date, moment: datetime, said: tuple[dict[str, Any], date], *, push_first: bool
) -> str:
    context, good_until = said
    sent = messaging.tell(
        party_id=loan.party_id,
        template=template,
        key=_key(loan.pk, day),
        moment=moment,
        context={
            "reference": loan.number,
            "link": f"{institutions.base_url(tenancy.current_id())}/account/",
            **context,
        },
        subject=(LOAN, loan.pk),
        good_until=good_until,
        push_first=push_first,
    )
    return ",".join(sorted({str(message.state) for message in sent})) or "no_address"


def idle(items: Sequence[due.Item]) -> dict[UUID, str]:
    """Of many reminders, those that are not needed any more or not wanted."""
    owing, outcomes = loans.loans_by_id(item.subject_id for item in items), {}
    maybe: dict[UUID, UUID] = {}
    for item in items:
        step, loan = STEPS[item.kind], owing.get(item.subject_id)
        if loan is None:
            continue
        if step in LATE:
            if loan.past_due_minor <= 0:
                outcomes[item.id] = "not_needed"
        elif not _may_be_said(step, loan, item.due_on - timedelta(days=step.days)):
            outcomes[item.id] = "not_needed"
        else:
            maybe[item.id] = loan.party_id
    silent = message_view.who_want_none(maybe.values(), purpose="reminder") if maybe else set()
    return outcomes | {item_id: "opted_out" for item_id, party_id in maybe.items() if party_id in silent}


def _key(loan_id: UUID, day: date) -> str:
    """One reminder of a loan on one day, whatever the calendar says."""
    return f"remind:{loan_id}:{day}"


@task(messaging.NOT_SEEN)
def not_seen(message_id: str) -> None:
    """Nobody saw a reminder that went by push: SMS and e-mail say it, if it is still true."""
    with transaction.atomic():
        pushed = message_view.pushed(UUID(message_id))
        if pushed is None or pushed.subject_id is None:
            return
        loan, institution = loans.loan(pushed.subject_id), tenancy.current()
        day = date.fromisoformat(pushed.key.rsplit(":", 2)[1])
        moment = pushed.moment if institution.ahead_days else institutions.moment(institution, clock.now())
        for step in (*EARLY, *LATE):
            said = _late(step, loan, day) if step in LATE else _early(step, loan, day)
            if step.template == pushed.template and said is not None:
                _tell(step.template, loan, day, moment, said, push_first=False)
                return


def _early(step: Step, loan: Any, day: date) -> tuple[dict[str, Any], date] | None:
    """A payment on the date we think, of a loan that is not late with another one."""
    due_on = day - timedelta(days=step.days)
    if not _may_be_said(step, loan, due_on):
        return None
    amount = loan.due_now_minor if step.days == 0 else loans.owed(loan.pk).next_due_minor
    return ({"amount_minor": amount, "due_on": due_on}, due_on) if amount > 0 else None


def _may_be_said(step: Step, loan: Any, due_on: date) -> bool:
    """As far as lists know: what a coming date asks for is foretold only when it is said."""
    if loan.past_due_minor > 0:
        return False
    return bool(loan.due_now_minor > 0 if step.days == 0 else loan.next_due_on == due_on)


def _late(step: Step, loan: Any, day: date) -> tuple[dict[str, Any], date] | None:
    """What is past due, if the oldest unpaid date is as old as the reminder says."""
    since = _since(loan)
    if since is None or since != day - timedelta(days=step.days):
        return None
    return {"amount_minor": loan.past_due_minor, "due_on": since, "as_of": day}, day + GOOD_FOR


def _since(loan: Any) -> date | None:
    """The oldest unpaid due date, if something is past due."""
    if loan.past_due_minor <= 0:
        return None
    oldest: date = loan.checkpoint_on - timedelta(days=loan.days_past_due)
    return oldest


def release(*, subject_id: UUID, due_on: date, moment: datetime) -> str:
    """A message that waited for contact hours."""
    return messaging.release(message_id=subject_id, moment=moment)


STEPS = {step.kind: step for step in (*EARLY, *LATE)}
for _kind, _step in STEPS.items():
    due.register(_kind, due.by_subject(partial(remind, _step)), idle=idle)
due.register(messaging.RELEASE, due.by_subject(release))
