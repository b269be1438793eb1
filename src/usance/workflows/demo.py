"""The demo institutions: founded with everything that a lender needs before its first customer."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import holidays
from django.db import transaction

from usance.apps.access import permissions
from usance.apps.access import services as access
from usance.apps.customers import consents
from usance.apps.decisioning import services as decisioning
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as founding
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.products import services as products
from usance.ports.actor import SYSTEM

DATA = Path(__file__).parent / "data" / "demo_institutions.json"
# nominal public holidays: under martial law they are working days, but nobody is to be called on them
UKRAINIAN_HOLIDAYS = {(1, 1), (3, 8), (5, 1), (5, 8), (6, 28), (7, 15), (8, 24), (10, 1), (12, 25)}
HOLIDAY_YEARS = 7


@dataclass(frozen=True, slots=True)
class Login:
    """How a member of the demo staff signs in."""

    site: str
    email: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Made anew for each installation: nobody's demo has a known password."""

    password: str
    totp: str

    @classmethod
    def new(cls) -> Secrets:
        return cls(password=f"demo-{secrets.token_hex(6)}", totp=base64.b32encode(secrets.token_bytes(20)).decode())


def described() -> dict[str, dict[str, Any]]:
    """The demo institutions by code."""
    found: dict[str, dict[str, Any]] = json.loads(DATA.read_text())
    return found


def found(*, code: str, starts_on: date, at: datetime, keys: Secrets) -> tuple[UUID, list[Login]]:
    """Founds one demo institution that lives in `starts_on`, with branches, holidays, staff of every role, consent
    texts, rules, products and books. Call it unbound. Returns its id and the logins."""
    facts = described()[code]
    branches = facts.pop("branches")
    institution = founding.found_institution(
        profile=founding.Profile(code=code, is_demo=True, **facts),
        hosts=[f"{code}.localhost"],
        business_date=starts_on,
    )
    with tenancy.bound(institution.pk), transaction.atomic():
        root = institutions.units().get(path=founding.ROOT)
        for unit, name in branches.items():
            founding.add_unit(parent=root, code=unit, name=name, kind="branch")
        founding.set_holidays(days=dict(_holidays(facts["country"], starts_on.year)))
        ledger.open_books()
        ledger.ensure_partitions(since=starts_on)
        consents.install_texts(on=starts_on)
        decisioning.found_first_rules(on=starts_on)
        products.found_demo_products(on=starts_on)
        logins = _hire(code, facts["languages"][0], keys, at)
    return institution.pk, logins


def _holidays(country: str, year: int) -> Iterator[tuple[date, str]]:
    """Public holidays from the year before on: the library has none for Ukraine since 2023."""
    years = range(year - 1, year - 1 + HOLIDAY_YEARS)
    if country == "UA":
        for y in years:
            yield from ((date(y, month, day), "public holiday") for month, day in sorted(UKRAINIAN_HOLIDAYS))
            yield _orthodox_easter(y) + timedelta(days=1), "Easter Monday"
        return
    yield from holidays.country_holidays(country, years=list(years)).items()


def _orthodox_easter(year: int) -> date:
    """Easter Sunday by the Julian calendar, in Gregorian dates (valid 1900-2099; Meeus, Astronomical Algorithms)."""
    a, b, c = year % 4, year % 7, year % 19
    d = (19 * c + 15) % 30
    e = (2 * a + 4 * b - d + 34) % 7
    month, day = divmod(d + e + 114, 31)
    return date(year, month, day + 1) + timedelta(days=13)


def _hire(code: str, language: str, keys: Secrets, at: datetime) -> list[Login]:
    """One member of staff for each role, at the head office."""
    access.install_roles()
    logins = []
    for role in permissions.ROLES:
        email = f"{role.replace('_', '.')}@{code}.localhost"
        user = access.hire(
            email=email,
            name=f"Demo {role.replace('_', ' ')}",
            language=language,
            password=keys.password,
            actor=SYSTEM,
        )
        access.grant_role(user=user, role=role, actor=SYSTEM)
        access.enrol_totp(user=user, at=at, actor=SYSTEM, secret=keys.totp)
        logins.append(Login(site=code, email=email, role=role))
    second = access.hire(
        email=f"administrator.two@{code}.localhost", name="Demo administrator two", password=keys.password, actor=SYSTEM
    )
    access.grant_role(user=second, role="administrator", actor=SYSTEM)
    access.enrol_totp(user=second, at=at, actor=SYSTEM, secret=keys.totp)
    return [*logins, Login(site=code, email=second.email, role="administrator")]


def logins_text(logins: list[Login], keys: Secrets) -> str:
    """What a person needs to sign in everywhere, for the end of `usance run`."""
    roles = ", ".join(sorted({login.role for login in logins}))
    return (
        "Staff sign in with an e-mail such as underwriter@ua.localhost (one for each role: "
        f"{roles}; dots for spaces),\n"
        f"  password  {keys.password}\n"
        f"  second factor: `.venv/bin/usance code` prints the code of the minute (secret {keys.totp}).\n"
        "Borrowers sign in with any mobile number of the country; the code is in the sandbox's inbox.\n"
    )
