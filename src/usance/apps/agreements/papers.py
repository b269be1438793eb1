"""The words and figures of each kind of paper, in the active language. Pure but for the translation: facts in, the
data of `paper.typ` out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from usance.apps.institutions import formats
from usance.apps.products.calculator import Quote
from usance.core.loan import plan
from usance.core.loan.terms import Drawdowns, Fee, Penalty, Terms

if TYPE_CHECKING:
    from usance.apps.institutions.models import Institution

FEE_NAMES = {
    "deducted": lambda: _("taken off the amount you receive"),
    "added_to_principal": lambda: _("added to the loan"),
    "per_instalment": lambda: _("with each instalment"),
    "on_extension": lambda: _("when you move the due date"),
    "on_lateness": lambda: _("when a payment is late"),
    "on_request": lambda: _("when you ask for the service"),
}
FEE_SHARES = {
    "instalment_principal": lambda: _("%(share)s of the principal of the instalment"),
    "instalment_interest": lambda: _("%(share)s of the interest of the instalment"),
    "instalment_total": lambda: _("%(share)s of principal and interest of the instalment"),
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who signs: as printed on the paper, never stored with it."""

    name: str
    identity_number: str
    birth_date: date | None
    phone: str


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What every paper bears."""

    institution: Institution
    language: str
    reference: str
    issued_on: date
    code: str

    def money(self, minor: int) -> str:
        return formats.money(minor, self.institution.currency, self.institution.currency_digits)

    def data(self, *, title: str, sections: list[dict[str, Any]], highlights: list[dict[str, str]]) -> dict[str, Any]:
        lender = self.institution
        return {
            "title": title,
            "subtitle": _("No. %(number)s of %(day)s") % {"number": self.reference, "day": formats.day(self.issued_on)},
            "language": self.language,
            "lender": {"name": lender.name, "legal_name": lender.legal_name},
            "verify": {
                "label": _("Check that this paper is genuine"),
                "alt": _("Code that leads to the page where this paper can be checked"),
                "code": grouped(self.code),
            },
            "footer": f"{lender.legal_name} · {lender.registration_number} · {lender.address}",
            "highlights": highlights,
            "sections": sections,
        }


def grouped(code: str) -> str:
    """A verification code in groups of four, as people read it out."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def agreement(*, frame: Frame, person: Person, quote: Quote) -> dict[str, Any]:
    """The loan agreement: who, how much, what it costs, when to pay, what lateness costs, what the borrower may do."""
    highlights = [
        {"label": _("You receive"), "value": frame.money(quote.received_minor)},
        {"label": _("You pay back in all"), "value": frame.money(quote.total_minor)},
        {"label": _("Cost of the loan"), "value": frame.money(quote.cost_minor)},
        {"label": _("Yearly cost (APR)"), "value": _apr(quote.apr)},
    ]
    sections = [
        _parties(frame, person),
        {"title": _("The loan"), "rows": _loan_rows(frame, quote)},
        _schedule(frame, quote),
        {"title": _("If a payment is late"), "paragraphs": _late(frame, quote.terms)},
        {"title": _("What you may do"), "paragraphs": _rights(frame, quote.terms)},
        {"title": _("Card debit"), "paragraphs": [_debit_words()]},
        {"title": _("Signature"), "paragraphs": [_signature_words(frame)]},
    ]
    return frame.data(title=_("Loan agreement"), sections=sections, highlights=highlights)


def _parties(frame: Frame, person: Person) -> dict[str, Any]:
    lender = frame.institution
    return {
        "title": _("Who agrees"),
        "rows": [
            [_("Lender"), f"{lender.legal_name}, {lender.registration_number}"],
            [_("Address"), lender.address],
            [_("Borrower"), person.name],
            [_("Identity number"), person.identity_number],
            [_("Date of birth"), formats.day(person.birth_date)],
            [_("Phone"), person.phone],
        ],
    }


def _loan_rows(frame: Frame, quote: Quote) -> list[list[str]]:
    terms = quote.terms
    rows = [
        [_("Amount of the loan"), frame.money(quote.amount_minor)],
        [_("Amount you receive"), frame.money(quote.received_minor)],
        *([[_("Paid out in parts"), _parts(frame, quote)]] if len(quote.parts) > 1 else []),
        [_("Runs until"), formats.day(quote.ends_on)],
        [_("Number of payments"), str(len(quote.instalments))],
        [_("Interest"), _rates(terms)],
        [_("Yearly cost (APR)"), _apr(quote.apr)],
        [_("Cost for each day, on average"), formats.percent(quote.daily_cost, 3)],
    ]
    return rows + [[_("Fee"), _fee(frame, fee)] for fee in terms.fees]


