"""Orders of the Fondy twin: their life, and how the protocol writes them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from usance.adapters.fondy.signature import base_string, sign
from usance.adapters.sandbox import callbacks, cards, faults
from usance.adapters.sandbox.twin import PROVIDER_ZONE, Merchant, Twin, stamp

CREDIT = "p2p credit"
VERIFICATION = "verification"
PURCHASE = "purchase"
TIME_FORMAT = "%d.%m.%Y %H:%M:%S"
FINAL = ("approved", "declined", "expired", "reversed")
DESCRIPTIONS = {
    "1000": "General decline",
    "1002": "Application error",
    "1003": "CVV is incorrect",
    "1004": "Do not honor",
    "1013": "Duplicate order_id for merchant",
    "1015": "Card number is incorrect",
    "1018": "Order not found",
    "1024": "3DS authentication failed",
    "1025": "Card expiry date is incorrect",
    "1035": "Recurring token not found",
    "1037": "Insufficient funds",
    "1042": "Stolen card",
    "1044": "Lost card",
    "1047": "Operation frequency limit exceeded",
    "1048": "Operation amount limit exceeded",
    "1051": "Declined by antifraud",
    "1052": "Order expired",
    "1058": "Receiver card declined",
    "1072": "Recurring chain declined",
    "1078": "Token deactivated by the bank",
    "1081": "Merchant balance is insufficient",
    "1082": "Token expired",
    "1089": "Acquirer timeout",
}


def by_order_id(twin: Twin, merchant_id: str, order_id: str) -> sqlite3.Row | None:
    return twin.book.row("SELECT * FROM orders WHERE merchant_id = ? AND order_id = ?", merchant_id, order_id)


def by_payment_id(twin: Twin, payment_id: int) -> sqlite3.Row | None:
    return twin.book.row("SELECT * FROM orders WHERE payment_id = ?", payment_id)


def create(twin: Twin, merchant: Merchant, fields: Mapping[str, Any], *, via: str, tran_type: str) -> sqlite3.Row:
    """A new order in state `created`. Its order_id must be new at the merchant."""
    lifetime = fields.get("lifetime")
    expires_at = stamp(twin.clock() + timedelta(seconds=int(lifetime))) if lifetime else None
    first = twin.book.row("SELECT 1 FROM orders LIMIT 1") is None
    row = {
        **({"payment_id": 800_000_001} if first else {}),
        "merchant_id": merchant.merchant_id,
        "order_id": str(fields["order_id"]),
        "via": via,
        "tran_type": tran_type,
        "amount": int(fields["amount"]),
        "currency": str(fields["currency"]),
        "description": str(fields["order_desc"]),
        "status": "created",
        "created_at": stamp(twin.merchant_now(merchant.merchant_id)),
        "expires_at": expires_at if via == "checkout" else None,
        "give_token": int(fields.get("required_rectoken") == "Y" or via == "recurring"),
        "verification_status": "created" if tran_type == VERIFICATION else "",
        "response_url": str(fields.get("response_url") or ""),
        "callback_url": str(fields.get("server_callback_url") or ""),
        "lang": str(fields.get("lang") or "en"),
        "merchant_data": str(fields.get("merchant_data") or ""),
    }
    return reread(twin, twin.book.insert("orders", row))


def reread(twin: Twin, payment_id: int) -> sqlite3.Row:
    order = by_payment_id(twin, payment_id)
    if order is None:
        raise LookupError(payment_id)
    return order


def attempt(twin: Twin, order: sqlite3.Row, *, operation: str, token: str, code: str) -> sqlite3.Row:
    """The bank is asked: approved where `code` is "", else declined with it. Dials may decide otherwise, or later."""
    declined = faults.hit(twin, "fondy", operation, "decline", order["order_id"])
    later = faults.hit(twin, "fondy", operation, "processing", order["order_id"])
    amount = faults.hit(twin, "fondy", operation, "wrong_amount", order["order_id"])
    currency = faults.hit(twin, "fondy", operation, "wrong_currency", order["order_id"])
    changes: dict[str, Any] = {"token": token, "pending_token": None}
    if amount:
        changes["amount_told"] = order["amount"] + amount.number
    if currency:
        changes["currency_told"] = currency.value
    twin.book.update("orders", "payment_id", order["payment_id"], changes)
    code = declined.value if declined else code
    if not later:
        return finish(twin, order["payment_id"], code, operation)
    due = stamp(twin.clock() + timedelta(seconds=later.seconds))
    plan = {"status": "processing", "planned_code": code, "planned_at": due}
    twin.book.update("orders", "payment_id", order["payment_id"], plan)
    return _told(twin, order["payment_id"], operation)


def finish(twin: Twin, payment_id: int, code: str, operation: str) -> sqlite3.Row:
    """The order becomes approved, or declined with `code`; a verified hold is released at once."""
    order = reread(twin, payment_id)
    changes = {
        "status": "declined" if code else "approved",
        "response_code": code,
        "response_description": DESCRIPTIONS.get(code, "Declined") if code else "",
        "planned_at": None,
        "planned_code": None,
        "paid_at": stamp(twin.merchant_now(order["merchant_id"])),
    }
    if order["tran_type"] == VERIFICATION and not code:
        changes["verification_status"] = "verified"
    taken_back = None if code else faults.hit(twin, "fondy", operation, "reversed_later", order["order_id"])
    if taken_back and order["tran_type"] != VERIFICATION:
        changes |= {"planned_at": stamp(twin.clock() + timedelta(seconds=taken_back.seconds)), "planned_code": "back"}
    twin.book.update("orders", "payment_id", payment_id, changes)
    order = _told(twin, payment_id, operation)
    if order["tran_type"] == VERIFICATION and not code:
        released = {"status": "reversed", "reversed": order["amount"]}
        twin.book.update("orders", "payment_id", payment_id, released)
        order = _told(twin, payment_id, operation)
    return order


def reverse(twin: Twin, order: sqlite3.Row, *, reverse_id: str, amount: int, comment: str) -> sqlite3.Row:
    """Gives back part or all of an approved order; the same reverse_id does it once."""
    known = twin.book.row(
        "SELECT * FROM reversals WHERE payment_id = ? AND reverse_id = ?", order["payment_id"], reverse_id
    )
    if known is None:
        row = {
            "payment_id": order["payment_id"],
            "reverse_id": reverse_id,
            "amount": amount,
            "at": stamp(twin.merchant_now(order["merchant_id"])),
            "comment": comment,
        }
        twin.book.insert("reversals", row)
        total = order["reversed"] + amount
        changes = {"reversed": total, "status": "reversed" if total >= order["amount"] else "approved"}
        twin.book.update("orders", "payment_id", order["payment_id"], changes)
        _told(twin, order["payment_id"], "reverse")
    found = twin.book.row(
        "SELECT * FROM reversals WHERE payment_id = ? AND reverse_id = ?", order["payment_id"], reverse_id
    )
    if found is None:
        raise LookupError(reverse_id)
    return found


def tick(twin: Twin) -> None:
    """What happens by itself: pages expire, orders in processing become final, successes are taken back."""
    now = twin.now()
    waiting = "SELECT 1 FROM orders WHERE planned_at <= ? OR (status IN ('created', 'processing') AND expires_at <= ?)"
    if twin.book.row(waiting, now, now) is None:
        return
    with twin.book.write():
        for order in twin.book.rows(
            "SELECT * FROM orders WHERE status IN ('created', 'processing') AND expires_at <= ? AND planned_at IS NULL",
            now,
        ):
            changes = {"status": "expired", "response_code": "1052", "response_description": DESCRIPTIONS["1052"]}
            twin.book.update("orders", "payment_id", order["payment_id"], changes)
            _told(twin, order["payment_id"], "pay")
        for order in twin.book.rows("SELECT * FROM orders WHERE planned_at <= ? ORDER BY payment_id", now):
            if order["status"] == "processing":
                finish(twin, order["payment_id"], order["planned_code"] or "", _operation(order))
            else:
                back = {"status": "reversed", "reversed": order["amount"], "planned_at": None, "planned_code": None}
                twin.book.update("orders", "payment_id", order["payment_id"], back)
                _told(twin, order["payment_id"], _operation(order))


def _operation(order: sqlite3.Row) -> str:
    """The operation whose dials rule an order: what a customer does on the page is `pay`."""
    return "pay" if order["via"] == "checkout" else str(order["via"])


def _told(twin: Twin, payment_id: int, operation: str) -> sqlite3.Row:
    """After a change: the order as it is, its callback queued."""
    order = reread(twin, payment_id)
    callbacks.queue(twin, order, operation, describe(twin, order))
    return order


def secret_of(merchant: Merchant, order: sqlite3.Row) -> str:
    return merchant.credit_key if order["tran_type"] == CREDIT else merchant.payment_key


def describe(twin: Twin, order: sqlite3.Row) -> dict[str, Any]:
    """The order object of answers and callbacks, signed."""
    merchant = twin.merchants[order["merchant_id"]]
    card = cards.find(twin, order["merchant_id"], order["token"]) if order["token"] else None
    amount = order["amount"] if order["amount_told"] is None else order["amount_told"]
    currency = order["currency_told"] or order["currency"]
    taken = order["status"] in ("approved", "reversed")
    with_token = card is not None and bool(order["give_token"]) and taken
    fields: dict[str, Any] = {
        "order_id": order["order_id"],
        "merchant_id": int(order["merchant_id"]),
        "amount": str(amount),
        "currency": currency,
        "order_status": order["status"],
        "response_status": "success",
        "tran_type": order["tran_type"],
        "masked_card": card["masked"] if card else "",
        "card_bin": int(card["masked"][:6]) if card else "",
        "card_type": card["brand"] if card else "",
        "rrn": f"{order['payment_id']:012d}" if taken else "",
        "approval_code": f"{order['payment_id'] % 1_000_000:06d}" if taken else "",
        "response_code": int(order["response_code"]) if order["response_code"].isdigit() else order["response_code"],
        "response_description": order["response_description"],
        "reversal_amount": str(order["reversed"]),
        "order_time": provider_time(order["created_at"]),
        "payment_system": "card",
        "payment_id": order["payment_id"],
        "actual_amount": str(amount) if taken else "",
        "actual_currency": currency if taken else "",
        "merchant_data": order["merchant_data"],
        "verification_status": order["verification_status"],
        "rectoken": card["token"] if card is not None and with_token else "",
        "rectoken_lifetime": _lifetime(card["expires_on"]) if card is not None and with_token else "",
        "additional_info": json.dumps(
            {"timeend": provider_time(order["paid_at"]), "is_test": True, "transaction_id": order["payment_id"]}
        ),
        "fee": "",
        "eci": "",
        "sender_email": "",
        "parent_order_id": "",
    }
    return signed(fields, secret_of(merchant, order))


def signed(fields: dict[str, Any], secret: str) -> dict[str, Any]:
    """With the signature, and the string that was hashed, secret masked, as the provider shows it in tests."""
    return fields | {
        "signature": sign(secret, fields),
        "response_signature_string": base_string("*" * len(secret), fields),
    }


def provider_time(at: str | None) -> str | None:
    return datetime.fromisoformat(at).astimezone(PROVIDER_ZONE).strftime(TIME_FORMAT) if at else None


def _lifetime(expires_on: str) -> str:
    return date.fromisoformat(expires_on).strftime("%d.%m.%Y") + " 00:00:00"
