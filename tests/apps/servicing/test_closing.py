"""The close: many loans at once, the same as one by one; broken ones stay out; it may stop anywhere and run twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from tests.apps.servicing import loans
from tests.support import institutions as founding
from tests.support.database import superuser
from usance.apps.institutions import selectors as institution_view
from usance.apps.institutions import services as institutions
from usance.apps.institutions import tenancy
from usance.apps.ledger import selectors as ledger
from usance.apps.ledger import services as books_of
from usance.apps.servicing import (
    bulk,
    classing,
    closing,
    closing_books,
    folding,
    passing,
    prepared,
    selectors,
    statuses,
)
from usance.apps.servicing.models import (
    CloseChunk,
    CloseProblem,
    CloseRun,
    Earning,
    Loan,
    LoanClassChange,
    LoanMovement,
    MovementLine,
    Prepared,
)
from usance.core.loan import checkpoint, replay
from usance.core.loan.terms import RateStep
from usance.core.rates import Rate
from usance.ports import due
from usance.ports.actor import SYSTEM
from usance.workflows import close_day
from usance.workflows.audit_books import audit_books, books

D = date(2026, 3, 2)
LAST = date(2099, 1, 1)
AT = datetime(2026, 3, 3, 0, 5, tzinfo=UTC)


@pytest.fixture
def lender(fresh_db: str) -> Iterator[UUID]:
    """An institution in a database of its own, with open books, bound; transactions commit."""
    founded = founding.found()
    with tenancy.bound(founded.pk):
        with transaction.atomic():
            books_of.open_books()
        yield founded.pk


NAMES = ("number", *folding.STANDING[1:], "max_days_past_due", "loan_class")


def lend_some(count: int = 6) -> list[Loan]:
    """A mix of short and long loans in two branches."""
    made = []
    for number in range(count):
        with transaction.atomic():
            agreed = loans.instalments() if number % 3 == 2 else loans.single_payment(1_000_000 + number * 7, days=5)
            made.append(loans.lend(on=D, agreed=agreed, product="long" if number % 3 == 2 else "short",
                                   org_path="root.b1" if number % 2 else "root"))  # fmt: skip
    return made


def close(days: int = 1, **more: Any) -> list[CloseRun]:
    return close_day.run_close_inline(at=AT, days=days, **more)


def digest(*, with_booking: bool = True) -> str:
    """Everything that a close leaves behind, without ids and times of recording: loans, movements, books."""
    with transaction.atomic():
        lines = [
            str([checkpoint.to_json(folding.state_of(row)), *(getattr(row, name) for name in NAMES)])
            for row in Loan.objects.order_by("number")
        ]
        names = ["loan__number", "effective_on", "kind", "component", "fee_kind", "amount_minor"]
        names += ["booked_on"] if with_booking else []
        lines += sorted(str(row) for row in MovementLine.objects.values_list(*names))
        lines += sorted(map(str, LoanClassChange.objects.values_list("loan__number", "day", "was", "now")))
        lines += [f"{b.account.code} {b.debit_minor} {b.credit_minor}" for b in ledger.trial_balance(on=LAST)]
    return sha256("\n".join(lines).encode()).hexdigest()


def business_date() -> date:
    tenancy.forget_row()
    with transaction.atomic():
        return tenancy.current().business_date


def assert_as_refolded() -> None:
    """Every loan stands as a fold of its events from birth says, and its row as on the day it was written."""
    with transaction.atomic():
        for row in Loan.objects.all():
            agreed, told = folding.terms_of(row), folding.history_of(selectors.events_of(loan_id=row.pk))
            refolded = replay.replay(agreed, told, row.checkpoint_on).loan
            assert folding.state_of(row) == refolded
            expected = folding.columns_of(refolded)
            assert {name: getattr(row, name) for name in folding.STANDING if name != "checkpoint"} == {
                name: value for name, value in expected.items() if name != "checkpoint"
            }
            written = Loan.rows.get(pk=row.pk)
            then = replay.replay(agreed, told, written.checkpoint_on, daily=False).loan
            assert {name: getattr(written, name) for name in folding.STANDING[1:]} == {
                name: value for name, value in folding.columns_of(then).items() if name != "checkpoint"
            }


def test_a_close_accrues_a_day_and_moves_the_business_date(lender: UUID) -> None:
    lend_some()
    (run,) = close()
    assert (run.state, run.total_count, run.done_count, run.problem_count) == ("done", 6, 6, 0)
    assert business_date() == D + timedelta(days=1)
    assert_as_refolded()
    with transaction.atomic():
        entries = list(ledger.entries(starts_on=D, ends_on=D + timedelta(days=1)).filter(description="close.day"))
        assert len(entries) == 4  # two products in two branches
        totals = ledger.control_totals(on=D)
        assert totals["interest_receivable"] == sum(row.interest_minor for row in Loan.objects.all())


def test_a_week_of_closes_is_the_fold_of_a_week(lender: UUID) -> None:
    made = lend_some()
    close(days=8)
    assert_as_refolded()
    with transaction.atomic():
        row = Loan.objects.get(pk=made[0].pk)
        assert (row.status, row.days_past_due, row.bucket) == ("past_due", 3, "1-30")
        assert row.penalty_minor > 0


def test_closing_a_day_twice_changes_nothing(lender: UUID) -> None:
    """T13, the first half: the jobs of a finished close run again."""
    lend_some()
    (run,) = close()
    before = digest()
    with transaction.atomic():
        chunks = list(CloseChunk.objects.all())
    for chunk in chunks:
        with transaction.atomic():
            assert closing.close_chunk(chunk_id=chunk.pk, at=AT) is False
    with transaction.atomic():
        assert closing.finish(run_id=run.pk, at=AT, actor=SYSTEM) is False
    assert digest() == before
    assert business_date() == D + timedelta(days=1)


def test_ten_days_skipped_are_made_up_for(fresh_db: str) -> None:
    """T13, the second half: one lender closes each night, the other not for ten days; then both stand alike."""
    digests = []
    for code, rhythm in (("vn", [1] * 10), ("eu", [10])):
        founded = founding.found(code, country="VN")
        with tenancy.bound(founded.pk):
            with transaction.atomic():
                books_of.open_books()
            loans._numbers = iter(range(1, 1000))  # type: ignore[attr-defined]
            lend_some()
            for days in rhythm:
                close(days=days)
            digests.append(digest())
    assert digests[0] == digests[1]


def test_a_loan_left_out_for_ten_days_is_brought_up_and_cites_the_old_dates(lender: UUID) -> None:
    made = lend_some(2)
    with superuser(connection.settings_dict["NAME"]) as admin:
        admin.execute("UPDATE servicing_earning SET closed_until = '2026-04-01' WHERE id = %s", [made[0].pk])
        close(days=4)
        admin.execute("UPDATE servicing_earning SET closed_until = '2026-03-02' WHERE id = %s", [made[0].pk])
    close()
    assert_as_refolded()
    with transaction.atomic():
        late = LoanMovement.objects.filter(loan=made[0], kind="interest_accrued").order_by("effective_on")
        assert [row.effective_on for row in late] == [D + timedelta(days=n) for n in range(5)]
        assert {row.booked_on for row in late} == {D + timedelta(days=4)}
        assert late[0].entry.cites == f"date:{D}"


def poison(loan: Loan) -> dict[str, Any]:
    with superuser(connection.settings_dict["NAME"]) as admin:
        sound = admin.execute("SELECT terms FROM servicing_loan WHERE id = %s", [loan.pk]).fetchone()
        admin.execute(
            """UPDATE servicing_loan SET terms = jsonb_set(terms, '{day_count}', '"lunar"') WHERE id = %s""", [loan.pk]
        )
    assert sound is not None
    terms: dict[str, Any] = sound[0]
    return terms


def heal(loan: Loan, terms: dict[str, Any]) -> None:
    from psycopg.types.json import Jsonb

    with superuser(connection.settings_dict["NAME"]) as admin:
        admin.execute("UPDATE servicing_loan SET terms = %s WHERE id = %s", [Jsonb(terms), loan.pk])


def test_one_poisoned_loan_stops_nobody_and_is_listed_with_its_reason(lender: UUID) -> None:
    """T14, and its way back: healed, the loan is closed again by hand or by the next close."""
    made = lend_some(4)
    sound = poison(made[1])
    (run,) = close()
    assert (run.state, run.problem_count) == ("done", 1)
    assert business_date() == D + timedelta(days=1)
    with transaction.atomic():
        (problem,) = selectors.problems_open()
        assert problem.loan_id == made[1].pk
        assert "lunar" in problem.reason
        assert Loan.objects.filter(checkpoint_on=D + timedelta(days=1)).count() == 3
    with pytest.raises(closing.StillBroken):
        close_day.run_problem_again(problem_id=problem.pk, actor=SYSTEM, at=AT)
    heal(made[1], sound)
    close_day.run_problem_again(problem_id=problem.pk, actor=SYSTEM, at=AT)
    assert_as_refolded()
    with transaction.atomic():
        assert not selectors.problems_open().exists()
    with pytest.raises(closing.ProblemSolvedAlready):
        close_day.run_problem_again(problem_id=problem.pk, actor=SYSTEM, at=AT)


def test_a_healed_loan_is_taken_in_by_the_next_close(lender: UUID) -> None:
    made = lend_some(2)
    sound = poison(made[0])
    close(days=2)
    with transaction.atomic():
        assert CloseProblem.objects.filter(solved_at__isnull=True).count() == 2
    heal(made[0], sound)
    close()
    assert_as_refolded()
    with transaction.atomic():
        assert not selectors.problems_open().exists()
        assert Loan.objects.get(pk=made[0].pk).close_problem == ""


def test_a_checkpoint_of_an_earlier_engine_is_made_anew_from_the_events(lender: UUID) -> None:
    lend_some(3)
    close(days=2)
    with superuser(connection.settings_dict["NAME"]) as admin:
        admin.execute("UPDATE servicing_loan SET checkpoint = '{\"version\": 0}'")
    (run,) = close()
    assert run.problem_count == 0
    assert_as_refolded()


class Killed(BaseException):
    """As a worker that is killed: nothing catches it."""


POINTS = [
    (closing_books, "_write_movements"),
    (bulk, "_write_loans"),
    (statuses, "write"),
    (bulk, "list_problems"),
]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point[1])
def test_a_close_killed_in_the_middle_of_a_chunk_resumes_as_if_undisturbed(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch, point: tuple[ModuleType, str]
) -> None:
    """Killed before and after each step of the second chunk's writing; what stands at the end is the same."""
    digests = []
    for code, disturbed in (("vn", False), ("eu", True)):
        founded = founding.found(code, country="VN")
        with tenancy.bound(founded.pk):
            with transaction.atomic():
                books_of.open_books()
            loans._numbers = iter(range(1, 1000))  # type: ignore[attr-defined]
            lend_some()
            close(days=5, chunk_size=2)
            if disturbed:
                kill_in_second_chunk(monkeypatch, point)
            close(chunk_size=2)
            digests.append(digest())
            assert_as_refolded()
    assert digests[0] == digests[1]


