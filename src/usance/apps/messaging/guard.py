"""The guard inside the sender: nothing that we say on our own initiative leaves outside the law of contact.

It answers with a verdict and is asked twice: when a message is ordered, and again at the moment it would leave, because
a message that was allowed at noon may only get its turn at midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from usance.apps.customers import consents, protections
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.messaging import catalogue, contact_rules
from usance.apps.messaging.models import COUNTED, PUSH, Message, OptOut

RULE = "contact"
PUSH_CONSENT = "push_reminders"


@dataclass(frozen=True, slots=True)
class Allowed:
    """`on`: the person's day that the contact counts for."""

    on: date


@dataclass(frozen=True, slots=True)
class Held:
    until: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """`reason`: no_person, protected, opted_out, no_consent, no_contact_rule, never_open, too_late,
    daily_count_reached."""

    reason: str


Verdict = Allowed | Held | Refused


def judge(
    *,
    party_id: UUID | None,
    channel: str,
    purpose: str,
    moment: datetime,
    good_until: date | None = None,
    leave_out: UUID | None = None,
) -> Verdict:
    """May this be said at this moment (aware, business time)? `leave_out`: the message itself, when it is counted
    already. Holds a lock on the person until the transaction ends, so that two messages do not both fit under the
    count. No rule of the country means no."""
    local = moment.astimezone(ZoneInfo(tenancy.current().time_zone))
    if purpose not in catalogue.OWN_INITIATIVE:
        return Allowed(local.date())
    if party_id is None:
        return Refused("no_person")
    _one_at_a_time(party_id)
    if protections.stops(party_id=party_id, what=purpose, on=local.date()):
        return Refused("protected")
    if _opted_out(party_id, purpose, channel):
        return Refused("opted_out")
    if purpose == catalogue.MARKETING and not consents.has_consent(
        party_id=party_id, purpose="marketing", on=local.date()
    ):
        return Refused("no_consent")
    if channel == PUSH and not consents.has_consent(party_id=party_id, purpose=PUSH_CONSENT, on=local.date()):
        return Refused("no_consent")
    return _by_rule(party_id, local, good_until, leave_out)


def open_for(moment: datetime) -> timedelta:
    """How long contact stays allowed on this day from a moment at which it is allowed: what arrives later by itself, as
    a push does on a phone that was off, must not arrive after that."""
    local = moment.astimezone(ZoneInfo(tenancy.current().time_zone))
    value = institutions.rule(tenancy.current().country, RULE, local.date())
    if value is None:
        return timedelta(0)
    closes = datetime.combine(local.date(), contact_rules.parse(value).closes, local.tzinfo)
    return max(closes - local, timedelta(0))


def _by_rule(party_id: UUID, local: datetime, good_until: date | None, leave_out: UUID | None) -> Verdict:
    value = institutions.rule(tenancy.current().country, RULE, local.date())
    if value is None:
        return Refused("no_contact_rule")
    if good_until is not None and local.date() > good_until:
        return Refused("too_late")
    rule = contact_rules.parse(value)
    opening = contact_rules.next_opening(rule, local, _is_holiday(local.date()))
    if opening is None:
        return Refused("never_open")
    if good_until is not None and opening.date() > good_until:
        return Refused("too_late")
    if opening != local:
        return Held(opening)
    if _counted(party_id, local.date(), leave_out) >= rule.per_day:
        return Refused("daily_count_reached")
    return Allowed(local.date())


def _is_holiday(first: date) -> contact_rules.IsHoliday:
    """A day that the institution's calendar marks as resting. A working Saturday stays a Saturday here."""
    marked = institutions.holidays_between(first, first + timedelta(days=contact_rules.FAR + 2))
    return lambda day: marked.get(day) is False


def _counted(party_id: UUID, day: date, leave_out: UUID | None) -> int:
    """How often the person was, may have been, or is about to be contacted on that day on our own initiative."""
    messages = Message.objects.filter(
        party_id=party_id, contact_on=day, state__in=COUNTED, purpose__in=catalogue.OWN_INITIATIVE
    )
    return (messages.exclude(pk=leave_out) if leave_out else messages).count()


def _opted_out(party_id: UUID, purpose: str, channel: str) -> bool:
    return (
        purpose in catalogue.MAY_OPT_OUT
        and OptOut.objects.filter(party_id=party_id, purpose=purpose, channel=channel, ended_at=None).exists()
    )


def _one_at_a_time(party_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(party_id.bytes[8:], "big", signed=True)])
