"""Laws that need no second engine: what any borrower would see at once. See docs/laws.md."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.laws import worlds
from usance.core.loan import close, events, state


@given(st.data())
def test_law_04_no_more_is_noted_as_paid_than_was_paid(data: st.DataObject) -> None:
    terms = data.draw(worlds.all_terms())
    history, loan, movements = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    if any(isinstance(event, events.TakenOver) for event in history):
        return  # what was paid in the other system is no movement of ours
    noted = sum(sum(part.paid.values()) for part in (*loan.bills, *loan.ahead)) - state.reserved(loan)
    allocated = -sum(movement.amount_minor for movement in movements if movement.kind == "allocated")
    assert noted <= allocated


@given(st.data())
def test_law_04_money_that_may_be_used_is_used(data: st.DataObject) -> None:
    """Nothing is due, and a loan that does not run owes nothing, beside money that is there for anything."""
    terms = data.draw(worlds.all_terms())
    _, loan, _ = worlds.admitted(terms, data.draw(worlds.told_events(terms)))
    loan = close.advance(loan, loan.at + timedelta(days=data.draw(st.integers(0, 90))), daily=False).loan
    if state.unapplied(loan) > 0:
        assert (state.due_now(loan) if loan.status in state.LIVE else state.outstanding(loan)) == 0
