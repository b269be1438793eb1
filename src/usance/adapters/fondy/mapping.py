"""Between Fondy's words and ours. Pure: no network, no clock, no configuration but what is passed in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from usance.ports.payment_rail import (
    Accepted,
    Answer,
    Card,
    Declined,
    Hint,
    OrderKind,
    Reason,
    RefundOrder,
    Unknown,
    Why,
)

Fields = Mapping[str, Any]

VERSION = "1.0.1"  # with it, answers carry additional_info, and in it the time of the payment itself
TIME_FORMAT = "%d.%m.%Y %H:%M:%S"
ORDER_NOT_FOUND = "1018"
DUPLICATE_ORDER = frozenset({"1013", "1019", "1086"})
PROVIDER_FAILED = frozenset({"1002"})
CREDIT = "p2p credit"
VERIFICATION = "verification"

_REASONS: dict[Reason, tuple[str, ...]] = {
    Reason.INSUFFICIENT_FUNDS: ("1037",),
    Reason.LIMIT: ("1040", "1047", "1048", "1055", "1080", "1083"),
    Reason.CARD_EXPIRED: ("1025",),
    Reason.CARD_INVALID: ("1003", "1015", "1090"),
    Reason.CARD_BLOCKED: ("1042", "1043", "1044", "1079"),
    Reason.TOKEN_DEAD: ("1035", "1078", "1082"),
    Reason.NOT_AUTHENTICATED: ("1024",),
    Reason.ISSUER_DECLINED: ("1000", "1004", "1057", "1058", "1072"),
    Reason.FRAUD: ("1041", "1051"),
    Reason.PAYER_LEFT: ("1052",),
    Reason.OUR_BALANCE: ("1069", "1081"),
    Reason.TECHNICAL: ("1089",),
    Reason.CONFIGURATION: (
        *("1006", "1007", "1009", "1010", "1011", "1012", "1014", "1016", "1021", "1023", "1034", "1046"),
        *("1059", "1060", "1074", "1084", "1091", "1099", "1100", "1109"),
    ),
}
REASON_OF_CODE = {code: reason for reason, codes in _REASONS.items() for code in codes}

_RETRY_LATER = frozenset({"1037", "1040", "1047", "1048", "1089"})
_DROP_TOKEN = frozenset({"1035", "1042", "1044", "1078", "1082"})
_RETRY_REASONS = frozenset({Reason.PAYER_LEFT, Reason.OUR_BALANCE, Reason.NOT_AUTHENTICATED, Reason.CARD_INVALID})


@dataclass(frozen=True, slots=True)
class Context:
    """What the mapping needs to know of the call: the order, and the zone of the provider's zoneless times."""

    order_id: str
    kind: OrderKind | None
    zone: ZoneInfo


def reason_of(code: str) -> Reason:
    return REASON_OF_CODE.get(code, Reason.OTHER)


def hint_of(code: str) -> Hint:
    if code in _RETRY_LATER:
        return Hint.RETRY_LATER
    if code in _DROP_TOKEN:
        return Hint.DROP_TOKEN
    return Hint.RETRY_LATER if reason_of(code) in _RETRY_REASONS else Hint.STOP


def kind_of(fields: Fields) -> OrderKind | None:
    """The kind as far as the provider tells it: a purchase on a page and a debit look alike."""
    return {CREDIT: OrderKind.PAYOUT, VERIFICATION: OrderKind.LINK_CARD}.get(str(fields.get("tran_type", "")))


def failure(fields: Fields, *, order_id: str, asking: bool) -> Declined | Unknown:
    """An answer with `response_status: failure`. `asking`: the request was a status query, so that its failure says
    nothing about the order, except that there is none."""
    code, detail = str(fields.get("error_code", "")), str(fields.get("error_message", ""))
    if asking:
        why = Why.NOT_FOUND if code == ORDER_NOT_FOUND else Why.BUSY
        return Unknown(order_id=order_id, why=why, code=code, detail=detail)
    if code in DUPLICATE_ORDER:
        return Unknown(order_id=order_id, why=Why.DUPLICATE, code=code, detail=detail)
    if code in PROVIDER_FAILED or not code:
        return Unknown(order_id=order_id, why=Why.BUSY, code=code, detail=detail)
    return Declined(order_id=order_id, reason=reason_of(code), hint=hint_of(code), code=code, detail=detail)


def order_answer(fields: Fields, context: Context) -> Answer:
    """The order object of recurring, p2pcredit, status and callbacks. Its signature was verified before."""
    status = str(fields.get("order_status", ""))
    kind = context.kind or kind_of(fields)
    match status:
        case "approved" | "reversed":
            return _approved(fields, context, kind)
        case "declined":
            return _declined(fields, context, str(fields.get("response_code") or ""))
        case "expired":
            return _declined(fields, context, "1052")
        case "created":
            hosted = kind in (OrderKind.LINK_CARD, OrderKind.PURCHASE, None)
            return _unknown(fields, context, Why.WAITING_FOR_PAYER if hosted else Why.PROCESSING)
        case "processing":
            return _unknown(fields, context, Why.PROCESSING)
        case _:
            return _unknown(fields, context, Why.UNREADABLE)


