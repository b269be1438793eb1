"""The customers of a portfolio: lines into arrivals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from usance.apps.customers import arrivals, fields, identity_numbers, selectors, words
from usance.apps.customers.refusals import EmailNotValid, IdentityNumberNotValid, PhoneNotValid
from usance.apps.imports import selectors as imports
from usance.apps.institutions import tenancy
from usance.core.money import Currency
from usance.workflows.import_portfolio.tables import Line

OLDEST = timedelta(days=365 * 120)
YOUNGEST = timedelta(days=365 * 14)


@dataclass(frozen=True, slots=True)
class Comer:
    """A customer of the file: who they are here, and what comes in, if they are new."""

    name: str
    line: Line
    party_id: UUID
    arrival: arrivals.Arrival | None
    is_known: bool = False


def read(lines: Sequence[Line], currency: Currency, on: date, units: frozenset[str]) -> dict[str, Comer]:
    """By their name in the other system. What is wrong is told to the lines."""
    known = imports.known("customer", {line.text("customer") for line in lines})
    by_reference = arrivals.parties_by_reference(line.text("reference").upper() for line in lines)
    found: dict[str, Comer] = {}
    for line in lines:
        name = line.text("customer")
        if not name:
            continue
        if name in found:
            line.wrong("customer", "twice", other=found[name].line.number, value=name)
        elif name in known:
            same = known[name].content == imports.hash_of("customer.content", line.essence)
            if not same:
                line.wrong("", "taken_in_otherwise")
            found[name] = Comer(name, line, known[name].subject_id, None, is_known=True)
        elif reference := line.text("reference").upper():
            party_id = by_reference.get(reference)
            if party_id is None:
                line.wrong("reference", "reference_unknown", value=reference[:20])
            else:
                found[name] = Comer(name, line, party_id, None)
        else:
            arrival = _arrival(line, currency, on, units)
            found[name] = Comer(name, line, arrival.party_id, arrival)
    _compare_with_ours(found)
    return found


def known_by_name(names: set[str]) -> dict[str, UUID]:
    """Customers of earlier imports, for loans whose customers came before."""
    return {name: one.subject_id for name, one in imports.known("customer", names).items()}


def _arrival(line: Line, currency: Currency, on: date, units: frozenset[str]) -> arrivals.Arrival:
    kind = line.choice("kind", ("person", "organisation"), "person")
    said = {name: value for name in fields.FIELDS if (value := _fact(name, line, currency)) is not None}
    needed = ("family_name", "given_name") if kind == "person" else ("legal_name",)
    if not all(said.get(name) for name in needed):
        line.wrong(needed[0], "no_name")
    born = said.get("birth_date")
    if born is not None and not on - OLDEST <= born <= on - YOUNGEST:
        line.wrong("birth_date", "born_when")
    languages = tuple(tenancy.current().languages)
    branch = line.text("branch") or "root"
    if branch not in units:
        line.wrong("branch", "branch_unknown", value=branch[:60], choices=", ".join(sorted(units)))
    return arrivals.Arrival(
        kind=kind,
        language=line.choice("language", languages, languages[0] if languages else settings.LANGUAGE_CODE),
        org_path=branch,
        facts=said,
        identity_number=_normal(line, "identity_number", "identity_not_valid", lambda text: identity_numbers.check(
            text, scheme=selectors.identity_scheme(on), birth_date=born, sex=said.get("sex"), on=on)),
        phone=_normal(line, "phone", "phone_not_valid", selectors.normal_phone),
        email=_normal(line, "email", "email_not_valid", words.email),
    )  # fmt: skip


def _fact(name: str, line: Line, currency: Currency) -> Any:
    field = fields.FIELDS[name]
    column = name.removesuffix("_minor")
    if field.kind == "date":
        return line.day(column)
    if field.kind == "money":
        return line.amount(column, currency)
    if field.kind == "int":
        return line.count(column, 0, 1200)
    return (line.choice(column, field.choices) if field.choices else line.text(column)) or None


def _normal(line: Line, column: str, code: str, of: Callable[[str], str]) -> str:
    text = line.text(column)
    if not text:
        return ""
    try:
        return of(text)
    except (PhoneNotValid, EmailNotValid, IdentityNumberNotValid):
        line.wrong(column, code)
        return ""


def _compare_with_ours(found: Mapping[str, Comer]) -> None:
    """A phone or an identity number belongs to one person, in the file and with us."""
    for column in ("phone", "identity_number"):
        first: dict[str, Line] = {}
        for comer in found.values():
            value = getattr(comer.arrival, column) if comer.arrival else ""
            if not value:
                continue
            if value in first:
                comer.line.wrong(column, "twice", value=value, other=first[value].number)
            first.setdefault(value, comer.line)
        theirs = arrivals.owners(column, first)
        people = selectors.summaries(theirs.values())
        for value, party_id in theirs.items():
            owner = people.get(party_id)
            first[value].wrong(column, "somebody_elses", reference=owner.reference if owner else "?")