def _parts(frame: Frame, quote: Quote) -> str:
    """As both sides expect them."""
    told = [{"amount": frame.money(part.sent_minor), "day": formats.day(part.on)} for part in quote.parts]
    return "; ".join([_("%(amount)s at once") % told[0], *(_("%(amount)s about %(day)s") % one for one in told[1:])])


def _rates(terms: Terms) -> str:
    """All rates in turn: what a promotion is worth is plain to see."""
    words = []
    for step in terms.rates:
        per = {"day": _("a day"), "month": _("a month"), "year": _("a year")}[step.rate.per]
        rate = f"{formats.percent(step.rate.share, 3)} {per}"
        words.append(
            rate if step.from_day == 0 else _("%(rate)s from day %(day)s") % {"rate": rate, "day": step.from_day + 1}
        )
    return "; ".join(words)


def _fee(frame: Frame, fee: Fee) -> str:
    amount = [frame.money(fee.flat_minor)] if fee.flat_minor else []
    if fee.share:
        share = formats.percent(fee.share)
        amount.append(FEE_SHARES[fee.of]() % {"share": share} if fee.of in FEE_SHARES else share)
    return f"{' + '.join(amount)}, {FEE_NAMES[fee.when]()}"


def _apr(apr: Fraction | None) -> str:
    return "–" if apr is None else formats.percent(apr)


def _schedule(frame: Frame, quote: Quote) -> dict[str, Any]:
    rows = []
    for row in quote.instalments:
        interest = row.amounts.get("interest", 0)
        principal = row.amounts.get("principal", 0)
        rest = row.total_minor - interest - principal
        cells = [row.total_minor, principal, interest, rest, row.principal_after_minor]
        rows.append([formats.day(row.due_on, "medium"), *(frame.money(cell) for cell in cells)])
    header = [_("Due on"), _("Payment"), _("Principal"), _("Interest"), _("Fees and tax"), _("Left after")]
    return {
        "title": _("When to pay"),
        "paragraphs": [
            _("The dates count from the day on which the money reaches you. If that is a later day, they move with it.")
        ],
        "table": {"header": header, "rows": rows},
    }


def _late(frame: Frame, terms: Terms) -> list[str]:
    if terms.penalty is None and terms.interest_base in ("undue_balance", "scheduled_balance"):
        return [_("There is no penalty for a late payment, and no interest on what is late.")]
    if terms.penalty is None:
        return [_("There is no penalty for a late payment. Interest goes on for each day that money is owed.")]
    words = [_penalty(frame, terms.penalty)]
    if terms.penalty.grace_days:
        words.append(
            ngettext(
                "The first %(days)s day of lateness is free of penalty.",
                "The first %(days)s days of lateness are free of penalty.",
                terms.penalty.grace_days,
            )
            % {"days": terms.penalty.grace_days}
        )
    if terms.penalty.cap_share is not None:
        share = formats.percent(terms.penalty.cap_share)
        words.append(_("All penalties together are never more than %(share)s of the loan amount.") % {"share": share})
    if terms.cost_cap_share is not None:
        share = formats.percent(terms.cost_cap_share)
        words.append(
            _("Interest, fees and penalties together are never more than %(share)s of the loan amount.")
            % {"share": share}
        )
    return words


def _penalty(frame: Frame, penalty: Penalty) -> str:
    if penalty.rule == "flat_per_miss":
        return _("Each missed payment costs a penalty of %(amount)s.") % {"amount": frame.money(penalty.flat_minor)}
    share = formats.percent(penalty.share, 3)
    if penalty.rule == "daily_on_past_due_principal":
        return _("For each day of lateness the penalty is %(share)s of the principal that is past due.") % {
            "share": share
        }
    return _("For each day of lateness the penalty is %(share)s of all that is past due.") % {"share": share}


def _in_parts(parts: Drawdowns, *, has_down_payment: bool) -> list[str]:
    bears = {
        "from_its_day": _("Each part bears interest from the day on which it reaches you."),
        "whole_period": _(
            "A later part bears interest as if it had come on the first day of the period in which it reaches you."
        ),
    }
    repaid = {
        "with_the_rest": _("A later part is repaid with the payments that are left, by the last day agreed."),
        "over_its_own_term": _(
            "A later part is repaid in as many payments as the first, counted from its own day and added to the others."
        ),
    }
    at_once = {
        "paid_ahead_first": _("What you have paid ahead pays the down payment of a later part first."),
        "asked_for": _("The down payment of a later part is due with it, even if you have paid instalments ahead."),
    }
    return [
        _(
            "The loan is paid out in parts, %(count)s at most, within %(days)s days of the first. Amounts and days "
            "may differ from what is expected here; the payments then change, and you are shown the new ones."
        )
        % {"count": parts.most, "days": parts.until_days},
        f"{bears[parts.interest]} {repaid[parts.repaid]}",
        *([at_once[parts.down_payment]] if has_down_payment else []),
    ]


