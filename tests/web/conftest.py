"""What tests of the ways in share: a person with an app, a clock that stands still, cheap passwords."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from usance.ports import clock
from usance.ports.actor import SYSTEM

if TYPE_CHECKING:
    from usance.apps.access.models import User

PASSWORD = "a quiet lake at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 64)
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)


@pytest.fixture
def now() -> Iterator[clock.FrozenClock]:
    frozen = clock.FrozenClock(datetime.now(UTC).replace(microsecond=0))
    before = clock.install(frozen)
    yield frozen
    clock.install(before)


@pytest.fixture
def una(institution: Any, quick_passwords: None, now: clock.FrozenClock) -> User:
    """An underwriter with an app."""
    from usance.apps.access import services, sign_in

    services.install_roles()
    user = services.hire(email="una@lender.example", name="Una", actor=SYSTEM, password=PASSWORD)
    services.grant_role(user=user, role="underwriter", actor=SYSTEM)
    sign_in.enrol_totp(user=user, at=now.now(), actor=SYSTEM, secret=SECRET)
    return user
