"""A lender that could do business, with one person of each role at the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.samples import World
    from tests.web.staff.desk_world import Desk
    from tests.web.staff.lending import Lender


@pytest.fixture
def house(institution: Any) -> World:
    """Products, rules, books and staff of every role."""
    from tests.web.samples import World
    from usance.apps.access import permissions
    from usance.apps.access import services as people
    from usance.apps.decisioning import services as decisioning
    from usance.apps.ledger import services as ledger
    from usance.apps.products import services as products
    from usance.ports.actor import SYSTEM

    people.install_roles()
    on = institution.business_date
    products.found_demo_products(on=on)
    decisioning.found_first_rules(on=on)
    ledger.open_books()
    made = World(institution, "vn.localhost")
    for role in permissions.ROLES:
        made.staff[role] = people.hire(email=f"{role}@lender.example", name=f"The {role}", actor=SYSTEM)
        people.grant_role(user=made.staff[role], role=role, actor=SYSTEM)
    return made


@pytest.fixture
def as_role(house: World) -> Callable[[str], Client]:
    """A browser of the person in a role, reading English."""
    from tests.web.samples import staff_client

    def client(role: str) -> Client:
        made = staff_client(house, role)
        made.cookies["language"] = "en"
        return made

    return client


@pytest.fixture
def queries() -> Callable[[Callable[[], Any]], int]:
    """How many statements a call sends."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(call: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            call()
        return len(captured.captured_queries)

    return count


@pytest.fixture
def desk(institution: Any) -> Iterator[Desk]:
    """Applications and customers at the desk; queue and clock are put back afterwards."""
    from tests.web.staff.desk_world import Desk
    from usance.ports import clock, queue

    before = queue._queue
    try:
        yield Desk(institution)
    finally:
        queue.install(before)  # type: ignore[arg-type]
        clock.install(clock.RealClock())


@pytest.fixture
def lender(institution: Any) -> Iterator[Lender]:
    """An institution that has lent money; queue and clock are put back afterwards."""
    from tests.web.staff import lending
    from usance.ports import clock, queue

    before = queue._queue
    try:
        yield lending.lender(institution)
    finally:
        queue.install(before)  # type: ignore[arg-type]
        clock.install(clock.RealClock())
