"""Every address, every role, and ids of another institution. The list comes from the resolver, so that a page is
covered the day it is born; what each visitor must see comes from the permit on its view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.support import database, institutions
from tests.web import samples
from tests.web.samples import World
from usance.apps.access import permissions
from usance.apps.access import services as people
from usance.apps.customers import consents
from usance.apps.decisioning import services as decisioning
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.products import services as products
from usance.ports.actor import SYSTEM

ROLES = list(permissions.ROLES)


@dataclass(frozen=True)
class Route:
    name: str
    view: Any
    arguments: tuple[str, ...]

    @property
    def samples(self) -> dict[str, str]:
        """Argument -> name of its sample."""
        own = {name: f"{self.name}.{name}" for name in self.arguments}
        return {name: own[name] if own[name] in samples.SAMPLES else name for name in self.arguments}

    @property
    def permit(self) -> Any:
        return getattr(self.view, "permit", None)


def walk(patterns: list[Any], spaces: tuple[str, ...] = (), arguments: tuple[str, ...] = ()) -> Iterator[Route]:
    for pattern in patterns:
        own = (*arguments, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            inside = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from walk(pattern.url_patterns, inside, own)
        elif isinstance(pattern, URLPattern):
            yield Route(":".join([*spaces, pattern.name or "unnamed"]), pattern.callback, own)


ROUTES = list(walk(get_resolver().url_patterns))
STAFF = [route for route in ROUTES if route.permit and route.permit.kind == "staff"]
BORROWER = [route for route in ROUTES if route.permit and route.permit.kind == "borrower"]
WITH_ROWS = [route for route in ROUTES if set(route.samples.values()) - samples.NOT_ROWS]


def named(routes: list[Route]) -> Any:
    return pytest.mark.parametrize("route", routes, ids=[route.name for route in routes])


@dataclass
class Stage:
    """Two institutions, another customer of the first, and a signed-in browser for each role of the first."""

    here: World
    there: World
    neighbour: World
    clients: dict[str, Client]
    borrower: Client

    @property
    def stranger(self) -> Client:
        return Client(headers={"host": self.here.host})

    def address(self, route: Route, *, of: World | None = None) -> str:
        """The route's address with ids of the first institution, or of `of`."""
        given = {}
        for name, wanted in route.samples.items():
            world = self.here if wanted in samples.NOT_ROWS else of or self.here
            with tenancy.bound(world.institution.pk), transaction.atomic():
                given[name] = world.get(wanted)
        return reverse(route.name, kwargs=given)


def build(code: str) -> World:
    """An institution that could do business: staff, texts, rules, products, books."""
    founded = institutions.found(code)
    world, on = World(founded, f"{code}.localhost"), founded.business_date
    with tenancy.bound(founded.pk), transaction.atomic():
        people.install_roles()
        consents.install_texts(on=on)
        products.found_demo_products(on=on)
        decisioning.found_first_rules(on=on)
        ledger.open_books()
        ledger.ensure_partitions(since=on)
        for role in ROLES:
            user = people.hire(email=f"{role}@lender.example", name=f"The {role}", actor=SYSTEM)
            people.grant_role(user=user, role=role, actor=SYSTEM)
            world.staff[role] = user
    return world


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    papers = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("papers"))
    with database.own_database() as name, database.pointed_to(name), django_db_blocker.unblock(), papers:
        here, there = build("vn"), build("ua")
        with tenancy.bound(here.institution.pk), transaction.atomic():
            clients = {role: samples.staff_client(here, role) for role in ROLES}
            borrower = samples.borrower_client(here)
        neighbour = World(here.institution, here.host, here.staff, mark=2)
        yield Stage(here, there, neighbour, clients, borrower)


def went_to_sign_in(response: Any, address: str) -> bool:
    return response.status_code == 302 and response["Location"].startswith(address)


