"""Signing in: password, second factor, recovery codes, sessions. `at` is real time: codes and sessions live in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from argon2.low_level import Type, hash_secret_raw
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.core import signing
from django.db import transaction

from usance.apps.access import limits, passwords, selectors, totp
from usance.apps.access.models import (
    Invitation,
    PasskeyChallenge,
    RecoveryCode,
    SecondFactor,
    Session,
    StaffSession,
    User,
)
from usance.apps.access.refusals import CodeRefused, InvitationExpired, SignInRefused
from usance.apps.audit import services as audit
from usance.apps.institutions import keyring, tenancy
from usance.ports import queue
from usance.ports.actor import Actor, staff

IDLE = timedelta(minutes=60)
LONGEST = timedelta(hours=12)
INVITATION_DAYS = 7
RECOVERY_CODES = 10
DEVICE_DAYS = 180
log = structlog.get_logger("usance.security")
_DEVICE_SALT = "usance.access.device"
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no signs that look alike on paper


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a try comes from: the network address, and the mark that an earlier sign-in left in the browser."""

    address: str
    device_mark: str = ""


def check_password(*, email: str, password: str, visitor: Visitor, at: datetime) -> User:
    """The person whose password this is. Refuses with SignInRefused or TooManyAttempts; the counters stay when the
    caller answers with a page, so catch the refusal and commit."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    counted = _password_sources(user, email, visitor)
    limits.admit_all(counted, at)
    if user is None or not user.has_usable_password():
        make_password(password)  # as slow as a check, so that the time does not tell who exists
        right = False
    else:
        right = user.check_password(password) and user.is_active
    if user is None or not right:
        limits.failed_all(counted, at)
        _log_refused(user, "password", visitor)
        if user is not None:
            audit.record(action="access.password_refused", subject=user, actor=Actor("public"))
        raise SignInRefused()
    limits.forget(*counted[0])
    return user


def check_code(*, user: User, given: str, visitor: Visitor, at: datetime) -> SecondFactor:
    """Takes a code of the person's authenticator app. Each code counts once. Refuses with CodeRefused,
    TooManyAttempts."""
    limit, source = admit_code(user, visitor, at)
    factor = SecondFactor.objects.select_for_update().filter(user=user, kind="totp", confirmed_at__isnull=False).first()
    step = totp.matching_step(_secret(factor), given, at, after=factor.last_step) if factor else None
    if factor is None or step is None:
        limits.failed(limit, source, at)
        _log_refused(user, "totp", visitor)
        audit.record(action="access.code_refused", subject=user, actor=Actor("public"))
        raise CodeRefused()
    factor.last_step, factor.last_used_at = step, at
    factor.save(update_fields=["last_step", "last_used_at"])
    limits.forget(limit, source)
    return factor


def check_recovery_code(*, user: User, given: str, visitor: Visitor, at: datetime) -> int:
    """Takes one of the codes on paper; says how many are left. Refuses as `check_code`."""
    limit, source = admit_code(user, visitor, at)
    mark = _recovery_digest(user, given)
    taken = RecoveryCode.objects.filter(user=user, code_digest=mark, used_at__isnull=True).update(used_at=at)
    if not taken:
        limits.failed(limit, source, at)
        _log_refused(user, "recovery", visitor)
        audit.record(action="access.code_refused", subject=user, actor=Actor("public"))
        raise CodeRefused()
    left = selectors.recovery_codes_left(user)
    audit.record(action="access.recovery_code_used", subject=user, actor=staff(user.pk), details={"left": left})
    return left


def begin_totp(*, user: User) -> str:
    """A new secret (base32) for the person to put into an app; it counts once `confirm_totp` has seen a code."""
    factor = SecondFactor.objects.filter(user=user, kind="totp", confirmed_at__isnull=True).first()
    if factor is not None and factor.secret:
        return _secret(factor)
    made = totp.new_secret()
    _store_secret(SecondFactor(user=user, kind="totp"), made)
    return made


def confirm_totp(*, user: User, given: str, visitor: Visitor, at: datetime) -> list[str]:
    """The app works: the factor counts from now on. Gives the recovery codes, to be shown once."""
    limit, source = admit_code(user, visitor, at)
    factor = SecondFactor.objects.select_for_update().filter(user=user, kind="totp", confirmed_at__isnull=True).first()
    step = totp.matching_step(_secret(factor), given, at, after=0) if factor else None
    if factor is None or step is None:
        limits.failed(limit, source, at)
        raise CodeRefused()
    SecondFactor.objects.filter(user=user, kind="totp", confirmed_at__isnull=False).delete()
    factor.confirmed_at, factor.last_step, factor.last_used_at = at, step, at
    factor.save()
    audit.record(action="access.factor_enrolled", subject=user, actor=staff(user.pk), details={"kind": factor.kind})
    return new_recovery_codes(user=user)


def enrol_totp(*, user: User, at: datetime, actor: Actor, secret: str | None = None) -> str:
    """A second factor that counts at once, for seeding. Gives its secret (base32)."""
    made = secret or totp.new_secret()
    SecondFactor.objects.filter(user=user, kind="totp").delete()
    _store_secret(SecondFactor(user=user, kind="totp", confirmed_at=at), made)
    audit.record(action="access.factor_enrolled", subject=user, actor=actor, details={"kind": "totp"})
    return made


def new_recovery_codes(*, user: User) -> list[str]:
    """Replaces the person's recovery codes; the plain codes are nowhere but in the answer."""
    made = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)
    ]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, code_digest=_recovery_digest(user, one)) for one in made])
    audit.record(action="access.recovery_codes_made", subject=user, actor=staff(user.pk))
    return made


