"""The portfolio on any past day, as known on another: the very sum of the folds, and the trial balance of that day."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.apps.servicing import loans
from usance.apps.institutions import tenancy
from usance.apps.ledger import selectors as ledger
from usance.apps.servicing import folding, portfolio, portfolio_lines, recording, selectors, services, statuses
from usance.apps.servicing.models import Loan, LoanEvent, PortfolioSum, StatusChange
from usance.core.accounting import books as roles
from usance.core.loan import replay
from usance.core.loan.movements import effects
from usance.ports.actor import SYSTEM
from usance.workflows import close_day

D = date(2026, 3, 2)
AT = datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
DAYS = 20


def day(number: int) -> date:
    return D + timedelta(days=number)


def close() -> None:
    close_day.run_close_inline(at=AT)
    tenancy.forget_row()


@pytest.fixture
def lived(books: Any) -> list[Loan]:
    """Twenty closed days of six loans in two branches; much of what happens is learned late."""
    made = [
        loans.lend(on=D, agreed=loans.single_payment(1_000_000 + 7 * number, days=5 + number),
                   org_path="root.b1" if number % 2 else "root")
        for number in range(5)
    ]  # fmt: skip
    made.append(loans.lend(on=D, agreed=loans.instalments(), product="long"))
    told: dict[int, Any] = {
        6: lambda: loans.pay(made[0], 1_060_000, day(5), "rail:0"),  # in time, known a day late
        8: lambda: loans.pay(made[1], 300_000, day(8), "rail:1"),
        9: lambda: loans.pay(made[2], selectors.payoff(loan_id=made[2].pk).total_minor, day(9), "rail:2"),
        12: lambda: _undo(made[0], "rail:0-back", "rail:0"),  # owed again, since seven days ago
        13: lambda: loans.pay(made[3], 2_000_000, day(7), "rail:3"),  # more than owed, six days late
        15: lambda: services.write_off(loan_id=made[4].pk, source="staff:off", reason="", actor=SYSTEM),
        17: lambda: services.waive(loan_id=made[1].pk, source="staff:w", balance="interest", amount_minor=9_000,
                                   reason="", actor=SYSTEM, on=day(10)),
        18: lambda: _undo(made[2], "rail:2-back", "rail:2"),
    }  # fmt: skip
    for number in range(DAYS):
        if number in told:
            told[number]()
        close()
    return [Loan.objects.get(pk=row.pk) for row in made]


def _undo(loan: Loan, source: str, undoes: str) -> None:
    services.return_payment(loan_id=loan.pk, source=source, undoes=undoes, reason="", actor=SYSTEM)


def folded(row: Loan, on: date, known: date) -> tuple[Counter[str], statuses.Mark | None]:
    """What one loan adds: its balances at the end of a day and its mark, by what was known on another."""
    told = folding.history_of(LoanEvent.objects.filter(loan=row, booked_on__lte=known).order_by("seq"))
    agreed, sums = folding.terms_of(row), Counter[str]()
    for movement in replay.replay(agreed, told, on + timedelta(days=1)).movements:
        if movement.effective_on <= on:
            for balance, amount in effects(movement):
                sums[balance.partition(":")[0]] += amount
    return sums, statuses.mark_of(replay.replay(agreed, told, on).loan)


def assert_is_the_sum_of_the_folds(rows: list[Loan], on: date, known: date, branch: str = "") -> None:
    found = portfolio.on_date(on=on, known_on=known, branch=branch)
    money, marks = Counter[str](), Counter[tuple[str, str]]()
    for row in rows:
        if branch in ("", row.org_path):
            sums, mark = folded(row, on, known)
            money += sums
            if mark:
                marks[mark.status, found.bucket_of(mark.past_due_since)] += 1
    assert {name: one.now for name, one in found.money().items() if one.now} == dict(money), (on, known)
    assert {key: one.now for key, one in found.counts().items() if one.now} == dict(marks), (on, known)


def test_a_past_that_was_lived_once_is_asked_in_every_way(lived: list[Loan], monkeypatch: Any) -> None:
    """One living, as it is the dear part; each line is a promise of its own."""
    totals_are_the_sum_of_the_folds_on_both_axes(lived)
    as_known_then_they_are_the_trial_balance_of_that_day()
    every_loan_bears_one_mark_and_it_is_its_own(lived)
    the_loans_behind_a_figure_add_up_to_it()
    days_summed_up_and_days_not_yet_give_the_same(monkeypatch)


def totals_are_the_sum_of_the_folds_on_both_axes(lived: list[Loan]) -> None:
    for on in range(DAYS):
        for known in sorted({on, on + 1, min(on + 5, DAYS), DAYS}):
            assert_is_the_sum_of_the_folds(lived, day(on), day(known))
    assert_is_the_sum_of_the_folds(lived, day(9), day(14), branch="root.b1")


def as_known_then_they_are_the_trial_balance_of_that_day() -> None:
    for number in range(DAYS):
        money = portfolio.on_date(on=day(number)).money()
        booked = ledger.control_totals(on=day(number))
        for name, role in roles.CONTROL.items():
            assert money[name].then == roles.side(role) * booked[role], (number, name)
    assert portfolio.on_date(on=day(8)).money()["principal"].since != 0  # else nothing was shown


def days_summed_up_and_days_not_yet_give_the_same(monkeypatch: Any) -> None:
    assert portfolio.rolled_until() == day(DAYS)
    assert PortfolioSum.objects.exists()
    summed = [portfolio.on_date(on=day(on), known_on=day(known)) for on, known in ((5, 5), (5, 12), (14, 20), (19, 20))]
    assert not portfolio.roll_up()  # all that is over is summed up, and is so once
    monkeypatch.setattr(portfolio, "rolled_until", lambda: portfolio.BEGINNING)
    for one in summed:
        raw = portfolio.on_date(on=one.on, known_on=one.known_on)
        assert sorted(map(str, raw.cells)) == sorted(map(str, one.cells))


def every_loan_bears_one_mark_and_it_is_its_own(lived: list[Loan]) -> None:
    for row in lived:
        marks = Counter[statuses.Mark]()
        for change in StatusChange.objects.filter(loan=row):
            marks[statuses.Mark(change.status, change.past_due_since)] += change.count
        borne = {mark: count for mark, count in marks.items() if count}
        assert borne == {statuses.mark_of(folding.state_of(row)): 1}
        assert statuses.lacking(row, list(row.events.all()), row.status_changes.all(), row.checkpoint_on) == []


def the_loans_behind_a_figure_add_up_to_it() -> None:
    for on, known in ((8, 8), (8, 20), (14, 14)):
        found = portfolio.on_date(on=day(on), known_on=day(known))
        for name, figure in found.money().items():
            lines = pages(portfolio_lines.Question(on=day(on), known_on=day(known), measure=name))
            assert sum(line.amounts[name] for line in lines) == figure.now
            assert all(line.amounts[name] for line in lines)
            learned = portfolio_lines.learned(portfolio_lines.Question(on=day(on), known_on=day(known), measure=name))
            assert sum(movement.amount_minor for movement in learned) == figure.since, name
        for (status, bucket), figure in found.counts().items():
            lines = pages(portfolio_lines.Question(on=day(on), known_on=day(known), status=status, bucket=bucket))
            assert len(lines) == figure.now
            assert all(line.status == status for line in lines)
            assert all(folding.bucket_of(line.days_past_due) == bucket for line in lines)


def pages(asked: portfolio_lines.Question) -> list[portfolio_lines.LoanLine]:
    found, after, more = [], None, True
    while more:
        lines, after = portfolio_lines.loans(asked, after=after, size=2)
        found += lines
        more = after is not None
    return found


def test_loans_from_before_statuses_were_kept_get_them_from_their_events(books: Any, monkeypatch: Any) -> None:
    with monkeypatch.context() as before:
        before.setattr(recording, "_new_statuses", lambda *args: [])
        rows = [loans.lend(on=D), loans.lend(on=D, agreed=loans.single_payment(days=2))]
    loans.pay(rows[1], 5_000, D)
    assert not StatusChange.objects.exists()
    for _ in range(4):
        close()
    for on in range(4):
        assert_is_the_sum_of_the_folds([Loan.objects.get(pk=row.pk) for row in rows], day(on), day(4))
