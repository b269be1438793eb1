"""Reading customers. Nothing here writes; what a member of staff sees unmasked goes through `services.reveal`."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from usance.apps.customers import fields, identity_numbers, masking, vault, words
from usance.apps.customers.models import EMAIL, PHONE, BlindIndex, Contact, Fact, IdentityNumber, Party
from usance.apps.customers.refusals import EmailNotValid, IdentityNumberNotValid, PhoneNotValid
from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy

FACT, CONTACT, NUMBER = "customers_fact.value", "customers_contact.value", "customers_identitynumber.value"
MEANINGFUL = ("identity_number", "phone", "name_birth", "email")  # kinds of index that say "perhaps the same person"


@dataclass(frozen=True, slots=True)
class Said:
    """Where a value comes from: who said it, when, and from which day it holds."""

    value: Any
    source: str
    source_id: str
    actor_kind: str
    actor_id: str
    stated_at: datetime
    effective_on: date


@dataclass(frozen=True, slots=True)
class ContactValue:
    contact_id: UUID
    kind: str
    value: str
    verified_at: datetime | None
    ended_at: datetime | None
    recorded_at: datetime
    is_usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """All that is known of a party, opened. `said`: per field every statement, newest first."""

    party_id: UUID
    reference: str
    kind: str
    language: str
    org_path: str
    is_erased: bool = False
    said: Mapping[str, list[Said]] = field(default_factory=dict)
    identity_number: str = ""
    identity_scheme: str = ""
    phone: str = ""
    email: str = ""

    @property
    def values(self) -> dict[str, Any]:
        return {name: history[0].value for name, history in self.said.items()}

    @property
    def sources(self) -> dict[str, Said]:
        return {name: history[0] for name, history in self.said.items()}

    @property
    def birth_date(self) -> date | None:
        found: date | None = self.values.get("birth_date")
        return found

    @property
    def display_name(self) -> str:
        return full_name(self.values)


@dataclass(frozen=True, slots=True)
class Summary:
    party_id: UUID
    reference: str
    name: str
    phone: str
    is_erased: bool


@dataclass(frozen=True, slots=True)
class Duplicate:
    party_id: UUID
    by: tuple[str, ...]


def full_name(values: Mapping[str, Any]) -> str:
    """Family name first; a Vietnamese middle name stands before the given name, a patronymic after it. An
    organisation has its one name."""
    order = fields.NAMES
    if tenancy.current().country != "VN":
        order = ("family_name", "given_name", "middle_name", "legal_name")
    return " ".join(str(values[name]) for name in order if values.get(name))


def normal_phone(text: str) -> str:
    """E.164, by the institution's country. Raises PhoneNotValid."""
    return words.phone(text, tenancy.current().country)


def identity_scheme(on: date) -> str:
    """Which kind of identity number the institution's country uses on that day."""
    country = tenancy.current().country
    row = institutions.rule(country, "identity_number", on)
    scheme: str = row["scheme"] if row else identity_numbers.BY_COUNTRY[country]
    return scheme


def parties(within: Q | None = None) -> QuerySet[Party]:
    """The parties of a data scope (`access.selectors.scope_filter`), newest first."""
    return Party.objects.filter(within or Q()).order_by("-id")


def party_row(party_id: UUID, within: Q | None = None) -> Party:
    """One party of a data scope; raises Party.DoesNotExist for one outside it."""
    return Party.objects.filter(within or Q()).get(pk=party_id)


def profile(party_id: UUID) -> Profile:
    """What is known of a party, for machines and for the party itself; for the eyes of staff use `services.reveal`."""
    party = Party.objects.get(pk=party_id)
    basis = {name: getattr(party, name) for name in ("reference", "kind", "language", "org_path")}
    keys = vault.keys_for([party_id])
    if keys.is_erased(party_id):
        return Profile(party_id=party_id, is_erased=True, **basis)
    number = IdentityNumber.objects.filter(party_id=party_id, ended_at=None).first()
    reached_at = current_contacts(party_id)
    return Profile(
        party_id=party_id,
        said=_statements(party_id, keys),
        identity_number=keys.unseal(number.sealed, party_id=party_id, field=NUMBER) if number else "",
        identity_scheme=number.scheme if number else "",
        phone=_value(reached_at.get(PHONE)),
        email=_value(reached_at.get(EMAIL)),
        **basis,
    )