def open_session(*, user: User, session_key: str, device: str, factor: str, at: datetime) -> StaffSession:
    """The person is in: after password and second factor."""
    user.last_login = at
    user.save(update_fields=["last_login"])
    audit.record(action="access.signed_in", subject=user, actor=staff(user.pk), details={"factor": factor})
    transaction.on_commit(_enqueue_sweep)
    return StaffSession.objects.create(
        user=user, session_key=session_key, device=device[:120], factor=factor, started_at=at, seen_at=at
    )


def rekey_session(*, session_id: UUID, session_key: str) -> None:
    """The browser's session was given a new key."""
    StaffSession.objects.filter(pk=session_id).update(session_key=session_key)


def touch_session(*, session_id: str | None, user: User, at: datetime) -> StaffSession | None:
    """The session behind a request, its last use noted (to the minute); None when it was ended or ran out of time."""
    if session_id is None:
        return None
    found = StaffSession.objects.filter(pk=session_id, user=user, ended_at__isnull=True).first()
    if found is None or not user.is_active:
        return None
    if at - found.seen_at > IDLE or at - found.started_at > LONGEST:
        _end([found], reason="ran_out", at=at)
        return None
    if at - found.seen_at > timedelta(minutes=1):
        StaffSession.objects.filter(pk=found.pk).update(seen_at=at)
    return found


def end_session(*, user: User, session_id: UUID | str, at: datetime, reason: str = "ended") -> bool:
    """Ends one of the person's own sessions, here or elsewhere; False when it is not theirs or had ended."""
    found = StaffSession.objects.filter(pk=session_id, user=user, ended_at__isnull=True).first()
    if found is None:
        return False
    _end([found], reason=reason, at=at)
    audit.record(action="access.session_ended", subject=user, actor=staff(user.pk), details={"reason": reason})
    return True


def end_sessions(*, user: User, at: datetime, reason: str, but: UUID | None = None) -> int:
    """Ends all sessions of a person, but for one."""
    found = [one for one in StaffSession.objects.filter(user=user, ended_at__isnull=True) if one.pk != but]
    _end(found, reason=reason, at=at)
    return len(found)


def change_password(
    *, user: User, old: str, new: str, visitor: Visitor, at: datetime, keep: UUID | None = None
) -> None:
    """The person changes the own password; their other sessions end. Refuses with SignInRefused, TooManyAttempts,
    PasswordTooShort, PasswordTooCommon."""
    check_password(email=user.email, password=old, visitor=visitor, at=at)
    set_password(user=user, password=new, at=at)
    end_sessions(user=user, at=at, reason="password_changed", but=keep)
    audit.record(action="access.password_changed", subject=user, actor=staff(user.pk))


def set_password(*, user: User, password: str, at: datetime) -> None:
    institution = tenancy.current()
    passwords.check(
        password,
        has_second_factor=selectors.confirmed_factor(user) is not None,
        about=(user.email, user.name, institution.name, institution.code),
    )
    user.set_password(password)
    user.password_changed_at = at
    user.save(update_fields=["password", "password_changed_at"])


def invite(*, user: User, at: datetime, actor: Actor) -> str:
    """The secret part of a link by which the person sets a password; earlier links stop working."""
    token = secrets.token_urlsafe(32)
    Invitation.objects.filter(user=user, used_at__isnull=True).update(used_at=at)
    Invitation.objects.create(
        user=user,
        token_digest=keyring.digest(token, "access.invitation"),
        expires_at=at + timedelta(days=INVITATION_DAYS),
    )
    audit.record(action="access.invited", subject=user, actor=actor)
    return token


def invited(*, token: str, visitor: Visitor, at: datetime) -> User:
    """Whom a link is for. Refuses with InvitationExpired, TooManyAttempts."""
    limits.admit(limits.INVITATION, visitor.address, at)
    digest = keyring.digest(token, "access.invitation")
    found = Invitation.objects.filter(token_digest=digest, used_at__isnull=True, expires_at__gt=at).first()
    if found is None or not found.user.is_active:
        limits.failed(limits.INVITATION, visitor.address, at)
        raise InvitationExpired()
    user: User = found.user
    return user


def accept_invitation(*, token: str, password: str, visitor: Visitor, at: datetime) -> User:
    """Sets the password by a link, once. Refuses as `invited` and `set_password`."""
    user = invited(token=token, visitor=visitor, at=at)
    set_password(user=user, password=password, at=at)
    Invitation.objects.filter(user=user, used_at__isnull=True).update(used_at=at)
    audit.record(action="access.password_set", subject=user, actor=staff(user.pk))
    return user


