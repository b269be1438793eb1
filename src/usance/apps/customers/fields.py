"""What may be said about a party: each field, what kind of value it takes, and its name for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SOURCES = ("applicant", "staff", "document", "bureau", "provider", "import")
SEXES = ("male", "female")
EMPLOYMENT = ("employed", "public_sector", "self_employed", "retired", "student", "homemaker", "unemployed", "other")
HOUSING = ("own", "rent", "with_family", "free", "other")
MARITAL = ("single", "married", "divorced", "widowed", "other")
EDUCATION = ("school", "vocational", "university", "other")


class NotAField(LookupError):
    """Code stated a field that does not exist, or a value of the wrong kind: a defect, forms check before."""


@dataclass(frozen=True, slots=True)
class Field:
    """`kind`: text, date, int, money (minor units of the institution's currency, a month), or one of `choices`."""

    kind: str
    label: Promise
    choices: tuple[str, ...] = ()
    in_decisions: bool = False  # may enter a decision as it is: it does not identify anyone


FIELDS: dict[str, Field] = {
    "family_name": Field("text", _("Family name")),
    "given_name": Field("text", _("Given name")),
    "middle_name": Field("text", _("Middle name or patronymic")),
    "legal_name": Field("text", _("Name of the organisation")),
    "registration_number": Field("text", _("Registration number")),
    "birth_date": Field("date", _("Date of birth")),
    "sex": Field("choice", _("Sex"), SEXES),
    "employment": Field("choice", _("Employment"), EMPLOYMENT, in_decisions=True),
    "employer": Field("text", _("Employer")),
    "occupation": Field("text", _("Occupation"), in_decisions=True),
    "employment_months": Field("int", _("Months with this employer"), in_decisions=True),
    "income_minor": Field("money", _("Income a month"), in_decisions=True),
    "expenses_minor": Field("money", _("Expenses a month"), in_decisions=True),
    "other_debt_minor": Field("money", _("Payments on other loans a month"), in_decisions=True),
    "housing": Field("choice", _("Housing"), HOUSING, in_decisions=True),
    "dependants": Field("int", _("Dependants"), in_decisions=True),
    "education": Field("choice", _("Education"), EDUCATION, in_decisions=True),
    "marital_status": Field("choice", _("Marital status"), MARITAL),
    "address": Field("text", _("Street and house")),
    "city": Field("text", _("City or village")),
    "postal_code": Field("text", _("Postal code")),
}
NAMES = ("family_name", "middle_name", "given_name", "legal_name")


def to_plain(field: str, value: Any) -> Any:
    """The value as JSON, checked. Raises NotAField."""
    known = FIELDS.get(field)
    if known is None:
        raise NotAField(field)
    if known.kind == "date" and isinstance(value, date):
        return value.isoformat()
    right = {"text": str, "choice": str, "int": int, "money": int}.get(known.kind)
    if right is None or type(value) is not right or (known.choices and value not in known.choices):
        raise NotAField(f"{field}: not a value of its kind ({known.kind})")
    return value.strip() if isinstance(value, str) else value


def from_plain(field: str, plain: Any) -> Any:
    return date.fromisoformat(plain) if FIELDS[field].kind == "date" else plain
