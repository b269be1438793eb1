"""Rights of staff that one administrator proposes and another confirms: roles given, roles changed, access reset."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from usance.apps.access import permissions
from usance.apps.access import selectors as access
from usance.apps.access import services as people
from usance.apps.access.refusals import OwnRights
from usance.apps.desk import services as desk
from usance.ports.actor import staff

GRANT, ROLE, RESET = "access.grant", "access.role", "access.reset"

desk.register(desk.Kind(GRANT, "role.approve", people.apply_grant, _("Give a role"), page="staff:person"))
desk.register(desk.Kind(ROLE, "role.approve", people.apply_role, _("Change what a role may do"), page="staff:role"))
desk.register(desk.Kind(RESET, "role.approve", people.apply_reset, _("Reset someone's sign-in"), page="staff:person"))


def give_role(
    *, user_id: UUID, role: str, org_path: str, scope: str, maker: access.User, at: datetime, reason: str
) -> bool:
    """Gives a role at once when it can do no harm, else proposes it; True when a second person must confirm."""
    user, found = access.user(user_id), access.role_of_code(role)
    people.check_grant(user=user, role=role, org_path=org_path)
    if user.pk != maker.pk and not permissions.needs_second_person(found.permissions):
        people.grant_role(user=user, role=role, org_path=org_path, scope=scope, actor=staff(maker.pk))
        return False
    desk.propose(
        kind=GRANT,
        subject=("access.user", f"{user.pk}:{role}"),
        before={"roles": [grant.role.code for grant in access.grants_of(user)]},
        after={"role": role, "org_path": org_path, "scope": scope},
        maker=maker,
        at=at,
        reason=reason,
        reference=f"{user.name}: {found.name}",
    )
    return True


def change_role(*, role_id: UUID, codes: Iterable[str], maker: access.User, at: datetime, reason: str) -> None:
    """Proposes what a role may do from now on; always for a second person. Refuses at once what could never be."""
    role, wanted = access.role(role_id), sorted(codes)
    people.check_role(role=role, codes=wanted)
    desk.propose(
        kind=ROLE,
        subject=role,
        before={"permissions": sorted(role.permissions)},
        after={"permissions": wanted},
        maker=maker,
        at=at,
        reason=reason,
        reference=role.name,
    )


def reset_access(*, user_id: UUID, maker: access.User, at: datetime, reason: str) -> None:
    """Proposes to take a person's password and all second factors away, so that they can begin anew. Refuses with
    OwnRights."""
    user = access.user(user_id)
    if user.pk == maker.pk:
        raise OwnRights()
    desk.propose(
        kind=RESET,
        subject=user,
        before={"second_factor": access.confirmed_factor(user) is not None},
        after={"second_factor": False},
        maker=maker,
        at=at,
        reason=reason,
        reference=user.name,
    )