def _paid_early(terms: Terms) -> str:
    if terms.interest_rests == "each_instalment":
        return _(
            "You may pay back all or part of the loan on any day. A part that you pay back between two due dates bears "
            "interest until the next of them. If you pay back all, you pay interest only until that day."
        )
    if terms.early_interest == "saved":
        return _(
            "You may pay back all or part of the loan on any day. You then pay interest only for the days that passed."
        )
    return _("You may pay back all or part of the loan on any day. The interest agreed for it is owed all the same.")


def _rights(frame: Frame, terms: Terms) -> list[str]:
    words = [_paid_early(terms)]
    if terms.interest_base in plan.FLAT:
        words.append(
            _("Until the loan is repaid in full, interest is counted on its whole amount, not on what is left.")
        )
    if terms.forgive_under_minor:
        words.append(
            _("If no more than %(amount)s is left to pay after a payment, we forgive it and the loan is closed.")
            % {"amount": frame.money(terms.forgive_under_minor)}
        )
    if terms.income_share:
        words.append(
            _(
                "Charges of at most %(share)s of the loan amount may be added to what you owe after the money was "
                "paid out. Each one is shown on the page of the loan, and is repaid with the payments to come."
            )
            % {"share": formats.percent(terms.income_share)}
        )
    if terms.drawdowns is not None:
        words += _in_parts(terms.drawdowns, has_down_payment=terms.down_payment is not None)
    if terms.cooling_off is not None:
        days = terms.cooling_off.days
        words.append(
            ngettext(
                "Within %(days)s day of signing you may withdraw: you return the money and pay interest for the days "
                "you had it.",
                "Within %(days)s days of signing you may withdraw: you return the money and pay interest for the days "
                "you had it.",
                days,
            )
            % {"days": days}
        )
    if terms.extension is not None:
        allowed = ", ".join(str(count) for count in terms.extension.days_allowed)
        words.append(
            _(
                "You may move the due date by %(days)s days, at most %(count)s times, by paying what has accrued and "
                "the fee for it."
            )
            % {"days": allowed, "count": terms.extension.max_count}
        )
    words.append(
        _("Questions and complaints: %(phone)s, %(email)s.")
        % {"phone": frame.institution.support_phone, "email": frame.institution.support_email}
    )
    return words


def _debit_words() -> str:
    return _(
        "When a payment is past due, we may collect it from the card that you linked, after telling you the day "
        "before. You may withdraw this permission in your account at any time; what you owe stays the same."
    )


def _signature_words(frame: Frame) -> str:
    return _(
        "The borrower signs by entering the code that we send to the phone above. The code belongs to this very paper "
        "and amount. The lender signs by its electronic seal. Anyone can check this paper with code %(code)s."
    ) % {"code": grouped(frame.code)}


def debt_free_letter(
    *, frame: Frame, person: Person, amount_minor: int, disbursed_on: date, closed_on: date
) -> dict[str, Any]:
    """For any institution that asks: this loan is paid and nothing is owed."""
    values = {
        "name": person.name,
        "number": frame.reference,
        "amount": frame.money(amount_minor),
        "from_day": formats.day(disbursed_on),
        "day": formats.day(closed_on),
    }
    words = [
        _("To whom it may concern."),
        _("%(name)s took loan %(number)s of %(amount)s from us on %(from_day)s.") % values,
        _(
            "The loan was paid in full on %(day)s. Nothing is owed on it: no principal, no interest, no fees, no "
            "penalties."
        )
        % values,
    ]
    sections: list[dict[str, Any]] = [
        {"title": _("Loan paid in full"), "paragraphs": words},
        {
            "title": _("Details"),
            "rows": [
                [_("Borrower"), person.name],
                [_("Identity number"), person.identity_number],
                [_("Loan"), frame.reference],
                [_("Closed on"), formats.day(closed_on)],
                [_("Owed today"), frame.money(0)],
            ],
        },
    ]
    highlights = [
        {"label": _("Loan"), "value": frame.reference},
        {"label": _("Paid in full on"), "value": formats.day(closed_on)},
        {"label": _("Owed today"), "value": frame.money(0)},
    ]
    return frame.data(title=_("Debt-free letter"), sections=sections, highlights=highlights)
