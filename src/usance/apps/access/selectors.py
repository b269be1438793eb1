"""Who may do what, how far, and who is signed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from usance.apps.access import permissions
from usance.apps.access.models import Role, RoleGrant, SecondFactor, Session
from usance.apps.access.models import StaffSession as StaffSession  # others name these types by this module
from usance.apps.access.models import User as User
from usance.apps.access.sessions import SessionStore

ROOT = "root"


def permissions_of(user: User) -> frozenset[str]:
    """Everything that the person's roles allow, wherever."""
    return frozenset(code for grant in grants_of(user) for code in grant.role.permissions)


def grants_of(user: User) -> QuerySet[RoleGrant]:
    return RoleGrant.objects.filter(user=user).select_related("role").order_by("role__code", "org_path", "id")


def scope_filter(user: User, action: str, *, owner: str | None = None, path: str = "org_path") -> Q:
    """The rows that the person may reach with `action`, as a condition on a queryset. `path` and `owner` name the
    model's columns; rows of a model without an owner are out of reach of the scope `own`."""
    reached = Q(pk__in=[])
    for grant in grants_of(user):
        if action not in grant.role.permissions:
            continue
        if grant.scope == "own":
            reached |= Q(**{owner: user.pk}) if owner else Q(pk__in=[])
        elif grant.reach == ROOT:
            return Q()
        else:
            reached |= Q(**{path: grant.reach}) | Q(**{f"{path}__startswith": f"{grant.reach}."})
    return reached


def may(user: User, action: str, org_path: str, *, owner_id: UUID | None = None) -> bool:
    """Whether the person may do `action` to one row that hangs on `org_path` and belongs to `owner_id`."""
    return any(
        _reaches(grant, user, org_path, owner_id) for grant in grants_of(user) if action in grant.role.permissions
    )


def _reaches(grant: RoleGrant, user: User, org_path: str, owner_id: UUID | None) -> bool:
    if grant.scope == "own":
        return owner_id == user.pk
    return grant.reach == ROOT or f"{org_path}.".startswith(f"{grant.reach}.")


def holders_of(action: str) -> QuerySet[User]:
    """The active people whose roles allow `action`, somewhere."""
    holding = RoleGrant.objects.filter(role__permissions__contains=[action]).values("user_id")
    return User.objects.filter(is_active=True, pk__in=holding).order_by("name", "id")


def who_may(action: str, org_path: str) -> list[User]:
    """The active people who may do `action` to a row that hangs on `org_path`, whoever owns it, by name."""
    grants = RoleGrant.objects.filter(role__permissions__contains=[action], user__is_active=True).exclude(scope="own")
    found = {one.user.pk: one.user for one in grants.select_related("user") if _reaches(one, one.user, org_path, None)}
    return sorted(found.values(), key=lambda user: (user.name, user.pk))


def users() -> QuerySet[User]:
    """The register: everyone with their roles, active ones first."""
    grants = Prefetch("grants", RoleGrant.objects.select_related("role").order_by("role__code", "id"))
    return User.objects.order_by("-is_active", "name", "id").prefetch_related(grants)


def user(user_id: Any) -> User:
    """One person; raises User.DoesNotExist."""
    return User.objects.get(pk=user_id)


def active_user(user_id: Any) -> User:
    """One person who may sign in; raises User.DoesNotExist."""
    return User.objects.get(pk=user_id, is_active=True)


def role(role_id: Any) -> Role:
    """One role; raises Role.DoesNotExist."""
    return Role.objects.get(pk=role_id)


def role_of_code(code: str) -> Role:
    """One role by its code; raises Role.DoesNotExist."""
    return Role.objects.get(code=code)


def grant(grant_id: Any) -> RoleGrant:
    """One grant; raises RoleGrant.DoesNotExist."""
    return RoleGrant.objects.select_related("role", "user").get(pk=grant_id)


def roles() -> QuerySet[Any]:
    """Every role, each with `holder_count`."""
    return Role.objects.annotate(holder_count=Count("grants__user", distinct=True)).order_by("code")


def names_of(user_ids: set[Any]) -> dict[str, str]:
    """Names of staff by id, for pages that show who acted."""
    valid = {one for one in map(str, user_ids) if _is_uuid(one)}
    return {str(pk): name for pk, name in User.objects.filter(pk__in=valid).values_list("pk", "name")}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def confirmed_factor(user: User) -> SecondFactor | None:
    """The person's second factor; None where they have yet to enrol one."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).order_by("id").first()


def factors_of(user: User) -> QuerySet[SecondFactor]:
    """Every second factor of the person: the app first, then passkeys as they came."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).order_by("kind", "id")


def has_app(user: User) -> bool:
    return factors_of(user).filter(kind="totp").exists()


def passkeys_of(user: User, *, host: str) -> QuerySet[SecondFactor]:
    """The passkeys with which the person can sign in at a host name."""
    return factors_of(user).filter(kind="webauthn", host=host, suspended_at__isnull=True)


def recovery_codes_left(user: User) -> int:
    return user.recovery_codes.filter(used_at__isnull=True).count()


def opened_sessions() -> Iterator[tuple[str, str]]:
    """(mark, what is kept) of every visit to the institution, opened: for a search that must leave nothing out."""
    for row in Session.objects.order_by("session_key").iterator():
        yield f"…{row.session_key[-4:]}", json.dumps(SessionStore(row.session_key).decode(row.session_data))


def open_sessions(user: User) -> QuerySet[StaffSession]:
    """Where the person is signed in, newest first. Some may have run out of time since."""
    return StaffSession.objects.filter(user=user, ended_at__isnull=True).order_by("-seen_at", "-id")


@dataclass(frozen=True, slots=True)
class PermissionLine:
    code: str
    words: str
    held: bool


def permission_lines(role: Role | None = None) -> list[PermissionLine]:
    """The whole permission table in words, and which of them a role holds."""
    held = set(role.permissions) if role else set()
    return [PermissionLine(code, str(words), code in held) for code, words in permissions.PERMISSIONS.items()]
