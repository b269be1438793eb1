"""People for the tests of rights and of signing in. Django is not set up when this is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "a quiet lake at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with little work: these tests guess a lot."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 64)
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)


@pytest.fixture
def units(institution: Any) -> None:
    from usance.apps.access import services
    from usance.apps.institutions import services as institutions
    from usance.apps.institutions.models import OrgUnit

    root = OrgUnit.objects.get(path="root")
    north = institutions.add_unit(parent=root, code="north", name="North", kind="branch")
    institutions.add_unit(parent=north, code="a", name="Team A", kind="team")
    institutions.add_unit(parent=root, code="northern", name="Northern", kind="branch")
    services.install_roles()


@pytest.fixture
def hire(units: None) -> Callable[..., Any]:
    from usance.apps.access import services
    from usance.apps.access.models import User
    from usance.ports.actor import SYSTEM

    def hire(role: str = "", scope: str = "institution", org_path: str = "root", email: str = "") -> Any:
        count = User.objects.count()
        user = services.hire(
            email=email or f"p{count}@lender.example", name=f"Person {count}", actor=SYSTEM, password=PASSWORD
        )
        if role:
            services.grant_role(user=user, role=role, scope=scope, org_path=org_path, actor=SYSTEM)
        return user

    return hire


@pytest.fixture
def enrolled(hire: Callable[..., Any]) -> Any:
    from usance.apps.access import sign_in
    from usance.ports.actor import SYSTEM

    user = hire("underwriter", email="una@lender.example")
    sign_in.enrol_totp(user=user, at=AT, actor=SYSTEM, secret=SECRET)
    return user
