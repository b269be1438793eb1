"""The twins in this process, for simulation: the port `ports.sandbox`, joined to the adapters without a network."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from usance.adapters.sandbox import orders
from usance.adapters.sandbox.app import create_app, deliver_due, new_card, twin_of
from usance.adapters.sandbox.book import Book
from usance.adapters.sandbox.fondy_pay import BANK_CODE
from usance.adapters.sandbox.money import digits_of
from usance.ports.payment_rail import Card
from usance.ports.sandbox import Deliver

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


class InProcess:
    """One set of twins over a book of their own, in memory: they live in the simulation's clock, several simulations
    side by side. They know the cards and orders of the served sandbox's book at `served`, and hand theirs over to it
    when they are closed. `deliver` gets their callbacks as (path, body, headers). Processes that live one simulation
    together have their book in the file `shared`; the one that `leads` fills it first and hands it over last."""

    def __init__(self, served: Path, deliver: Deliver, *, shared: Path | None = None, leads: bool = True) -> None:
        self.served, self.leads = served, leads
        self.app: Flask = create_app(
            shared or ":memory:", send=lambda url, body, headers: deliver(_path(url), body, headers)
        )
        self.twin = twin_of(self.app)
        if not leads:
            return
        Book(served).close()  # makes the tables where there are none yet
        self._copy(
            "INSERT INTO cards SELECT * FROM served.cards",
            "INSERT INTO orders SELECT * FROM served.orders",
            "INSERT INTO settings SELECT * FROM served.settings WHERE name = 'fresh_cards'",
        )

    def close(self) -> None:
        if self.leads:
            self._hand_over()
        self.twin.book.close()

    def _hand_over(self) -> None:
        self._copy(
            "INSERT OR REPLACE INTO served.cards SELECT * FROM cards",
            f"INSERT OR IGNORE INTO served.orders ({ORDER}) SELECT {ORDER} FROM orders",  # noqa: S608 - our own words
            f"INSERT OR IGNORE INTO served.messages ({MESSAGE}) SELECT {MESSAGE} FROM messages",  # noqa: S608
            "INSERT INTO served.settings SELECT * FROM settings WHERE name = 'fresh_cards' "
            "ON CONFLICT (name) DO UPDATE SET value = max(cast(value AS integer), cast(excluded.value AS integer))",
        )

    def _copy(self, *statements: str) -> None:
        """Between this book and the served one, all or nothing."""
        book = self.twin.book
        book.run("ATTACH DATABASE ? AS served", str(self.served))
        try:
            with book.write():
                for statement in statements:
                    book.run(statement)
        finally:
            book.run("DETACH DATABASE served")

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


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
