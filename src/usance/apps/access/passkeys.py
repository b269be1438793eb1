"""Passkeys (WebAuthn): a fingerprint, a face or a security key, beside the authenticator app.

A passkey is bound to one host name of the institution. The browser signs a challenge that we keep, good once and for
minutes; it must have verified its user, so a passkey alone is both factors. `at` is real time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import webauthn
from django.db import IntegrityError, transaction
from webauthn.helpers import bytes_to_base64url, exceptions, options_to_json_dict, structs

from usance.apps.access import limits, selectors, sign_in
from usance.apps.access.models import PasskeyChallenge, SecondFactor, User
from usance.apps.access.refusals import (
    LastFactor,
    PasskeyExpired,
    PasskeyKnown,
    PasskeyRefused,
    PasskeySuspended,
)
from usance.apps.audit import services as audit
from usance.apps.institutions import tenancy
from usance.ports.actor import Actor, staff

KIND = "webauthn"
REGISTER, SECOND, SINGLE = "register", "second", "single"
LIFE = timedelta(minutes=5)
LIFE_MS = int(LIFE.total_seconds()) * 1000
REQUIRED = structs.UserVerificationRequirement.REQUIRED
# what the library raises for an answer that was tampered with or is no answer at all
MALFORMED = (exceptions.WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Site:
    """Where the browser stands: the institution's host name (the relying party), and the origin that it must name."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Asked:
    """`challenge_id` belongs into the session, `options` to the browser's script."""

    challenge_id: UUID
    options: dict[str, Any]


# --- registering and removing ------------------------------------------------------------------------------------


def ask_to_register(*, user: User, site: Site, at: datetime) -> Asked:
    """What the browser needs to make a passkey for the person."""
    known = selectors.factors_of(user).filter(kind=KIND, host=site.host)
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=tenancy.current().name,
        user_id=user.pk.bytes,
        user_name=user.email,
        user_display_name=user.name,
        timeout=LIFE_MS,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
        ),
        exclude_credentials=_described(known),
    )
    return _keep(REGISTER, user, site, options, at)


def register(
    *, user: User, challenge_id: UUID | None, answer: str, name: str, site: Site, at: datetime
) -> SecondFactor:
    """The passkey counts from now on. Refuses with PasskeyExpired, PasskeyRefused, PasskeyKnown."""
    challenge = _take(challenge_id, REGISTER, user, site, at)
    made = _read(
        lambda: webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    )
    if made is None:
        audit.record(action="access.passkey_refused", subject=user, actor=staff(user.pk), details={"step": REGISTER})
        raise PasskeyRefused()
    factor = SecondFactor(
        user=user,
        kind=KIND,
        name=name.strip(),
        credential=bytes_to_base64url(made.credential_id),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        host=site.host,
        confirmed_at=at,
    )
    try:
        with transaction.atomic():
            factor.save(force_insert=True)
    except IntegrityError as error:
        if "secondfactor_credential_once" not in str(error):
            raise
        raise PasskeyKnown() from None
    details = {"kind": KIND, "name": factor.name, "host": site.host}
    audit.record(action="access.passkey_added", subject=user, actor=staff(user.pk), details=details)
    return factor


def remove(*, user: User, factor_id: UUID) -> None:
    """The person takes away one of their second factors, app or passkey. Refuses with LastFactor."""
    User.objects.select_for_update().get(pk=user.pk)  # two removals at once must see each other
    factor = selectors.factors_of(user).get(pk=factor_id)
    if not selectors.factors_of(user).filter(suspended_at__isnull=True).exclude(pk=factor_id).exists():
        raise LastFactor()
    factor.delete()
    details = {"kind": factor.kind, "name": factor.name}
    audit.record(action="access.factor_removed", subject=user, actor=staff(user.pk), details=details)


# --- signing in --------------------------------------------------------------------------------------------------


def ask(*, site: Site, visitor: sign_in.Visitor, at: datetime, user: User | None = None) -> Asked:
    """What the browser needs to sign in: with `user`, who gave the right password, one of their passkeys; without,
    whichever its owner picks. Refuses with TooManyAttempts."""
    limits.admit(limits.PASSKEY, visitor.address, at)
    limits.failed(limits.PASSKEY, visitor.address, at)
    known = _described(selectors.passkeys_of(user, host=site.host)) if user else []
    options = webauthn.generate_authentication_options(
        rp_id=site.host, timeout=LIFE_MS, allow_credentials=known, user_verification=REQUIRED
    )
    return _keep(SECOND if user else SINGLE, user, site, options, at)


