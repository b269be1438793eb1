"""People, roles and grants. Signing in is in `sign_in.py`; its functions are offered here too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation

from usance.apps.access import permissions, selectors, sign_in
from usance.apps.access.models import RecoveryCode, Role, RoleGrant, SecondFactor, User
from usance.apps.access.refusals import (
    EmailTaken,
    LastAdministrator,
    OwnRights,
    RolesMayNotMeet,
    UnknownPermission,
    UnknownRole,
    UnknownUnit,
)
from usance.apps.audit import selectors as trail
from usance.apps.audit import services as audit
from usance.apps.institutions import selectors as institutions
from usance.ports.actor import SYSTEM, Actor

enrol_totp = sign_in.enrol_totp
invite = sign_in.invite
LEAST_CONFIRMERS = 2


def install_roles() -> None:
    """The default roles of a new institution; a role that exists keeps what was made of it."""
    with translation.override("en"):
        rows = [
            Role(code=code, name=str(role.name), permissions=codes, offered=codes)
            for code, role in permissions.ROLES.items()
            for codes in [sorted(role.permissions)]
        ]
    Role.objects.bulk_create(rows, ignore_conflicts=True)


def give_new_rights() -> None:
    """What a later version lets a default role do is given to it, once: what an administrator took away stays away, and
    so does what somebody could then hold together with its other hand."""
    for role in Role.objects.select_for_update().filter(code__in=permissions.ROLES).order_by("id"):
        known = set(role.offered or {*role.permissions, *_ever_taken(role)})
        new = sorted(permissions.ROLES[role.code].permissions - known)
        before, role.offered = set(role.permissions), sorted(known | set(new))
        for code in new:
            if not _would_meet(role, code):
                role.permissions = sorted({*role.permissions, code})
        role.save(update_fields=["offered", "permissions"])
        if new:
            added = sorted(set(role.permissions) - before)
            details = {"added": added, "not_given": sorted(set(new) - set(role.permissions))}
            audit.record(action="access.role_upgraded", subject=role, actor=SYSTEM, details=details)


def _ever_taken(role: Role) -> set[str]:
    """What administrators took away from a role, as the trail tells."""
    changes = trail.trail(("access.role", role.pk)).filter(action="access.role_changed")
    return {code for change in changes for code in change.details["taken"]}


def _would_meet(role: Role, code: str) -> bool:
    """Whether one more permission would bring both hands of an act into the role, or to anybody who holds it."""
    held = [set(role.permissions)]
    holders = User.objects.filter(grants__role=role).distinct()
    held += [{*selectors.permissions_of(user), *role.permissions} for user in holders]
    return any(permissions.meeting({*one, code}) != permissions.meeting(one) for one in held)


def hire(
    *,
    email: str,
    name: str,
    actor: Actor,
    org_path: str = selectors.ROOT,
    language: str = "en",
    password: str | None = None,
) -> User:
    """A new person, without rights yet. Without a password they need an invitation. Refuses with EmailTaken,
    UnknownUnit. A password given here is not checked: it is for seeding."""
    address = email.strip().lower()
    if User.objects.filter(email__iexact=address).exists():
        raise EmailTaken()
    _kind_of_unit(org_path)
    user = User(email=address, name=name.strip(), org_path=org_path, language=language)
    user.set_password(password)
    user.save(force_insert=True)
    audit.record(action="access.hired", subject=user, actor=actor, details={"org_path": org_path})
    return user


def change_person(*, user_id: UUID, name: str, language: str, org_path: str, actor: Actor) -> User:
    """Corrects a person's name, language or unit. Their grants stay where they are."""
    _kind_of_unit(org_path)
    user = User.objects.select_for_update().get(pk=user_id)
    changed = [
        field
        for field, value in (("name", name.strip()), ("language", language), ("org_path", org_path))
        if getattr(user, field) != value
    ]
    user.name, user.language, user.org_path = name.strip(), language, org_path
    user.save(update_fields=["name", "language", "org_path"])
    if changed:
        audit.record(action="access.person_changed", subject=user, actor=actor, details={"fields": changed})
    return user


def grant_role(
    *, user: User, role: str, actor: Actor, org_path: str = selectors.ROOT, scope: str = "institution"
) -> RoleGrant:
    """Gives a role, reaching as far as `scope` says from `org_path`. Whoever gives rights to others should go through
    `workflows.staff_rights`, which asks a second administrator where it must. Refuses with RolesMayNotMeet,
    UnknownRole, UnknownUnit."""
    User.objects.select_for_update().get(pk=user.pk)  # two grants at once must see each other's pairs
    found = Role.objects.filter(code=role).first()
    if found is None:
        raise UnknownRole(role=role)
    _refuse_meeting(selectors.permissions_of(user) | set(found.permissions))
    grant, made = RoleGrant.objects.get_or_create(
        user=user, role=found, org_path=org_path, scope=scope, defaults={"reach": _reach(org_path, scope)}
    )
    if made:
        audit.record(
            action="access.role_granted",
            subject=user,
            actor=actor,
            details={"role": role, "org_path": org_path, "scope": scope},
        )
    return grant


def check_grant(*, user: User, role: str, org_path: str) -> None:
    """Refuses as `grant_role` would, and gives nothing."""
    found = Role.objects.filter(code=role).first()
    if found is None:
        raise UnknownRole(role=role)
    _kind_of_unit(org_path)
    _refuse_meeting(selectors.permissions_of(user) | set(found.permissions))


def check_role(*, role: Role, codes: Iterable[str]) -> None:
    """Refuses as `change_role` would for what one person may never hold together, and changes nothing."""
    wanted = _known(codes)
    _refuse_meeting(wanted)
    for user in User.objects.filter(grants__role=role).distinct().order_by("id"):
        others = (grant.role.permissions for grant in selectors.grants_of(user) if grant.role_id != role.pk)
        _refuse_meeting(wanted.union(*others))


