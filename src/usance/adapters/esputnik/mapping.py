"""Between eSputnik's words and ours. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from usance.ports.messenger import (
    Accepted,
    Answer,
    Declined,
    Delivery,
    DeliveryState,
    EmailOrder,
    Reason,
    SmsOrder,
    Unknown,
    Why,
)

WAITING = frozenset({"IN_QUEUE", "PENDING"})
DELIVERED = frozenset({"DELIVERED", "READ", "CLICKED"})
REASON_OF_STATUS = {
    "EXPIRED": Reason.EXPIRED,
    "UNDELIVERED": Reason.OTHER,
    "FAILED": Reason.OTHER,
    "SPAM": Reason.UNREACHABLE,
    "NO_MONEY": Reason.OUR_BALANCE,
    "UNKNOWN_INTERFACE": Reason.CONFIGURATION,
    "ERROR": Reason.OTHER,
    "MESSAGE_NOT_FOUND": Reason.CONFIGURATION,
    "BLACKLISTED": Reason.UNREACHABLE,
    "UNSUBSCRIBED": Reason.UNREACHABLE,
    "NOT_CONFIRMED": Reason.UNREACHABLE,
    "CANNOT_FIND_CHANNEL": Reason.UNREACHABLE,
}


def sms_body(order: SmsOrder, sender: str) -> dict[str, Any]:
    """The protocol writes numbers in digits only, country code first."""
    return {"from": sender, "text": order.text, "phoneNumbers": ["".join(c for c in order.to if c.isdigit())]}


def email_body(order: EmailOrder, sender: str) -> dict[str, Any]:
    return {
        "from": sender,
        "subject": order.subject,
        "htmlText": order.html or "<p>" + html.escape(order.text).replace("\n", "<br>") + "</p>",
        "plainText": order.text,
        "emails": [order.to],
        "externalRequestId": order.key,
        "skipPersonalisation": True,  # our texts are finished; a "$" in them is a "$"
    }


def items(answer: Any) -> list[Mapping[str, Any]]:
    """The items of an answer: `results` is an object for one recipient and a list for many, and status queries also
    answer without that wrapper."""
    inner = answer["results"] if isinstance(answer, dict) and "results" in answer else answer
    found = inner if isinstance(inner, list) else [inner]
    return [item for item in found if isinstance(item, dict)]


def sent(answer: Any, *, key: str) -> Answer:
    """What came of one message to one recipient. HTTP 200 with status ERROR is a refusal."""
    results = items(answer)
    if len(results) != 1:
        return Unknown(key=key, why=Why.UNREADABLE)
    result = results[0]
    status, detail = str(result.get("status") or ""), str(result.get("message") or "")
    if status == "OK" and result.get("requestId") not in (None, ""):
        return Accepted(key=key, reference=str(result["requestId"]))
    if status in REASON_OF_STATUS:
        return Declined(key=key, reason=REASON_OF_STATUS[status], code=status, detail=detail)
    return Unknown(key=key, why=Why.UNREADABLE, code=status, detail=detail)


def refused_by_http(status_code: int, text: str, *, key: str) -> Declined | Unknown:
    """An answer other than 200: 4xx means that our request or set-up is wrong, anything else that nobody knows."""
    code = str(status_code)
    if status_code in (400, 401, 403, 404):
        return Declined(key=key, reason=Reason.CONFIGURATION, code=code, detail=text[:200])
    return Unknown(key=key, why=Why.BUSY, code=code, detail=text[:200])


def delivery(reference: str, raw: str) -> Delivery:
    if raw in WAITING:
        return Delivery(reference=reference, state=DeliveryState.WAITING, raw=raw)
    if raw in DELIVERED:
        return Delivery(reference=reference, state=DeliveryState.DELIVERED, raw=raw)
    if raw in REASON_OF_STATUS:
        return Delivery(reference=reference, state=DeliveryState.FAILED, reason=REASON_OF_STATUS[raw], raw=raw)
    return Delivery(reference=reference, state=DeliveryState.UNKNOWN, raw=raw)


def deliveries(answer: Any, references: Sequence[str]) -> dict[str, Delivery]:
    """The state of each reference; those that the answer leaves out are UNKNOWN."""
    results = items(answer)
    named = {name: str(item.get("status") or "") for item in results for name in _names(item)}
    if len(references) == 1 and len(results) == 1 and not any(_names(results[0])):
        named = {references[0]: str(results[0].get("status") or "")}
    return {reference: delivery(reference, named.get(reference, "")) for reference in references}


def unknown_deliveries(references: Iterable[str]) -> dict[str, Delivery]:
    return {reference: delivery(reference, "") for reference in references}


def _names(item: Mapping[str, Any]) -> list[str]:
    return [str(item[name]) for name in ("requestId", "id") if item.get(name) not in (None, "")]
