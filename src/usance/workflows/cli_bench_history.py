"""`usance bench history`: how long the portfolio of a past date takes, on both axes, and the loans behind a figure.

Loans and their movements are made by set-based statements in a database of its own: each is lent, earns interest day by
day, a part pays and a part of that is known late. Then every day of booking is summed up, years of sums are put before
them, and dates are asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, transaction

from usance.apps.institutions import selectors as institutions
from usance.apps.institutions import services as founding
from usance.apps.institutions import tenancy
from usance.apps.institutions.models import new_id
from usance.apps.ledger import services as ledger
from usance.apps.servicing import portfolio, portfolio_lines
from usance.apps.servicing import services as servicing
from usance.core.accounting import books
from usance.core.loan import terms
from usance.core.money import Currency
from usance.core.rates import Rate
from usance.ports import clock
from usance.ports.actor import SYSTEM
from usance.workflows import demo, filling, measuring
from usance.workflows.simulate import outside

CODE = "vn"
LOANS, DAYS, YEARS = 100_000, 30, 5
PRODUCTS, BRANCHES = 8, 20
ROUNDS = 5
MOST_SECONDS = 5.0  # "in seconds"
BEGAN = date(2026, 1, 1)

MORE_LOANS = """
INSERT INTO servicing_loan ({names})
SELECT {values} FROM servicing_loan t, generate_series(%(first)s, %(last)s) AS c(n) WHERE t.id = %(template)s
"""
MOVED = """
INSERT INTO servicing_loanmovement
    (institution_id, booked_on, id, loan_id, entry_id, effective_on, kind, component, fee_kind, tax_kind, amount_minor)
SELECT institution_id, %(booked)s, uuidv7(), id, %(entry)s, %(effective)s, %(kind)s, %(component)s, '', '',
       %(amount)s
FROM servicing_loan WHERE substr(number, 3)::bigint %% %(of)s = %(rest)s
"""
MARKED = """
INSERT INTO servicing_statuschange
    (id, institution_id, loan_id, booked_on, effective_on, status, past_due_since, count)
SELECT uuidv7(), institution_id, id, %(on)s, %(on)s, %(status)s, %(since)s, %(count)s
FROM servicing_loan WHERE substr(number, 3)::bigint %% %(of)s = %(rest)s
"""
OLD_SUMS = """
INSERT INTO servicing_portfoliosum
    (id, institution_id, booked_on, effective_on, product, branch, measure, status, past_due_since, amount)
SELECT uuidv7(), %(institution)s, d::date, d::date - late, 'p' || p, 'root.b' || b, m, '', NULL, 1 + p + b
FROM generate_series(%(first)s::date, %(last)s::date, '1 day') d, generate_series(1, %(products)s) p,
     generate_series(1, %(branches)s) b, unnest(%(measures)s::text[]) m, generate_series(0, 1) late
"""


def main(*, loans_wanted: int, as_json: bool) -> int:
    """0 when every goal was met, 1 when one was not, 2 when this database is not for measuring."""
    return measuring.run(lambda tell: measure(loans_wanted=loans_wanted), as_text, as_json=as_json)


def measure(*, loans_wanted: int) -> dict[str, Any]:
    """Makes the loans and asks. Raises filling.OtherData where there are institutions already."""
    if list(institutions.all_institutions()):
        raise filling.OtherData("this database holds institutions: set USANCE_HOME to an empty folder")
    keys = demo.Secrets.new()
    mine = demo.found(code=CODE, starts_on=BEGAN, at=clock.now(), keys=keys)[0]
    with tenancy.bound(mine), outside.not_waiting_for_the_disk():
        began = time.perf_counter()
        with transaction.atomic():
            _make(loans_wanted)
        made = time.perf_counter() - began
        summed = _sum_up()
        small = _ask()
        with transaction.atomic():
            old = _put_years_before()
        _tidy()
        asked, movements = _ask(), _count("servicing_loanmovement")
    return {
        "loans": loans_wanted,
        "days": DAYS,
        "years_of_sums": YEARS,
        "movements": movements,
        "sums": old,
        "making_seconds": round(made, 1),
        "summing_up_a_day_seconds": round(summed / DAYS, 3),
        "without_years": small,
        "asked": asked,
        "breaches": [name for name, seconds in asked.items() if seconds > MOST_SECONDS],
    }


def _count(table: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (our own names)
        return int(cursor.fetchone()[0])


# --- making ------------------------------------------------------------------------------------------------------


def _make(loans_wanted: int) -> None:
    ledger.open_books()
    ledger.ensure_partitions(since=BEGAN, until=BEGAN + timedelta(days=DAYS + 40))
    template = _first_loan()
    _multiply(template, loans_wanted)
    _run("UPDATE servicing_loan SET status = 'active'", {})
    _run("INSERT INTO servicing_portfoliorollup (id, institution_id, starts_on, ends_on) "
         "VALUES (uuidv7(), %(institution)s, '0001-01-01', %(began)s)",
         {"institution": tenancy.current_id(), "began": BEGAN})  # fmt: skip
    _move(BEGAN, BEGAN, "disbursed", "principal", 1_000_000)
    _mark(BEGAN, "active", None, 1)
    for number in range(DAYS):
        on = BEGAN + timedelta(days=number)
        _move(on, on, "interest_accrued", "interest", 1_000)
        if number:
            _pay(on, number)
    founding.move_business_date(to=BEGAN + timedelta(days=DAYS), ahead_days=0)


def _first_loan() -> UUID:
    agreed = terms.Terms(
        currency=Currency("VND", 0),
        principal_minor=1_000_000,
        plan=terms.Plan(kind="single_payment", every=60, unit="days"),
        rates=(terms.RateStep(from_day=0, rate=Rate(Fraction(1, 1000), "day")),),
    )
    booked = servicing.book_loan(party_id=new_id(), product="p1", terms=agreed, source="bench:1", actor=SYSTEM)
    return booked.pk


def _multiply(template: UUID, loans_wanted: int) -> None:
    """Copies of one loan in other products and branches."""
    own = {
        "id": "uuidv7()",
        "number": "'L-' || lpad(c.n::text, 6, '0')",
        "product": f"'p' || (1 + c.n % {PRODUCTS})",
        "org_path": f"'root.b' || (1 + c.n % {BRANCHES})",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'servicing_loan'::regclass AND attnum > 0 "
            "AND NOT attisdropped"
        )
        names = [name for (name,) in cursor.fetchall()]
    values = ", ".join(own.get(name, f"t.{name}").replace("%", "%%") for name in names)
    last = loans_wanted
    _run(MORE_LOANS.format(names=", ".join(names), values=values), {"first": 2, "last": last, "template": template})


def _move(booked: date, effective: date, kind: str, component: str, amount: int, of: int = 1, rest: int = 0) -> None:
    """A movement of each loan with this rest, all carried by one small entry."""
    debit, credit = books.posting(kind, component)
    transfer = ledger.NewTransfer(debit=debit, credit=credit, amount_minor=abs(amount), branch="root", product="p1")
    entry = ledger.post(
        entry=ledger.NewEntry(
            key=f"bench:{booked}:{effective}:{kind}:{component}:{rest}", booked_on=booked, effective_on=effective,
            description="loan.days_passed", transfers=[transfer],
        ),
        actor=SYSTEM,
    )  # fmt: skip
    _run(MOVED, {"booked": booked, "effective": effective, "kind": kind, "component": component, "amount": amount,
                 "of": of, "rest": rest, "entry": entry.pk})  # fmt: skip


def _mark(on: date, status: str, since: date | None, count: int, of: int = 1, rest: int = 0) -> None:
    _run(MARKED, {"on": on, "status": status, "since": since, "count": count, "of": of, "rest": rest})


def _pay(on: date, number: int) -> None:
    """Three in a hundred pay on a day, half of them known a day late; one in a hundred becomes past due."""
    late = on - timedelta(days=number % 2)
    for rest in (number, number + 33, number + 66):
        _move(on, late, "payment_received", "unapplied", 5_000, 100, rest % 100)
        _move(on, late, "allocated", "interest", -5_000, 100, rest % 100)
    _mark(on, "active", None, -1, 100, number)
    _mark(on, "past_due", on - timedelta(days=1), 1, 100, number)


def _tidy() -> None:
    """What the database does by itself in the hours after so many rows came."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE) servicing_loan, servicing_loanmovement, servicing_statuschange")
        owner.execute("VACUUM (ANALYZE) servicing_portfoliosum")


