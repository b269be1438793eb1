"""What a page of staff shows of personal data: masked, until somebody who may asks to see it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.http import HttpRequest

from usance.apps.customers import masking

SHOW = "show"
UNMASK = "customer.unmask"
# what tells who somebody is, or where to find them; the rest of a person's facts is no secret among staff
IDENTIFYING = {
    "family_name": masking.name,
    "given_name": masking.name,
    "middle_name": masking.name,
    "legal_name": masking.name,
    "address": masking.name,
    "postal_code": masking.number,
    "employer": masking.name,
    "identity_number": masking.number,
    "email": masking.email,
    "phone": masking.phone,
    "push": masking.push,  # never in full: whoever holds it may write to the browser
}
BIRTH = "birth_date"
HIDDEN = frozenset({*IDENTIFYING, BIRTH})


def may_see(request: HttpRequest) -> bool:
    return UNMASK in request.permissions  # type: ignore[attr-defined]


def wants_to_see(request: HttpRequest) -> bool:
    """Whether personal data is to be shown in full on this page: asked for, and allowed."""
    return request.GET.get(SHOW) == "1" and may_see(request)


def shown(field: str, value: Any, *, in_full: bool) -> Any:
    """A value as this page may show it."""
    if in_full or value in (None, ""):
        return value
    if field == BIRTH and isinstance(value, date):
        return masking.birth_date(value)
    mask = IDENTIFYING.get(field)
    return mask(str(value)) if mask else value


def hidden(in_full: bool) -> Iterable[str]:
    """The fields that the page keeps back."""
    return frozenset() if in_full else HIDDEN
