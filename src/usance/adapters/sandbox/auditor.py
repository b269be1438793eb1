"""The twins' book as JSON, for an independent auditor: what really happened at the provider."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from usance.adapters.sandbox import orders
from usance.adapters.sandbox.twin import this_twin

pages = Blueprint("auditor", __name__, url_prefix="/book")

PAGE = 1000


@pages.get("/")
def orders_and_cards() -> Response:
    """Orders (`?merchant_id=`, `?order_id=`, paged by `?after=payment_id&limit=`), and what each card paid and got.
    `amount_minor` is what really moved, `amount_told_minor` what a wrong-amount dial makes the provider say."""
    twin = this_twin()
    orders.tick(twin)
    merchant, order_id = request.args.get("merchant_id", ""), request.args.get("order_id", "")
    limit = max(1, min(request.args.get("limit", PAGE, type=int), 100_000))
    rows = twin.book.rows(
        "SELECT o.*, c.masked, (SELECT count(*) FROM calls k WHERE k.key = o.order_id AND k.merchant = o.merchant_id"
        "   AND k.operation IN ('checkout', 'recurring', 'p2pcredit')) AS sent"
        " FROM orders o LEFT JOIN cards c ON c.token = o.token"
        " WHERE o.payment_id > ? AND (? = '' OR o.merchant_id = ?) AND (? = '' OR o.order_id = ?)"
        " ORDER BY o.payment_id LIMIT ?",
        request.args.get("after", 0, type=int),
        merchant,
        merchant,
        order_id,
        order_id,
        limit,
    )
    cards = twin.book.rows(
        "SELECT c.merchant_id, c.token, c.masked, c.behaviour,"
        " coalesce(sum(CASE WHEN o.tran_type = 'purchase' AND o.status IN ('approved', 'reversed')"
        "   THEN o.amount - o.reversed END), 0) AS in_minor,"
        " coalesce(sum(CASE WHEN o.tran_type = 'p2p credit' AND o.status = 'approved'"
        "   THEN o.amount END), 0) AS out_minor"
        " FROM cards c LEFT JOIN orders o ON o.token = c.token WHERE (? = '' OR c.merchant_id = ?)"
        " GROUP BY c.token ORDER BY c.token",
        merchant,
        merchant,
    )
    return jsonify({"orders": [_order(row) for row in rows], "cards": [dict(row) for row in cards]})


def _order(row: Any) -> dict[str, Any]:
    return {
        "merchant_id": row["merchant_id"],
        "order_id": row["order_id"],
        "payment_id": row["payment_id"],
        "via": row["via"],
        "tran_type": row["tran_type"],
        "amount_minor": row["amount"],
        "amount_told_minor": row["amount_told"],
        "currency": row["currency"],
        "status": row["status"],
        "response_code": row["response_code"],
        "reversed_minor": row["reversed"],
        "created_at": row["created_at"],
        "paid_at": row["paid_at"],
        "token": row["token"],
        "masked_card": row["masked"],
        "sent_count": row["sent"],
    }


@pages.get("/calls")
def calls() -> Response:
    """Every request that the twins got, by `?key=` (order_id)."""
    key = request.args.get("key", "")
    rows = this_twin().book.rows("SELECT * FROM calls WHERE ? = '' OR key = ? ORDER BY id LIMIT ?", key, key, PAGE)
    return jsonify([dict(row) for row in rows])


@pages.get("/callbacks")
def callbacks() -> Response:
    rows = this_twin().book.rows(
        "SELECT k.*, o.order_id FROM callbacks k JOIN orders o USING (payment_id)"
        " WHERE ? = '' OR o.order_id = ? ORDER BY k.id LIMIT ?",
        request.args.get("key", ""),
        request.args.get("key", ""),
        PAGE,
    )
    return jsonify([dict(row) for row in rows])