def kill_in_second_chunk(monkeypatch: pytest.MonkeyPatch, point: tuple[ModuleType, str]) -> None:
    calls = {"count": 0}
    whole = getattr(*point)

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls["count"] += 1
        done = whole(*args, **kwargs)
        if calls["count"] == 2:
            raise Killed
        return done

    with monkeypatch.context() as patched:
        patched.setattr(*point, dying)
        with pytest.raises(Killed):
            close(chunk_size=2)
    with transaction.atomic():
        assert CloseChunk.objects.filter(run__state="running", done_at__isnull=False).count() == 1
    assert business_date() == D + timedelta(days=5)


def test_a_loan_written_after_its_chunk_was_closed_joins_the_next_day_correctly(lender: UUID) -> None:
    made = lend_some(2)
    with transaction.atomic():
        run = closing.start(actor=SYSTEM, at=AT)
        waiting = closing.waiting_chunks(run.pk)
    for chunk_id in waiting:
        with transaction.atomic():
            assert closing.close_chunk(chunk_id=chunk_id, at=AT)
    with transaction.atomic():  # the loan is at tomorrow already, the institution still in today
        paid = loans.pay(made[0], 400_000, D)
        assert paid.checkpoint_on == D + timedelta(days=1)
        new = loans.lend(on=D)
    with transaction.atomic():
        assert closing.finish(run_id=run.pk, at=AT, actor=SYSTEM)
    close(days=2)
    assert_as_refolded()
    with transaction.atomic():
        assert Loan.objects.get(pk=new.pk).interest_minor == 90_000
        totals = ledger.control_totals(on=LAST)
        assert totals["interest_receivable"] == sum(row.interest_minor for row in Loan.objects.all())


