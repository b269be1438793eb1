"""Many people and organisations at once, from another system: a few statements for any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import models

from usance.apps.audit import services as audit
from usance.apps.customers import fields, selectors, vault, words
from usance.apps.customers.models import (
    EMAIL,
    PHONE,
    BlindIndex,
    Contact,
    DataKey,
    Fact,
    IdentityNumber,
    Party,
)
from usance.apps.customers.selectors import CONTACT, FACT, NUMBER
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.institutions.rows import copy_new
from usance.ports.actor import Actor

BATCH = 2000
SOURCE = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Someone who comes in: values in their normal forms, checked before. The phone counts as theirs, on the word of
    the system that hands them over."""

    party_id: UUID = field(default_factory=new_id)
    kind: str
    language: str
    org_path: str
    facts: Mapping[str, Any]
    identity_number: str = ""
    phone: str = ""
    email: str = ""


def owners(kind: str, values: Iterable[str]) -> dict[str, UUID]:
    """Whose these values (of one kind of index: "phone", "identity_number") are or were; unknown ones are absent."""
    by_mac = {vault.blind(value, kind=kind): value for value in values}
    found: dict[str, UUID] = {}
    macs = list(by_mac)
    for start in range(0, len(macs), BATCH):
        rows = BlindIndex.objects.filter(kind=kind, mac__in=macs[start : start + BATCH]).values_list("mac", "party_id")
        found |= {by_mac[bytes(mac)]: party_id for mac, party_id in rows}
    return found


def parties_by_reference(references: Iterable[str]) -> dict[str, UUID]:
    """Our customer numbers -> parties; unknown ones are absent."""
    return dict(Party.objects.filter(reference__in=set(references)).values_list("reference", "pk"))


def take_in(arrivals: Sequence[Arrival], *, actor: Actor, at: datetime, on: date) -> None:
    """Makes them customers, in the caller's transaction. `on`: the business date on which they become known."""
    rows: dict[type[models.Model], list[models.Model]] = {
        kind: [] for kind in (Party, DataKey, Contact, IdentityNumber, Fact, BlindIndex)
    }
    scheme = selectors.identity_scheme(on)
    for arrival in arrivals:
        for row in _rows_of(arrival, scheme, actor, at, on):
            rows[type(row)].append(row)
    for made in rows.values():
        copy_new(made)
    details = {"by": SOURCE}
    audit.record_all(
        audit.Deed(
            action="customer.added",
            subject=("customers.party", arrival.party_id),
            actor=actor,
            details=details | {"kind": arrival.kind, "fields": sorted(arrival.facts)},
        )
        for arrival in arrivals
    )


def _rows_of(arrival: Arrival, scheme: str, actor: Actor, at: datetime, on: date) -> Iterator[models.Model]:
    mine = arrival.party_id
    keys, wrapped = vault.fresh(party_id=mine)

    def sealed(text: str, where: str) -> bytes:
        return keys.seal(text, party_id=mine, field=where)

    yield Party(pk=mine, kind=arrival.kind, language=arrival.language, known_since=on, org_path=arrival.org_path)
    yield DataKey(kind="party", party_id=mine, wrapped=wrapped)
    for kind, value in ((PHONE, arrival.phone), (EMAIL, arrival.email)):
        if value:
            yield Contact(
                party_id=mine,
                kind=kind,
                sealed=sealed(value, CONTACT),
                mac=vault.blind(value, kind=kind),
                verified_at=at,
            )
    if arrival.identity_number:
        yield IdentityNumber(
            party_id=mine,
            country=tenancy.current().country,
            scheme=scheme,
            sealed=sealed(arrival.identity_number, NUMBER),
            source=SOURCE,
            stated_at=at,
        )
    for name, value in arrival.facts.items():
        yield Fact(
            party_id=mine,
            field=name,
            sealed=sealed(vault.as_json(fields.to_plain(name, value)), FACT),
            source=SOURCE,
            actor_kind=actor.kind,
            actor_id=actor.id,
            stated_at=at,
            effective_on=on,
        )
    for kind, value in sorted(_found_by(arrival)):
        yield BlindIndex(party_id=mine, kind=kind, mac=vault.blind(value, kind=kind))


def _found_by(arrival: Arrival) -> set[tuple[str, str]]:
    """Every (kind, value) by which the party can be found, as each act of the desk would make them."""
    names = [str(arrival.facts[name]) for name in fields.NAMES if arrival.facts.get(name)]
    found = {("name", part) for part in words.name_parts(*names)}
    whole, born = [arrival.facts.get("family_name"), arrival.facts.get("given_name")], arrival.facts.get("birth_date")
    if all(whole) and born:
        found.add(("name_birth", words.name_and_birth([str(name) for name in whole], born)))
    if arrival.identity_number:
        found |= {
            ("identity_number", arrival.identity_number),
            ("last4", words.last_four(arrival.identity_number)),
        }
    if arrival.phone:
        found |= {(PHONE, arrival.phone), ("last4", words.last_four(arrival.phone))}
    if arrival.email:
        found.add((EMAIL, arrival.email))
    return found
