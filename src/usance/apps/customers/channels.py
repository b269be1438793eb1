"""Where we reach a customer and where their money goes: a change of either waits, so that its owner can stop it.

A wait runs in business time (`moment`), as everything that falls due does; the link that stops a change is good for
days of real time (`at`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from usance.apps.audit import services as audit
from usance.apps.customers import selectors, services, vault
from usance.apps.customers.models import PHONE, ChannelChange, Contact
from usance.apps.customers.refusals import ChangeOver, PhoneChangeWaits, PhoneIsYours, PhoneOfSomeoneElse
from usance.apps.institutions import keyring
from usance.ports.actor import Actor

WAIT = timedelta(hours=24)
LINK_LIFE = timedelta(days=30)
TOLD_AFTER_END = timedelta(days=7)  # a channel that was replaced as lately as this is told too
Kind, State = ChannelChange.Kind, ChannelChange.State
THEFT, MISTAKE = "theft", "mistake"
TOKEN = "customers.channelchange"  # noqa: S105 - what the keyed hash is for


@dataclass(frozen=True, slots=True)
class Begun:
    """`token` is shown once: in the link that goes to the channels known before."""

    change: ChannelChange
    token: str = field(repr=False)


# --- phone numbers -----------------------------------------------------------------------------------------------


def require_changeable(*, party_id: UUID, phone: str) -> None:
    """Raises PhoneNotValid, PhoneIsYours, PhoneChangeWaits: before a code is sent."""
    normal = selectors.normal_phone(phone)
    now = selectors.current_contact(party_id, PHONE)
    if now is not None and now.value == normal:
        raise PhoneIsYours()
    waiting = waiting_phone_of(party_id)
    if waiting is not None:
        raise PhoneChangeWaits(counts_from=waiting.counts_from)


def require_free(*, party_id: UUID, phone: str) -> None:
    """Raises PhoneOfSomeoneElse: for whoever has proved that the number is in their hands, and nobody before."""
    owner = selectors.party_with_phone(selectors.normal_phone(phone))
    if owner is not None and owner != party_id:
        raise PhoneOfSomeoneElse()


def begin_phone(*, party_id: UUID, phone: str, moment: datetime, actor: Actor, at: datetime) -> Begun:
    """The number was proved to be in the customer's hands: it counts after the wait. Raises PhoneOfSomeoneElse and what
    `require_changeable` does."""
    services.lock(party_id)
    require_changeable(party_id=party_id, phone=phone)
    require_free(party_id=party_id, phone=phone)
    contact_id = services.add_contact(party_id=party_id, kind=PHONE, value=phone, actor=actor, at=at)
    return _begin(Kind.PHONE, party_id, contact_id, moment + WAIT, moment=moment, actor=actor, at=at)


def count_phone(*, change_id: UUID, moment: datetime, actor: Actor, at: datetime) -> str:
    """The wait is over: from now on the new number signs in and is written to, and the number before has ended. Gives
    what happened; too early, or a second time, changes nothing."""
    change = ChannelChange.objects.select_for_update().get(pk=change_id)
    if change.state != State.WAITING:
        return str(change.state)
    if moment < change.counts_from:
        return "too early"
    contact = Contact.objects.get(pk=change.subject_id)
    if contact.ended_at:
        return _end(change, State.STOPPED, at)
    try:
        services.verify_contact(contact_id=contact.pk, actor=actor, at=at)
    except PhoneOfSomeoneElse:
        services.end_contact(contact_id=contact.pk, because="of_someone_else", actor=actor, at=at)
        return _end(change, State.FAILED, at)
    for before in selectors.contacts(change.party_id, PHONE):
        if not before.ended_at and before.contact_id != contact.pk:
            services.end_contact(contact_id=before.contact_id, because="replaced", actor=actor, at=at)
    audit.record(action="customer.phone_changed", subject=(services.PARTY, change.party_id), actor=actor, details={})
    return _end(change, State.DONE, at)


# --- cards -------------------------------------------------------------------------------------------------------


def begin_card(
    *, party_id: UUID, card_id: UUID, counts_from: datetime, moment: datetime, actor: Actor, at: datetime
) -> Begun | None:
    """A card was linked that must wait for money; None when its wait is known already."""
    services.lock(party_id)
    known = ChannelChange.objects.filter(kind=Kind.CARD, subject_id=card_id, state=State.WAITING).first()
    if known is not None and known.counts_from == counts_from:
        return None
    if known is not None:  # removed since, and linked once more
        _end(known, State.DONE, at)
    return _begin(Kind.CARD, party_id, card_id, counts_from, moment=moment, actor=actor, at=at)


# --- either ------------------------------------------------------------------------------------------------------


def stop(*, change_id: UUID, reported: bool, actor: Actor, at: datetime) -> ChannelChange:
    """Its owner stops a change; `reported`: because it was not theirs. A phone number that counts already stays, as its
    ending would lock its holder out: staff look into it. A second time changes nothing."""
    change = ChannelChange.objects.select_for_update().get(pk=change_id)
    if change.state == State.WAITING:
        if change.kind == Kind.PHONE:
            services.end_contact(contact_id=change.subject_id, because="stopped", actor=actor, at=at)
        _end(change, State.STOPPED, at)
        _record(change, "customer.change_stopped", actor)
    if reported and change.reported_at is None:
        change.reported_at = at
        change.save(update_fields=["reported_at"])
        _record(change, "customer.change_reported", actor)
    return change


def review(*, change_id: UUID, verdict: str, note: str, actor: Actor, at: datetime) -> ChannelChange:
    """What staff found out about a change that was reported. Raises ChangeOver when that was said before."""
    assert verdict in (THEFT, MISTAKE)
    change = ChannelChange.objects.select_for_update().get(pk=change_id)
    if change.reported_at is None or change.reviewed_at is not None:
        raise ChangeOver()
    change.reviewed_at, change.verdict = at, verdict
    change.save(update_fields=["reviewed_at", "verdict"])
    _record(change, "customer.change_reviewed", actor, verdict=verdict, note=note[:300])
    return change


# --- reading -----------------------------------------------------------------------------------------------------


def of_token(*, token: str, at: datetime) -> ChannelChange | None:
    """The change that a link is about, as long as the link is good."""
    found = ChannelChange.objects.filter(token_digest=keyring.digest(token, TOKEN), link_ends_at__gt=at)
    return found.select_related("party").first()


def change_of(*, change_id: UUID, party_id: UUID) -> ChannelChange | None:
    """A customer's own change, or nothing."""
    return ChannelChange.objects.filter(pk=change_id, party_id=party_id).first()


