"""What happens to what we know of a party: it is added, stated anew, ended, shown, erased; never edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from usance.apps.audit import services as audit
from usance.apps.customers import fields, identity_numbers, selectors, vault, words
from usance.apps.customers.models import (
    PHONE,
    PUSH,
    AuthenticatorApp,
    BlindIndex,
    Contact,
    Device,
    Fact,
    IdentityNumber,
    OneTimeCode,
    Party,
)
from usance.apps.customers.refusals import PhoneOfSomeoneElse
from usance.apps.customers.selectors import CONTACT, FACT, NUMBER
from usance.apps.institutions import tenancy
from usance.ports.actor import Actor

PARTY = "customers.party"


def add_party(*, kind: str = "person", language: str, on: date, actor: Actor, org_path: str = "root") -> UUID:
    """A new person or organisation with a data key of their own; `on` is the business date."""
    party = Party.objects.create(kind=kind, language=language, known_since=on, org_path=org_path)
    vault.create_key(party_id=party.pk)
    audit.record(action="customer.added", subject=(PARTY, party.pk), actor=actor, details={"kind": kind})
    party_id: UUID = party.pk
    return party_id


def state_facts(
    *,
    party_id: UUID,
    facts: Mapping[str, Any],
    source: str,
    actor: Actor,
    at: datetime,
    on: date,
    source_id: str = "",
) -> None:
    """Somebody said something about the party: each field becomes a dated, sealed row beside the earlier ones. `on`:
    the business date from which it holds. Raises NotAField (a defect), PersonErased."""
    if source not in fields.SOURCES:
        raise fields.NotAField(f"source {source}")
    plain = {name: fields.to_plain(name, value) for name, value in facts.items() if value is not None}
    vault.forget(party_id)  # names become findable: not of a person who was erased meanwhile
    keys = vault.keys_for([party_id])
    said_by = {"source": source, "source_id": source_id, "actor_kind": actor.kind, "actor_id": actor.id}
    Fact.objects.bulk_create(
        Fact(
            party_id=party_id,
            field=name,
            sealed=keys.seal(vault.as_json(value), party_id=party_id, field=FACT),
            stated_at=at,
            effective_on=on,
            **said_by,
        )
        for name, value in plain.items()
    )
    if plain.keys() & {*fields.NAMES, "birth_date"}:
        _index_names(party_id)
    details = {"fields": sorted(plain), "source": source}
    audit.record(action="customer.facts_stated", subject=(PARTY, party_id), actor=actor, details=details)


def _index_names(party_id: UUID) -> None:
    """Makes the party findable by its names, and by name with birth date when both are known."""
    values = selectors.known_facts(party_id)
    names = [values[name] for name in fields.NAMES if values.get(name)]
    entries = [("name", part) for part in words.name_parts(*names)]
    whole = [values.get("family_name"), values.get("given_name")]
    if all(whole) and "birth_date" in values:
        entries.append(("name_birth", words.name_and_birth([str(name) for name in whole], values["birth_date"])))
    _index(party_id, entries)


def _index(party_id: UUID, entries: Iterable[tuple[str, str]]) -> None:
    rows = [BlindIndex(party_id=party_id, kind=kind, mac=vault.blind(value, kind=kind)) for kind, value in entries]
    BlindIndex.objects.bulk_create(rows, ignore_conflicts=True)


def set_identity_number(
    *,
    party_id: UUID,
    number: str,
    source: str,
    actor: Actor,
    at: datetime,
    on: date,
    birth_date: date | None = None,
    sex: str | None = None,
) -> None:
    """The party's number by the rule of the institution's country, which must agree with the birth date and sex if
    they are given. The same number again changes nothing. Raises IdentityNumberNotValid, PersonErased."""
    scheme = selectors.identity_scheme(on)
    checked = identity_numbers.check(number, scheme=scheme, birth_date=birth_date, sex=sex, on=on)
    lock(party_id)
    keys = vault.keys_for([party_id])
    current = IdentityNumber.objects.filter(party_id=party_id, scheme=scheme, ended_at=None).first()
    if current and keys.unseal(current.sealed, party_id=party_id, field=NUMBER) == checked:
        return
    if current:
        IdentityNumber.objects.filter(pk=current.pk).update(ended_at=at)
    IdentityNumber.objects.create(
        party_id=party_id,
        country=tenancy.current().country,
        scheme=scheme,
        sealed=keys.seal(checked, party_id=party_id, field=NUMBER),
        source=source,
        stated_at=at,
    )
    _index(party_id, [("identity_number", checked), ("last4", words.last_four(checked))])
    details = {"scheme": scheme, "replaced": bool(current), "source": source}
    audit.record(action="customer.identity_number_set", subject=(PARTY, party_id), actor=actor, details=details)


def add_contact(*, party_id: UUID, kind: str, value: str, actor: Actor, at: datetime, verified: bool = False) -> UUID:
    """A phone or e-mail address of the party; one that the party already has is not added twice, but becomes verified.
    Raises PhoneNotValid, EmailNotValid, PhoneOfSomeoneElse, PersonErased."""
    normal = selectors.normal_phone(value) if kind == PHONE else words.email(value)
    lock(party_id)
    mac = vault.blind(normal, kind=kind)
    row = Contact.objects.filter(party_id=party_id, kind=kind, mac=mac, ended_at=None).first()
    if row is None:
        sealed = vault.seal(normal, party_id=party_id, field=CONTACT)
        row = Contact.objects.create(party_id=party_id, kind=kind, sealed=sealed, mac=mac)
        _index(party_id, [(kind, normal), *([("last4", words.last_four(normal))] if kind == PHONE else [])])
        audit.record(action="customer.contact_added", subject=(PARTY, party_id), actor=actor, details={"kind": kind})
    if verified:
        verify_contact(contact_id=row.pk, actor=actor, at=at)
    contact_id: UUID = row.pk
    return contact_id


def verify_contact(*, contact_id: UUID, actor: Actor, at: datetime) -> None:
    """The party proved that the phone or address is theirs. Raises PhoneOfSomeoneElse."""
    row = Contact.objects.get(pk=contact_id)
    if row.verified_at:
        return
    try:
        with transaction.atomic():
            Contact.objects.filter(pk=contact_id).update(verified_at=at, unreachable_at=None)
    except IntegrityError as error:
        if "contact_one_owner" not in str(error):
            raise
        raise PhoneOfSomeoneElse() from None
    details = {"kind": row.kind}
    audit.record(action="customer.contact_verified", subject=(PARTY, row.party_id), actor=actor, details=details)


def set_push_address(*, party_id: UUID, value: str, actor: Actor, at: datetime) -> None:
    """The browser on which the party wants our pushes: one at a time, the one that was told last. A browser that was
    another party's is theirs no more. Raises PersonErased."""
    lock(party_id)
    mac = vault.blind(value, kind=PUSH)
    standing = Contact.objects.filter(kind=PUSH, ended_at=None)
    if standing.filter(party_id=party_id, mac=mac, unreachable_at=None).exists():
        return
    for row in standing.filter(Q(party_id=party_id) | Q(mac=mac)):
        end_contact(contact_id=row.pk, because="replaced", actor=actor, at=at)
    sealed = vault.seal(value, party_id=party_id, field=CONTACT)
    Contact.objects.create(party_id=party_id, kind=PUSH, sealed=sealed, mac=mac, verified_at=at)
    audit.record(action="customer.contact_added", subject=(PARTY, party_id), actor=actor, details={"kind": PUSH})


