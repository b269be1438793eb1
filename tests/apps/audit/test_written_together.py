"""Several acts of one transaction are written by one query, and none of them gets lost or outlives a rollback."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from usance.apps.audit import selectors, services
from usance.apps.audit.models import AuditEntry
from usance.apps.institutions import rows
from usance.apps.institutions.models import Command
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM

SUBJECT = ("servicing.loan", uuid4())


class Refused(Refusal):
    code = "not_found"


def _record(*actions: str) -> None:
    for action in actions:
        services.record(action=action, subject=SUBJECT, actor=SYSTEM)


def _actions() -> list[str]:
    return list(selectors.trail(SUBJECT).order_by("recorded_at", "id").values_list("action", flat=True))


def test_they_are_written_by_one_query_in_their_order_and_chain(institution: Any) -> None:
    with CaptureQueriesContext(connection) as seen, services.written_together():
        _record("a", "b")
        with services.written_together():
            _record("c")
    assert sum("INSERT" in query["sql"] for query in seen.captured_queries) == 1
    assert _actions() == ["a", "b", "c"]
    assert services.link_pending() == 3
    assert services.verify() == []


def _refused() -> None:
    with services.written_together():
        _record("a")
        raise Refused()


def test_a_refusal_that_the_caller_lives_with_loses_nothing(institution: Any) -> None:
    with pytest.raises(Refused):
        _refused()
    assert _actions() == ["a"]


def test_what_a_savepoint_took_back_is_not_written(institution: Any) -> None:
    with services.written_together():
        _record("a")
        with transaction.atomic():
            _record("b")
            transaction.set_rollback(True)
        with transaction.atomic():
            _record("c")
    assert sorted(_actions()) == ["a", "c"]


def _broken() -> None:
    with transaction.atomic(), services.written_together():
        _record("a")
        raise IntegrityError("as the database says it")


def test_a_lost_transaction_takes_them_along(institution: Any) -> None:
    with pytest.raises(IntegrityError):
        _broken()
    assert not AuditEntry.objects.filter(action="a").exists()


def test_many_at_once_are_as_one_by_one(institution: Any) -> None:
    services.record_all(services.Deed(action=name, subject=SUBJECT, actor=SYSTEM) for name in ("a", "b"))
    services.record_all([])
    assert _actions() == ["a", "b"]
    services.link_pending()
    assert services.verify() == []


def test_a_row_is_new_once(institution: Any) -> None:
    first = Command(name="n", key="k", input_hash="h")
    assert rows.insert_new(first)
    assert first.institution_id == institution.pk
    assert first.recorded_at is not None
    first.answer = {"a": 1}
    first.save(update_fields=["answer"])
    assert not rows.insert_new(Command(name="n", key="k", input_hash="other"))
    assert Command.objects.get(name="n", key="k").answer == {"a": 1}
