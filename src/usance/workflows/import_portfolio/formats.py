"""The columns of each kind of file. Templates, the reader and docs/import.md are made of these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from usance.apps.customers import fields

KINDS = ("customers", "loans", "schedule", "events")


class Column(NamedTuple):
    """`needed`: a line cannot be without it. `sample`: what the template shows."""

    name: str
    needed: bool
    sample: str


def _facts() -> list[Column]:
    samples = {"birth_date": "1990-05-17", "income_minor": "20000", "sex": "female", "employment": "employed"}
    return [Column(name.removesuffix("_minor"), False, samples.get(name, "")) for name in fields.FIELDS]


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "customers": (
        Column("customer", True, "C-1"), Column("kind", False, "person"), Column("reference", False, ""),
        *_facts(), Column("identity_number", False, ""), Column("phone", False, ""), Column("email", False, ""),
        Column("language", False, ""), Column("branch", False, ""),
    ),
    "loans": (
        Column("loan", True, "X-1001"), Column("customer", True, "C-1"), Column("product", True, "standard"),
        Column("amount", True, "10000"), Column("disbursed_on", True, "2026-01-15"),
        Column("as_of", True, "2026-03-01"),
        Column("term", False, "12"), Column("rate", False, "24"), Column("rate_per", False, "year"),
        Column("instalment", False, ""), Column("principal", False, "9000"), Column("interest", False, "85.50"),
        Column("penalty", False, "0"), Column("unapplied", False, "0"), Column("charged", False, ""),
        Column("branch", False, ""),
    ),
    "schedule": (
        Column("loan", True, "X-1001"), Column("due_on", True, "2026-02-15"), Column("principal", True, "800"),
        Column("interest", False, "200"), Column("penalty", False, ""), Column("paid_principal", False, "800"),
        Column("paid_interest", False, "200"), Column("paid_penalty", False, ""),
    ),
    "events": (
        Column("loan", True, "X-1001"), Column("on", True, "2026-02-15"), Column("event", True, "payment"),
        Column("amount", False, "1000"), Column("id", False, "P-77"), Column("balance", False, ""),
        Column("rate", False, ""), Column("rate_per", False, ""), Column("days", False, ""),
        Column("undoes", False, ""), Column("reason", False, ""),
    ),
}  # fmt: skip
# balances by kind have columns of their own: "fee:service", "tax:vat", in a schedule also "paid_fee:service"
BY_KIND: Mapping[str, re.Pattern[str]] = {
    "loans": re.compile(r"(fee|tax):[a-z][a-z0-9_]{0,29}"),
    "schedule": re.compile(r"(paid_)?(fee|tax):[a-z][a-z0-9_]{0,29}"),
}
TITLES: Mapping[str, object] = {
    "customers": _("Customers"), "loans": _("Loans"), "schedule": _("Schedules of their own"), "events": _("Events"),
}  # fmt: skip
MOST_LINES = 500_000
MOST_SIGNS = 300


def needed(kind: str) -> set[str]:
    return {column.name for column in COLUMNS[kind] if column.needed}


def names(kind: str) -> list[str]:
    return [column.name for column in COLUMNS[kind]]


def is_column(kind: str, name: str) -> bool:
    pattern = BY_KIND.get(kind)
    return name in names(kind) or bool(pattern and pattern.fullmatch(name))


def template(kind: str) -> str:
    """A file with the columns and a line of samples."""
    return ",".join(names(kind)) + "\r\n" + ",".join(column.sample for column in COLUMNS[kind]) + "\r\n"
