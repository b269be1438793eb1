"""Cases are taken one by one, always have a timer, and changes for two people need two people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from tests.support import institutions
from usance.apps.access import selectors as access
from usance.apps.access import services as people
from usance.apps.audit.models import AuditEntry
from usance.apps.desk import kinds, selectors, services
from usance.apps.desk.models import Approval, WorkItem, WorkItemEvent
from usance.apps.desk.refusals import (
    AlreadyDecided,
    AlreadyProposed,
    ApprovalExpired,
    CaseFinished,
    CaseNotYours,
    CaseOutOfReach,
    CaseTaken,
    MayNotDecide,
    NotYourProposal,
    OwnProposal,
)
from usance.apps.institutions import services as institution_services
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import DatedItem, OrgUnit
from usance.core.refusals import Refusal
from usance.ports.actor import SYSTEM, borrower, staff

AT = datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
Hire = Callable[..., Any]


@pytest.fixture
def hire(institution: Any) -> Hire:
    people.install_roles()
    root = OrgUnit.objects.get(path="root")
    institution_services.add_unit(parent=root, code="north", name="North", kind="branch")
    return _hire


def _hire(role: str = "underwriter", org_path: str = "root", scope: str = "institution") -> Any:
    user = people.hire(email=f"{uuid4().hex}@x.example", name=f"Some {role}", actor=SYSTEM)
    people.grant_role(user=user, role=role, org_path=org_path, scope=scope, actor=SYSTEM)
    return user


def case(minutes: int = 120, **more: Any) -> WorkItem:
    return services.open_item(
        queue="referred", subject=("origination.application", uuid4()), budget_minutes=minutes, at=AT, **more
    )


def acts(item: WorkItem) -> list[str]:
    return list(WorkItemEvent.objects.filter(item=item).order_by("id").values_list("act", flat=True))


def test_a_case_is_due_by_the_desk_s_clock(hire: Hire) -> None:
    item = case(minutes=9 * 60)
    assert item.due_at == AT + timedelta(days=1)
    assert selectors.clock(item, AT).left_minutes == 540
    assert selectors.clock(item, AT + timedelta(hours=23, minutes=30)).state == "soon"
    assert selectors.clock(item, AT + timedelta(days=1)).state == "late"


def test_a_subject_has_one_open_case_in_a_queue(hire: Hire) -> None:
    first = case()
    again = services.open_item(
        queue="referred", subject=("origination.application", first.subject_id), budget_minutes=5, at=AT
    )
    assert again == first
    assert acts(first) == ["opened"]


def test_next_gives_the_clock_that_runs_out_first_and_never_the_same_case_twice(hire: Hire) -> None:
    later, sooner, urgent = case(300), case(60), case(600, priority=5)
    first, second = hire(), hire()
    taken = [services.take_next(user=user, queues=["referred"], at=AT) for user in (first, second, first, second)]
    assert taken == [urgent, sooner, later, None]
    assert [item.owner for item in taken if item] == [first, second, first]


def test_what_a_person_cannot_reach_is_not_given_to_them(hire: Hire) -> None:
    item = case()
    local = hire(org_path="root.north", scope="branch")
    assert services.take_next(user=local, queues=["referred"], at=AT) is None
    with pytest.raises(CaseOutOfReach):
        services.take(item_id=item.pk, user=local, at=AT)
    with pytest.raises(CaseOutOfReach):
        services.assign(item_id=item.pk, user_id=local.pk, actor=SYSTEM, at=AT)


def test_a_taken_case_is_the_taker_s_until_released(hire: Hire) -> None:
    item, mine, other = case(), hire(), hire()
    services.take(item_id=item.pk, user=mine, at=AT)
    with pytest.raises(CaseTaken):
        services.take(item_id=item.pk, user=other, at=AT)
    with pytest.raises(CaseNotYours):
        services.hold(item_id=item.pk, user=other)
    services.release(item_id=item.pk, actor=staff(mine.pk), at=AT)
    services.take(item_id=item.pk, user=other, at=AT)
    assert services.hold(item_id=item.pk, user=other).owner == other
    assert acts(item) == ["opened", "taken", "released", "taken"]


def test_the_clock_stands_still_while_the_applicant_must_act(hire: Hire) -> None:
    item = case(120)
    services.pause(
        item_id=item.pk,
        waiting_for="applicant",
        wake_on=date(2026, 3, 5),
        actor=SYSTEM,
        at=AT + timedelta(minutes=30),
    )
    item.refresh_from_db()
    assert (item.state, item.left_minutes) == ("waiting", 90)
    assert selectors.clock(item, AT).state == "paused"
    back = AT + timedelta(days=1)
    services.resume(item_id=item.pk, actor=SYSTEM, at=back)
    item.refresh_from_db()
    assert item.due_at == back + timedelta(minutes=90)
    assert not DatedItem.objects.filter(kind=services.WAKE, done_at__isnull=True).exists()


def test_a_paused_case_wakes_by_itself(hire: Hire) -> None:
    item = case()
    services.pause(item_id=item.pk, waiting_for="applicant", wake_on=date(2026, 3, 5), actor=SYSTEM, at=AT)
    due = DatedItem.objects.get(kind=services.WAKE)
    assert (due.due_on, due.subject_id) == (date(2026, 3, 5), item.pk)
    assert services.wake(item.pk, AT) == "not waiting"
    assert services.wake(item.pk, AT + timedelta(days=3)) == "woken"
    assert services.wake(item.pk, AT + timedelta(days=3)) == "not waiting"


def test_a_finished_case_stays_finished(hire: Hire) -> None:
    item = case()
    services.finish(item_id=item.pk, outcome="approved", actor=SYSTEM, at=AT)
    for act in (
        lambda: services.take(item_id=item.pk, user=hire(), at=AT),
        lambda: services.finish(item_id=item.pk, outcome="x", actor=SYSTEM, at=AT),
        lambda: services.release(item_id=item.pk, actor=SYSTEM, at=AT),
    ):
        with pytest.raises(CaseFinished):
            act()
    assert services.finish_of(queue="referred", subject_id=item.subject_id, outcome="x", actor=SYSTEM, at=AT) == 0


@pytest.mark.parametrize(
    "silent", [{"due_at": None}, {"state": "waiting", "due_at": None, "left_minutes": 3}, {"state": "done"}]
)
def test_the_database_refuses_a_case_without_a_timer(hire: Hire, silent: dict[str, Any]) -> None:
    item = case()
    with pytest.raises(IntegrityError, match="workitem_has_a_timer"), transaction.atomic():
        WorkItem.objects.filter(pk=item.pk).update(**silent)
    assert selectors.without_timer_or_owner() == []


def test_two_people_who_ask_at_once_get_two_cases_without_waiting(fresh_db: str) -> None:
    """SKIP LOCKED: a second connection passes by the case that the first is about to take."""
    import psycopg

    from tests.support import database

    founded = institutions.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            people.install_roles()
            user = _hire()
            for _ in range(2):
                case()
        with transaction.atomic(), database.superuser(fresh_db) as admin, admin.transaction():
            rows = "SELECT id FROM desk_workitem ORDER BY due_at, id FOR UPDATE SKIP LOCKED LIMIT 1"
            (held,) = admin.execute(rows).fetchone() or (None,)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
            mine = services.take_next(user=user, queues=["referred"], at=AT)
            assert mine is not None
            assert mine.pk != held
            assert psycopg.pq.TransactionStatus(admin.info.transaction_status).name == "INTRANS"


# --- two people for one change ---------------------------------------------------------------------------


class Limit(Refusal):
    code = "key_reused_with_other_inputs"
    name: str


@pytest.fixture
def applied(hire: Hire) -> Any:
    done: list[tuple[str, Any]] = []

    def apply(*, subject_id: str, after: Any, actor: Any, maker_id: Any, at: Any) -> None:
        if after.get("refuse"):
            raise Limit(name="x")
        done.append((subject_id, after))

    services.register(services.Kind("test.change", "product.publish", apply, "A change"))
    yield done
    kinds._kinds.pop("test.change")


def test_a_kind_is_declared_once(applied: Any) -> None:
    known = kinds.of("test.change")
    services.register(known)
    with pytest.raises(kinds.KindTaken):
        services.register(services.Kind("test.change", known.permission, known.apply, "Another thing"))
    assert kinds.of("test.change") is known


def proposed(maker: Any, **after: Any) -> Approval:
    return services.propose(
        kind="test.change",
        subject=("products.version", "v1"),
        before={"rate": "1", "same": 1},
        after={"rate": "2", "same": 1, **after},
        maker=maker,
        at=AT,
    )


def test_a_second_person_makes_it_happen(hire: Hire, applied: Any) -> None:
    maker, checker = hire("product_manager"), hire("compliance")
    row = proposed(maker)
    assert [(line.field, line.before, line.after) for line in selectors.changes(row)] == [("rate", "1", "2")]
    assert list(selectors.approvals_for(checker)) == [row]
    assert list(selectors.approvals_for(maker)) == []
    assert services.approve(approval_id=row.pk, checker=checker, at=AT).state == "approved"
    assert applied == [("v1", {"rate": "2", "same": 1})]
    with pytest.raises(AlreadyDecided):
        services.reject(approval_id=row.pk, checker=checker, at=AT, note="")


def test_the_maker_is_never_the_checker(hire: Hire, applied: Any) -> None:
    maker = hire("compliance")
    row = proposed(maker)
    with pytest.raises(OwnProposal):
        services.approve(approval_id=row.pk, checker=maker, at=AT)
    with pytest.raises(OwnProposal):
        services.reject(approval_id=row.pk, checker=maker, at=AT, note="")
    with pytest.raises(IntegrityError, match="approval_second_person"), transaction.atomic():
        Approval.objects.filter(pk=row.pk).update(checker=maker, state="approved", decided_at=AT)
    with pytest.raises(IntegrityError, match="approval_decided_by_a_checker"), transaction.atomic():
        Approval.objects.filter(pk=row.pk).update(state="approved", decided_at=AT)
    assert applied == []


def test_who_lacks_the_permission_or_the_reach_may_not_decide(hire: Hire, applied: Any) -> None:
    row = proposed(hire("product_manager"))
    for checker in (hire("underwriter"), hire("compliance", org_path="root.north", scope="branch")):
        with pytest.raises(MayNotDecide):
            services.approve(approval_id=row.pk, checker=checker, at=AT)
    row.refresh_from_db()
    assert row.state == "proposed"


def test_a_change_that_is_refused_leaves_the_proposal_open(hire: Hire, applied: Any) -> None:
    row = proposed(hire("product_manager"), refuse=True)
    with pytest.raises(Limit):
        services.approve(approval_id=row.pk, checker=hire("compliance"), at=AT)
    row.refresh_from_db()
    assert (row.state, row.checker, applied) == ("proposed", None, [])


def test_one_open_proposal_a_subject_and_its_maker_may_withdraw_it(hire: Hire, applied: Any) -> None:
    maker = hire("product_manager")
    row = proposed(maker)
    with pytest.raises(AlreadyProposed):
        proposed(hire("product_manager"))
    with pytest.raises(NotYourProposal):
        services.withdraw(approval_id=row.pk, actor=staff(hire("product_manager").pk), at=AT)
    assert services.withdraw(approval_id=row.pk, actor=staff(maker.pk), at=AT).state == "withdrawn"
    assert proposed(maker).state == "proposed"


def asked(party_id: UUID, kind: str = "test.change") -> Approval:
    """A change that a customer asks for."""
    return services.propose(
        kind=kind, subject=("servicing.loan", uuid4()), before={}, after={}, maker=None, asked_by=party_id, at=AT
    )


def test_what_a_customer_asks_for_is_decided_by_one_colleague(hire: Hire, applied: Any) -> None:
    party_id, checker = uuid4(), hire("compliance")
    row = asked(party_id)
    assert list(selectors.approvals_for(checker)) == [row]
    assert list(selectors.proposals_of(checker)) == []
    with pytest.raises(NotYourProposal):
        services.withdraw(approval_id=row.pk, actor=staff(party_id), at=AT)
    assert services.approve(approval_id=row.pk, checker=checker, at=AT).checker == checker
    mine = asked(party_id)
    assert services.withdraw(approval_id=mine.pk, actor=borrower(party_id), at=AT).state == "withdrawn"
    acts = AuditEntry.objects.filter(subject_id=str(mine.pk)).order_by("id")
    assert [(one.action, one.actor_kind, one.actor_id) for one in acts] == [
        ("desk.proposed", "borrower", str(party_id)),
        ("desk.withdrawn", "borrower", str(party_id)),
    ]


def test_a_proposal_has_one_maker_and_not_two_or_none(hire: Hire, applied: Any) -> None:
    row = asked(uuid4())
    for wrong in ({"asked_by": None}, {"maker": hire("product_manager")}):
        with pytest.raises(IntegrityError, match="approval_has_one_maker"), transaction.atomic():
            Approval.objects.filter(pk=row.pk).update(**wrong)


def test_what_follows_a_no_or_no_answer_happens_once(hire: Hire, applied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[UUID] = []

    def not_made(*, approval_id: UUID, at: datetime) -> None:
        told.append(approval_id)

    known = kinds.of("test.change")
    another = services.Kind("test.told", known.permission, known.apply, "A thing", not_made=not_made)
    monkeypatch.setitem(kinds._kinds, "test.told", another)
    no, late, yes = (asked(uuid4(), "test.told") for _each in range(3))
    checker = hire("compliance")
    services.reject(approval_id=no.pk, checker=checker, at=AT, note="no")
    services.approve(approval_id=yes.pk, checker=checker, at=AT)
    for row in (no, late, yes):
        services.expire(row.pk, AT + timedelta(days=15))
    assert told == [no.pk, late.pk]


def test_a_proposal_runs_out(hire: Hire, applied: Any) -> None:
    row, checker = proposed(hire("product_manager")), hire("compliance")
    due = DatedItem.objects.get(kind="desk.expire")
    assert due.due_on == date(2026, 3, 17)
    with pytest.raises(ApprovalExpired):
        services.approve(approval_id=row.pk, checker=checker, at=AT + timedelta(days=15))
    assert services.expire(row.pk, AT) == "too early"
    assert services.expire(row.pk, AT + timedelta(days=15)) == "expired"
    assert services.expire(row.pk, AT + timedelta(days=15)) == "decided"
    assert access.permissions_of(checker)
