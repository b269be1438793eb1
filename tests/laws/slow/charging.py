"""What is charged: interest, fines, fees and the taxes on them, inside the caps."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tests.laws.slow.loan import SlowLoan


def room_under_cost_cap(loan: SlowLoan) -> int | None:
    if loan.agreed.cost_cap_share is None:
        return None
    return max(0, int(loan.agreed.cost_cap_share * loan.whole_principal()) - loan.charged)


def room_for_fines(loan: SlowLoan) -> int | None:
    rooms, rules = [room_under_cost_cap(loan)], loan.agreed.penalty
    if rules and rules.cap_share is not None:
        rooms.append(int(rules.cap_share * loan.whole_principal()) - loan.fine_asked)
    if rules and rules.yearly_cap_share is not None:
        rooms.append(int(rules.yearly_cap_share * loan.whole_principal()) - loan.fined_this_year)
    there = [room for room in rooms if room is not None]
    return max(0, min(there)) if there else None


def within(amount: int, room: int | None) -> int:
    return amount if room is None else min(amount, room)


# --- what nights bring -------------------------------------------------------------------------------------------


def ask_interest(loan: SlowLoan, amount: int) -> None:
    loan.owe("interest", amount)
    loan.charged += amount
    _tax_on_total(loan, "interest", loan.interest_asked, loan.interest_asked + amount)
    loan.interest_asked += amount


def earn(loan: SlowLoan, more: Fraction) -> None:
    """Interest of a night: its exact total grows, and so much of it as is whole is asked for. Nothing comes up once the
    cap is reached."""
    if not more or room_under_cost_cap(loan) == 0:
        return
    loan.interest += more
    fresh = loan.whole(loan.interest) - loan.interest_asked
    amount = within(fresh, room_under_cost_cap(loan))
    if amount < fresh:
        loan.interest = Fraction(loan.interest_asked + amount)
    ask_interest(loan, amount)


def ask_fine(loan: SlowLoan, amount: int) -> None:
    loan.owe("penalty", amount)
    loan.charged += amount
    if loan.agreed.penalty and loan.agreed.penalty.yearly_cap_share is not None:
        loan.fined_this_year += amount
    _tax_on_total(loan, "penalty", loan.fine_asked, loan.fine_asked + amount)
    loan.fine_asked += amount


def fine_night(loan: SlowLoan, more: Fraction) -> None:
    if not more or room_for_fines(loan) == 0:
        return
    loan.fine += more
    fresh = loan.whole(loan.fine) - loan.fine_asked
    amount = within(fresh, room_for_fines(loan))
    if amount < fresh:
        loan.fine = Fraction(loan.fine_asked + amount)
    ask_fine(loan, amount)


def fine_flat(loan: SlowLoan, amount: int) -> None:
    """What nights carry below a minor unit stays beside it."""
    amount = within(amount, room_for_fines(loan))
    loan.fine += amount
    ask_fine(loan, amount)


def _tax_on_total(loan: SlowLoan, on: str, before: int, after: int) -> None:
    for tax in loan.agreed.taxes:
        if on in tax.on:
            more, what = loan.whole(tax.share * after) - loan.whole(tax.share * before), f"tax:{tax.kind}"
            loan.owe(what, max(more, -loan.unbilled(what)))


# --- fees --------------------------------------------------------------------------------------------------------


def price_of(loan: SlowLoan, fee: Any, asked: Mapping[str, int]) -> int:
    """What a fee costs now; `asked` is what the instalment asks for that it belongs to."""
    base = {
        "original_principal": loan.whole_principal(),
        "outstanding_principal": loan.owed().get("principal", 0),
        "past_due_total": loan.payable()["past_due"],
        "instalment_principal": asked.get("principal", 0),
        "instalment_interest": asked.get("interest", 0),
        "instalment_total": asked.get("principal", 0) + asked.get("interest", 0),
    }[fee.of]
    return int(fee.flat_minor) + loan.whole(fee.share * base)


def fee(loan: SlowLoan, kind: str, amount: int) -> dict[str, int]:
    """Charges a fee with its taxes. Gives what is owed now, by balance, for who wants it elsewhere."""
    amount = within(amount, room_under_cost_cap(loan))
    loan.charged += amount
    found = {f"fee:{kind}": amount}
    for tax in loan.agreed.taxes:
        if "fee" in tax.on or f"fee:{kind}" in tax.on:
            found[f"tax:{tax.kind}"] = found.get(f"tax:{tax.kind}", 0) + loan.whole(tax.share * amount)
    return found


def ask_fee(loan: SlowLoan, kind: str, amount: int) -> None:
    for what, part in fee(loan, kind, amount).items():
        loan.owe(what, part)
