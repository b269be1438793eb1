"""The environment of the tests: fixed secrets, no outside database, no outside provider. Set before Django loads."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "tests-only"
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "usance.config.settings",
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright's synchronous interface runs a loop in the test's thread
    "SECRET_KEY": "tests-only-not-a-secret-tests-only-not-a-secret",
    "USANCE_KEYS": "1:dGVzdHMtb25seS1ub3QtYS1zZWNyZXQtMzItYnl0ZXM=",
    "USANCE_TENANCY_SECRET": "tests-only-tenancy-secret-tests-only",
    "USANCE_DB_SUPER_PASSWORD": PASSWORD,
    "USANCE_DB_OWNER_PASSWORD": PASSWORD,
    "USANCE_DB_APP_PASSWORD": PASSWORD,
    "WEBPUSH_PRIVATE_KEY": "dGVzdHMtb25seS1ub3QtYS1zZWNyZXQtMzItYnl0ZXM",
    "DATABASE_URL": "postgresql://usance_app@127.0.0.1:1/the-fixture-django_db_setup-points-this-elsewhere",
    "DATABASE_OWNER_URL": "postgresql://usance_owner@127.0.0.1:1/none",
    "USANCE_SANDBOX_URL": "http://127.0.0.1:9",  # nobody there: calling out without a sandbox fails at once
    "USANCE_DEMO": "1",
}
FOREIGN = ("USANCE_HOME", "USANCE_DB_ROLE", "USANCE_DB_POOL", "USANCE_DEBUG", "USANCE_TLS")
PURE = ("tests/core", "tests/laws", "tests/stories", "tests/tidy")


def needs_django(arguments: list[str]) -> bool:
    """Whether any of the asked-for tests is outside the folders that are pure standard library."""
    asked = [Path(argument.split("::")[0]).resolve() for argument in arguments]
    return not asked or not all(any(path.is_relative_to(PROJECT / pure) for pure in PURE) for path in asked)


def set_up() -> None:
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(ENVIRONMENT)
