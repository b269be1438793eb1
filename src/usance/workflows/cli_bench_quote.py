"""`usance bench quote`: schedules, payoff quotes and five-year replays a second on one core, by the engine alone. The
floor beside them is bare integer arithmetic: what a schedule of as many instalments costs without dates, balances,
rounding rules or anything else that the terms may say."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from usance.core import calendar
from usance.core.loan import quote, replay, state
from usance.core.loan.apply import apply
from usance.core.loan.events import Approved, Disbursed, Event, PaymentReceived
from usance.core.loan.terms import Fee, Penalty, Plan, RateStep, Terms
from usance.core.money import Currency
from usance.core.rates import Rate

STARTS_ON = date(2021, 1, 15)
SECONDS = 2.0  # for each figure
SCHEDULE_US, REPLAY_MS = 100, 5  # goals


class Cost(NamedTuple):
    """The best of some rounds: microseconds of one, and how many a second that makes."""

    us: float
    per_second: int


def terms(months: int, *, rich: bool = False) -> Terms:
    """Equal monthly instalments of 100,000.00 at 24 %; `rich` adds a fee per instalment and a penalty."""
    return Terms(
        currency=Currency("EUR", 2),
        principal_minor=10_000_000,
        plan=Plan(kind="equal_instalments", count=months, every=1, unit="months"),
        rates=(RateStep(from_day=0, rate=Rate(Fraction(24, 100), "year")),),
        fees=(Fee(kind="service", when="per_instalment", flat_minor=500),) if rich else (),
        penalty=Penalty(rule="daily_on_past_due_principal", share=Fraction(1, 1000)) if rich else None,
    )


def timed(act: Callable[[], Any], *, seconds: float = SECONDS) -> Cost:
    """Runs it again and again for about so long; other work of the machine disturbs the best round least."""
    best, ends = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < ends:
        began = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - began)
    return Cost(round(1e6 * best, 1), int(1 / best))


def begun(agreed: Terms) -> state.Loan:
    """The loan on the day on which the money arrived."""
    loan = apply(state.new(agreed, STARTS_ON), Approved(effective_on=STARTS_ON, source="bench:approved")).loan
    sent = Disbursed(effective_on=STARTS_ON, source="bench:disbursed", amount_minor=agreed.principal_minor)
    return apply(loan, sent).loan


def lived(agreed: Terms) -> tuple[list[Event], date]:
    """A life of as many payments as instalments, each on its due date but every fifth, which is three days late; and
    the day after the last."""
    rows = quote.schedule(begun(agreed))
    told: list[Event] = [
        Approved(effective_on=STARTS_ON, source="bench:approved"),
        Disbursed(effective_on=STARTS_ON, source="bench:disbursed", amount_minor=agreed.principal_minor),
    ]
    for row in rows:
        paid_on = calendar.add_days(row.due_on, 3 if row.number % 5 == 0 else 0)
        told.append(
            PaymentReceived(effective_on=paid_on, source=f"bench:{row.number}", amount_minor=row.total_minor + 500)
        )
    return told, calendar.add_days(rows[-1].due_on, 4)


def bare(months: int) -> list[int]:
    """The floor: instalments of a declining balance in whole minor units, all periods alike."""
    balance, level, rows = 10_000_000, 10_000_000 * 24 // 1200 + 10_000_000 // months, []
    for _ in range(months):
        interest = (balance * 24 + 600) // 1200
        balance -= min(balance, level - interest)
        rows.append(interest)
    return rows


def measure(*, seconds: float = SECONDS) -> dict[str, Any]:
    """All figures. A schedule is reckoned anew each time: what the calculator remembers does not count."""
    twelve, sixty = terms(12), terms(60, rich=True)
    new, old = begun(twelve), replay.replay(twelve, lived(twelve)[0][:8], date(2021, 8, 1), daily=False).loan
    told, until = lived(sixty)
    costs = {
        "schedule_12": timed(lambda: quote.schedule(new), seconds=seconds),
        "offer_12": timed(lambda: quote.projection.__wrapped__(twelve, STARTS_ON), seconds=seconds),
        "payoff": timed(lambda: quote.payoff(old, date(2021, 8, 20)), seconds=seconds),
        "replay_60": timed(lambda: replay.replay(sixty, told, until, daily=False), seconds=seconds),
        "floor_12": timed(lambda: bare(12), seconds=seconds),
    }
    figures: dict[str, Any] = {f"{name}_us": cost.us for name, cost in costs.items()}
    figures |= {f"{name}_per_second": cost.per_second for name, cost in costs.items()}
    figures["replay_60_events"] = len(told)
    figures["schedule_ratio"] = round(costs["schedule_12"].us / costs["floor_12"].us, 1)
    figures["goals_met"] = {
        "schedule_12": costs["schedule_12"].us <= SCHEDULE_US,
        "replay_60": costs["replay_60"].us <= 1000 * REPLAY_MS,
    }
    return figures


NAMES = {
    "schedule_12": "schedule of 12 instalments",
    "offer_12": "the same as an offer, with its APR",
    "payoff": "payoff quote in the middle of a loan",
    "replay_60": "replay of five years with 60 payments",
    "floor_12": "floor: 12 instalments in bare integers",
}


def as_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    lines = [f"{'':40}{'microseconds':>14}{'a second':>12}"]
    lines += [
        f"{label:40}{figures[f'{name}_us']:>14,}{figures[f'{name}_per_second']:>12,}" for name, label in NAMES.items()
    ]
    goals = {"schedule_12": f"schedule under {SCHEDULE_US} us", "replay_60": f"replay under {REPLAY_MS} ms"}
    lines += [f"goal: {goals[name]}: {'met' if met else 'MISSED'}" for name, met in figures["goals_met"].items()]
    return "\n".join(lines) + "\n"


def main(*, as_json: bool, seconds: float = SECONDS) -> int:
    """0 when both goals are met, else 1."""
    figures = measure(seconds=seconds)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n" if as_json else as_text(figures))
    return 0 if all(figures["goals_met"].values()) else 1