def test_money_for_tomorrow_that_comes_after_the_loan_was_closed_is_used_tomorrow(lender: UUID) -> None:
    """The loan stands at its due date already, the institution still in the day before: the money waits that day and
    pays on the next, and so it is booked."""
    with transaction.atomic():
        loan = loans.lend(
            on=D, agreed=dataclasses.replace(loans.single_payment(days=1), early_payment="hold_until_due")
        )
        run = closing.start(actor=SYSTEM, at=AT)
        for chunk_id in closing.waiting_chunks(run.pk):
            assert closing.close_chunk(chunk_id=chunk_id, at=AT)
    with transaction.atomic():
        loans.pay(loan, 400_000, D)
        booked = LoanMovement.objects.filter(loan=loan, kind__in=("payment_received", "allocated"))
        assert {(row.kind, row.booked_on, row.entry.booked_on) for row in booked} == {
            ("payment_received", D, D), ("allocated", D + timedelta(days=1), D + timedelta(days=1)),
        }  # fmt: skip
        assert closing.finish(run_id=run.pk, at=AT, actor=SYSTEM)
    close()
    assert_as_refolded()
    assert not audit_books().differences


def test_two_workers_do_not_take_the_same_chunk(lender: UUID) -> None:
    lend_some(2)
    with transaction.atomic():
        run = closing.start(actor=SYSTEM, at=AT)
        (chunk_id,) = closing.waiting_chunks(run.pk)
    with superuser(connection.settings_dict["NAME"]) as other, other.transaction():
        other.execute("SELECT 1 FROM servicing_closechunk WHERE id = %s FOR UPDATE", [chunk_id])
        with transaction.atomic():
            assert closing.close_chunk(chunk_id=chunk_id, at=AT) is False
            assert LoanMovement.objects.filter(kind="interest_accrued").count() == 0
    with transaction.atomic():
        assert closing.close_chunk(chunk_id=chunk_id, at=AT) is True


