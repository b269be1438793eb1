"""What was prepared for a close by day is what the night would have made; what is stale or lost the night folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from tests.apps.servicing import loans
from tests.apps.servicing.test_closing import AT, D, assert_as_refolded, close, digest, lend_some
from tests.support import institutions as founding
from tests.support.database import superuser
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.ledger import services as books_of
from usance.apps.servicing import bulk, closing, earnings, passing, prepared
from usance.apps.servicing.models import CloseChunk, Earned, Earning, Loan, Prepared, StatusChange
from usance.ports.actor import SYSTEM

NOBODY = UUID(int=0)
DAYS = 12  # past due, dearer, and in another class by then


def prepare() -> None:
    """All that the next close will fold, in steps of two loans, and how it will be cut."""
    tenancy.forget_row()
    last: UUID | None = NOBODY
    while last is not None:
        with transaction.atomic():
            last = prepared.prepare(after=last, most=2)
    with transaction.atomic():
        closing.prepare_cut()


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The loans that a close folds, each time that it does."""
    seen: list[UUID] = []
    fold = passing.fold

    def noted(row: Loan, *more: Any) -> Any:
        seen.append(row.pk)
        return fold(row, *more)

    monkeypatch.setattr(bulk.passing, "fold", noted)
    monkeypatch.setattr(prepared.passing, "fold", noted)
    return seen


def lender(code: str) -> UUID:
    founded = founding.found(code, country="VN")
    with tenancy.bound(founded.pk), transaction.atomic():
        books_of.open_books()
    return founded.pk


@pytest.fixture
def bound(fresh_db: str) -> Iterator[UUID]:
    institution_id = lender("vn")
    with tenancy.bound(institution_id):
        yield institution_id


def everything() -> list[str]:
    """What a close leaves behind, its marks of status and lines of earning too, without ids and instants."""
    spans = ("starts_on", "interest_carried", "interest_daily", "penalty_carried", "penalty_daily", "penalty_since")
    with transaction.atomic():
        numbers = dict(Loan.rows.values_list("pk", "number"))
        rows = [
            *StatusChange.objects.values_list(
                "loan_id", "booked_on", "effective_on", "status", "past_due_since", "count"
            ),
            *Earned.objects.values_list("loan_id", "ends_on", *spans),
            *Earning.objects.values_list("id", "closed_until", "agenda_on", "due_on", "due_minor", "bucket", *spans),
        ]
    return [digest(), *sorted(f"{numbers[loan_id]} {rest}" for loan_id, *rest in rows)]