def refund_answer(fields: Fields, order: RefundOrder) -> Answer:
    """The answer of reverse/order_id."""
    status, code = str(fields.get("reverse_status", "")), str(fields.get("response_code") or "")
    detail = str(fields.get("response_description") or "")
    reference = str(fields.get("transaction_id") or fields.get("reverse_id") or order.refund_id)
    if status == "approved":
        return Accepted(
            order_id=order.order_id,
            reference=reference,
            amount_minor=order.amount_minor,
            currency=order.currency,
            value_at=None,
            raw_status=status,
        )
    if status == "declined":
        reason, hint = reason_of(code), hint_of(code)
        return Declined(
            order_id=order.order_id, reason=reason, hint=hint, code=code, detail=detail, reference=reference
        )
    why = Why.PROCESSING if status == "created" else Why.UNREADABLE
    return Unknown(order_id=order.order_id, why=why, code=code, detail=detail, reference=reference, raw_status=status)


def event_id(fields: Fields) -> str:
    """Equal for every delivery of one event: order, its state, the payment; and how much had gone back by then."""
    base = f"{fields.get('order_id', '')}:{fields.get('order_status', '')}:{fields.get('payment_id', '')}"
    reversed_minor = minor(fields.get("reversal_amount"))
    return f"{base}:reversed={reversed_minor}" if reversed_minor else base


def minor(value: Any) -> int:
    """An amount in minor units: the protocol writes it as a number or as a string; absent is 0."""
    return int(value) if value not in (None, "") else 0


def value_at(fields: Fields, zone: ZoneInfo) -> datetime | None:
    """When the card was charged: `timeend` of additional_info, else `order_time` (the order's creation)."""
    info = fields.get("additional_info")
    try:
        details = json.loads(info) if isinstance(info, str) and info else {}
    except ValueError:
        details = {}
    ended = details.get("timeend") if isinstance(details, dict) else None
    return parse_time(ended, zone) or parse_time(fields.get("order_time"), zone)


def parse_time(text: Any, zone: ZoneInfo) -> datetime | None:
    """`DD.MM.YYYY HH:MM:SS` in `zone`, as an instant in UTC; None for anything else."""
    try:
        return datetime.strptime(str(text), TIME_FORMAT).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None


def card_of(fields: Fields) -> Card:
    masked = str(fields.get("masked_card") or "")
    return Card(
        token=str(fields["rectoken"]) if fields.get("rectoken") else None,
        masked=masked,
        last4=masked[-4:] if masked[-4:].isdigit() else "",
        brand=str(fields.get("card_type") or ""),
        expires_on=_token_expires_on(fields.get("rectoken_lifetime")),
    )


def _token_expires_on(text: Any) -> date | None:
    try:
        return datetime.strptime(str(text)[:10], "%d.%m.%Y").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _approved(fields: Fields, context: Context, kind: OrderKind | None) -> Answer:
    try:
        # what was really taken; `amount` is what we asked for
        amount_minor = minor(fields.get("actual_amount") or fields["amount"])
        reversed_minor = minor(fields.get("reversal_amount"))
    except (KeyError, ValueError):
        return _unknown(fields, context, Why.UNREADABLE)
    if kind is OrderKind.LINK_CARD:
        match str(fields.get("verification_status") or ""):
            case "verified":
                reversed_minor = 0  # the release of the hold is part of the check, not a reversal
            case "incorrect" | "failed" as said:
                return Declined(
                    order_id=context.order_id,
                    reason=Reason.NOT_OWNER,
                    hint=Hint.RETRY_LATER,
                    code=said,
                    reference=_reference(fields),
                    raw_status=str(fields["order_status"]),
                )
            case _:
                return _unknown(fields, context, Why.WAITING_FOR_PAYER)
    elif fields["order_status"] == "reversed":
        reversed_minor = reversed_minor or amount_minor
    return Accepted(
        order_id=context.order_id,
        reference=_reference(fields),
        amount_minor=amount_minor,
        currency=str(fields.get("actual_currency") or fields.get("currency") or ""),
        value_at=value_at(fields, context.zone),
        card=card_of(fields),
        reversed_minor=reversed_minor,
        fee_minor=_fee(fields),
        bank_reference=str(fields.get("rrn") or ""),
        raw_status=str(fields["order_status"]),
    )


def _fee(fields: Fields) -> int:
    try:
        return minor(fields.get("fee"))
    except ValueError:
        return 0


def _reference(fields: Fields) -> str:
    return str(fields.get("payment_id") or "")


def _declined(fields: Fields, context: Context, code: str) -> Declined:
    if fields.get("verification_status") in ("incorrect", "failed"):
        reason, hint = Reason.NOT_OWNER, Hint.RETRY_LATER
    else:
        reason, hint = reason_of(code), hint_of(code)
    return Declined(
        order_id=context.order_id,
        reason=reason,
        hint=hint,
        code=code,
        detail=str(fields.get("response_description") or ""),
        reference=_reference(fields),
        raw_status=str(fields.get("order_status", "")),
    )


def _unknown(fields: Fields, context: Context, why: Why) -> Unknown:
    return Unknown(
        order_id=context.order_id,
        why=why,
        code=str(fields.get("response_code") or ""),
        detail=str(fields.get("response_description") or ""),
        reference=_reference(fields),
        raw_status=str(fields.get("order_status", "")),
    )