def test_pushing_the_clock_makes_business_time_run_ahead(lender: UUID) -> None:
    close(days=7)
    with transaction.atomic():
        institution = tenancy.current()
        assert institution.business_date == D + timedelta(days=7)
        assert institution_view.moment(institution, AT).date() == institution.business_date
    assert close_day.days_behind(AT) == 0
    assert close_day.days_behind(AT + timedelta(days=3)) == 3


def test_what_falls_due_on_the_new_date_is_done_once_and_a_refusal_is_its_outcome(
    lender: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, datetime]] = []

    def refuse(item: due.Item, moment: datetime) -> str:
        Loan.objects.all().update(bucket="90+")  # undone with the refusal
        raise closing.NothingToAdvance(days=0)

    monkeypatch.setattr(due, "_handlers", {})
    due.register("test.tell", lambda item, moment: done.append((item.key, moment)) or "told")  # type: ignore[func-returns-value]
    due.register("test.refuse", refuse)
    (loan,) = lend_some(1)
    with transaction.atomic():
        for kind, on in (("test.tell", D + timedelta(days=2)), ("test.refuse", D + timedelta(days=1))):
            institutions.schedule(kind=kind, due_on=on, key=kind, subject_id=loan.pk)
    close()
    assert done == []
    close(days=3)
    assert [key for key, _ in done] == ["test.tell"]
    assert done[0][1].isoformat() == "2026-03-04T10:00:00+07:00"
    with transaction.atomic():
        assert not institution_view.items_due(LAST).exists()
        assert Loan.objects.get(pk=loan.pk).bucket == ""