def end_push_address(*, party_id: UUID, because: str, actor: Actor, at: datetime) -> None:
    """No more pushes to this party. Repeating it changes nothing."""
    for row in Contact.objects.filter(party_id=party_id, kind=PUSH, ended_at=None):
        end_contact(contact_id=row.pk, because=because, actor=actor, at=at)


def end_contact(*, contact_id: UUID, because: str, actor: Actor, at: datetime) -> None:
    """The phone or address is no longer the party's; the row stays as history."""
    if Contact.objects.filter(pk=contact_id, ended_at=None).update(ended_at=at, ended_because=because):
        row = Contact.objects.get(pk=contact_id)
        details = {"kind": row.kind, "because": because}
        audit.record(action="customer.contact_ended", subject=(PARTY, row.party_id), actor=actor, details=details)


def mark_unreachable(*, party_id: UUID, kind: str, value: str, at: datetime) -> None:
    """The messenger says that nothing will ever arrive there: no more messages go to it until it is verified again."""
    mac = vault.blind(value, kind=kind)
    Contact.objects.filter(party_id=party_id, kind=kind, mac=mac, ended_at=None).update(unreachable_at=at)


def set_language(*, party_id: UUID, language: str) -> None:
    """The language in which the party is written to."""
    Party.objects.filter(pk=party_id).update(language=language)


