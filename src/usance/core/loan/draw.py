"""Money that is drawn in parts: what the instalments to come make of it, and from when it bears interest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import zip_longest

from usance.core import money
from usance.core.calendar import ONE_DAY
from usance.core.loan import charges, even, levelling, plan, reshape, state, to_come
from usance.core.loan.bills import next_period
from usance.core.loan.book import Book
from usance.core.loan.state import Loan
from usance.core.loan.terms import Terms
from usance.core.rates import Period


def parts(terms: Terms) -> list[tuple[int, int]]:
    """What is expected to be drawn, as (days after the first money, amount). Where the parts are the whole principal,
    the last takes what roundings leave."""
    if terms.drawdowns is None:
        return [(0, terms.principal_minor)]
    expected = terms.drawdowns.parts
    amounts = [money.rounded(part.share * terms.principal_minor, terms.rounding) for part in expected]
    if sum(part.share for part in expected) == 1:
        amounts[-1] = terms.principal_minor - sum(amounts[:-1])
    return [(part.after_days, amount) for part, amount in zip(expected, amounts, strict=True)]


def first(terms: Terms) -> int:
    """What is drawn at first, if all goes as expected."""
    return parts(terms)[0][1]


def kept_back(loan: Loan, amount_minor: int) -> int:
    """What of so much money never arrives: fees that are deducted, with their taxes."""
    is_first, kept = loan.disbursed_on is None, 0
    drawn = loan._replace(disbursed_minor=amount_minor, balances={"principal": amount_minor})
    for fee in loan.terms.fees:
        if fee.when == "deducted":
            share = money.rounded(fee.share * amount_minor, loan.terms.rounding)
            charged = charges.fee_amount(drawn, fee) if is_first else share
            kept += charged + sum(charges.taxes_on_fee(loan.terms, fee.kind, charged).values())
    return kept


def takes_more(loan: Loan) -> bool:
    """Whether more money may come: while instalments are left, unless it is to be given back or is taken for lost."""
    ended = loan.withdrawn_on is not None or loan.charged_off_on is not None
    return loan.status in state.LIVE and bool(loan.due_dates) and not ended


def levels_before(loan: Loan) -> tuple[int, ...]:
    """What the instalments to come amount to before more money comes, where that has a term of its own."""
    drawdowns = loan.terms.drawdowns
    if drawdowns is None or drawdowns.repaid != "over_its_own_term":
        return ()
    if not loan.due_dates:
        return ()
    rungs, owed = to_come.rungs(loan), to_come.owed_to_come(loan)
    asked = plan.shares(loan.terms, state.levels(loan), owed, rungs, to_come.saved(loan))
    return tuple(_amounts(loan.terms, asked))


def _amounts(terms: Terms, shares: Sequence[plan.Share]) -> list[int]:
    """What each instalment amounts to: its principal alone, where only that is level."""
    whole = "interest" in plan.LEVEL_PARTS[terms.plan.kind]
    return [money.rounded(share.principal + (share.interest if whole else 0), terms.rounding) for share in shares]


def _for_the_whole_period(loan: Loan, book: Book, amount: int) -> Loan:
    """As if the money had come with the running period: what it would have earned so far is earned now."""
    if loan.period is None or loan.period.starts_on >= loan.at or loan.matured_on is not None:
        return loan
    before, earned = loan.interest, amount * _earned_so_far(loan, loan.period)
    exact = before.exact + earned
    return charges.post_interest(
        loan, book, money.rounded(exact, loan.terms.rounding) - before.posted, exact, "interest.whole_period",
        lambda after: ("for the whole of the running period", {"earned": earned}), on=loan.at - ONE_DAY,
    )  # fmt: skip


def _earned_so_far(loan: Loan, period: Period) -> Fraction:
    """What one unit of balance, there since the running period began, has earned in it: in the nights that bear
    interest."""
    if state.instalment_number(loan) <= loan.terms.grace.interest_free:
        return Fraction(0)
    if loan.even_factor is not None:
        gone = (period.starts_on + timedelta(days) for days in range((loan.at - period.starts_on).days))
        bearing = sum(not charges.is_paused(loan, night) for night in gone)
        return even.share(loan, period) * Fraction(bearing, (period.ends_on - period.starts_on).days)
    spans = plan.with_pauses([(period.starts_on, loan.rate)], charges.pauses(loan))
    return plan.factor(loan.terms, period, spans) - plan.factor(loan.terms, period, spans, loan.at)


DRAWN_INTEREST: dict[str, Callable[[Loan, Book, int], Loan]] = {
    "from_its_day": lambda loan, book, amount: loan,
    "whole_period": _for_the_whole_period,
}


def spread(loan: Loan, book: Book, drawn: int, before: tuple[int, ...]) -> Loan:
    """What is due of the new money at once, from when it bears interest, and its place in the instalments to come: with
    all that they repay, or by instalments of its own."""
    loan, terms = reshape.down_payment(loan, drawn), loan.terms
    at_once = sum(bill.due.get("principal", 0) for bill in loan.bills[-1:] if bill.starts_on == loan.at == bill.due_on)
    if terms.drawdowns is not None:
        bearing = drawn - at_once if terms.interest_base == "financed_principal" else drawn
        loan = DRAWN_INTEREST[terms.drawdowns.interest](loan, book, bearing)
    if not before:
        return levelling.as_listed(levelling.anew(loan, drawn - at_once, brought=_earned_of(loan, drawn - at_once)))
    return _over_its_own_term(loan, drawn - at_once, before)


def _over_its_own_term(loan: Loan, financed: int, before: tuple[int, ...]) -> Loan:
    """The new money is repaid by a full plan of its own, as if that had begun with the running period: its instalments
    are added to those that were to come, and so many come after them as are missing."""
    terms, count = loan.terms, loan.terms.plan.count
    dates = reshape.longer(loan, loan.due_dates, count - len(loan.due_dates))
    starts_on = loan.period.starts_on if loan.period else loan.at
    loan = reshape.on_dates(loan, dates)
    loan = loan._replace(period=next_period(loan, starts_on))
    periods, spans, pauses = to_come.periods_to_come(loan), to_come.rate_spans(loan), charges.pauses(loan)
    rungs = plan.rungs(terms, periods[:count], spans, loan.at, pauses, first=1)
    owed = plan.Owed(Fraction(financed), Fraction(financed), _earned_of(loan, financed))
    level = plan.level(terms, owed, rungs)
    own = _amounts(terms, plan.shares(terms, [level] * count, owed, rungs))
    levels = tuple(a + b for a, b in zip_longest(before, own, fillvalue=0))
    together = plan.shares(terms, levels, to_come.owed_to_come(loan), to_come.rungs(loan, periods, spans))
    planned = tuple(int(share.principal) for share in together)
    return levelling.at_level(loan._replace(levels=levels, planned=planned), levels[0])


def _earned_of(loan: Loan, amount: int) -> Fraction:
    """What the new money has earned already."""
    drawdowns, period = loan.terms.drawdowns, loan.period
    if drawdowns is None or drawdowns.interest != "whole_period" or period is None or period.starts_on >= loan.at:
        return Fraction(0)
    return amount * _earned_so_far(loan, period)


def not_yet_there(drawn: Sequence[tuple[date, int]], starts_on: date, due_on: date, *, is_last: bool) -> int:
    """Of money that is drawn later, what comes after an instalment. What comes on a due date belongs to the next
    period."""
    belongs = starts_on == due_on or is_last
    return sum(amount for on, amount in drawn if on > due_on or (on == due_on and not belongs))