def test_a_close_that_would_never_end_is_refused(lender: UUID) -> None:
    for days in (0, 367):
        with transaction.atomic(), pytest.raises(closing.NothingToAdvance):
            closing.start(actor=SYSTEM, at=AT, days=days)


# --- classes -----------------------------------------------------------------------------------------------------


def changes_of(row: Loan) -> list[tuple[int, str, str, int]]:
    """(days after D, class before, class after, days past due), the oldest first."""
    with transaction.atomic():
        found = list(classing.changes_of(loan_id=row.pk))
    return [((one.day - D).days, one.was, one.now, one.days_past_due) for one in reversed(found)]


def class_now(row: Loan) -> str:
    with transaction.atomic():
        return Loan.objects.get(pk=row.pk).loan_class


def test_the_close_finds_the_class_of_the_country_and_keeps_its_history(lender: UUID) -> None:
    with transaction.atomic():
        late = loans.lend(on=D, agreed=loans.single_payment(1_000_000, days=5))
        paid = loans.lend(on=D, agreed=loans.single_payment(1_000_000, days=5))
    close()
    assert class_now(late) == "standard"
    assert changes_of(late) == []  # its first class is no change
    close(days=20)
    assert changes_of(late) == [
        (14, "standard", "special_mention", 10)
    ]  # at the end of the ninth day after its due day
    with transaction.atomic():
        loans.pay(paid, 400_000, D + timedelta(days=21))
    close(days=80)
    assert changes_of(late)[1:] == [(95, "special_mention", "substandard", 91)]
    with transaction.atomic():
        sums = {code: (count, principal) for code, count, principal, _ in classing.sums(classing.scheme_on(D))}
        assert sums["substandard"][0] == 2
        assert sums["substandard"][1] == sum(row.principal_minor for row in Loan.objects.all())
        assert sums["loss"] == (0, 0)
    assert _class_findings() == []
    with superuser(connection.settings_dict["NAME"]) as behind:
        behind.execute("UPDATE servicing_loan SET loan_class = 'standard' WHERE id = %s", [late.pk])
    expected = f"loan {late.number}: its class stands at standard, it was changed to substandard"
    assert [expected in line for line in _class_findings()] == [True]


