"""A loan on any day, by what was known on another: what was seen then is seen again, whatever was told since."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.apps.servicing import loans
from tests.apps.servicing.test_services import live_until
from usance.apps.servicing import folding, selectors, services
from usance.apps.servicing.models import Loan
from usance.core.loan import quote, replay
from usance.ports.actor import SYSTEM

D = date(2026, 3, 2)
DAYS = 75


def day(number: int) -> date:
    return D + timedelta(days=number)


def live(loan: Loan, watch: bool = False) -> dict[date, selectors.LoanView]:
    """Two months of a loan. Some is learned late. With `watch`: what its page showed at the end of every fourth day,
    and of those on which something was learned."""
    seen = {}
    for number in sorted({*LEARNED, DAYS, *(range(0, DAYS, 4) if watch else ())}):
        live_until(day(number))
        for told in LEARNED.get(number, ()):
            told(loan)
        if watch:
            seen[day(number)] = selectors.loan_view(loan_id=loan.pk)
    return seen


def undo(loan: Loan, source: str, undoes: str) -> None:
    services.return_payment(loan_id=loan.pk, source=source, undoes=undoes, reason="no money", actor=SYSTEM)


LEARNED: dict[int, list[Any]] = {
    32: [lambda loan: loans.pay(loan, 1_200_000, day(30), "rail:1")],  # a payment known two days late
    40: [lambda loan: undo(loan, "rail:1-back", "rail:1")],  # the bank took it back, ten days after its date
    45: [lambda loan: loans.pay(loan, 900_000, day(20), "bank:7")],  # found on an old statement
    50: [
        lambda loan: services.waive(
            loan_id=loan.pk, source="staff:w", balance="penalty", amount_minor=50, reason="", actor=SYSTEM, on=day(44)
        )
    ],
    60: [
        lambda loan: services.reverse(
            loan_id=loan.pk, source="staff:r", undoes="bank:7", reason="another loan's", actor=SYSTEM
        )
    ],
}


def test_what_was_seen_on_a_day_is_seen_again_as_known_on_it(books: Any) -> None:
    loan = loans.lend(on=D, agreed=loans.instalments())
    for on, then in live(loan, watch=True).items():
        again = selectors.loan_view(loan_id=loan.pk, on=on, known_on=on)
        assert (again.state, again.standing, again.schedule) == (then.state, then.standing, then.schedule), on
        told = [(line.on, line.kind, line.amount_minor) for line in then.timeline]
        assert [(line.on, line.kind, line.amount_minor) for line in again.timeline] == told, on


def test_as_known_on_a_date_is_the_fold_of_the_events_recorded_by_then(books: Any) -> None:
    loan = loans.lend(on=D, agreed=loans.instalments())
    live(loan)
    rows = list(selectors.events_of(loan_id=loan.pk))
    agreed = folding.terms_of(selectors.loan(loan.pk))
    for known in (day(30), day(33), day(41), day(49), day(DAYS)):
        told = folding.history_of(row for row in rows if row.booked_on <= known)
        for on in (day(10), day(31), day(45), day(DAYS)):
            view = selectors.loan_view(loan_id=loan.pk, on=on, known_on=known)
            assert view.state == replay.replay(agreed, told, on, daily=False).loan, (on, known)
            sums: dict[str, int] = {}
            for line in view.explain():
                sums[line.balance] = sums.get(line.balance, 0) + line.amount_minor
            assert sums == {**dict.fromkeys(sums, 0), **view.balances}, (on, known)


def test_as_known_now_is_what_stands_today(books: Any) -> None:
    loan = loans.lend(on=D, agreed=loans.instalments())
    live(loan)
    today = selectors.loan_view(loan_id=loan.pk)
    assert selectors.loan_view(loan_id=loan.pk, on=day(DAYS), known_on=day(DAYS)).state == today.state
    assert today.state == selectors.state_on(selectors.loan(loan.pk))  # the checkpoint, carried on


def test_an_instant_knows_what_was_recorded_by_it(books: Any) -> None:
    loan = loans.lend(on=D, agreed=loans.instalments())
    live(loan)
    rows = list(selectors.events_of(loan_id=loan.pk))
    agreed = folding.terms_of(selectors.loan(loan.pk))
    for count in range(1, len(rows) + 1):
        view = selectors.loan_view(loan_id=loan.pk, on=day(20), known_on=rows[count - 1].recorded_at)
        told = folding.history_of(row for row in rows if row.recorded_at <= rows[count - 1].recorded_at)
        assert view.state == replay.replay(agreed, told, day(20), daily=False).loan


def test_if_everything_is_paid_the_loan_ends_by_its_schedule(books: Any) -> None:
    loan = loans.lend(on=D, agreed=loans.instalments())
    live_until(day(40))  # the first instalment was missed
    now = selectors.loan_view(loan_id=loan.pk)
    last = now.schedule[-1].due_on
    paid = selectors.loan_view(loan_id=loan.pk, on=last, supposed=selectors.AS_AGREED)
    assert (paid.supposed, paid.state.status, paid.standing.outstanding_minor) == ("as_agreed", "closed", 0)
    expected = [line for line in paid.timeline if line.kind == "payment_expected"]
    assert sum(line.amount_minor or 0 for line in expected) == now.standing.still_to_pay_minor
    assert sorted({line.on for line in expected}) == [day(40), *(row.due_on for row in now.schedule if not row.billed)]
    assert all(sum(row.amounts.values()) > 0 and not row.remaining_minor for row in paid.schedule)
    unpaid = selectors.loan_view(loan_id=loan.pk, on=last)
    assert (unpaid.supposed, unpaid.state.status) == ("nothing_paid", "past_due")
    assert unpaid.standing.past_due_minor > now.standing.outstanding_minor


def test_a_look_ahead_starts_from_what_was_known(books: Any) -> None:
    loan = loans.lend(on=D, agreed=loans.instalments())
    live_until(day(10))
    then = selectors.loan_view(loan_id=loan.pk, on=day(200), supposed=selectors.AS_AGREED)
    live_until(day(20))
    loans.pay(loan, 2_000_000, day(15))
    again = selectors.loan_view(loan_id=loan.pk, on=day(200), known_on=day(10), supposed=selectors.AS_AGREED)
    assert again.seen_until == day(10)
    assert (again.state, again.schedule) == (then.state, then.schedule)


def test_expected_payments_are_those_that_the_schedule_supposes(books: Any) -> None:
    loan = loans.lend(on=D, agreed=loans.instalments())
    live_until(day(50))
    state = selectors.loan_view(loan_id=loan.pk).state
    ahead = quote.payments_to_come(state, date(2030, 1, 1))
    rows = [row for row in quote.schedule(state) if not row.billed]
    assert [(one.effective_on, one.amount_minor) for one in ahead[1:]] == [(r.due_on, r.remaining_minor) for r in rows]
    assert ahead[0].amount_minor == quote.standing(state).due_now_minor


def test_of_one_day_the_timeline_tells_first_what_the_day_began_with(books: Any) -> None:
    loan = loans.lend(on=D)
    live_until(day(31))
    loans.pay(loan, 4_500_000, day(31))
    kinds = [line.kind for line in selectors.loan_view(loan_id=loan.pk).timeline if line.on >= day(30)]
    assert kinds[::-1][:4] == ["instalment_due", "matured", "became_past_due", "payment_received"]
    assert "paid_off" in kinds[:-4]
