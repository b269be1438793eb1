"""The Fondy twin's signed callbacks: queued with each change of an order, sent until acknowledged with HTTP 200."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from usance.adapters.sandbox import faults
from usance.adapters.sandbox.twin import Twin, stamp

# the provider's own: after a callback that was not acknowledged, seconds until the next try
RETRIES_S = (2, 60, 300, 600, 3600, 86400)
TIMEOUT_S = 30.0
# with the product under test on the same machine a minute is long enough: the dial `retry_scale` shortens the waiting
RETRY_SCALE = "0.1"


def queue(twin: Twin, order: sqlite3.Row, operation: str, fields: Mapping[str, Any]) -> None:
    """Queues the callback of a change that `operation` made; faults may lose, repeat or shuffle it."""
    if not order["callback_url"]:
        return
    key = f"{order['order_id']}|{order['status']}|{order['reversed']}"
    lost = faults.hit(twin, "fondy", operation, "lose_callbacks", key)
    repeated = faults.hit(twin, "fondy", operation, "duplicate_callbacks", key)
    shuffled = faults.hit(twin, "fondy", operation, "shuffle_callbacks", key)
    seed = twin.book.setting("seed", "1")
    for copy in range(max(1, repeated.number) if repeated else 1):
        late = random.Random(f"{seed}|late|{key}|{copy}").random() * (shuffled.seconds if shuffled else 0)  # noqa: S311
        row = {
            "payment_id": order["payment_id"],
            "url": order["callback_url"],
            "body": json.dumps(fields),
            "state": "lost" if lost else "waiting",
            "due_at": stamp(twin.clock() + timedelta(seconds=late)),
        }
        twin.book.insert("callbacks", row)


def due(twin: Twin, limit: int = 100) -> list[sqlite3.Row]:
    """Takes callbacks whose time has come: nobody else will send them."""
    with twin.book.write():
        rows = twin.book.rows(
            "SELECT * FROM callbacks WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at, id LIMIT ?",
            twin.now(),
            limit,
        )
        for row in rows:
            twin.book.update("callbacks", "id", row["id"], {"state": "sending"})
    return rows


def deliver(twin: Twin, row: sqlite3.Row) -> bool:
    """Sends one callback and notes what came of it; whether it was acknowledged."""
    status = twin.send(row["url"], row["body"].encode(), {"Content-Type": "application/json"})
    attempts = row["attempts"] + 1
    changes: dict[str, Any] = {"attempts": attempts, "last_outcome": str(status)}
    if status == 200:
        changes["state"] = "delivered"
    elif attempts > len(RETRIES_S):
        changes["state"] = "given up"
    else:
        pause = RETRIES_S[attempts - 1] * float(twin.book.setting("retry_scale", RETRY_SCALE))
        changes |= {"state": "waiting", "due_at": stamp(twin.clock() + timedelta(seconds=pause))}
    twin.book.update("callbacks", "id", row["id"], changes)
    return status == 200


def take_up_again(twin: Twin) -> None:
    """After a restart: what was being sent is sent again."""
    twin.book.run("UPDATE callbacks SET state = 'waiting' WHERE state = 'sending'")


def send_by_http(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """POSTs as the provider does, without following redirects; 0 when nobody answered. Names under .localhost are this
    machine, though not every resolver knows that."""
    parts = urlsplit(url)
    sent = dict(headers) | {"User-Agent": "Mozilla/5.0 (sandbox of a payment provider)", "Host": parts.netloc}
    if (parts.hostname or "").endswith(".localhost"):
        port = f":{parts.port}" if parts.port else ""
        url = parts._replace(netloc=f"127.0.0.1{port}").geturl()
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
            return client.post(url, content=body, headers=sent).status_code
    except (httpx.RequestError, httpx.InvalidURL):
        return 0
