"""Two at once, a push of the clock, another order of telling: what needs no fault on the wire to go wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from threading import Barrier, Thread
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from usance.apps.institutions import tenancy
from usance.apps.payments import services as rails
from usance.apps.payments.refusals import ReceiptKnown
from usance.apps.servicing import selectors as loans
from usance.apps.servicing import services as servicing
from usance.config.faults.acts import (
    CALLBACKS,
    REQUESTS,
    TOLD_TO_PAYERS,
    Act,
    advance,
    fill_page,
    killed,
    on_the_wire,
    pay,
)
from usance.core.loan import events
from usance.core.refusals import Refusal
from usance.ports import clock
from usance.ports.actor import SYSTEM, staff
from usance.workflows import serve_loan

MIDNIGHT = 0


def together(act: Act, *doings: Callable[[], Any]) -> list[Any]:
    """Does all of it at the same instant; gives what each gave, or its refusal."""
    gate = Barrier(len(doings))
    results: list[Any] = [None] * len(doings)

    def do(number: int, doing: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=10)
            results[number] = doing()
        except Refusal as refusal:
            results[number] = refusal

    def do_elsewhere(number: int, doing: Callable[[], Any]) -> None:
        try:
            do(number, doing)
        finally:
            connection.close()

    threads = [Thread(target=do_elsewhere, args=pair) for pair in enumerate(doings) if pair[0]]
    for thread in threads:
        thread.start()
    do(0, doings[0])
    for thread in threads:
        thread.join()
    return results


def _heard(act: Act, results: list[Any], *also: str) -> None:
    """Whoever pays is never told to come back later, and never sees a crash."""
    for result in results:
        if isinstance(result, Refusal) and result.code not in (*TOLD_TO_PAYERS, *also):
            act.wrong(f"was refused: {result.code}")
        elif result is None:
            act.wrong("crashed")


def _raced(act: Act, results: list[Any], page: bool) -> None:
    """What everybody heard; whoever was sent to the provider's page pays there."""
    act.inject("page" if page else "card")
    _heard(act, results)
    for given in results:
        if page and isinstance(given, rails.Instruction):
            fill_page(act, given)


def _all_told(results: list[Any]) -> bool:
    """A debit under the mandate was on its way already, so all were told to await it."""
    return all(isinstance(result, Refusal) and result.code in TOLD_TO_PAYERS for result in results)


def same_key(act: Act) -> None:
    loan_id, amount = act.lender.take(), act.lender.unit
    page = act.chance.random() < 0.5
    results = together(
        act, *[lambda: pay(act, loan_id, amount_minor=amount, page=page, then=act.join) for _ in range(2)]
    )
    act.inject("page" if page else "card")
    if _all_told(results):
        return
    orders = {result.pk for result in results if isinstance(result, rails.Instruction)}
    if len(orders) != 1:
        act.wrong(f"gave {len(orders)} orders")


def other_key(act: Act) -> None:
    """Two tabs with a card each, or two colleagues with one slip of the bank."""
    loan_id = act.lender.take()
    if act.chance.random() < 0.5:
        results = together(act, *[
            lambda n=n: pay(act, loan_id, key=f"{act.key}:{n}", amount_minor=act.lender.unit, then=act.join)
            for n in range(2)
        ])  # fmt: skip
        act.inject("two tabs")
        _heard(act, results)
        if _all_told(results):
            return
        if sum(isinstance(result, rails.Instruction) for result in results) != 1:
            act.wrong("both tabs were charged, or none")
        return

    def slip(number: int) -> Any:
        with act.lender.bound():
            return serve_loan.take_receipt(
                loan_id=loan_id,
                key=f"{act.key}:{number}",
                how="bank",
                reference=act.key,
                amount_minor=act.lender.unit,
                value_on=loans.business_date(),
                at=clock.now(),
                actor=staff(act.lender.staff["cashier"]),
            )

    results = together(act, lambda: slip(0), lambda: slip(1))
    act.inject("one slip")
    _heard(act, results, ReceiptKnown.code)
    if sum(isinstance(result, ReceiptKnown) for result in results) != 1:
        act.wrong("one slip of the bank was booked twice, or not at all")


def race_close(act: Act) -> None:
    loan_id, page = act.lender.take(), act.chance.random() < 0.5
    results = together(act, lambda: pay(act, loan_id, page=page, then=act.join), lambda: advance(act))
    _raced(act, results, page)


def race_extension(act: Act) -> None:
    loan_id, days = act.lender.take(), act.chance.choice((7, 14))
    page = act.chance.random() < 0.5
    results = together(
        act,
        lambda: pay(act, loan_id, key=f"{act.key}:x", extend_days=days, page=page, then=act.join),
        lambda: pay(act, loan_id, page=page, then=act.join),
    )
    _raced(act, results, page)


