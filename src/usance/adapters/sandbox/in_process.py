"""The twins in this process, for simulation: the port `ports.sandbox`, joined to the adapters without a network."""

from __future__ import annotations

import fcntl
import os
import re
from datetime import date
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Flask

from usance.adapters.sandbox import orders
from usance.adapters.sandbox.app import create_app, deliver_due, new_card, twin_of
from usance.adapters.sandbox.book import Book
from usance.adapters.sandbox.fondy_pay import BANK_CODE
from usance.adapters.sandbox.money import digits_of
from usance.ports.payment_rail import Card
from usance.ports.sandbox import Deliver

LEFT, SUFFIX = "-simulated-", ".lives"  # the name of a simulation's own book
CODE = re.compile(r"\b(\d{6})\b")
STEPS = 6  # more pages than any payment has


class StuckOnCardPage(RuntimeError):
    """The hosted page did not come to its end."""


ORDER = (
    "merchant_id, order_id, via, tran_type, amount, currency, description, status, response_code, "
    "response_description, created_at, paid_at, token, give_token, verification_status, attempts, reversed, "
    "response_url, callback_url, lang, merchant_data"
)
MESSAGE = "request_id, channel, sender, locator, subject, text, html, external_id, at, final_at, final_status"


TAKEN_OVER = (
    "INSERT INTO cards SELECT * FROM served.cards",
    "INSERT INTO orders SELECT * FROM served.orders",
    "INSERT INTO settings SELECT * FROM served.settings WHERE name = 'fresh_cards'",
)
HANDED_OVER = (
    "INSERT OR REPLACE INTO served.cards SELECT * FROM cards",
    f"INSERT OR IGNORE INTO served.orders ({ORDER}) SELECT {ORDER} FROM orders",  # noqa: S608 - our own words
    f"INSERT OR IGNORE INTO served.messages ({MESSAGE}) SELECT {MESSAGE} FROM messages",  # noqa: S608
    "INSERT INTO served.settings SELECT * FROM settings WHERE name = 'fresh_cards' "
    "ON CONFLICT (name) DO UPDATE SET value = max(cast(value AS integer), cast(excluded.value AS integer))",
)


class InProcess:
    """One set of twins over a book of their own beside the served one: they live in the simulation's clock, several
    simulations side by side. They know the cards and orders of the served sandbox's book at `served`, and hand theirs
    over to it when they are closed; what a killed simulation left is handed over by whoever comes next (`adopt`).
    `deliver` gets their callbacks as (path, body, headers). Processes that live one simulation together name their book
    by `shared`; the one that `leads` fills it first and hands it over last."""

    def __init__(self, served: Path, deliver: Deliver, *, shared: Path | None = None, leads: bool = True) -> None:
        self.served, self.leads = served, leads
        name = sha256(str(shared).encode()).hexdigest()[:32] if shared else uuid4().hex
        self.own = served.with_name(f"{served.stem}{LEFT}{name}{SUFFIX}")
        if leads:
            Book(served).close()  # makes the tables where there are none yet
            adopt(served)
            self._claim = _claimed(self.own)  # nobody else knows its name yet
        self.app: Flask = create_app(self.own, send=lambda url, body, headers: deliver(_path(url), body, headers))
        self.twin = twin_of(self.app)
        self.twin.book.run("PRAGMA synchronous = OFF")  # a fallen process loses nothing; a fallen machine, a demo
        if leads:
            _copy(self.twin.book, served, *TAKEN_OVER)

    def close(self) -> None:
        if self.leads:
            _copy(self.twin.book, self.served, *HANDED_OVER)
        self.twin.book.close()
        if self.leads:
            _forget(self.own)
            if self._claim is not None:
                os.close(self._claim)

    def new_card(self, *, merchant: str, on: date) -> Card:
        return new_card(self.app, merchant_id=merchant, on=on)

    def fill_card_page(self, page_url: str, *, held_minor: int | None = None) -> None:
        browser, path = self.app.test_client(), _path(page_url)
        reply = browser.post(path, data={"test_card": "fresh"})
        for _ in range(STEPS):
            where = _path(reply.headers.get("Location", ""))
            if where.endswith("/done"):
                return
            if where.endswith("/bank"):
                reply = browser.post(where, data={"code": BANK_CODE})
            elif where.endswith("/held"):
                reply = browser.post(where, data={"amount": self._held(where, held_minor)})
            else:
                raise StuckOnCardPage(f"{path}: {reply.status_code} {where}")
        raise StuckOnCardPage(path)

    def _held(self, path: str, held_minor: int | None) -> str:
        order = orders.by_payment_id(self.twin, int(path.split("/")[-2]))
        if order is None:
            raise StuckOnCardPage(path)
        minor, digits = held_minor or order["amount"], digits_of(order["currency"])
        whole, rest = divmod(minor, 10**digits)
        return f"{whole}.{rest:0{digits}d}" if digits else str(whole)

    def latest_code(self, to: str) -> str:
        row = self.twin.book.row(
            "SELECT text FROM messages WHERE locator LIKE ? ORDER BY id DESC LIMIT 1", f"%{to.lstrip('+')[-9:]}"
        )
        found = CODE.search(row["text"]) if row else None
        return found[1] if found else ""

    def take_back(self, order_id: str) -> None:
        order = self.twin.book.row("SELECT * FROM orders WHERE order_id = ? AND status = 'approved'", order_id)
        if order is not None:
            with self.twin.book.write():
                orders.reverse(
                    self.twin, order, reverse_id=f"bank-{order_id}", amount=order["amount"], comment="taken back"
                )

    def deliver(self) -> int:
        return deliver_due(self.app)


def adopt(served: Path) -> int:
    """Hands over the books of simulations that died before they could; says how many."""
    left = [path for path in served.parent.glob(f"{served.stem}{LEFT}*") if path.suffix == SUFFIX]
    count = 0
    for path in left:
        claim = _claimed(path)
        if claim is None:  # it lives
            continue
        book = Book(path)
        _copy(book, served, *HANDED_OVER)
        book.close()
        _forget(path)
        os.close(claim)
        count += 1
    return count


def _claimed(path: Path) -> int | None:
    """A handle that marks the book as somebody's until it is closed or its process ends; None when it is taken. On a
    file of its own: closing another handle of the book would drop SQLite's locks on it."""
    handle = os.open(path.with_name(path.name + "-claim"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _forget(path: Path) -> None:
    for part in ("", "-wal", "-shm", "-claim"):
        path.with_name(path.name + part).unlink(missing_ok=True)


def _copy(book: Book, served: Path, *statements: str) -> None:
    """Between a book and the served one, all or nothing."""
    book.run("ATTACH DATABASE ? AS served", str(served))
    try:
        with book.write():
            for statement in statements:
                book.run(statement)
    finally:
        book.run("DETACH DATABASE served")


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
