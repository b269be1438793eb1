"""What every test may ask for. The parts are in tests/support."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import environment

if TYPE_CHECKING:
    from usance.apps.institutions.models import Institution

for _name, _examples in (("dev", 50), ("ci", 200)):
    settings.register_profile(
        _name, max_examples=_examples, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_configure(config: pytest.Config) -> None:
    """Load Django only when a test outside the pure folders is asked for: the core needs none of it."""
    if environment.needs_django(list(config.args)):
        environment.set_up()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """This worker's own database, a clone of the migrated template, used as `usance_app`."""
    from tests.support import database

    with database.own_database() as name, database.pointed_to(name), django_db_blocker.unblock():
        yield


@pytest.fixture
def fresh_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A database of the test's own, for tests that commit (not together with `db`). Yields its name."""
    from tests.support import database

    with database.own_database() as name, database.pointed_to(name), django_db_blocker.unblock():
        yield name


@pytest.fixture
def institution(db: None) -> Iterator[Institution]:
    """A bound demo institution (Vietnam, VND) inside the test's own transaction. Its business date is 2026-03-02, a Monday."""
    from tests.support import institutions
    from usance.apps.institutions import tenancy

    founded = institutions.found()
    with tenancy.bound(founded.pk):
        yield founded