def sweep(*, at: datetime) -> None:
    """Removes sessions and counters whose time has passed, and closes the list of who was signed in with them."""
    Session.objects.filter(expire_date__lt=at).delete()
    StaffSession.objects.filter(ended_at__isnull=True, started_at__lt=at - LONGEST).update(
        ended_at=at, end_reason="ran_out"
    )
    PasskeyChallenge.objects.filter(expires_at__lt=at).delete()
    limits.sweep(at)


def device_mark(user: User) -> str:
    """What a browser keeps after a full sign-in, so that it is known the next time. Signed; says nothing to others."""
    return signing.dumps([str(tenancy.current_id()), str(user.pk), secrets.token_hex(8)], salt=_DEVICE_SALT)


def is_anyones_device(*, mark: str) -> bool:
    """Whether a sign-in here left this mark, whoever's it was."""
    try:
        institution_id, _user_id, _device = signing.loads(mark, salt=_DEVICE_SALT, max_age=DEVICE_DAYS * 86400)
    except (signing.BadSignature, ValueError):
        return False
    return bool(institution_id == str(tenancy.current_id()))


def is_own_device(*, user: User, mark: str) -> bool:
    """Whether a browser's mark was left by this person's sign-in."""
    return _known_device(user, mark) is not None


def _enqueue_sweep() -> None:
    """After the page's own transaction: a job's key is a unique index, on which the next sign-in would wait."""
    if tenancy.is_bound():
        with transaction.atomic():
            queue.enqueue("access.sweep", key="access.sweep")


def _known_device(user: User, mark: str) -> str | None:
    try:
        institution_id, user_id, device = signing.loads(mark, salt=_DEVICE_SALT, max_age=DEVICE_DAYS * 86400)
    except (signing.BadSignature, ValueError):
        return None
    return device if (institution_id, user_id) == (str(tenancy.current_id()), str(user.pk)) else None


def _log_refused(user: User | None, factor: str, visitor: Visitor) -> None:
    """For whoever watches: who was tried, by which proof, from which source (a keyed hash, equal for equal ones)."""
    source = keyring.digest(visitor.address, "log")[:16]
    log.warning("sign_in.refused", who=f"staff:{user.pk}" if user else "unknown", factor=factor, source=source)


def _password_sources(user: User | None, email: str, visitor: Visitor) -> list[tuple[limits.Limit, str]]:
    """The counters of a try, the nearest first: of this device when we know it, else of this address on this account,
    of the account, and of the address."""
    name = email.strip().lower()
    nearest = _account_source(limits.ACCOUNT, limits.DEVICE, user, email, visitor)
    if nearest[0] is limits.DEVICE:
        return [nearest]
    return [
        (limits.ACCOUNT_FROM, f"{name}|{visitor.address}"),
        (limits.ACCOUNT, name),
        (limits.ADDRESS, visitor.address),
    ]


def _account_source(
    account: limits.Limit, device: limits.Limit, user: User | None, name: str, visitor: Visitor
) -> tuple[limits.Limit, str]:
    known = _known_device(user, visitor.device_mark) if user and visitor.device_mark else None
    return (device, f"{name.strip().lower()}|{known}") if known else (account, name.strip().lower())


def admit_code(user: User, visitor: Visitor, at: datetime) -> tuple[limits.Limit, str]:
    """The counter of a person's tries at the second step, and its source. Refuses with TooManyAttempts."""
    limit, source = _account_source(limits.CODE, limits.CODE_DEVICE, user, str(user.pk), visitor)
    limits.admit(limit, source, at)
    return limit, source


def _recovery_digest(user: User, given: str) -> str:
    """A slow hash with the person's own salt under a keyed one: ten signs on paper are few."""
    plain = "".join(sign for sign in given.lower() if sign in _ALPHABET)
    slow = hash_secret_raw(
        plain.encode(),
        salt=user.pk.bytes,
        time_cost=Argon2PasswordHasher.time_cost,
        memory_cost=Argon2PasswordHasher.memory_cost,
        parallelism=Argon2PasswordHasher.parallelism,
        hash_len=32,
        type=Type.ID,
    )
    return keyring.digest(f"{user.pk}|{slow.hex()}", "access.recovery")


def _seal_context(factor: SecondFactor) -> str:
    return f"access.secondfactor|{factor.pk}"


def _store_secret(factor: SecondFactor, secret: str) -> None:
    factor.secret = keyring.seal(secret.encode(), _seal_context(factor))
    factor.save(force_insert=True)


def _secret(factor: SecondFactor) -> str:
    return keyring.unseal(bytes(factor.secret or b""), _seal_context(factor)).decode()


def _end(found: Iterable[StaffSession], *, reason: str, at: datetime) -> None:
    keys = []
    for one in found:
        one.ended_at, one.end_reason = at, reason
        one.save(update_fields=["ended_at", "end_reason"])
        keys.append(one.session_key)
    Session.objects.filter(session_key__in=keys).delete()
