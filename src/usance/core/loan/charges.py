"""What is charged: interest, penalties, fees, and the taxes on them, inside the agreed caps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from types import MappingProxyType

from usance.core import money, rates
from usance.core.calendar import ONE_DAY
from usance.core.loan import even, state
from usance.core.loan.book import Book, Explained, Price, Why, accrual_explained
from usance.core.loan.movements import change
from usance.core.loan.records import Accrued
from usance.core.loan.state import Loan
from usance.core.loan.terms import Fee, Terms

# --- caps --------------------------------------------------------------------------------------------------------


def capped_principal(loan: Loan) -> int:
    """The principal that fees and caps are a share of: what was agreed until money arrived."""
    return loan.disbursed_minor or loan.terms.principal_minor


def _share_of_principal(loan: Loan, share: Fraction) -> int:
    return money.rounded(share * capped_principal(loan), "down")


def cost_room(loan: Loan) -> int | None:
    """How much interest, fees and penalties may still be charged at all; None without a cap."""
    share = loan.terms.cost_cap_share
    return None if share is None else max(0, _share_of_principal(loan, share) - loan.charged_minor)


def penalty_room(loan: Loan) -> int | None:
    """How much penalty may still be charged under its own caps and the cost cap; None without any."""
    rooms = [] if (room := cost_room(loan)) is None else [room]
    penalty = loan.terms.penalty
    if penalty and penalty.cap_share is not None:
        rooms.append(_share_of_principal(loan, penalty.cap_share) - loan.penalty.posted)
    if penalty and penalty.yearly_cap_share is not None:
        rooms.append(_share_of_principal(loan, penalty.yearly_cap_share) - loan.penalty_in_year)
    return max(0, min(rooms)) if rooms else None


def _within(amount: int, room: int | None) -> int:
    return amount if room is None else min(amount, room)


# --- interest ----------------------------------------------------------------------------------------------------


def _actual_balance(loan: Loan) -> int:
    """Interest on what is really owed: paying early saves it, paying late costs it."""
    return loan.balances.get("principal", 0)


def _original_principal(loan: Loan) -> int:
    """Flat interest: on the whole principal until the last due date, whatever was repaid."""
    return loan.disbursed_minor if loan.matured_on is None and loan.balances.get("principal") else 0


def _financed_principal(loan: Loan) -> int:
    """Flat interest on what the instalments repay: the principal less the down payment."""
    whole = _original_principal(loan)
    return whole - sum(bill.down_minor for bill in loan.bills) if whole else 0


def _undue_balance(loan: Loan) -> int:
    """Interest on what no bill asks for yet: paying early saves it, paying late costs none."""
    return state.unbilled(loan).get("principal", 0)


INTEREST_BASES: dict[str, Callable[[Loan], int]] = {
    "actual_balance": _actual_balance,
    "undue_balance": _undue_balance,
    "scheduled_balance": state.scheduled_principal,  # as if all were paid when due, whatever is
    "original_principal": _original_principal,
    "financed_principal": _financed_principal,
}
AFTER_MATURITY: dict[str, Callable[[int], int]] = {
    "continues": lambda base: base,
    "stops": lambda base: 0,
}


def interest_base(loan: Loan) -> int:
    """The balance that bears interest today."""
    if state.instalment_number(loan) <= loan.terms.grace.interest_free or is_paused(loan, loan.at):
        return 0
    base = INTEREST_BASES[loan.terms.interest_base](loan) + loan.still_bearing_minor
    return base if loan.matured_on is None else AFTER_MATURITY[loan.terms.after_maturity](base)


def pauses(loan: Loan) -> tuple[tuple[date, date], ...]:
    """The nights without interest, from and until: it is paused, or stopped for good by a charge-off."""
    if loan.charged_off_on is not None and loan.terms.charge_off == "stops_interest":
        return (*loan.pauses, (loan.charged_off_on, date.max))
    return loan.pauses


def is_paused(loan: Loan, night: date) -> bool:
    return any(since <= night < until for since, until in pauses(loan))


def interest_between(loan: Loan, until: date) -> Fraction:
    """Exactly what the days from loan.at to `until` earn, while nothing changes: nothing once a cap leaves no room."""
    base = interest_base(loan)
    if not base or loan.period is None or cost_room(loan) == 0:
        return Fraction(0)
    if loan.even_factor is not None and loan.matured_on is None:
        part = Fraction((until - loan.at).days, (loan.period.ends_on - loan.period.starts_on).days)
        return base * even.share(loan, loan.period) * part
    return base * rates.ACCRUALS[loan.terms.day_count](loan.rate, loan.at, until, loan.period)


def accrue_interest(loan: Loan, book: Book, until: date) -> Loan:
    """Carries interest exactly and posts the change of its rounded total."""
    earned = interest_between(loan, until)
    if not earned:
        return loan
    since, before, price = loan.at, loan.interest, _price(loan)
    exact = before.exact + earned
    amount = money.rounded(exact, loan.terms.rounding) - before.posted

    def why(after: Accrued) -> Explained:
        return accrual_explained(loan.terms, since, until, interest_base(loan), price, before, after, earned)

    return post_interest(
        loan, book, amount, exact, f"interest.{loan.terms.interest_base}", why, on=until - ONE_DAY, since=since
    )


def post_interest(
    loan: Loan,
    book: Book,
    amount: int,
    exact: Fraction,
    rule: str,
    why: Callable[[Accrued], Explained],
    *,
    on: date,
    since: date | None = None,
) -> Loan:
    """All interest that is ever charged is posted here: so much of it as the cap on the cost leaves room for, with its
    taxes; where there is none, nothing is earned either. `exact`: all that is earned then, had it no cap. `since`: the
    first day of a span that ends with `on`."""
    room, before = cost_room(loan), loan.interest
    if room == 0 and amount >= 0:
        return loan
    if room is not None and amount > room:
        amount = room
        exact = Fraction(before.posted + amount)
        book.fact("cost_capped", on + ONE_DAY if since else loan.at)
    after = Accrued(exact, before.posted + amount)
    balances = dict(loan.balances)
    if amount:
        posting, contra = change("interest_accrued", "interest", amount, on), state.contra_of(loan)
        book.move(balances, posting, rule, lambda: why(after), since=since, contra=contra)
    charged = loan._replace(balances=balances, interest=after, charged_minor=loan.charged_minor + amount)
    return tax_on_accrual(charged, book, "interest", before.posted, after.posted, on)


def earn_at_once(loan: Loan, book: Book, amount: int, rule: str = "interest.paid_early") -> Loan:
    """Whole units of interest that are earned today, before their time."""
    return post_interest(
        loan, book, amount, loan.interest.exact + amount, rule, lambda after: (f"{amount}", {"reserved_minor": amount}),
        on=loan.at,
    )  # fmt: skip


def _price(loan: Loan) -> Price:
    if loan.even_factor is not None and loan.matured_on is None and loan.period is not None:
        return Price(even.share(loan, loan.period), "instalment")
    return Price(loan.rate.share, loan.rate.per)


def settle_residue(loan: Loan, book: Book, *, last: bool) -> Loan:
    """What a bill does with the interest below a minor unit: carry it on, drop it, or keep it for the last bill."""
    return RESIDUES[loan.terms.residue](loan, book, last)


def residue_when_paid(loan: Loan) -> Loan:
    """Each span between two payments may be rounded by itself."""
    return _dropped(loan) if loan.terms.residue == "drop_when_paid" else loan


def _dropped(loan: Loan) -> Loan:
    return loan._replace(interest=Accrued(Fraction(loan.interest.posted), loan.interest.posted))


def _drop(loan: Loan, book: Book, last: bool) -> Loan:
    return _dropped(loan)


def _collect_at_end(loan: Loan, book: Book, last: bool) -> Loan:
    """Each bill is rounded by itself; the last collects what the others left out."""
    posted = loan.interest.posted
    left = loan.dropped + loan.interest.exact - posted
    loan = loan._replace(interest=Accrued(Fraction(posted), posted), dropped=left)
    if not last or not left:
        return loan
    asked = state.regular(loan).get("interest", 0)  # by this bill: it takes back no more
    asked += state.left_of_dated(loan, 0, state.coming_dates(loan)).get("interest", 0)
    amount = max(money.rounded(left, loan.terms.rounding), -max(0, asked))
    loan = loan._replace(dropped=Fraction(0))
    return post_interest(
        loan, book, amount, Fraction(posted + amount), "interest.residue",
        lambda after: ("what roundings left out", {"left": left}), on=loan.at - ONE_DAY,
    )  # fmt: skip


RESIDUES: dict[str, Callable[[Loan, Book, bool], Loan]] = {
    "carry": lambda loan, book, last: loan,
    "drop_when_due": _drop,
    "collect_at_end": _collect_at_end,
    "drop_when_paid": _drop,
}


# --- penalty -----------------------------------------------------------------------------------------------------


def _past_grace(loan: Loan) -> list[dict[str, int]]:
    """What remains of the bills whose grace days are over on the day being closed."""
    grace = loan.terms.penalty.grace_days if loan.terms.penalty else 0
    return [left for _, bill, left in state.open_bills(loan) if (loan.at - bill.due_on).days >= grace]


def _on_past_due_principal(loan: Loan) -> int:
    return sum(left.get("principal", 0) for left in _past_grace(loan))


def _on_past_due_total(loan: Loan) -> int:
    """Billed principal, interest, fees and taxes; a penalty never bears a penalty."""
    return sum(amount for left in _past_grace(loan) for key, amount in left.items() if key != "penalty")


PENALTY_BASES: dict[str, Callable[[Loan], int]] = {
    "daily_on_past_due_principal": _on_past_due_principal,
    "daily_on_past_due_total": _on_past_due_total,
    "flat_per_miss": lambda loan: 0,  # charged once, by miss_instalments
}


def penalty_between(loan: Loan, until: date) -> Fraction:
    """Exactly what lateness costs from loan.at to `until`, while nothing changes: nothing once a cap leaves no room."""
    penalty = loan.terms.penalty
    if penalty is None or loan.penalty_paused or not penalty.share:
        return Fraction(0)
    base = PENALTY_BASES[penalty.rule](loan)
    if not base or penalty_room(loan) == 0:
        return Fraction(0)
    return penalty.share * (base * (until - loan.at).days)


def accrue_penalty(loan: Loan, book: Book, until: date) -> Loan:
    """Carries the penalty exactly and posts the change of its rounded total, inside its caps."""
    penalty, before, earned = loan.terms.penalty, loan.penalty, penalty_between(loan, until)
    if penalty is None or not earned:
        return loan
    exact = before.exact + earned
    uncapped = money.rounded(exact, loan.terms.rounding) - before.posted
    amount = _within(uncapped, penalty_room(loan))
    if amount < uncapped:
        exact = Fraction(before.posted + amount)
        book.fact("penalty_capped", until)
    after = Accrued(exact, before.posted + amount)

    def why() -> Explained:
        base, daily = PENALTY_BASES[penalty.rule](loan), Price(penalty.share, "day")
        return accrual_explained(loan.terms, loan.at, until, base, daily, before, after, earned)

    posting = change("penalty_charged", "penalty", amount, until - ONE_DAY)
    charged = book.post(loan, posting, f"penalty.{penalty.rule}", why, since=loan.at)
    return _count_penalty(charged, book, after, until - ONE_DAY)


def charge_penalty(loan: Loan, book: Book, amount: int, on: date) -> Loan:
    """A flat penalty, inside its caps, with its taxes."""
    amount = _within(amount, penalty_room(loan))
    charged = book.post(
        loan, change("penalty_charged", "penalty", amount, on), "penalty.flat",
        lambda: (f"{amount}", {"flat_minor": amount}),
    )  # fmt: skip
    return _count_penalty(charged, book, Accrued(loan.penalty.exact + amount, loan.penalty.posted + amount), on)


def _count_penalty(loan: Loan, book: Book, now: Accrued, on: date) -> Loan:
    before = loan.penalty.posted
    amount = now.posted - before
    by_year = loan.terms.penalty is not None and loan.terms.penalty.yearly_cap_share is not None
    loan = loan._replace(
        penalty=now,
        penalty_in_year=loan.penalty_in_year + amount if by_year else 0,
        charged_minor=loan.charged_minor + amount,
    )
    return tax_on_accrual(loan, book, "penalty", before, now.posted, on)


# --- fees and taxes ----------------------------------------------------------------------------------------------


Due = Mapping[str, int]  # of the instalment being billed, by balance; empty at other times

FEE_BASES: dict[str, Callable[[Loan, Due], int]] = {
    "original_principal": lambda loan, due: capped_principal(loan),
    "outstanding_principal": lambda loan, due: loan.balances.get("principal", 0),
    "past_due_total": lambda loan, due: state.past_due(loan),
    "instalment_principal": lambda loan, due: due.get("principal", 0),
    "instalment_interest": lambda loan, due: due.get("interest", 0),
    "instalment_total": lambda loan, due: due.get("principal", 0) + due.get("interest", 0),
}


def fee_amount(loan: Loan, fee: Fee, due: Due = MappingProxyType({})) -> int:
    """What the fee costs now, before caps."""
    return fee.flat_minor + money.rounded(fee.share * FEE_BASES[fee.of](loan, due), loan.terms.rounding)


def charge_fee(loan: Loan, book: Book, kind: str, amount: int, on: date, *, to: str = "") -> Loan:
    """Charges a fee and its taxes, to balances of their own or, with to="principal", to the principal."""
    amount = _within(amount, cost_room(loan))
    rule = f"fee.{kind}"

    def why() -> Explained:
        return f"{amount}", {"fee_kind": kind, "charged_minor": amount}

    posting = change("fee_charged", f"fee:{kind}", amount, on)
    if to == "principal":
        posting = posting._replace(kind="fee_capitalised", component="principal")
    loan = book.post(loan, posting, rule, why)._replace(charged_minor=loan.charged_minor + amount)
    for tax_kind, tax in taxes_on_fee(loan.terms, kind, amount).items():
        posting = change("tax_charged", f"tax:{tax_kind}", tax, on)
        if to == "principal":
            posting = posting._replace(kind="tax_capitalised", component="principal")
        loan = book.post(loan, posting, f"tax.{tax_kind}", _why_tax(tax_kind, rule, amount))
    return loan


def taxes_on_fee(terms: Terms, kind: str, amount: int) -> dict[str, int]:
    """Tax kind -> amount that comes on top of a fee."""
    return {
        tax.kind: money.rounded(tax.share * amount, terms.rounding)
        for tax in terms.taxes
        if "fee" in tax.on or f"fee:{kind}" in tax.on
    }


def tax_on_accrual(loan: Loan, book: Book, base: str, before: int, after: int, on: date) -> Loan:
    """The tax on an accruing balance is the share of its whole total, rounded, less what was there before."""
    for tax in loan.terms.taxes:
        if base in tax.on:
            rule = loan.terms.rounding
            amount = money.rounded(tax.share * after, rule) - money.rounded(tax.share * before, rule)
            amount = max(amount, -state.unbilled(loan).get(f"tax:{tax.kind}", 0)) if amount < 0 else amount
            posting = change("tax_charged", f"tax:{tax.kind}", amount, on)
            loan = book.post(loan, posting, f"tax.{tax.kind}", _why_tax(tax.kind, base, after - before))
    return loan


def _why_tax(kind: str, base: str, amount: int) -> Why:
    return lambda: (f"tax {kind} on {base}", {"tax_kind": kind, "base": base, "base_minor": amount})


# --- what a missed instalment costs ------------------------------------------------------------------------------


def miss_instalments(loan: Loan, book: Book) -> Loan:
    """At the close of a day: a bill still open on its due date (plus the agreed days) costs its lateness fees and flat
    penalty, once."""
    if loan.penalty_paused:
        return loan
    penalty = loan.terms.penalty
    for days_late in [(loan.at - bill.due_on).days for _, bill, _ in state.open_bills(loan)]:
        if penalty and penalty.flat_minor and days_late == penalty.grace_days:
            loan = charge_penalty(loan, book, penalty.flat_minor, loan.at)
        for fee in loan.terms.fees:
            if fee.when == "on_lateness" and days_late == fee.after_days:
                loan = charge_fee(loan, book, fee.kind, fee_amount(loan, fee), loan.at)
    return loan
