"""Orders in doubt: when the rail is asked next, and when a person must find out."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from usance.apps.audit import services as audit
from usance.apps.desk import services as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors
from usance.apps.payments.models import Instruction
from usance.ports.actor import SYSTEM, Actor
from usance.ports.queue import enqueue

State = Instruction.State
RECONCILIATION = "reconciliation"
# pauses between questions, in seconds: the first ones are quick, as a person may be waiting
PAUSES = (2, 4, 8, 15, 30, 60, 120, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
MOST_AT_ONCE = 500
IN_DOUBT_FOR = timedelta(days=1)


def leave_to_a_person(*, instruction_id: UUID, at: datetime) -> None:
    """Somebody must find out what really happened: the instruction goes into the queue of reconciliation."""
    moment = institutions.moment(tenancy.current(), at)
    subject = ("payments.instruction", instruction_id)
    desk.open_item(queue=RECONCILIATION, subject=subject, budget_minutes=240, at=moment, actor=SYSTEM)


def set_aside(*, instruction_id: UUID, at: datetime) -> None:
    """The money moved, but what it was for has changed meanwhile: nothing is booked, a person finds out. The second
    payout of a loan, whose first one was taken for lost, is such a case."""
    instruction = Instruction.objects.select_for_update().get(pk=instruction_id)
    if instruction.state != State.SUCCEEDED:
        return
    instruction.state = State.MISMATCH
    instruction.details |= {"told_minor": instruction.amount_minor, "told_currency": instruction.currency}
    instruction.save(update_fields=["state", "details"])
    audit.record(
        action="payments.set_aside",
        subject=instruction,
        actor=SYSTEM,
        details={"amount_minor": instruction.amount_minor},
    )
    leave_to_a_person(instruction_id=instruction.pk, at=at)


def plan_question(*, instruction_id: UUID, at: datetime) -> None:
    """The rail did not say enough: when it is to be asked next. The pauses grow, and what stays in doubt for a day is
    put before a person, too."""
    instruction = Instruction.objects.select_for_update().get(pk=instruction_id)
    pause = PAUSES[min(instruction.asked_count, len(PAUSES) - 1)]
    instruction.asked_count += 1
    instruction.ask_at = at + timedelta(seconds=pause)
    instruction.save(update_fields=["asked_count", "ask_at"])
    enqueue("payments.ask_status", key=f"ask:{instruction.pk}", run_at=instruction.ask_at,
            instruction_id=str(instruction.pk))  # fmt: skip
    doubtful = instruction.state == State.UNKNOWN and instruction.sent_at and at - instruction.sent_at > IN_DOUBT_FOR
    if doubtful:
        leave_to_a_person(instruction_id=instruction.pk, at=at)


def ask_all_now(*, within: Q, actor: Actor, at: datetime) -> int:
    """The rail answers again, and the pauses have grown long meanwhile: it is asked at once about everything in doubt
    (nothing is sent again). Says about how many orders."""
    found = list(selectors.in_doubt(at=at, within=within)[:MOST_AT_ONCE])
    for one in found:
        audit.record(action="payments.asked", subject=one, actor=actor, details={})
        enqueue("payments.ask_status", key=f"ask_now:{one.pk}", instruction_id=str(one.pk))
    return len(found)


def take_up(*, found: Instruction, at: datetime) -> None:
    """An instruction whose job was lost gets a new one; if that is lost as well, the next one follows later."""
    name = "payments.send_instruction" if found.state == State.CREATED else "payments.ask_status"
    pause = max(300, PAUSES[min(found.asked_count, len(PAUSES) - 1)])
    Instruction.objects.filter(pk=found.pk).update(ask_at=at + timedelta(seconds=pause))
    enqueue(name, key=f"sweep:{found.pk}", instruction_id=str(found.pk))


def close(instruction: Instruction, at: datetime) -> None:
    """The rail has answered: who was asked to find out need not any more."""
    if instruction.state == State.MISMATCH or instruction.sent_at is None or at - instruction.sent_at <= IN_DOUBT_FOR:
        return
    moment = institutions.moment(tenancy.current(), at)
    desk.finish_of(queue=RECONCILIATION, subject_id=instruction.pk, outcome="settled", actor=SYSTEM, at=moment)
