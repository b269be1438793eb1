"""What the twins share: the book, the merchants and accounts, the clock, and the way out for callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app

from usance.adapters.sandbox.book import Book

Sender = Callable[[str, bytes, Mapping[str, str]], int]

PROVIDER_ZONE = ZoneInfo("Europe/Kyiv")  # of the times that the Fondy twin writes


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant of the Fondy twin. `zone`: where its customers live; a date that the twin is told is a day there."""

    merchant_id: str
    name: str
    currencies: tuple[str, ...]
    time_zone: str
    payment_key: str = "test"
    credit_key: str = "testcredit"


# The test merchants that Fondy, hutko and Flitt publish in their documentation; the names are ours.
MERCHANTS = (
    Merchant("1396424", "Sandbox merchant, Ukraine", ("UAH", "USD"), "Europe/Kyiv"),
    Merchant("1700002", "Sandbox merchant, Vietnam", ("VND",), "Asia/Ho_Chi_Minh"),
    Merchant("1549901", "Sandbox merchant, euro", ("EUR",), "Europe/Berlin"),
)


def merchants_from(rows: list[dict[str, Any]]) -> tuple[Merchant, ...]:
    """More merchants, from configuration: a list of objects with the fields of Merchant."""
    return tuple(Merchant(**{**row, "currencies": tuple(row["currencies"])}) for row in rows)


@dataclass
class Twin:
    """`clock` is real time; `send` delivers one callback and returns the HTTP status, 0 when nobody answered."""

    book: Book
    clock: Callable[[], datetime]
    send: Sender
    merchants: dict[str, Merchant] = field(default_factory=lambda: {m.merchant_id: m for m in MERCHANTS})
    api_keys: frozenset[str] = frozenset({"sandbox"})  # passwords of the eSputnik twin, with any login

    def now(self) -> str:
        """Real time, as the book keeps it: sorts as text."""
        return stamp(self.clock())

    def merchant_now(self, merchant_id: str) -> datetime:
        """The time at which the merchant's payments happen: real time, or the time of day on the date it was told."""
        real = self.clock().astimezone(UTC)
        told = self.book.setting(f"date:{merchant_id}", "")
        if not told:
            return real
        if "T" in told:
            return datetime.fromisoformat(told).astimezone(UTC)
        zone = ZoneInfo(self.merchants[merchant_id].time_zone)
        return datetime.combine(date.fromisoformat(told), real.astimezone(zone).time(), zone).astimezone(UTC)

    def tell_date(self, merchant_id: str, told: str) -> None:
        """From now on the merchant lives on this date (ISO), or stands at this instant (ISO with zone); "" ends it.
        Raises ValueError for anything else."""
        if not told:
            self.book.unset(f"date:{merchant_id}")
            return
        if "T" in told and datetime.fromisoformat(told).tzinfo is None:
            raise ValueError("an instant needs its zone")
        if "T" not in told:
            date.fromisoformat(told)
        if self.book.setting(f"date:{merchant_id}", "") != told:
            self.book.set(f"date:{merchant_id}", told)

    def log(self, provider: str, operation: str, merchant: str, key: str, outcome: str) -> int:
        """Notes a request: what an auditor counts to see that nothing was sent twice."""
        return self.book.insert(
            "calls",
            {
                "at": self.now(),
                "provider": provider,
                "operation": operation,
                "merchant": merchant,
                "key": key,
                "outcome": outcome,
            },
        )


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def this_twin() -> Twin:
    """The twin of the request at hand."""
    found: Twin = current_app.extensions["twin"]
    return found
