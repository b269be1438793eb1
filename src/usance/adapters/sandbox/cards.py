"""Cards of the Fondy twin: the provider's published test cards, some of our own for what they leave out, and any other
number that passes the check digit. Numbers are not kept: a token is derived from merchant and number, so it is
stable."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import date

from usance.adapters.sandbox.twin import Twin


@dataclass(frozen=True, slots=True)
class TestCard:
    """`asks_3ds`: the customer confirms on a page of the bank. Codes: what the provider answers on the page, on a
    debit, on a payout; "" means yes. `published`: in the provider's documentation, not our addition."""

    __test__ = False  # not a test of pytest's

    number: str
    title: str
    asks_3ds: bool = False
    page_code: str = ""
    debit_code: str = ""
    payout_code: str = ""
    published: bool = True


TEST_CARDS = (
    TestCard("4444555511116666", "Approved, no 3-D Secure"),
    TestCard("4444555566661111", "Approved after 3-D Secure", asks_3ds=True),
    TestCard("4444111155556666", "Declined, no 3-D Secure", page_code="1000"),
    TestCard("4444111166665555", "Declined after 3-D Secure", asks_3ds=True, page_code="1024"),
    TestCard("5555666644441111", "Mastercard, approved after 3-D Secure", asks_3ds=True),
    TestCard("6666444455551111", "Mastercard 2, approved after 3-D Secure", asks_3ds=True),
    TestCard("4444555566669999", "Approved, frictionless 3-D Secure"),
    TestCard("4444666655559999", "Approved after a 3-D Secure challenge", asks_3ds=True),
    TestCard("4444999966665555", "Declined, frictionless 3-D Secure", page_code="1024"),
    TestCard("4444666699995555", "Declined after a 3-D Secure challenge", asks_3ds=True, page_code="1024"),
    TestCard("4000000000009995", "Links, but debits find no money", debit_code="1037", published=False),
    TestCard(
        "4000000000000069", "Links, but its token has expired at the first debit", debit_code="1082", published=False
    ),
    TestCard("4000000000000341", "Links, but the bank deactivates its token", debit_code="1078", published=False),
    TestCard("4000000000000119", "Links, but payouts are refused", payout_code="1058", published=False),
)
BY_NUMBER = {card.number: card for card in TEST_CARDS}
ORDINARY = TestCard("", "Ordinary card", published=False)


def behaviour(number: str) -> TestCard:
    return BY_NUMBER.get(number, ORDINARY)


def is_valid(number: str) -> bool:
    """One of the test cards, or 13 to 19 digits with a right check digit."""
    return number in BY_NUMBER or (number.isdigit() and 13 <= len(number) <= 19 and _luhn(number) == 0)


def _luhn(digits: str) -> int:
    """0 for a number with a right check digit."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + index % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10


def fresh_number(twin: Twin) -> str:
    """The number of a new ordinary card, one after another: each customer of a demo may have an own card."""
    with twin.book.write():
        count = int(twin.book.setting("fresh_cards", "0")) + 1
        twin.book.set("fresh_cards", str(count))
    stem = f"47{count:013d}"
    return stem + str((10 - _luhn(stem + "0")) % 10)


def brand(number: str) -> str:
    return {"4": "VISA", "5": "MASTERCARD", "2": "MASTERCARD", "6": "MASTERCARD"}.get(number[:1], "CARD")


def masked(number: str) -> str:
    return f"{number[:6]}XXXXXX{number[-4:]}"


def keep(twin: Twin, merchant_id: str, number: str, expires_on: date) -> str:
    """The token of a card at a merchant; linking it again renews the expiry."""
    token = hashlib.sha256(f"sandbox|{merchant_id}|{number}".encode()).hexdigest()[:40]
    twin.book.run(
        "INSERT INTO cards (token, merchant_id, masked, brand, behaviour, expires_on) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (token) DO UPDATE SET expires_on = excluded.expires_on",
        token,
        merchant_id,
        masked(number),
        brand(number),
        behaviour(number).number,
        expires_on.isoformat(),
    )
    return token


def find(twin: Twin, merchant_id: str, token: str) -> sqlite3.Row | None:
    return twin.book.row("SELECT * FROM cards WHERE token = ? AND merchant_id = ?", token, merchant_id)