def changes(within: Q | None = None) -> QuerySet[ChannelChange]:
    """Every change of a data scope, the newest first."""
    return ChannelChange.objects.filter(within or Q()).select_related("party").order_by("-began_at", "-id")


def changes_of(party_id: UUID) -> QuerySet[ChannelChange]:
    return changes().filter(party_id=party_id)


def waiting_phone_of(party_id: UUID) -> ChannelChange | None:
    """The change of phone number that waits for its time."""
    return ChannelChange.objects.filter(party_id=party_id, kind=Kind.PHONE, state=State.WAITING).first()


def waits_for_phone(phone: str) -> ChannelChange | None:
    """Somebody's change to this very number (E.164) that waits for its time."""
    contacts = Contact.objects.filter(kind=PHONE, mac=vault.blind(phone, kind=PHONE), ended_at=None, verified_at=None)
    waiting = ChannelChange.objects.filter(kind=Kind.PHONE, state=State.WAITING)
    return waiting.filter(subject_id__in=contacts.values("pk")).order_by("counts_from").first()


def told_before(party_id: UUID, *, at: datetime) -> list[selectors.ContactValue]:
    """The channels that a change must be told to: those that count, and those that were replaced lately, lest somebody
    who got in replaces one first."""
    lately = Contact.objects.filter(party_id=party_id, ended_because="replaced", ended_at__gt=at - TOLD_AFTER_END)
    replaced = set(lately.values_list("pk", flat=True))
    known = [one for one in selectors.contacts(party_id) if one.verified_at and one.value]
    return [one for one in known if one.ended_at is None or one.contact_id in replaced]


# --- inside ------------------------------------------------------------------------------------------------------


def _begin(
    kind: str, party_id: UUID, subject_id: UUID, counts_from: datetime, *, moment: datetime, actor: Actor, at: datetime
) -> Begun:
    token = secrets.token_urlsafe(18)
    change = ChannelChange.objects.create(
        party_id=party_id,
        kind=kind,
        subject_id=subject_id,
        began_at=moment,
        counts_from=counts_from,
        token_digest=keyring.digest(token, TOKEN),
        link_ends_at=at + LINK_LIFE,
        asked_by=actor.kind,
        org_path=selectors.party_row(party_id).org_path,
    )
    _record(change, "customer.change_waits", actor)
    return Begun(change, token)


def _end(change: ChannelChange, state: str, at: datetime) -> str:
    change.state, change.ended_at = state, at
    change.save(update_fields=["state", "ended_at"])
    return str(state)


def _record(change: ChannelChange, action: str, actor: Actor, **details: str) -> None:
    about = {"kind": str(change.kind), "change": str(change.pk), **details}
    audit.record(action=action, subject=(services.PARTY, change.party_id), actor=actor, details=about)
