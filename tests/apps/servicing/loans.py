"""Loans for tests: two kinds of terms, booked and disbursed through the services."""

from __future__ import annotations

import itertools
from datetime import date
from fractions import Fraction
from uuid import UUID

from usance.apps.institutions.models import new_id
from usance.apps.servicing import services
from usance.apps.servicing.models import Loan
from usance.core.loan import terms
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.ports.actor import SYSTEM

_numbers = itertools.count(1)
VND = Currency("VND", 0)


def single_payment(amount: int = 3_000_000, days: int = 30) -> terms.Terms:
    """A loan of `days` at 1 % a day, 0.1 % penalty a day, two fees on request, extensible."""
    return terms.Terms(
        currency=VND,
        principal_minor=amount,
        plan=terms.Plan(kind="single_payment", every=days, unit="days"),
        rates=(terms.RateStep(from_day=0, rate=Rate(Fraction("0.01"), "day")),),
        fees=(
            terms.Fee(kind="service", when="on_request"),
            terms.Fee(kind="extension", when="on_extension", flat_minor=20_000),
        ),
        penalty=terms.Penalty(rule="daily_on_past_due_principal", share=Fraction("0.001")),
        extension=terms.Extension(days_allowed=(7, 14, 30), max_count=3),
    )


def instalments(amount: int = 12_000_000, count: int = 12) -> terms.Terms:
    """Equal monthly instalments at 24 % a year."""
    return terms.Terms(
        currency=VND,
        principal_minor=amount,
        plan=terms.Plan(kind="equal_instalments", count=count, every=1, unit="months"),
        rates=(terms.RateStep(from_day=0, rate=Rate(Fraction("0.24"), "year")),),
        penalty=terms.Penalty(rule="daily_on_past_due_total", share=Fraction("0.0005"), grace_days=3),
    )


def lend(*, on: date, agreed: terms.Terms | None = None, party_id: UUID | None = None, **more: str) -> Loan:
    """A loan whose money arrived on `on`."""
    number = next(_numbers)
    booked = services.book_loan(
        party_id=party_id or new_id(),
        product=more.pop("product", "short"),
        terms=agreed or single_payment(),
        source=f"application:{number}",
        actor=SYSTEM,
        **more,
    )
    return services.disburse(loan_id=booked.pk, source=f"instruction:out-{number}", value_on=on, actor=SYSTEM)


def pay(loan: Loan, amount: int, on: date, source: str = "") -> Loan:
    return services.receive_payment(
        loan_id=loan.pk,
        source=source or f"instruction:in-{next(_numbers)}",
        amount_minor=amount,
        value_on=on,
        actor=SYSTEM,
    )
