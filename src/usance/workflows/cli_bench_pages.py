"""`usance bench pages`: how long staff wait for a search, a list, a loan, a customer and the dashboard, at a hundred
thousand customers and loans. Each page is asked for in this process, by Django's test client: middleware, sign-in,
database and template are in the figure, the web server and the network are not. Beside the time on the clock stands
the processor time that a page took, which says the same on a busy machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.db import connection, transaction
from django.test import Client

from usance.apps.access import permissions, sign_in
from usance.apps.access import services as access
from usance.apps.customers import selectors as customers
from usance.apps.institutions import tenancy
from usance.apps.servicing import selectors as loans
from usance.ports import clock
from usance.ports.actor import SYSTEM
from usance.workflows import crowd, measuring

CUSTOMERS = 100_000
ROUNDS, FLOOR_ROUNDS = 12, 300
SEARCH_MS, PAGE_MS = 200, 500
BACKEND = "usance.apps.access.backend.InstitutionBackend"


@dataclass(frozen=True, slots=True)
class Page:
    """An address, who asks for it, and how long it may take (p95)."""

    name: str
    role: str
    address: str
    most_ms: int = PAGE_MS


def measure(*, customers_wanted: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Makes the crowd if it is not there, and measures; `tell` hears of each step. Raises filling.OtherData."""
    found = crowd.present(customers=customers_wanted, tell=tell)
    tell("pages")
    with tenancy.bound(found.institution_id):
        pages = _pages()
        browsers = {role: _browser(role) for role in {page.role for page in pages}}
        floor_ms = _floor()
        measured = {page.name: _ask(browsers[page.role], page) for page in pages}
    return {
        "customers": found.customers,
        "loans": found.loans,
        "floor_ms": round(floor_ms, 3),
        "pages": measured,
        "breaches": [name for name, one in measured.items() if not one["ok"]],
    }


