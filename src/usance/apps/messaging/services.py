"""Saying something to a person: ordered here, judged by the guard, carried by the messenger in a job.

A push that nobody saw is told to the workflow that ordered it (the job `NOT_SEEN`), which says it by SMS and e-mail if
it is still true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from usance.apps.audit import services as audit
from usance.apps.customers import masking, vault
from usance.apps.customers import selectors as customers
from usance.apps.institutions import rows, tenancy
from usance.apps.institutions import services as institutions
from usance.apps.messaging import catalogue, guard, push
from usance.apps.messaging.models import (
    EMAIL,
    HELD,
    PUSH,
    QUEUED,
    REFUSED,
    SMS,
    TRANSITIONS,
    Message,
    OptOut,
)
from usance.ports.actor import Actor
from usance.ports.queue import enqueue

RELEASE = "message.release"  # the dated item of a held message
NOT_SEEN = "messaging.not_seen"
CONTACT_OF = {SMS: "phone", EMAIL: "email", PUSH: "push"}
TO, SUBJECT, BODY = "messaging_message.to", "messaging_message.subject", "messaging_message.body"


@dataclass(frozen=True, slots=True)
class Opened:
    """A message's own words, for a person's eyes; the digits of one-time codes are hidden."""

    to: str = field(repr=False)
    subject: str
    body: str


class NotAllowedFrom(RuntimeError):
    """A message was moved to a state that cannot follow its own: a defect."""


def send(
    *,
    template: str,
    key: str,
    moment: datetime,
    party_id: UUID | None = None,
    to: str = "",
    channel: str = SMS,
    language: str = "",
    context: Mapping[str, Any] | None = None,
    subject: tuple[str, UUID] | None = None,
    org_path: str = "",
    good_until: date | None = None,
    useless_after: datetime | None = None,
) -> Message | None:
    """Orders a message to a party (at their verified phone or e-mail address) or to `to`; the same key again gives
    the first one. None when the party has no such contact, or was erased.

    `moment`: aware, business time. `good_until`: the last business date on which the words are true. `useless_after`:
    the real instant after which it must not leave. Look at `.state` for what the guard said: queued, held, refused.
    """
    known = Message.objects.filter(key=key).first()
    if known:
        return known
    party = customers.party_row(party_id) if party_id else None
    if party and party.erased_at:
        return None
    address = to or _address(party_id, channel)
    if not address:
        return None
    return _order(
        party=party,
        address=address,
        template=template,
        key=key,
        moment=moment,
        channel=channel,
        language=language,
        context=context,
        subject=subject,
        org_path=org_path,
        good_until=good_until,
        useless_after=useless_after,
    )


def _order(
    *,
    party: Any | None,
    address: str,
    template: str,
    key: str,
    moment: datetime,
    channel: str,
    language: str = "",
    context: Mapping[str, Any] | None = None,
    subject: tuple[str, UUID] | None = None,
    org_path: str = "",
    good_until: date | None = None,
    useless_after: datetime | None = None,
) -> Message:
    """Puts it into words, seals them, and asks the guard."""
    about, party_id = catalogue.TEMPLATES[template], party.pk if party else None
    institution = tenancy.current()
    spoken = language or (party.language if party else "")
    if spoken not in institution.languages:
        spoken = institution.language
    text = catalogue.render(
        template=template, channel=channel, language=spoken, context=context or {}, institution=institution
    )
    keys = vault.keys_for([party_id] if party_id else [])
    message = Message(
        party_id=party_id,
        channel=channel,
        template=template,
        version=about.version,
        language=spoken,
        purpose=about.purpose,
        key=key,
        subject_type=subject[0] if subject else "",
        subject_id=subject[1] if subject else None,
        sealed_to=keys.seal(address, party_id=party_id, field=TO),
        sealed_subject=keys.seal(text.subject, party_id=party_id, field=SUBJECT) if text.subject else None,
        sealed_body=keys.seal(text.body, party_id=party_id, field=BODY),
        moment=moment,
        good_until=good_until,
        useless_after=useless_after,
        org_path=org_path or (party.org_path if party else "root"),
    )
    return _admit(message)


def _address(party_id: UUID | None, channel: str) -> str:
    if party_id is None:
        return ""
    contact = customers.current_contact(party_id, CONTACT_OF[channel])
    return contact.value if contact else ""


def _admit(message: Message) -> Message:
    """Asks the guard, writes the row, and puts what is allowed on its way."""
    _apply(message, judge(message, message.moment))
    if not rows.insert_new(message):  # another transaction was first with this key
        return Message.objects.get(key=message.key)
    _put_on_its_way(message)
    return message


def judge(message: Message, moment: datetime) -> guard.Verdict:
    """What the guard says of this message at this moment."""
    return guard.judge(
        party_id=message.party_id,
        channel=message.channel,
        purpose=message.purpose,
        moment=moment,
        good_until=message.good_until,
        leave_out=message.pk,
    )


def _apply(message: Message, verdict: guard.Verdict) -> None:
    """Puts the verdict into the row (not saved yet)."""
    message.held_until = None
    if isinstance(verdict, guard.Allowed):
        set_state(message, QUEUED)
        message.contact_on = verdict.on
    elif isinstance(verdict, guard.Held):
        set_state(message, HELD, "outside_contact_hours")
        message.held_until, message.contact_on = verdict.until, verdict.until.date()
    else:
        set_state(message, REFUSED, verdict.reason)
        strip(message)
        message.contact_on = message.moment.astimezone(ZoneInfo(tenancy.current().time_zone)).date()


def set_state(message: Message, state: str, reason: str = "") -> None:
    """Sets the state (not saved yet). Raises NotAllowedFrom."""
    if message.state and message.state != state and state not in TRANSITIONS[message.state]:
        raise NotAllowedFrom(f"{message.state} -> {state}")
    message.state, message.reason = state, reason


def _put_on_its_way(message: Message) -> None:
    if message.state == QUEUED:
        enqueue("messaging.deliver", message_id=str(message.pk))
    elif message.state == HELD:
        _wait_for_opening(message)


def _wait_for_opening(message: Message) -> None:
    """Whichever comes first wakes it: real time reaching the opening, or the business date being pushed past it."""
    assert message.held_until is not None
    local = message.held_until.astimezone(ZoneInfo(tenancy.current().time_zone))
    institutions.schedule(
        kind=RELEASE,
        due_on=local.date(),
        at_time=local.time(),
        key=f"{RELEASE}:{message.pk}:{local.isoformat()}",
        subject_id=message.pk,
        org_path=message.org_path,
    )
    real = message.held_until - timedelta(days=tenancy.current().ahead_days)
    enqueue("messaging.release", run_at=real, message_id=str(message.pk))


def tell(
    *,
    party_id: UUID,
    template: str,
    key: str,
    moment: datetime,
    context: Mapping[str, Any],
    subject: tuple[str, UUID] | None = None,
    good_until: date | None = None,
    push_first: bool = False,
) -> list[Message]:
    """By SMS and by e-mail, whichever of them the party has. `push_first`: by a notification alone, where the party
    allowed that; if nobody sees it, the job `NOT_SEEN` is told."""
    channels = (PUSH,) if push_first and _may_push(party_id, template, moment) else (SMS, EMAIL)
    keys = {channel: f"{key}:{channel}" for channel in channels}
    known = {message.key: message for message in Message.objects.filter(key__in=keys.values())}
    new = [channel for channel in keys if keys[channel] not in known]
    party = customers.party_row(party_id) if new else None
    reached_at = customers.current_contacts(party_id) if party and not party.erased_at else {}
    for channel in new:
        contact = reached_at.get(CONTACT_OF[channel])
        if contact is None or party is None:
            continue
        known[keys[channel]] = _order(
            party=party,
            address=contact.value,
            template=template,
            key=keys[channel],
            moment=moment,
            channel=channel,
            context=context,
            subject=subject,
            good_until=good_until,
        )
    return [known[one] for one in keys.values() if one in known]


def _may_push(party_id: UUID, template: str, moment: datetime) -> bool:
    on = moment.astimezone(ZoneInfo(tenancy.current().time_zone)).date()
    return push.contact_of(party_id, purpose=catalogue.TEMPLATES[template].purpose, on=on) is not None


def release(*, message_id: UUID, moment: datetime) -> str:
    """A held message's time has come (handler of the dated item `message.release`): judged again at this moment.
    Gives the state that it is in afterwards; too early, or a second time, changes nothing."""
    message = Message.objects.select_for_update().get(pk=message_id)
    if message.state == HELD and message.held_until is not None and moment >= message.held_until:
        message.moment = moment
        apply_again(message, judge(message, moment))
    return str(message.state)


def apply_again(message: Message, verdict: guard.Verdict) -> None:
    """A later verdict on a message that waits: it leaves, waits on, or never leaves."""
    _apply(message, verdict)
    message.save(update_fields=["state", "reason", "moment", "contact_on", "held_until", "sealed_to", "sealed_body"])
    _put_on_its_way(message)
    if message.channel == PUSH and message.reason in ("no_consent", "opted_out"):
        enqueue(NOT_SEEN, message_id=str(message.pk))


def strip(message: Message) -> None:
    """Takes out what has done its service (not saved yet): the digits of a code, and the address of somebody who is
    nobody's customer, which no erasure would reach."""
    if message.purpose == catalogue.CODE and message.sealed_body:
        try:
            body = masking.code(open_words(message).body)
        except vault.PersonErased:
            return
        message.sealed_body = vault.seal(body, party_id=message.party_id, field=BODY)
    if message.party_id is None:
        message.sealed_to = b""


