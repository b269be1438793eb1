"""Fondy's callbacks: who sent it, for which merchant, what it says. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from usance.adapters.fondy import mapping, signature
from usance.ports.payment_rail import CallbackRefused, InboundNotice

PROVIDER = "fondy"


def read(body: bytes, content_type: str) -> dict[str, Any]:
    """The fields of a callback in JSON or form encoding. Numbers stay as they were written, since they are signed so.
    Raises CallbackRefused."""
    try:
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True))
        fields = json.loads(body, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):  # the latter: brackets without end
        raise CallbackRefused(why="unreadable") from None
    if isinstance(fields, dict) and isinstance(fields.get("response"), dict):
        fields = fields["response"]
    if not isinstance(fields, dict) or any(isinstance(value, dict | list) for value in fields.values()):
        raise CallbackRefused(why="unreadable")
    return fields


def parse(
    *, body: bytes, content_type: str, merchant_id: str, payment_key: str, credit_key: str, zone: ZoneInfo
) -> InboundNotice:
    """The notice, verified; raises CallbackRefused. Payouts are signed with the credit key, all else with the payment
    key; `tran_type`, which says so, is among the signed fields."""
    fields = read(body, content_type)
    _verify(fields, merchant_id=merchant_id, payment_key=payment_key, credit_key=credit_key)
    order_id = str(fields.get("order_id") or "")
    if not order_id or not fields.get("order_status"):
        raise CallbackRefused(why="incomplete")
    try:
        event_id = mapping.event_id(fields)
    except ValueError:
        raise CallbackRefused(why="unreadable") from None
    kind = mapping.kind_of(fields)
    context = mapping.Context(order_id=order_id, kind=kind, zone=zone)
    answer = mapping.order_answer(fields, context)
    return InboundNotice(provider=PROVIDER, event_id=event_id, order_id=order_id, kind=kind, answer=answer)


def _verify(fields: Mapping[str, Any], *, merchant_id: str, payment_key: str, credit_key: str) -> None:
    match str(fields.get("tran_type") or ""):
        case mapping.CREDIT:
            secrets = [credit_key]
        case "":
            secrets = [payment_key, credit_key]  # a shortened notice
        case _:
            secrets = [payment_key]
    if not any(secret and signature.verifies(secret, fields) for secret in secrets):
        raise CallbackRefused(why="signature")
    if str(fields.get("merchant_id", "")) != merchant_id:
        raise CallbackRefused(why="merchant")
