"""The vault: one data key per party seals whatever identifies that party; destroying the key is erasure.

Each key is 32 random bytes, wrapped by the key ring (`institutions.keyring`), so that the ring can turn without
touching the data. What belongs to nobody yet (a phone number before sign-up) is sealed under the institution's shared
key. Blind indexes are HMACs under a third key of the institution.

`field` says what a value is and where it lives (`customers_fact.value`). It is authenticated together with the party,
so that a sealed value copied into another column or to another party does not open.

A party's opened key is remembered until the transaction ends, and no longer. Whoever locks the party, makes or destroys
its key, or is about to write blind indexes forgets it first (`forget`), so that an erasure by somebody else is seen.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from usance.apps.customers.models import DataKey
from usance.apps.institutions import keyring, tenancy
from usance.apps.institutions.keyring import SealBroken
from usance.core.refusals import Refusal

Sealed = bytes | memoryview  # as it comes out of a column
FORMAT = b"\x01"
NONCE = 12
KEY = 32
PARTY, SHARED, INDEX = "party", "shared", "index"

# the institution's own keys, known to be committed: they are never destroyed, so they may be kept
_own_keys: dict[tuple[UUID, str], bytes] = {}


class PersonErased(Refusal):
    """The party's key was destroyed: nothing that identifies them can be read or added any more."""

    code = "person_erased"


class Keys:
    """The opened data keys of some parties: one query, then any number of values."""

    def __init__(self, keys: dict[UUID, bytes | None]) -> None:
        self._keys = keys

    def is_erased(self, party_id: UUID) -> bool:
        return party_id in self._keys and self._keys[party_id] is None

    def of(self, party_id: UUID | None) -> bytes:
        """The key of a party, or the shared one; raises PersonErased, and LookupError for a party without a key."""
        if party_id is None:
            return _own_key(SHARED)
        if party_id not in self._keys:
            raise LookupError(f"no data key of party {party_id} was opened")
        key = self._keys[party_id]
        if key is None:
            raise PersonErased()
        return key

    def seal(self, text: str, *, party_id: UUID | None, field: str) -> bytes:
        return _encrypt(self.of(party_id), text.encode(), _context(party_id, field))

    def unseal(self, sealed: Sealed, *, party_id: UUID | None, field: str) -> str:
        return _decrypt(self.of(party_id), sealed, _context(party_id, field)).decode()

    def unseal_json(self, sealed: Sealed, *, party_id: UUID | None, field: str) -> Any:
        return json.loads(self.unseal(sealed, party_id=party_id, field=field))


def keys_for(party_ids: Iterable[UUID]) -> Keys:
    """Opens the keys of these parties with one query; none for those that this transaction has opened already."""
    wanted, opened = set(party_ids), _opened()
    missing = wanted - opened.keys()
    found: dict[UUID, bytes | None] = {}
    if missing:
        rows = DataKey.objects.filter(party_id__in=missing).values_list("party_id", "wrapped")
        found = {party_id: _unwrap(wrapped, PARTY, party_id) if wrapped else None for party_id, wrapped in rows}
        opened.update({party_id: key for party_id, key in found.items() if key is not None})
    return Keys({**found, **{party_id: opened[party_id] for party_id in wanted & opened.keys()}})


def _opened() -> dict[UUID, bytes]:
    """The keys that the open transaction has opened; that one was destroyed is read each time."""
    kept: dict[UUID, bytes] = tenancy.memory().setdefault("customers.vault", {})
    return kept


def forget(party_id: UUID) -> None:
    """The next use of this party's key reads it again: to be called under a fresh lock of the party."""
    _opened().pop(party_id, None)


def seal(text: str, *, party_id: UUID | None, field: str) -> bytes:
    """`text` under the party's key (the shared key for None). Raises PersonErased."""
    return seal_bytes(text.encode(), party_id=party_id, field=field)


def unseal(sealed: Sealed, *, party_id: UUID | None, field: str) -> str:
    """What `seal` was given, for the same party and field. Raises PersonErased, SealBroken (a defect or tampering)."""
    return unseal_bytes(sealed, party_id=party_id, field=field).decode()


def seal_bytes(plain: bytes, *, party_id: UUID | None, field: str) -> bytes:
    return _encrypt(_one(party_id).of(party_id), plain, _context(party_id, field))


def unseal_bytes(sealed: Sealed, *, party_id: UUID | None, field: str) -> bytes:
    return _decrypt(_one(party_id).of(party_id), sealed, _context(party_id, field))


