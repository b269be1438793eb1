"""The audit trail names who did and saw what, holds no personal data, and shows every later change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from tests.support import database, institutions
from usance.apps.audit import selectors, services
from usance.apps.audit.models import AuditEntry, AuditLink, ChainSearch
from usance.apps.institutions import tenancy
from usance.ports import clock, queue
from usance.ports.actor import SYSTEM, staff

SUBJECT = ("servicing.loan", uuid4())


def test_an_act_is_recorded_with_its_actor_and_business_date(institution: Any) -> None:
    entry = services.record(action="loan.disbursed", subject=SUBJECT, actor=staff("u1"), details={"amount_minor": 5})
    assert list(selectors.trail(SUBJECT)) == [entry]
    assert (entry.actor_kind, entry.actor_id) == ("staff", "u1")
    assert entry.business_date == institution.business_date


def test_a_view_of_personal_data_says_which_fields_and_never_what_stood_there(institution: Any) -> None:
    services.viewed(subject=SUBJECT, actor=staff("u1"), fields=["phone", "name"])
    looked = selectors.who_looked(SUBJECT).get()
    assert looked.details == {"fields": ["name", "phone"]}


def test_fractions_are_refused_as_their_text_is_not_stable(institution: Any) -> None:
    with pytest.raises(TypeError):
        services.record(action="x", subject=SUBJECT, actor=SYSTEM, details={"rate": 0.1})


def test_the_hash_survives_the_database(institution: Any) -> None:
    """What PostgreSQL gives back of odd details hashes to the same digest."""
    details = {"b": [1, {"z": "ü", "a": None}], "a": 10**30, "empty": {}, "on": institution.business_date}
    services.record(action="x", subject=SUBJECT, actor=SYSTEM, details=details)
    services.link_pending()
    assert services.verify() == []


def test_a_chain_of_many_rows_is_whole_and_linking_again_adds_nothing(institution: Any) -> None:
    for number in range(12):
        services.record(action=f"act.{number}", subject=SUBJECT, actor=SYSTEM)
    assert services.link_pending() == 12
    assert services.link_pending() == 0
    assert selectors.head() is not None
    assert [link.seq for link in AuditLink.objects.order_by("seq")] == list(range(1, 13))
    assert services.verify() == []
    assert services.verify(anchor=selectors.head()) == []


def test_recorded_content_hashes_are_listed(institution: Any) -> None:
    digest = services.content_hash({"outcome": "approve", "amount_minor": 100})
    services.record(action="decision.made", subject=("decisioning.decision", "d1"), actor=SYSTEM, digest=digest)
    assert list(selectors.recorded_digests("decisioning.decision")) == [("d1", digest)]


@pytest.fixture
def chain(fresh_db: str) -> Any:
    """Five chained rows, committed, and a connection that row-level security and triggers do not stop."""
    founded = institutions.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            for number in range(5):
                services.record(action=f"act.{number}", subject=SUBJECT, actor=SYSTEM, details={"number": number})
        services.link_pending()
        with database.superuser(fresh_db) as admin:
            admin.execute(
                "SET session_replication_role = replica"
            )  # even a superuser with the triggers off is found out
            yield admin


def kinds(anchor: selectors.Head | None = None) -> list[str]:
    with transaction.atomic():
        return [difference.kind for difference in services.verify(anchor=anchor)]


def test_an_untouched_chain_has_no_differences(chain: Any) -> None:
    assert kinds() == []


def test_an_altered_row_is_found(chain: Any) -> None:
    chain.execute("UPDATE audit_auditentry SET details = '{\"number\": 9}' WHERE action = 'act.2'")
    assert kinds() == ["altered"]


def test_a_row_altered_together_with_its_digest_is_found(chain: Any) -> None:
    with transaction.atomic():
        entry = AuditEntry.objects.get(action="act.2")
    entry.details = {"number": 9}
    digest = services.content_hash(services._content(entry))
    chain.execute(
        "UPDATE audit_auditentry SET details = '{\"number\": 9}', digest = %s WHERE action = 'act.2'", [digest]
    )
    assert kinds() == ["broken"]


def test_a_changed_instant_is_found(chain: Any) -> None:
    chain.execute("UPDATE audit_auditentry SET recorded_at = recorded_at - interval '1 day' WHERE action = 'act.1'")
    assert kinds() == ["broken"]


def test_a_removed_row_is_found(chain: Any) -> None:
    chain.execute("DELETE FROM audit_auditentry WHERE action = 'act.3'")
    assert kinds() == ["removed"]


def test_a_row_removed_together_with_its_link_is_found(chain: Any) -> None:
    chain.execute("DELETE FROM audit_auditlink WHERE seq = 3")
    assert kinds() == ["removed"]


def test_re_ordered_rows_are_found(chain: Any) -> None:
    chain.execute("UPDATE audit_auditlink SET seq = 200 WHERE seq = 2")
    chain.execute("UPDATE audit_auditlink SET seq = 2 WHERE seq = 3")
    chain.execute("UPDATE audit_auditlink SET seq = 3 WHERE seq = 200")
    assert set(kinds()) == {"reordered", "broken"}


def test_a_tail_cut_off_is_found_by_the_head_that_was_exported(chain: Any) -> None:
    with transaction.atomic():
        head = selectors.head()
    chain.execute("DELETE FROM audit_auditlink WHERE seq > 3")
    chain.execute("DELETE FROM audit_auditentry WHERE action IN ('act.3', 'act.4')")
    assert kinds() == []
    assert kinds(anchor=head) == ["cut"]


def test_rows_forgotten_by_the_job_are_found(chain: Any) -> None:
    chain.execute("DELETE FROM audit_auditlink WHERE seq = 5")
    chain.execute("UPDATE audit_auditentry SET recorded_at = recorded_at - interval '2 hours' WHERE action = 'act.4'")
    assert kinds() == ["unchained"]


def test_nobody_looks_twice_where_nothing_can_come_any_more(chain: Any) -> None:
    chain.execute("DELETE FROM audit_auditlink WHERE seq = 5")
    with transaction.atomic():
        ChainSearch.objects.update(until=clock.now() + timedelta(hours=1))
    assert services.link_pending() == 0
    assert services.link_pending(from_the_beginning=True) == 1


def test_whoever_is_still_writing_will_be_looked_for(chain: Any) -> None:
    with chain.transaction():
        began = chain.execute("SELECT now()").fetchone()[0]
        with transaction.atomic():
            ChainSearch.objects.all().delete()
        services.link_pending()
    with transaction.atomic():
        assert ChainSearch.objects.get().until < began


def test_writers_add_one_job_a_transaction_after_it(fresh_db: str) -> None:
    """Inside the transaction, a job with a key would make the next writer wait for our commit."""
    put: list[tuple[str, bool]] = []

    class Watching:
        def put(self, name: str, arguments: Any, *, key: str | None, run_at: Any) -> None:
            others = list(connection.atomic_blocks)
            put.append((name, not others))

    founded, before = institutions.found(), queue.install(Watching())
    try:
        with tenancy.bound(founded.pk), transaction.atomic():
            services.record(action="a", subject=SUBJECT, actor=SYSTEM)
            services.record(action="b", subject=SUBJECT, actor=SYSTEM)
            assert put == []
        assert put == [("audit.link", True)]
    finally:
        if before is not None:
            queue.install(before)
