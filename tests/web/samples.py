"""Sample objects for the route test: whoever adds an address with a new argument adds a sample of it here.

    @sample("loan_id")
    def a_loan(world: World) -> object:
        return ...the id of a loan made in world.institution...

It runs inside a bound transaction, once in each of two institutions. Arguments that are no row of an institution (a
provider's name, a kind) are declared with `sample(..., is_row=False)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.test import Client

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class World:
    """One institution with one member of staff in each role. `made` keeps the samples by the argument's name."""

    institution: Any
    host: str
    staff: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The sample of an argument, made when first asked for; samples may use each other's."""
        if name not in self.made:
            self.made[name] = SAMPLES[name](self)
        return self.made[name]


SAMPLES: dict[str, Callable[[World], Any]] = {}
NOT_ROWS: set[str] = set()


def sample(*names: str, is_row: bool = True) -> Callable[[Callable[[World], Any]], Callable[[World], Any]]:
    def declare(make: Callable[[World], Any]) -> Callable[[World], Any]:
        for name in names:
            SAMPLES[name] = make
            if not is_row:
                NOT_ROWS.add(name)
        return make

    return declare


def staff_client(world: World, role: str) -> Client:
    """A browser in which the person of that role is signed in, second factor and all."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib import auth

    from usance.apps.access import sign_in
    from usance.ports import clock
    from usance.web.staff import identity

    user = world.staff[role]
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[auth.SESSION_KEY] = str(user.pk)
    session[auth.BACKEND_SESSION_KEY] = identity.BACKEND
    session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    opened = sign_in.open_session(
        user=user, session_key=session.session_key, device="test", factor="totp", at=clock.now()
    )
    session[identity.SESSION_ID] = str(opened.pk)
    session.save()
    client = Client(headers={"host": world.host})
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def borrower_client(world: World) -> Client | None:
    """A browser in which a customer is signed in; None as long as there is no borrower's site."""
    return None


# --- staff -----------------------------------------------------------------------------------------------


@sample("user_id")
def a_colleague(world: World) -> Any:
    return world.staff["auditor"].pk


@sample("role_id")
def a_role(world: World) -> Any:
    from usance.apps.access import selectors

    return selectors.role_of_code("auditor").pk


@sample("grant_id")
def a_grant(world: World) -> Any:
    from usance.apps.access import selectors

    return selectors.grants_of(world.staff["auditor"]).get().pk


@sample("session_id")
def a_session(world: World) -> Any:
    from usance.apps.access import sign_in

    return sign_in.open_session(user=world.staff["auditor"], session_key="sample", device="", factor="totp", at=AT).pk


@sample("approval_id")
def a_proposal(world: World) -> Any:
    from usance.apps.desk import selectors
    from usance.workflows import staff_rights

    staff_rights.reset_access(
        user_id=world.staff["auditor"].pk, maker=world.staff["administrator"], at=AT, reason="lost phone"
    )
    found = selectors.open_approval(staff_rights.RESET, world.staff["auditor"].pk)
    assert found is not None
    return found.pk


@sample("token")
def an_invitation(world: World) -> Any:
    from usance.apps.access import services
    from usance.ports import clock
    from usance.ports.actor import SYSTEM

    user = services.hire(email="invited@lender.example", name="Someone new", actor=SYSTEM)
    return services.invite(user=user, at=clock.now(), actor=SYSTEM)
