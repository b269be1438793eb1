"""Whole schedules as another system computed them: its parameters as our terms, its rows beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from usance.core.loan import quote
from usance.core.loan.quote import Row
from usance.core.loan.terms import DownPayment, Drawdowns, Fee, Grace, Part, Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.workflows.cases import orders
from usance.workflows.cases.verdicts import Cell, Unsupported

UNITS = {"DAY": "days", "WEEK": "weeks", "MONTH": "months", "YEAR": "years"}
ACTUAL_YEARS = {"365": "actual/365", "360": "actual/360", "364": "actual/364"}
FEE_BASES = {
    "FLAT": "original_principal",
    "PERCENT_OF_AMOUNT": "instalment_principal",
    "PERCENT_OF_INTEREST": "instalment_interest",
    "PERCENT_OF_AMOUNT_PLUS_INTEREST": "instalment_total",
}
CHARGE_OFFS = {"REGULAR": "keeps_plan", "ZERO_INTEREST": "stops_interest", "ACCELERATE_MATURITY": "all_due"}
COMPONENTS = {"principal_due": ("principal",), "interest_due": ("interest",), "fees_due": ("fee",),
              "penalties_due": ("penalty",)}  # fmt: skip


def judge(case: Mapping[str, Any]) -> list[Cell]:
    """Every stated cell of every row of the schedule of a loan that is drawn once."""
    given = case["input"]
    terms = terms_of(given)
    drawn = [event for event in case.get("events", ()) if event["type"] == "disbursement"]
    if len(drawn) > 1 or any(event["type"] != "disbursement" for event in case.get("events", ())):
        raise Unsupported("a schedule after more than one drawdown")
    rows = list(quote.projection(terms, _start(given, drawn)).rows)
    return compare_rows(case["expected_schedule"], rows, terms)


def compare_rows(
    expected: Sequence[Mapping[str, Any]], rows: Sequence[Row], terms: Terms, beside: Mapping[date, int] | None = None
) -> list[Cell]:
    """Row by row. An instalment that ours no longer needs, since nothing is left, is a row of zeros. `beside`: what
    rows ask for beside their level, by due date."""
    text, cells = terms.currency.text, []
    if len(rows) > len(expected):
        cells.append(Cell("rows", str(len(expected)), str(len(rows))))
    for index, told in enumerate(expected):
        row = rows[index] if index < len(rows) else None
        ours = (
            _cells_of(row, text, (beside or {}).get(row.due_on, 0))
            if row
            else dict.fromkeys((*COMPONENTS, "total_due", "emi", "balance_after"), text(0))
        )
        for name, actual in ours.items():
            if told.get(name) is not None:
                cells.append(Cell(f"row {told.get('n', index + 1)} {name}", plain(told[name], terms.currency), actual))
    return cells


def _cells_of(row: Row, text: Any, beside: int) -> dict[str, str]:
    found = {"due": row.due_on.isoformat()}
    for name, parts in COMPONENTS.items():
        found[name] = text(sum(amount for key, amount in row.amounts.items() if key.partition(":")[0] in parts))
    level = row.amounts.get("principal", 0) + row.amounts.get("interest", 0) - beside
    return found | {
        "total_due": text(row.total_minor),
        "emi": text(level),
        "balance_after": text(row.principal_after_minor),
    }


def plain(value: str, currency: Currency) -> str:
    """An amount in one spelling; a date, and what is no amount of this currency, stays as it is."""
    try:
        return currency.text(currency.minor(value))
    except ValueError:
        return value


def _start(given: Mapping[str, Any], drawn: Sequence[Mapping[str, Any]]) -> date:
    told = drawn[0]["date"] if drawn else given.get("disbursed_on") or given["submitted_on"]
    return date.fromisoformat(told)


# --- parameters --------------------------------------------------------------------------------------------------


def terms_of(given: Mapping[str, Any]) -> Terms:
    """The agreement that these parameters describe. Raises Unsupported."""
    currency = Currency(given.get("currency", "EUR"), int(given["currency_digits"]))
    older, flat = is_older(given), given["interest_method"] == "FLAT"
    multiple = _multiple(given, currency)
    by_term = older and flat  # the older calculator spreads flat interest evenly over the instalments
    return Terms(
        currency=currency,
        principal_minor=_limit(given, currency),
        plan=_plan(given, "equal_principal" if by_term and multiple == 1 else _kind(given)),
        rates=(RateStep(from_day=0, rate=Rate(Fraction(given["annual_rate_percent"]) / 100, "year")),),
        day_count=_day_count(given, older),
        level_day_count=_level_day_count(given) if older and not flat else "",
        interest_base=_interest_base(given, older),
        interest_rests=_interest_rests(given, older),
        interest_spread="evenly" if by_term else "as_earned",
        rounding=given["rounding"].lower(),
        residue="collect_at_end" if by_term else _residue(given, older),
        after_maturity="stops",
        levelling="none" if older else "even_last",
        level_multiple_minor=multiple,
        grace=Grace(
            principal=given["grace_on_principal"],
            interest=given["grace_on_interest_payment"],
            interest_free=given["interest_free_periods"],
        ),
        down_payment=_down_payment(given),
        drawdowns=_drawdowns(given, currency),
        allocation=orders.allocation(given),
        credits=orders.credits(given),
        charge_off=CHARGE_OFFS[given.get("charge_off_behaviour") or "REGULAR"],
        early_interest="saved" if _follows_payments(given) else "owed",
        early_payment=orders.early_payment(given),
        fees=tuple(_fee(charge, number, currency) for number, charge in enumerate(given.get("loan_charges", ()))),
    )


def is_older(given: Mapping[str, Any]) -> bool:
    """Whether the older of its two calculators is meant."""
    return str(given["schedule_type"]) == "CUMULATIVE"


def _follows_payments(given: Mapping[str, Any]) -> bool:
    """Whether interest is computed anew after each payment."""
    return bool(given.get("recalculation")) and given["interest_method"] != "FLAT"


def _interest_base(given: Mapping[str, Any], older: bool) -> str:
    if given["interest_method"] == "FLAT":
        return "original_principal" if older else "financed_principal"
    if not _follows_payments(given):
        return "scheduled_balance"
    return "actual_balance" if given["recalculation"]["interest_on_past_due_principal"] else "undue_balance"


def _interest_rests(given: Mapping[str, Any], older: bool) -> str:
    """Where interest is counted from due date to due date, and to the next of them when a loan is paid off too (the
    older calculator knows no other way), money that comes in between waits for the next."""
    told = given.get("recalculation") or {}
    by_period = _follows_payments(given) and told.get("rest_frequency") == "SAME_AS_REPAYMENT"
    to_the_next = older or told.get("pre_closure_interest") == "TILL_REST_FREQUENCY_DATE"
    return "each_instalment" if by_period and to_the_next else "daily"


def _kind(given: Mapping[str, Any]) -> str:
    return {"EQUAL_INSTALLMENTS": "equal_instalments", "EQUAL_PRINCIPAL": "equal_principal"}[given["amortization"]]


def _plan(given: Mapping[str, Any], kind: str) -> Plan:
    length = given.get("fixed_length") or {"value": 0, "unit": "DAY"}
    return Plan(
        kind=kind,
        count=given["n_installments"],
        every=given["repay_every"],
        unit=UNITS[given["repay_unit"]],
        dates=tuple(date.fromisoformat(on) for on in given.get("due_dates", ())),
        length=length["value"],
        length_unit=UNITS[length["unit"]],
    )


def _multiple(given: Mapping[str, Any], currency: Currency) -> int:
    told = given.get("installment_amount_in_multiples_of")
    if not told or not Fraction(told) or given["amortization"] == "EQUAL_PRINCIPAL":
        return 1
    return currency.minor(told)


def _day_count(given: Mapping[str, Any], older: bool) -> str:
    """What a day earns. A period of months in which each is alike has one factor whatever the year's length; a step of
    days is counted by days."""
    year, month = given["days_in_year"], given["days_in_month"]
    if given["interest_calculation_period"] == "SAME_AS_REPAYMENT_PERIOD" and given["repay_unit"] != "DAY":
        return "months_of_30/360" if given["repay_unit"] == "MONTH" else "same_as_period"
    if given.get("days_in_year_custom_strategy") == "FEB_29_PERIOD_ONLY" and year == "ACTUAL":
        return "actual/leap_day_period"
    if month == "30" and year != "ACTUAL":
        return f"months_of_30/{year}"
    if year != "ACTUAL":
        return ACTUAL_YEARS[year]
    if older:
        return "actual/365"
    return "actual/actual" if given.get("interest_recognition_on_disbursement_date") else "actual/actual_by_morning"


def _residue(given: Mapping[str, Any], older: bool) -> str:
    """The older calculator rounds what each span earns by itself in which the balance is the same: until the next
    payment, or, where money waits for a due date, until that."""
    ends_early = given.get("recalculation") and _interest_rests(given, older) == "daily"
    return "drop_when_paid" if older and ends_early else "drop_when_due"


def _level_day_count(given: Mapping[str, Any]) -> str:
    """The older calculator levels as if every month had 30 days, where interest is counted by days."""
    year = given["days_in_year"]
    if given["interest_calculation_period"] == "SAME_AS_REPAYMENT_PERIOD":
        return "same_as_period"
    return f"months_of_30/{'365' if year == 'ACTUAL' else year}"


def _down_payment(given: Mapping[str, Any]) -> DownPayment | None:
    told = given.get("down_payment")
    return DownPayment(share=Fraction(told["percent"]) / 100) if told else None


ANY_DAY = 36500


def _bears_whole_period(given: Mapping[str, Any]) -> bool:
    """Whether money that comes within a period bears interest for the whole of it. The older calculator shares flat
    interest out over the instalments, and knows no part of one."""
    if is_older(given) and given["interest_method"] == "FLAT":
        return True
    by_period = given["interest_calculation_period"] == "SAME_AS_REPAYMENT_PERIOD"
    return by_period and not given.get("allow_partial_period_interest", True)


def _limit(given: Mapping[str, Any], currency: Currency) -> int:
    """What was asked for, or the parts that are expected, if they are more."""
    expected = sum(currency.minor(part["principal"]) for part in given.get("expected_tranches") or ())
    return max(currency.minor(given["principal"]), expected)


def _drawdowns(given: Mapping[str, Any], currency: Currency) -> Drawdowns:
    """How money may be drawn in parts, and what of it is expected."""
    expected = [(date.fromisoformat(part["expected_on"]), part["principal"])
                for part in given.get("expected_tranches") or ()]  # fmt: skip
    expected.sort(key=lambda part: part[0])
    principal = _limit(given, currency)
    return Drawdowns(
        parts=tuple(
            Part(after_days=(on - expected[0][0]).days, share=Fraction(currency.minor(amount), principal))
            for on, amount in expected
        )
        or (Part(after_days=0, share=Fraction(1)),),
        most=100,
        until_days=ANY_DAY,
        interest="whole_period" if _bears_whole_period(given) else "from_its_day",
        repaid="over_its_own_term" if given.get("full_term_for_tranche") else "with_the_rest",
        down_payment="paid_ahead_first" if given["schedule_type"] == "CUMULATIVE" else "asked_for",
    )


def agreed_charge(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A charge that was added later, as it would have been agreed."""
    return {
        "time": item["charge_time"],
        "calculation": item["calculation"],
        "amount": item.get("amount", item.get("percent")),
    }


def _fee(charge: Mapping[str, Any], number: int, currency: Currency) -> Fee:
    flat, payout = charge["calculation"] == "FLAT", charge["time"] == "DISBURSEMENT"
    known = charge["calculation"] in (("FLAT", "PERCENT_OF_AMOUNT") if payout else FEE_BASES)
    if not known or charge["time"] not in ("INSTALLMENT", "DISBURSEMENT"):
        raise Unsupported(f"a charge {charge['time']} {charge['calculation']}")
    return Fee(
        kind=f"charge_{number}",
        when="deducted" if payout else "per_instalment",
        flat_minor=currency.minor(charge["amount"]) if flat else 0,
        share=Fraction(0) if flat else Fraction(charge["amount"]) / 100,
        of="original_principal" if payout else FEE_BASES[charge["calculation"]],
    )
