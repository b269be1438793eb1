"""A changed phone number or payout card waits a day; the channels known before are told, and their owner can stop it.

    proved or linked -> waits (told, with a link "this was not me") -> counts
                              stopped by its owner -> never counts; reported -> a case for staff, with its clock

Staff who change a phone number on request need a second person; then it waits and is told like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from usance.apps.access import selectors as access
from usance.apps.audit import services as audit
from usance.apps.customers import channels, devices, masking, second_facts, sign_in
from usance.apps.customers import selectors as customers
from usance.apps.desk import selectors as desk_view
from usance.apps.desk import services as desk
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as agenda
from usance.apps.institutions import tenancy
from usance.apps.messaging import services as messaging
from usance.apps.payments import selectors as payments
from usance.apps.payments import services as rails
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM, Actor, borrower, staff
from usance.ports.due import Item, handles
from usance.ports.queue import enqueue, task
from usance.workflows import one_time_codes

COUNT = "channels.count"  # the dated item of a phone number that waits
SECURITY, REVIEW_MINUTES = "security", 240
CHANGE = "customers.channelchange"
PHONE_BY_STAFF = "customers.phone"
CHANNEL_OF = {"phone": "sms", "email": "email"}


# --- a new card ----------------------------------------------------------------------------------------------------


@task("changed_channels.card_linked")
def card_linked(instruction_id: str) -> None:
    """A card was linked on the rail's page. One that must wait for money is told to the channels known before."""
    with transaction.atomic(), audit.written_together():
        instruction, at = payments.instruction(UUID(instruction_id)), clock.now()
        card, moment = instruction.card, institutions.moment(tenancy.current(), at)
        if (
            instruction.state != rails.State.SUCCEEDED
            or card is None
            or card.state != "active"
            or not card.waits(moment)
        ):
            return
        assert card.payout_from is not None
        begun = channels.begin_card(
            party_id=card.party_id,
            card_id=card.pk,
            counts_from=card.payout_from,
            moment=moment,
            actor=borrower(card.party_id),
            at=at,
        )
        if begun is not None:
            _tell(begun, "card_changed", {"last4": card.last4}, at=at)


# --- a new phone number --------------------------------------------------------------------------------------------


def send_phone_code(*, party_id: UUID, phone: str, address: str, at: datetime) -> one_time_codes.CodeSent:
    """To a number that the customer says is theirs now. Raises PhoneNotValid, PhoneIsYours, PhoneChangeWaits,
    CodeTooSoon, TooManyCodes."""
    channels.require_changeable(party_id=party_id, phone=phone)
    return one_time_codes.send_contact_code(party_id=party_id, channel="phone", value=phone, address=address, at=at)


@audit.written_together()
def confirm_phone(
    *,
    party_id: UUID,
    code_id: UUID,
    code: str,
    actor: Actor,
    at: datetime,
    birth_date: date | None = None,
    last_four: str = "",
    app_code: str = "",
) -> channels.ChannelChange | Refusal:
    """The customer proved the new number by its code, and themselves by a second fact: the number counts after the
    wait. What must be counted is returned, not raised. Raises PhoneOfSomeoneElse, PhoneChangeWaits."""
    refused = second_facts.prove(
        party_id=party_id, code_id=code_id, birth_date=birth_date, last_four=last_four, app_code=app_code, at=at
    )
    if refused is not None:
        return refused
    checked = one_time_codes.check_contact_code(party_id=party_id, code_id=code_id, code=code, at=at)
    if not isinstance(checked, sign_in.CodeRight):
        return checked
    return _begin_phone(party_id, checked.to, actor, at)


def _begin_phone(party_id: UUID, phone: str, actor: Actor, at: datetime) -> channels.ChannelChange:
    moment = institutions.moment(tenancy.current(), at)
    begun = channels.begin_phone(party_id=party_id, phone=phone, moment=moment, actor=actor, at=at)
    change = begun.change
    local = change.counts_from
    agenda.schedule(
        kind=COUNT,
        due_on=local.date(),
        at_time=local.time(),
        key=f"{COUNT}:{change.pk}",
        subject_id=change.pk,
        org_path=change.org_path,
    )
    # whichever comes first: real time, or a business date that is pushed past it
    enqueue("changed_channels.count", run_at=at + channels.WAIT, change_id=str(change.pk))
    _tell(begun, "phone_changed", {"phone": masking.phone(phone)}, at=at)
    return change


@task("changed_channels.count")
def count(change_id: str) -> None:
    with transaction.atomic():
        _count(UUID(change_id), clock.now())


@handles(COUNT)
def count_item(item: Item, moment: datetime) -> str:
    return _count(item.subject_id, clock.now())


