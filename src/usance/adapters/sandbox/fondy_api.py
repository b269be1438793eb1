"""The Fondy twin's protocol: POST, JSON, one envelope; HTTP 200 even for business errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, request, url_for

from usance.adapters.fondy.signature import verifies
from usance.adapters.sandbox import cards, faults, orders
from usance.adapters.sandbox.twin import PROVIDER_ZONE, Merchant, Twin, stamp, this_twin

api = Blueprint("fondy_api", __name__, url_prefix="/fondy/api")

DATE_HEADER = "X-Sandbox-Date"
Handler = Callable[[Twin, Merchant, Mapping[str, Any]], Any]


@dataclass
class Failure(Exception):
    """A business error of the protocol."""

    code: str
    message: str = ""


def _answer(inner: Any) -> Response:
    return Response(json.dumps({"response": inner}), mimetype="application/json")


def _failure(failure: Failure, request_id: str) -> Response:
    return _answer(
        {
            "response_status": "failure",
            "error_code": int(failure.code) if failure.code.isdigit() else failure.code,
            "error_message": failure.message or orders.DESCRIPTIONS.get(failure.code, "Error"),
            "request_id": request_id,
        }
    )


def serve(operation: str, handle: Handler) -> Response:
    """One request: read, dated, faults before, done, faults after."""
    twin = this_twin()
    fields: dict[str, Any] = {}
    outcome, noted = "ok", 0
    try:
        fields = _read()
        merchant = _merchant(twin, fields)
        _tell_date(twin, merchant)
        key = str(fields.get("order_id") or "")
        noted = twin.log("fondy", operation, merchant.merchant_id, key, "came")
        repeatable = operation in ("status", "reverse")
        fault_key = f"{key}|{_count(twin, operation, key)}" if repeatable else key
        silent = faults.before(twin, "fondy", operation, fault_key)
        if silent is not None:
            outcome = "fault before"
            return silent
        refused: Failure | None = None
        with twin.book.write():
            try:
                _check_signature(merchant, twin, fields, operation)
                orders.tick(twin)
                inner = handle(twin, merchant, fields)
            except Failure as failure:  # raised outside: the dial that struck stays counted
                refused = failure
        if refused is not None:
            raise refused
        silent = faults.after(twin, "fondy", operation, fault_key)
        if silent is not None:
            outcome = "fault after"
            return silent
        return _answer(inner)
    except Failure as failure:
        outcome = failure.code
        return _failure(failure, f"sandbox-{twin.now()}")
    finally:
        twin.book.update("calls", "id", noted, {"outcome": outcome})


def _count(twin: Twin, operation: str, key: str) -> int:
    """How often the same was asked: each asking has a draw of its own."""
    found = twin.book.row("SELECT count(*) FROM calls WHERE key = ? AND operation = ?", key, operation)
    return int(found[0]) if found else 0


def _read() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise Failure("1021", "Content type is not supported by the sandbox: send application/json")
    try:
        body = json.loads(request.get_data(), parse_int=str, parse_float=str)
    except UnicodeDecodeError:
        raise Failure("1046", "Request is not UTF-8") from None
    except ValueError:
        raise Failure("1010", "Request is empty or not JSON") from None
    fields = body.get("request") if isinstance(body, dict) else None
    if not isinstance(fields, dict) or not fields:
        raise Failure("1010", "Request is empty")
    if any(isinstance(value, dict | list) for value in fields.values()):
        raise Failure("1007", "A parameter is not a plain value")
    if any("|" in str(value) for value in fields.values()):
        raise Failure("1034", "A parameter contains the separator")
    return fields


def _merchant(twin: Twin, fields: Mapping[str, Any]) -> Merchant:
    if "merchant_id" not in fields:
        raise Failure("1011", "Parameter `merchant_id` is missing")
    found = twin.merchants.get(str(fields["merchant_id"]))
    if found is None:
        raise Failure("1016", "Merchant not found")
    return found


def _tell_date(twin: Twin, merchant: Merchant) -> None:
    told = request.headers.get(DATE_HEADER, "")
    if told:
        try:
            twin.tell_date(merchant.merchant_id, told)
        except ValueError:
            raise Failure("1007", f"Header {DATE_HEADER} is not an ISO date") from None


def _check_signature(merchant: Merchant, twin: Twin, fields: Mapping[str, Any], operation: str) -> None:
    """Payouts, and questions about them, are signed with the credit key, everything else with the payment key."""
    secret = merchant.payment_key
    if operation == "p2pcredit":
        secret = merchant.credit_key
    elif operation in ("status", "list") and "order_id" in fields:
        order = orders.by_order_id(twin, merchant.merchant_id, str(fields["order_id"]))
        if order is None and verifies(merchant.credit_key, fields):
            return  # an order that we do not know may be of either kind
        secret = orders.secret_of(merchant, order) if order else secret
    if not verifies(secret, fields):
        raise Failure("1014", "Invalid signature")


def _check_order(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> None:
    """What a new order must say."""
    for name in ("order_id", "order_desc", "amount", "currency"):
        if name not in fields:
            raise Failure("1011", f"Parameter `{name}` is missing")
        if str(fields[name]) == "":
            raise Failure("1009", f"Parameter `{name}` is empty")
    if not str(fields["amount"]).isdigit() or int(fields["amount"]) <= 0:
        raise Failure("1023", "Parameter `amount` is incorrect")
    if str(fields["currency"]) not in merchant.currencies:
        raise Failure("1012", "Currency is not supported by the merchant")
    if len(str(fields["order_id"])) > 1024:
        raise Failure("1007", "Parameter `order_id` is incorrect")
    if fields.get("lifetime") and not str(fields["lifetime"]).isdigit():
        raise Failure("1007", "Parameter `lifetime` is incorrect")
    if orders.by_order_id(twin, merchant.merchant_id, str(fields["order_id"])) is not None:
        raise Failure("1013")


# --- operations -------------------------------------------------------------------------------------


def checkout(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> Any:
    _check_order(twin, merchant, fields)
    declined = faults.hit(twin, "fondy", "checkout", "decline", str(fields["order_id"]))
    if declined:
        raise Failure(declined.value)
    kind = orders.VERIFICATION if fields.get("verification") == "Y" else orders.PURCHASE
    order = orders.create(twin, merchant, {"lifetime": "36000", **fields}, via="checkout", tran_type=kind)
    page = url_for("fondy_pay.page", payment_id=order["payment_id"], _external=True)
    return {"response_status": "success", "checkout_url": page, "payment_id": str(order["payment_id"])}


def recurring(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> Any:
    _check_order(twin, merchant, fields)
    card = cards.find(twin, merchant.merchant_id, str(fields.get("rectoken") or ""))
    if card is None:
        raise Failure("1035")
    order = orders.create(twin, merchant, fields, via="recurring", tran_type=orders.PURCHASE)
    today = twin.merchant_now(merchant.merchant_id).date()
    expired = date.fromisoformat(card["expires_on"]) < today
    code = "1082" if expired else cards.behaviour(card["behaviour"]).debit_code
    done = orders.attempt(twin, order, operation="recurring", token=card["token"], code=code)
    return orders.describe(twin, done)


def p2pcredit(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> Any:
    _check_order(twin, merchant, fields)
    token, number = str(fields.get("receiver_rectoken") or ""), str(fields.get("receiver_card_number") or "")
    if number and not token:
        if not cards.is_valid(number):
            raise Failure("1015")
        expires_on = twin.merchant_now(merchant.merchant_id).date().replace(month=12, day=31)
        token = cards.keep(twin, merchant.merchant_id, number, expires_on)
    card = cards.find(twin, merchant.merchant_id, token)
    if card is None:
        raise Failure("1035") if token else Failure("1011", "Parameter `receiver_card_number` is missing")
    order = orders.create(twin, merchant, fields, via="p2pcredit", tran_type=orders.CREDIT)
    code = cards.behaviour(card["behaviour"]).payout_code
    done = orders.attempt(twin, order, operation="p2pcredit", token=card["token"], code=code)
    return orders.describe(twin, done)


def _find(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> Any:
    order = orders.by_order_id(twin, merchant.merchant_id, str(fields.get("order_id") or ""))
    if order is None:
        raise Failure("1018")
    return order


def status(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> Any:
    order = _find(twin, merchant, fields)
    refused = faults.hit(twin, "fondy", "status", "decline", order["order_id"])
    if refused:
        raise Failure(refused.value)
    return orders.describe(twin, order)


def reverse(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> Any:
    order = _find(twin, merchant, fields)
    text = str(fields.get("amount") or "")
    if not text.isdigit() or int(text) <= 0:
        raise Failure("1023", "Parameter `amount` is incorrect")
    amount, reverse_id = int(text), str(fields.get("reverse_id") or f"{order['order_id']}-{order['reversed']}")
    known = twin.book.row(
        "SELECT * FROM reversals WHERE payment_id = ? AND reverse_id = ?", order["payment_id"], reverse_id
    )
    refused = None if known else faults.hit(twin, "fondy", "reverse", "decline", reverse_id)
    if refused:
        raise Failure(refused.value)
    if order["tran_type"] != orders.PURCHASE or order["status"] not in ("approved", "reversed"):
        raise Failure("1100", "Operation is not allowed for this order")
    if known is None and order["status"] == "reversed":
        raise Failure("1086", "Order is already fully reversed")
    if known is None and order["reversed"] + amount > order["amount"]:
        raise Failure("1023", "Amount exceeds what is left of the order")
    done = orders.reverse(twin, order, reverse_id=reverse_id, amount=amount, comment=str(fields.get("comment") or ""))
    inner = {
        "order_id": order["order_id"],
        "merchant_id": int(merchant.merchant_id),
        "reverse_status": "approved",
        "reverse_id": done["reverse_id"],
        "reversal_amount": str(done["amount"]),
        "transaction_id": order["payment_id"] * 1000 + done["id"],
        "response_status": "success",
        "response_code": "",
        "response_description": "",
    }
    return orders.signed(inner, merchant.payment_key)


def transaction_list(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> Any:
    order = _find(twin, merchant, fields)
    reversals = twin.book.rows("SELECT * FROM reversals WHERE payment_id = ? ORDER BY id", order["payment_id"])
    return [
        orders.describe(twin, order),
        *(
            {
                "order_id": order["order_id"],
                "tran_type": "reverse",
                "amount": str(row["amount"]),
                "currency": order["currency"],
                "reverse_id": row["reverse_id"],
                "order_time": orders.provider_time(row["at"]),
            }
            for row in reversals
        ),
    ]


def reports(twin: Twin, merchant: Merchant, fields: Mapping[str, Any]) -> Any:
    try:
        edges = [
            stamp(datetime.strptime(str(fields[name]), orders.TIME_FORMAT).replace(tzinfo=PROVIDER_ZONE))
            for name in ("date_from", "date_to")
        ]
    except (KeyError, ValueError):
        raise Failure("1007", "Parameters `date_from` and `date_to` must be DD.MM.YYYY HH:MM:SS") from None
    found = twin.book.rows(
        "SELECT * FROM orders WHERE merchant_id = ? AND created_at BETWEEN ? AND ? ORDER BY payment_id",
        merchant.merchant_id,
        *edges,
    )
    return [orders.describe(twin, order) for order in found]


ROUTES: dict[str, tuple[str, Handler]] = {
    "checkout/url": ("checkout", checkout),
    "recurring": ("recurring", recurring),
    "p2pcredit": ("p2pcredit", p2pcredit),
    "status/order_id": ("status", status),
    "reverse/order_id": ("reverse", reverse),
    "transaction_list": ("list", transaction_list),
    "reports": ("reports", reports),
}


@api.post("/<path:path>")
def endpoint(path: str) -> Response:
    route = ROUTES.get(path.strip("/"))
    if route is None:
        return Response("not found", status=404, mimetype="text/plain")
    return serve(*route)
