"""Jobs around messages. They call the messenger outside any transaction."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import sending, services
from usance.apps.messaging.models import SENT, Message
from usance.ports import clock, messenger, registry
from usance.ports.queue import task


@task("messaging.deliver")
def deliver(message_id: str) -> None:
    """Sends one message, if it may leave now."""
    with transaction.atomic():
        order = sending.begin(message_id=UUID(message_id), now=clock.now())
    if order is None:
        return
    answer, provider = _sent(order)
    with transaction.atomic():
        sending.record_answer(message_id=UUID(message_id), answer=answer, provider=provider, now=clock.now())


def _sent(order: sending.Order) -> tuple[messenger.Answer, str]:
    """The messenger's answer, and which messenger it was."""
    if isinstance(order.order, messenger.PushOrder):
        browsers = registry.push(order.institution)
        if browsers is None:  # switched off since the message was ordered
            return messenger.Declined(key=order.order.key, reason=messenger.Reason.CONFIGURATION), ""
        return browsers.send_push(order.order), browsers.provider
    post = registry.messenger(order.institution)
    if isinstance(order.order, messenger.EmailOrder):
        return post.send_email(order.order), post.provider
    return post.send_sms(order.order), post.provider


@task("messaging.give_up")
def give_up(message_id: str) -> None:
    """A push has waited long enough for a browser to show it."""
    with transaction.atomic():
        sending.give_up(message_id=UUID(message_id), now=clock.now())


@task("messaging.poll_status")
def poll_status(message_id: str, tries: int) -> None:
    """Asks the messenger what became of a message."""
    with transaction.atomic():
        message = Message.objects.filter(pk=message_id, state=SENT).first()
        institution = tenancy.current().code
    if message is None:
        return
    post = registry.messenger(institution)
    reference = message.reference
    found = post.delivery_status(channel=messenger.Channel(message.channel), references=[reference])
    with transaction.atomic():
        sending.record_delivery(message_id=message.pk, delivery=found[reference], tries=tries, now=clock.now())


@task("messaging.release")
def release(message_id: str) -> None:
    """Real time reached the opening that a held message waits for."""
    with transaction.atomic():
        moment = institutions.moment(tenancy.current(), clock.now())
        services.release(message_id=UUID(message_id), moment=moment)