def cancel_waiting(*, subject_id: UUID, purposes: Iterable[str], reason: str) -> int:
    """What has not left yet about this subject no longer will; says how many that were."""
    waiting = Message.objects.filter(subject_id=subject_id, purpose__in=list(purposes), state__in=[HELD, QUEUED])
    return waiting.update(state=REFUSED, reason=reason, held_until=None)


def opt_out(*, party_id: UUID, purpose: str, channel: str, source: str, actor: Actor, at: datetime) -> None:
    """The party does not want these any more. What the agreement and the law need said (service, collection) cannot
    be switched off."""
    assert purpose in catalogue.MAY_OPT_OUT
    made = OptOut(party_id=party_id, purpose=purpose, channel=channel, since=at, source=source)
    OptOut.objects.bulk_create([made], ignore_conflicts=True)
    details = {"purpose": purpose, "channel": channel, "source": source}
    audit.record(action="messages.opted_out", subject=("customers.party", party_id), actor=actor, details=details)


def opt_in(*, party_id: UUID, purpose: str, channel: str, actor: Actor, at: datetime) -> None:
    """The party wants them again."""
    current = OptOut.objects.filter(party_id=party_id, purpose=purpose, channel=channel, ended_at=None)
    if current.update(ended_at=at):
        details = {"purpose": purpose, "channel": channel}
        audit.record(action="messages.opted_in", subject=("customers.party", party_id), actor=actor, details=details)


