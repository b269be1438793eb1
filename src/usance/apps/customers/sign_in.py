"""How a borrower proves who they are: a code sent to their phone, and on a new device a second fact that they know.

Everything here lives in real time (`at`). A wrong answer must be counted even though it is refused, so the functions
that check answers *return* their refusal instead of raising it: the caller shows it and lets the transaction commit.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet

from usance.apps.audit import services as audit
from usance.apps.customers import channels, devices, second_facts, selectors, services, vault, words
from usance.apps.customers.models import EMAIL, PHONE, OneTimeCode
from usance.apps.customers.refusals import (
    CodeExpired,
    CodeForSomethingElse,
    CodeTooSoon,
    CodeUsedUp,
    CodeWrong,
    PhoneInUse,
    PhoneNotYetYours,
    SecondFactLocked,
    SecondFactWrong,
    TooManyCodes,
)
from usance.apps.customers.second_facts import one_at_a_time
from usance.ports import actor as actors
from usance.ports.actor import Actor

SIGN_IN, SIGN_AGREEMENT, VERIFY_CONTACT, GET_PART = "sign_in", "sign_agreement", "verify_contact", "get_part"
PURPOSES = (SIGN_IN, SIGN_AGREEMENT, VERIFY_CONTACT, GET_PART)
LIFE = timedelta(minutes=10)
ATTEMPTS = 5
# the pause before the next code, by how many were sent within the hour
PAUSES = (0, 30, 60, 120, 300)
# what one phone, one network address and one customer can cost us; an address may be a whole mobile network's
PER_PHONE_HOUR, PER_PHONE_DAY = 5, 10
PER_ADDRESS_HOUR, PER_ADDRESS_DAY = 60, 300
PER_PARTY_DAY = 20
APP = second_facts.APP
DEVICE, CUSTOMER, STRANGER = "device", "customer", "stranger"
SECOND_FACT_LIFE = timedelta(minutes=10)  # after the right code
STILL_THERE = timedelta(days=60)  # whoever signed in by this phone so lately still has it
MOMENT = timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TO = "customers_onetimecode.to"
log = structlog.get_logger("usance.security")


@dataclass(frozen=True, slots=True)
class Issued:
    """`code` exists here and in the message only: we keep its hash."""

    code_id: UUID
    code: str = field(repr=False)
    to: str = field(repr=False)
    party_id: UUID | None
    expires_at: datetime
    resend_at: datetime


@dataclass(frozen=True, slots=True)
class CodeRight:
    code_id: UUID
    to: str = field(repr=False)
    channel: str
    party_id: UUID | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`device_token` belongs into a cookie that scripts cannot read; the session lives as long as `device_id` is known
    (`is_still_known`)."""

    party_id: UUID
    device_id: UUID
    device_token: str = field(repr=False)
    is_new_party: bool
    is_new_device: bool


@dataclass(frozen=True, slots=True)
class SecondFactNeeded:
    """`kinds`: what the person may answer with: `app`, or `birth_date` and `last_four` (of the identity number)."""

    code_id: UUID
    kinds: tuple[str, ...]


CodeAnswer = CodeRight | CodeWrong | CodeExpired | CodeUsedUp | CodeForSomethingElse
SignInAnswer = (
    SignedIn | SecondFactNeeded | CodeWrong | CodeExpired | CodeUsedUp | CodeForSomethingElse | PhoneNotYetYours
)
SecondFactAnswer = SignedIn | SecondFactWrong | SecondFactLocked | CodeExpired


