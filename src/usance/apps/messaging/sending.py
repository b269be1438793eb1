"""The last metres of a message: taken out of the queue, handed to the messenger once, its answer written down.

At most once: a message that a worker had in hand when it died is `unknown`, like one whose answer never came. It is
not sent again, because the person may have it; a code that did not arrive is asked for again by its owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing

from usance.apps.customers import services as customers
from usance.apps.customers import vault
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import guard, services
from usance.apps.messaging.models import (
    DELIVERED,
    EMAIL,
    FAILED,
    PUSH,
    QUEUED,
    SENDING,
    SENT,
    UNKNOWN,
    Message,
)
from usance.ports import messenger
from usance.ports.queue import enqueue

TICKETS = signing.Signer(salt="messaging.push")

# when the provider is asked what became of a message, after it took it
PUSH_PATIENCE = timedelta(hours=2)  # a push that no browser has shown by then is said by SMS and e-mail
POLLS = tuple(timedelta(seconds=seconds) for seconds in (15, 60, 300, 1800, 4 * 3600, 24 * 3600))


SETTLED = ("state", "reason", "provider", "reference", "sent_at", "settled_at", "sealed_to", "sealed_body")


@dataclass(frozen=True, slots=True)
class Order:
    """What the messenger is asked to do, and which institution's account does it."""

    institution: str
    order: messenger.SmsOrder | messenger.EmailOrder | messenger.PushOrder


def begin(*, message_id: UUID, now: datetime) -> Order | None:
    """Takes a queued message in hand, if it may leave at this moment; None when there is nothing to do. The guard is
    asked again here. Inside a transaction; the messenger is called after it."""
    message = Message.objects.select_for_update().get(pk=message_id)
    if message.state == SENDING:  # the worker that had it in hand is gone
        _finish(message, UNKNOWN, "interrupted", now)
        return None
    if message.state != QUEUED:
        return None
    moment = _moment_of_contact(message, now)
    verdict = services.judge(message, moment)
    if message.useless_after and now >= message.useless_after:
        verdict = guard.Refused("too_late")
    try:
        words = services.open_words(message)
    except vault.PersonErased:
        verdict = guard.Refused("person_erased")
    if not isinstance(verdict, guard.Allowed):
        services.apply_again(message, verdict)
        return None
    message.state, message.moment, message.contact_on = SENDING, moment, verdict.on
    message.save(update_fields=["state", "moment", "contact_on"])
    return Order(tenancy.current().code, _order(message, words))


def _moment_of_contact(message: Message, now: datetime) -> datetime:
    """When the person will hear us: now. Where business time was pushed away from real time (a demonstration, a
    simulation) the planned moment stands for it."""
    institution = tenancy.current()
    return message.moment if institution.ahead_days else institutions.moment(institution, now)


def _order(message: Message, words: services.Opened) -> messenger.SmsOrder | messenger.EmailOrder | messenger.PushOrder:
    key = str(message.pk)
    if message.channel == PUSH:
        return messenger.PushOrder(
            key=key,
            to=words.to,
            title=words.subject,
            text=words.body,
            link=f"/push/{ticket(message)}/",
            good_for_s=int(_push_patience(message).total_seconds()),
        )
    if message.channel == EMAIL:
        return messenger.EmailOrder(key=key, to=words.to, subject=words.subject, text=words.body)
    return messenger.SmsOrder(key=key, to=words.to, text=words.body)


def _push_patience(message: Message) -> timedelta:
    """How long a push may still arrive: not beyond the hours of contact."""
    return max(min(PUSH_PATIENCE, guard.open_for(message.moment)), timedelta(minutes=1))


def ticket(message: Message) -> str:
    """What the browser that shows a push brings back: it proves that it has it, and says nothing else."""
    return TICKETS.sign(message.pk.hex)


def message_of(told: str) -> UUID | None:
    """The message of a ticket; None for one that we did not write."""
    try:
        return UUID(TICKETS.unsign(told))
    except (signing.BadSignature, ValueError):
        return None


def record_seen(*, message_id: UUID, now: datetime) -> bool:
    """A browser showed a push, or its owner opened it; says whether there is such a push here. It may be quicker than
    the push service's answer."""
    message = Message.objects.select_for_update().filter(pk=message_id, channel=PUSH).first()
    if message is not None and message.state in (SENDING, SENT):
        message.sent_at = message.sent_at or now
        _finish(message, DELIVERED, "", now)
    return message is not None


def give_up(*, message_id: UUID, now: datetime) -> None:
    """Nobody saw a push in time."""
    message = Message.objects.select_for_update().get(pk=message_id)
    if message.channel == PUSH and message.state == SENT:
        _finish(message, FAILED, str(messenger.Reason.EXPIRED), now)


def record_answer(*, message_id: UUID, answer: messenger.Answer, provider: str, now: datetime) -> None:
    """What the messenger said. Unknown stays unknown."""
    message = Message.objects.select_for_update().get(pk=message_id)
    if message.state != SENDING:
        return
    message.provider = provider
    if isinstance(answer, messenger.Accepted):
        message.reference, message.sent_at = answer.reference, now
        _finish(message, SENT, "", now)
        if message.channel == PUSH:
            enqueue("messaging.give_up", run_at=now + _push_patience(message), message_id=str(message.pk))
        else:
            _poll_later(message, 0, now)
    elif isinstance(answer, messenger.Declined):
        _note_unreachable(message, answer.reason, now)
        _finish(message, FAILED, str(answer.reason), now)
    else:
        _finish(message, UNKNOWN, str(answer.why), now)


def record_delivery(*, message_id: UUID, delivery: messenger.Delivery, tries: int, now: datetime) -> None:
    """What became of a message that the messenger took; asked again later while it is on its way."""
    message = Message.objects.select_for_update().get(pk=message_id)
    if message.state != SENT:
        return
    if delivery.state == messenger.DeliveryState.DELIVERED:
        _finish(message, DELIVERED, "", now)
    elif delivery.state == messenger.DeliveryState.FAILED:
        reason = delivery.reason or messenger.Reason.OTHER
        _note_unreachable(message, reason, now)
        _finish(message, FAILED, str(reason), now)
    else:
        _poll_later(message, tries + 1, now)


def _poll_later(message: Message, tries: int, now: datetime) -> None:
    if tries < len(POLLS):
        enqueue("messaging.poll_status", run_at=now + POLLS[tries], message_id=str(message.pk), tries=tries)


def _finish(message: Message, state: str, reason: str, now: datetime) -> None:
    """The next state, with nothing left in the row that has done its service: codes, and addresses of nobody."""
    services.set_state(message, state, reason)
    message.settled_at = None if state == SENT else now
    services.strip(message)
    message.save(update_fields=SETTLED)
    if message.channel == PUSH and state in (FAILED, UNKNOWN):
        enqueue(services.NOT_SEEN, message_id=str(message.pk))


def _note_unreachable(message: Message, reason: messenger.Reason, now: datetime) -> None:
    """A phone or address that will never take a message is not tried again."""
    if reason == messenger.Reason.UNREACHABLE and message.party_id:
        customers.mark_unreachable(
            party_id=message.party_id,
            kind=services.CONTACT_OF[message.channel],
            value=services.open_words(message).to,
            at=now,
        )
