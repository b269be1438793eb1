"""The twins' own SQLite book: what the providers would know. One connection, one writer at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, operation TEXT NOT NULL, kind TEXT NOT NULL,
    value TEXT NOT NULL DEFAULT '', share INTEGER NOT NULL DEFAULT 100, "left" INTEGER, hits INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, provider TEXT NOT NULL, operation TEXT NOT NULL,
    merchant TEXT NOT NULL DEFAULT '', key TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS calls_key ON calls (key);
CREATE TABLE IF NOT EXISTS cards (
    token TEXT PRIMARY KEY, merchant_id TEXT NOT NULL, masked TEXT NOT NULL, brand TEXT NOT NULL,
    behaviour TEXT NOT NULL, expires_on TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
    payment_id INTEGER PRIMARY KEY, merchant_id TEXT NOT NULL, order_id TEXT NOT NULL, via TEXT NOT NULL,
    tran_type TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, description TEXT NOT NULL,
    status TEXT NOT NULL, response_code TEXT NOT NULL DEFAULT '', response_description TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL, paid_at TEXT, expires_at TEXT, planned_code TEXT, planned_at TEXT,
    token TEXT, pending_token TEXT, give_token INTEGER NOT NULL DEFAULT 0,
    verification_status TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
    reversed INTEGER NOT NULL DEFAULT 0, amount_told INTEGER, currency_told TEXT,
    response_url TEXT NOT NULL DEFAULT '', callback_url TEXT NOT NULL DEFAULT '', lang TEXT NOT NULL DEFAULT 'en',
    merchant_data TEXT NOT NULL DEFAULT '',
    UNIQUE (merchant_id, order_id)
);
CREATE INDEX IF NOT EXISTS orders_open ON orders (status) WHERE status IN ('created', 'processing');
CREATE INDEX IF NOT EXISTS orders_planned ON orders (planned_at) WHERE planned_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS reversals (
    id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL REFERENCES orders, reverse_id TEXT NOT NULL,
    amount INTEGER NOT NULL, at TEXT NOT NULL, comment TEXT NOT NULL DEFAULT '', UNIQUE (payment_id, reverse_id)
);
CREATE TABLE IF NOT EXISTS callbacks (
    id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL, url TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', attempts INTEGER NOT NULL DEFAULT 0, due_at TEXT NOT NULL,
    last_outcome TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS callbacks_waiting ON callbacks (due_at) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, sender TEXT NOT NULL,
    locator TEXT NOT NULL, subject TEXT NOT NULL DEFAULT '', text TEXT NOT NULL, html TEXT NOT NULL DEFAULT '',
    external_id TEXT NOT NULL DEFAULT '', at TEXT NOT NULL, final_at TEXT NOT NULL, final_status TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_locator ON messages (locator);
"""


class Book:
    """`path` is a file, or ":memory:". `write` is one transaction; inside another `write` it joins it."""

    def __init__(self, path: str | Path) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = RLock()
        self._connection = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None, timeout=30)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def write(self) -> Iterator[None]:
        with self._lock:
            if self._connection.in_transaction:  # ours, since we hold the lock
                yield
                return
            with self._connection:  # commits, or rolls back on the way of an exception
                self._connection.execute("BEGIN IMMEDIATE")
                yield

    def run(self, sql: str, *arguments: Any) -> int:
        """Executes one statement; the id of an inserted row."""
        with self._lock:
            return int(self._connection.execute(sql, arguments).lastrowid or 0)

    def rows(self, sql: str, *arguments: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, arguments).fetchall()

    def row(self, sql: str, *arguments: Any) -> sqlite3.Row | None:
        found = self.rows(sql, *arguments)
        return found[0] if found else None

    def update(self, table: str, key: str, value: Any, changes: dict[str, Any]) -> None:
        """Sets columns of one row. Table and column names come from our own code only."""
        sets = ", ".join(f"{name} = ?" for name in changes)
        self.run(f"UPDATE {table} SET {sets} WHERE {key} = ?", *changes.values(), value)  # noqa: S608

    def insert(self, table: str, values: dict[str, Any]) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        return self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", *values.values())  # noqa: S608

    def setting(self, name: str, default: str) -> str:
        found = self.row("SELECT value FROM settings WHERE name = ?", name)
        return str(found["value"]) if found else default

    def set(self, name: str, value: str) -> None:
        self.run(
            "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value,
        )

    def unset(self, name: str) -> None:
        self.run("DELETE FROM settings WHERE name = ?", name)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