@pytest.mark.usefixtures("lender")
def test_what_the_database_refuses_of_one_loan_stays_with_that_loan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by halves among all that are written together, and among what was prepared, too."""
    made = lend_some()
    bad, fold = made[2], passing.fold

    def too_long(row: Loan, *more: Any) -> Any:
        found = fold(row, *more)
        if row.pk == bad.pk:
            found = dataclasses.replace(found, loan=found.loan.replace('"active"', f'"{"x" * 100}"'))
        return found

    with monkeypatch.context() as broken:
        broken.setattr(passing, "fold", too_long)
        for is_prepared in (False, True):
            if is_prepared:
                with transaction.atomic():
                    Earning.objects.update(agenda_on=business_date())  # all are folded
                    prepared.prepare(after=UUID(int=0), most=100)
                    assert Prepared.objects.count() == len(made)
            (run,) = close()
            assert run.problem_count == 1
    with transaction.atomic():
        assert {row.checkpoint_on for row in Loan.rows.exclude(pk=bad.pk)} == {D + timedelta(days=2)}
        (first, second) = CloseProblem.objects.order_by("business_date")
        assert (first.loan_id, second.loan_id) == (bad.pk, bad.pk)
        assert first.reason.startswith("DataError: value too long")
    close()
    with transaction.atomic():
        assert Loan.rows.get(pk=bad.pk).checkpoint_on == D + timedelta(days=3)
        assert not CloseProblem.objects.filter(solved_at__isnull=True).exists()
    assert_as_refolded()
    assert audit_books(full=True).differences == ()


@pytest.mark.usefixtures("lender")
def test_a_loan_whose_fractions_fit_no_line_is_closed_day_by_day() -> None:
    """Interest of an odd rate: what it earns in a day needs more digits than the columns of a line have."""
    agreed = loans.single_payment(1_000_000, days=9)
    odd = Rate(Fraction(10**59, 10**61 + 7), "day")
    with transaction.atomic():
        odd_one = loans.lend(on=D, agreed=dataclasses.replace(agreed, rates=(RateStep(from_day=0, rate=odd),)))
    close(days=4)
    with transaction.atomic():
        loans.pay(odd_one, 5_000, D + timedelta(days=3))
    close(days=8)
    with transaction.atomic():
        assert Earning.objects.get().agenda_on == D + timedelta(days=13)
        assert not CloseProblem.objects.exists()
        assert Loan.objects.get().interest_minor > 0
    assert_as_refolded()
    assert audit_books(full=True).differences == ()


@pytest.mark.usefixtures("lender")
def test_a_class_rule_that_came_late_reaches_loans_that_rest_with_the_next_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with transaction.atomic():
        resting = loans.lend(on=D, agreed=loans.single_payment(1_000_000, days=90))
    with monkeypatch.context() as before:
        before.setattr(classing, "scheme_and_news", lambda day: (None, False))
        close(days=3)
    close()
    assert class_now(resting) == ""  # the rule is old, and the loan has nothing on its agenda
    with transaction.atomic():
        assert (classing.look_again(), classing.look_again()) == (1, 0)
    close()
    assert class_now(resting) == "standard"
    with transaction.atomic():
        assert classing.look_again() == 0
        late = loans.lend(on=D + timedelta(days=5), agreed=loans.single_payment(1_000_000, days=1))
    close(days=4)
    with transaction.atomic():  # it is late by the rule as it was: it may have been corrected since
        assert Loan.rows.get(pk=late.pk).days_past_due > 0
        assert classing.look_again() == 1


def _class_findings() -> list[str]:
    with transaction.atomic():
        return [str(found) for found in books.classes_as_changed()]


def test_a_loan_that_was_left_out_comes_into_its_classes_on_the_days_they_began(lender: UUID) -> None:
    with transaction.atomic():
        healthy = loans.lend(on=D, agreed=loans.single_payment(1_000_000, days=5))
        broken = loans.lend(on=D, agreed=loans.single_payment(1_000_000, days=5))
    close()
    with superuser(connection.settings_dict["NAME"]) as behind:
        behind.execute("UPDATE servicing_loan SET checkpoint = '[]' WHERE id = %s", [broken.pk])
    close(days=100)
    assert changes_of(broken) == []
    with transaction.atomic():
        kept = folding.columns_of(
            replay.replay(
                folding.terms_of(broken),
                folding.history_of(selectors.events_of(loan_id=broken.pk)),
                D + timedelta(days=1),
            ).loan
        )["checkpoint"]
    with superuser(connection.settings_dict["NAME"]) as behind:
        behind.execute("UPDATE servicing_loan SET checkpoint = %s WHERE id = %s", [Jsonb(kept), broken.pk])
    with transaction.atomic():
        problem = CloseProblem.objects.filter(loan_id=broken.pk, solved_at=None).first()
    assert problem is not None
    close_day.run_problem_again(problem_id=problem.pk, actor=SYSTEM, at=AT)
    assert changes_of(broken) == changes_of(healthy)
    assert class_now(broken) == class_now(healthy) == "substandard"
