"""What an event does. Money that finds nothing stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import date
from fractions import Fraction
from typing import Any

from tests.laws.slow import accruing, anew, charging, income, leaving, plan
from tests.laws.slow.days import NIGHT, later, multiple, worked
from tests.laws.slow.leaving import forgive
from tests.laws.slow.loan import Charge, Demand, SlowLoan, add, count_for_charges_first
from tests.laws.slow.nights import NOW, join, see_whether_over, turn
from tests.laws.slow.spreading import AGES, spread

# what comes first on one day; of one rank, in the order of its sources
RANKS = {
    "Approved": 0, "DisbursementFailed": 1, "Cancelled": 2, "Disbursed": 3, "TakenOver": 3, "RateChanged": 4,
    "InterestPaused": 4, "PenaltyPaused": 5, "PenaltyResumed": 6, "Rescheduled": 7, "Extended": 7, "FeeAdded": 8,
    "Withdrawn": 8, "Charged": 8, "Waived": 9, "PaymentReceived": 10, "Credited": 10, "ChargedBack": 10,
    "Respread": 10, "Terminated": 10, "ChargedOff": 10, "WrittenOff": 11, "PutOnNonAccrual": 12, "Recovered": 12,
    "RestoredToAccrual": 13, "Refunded": 13, "Sold": 14, "BuyerPaid": 15, "Forwarded": 15,
    "IncomeDeferred": 4, "IncomeTakenBack": 10,
}  # fmt: skip


# --- the money ---------------------------------------------------------------------------------------------------


def approved(loan: SlowLoan, told: Any) -> None:
    loan.status = "approved" if loan.status == "new" else loan.status


def nothing(loan: SlowLoan, told: Any) -> None:
    return


def cancelled(loan: SlowLoan, told: Any) -> None:
    if loan.began is None:
        loan.status = "cancelled"


def disbursed(loan: SlowLoan, told: Any) -> None:
    first, amount = loan.began is None, told.amount_minor
    beside = [] if first else anew.levels_beside(loan)
    loan.owe("principal", amount)
    loan.drawn += amount
    if first:
        _begin(loan)
        amount = loan.drawn
    else:
        anew.goes_on(loan)
        amount += _fees_of_later_money(loan, amount)
    if not loan.coming:  # it owes again, and what it had too much pays
        see_whether_over(loan)
        spread(loan)
        return
    financed = amount - _down_payment(loan, amount)
    if not first:
        _counts_from_when_agreed(loan, financed if loan.agreed.interest_base == "financed_principal" else amount)
    if beside:
        anew.plan_beside(loan, financed, beside)
    else:
        plan.plan_anew(loan, financed, brought=anew.brought_so_far(loan, financed))
        plan.as_listed(loan)
    spread(loan, NOW if first else AGES)


def _fees_of_later_money(loan: SlowLoan, amount: int) -> int:
    """The share of the fees of the beginning; what of it is added to the principal."""
    added = 0
    for fee in loan.agreed.fees:
        if fee.when in ("deducted", "added_to_principal"):
            parts = charging.fee(loan, fee.kind, loan.whole(fee.share * amount))
            add(loan.fees_at_start, parts.items())
            added += sum(parts.values()) if fee.when == "added_to_principal" else 0
    loan.owe("principal", added)
    loan.drawn += added
    return added


def _counts_from_when_agreed(loan: SlowLoan, amount: int) -> None:
    """As if later money had come with the running period, where that is agreed: what the nights gone by would have
    brought is earned now."""
    if anew.from_the_period(loan) and loan.matured is None:
        charging.earn(loan, anew.brought_so_far(loan, amount))


def _begin(loan: SlowLoan) -> None:
    """Fees of the beginning, dates and prices."""
    agreed, loan.began = loan.agreed, loan.today
    for fee in agreed.fees:
        if fee.when in ("deducted", "added_to_principal"):
            parts = charging.fee(loan, fee.kind, charging.price_of(loan, fee, {}))
            add(loan.fees_at_start, parts.items())
            if fee.when == "added_to_principal":  # what is deducted never stands there
                loan.owe("principal", sum(parts.values()))
    loan.drawn = loan.owed().get("principal", 0)
    loan.coming = [Demand(day) for day in plan.due_days(agreed, loan.today)]
    loan.passed = agreed.plan.count - len(loan.coming)
    _agreed_prices(loan, loan.today)
    loan.status, loan.matured = "live", None
    loan.span = plan.next_span(loan)


def _agreed_prices(loan: SlowLoan, start: date) -> None:
    told = [(later(start, step.from_day, "days"), (step.rate.share, step.rate.per)) for step in loan.agreed.rates]
    loan.price = plan.price_of(loan.today, told)
    loan.prices_to_come = [one for one in told if one[0] > loan.today]


def _down_payment(loan: SlowLoan, drawn: int) -> int:
    """What of it is due at once."""
    if loan.agreed.down_payment is None:
        return 0
    share = loan.whole(loan.agreed.down_payment.share * drawn)
    amount = left = multiple(share, loan.agreed.level_multiple_minor, loan.agreed.rounding) or share
    stays = loan.agreed.drawdowns is not None and loan.agreed.drawdowns.down_payment == "asked_for"
    for one in loan.coming:  # what was paid for later ones pays what is due before them
        used = 0 if stays else min(left, one.paid.get("principal", 0))
        add(one.paid, [("principal", -used)])
        left -= used
    loan.owe("principal", -left)
    loan.bills.append(Demand(loan.today, loan.today, {"principal": left}, down=amount))
    return amount


def taken_over(loan: SlowLoan, told: Any) -> None:
    """As it stood elsewhere; what we know as events stands already."""
    said = told.standing
    if said is None or loan.began is not None:
        return
    loan.loose = {held.balance: held.amount_minor for held in said.balances}
    loan.unearned = Fraction(loan.loose.pop("deferred", 0))
    loan.began, loan.drawn, loan.status = said.disbursed_on, loan.agreed.principal_minor, "live"
    loan.fine_asked, loan.charged = loan.loose.get("penalty", 0), said.charged_minor
    loan.fine += loan.fine_asked
    starts = said.disbursed_on
    for old in said.bills:
        left = {held.balance: held.amount_minor for held in old.due}
        add(left, ((held.balance, -held.amount_minor) for held in old.paid))
        add(loan.loose, ((what, -amount) for what, amount in left.items()))
        loan.bills.append(Demand(old.due_on, starts, left))
        starts = old.due_on
    agreed = plan.due_days(loan.agreed, said.disbursed_on)
    nothing_left = said.bills and not loan.loose.get("principal") and not loan.loose.get("interest")
    days = [] if nothing_left else [day for day in agreed if day >= loan.today and day > starts]
    loan.coming = [Demand(day) for day in days]
    loan.passed = loan.agreed.plan.count - len(days)
    _agreed_prices(loan, said.disbursed_on)
    if not days:
        loan.matured = starts if nothing_left else max(starts, agreed[-1])
        loan.span = plan.next_span(loan, loan.matured)
        while loan.span.last <= loan.today:
            loan.span = plan.next_span(loan, loan.span.last)
    else:
        ends = [day for day in (said.disbursed_on, starts, *agreed) if day < days[0] and day <= loan.today]
        loan.span = plan.next_span(loan)._replace(first=max(ends))
        plan.plan_anew(loan, 0, given=said.level_minor)
        plan.as_listed(loan)
        if days[0] == loan.today:
            turn(loan)
    accruing.see_whether_income(loan)
    spread(loan, NOW)


def _forget_parts(loan: SlowLoan) -> None:
    """What is below a minor unit when money comes, where that is agreed."""
    if loan.agreed.residue == "drop_when_paid":
        loan.interest = Fraction(loan.interest_asked)


def paid(loan: SlowLoan, told: Any) -> None:
    _forget_parts(loan)
    if loan.status == "sold":
        loan.buyers_money += told.amount_minor
    else:
        _use(loan, told.amount_minor)


def _use(loan: SlowLoan, money: int) -> None:
    loan.money += money
    spread(loan)
    if loan.status == "written_off":
        amount = min(loan.claim, loan.free())
        loan.claim -= amount
        loan.money -= amount
        return
    _forgive_what_is_small(loan)


def credited(loan: SlowLoan, told: Any) -> None:
    """Money of somebody else, spread by a rule of its own; what it bore in interest, as a payment."""
    _forget_parts(loan)
    agreed = loan.agreed
    loan.given_back += told.goes_back
    loan.money += told.amount_minor
    for rule in agreed.credits:
        if rule.reason == told.reason:
            loan.agreed = copy(agreed)
            loan.agreed.allocation, loan.agreed.early_payment = rule.allocation, rule.early_payment
            break
    spread(loan)
    loan.agreed = agreed
    see_whether_over(loan)
    loan.money += told.goes_back
    spread(loan)
    _forgive_what_is_small(loan)


def _forgive_what_is_small(loan: SlowLoan) -> None:
    if loan.live and 0 < loan.owes() <= loan.agreed.forgive_under_minor:
        for what, amount in sorted(loan.owed().items()):
            forgive(loan, what, amount)


def income_taken_back(loan: SlowLoan, told: Any) -> None:
    """As a payment, where the borrower owed it."""
    amount = min(told.amount_minor, loan.incomes.get(told.owed_by, 0))
    income.take_out(loan, amount, told.owed_by)
    if told.owed_by == "borrower" and amount:
        _use(loan, amount)


def sent_back(loan: SlowLoan, told: Any) -> None:
    """Money went back: first what lay there, then it is owed again."""
    what, amount, there = getattr(told, "balance", "principal"), told.amount_minor, max(0, loan.free())
    if what == "principal" and amount > there:  # it bears interest again itself
        loan.bears_on -= min(loan.bears_on, amount - there)
    if there >= amount or not loan.stands or loan.status not in ("live", "closed"):
        loan.money -= min(there, amount)
        loan.owe(what, max(0, amount - there))
        return
    anew.goes_on(loan)
    ask_on(loan, {what: amount}, loan.today + NIGHT if loan.coming else loan.today)
    see_whether_over(loan)
    spread(loan)


# --- charges -----------------------------------------------------------------------------------------------------


def fee_added(loan: SlowLoan, told: Any) -> None:
    if loan.live:
        charging.ask_fee(loan, told.fee_kind, told.amount_minor)


def charged(loan: SlowLoan, told: Any) -> None:
    """Asked for by the demand of a day, be it long past; a loan that was paid off owes again."""
    if loan.status not in ("live", "closed"):
        return
    loose, loan.loose = loan.loose, {}
    if told.balance == "penalty":
        charging.fine_flat(loan, told.amount_minor)
    else:
        charging.ask_fee(loan, told.balance.split(":")[1], told.amount_minor)
    added, loan.loose = {what: amount for what, amount in loan.loose.items() if amount}, loose
    ask_on(loan, added, told.due_on)
    see_whether_over(loan)
    spread(loan)


def ask_on(loan: SlowLoan, amounts: dict[str, int], day: date) -> None:
    """By the demand whose time holds a day, by one of that day, or by one to come."""
    if not amounts:
        return
    for bill in loan.bills:
        if bill.starts < bill.due and (bill.starts < day <= bill.due or day <= bill.starts):
            add(bill.left, amounts.items())
            return
    if not loan.coming and day <= loan.today:
        join(loan, Demand(day, day, dict(amounts)))
    else:
        loan.charges += [Charge(day, what, amount) for what, amount in amounts.items()]
        loan.charges.sort(key=lambda one: one.due)
        count_for_charges_first(loan)


# --- the course --------------------------------------------------------------------------------------------------


def rate_changed(loan: SlowLoan, told: Any) -> None:
    """Where demands stand and their level holds interest, they are planned anew from the running period on. Where all
    bring the same, what the nights to come bring more or less now is shared by all that is left."""
    before, expected = loan.price, loan.prices_to_come
    as_before = plan.brought_to_come(loan, plan.prices(loan)) if loan.live and loan.coming else Fraction(0)
    loan.price, loan.prices_to_come = (told.rate.share, told.rate.per), []
    if loan.price == before and not expected:
        return
    if not loan.live or not loan.coming:
        return
    if loan.even is not None:
        plan.make_even(loan, plan.brought_to_come(loan, plan.prices(loan)) - as_before)
    if loan.stands and "interest" in loan.level_parts:
        assert loan.span
        begun = loan.span.first < loan.today
        told_prices = [(loan.span.first, before if begun else loan.price), (loan.today, loan.price)]
        plan.plan_anew(loan, 0, told_prices, without_the_paid=True)


def interest_paused(loan: SlowLoan, told: Any) -> None:
    loan.rests.append((told.since, told.until))


def fines_paused(loan: SlowLoan, told: Any) -> None:
    loan.fines_rest = told.kind == "PenaltyPaused"


def extended(loan: SlowLoan, told: Any) -> None:
    """What has come up, with the price of it, is due today; dates move as the next one does. After the last, principal
    that was asked for waits again."""
    if not loan.live:
        return
    agreed = loan.agreed
    due = loan.coming[0].due if loan.coming else loan.matured or loan.today
    how = agreed.extension.extend_from if agreed.extension else "later_of_both"
    start = {"due_date": due, "extension_date": loan.today}.get(how, max(due, loan.today))
    first = max(later(start, told.days, "days"), loan.today + NIGHT)
    first = max(worked(first, agreed.roll, agreed.work_calendar), loan.today + NIGHT)
    for fee in agreed.fees:
        if fee.when == "on_extension":
            charging.ask_fee(loan, fee.kind, charging.price_of(loan, fee, {}))
    for bill in loan.bills if not loan.coming else ():
        again = bill.left.pop("principal", 0)
        bill.down -= min(bill.down, again)
        loan.owe("principal", again)
    asked = {what: amount for what, amount in loan.loose.items() if amount and what != "principal"}
    if asked:
        for what in asked:
            del loan.loose[what]
        loan.bills.append(Demand(loan.today, loan.span.first if loan.span else loan.today, asked))
    days = [worked(one.due + (first - due), agreed.roll, agreed.work_calendar) for one in loan.coming[1:]]
    days = [first, *plan.one_after_another(first, days)]
    odd = {one for one in loan.coming[1:] if one.due in loan.moved}
    anew.on_days(loan, days)
    loan.moved = {first} | {one.due for one in odd}
    loan.matured, loan.bears_on = None, 0
    loan.span = plan.next_span(loan)
    spread(loan, NOW)


def withdrawn(loan: SlowLoan, told: Any) -> None:
    """The borrower owes what was received, with its interest, once in some days; no fee and no fine."""
    agreed = loan.agreed.cooling_off
    if not loan.live or agreed is None or loan.stepped_back:
        return
    with_interest = {f"tax:{tax.kind}" for tax in loan.agreed.taxes if "interest" in tax.on}
    for what, amount in sorted(loan.owed().items()):
        if what not in ("interest", "principal") and what not in with_interest:
            forgive(loan, what, amount)
    added = loan.incomes.get("borrower", 0)
    borne = anew.borne_by(loan, sum(loan.fees_at_start.values()) + added)
    anew.due_once(loan, later(loan.today, agreed.pay_days, "days"))
    forgive(loan, "interest", borne)
    income.take_out(loan, added, "borrower")
    for amount in (*loan.fees_at_start.values(), added):
        there = min(amount, loan.loose.get("principal", 0))
        loan.owe("principal", -there)
        loan.money += amount - there
    loan.fees_at_start, loan.stepped_back = {}, True
    if not agreed.pay_days:
        turn(loan)
    spread(loan)


HAPPENINGS: dict[str, Callable[[SlowLoan, Any], None]] = {
    "Approved": approved,
    "DisbursementFailed": nothing,
    "Cancelled": cancelled,
    "Disbursed": disbursed,
    "TakenOver": taken_over,
    "RateChanged": rate_changed,
    "InterestPaused": interest_paused,
    "PenaltyPaused": fines_paused,
    "PenaltyResumed": fines_paused,
    "Rescheduled": anew.rescheduled,
    "Extended": extended,
    "Withdrawn": withdrawn,
    "FeeAdded": fee_added,
    "Waived": leaving.waived,
    "PaymentReceived": paid,
    "Charged": charged,
    "Credited": credited,
    "IncomeDeferred": income.deferred,
    "IncomeTakenBack": income_taken_back,
    "ChargedBack": sent_back,
    "Respread": anew.respread,
    "Terminated": anew.terminated,
    "ChargedOff": anew.charged_off,
    "WrittenOff": leaving.written_off,
    "PutOnNonAccrual": accruing.put_on_non_accrual,
    "RestoredToAccrual": accruing.restored_to_accrual,
    "Recovered": paid,
    "Refunded": sent_back,
    "Sold": leaving.sold,
    "BuyerPaid": leaving.buyer_paid,
    "Forwarded": leaving.forwarded,
}
