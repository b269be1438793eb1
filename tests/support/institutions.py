"""Institutions for tests."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usance.apps.institutions.models import Institution

BUSINESS_DATE = date(2026, 3, 2)
COUNTRIES: dict[str, dict[str, Any]] = {
    "vn": {
        "country": "VN",
        "currency": "VND",
        "currency_digits": 0,
        "time_zone": "Asia/Ho_Chi_Minh",
        "languages": ["vi", "en"],
    },
    "ua": {
        "country": "UA",
        "currency": "UAH",
        "currency_digits": 2,
        "time_zone": "Europe/Kyiv",
        "languages": ["uk", "en"],
    },
    "eu": {"country": "DE", "currency": "EUR", "currency_digits": 2, "time_zone": "Europe/Berlin", "languages": ["en"]},
}


def found(
    code: str = "vn", *, host: str | None = None, business_date: date = BUSINESS_DATE, country: str = ""
) -> Institution:
    """Found a demo institution of that country. `code` is also its code and, with `.localhost`, its host name;
    `country`: under the law of another one."""
    from usance.apps.institutions import services

    profile = services.Profile(
        code=code,
        name=f"Demo {code}",
        legal_name=f"Demo lender {code}",
        registration_number="0000000000",
        address="1 Demo Street",
        support_phone="+000000000",
        support_email=f"help@{code}.example",
        is_demo=True,
        **COUNTRIES[code] | ({"country": country} if country else {}),
    )
    return services.found_institution(profile=profile, hosts=[host or f"{code}.localhost"], business_date=business_date)