def issue_code(
    *,
    purpose: str,
    to: str,
    at: datetime,
    channel: str = PHONE,
    context: Mapping[str, Any] | None = None,
    party_id: UUID | None = None,
    address: str = "",
    device_token: str = "",
) -> Issued:
    """A new code for a phone or e-mail address, good for this purpose and context only. The same answer whether we
    know the phone or not. `device_token`: of the browser that asks; what others ask for never keeps the owner of a
    known device from theirs. Raises PhoneNotValid, EmailNotValid, CodeTooSoon, TooManyCodes."""
    assert purpose in PURPOSES
    normal = selectors.normal_phone(to) if channel == PHONE else words.email(to)
    to_mac = vault.blind(normal, kind=channel)
    address_mac = vault.blind(address, kind="address") if address else None
    asked_by = _asked_by(normal, channel, party_id, device_token)
    one_at_a_time(to_mac, address_mac)
    sent_in_hour = _require_room(
        purpose=purpose, asked_by=asked_by, to_mac=to_mac, address_mac=address_mac, party_id=party_id, at=at
    )
    code = f"{secrets.randbelow(10**6):06d}"
    row = OneTimeCode(
        purpose=purpose,
        party_id=party_id,
        channel=channel,
        sealed_to=vault.seal(normal, party_id=party_id, field=TO),
        to_mac=to_mac,
        address_mac=address_mac,
        asked_by=asked_by,
        context_hash=_context_hash(context or {}),
        issued_at=at,
        expires_at=at + LIFE,
    )
    row.code_hash = _code_hash(row.pk, code)
    row.save(force_insert=True)
    pause = PAUSES[min(sent_in_hour + 1, len(PAUSES) - 1)]
    return Issued(row.pk, code, normal, party_id, row.expires_at, at + timedelta(seconds=pause))


def _asked_by(to: str, channel: str, party_id: UUID | None, device_token: str) -> str:
    """Who seems to ask: whoever is signed in or uses a known device of the phone's owner, somebody with that phone, or
    a stranger."""
    owner = party_id or (selectors.party_with_phone(to) if channel == PHONE else None)
    if owner is None:
        return STRANGER
    return DEVICE if party_id or devices.is_known(party_id=owner, token=device_token) else CUSTOMER


def _require_room(
    *, purpose: str, asked_by: str, to_mac: bytes, address_mac: bytes | None, party_id: UUID | None, at: datetime
) -> int:
    """Refuses when a limit is reached; gives how many codes of this purpose went to this phone within the hour. A known
    device and everybody else are counted apart, and a known device's address does not matter."""
    codes = OneTimeCode.objects.filter(asked_by=DEVICE)
    if asked_by != DEVICE:
        codes = OneTimeCode.objects.exclude(asked_by=DEVICE)
    to_here = _of_the_day(codes.filter(to_mac=to_mac, purpose=purpose), PER_PHONE_DAY, at)
    recent = _require_below(to_here, HOUR, PER_PHONE_HOUR, at)
    _require_below(to_here, DAY, PER_PHONE_DAY, at)
    if address_mac and asked_by != DEVICE:
        from_there = _of_the_day(codes.filter(address_mac=address_mac), PER_ADDRESS_DAY, at)
        _require_below(from_there, HOUR, PER_ADDRESS_HOUR, at)
        _require_below(from_there, DAY, PER_ADDRESS_DAY, at)
    if party_id:
        to_party = _of_the_day(OneTimeCode.objects.filter(party_id=party_id), PER_PARTY_DAY, at)
        _require_below(to_party, DAY, PER_PARTY_DAY, at)
    if recent:
        wait = recent[0] + timedelta(seconds=PAUSES[min(len(recent), len(PAUSES) - 1)]) - at
        if wait > timedelta(0):
            raise CodeTooSoon(seconds=int(wait.total_seconds()) + 1)
    if asked_by == STRANGER:
        _require_budget(at)
    return len(recent)


def _require_budget(at: datetime) -> None:
    """What all strangers together may cost the institution: only they are refused when it is spent."""
    per_day: int = settings.USANCE_STRANGERS_CODES_PER_DAY
    one_at_a_time(vault.blind("strangers", kind="budget"))
    codes = _of_the_day(OneTimeCode.objects.filter(asked_by=STRANGER), per_day, at)
    _require_below(codes, HOUR, ceil(per_day / 4), at)
    _require_below(codes, DAY, per_day, at)


def _of_the_day(codes: QuerySet[OneTimeCode], limit: int, at: datetime) -> list[datetime]:
    """When the newest codes of the last day were issued, newest first: as many as the day's limit."""
    since = codes.filter(issued_at__gt=at - DAY).order_by("-issued_at")
    return list(since.values_list("issued_at", flat=True)[:limit])


