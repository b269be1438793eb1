"""Permissions follow from roles; scopes say how far; what must not meet in one person does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.apps.access.conftest import AT
from usance.apps.access import permissions, selectors, services, sign_in
from usance.apps.access.models import Role, RoleGrant, StaffSession, User
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
from usance.apps.institutions.models import DatedItem
from usance.ports.actor import SYSTEM, staff

Hire = Callable[..., User]


def test_every_permission_of_a_role_is_in_the_table() -> None:
    for code, role in permissions.ROLES.items():
        assert role.permissions <= permissions.PERMISSIONS.keys(), code


def test_every_permission_is_held_by_some_role() -> None:
    held = {code for role in permissions.ROLES.values() for code in role.permissions}
    assert held == set(permissions.PERMISSIONS)


@pytest.mark.parametrize("role", permissions.ROLES)
def test_no_default_role_holds_both_hands_of_a_pair(role: str) -> None:
    assert permissions.meeting(permissions.ROLES[role].permissions) == []


def test_a_pair_is_made_of_known_permissions() -> None:
    assert {hand for pair in permissions.PAIRS for hand in pair} <= permissions.PERMISSIONS.keys()


def test_rights_follow_from_roles(hire: Hire) -> None:
    user = hire("cashier")
    assert selectors.permissions_of(user) == permissions.ROLES["cashier"].permissions
    services.grant_role(user=user, role="auditor", actor=SYSTEM)
    assert "audit.view" in selectors.permissions_of(user)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("product_manager", "compliance"),  # edit / publish
        ("product_manager", "cashier"),  # create partner / approve disbursement
        ("accountant", "collector"),  # waive / collect, place / approve commission
    ],
)
def test_two_roles_that_may_not_meet(hire: Hire, first: str, second: str) -> None:
    user = hire(first)
    with pytest.raises(RolesMayNotMeet):
        services.grant_role(user=user, role=second, actor=SYSTEM)
    assert [grant.role.code for grant in selectors.grants_of(user)] == [first]


def test_a_role_cannot_grow_into_a_pair_in_the_hands_of_its_holder(hire: Hire) -> None:
    user = hire("auditor")
    services.grant_role(user=user, role="collector", actor=SYSTEM)
    auditor = Role.objects.get(code="auditor")
    with pytest.raises(RolesMayNotMeet):
        services.change_role(role_id=auditor.pk, codes=[*auditor.permissions, "loan.waive"], actor=SYSTEM)


def test_unknown_things_are_refused(hire: Hire) -> None:
    user = hire()
    with pytest.raises(UnknownRole):
        services.grant_role(user=user, role="king", actor=SYSTEM)
    with pytest.raises(UnknownUnit):
        services.grant_role(user=user, role="auditor", org_path="root.moon", actor=SYSTEM)
    with pytest.raises(UnknownPermission):
        services.change_role(role_id=Role.objects.get(code="auditor").pk, codes=["loan.eat"], actor=SYSTEM)
    with pytest.raises(EmailTaken):
        services.hire(email=user.email.upper(), name="Other", actor=SYSTEM)


@pytest.mark.parametrize(
    ("scope", "org_path", "reached"),
    [
        ("institution", "root.north.a", {"root", "root.north", "root.north.a", "root.northern"}),
        ("branch", "root.north.a", {"root.north", "root.north.a"}),
        ("team", "root.north.a", {"root.north.a"}),
        ("team", "root.north", {"root.north", "root.north.a"}),
        ("own", "root.north", set()),
    ],
)
def test_a_scope_reaches_its_part_of_the_tree(hire: Hire, scope: str, org_path: str, reached: set[str]) -> None:
    """`northern` is not a part of `north`."""
    user = hire("collector", scope=scope, org_path=org_path)
    for number, path in enumerate(["root", "root.north", "root.north.a", "root.northern"]):
        DatedItem.objects.create(kind="t", key=f"k{number}", due_on=AT.date(), subject_id=user.pk, org_path=path)
    rows = DatedItem.objects.filter(selectors.scope_filter(user, "loan.view"))
    assert {row.org_path for row in rows} == reached
    for path in ("root", "root.north", "root.north.a", "root.northern"):
        assert selectors.may(user, "loan.view", path) == (path in reached)


def test_the_scope_own_reaches_rows_of_one_s_own(hire: Hire) -> None:
    user, other = hire("collector", scope="own"), hire()
    for number, owner in enumerate([user, other]):
        DatedItem.objects.create(kind="t", key=f"k{number}", due_on=AT.date(), subject_id=owner.pk)
    rows = DatedItem.objects.filter(selectors.scope_filter(user, "loan.view", owner="subject_id"))
    assert [row.subject_id for row in rows] == [user.pk]
    assert selectors.may(user, "loan.view", "root", owner_id=user.pk)
    assert not selectors.may(user, "loan.view", "root", owner_id=other.pk)


def test_without_the_permission_no_row_is_in_reach(hire: Hire) -> None:
    user = hire("auditor")
    DatedItem.objects.create(kind="t", key="k", due_on=AT.date(), subject_id=user.pk)
    assert not DatedItem.objects.filter(selectors.scope_filter(user, "loan.waive")).exists()


def test_nobody_touches_the_own_rights(hire: Hire) -> None:
    user = hire("administrator")
    with pytest.raises(OwnRights):
        services.revoke_grant(grant_id=RoleGrant.objects.get(user=user).pk, actor=staff(user.pk))
    with pytest.raises(OwnRights):
        services.deactivate(user_id=user.pk, actor=staff(user.pk), at=AT)
    with pytest.raises(OwnRights):
        services.reset_access(user_id=user.pk, actor=staff(user.pk), at=AT)
    after = {"role": "auditor", "org_path": "root", "scope": "institution"}
    with pytest.raises(OwnRights):
        services.apply_grant(
            subject_id=f"{user.pk}:auditor", after=after, actor=staff(user.pk), maker_id=user.pk, at=AT
        )


def test_two_confirmers_are_always_left(hire: Hire) -> None:
    first, second, third = hire("administrator"), hire("administrator"), hire("administrator")
    services.deactivate(user_id=third.pk, actor=staff(first.pk), at=AT)
    with pytest.raises(LastAdministrator):
        services.deactivate(user_id=second.pk, actor=staff(first.pk), at=AT)


def test_whoever_is_deactivated_is_out_at_once_and_comes_back_without_rights(enrolled: User, hire: Hire) -> None:
    session = sign_in.open_session(user=enrolled, session_key="k", device="", factor="totp", at=AT)
    services.deactivate(user_id=enrolled.pk, actor=SYSTEM, at=AT)
    enrolled.refresh_from_db()
    assert sign_in.touch_session(session_id=str(session.pk), user=enrolled, at=AT) is None
    services.reactivate(user_id=enrolled.pk, actor=SYSTEM)
    assert selectors.permissions_of(enrolled) == frozenset()


def test_a_reset_takes_every_proof_and_every_session(enrolled: User) -> None:
    sign_in.open_session(user=enrolled, session_key="k", device="", factor="totp", at=AT)
    token = services.reset_access(user_id=enrolled.pk, actor=SYSTEM, at=AT)
    enrolled.refresh_from_db()
    assert not enrolled.has_usable_password()
    assert selectors.confirmed_factor(enrolled) is None
    assert not StaffSession.objects.filter(user=enrolled, ended_at__isnull=True).exists()
    assert sign_in.invited(token=token, visitor=sign_in.Visitor("1.1.1.1"), at=AT) == enrolled


def test_each_change_is_in_the_trail(hire: Hire) -> None:
    user = hire("auditor")
    assert [entry.action for entry in trail.trail(user)] == ["access.role_granted", "access.hired"]


def test_what_gives_rights_needs_a_second_person() -> None:
    needs = {code for code, role in permissions.ROLES.items() if permissions.needs_second_person(role.permissions)}
    assert {"administrator", "compliance", "cashier", "accountant", "collector", "product_manager"} <= needs
    assert "auditor" not in needs


# --- what a later version gives ----------------------------------------------------------------------------------


def as_it_was(monkeypatch: pytest.MonkeyPatch, role: str, *codes: str) -> Any:
    """A default role as an earlier version made it, which did not know of these permissions."""
    now = permissions.ROLES
    then = {**now, role: replace(now[role], permissions=now[role].permissions - set(codes))}
    with monkeypatch.context() as earlier:
        earlier.setattr(permissions, "ROLES", then)
        services.install_roles()
    return Role.objects.get(code=role)


def test_what_a_later_version_lets_a_role_do_is_given_once(institution: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    role = as_it_was(monkeypatch, "accountant", "loan.charge", "loan.restructure")
    assert "loan.charge" not in role.permissions
    services.give_new_rights()
    role.refresh_from_db()
    assert set(role.permissions) == permissions.ROLES["accountant"].permissions
    (told,) = trail.trail(role).filter(action="access.role_upgraded")
    assert told.details == {"added": ["loan.charge", "loan.restructure"], "not_given": []}
    services.change_role(role_id=role.pk, codes=set(role.permissions) - {"loan.charge"}, actor=SYSTEM)
    services.give_new_rights()
    role.refresh_from_db()
    assert "loan.charge" not in role.permissions  # an administrator took it away
    assert trail.trail(role).filter(action="access.role_upgraded").count() == 1


@pytest.mark.usefixtures("institution")
def test_of_a_role_made_before_anybody_counted_the_trail_tells_what_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    role = as_it_was(monkeypatch, "accountant", "loan.charge")
    services.change_role(role_id=role.pk, codes=set(role.permissions) - {"ledger.post"}, actor=SYSTEM)
    Role.objects.filter(pk=role.pk).update(offered=[])
    services.give_new_rights()
    role.refresh_from_db()
    assert set(role.permissions) == permissions.ROLES["accountant"].permissions - {"ledger.post"}


@pytest.mark.usefixtures("institution")
def test_nobody_gets_the_other_hand_of_an_act_by_a_later_version(monkeypatch: pytest.MonkeyPatch) -> None:
    role = as_it_was(monkeypatch, "accountant", "loan.restructure")
    user = services.hire(email="both@lender.example", name="Both", actor=SYSTEM)
    own = services.create_role(code="visits", name="Visits", codes=["collection.work"], actor=SYSTEM)
    services.change_role(
        role_id=role.pk, codes=set(role.permissions) - {"loan.waive", "loan.approve"}, actor=SYSTEM
    )  # or nobody could hold both
    for code in (own.code, role.code):
        services.grant_role(user=user, role=code, actor=SYSTEM)
    services.give_new_rights()
    role.refresh_from_db()
    assert "loan.restructure" not in role.permissions
    (told,) = trail.trail(role).filter(action="access.role_upgraded")
    assert told.details == {"added": [], "not_given": ["loan.restructure"]}
