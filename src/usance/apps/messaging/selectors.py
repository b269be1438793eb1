"""Reading messages. Lists show what, when and how it went; the words themselves are opened by `services.read`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from usance.apps.customers import selectors as customer_view
from usance.apps.institutions import tenancy
from usance.apps.messaging import push
from usance.apps.messaging.models import EMAIL, HELD, PUSH, QUEUED, SENDING, SMS, Message, OptOut


def messages(
    *, party_id: UUID | None = None, subject_id: UUID | None = None, within: Q | None = None
) -> QuerySet[Message]:
    """The messages to a party, or about a loan or application, in a data scope; newest first."""
    wanted = within or Q()
    if party_id is not None:
        wanted &= Q(party_id=party_id)
    if subject_id is not None:
        wanted &= Q(subject_id=subject_id)
    return Message.objects.filter(wanted).order_by("-recorded_at", "-id")


def counts(on: date) -> dict[str, int]:
    """How many messages of a contact day are in which state."""
    rows = Message.objects.filter(contact_on=on).values("state").annotate(count=Count("id")).order_by("state")
    return {row["state"]: row["count"] for row in rows}


def stuck(before: datetime) -> QuerySet[Message]:
    """Messages that should have left and did not: for the operator, and the invariant that the outbox drains."""
    waiting = Q(state__in=[QUEUED, SENDING]) | Q(state=HELD, held_until__lt=before)
    return Message.objects.filter(waiting, recorded_at__lt=before).order_by("recorded_at", "id")


def wants_none(party_id: UUID, *, purpose: str) -> bool:
    """Whether the party opted out of a purpose on every channel on which it could come."""
    unwanted = set(
        OptOut.objects.filter(party_id=party_id, purpose=purpose, ended_at=None).values_list("channel", flat=True)
    )
    return (
        unwanted >= {SMS, EMAIL}
        and push.contact_of(party_id, purpose=purpose, on=tenancy.current().business_date) is None
    )


def pushed(message_id: UUID) -> Message | None:
    """A push by its id."""
    return Message.objects.filter(pk=message_id, channel=PUSH).first()


def who_want_none(party_ids: Iterable[UUID], *, purpose: str) -> set[UUID]:
    """`wants_none` of many at once."""
    rows = OptOut.objects.filter(party_id__in=set(party_ids), purpose=purpose, channel__in=(SMS, EMAIL), ended_at=None)
    counted = rows.values("party_id").annotate(channels=Count("channel", distinct=True)).filter(channels__gte=2)
    silent = set(counted.values_list("party_id", flat=True))
    on = tenancy.current().business_date
    pushed = customer_view.who_have(PUSH, silent)
    return silent - {party_id for party_id in pushed if push.contact_of(party_id, purpose=purpose, on=on) is not None}


def has_left(*, subject_id: UUID, key: str) -> bool:
    """Whether the message about the subject that was ordered under this key (on any channel) was sent, or is on its
    way."""
    gone = Message.objects.filter(subject_id=subject_id, key__startswith=key)
    return gone.exclude(state__in=("refused", "failed", "cancelled")).exists()


def opt_outs(party_id: UUID) -> QuerySet[OptOut]:
    """What the party does not want to receive."""
    return OptOut.objects.filter(party_id=party_id, ended_at=None).order_by("purpose", "channel")
