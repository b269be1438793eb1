"""Fault dials: which requests shall go wrong, and how. Drawn by seed and key, so that a run can be repeated exactly,
whatever the order in which requests arrive."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from flask import Response, g, request

from usance.adapters.sandbox.twin import Twin

OPERATIONS: dict[str, tuple[str, ...]] = {
    "fondy": ("checkout", "pay", "recurring", "p2pcredit", "status", "reverse"),
    "esputnik": ("sms", "email", "status"),
    "push": ("push",),
}
# kind: (what it does, what its value means, the value where none is given)
KINDS: dict[str, tuple[str, str, str]] = {
    "decline": ("The provider says no", "error code (Fondy), message status (eSputnik) or HTTP status (push)", "1000"),
    "delay": ("The answer comes late", "seconds", "3"),
    "timeout_before": ("No answer, and nothing was accepted", "", ""),
    "timeout_after": ("No answer, but it was accepted", "", ""),
    "http_error": ("An HTTP error instead of an answer", "HTTP status", "503"),
    "processing": ("Accepted, final only later", "seconds until final", "10"),
    "reversed_later": ("Success, then taken back by the provider", "seconds until taken back", "10"),
    "duplicate_callbacks": ("Callbacks come several times", "how many times", "2"),
    "lose_callbacks": ("Callbacks never come", "", ""),
    "shuffle_callbacks": ("Callbacks come late and out of order", "seconds at most", "5"),
    "wrong_amount": ("The provider speaks of another amount", "difference in minor units", "-1"),
    "wrong_currency": ("The provider speaks of another currency", "currency code", "USD"),
}
IN_PROCESS = "X-Sandbox-In-Process"  # the caller cannot wait: say instead how long it would have had to
WAITED = "X-Sandbox-Waited"
HANGS = "X-Sandbox-Hangs"


class FaultRefused(ValueError):
    """A dial that makes no sense."""


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str
    value: str

    @property
    def number(self) -> int:
        return int(self.value)

    @property
    def seconds(self) -> float:
        return float(self.value)


def add(
    twin: Twin,
    *,
    provider: str,
    operation: str,
    kind: str,
    value: object = "",
    share: object = 100,
    left: object = None,
) -> int:
    """Sets a dial. `operation` "*" means all; `share` is the percentage of orders that it hits; `left`: how many it
    hits at most. Raises FaultRefused."""
    if provider not in OPERATIONS or operation not in ("*", *OPERATIONS[provider]) or kind not in KINDS:
        raise FaultRefused("unknown provider, operation or kind")
    text = str(value if value not in (None, "") else _default(provider, kind))
    try:
        if kind in ("delay", "processing", "reversed_later", "shuffle_callbacks"):
            float(text)
        elif kind in ("duplicate_callbacks", "wrong_amount", "http_error"):
            int(text)
        percent, most = int(str(share)), int(str(left)) if left not in (None, "") else None
    except ValueError:
        raise FaultRefused("a number was expected") from None
    if not 0 <= percent <= 100:
        raise FaultRefused("the share is a percentage")
    row = {"provider": provider, "operation": operation, "kind": kind, "value": text, "share": percent, '"left"': most}
    return twin.book.insert("faults", row)


def _default(provider: str, kind: str) -> str:
    declined = {"esputnik": "UNDELIVERED", "push": "410"}
    return declined[provider] if kind == "decline" and provider in declined else KINDS[kind][2]


def hit(twin: Twin, provider: str, operation: str, kind: str, key: str) -> Fault | None:
    """The fault that strikes this key, if any; counts the hit."""
    if twin.book.row("SELECT 1 FROM faults LIMIT 1") is None:
        return None  # the usual weather, without the price of a transaction
    with twin.book.write():
        found = twin.book.rows(
            "SELECT * FROM faults WHERE provider = ? AND operation IN (?, '*') AND kind = ?"
            ' AND ("left" IS NULL OR "left" > 0) ORDER BY id',
            provider,
            operation,
            kind,
        )
        seed = twin.book.setting("seed", "1") if found else ""
        for row in found:
            draw = random.Random(f"{seed}|{kind}|{operation}|{key}").random() * 100  # noqa: S311 - repeatable on purpose
            if draw < row["share"]:
                twin.book.run('UPDATE faults SET hits = hits + 1, "left" = "left" - 1 WHERE id = ?', row["id"])
                return Fault(kind, row["value"])
    return None


def before(twin: Twin, provider: str, operation: str, key: str) -> Response | None:
    """What happens before acceptance: lateness, an error, or silence."""
    late = hit(twin, provider, operation, "delay", key)
    if late:
        wait(late.seconds)
    error = hit(twin, provider, operation, "http_error", key)
    if error:
        return Response("sandbox: " + error.value, status=error.number, mimetype="text/plain")
    if hit(twin, provider, operation, "timeout_before", key):
        return hang(twin)
    return None


def after(twin: Twin, provider: str, operation: str, key: str) -> Response | None:
    """What happens after acceptance: silence."""
    return hang(twin) if hit(twin, provider, operation, "timeout_after", key) else None


def wait(seconds: float) -> None:
    """Sleeps, or notes that the caller would have waited."""
    if IN_PROCESS in request.headers:
        g.waited = g.get("waited", 0.0) + seconds
    else:
        time.sleep(seconds)


def hang(twin: Twin) -> Response:
    """Silence: longer than any client waits (dial `hang_s`), then a gateway's error."""
    reply = Response("sandbox: timed out", status=504, mimetype="text/plain")
    if IN_PROCESS in request.headers:
        reply.headers[HANGS] = "1"
    else:
        time.sleep(float(twin.book.setting("hang_s", "35")))
    return reply


def describe(twin: Twin) -> list[dict[str, Any]]:
    return [dict(row) for row in twin.book.rows("SELECT * FROM faults ORDER BY provider, operation, id")]
