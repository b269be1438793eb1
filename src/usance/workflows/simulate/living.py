"""Months of an institution, day by day: people apply, pay, pay late or never, extend, come back; each day is closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from random import Random
from time import perf_counter
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import tenancy
from usance.apps.payments import selectors as payments
from usance.apps.payments.refusals import CardNotUsable
from usance.apps.servicing import selectors as loans
from usance.core.refusals import Refusal
from usance.workflows import close_day, take_payment
from usance.workflows.simulate import borrowers, pages
from usance.workflows.simulate.borrowers import Life
from usance.workflows.simulate.outside import World
from usance.workflows.simulate.people import Applicant

ONE_DAY = timedelta(days=1)
CHUNK = 100  # loans in a chunk of the close, where several processes take part in it
PAGES_SHARE = 0.05  # of the applicants, who come through the pages themselves
LIVE = ("active", "past_due")
RETURNED_SHARE = 0.01  # of payments by card, which the bank takes back a day later
SECOND_LOAN = 0.55
HEAD_START = 4.0  # seconds that the first day may take


@dataclass
class Plan:
    """What is to be lived. Applications arrive evenly over `arrive_days`; with `until_done` the days go on until every
    loan is closed or in default (90 days past due)."""

    people: list[Applicant]
    days: int
    arrive_days: int
    seed: int
    until_done: bool = False
    pages_share: float = PAGES_SHARE
    left_open_days: int = 0  # in the last days nobody reviews: their cases wait for the one who looks at the demo
    seconds: float = 0  # on a slow machine so many people stay away that it takes about as long; 0: everybody comes


@dataclass
class Tally:
    """What happened, for the summary."""

    days: int = 0
    loan_days: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=perf_counter)


def sum_of(tallies: Sequence[Tally]) -> Tally:
    """Of the processes that lived the same days together, each with people of its own."""
    whole = Tally(days=tallies[0].days, loan_days=sum(tally.loan_days for tally in tallies))
    for tally in tallies:
        whole.counts.update(tally.counts)
    return whole


def live(world: World, plan: Plan, *, progress: Callable[[int, Tally], None] = lambda done, tally: None) -> Tally:
    """Lives the plan in the bound institution, from its business date on. `progress(days done, tally so far)`."""
    lives, tally = world.crew.share(_lives(plan)), Tally()
    for number in range(plan.days):
        _day(world, plan, lives, tally)
        tally.days = number + 1
        progress(tally.days, tally)
        if plan.until_done and number >= plan.arrive_days and not _anyone_left(world):
            break
    world.settle()
    return tally


def _lives(plan: Plan) -> list[Life]:
    today = _today()
    lives = []
    for position, who in enumerate(plan.people):
        random = borrowers.seeded(plan.seed, who.number)
        day = today + timedelta(days=position * plan.arrive_days // max(1, len(plan.people)))
        lives.append(Life(who=who, random=random, apply_on=day))
    return lives


def _today() -> date:
    with transaction.atomic():
        tenancy.forget_row()
        return tenancy.current().business_date


def _anyone_left(world: World) -> bool:
    """Whether somebody still has something to do here: a loan that runs and is not in default."""
    with transaction.atomic():
        recent = Q(late_since__isnull=True) | Q(late_since__gt=tenancy.current().business_date - 90 * ONE_DAY)
        running = loans.loan_register().filter(recent, status__in=("approved", *LIVE))
        found = running.exists()
    world.crew.meet()  # all have looked at the same evening
    return found


def _day(world: World, plan: Plan, lives: Sequence[Life], tally: Tally) -> None:
    today = _today()
    world.wake(today, time(9))
    in_time = (
        not plan.seconds or perf_counter() - tally.began < plan.seconds * (tally.days + 1) / plan.days + HEAD_START
    )
    for life in lives:
        if life.loan_id is None and life.apply_on == today and (in_time or life.who.is_double):
            _come(world, plan, life, tally)
    world.wake(today, time(12))
    standing = _standing(today)
    for life in lives:
        row = standing.get(life.loan_id) if life.loan_id else None
        if row is not None:
            _act(world, life, row, today, tally)
    world.settle()
    _return_something(world, plan, lives, today, tally)
    _second_loans(lives, standing, today)
    world.crew.meet()
    world.wake(today + ONE_DAY, time(0, 10))
    (run,) = close_day.run_close_inline(
        at=world.clock.at, company=world.crew, chunk_size=CHUNK if world.crew.size > 1 else None
    )
    tally.loan_days += run.done_count if world.crew.leads else 0
    world.wake(today + ONE_DAY, time(8))
    world.settle()
    world.crew.meet()


class Standing(NamedTuple):
    """What a person sees of their loan, as lists show it."""

    pk: UUID
    status: str
    disbursed_on: date | None
    next_due_on: date | None
    due_now_minor: int
    days_past_due: int


def _standing(today: date) -> dict[UUID, Standing]:
    """The loans that run, or ran until a moment ago, by id: one query a day."""
    of_interest = Q(status__in=LIVE) | Q(status="closed", closed_on__gte=today - 2 * ONE_DAY)
    with transaction.atomic():
        rows = loans.loan_register().filter(of_interest).only(*Standing._fields[1:], "checkpoint_on")
        return {row.pk: Standing(*(getattr(row, name) for name in Standing._fields)) for row in rows}


def _come(world: World, plan: Plan, life: Life, tally: Tally) -> None:
    """An application, as far as it goes."""
    by_pages = life.party_id is None and life.random.random() < plan.pages_share
    try:
        if by_pages:
            pages.walk(world, life)
            tally.counts["by_pages"] += 1
        else:
            if life.party_id is None:
                borrowers.sign_up(world, life)
            borrowers.apply(world, life)
    except Refusal as refusal:
        tally.counts[f"refused:{refusal.code}"] += 1
        return
    tally.counts["applied"] += 1
    with transaction.atomic():
        tenancy.forget_row()
    reviewed = tally.days < plan.days - plan.left_open_days
    state = borrowers.decided(world, life) if reviewed else borrowers.state_of(life)
    tally.counts[state] += 1
    if state == "approved":
        signed = pages.sign(world, life) if by_pages else borrowers.sign(world, life)
        tally.counts["signed" if signed else "let_go"] += 1
        if signed and life.who.habit == "stops":
            life.stops_on = _today() + timedelta(days=life.random.randrange(20, 400))


# --- paying ------------------------------------------------------------------------------------------------------


def _act(world: World, life: Life, row: Standing, today: date, tally: Tally) -> None:
    """What this person does about their loan today, by habit."""
    if row.status not in LIVE or row.next_due_on is None and row.due_now_minor <= 0:
        return
    for amount, days in HABITS[life.who.habit](life, row, today):
        _pay(world, life, row, amount, days, tally)


Acts = Iterator[tuple[int, int]]  # (amount in minor units, 0: all; days to extend)


def _on_time(life: Life, row: Standing, today: date) -> Acts:
    if row.due_now_minor > 0:
        yield row.due_now_minor, 0


def _early(life: Life, row: Standing, today: date) -> Acts:
    """Pays everything after a third of the time, or so."""
    began = row.disbursed_on or today
    if row.next_due_on and (today - began).days * 3 > (row.next_due_on - began).days and life.random.random() < 0.3:
        yield 0, 0
    else:
        yield from _on_time(life, row, today)


def _late(life: Life, row: Standing, today: date) -> Acts:
    """Lets each due date pass by some days."""
    due_on = today - timedelta(days=row.days_past_due) if row.days_past_due else row.next_due_on
    if due_on is None:
        return
    until = life.late_until.setdefault(due_on, due_on + timedelta(days=life.random.randrange(2, 40)))
    if today >= until and row.due_now_minor > 0:
        yield row.due_now_minor, 0


def _extends(life: Life, row: Standing, today: date) -> Acts:
    if row.next_due_on and today == row.next_due_on - ONE_DAY and not life.extended:
        life.extended = True
        yield 0, 1
    else:
        yield from _on_time(life, row, today)


def _partial(life: Life, row: Standing, today: date) -> Acts:
    """Half on the day, the rest ten days later."""
    if row.days_past_due >= 10 and row.due_now_minor > 0:
        yield row.due_now_minor, 0
    elif row.next_due_on == today and row.due_now_minor > 1:
        yield row.due_now_minor // 2, 0


def _never(life: Life, row: Standing, today: date) -> Acts:
    return iter(())


def _stops(life: Life, row: Standing, today: date) -> Acts:
    """Pays until a day, and never after."""
    if life.stops_on is None or today < life.stops_on:
        yield from _on_time(life, row, today)


HABITS: dict[str, Callable[[Life, Standing, date], Acts]] = {
    "on_time": _on_time,
    "early": _early,
    "late": _late,
    "extends": _extends,
    "partial": _partial,
    "never": _never,
    "stops": _stops,
}


def _pay(world: World, life: Life, row: Standing, amount: int, days: int, tally: Tally) -> None:
    """Orders the payment as the loan page does; what is refused is not done. Whose card has run out links a new one."""
    try:
        try:
            done = _order(world, life, row, amount, days)
        except CardNotUsable:
            borrowers.change_card(world, life)
            tally.counts["new_card"] += 1
            done = _order(world, life, row, amount, days)
    except Refusal as refusal:
        tally.counts[f"refused:{refusal.code}"] += 1
    else:
        tally.counts["extended" if days else "paid"] += done


def _order(world: World, life: Life, row: Standing, amount: int, days: int) -> bool:
    """False where there is no extension to be had."""
    with transaction.atomic():
        if days:
            options = loans.extension_options(loan_id=row.pk)
            if not options:
                return False
            days, amount = options[0].days, options[0].price_minor
        take_payment.pay(
            loan_id=row.pk,
            amount_minor=amount or loans.payoff(loan_id=row.pk).total_minor,
            key=f"sim:{row.pk}:{world.clock.at.date()}",
            at=world.tick(5),
            actor=life.actor,
            card_id=life.card_id,
            language=life.who.language,
            extend_days=days,
        )
    return True


def _return_something(world: World, plan: Plan, lives: Sequence[Life], today: date, tally: Tally) -> None:
    """Now and then a bank takes a payment back."""
    numbers = {life.party_id: life.who.number for life in lives}
    with transaction.atomic():
        paid = [found for found in payments.settled_on(today) if found.party_id in numbers]
    made = [found for found in paid if _chance(plan, numbers[found.party_id], today) < RETURNED_SHARE]
    for found in made:
        world.sandbox.take_back(found.order_id)
        tally.counts["returned"] += 1
    if made:
        world.tick(120)
        world.settle()


def _chance(plan: Plan, number: int, today: date) -> float:
    """Of a person on a day, whatever happens to others."""
    return Random(f"return:{plan.seed}:{number}:{today}").random()  # noqa: S311


def _second_loans(lives: Sequence[Life], standing: dict[UUID, Standing], today: date) -> None:
    """Who paid everything may come back for another loan, on the terms of returning customers."""
    for life in lives:
        row = standing.get(life.loan_id) if life.loan_id else None
        if row is None or row.status != "closed" or life.who.months is not None:
            continue
        life.loan_id = None
        if life.random.random() < SECOND_LOAN:
            life.apply_on = today + timedelta(days=life.random.randrange(2, 20))


def institution_zone() -> tuple[str, date, int]:
    """(time zone, business date, days ahead) of the bound institution."""
    with transaction.atomic():
        tenancy.forget_row()
        found = tenancy.current()
        return found.time_zone, found.business_date, found.ahead_days


def host() -> str:
    """The institution's host name, as browsers send it."""
    return institutions.base_url(tenancy.current_id()).split("//", 1)[1].split(":", 1)[0]