def _count(change_id: UUID, at: datetime) -> str:
    moment = institutions.moment(tenancy.current(), at)
    outcome = channels.count_phone(change_id=change_id, moment=moment, actor=SYSTEM, at=at)
    if outcome == channels.State.DONE:
        change = channels.changes().get(pk=change_id)
        key = f"phone_counts:{change.pk}"
        messaging.send(
            template="phone_counts", key=key, moment=moment, party_id=change.party_id, subject=_about(change)
        )
    return outcome


# --- on request, by staff ------------------------------------------------------------------------------------------


def propose_phone(
    *, party_id: UUID, code_id: UUID, code: str, maker: access.User, at: datetime, reason: str
) -> Any | Refusal:
    """A customer who cannot sign in read the code of the new number to somebody at the desk: a second person confirms.
    A wrong code is returned, not raised. Raises PhoneOfSomeoneElse, AlreadyProposed and what `send_phone_code` does."""
    checked = one_time_codes.check_contact_code(party_id=party_id, code_id=code_id, code=code, at=at)
    if not isinstance(checked, sign_in.CodeRight):
        return checked
    channels.require_free(party_id=party_id, phone=checked.to)
    row = customers.party_row(party_id)
    now = customers.current_contact(party_id, "phone")
    return desk.propose(
        kind=PHONE_BY_STAFF,
        subject=("customers.party", party_id),
        before={"phone": masking.phone(now.value) if now else ""},
        after={"phone": masking.phone(checked.to), "code_id": str(code_id)},
        maker=maker,
        at=institutions.moment(tenancy.current(), at),
        reason=reason,
        reference=row.reference,
        org_path=row.org_path,
    )


def apply_phone(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """The second person agreed: the number, which stands sealed with its code, begins to wait."""
    party_id = UUID(subject_id)
    phone = sign_in.address_of(code_id=UUID(after["code_id"]), party_id=party_id)
    _begin_phone(party_id, phone, actor, clock.now())


desk.register(
    desk.Kind(PHONE_BY_STAFF, "customer.approve", apply_phone, _("Change a customer's phone number"), "staff:customer")
)


# --- stopping ------------------------------------------------------------------------------------------------------


@audit.written_together()
def stop(
    *, change_id: UUID, reported: bool, at: datetime, actor: Actor, here: UUID | None = None
) -> channels.ChannelChange:
    """The owner stops a change. `reported`: it was not theirs, so somebody was in their account: every device is
    forgotten but the one they say so on (`here`; none by a link), and staff get a case. Twice is once."""
    change = channels.stop(change_id=change_id, reported=reported, actor=actor, at=at)
    agenda.unschedule(subject_id=change.pk, kinds=[COUNT], at=at)
    if change.kind == channels.Kind.CARD and (reported or change.state == channels.State.STOPPED):
        rails.block_card(card_id=change.subject_id, actor=actor, at=at)
    if reported and change.reviewed_at is None:
        devices.forget_all(party_id=change.party_id, but=here, actor=actor, at=at)
        desk.open_item(
            queue=SECURITY,
            subject=(CHANGE, change.pk),
            budget_minutes=REVIEW_MINUTES,
            at=institutions.moment(tenancy.current(), at),
            actor=actor,
            priority=1,
            reference=change.party.reference,
            org_path=change.org_path,
        )
    return change


@audit.written_together()
def review(*, change_id: UUID, verdict: str, note: str, reviewer: access.User, at: datetime) -> channels.ChannelChange:
    """What staff found: `theft`, and all stays stopped; or `mistake`, and a card can be used again (a phone number is
    asked for anew). Raises CaseNotYours, CaseFinished, ChangeOver."""
    item = desk_view.item_of(SECURITY, change_id)
    if item is None:
        raise channels.ChangeOver()
    desk.hold(item_id=item.pk, user=reviewer)
    actor = staff(reviewer.pk)
    change = channels.review(change_id=change_id, verdict=verdict, note=note, actor=actor, at=at)
    if change.kind == channels.Kind.CARD and verdict == channels.MISTAKE:
        rails.unblock_card(card_id=change.subject_id, actor=actor)
    moment = institutions.moment(tenancy.current(), at)
    desk.finish(item_id=item.pk, outcome=verdict, actor=actor, at=moment)
    return change


# --- inside --------------------------------------------------------------------------------------------------------


def _about(change: channels.ChannelChange) -> tuple[str, UUID]:
    return CHANGE, change.pk


def _tell(begun: channels.Begun, template: str, context: Mapping[str, Any], *, at: datetime) -> None:
    """To every channel known before: what changes, from when, and the link that stops it."""
    change = begun.change
    link = f"{institutions.base_url(tenancy.current_id())}/not-me/{begun.token}/"
    moment = institutions.moment(tenancy.current(), at)
    for one in channels.told_before(change.party_id, at=at):
        messaging.send(
            template=template,
            key=f"{template}:{change.pk}:{one.contact_id}",
            moment=moment,
            party_id=change.party_id,
            to=one.value,
            channel=CHANNEL_OF[one.kind],
            context={"counts_from": change.counts_from, "link": link, **context},
            subject=_about(change),
        )
