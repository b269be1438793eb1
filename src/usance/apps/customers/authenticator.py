"""A customer's own authenticator app: on a device that we do not know, its code stands in for what they told us. It is
stronger than anything that a message can carry, and nobody must link one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from usance.apps.access import totp
from usance.apps.audit import services as audit
from usance.apps.customers import services, vault
from usance.apps.customers.models import AuthenticatorApp
from usance.ports.actor import Actor

SECRET = "customers_authenticatorapp.secret"  # noqa: S105 - what the sealed value is bound to


def is_linked(party_id: UUID) -> bool:
    return _linked(party_id) is not None


def begin(*, party_id: UUID) -> str:
    """A secret for the person to put into an app (base32); it counts once `confirm` has seen a code of it."""
    waiting = AuthenticatorApp.objects.filter(party_id=party_id, confirmed_at=None).first()
    if waiting is not None:
        return _secret(waiting)
    made = totp.new_secret()
    sealed = vault.seal(made, party_id=party_id, field=SECRET)
    AuthenticatorApp.objects.create(party_id=party_id, sealed=sealed)
    return made


def confirm(*, party_id: UUID, code: str, actor: Actor, at: datetime) -> bool:
    """Whether the code is the new app's: then it is linked, and takes the place of one before."""
    waiting = AuthenticatorApp.objects.select_for_update().filter(party_id=party_id, confirmed_at=None).first()
    if waiting is None or not _fits(waiting, code, at):
        return False
    AuthenticatorApp.objects.filter(party_id=party_id).exclude(confirmed_at=None).delete()
    waiting.confirmed_at = at
    waiting.save(update_fields=["confirmed_at"])
    audit.record(action="customer.app_linked", subject=(services.PARTY, party_id), actor=actor)
    return True


def fits(*, party_id: UUID, code: str, at: datetime) -> bool:
    """Whether the code is the linked app's, now; each code counts once."""
    linked = _linked(party_id, for_update=True)
    return linked is not None and _fits(linked, code, at)


def unlink(*, party_id: UUID, actor: Actor, at: datetime) -> bool:
    """The app no longer counts; False when there was none."""
    gone, _ = AuthenticatorApp.objects.filter(party_id=party_id).exclude(confirmed_at=None).delete()
    if gone:
        audit.record(action="customer.app_unlinked", subject=(services.PARTY, party_id), actor=actor)
    return bool(gone)


def _linked(party_id: UUID, *, for_update: bool = False) -> AuthenticatorApp | None:
    rows = AuthenticatorApp.objects.filter(party_id=party_id).exclude(confirmed_at=None)
    return (rows.select_for_update() if for_update else rows).first()


def _fits(app: AuthenticatorApp, code: str, at: datetime) -> bool:
    step = totp.matching_step(_secret(app), code, at, after=app.last_step)
    if step is None:
        return False
    app.last_step = step
    app.save(update_fields=["last_step"])
    return True


def _secret(app: AuthenticatorApp) -> str:
    return vault.unseal(app.sealed, party_id=app.party_id, field=SECRET)
