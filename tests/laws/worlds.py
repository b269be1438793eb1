"""Random loans for the laws: terms, and what happens to them. Small amounts of time, every convention."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from usance.core import money, rates
from usance.core.loan import events, replay, state
from usance.core.loan.movements import Movement, effects
from usance.core.loan.terms import (
    INSTALMENTS_STAY,
    NAMES,
    Allocation,
    CoolingOff,
    DownPayment,
    Drawdowns,
    Extension,
    Fee,
    Grace,
    NonAccrual,
    Part,
    Penalty,
    Plan,
    RateStep,
    Tax,
    Terms,
)
from usance.core.refusals import Refusal

START = date(2023, 11, 20)  # so that a New Year, a leap day and short months are near
START_DAYS = 60
HORIZON_DAYS = 250


# Hypothesis looks at each strategy once; made anew for each draw, that took a third of the time of the laws


@functools.cache
def _one_of(*options: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(options)


@functools.cache
def _perhaps(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@functools.cache
def _names(vocabulary: str) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(NAMES[vocabulary]))


@functools.cache
def _shares(most: str, steps: int = 40) -> st.SearchStrategy[Fraction]:
    return st.integers(0, steps).map(lambda k: Fraction(most) * k / steps)


@functools.cache
@st.composite
def all_rates(draw: st.DrawFn) -> rates.Rate:
    per = draw(_one_of("day", "month", "year"))
    return rates.Rate(draw(_shares({"day": "0.02", "month": "0.3", "year": "2"}[per])), per)


@functools.cache
@st.composite
def all_plans(draw: st.DrawFn) -> Plan:
    if draw(st.booleans()):
        return Plan(kind="single_payment", every=draw(st.integers(1, 60)), unit="days")
    unit, most = draw(_one_of(("days", 20), ("weeks", 3), ("half_months", 2), ("months", 2)))
    kind = draw(_one_of("equal_instalments", "equal_instalments", "equal_principal", "interest_only"))
    return Plan(kind=kind, count=draw(st.integers(1, 7)), every=draw(st.integers(1, most)), unit=unit)


@functools.cache
@st.composite
def all_graces(draw: st.DrawFn) -> Grace:
    return Grace(interest=draw(st.integers(0, 2)), interest_free=draw(st.integers(0, 2)))


@functools.cache
@st.composite
def all_fees(draw: st.DrawFn) -> tuple[Fee, ...]:
    whens = draw(st.lists(_names("fee_when"), max_size=3, unique=True))
    return tuple(
        Fee(
            kind=f"fee_{when}",
            when=when,
            flat_minor=draw(st.integers(0, 500)),
            share=draw(_shares("0.05")),
            of=draw(_names("fee_of").filter(lambda of, when=when: when == "per_instalment" or "instalment" not in of)),
            after_days=draw(st.integers(0, 5)),
        )
        for when in whens
    )


@functools.cache
@st.composite
def all_penalties(draw: st.DrawFn) -> Penalty | None:
    if draw(st.booleans()):
        return None
    cap = _perhaps(_shares("0.5"))
    rule = draw(_names("penalty"))
    return Penalty(
        rule=rule,
        share=Fraction(0) if rule == "flat_per_miss" else draw(_shares("0.03")),
        flat_minor=draw(st.integers(0, 900)) if rule == "flat_per_miss" else 0,
        grace_days=draw(st.integers(0, 6)),
        cap_share=draw(cap),
        yearly_cap_share=draw(cap),
    )


@functools.cache
@st.composite
def all_drawdowns(draw: st.DrawFn, plain: bool) -> Drawdowns:
    """In a plan that is not `plain`, money that comes later has no term of its own."""
    count = draw(st.integers(1, 3))
    days = [0, *draw(st.lists(st.integers(0, 60), min_size=count - 1, max_size=count - 1).map(sorted))]
    return Drawdowns(
        parts=tuple(Part(after_days=day, share=Fraction(1, count)) for day in days),
        most=count + draw(st.integers(0, 2)),
        until_days=days[-1] + draw(st.integers(0, 90)),
        interest=draw(_names("drawn_interest")),
        repaid=draw(_names("drawn_repaid")) if plain else "with_the_rest",
        down_payment=draw(_names("drawn_down_payment")),
    )


STEPS = st.lists(st.integers(1, 60), max_size=2, unique=True).map(sorted)
LEVEL_DAY_COUNTS = st.just("") | _names("day_count")
DOWN_PAYMENTS = st.none() | _shares("0.9").map(lambda share: DownPayment(share=share))
COMPONENTS = st.permutations(sorted(NAMES["component"]))
COOLING_OFF = st.none() | st.builds(CoolingOff, days=st.integers(1, 90), pay_days=st.integers(0, 20))
NON_ACCRUAL = st.none() | st.builds(NonAccrual, after_days=st.integers(1, 60), until=_names("non_accrual_until"))


@functools.cache
@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    steps = draw(STEPS)
    digits = draw(_one_of(0, 2, 3))
    interest_base = draw(_names("interest_base"))
    as_scheduled = interest_base == "scheduled_balance"
    early_payment = draw(_names("early_payment").filter(lambda name: not as_scheduled or name in INSTALMENTS_STAY))
    early_interest = draw(_names("early_interest")) if early_payment in INSTALMENTS_STAY else "saved"
    early_interest = "owed" if as_scheduled else early_interest
    plan, grace, spread = draw(all_plans()), draw(all_graces()), draw(_names("interest_spread"))
    plain = plan.kind != "single_payment" and grace == Grace() and spread == "as_earned"
    drawdowns = draw(_perhaps(all_drawdowns(plain)))
    own_term = drawdowns is not None and drawdowns.repaid == "over_its_own_term"
    fits = early_interest == "saved" and spread == "as_earned" and not own_term and plan.kind != "listed"
    follows = early_interest == "saved" and spread == "as_earned"
    follows = follows and interest_base in ("actual_balance", "undue_balance")
    early_payment = "in_turn" if early_payment == "next_then_smaller" and not fits else early_payment
    return Terms(
        currency=money.Currency({0: "VND", 2: "UAH", 3: "KWD"}[digits], digits),
        principal_minor=draw(st.integers(10_000, 3_000_000)),
        plan=plan,
        drawdowns=drawdowns,
        rates=tuple(RateStep(from_day=day, rate=draw(all_rates())) for day in [0, *steps]),
        signed_on=draw(_perhaps(st.just(START + timedelta(days=10)))),
        late_start=draw(_names("late_start")),
        day_count=draw(_names("day_count")),
        interest_base=interest_base,
        interest_rests=draw(_names("interest_rests")) if follows else "daily",
        interest_spread=spread,
        level_day_count=draw(LEVEL_DAY_COUNTS),
        grace=grace,
        down_payment=draw(DOWN_PAYMENTS),
        after_maturity=draw(_names("after_maturity")),
        rounding=draw(_names("rounding")),
        residue=draw(_names("residue")),
        levelling=draw(_names("levelling")),
        level_multiple_minor=draw(_one_of(1, 100)),
        roll=draw(_names("roll")),
        income_share=draw(_one_of(Fraction(0), Fraction(1, 2), Fraction(2))),
        fees=draw(all_fees()),
        taxes=draw(
            st.just(())
            if early_interest == "owed"
            else _one_of((), (Tax(kind="vat", share=Fraction("0.16"), on=("interest", "fee", "penalty")),))
        ),
        penalty=draw(all_penalties()),
        allocation=Allocation(
            waterfall=draw(_names("waterfall")),
            components=tuple(draw(COMPONENTS)),
        ),
        early_payment=early_payment,
        early_interest=early_interest,
        charge_off=draw(_names("charge_off")),
        extension=Extension(days_allowed=(7, 14, 30), max_count=3, extend_from=draw(_names("extend_from"))),
        cost_cap_share=draw(st.none() if early_interest == "owed" else _perhaps(_shares("1.5"))),
        forgive_under_minor=draw(_one_of(0, 0, 50)),
        default_after_days=draw(_one_of(5, 90)),
        cooling_off=draw(COOLING_OFF),
        non_accrual=draw(NON_ACCRUAL),
    )


# --- histories ---------------------------------------------------------------------------------------------------


def _drawn(terms: Terms) -> int:
    """What comes at once: of money that is drawn in parts a third."""
    return terms.principal_minor // 3 if terms.drawdowns else terms.principal_minor


@st.composite
def _one_event(draw: st.DrawFn, terms: Terms, number: int, start: date) -> events.Event:
    on = start + timedelta(days=draw(st.integers(0, HORIZON_DAYS)))
    source = f"e{number:02d}"
    common = {"effective_on": on, "source": source}
    amount = draw(st.integers(1, terms.principal_minor * 5 // 4))
    day = on + timedelta(days=draw(st.integers(-60, 90)))
    kind = draw(_one_of(*["payment"] * 8, *OTHERS))
    target = f"e{draw(st.integers(0, max(0, number - 1))):02d}"
    made: dict[str, events.Event] = {
        "payment": events.PaymentReceived(amount_minor=amount, **common),
        "extended": events.Extended(days=draw(_one_of(7, 14, 30)), **common),
        "waived": events.Waived(
            balance=draw(_one_of("interest", "penalty", "principal", "tax:vat", "fee:fee_on_request")),
            amount_minor=draw(st.integers(1, 5000)),
            **common,
        ),
        "fee": events.FeeAdded(fee_kind="fee_on_request", amount_minor=draw(st.integers(1, 5000)), **common),
        "rate": events.RateChanged(rate=draw(all_rates()), **common),
        "paused": events.PenaltyPaused(**common),
        "resumed": events.PenaltyResumed(**common),
        "refunded": events.Refunded(amount_minor=draw(st.integers(1, 50_000)), **common),
        "written_off": events.WrittenOff(**common),
        "recovered": events.Recovered(amount_minor=amount, **common),
        "returned": events.PaymentReturned(undoes=target, **common),
        "reversed": events.Reversed(undoes=target, **common),
        "failed": events.DisbursementFailed(**common),
        "cancelled": events.Cancelled(**common),
        "disbursed": events.Disbursed(amount_minor=_drawn(terms), **common),
        "charged": events.Charged(
            balance=draw(_one_of("penalty", "fee:fee_on_request")),
            amount_minor=draw(st.integers(1, 5000)),
            due_on=day,
            **common,
        ),
        "credited": events.Credited(
            amount_minor=amount, reason=draw(_names("credit")), interest_too=draw(st.booleans()), **common
        ),
        "charged_back": events.ChargedBack(
            balance=draw(_one_of("principal", "interest", "penalty", "fee:fee_on_request")),
            amount_minor=draw(st.integers(1, 50_000)),
            payment=draw(_one_of("", target)),
            **common,
        ),
        "deferred": events.IncomeDeferred(amount_minor=amount // 4 + 1, owed_by=draw(_names("owed_by")), **common),
        "taken_back": events.IncomeTakenBack(
            amount_minor=amount // 9 + 1, owed_by=draw(_names("owed_by")), income=target, **common
        ),
        "interest_paused": events.InterestPaused(
            since=day, until=day + timedelta(days=draw(st.integers(1, 40))), **common
        ),
        "moved": events.Rescheduled(
            moved_from=on + timedelta(days=draw(st.integers(1, 60))), moved_to=day + timedelta(days=60), **common
        ),
        "more": events.Rescheduled(more=draw(st.integers(1, 4)), **common),
        "spread_anew": events.Respread(interest=draw(_names("respread")), **common),
        "re_aged": events.Respread(
            interest=draw(_names("respread")),
            start_on=on + timedelta(days=draw(st.integers(0, 40))),
            count=draw(st.integers(1, 5)),
            every=draw(st.integers(1, 3)),
            unit=draw(_names("unit")),
            **common,
        ),
        "withdrawn": events.Withdrawn(**common),
        "terminated": events.Terminated(**common),
        "charged_off": events.ChargedOff(**common),
        "non_accrual": events.PutOnNonAccrual(**common),
        "accrual": events.RestoredToAccrual(**common),
        "sold": events.Sold(buyer="buyer", price_minor=amount, **common),
        "buyer_paid": events.BuyerPaid(amount_minor=draw(st.integers(1, 50_000)), **common),
        "forwarded": events.Forwarded(amount_minor=draw(st.integers(1, 50_000)), **common),
    }
    return made[kind]


OTHERS = (
    "extended", "waived", "fee", "rate", "paused", "resumed", "refunded", "written_off", "recovered", "returned",
    "reversed", "failed", "cancelled", "disbursed", "disbursed", "charged", "credited", "charged_back",
    "interest_paused", "moved", "more", "spread_anew", "re_aged", "terminated", "charged_off", "withdrawn",
    "non_accrual", "accrual",
    "sold", "buyer_paid", "forwarded",
    "deferred", "deferred", "taken_back",
)  # fmt: skip


@st.composite
def told_events(draw: st.DrawFn, terms: Terms, most: int = 9) -> list[events.Event]:
    """Anything, admissible or not: an approval, a disbursement, and what may follow, on any dates."""
    start = START + timedelta(days=draw(st.integers(0, START_DAYS)))
    beginning: list[events.Event] = [
        events.Approved(effective_on=start, source="approved"),
        events.Disbursed(
            effective_on=start + timedelta(days=draw(_one_of(0, 0, 1, 5))),
            source="disbursed",
            amount_minor=_drawn(terms),
        ),
    ]
    count = draw(st.integers(0, most))
    return beginning + [draw(_one_event(terms, number, start)) for number in range(count)]


def admitted(terms: Terms, told: Sequence[events.Event]) -> tuple[list[events.Event], state.Loan, list[Movement]]:
    """Tells the events one by one, leaving out those refused. Gives the history, the loan, and all movements booked."""
    loan = state.new(terms, told[0].effective_on)
    history: list[events.Event] = []
    movements: list[Movement] = []
    for event in told:
        try:
            step = replay.append(loan, history, event)
        except Refusal:
            continue
        history.append(event)
        loan = step.loan
        movements += step.movements
    return history, loan, movements


def by_balance(movements: Sequence[Movement]) -> dict[str, int]:
    """The sum of all effects, balance by balance, zeros left out."""
    sums: dict[str, int] = {}
    for movement in movements:
        for key, delta in effects(movement):
            sums[key] = sums.get(key, 0) + delta
    return {key: amount for key, amount in sums.items() if amount}


def by_kind(movements: Sequence[Movement]) -> dict[tuple[str, ...], int]:
    """The sum by kind of movement and balance, zeros left out."""
    sums: dict[tuple[str, ...], int] = {}
    for m in movements:
        key = (m.kind, m.component, m.fee_kind, m.tax_kind)
        sums[key] = sums.get(key, 0) + m.amount_minor
    return {key: amount for key, amount in sums.items() if amount}
