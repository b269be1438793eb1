"""What a night brings, and a morning: interest and fines, then the demand of the day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from tests.laws.slow import charging, plan
from tests.laws.slow.days import NIGHT
from tests.laws.slow.loan import ALWAYS, Demand, SlowLoan, add
from tests.laws.slow.spreading import all_is_paid, bearing_tonight, brings, release, spread

NOW = ("past_due", "due")


def night(loan: SlowLoan) -> None:
    """Today ends."""
    if loan.live:
        late = loan.open_bills()
        if late and not loan.fines_rest:
            _missed([(loan.today - bill.due).days for bill in late], loan)
        bearing = bearing_tonight(loan)
        charging.earn(loan, bearing * brings(loan, loan.today) if bearing else Fraction(0))
        rules = loan.agreed.penalty
        if rules and late and not loan.fines_rest:
            base = sum(_fined(bill, rules.rule) for bill in late if (loan.today - bill.due).days >= rules.grace_days)
            charging.fine_night(loan, base * rules.share)
    if loan.unearned:
        loan.unearned -= loan.unearned / loan.days_left()
    if (loan.today + NIGHT).year != loan.today.year:
        loan.fined_this_year = 0
    loan.today += NIGHT


def _missed(ages: Sequence[int], loan: SlowLoan) -> None:
    """What a demand costs, once, that is open at the end of a certain day."""
    rules = loan.agreed.penalty
    for days in ages:
        if rules and rules.flat_minor and days == rules.grace_days:
            charging.fine_flat(loan, rules.flat_minor)
        for fee in loan.agreed.fees:
            if fee.when == "on_lateness" and days == fee.after_days:
                charging.ask_fee(loan, fee.kind, charging.price_of(loan, fee, {}))


def _fined(bill: Demand, rule: str) -> int:
    if rule == "daily_on_past_due_principal":
        return bill.left.get("principal", 0)
    if rule == "flat_per_miss":
        return 0
    return sum(amount for what, amount in bill.left.items() if what != "penalty")


def morning(loan: SlowLoan) -> None:
    while loan.prices_to_come and loan.prices_to_come[0][0] <= loan.today:
        loan.price = loan.prices_to_come.pop(0)[1]
    if loan.live and loan.span and loan.today >= loan.span.last:
        turn(loan)
        spread(loan, NOW)
        see_whether_over(loan)
    if loan.live and not loan.coming and loan.all_to_come() and loan.beyond.due <= loan.today:
        ask_what_waits(loan)
        spread(loan, NOW)
        see_whether_over(loan)


def turn(loan: SlowLoan) -> None:
    if loan.coming:
        ask(loan)
    loan.span, loan.bears_on = plan.next_span(loan), 0


# --- the demand of the day ---------------------------------------------------------------------------------------


def ask(loan: SlowLoan) -> None:
    one, level, number = loan.coming[0], loan.next_level(), loan.number()
    if one.kept:
        _earned_by_now(loan, one)
    room = max(0, level - loan.prepaid - one.settled(*loan.level_parts))
    last = len(loan.coming) == 1 or _nothing_would_be_left(loan, room)
    _residue(loan, last)
    interest, principal = loan.loose.get("interest", 0), loan.loose.get("principal", 0)
    asked = {"interest": interest, "principal": principal}
    if not last:
        asked = _share_of(loan, number, 0 if _waits(loan, one, interest, room) else interest, principal, room)
    for fee in loan.agreed.fees:
        if fee.when == "per_instalment" and loan.owes() and not loan.stepped_back:
            whole = {what: amount + one.settled(what) for what, amount in asked.items()}
            charging.ask_fee(loan, fee.kind, charging.price_of(loan, fee, whole))
    for what, amount in asked.items():
        loan.owe(what, -amount)
    one.starts, one.left = loan.span.first if loan.span else loan.today, asked
    _with_charges(loan, one)
    one.due = loan.today
    loan.bills.append(one)
    rest, loan.coming, loan.passed = loan.coming[1:], loan.coming[1:], loan.passed + 1
    loan.planned, loan.own_levels = loan.planned[1:], loan.own_levels[1:]
    loan.prepaid = max(0, loan.prepaid - level)
    if last:
        loan.matured = loan.today
        nothing_to_come(loan, rest)


def _with_charges(loan: SlowLoan, one: Demand) -> None:
    """All charges that wait, and those of the days until this one."""
    for what in [what for what in loan.loose if what not in ("interest", "principal")]:
        add(one.left, [(what, loan.loose.pop(what))])
    _with_dated(loan, one, loan.today)


def _with_dated(loan: SlowLoan, one: Demand, until: date) -> None:
    add(one.left, ((charge.what, charge.left) for charge in loan.charges if charge.due <= until))
    loan.charges = [charge for charge in loan.charges if charge.due > until]


def _nothing_would_be_left(loan: SlowLoan, room: int) -> bool:
    if loan.agreed.early_interest == "owed" or loan.prepaid > loan.next_level():
        return False
    if loan.number() <= loan.agreed.grace.principal or _costs_by_the_day_of_delay(loan):
        return False
    return room >= sum(loan.loose.get(part, 0) for part in loan.level_parts)


def _costs_by_the_day_of_delay(loan: SlowLoan) -> bool:
    """Somebody must ask for what principal costs that is overdue."""
    if (loan.agreed.interest_base, loan.agreed.interest_spread) != ("actual_balance", "as_earned"):
        return False
    overdue = any(bill.left.get("principal", 0) for bill in loan.bills)
    stand = any(amount for one in loan.coming[1:] for amount in (*one.paid.values(), *one.spared.values()))
    return (overdue or stand) and bool(loan.price[0] or loan.prices_to_come)


def _waits(loan: SlowLoan, one: Demand, interest: int, room: int) -> bool:
    """Interest that does not fit since principal was paid beforehand, which saves some. Where principal rests no level
    holds it."""
    saves = loan.agreed.early_interest == "saved" and "interest" in loan.level_parts
    saves = saves and loan.number() > loan.agreed.grace.principal
    return saves and one.settled("principal") > 0 and interest > room


def _share_of(loan: SlowLoan, number: int, interest: int, principal: int, room: int) -> dict[str, int]:
    """Interest first, where the level holds both; grace leaves one or the other for later."""
    grace, both = loan.agreed.grace, "interest" in loan.level_parts
    asked = 0 if number <= grace.interest else interest
    if number <= grace.principal:
        return {"interest": asked, "principal": 0}
    asked = min(asked, room) if both else asked
    return {"interest": asked, "principal": min(principal, room - (asked if both else 0))}


def _earned_by_now(loan: SlowLoan, one: Demand) -> None:
    """What was paid for interest before it was earned pays it now; what was too much is free."""
    used = min(one.kept, loan.loose.get("interest", 0))
    one.paid["interest"] -= one.kept - used
    kept = one.kept
    release(loan, used)
    assert one.kept == kept - used
    one.kept = 0


def _residue(loan: SlowLoan, last: bool) -> None:
    """Interest below a minor unit: it goes on, is dropped, or is collected by the last."""
    how = loan.agreed.residue
    if how == "carry":
        return
    loan.left_out += loan.interest - loan.interest_asked
    loan.interest = Fraction(loan.interest_asked)
    if how.startswith("drop"):
        loan.left_out = Fraction(0)
    elif last and loan.left_out:
        dated = sum(charge.left for charge in loan.charges_of(loan.coming[0]) if charge.what == "interest")
        more = max(loan.whole(loan.left_out), -max(0, loan.loose.get("interest", 0) + dated))
        more = charging.within(more, charging.room_under_cost_cap(loan))
        loan.interest += more
        charging.ask_interest(loan, more)
        loan.left_out = Fraction(0)


def ask_what_waits(loan: SlowLoan) -> None:
    """A demand that only asks for charges, after all that were planned."""
    one, loan.beyond = loan.beyond, Demand(ALWAYS)
    one.starts = one.due = loan.today
    _with_charges(loan, one)
    join(loan, one)


def join(loan: SlowLoan, one: Demand) -> Demand:
    """After all that were planned there is one demand for charges, and it moves to the latest day."""
    planned = max((bill.due for bill in loan.bills if bill.starts < bill.due), default=one.due)
    last = loan.bills[-1] if loan.bills else None
    if last is None or last.starts != last.due or last.due <= planned:
        loan.bills.append(one)
        return one
    last.starts = last.due = max(last.due, one.due)
    for into, more in ((last.left, one.left), (last.extra, one.extra), (last.paid, one.paid)):
        add(into, more.items())
    return last


# --- the end -----------------------------------------------------------------------------------------------------


def nothing_to_come(loan: SlowLoan, demands: Sequence[Demand]) -> None:
    """The plan asks for nothing more; demands to come up to the last of which something was settled stay."""
    touched = [at for at, one in enumerate((*demands, loan.beyond)) if one.touched]
    starts = loan.span.first if loan.span and loan.span.last > loan.today else loan.today
    for one in demands[: touched[-1] + 1 if touched else 0]:
        one.starts, one.left, starts = starts, {}, one.due
        _with_dated(loan, one, one.due)
        loan.bills.append(one)
    if loan.beyond in demands:
        loan.beyond = Demand(ALWAYS)
    loan.given_up = loan.coming or loan.given_up
    loan.passed += len(loan.coming)
    loan.coming = []


def see_whether_over(loan: SlowLoan) -> None:
    """Over when nothing is owed; owed again, it lives again."""
    owes = loan.owes() or plan.unearned(loan)
    if loan.live and not owes:
        all_is_paid(loan)
        nothing_to_come(loan, loan.all_to_come())
        loan.status, loan.prepaid, loan.matured = "closed", 0, loan.matured or loan.today
        loan.bears_on = 0
    elif loan.status == "closed" and owes:
        loan.status = "live"
        loan.matured = loan.today if loan.matured else None
        loan.span = plan.next_span(loan)
    if not loan.days_left():
        loan.unearned = Fraction(0)
