"""The second fact beside a code: what only the person knows, or the code of their own app.

A wrong answer is counted even though it is refused: the functions return their refusal instead of raising it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection

from usance.apps.customers import authenticator, selectors, words
from usance.apps.customers.models import OneTimeCode, SecondFactAttempt
from usance.apps.customers.refusals import CodeExpired, SecondFactLocked, SecondFactWrong

APP = "app"
ATTEMPTS, WINDOW = 5, timedelta(hours=24)
log = structlog.get_logger("usance.security")


def answers(party_id: UUID) -> dict[str, Any]:
    """What the person can be asked: kind -> the right answer. Who linked an app is asked for its code only."""
    if authenticator.is_linked(party_id):
        return {APP: None}
    known = selectors.profile(party_id)
    facts: dict[str, Any] = {}
    if known.birth_date:
        facts["birth_date"] = known.birth_date
    if known.identity_number:
        facts["last_four"] = words.last_four(known.identity_number)
    return facts


def kinds(party_id: UUID) -> tuple[str, ...]:
    """What the person can be asked, as in SecondFactNeeded; nothing of somebody who has told us nothing."""
    return tuple(answers(party_id))


def prove(
    *,
    party_id: UUID,
    code_id: UUID,
    at: datetime,
    birth_date: date | None = None,
    last_four: str = "",
    app_code: str = "",
) -> SecondFactWrong | SecondFactLocked | CodeExpired | None:
    """A second fact beside the code of a contact, before that code is looked at; None when it is right, or when there
    is none that could be asked. Failures count with those of signing in. Refusals are returned."""
    row = OneTimeCode.objects.select_for_update().filter(pk=code_id, party_id=party_id, used_at=None).first()
    if row is None or not kinds(party_id):
        return CodeExpired() if row is None else None
    one_at_a_time(party_id.bytes[8:])
    return attempt(party_id, row, (birth_date, last_four, app_code), at)


def attempt(
    party_id: UUID, row: OneTimeCode, given: tuple[date | None, str, str], at: datetime
) -> SecondFactWrong | SecondFactLocked | None:
    left = ATTEMPTS - _recent_failures(party_id, at)
    if left <= 0:
        return SecondFactLocked()
    facts, (birth_date, last_four, app_code) = answers(party_id), given
    is_right = (
        authenticator.fits(party_id=party_id, code=app_code, at=at)
        if APP in facts
        else _knows(facts, birth_date, last_four)
    )
    SecondFactAttempt.objects.create(party_id=party_id, code=row, at=at, was_right=is_right)
    if not is_right:
        log.warning("second_fact.wrong", who=f"borrower:{party_id}")
    if is_right:
        return None
    return SecondFactWrong(left=left - 1) if left > 1 else SecondFactLocked()


def _knows(facts: Mapping[str, Any], birth_date: date | None, last_four: str) -> bool:
    given = re.sub(r"\D", "", last_four).encode()
    return (birth_date is not None and facts.get("birth_date") == birth_date) or (
        bool(facts.get("last_four")) and hmac.compare_digest(facts["last_four"].encode(), given)
    )


def _recent_failures(party_id: UUID, at: datetime) -> int:
    failures = SecondFactAttempt.objects.filter(party_id=party_id, was_right=False, at__gt=at - WINDOW)
    return failures.count()


def one_at_a_time(*macs: bytes | None) -> None:
    """Counting and issuing for one phone or address happen one after the other, until the transaction ends."""
    numbers = sorted(int.from_bytes(mac[:8], "big", signed=True) for mac in macs if mac)
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
