"""What another system charges: on a day of its own, with each instalment, or for one that is overdue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction

from usance.core import calendar, money
from usance.core.loan import events, quote, replay, state
from usance.core.loan.records import Bill
from usance.workflows.cases.telling import TRANSACTIONS, Telling, Told
from usance.workflows.cases.verdicts import Unsupported

AGREED = frozenset({"INSTALLMENT", "DISBURSEMENT"})
OF_ALL = "PERCENT_OF_AMOUNT_PLUS_INTEREST"
SHARED = {"PERCENT_OF_AMOUNT": ("principal",), "PERCENT_OF_INTEREST": ("interest",), OF_ALL: ("principal", "interest")}
BALANCES = {"fee": ("Fee", "fee:added"), "penalty": ("Penalty", "penalty")}


def agreed(told: Sequence[Told]) -> Iterator[Told]:
    """Those that belong to what was agreed: with the payout, or with each instalment."""
    runs = False
    for item in told:
        runs = runs or item["type"] == "disbursement"
        if item["type"] in BALANCES and item.get("charge_time") in AGREED and not _owed_at_once(item, runs=runs):
            yield item


def _owed_at_once(item: Told, *, runs: bool) -> bool:
    """A flat charge of each instalment that is added to a loan with money: all of it is owed from that day on, each
    instalment's part on its date."""
    return runs and item.get("charge_time") == "INSTALLMENT" and item["calculation"] == "FLAT"


def charge(telling: Telling, item: Told) -> None:
    """From its own day on, if that is past. Before there is money it waits for it. Raises Unsupported."""
    if _owed_at_once(item, runs=telling.runs()):
        _with_each_instalment(telling, item)
    elif item.get("charge_time") not in AGREED:
        if item["calculation"] not in ("FLAT", OF_ALL) or "due" not in item:
            raise Unsupported(f"a charge {item.get('charge_time', 'on a day')} {item['calculation']}")
        if telling.runs():
            _on_its_day(telling, item)
        else:
            telling.waiting.append(item)


def _with_each_instalment(telling: Telling, item: Told) -> None:
    on, amount = date.fromisoformat(item["added_on"]), telling.terms.currency.minor(item["amount"])
    for due_on in telling.loan(on).due_dates:
        _charged(telling, "Instalment Charge", on, BALANCES[item["type"]][1], amount, due_on)


def _on_its_day(telling: Telling, item: Told) -> None:
    name, balance = BALANCES[item["type"]]
    due_on, added_on = date.fromisoformat(item["due"]), date.fromisoformat(item["added_on"])
    amount = _amount(telling, item, lambda: quote.schedule(telling.loan(added_on)))
    on = min(due_on, added_on)
    later = on == due_on and _paid_before(telling, on)
    _charged(telling, name, on + calendar.ONE_DAY if later else on, balance, amount, due_on)


def _paid_before(telling: Telling, on: date) -> bool:
    """The other system keeps to the order in which it was told: what was paid on a day counts before what is charged
    for that day later. Ours lets charges come first; so such a one counts from the next morning on, unless money lies
    there to pay it at once. (A down payment pays its own bill in any order.)"""
    paid = {key for name, key in telling.made if name in TRANSACTIONS - {"Disbursement", "Down Payment"}}
    found = any(event.source in paid and event.effective_on == on for event in replay.in_force(telling.history))
    return found and not state.unapplied(telling.loan(on))


def _charged(telling: Telling, name: str, on: date, balance: str, amount: int, due_on: date, why: str = "") -> None:
    event = events.Charged(
        effective_on=on, source=telling.source(), balance=balance, amount_minor=amount, due_on=due_on, reason=why
    )
    telling.add(name, event)


def _amount(telling: Telling, item: Told, rows: Callable[[], Sequence[quote.Row]]) -> int:
    """Flat, or a share of principal and interest of all instalments as they stand."""
    if item["calculation"] == "FLAT":
        return telling.terms.currency.minor(item["amount"])
    return _share(telling, item["percent"], OF_ALL, [row.amounts for row in rows()])


