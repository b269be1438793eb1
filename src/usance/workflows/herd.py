"""Very many loans for measuring a close: some hundred lives, folded by the engine, taken in as a portfolio, closed for
a day by the real close, and then multiplied by set-based statements with events, movements, entries and trail of
their own, chains and digests made anew, so that `usance audit` finds nothing. Loans only: nobody stands behind them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as founding
from usance.apps.institutions import tenancy
from usance.apps.ledger import services as ledger
from usance.apps.servicing import arrivals
from usance.core import calendar
from usance.core.loan import events, replay, state, terms
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.ports.actor import SYSTEM
from usance.workflows import close_day, demo, filling, herd_copies

CODE = "herd"  # of the institutions: herd-10000 has so many loans
LIVES = 360  # as many as the days of a plan's month times the kinds times the ages
MONTH = 30
DAYS_LIVED = 1  # closes before the lives are multiplied: classes are found, and what each loan earns from then on
VND = Currency("VND", 0)
UNITS = "root", "root.a", "root.b"


@dataclass(frozen=True, slots=True)
class Herd:
    """An institution with so many loans that run."""

    institution_id: UUID
    loans: int


def present(*, loans: int, at: datetime, tell: filling.Tell) -> Herd:
    """The institution with so many loans, made at the first call. Raises filling.OtherData."""
    host = f"{CODE}-{loans}.localhost"
    known = {name: institution_id for institution_id, name in institutions.all_institutions()}
    if any(not name.startswith(f"{CODE}-") for name in known):
        raise filling.OtherData("this database holds other institutions: set USANCE_HOME to a folder of its own")
    if host in known:
        return Herd(known[host], loans)
    today = at.astimezone(ZoneInfo(demo.described()["vn"]["time_zone"])).date()
    institution_id = _found(f"{CODE}-{loans}", host, today - timedelta(days=DAYS_LIVED))
    lives = min(LIVES, loans)
    with tenancy.bound(institution_id):
        tell(f"{lives} lives")
        with transaction.atomic():
            arrivals.take_in(
                [_arrival(number, today - timedelta(days=DAYS_LIVED)) for number in range(lives)],
                key="import:herd", on=today - timedelta(days=DAYS_LIVED), actor=SYSTEM,
            )  # fmt: skip
        close_day.run_close_inline(at=at, days=DAYS_LIVED)
        if loans > lives:
            herd_copies.multiply(copies=loans // lives - 1, tell=tell)
    return Herd(institution_id, loans // lives * lives)


def _found(code: str, host: str, starts_on: date) -> UUID:
    facts = demo.described()["vn"]
    facts.pop("branches")
    profile = founding.Profile(code=code, is_demo=True, **facts)
    institution = founding.found_institution(profile=profile, hosts=[host], business_date=starts_on)
    with tenancy.bound(institution.pk), transaction.atomic():
        root = institutions.units().get(path=founding.ROOT)
        for path in UNITS[1:]:
            founding.add_unit(parent=root, code=path.rpartition(".")[2], name=path, kind="branch")
        ledger.open_books()
        ledger.ensure_partitions(since=starts_on - timedelta(days=MONTH))
    return institution.pk


# --- what is lent ------------------------------------------------------------------------------------------------


def _lent(plan: terms.Plan, rate: str, per: str, **more: Any) -> terms.Terms:
    steps = (terms.RateStep(from_day=0, rate=Rate(Fraction(rate), per)),)
    return terms.Terms(
        currency=VND, principal_minor=1, plan=plan, rates=steps, early_payment="hold_until_due", rounding="half_up",
        **more,
    )  # fmt: skip


def _late(share: str, grace_days: int = 0) -> terms.Penalty:
    return terms.Penalty(rule="daily_on_past_due_total", share=Fraction(share), grace_days=grace_days)


EXTENSION_DAYS, SHORT = 7, 35
PRODUCTS: dict[str, terms.Terms] = {
    "instalments": _lent(
        terms.Plan(kind="equal_instalments", count=12, every=1, unit="months"), "0.24", "year",
        penalty=_late("0.0005", 3),
    ),
    "flat": _lent(
        terms.Plan(kind="equal_instalments", count=6, every=1, unit="months"), "0.018", "month",
        interest_base="original_principal", day_count="same_as_period",
        fees=(terms.Fee(kind="late", when="on_lateness", flat_minor=20_000, after_days=5),), penalty=_late("0.0003"),
    ),
    "short": _lent(
        terms.Plan(kind="single_payment", every=SHORT, unit="days"), "0.005", "day", penalty=_late("0.001"),
        fees=(terms.Fee(kind="extension", when="on_extension", flat_minor=20_000),), cost_cap_share=Fraction(1),
        extension=terms.Extension(days_allowed=(EXTENSION_DAYS,), max_count=3),
    ),
    "principal": _lent(
        terms.Plan(kind="equal_principal", count=10, every=1, unit="months"), "0.20", "year", day_count="30/360",
        penalty=_late("0.0004", 2),
    ),
}  # fmt: skip


# --- lives -------------------------------------------------------------------------------------------------------


class _Life:
    """A loan and what was told about it so far."""

    def __init__(self, agreed: terms.Terms, starts_on: date, source: str) -> None:
        self.loan, self.source = state.new(agreed, starts_on), source
        self.told: list[events.Event] = []
        self.tell(events.Approved, starts_on)
        self.tell(events.Disbursed, starts_on, amount_minor=agreed.principal_minor)

    def tell(self, kind: type[events.Event], on: date, **facts: Any) -> events.Event:
        event = kind(effective_on=on, source=f"{self.source}:{len(self.told)}", **facts)
        self.loan = replay.append(self.loan, self.told, event).loan
        self.told.append(event)
        return event

    def pay(self, on: date, amount_minor: int = 0) -> events.Event:
        """So much, or what is payable on the day."""
        due = state.due_now(replay.replay(self.loan.terms, self.told, on, daily=False).loan)
        return self.tell(events.PaymentReceived, on, amount_minor=amount_minor or max(1, due))


def _arrival(number: int, on: date) -> arrivals.Arrival:
    """The life of this number, whose next due date lies `number // 4 % MONTH` days after the first day measured."""
    product = list(PRODUCTS)[number % len(PRODUCTS)]
    place = number // len(PRODUCTS)
    due_on, age = on + timedelta(days=DAYS_LIVED + place % MONTH), place // MONTH
    agreed = replace(PRODUCTS[product], principal_minor=(3 + number % 23) * 1_000_000)
    late = place % 10 == 7
    lived = _short if product == "short" else _monthly
    life = lived(agreed, number, due_on, age, on, late=late)
    has_history = any(isinstance(event, events.PaymentReturned | events.Extended) for event in life.told)
    told = life.told if has_history or number % 8 == 0 else _carried(life, on)
    over = [] if told is not life.told else [events.TakenOver(effective_on=on, source=f"{life.source}:over")]
    return arrivals.Arrival(
        number=f"H-{number:04d}", party_id=uuid5(UUID(int=0), str(number)), product=product,
        product_version_id=UUID(int=number % len(PRODUCTS)), org_path=UNITS[number % len(UNITS)], terms=agreed,
        told=(*told, *over), step=arrivals.lived(agreed, (*told, *over), on),
    )  # fmt: skip


def _monthly(agreed: terms.Terms, number: int, due_on: date, age: int, on: date, *, late: bool) -> _Life:
    """Some instalments were paid, one in fifteen by a payment that came back; who is late missed up to three."""
    missed = 1 + age if late else 0
    paid = 1 + age
    starts_on = calendar.add_months(due_on, -(paid + missed + 1))
    life = _Life(agreed, starts_on, f"herd:{number}")
    for day in [day for day in life.loan.due_dates if day < on][:paid]:
        payment = life.pay(day)
        if number % 15 == 2 and day + timedelta(days=2) < on:
            life.tell(events.PaymentReturned, day + timedelta(days=1), undoes=payment.source)
            life.pay(day + timedelta(days=2))
    if not late and number % 10 < 8 and life.loan.at < on - timedelta(days=1):
        life.pay(on - timedelta(days=1), life.loan.level_minor * 2)
    return life


def _short(agreed: terms.Terms, number: int, due_on: date, age: int, on: date, *, late: bool) -> _Life:
    """One payment, moved for some by an extension; who is late missed it up to two months ago."""
    extended = not late and number % 3 == 0
    shift = EXTENSION_DAYS if extended else MONTH * (1 + age % 2) if late else 0
    life = _Life(agreed, due_on - timedelta(days=SHORT + shift), f"herd:{number}")
    day = due_on - timedelta(days=EXTENSION_DAYS + 3)
    if extended and life.loan.at < day < on:
        life.tell(events.Extended, day, days=EXTENSION_DAYS)
        life.pay(day)
    if not late and not extended and number % 10 < 8 and life.loan.at < on - timedelta(days=1):
        life.pay(on - timedelta(days=1), agreed.principal_minor * (1000 + 5 * SHORT) // 1000)
    return life


def _carried(life: _Life, on: date) -> list[events.Event]:
    """The same loan, told by its figures of that morning instead of by its past."""
    loan = replay.replay(life.loan.terms, life.told, on, daily=False).loan
    standing = events.Carried(
        disbursed_on=loan.disbursed_on or on,
        balances=_held(loan.balances),
        bills=tuple(events.OldBill(due_on=b.due_on, due=_held(b.due), paid=_held(b.paid)) for b in loan.bills),
        level_minor=loan.level_minor,
        charged_minor=loan.charged_minor,
    )
    over = events.TakenOver(effective_on=on, source=f"{life.source}:over", standing=standing)
    return [life.told[0], over]


def _held(amounts: Mapping[str, int]) -> tuple[events.Held, ...]:
    return tuple(events.Held(balance=key, amount_minor=amount) for key, amount in sorted(amounts.items()))


# --- what it is made of ------------------------------------------------------------------------------------------


def mix(counted: Callable[[str], list[tuple[Any, ...]]]) -> dict[str, Any]:
    """Products, ages and events of the bound institution's loans; `counted` answers a query."""
    products: Counter[str] = Counter(dict(counted("SELECT product, count(*) FROM servicing_loan GROUP BY product")))
    (loans, late), (told,) = (
        counted("SELECT count(*), count(*) FILTER (WHERE status = 'past_due') FROM servicing_loan")[0],
        counted("SELECT count(*) FROM servicing_loanevent")[0],
    )
    return {
        "products": dict(sorted(products.items())),
        "events_per_loan": round(told / max(1, loans), 2),
        "past_due_share": round(late / max(1, loans), 3),
    }