def _statements(party_id: UUID, keys: vault.Keys) -> dict[str, list[Said]]:
    said: dict[str, list[Said]] = defaultdict(list)
    for row in Fact.objects.filter(party_id=party_id).order_by("field", "-stated_at", "-id"):
        plain = keys.unseal_json(row.sealed, party_id=party_id, field=FACT)
        said[row.field].append(
            Said(
                value=fields.from_plain(row.field, plain),
                source=row.source,
                source_id=row.source_id,
                actor_kind=row.actor_kind,
                actor_id=row.actor_id,
                stated_at=row.stated_at,
                effective_on=row.effective_on,
            )
        )
    return dict(said)


def _value(contact: ContactValue | None) -> str:
    return contact.value if contact else ""


def facts_for_decision(party_id: UUID, on: date) -> dict[str, Any]:
    """What a rule set may know of a person on a day: nothing that names them, no number, no birth date but the age in
    full years. What was not said is absent."""
    known = known_facts(party_id)
    facts = {name: value for name, value in known.items() if fields.FIELDS[name].in_decisions}
    born: date | None = known.get("birth_date")
    if born:
        facts["age_years"] = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return facts


def contacts(party_id: UUID, kind: str = "") -> list[ContactValue]:
    """Every phone and address that the party ever had, newest first; values of an erased party are empty."""
    keys = vault.keys_for([party_id])
    rows = Contact.objects.filter(party_id=party_id, **({"kind": kind} if kind else {})).order_by("-recorded_at", "-id")
    return [_contact(row, keys) for row in rows]


def _contact(row: Contact, keys: vault.Keys) -> ContactValue:
    erased = keys.is_erased(row.party_id)
    return ContactValue(
        contact_id=row.pk,
        kind=row.kind,
        value="" if erased else keys.unseal(row.sealed, party_id=row.party_id, field=CONTACT),
        verified_at=row.verified_at,
        ended_at=row.ended_at,
        recorded_at=row.recorded_at,
        is_usable=not erased and bool(row.verified_at) and not row.ended_at and not row.unreachable_at,
    )


def contact_macs(party_id: UUID) -> list[bytes]:
    """The blind indexes of every phone and address that the party ever had."""
    found = Contact.objects.filter(party_id=party_id).exclude(mac=None).values_list("mac", flat=True)
    return [bytes(mac) for mac in found if mac is not None]


def current_contact(party_id: UUID, kind: str) -> ContactValue | None:
    """The phone or e-mail address that messages go to: verified, not ended, reachable; the newest of them."""
    return current_contacts(party_id).get(kind)