def test_every_view_says_who_may_call_it() -> None:
    assert [route.name for route in ROUTES if route.permit is None] == []


def test_every_permit_names_a_known_permission() -> None:
    used = {route.permit.action for route in STAFF} - {""}
    assert used <= permissions.PERMISSIONS.keys()


def test_every_argument_has_a_sample() -> None:
    assert sorted({name for route in ROUTES for name in route.samples.values()} - samples.SAMPLES.keys()) == []


@named(STAFF)
def test_staff_pages_are_for_staff(stage: Stage, route: Route) -> None:
    """Whoever is not signed in as staff is sent to the sign-in page, and nothing happens."""
    address = stage.address(route)
    for visitor in (stage.stranger, stage.borrower):
        for response in (visitor.get(address), visitor.post(address)):
            assert went_to_sign_in(response, "/staff/sign-in/"), response


@named(STAFF)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_what_its_permissions_say(stage: Stage, route: Route, role: str) -> None:
    if route.name == "staff:sign_out":
        return  # would end the session that the next test walks with
    address, client = stage.address(route), stage.clients[role]
    action = route.permit.action
    if action and action not in permissions.ROLES[role].permissions:
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403
    else:
        response = client.get(address)
        assert response.status_code in {200, 302, 405}, response.status_code
        assert not went_to_sign_in(response, "/staff/sign-in/")


@named(BORROWER)
def test_borrowers_pages_are_for_borrowers(stage: Stage, route: Route) -> None:
    address = stage.address(route)
    for visitor in [stage.stranger, *stage.clients.values()]:
        for response in (visitor.get(address), visitor.post(address)):
            assert went_to_sign_in(response, "/sign-in/"), response
    response = stage.borrower.get(address)
    assert response.status_code in {200, 302, 303, 405}, response.status_code
    assert not went_to_sign_in(response, "/sign-in/")


@named([route for route in ROUTES if route.permit and route.permit.kind in {"public", "provider", "operator"}])
def test_public_pages_never_crash(stage: Stage, route: Route) -> None:
    address = stage.address(route)
    for visitor in (stage.stranger, stage.borrower, *stage.clients.values()):
        assert visitor.get(address).status_code < 500


@named(WITH_ROWS)
def test_ids_of_another_institution_do_not_exist_here(stage: Stage, route: Route) -> None:
    """The right role with a foreign id gets 404: for reading and for acting."""
    address = stage.address(route, of=stage.there)
    visitors: list[Client] = {
        "staff": [
            client
            for role, client in stage.clients.items()
            if not route.permit.action or route.permit.action in permissions.ROLES[role].permissions
        ],
        "borrower": [stage.borrower],
    }.get(route.permit.kind, [stage.stranger])
    for visitor in visitors:
        for response in (visitor.get(address), visitor.post(address)):
            assert response.status_code in {404, 405}, response
        assert 404 in {visitor.get(address).status_code, visitor.post(address).status_code}


@named([route for route in BORROWER if route in WITH_ROWS])
def test_a_customer_reaches_nothing_of_another(stage: Stage, route: Route) -> None:
    """In the same institution: another's loan, card, document or application does not exist for them."""
    address = stage.address(route, of=stage.neighbour)
    for response in (stage.borrower.get(address), stage.borrower.post(address)):
        assert response.status_code in {404, 405}, response
    assert 404 in {stage.borrower.get(address).status_code, stage.borrower.post(address).status_code}


def test_a_session_of_one_institution_opens_nothing_in_another(stage: Stage) -> None:
    for client in stage.clients.values():
        response = client.get("/staff/account/", headers={"host": stage.there.host})
        assert went_to_sign_in(response, "/staff/sign-in/")


def test_an_unknown_host_shows_nothing_of_anyone(stage: Stage) -> None:
    response = Client(headers={"host": "nowhere.localhost"}).get("/staff/sign-in/")
    assert response.status_code == 404
    assert b"Demo" not in response.content
