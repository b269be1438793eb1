"""What every test may ask for. The parts are in tests/support."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.site import Site
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
        import django

        django.setup()  # pytest-django then blocks the database, except where a test asks for it


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """What collecting makes (thousands of tests, the whole product) stays to the end: the collector of cycles need not
    look at it meanwhile, nor ever again. It took a third of the time of collecting, and a part of each test's."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


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
    """A bound demo institution (Vietnam, VND) in the test's own transaction. Business date: 2026-03-02, a Monday."""
    from tests.support import institutions
    from usance.apps.institutions import tenancy

    founded = institutions.found()
    with tenancy.bound(founded.pk):
        yield founded


# --- the whole product, and a browser ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def running_site() -> Iterator[Site]:
    """Web server, worker and sandboxes on a fresh database with the demo institutions: one for all tests of this
    worker, so a test brings people of its own and leaves the rest as it was."""
    from tests.support import site

    with site.running() as started:
        yield started


@pytest.fixture
def live_site(running_site: Site, django_db_setup: None, django_db_blocker: Any) -> Iterator[Site]:
    """The running site, with the test's own Django connection looking into its database (as usance_app; bind an
    institution to see rows)."""
    from tests.support import site

    with django_db_blocker.unblock(), site.looked_into(running_site):
        yield running_site


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of this worker; each page has a context (cookies, storage) of its own."""
    from tests.support import browser

    with browser.browser() as started:
        yield started


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page as wide as a desk's screen."""
    from tests.support import browser

    with browser.page(chromium, browser.DESKTOP) as opened:
        yield opened


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A page as wide as a cheap phone (360 pixels)."""
    from tests.support import browser

    with browser.page(chromium, browser.PHONE) as opened:
        yield opened


@pytest.fixture
def phone_without_javascript(chromium: Browser) -> Iterator[Page]:
    from tests.support import browser

    with browser.page(chromium, browser.PHONE, javascript=False) as opened:
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """A failure in the browser tells what the page showed."""
    report = yield
    if call.when == "call" and report.failed:
        from tests.support import browser

        for name in {"page", "phone", "phone_without_javascript"} & set(getattr(item, "funcargs", ())):
            report.sections.append((f"what the {name} showed", browser.seen(item.funcargs[name])))  # type: ignore[attr-defined]
    return report


# --- order ------------------------------------------------------------------------------------------------

ORDER = (
    "core",
    "laws",
    "stories",
    "tidy",
    "config",
    "apps",
    "contracts",
    "workflows",
    "web",
    "api",
    "simulator",
    "e2e",
)


# files whose tests are long and need nothing of each other: shared out one by one, at the end, as they fill the site
# with samples that others would stumble over
SPREAD = ("e2e/test_budgets.py", "e2e/test_every_page.py")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cheap and telling tests first; files that drive a browser last. Once it runs, Playwright's loop stands in the
    worker's thread until the end, and nothing after it could run a loop of its own (as sealing a PDF does).

    The tests of a file stay with one worker, those of SPREAD excepted."""
    for item in items:
        file = item.path.relative_to(environment.PROJECT / "tests").as_posix()
        item.add_marker(pytest.mark.xdist_group(item.nodeid if file in SPREAD else file))
        asks_for = getattr(item, "fixturenames", ())
        if item.path.is_relative_to(environment.PROJECT / "tests" / "e2e") or "chromium" in asks_for:
            item.add_marker(pytest.mark.browser)
    in_browser = {item.path for item in items if item.get_closest_marker("browser")}

    def rank(item: pytest.Item) -> tuple[bool, bool, int]:
        file = item.path.relative_to(environment.PROJECT / "tests")
        place = ORDER.index(file.parts[0]) if file.parts[0] in ORDER else len(ORDER) - 2
        return item.path in in_browser, file.as_posix() in SPREAD, place

    items.sort(key=rank)