def seal_json(value: Any, *, party_id: UUID | None, field: str) -> bytes:
    """Any plain JSON value."""
    return seal(as_json(value), party_id=party_id, field=field)


def as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def unseal_json(sealed: Sealed, *, party_id: UUID | None, field: str) -> Any:
    return json.loads(unseal(sealed, party_id=party_id, field=field))


def blind(value: str, *, kind: str) -> bytes:
    """A keyed hash of an exact value: finds equal values of this kind in this institution, tells nothing else."""
    return hmac.digest(_own_key(INDEX), f"{kind}|{value}".encode(), hashlib.sha256)


def create_key(*, party_id: UUID) -> None:
    """The data key of a new party."""
    forget(party_id)
    DataKey.objects.create(kind=PARTY, party_id=party_id, wrapped=fresh(party_id=party_id)[1])


def fresh(*, party_id: UUID) -> tuple[Keys, bytes]:
    """A data key for a party, opened, and wrapped as it is to be stored."""
    key = os.urandom(KEY)
    return Keys({party_id: key}), _wrap(key, PARTY, party_id)


def destroy_key(*, party_id: UUID, at: datetime) -> None:
    """Erasure: nothing sealed under this key can ever be read again. Repeating it changes nothing."""
    forget(party_id)
    DataKey.objects.filter(party_id=party_id, wrapped__isnull=False).update(wrapped=None, destroyed_at=at)


def rewrap(*, batch: int = 1000) -> int:
    """Wraps every data key of the bound institution that an older key of the ring wraps under the newest one; says how
    many. Opens its own transactions, so that it can be interrupted and repeated."""
    count, last = 0, UUID(int=0)
    while True:
        with transaction.atomic():
            rows = list(
                DataKey.objects.select_for_update().filter(wrapped__isnull=False, pk__gt=last).order_by("pk")[:batch]
            )
            old = [row for row in rows if keyring.needs_rewrap(bytes(row.wrapped or b""))]
            for row in old:
                row.wrapped = keyring.rewrap(bytes(row.wrapped or b""), _wrap_context(row.kind, row.party_id))
            DataKey.objects.bulk_update(old, ["wrapped"])
        if not rows:
            return count
        count, last = count + len(old), rows[-1].pk


def _one(party_id: UUID | None) -> Keys:
    return Keys({}) if party_id is None else keys_for([party_id])


def _own_key(kind: str) -> bytes:
    """A key of the institution itself, made at first need."""
    name = (tenancy.current_id(), kind)
    if name not in _own_keys:
        key = _read_own(kind) or _make_own(kind)
        # only once committed: a key of a transaction that is rolled back must not seal anything afterwards
        transaction.on_commit(lambda: _own_keys.setdefault(name, key))
        return key
    return _own_keys[name]


def _read_own(kind: str) -> bytes | None:
    wrapped = DataKey.objects.filter(kind=kind, party=None).values_list("wrapped", flat=True).first()
    return _unwrap(wrapped, kind, None) if wrapped else None


def _make_own(kind: str) -> bytes:
    made = DataKey(kind=kind, wrapped=_wrap(os.urandom(KEY), kind, None))
    DataKey.objects.bulk_create([made], ignore_conflicts=True)  # another transaction may have been first
    key = _read_own(kind)
    assert key is not None
    return key


def _wrap_context(kind: str, party_id: UUID | None) -> str:
    return f"customers.datakey|{kind}|{party_id or ''}"


def _wrap(key: bytes, kind: str, party_id: UUID | None) -> bytes:
    return keyring.seal(key, _wrap_context(kind, party_id))


def _unwrap(wrapped: Sealed, kind: str, party_id: UUID | None) -> bytes:
    return keyring.unseal(bytes(wrapped), _wrap_context(kind, party_id))


def _context(party_id: UUID | None, field: str) -> bytes:
    return f"{tenancy.current_id()}|{party_id or ''}|{field}".encode()


def _encrypt(key: bytes, plain: bytes, context: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, context)


def _decrypt(key: bytes, sealed: Sealed, context: bytes) -> bytes:
    sealed = bytes(sealed)
    if sealed[:1] != FORMAT:
        raise SealBroken("a sealed value of an unknown format")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], context)
    except InvalidTag:
        raise SealBroken("a sealed value that was altered, or sealed for another party or field") from None
