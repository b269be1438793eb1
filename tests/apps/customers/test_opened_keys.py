"""An opened data key is remembered for one transaction and no longer; an erasure takes effect at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import close_old_connections, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.apps.customers.conftest import AT, ON, PHONE
from tests.support import institutions
from usance.apps.customers import selectors, services, vault
from usance.apps.customers.models import BlindIndex, DataKey
from usance.apps.institutions import tenancy
from usance.ports.actor import SYSTEM

FIELD = "tests_row.value"


def _key_reads(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as seen:
        act()
    return sum('FROM "customers_datakey"' in query["sql"] for query in seen.captured_queries)


def test_a_key_is_opened_once_in_a_transaction(party_id: UUID) -> None:
    vault.forget(party_id)
    sealed = vault.seal("a", party_id=party_id, field=FIELD)
    assert _key_reads(lambda: vault.unseal(sealed, party_id=party_id, field=FIELD)) == 0
    vault.forget(party_id)
    assert _key_reads(lambda: vault.unseal(sealed, party_id=party_id, field=FIELD)) == 1


def test_a_destroyed_key_is_forgotten_in_the_transaction_that_destroys_it(party_id: UUID) -> None:
    sealed = vault.seal("a", party_id=party_id, field=FIELD)
    services.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=AT)
    with pytest.raises(vault.PersonErased):
        vault.unseal(sealed, party_id=party_id, field=FIELD)
    assert selectors.known_facts(party_id) == {}
    assert selectors.current_contacts(party_id) == {}


def test_a_rolled_back_erasure_erased_nothing(party_id: UUID) -> None:
    sealed = vault.seal("a", party_id=party_id, field=FIELD)
    with transaction.atomic():
        services.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=AT)
        with pytest.raises(vault.PersonErased):
            vault.unseal(sealed, party_id=party_id, field=FIELD)
        transaction.set_rollback(True)
    assert vault.unseal(sealed, party_id=party_id, field=FIELD) == "a"


def _elsewhere(institution_id: UUID, act: Callable[[], object]) -> None:
    """In a transaction of its own, on another connection, while ours is open."""
    failed: list[Exception] = []

    def run() -> None:
        try:
            with tenancy.bound(institution_id), transaction.atomic():
                act()
        except Exception as error:  # noqa: BLE001 (told by the test's own thread)
            failed.append(error)
        finally:
            connection.close()
            close_old_connections()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert failed == []


@pytest.fixture
def committed(fresh_db: str) -> Any:
    """(institution, party, a value sealed for the party), all committed."""
    institution = institutions.found("vn")
    with tenancy.bound(institution.pk), transaction.atomic():
        party_id = services.add_party(language="vi", on=ON, actor=SYSTEM)
        services.add_contact(party_id=party_id, kind="phone", value=PHONE, actor=SYSTEM, at=AT, verified=True)
        sealed = vault.seal("a", party_id=party_id, field=FIELD)
    return institution, party_id, sealed


def test_the_next_transaction_sees_an_erasure_by_somebody_else(committed: Any) -> None:
    institution, party_id, sealed = committed
    with tenancy.bound(institution.pk):
        with transaction.atomic():
            assert vault.unseal(sealed, party_id=party_id, field=FIELD) == "a"
        _elsewhere(institution.pk, lambda: services.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=AT))
        with transaction.atomic(), pytest.raises(vault.PersonErased):
            vault.unseal(sealed, party_id=party_id, field=FIELD)


def _contact(party_id: UUID) -> None:
    services.add_contact(party_id=party_id, kind="phone", value="+84912345679", actor=SYSTEM, at=AT)


def _name(party_id: UUID) -> None:
    facts = {"given_name": "Lan"}
    services.state_facts(party_id=party_id, facts=facts, source="applicant", actor=SYSTEM, at=AT, on=ON)


def _number(party_id: UUID) -> None:
    services.set_identity_number(
        party_id=party_id, number="079084000123", source="applicant", actor=SYSTEM, at=AT, on=ON
    )


@pytest.mark.parametrize("write", [_contact, _name, _number])
def test_nobody_erased_meanwhile_becomes_findable_again(committed: Any, write: Callable[[UUID], None]) -> None:
    """Opened before, erased by somebody else meanwhile: nothing is sealed and no index is written."""
    institution, party_id, sealed = committed
    with tenancy.bound(institution.pk):
        with transaction.atomic():
            assert vault.unseal(sealed, party_id=party_id, field=FIELD) == "a"
            _elsewhere(institution.pk, lambda: services.erase(party_id=party_id, reason="asked", actor=SYSTEM, at=AT))
            with pytest.raises(vault.PersonErased), transaction.atomic():
                write(party_id)
        with transaction.atomic():
            assert not BlindIndex.objects.filter(party_id=party_id).exists()


def test_nothing_is_remembered_after_a_rollback_nor_outside_a_transaction(committed: Any) -> None:
    institution, party_id, sealed = committed
    with tenancy.bound(institution.pk):
        with transaction.atomic():
            vault.unseal(sealed, party_id=party_id, field=FIELD)
            assert tenancy.memory()
            transaction.set_rollback(True)
        tenancy.memory()["x"] = 1
        assert tenancy.memory() == {}
        with transaction.atomic():
            assert tenancy.memory() == {}
            assert DataKey.objects.filter(party_id=party_id).exists()


def test_what_is_remembered_is_the_bound_institution_s_only(committed: Any) -> None:
    institution, _, _ = committed
    with transaction.atomic():
        tenancy.memory()["x"] = 1
        with tenancy.bound(institution.pk):
            assert "x" not in tenancy.memory()