def revoke_grant(*, grant_id: UUID, actor: Actor) -> None:
    """Takes a role away. Refuses with OwnRights, LastAdministrator."""
    grant = RoleGrant.objects.select_for_update().select_related("role", "user").get(pk=grant_id)
    if str(grant.user_id) == actor.id:
        raise OwnRights()
    details = {"role": grant.role.code, "org_path": grant.org_path, "scope": grant.scope}
    grant.delete()
    _keep_confirmers(lost="role.approve" in grant.role.permissions)
    audit.record(action="access.role_revoked", subject=grant.user, actor=actor, details=details)


def change_role(*, role_id: UUID, codes: Iterable[str], actor: Actor) -> Role:
    """What a role may do from now on. Refuses when any holder would then hold both hands of a pair."""
    role = Role.objects.select_for_update().get(pk=role_id)
    wanted = _known(codes)
    _refuse_meeting(wanted)
    before, role.permissions = set(role.permissions), sorted(wanted)
    role.save(update_fields=["permissions"])
    for user in User.objects.filter(grants__role=role).distinct().order_by("id"):
        _refuse_meeting(selectors.permissions_of(user))
    _keep_confirmers(lost="role.approve" in before - wanted)
    details = {"added": sorted(wanted - before), "taken": sorted(before - wanted)}
    audit.record(action="access.role_changed", subject=role, actor=actor, details=details)
    return role


def create_role(*, code: str, name: str, codes: Iterable[str], actor: Actor) -> Role:
    """A role of the institution's own."""
    wanted = _known(codes)
    _refuse_meeting(wanted)
    role = Role.objects.create(code=code, name=name, permissions=sorted(wanted))
    audit.record(action="access.role_created", subject=role, actor=actor, details={"permissions": role.permissions})
    return role


def deactivate(*, user_id: UUID, actor: Actor, at: datetime) -> User:
    """The person may not sign in any more, and is out at once. Refuses with OwnRights, LastAdministrator."""
    if str(user_id) == actor.id:
        raise OwnRights()
    user = User.objects.select_for_update().get(pk=user_id)
    user.is_active, user.deactivated_at = False, at
    user.save(update_fields=["is_active", "deactivated_at"])
    _keep_confirmers(lost="role.approve" in selectors.permissions_of(user))
    sign_in.end_sessions(user=user, at=at, reason="deactivated")
    audit.record(action="access.deactivated", subject=user, actor=actor)
    return user


def reactivate(*, user_id: UUID, actor: Actor) -> User:
    """The person may sign in again, without roles: rights are given anew."""
    if str(user_id) == actor.id:
        raise OwnRights()
    user = User.objects.select_for_update().get(pk=user_id)
    RoleGrant.objects.filter(user=user).delete()
    user.is_active, user.deactivated_at = True, None
    user.save(update_fields=["is_active", "deactivated_at"])
    audit.record(action="access.reactivated", subject=user, actor=actor)
    return user


def reset_access(*, user_id: UUID, actor: Actor, at: datetime) -> str:
    """For someone who lost phone and papers: password, app, passkeys and recovery codes go, sessions end, and a new
    invitation is made (its secret part is the answer). Refuses with OwnRights."""
    if str(user_id) == actor.id:
        raise OwnRights()
    user = User.objects.select_for_update().get(pk=user_id)
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    user.set_unusable_password()
    user.save(update_fields=["password"])
    sign_in.end_sessions(user=user, at=at, reason="reset")
    audit.record(action="access.reset", subject=user, actor=actor)
    return sign_in.invite(user=user, at=at, actor=actor)


# what a second administrator's approval carries out (see workflows/staff_rights.py)


def apply_grant(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    if subject_id.split(":")[0] == actor.id:
        raise OwnRights()
    user = User.objects.get(pk=subject_id.split(":")[0])
    grant_role(user=user, role=after["role"], org_path=after["org_path"], scope=after["scope"], actor=actor)


def apply_role(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    change_role(role_id=UUID(subject_id), codes=after["permissions"], actor=actor)


def apply_reset(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """The invitation that this makes is thrown away: the maker makes one that they can hand over."""
    reset_access(user_id=UUID(subject_id), actor=actor, at=at)


def _known(codes: Iterable[str]) -> set[str]:
    wanted = set(codes)
    for code in sorted(wanted - permissions.PERMISSIONS.keys()):
        raise UnknownPermission(permission=code)
    return wanted


def _refuse_meeting(codes: Iterable[str]) -> None:
    for first, second in permissions.meeting(codes):
        raise RolesMayNotMeet(first=first, second=second)


def _keep_confirmers(*, lost: bool) -> None:
    """After somebody lost `role.approve`, two people must be left who can propose and confirm rights."""
    if lost and selectors.holders_of("role.approve").count() < LEAST_CONFIRMERS:
        raise LastAdministrator()


def _kind_of_unit(path: str) -> str:
    kinds = dict(institutions.units().values_list("path", "kind"))
    if path not in kinds:
        raise UnknownUnit(path=path)
    return str(kinds[path])


def _reach(org_path: str, scope: str) -> str:
    """Below which path a scope reaches: the unit itself, the branch it is in, or everything."""
    kinds = dict(institutions.units().values_list("path", "kind"))
    if org_path not in kinds:
        raise UnknownUnit(path=org_path)
    if scope == "own":
        return ""
    if scope == "institution":
        return selectors.ROOT
    path = org_path
    while scope == "branch" and kinds.get(path) == "team" and "." in path:
        path = path.rpartition(".")[0]
    return path