def move_party(*, party_id: UUID, org_path: str, actor: Actor) -> None:
    """The party is now looked after by another branch or team."""
    before = lock(party_id).org_path
    Party.objects.filter(pk=party_id).update(org_path=org_path)
    details = {"before": before, "after": org_path}
    audit.record(action="customer.moved", subject=(PARTY, party_id), actor=actor, details=details)


def reveal(*, party_id: UUID, fields: Iterable[str], actor: Actor) -> selectors.Profile:
    """The party's data unmasked, for a person's eyes: the look goes into the audit trail with the names of the
    fields that the page shows."""
    audit.viewed(subject=(PARTY, party_id), actor=actor, fields=sorted(fields))
    return selectors.profile(party_id)


def reveal_list(*, party_ids: Iterable[UUID], actor: Actor) -> dict[UUID, selectors.Summary]:
    """Names and phones of a list unmasked, for a person's eyes: one entry of the audit trail for each party."""
    found = selectors.summaries(party_ids, masked=False)
    for party_id in found:
        audit.viewed(subject=(PARTY, party_id), actor=actor, fields=["name", "phone"])
    return found


def erase(*, party_id: UUID, reason: str, actor: Actor, at: datetime) -> None:
    """Destroys the party's key: all that was sealed under it, anywhere, is unreadable from here on. Blind indexes go,
    and so does what was sealed before the party had a key. Amounts in the ledger stay."""
    party = lock(party_id)
    macs = selectors.contact_macs(party_id)
    OneTimeCode.objects.filter(to_mac__in=macs).update(sealed_to=b"", to_mac=b"", address_mac=None, party=None)
    OneTimeCode.objects.filter(party_id=party_id).update(sealed_to=b"", to_mac=b"", address_mac=None)
    BlindIndex.objects.filter(party_id=party_id).delete()
    Device.objects.filter(party_id=party_id).delete()
    AuthenticatorApp.objects.filter(party_id=party_id).delete()
    Contact.objects.filter(party_id=party_id, ended_at=None).update(ended_at=at, ended_because="erased")
    Contact.objects.filter(party_id=party_id).update(mac=None)
    vault.destroy_key(party_id=party_id, at=at)
    if party.erased_at is None:
        Party.objects.filter(pk=party_id).update(erased_at=at)
        audit.record(action="customer.erased", subject=(PARTY, party_id), actor=actor, details={"reason": reason})


def hold(*, party_id: UUID) -> None:
    """Nobody else begins anything for this party until the caller's transaction ends."""
    lock(party_id)


def lock(party_id: UUID) -> Party:
    """Changes of one party happen one after the other; an erasure that came first is seen."""
    row: Party = Party.objects.select_for_update().get(pk=party_id)
    vault.forget(party_id)
    return row
