"""What is sealed opens for its party and field only, whoever turns the key ring; a destroyed key opens nothing."""

from __future__ import annotations

import base64
import os
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apps.customers.conftest import AT, ON
from tests.support import institutions
from usance.apps.customers import services, vault
from usance.apps.customers.models import DataKey
from usance.apps.institutions import keyring, tenancy
from usance.apps.institutions.keyring import SealBroken
from usance.ports.actor import SYSTEM

with_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
FIELD = "tests_row.value"


@with_fixture
@given(text=st.text(max_size=300))
def test_what_is_sealed_opens_again_and_is_not_readable_meanwhile(party_id: UUID, text: str) -> None:
    for owner in (party_id, None):
        sealed = vault.seal(text, party_id=owner, field=FIELD)
        assert vault.unseal(sealed, party_id=owner, field=FIELD) == text
        assert len(text.encode()) < 4 or text.encode() not in sealed
        assert vault.seal(text, party_id=owner, field=FIELD) != sealed  # equal values do not look equal


@with_fixture
@given(position=st.integers(min_value=0, max_value=60), bit=st.integers(min_value=0, max_value=7))
def test_an_altered_value_does_not_open(party_id: UUID, position: int, bit: int) -> None:
    sealed = bytearray(vault.seal("a value of some length, long enough to be altered", party_id=party_id, field=FIELD))
    sealed[position] ^= 1 << bit
    with pytest.raises(SealBroken):
        vault.unseal(bytes(sealed), party_id=party_id, field=FIELD)


def test_a_value_moved_to_another_party_field_or_owner_does_not_open(party_id: UUID) -> None:
    other = services.add_party(language="vi", on=ON, actor=SYSTEM)
    sealed = vault.seal("087084000999", party_id=party_id, field=FIELD)
    for owner, field in ((other, FIELD), (party_id, "tests_row.other"), (None, FIELD)):
        with pytest.raises(SealBroken):
            vault.unseal(sealed, party_id=owner, field=field)


def test_a_destroyed_key_opens_nothing_and_seals_nothing(party_id: UUID) -> None:
    sealed = vault.seal_json({"a": 1}, party_id=party_id, field=FIELD)
    vault.destroy_key(party_id=party_id, at=AT)
    for attempt in (
        lambda: vault.unseal_json(sealed, party_id=party_id, field=FIELD),
        lambda: vault.seal("x", party_id=party_id, field=FIELD),
        lambda: vault.keys_for([party_id]).unseal(sealed, party_id=party_id, field=FIELD),
    ):
        with pytest.raises(vault.PersonErased):
            attempt()


def test_blind_indexes_are_equal_for_equal_values_of_one_kind(party_id: UUID) -> None:
    assert vault.blind("+84912345678", kind="phone") == vault.blind("+84912345678", kind="phone")
    assert vault.blind("+84912345678", kind="phone") != vault.blind("+84912345678", kind="card")


def test_each_institution_has_its_own_index_and_cannot_open_what_the_other_sealed(fresh_db: str) -> None:
    from django.db import transaction

    marks, sealed = [], []
    founded = [institutions.found("vn"), institutions.found("ua")]
    for institution in founded:
        with tenancy.bound(institution.pk), transaction.atomic():
            marks.append(vault.blind("same", kind="phone"))
            sealed.append(vault.seal("same", party_id=None, field=FIELD))
    assert marks[0] != marks[1]
    with tenancy.bound(founded[1].pk), transaction.atomic(), pytest.raises(SealBroken):
        vault.unseal(sealed[0], party_id=None, field=FIELD)


def test_the_key_ring_turns_without_touching_the_data(party_id: UUID, settings: Any) -> None:
    sealed = vault.seal("stays", party_id=party_id, field=FIELD)
    shared = vault.seal("stays too", party_id=None, field=FIELD)
    mark = vault.blind("stays", kind="phone")
    old = settings.USANCE_KEYS
    settings.USANCE_KEYS = f"2:{base64.urlsafe_b64encode(os.urandom(32)).decode()},{old}"
    assert vault.rewrap(batch=2) == DataKey.objects.count() == 3
    assert vault.rewrap() == 0
    settings.USANCE_KEYS = settings.USANCE_KEYS.split(",")[0]  # the old key leaves the ring
    assert vault.unseal(sealed, party_id=party_id, field=FIELD) == "stays"
    assert vault.unseal(shared, party_id=None, field=FIELD) == "stays too"
    assert vault.blind("stays", kind="phone") == mark
    assert not any(keyring.needs_rewrap(key.wrapped) for key in DataKey.objects.all())


def test_a_key_made_in_a_transaction_that_failed_is_not_used_afterwards(fresh_db: str) -> None:
    from django.db import transaction

    institution = institutions.found("vn")
    with tenancy.bound(institution.pk):
        with transaction.atomic():
            lost = vault.blind("x", kind="phone")
            transaction.set_rollback(True)
        with transaction.atomic():
            kept = vault.blind("x", kind="phone")
        with transaction.atomic():
            assert vault.blind("x", kind="phone") == kept != lost