def check_second(
    *, user: User, challenge_id: UUID | None, answer: str, site: Site, visitor: sign_in.Visitor, at: datetime
) -> SecondFactor:
    """The second step after the password. Refuses with TooManyAttempts, PasskeyExpired, PasskeyRefused,
    PasskeySuspended."""
    limit, source = sign_in.admit_code(user, visitor, at)
    challenge = _take(challenge_id, SECOND, user, site, at)
    try:
        factor = _check(answer, challenge, site, at, step=SECOND, owner=user)
    except (PasskeyRefused, PasskeySuspended):
        limits.failed(limit, source, at)
        raise
    limits.forget(limit, source)
    return factor


def check_single(
    *, challenge_id: UUID | None, answer: str, site: Site, visitor: sign_in.Visitor, at: datetime
) -> SecondFactor:
    """Both factors in one step: the passkey says whose it is. Refuses as `check_second`."""
    limits.admit(limits.ADDRESS, visitor.address, at)
    challenge = _take(challenge_id, SINGLE, None, site, at)
    try:
        return _check(answer, challenge, site, at, step=SINGLE, owner=None)
    except (PasskeyRefused, PasskeySuspended):
        limits.failed(limits.ADDRESS, visitor.address, at)
        raise


def _check(answer: str, challenge: bytes, site: Site, at: datetime, *, step: str, owner: User | None) -> SecondFactor:
    given = _read(lambda: webauthn.helpers.parse_authentication_credential_json(answer))
    factor = _locked(given.raw_id, site, owner) if given else None
    if given is None or factor is None:
        raise PasskeyRefused()
    user, handle = factor.user, given.response.user_handle
    # the counter is looked at below, once the signature is known to be right: 0 lets every counter pass here
    said = _read(
        lambda: webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=bytes(factor.public_key or b""),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    )
    named = handle == user.pk.bytes if handle else step == SECOND
    if said is None or not named:
        audit.record(action="access.passkey_refused", subject=user, actor=Actor("public"), details={"step": step})
        raise PasskeyRefused()
    _require_forward(factor, said.new_sign_count, at)
    factor.sign_count, factor.last_used_at = said.new_sign_count, at
    factor.save(update_fields=["sign_count", "last_used_at"])
    details = {"step": step, "name": factor.name}
    audit.record(action="access.passkey_used", subject=user, actor=staff(user.pk), details=details)
    return factor


def _locked(raw_id: bytes, site: Site, owner: User | None) -> SecondFactor | None:
    """The passkey of this id at this host name, of somebody who may sign in; ours until the transaction ends, so that
    the same counter does not pass twice."""
    found = SecondFactor.objects.select_for_update(of=("self",)).select_related("user")
    found = found.filter(
        kind=KIND,
        credential=bytes_to_base64url(raw_id),
        host=site.host,
        confirmed_at__isnull=False,
        user__is_active=True,
    )
    return (found.filter(user=owner) if owner else found).first()


def _require_forward(factor: SecondFactor, count: int, at: datetime) -> None:
    """A counter that does not grow is a copy's, or the answer of an earlier time. Passkeys that are kept in step
    between devices have none and always say 0."""
    if factor.suspended_at is None and (count > factor.sign_count or count == factor.sign_count == 0):
        return
    if factor.suspended_at is None:
        factor.suspended_at = at
        factor.save(update_fields=["suspended_at"])
    details = {"name": factor.name, "known": factor.sign_count, "told": count}
    audit.record(action="access.passkey_suspended", subject=factor.user, actor=Actor("public"), details=details)
    raise PasskeySuspended()


# --- inside ------------------------------------------------------------------------------------------------------


def _read(verify: Callable[[], Answer]) -> Answer | None:
    """What the library makes of the browser's answer; None where it is not right."""
    try:
        return verify()
    except MALFORMED:
        return None


def _described(factors: Any) -> list[structs.PublicKeyCredentialDescriptor]:
    return [
        structs.PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(one.credential or "")) for one in factors
    ]


def _keep(purpose: str, user: User | None, site: Site, options: Any, at: datetime) -> Asked:
    row = PasskeyChallenge.objects.create(
        purpose=purpose, user=user, host=site.host, challenge=options.challenge, expires_at=at + LIFE
    )
    return Asked(row.pk, options_to_json_dict(options))


def _take(challenge_id: UUID | None, purpose: str, user: User | None, site: Site, at: datetime) -> bytes:
    """The challenge, used up from here on, whatever becomes of the answer. Refuses with PasskeyExpired."""
    if challenge_id is None:
        raise PasskeyExpired()
    which = PasskeyChallenge.objects.filter(
        pk=challenge_id, purpose=purpose, user=user, host=site.host, used_at__isnull=True, expires_at__gt=at
    )
    if not which.update(used_at=at):
        raise PasskeyExpired()
    return bytes(PasskeyChallenge.objects.values_list("challenge", flat=True).get(pk=challenge_id))