def race_write_off(act: Act) -> None:
    loan_id, page = act.lender.take(), act.chance.random() < 0.5

    def write_off() -> Any:
        with act.lender.bound():
            return servicing.write_off(
                loan_id=loan_id, source=f"staff:{act.key}", reason="gone", actor=staff(act.lender.staff["accountant"])
            )

    results = together(act, lambda: pay(act, loan_id, page=page, then=act.join), write_off)
    _raced(act, results, page)


def race_quote(act: Act) -> None:
    """Somebody asks what closes the loan; before they pay it, the bank's slip comes. What is too much waits."""
    loan_id, page = act.lender.lend(units=5), act.chance.random() < 0.5
    with act.lender.bound():
        asked = loans.payoff(loan_id=loan_id).total_minor

    def slip() -> Any:
        with act.lender.bound():
            return servicing.receive_payment(
                loan_id=loan_id, source=f"staff:{act.key}", amount_minor=act.lender.unit,
                value_on=loans.business_date(), actor=staff(act.lender.staff["cashier"]),
            )  # fmt: skip

    results = together(act, lambda: pay(act, loan_id, amount_minor=asked, page=page, then=act.join), slip)
    _raced(act, results, page)
    given = results[0]
    if isinstance(given, rails.Instruction):
        with act.lender.lock:
            act.lender.overpaid.append((UUID(str(given.pk)), loan_id))


def close_twice(act: Act) -> None:
    together(act, *[lambda: advance(act) for _ in range(act.chance.choice((2, 3)))])
    act.inject(act.lender.code)


def close_skipped(act: Act) -> None:
    days = act.chance.randint(1, 10) if act.chance.random() < 0.2 else act.chance.randint(1, 2)
    advance(act, days)
    act.inject(f"{days} days")


def clock_jumped(act: Act) -> None:
    """Forward by minutes or an hour, or back by seconds, while everything is on its way; or to just before midnight."""
    jump = act.chance.choice((61, 301, 3601, -7, -45, MIDNIGHT))
    pay(act, act.lender.take(), then=act.join)
    act.site.clock.push(_until_midnight(act) if jump == MIDNIGHT else jump)
    act.inject("midnight" if jump == MIDNIGHT else f"{jump} s")


def _until_midnight(act: Act) -> float:
    """Seconds until two before the lender's next midnight."""
    with act.lender.bound():
        here = clock.now().astimezone(ZoneInfo(tenancy.current().time_zone))
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), here.tzinfo)
    return (midnight - here).total_seconds() - 2


# --- the order of telling, and who may ------------------------------------------------------------------------------


def out_of_order(act: Act) -> None:
    """The same is told to two twins, in different orders: they must stand alike, balance by balance."""
    lender = act.lender
    with lender.lock:
        pair = lender.pairs.pop(0) if lender.pairs else None
    if pair is None:
        pair = lender.twins()
    with lender.bound():
        since, today = loans.loan(pair[0]).booked_on, loans.business_date()
        days = [since + timedelta(days=act.chance.randint(0, (today - since).days)) for _ in range(4)]
    amounts = [act.chance.randint(1, lender.unit // 2) for _ in range(4)]
    told: list[events.Event] = [
        events.PaymentReceived(effective_on=day, source=f"{act.key}:{n}", amount_minor=amount)
        for n, (day, amount) in enumerate(zip(days, amounts, strict=True))
    ]
    told.append(
        events.Waived(
            effective_on=today, source=f"{act.key}:w", balance="principal", amount_minor=amounts[0], reason=""
        )
    )
    undoing = events.Reversed(effective_on=today, source=f"{act.key}:r", undoes=f"{act.key}:0", reason="")
    shuffled = act.chance.sample(told, len(told))
    for loan_id, tale in ((pair[0], told), (pair[1], shuffled)):
        for event in [*tale, undoing]:
            with lender.bound():
                servicing.record(loan_id=loan_id, event=event, actor=SYSTEM)
    with lender.bound():
        views = [loans.loan_view(loan_id=loan_id).balances for loan_id in pair]
    act.inject(" ".join(event.source.rpartition(":")[2] for event in shuffled))
    if views[0] != views[1]:
        act.wrong(f"twins differ: {views}")
    with lender.bound():
        alive = all(loans.loan(loan_id).status == "active" for loan_id in pair)
    if alive and (today - since).days < 15:  # long before their due dates, when their owners' cards are debited
        with lender.lock:
            lender.pairs.append(pair)


ACTS: dict[str, Callable[[Act], None]] = {
    **dict.fromkeys((*REQUESTS, *CALLBACKS), on_the_wire),
    "killed": killed,
    "same_key": same_key,
    "other_key": other_key,
    "race_close": race_close,
    "race_extension": race_extension,
    "race_write_off": race_write_off,
    "race_quote": race_quote,
    "close_twice": close_twice,
    "close_skipped": close_skipped,
    "clock_jumped": clock_jumped,
    "out_of_order": out_of_order,
}
