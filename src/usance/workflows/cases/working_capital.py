"""Loans that are repaid from a merchant's daily turnover: a fixed discount, spread by the rate that it amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from usance.core import money, present_value
from usance.core.loan import quote
from usance.core.loan.terms import Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.workflows.cases.verdicts import Cell, Unsupported

DOLLAR = Currency("USD", 2)
# What is earned is carried in far smaller parts than cents, as schedules of deferred income do, and shown in cents: the
# loan is lived in units of which a cent has so many.
CENT = 10**12
PLACES = 30  # of the rate per day


def judge(case: Mapping[str, Any]) -> list[Cell]:
    """The summary, and each expected payment: the money goes out, comes back in equal daily parts, and the discount is
    earned at one rate a day on what is outstanding."""
    if case.get("events_text"):
        raise Unsupported("a working capital loan after payments")
    given = case["input"]
    net, fee = DOLLAR.minor(given["net_disbursement"]), DOLLAR.minor(given["discount_fee"])
    daily = Fraction(given["total_payment_volume"]) * Fraction(given["period_payment_rate_percent"]) / 100
    payment = money.rounded(daily / int(given["npv_day_count"]) * 100, "half_even")
    count = -(-(net + fee) // payment)
    start = date.fromisoformat(given["expected_disbursement_date"])
    rows = quote.projection(_terms(net, fee, payment, count), start).rows
    facts = {
        "discountFeeAmount": DOLLAR.text(fee),
        "netDisbursementAmount": DOLLAR.text(net),
        "totalPaymentVolume": DOLLAR.text(DOLLAR.minor(given["total_payment_volume"])),
        "periodPaymentRate": given["period_payment_rate_percent"],
        "npvDayCount": given["npv_day_count"],
        "expectedPaymentAmount": DOLLAR.text(payment),
        "originalPaymentNumber": str(count),
    }
    cells = [Cell(name, told, facts[name]) for name, told in case["expected_summary"].items() if name in facts]
    for told, row in zip(case["expected_payments"], _rows(start, net, fee, rows), strict=False):
        cells += [Cell(f"payment {told['paymentNo']} {name}", told[name], row[name]) for name in row if told.get(name)]
    lines = Cell("payments", str(len(case["expected_payments"])), str(len(rows) + 1))
    return [*cells, lines]


def _terms(net: int, fee: int, payment: int, count: int) -> Terms:
    """Equal daily instalments at the rate that makes them worth the money sent."""
    flows = [Fraction(-net), *[Fraction(payment)] * (count - 1), Fraction(net + fee - payment * (count - 1))]
    rate = present_value.internal_rate(flows)
    if rate is None:
        raise Unsupported("no rate explains these payments")
    return Terms(
        currency=DOLLAR,
        principal_minor=net * CENT,
        plan=Plan(kind="equal_instalments", count=count, every=1, unit="days"),
        levelling="none",
        rates=(
            RateStep(from_day=0, rate=Rate(Fraction(money.rounded(rate * 10**PLACES, "half_even"), 10**PLACES), "day")),
        ),
    )


def _rows(start: date, net: int, fee: int, rows: tuple[quote.Row, ...]) -> list[dict[str, str]]:
    """The day of the money, then each payment with what it leaves; the discount falls by what is shown as earned."""
    text = DOLLAR.text
    begin = {
        "date": start.isoformat(),
        "expectedPaymentAmount": text(-net),
        "expectedBalance": text(net),
        "expectedDiscountFeeBalance": text(fee),
        "actualBalance": text(net),
        "actualDiscountFeeBalance": text(fee),
    }
    found, left = [begin], fee
    for row in rows:
        earned = _cents(row.amounts.get("interest", 0))
        left -= earned
        told = {
            "date": row.due_on.isoformat(),
            "expectedPaymentAmount": text(_cents(row.total_minor)),
            "expectedBalance": text(_cents(row.principal_after_minor)),
            "expectedAmortizationAmount": text(earned),
            "expectedDiscountFeeBalance": text(left),
        }
        found.append(told)
    return found


def _cents(fine: int) -> int:
    return money.rounded(Fraction(fine, CENT), "half_even")