def _pages() -> list[Page]:
    """What is looked for is somebody in the middle of the crowd."""
    with transaction.atomic():
        number = loans.loan_register().count() // 2
        loan = loans.loan_register(status="live").order_by("id")[number // 2]
        who = customers.profile(loan.party_id)
    given, family = who.values["given_name"], who.values["family_name"]
    local = "0" + who.phone.removeprefix("+84")
    asked = {
        "search: name parts in any order": f"{given} {family}",
        "search: one common name": str(family),
        "search: phone as people write it": f"{local[:4]} {local[4:7]} {local[7:]}",
        "search: loan number without zeros": loan.number.removeprefix("L-").lstrip("0"),
        "search: identity number": who.identity_number,
        "search: last four of a document": who.identity_number[-4:],
        "search: nobody": "Zzyzx Qwertz",
    }
    searches = [
        Page(name, "auditor", f"customers/?q={text.replace(' ', '+')}", SEARCH_MS) for name, text in asked.items()
    ]
    lists = {
        "loans": "loans/",
        "loans, most owed first": "loans/?order=-outstanding",
        "loans, page 200": "loans/?page=200",
        "loans, by due date": "loans/?order=due",
        "loans that run": "loans/?status=active",
        "loans of a number's beginning": "loans/?q=L-00",
        "past due": "loans/past-due/",
        "past due, one bucket": "loans/past-due/?bucket=1-30",
        "customers": "customers/",
        "customers, page 200": "customers/?page=200",
        "applications": "applications/",
        "applications, largest first": "applications/?order=-amount_minor",
        "payments": "payments/",
        "payments, page 200": "payments/?page=200",
        "payments that were refused": "payments/?view=failed",
        "messages": "messages/",
        "messages, page 200": "messages/?page=200",
        "messages that did not arrive": "messages/?view=failed",
        "audit trail": "trail/",
        "audit trail, page 200": "trail/?page=200",
        "audit trail, of one act": "trail/?action=personal.viewed",
        "loan 360": f"loans/{loan.pk}/",
        "customer": f"customers/{loan.party_id}/",
        "dashboard": "dashboard/",
        "dashboard, 12 months": "dashboard/?period=365",
        "trial balance": "books/",
    }
    return [
        *searches,
        *(Page(name, "auditor", address) for name, address in lists.items()),
        Page("queue", "underwriter", "queue/"),
    ]


def _browser(role: str) -> Client:
    """Signed in as a member of staff of a role, second factor and all."""
    assert role in permissions.ROLES
    with transaction.atomic():
        user = access.hire(email=f"bench.{time.time_ns()}@example.com", name=f"Bench {role}", actor=SYSTEM)
        access.grant_role(user=user, role=role, actor=SYSTEM)
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[auth.SESSION_KEY] = str(user.pk)
        session[auth.BACKEND_SESSION_KEY] = BACKEND
        session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        opened = sign_in.open_session(
            user=user, session_key=session.session_key, device="bench", factor="totp", at=clock.now()
        )
        session["staff_session"] = str(opened.pk)
        session.save()
    browser = Client(headers={"host": f"{crowd.CODE}.localhost", "accept-language": "en"})
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return browser


def _ask(browser: Client, page: Page) -> dict[str, Any]:
    """The page again and again; the first time does not count, as it fills what every later one finds."""
    count = 0

    def counting(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        nonlocal count
        count += 1
        return execute(sql, values, many, context)

    with connection.execute_wrapper(counting):
        reply = browser.get(f"/staff/{page.address}")
    took, worked, asked = [], time.process_time(), _database_seconds()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        browser.get(f"/staff/{page.address}")
        took.append(1000 * (time.perf_counter() - began))
    worked, asked = time.process_time() - worked, _database_seconds() - asked
    p50, p95 = median(took), quantiles(took, n=20, method="inclusive")[-1]
    return {
        "p50_ms": round(p50, 1),
        "p95_ms": round(p95, 1),
        "max_ms": round(max(took), 1),
        "goal_ms": page.most_ms,
        "python_ms": round(1000 * worked / ROUNDS, 1),
        "postgres_ms": round(1000 * asked / ROUNDS, 1),
        "queries": count,
        "status": reply.status_code,
        "ok": p95 <= page.most_ms and reply.status_code < 400,
    }


def _database_seconds() -> float:
    """Processor time of the server process behind our connection, where it runs on this machine; else nought."""
    about = Path(f"/proc/{connection.connection.info.backend_pid}/stat")
    if not about.exists() or "(postgres" not in (text := about.read_text()):
        return 0.0
    user, system = text.rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / float(os.sysconf("SC_CLK_TCK"))


def _floor() -> float:
    """Milliseconds of the bare read of one row by its key, on this machine, in this run."""
    took = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM servicing_loan LIMIT %s", [FLOOR_ROUNDS])
        ids: Sequence[tuple[UUID]] = cursor.fetchall()
        for key in ids:
            began = time.perf_counter()
            cursor.execute("SELECT number, status FROM servicing_loan WHERE id = %s", key)
            cursor.fetchone()
            took.append(time.perf_counter() - began)
    return 1000 * median(took)


def main(*, customers_wanted: int, as_json: bool) -> int:
    """0 when every goal was met, 1 when one was not, 2 when this database is not for measuring."""
    return measuring.run(lambda tell: measure(customers_wanted=customers_wanted, tell=tell), as_text, as_json=as_json)


COLUMNS = ("p50_ms", "p95_ms", "max_ms", "goal_ms", "python_ms", "postgres_ms", "queries")


def as_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    lines = [
        f"{figures['customers']} customers, {figures['loans']} loans; one row by its key: {figures['floor_ms']} ms",
        f"{'':36}" + "".join(f"{name.replace('_', ' '):>12}" for name in COLUMNS),
    ]
    for name, one in figures["pages"].items():
        cells = "".join(f"{one[column]:>12}" for column in COLUMNS)
        lines.append(f"{name:36}{cells}  {'ok' if one['ok'] else 'TOO SLOW' if one['status'] < 400 else one['status']}")
    return "\n".join(lines) + "\n"