def who_have(kind: str, party_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the parties that have a contact of the kind which messages could go to."""
    rows = Contact.objects.filter(party_id__in=set(party_ids), kind=kind, ended_at=None, unreachable_at=None)
    return set(rows.exclude(verified_at=None).values_list("party_id", flat=True))


def current_contacts(party_id: UUID) -> dict[str, ContactValue]:
    """Kind -> the contact that messages of that kind go to; kinds without one are absent, and so is an erased party."""
    rows = (
        Contact.objects.filter(party_id=party_id, ended_at=None, unreachable_at=None)
        .exclude(verified_at=None)
        .order_by("-verified_at", "-id")
    )
    newest: dict[str, Contact] = {}
    for row in rows:
        newest.setdefault(row.kind, row)
    keys = vault.keys_for([party_id]) if newest else vault.Keys({})
    return {} if keys.is_erased(party_id) else {kind: _contact(row, keys) for kind, row in newest.items()}


def known_facts(party_id: UUID) -> dict[str, Any]:
    """Field -> what was said last; nothing of an erased party."""
    keys = vault.keys_for([party_id])
    if keys.is_erased(party_id):
        return {}
    return {name: history[0].value for name, history in _statements(party_id, keys).items()}


def party_with_phone(phone: str) -> UUID | None:
    """Who has proved that this phone (E.164) is theirs, and still has it."""
    mac = vault.blind(phone, kind=PHONE)
    found = Contact.objects.filter(kind=PHONE, mac=mac, ended_at=None).exclude(verified_at=None)
    return found.values_list("party_id", flat=True).first()


def summaries(party_ids: Iterable[UUID], *, masked: bool = True) -> dict[UUID, Summary]:
    """Names and phones for a list page, with four queries for any number of parties."""
    wanted = set(party_ids)
    keys = vault.keys_for(wanted)
    names: dict[UUID, dict[str, str]] = defaultdict(dict)
    for row in Fact.objects.filter(party_id__in=wanted, field__in=fields.NAMES).order_by("stated_at", "id"):
        if not keys.is_erased(row.party_id):
            names[row.party_id][row.field] = keys.unseal_json(row.sealed, party_id=row.party_id, field=FACT)
    phones: dict[UUID, str] = {}
    current = Contact.objects.filter(party_id__in=wanted, kind=PHONE, ended_at=None).exclude(verified_at=None)
    for contact in current.order_by("verified_at", "id"):
        phones[contact.party_id] = _contact(contact, keys).value
    found = {}
    for party in Party.objects.filter(pk__in=wanted):
        name, phone = full_name(names[party.pk]), phones.get(party.pk, "")
        if masked:
            name, phone = masking.name(name), masking.phone(phone) if phone else ""
        found[party.pk] = Summary(party.pk, party.reference, name, phone, keys.is_erased(party.pk))
    return found


def search(text: str, within: Q | None = None, *, also: Iterable[UUID] = ()) -> QuerySet[Party]:
    """Parties by phone, e-mail, identity number, customer reference, name (any of its words in any order, all must
    fit), or last four digits; in a data scope. `also`: those whom the caller found by something else."""
    found = [_indexed(kind, value) for kind, value in _exact_readings(text)]
    parts = words.name_parts(text) if not re.search(r"\d", text) else []
    named: QuerySet[Any] | None = None
    for part in parts:
        having = _indexed("name", part)
        named = having if named is None else having.filter(party_id__in=named)
    if named is not None:
        found.append(named)
    # each way by its own index, and then together: with OR, every party of the institution would be looked at
    found.append(Party.objects.filter(reference=text.strip().upper()).values("pk"))
    found.append(Party.objects.filter(pk__in=set(also)).values("pk"))
    return parties(within).filter(pk__in=found[0].union(*found[1:], all=True))


def _exact_readings(text: str) -> Iterable[tuple[str, str]]:
    """Each way in which the text is an exact value."""
    digits = re.sub(r"\D", "", text)
    if "@" in text:
        with contextlib.suppress(EmailNotValid):
            return [(EMAIL, words.email(text))]
    if len(digits) == 4:
        return [("last4", digits)]
    readings = []
    with contextlib.suppress(PhoneNotValid):
        readings.append((PHONE, normal_phone(text)))
    with contextlib.suppress(IdentityNumberNotValid):
        scheme = identity_scheme(tenancy.current().business_date)
        readings.append(("identity_number", identity_numbers.normal(text, scheme)))
    return readings


def _indexed(kind: str, value: str) -> QuerySet[Any]:
    """Ids of those who are found by a value."""
    mac = vault.blind(value, kind=kind)
    return BlindIndex.objects.filter(kind=kind, mac=mac).values("party_id")


def duplicates(party_id: UUID) -> list[Duplicate]:
    """Other parties that share an identity number, phone, e-mail address, or name with birth date, now or before."""
    own = BlindIndex.objects.filter(party_id=party_id, kind__in=MEANINGFUL).values_list("kind", "mac")
    match = Q(pk__in=[])
    for kind, mac in own:
        match |= Q(kind=kind, mac=mac)
    by: dict[UUID, set[str]] = defaultdict(set)
    others = BlindIndex.objects.filter(match).exclude(party_id=party_id).values_list("party_id", "kind")
    for other, kind in others:
        by[other].add(kind)
    return [Duplicate(other, tuple(kind for kind in MEANINGFUL if kind in by[other])) for other in sorted(by)]