def _require_below(issued: Sequence[datetime], window: timedelta, limit: int, at: datetime) -> list[datetime]:
    """Refuses when `limit` codes were sent within the window; room comes when the oldest of them leaves it. Gives
    those within the window."""
    within = [instant for instant in issued if instant > at - window]
    if len(within) >= limit:
        log.warning("codes.used_up", limit=limit, hours=window // HOUR)
        raise TooManyCodes(minutes=int((within[limit - 1] + window - at).total_seconds()) // 60 + 1)
    return within


def check_code(*, code_id: UUID, code: str, at: datetime, context: Mapping[str, Any] | None = None) -> CodeAnswer:
    """Is this the code that was sent, for this context? Spaces and dashes do not matter. The refusals are returned."""
    row = OneTimeCode.objects.select_for_update().filter(pk=code_id).first()
    if row is None or row.used_at or row.replaced_at or at >= row.expires_at or not row.sealed_to:
        return CodeExpired()
    if row.attempts >= ATTEMPTS:
        return CodeUsedUp()
    if not hmac.compare_digest(bytes(row.context_hash), _context_hash(context or {})):
        return CodeForSomethingElse()
    row.attempts += 1
    is_right = hmac.compare_digest(bytes(row.code_hash), _code_hash(row.pk, re.sub(r"\D", "", code)))
    if is_right:
        row.used_at = at
    row.save(update_fields=["attempts", "used_at"])
    if not is_right:
        log.warning("code.wrong", purpose=row.purpose, who=f"borrower:{row.party_id}" if row.party_id else "unknown")
        left = ATTEMPTS - row.attempts
        return CodeWrong(left=left) if left else CodeUsedUp()
    to = vault.unseal(row.sealed_to, party_id=row.party_id, field=TO)
    return CodeRight(row.pk, to, row.channel, row.party_id)


def address_of(*, code_id: UUID, party_id: UUID) -> str:
    """Where a code of the party went; it stands there as long as the party is not erased. Raises PersonErased."""
    row = OneTimeCode.objects.get(pk=code_id, party_id=party_id)
    if not row.sealed_to:
        raise vault.PersonErased()
    return vault.unseal(row.sealed_to, party_id=party_id, field=TO)


def replace_code(*, code_id: UUID, at: datetime) -> None:
    """The person asked for another code in its place: this one is no longer good."""
    OneTimeCode.objects.filter(pk=code_id, used_at=None).update(replaced_at=at)


@audit.written_together()
def begin(
    *, code_id: UUID, code: str, device_token: str, language: str, at: datetime, on: date, org_path: str = "root"
) -> SignInAnswer:
    """Sign-in by the code. An unknown phone becomes a new party, unless it waits to become a known one's. A known party
    on a device that is new for them is asked for a second fact. Whoever has told none has told nothing else either, but
    perhaps an address: then it is a new party too, as the phone may have changed hands. Refusals are returned."""
    if not OneTimeCode.objects.filter(pk=code_id, purpose=SIGN_IN).exists():
        return CodeExpired()
    answer = check_code(code_id=code_id, code=code, at=at)
    if not isinstance(answer, CodeRight):
        return answer
    one_at_a_time(vault.blind(answer.to, kind=PHONE))
    party_id = selectors.party_with_phone(answer.to)
    if party_id is None:
        waiting = channels.waits_for_phone(answer.to)
        if waiting is not None:
            return PhoneNotYetYours(counts_from=waiting.counts_from)
        party_id = _sign_up(answer.to, language=language, at=at, on=on, org_path=org_path)
        return _welcome(party_id, code_id, at=at, is_new_party=True)
    if devices.is_known(party_id=party_id, token=device_token):
        devices.seen(party_id=party_id, token=device_token, at=at)
        OneTimeCode.objects.filter(pk=code_id).update(signed_in_at=at)
        known = devices.id_of(party_id=party_id, token=device_token)
        return SignedIn(party_id, known, device_token, is_new_party=False, is_new_device=False)
    kinds = second_facts.answers(party_id)
    if kinds:
        return SecondFactNeeded(code_id, tuple(kinds))
    is_new_party = bool(selectors.contacts(party_id, EMAIL))
    if is_new_party:
        party_id = _hand_over(party_id, answer.to, language=language, at=at, on=on, org_path=org_path)
    return _welcome(party_id, code_id, at=at, is_new_party=is_new_party)


def _hand_over(before: UUID, phone: str, *, language: str, at: datetime, on: date, org_path: str) -> UUID:
    """The phone has changed hands: it ends for whoever had it, and is the first thing known of somebody new."""
    for contact in selectors.contacts(before, PHONE):
        if contact.value == phone and not contact.ended_at:
            someone = Actor(kind="public")
            services.end_contact(contact_id=contact.contact_id, because="changed hands", actor=someone, at=at)
    return _sign_up(phone, language=language, at=at, on=on, org_path=org_path)


def _sign_up(phone: str, *, language: str, at: datetime, on: date, org_path: str) -> UUID:
    someone = Actor(kind="public")
    party_id = services.add_party(language=language, on=on, actor=someone, org_path=org_path)
    services.add_contact(
        party_id=party_id, kind=PHONE, value=phone, actor=actors.borrower(party_id), at=at, verified=True
    )
    return party_id


def _welcome(party_id: UUID, code_id: UUID, *, at: datetime, is_new_party: bool) -> SignedIn:
    """The person has proved enough: their browser becomes a known device."""
    token = devices.know(party_id=party_id, at=at)
    OneTimeCode.objects.filter(pk=code_id).update(signed_in_at=at)
    actor = actors.borrower(party_id)
    audit.record(action="customer.device_added", subject=(services.PARTY, party_id), actor=actor, details={})
    device_id = devices.id_of(party_id=party_id, token=token)
    return SignedIn(party_id, device_id, token, is_new_party=is_new_party, is_new_device=True)


def answer_second_fact(
    *, code_id: UUID, at: datetime, birth_date: date | None = None, last_four: str = "", app_code: str = ""
) -> SecondFactAnswer:
    """The answer to the second question, after the right code: the code of the person's app where they linked one,
    else something that they know. Failures are counted per party over 24 hours, whatever the number of codes. Refusals
    are returned."""
    row, party_id, _phone = _proven(code_id, at)
    if row is None or party_id is None:
        return CodeExpired()
    refused = second_facts.attempt(party_id, row, (birth_date, last_four, app_code), at)
    return refused or _welcome(party_id, code_id, at=at, is_new_party=False)


def _proven(code_id: UUID, at: datetime) -> tuple[OneTimeCode | None, UUID | None, str]:
    """The code that was right just now and began no session yet, whose its phone is, and the phone."""
    row = OneTimeCode.objects.select_for_update().filter(pk=code_id, purpose=SIGN_IN, signed_in_at=None).first()
    if row is None or row.used_at is None or at >= row.used_at + SECOND_FACT_LIFE or not row.sealed_to:
        return None, None, ""
    one_at_a_time(bytes(row.to_mac))
    phone = vault.unseal(row.sealed_to, party_id=row.party_id, field=TO)
    return row, selectors.party_with_phone(phone), phone


def owner_of_proven_phone(*, code_id: UUID, at: datetime) -> UUID | None:
    """Who had the phone to which this code went, while the second fact is asked for."""
    return _proven(code_id, at)[1]


@audit.written_together()
def start_anew(
    *, code_id: UUID, language: str, at: datetime, on: date, org_path: str = "root"
) -> SignedIn | CodeExpired | PhoneInUse:
    """Somebody who has the phone says that they are not the customer who had it before: they begin as a new party, and
    the earlier one no longer has the phone. Not while that customer signs in from anywhere. Whether something of theirs
    is under way is for the caller to know. Refusals are returned."""
    row, before, phone = _proven(code_id, at)
    if row is None or before is None:
        return CodeExpired()
    if devices.of_party(before).filter(last_seen_at__gt=at - STILL_THERE).exists():
        return PhoneInUse()
    after = _hand_over(before, phone, language=language, at=at, on=on, org_path=org_path)
    return _welcome(after, code_id, at=at, is_new_party=True)


def has_just_begun_a_session(*, code_id: UUID, at: datetime) -> bool:
    """Whether the code was right a moment ago: the same form sent twice."""
    return OneTimeCode.objects.filter(pk=code_id, signed_in_at__gt=at - MOMENT).exists()


def codes_of(party_id: UUID) -> list[UUID]:
    """Every code that went to a phone or address of the party, also before they were one."""
    macs = selectors.contact_macs(party_id)
    return list(OneTimeCode.objects.filter(Q(party_id=party_id) | Q(to_mac__in=macs)).values_list("pk", flat=True))


def _code_hash(code_id: UUID, code: str) -> bytes:
    """With a pepper that is not in the database, because six digits alone are guessed at once."""
    pepper = hashlib.sha256(b"one-time codes" + settings.SECRET_KEY.encode()).digest()
    return hmac.digest(pepper, f"{code_id}|{code}".encode(), hashlib.sha256)


def _context_hash(context: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(context, sort_keys=True, separators=(",", ":")).encode()).digest()
