"""People, roles and two-person changes on the staff's pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.web.samples import World, staff_client
from usance.apps.access import selectors, services
from usance.apps.audit import selectors as trail
from usance.apps.desk import selectors as desk
from usance.ports.actor import SYSTEM


@pytest.fixture
def world(institution: Any) -> World:
    services.install_roles()
    made = World(institution, "vn.localhost")
    for name, role in (("anna", "administrator"), ("berta", "administrator"), ("carl", "auditor")):
        made.staff[name] = services.hire(email=f"{name}@lender.example", name=name.title(), actor=SYSTEM)
        services.grant_role(user=made.staff[name], role=role, actor=SYSTEM)
    return made


@pytest.fixture
def anna(world: World) -> Client:
    return staff_client(world, "anna")


@pytest.fixture
def berta(world: World) -> Client:
    return staff_client(world, "berta")


def roles_of(user: Any) -> set[str]:
    return {grant.role.code for grant in selectors.grants_of(user)}


def give(browser: Client, user: Any, role: str) -> Any:
    form = {"role": role, "org_path": "root", "scope": "institution", "reason": "new in the team"}
    return browser.post(f"/staff/people/{user.pk}/roles/", form)


def test_an_invited_person_gets_a_link_that_is_shown_once(world: World, anna: Client) -> None:
    form = {"name": "Dora", "email": "dora@lender.example", "language": "en", "org_path": "root"}
    page = anna.post("/staff/people/invite/", form)
    assert "/staff/invitation/" in page.content.decode()
    again = anna.post("/staff/people/invite/", form)
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["email"])
    assert "Dora" in anna.get("/staff/people/").content.decode()


def test_a_harmless_role_is_given_at_once(world: World, anna: Client) -> None:
    user = services.hire(email="d@lender.example", name="Dora", actor=SYSTEM)
    assert give(anna, user, "underwriter").status_code == 302
    assert roles_of(user) == {"underwriter"}


def test_a_role_that_gives_rights_waits_for_a_second_administrator(world: World, anna: Client, berta: Client) -> None:
    user = services.hire(email="d@lender.example", name="Dora", actor=SYSTEM)
    assert give(anna, user, "administrator").status_code == 302
    assert roles_of(user) == set()
    (waiting,) = desk.approvals_for(world.staff["berta"])
    address = f"/staff/approvals/{waiting.pk}/"
    assert anna.get(address).context["may_decide"] is False
    assert anna.post(address, {"verdict": "approve"}).status_code == 422
    assert roles_of(user) == set()
    assert "Dora" in berta.get("/staff/approvals/").content.decode()
    assert berta.post(address, {"verdict": "approve"}).status_code == 302
    assert roles_of(user) == {"administrator"}
    assert berta.post(address, {"verdict": "approve"}).status_code == 422


def test_whoever_would_gain_may_not_confirm(world: World, anna: Client, berta: Client) -> None:
    assert give(anna, world.staff["berta"], "cashier").status_code == 302
    waiting = desk.proposals_of(world.staff["anna"]).get()
    assert berta.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"}).status_code == 422
    assert roles_of(world.staff["berta"]) == {"administrator"}
    assert desk.approval(waiting.pk).state == "proposed"


def test_nobody_gives_themselves_a_role(world: World, anna: Client) -> None:
    assert give(anna, world.staff["anna"], "underwriter").status_code == 302
    assert roles_of(world.staff["anna"]) == {"administrator"}


def test_a_rejection_needs_a_reason(world: World, anna: Client, berta: Client) -> None:
    give(anna, world.staff["carl"], "cashier")
    waiting = desk.proposals_of(world.staff["anna"]).get()
    address = f"/staff/approvals/{waiting.pk}/"
    assert berta.post(address, {"verdict": "reject"}).status_code == 422
    assert berta.post(address, {"verdict": "reject", "note": "not yet"}).status_code == 302
    assert roles_of(world.staff["carl"]) == {"auditor"}


def test_a_pair_is_refused_with_words_before_anyone_is_asked(world: World, anna: Client) -> None:
    user = services.hire(email="d@lender.example", name="Dora", actor=SYSTEM)
    services.grant_role(user=user, role="product_manager", actor=SYSTEM)
    page = give(anna, user, "compliance")
    assert page.status_code == 422
    assert not desk.proposals_of(world.staff["anna"]).exists()


def test_a_role_changes_by_two_people(world: World, anna: Client, berta: Client) -> None:
    role = selectors.role_of_code("auditor")
    codes = [code for code in role.permissions if code != "ledger.view"]
    form = {"codes": codes, "reason": "the books are for accountants"}
    assert anna.post(f"/staff/roles/{role.pk}/edit/", form).status_code == 302
    assert "ledger.view" in selectors.permissions_of(world.staff["carl"])
    waiting = desk.proposals_of(world.staff["anna"]).get()
    assert [line.field for line in desk.changes(waiting)] == ["permissions"]
    berta.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"})
    assert "ledger.view" not in selectors.permissions_of(world.staff["carl"])


def test_a_reset_takes_two_people_and_then_a_new_link_can_be_made(world: World, anna: Client, berta: Client) -> None:
    carl = world.staff["carl"]
    carl.set_password("something old and long")
    carl.save()
    link = f"/staff/people/{carl.pk}/link/"
    assert anna.post(link).status_code == 302  # whoever has a password is not handed a new one by one person
    anna.post(f"/staff/people/{carl.pk}/reset/", {"reason": "lost phone"})
    waiting = desk.proposals_of(world.staff["anna"]).get()
    berta.post(f"/staff/approvals/{waiting.pk}/", {"verdict": "approve"})
    assert "/staff/invitation/" in anna.post(link).content.decode()


def test_taking_a_role_away_and_deactivating_are_confirmed_on_a_page(world: World, anna: Client) -> None:
    carl = world.staff["carl"]
    held = selectors.grants_of(carl).get()
    address = f"/staff/people/grants/{held.pk}/revoke/"
    assert anna.get(address).status_code == 200
    assert roles_of(carl) == {"auditor"}
    anna.post(address)
    assert roles_of(carl) == set()
    anna.post(f"/staff/people/{carl.pk}/deactivate/")
    assert not selectors.user(carl.pk).is_active


def test_looking_at_a_person_is_in_the_trail(world: World, anna: Client) -> None:
    carl = world.staff["carl"]
    anna.get(f"/staff/people/{carl.pk}/")
    looked = trail.who_looked(carl).get()
    assert looked.actor_id == str(world.staff["anna"].pk)
    assert looked.details == {"fields": ["email", "name"]}


def test_the_side_bar_shows_what_a_person_may_open(world: World, anna: Client) -> None:
    def items(browser: Client) -> list[str]:
        page = browser.get("/staff/account/")
        return [item.href for section in page.context["nav"] for item in section.items]

    assert "/staff/people/" in items(anna)
    services.revoke_grant(grant_id=selectors.grants_of(world.staff["carl"]).get().pk, actor=SYSTEM)
    assert items(staff_client(world, "carl")) == []