def _sum_up() -> float:
    _tidy()
    began = time.perf_counter()
    with transaction.atomic():
        portfolio.roll_up()
    return time.perf_counter() - began


def _put_years_before() -> int:
    """What the sums of some years look like: as many products and branches, and what is known a day late."""
    _run(OLD_SUMS, {"institution": tenancy.current_id(), "first": BEGAN - timedelta(days=365 * YEARS),
                    "last": BEGAN - timedelta(days=1), "products": PRODUCTS, "branches": BRANCHES,
                    "measures": list(portfolio.MONEY)})  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM servicing_portfoliosum")
        return int(cursor.fetchone()[0])


def _run(sql: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


# --- asking ------------------------------------------------------------------------------------------------------


def _ask() -> dict[str, float]:
    """The slowest of some rounds, in seconds, of each question."""
    last, middle = BEGAN + timedelta(days=DAYS - 1), BEGAN + timedelta(days=DAYS // 2)
    ages_ago = BEGAN - timedelta(days=365 * YEARS // 2)
    behind = portfolio_lines.Question(on=middle, known_on=last, measure="interest")
    late = portfolio_lines.Question(on=middle, known_on=last, status="past_due", bucket="1-30")
    questions: dict[str, Callable[[], Any]] = {
        "yesterday, as known today": lambda: portfolio.on_date(on=last),
        "half the days ago, as known then": lambda: portfolio.on_date(on=middle, known_on=middle),
        "half the days ago, as known today": lambda: portfolio.on_date(on=middle),
        "half the years ago, as known today": lambda: portfolio.on_date(on=ages_ago),
        "a branch": lambda: portfolio.on_date(on=middle, branch="root.b1"),
        "the first loans behind the interest": lambda: portfolio_lines.loans(behind),
        "the first loans behind a bucket": lambda: portfolio_lines.loans(late),
        "what was learned since, a page": lambda: list(portfolio_lines.learned(behind)[:50]),
    }
    return {name: _slowest(question) for name, question in questions.items()}


def _slowest(question: Callable[[], Any]) -> float:
    took = []
    for _ in range(ROUNDS):
        with transaction.atomic():
            began = time.perf_counter()
            question()
            took.append(time.perf_counter() - began)
    return round(max(took), 3)


def as_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    lines = [
        f"{figures['loans']} loans, {figures['movements']} movements of {figures['days']} days, "
        f"{figures['sums']} sums of {figures['years_of_sums']} years; made in {figures['making_seconds']} s",
        f"summing up one day of booking: {figures['summing_up_a_day_seconds']} s",
        f"{'':40}{'seconds':>10}{'without the years':>20}",
    ]
    for name, seconds in figures["asked"].items():
        slow = "  too slow" if name in figures["breaches"] else ""
        lines.append(f"{name:40}{seconds:>10}{figures['without_years'][name]:>20}{slow}")
    return "\n".join(lines) + "\n"
