"""What happened, as another system tells it, told to our engine: one small function for each of its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction

from usance.core import calendar
from usance.core.loan import events, quote, replay, state
from usance.core.rates import Rate
from usance.workflows.cases import charging, incomes, orders, schedules
from usance.workflows.cases.telling import Telling as Telling
from usance.workflows.cases.telling import Told
from usance.workflows.cases.verdicts import Unsupported


def begun(given: Told, told: Sequence[Told]) -> Telling:
    """Before its first event. Charges of each instalment, or of the payout, belong to what was agreed."""
    added = (schedules.agreed_charge(item) for item in charging.agreed(told))
    charges = [*given.get("loan_charges", ()), *added]
    start = given.get("expected_disbursement_date") or given.get("disbursed_on") or given["submitted_on"]
    given = {**given, "loan_charges": charges}
    return Telling(given, schedules.terms_of(given), date.fromisoformat(start))


def tell(telling: Telling, item: Told) -> None:
    """Raises Unsupported."""
    if item["type"] in CLOCK:
        return
    if item["type"] not in EVENTS:
        raise Unsupported(f"the event {item['type']}")
    EVENTS[item["type"]](telling, item)


# what only moves the other system's clock: ours is told the day with each look
CLOCK = frozenset({"set_business_date", "fraud_flag"})


def _on(item: Told, name: str = "date") -> date:
    return date.fromisoformat(item[name])


# --- money -------------------------------------------------------------------------------------------------------


def _disbursement(telling: Telling, item: Told) -> None:
    """Where a down payment is taken from the money itself, it is paid at once, as far as nothing lies there for it."""
    on, amount = _on(item), telling.terms.currency.minor(item["amount"])
    there = state.unapplied(telling.loan(on)) if telling.history else 0
    telling.add("Disbursement", events.Disbursed(effective_on=on, source=telling.source(), amount_minor=amount))
    if (telling.given.get("down_payment") or {}).get("auto_repayment"):
        bills = [bill for bill in telling.loan(on).bills if bill.starts_on == bill.due_on == on]
        due = sum(bill.down_minor for bill in bills[-1:]) - there
        if due > 0:
            _pay(telling, "Down Payment", on, due)
    charging.tell_waiting(telling, on)


def _expected(telling: Telling, item: Told) -> None:
    """One part more is expected; once there is money, only what was drawn counts."""
    if telling.history:
        return
    known = telling.given.get("expected_tranches") or ()
    part = {"expected_on": item["date"], "principal": item["amount"]}
    telling.given = {**telling.given, "expected_tranches": [*known, part]}
    telling.terms = schedules.terms_of(telling.given)


def _repayment(telling: Telling, item: Told) -> None:
    on = _on(item)
    if item["amount"] == "PAY_OFF_AMOUNT":
        amount = quote.payoff(telling.loan(on), on).total_minor
    else:
        amount = telling.terms.currency.minor(item["amount"])
    _pay(telling, "Repayment", on, amount)


def _pay(telling: Telling, name: str, on: date, amount: int) -> None:
    telling.add(name, events.PaymentReceived(effective_on=on, source=telling.source(), amount_minor=amount))


def _credit(telling: Telling, item: Told) -> None:
    """Interest goes back with what a product says so of, unless told otherwise."""
    name = item["type"].upper()
    refunds = telling.given.get("supported_interest_refund_types") or ()
    with_interest = item["type"].upper() in refunds or refunds == "supportedInterestRefundTypes"
    event = events.Credited(
        effective_on=_on(item),
        source=telling.source(),
        amount_minor=telling.terms.currency.minor(item["amount"]),
        reason=orders.CREDITS[name],
        interest_too=with_interest and name in REFUNDS and item.get("interest_refund_calculation") is not False,
    )
    telling.add(item["type"].replace("_", " ").title(), event)


REFUNDS = frozenset({"MERCHANT_ISSUED_REFUND", "PAYOUT_REFUND"})


def _chargeback(telling: Telling, item: Told) -> None:
    """By the stated order, what the payment had gone to; without an order it is principal."""
    left = telling.terms.currency.minor(item["amount"])
    rules = telling.given.get("credit_allocation") or ()
    order = next((rule["order"] for rule in rules if rule["transaction_type"] == "CHARGEBACK"), ())
    nth = item["of"].rpartition(" ")[2]
    of = telling.find("Repayment", "last" if nth == "repayment" else nth)
    paid = telling.paid_by(of) if order else {}
    for event in telling.history:
        if isinstance(event, events.ChargedBack) and event.reason == of:
            paid[event.balance] = paid.get(event.balance, 0) - event.amount_minor
    for word in (*order, "PRINCIPAL"):
        for balance in sorted(key for key in {*paid, "principal"} if key.partition(":")[0] == orders.WORDS[word]):
            is_rest = word == "PRINCIPAL" and (not order or word == order[-1])
            amount = left if is_rest else min(left, paid.get(balance, 0))
            left -= amount
            if amount:
                event = events.ChargedBack(
                    effective_on=_on(item), source=telling.source(), balance=balance, amount_minor=amount, reason=of
                )
                telling.add("Chargeback", event)


def _principal_again(telling: Telling, item: Told) -> None:
    amount = telling.terms.currency.minor(item["amount"])
    event = events.ChargedBack(
        effective_on=_on(item), source=telling.source(), balance="principal", amount_minor=amount
    )
    telling.add("Chargeback", event)


def _reschedule(telling: Telling, item: Told) -> None:
    """What changes counts from the evening before its day."""
    since = _on(item, "from") - calendar.ONE_DAY
    if "grace_on_principal" in item:
        raise Unsupported("a rest from principal that is given later")
    if "new_interest_rate_percent" in item:
        _change_rate(telling, since, item["new_interest_rate_percent"])
    more, moved = int(item.get("extra_terms", 0)), item.get("adjusted_due_date")
    if more or moved:
        event = events.Rescheduled(
            effective_on=(_moves_since if moved else _more_since)(telling, _on(item), _on(item, "from")),
            source=telling.source(),
            moved_from=_on(item, "from") if moved else None,
            moved_to=date.fromisoformat(moved) if moved else None,
            more=more,
        )
        telling.add("Reschedule", event)


def _moves_since(telling: Telling, told_on: date, due_from: date) -> date:
    """A due date moves when that is told; one that has come by then, from the beginning of its period, or since all
    was last spread anew."""
    on = min(told_on, due_from - calendar.ONE_DAY)
    rows = quote.schedule(telling.loan(on)) if telling.history else ()
    begun = min([on, *(row.starts_on for row in rows if due_from <= row.due_on <= told_on)])
    spread = (e.effective_on for e in replay.in_force(telling.history) if isinstance(e, events.Respread))
    return max([begun, *(day + calendar.ONE_DAY for day in spread if begun <= day < on)])


def _more_since(telling: Telling, told_on: date, due_from: date) -> date:
    """More instalments change those from a due date on: when the first of these begins to run."""
    on = min(told_on, due_from - calendar.ONE_DAY)
    rows = quote.schedule(telling.loan(on)) if telling.history else ()
    return max([on, *[row.starts_on for row in rows if row.due_on >= due_from][:1]])


def _rate_change(telling: Telling, item: Told) -> None:
    _change_rate(telling, _on(item, "effective") - calendar.ONE_DAY, item["new_rate_percent"])


def _change_rate(telling: Telling, on: date, percent: str) -> None:
    """Where interest is computed period by period, for the whole of the one in which it comes."""
    rate = Rate(Fraction(percent) / 100, "year")
    if telling.given["interest_calculation_period"] == "SAME_AS_REPAYMENT_PERIOD" and telling.history:
        rows = quote.schedule(telling.loan(max(telling.starts_on, on)))
        on = next((row.starts_on for row in rows if row.starts_on <= on < row.due_on), on)
    telling.add("Rate", events.RateChanged(effective_on=on, source=telling.source(), rate=rate))


def _interest_pause(telling: Telling, item: Told) -> None:
    """A day counts the night before it."""
    since = _on(item, "from") - calendar.ONE_DAY
    event = events.InterestPaused(
        effective_on=min(since, _on(item)) if "date" in item else telling.starts_on,
        source=telling.source(),
        since=since,
        until=_on(item, "to"),
    )
    telling.add("Interest Pause", event)


RESPREADS = {
    None: "levelled",
    "DEFAULT": "levelled",
    "EQUAL_AMORTIZATION_PAYABLE_INTEREST": "equal_payable",
    "EQUAL_AMORTIZATION_FULL_INTEREST": "equal_full",
    "EQUAL_AMORTIZATION_INTEREST_SPLIT": "equal_past",
}


def _re_age(telling: Telling, item: Told) -> None:
    """From its start on, if that is past."""
    start = _on(item, "start") if "start" in item else None
    interest = RESPREADS.get(item.get("interest_handling"))
    if interest is None:
        raise Unsupported(f"interest spread by {item['interest_handling']}")
    event = events.Respread(
        effective_on=min(_on(item), start) if start else _on(item),
        source=telling.source(),
        start_on=start,
        count=int(item.get("installments", 0)),
        every=int(item.get("frequency", 1)),
        unit=schedules.UNITS[item.get("frequency_unit", "MONTH")],
        interest=interest,
    )
    telling.add("Re-age" if start else "Re-amortize", event)


def _charge_off(telling: Telling, item: Told) -> None:
    telling.add("Charge-off", events.ChargedOff(effective_on=_on(item), source=telling.source()))


def _contract_termination(telling: Telling, item: Told) -> None:
    telling.add("Contract Termination", events.Terminated(effective_on=_on(item), source=telling.source()))


def _undoing(name: str) -> Callable[[Telling, Told], None]:
    return lambda telling, item: _undo(telling, _on(item), telling.find(name, "last"))


def _refund_to_borrower(telling: Telling, item: Told) -> None:
    amount = telling.terms.currency.minor(item["amount"])
    event = events.Refunded(effective_on=_on(item), source=telling.source(), amount_minor=amount)
    telling.add("Credit Balance Refund", event)


def _write_off(telling: Telling, item: Told) -> None:
    telling.add("Write Off", events.WrittenOff(effective_on=_on(item), source=telling.source()))


# --- undoing -----------------------------------------------------------------------------------------------------


def _undo_transaction(telling: Telling, item: Told) -> None:
    day = _on(item, "transaction_date") if "transaction_date" in item else None
    _undo(telling, _on(item), telling.find(item["of_type"].title(), item["nth"], day))


def _undo(telling: Telling, on: date, source: str) -> None:
    telling.add("Undo", events.Reversed(effective_on=on, source=telling.source(), undoes=source))


def _undo_last_disbursal(telling: Telling, item: Told) -> None:
    _undo(telling, _on(item), telling.find("Disbursement", "last"))


def _undo_disbursal(telling: Telling, item: Told) -> None:
    """All that happened since is undone with it. What was drawn is then what is expected."""
    drawn = [event for event in replay.in_force(telling.history) if isinstance(event, events.Disbursed)]
    text = telling.terms.currency.text
    expected = [{"expected_on": str(one.effective_on), "principal": text(one.amount_minor)} for one in drawn]
    telling.given = {**telling.given, "expected_tranches": expected}
    telling.terms = schedules.terms_of(telling.given)
    undone = {event.undoes for event in telling.history if isinstance(event, replay.Undoing)}
    for name, source in list(telling.made):
        if source not in undone and name != "Undo":
            _undo(telling, _on(item), source)


EVENTS: dict[str, Callable[[Telling, Told], None]] = {
    "disbursement": _disbursement,
    "add_expected_tranche": _expected,
    "repayment": _repayment,
    "pay_principal": _repayment,
    "pay_interest": _repayment,
    "chargeback_principal": _principal_again,
    "credit_balance_refund": _refund_to_borrower,
    "goodwill_credit": _credit,
    "merchant_issued_refund": _credit,
    "payout_refund": _credit,
    "interest_payment_waiver": _credit,
    "charge_adjustment": _credit,
    "chargeback": _chargeback,
    "reschedule": _reschedule,
    "interest_rate_change": _rate_change,
    "interest_pause": _interest_pause,
    "re_age": _re_age,
    "undo_re_age": _undoing("Re-age"),
    "re_amortize": _re_age,
    "undo_re_amortize": _undoing("Re-amortize"),
    "charge_off": _charge_off,
    "undo_charge_off": _undoing("Charge-off"),
    "contract_termination": _contract_termination,
    "undo_contract_termination": _undoing("Contract Termination"),
    "write_off": _write_off,
    "capitalized_income": incomes.deferring("Capitalized Income", "borrower"),
    "capitalized_income_adjustment": incomes.taking_back("Capitalized Income", "borrower"),
    "buy_down_fee": incomes.deferring("Buy Down Fee", "third_party"),
    "buy_down_fee_adjustment": incomes.taking_back("Buy Down Fee", "third_party"),
    "waive_charge": charging.waive,
    "fee": charging.charge,
    "penalty": charging.charge,
    "close_of_business_for_loan": charging.overdue,
    "undo_transaction": _undo_transaction,
    "undo_last_disbursal": _undo_last_disbursal,
    "undo_disbursal": _undo_disbursal,
}
