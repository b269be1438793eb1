"""What colleagues change in the course of a loan by hand: what it is charged, what it is credited, its dates, its end.

Each act is one event of the engine, previewed as that very event. Where money is given away or the loan leaves its
agreed course, a second person approves it; it then counts from the day of the approval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from usance.apps.access.selectors import User
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.core.accounting import books
from usance.core.loan import events, quote, refused, replay, state
from usance.core.loan.movements import NOT_OWED
from usance.ports.actor import Actor, staff
from usance.workflows import serve_loan

# the proposal that an event needs; what is not named here is done by one person
CREDIT, REST, DATES = "loan.credit", "loan.pause_interest", "loan.reschedule"
SPREAD, LOST, END = "loan.respread", "loan.charge_off", "loan.terminate"
DISPUTE, SALE, FORWARD = "loan.charge_back", "loan.sell", "loan.forward"
SUSPEND, RESTORE = "loan.non_accrual", "loan.accrual"
INCOME, INCOME_BACK = "loan.defer_income", "loan.take_income_back"
PROPOSED_AS: Mapping[type[events.Event], str] = {
    events.Credited: CREDIT,
    events.InterestPaused: REST,
    events.Rescheduled: DATES,
    events.Respread: SPREAD,
    events.ChargedOff: LOST,
    events.Terminated: END,
    events.PutOnNonAccrual: SUSPEND,
    events.RestoredToAccrual: RESTORE,
    events.IncomeDeferred: INCOME,
    events.IncomeTakenBack: INCOME_BACK,
    events.ChargedBack: DISPUTE,  # it says that money left us, and no rail says so too
    events.Forwarded: FORWARD,  # so does this
    events.Sold: SALE,
}
OURS = frozenset({"goodwill", "interest_waiver", "charge_adjustment"})  # credits for which nobody else pays


def needs_second(loan: servicing.Loan, event: events.Event) -> bool:
    """Whether one person alone may not do it. Small credits of our own count together with what was forgiven."""
    if isinstance(event, events.Credited) and event.reason in OURS and not event.interest_too:
        return event.amount_minor > serve_loan.left_alone(loan)
    return type(event) in PROPOSED_AS


def happen(*, loan_id: UUID, event: events.Event, reason: str, maker: User, at: datetime) -> Any | None:
    """Tells the event at once, or proposes it (then gives the proposal). Raises what the loan refuses, and
    AlreadyProposed."""
    loan = servicing.hold(loan_id=loan_id)
    _require(loan, event)
    preview = loans.preview(loan_id=loan_id, event=event)
    if not needs_second(loan, event):
        servicing.record(loan_id=loan_id, event=event, actor=staff(maker.pk))
        return None
    return serve_loan.propose(
        loan,
        PROPOSED_AS[type(event)],
        before=_figures(preview.before),
        after={**_figures(preview.after), **_sale(preview), "event": event.to_json()},
        maker=maker,
        at=at,
        reason=reason,
    )


def disputable(loan_id: UUID) -> list[tuple[events.PaymentReceived, int]]:
    """The payments that count, the newest first, each with how much of it nobody took back yet."""
    return _what_is_left(loan_id, events.PaymentReceived, events.ChargedBack, "payment")


def incomes(loan_id: UUID) -> list[tuple[events.IncomeDeferred, int]]:
    """The income that was deferred, the newest first, each with how much of it was not taken back yet."""
    return _what_is_left(loan_id, events.IncomeDeferred, events.IncomeTakenBack, "income")


def _what_is_left(
    loan_id: UUID, kind: type[Any], taker: type[events.ChargedBack | events.IncomeTakenBack], of: str
) -> list[tuple[Any, int]]:
    """The events of a kind that count, the newest first, each with what is left of it. `taker`: the kind that takes
    back, and `of`, its field that names from which."""
    counting = replay.in_force(events.from_json(row.payload) for row in loans.events_of(loan_id=loan_id))
    taken = Counter[str]()
    for event in counting:
        if isinstance(event, taker):
            taken[getattr(event, of)] += event.amount_minor
    left = [(one, one.amount_minor - taken[one.source]) for one in reversed(counting) if isinstance(one, kind)]
    return [(one, amount) for one, amount in left if amount > 0]


def _figures(standing: quote.Standing) -> dict[str, Any]:
    return {
        "status": standing.status,
        "owed_minor": standing.outstanding_minor,
        "past_due_minor": standing.past_due_minor,
        "next_due_on": standing.next_due_on.isoformat() if standing.next_due_on else "",
        "ends_on": standing.ends_on.isoformat() if standing.ends_on else "",
        "still_to_pay_minor": standing.still_to_pay_minor,
        "suspended_minor": standing.suspended_minor,
    }


def sale_result(preview: quote.Preview) -> int:
    """What a sale wins in the books, above zero, or loses."""
    entries = [books.entry(movement) for movement in preview.movements]
    return sum(((one.credit == "sale_result") - (one.debit == "sale_result")) * one.amount_minor for one in entries)


def debt_sold(preview: quote.Preview) -> dict[str, int]:
    """By balance, what leaves the books by a sale."""
    sums = Counter[str]()
    for movement in preview.movements:
        if movement.kind == "sold" and movement.balance not in NOT_OWED:
            sums[movement.balance] -= movement.amount_minor
    return dict(sums)


def _sale(preview: quote.Preview) -> dict[str, Any]:
    """What a second person must know of a sale."""
    debt = debt_sold(preview)
    return {"debt": debt, "result_minor": sale_result(preview)} if debt else {}


def _require(loan: servicing.Loan, event: events.Event) -> None:
    """Raises LoanNotRunning, MoreThanOwed by what stands now: a credit is for a debt, never for cash."""
    if not isinstance(event, events.Credited):
        return
    if loan.status not in state.LIVE:
        raise refused.LoanNotRunning(status=loan.status)
    if event.amount_minor > loan.outstanding_minor:
        raise refused.MoreThanOwed(balance="", amount_minor=event.amount_minor, owed_minor=loan.outstanding_minor)


def apply(*, subject_id: str, after: Mapping[str, Any], actor: Actor, maker_id: UUID, at: datetime) -> None:
    """The second person said yes."""
    event = dated(events.from_json(after["event"]), loans.business_date())
    loan = servicing.hold(loan_id=UUID(subject_id))
    _require(loan, event)
    servicing.record(loan_id=loan.pk, event=event, actor=actor)


def dated(event: events.Event, today: date) -> events.Event:
    """The event as of today, though nights without interest may lie in the past, and so may the day on which money
    moved or a debt was sold."""
    on = today
    if isinstance(event, events.InterestPaused):
        on = min(event.since, today)
    elif isinstance(event, events.ChargedBack | events.Sold | events.BuyerPaid | events.Forwarded):
        on = min(event.effective_on, today)
    return replace(event, effective_on=on)
