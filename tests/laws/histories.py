"""Random histories by number: a loan, what is told of it and in which order, what is undone. The engine and the slow
reference live it, and must agree to the minor unit. By number, not by Hypothesis: ten thousand must pass in a test run.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from tests.laws.slow_reference import ORDER, Agreement, Told, live
from usance.core.exact import Fraction
from usance.core.loan import events, replay, state
from usance.core.loan.terms import NAMES, DownPayment, Extension, Fee, Grace, Penalty, Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate

START = date(2023, 12, 31)
REACHES = (20, 20, 30, 30, 45, 100)  # over how many days something happens; mostly few, so that many can be lived
BALANCES = {"penalty": "penalty", "extension": "fee:extension", "service": "fee:service", "interest": "interest",
            "principal": "principal"}  # fmt: skip
DAY_COUNTS = tuple(sorted(NAMES["day_count"]))
RESIDUES = tuple(sorted(NAMES["residue"]))
FLAT = {"": "actual_balance", "whole": "original_principal", "financed": "financed_principal"}
PLANS = {"equal": "equal_instalments", "principal": "equal_principal", "none": "interest_only"}
KINDS = ("pay",) * 8 + (
    "extend", "extend", "waive", "waive", "charge", "rate", "pause", "resume", "write_off", "charge_dated",
    "charge_dated", "charge_back", "credit", "rest", "move", "more",
)  # fmt: skip


def agreement(chance: Random) -> Agreement:
    def share() -> Fraction:
        return Fraction(chance.randint(0, 200), 10_000)

    single, steps = chance.random() < 0.5, chance.choice((0, 0, 1, 2))
    days = chance.choice(("", chance.choice(DAY_COUNTS)))
    prices = {0: share()} | {chance.randint(1, 40): share() for _ in range(steps)}
    agreed = Agreement(
        principal=chance.choice((chance.randint(1_000, 50_000), chance.randint(1_000, 5_000_000))),
        term_days=chance.choice((chance.randint(1, 20), chance.randint(1, 45))) if single else 0,
        months=0 if single else chance.randint(1, 4),
        prices={day: price * 100 if days else price for day, price in prices.items()},
        days=days,
        level_days=chance.choice(("", chance.choice(DAY_COUNTS))),
        residue=chance.choice(RESIDUES),
        fine=share(),
        grace=chance.randint(0, 5),
        fine_cap=None if chance.random() < 0.5 else Fraction(chance.randint(0, 50), 100),
        extension_fee=chance.randint(0, 5000) if single else 0,
    )
    return agreed if single else _of_instalments(chance, agreed)


def _of_instalments(chance: Random, agreed: Agreement) -> Agreement:
    """With what only instalments can have; half of the loans have nothing of one kind."""
    return replace(
        agreed,
        kind=chance.choice(("equal", *PLANS)),
        flat=chance.choice(("", "", *FLAT)),
        even=chance.random() < 0.25,
        down=chance.choice((Fraction(0), Fraction(chance.randint(0, 60), 100))),
        rests=chance.choice((0, chance.randint(0, agreed.months - 1))),
        waits=chance.choice((0, chance.randint(0, 2))),
        free=chance.choice((0, chance.randint(0, 2))),
    )


def terms_of(agreed: Agreement) -> Terms:
    single = Plan(kind="single_payment", every=agreed.term_days or 1, unit="days")
    monthly = Plan(kind=PLANS[agreed.kind], count=agreed.months or 1, every=1, unit="months")
    per = "year" if agreed.days else "day"
    return Terms(
        currency=Currency("UAH", 2),
        principal_minor=agreed.principal,
        plan=single if agreed.term_days else monthly,
        rates=tuple(RateStep(from_day=day, rate=Rate(r, per)) for day, r in sorted(agreed.prices.items())),
        day_count=agreed.days or "actual/365",
        level_day_count=agreed.level_days,
        interest_base=FLAT[agreed.flat],
        interest_spread="evenly" if agreed.even else "as_earned",
        residue=agreed.residue,
        down_payment=DownPayment(share=agreed.down) if agreed.down else None,
        grace=Grace(principal=agreed.rests, interest=agreed.waits, interest_free=agreed.free),
        levelling="none",
        penalty=Penalty(
            rule="daily_on_past_due_principal", share=agreed.fine, grace_days=agreed.grace, cap_share=agreed.fine_cap
        ),
        fees=(
            Fee(kind="extension", when="on_extension", flat_minor=agreed.extension_fee),
            Fee(kind="service", when="on_request"),
        ),
        extension=Extension(days_allowed=(7, 14, 30), max_count=99),
    )


def tale(chance: Random, agreed: Agreement, reach: int) -> list[Told]:
    """What happens, in the order in which it is told, which is not that of the days."""
    told, extended = [], set()
    for _ in range(chance.randint(0, 9)):
        day, what = START + timedelta(days=chance.randint(0, reach)), chance.choice(KINDS)
        amount = chance.choice((chance.randint(1, agreed.principal), chance.randint(1, 2 * agreed.principal)))
        of, since, until = "", None, None
        if what == "extend":
            if not agreed.term_days or day in extended:
                continue
            extended.add(day)
            amount = chance.choice((7, 14, 30))
        elif what == "waive":
            of, amount = (
                chance.choice(ORDER),
                chance.randint(1, max(1, agreed.principal // chance.choice((2, 20, 200)))),
            )
        elif what in ("charge", "charge_dated"):
            amount, of = chance.randint(1, 5000), chance.choice(("penalty", "service"))
            since = day + timedelta(days=chance.randint(-30, 40))
        elif what == "charge_back":
            of = chance.choice(ORDER)
        elif what in ("move", "more"):
            if agreed.even:
                continue  # where interest is spread evenly, dates stay
            amount = chance.randint(1, 3)
            since, until = day + timedelta(days=chance.randint(0, 40)), day + timedelta(days=chance.randint(1, 60))
        elif what == "rest":
            amount, since = chance.randint(1, 30), day + timedelta(days=chance.randint(-5, 20))
        elif what == "rate":
            amount = chance.randint(0, 200)
        elif what == "write_off" and chance.random() < 0.5:
            continue  # most loans live on
        told.append(Told(day, what, amount, of, since, until))
    return told


def event_of(told: Told, source: str, terms: Terms) -> events.Event:
    common = {"effective_on": told.day, "source": source}
    match told.what:
        case "pay":
            return events.PaymentReceived(amount_minor=told.amount, **common)
        case "extend":
            return events.Extended(days=told.amount, **common)
        case "waive":
            return events.Waived(balance=BALANCES[told.of], amount_minor=told.amount, **common)
        case "charge":
            return events.FeeAdded(fee_kind="service", amount_minor=told.amount, **common)
        case "rate":
            per = terms.rates[0].rate.per
            share = Fraction(told.amount, 100 if per == "year" else 10_000)
            return events.RateChanged(rate=Rate(share, per), **common)
        case "charge_dated":
            due_on = told.since or told.day
            return events.Charged(balance=BALANCES[told.of], amount_minor=told.amount, due_on=due_on, **common)
        case "charge_back":
            return events.ChargedBack(balance=BALANCES[told.of], amount_minor=told.amount, **common)
        case "credit":
            return events.Credited(amount_minor=told.amount, reason="goodwill", **common)
        case "move":
            return events.Rescheduled(moved_from=told.since, moved_to=told.until, **common)
        case "more":
            return events.Rescheduled(more=told.amount, **common)
        case "rest":
            since = told.since or told.day
            return events.InterestPaused(since=since, until=since + timedelta(days=told.amount), **common)
        case "pause":
            return events.PenaltyPaused(**common)
        case "resume":
            return events.PenaltyResumed(**common)
        case _:
            return events.WrittenOff(**common)


def lived(number: int) -> tuple[dict[str, int], dict[str, int]]:
    """The balances at the end of history `number`: by the engine, told one by one in any order, some of it undone
    later, and by the slow reference, which hears of the rest alone."""
    chance = Random(f"history {number}")
    agreed, reach = agreement(chance), chance.choice(REACHES)
    told, terms = tale(chance, agreed, reach), terms_of(agreed)
    until = START + timedelta(days=chance.randint(reach // 2, reach + reach // 3))
    undone = set(chance.sample(range(len(told)), chance.choice((0, 0, 1, 2)) if len(told) > 2 else 0))
    history: list[events.Event] = [
        events.Approved(effective_on=START, source="a"),
        events.Disbursed(effective_on=START, source="d", amount_minor=agreed.principal),
    ]
    loan = replay.replay(terms, history, START).loan
    more = [event_of(item, f"e{at}", terms) for at, item in enumerate(told)]
    for at in undone:
        undo = events.PaymentReturned if told[at].what == "pay" and at % 2 else events.Reversed
        more.insert(
            chance.randint(at + 1, len(more)),
            undo(effective_on=told[at].day + timedelta(days=chance.randint(0, 10)), source=f"u{at}", undoes=f"e{at}"),
        )
    for event in more:
        step = replay.include(loan, history, event)
        history.append(event)
        loan = step.loan
    then = loan if loan.at == until else replay.replay(terms, history, until).loan
    engine = {what: then.balances.get(key, 0) for what, key in BALANCES.items()}
    engine |= {"surplus": state.unapplied(then), "claim": then.claim_minor}
    kept = [item for at, item in enumerate(told) if at not in undone and item.day <= until]
    return engine, live(agreed, START, kept, until)


def differing(first: int, count: int) -> list[str]:
    """Those of so many histories in which the two do not agree."""
    found = []
    for number in range(first, first + count):
        engine, reference = lived(number)
        if engine != reference:
            found.append(f"history {number}: the engine says {engine}, the reference {reference}")
    return found