def _share(telling: Telling, percent: str, calculation: str, asked: Sequence[Mapping[str, int]]) -> int:
    of = sum(amounts.get(part, 0) for amounts in asked for part in SHARED[calculation])
    return money.rounded(Fraction(percent) / 100 * of, telling.terms.rounding)


# --- before there is money ---------------------------------------------------------------------------------------


def tell_waiting(telling: Telling, on: date) -> None:
    """The money has come: what was charged before counts now."""
    waiting, telling.waiting = telling.waiting, []
    for item in waiting:
        charge(telling, {**item, "added_on": max(item["added_on"], on.isoformat())})


def expected_rows(telling: Telling, on: date) -> list[quote.Row]:
    """What would be paid if money came as agreed, with what is charged already."""
    agreed_rows = rows = telling.expected_rows(on)
    for item in telling.waiting:
        amount = _amount(telling, item, lambda: agreed_rows)
        rows = _with(rows, BALANCES[item["type"]][1], amount, date.fromisoformat(item["due"]))
    return rows


def with_later(telling: Telling, rows: Sequence[quote.Row], on: date) -> list[quote.Row]:
    """The rows as they were seen on a day, with what was charged since."""
    found = list(rows)
    for event in replay.in_force(telling.history):
        if isinstance(event, events.Charged) and event.effective_on > on:
            found = _with(found, event.balance, event.amount_minor, event.due_on)
    return found


def _with(rows: Sequence[quote.Row], balance: str, amount: int, due_on: date) -> list[quote.Row]:
    """With so much more in the row that holds the day, or in one more after the last."""
    holds = (index for index, row in enumerate(rows) if row.starts_on < row.due_on and due_on <= row.due_on)
    index = next(holds, len(rows))
    row = rows[index] if index < len(rows) else quote.Row(len(rows) + 1, due_on, due_on, {}, 0, 0, 0, billed=False)
    amounts = {**row.amounts, balance: row.amounts.get(balance, 0) + amount}
    row = row._replace(amounts=amounts, remaining_minor=row.remaining_minor + amount)
    return [*rows[:index], row, *rows[index + 1 :]]


# --- for what is overdue -----------------------------------------------------------------------------------------


def overdue(telling: Telling, item: Told) -> None:
    """Each night the other system charges what is overdue, every instalment once."""
    on = date.fromisoformat(item["run_on"])
    for told in (telling.given.get("overdue_charges") or ()) if telling.runs() else ():
        name, balance = BALANCES[told["kind"]]
        known = [event for event in telling.history if isinstance(event, events.Charged)]
        charged = {event.due_on for event in known if event.reason == told["name"]}
        for bill in telling.loan(on).bills:
            if bill.due_on < on and bill.remaining and bill.due_on not in charged:
                _charged(telling, name, on, balance, _for_overdue(telling, told, bill), bill.due_on, told["name"])


def _for_overdue(telling: Telling, told: Told, bill: Bill) -> int:
    if told["calculation"] == "FLAT":
        return telling.terms.currency.minor(told["amount"])
    if told["calculation"] not in SHARED:
        raise Unsupported(f"a charge of what is overdue {told['calculation']}")
    return _share(telling, told["amount"], told["calculation"], [bill.due])


# --- forgiven ----------------------------------------------------------------------------------------------------


def waive(telling: Telling, item: Told) -> None:
    """The last that was added of its kind, or of any where there is none of it. Raises Unsupported."""
    kinds = ("Penalty",) if "penalty" in item["target"] else ("Fee", "Penalty")
    any_kind = [(kind, key) for kind, key in telling.made if kind in ("Fee", "Penalty")]
    added = [key for kind, key in any_kind if kind in kinds] or [key for _kind, key in any_kind]
    if not added:
        raise Unsupported("waiving a charge of each instalment")
    found = next(e for e in telling.history if isinstance(e, events.Charged) and e.source == added[-1])
    event = events.Waived(
        effective_on=date.fromisoformat(item["date"]),
        source=telling.source(),
        balance=found.balance,
        amount_minor=found.amount_minor,
    )
    telling.add("Waiver", event)
