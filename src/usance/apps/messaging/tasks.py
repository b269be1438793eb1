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
    post = registry.messenger(order.institution)
    if isinstance(order.order, messenger.EmailOrder):
        answer = post.send_email(order.order)
    else:
        answer = post.send_sms(order.order)
    with transaction.atomic():
        sending.record_answer(message_id=UUID(message_id), answer=answer, provider=post.provider, now=clock.now())


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
