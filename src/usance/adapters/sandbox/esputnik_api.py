"""The eSputnik twin's protocol: HTTP Basic, JSON; `results` is an object for one recipient and a list for many."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from usance.adapters.sandbox import faults
from usance.adapters.sandbox.twin import Twin, stamp, this_twin

api = Blueprint("esputnik_api", __name__, url_prefix="/esputnik/api/v1")

LATENCY_S = "2"  # from sending to delivered; the dial `latency_s`
INTERFACES = ("USANCE", "SANDBOX")
REFUSED_AT_ONCE = frozenset({"ERROR", "NO_MONEY", "UNKNOWN_INTERFACE", "BLACKLISTED"})


@api.before_request
def authorise() -> Response | None:
    given = request.authorization
    if given is not None and given.type == "basic" and given.password in this_twin().api_keys:
        return None
    return Response("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="eSputnik sandbox"'})


@api.post("/message/sms")
def sms() -> Response:
    body = _body("from", "text", "phoneNumbers")
    if isinstance(body, Response):
        return body
    rows = [{"channel": "sms", "locator": str(number), "text": str(body["text"])} for number in body["phoneNumbers"]]
    return _send("sms", str(body["from"]), rows, str(body.get("externalRequestId") or ""))


@api.post("/message/email")
def email() -> Response:
    body = _body("from", "subject", "htmlText", "emails")
    if isinstance(body, Response):
        return body
    rows = [
        {
            "channel": "email",
            "locator": str(address),
            "subject": str(body["subject"]),
            "text": str(body.get("plainText") or ""),
            "html": str(body["htmlText"]),
        }
        for address in body["emails"]
    ]
    return _send("email", str(body["from"]), rows, str(body.get("externalRequestId") or ""))


def _body(*required: str) -> dict[str, Any] | Response:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return Response("Body must be a JSON object", 400, mimetype="text/plain")
    for name in required:
        if not body.get(name):
            return Response(f"Field {name} is required", 400, mimetype="text/plain")
    if not isinstance(body.get("phoneNumbers", []), list) or not isinstance(body.get("emails", []), list):
        return Response("Recipients must be a list", 400, mimetype="text/plain")
    return body


def _send(operation: str, sender: str, rows: list[dict[str, Any]], external_id: str) -> Response:
    twin = this_twin()
    key = external_id or f"{rows[0]['locator']}|{rows[0]['text']}"
    silent = faults.before(twin, "esputnik", operation, key)
    if silent is not None:
        return silent
    with twin.book.write():
        results = [_accept(twin, operation, sender, row, external_id) for row in rows]
        twin.log("esputnik", operation, "", external_id, str(len(rows)))
    return faults.after(twin, "esputnik", operation, key) or jsonify(
        {"results": results[0] if len(results) == 1 else results}
    )


def _accept(twin: Twin, operation: str, sender: str, row: dict[str, Any], external_id: str) -> dict[str, Any]:
    """One recipient's message into the book; the item of the answer."""
    refused = faults.hit(twin, "esputnik", operation, "decline", f"{row['locator']}|{row['text']}")
    if refused and refused.value in REFUSED_AT_ONCE:
        said = "ERROR" if refused.value == "ERROR" else refused.value
        return {"locator": row["locator"], "status": said, "message": "Refused by a fault dial of the sandbox"}
    latency = float(twin.book.setting("latency_s", LATENCY_S))
    request_id = secrets.token_hex(12)
    message_id = twin.book.insert(
        "messages",
        {
            **row,
            "request_id": request_id,
            "sender": sender,
            "external_id": external_id,
            "at": twin.now(),
            "final_at": stamp(twin.clock() + timedelta(seconds=latency)),
            "final_status": refused.value if refused else "DELIVERED",
        },
    )
    return {"id": message_id, "requestId": request_id, "locator": row["locator"], "status": "OK", "message": None}


@api.get("/message/status")
@api.get("/message/<channel>/status")
def status(channel: str = "") -> Response:
    twin = this_twin()
    ids = [part for part in request.args.get("ids", "").split(",") if part]
    silent = faults.before(twin, "esputnik", "status", f"{','.join(ids)}|{twin.now()}")
    if silent is not None:
        return silent
    found = [_status(twin, name) for name in ids]
    return jsonify({"results": found[0] if len(found) == 1 else found})


def _status(twin: Twin, request_id: str) -> dict[str, Any]:
    row = twin.book.row("SELECT * FROM messages WHERE request_id = ?", request_id)
    said = status_of(twin, row) if row else "MESSAGE_NOT_FOUND"
    return {
        "id": row["id"] if row else None,
        "requestId": request_id,
        "status": said,
        "delivered": said == "DELIVERED",
        "failed": said not in ("DELIVERED", "PENDING", "IN_QUEUE"),
    }


def status_of(twin: Twin, row: Any) -> str:
    """IN_QUEUE, half-way PENDING, then its final status."""
    now, at, final_at = twin.clock(), datetime.fromisoformat(row["at"]), datetime.fromisoformat(row["final_at"])
    if now >= final_at:
        return str(row["final_status"])
    return "IN_QUEUE" if now - at < (final_at - at) / 2 else "PENDING"


@api.get("/interfaces/sms")
def interfaces() -> Response:
    return jsonify(list(INTERFACES))


@api.get("/balance")
def balance() -> Response:
    return jsonify({"currentBalance": 1000.0, "bonusBalance": 0.0, "currency": "UAH"})


@api.get("/version")
def version() -> Response:
    return jsonify({"version": "1", "protocolVersion": "v1"})