def test_what_was_prepared_is_what_the_night_would_have_made(
    fresh_db: str, folded: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lenders live the same days; one prepares each of them, and its nights fold nothing."""
    monkeypatch.setattr(closing, "CHUNK_SIZE", 2)
    named: Counter[tuple[UUID, str]] = Counter()
    left = {}
    for code in ("vn", "eu"):
        institution_id = lender(code)
        with tenancy.bound(institution_id):
            loans._numbers = iter(range(1, 1000))  # type: ignore[attr-defined]
            made = lend_some()
            for day in range(DAYS):
                if code == "vn":
                    prepare()
                before = len(folded)
                close()
                assert code == "eu" or len(folded) == before
                if day == 6:
                    with transaction.atomic():
                        loans.pay(made[0], 4_000_000, D + timedelta(days=7))
            left[institution_id] = everything()
            assert_as_refolded()
            with transaction.atomic():
                for jobs in CloseChunk.objects.values_list("jobs", flat=True):
                    named.update({(institution_id, name): len(each) for name, each in jobs.items()})
    prepared_by_day, not_prepared = left
    assert left[prepared_by_day] == left[not_prepared]
    names = {name: count for (whose, name), count in named.items() if whose == prepared_by_day}
    assert names == {name: count for (whose, name), count in named.items() if whose == not_prepared}
    assert names["loans.became_past_due"] == 4


def to_the_due_date() -> list[Loan]:
    """Loans of five days on the evening before they are past due: the next close has to fold each of them."""
    made = lend_some()
    close(days=5)
    return [loan for loan in made if loan.product == "short"]


def test_what_happens_to_a_loan_after_it_was_prepared_counts(bound: UUID, folded: list[UUID]) -> None:
    short = to_the_due_date()
    owner = new_id()
    prepare()
    with transaction.atomic():
        loans.pay(short[0], 500_000, D + timedelta(days=5))
        Loan.rows.filter(pk=short[1].pk).update(owner_id=owner)
        Earning.objects.filter(pk=short[1].pk).update(owner_id=owner)
    folded.clear()
    close()
    assert set(folded) == {short[0].pk, short[1].pk}
    assert_as_refolded()
    with transaction.atomic():
        assert Earning.objects.get(pk=short[1].pk).owner_id == owner


@pytest.mark.parametrize("other", ["engine", "rules", "day", "lost"])
def test_what_was_prepared_otherwise_does_not_count(
    bound: UUID, folded: list[UUID], monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    short = to_the_due_date()
    prepare()
    with transaction.atomic():
        assert set(Prepared.objects.values_list("id", flat=True)) == {loan.pk for loan in short}
        if other == "day":
            Prepared.objects.update(to_day=date(2026, 3, 9))
        elif other == "lost":
            prepared.forget()
    if other == "engine":
        monkeypatch.setattr(prepared, "_ENGINE", "another")
    elif other == "rules":
        monkeypatch.setattr(passing, "rules", lambda *days: passing.Rules(*days, None, False))
    folded.clear()
    close()
    assert set(folded) == {loan.pk for loan in short}
    assert_as_refolded()


@pytest.mark.parametrize(("few", "order"), [(0, ["folded", "passed"]), (20, ["passed", "folded"])])
def test_payments_wait_while_few_loans_are_folded_but_not_while_many_are(
    bound: UUID, monkeypatch: pytest.MonkeyPatch, few: int, order: list[str]
) -> None:
    """The lines of all loans are held once they have passed the day: only a few may be folded after that."""
    short = to_the_due_date()
    prepare()
    with transaction.atomic():
        loans.pay(short[0], 500_000, D + timedelta(days=5))
    seen: list[str] = []
    fold, pass_day = passing.fold, earnings.pass_day

    def folded(*told: Any) -> Any:
        seen.append("folded")
        return fold(*told)

    def passed(*told: Any) -> Any:
        seen.append("passed")
        return pass_day(*told)

    monkeypatch.setattr(bulk, "FEW", few)
    monkeypatch.setattr(passing, "fold", folded)
    monkeypatch.setattr(earnings, "pass_day", passed)
    close()
    assert seen == order
    assert_as_refolded()


def test_a_loan_that_cannot_be_folded_is_not_prepared_and_stops_nobody(bound: UUID) -> None:
    short = to_the_due_date()
    with transaction.atomic():
        Loan.rows.filter(pk=short[0].pk).update(checkpoint={"version": 5, "at": "nonsense"})
    prepare()
    with transaction.atomic():
        assert set(Prepared.objects.values_list("id", flat=True)) == {loan.pk for loan in short[1:]}
    (run,) = close()
    assert run.problem_count == 1


def chunks_of_next_close() -> list[tuple[UUID, int]]:
    """Begun, looked at, and taken back."""
    with transaction.atomic():
        run = closing.start(actor=SYSTEM, at=AT)
        found = list(CloseChunk.objects.filter(run=run).order_by("number").values_list("first_id", "loan_count"))
        transaction.set_rollback(True)
    return found


def test_the_next_close_is_cut_as_it_was_prepared_unless_a_chunk_would_grow_large(
    bound: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "CHUNK_SIZE", 2)
    monkeypatch.setattr(closing, "FOLDED_WEIGHS", 2)
    to_the_due_date()
    live = chunks_of_next_close()
    assert sum(count for _, count in live) == 6
    prepare()
    asked: list[str] = []
    ask = closing._ask

    def noted(query: str, *more: Any) -> Any:
        asked.append(query)
        return ask(query, *more)

    monkeypatch.setattr(closing, "_ask", noted)
    assert chunks_of_next_close() == live
    assert asked == [closing.COUNT]
    with transaction.atomic():
        Earning.objects.update(agenda_on=D)  # all of them are to be folded now, two more than were
    assert chunks_of_next_close() == live
    monkeypatch.setattr(closing, "CHUNK_SIZE", 1)
    assert len(chunks_of_next_close()) > len(live)
    assert asked == [closing.COUNT, closing.COUNT, closing.COUNT, closing.CUT]


def test_what_was_taken_stays_as_it_was_until_it_is_written(
    bound: UUID, folded: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever forgets or renews what a close has taken waits for it; so what is booked is what is written."""
    short = to_the_due_date()
    prepare()
    write, tried = bulk._write_loans, []

    def written(*told: Any) -> None:
        with superuser(connection.settings_dict["NAME"]) as other, other.transaction():
            other.execute("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("DELETE FROM servicing_prepared")
        tried.append(told)
        write(*told)

    monkeypatch.setattr(bulk, "_write_loans", written)
    folded.clear()
    close()
    assert len(tried) == 1
    assert folded == []
    assert_as_refolded()
    with transaction.atomic():
        assert Loan.objects.filter(pk__in=[loan.pk for loan in short], status="past_due").count() == len(short)


def test_what_somebody_prepares_at_this_moment_is_folded_in_the_night(bound: UUID, folded: list[UUID]) -> None:
    short = to_the_due_date()
    prepare()
    folded.clear()
    with superuser(connection.settings_dict["NAME"]) as other, other.transaction():
        other.execute("UPDATE servicing_prepared SET passed = passed WHERE id = %s", [short[0].pk])
        close()
    assert folded == [short[0].pk]
    assert_as_refolded()


def test_nothing_is_booked_for_a_loan_whose_row_was_not_written(bound: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_due_date()
    prepare()
    before = everything()
    monkeypatch.setattr(prepared, "LOCKED", "")  # as if nothing kept others from what was taken
    write = bulk._write_loans

    def lost(*told: Any) -> None:
        with superuser(connection.settings_dict["NAME"]) as other:
            other.execute("DELETE FROM servicing_prepared")
        write(*told)

    with monkeypatch.context() as patched:
        patched.setattr(bulk, "_write_loans", lost)
        with pytest.raises(bulk.NotAllWritten):
            close()
    assert everything() == before
    close()
    assert_as_refolded()
