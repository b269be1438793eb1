"""What the laws promise of loans that came from another system. docs/laws.md names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.laws import worlds
from usance.core.loan import admit, checkpoint, events, replay, state

DAYS = st.integers(0, worlds.HORIZON_DAYS + 60)
# what another system's figures cannot tell: parts of a minor unit, money counted for the next instalment, caps, and how
# the principal of the instalments to come was shared out when the loan began; which fees were charged at its start, and
# in which parts the money was drawn; since when interest is no income; which due dates fell away at an early end
UNTOLD = ("planned", "levels", "drawn_later", "fees_at_start", "terms", "interest", "penalty", "penalty_in_year",
          "charged_minor", "credit_minor", "dropped", "even_factor", "disbursed_minor", "level_minor",
          "non_accrual_on", "dropped_dates", "last_order")  # fmt: skip


@given(st.data())
def test_law_02_where_our_books_begin_changes_nothing_in_the_loan(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, _, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    on = history[0].effective_on + timedelta(days=data.draw(DAYS))
    over = events.TakenOver(effective_on=on, source="over")
    end = max(on, *(event.effective_on for event in history)) + timedelta(days=data.draw(st.integers(0, 40)))
    plain, ours = replay.replay(terms, history, end), replay.replay(terms, [*history, over], end)
    assert ours.loan._replace(last_order=None) == plain.loan._replace(last_order=None)
    assert worlds.by_balance(ours.movements) == plain.loan.balances
    assert all(movement.effective_on >= on for movement in ours.movements)
    later = [movement for movement in ours.movements if movement.kind != "taken_over"]
    assert sum(movement.amount_minor for movement in later if movement.effective_on > on) == sum(
        movement.amount_minor for movement in plain.movements if movement.effective_on > on
    )
    loan, known, movements = state.new(terms, min(e.effective_on for e in [*history, over])), [], []
    for event in data.draw(st.permutations([*history, over])):
        step = replay.include(loan, known, event)
        known.append(event)
        loan, movements = step.loan, movements + list(step.movements)
    last = replay.replay(terms, known, max(end, loan.at))
    assert replay.adjustments(movements, replay.replay(terms, known, loan.at).movements) == ()
    assert last.loan == replay.replay(terms, [*history, over], max(end, loan.at)).loan


@given(st.data())
def test_law_04_a_loan_taken_over_by_its_figures_is_the_same_loan(data: st.DataObject) -> None:
    terms = replace(data.draw(worlds.all_terms()), forgive_under_minor=0)
    told = [e for e in data.draw(worlds.told_events(terms, most=3))
            if isinstance(e, events.Approved | events.Disbursed | events.PaymentReceived)]  # fmt: skip
    history, _, _ = worlds.admitted(terms, told)
    began = next(event for event in history if isinstance(event, events.Disbursed)).effective_on
    on = began + timedelta(days=data.draw(st.integers(1, worlds.HORIZON_DAYS)))
    there = replay.replay(terms, [e for e in history if e.effective_on < on], on).loan
    if there.status not in state.LIVE or not all(a > 0 for b in there.bills for a in b.due.values()):
        return
    if there.ahead or there.dated or any(bill.early_minor for bill in there.bills):
        return  # what was paid beside instalments to come has no figure in the files
    if there.non_accrual_on and terms.non_accrual and state.days_past_due(there) < terms.non_accrual.after_days:
        return  # nor how late it once was
    over = events.TakenOver(effective_on=on, source="over", standing=_figures(there))
    approved = events.Approved(effective_on=began, source="approved")
    admit.admit(replay.replay(terms, [approved], on).loan, over)
    here = replay.replay(terms, [approved, over], on)
    kept = {name: getattr(here.loan, name) for name in UNTOLD}
    kept["bills"] = tuple(  # when it was paid is not told either, nor what was a down payment
        bill._replace(late_minor=0, down_minor=0) for bill in there.bills
    )
    assert here.loan == there._replace(**kept), checkpoint.to_json(there)
    assert worlds.by_balance(here.movements) == there.balances
    undo = events.Reversed(effective_on=on, source="undo", undoes="over")
    back = replay.append(here.loan, [approved, over], undo)
    assert back.loan.status == "approved"
    assert worlds.by_balance([*here.movements, *back.movements]) == {}


def _figures(loan: state.Loan) -> events.Carried:
    assert loan.disbursed_on is not None

    def held(amounts: dict[str, int]) -> tuple[events.Held, ...]:
        return tuple(events.Held(balance=key, amount_minor=amount) for key, amount in amounts.items())

    return events.Carried(
        disbursed_on=loan.disbursed_on,
        balances=held(dict(loan.balances)),
        bills=tuple(
            events.OldBill(due_on=bill.due_on, due=held(dict(bill.due)), paid=held(dict(bill.paid)))
            for bill in loan.bills
        ),
        level_minor=loan.level_minor,
    )