def read(*, message_id: UUID, actor: Actor) -> Opened:
    """The words of a message, for a person's eyes: the look goes into the audit trail. Raises PersonErased."""
    message = Message.objects.get(pk=message_id)
    audit.viewed(subject=message, actor=actor, fields=["to", "text"])
    opened = open_words(message)
    if message.purpose == catalogue.CODE:
        return Opened(opened.to, masking.code(opened.subject), masking.code(opened.body))
    return opened


def forget(*, keys: Iterable[str], party_id: UUID) -> None:
    """These messages went to a person before they were a party, so they are sealed under the shared key: on erasure
    they are emptied, and count as the party's, whose words cannot be opened."""
    Message.objects.filter(key__in=list(keys), party__isnull=True).update(
        party_id=party_id, sealed_to=b"", sealed_subject=None, sealed_body=b""
    )


def open_words(message: Message) -> Opened:
    """As it goes out, for the sender. Raises PersonErased."""
    keys = vault.keys_for([message.party_id] if message.party_id else [])
    sealed_subject = message.sealed_subject
    return Opened(
        to=keys.unseal(message.sealed_to, party_id=message.party_id, field=TO) if message.sealed_to else "",
        subject=keys.unseal(sealed_subject, party_id=message.party_id, field=SUBJECT) if sealed_subject else "",
        body=keys.unseal(message.sealed_body, party_id=message.party_id, field=BODY),
    )
